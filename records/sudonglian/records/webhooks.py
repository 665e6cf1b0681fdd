"""Webhooks: the servers that are told what happens, each with a secret of its own by which it knows who tells.

docs/webhooks.md; docs/decisions/0823. The secret is shown once, and kept under the key-encryption key to sign with.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, delete, insert, select, update

from sudonglian.chain.errors import SudonglianError
from sudonglian.records import derive, store, vault
from sudonglian.records.announcing import OF_FIRMS, TYPES
from sudonglian.records.cases import Act
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.keys import Keys
from sudonglian.records.tables import WEBHOOK_MESSAGES, WEBHOOKS

LABEL: Final = b"sudonglian/webhook/v1\x00"

LOCK: Final = "sudonglian-webhooks"

SECRET_BYTES: Final = 32
"""Standard Webhooks asks for 24 to 64."""

MAX_WEBHOOKS: Final = 100
"""Living ones: each event is written once for each."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class WebhookRefused(SudonglianError):
    """A webhook that cannot be made, or something that cannot be done with one; `place` names what is wrong."""

    slug: ClassVar[str] = "webhook"


class WebhookUnknown(WebhookRefused):
    """There is no such webhook."""

    slug = "webhook-unknown"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One server that is told, without its secret."""

    id: int
    name: str
    url: str
    events: frozenset[str]
    firm: str | None
    created_us: int
    created_by: str
    ended_us: int | None
    delivered: int
    delivered_us: int | None
    failed: int
    """Attempts in a row that were not taken."""
    error: str
    sealed: bytes | None = field(repr=False)
    sealed_by: str | None = field(repr=False)


def make(
    connection: Connection,
    keys: Keys,
    act: Act,
    name: str,
    url: str,
    *,
    events: Iterable[str] = (),
    firm: str | None = None,
) -> tuple[Webhook, bytes]:
    """Add a server that is told; return it with its secret, which nobody is shown again.

    Raises
    ------
    WebhookRefused
        The name is taken or cannot be one, there is no such type for it, or there are too many.
    """
    store.lock(connection, LOCK)
    if not _NAME.fullmatch(name):
        raise WebhookRefused("a name has 1 to 63 lower-case letters, digits or dashes", place="name")
    if connection.execute(select(WEBHOOKS.c.id).where(WEBHOOKS.c.name == name)).first() is not None:
        raise WebhookRefused("a webhook has, or had, this name already", place="name")
    if len(living(connection)) >= MAX_WEBHOOKS:
        raise WebhookRefused(f"there are {MAX_WEBHOOKS} already", place="name")
    known = TYPES if firm is None else OF_FIRMS
    wanted = frozenset(events) or frozenset(known)
    if unknown := sorted(wanted - known.keys()):
        raise WebhookRefused(f"{unknown[0][:40]!r} is none of {', '.join(known)}", place="events")
    row = {
        "name": name,
        "url": url,
        "events": " ".join(sorted(wanted)),
        "firm": firm,
        "created_us": derive.micros(act.now),
        "created_by": act.by,
        "delivered": 0,
        "failed": 0,
        "error": "",
    }
    number = connection.execute(insert(WEBHOOKS).returning(WEBHOOKS.c.id), row).scalar_one()
    secret = token_bytes(SECRET_BYTES)
    connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == number).values(_seal(connection, keys, number, secret)))
    return by_id(connection, number), secret


def end(connection: Connection, name: str, now: datetime) -> Webhook:
    """Tell a server nothing more: its secret goes, and what it was still to be told."""
    found = by_name(connection, name)
    if found.ended_us is not None:
        return found
    _end(connection, [found.id], now)
    return by_id(connection, found.id)


def check_living(webhook: Webhook) -> None:
    """Refuse a webhook that has ended."""
    if webhook.ended_us is not None:
        raise WebhookRefused("it has ended", place="name")


def living(connection: Connection) -> list[Webhook]:
    """Return the servers that are told, the oldest first."""
    return [_webhook(row) for row in connection.execute(_ROWS.where(WEBHOOKS.c.ended_us.is_(None)))]


def listed(connection: Connection) -> list[Webhook]:
    """Return every webhook that there ever was, the oldest first."""
    return [_webhook(row) for row in connection.execute(_ROWS)]


def by_name(connection: Connection, name: str) -> Webhook:
    """Return a webhook by its name.

    Raises
    ------
    WebhookUnknown
        There is none.
    """
    return _found(connection.execute(_ROWS.where(WEBHOOKS.c.name == name)).one_or_none(), name)


def by_id(connection: Connection, number: int) -> Webhook:
    """Return a webhook by its number."""
    return _found(connection.execute(_ROWS.where(WEBHOOKS.c.id == number)).one_or_none(), str(number))


def secret_of(keys: Keys, webhook: Webhook) -> bytes:
    """Return a living webhook's secret, to sign with.

    Raises
    ------
    WebhookRefused
        It has ended.
    KekUnknown
        The key that wraps it is not here.
    """
    check_living(webhook)
    if webhook.sealed is None or webhook.sealed_by is None:
        raise StoreCorrupt("a living webhook has no secret", place=f"webhooks/{webhook.id}")
    return keys.keks.unwrap(webhook.sealed_by, webhook.sealed, _bound_to(webhook.id), f"webhooks/{webhook.id}")


def reseal(connection: Connection, keys: Keys) -> int:
    """Put every secret under the key-encryption key that writes; return how many had another one."""
    current = vault.writing_kek(connection)
    query = _ROWS.where(WEBHOOKS.c.secret_kek != current)
    found = [_webhook(row) for row in connection.execute(query.with_for_update(skip_locked=True))]
    for one in found:
        values = _seal(connection, keys, one.id, secret_of(keys, one))
        connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == one.id).values(values))
    return len(found)


def shut(connection: Connection, gone: Iterable[str], now: datetime) -> int:
    """End the webhooks whose secret is under a key-encryption key that is no more; return how many."""
    query = select(WEBHOOKS.c.id).where(WEBHOOKS.c.secret_kek.in_(list(gone)))
    numbers = list(connection.execute(query).scalars())
    _end(connection, numbers, now)
    return len(numbers)


def _end(connection: Connection, numbers: list[int], now: datetime) -> None:
    values = {"ended_us": derive.micros(now), "secret": None, "secret_kek": None}
    connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id.in_(numbers)).values(values))
    waiting = delete(WEBHOOK_MESSAGES).where(WEBHOOK_MESSAGES.c.webhook.in_(numbers))
    connection.execute(waiting.where(WEBHOOK_MESSAGES.c.state != "delivered"))


def _seal(connection: Connection, keys: Keys, number: int, secret: bytes) -> dict[str, Any]:
    kek = vault.writing_kek(connection)
    return {"secret": keys.keks.wrap(kek, secret, _bound_to(number)), "secret_kek": kek}


def _bound_to(number: int) -> bytes:
    return LABEL + number.to_bytes(8, "big")


def _found(row: Any, name: str) -> Webhook:
    if row is None:
        raise WebhookUnknown(f"there is no webhook {name[:64]!r}", place="name")
    return _webhook(row)


_ROWS: Final = select(WEBHOOKS).order_by(WEBHOOKS.c.id)


def _webhook(row: Any) -> Webhook:
    return Webhook(
        *(row.id, row.name, row.url, frozenset(row.events.split()), row.firm, row.created_us, row.created_by),
        *(row.ended_us, row.delivered, row.delivered_us, row.failed, row.error, row.secret, row.secret_kek),
    )
