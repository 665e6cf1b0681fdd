"""The log's entries: what one leaf says.

docs/spec/entry.md rule 1, docs/spec/seal.md rule 1.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, TypeAlias

from sudonglian.chain import canonical
from sudonglian.chain.errors import CanonicalRefused, ProofRefused

MAX_BYTES: Final = 1024
"""The longest entry, a seal, has 185 bytes; nothing larger is worth parsing."""

_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class EntryRefused(ProofRefused):
    """Leaf data that is no entry of the log."""

    slug = "entry"


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """The record `h` was taken."""

    h: bytes


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """A party signed the record `h`; `d` is the digest of the signature object."""

    h: bytes
    d: bytes


@dataclass(frozen=True, slots=True)
class CorrectionEntry:
    """The record `h` declares the record `of` to be in error, or stands for it."""

    h: bytes
    of: bytes


@dataclass(frozen=True, slots=True)
class TombstoneEntry:
    """Personal data were erased; `h` is the blinded digest of the receipt."""

    h: bytes


@dataclass(frozen=True, slots=True)
class SealEntry:
    """Everything before it is closed: roots of the lot map and of the private tree."""

    lots: bytes
    private: bytes
    at: datetime


Entry: TypeAlias = RecordEntry | SignatureEntry | CorrectionEntry | TombstoneEntry | SealEntry


def record_entry(h: bytes) -> bytes:
    """Return the leaf data of a record.

    >>> record_entry(bytes(32))[:16], len(record_entry(bytes(32)))
    (b'{"h":"0000000000', 85)
    """
    return b'{"h":"%b","k":"record"}' % _hex(h)


def signature_entry(h: bytes, d: bytes) -> bytes:
    """Return the leaf data of a signature with digest `d` over the record `h`."""
    return b'{"d":"%b","h":"%b","k":"signature"}' % (_hex(d), _hex(h))


def correction_entry(h: bytes, of: bytes) -> bytes:
    """Return the leaf data of a correction: record `h` stands against record `of`."""
    return b'{"h":"%b","k":"correction","of":"%b"}' % (_hex(h), _hex(of))


def tombstone_entry(h: bytes) -> bytes:
    """Return the leaf data of an erasure (`tombstone_digest`)."""
    return b'{"h":"%b","k":"tombstone"}' % _hex(h)


def seal_entry(lots: bytes, private: bytes, at: datetime) -> bytes:
    """Return the leaf data of a seal; `at` is aware and has no fraction of a second."""
    return b'{"at":"%b","k":"seal","lots":"%b","private":"%b"}' % (time_text(at).encode(), _hex(lots), _hex(private))


def tombstone_digest(blinding: bytes, receipt: canonical.Json) -> bytes:
    """Return the digest that a tombstone shows (rule 5)."""
    if len(blinding) != 32:
        raise EntryRefused("the blinding of a receipt is 32 random bytes")
    return sha256(b"sudonglian/tombstone/v1\x00" + blinding + canonical.encode(receipt)).digest()


def parse_entry(data: bytes) -> Entry:
    """Return what leaf data say, or refuse them.

    Raises
    ------
    EntryRefused
        Anything but one of the five entries, written as they are written here.
    """
    try:
        value = canonical.parse_stored(data, max_bytes=MAX_BYTES, max_depth=1)
    except CanonicalRefused as error:
        raise EntryRefused(error.reason, place=error.place) from error
    if not isinstance(value, dict):
        raise EntryRefused("an entry is an object")
    members = tuple(sorted(value))
    match value.get("k"), members:
        case "record", ("h", "k"):
            return RecordEntry(_hash(value["h"]))
        case "signature", ("d", "h", "k"):
            return SignatureEntry(_hash(value["h"]), _hash(value["d"]))
        case "correction", ("h", "k", "of"):
            return CorrectionEntry(_hash(value["h"]), _hash(value["of"]))
        case "tombstone", ("h", "k"):
            return TombstoneEntry(_hash(value["h"]))
        case "seal", ("at", "k", "lots", "private"):
            return SealEntry(_hash(value["lots"]), _hash(value["private"]), parse_time(value["at"]))
    raise EntryRefused("neither record, signature, correction, tombstone nor seal, with exactly its members")


def time_text(at: datetime) -> str:
    """Return a seal's time as it is written.

    >>> time_text(datetime(2026, 1, 5, 0, 31, 7, tzinfo=UTC))
    '2026-01-05T00:31:07Z'
    """
    if at.tzinfo is None or at.microsecond:
        raise EntryRefused("a seal's time is aware and in whole seconds")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_time(value: object) -> datetime:
    """Return the time of a seal from its text."""
    try:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.strptime(value, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise EntryRefused("a seal's time is not in the calendar", place="at") from error
    raise EntryRefused("a seal's time is written YYYY-MM-DDThh:mm:ssZ", place="at")


def _hex(digest: bytes) -> bytes:
    if type(digest) is not bytes or len(digest) != 32:
        raise EntryRefused("a hash is 32 bytes")
    return digest.hex().encode()


def _hash(value: object) -> bytes:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise EntryRefused("a hash is 64 lower-case hexadecimal digits")
    return bytes.fromhex(value)
