"""The memory as it is read: records, what they withhold, their corrections, events for a trace, an item's history.

docs/spec/record.md rule 9, docs/spec/entry.md rule 1. Who may read what is decided by the rooms above; people's data
are given only where `people` is said in so many words.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Select, select

from sudonglian.chain import disclosure, entry
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import ProofRefused, RecordRefused
from sudonglian.chain.record import open_record, parse_record, record_hash
from sudonglian.records import derive, vault
from sudonglian.records import history as histories
from sudonglian.records.errors import StoreCorrupt, UnknownRecord, VaultRefused
from sudonglian.records.history import Direction, Relation
from sudonglian.records.keys import Keys
from sudonglian.records.store import BATCH, in_batches
from sudonglian.records.tables import DISCLOSURES, ENTRIES, IDENTIFIERS, PENDING, RECORDS


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as it is stored."""

    id: int
    record_hash: bytes
    body: bytes
    submitter: str
    is_error_declaration: bool
    event_time_us: int
    captured_us: int
    log_index: int | None
    """None until it is sealed."""

    def event(self) -> dict[str, Json]:
        """Return the event of R: members in the clear and digests.

        Raises
        ------
        StoreCorrupt
            The stored bytes are not those that were hashed.
        """
        if record_hash(self.body) != self.record_hash:
            raise StoreCorrupt("the stored bytes have another hash", place=f"records/{self.id}")
        event: dict[str, Json] = orjson.loads(self.body)["event"]  # canonical when it was hashed, so it still is
        return event


@dataclass(frozen=True, slots=True)
class Correction:
    """A record that stands against another; `log_index` is of the correction entry, None until it is sealed."""

    record_hash: bytes
    log_index: int | None


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One event of an item's history."""

    event_id: str | None
    record_hash: bytes
    event_time: str
    """As written."""
    relation: Relation
    through: str
    """The identifier by which it belongs there, in its normal form."""
    superseded_by: tuple[bytes, ...]


def record(connection: Connection, record_hash: bytes) -> StoredRecord:
    """Return a record by its hash.

    Raises
    ------
    UnknownRecord
        There is none.
    """
    row = connection.execute(_RECORD.where(RECORDS.c.record_hash == record_hash)).one_or_none()
    if row is None:
        raise UnknownRecord("no record has this hash", place=record_hash.hex())
    return StoredRecord(*row)


def records_of(connection: Connection, hashes: Sequence[bytes]) -> list[StoredRecord]:
    """Return those of the records that there are, in the order in which they were taken; at most a batch of them."""
    query = _RECORD.where(RECORDS.c.record_hash.in_(hashes)).order_by(RECORDS.c.id)
    return [StoredRecord(*row) for row in connection.execute(query)]


def disclosures(
    connection: Connection, keys: Keys, record_hash: bytes, names: Iterable[str] | None = None, *, people: bool = False
) -> tuple[str, ...]:
    """Return the disclosures of a record, those of erased people excepted.

    Parameters
    ----------
    connection, keys, record_hash
        Where, with which keys, of which record.
    names
        The members to disclose; None for all.
    people
        Whether the people who took part are disclosed too: for a case alone.

    Raises
    ------
    UnknownRecord
        There is no such record.
    VaultRefused
        `sdl:participants` is named, and `people` is not said.
    """
    wanted = None if names is None else set(names)
    if wanted is not None and derive.PARTICIPANTS in wanted and not people:
        raise VaultRefused("the people who took part are disclosed to a case alone", place=derive.PARTICIPANTS)
    found = record(connection, record_hash)
    query = select(DISCLOSURES).where(DISCLOSURES.c.record_id == found.id).order_by(DISCLOSURES.c.id)
    rows = [row for row in connection.execute(query) if wanted is None or row.name in wanted]
    known = vault.persons(connection, keys, (row.person_no for row in rows if row.person_no)) if people else {}
    texts = []
    for row in rows:
        if row.text is not None:
            texts.append(row.text)
        elif person := known.get(row.person_no):
            texts.append(vault.unseal(person, record_hash, row.digest, row.sealed))
    return tuple(texts)


def plain(
    connection: Connection, keys: Keys, record_hash: bytes, *, names: Iterable[str] | None = None, people: bool = False
) -> dict[str, Json]:
    """Return the plain event put together again, as far as `disclosures` gives it.

    Raises
    ------
    StoreCorrupt
        What is stored does not fit together.
    """
    texts = disclosures(connection, keys, record_hash, names, people=people)
    try:
        return open_record(parse_record(record(connection, record_hash).body), texts)
    except RecordRefused as error:
        raise StoreCorrupt(error.reason, place=f"records/{record_hash.hex()}") from error


def plains(connection: Connection, records: Sequence[StoredRecord]) -> list[dict[str, Json]]:
    """Return the plain events of records put together again, people left out, as `plain` does of one.

    Raises
    ------
    StoreCorrupt
        What is stored does not fit together.
    """
    texts: dict[int, list[str]] = {}
    for batch in in_batches([one.id for one in records]):
        query = select(DISCLOSURES.c.record_id, DISCLOSURES.c.text).where(DISCLOSURES.c.record_id.in_(batch))
        for row in connection.execute(query.where(DISCLOSURES.c.text.is_not(None)).order_by(DISCLOSURES.c.id)):
            texts.setdefault(row.record_id, []).append(row.text)
    found = []
    for one in records:
        try:
            found.append(open_record(parse_record(one.body), texts.get(one.id, ())))
        except RecordRefused as error:
            raise StoreCorrupt(error.reason, place=f"records/{one.record_hash.hex()}") from error
    return found


def withheld(connection: Connection, ids: Sequence[int], names: Iterable[str] | None) -> dict[int, dict[str, Json]]:
    """Return withheld members by record and name, people left out: those named, or with None all."""
    found: dict[int, dict[str, Json]] = {}
    for batch in in_batches(ids):
        query = select(DISCLOSURES.c.record_id, DISCLOSURES.c.name, DISCLOSURES.c.text)
        query = query.where(DISCLOSURES.c.record_id.in_(batch), DISCLOSURES.c.text.is_not(None))
        if names is not None:
            query = query.where(DISCLOSURES.c.name.in_(list(names)))
        for row in connection.execute(query):
            try:
                found.setdefault(row.record_id, {})[row.name] = disclosure.parse(row.text).value
            except RecordRefused as error:
                raise StoreCorrupt(error.reason, place=f"disclosures of record {row.record_id}") from error
    return found


def corrections(connection: Connection, record_hash: bytes, size: int | None = None) -> list[Correction]:
    """Return what stands against a record, in log order; with `size`, only what a log of that size holds."""
    return corrections_of(connection, [record_hash], size).get(record_hash, [])


def corrections_of(connection: Connection, hashes: Sequence[bytes], size: int | None) -> dict[bytes, list[Correction]]:
    """Return what stands against each of these records, as `corrections` does of one."""
    found: dict[bytes, list[Correction]] = {}
    rows: list[tuple[int | None, bytes]] = []
    for batch in in_batches(hashes):
        query = select(ENTRIES.c.idx, ENTRIES.c.data).where(ENTRIES.c.about.in_(batch)).order_by(ENTRIES.c.idx)
        if size is not None:
            query = query.where(ENTRIES.c.idx < size)
        rows += ((row.idx, row.data) for row in connection.execute(query))
    if size is None and hashes:
        waiting = select(PENDING.c.data).where(PENDING.c.record_id.is_(None)).order_by(PENDING.c.id)
        rows += ((None, row.data) for row in connection.execute(waiting))
    asked = set(hashes)
    for index, data in rows:
        said = entry_of(data, index)
        if isinstance(said, entry.CorrectionEntry) and said.of in asked:
            found.setdefault(said.of, []).append(Correction(said.h, index))
    return found


def taken_back(connection: Connection, hashes: Sequence[bytes]) -> set[bytes]:
    """Return those of the records that another one stands against, sealed or not."""
    return set(corrections_of(connection, hashes, None))


def naming(connection: Connection, normal: str) -> list[StoredRecord]:
    """Return the records that name an identifier, sealed or not, in the order in which they were taken."""
    named = select(IDENTIFIERS.c.record_id).where(IDENTIFIERS.c.normal == normal)
    return [
        StoredRecord(*row) for row in connection.execute(_RECORD.where(RECORDS.c.id.in_(named)).order_by(RECORDS.c.id))
    ]


def transforming(connection: Connection, transformation_id: str) -> list[StoredRecord]:
    """Return the parts of one transformation, sealed or not, in the order in which they were taken."""
    query = _RECORD.where(RECORDS.c.transformation_id == transformation_id).order_by(RECORDS.c.id)
    return [StoredRecord(*row) for row in connection.execute(query)]


def events_of(
    connection: Connection, normal: str | None = None, size: int | None = None, start: int = 0
) -> Iterator[StoredRecord]:
    """Yield sealed records in log order, with indexes in [start, size): all, or those that name an identifier."""
    query = _RECORD.where(RECORDS.c.log_index.is_not(None))
    if normal is not None:
        query = query.where(RECORDS.c.id.in_(select(IDENTIFIERS.c.record_id).where(IDENTIFIERS.c.normal == normal)))
    if size is not None:
        query = query.where(RECORDS.c.log_index < size)
    while True:
        page = query.where(RECORDS.c.log_index >= start).order_by(RECORDS.c.log_index).limit(BATCH)
        rows = connection.execute(page).all()
        for row in rows:
            yield StoredRecord(*row)
        if len(rows) < BATCH:
            return
        start = rows[-1].log_index + 1


def history(connection: Connection, normal: str, direction: Direction = "both") -> list[HistoryEvent]:
    """Return the history of an item, sealed or not yet, in order of time (see `history.walk`)."""
    rows: dict[bytes, tuple[StoredRecord, dict[str, Json]]] = {}

    def events(query: Select[Any]) -> list[histories.Event]:
        records = [StoredRecord(*row) for row in connection.execute(query.order_by(RECORDS.c.id))]
        taken_back = corrections_of(connection, [one.record_hash for one in records], None)
        found = []
        for one in records:
            event = one.event()
            rows[one.record_hash] = one, event
            found.append(history_event(one, event, in_error=one.is_error_declaration or one.record_hash in taken_back))
        return found

    def naming(uri: str) -> list[histories.Event]:
        naming_it = select(IDENTIFIERS.c.record_id).where(IDENTIFIERS.c.normal == uri)
        return events(_RECORD.where(RECORDS.c.id.in_(naming_it)))

    def transforming(transformation_id: str) -> list[histories.Event]:
        return events(_RECORD.where(RECORDS.c.transformation_id == transformation_id))

    steps = histories.walk(naming, normal, direction, transforming)
    hashes = [step.event.record_hash for step in steps]
    taken_back = corrections_of(connection, hashes, None)
    ids = withheld(connection, [rows[one][0].id for one in hashes], [derive.EVENT_ID])
    return [
        HistoryEvent(
            event_id=derive.event_id(ids.get(rows[step.event.record_hash][0].id, {})),
            record_hash=step.event.record_hash,
            event_time=str(rows[step.event.record_hash][1].get("eventTime", "")),
            relation=step.relation,
            through=step.through,
            superseded_by=tuple(one.record_hash for one in taken_back.get(step.event.record_hash, ())),
        )
        for step in steps
    ]


def history_event(one: StoredRecord, event: dict[str, Json], *, in_error: bool) -> histories.Event:
    """Return what a walk through a history needs of a record."""
    return histories.Event(
        record_hash=one.record_hash,
        order=(one.event_time_us, one.id),
        action=str(event.get("action", "")),
        named=tuple((row.role, row.normal) for row in derive.identifier_rows(event)),
        transformation_id=derive.transformation_id(event) or "",
        in_error=in_error,
    )


_RECORD: Final = select(
    RECORDS.c.id,
    RECORDS.c.record_hash,
    RECORDS.c.body,
    RECORDS.c.submitter,
    RECORDS.c.is_error_declaration,
    RECORDS.c.event_time_us,
    RECORDS.c.captured_us,
    RECORDS.c.log_index,
)


def entry_of(data: bytes, index: int | None) -> entry.Entry:
    """Return what a stored entry says; `index` is None while it waits."""
    try:
        return entry.parse_entry(data)
    except ProofRefused as error:
        raise StoreCorrupt(error.reason, place="pending" if index is None else f"entries/{index}") from error
