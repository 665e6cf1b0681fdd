"""What is in the store: sizes, anchors, records by step. People are counted for whoever is signed in, and never named.

service.md (Pages); docs/decisions/0722 (why the public does not see how many people there are).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from sudonglian.api.signing import confirmations_among
from sudonglian.records import anchor_status, log, reader
from sudonglian.records.census import census
from sudonglian.records.querying.values import bare
from sudonglian.records.reader import StoredRecord

COUNTED: Final = 2_000
"""Of so many newest entries the records are counted by step: a page must not read a year's log."""

NEWEST: Final = 10


@dataclass(frozen=True, slots=True)
class Newest:
    """A record as a list shows it."""

    record_hash: str
    log_index: int
    biz_step: str
    event_time_us: int
    submitter: str
    confirmation: str | None
    """Who has signed a handoff; None if it is none and nobody has."""


def overview(
    connection: Connection, *, people: bool, may_read: Callable[[StoredRecord], bool] | None
) -> dict[str, Any]:
    """Return how the store stands; with `people` also how many persons and touches it knows of.

    The newest records and what they were about are those that the reader may read; None for the public, who may none.
    """
    status = anchor_status.status(connection, None)
    status.pop("balance")
    size = status["log"]["size"]
    start = max(0, size - COUNTED)
    sealed = list(reader.events_of(connection, None, size, start)) if size and may_read is not None else []
    sealed = [one for one in sealed if may_read is not None and may_read(one)]
    steps = Counter(_step(one) for one in sealed)
    held = census(connection)
    newest = sealed[: -NEWEST - 1 : -1]
    signed = confirmations_among(connection, (one.record_hash.hex() for one in newest))
    seen = {"people": held.people, "touches": held.touches} if people else {}
    return {
        **status,
        "records": held.records,
        "counted_from": start,
        "steps": [{"step": step, "records": number} for step, number in steps.most_common()],
        "newest": [_newest(one, signed.get(one.record_hash.hex())) for one in newest],
        "sealed_us": _sealed_us(connection),
        **seen,
    }


def _step(one: StoredRecord) -> str:
    return bare(str(one.event().get("bizStep", "")))


def _newest(one: StoredRecord, confirmed: str | None) -> Newest:
    return Newest(one.record_hash.hex(), one.log_index or 0, _step(one), one.event_time_us, one.submitter, confirmed)


def _sealed_us(connection: Connection) -> int | None:
    newest = log.latest(connection)
    return None if newest is None else newest.sealed_us
