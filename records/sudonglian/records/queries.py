"""Search of a firm's own events, page by page, and what its events name: the firm's resources.

EPCIS 2.0 §8.2.7.1 (SimpleEventQuery), §12.7 (resources). Only one submitter's records are ever looked at.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from sudonglian.chain.canonical import Json
from sudonglian.records import derive, reader
from sudonglian.records.keys import Keys
from sudonglian.records.master_data import OwnWord
from sudonglian.records.querying.errors import QueryTooComplex, QueryTooLarge
from sudonglian.records.querying.query import EventQuery
from sudonglian.records.querying.values import bare
from sudonglian.records.reader import StoredRecord
from sudonglian.records.store import BATCH
from sudonglian.records.tables import IDENTIFIERS, PENDING, RECORDS

SCANNED: Final = 5_000
"""Events looked at for one page: a filter that fits few of them gives short pages rather than a slow answer."""

SCANNED_BYTES: Final = 16 * 1024 * 1024
"""And bytes of them: one event may name 20,000 things."""

COUNTED: Final = 50_000
"""Events looked at to say whether too many fit; beyond, the question is refused."""

RECORD: Final = "urn:sudonglian:record:"
"""What an event without eventID is addressed by: this and the record's hash."""

Named: TypeAlias = Literal["epcs", "type", "bizStep", "disposition", "readPoint", "bizLocation"]
"""The identifiers of events, or a member of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind this event in the query's order."""

    key: int
    """Of the event's time in that order; 0 for the order in which events were taken."""
    row: int
    given: int = 0
    """How many events earlier pages gave."""


@dataclass(frozen=True, slots=True)
class Page:
    """Events of one page, each record's hash beside it, and where the next page begins."""

    events: tuple[dict[str, Json], ...]
    hashes: tuple[bytes, ...]
    next: Place | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What events name, of one page, and the event and its name at which the next one begins."""

    names: tuple[str, ...]
    next: tuple[int, int] | None


def search(
    connection: Connection, keys: Keys, submitter: str, query: EventQuery, limit: int, after: Place | None = None
) -> Page:
    """Return the next `limit` fitting events of a submitter.

    Raises
    ------
    QueryTooLarge
        More fit than the query's maxEventCount.
    QueryTooComplex
        Whether more fit could not be found out.
    """
    scan = _Scan(connection, keys, submitter, query)
    if query.most is not None and after is None:
        scan.count(query.most)
    start = after or Place(0, 0)
    if query.limit is not None:
        limit = min(limit, query.limit - start.given)
    found: list[StoredRecord] = []
    last, scanned, size = after, 0, 0
    for one, fits in scan.rows(after) if limit > 0 else ():
        if len(found) == limit or scanned == SCANNED or size > SCANNED_BYTES:
            given = start.given + len(found)
            more = query.limit is None or given < query.limit
            return _page(connection, found, Place(last.key, last.row, given) if last and more else None)
        scanned, size, last = scanned + 1, size + len(one.body), scan.place(one)
        if fits:
            found.append(one)
    return _page(connection, found)


def by_event_id(connection: Connection, keys: Keys, submitter: str, event_id: str) -> Page:
    """Return a submitter's events with an eventID: the event, and its error declaration if there is one.

    An event without eventID is found by `RECORD` and its record's hash.
    """
    query = select(*_COLUMNS).where(RECORDS.c.submitter == submitter).order_by(RECORDS.c.id)
    if match := re.fullmatch(f"{RECORD}([0-9a-f]{{64}})", event_id):
        query = query.where(RECORDS.c.record_hash == bytes.fromhex(match[1]))
    else:
        query = query.where(RECORDS.c.event_mac.in_(_event_macs(keys, submitter, [event_id])))
    return _page(connection, [StoredRecord(*row) for row in connection.execute(query)])


def by_record_hash(connection: Connection, record_hash: bytes) -> dict[str, Json]:
    """Return one event as a query tells it."""
    return _page(connection, [reader.record(connection, record_hash)]).events[0]


def is_named(connection: Connection, submitter: str, normal: str) -> bool:
    """Return whether an event of a submitter names an identifier."""
    query = select(IDENTIFIERS.c.record_id).join(RECORDS, RECORDS.c.id == IDENTIFIERS.c.record_id)
    query = query.where(IDENTIFIERS.c.normal == normal, RECORDS.c.submitter == submitter).limit(1)
    return connection.execute(query).first() is not None


def names(connection: Connection, submitter: str, of: Named, limit: int, after: tuple[int, int] = (0, 0)) -> Names:
    """Return what a submitter's events name, or the values that a member has in them, each once on a page.

    `after` is an event's row and how many of its names earlier pages gave. A page ends after `SCANNED` events too, and
    what is named again is on a later page again: nothing is kept of them.
    """
    row, given = after
    query = select(*_COLUMNS).where(RECORDS.c.submitter == submitter, RECORDS.c.id >= row).order_by(RECORDS.c.id)
    found: dict[str, str] = {}
    size = 0
    for number, line in enumerate(connection.execute(query.limit(SCANNED + 1)).yield_per(BATCH)):
        one = StoredRecord(*line)
        if number == SCANNED or size > SCANNED_BYTES:
            return Names(tuple(sorted(found.values())), (one.id, 0))
        size += len(one.body)
        for at, (key, shown) in enumerate(_named(one.event(), of)):
            if key in found or (one.id == row and at < given):
                continue
            if len(found) == limit:
                return Names(tuple(sorted(found.values())), (one.id, at))
            found[key] = shown
    return Names(tuple(sorted(found.values())), None)


# tenants: numbers alone
def waiting(connection: Connection) -> tuple[int, int | None]:
    """Return how many entries wait for a seal, and since when (microseconds) the oldest does."""
    row = connection.execute(select(func.count(), func.min(PENDING.c.queued_us))).one()
    return row[0], row[1]


# tenants: names of columns, no query
_COLUMNS: Final = tuple(RECORDS.c[name] for name in StoredRecord.__slots__)

# tenants: names of columns, no query
_KEYS: Final = {"eventTime": RECORDS.c.event_time_us, "recordTime": RECORDS.c.captured_us}


class _Scan:
    """A walk over the records that the tables cannot rule out, each with whether it fits."""

    def __init__(self, connection: Connection, keys: Keys, submitter: str, query: EventQuery) -> None:
        self.connection = connection
        self.query = query
        self.key = _KEYS.get(query.order_by)
        self.selected = _selected(keys, submitter, query)
        self.said = OwnWord(connection, submitter)
        conditions = [*query.conditions, *(one(self.said) for one in query.resting)]
        # What the tables answer exactly needs no second look.
        self.tests = [one.fits for one in conditions] + [one for one in query.matches if one.patterns]
        self.described = [one.names for one in conditions if one.names is not None]
        needs = [one.needs for one in conditions]
        # A sensor's month may be megabytes, and all of a batch is in memory at once.
        self.batch = BATCH if all(one == frozenset() for one in needs) else BATCH // 10
        self.needs = None if None in needs else frozenset().union(*(one for one in needs if one is not None))

    def rows(self, after: Place | None) -> Iterator[tuple[StoredRecord, bool]]:
        """Yield the records behind a place, in the query's order."""
        while True:
            page = self.connection.execute(self._ordered(after).limit(self.batch)).all()
            records = [StoredRecord(*row) for row in page]
            yield from zip(records, self._fitting(records), strict=True)
            if len(records) < self.batch:
                return
            after = self.place(records[-1])

    def place(self, one: StoredRecord) -> Place:
        """Return the place of a record in the query's order."""
        key = {"eventTime": one.event_time_us, "recordTime": one.captured_us}.get(self.query.order_by, 0)
        return Place(key, one.id)

    # tenants: `selected` is of one submitter
    def count(self, most: int) -> None:
        """Refuse if more than `most` events fit."""
        if not self.tests:
            within = self.selected.with_only_columns(RECORDS.c.id).limit(most + 1).subquery()
            found = self.connection.execute(select(func.count()).select_from(within)).scalar_one()
        else:
            found = 0
            for number, (_, fits) in enumerate(self.rows(None), 1):
                found += fits
                if found > most:
                    break
                if number == COUNTED:
                    raise QueryTooComplex(
                        f"whether more than {most} events fit is not known after {COUNTED}; ask for a span of time",
                        place="maxEventCount",
                    )
        if found > most:
            raise QueryTooLarge(f"more than {most} events fit", place="maxEventCount")

    # tenants: `selected` is of one submitter
    def _ordered(self, after: Place | None) -> Select[Any]:
        descending = self.query.descending and self.key is not None
        query, row = self.selected, RECORDS.c.id
        columns = [row] if self.key is None else [self.key, row]
        if after is not None:
            row_behind = row < after.row if descending else row > after.row
            if self.key is None:
                query = query.where(row_behind)
            else:
                behind = self.key < after.key if descending else self.key > after.key
                query = query.where(or_(behind, and_(self.key == after.key, row_behind)))
        return query.order_by(*(one.desc() if descending else one for one in columns))

    def _fitting(self, records: Sequence[StoredRecord]) -> Iterator[bool]:
        if not self.tests:
            yield from (True for _ in records)
            return
        shown = {}
        if self.needs is None or self.needs:
            shown = reader.withheld(self.connection, [one.id for one in records], self.needs)

        def event(one: StoredRecord) -> dict[str, Json]:
            clear = {name: value for name, value in one.event().items() if name not in ("_sd", derive.PARTICIPANTS)}
            return clear | shown.get(one.id, {})

        if self.described:
            # Read twice rather than kept: a batch of parsed events is many times its bytes.
            self.said.learn(name for one in records for names in self.described for name in names(event(one)))
        for one in records:
            found = event(one)
            yield all(test(found) for test in self.tests)


def _selected(keys: Keys, submitter: str, query: EventQuery) -> Select[Any]:
    asked: list[ColumnElement[bool]] = [RECORDS.c.submitter == submitter]
    for column, least, end in (
        (RECORDS.c.event_time_us, query.since, query.before),
        (RECORDS.c.captured_us, query.recorded_since, query.recorded_before),
    ):
        if least is not None:
            asked.append(column >= derive.micros(least))
        if end is not None:
            asked.append(column < derive.micros(end))
    for match in query.matches:
        if match.patterns:  # looked at one by one: a form of names has no place in the index
            continue
        naming = select(IDENTIFIERS.c.record_id).where(IDENTIFIERS.c.normal.in_(match.normals))
        asked.append(RECORDS.c.id.in_(naming.where(IDENTIFIERS.c.role.in_(match.roles))))
    if query.event_ids is not None:
        asked.append(RECORDS.c.event_mac.in_(_event_macs(keys, submitter, sorted(query.event_ids))))
    if query.transformation_ids is not None:
        asked.append(RECORDS.c.transformation_id.in_(query.transformation_ids))
    if query.declares_error:
        asked.append(RECORDS.c.is_error_declaration)
    return select(*_COLUMNS).where(*asked)


def _event_macs(keys: Keys, submitter: str, event_ids: Sequence[str]) -> list[bytes]:
    named: list[dict[str, Json]] = [{derive.EVENT_ID: one} for one in event_ids]
    return [
        derive.event_mac(keys.content, submitter, one, declares_error=declares)
        for one in named
        for declares in (False, True)
    ]


def _named(event: dict[str, Json], of: Named) -> Iterator[tuple[str, str]]:
    """Yield what an event names, by what it is compared by; provinces' codes are no EPCs."""
    if of == "epcs":
        yield from ((one.normal, one.uri) for one in derive.identifier_rows(event) if one.role != "trace_code")
        return
    value = event.get(of)
    value = value.get("id") if isinstance(value, dict) else value
    if isinstance(value, str) and value:
        yield bare(value), value


def _page(connection: Connection, found: Sequence[StoredRecord], following: Place | None = None) -> Page:
    events = tuple(
        {**plain, "recordTime": derive.moment(one.captured_us).isoformat(timespec="microseconds")}
        for plain, one in zip(reader.plains(connection, found), found, strict=True)
    )
    return Page(events, tuple(one.record_hash for one in found), following)
