"""The outbox: what servers are to be told, written in the transaction of what it tells, kept until it was taken.

docs/webhooks.md; docs/decisions/0823: at least once, each message under one name; given up after `TRIES`, and shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import announcing, derive
from sudonglian.records.announcing import Message
from sudonglian.records.case_state import Case, Happened
from sudonglian.records.tables import WEBHOOK_MESSAGES, WEBHOOKS

FIRST_WAIT: Final = timedelta(seconds=5)
GROWS: Final = 4
LONGEST_WAIT: Final = timedelta(hours=6)
TRIES: Final = 12
"""5 s, 20 s, 80 s … 6 h: a server may be away for a day and a half before what it was to be told is given up."""

KEPT: Final = timedelta(days=7)
"""How long a message is known after it was taken: long enough to answer "did you tell us?"."""

KEPT_DEAD: Final = timedelta(days=30)
"""How long one that was given up can be sent again."""

MAX_ERROR: Final = 200

MAX_LISTED: Final = 1_000

WAITING: Final = "waiting"
DELIVERED: Final = "delivered"
DEAD: Final = "dead"


class MessageUnknown(SudonglianError):
    """There is no such message any more, or it still waits."""

    slug: ClassVar[str] = "webhook-message-unknown"


@dataclass(frozen=True, slots=True)
class Told:
    """One message to one server."""

    id: int
    webhook: int
    name: str
    type: str
    body: bytes
    created_us: int
    state: str
    attempts: int
    next_us: int | None
    ended_us: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How many messages are where."""

    waiting: int
    dead: int
    delivered: int
    oldest_us: int | None
    """When the oldest of those that wait was written."""


def wait_after(attempts: int) -> timedelta:
    """Return how long a message waits after so many attempts that failed.

    >>> [int(wait_after(n).total_seconds()) for n in (1, 2, 3, 7, 8, 11)]
    [5, 20, 80, 20480, 21600, 21600]
    """
    growth: int = GROWS ** min(attempts - 1, 16)
    return min(FIRST_WAIT * growth, LONGEST_WAIT)


def announce(connection: Connection, case: Case, happened: Happened) -> None:
    """Write what an event of a case tells, for each of the authority's servers that wants it."""
    tell(connection, announcing.told(case, happened), happened.at_us)


def tell(connection: Connection, messages: Iterable[Message], at_us: int, *, since_us: int | None = None) -> None:
    """Write messages for each of the authority's servers that wants them; of those alone that were there since a time."""
    told = list(messages)
    if not told:
        return
    query = select(WEBHOOKS.c.id, WEBHOOKS.c.events).where(WEBHOOKS.c.firm.is_(None), WEBHOOKS.c.ended_us.is_(None))
    if since_us is not None:
        query = query.where(WEBHOOKS.c.created_us <= since_us)
    rows = [
        _row(webhook.id, one, at_us)
        for webhook in connection.execute(query.order_by(WEBHOOKS.c.id))
        for one in told
        if one.type in webhook.events.split()
    ]
    if rows:
        connection.execute(insert(WEBHOOK_MESSAGES), rows)


def tell_firm(connection: Connection, firm: str, messages: Iterable[Message], at_us: int) -> int:
    """Write messages for a firm's own servers; return how many of these there are."""
    told = list(messages)
    query = select(WEBHOOKS.c.id).where(WEBHOOKS.c.firm == firm, WEBHOOKS.c.ended_us.is_(None))
    numbers = list(connection.execute(query).scalars())
    rows = [_row(number, one, at_us) for number in numbers for one in told]
    if rows:
        connection.execute(insert(WEBHOOK_MESSAGES), rows)
    return len(numbers)


def ping(connection: Connection, webhook: int, now: datetime) -> Told:
    """Write a message that says nothing, to try a server out."""
    row = _row(webhook, Message(announcing.PING, {}), derive.micros(now))
    return _told(connection.execute(insert(WEBHOOK_MESSAGES).returning(*_COLUMNS), row).one())


def due(connection: Connection, now: datetime) -> list[Told]:
    """Return the oldest message that is due of each server."""
    ripe = (WEBHOOK_MESSAGES.c.state == WAITING) & (WEBHOOK_MESSAGES.c.next_us <= derive.micros(now))
    first = select(func.min(WEBHOOK_MESSAGES.c.id)).where(ripe).group_by(WEBHOOK_MESSAGES.c.webhook)
    query = select(*_COLUMNS).where(WEBHOOK_MESSAGES.c.id.in_(first)).order_by(WEBHOOK_MESSAGES.c.id)
    return [_told(row) for row in connection.execute(query)]


def taken(connection: Connection, one: Told, now: datetime) -> None:
    """Keep that a server has taken a message."""
    at_us = derive.micros(now)
    values = {"state": DELIVERED, "attempts": one.attempts + 1, "next_us": None, "ended_us": at_us, "error": ""}
    connection.execute(_as_it_was(one).values(values))
    good = {"delivered": WEBHOOKS.c.delivered + 1, "delivered_us": at_us, "failed": 0, "error": ""}
    connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == one.webhook).values(good))


def not_taken(connection: Connection, one: Told, why: str, now: datetime, *, for_good: bool = False) -> bool:
    """Keep that an attempt failed, and why; return whether the message is given up, after `TRIES` or for good."""
    attempts, error = one.attempts + 1, why[:MAX_ERROR]
    is_over = for_good or attempts >= TRIES
    values: dict[str, Any] = {"attempts": attempts, "error": error}
    if is_over:
        values |= {"state": DEAD, "next_us": None, "ended_us": derive.micros(now)}
    else:
        values |= {"next_us": derive.micros(now + wait_after(attempts))}
    connection.execute(_as_it_was(one).values(values))
    bad = {"failed": WEBHOOKS.c.failed + 1, "error": error}
    connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == one.webhook).values(bad))
    return is_over


def again(connection: Connection, webhook: int, now: datetime, name: str = "") -> int:
    """Let a message be sent again from the first attempt on, or all that were given up; return how many.

    Raises
    ------
    MessageUnknown
        The server has no such message, or it waits already.
    """
    query = update(WEBHOOK_MESSAGES).where(WEBHOOK_MESSAGES.c.webhook == webhook)
    if name:
        query = query.where(WEBHOOK_MESSAGES.c.name == name, WEBHOOK_MESSAGES.c.state != WAITING)
    else:
        query = query.where(WEBHOOK_MESSAGES.c.state == DEAD)
    values = {"state": WAITING, "attempts": 0, "next_us": derive.micros(now), "ended_us": None, "error": ""}
    many = connection.execute(query.values(values)).rowcount
    if name and not many:
        raise MessageUnknown("there is no such message any more, or it still waits", place="message")
    return many


def listed(connection: Connection, webhook: int, state: str = "") -> list[Told]:
    """Return the messages of a server, the newest first."""
    query = select(*_COLUMNS).where(WEBHOOK_MESSAGES.c.webhook == webhook)
    if state:
        query = query.where(WEBHOOK_MESSAGES.c.state == state)
    return [_told(row) for row in connection.execute(query.order_by(WEBHOOK_MESSAGES.c.id.desc()).limit(MAX_LISTED))]


def standing(connection: Connection, webhook: int | None = None) -> Standing:
    """Return how many messages are where, of one server or of all; delivered ones as long as they are known."""
    oldest = func.min(WEBHOOK_MESSAGES.c.created_us)
    query = select(WEBHOOK_MESSAGES.c.state, func.count(), oldest).group_by(WEBHOOK_MESSAGES.c.state)
    if webhook is not None:
        query = query.where(WEBHOOK_MESSAGES.c.webhook == webhook)
    found = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
    nothing = (0, None)
    waiting, dead, done = (found.get(state, nothing) for state in (WAITING, DEAD, DELIVERED))
    return Standing(waiting[0], dead[0], done[0], waiting[1])


def forget(connection: Connection, now: datetime) -> int:
    """Delete what was taken or given up long ago; return how many."""
    old = [
        (WEBHOOK_MESSAGES.c.state == state) & (WEBHOOK_MESSAGES.c.ended_us < derive.micros(now - kept))
        for state, kept in ((DELIVERED, KEPT), (DEAD, KEPT_DEAD))
    ]
    return sum(connection.execute(delete(WEBHOOK_MESSAGES).where(one)).rowcount for one in old)


def _row(webhook: int, message: Message, at_us: int) -> dict[str, Any]:
    body: dict[str, Json] = {
        "type": message.type,
        "timestamp": derive.moment(at_us).isoformat(timespec="microseconds"),
        "data": message.data,
    }
    return {
        "webhook": webhook,
        "name": f"msg_{token_hex(16)}",
        "type": message.type,
        "body": canonical.encode(body),
        "created_us": at_us,
        "state": WAITING,
        "attempts": 0,
        "next_us": at_us,
        "error": "",
    }


def _as_it_was(one: Told) -> Any:
    """Return the change of a message that nobody has changed meanwhile."""
    return update(WEBHOOK_MESSAGES).where(
        WEBHOOK_MESSAGES.c.id == one.id,
        WEBHOOK_MESSAGES.c.state == WAITING,
        WEBHOOK_MESSAGES.c.attempts == one.attempts,
    )


_COLUMNS: Final = tuple(WEBHOOK_MESSAGES.c[name] for name in Told.__slots__)


def _told(row: Any) -> Told:
    return Told(*row)
