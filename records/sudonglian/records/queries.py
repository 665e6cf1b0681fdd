"""Queries of a firm's own events, as the EPCIS query interface asks them: by time, identifier, step, page by page.

EPCIS 2.0 §8.2.7.1 (SimpleEventQuery), a first set of its parameters. Only one submitter's records are ever looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from sudonglian.chain.canonical import Json
from sudonglian.records import derive, reader
from sudonglian.records.keys import Keys
from sudonglian.records.reader import StoredRecord
from sudonglian.records.store import BATCH
from sudonglian.records.tables import IDENTIFIERS, PENDING, RECORDS

SCANNED: Final = 5_000
"""Events looked at for one page: a filter that fits few of them gives short pages rather than a slow answer."""

CBV: Final = ("urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/BizStep-", "urn:epcglobal:cbv:disp:")
CBV_PREFIXES: Final = (*CBV, "https://ref.gs1.org/cbv/Disp-", "cbv:BizStep-", "cbv:Disp-")
"""One value of the CBV has several spellings (CBV 2.0 §7.1.1, §7.2.1); they are compared without."""


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What is asked; an empty set asks nothing. Identifiers are in their normal form."""

    submitter: str
    since: datetime | None = None
    before: datetime | None = None
    recorded_since: datetime | None = None
    recorded_before: datetime | None = None
    names: frozenset[str] = frozenset()
    members: dict[str, frozenset[str]] = field(default_factory=dict)
    """Members in the clear (`bizStep`, `action`, `type` …) with the values that fit."""


@dataclass(frozen=True, slots=True)
class Page:
    """Events of one page, and where the next one begins."""

    events: tuple[dict[str, Json], ...]
    next: int | None


def search(connection: Connection, keys: Keys, query: EventQuery, limit: int, after: int = 0) -> Page:
    """Return the first `limit` fitting events behind the record row `after`, in the order in which they were taken."""
    found: list[StoredRecord] = []
    scanned, last = 0, after
    for one in _rows(connection, query, after):
        if len(found) == limit or scanned == SCANNED:
            return Page(tuple(_told(connection, keys, it) for it in found), last)
        scanned, last = scanned + 1, one.id
        if _fits(one.event(), query.members):
            found.append(one)
    return Page(tuple(_told(connection, keys, it) for it in found), None)


def by_event_id(connection: Connection, keys: Keys, submitter: str, event_id: str) -> list[dict[str, Json]]:
    """Return a submitter's events with an eventID: the event, and its error declaration if there is one."""
    named: dict[str, Json] = {derive.EVENT_ID: event_id}
    macs = [derive.event_mac(keys.content, submitter, named, declares_error=one) for one in (False, True)]
    query = select(*_COLUMNS).where(RECORDS.c.event_mac.in_(macs), RECORDS.c.submitter == submitter)
    return [_told(connection, keys, StoredRecord(*row)) for row in connection.execute(query.order_by(RECORDS.c.id))]


def waiting(connection: Connection) -> tuple[int, int | None]:
    """Return how many entries wait for a seal, and since when (microseconds) the oldest does."""
    row = connection.execute(select(func.count(), func.min(PENDING.c.queued_us))).one()
    return row[0], row[1]


_COLUMNS: Final = tuple(RECORDS.c[name] for name in StoredRecord.__slots__)


def _rows(connection: Connection, query: EventQuery, after: int) -> Iterator[StoredRecord]:
    rows = select(*_COLUMNS).where(RECORDS.c.submitter == query.submitter)
    for column, least, end in (
        (RECORDS.c.event_time_us, query.since, query.before),
        (RECORDS.c.captured_us, query.recorded_since, query.recorded_before),
    ):
        if least is not None:
            rows = rows.where(column >= derive.micros(least))
        if end is not None:
            rows = rows.where(column < derive.micros(end))
    if query.names:
        rows = rows.where(
            RECORDS.c.id.in_(select(IDENTIFIERS.c.record_id).where(IDENTIFIERS.c.normal.in_(query.names)))
        )
    while True:
        page = connection.execute(rows.where(RECORDS.c.id > after).order_by(RECORDS.c.id).limit(BATCH)).all()
        for row in page:
            yield StoredRecord(*row)
        if len(page) < BATCH:
            return
        after = page[-1].id


def _fits(event: dict[str, Json], members: dict[str, frozenset[str]]) -> bool:
    return all(_bare(event.get(name)) in wanted for name, wanted in members.items())


def _bare(value: Json) -> str:
    """Return a member as it is compared: a place by its id, a CBV value without its prefix."""
    if isinstance(value, dict):
        value = value.get("id")
    return bare(value) if isinstance(value, str) else ""


def bare(value: str) -> str:
    """Return a vocabulary value without the prefix that one of its spellings has.

    >>> bare("https://ref.gs1.org/cbv/BizStep-shipping"), bare("shipping")
    ('shipping', 'shipping')
    """
    return next((value.removeprefix(one) for one in CBV_PREFIXES if value.startswith(one)), value)


def _told(connection: Connection, keys: Keys, one: StoredRecord) -> dict[str, Any]:
    plain = reader.plain(connection, keys, one.record_hash)
    return {**plain, "recordTime": derive.moment(one.captured_us).isoformat(timespec="microseconds")}
