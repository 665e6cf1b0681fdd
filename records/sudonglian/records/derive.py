"""What the tables hold beside a record, computed from the event alone: columns, index rows, digests of sameness.

docs/spec/record.md, docs/spec/plain-event.md; docs/decisions/0003 and 0500. Intake writes them, fsck compares them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import RecordRefused
from sudonglian.chain.identifiers import identifiers_of
from sudonglian.records.epcis.times import instant
from sudonglian.records.roles import role_of
from sudonglian.records.visibility import clear_part

EVENT_ID: Final = "eventID"
ERROR_DECLARATION: Final = "errorDeclaration"
PARTICIPANTS: Final = "sdl:participants"
HASH_ID: Final = "ni:///"
"""An eventID that is a hash over the event, people's extensions included (CBV 2.0 §8.9)."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

BLOCK: Final = sha256().block_size


class EventTimeRefused(RecordRefused):
    """An event that does not say when it happened."""

    slug = "event-time"


class IdentifierRow(NamedTuple):
    """A row of `identifiers` without its record."""

    position: int
    role: str
    uri: str
    normal: str
    quantity: str | None
    uom: str | None

    def row(self, record_id: int) -> dict[str, Any]:
        """Return the row of one record."""
        return {
            "record_id": record_id,
            "position": self.position,
            "role": self.role,
            "uri": self.uri,
            "normal": self.normal,
            "quantity": self.quantity,
            "uom": self.uom,
        }


@dataclass(frozen=True, slots=True)
class ParticipantRow:
    """A row of `participants` without its record and its person: what stays when the person is erased."""

    position: int
    role: str
    contact: str | None
    ppe: str | None
    start_us: int | None
    end_us: int | None

    def row(self, record_id: int, person_no: int) -> dict[str, Any]:
        """Return the row of one person in one record."""
        return {
            "record_id": record_id,
            "position": self.position,
            "person_no": person_no,
            "role": self.role,
            "contact": self.contact,
            "ppe": self.ppe,
            "start_us": self.start_us,
            "end_us": self.end_us,
        }


def micros(moment: datetime) -> int:
    """Return an aware time as microseconds since 1970.

    >>> micros(datetime(1970, 1, 1, 0, 0, 0, 5, tzinfo=UTC))
    5
    """
    return (moment - EPOCH) // MICROSECOND


def moment(time_us: int) -> datetime:
    """Return microseconds since 1970 as an aware time.

    >>> moment(1_000_001).isoformat()
    '1970-01-01T00:00:01.000001+00:00'
    """
    return EPOCH + time_us * MICROSECOND


def event_time_us(event: Mapping[str, Json]) -> int:
    """Return the event's time, which is a member in the clear, so that R says it as P does.

    Raises
    ------
    EventTimeRefused
        There is none that can be read.
    """
    at = instant(event.get("eventTime"))
    if at is None:
        raise EventTimeRefused("not a time with an offset that the calendar knows", place="/eventTime")
    return micros(at)


def transformation_id(event: Mapping[str, Json]) -> str | None:
    """Return what links the parts of one transformation: a member in the clear."""
    return _text(event.get("transformationID")) or None


def is_error_declaration(plain: Mapping[str, Json]) -> bool:
    """Return whether the event takes back another one with its eventID."""
    return ERROR_DECLARATION in plain


def event_id(plain: Mapping[str, Json]) -> str | None:
    """Return the event's eventID, if it has one."""
    value = plain.get(EVENT_ID)
    return value if isinstance(value, str) and value else None


def identifier_rows(event: Mapping[str, Json]) -> tuple[IdentifierRow, ...]:
    """Return what the event names, member by member in canonical order.

    Its lists are in the clear, so that P, however it was written, and R's event give the same rows.
    """
    return tuple(
        IdentifierRow(
            position,
            one.role,
            one.uri,
            one.normal,
            None if one.quantity is None else canonical.decimal_text(one.quantity),
            one.uom,
        )
        for position, one in enumerate(identifiers_of(dict(sorted(event.items()))))
    )


def participant_row(position: int, participant: Json) -> ParticipantRow:
    """Return what is kept in the clear of one participant: how, how long, in what protection; not who.

    >>> participant_row(0, {"personRef": {}, "role": "driver", "start": "1970-01-01T00:00:01Z"})
    ParticipantRow(position=0, role='driver', contact=None, ppe=None, start_us=1000000, end_us=None)
    """
    members = participant if isinstance(participant, dict) else {}
    ppe = members.get("ppe")
    start, end = instant(members.get("start")), instant(members.get("end"))
    return ParticipantRow(
        position,
        role_of(_text(members.get("role")) or ""),
        _text(members.get("contact")),
        _text(ppe) if ppe is None or isinstance(ppe, str) else canonical.encode(ppe).decode(),
        None if start is None else micros(start),
        None if end is None else micros(end),
    )


def content_mac(key: bytes, plain_bytes: bytes) -> bytes:
    """Return the digest by which a resend is the same: over canonical(P)."""
    return _mac(key, b"sudonglian/mac/content\x00" + plain_bytes)


def event_mac(key: bytes, submitter: str, event: Mapping[str, Json], *, declares_error: bool) -> bytes:
    """Return the digest by which a resend is looked up: over the eventID, or without one over what is in the clear.

    An error declaration has its original's eventID and is another event, hence `declares_error`.
    """
    named = event_id(event)
    if named is None:
        return clear_mac(key, submitter, event, declares_error=declares_error)
    about: Json = ["id", submitter, named, declares_error]
    return _mac(key, b"sudonglian/mac/event\x00" + canonical.encode(about))


def clear_mac(key: bytes, submitter: str, event: Mapping[str, Json], *, declares_error: bool) -> bytes:
    """Return the digest over the members that stand in R for ever, so that P and R's event give the same.

    It says nothing about a person, and takes the place of a digest that does once that person is erased.
    """
    shown = clear_part(event)
    shown.pop("_sd", None)
    about: Json = ["clear", submitter, shown, declares_error]
    return _mac(key, b"sudonglian/mac/event\x00" + canonical.encode(about))


def _mac(key: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA-256 (RFC 2104), the key having been taken in once for all messages: four of them an event."""
    inner, outer = (one.copy() for one in _keyed(key))
    inner.update(message)
    outer.update(inner.digest())
    digest: bytes = outer.digest()
    return digest


@lru_cache(4)
def _keyed(key: bytes) -> tuple[Any, Any]:
    if len(key) > BLOCK:
        key = sha256(key).digest()
    padded = key.ljust(BLOCK, b"\x00")
    return sha256(bytes(byte ^ 0x36 for byte in padded)), sha256(bytes(byte ^ 0x5C for byte in padded))


def _text(value: Json) -> str | None:
    # PostgreSQL's texts cannot hold U+0000; the record itself keeps it.
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else None
