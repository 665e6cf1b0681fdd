"""Events as a trace reads them: members in the clear, the withheld ones that it asks for, people by number.

docs/spec/facts.md §2; docs/decisions/0352 why they are also read without what changes as the log grows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, select

from sudonglian.chain import entry
from sudonglian.chain.canonical import Json
from sudonglian.records import derive
from sudonglian.records.reader import (
    Correction,
    StoredRecord,
    corrections_of,
    entry_of,
    events_of,
    records_of,
    withheld,
)
from sudonglian.records.store import BATCH, in_batches
from sudonglian.records.tables import ENTRIES, PARTICIPANTS, RECORDS

UNSEALED: Final = -1
"""Where a record is that the log does not hold yet."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A participant by number: nameless, and there also when the person is erased."""

    person_no: int
    role: str
    contact: str | None
    ppe: str | None
    start_us: int | None
    end_us: int | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One sealed event as a trace reads it."""

    record_hash: bytes
    log_index: int
    event: dict[str, Json]
    """Members in the clear, and the withheld ones that were asked for."""
    event_id: str | None
    event_time_us: int
    is_error_declaration: bool
    participants: tuple[Handler, ...]
    superseded_by: tuple[bytes, ...]


def event_views(
    connection: Connection, size: int | None = None, names: Iterable[str] = (), *, normal: str | None = None
) -> Iterator[EventRow]:
    """Yield the events of a log of `size` (default: all of it) in log order, as a trace reads them.

    `names` are withheld members to put into the events, such as `sdl:labTest`; people come by number, never by name.
    """
    shown = [derive.EVENT_ID, *(name for name in names if name != derive.PARTICIPANTS)]
    for page in _pages(events_of(connection, normal, size)):
        yield from _views(page, *_beside(connection, page, shown), corrections_of(connection, _hashes(page), size))


def rows_of(connection: Connection, hashes: Sequence[bytes], names: Iterable[str] = ()) -> Iterator[EventRow]:
    """Yield some records as a trace reads them, whether they are sealed by now or not."""
    shown = [derive.EVENT_ID, *(name for name in names if name != derive.PARTICIPANTS)]
    for batch in in_batches(list(dict.fromkeys(hashes))):
        page = [
            one if one.log_index is not None else replace(one, log_index=UNSEALED)
            for one in records_of(connection, batch)
        ]
        yield from _views(page, *_beside(connection, page, shown), {})


def sealed_events(connection: Connection, start: int, size: int, names: Iterable[str]) -> Iterator[EventRow]:
    """Yield the events of [start, size) of the log, in its order, without their eventIDs and corrections.

    So an event is the same at every size of the log: `corrections_between` and `event_ids` tell the rest.
    """
    shown = [name for name in names if name not in (derive.PARTICIPANTS, derive.EVENT_ID)]
    for page in _pages(events_of(connection, None, size, start)):
        yield from _views(page, *_beside(connection, page, shown), {})


def corrections_between(connection: Connection, start: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield (log index, hash of the record that it stands against) of the corrections in [start, size)."""
    recorded = select(RECORDS.c.id).where(RECORDS.c.log_index == ENTRIES.c.idx).exists()
    query = select(ENTRIES.c.idx, ENTRIES.c.data).where(ENTRIES.c.idx >= start, ENTRIES.c.idx < size, ~recorded)
    for row in connection.execute(query.order_by(ENTRIES.c.idx)):
        said = entry_of(row.data, row.idx)
        if isinstance(said, entry.CorrectionEntry):
            yield row.idx, said.of


def event_ids(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, str]:
    """Return the eventIDs of records that have one and are not forgotten."""
    found: dict[bytes, str] = {}
    for batch in in_batches(hashes):
        query = select(RECORDS.c.id, RECORDS.c.record_hash).where(RECORDS.c.record_hash.in_(batch))
        ids = {row.id: row.record_hash for row in connection.execute(query)}
        for record_id, members in withheld(connection, list(ids), [derive.EVENT_ID]).items():
            if name := derive.event_id(members):
                found[ids[record_id]] = name
    return found


def _pages(records: Iterable[StoredRecord]) -> Iterator[list[StoredRecord]]:
    page: list[StoredRecord] = []
    for one in records:
        page.append(one)
        if len(page) == BATCH:
            yield page
            page = []
    yield page


def _hashes(page: Sequence[StoredRecord]) -> list[bytes]:
    return [one.record_hash for one in page]


def _beside(
    connection: Connection, page: Sequence[StoredRecord], names: Sequence[str]
) -> tuple[dict[int, dict[str, Json]], dict[int, list[Handler]]]:
    """Return the withheld members and the participants of records."""
    ids = [one.id for one in page]
    return withheld(connection, ids, names), _handlers(connection, ids)


def _views(
    page: Sequence[StoredRecord],
    shown: Mapping[int, dict[str, Json]],
    handlers: Mapping[int, list[Handler]],
    taken_back: Mapping[bytes, Sequence[Correction]],
) -> Iterator[EventRow]:
    for one in page:
        assert one.log_index is not None
        event = {name: value for name, value in one.event().items() if name not in ("_sd", derive.PARTICIPANTS)}
        yield EventRow(
            record_hash=one.record_hash,
            log_index=one.log_index,
            event=event | shown.get(one.id, {}),
            event_id=derive.event_id(shown.get(one.id, {})),
            event_time_us=one.event_time_us,
            is_error_declaration=one.is_error_declaration,
            participants=tuple(handlers.get(one.id, ())),
            superseded_by=tuple(
                it.record_hash for it in taken_back.get(one.record_hash, ()) if it.log_index is not None
            ),
        )


def _handlers(connection: Connection, ids: Sequence[int]) -> dict[int, list[Handler]]:
    found: dict[int, list[Handler]] = {}
    for batch in in_batches(ids):
        query = select(PARTICIPANTS).where(PARTICIPANTS.c.record_id.in_(batch))
        for row in connection.execute(query.order_by(PARTICIPANTS.c.record_id, PARTICIPANTS.c.position)):
            one = Handler(row.person_no, row.role, row.contact, row.ppe, row.start_us, row.end_us)
            found.setdefault(row.record_id, []).append(one)
    return found
