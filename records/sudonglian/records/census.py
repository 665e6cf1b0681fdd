"""How much the memory holds: counts of rows, no contents.

service.md (Pages, metrics); people are counted, never named.
"""

from typing import NamedTuple

from sqlalchemy import Connection, Table, func, select

from sudonglian.records.tables import PARTICIPANTS, PERSONS, RECORDS


class Census(NamedTuple):
    """Records, persons whose data are still held, and handlings by people."""

    records: int
    people: int
    touches: int


def census(connection: Connection) -> Census:
    """Count what is held."""
    return Census(*(_count(connection, table) for table in (RECORDS, PERSONS, PARTICIPANTS)))


def is_empty(connection: Connection) -> bool:
    """Return whether nothing was ever captured here."""
    return connection.execute(select(RECORDS.c.id).limit(1)).first() is None


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
