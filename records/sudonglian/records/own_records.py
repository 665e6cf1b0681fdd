"""A firm's own records, searched: by what they name, when it happened, which step, and whether it was told of late.

service.md (a firm sees its own); docs/decisions/0851. The newest that came in stand first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Select, exists, func, select

from sudonglian.records.reader import StoredRecord
from sudonglian.records.tables import IDENTIFIERS, RECORDS

LATE_US: Final = 3_600_000_000
"""An hour between what happened and its record: a scan that waited for a network, a sheet of the evening before."""

LOOKED_AT: Final = 20_000
"""Records that one question may open to compare their step; what lies behind is asked for by its page."""

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What a firm asks of its own records; what is empty or None asks nothing."""

    thing: str = ""
    """An identifier in its normal form."""
    part: str = ""
    """A part of an identifier, as somebody remembers it."""
    record_hash: bytes | None = None
    since_us: int | None = None
    until_us: int | None = None
    """When it happened, before this moment."""
    step: str = ""
    is_late: bool = False

    @property
    def is_anything(self) -> bool:
        """Whether it leaves anything out."""
        return self != Asked()


@dataclass(frozen=True, slots=True)
class Found:
    """What a question found: its records, and the one behind which there may be more."""

    records: list[StoredRecord]
    after: int | None


def find(connection: Connection, submitter: str, asked: Asked, limit: int, before: int | None = None) -> Found:
    """Return the records of a firm that a question is about, the newest that came in first, behind the record `before`."""
    found: list[StoredRecord] = []
    for seen, one in enumerate(_rows(connection, submitter, asked, before), 1):
        if _fits(one, asked):
            if len(found) == limit:
                return Found(found, found[-1].id)
            found.append(one)
        if seen == LOOKED_AT:
            return Found(found, one.id)
    return Found(found, None)


def count(connection: Connection, submitter: str) -> int:
    """Return how many records a firm has submitted."""
    query = select(func.count()).select_from(RECORDS).where(RECORDS.c.submitter == submitter)
    return int(connection.execute(query).scalar_one())


def lateness_us(one: StoredRecord) -> int:
    """Return how long after it happened a record came in; nothing if it came within the hour."""
    waited = one.captured_us - one.event_time_us
    return waited if waited > LATE_US else 0


def _rows(connection: Connection, submitter: str, asked: Asked, before: int | None) -> Iterator[StoredRecord]:
    while True:
        query = _narrowed(asked).where(RECORDS.c.submitter == submitter).limit(BATCH)
        if before is not None:
            query = query.where(RECORDS.c.id < before)
        rows = connection.execute(query).all()
        yield from (StoredRecord(*row) for row in rows)
        if len(rows) < BATCH:
            return
        before = rows[-1].id


# tenants: a query that its caller narrows to one firm
def _narrowed(asked: Asked) -> Select[Any]:
    query = select(*(RECORDS.c[name] for name in StoredRecord.__slots__)).order_by(RECORDS.c.id.desc())
    if asked.record_hash is not None:
        query = query.where(RECORDS.c.record_hash == asked.record_hash)
    if asked.thing:
        query = query.where(
            RECORDS.c.id.in_(select(IDENTIFIERS.c.record_id).where(IDENTIFIERS.c.normal == asked.thing))
        )
    if asked.part:
        named = IDENTIFIERS.c.normal.icontains(asked.part, autoescape=True)
        query = query.where(exists().where(IDENTIFIERS.c.record_id == RECORDS.c.id, named))
    if asked.since_us is not None:
        query = query.where(RECORDS.c.event_time_us >= asked.since_us)
    if asked.until_us is not None:
        query = query.where(RECORDS.c.event_time_us < asked.until_us)
    if asked.is_late:
        query = query.where(RECORDS.c.captured_us - RECORDS.c.event_time_us > LATE_US)
    return query


def _fits(one: StoredRecord, asked: Asked) -> bool:
    if not asked.step:
        return True
    said = orjson.loads(one.body)["event"].get("bizStep")
    return isinstance(said, str) and asked.step in (said, said.rpartition("-")[2])
