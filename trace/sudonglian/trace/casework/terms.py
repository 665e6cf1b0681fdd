"""Times that pass: tasks that are overdue and the clock of each open case, told once to whoever is told what happens.

docs/webhooks.md; docs/decisions/0824: what passed since the last look is told in the transaction that moves the mark.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from sudonglian.records import announcing, cases, derive, outbox, passing
from sudonglian.records.announcing import Message
from sudonglian.records.store import Store
from sudonglian.trace.casework.clock import ALL_REACHED, FIRST_LIST, clock


def announce(store: Store, now: datetime) -> None:
    """Tell what has passed since the last look; the first look tells nothing."""
    with store.read() as connection:
        if not passing.is_told(connection):
            return
        since_us = passing.since(connection)
        if since_us is not None and not _is_due(connection, since_us, now):
            return
    with store.write() as connection:
        since_us = passing.move(connection, now)
        for at_us, message in () if since_us is None else _passed(connection, since_us, now):
            outbox.tell(connection, [message], derive.micros(now), since_us=at_us)


def _is_due(connection: Connection, since_us: int, now: datetime) -> bool:
    if derive.micros(now - passing.OFTEN) > since_us:
        return True
    return any(True for _ in _passed(connection, since_us, now))


def _passed(connection: Connection, since_us: int, now: datetime) -> Iterator[tuple[int, Message]]:
    """Yield what there is to tell, with the time that has passed."""
    for case, tasks in passing.overdue(connection, since_us, now).items():
        for at_us, numbers in sorted(tasks.items()):
            yield from ((at_us, message) for message in announcing.overdue(case, numbers))
    for number in passing.cases_at(connection, since_us, now, (FIRST_LIST, ALL_REACHED)):
        for name, term in clock(cases.find(connection, number), now).items():
            if since_us < term.due_us <= derive.micros(now) and term.is_overdue:
                yield term.due_us, announcing.clock_passed(number, name)
