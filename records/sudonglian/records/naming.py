"""What names an identifier: the events of items, lots and transformations, as of a time and a size of the log.

docs/spec/identifiers.md (items by normal form). Each is read once, however often it is asked for.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, collate, select, tuple_

from sudonglian.chain.canonical import Json
from sudonglian.records import reader
from sudonglian.records.history import Event
from sudonglian.records.reader import StoredRecord
from sudonglian.records.store import BATCH, in_batches
from sudonglian.records.tables import IDENTIFIERS, MASTER_DATA, RECORDS

SERIAL = "/21/"
"""Between a lot and one of its items in a GS1 Digital Link."""


@dataclass
class Naming:
    """The events that name things; those after `until_us`, or beyond the log's first `size` entries, are not there."""

    connection: Connection
    size: int | None = None
    until_us: int | None = None
    may_read: Callable[[StoredRecord], bool] | None = None
    """Whether whoever asks may read a record; None for whoever may read all."""
    records: dict[bytes, tuple[StoredRecord, dict[str, Json]]] = field(default_factory=dict)
    _known: dict[str, list[Event]] = field(default_factory=dict)
    _read: dict[bytes, Event] = field(default_factory=dict)

    def of(self, uri: str) -> list[Event]:
        """Return the events that name an identifier in its normal form."""
        if uri not in self._known:
            naming = select(IDENTIFIERS.c.record_id).where(IDENTIFIERS.c.normal == uri)
            self._known[uri] = self._events(self._records().where(RECORDS.c.id.in_(naming)))
        return self._known[uri]

    def transformation(self, transformation_id: str) -> list[Event]:
        """Return the events of one transformation."""
        return self._events(self._records().where(RECORDS.c.transformation_id == transformation_id))

    def serials(self, lot: str) -> list[str]:
        """Return the items of a lot whose names begin with the lot's."""
        column: ColumnElement[str] = IDENTIFIERS.c.normal
        # Elsewhere texts are compared as their bytes are.
        name = collate(column, "C") if self.connection.dialect.name == "postgresql" else column
        query = select(IDENTIFIERS.c.normal).distinct()
        query = query.where(name >= lot + SERIAL, name < lot + SERIAL[:-1] + chr(ord(SERIAL[-1]) + 1))
        return sorted(self.connection.execute(query).scalars())

    def prefetch(self, uris: list[str]) -> None:
        """Read the events of many identifiers at once."""
        for batch in in_batches([uri for uri in uris if uri not in self._known]):
            query = select(IDENTIFIERS.c.record_id, IDENTIFIERS.c.normal).where(IDENTIFIERS.c.normal.in_(batch))
            named: dict[int, list[str]] = {}
            for row in self.connection.execute(query):
                named.setdefault(row.record_id, []).append(row.normal)
            self._known.update((uri, []) for uri in batch)
            for ids in in_batches(sorted(named)):
                for event in self._events(self._records().where(RECORDS.c.id.in_(ids))):
                    stored, _ = self.records[event.record_hash]
                    for uri in dict.fromkeys(named[stored.id]):
                        self._known[uri].append(event)

    def _records(self) -> Select[Any]:
        query = select(*(RECORDS.c[name] for name in StoredRecord.__slots__)).order_by(RECORDS.c.id)
        if self.size is not None:
            query = query.where(RECORDS.c.log_index < self.size)
        if self.until_us is not None:
            query = query.where(RECORDS.c.event_time_us <= self.until_us)
        return query

    def _events(self, query: Select[Any]) -> list[Event]:
        found = [StoredRecord(*row) for row in self.connection.execute(query)]
        if self.may_read is not None:
            found = [one for one in found if self.may_read(one)]
        new = [one for one in found if one.record_hash not in self._read]
        against = reader.corrections_of(self.connection, [one.record_hash for one in new], self.size)
        for one in new:
            event = one.event()
            in_error = one.is_error_declaration or one.record_hash in against
            self.records[one.record_hash] = one, event
            self._read[one.record_hash] = reader.history_event(one, event, in_error=in_error)
        return [self._read[one.record_hash] for one in found]


def between(
    connection: Connection, submitter: str | None, since_us: int | None, before_us: int | None
) -> Iterator[StoredRecord]:
    """Yield the records of a firm (None: of all) in order of time, read in batches."""
    query = select(*(RECORDS.c[name] for name in StoredRecord.__slots__)).order_by(
        RECORDS.c.event_time_us, RECORDS.c.id
    )
    if submitter is not None:
        query = query.where(RECORDS.c.submitter == submitter)
    if since_us is not None:
        query = query.where(RECORDS.c.event_time_us >= since_us)
    if before_us is not None:
        query = query.where(RECORDS.c.event_time_us < before_us)
    after: tuple[int, int] | None = None
    while True:
        page = query
        if after is not None:
            page = page.where(tuple_(RECORDS.c.event_time_us, RECORDS.c.id) > after)
        found = [StoredRecord(*row) for row in connection.execute(page.limit(BATCH))]
        yield from found
        if len(found) < BATCH:
            return
        after = found[-1].event_time_us, found[-1].id


def is_named(connection: Connection, name: str) -> bool:
    """Return whether a record names an identifier in its normal form, or firms' master data describe it."""
    named = select(IDENTIFIERS.c.record_id).where(IDENTIFIERS.c.normal == name).limit(1)
    told = select(MASTER_DATA.c.id).where(MASTER_DATA.c.normal == name).limit(1)
    return connection.execute(named).first() is not None or connection.execute(told).first() is not None


def has_lots(connection: Connection, name: str) -> bool:
    """Return whether a record names a lot or an item of a GTIN."""
    column: ColumnElement[str] = IDENTIFIERS.c.normal
    compared = collate(column, "C") if connection.dialect.name == "postgresql" else column
    found = select(IDENTIFIERS.c.record_id).where(compared >= f"{name}/", compared < f"{name}0").limit(1)
    return connection.execute(found).first() is not None
