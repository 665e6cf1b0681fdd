"""What a look at the chain found wrong, remembered until a look finds it mended: a halt, or a foreign anchor.

docs/anchoring.md (`stale-store`, `foreign-anchor`); docs/decisions/0702. A log that is behind its own anchors takes
nothing more: captures and seals read one row of `meta` and no chain. A foreign anchor is told and halts nothing.
"""

from contextlib import suppress
from typing import ClassVar, Final

from sqlalchemy import Connection, delete, insert, select

from sudonglian.chain.errors import SudonglianError
from sudonglian.records import log
from sudonglian.records.store import StoreError, lock, write_beside
from sudonglian.records.tables import META

HALTED: Final = "halted"
"""The key in `meta`; its value is the reason."""

FOREIGN: Final = "foreign"
"""The key in `meta` of a root in the contract that our log never had; its value says which."""

LOCK: Final = "sudonglian-halt"

WHAT_TO_DO: Final = (
    "nothing is taken or sealed meanwhile; restore a newer backup, then run `sudonglian anchor`: it looks again "
    "(docs/anchoring.md, stale-store)"
)


class Halted(SudonglianError):
    """The database was found to be older than its own anchors: what it took in now would fork the log."""

    slug: ClassVar[str] = "stale-store"


def reason(connection: Connection) -> str | None:
    """Return why nothing may be taken in or sealed, None if all is well."""
    found = connection.execute(select(META.c.value).where(META.c.key == HALTED)).scalar_one_or_none()
    return None if found is None else str(found)


def foreign(connection: Connection) -> str | None:
    """Return which root the contract holds that our log never had, None if none is known."""
    found = connection.execute(select(META.c.value).where(META.c.key == FOREIGN)).scalar_one_or_none()
    return None if found is None else str(found)


def require_going(connection: Connection) -> None:
    """Return if the log may grow.

    Raises
    ------
    Halted
        A look at the chain found it behind its own anchors, and none has found it mended since.
    """
    if why := reason(connection):
        raise Halted(f"{why}; {WHAT_TO_DO}", place=f"meta/{HALTED}")


def confirm(connection: Connection, size: int, why: str) -> bool:
    """Return whether our log is shorter than `size` in the database's newest state, and remember it if so.

    `connection` reads a state that may be older: a seal and an anchor of another process may have come between.
    """
    with write_beside(connection) as fresh:
        if log.size(fresh) >= size:
            return False
        _put(fresh, HALTED, why)
    return True


def remember(connection: Connection, size: int, why: str) -> bool:
    """As `confirm`; a database that cannot be written is stale all the same."""
    try:
        return confirm(connection, size, why)
    except StoreError:
        return log.size(connection) < size


def tell_foreign(connection: Connection, why: str) -> None:
    """Remember a foreign anchor, for those who do not look at the chain themselves."""
    if foreign(connection) == why:
        return
    with suppress(StoreError), write_beside(connection) as fresh:
        _put(fresh, FOREIGN, why)


def clear(connection: Connection) -> None:
    """Forget what was found: the chain was looked at, and our log holds all that is anchored."""
    if reason(connection) is None and foreign(connection) is None:
        return
    with suppress(StoreError), write_beside(connection) as fresh:
        forget(fresh)


def forget(connection: Connection) -> None:
    """As `clear`, in the transaction of what mended it."""
    for key in (HALTED, FOREIGN):
        _put(connection, key, None)


def _put(connection: Connection, key: str, why: str | None) -> None:
    lock(connection, LOCK)  # two that find it at once put one row
    connection.execute(delete(META).where(META.c.key == key))
    if why is not None:
        connection.execute(insert(META).values(key=key, value=why))
