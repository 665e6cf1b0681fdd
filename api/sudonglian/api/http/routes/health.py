"""Health, standing and metrics: for load balancers, auditors and operators.

service.md (storage and work); docs/anchoring.md (what an operator sees).
"""

from datetime import UTC, datetime
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Connection

from sudonglian.api.http import metrics
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone, Operator
from sudonglian.api.http.door import Door, door_of
from sudonglian.api.http.parameters import door_router
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import anchor_halt, anchor_status, derive, outbox, queries, webhooks

router = door_router("", "Operation")

OVERDUE_S: Final = 60
"""How long after it was due a seal may still be missing before the worker counts as gone: a large seal takes seconds."""


@router.get("/healthz")
def healthz(caller: Anyone) -> Response:
    """Say that this process answers."""
    return json_answer({"ok": True})


@router.get("/readyz")
def readyz(request: Request, caller: Anyone) -> Response:
    """Say whether the store answers, takes captures and somebody seals: 503 if not; tell a foreign anchor too."""
    door = door_of(request)
    try:
        with door.store.read() as connection:
            overdue = seal_overdue_s(connection, door, datetime.now(UTC))
            halted, foreign = anchor_halt.reason(connection), anchor_halt.foreign(connection)
        reached = True
    except SudonglianError:
        reached, overdue, halted, foreign = False, 0, None, None
    fresh = overdue <= OVERDUE_S and not door.worker_ended
    ready = reached and fresh and halted is None
    said = {"ready": ready, "store": reached, "worker": fresh, "worker_ended": door.worker_ended or None}
    found = {"worker_restarts": door.worker_restarts, "halted": halted is not None, "foreign": foreign is not None}
    return json_answer({**said, **found, "seal_overdue_s": overdue}, 200 if ready else 503)


@router.get("/status")
def status(request: Request, caller: Anyone) -> Response:
    """Tell how the log stands: its size, what waits, its anchors, chain and contract, what no anchor covers yet."""
    door = door_of(request)
    with door.store.read() as connection:
        document = anchor_status.status(connection, None)
    document.pop("balance")
    return json_answer({**document, "origin": door.keys.origin, "verifier_key": str(door.keys.log.verifier_key)})


@router.get("/metrics")
def measured(request: Request, caller: Operator) -> Response:
    """Give the metrics in Prometheus' text form."""
    door = door_of(request)
    with door.store.read() as connection:
        document: dict[str, Any] = anchor_status.status(connection, None)
        overdue = seal_overdue_s(connection, door, datetime.now(UTC))
        told, servers = outbox.standing(connection), webhooks.living(connection)
    waits_s = 0 if told.oldest_us is None else max(0, derive.micros(datetime.now(UTC)) - told.oldest_us) // 1_000_000
    gauges = {
        "sudonglian_log_entries": ("Entries of the newest checkpoint.", document["log"]["size"]),
        "sudonglian_anchoring_lag_entries": ("Entries that no final anchor covers.", document["lag"]),
        "sudonglian_anchored_entries": ("Entries that a final anchor covers.", document["last_final_size"]),
        "sudonglian_anchor_in_flight": ("Whether an anchor is on its way.", int(document["in_flight"] is not None)),
        "sudonglian_halted": (
            "Whether the log is behind its own anchors and takes nothing.",
            int(document["halted"] is not None),
        ),
        "sudonglian_foreign_anchor": (
            "Whether the contract holds a root that the log never had.",
            int(document["foreign"] is not None),
        ),
        "sudonglian_pending_entries": ("Entries that wait for a seal.", document["pending"]),
        "sudonglian_unconfirmed_handoffs": (
            "Handoffs that both sides have not signed.",
            document["unconfirmed_handoffs"],
        ),
        "sudonglian_webhooks": ("Servers that are told what happens.", len(servers)),
        "sudonglian_webhooks_failing": (
            "Of them, those that did not take the last attempt.",
            sum(one.failed > 0 for one in servers),
        ),
        "sudonglian_webhook_messages_waiting": ("Messages that no server has taken yet.", told.waiting),
        "sudonglian_webhook_messages_dead": ("Messages that were given up, of the last 30 days.", told.dead),
        "sudonglian_webhook_messages_taken": (
            "Messages that were taken, of webhooks that live.",
            sum(one.delivered for one in servers),
        ),
        "sudonglian_webhook_oldest_waiting_seconds": ("For how long the oldest of them waits.", waits_s),
        "sudonglian_seal_overdue_seconds": ("How long the oldest of them has been due.", overdue),
    }
    return Response(door.metrics.text(gauges), 200, {"Content-Type": metrics.CONTENT_TYPE})


def seal_overdue_s(connection: Connection, door: Door, now: datetime) -> int:
    """Return for how many seconds the oldest waiting entry should have been sealed."""
    _, oldest = queries.waiting(connection)
    if oldest is None:
        return 0
    return max(0, (derive.micros(now) - oldest) // 1_000_000 - door.seal_after_s)
