"""Records: the public part of a handoff, sealed from the plain event and put together again.

docs/spec/record.md.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from os import urandom
from typing import Final

from sudonglian.chain import canonical, disclosure
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused, RecordRefused

VERSION: Final = "sudonglian/record/1"
VISIBILITY: Final = "1"
MEMBERS: Final = frozenset({"v", "visibility", "submitter", "_sd_alg", "event"})
PARTICIPANTS: Final = "sdl:participants"

CLEAR: Final = "clear"
"""The one class of the visibility table whose members stand in the record itself."""

CROWD: Final = 4
"""Participants are rounded up to a multiple of this, so that a record shows a bound and not a number (rule 7)."""

MAX_DEPTH: Final = 56
"""A plain event nests at most this deep: in a bundle, four levels more surround it (rule 2, canonical.md rule 2)."""

MAX_SUBMITTER: Final = 2_000
"""Longer URIs are cut by browsers and proxies (rule 1)."""

_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+")
_VERSION_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


class RecordFormRefused(RecordRefused):
    """Something that is not a record, or disclosures that do not belong to it."""

    slug = "record"


@dataclass(frozen=True, slots=True)
class SealedDisclosure:
    """One disclosure of a sealed record, with what a store needs to file it.

    `position` is the element's index in the plain event's `sdl:participants`; None for a whole member.
    """

    text: str
    digest: str
    name: str
    visibility: str
    position: int | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record and everything that it withholds."""

    record: dict[str, Json]
    record_bytes: bytes
    record_hash: bytes
    disclosures: tuple[SealedDisclosure, ...]


def content_hash(plain_bytes: bytes) -> bytes:
    """Return the digest of a plain event's canonical bytes: unsalted, so never published."""
    return sha256(b"sudonglian/content/v1\x00" + plain_bytes).digest()


def record_hash(record_bytes: bytes) -> bytes:
    """Return the hash of a record's canonical bytes (rule 3)."""
    return sha256(b"sudonglian/record/v1\x00" + record_bytes).digest()


def seal_record(
    plain: Mapping[str, Json],
    submitter: str,
    visibility_of: Callable[[str], str],
    *,
    visibility: str = VISIBILITY,
    random: Callable[[int], bytes] = urandom,
) -> Sealed:
    """Withhold what the visibility table says, with fresh salts (rules 5-8).

    Parameters
    ----------
    plain
        The plain event, a value of the canonical model.
    submitter
        Who submits it, a URI.
    visibility_of
        Class of a top-level member: `clear` stays, any other is withheld.
    visibility
        Version of that table.
    random
        Source of salts and decoys; anything but a cryptographic one is for test vectors alone.

    Raises
    ------
    RecordRefused
        The event or its disclosures cannot be sealed and read back.
    """
    canonical.check(plain)
    _check_plain(plain, "")
    disclosures: list[SealedDisclosure] = []
    event: dict[str, Json] = {}
    digests: list[str] = []
    for name in sorted(plain):
        value, shown = plain[name], visibility_of(name)
        if name == PARTICIPANTS and isinstance(value, list) and value:
            elements = [disclosure.make(random(disclosure.SALT_BYTES), one) for one in value]
            disclosures += (
                SealedDisclosure(one.text, one.digest, name, shown, place) for place, one in enumerate(elements)
            )
            event[name] = _among_decoys([one.digest for one in elements], random)
        elif shown == CLEAR and name != PARTICIPANTS:
            event[name] = value
        else:
            made = disclosure.make(random(disclosure.SALT_BYTES), value, name)
            disclosures.append(SealedDisclosure(made.text, made.digest, name, shown, None))
            digests.append(made.digest)
    if digests:
        event["_sd"] = list[Json](sorted(digests))
    record: dict[str, Json] = {
        "v": VERSION,
        "visibility": visibility,
        "submitter": submitter,
        "_sd_alg": "sha-256",
        "event": event,
    }
    record_bytes = canonical.encode(record)
    if len(record_bytes) > canonical.MAX_BYTES:
        raise CanonicalRefused(f"the record has {len(record_bytes)} bytes", place="too-large")
    _check_frame(record)  # the event's own members have passed, and digests alone were put beside them
    return Sealed(record, record_bytes, record_hash(record_bytes), tuple(disclosures))


def parse_record(record_bytes: bytes) -> dict[str, Json]:
    """Read a record's canonical bytes, or refuse them."""
    return check_record(canonical.parse_stored(record_bytes))


def check_record(record: Json) -> dict[str, Json]:
    """Return a record that has its form (rules 1, 2, 6, 7), or refuse it.

    `record` is a value of `canonical.parse_stored`, so its numbers and strings are already checked.
    """
    event = _check_frame(record)
    _check_plain({name: value for name, value in event.items() if name not in ("_sd", PARTICIPANTS)}, "/event")
    assert isinstance(record, dict)
    return record


def _check_frame(record: Json) -> dict[str, Json]:
    """Return the event of a record that has its form, but for what the event's own members hold."""
    if not isinstance(record, dict) or record.keys() != MEMBERS:
        raise RecordFormRefused(f"a record has exactly the members {', '.join(sorted(MEMBERS))}")
    if record["v"] != VERSION or record["_sd_alg"] != "sha-256":
        raise RecordFormRefused(f"not of the version {VERSION} with sha-256", place="/v")
    visibility, submitter, event = record["visibility"], record["submitter"], record["event"]
    if not isinstance(visibility, str) or not _VERSION_NUMBER.fullmatch(visibility):
        raise RecordFormRefused("not the number of a visibility table", place="/visibility")
    if not isinstance(submitter, str) or len(submitter) > MAX_SUBMITTER or not _URI.fullmatch(submitter):
        raise RecordFormRefused(f"a submitter is a URI of at most {MAX_SUBMITTER} characters", place="/submitter")
    if not isinstance(event, dict) or "$dec" in event:  # the model writes a number as an object too
        raise RecordFormRefused("the event is an object", place="/event")
    digests = _digests(event)
    if len(set(digests)) != len(digests):
        raise RecordFormRefused("a digest stands twice", place="/event")
    return event


def open_record(record: Json, disclosure_texts: Iterable[str]) -> dict[str, Json]:
    """Put the plain event together from a record and those disclosures that the reader was given (rules 9, 10).

    Raises
    ------
    RecordRefused
        The record or a disclosure is malformed, a disclosure belongs to nothing, or stands twice.
    """
    checked = check_record(record)
    event = checked["event"]
    assert isinstance(event, dict)
    members = set(_member_digests(event))
    elements = dict.fromkeys(_element_digests(event))
    plain = {name: value for name, value in event.items() if name not in ("_sd", PARTICIPANTS)}
    found: dict[str, Json] = {}
    for text in disclosure_texts:
        one = disclosure.parse(text)
        # As deep as it will stand in the plain event.
        _check_plain([[one.value]] if one.name is None else [one.value], one.name or PARTICIPANTS)
        if one.name is None:
            if one.digest not in elements or one.digest in found:
                raise RecordFormRefused("a disclosed element belongs to nothing", place=PARTICIPANTS)
            found[one.digest] = one.value
        else:
            if one.digest not in members:
                raise RecordFormRefused("a disclosed member belongs to nothing", place=one.name)
            if one.name in plain or one.name in event or _is_reserved(one.name):
                raise RecordFormRefused("a disclosed member must not be in the record", place=one.name)
            plain[one.name] = one.value
            members.remove(one.digest)
    if found:
        plain[PARTICIPANTS] = [found[digest] for digest in elements if digest in found]
    return plain


def _digests(event: dict[str, Json]) -> list[str]:
    return _member_digests(event) + _element_digests(event)


def _member_digests(event: dict[str, Json]) -> list[str]:
    if "_sd" not in event:
        return []
    digests = event["_sd"]
    if not isinstance(digests, list) or not digests or any(not _is_digest(one) for one in digests):
        raise RecordFormRefused("_sd is an array of digests", place="/event/_sd")
    texts = [one for one in digests if isinstance(one, str)]
    if texts != sorted(texts):
        raise RecordFormRefused("the digests are not in ascending order", place="/event/_sd")
    return texts


def _element_digests(event: dict[str, Json]) -> list[str]:
    if PARTICIPANTS not in event:
        return []
    elements = event[PARTICIPANTS]
    if not isinstance(elements, list) or not elements or len(elements) % CROWD:
        raise RecordFormRefused(f"an array of {CROWD}, 2 × {CROWD} … digests", place=f"/event/{PARTICIPANTS}")
    texts: list[str] = []
    for one in elements:
        text = one.get("...") if isinstance(one, dict) and len(one) == 1 else None
        if not isinstance(text, str) or not _is_digest(text):
            raise RecordFormRefused('an element is {"...": digest}', place=f"/event/{PARTICIPANTS}")
        texts.append(text)
    return texts


def _is_digest(value: Json) -> bool:
    # 43 characters hold 258 bits: the last two must be zero, or two texts would be one digest.
    return isinstance(value, str) and bool(_DIGEST.fullmatch(value)) and value[-1] in "AEIMQUYcgkosw048"


def _among_decoys(digests: list[str], random: Callable[[int], bytes]) -> list[Json]:
    while len(digests) % CROWD:
        place = int.from_bytes(random(8), "big") % (len(digests) + 1)
        digests.insert(place, disclosure.base64url(random(32)))
    return [{"...": digest} for digest in digests]


def _is_reserved(name: str) -> bool:
    return name[:1] == "$" or name in canonical.RESERVED


def _check_plain(value: object, place: str) -> None:
    """Refuse what a plain event cannot hold: reserved keys other than a decimal's, and nesting beyond `MAX_DEPTH`."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                for name in one:
                    # `$`, `.` and `_` stand before the small letters, with which nearly all names begin.
                    if name < "a" and _is_reserved(name) and (name != "$dec" or len(one) != 1):
                        raise RecordFormRefused(f"the key {name!r:.100} is reserved", place=place)
                for inner in one.values():
                    if type(inner) is not str and isinstance(inner, (dict, list)):
                        below.append(inner)
            elif isinstance(one, list):
                for inner in one:
                    if type(inner) is not str and isinstance(inner, (dict, list)):
                        below.append(inner)
        if not below:
            return
        level = below
    raise CanonicalRefused(f"nested deeper than {MAX_DEPTH}", place="too-deep")
