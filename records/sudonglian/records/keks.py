"""Key-encryption keys: who holds them, and wraps each person's key with one: a file, the environment, or a KMS.

docs/decisions/0505; docs/privacy.md (rotation). Which of them wraps now is a row of the database (`kek_rotation`), so
that no process goes on with an older one.
"""

import hmac
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_bytes, token_hex
from threading import Lock
from typing import ClassVar, Final, Protocol, runtime_checkable

from sudonglian.records.errors import KeysRefused
from sudonglian.records.sealing import KEY_BYTES, opened, sealed

ID_DOMAIN: Final = b"sudonglian/key-check/1\x00kek.key"
"""A key's id is derived from it, and says nothing else about it: a file that was changed holds other ids."""

ID_DIGITS: Final = 16
"""Of hexadecimal: a deployment has a few keys in its life."""

MAX_KEYS: Final = 64
"""In one file: one a week and never destroyed makes a year."""

FILE_MODE: Final = 0o600

_LINE: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class KekUnknown(KeysRefused):
    """A person's key is wrapped by a key-encryption key that is not here."""

    slug: ClassVar[str] = "kek-unknown"


class KekRefused(KeysRefused):
    """What cannot be done with key-encryption keys."""

    slug = "kek"


class Keks(Protocol):
    """Whoever wraps and unwraps by key id. A KMS implements this: its own key ids, its own two calls."""

    @property
    def place(self) -> str:
        """Return where they are, as errors name it."""
        ...

    def ids(self) -> Sequence[str]:
        """Return the ids of the keys that can unwrap, the newest last."""
        ...

    def wrap(self, key_id: str, key: bytes, bound_to: bytes) -> bytes:
        """Return a person's key wrapped, so that it opens only with `bound_to`."""
        ...

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes, place: str) -> bytes:
        """Return a person's key.

        Raises
        ------
        KekUnknown
            No key has this id.
        StoreCorrupt
            It does not open; `place` says which it is.
        """
        ...


@runtime_checkable
class MakesKeys(Protocol):
    """A holder that makes and destroys keys itself; of any other its own administrator does."""

    def make(self) -> str:
        """Add a key and return its id."""
        ...

    def destroy(self, key_id: str) -> None:
        """Leave nothing of a key; one that is gone already is no error."""
        ...


class Ring:
    """Keys in memory, the newest last: those of a variable of the environment."""

    def __init__(self, keys: Sequence[bytes], place: str) -> None:
        self._keys = {id_of(key): key for key in keys}
        self._place = place

    @property
    def place(self) -> str:
        """Return where they came from."""
        return self._place

    def ids(self) -> Sequence[str]:
        """Return the ids, the newest last."""
        return tuple(self._held())

    def wrap(self, key_id: str, key: bytes, bound_to: bytes) -> bytes:
        """Return a person's key wrapped."""
        return sealed(self._key(key_id), key, bound_to)

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes, place: str) -> bytes:
        """Return a person's key."""
        return opened(self._key(key_id), wrapped, bound_to, place)

    def __repr__(self) -> str:
        """Tell the ids and never a key."""
        return f"{type(self).__name__}({', '.join(self._keys)})"

    def _held(self) -> Mapping[str, bytes]:
        return self._keys

    def _key(self, key_id: str) -> bytes:
        try:
            return self._held()[key_id]
        except KeyError:
            raise KekUnknown(f"there is no key-encryption key {key_id[:64]}", place=self.place) from None


class FileRing(Ring):
    """Keys in a file, one a line, the newest last; a change of the file is seen at the next use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._seen = _stamp(path)
        super().__init__(parse(_text(path), str(path)), str(path))

    @classmethod
    def create(cls, path: Path) -> "FileRing":
        """Make the file with one new key; one that is there stays."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # A hard link fails if the name is taken, and is never there half.
            draft = _draft(path, [token_bytes(KEY_BYTES)])
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
            _sync_folder(path.parent)
        except OSError as error:
            raise KeysRefused(f"cannot be created: {error.strerror}", place=str(path)) from error
        return cls(path)

    def make(self) -> str:
        """Add a key and return its id."""
        key = token_bytes(KEY_BYTES)
        self._write([*self._held().values(), key])
        return id_of(key)

    def destroy(self, key_id: str) -> None:
        """Write the file without a key, and over the old one's bytes.

        Disks and file systems that never write in place keep older bytes for a while: docs/privacy.md.
        """
        held = dict(self._held())
        if held.pop(key_id, None) is None:
            return
        if not held:
            raise KekRefused("the last key-encryption key stays", place=self.place)
        self._write(list(held.values()))

    def _held(self) -> Mapping[str, bytes]:
        with self._lock:
            if (stamp := _stamp(self.path)) != self._seen:
                self._keys = {id_of(key): key for key in parse(_text(self.path), self.place)}
                self._seen = stamp
            return self._keys

    def _write(self, keys: Sequence[bytes]) -> None:
        if len(keys) > MAX_KEYS:
            raise KekRefused(f"more than {MAX_KEYS} key-encryption keys: destroy old ones first", place=self.place)
        try:
            with self.path.open("r+b") as old:
                draft, before = _draft(self.path, keys), os.fstat(old.fileno())
                # The operator may be root, and the service that reads it somebody else.
                os.chmod(draft, stat.S_IMODE(before.st_mode))
                if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                    os.chown(draft, before.st_uid, before.st_gid)
                os.replace(draft, self.path)
                _sync_folder(self.path.parent)
                old.write(bytes(before.st_size))
                old.flush()
                os.fsync(old.fileno())
        except OSError as error:
            raise KekRefused(f"cannot be written: {error.strerror}", place=self.place) from error


def id_of(key: bytes) -> str:
    """Return the id of a key of ours."""
    return hmac.digest(key, ID_DOMAIN, "sha256").hex()[:ID_DIGITS]


def parse(text: str, place: str) -> list[bytes]:
    """Return the keys of a file or variable: separated by line ends, spaces or commas, the newest last.

    Raises
    ------
    KeysRefused
        Something else is there, nothing is, or one key twice.
    """
    written = text.replace(",", " ").split()
    if not written or len(written) > MAX_KEYS or not all(_LINE.fullmatch(one) for one in written):
        raise KeysRefused(f"a key is {2 * KEY_BYTES} lower-case hexadecimal digits", place=place)
    if len(set(written)) != len(written):
        raise KeysRefused("a key stands twice", place=place)
    return [bytes.fromhex(one) for one in written]


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except FileNotFoundError as error:
        raise KeysRefused("the key file is missing", place=str(path)) from error
    except UnicodeDecodeError as error:
        raise KeysRefused("the key file is not text", place=str(path)) from error
    except OSError as error:
        raise KeysRefused(f"cannot be read: {error.strerror}", place=str(path)) from error


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _draft(path: Path, keys: Sequence[bytes]) -> Path:
    draft = path.with_name(f".{path.name}.{token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "w") as file:
        file.write("".join(f"{key.hex()}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
