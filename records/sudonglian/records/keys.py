"""The key folder: the secrets of one deployment, made once and never overwritten.

docs/spec/checkpoint.md rule 3 (the log's key); docs/decisions/0003 and 0500 (what the others are for).
"""

import hmac
import json
import os
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Final, Self

from sudonglian.chain.checkpoint import LogKey
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.wallet import Wallet, checksum_address
from sudonglian.records.errors import KeysRefused
from sudonglian.records.keks import FileRing, Keks

KEY_BYTES: Final = 32

LOG_FILE: Final = "log.json"
CONTENT_FILE: Final = "content.key"
LOOKUP_FILE: Final = "lookup.key"
KEK_FILE: Final = "kek.key"
FILES: Final = (LOG_FILE, CONTENT_FILE, LOOKUP_FILE, KEK_FILE)
WITHOUT_KEK: Final = (LOG_FILE, CONTENT_FILE, LOOKUP_FILE)
"""Of a folder whose key-encryption keys are kept elsewhere."""

ANCHOR_FILE: Final = "anchor.key"
"""The key that pays for anchors. It is made when a chain is first met (`chain.wallet`), so it may not be here yet."""

ADMIN_FILE: Final = "admin.key"
"""The key that administers and may pause the contract: best kept away from the machine that anchors."""

NEXT_ANCHOR_FILE: Final = "anchor-next.key"
"""The anchoring key of a successor that is on its way."""

CHECK_DOMAIN: Final = b"sudonglian/key-check/1\x00"
"""No key's own use begins so: a check value says nothing about what the key is used for."""

LOCAL_ORIGIN: Final = "sudonglian.local/log/"
"""The origin of a log that nobody named, with a random tail: two deployments never share one."""

_HEX_KEY = re.compile(r"[0-9a-f]{64}\n?")


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one deployment."""

    log: LogKey
    content: bytes = field(repr=False)
    """Sameness of resends (`derive.content_mac`); without it old resends look new."""
    lookup: bytes = field(repr=False)
    """Finds a person's number from an identity (`vault.lookup_of`)."""
    keks: Keks
    """Wrap the key of every person; without them nobody's data can be read."""
    folder: Path | None = field(default=None, compare=False)
    """Where they were read."""

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self.log.origin

    def check_values(self) -> dict[str, str]:
        """Return by file name what tells one random key from another, and nothing about either.

        The log's key is known by its public half, key-encryption keys by their ids.
        """
        secrets = {CONTENT_FILE: self.content, LOOKUP_FILE: self.lookup}
        return {
            name: hmac.digest(secret, CHECK_DOMAIN + name.encode(), "sha256").hex() for name, secret in secrets.items()
        }

    def place(self, name: str) -> str:
        """Return the path of a file of this folder, as errors name it."""
        return name if self.folder is None else str(self.folder / name)

    @classmethod
    def open(
        cls, folder: Path, *, create: bool = False, origin: str | None = None, keks: Keks | Path | None = None
    ) -> Self:
        """Read the folder; with `create`, make it first if it is not there, complete or not at all.

        Parameters
        ----------
        folder
            Usually `<data>/keys`.
        create
            Make missing keys, but never a single one: an incomplete folder has lost something.
        origin
            The name of a log that is being created; an existing one must have it.
        keks
            Who holds the key-encryption keys, or in which file, if it is not `kek.key` of this folder.

        Raises
        ------
        KeysRefused
            A file is missing or malformed (`place` says which), or the log has another name.
        """
        if create and not _holds_anything(folder):
            if isinstance(keks, Path):
                FileRing.create(keks)
            _create(folder, origin or LOCAL_ORIGIN + token_hex(4), FILES if keks is None else WITHOUT_KEK)
        log = _log_key(folder)
        content, lookup = (_key(folder / name) for name in (CONTENT_FILE, LOOKUP_FILE))
        held = FileRing(keks or folder / KEK_FILE) if keks is None or isinstance(keks, Path) else keks
        keys = cls(log, content, lookup, held, folder)
        if origin is not None and keys.origin != origin:
            raise KeysRefused(f"these are the keys of the log {keys.origin}, not of {origin}", place=str(folder))
        return keys


def hand_over(folder: Path, anchorer: bytes) -> None:
    """Put the next anchoring key in the old one's place, which is kept under its address; done twice it does no harm.

    Raises
    ------
    WalletRefused, KeysRefused
        The next key is not there, is another one than `anchorer`, or cannot be moved.
    """
    current, coming = folder / ANCHOR_FILE, folder / NEXT_ANCHOR_FILE
    old = Wallet.load(current) if current.exists() else None
    if old is not None and old.address == anchorer:
        return
    if (new := Wallet.load(coming)).address != anchorer:
        due, held = checksum_address(anchorer), checksum_address(new.address)
        raise KeysRefused(f"holds the key of {held}, must hold that of {due}", place=str(coming))
    try:
        if old is not None:
            old.save(folder / f"anchor-{old.address.hex()}.key")
        os.replace(coming, current)
        _sync_folder(folder)
    except OSError as error:
        raise KeysRefused(f"cannot be put in place: {error.strerror}", place=str(current)) from error


def _holds_anything(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except FileNotFoundError:
        return False
    except OSError as error:
        raise KeysRefused(f"cannot be read: {error.strerror}", place=str(folder)) from error


def _create(folder: Path, origin: str, names: Collection[str]) -> None:
    try:
        log = LogKey.generate(origin)
    except ProofRefused as error:
        raise KeysRefused(error.reason, place=str(folder)) from error
    # Written beside it and renamed: there is never a folder with some of the keys, and two creators agree on one.
    draft = folder.with_name(f"{folder.name}.new-{token_hex(8)}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        _write(draft / LOG_FILE, json.dumps({"origin": origin, "seed": log.seed.hex()}) + "\n")
        for name in [one for one in names if one != LOG_FILE]:
            _write(draft / name, token_bytes(KEY_BYTES).hex() + "\n")
        _sync_folder(draft)
        try:
            os.rename(draft, folder)  # fails when the folder holds something by now
        except OSError:
            if not _holds_anything(folder):
                raise
        _sync_folder(folder.parent)
    except OSError as error:
        raise KeysRefused(f"cannot be created: {error.strerror}", place=error.filename or str(folder)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise KeysRefused("the key file is missing", place=str(path)) from error
    except UnicodeDecodeError as error:
        raise KeysRefused("the key file is not text", place=str(path)) from error
    except OSError as error:
        raise KeysRefused(f"cannot be read: {error.strerror}", place=str(path)) from error


def _key(path: Path) -> bytes:
    text = _read(path)
    if not _HEX_KEY.fullmatch(text):
        raise KeysRefused(f"a key is {2 * KEY_BYTES} lower-case hexadecimal digits", place=str(path))
    return bytes.fromhex(text.strip())


def _log_key(folder: Path) -> LogKey:
    path = folder / LOG_FILE
    text = _read(path)
    try:
        match json.loads(text):
            case {"origin": str(origin), "seed": str(seed), **rest} if not rest and _HEX_KEY.fullmatch(seed):
                return LogKey.from_seed(origin, bytes.fromhex(seed))
    except (ValueError, RecursionError) as error:
        raise KeysRefused("not the JSON of a log key", place=str(path)) from error
    except ProofRefused as error:
        raise KeysRefused(error.reason, place=str(path)) from error
    raise KeysRefused("a log key is an origin and a seed", place=str(path))
