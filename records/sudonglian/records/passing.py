"""Times that pass: which tasks and cases have come to their end since the last look, and the mark of that look.

docs/decisions/0824. The mark moves in the transaction that writes what is told, so that each is told once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, and_, or_, select

from sudonglian.records import cases, derive, marks, store
from sudonglian.records.tables import CASES, TASKS, WEBHOOKS
from sudonglian.records.task_state import OPEN

MARK: Final = "webhooks_looked_us"

OFTEN: Final = timedelta(minutes=10)
"""The mark moves at least so often, so that a look is about few cases."""


def is_told(connection: Connection) -> bool:
    """Return whether anybody of the authority's is told anything."""
    query = select(WEBHOOKS.c.id).where(WEBHOOKS.c.ended_us.is_(None), WEBHOOKS.c.firm.is_(None))
    return connection.execute(query.limit(1)).first() is not None


def since(connection: Connection) -> int | None:
    """Return when it was looked last; None before the first time."""
    return marks.read(connection, MARK)


def move(connection: Connection, now: datetime) -> int | None:
    """Move the mark to now; return where it was, None if it was nowhere. Until the end nobody changes a case."""
    store.lock(connection, cases.LOCK)
    before = since(connection)
    marks.move(connection, MARK, max(derive.micros(now), before or 0))
    return before


def overdue(connection: Connection, since_us: int, now: datetime) -> dict[int, dict[int, list[int]]]:
    """Return the tasks that came to be overdue: by case, and by when they were due."""
    query = select(TASKS.c.id, TASKS.c.case_id, TASKS.c.due_us).join(CASES, CASES.c.id == TASKS.c.case_id)
    # One that was made overdue was told of when it was made.
    ripe = (TASKS.c.due_us > since_us, TASKS.c.due_us <= derive.micros(now), TASKS.c.due_us > TASKS.c.made_us)
    query = query.where(TASKS.c.state.in_(OPEN), CASES.c.state == "open", *ripe)
    found: dict[int, dict[int, list[int]]] = {}
    for row in connection.execute(query.order_by(TASKS.c.case_id, TASKS.c.id)):
        found.setdefault(row.case_id, {}).setdefault(row.due_us, []).append(row.id)
    return found


def cases_at(connection: Connection, since_us: int, now: datetime, after: Iterable[timedelta]) -> list[int]:
    """Return the open cases that since then have come to one of these ages."""
    opened, to_us = CASES.c.opened_us, derive.micros(now)
    ages = [age // derive.MICROSECOND for age in after]
    reached = or_(*(and_(opened > since_us - age, opened <= to_us - age) for age in ages))
    query = select(CASES.c.id).where(CASES.c.state == "open", reached).order_by(CASES.c.id)
    return list(connection.execute(query).scalars())
