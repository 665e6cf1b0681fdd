"""Checkpoints: the log's size and root, signed.

docs/spec/checkpoint.md; C2SP tlog-checkpoint and signed-note, Ed25519 (RFC 8032).
"""

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from secrets import token_bytes
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.merkle import MAX_SIZE

MAX_LINES: Final = 16
"""The log's own line and fifteen witnesses; a reader's work stays bounded (rule 2)."""

MAX_BYTES: Final = 16 * 1024
"""Three lines and `MAX_LINES` signatures of at most a few hundred characters."""

KEPT_NOTES: Final = 64
"""Checkpoints whose signature was found good; a refusal is not kept."""

ED25519: Final = b"\x01"
"""signed-note's algorithm byte."""

ORIGIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_KEY_NAME = re.compile(r"[^\s+]{1,200}")


class CheckpointRefused(ProofRefused):
    """A note, a verifier key or a signature that does not hold."""

    slug = "checkpoint"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature under a note."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint as it is written; nothing in it is verified."""

    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: tuple[SignatureLine, ...]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public form of a log's key."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The key's four bytes in signature lines."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name+key id+base64`, or refuse it."""
        name, *rest = text.split("+", 2)
        if len(rest) != 2 or not ORIGIN.fullmatch(name):
            raise CheckpointRefused("a verifier key is name+key id+base64", place="key")
        material = _bytes(rest[1], "key")
        if len(material) != 33 or material[:1] != ED25519:
            raise CheckpointRefused("the key is not an Ed25519 key", place="key")
        key = cls(name, material[1:])
        if rest[0] != key.key_id.hex():
            raise CheckpointRefused(f"the key ID is {key.key_id.hex()}, not the one written", place="key")
        return key


class LogKey:
    """The key that signs a log's checkpoints."""

    def __init__(self, origin: str, seed: bytes) -> None:
        if not ORIGIN.fullmatch(origin):
            raise CheckpointRefused("an origin is 1-200 characters of A-Z a-z 0-9 . _ / -", place="origin")
        if len(seed) != 32:
            raise CheckpointRefused("an Ed25519 seed is 32 bytes", place="seed")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.seed = seed
        self.origin = origin
        self.verifier_key = VerifierKey(origin, self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"LogKey({self.verifier_key})"

    @classmethod
    def generate(cls, origin: str) -> Self:
        """Return a new random key."""
        return cls(origin, token_bytes(32))

    @classmethod
    def from_seed(cls, origin: str, seed: bytes) -> Self:
        """Return the key of a stored seed."""
        return cls(origin, seed)

    @property
    def vkey(self) -> str:
        """The verifier key's text."""
        return str(self.verifier_key)

    def sign(self, size: int, root: bytes) -> str:
        """Return the checkpoint note of a tree."""
        text = checkpoint_text(self.origin, size, root)
        line = _base64(self.verifier_key.key_id + self._private.sign(text.encode()))
        return f"{text}\n— {self.origin} {line}\n"


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """Return what is signed: three lines."""
    if type(size) is not int or not 0 <= size <= MAX_SIZE or len(root) != 32:
        raise CheckpointRefused("a checkpoint is over a size and a root of 32 bytes")
    return f"{origin}\n{size}\n{_base64(root)}\n"


def parse_note(note: str | bytes) -> Note:
    """Read a checkpoint note, or refuse it; who signed it is not looked at."""
    try:
        raw = note if isinstance(note, bytes) else note.encode()
        if len(raw) > MAX_BYTES:
            raise CheckpointRefused(f"longer than {MAX_BYTES} bytes")
        words = raw.decode()
    except UnicodeError as error:
        raise CheckpointRefused("not UTF-8") from error
    text, gap, tail = words.partition("\n\n")
    lines = text.split("\n")
    if not gap or len(lines) != 3 or not tail.endswith("\n"):
        raise CheckpointRefused("a checkpoint is three lines, an empty one and signatures")
    origin, size, root_text = lines
    if not ORIGIN.fullmatch(origin):
        raise CheckpointRefused("an origin is 1-200 characters of A-Z a-z 0-9 . _ / -", place="origin")
    if not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
        raise CheckpointRefused("the size is not a decimal number", place="size")
    root = _bytes(root_text, "root")
    if len(root) != 32:
        raise CheckpointRefused("a root is 32 bytes", place="root")
    signatures = tuple(_signature_line(line) for line in tail[:-1].split("\n"))
    if len(signatures) > MAX_LINES:
        raise CheckpointRefused(f"more than {MAX_LINES} signatures")
    if len({(one.name, one.key_id) for one in signatures}) != len(signatures):
        raise CheckpointRefused("two signatures of one key")
    return Note(origin, int(size), root, f"{text}\n".encode(), signatures)


def verify_note(note: str | bytes | Note, vkey: str | VerifierKey, *, alone: bool = False) -> tuple[str, int, bytes]:
    """Return (origin, size, root) of a note that the key signed; with `alone`, that only it signed (rule 6).

    Raises
    ------
    CheckpointRefused
        The note or the key is malformed, or the signature does not hold.
    """
    key = VerifierKey.parse(vkey) if isinstance(vkey, str) else vkey
    parsed = note if isinstance(note, Note) else parse_note(note)
    if parsed.origin != key.name:
        raise CheckpointRefused(f"the checkpoint is of {parsed.origin}, the key of {key.name}", place="origin")
    own = [one for one in parsed.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
    if not own or (alone and len(parsed.signatures) != 1):
        raise CheckpointRefused(f"no signature by {key}" if not own else "further signatures beside the log's own")
    try:
        verify_text(key.public, own[0].signature, parsed.text)
    except (InvalidSignature, ValueError) as error:
        raise CheckpointRefused(f"the signature by {key} does not hold") from error
    return parsed.origin, parsed.size, parsed.root


@lru_cache(maxsize=KEPT_NOTES)
def verify_text(public: bytes, signature: bytes, text: bytes) -> None:
    """Return if the key signed the text, and remember it: bundles of one checkpoint repeat it."""
    Ed25519PublicKey.from_public_bytes(public).verify(signature, text)


def _signature_line(line: str) -> SignatureLine:
    mark, _, rest = line.partition(" ")
    name, space, encoded = rest.partition(" ")
    if mark != "—" or not space or not _KEY_NAME.fullmatch(name):
        raise CheckpointRefused("a signature line is — name base64", place="signature")
    material = _bytes(encoded, "signature")
    if len(material) < 5:
        raise CheckpointRefused("a signature line holds a key ID and a signature", place="signature")
    return SignatureLine(name, material[:4], material[4:])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str, place: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CheckpointRefused("not standard base64", place=place) from error
    if _base64(data) != text:
        raise CheckpointRefused("not strict base64", place=place)
    return data
