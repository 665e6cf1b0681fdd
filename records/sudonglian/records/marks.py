"""Marks: up to when something that is done now and then has been done, one time for each in `meta`.

docs/decisions/0506 and 0824. A mark moves in the transaction of what it says.
"""

from sqlalchemy import Connection, insert, select, update

from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.tables import META


def read(connection: Connection, name: str) -> int | None:
    """Return where a mark stands, in microseconds; None before the first time."""
    value = connection.execute(select(META.c.value).where(META.c.key == name)).scalar_one_or_none()
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()):
        raise StoreCorrupt("not a time", place=f"meta/{name}")
    return int(value)


def move(connection: Connection, name: str, at_us: int) -> None:
    """Let a mark stand at a time."""
    value = str(at_us)
    if not connection.execute(update(META).where(META.c.key == name).values(value=value)).rowcount:
        connection.execute(insert(META), {"key": name, "value": value})
