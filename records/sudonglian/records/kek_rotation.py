"""Rotation of the key-encryption key: a new one writes from one commit on, and every person's key is wrapped anew.

docs/decisions/0505; docs/privacy.md. Captures go on meanwhile. Each batch is a transaction, and what is left to do is
what the rows say: killed at any moment, the next call goes on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, insert, select, union, update

from sudonglian.records import derive, private, second_factor, store, vault, webhooks
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.keks import KekRefused, KekUnknown, MakesKeys
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import ACCOUNTS, KEKS, PERSONS, WEBHOOKS

LOCK: Final = "sudonglian-kek"

BATCH: Final = 500
"""Persons wrapped anew in one transaction: some milliseconds, in which SQLite takes no capture."""

DESTROYED: Final = "the key-encryption key was destroyed"
"""Why, in the receipt of whoever came back from an old backup and could not be read any more."""

LOCKED_POLL_S: Final = 0.05
"""Before persons are looked for again whom a capture is just writing about."""


@dataclass(frozen=True, slots=True)
class Kek:
    """One key-encryption key as the database knows it."""

    id: str
    since_us: int
    retired_us: int | None
    destroyed_us: int | None
    persons: int
    """Whose keys it wraps."""
    is_here: bool
    """Whether whoever holds the keys has it."""
    erased_since: int
    """Persons erased since it began to write: older copies of their keys open with it."""

    @property
    def writes(self) -> bool:
        """Whether new persons' keys are wrapped by it."""
        return self.retired_us is None


def listed(connection: Connection, keys: Keys) -> list[Kek]:
    """Return every key that was ever used, the oldest first."""
    query = select(PERSONS.c.kek, func.count()).group_by(PERSONS.c.kek)
    wrapped = {row[0]: row[1] for row in connection.execute(query)}
    erasures = [
        derive.micros(datetime.fromisoformat(str(value["at"])))
        for _, value in private.values(connection)
        if value.get("k") == "erasure"
    ]
    here = set(keys.keks.ids())
    return [
        Kek(
            row.id,
            row.since_us,
            row.retired_us,
            row.destroyed_us,
            wrapped.get(row.id, 0),
            row.id in here,
            sum(at_us >= row.since_us for at_us in erasures),
        )
        for row in connection.execute(select(KEKS).order_by(KEKS.c.since_us, KEKS.c.id))
    ]


def copies_open(found: Sequence[Kek]) -> int:
    """Return how many erased persons' keys, in older copies of the database, a key that is here still opens."""
    return max((one.erased_since for one in found if one.is_here), default=0)


def begin(connection: Connection, keys: Keys, now: datetime) -> str:
    """Let a new key write from this commit on; one whose rotation is not finished goes on. Return its id.

    Raises
    ------
    KekRefused
        Whoever holds the keys makes none itself, and has none that is new.
    """
    store.lock(connection, LOCK)
    current = vault.writing_kek(connection)
    if _left(connection, current):
        return current
    known = set(connection.execute(select(KEKS.c.id)).scalars())
    fresh = [one for one in keys.keks.ids() if one not in known]
    if fresh:
        new = fresh[-1]
    elif isinstance(keys.keks, MakesKeys):
        new = keys.keks.make()
    else:
        raise KekRefused("there is no new key: add one behind those that are there first", place=keys.keks.place)
    # Waits for every transaction that is wrapping with the old one: `vault.writing_kek` holds the row.
    connection.execute(update(KEKS).where(KEKS.c.id == current).values(retired_us=derive.micros(now)))
    connection.execute(insert(KEKS), {"id": new, "since_us": derive.micros(now)})
    return new


def rewrap(opened: Store, keys: Keys, progress: Callable[[int, int], None] = lambda _done, _total: None) -> int:
    """Wrap every person's key, second factor and webhook's secret with the key that writes; return how many had another."""
    done = 0
    while True:
        with opened.write() as connection:
            current = vault.writing_kek(connection)
            many = _batch(connection, keys, current) + second_factor.reseal(connection, keys)
            many += webhooks.reseal(connection, keys)
            left = _left(connection, current)
        done += many
        progress(done, done + left)
        if not left:
            return done
        if not many:
            time.sleep(LOCKED_POLL_S)


def destroy(connection: Connection, keys: Keys, key_id: str, now: datetime) -> None:
    """Leave nothing of a key that wraps nobody any more.

    Raises
    ------
    KekUnknown
        The database never knew it.
    KekRefused
        It writes, or wraps somebody's key; or whoever holds it must destroy it, and has not.
    """
    store.lock(connection, LOCK)
    row = connection.execute(select(KEKS).where(KEKS.c.id == key_id).with_for_update()).one_or_none()
    if row is None:
        raise KekUnknown("there is no such key-encryption key", place=key_id[:64])
    if row.retired_us is None:
        raise KekRefused("it is the one that writes: rotate first", place=key_id)
    if many := connection.execute(select(func.count()).where(PERSONS.c.kek == key_id)).scalar_one():
        raise KekRefused(f"it wraps the keys of {many} persons: finish the rotation first", place=key_id)
    if many := connection.execute(select(func.count()).where(ACCOUNTS.c.totp_kek == key_id)).scalar_one():
        raise KekRefused(f"it wraps the second factors of {many} accounts: finish the rotation first", place=key_id)
    if many := connection.execute(select(func.count()).where(WEBHOOKS.c.secret_kek == key_id)).scalar_one():
        raise KekRefused(f"it wraps the secrets of {many} webhooks: finish the rotation first", place=key_id)
    if isinstance(keys.keks, MakesKeys):
        keys.keks.destroy(key_id)
    elif key_id in keys.keks.ids():
        raise KekRefused("it is still there: remove it where it is kept first", place=keys.keks.place)
    if row.destroyed_us is None:
        connection.execute(update(KEKS).where(KEKS.c.id == key_id).values(destroyed_us=derive.micros(now)))


def used(connection: Connection) -> set[str]:
    """Return the ids of the key that writes, and of those by which a key, second factor or secret is wrapped."""
    writing = select(KEKS.c.id).where(KEKS.c.retired_us.is_(None))
    persons = select(PERSONS.c.kek)
    accounts = select(ACCOUNTS.c.totp_kek).where(ACCOUNTS.c.totp_kek.is_not(None))
    servers = select(WEBHOOKS.c.secret_kek).where(WEBHOOKS.c.secret_kek.is_not(None))
    return set(connection.execute(union(writing, persons, accounts, servers)).scalars())


def forget_unreadable(connection: Connection, keys: Keys, now: datetime) -> int:
    """Erase whoever is under a key that is no more, and let the newest one write; return how many they were.

    For what comes back from a backup that is older than a destroyed key: docs/privacy.md.
    """
    here = keys.keks.ids()
    gone = used(connection) - set(here)
    if not gone:
        return 0
    numbers = connection.execute(select(PERSONS.c.person_no).where(PERSONS.c.kek.in_(gone))).scalars().all()
    for number in numbers:
        vault.erase(connection, keys, number, DESTROYED, now)
    second_factor.shut(connection, gone, now)
    webhooks.shut(connection, gone, now)
    at = derive.micros(now)
    retired = update(KEKS).where(KEKS.c.id.in_(gone), KEKS.c.retired_us.is_(None)).values(retired_us=at)
    if connection.execute(retired).rowcount:
        again = update(KEKS).where(KEKS.c.id == here[-1]).values(retired_us=None)
        if not connection.execute(again).rowcount:
            connection.execute(insert(KEKS), {"id": here[-1], "since_us": at})
    connection.execute(update(KEKS).where(KEKS.c.id.in_(gone)).values(destroyed_us=at))
    return len(numbers)


def _left(connection: Connection, current: str) -> int:
    others = (PERSONS.c.kek != current, ACCOUNTS.c.totp_kek != current, WEBHOOKS.c.secret_kek != current)
    return sum(connection.execute(select(func.count()).where(one)).scalar_one() for one in others)


def _batch(connection: Connection, keys: Keys, current: str) -> int:
    # Whom a capture or an erasure holds is left for the next batch: to wait for one row while holding others is how
    # two transactions come to wait for each other.
    query = select(PERSONS.c.person_no, PERSONS.c.kek, PERSONS.c.wrapped_key).where(PERSONS.c.kek != current)
    rows = connection.execute(query.order_by(PERSONS.c.person_no).limit(BATCH).with_for_update(skip_locked=True)).all()
    changed = [
        {
            "number": row.person_no,
            "wrapped": vault.wrap(keys, current, vault.unwrap(keys, row.kek, row.person_no, row.wrapped_key)),
        }
        for row in rows
    ]
    if changed:
        statement = update(PERSONS).where(PERSONS.c.person_no == bindparam("number"))
        done = connection.execute(statement.values(kek=current, wrapped_key=bindparam("wrapped")), changed)
        if done.rowcount not in (len(changed), -1):
            raise StoreCorrupt("a person's row went away while it was held", place="persons")
    return len(changed)
