"""A webhook and its messages as commands, the API and pages tell of them: never with the secret.

docs/webhooks.md.
"""

import json
from typing import Any

from sqlalchemy import Connection

from sudonglian.records import derive, outbox
from sudonglian.records.announcing import OF_FIRMS, TYPES
from sudonglian.records.outbox import Told
from sudonglian.records.webhooks import Webhook


def types() -> dict[str, str]:
    """Return what can be told, and what each means."""
    return {**TYPES, **OF_FIRMS}


def shown(connection: Connection, one: Webhook) -> dict[str, Any]:
    """Return the document of a webhook, with how many of its messages are where."""
    standing = outbox.standing(connection, one.id)
    return {
        "name": one.name,
        "url": one.url,
        "events": sorted(one.events),
        "firm": one.firm,
        "state": "ended" if one.ended_us is not None else "failing" if one.failed else "live",
        "created": _time(one.created_us),
        "created_by": one.created_by,
        "ended": _time(one.ended_us),
        "delivered": one.delivered,
        "last_delivered": _time(one.delivered_us),
        "failed_in_a_row": one.failed,
        "error": one.error,
        "waiting": standing.waiting,
        "dead": standing.dead,
    }


def message(one: Told) -> dict[str, Any]:
    """Return the document of a message."""
    return {
        "message": one.name,
        "type": one.type,
        "state": one.state,
        "attempts": one.attempts,
        "created": _time(one.created_us),
        "next": _time(one.next_us),
        "ended": _time(one.ended_us),
        "error": one.error,
        "body": json.loads(one.body),
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else derive.moment(at_us).isoformat(timespec="seconds")
