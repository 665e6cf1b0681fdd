"""A kept answer made again from the log, in the edition in which it was kept: the same bytes, or another answer.

tracing.md §6 (a trace is evidence); docs/spec/trace-document.md §3 and §11.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from sudonglian.chain import canonical
from sudonglian.records import event_rows, log, traces
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.trace.casework import memory
from sudonglian.trace.casework.positions import positions_in
from sudonglian.trace.casework.views import SHOWN, views
from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.editions import as_edition
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import TraceResult, trace
from sudonglian.trace.errors import QueryRefused

FIRST_TIERS: Final = "tiers/1"
FIRST_RANK: Final = "rank/1"
"""The editions of the questions that were kept before there were several."""


class Again(NamedTuple):
    """The bytes that were kept, those that were made now, and their edition."""

    edition: str
    kept: bytes
    made: bytes

    @property
    def is_same(self) -> bool:
        """Tell whether nothing has changed."""
        return self.kept == self.made


def again(store: Store, number: int) -> Again:
    """Return a kept trace beside what the log says today of the same question at the same size.

    Raises
    ------
    NotInLog
        There is no such trace.
    QueryRefused
        It was refused, or has no answer yet.
    """
    with store.read() as connection:
        document, query = _asked(connection, number)
        edition = str(canonical.parse_stored(document)["v"])  # type: ignore[index, call-overload]
        facts = derive_facts(views(event_rows.event_views(connection, query.log_size, SHOWN)))
    made = as_edition(trace(facts, query, positions=positions_in(document)).document(), edition)
    return Again(edition, document, canonical.encode(made))


def answered(store: Store, keys: Keys, number: int) -> TraceResult:
    """Return the answer to a kept question anew, to be written in another form; in today's edition.

    Raises
    ------
    NotInLog, QueryRefused
        As `again`.
    """
    with store.read() as connection:
        document, query = _asked(connection, number)
    facts = memory.of(store).facts(store, keys, query.log_size)
    return trace(facts, query, positions=positions_in(document))


def _asked(connection: Connection, number: int) -> tuple[bytes, TraceQuery]:
    kept = traces.kept(connection, number)
    if kept.document is None:
        raise QueryRefused(f"trace {number} has no answer", place="trace")
    root = log.root(connection, kept.log_size).hex()
    return kept.document, query_of(canonical.parse_stored(kept.query), kept.log_size, root)


def query_of(told: Any, size: int, root: str) -> TraceQuery:
    """Return a question as it was kept; whole seconds were kept before there were microseconds."""
    micro, second = timedelta(microseconds=1), timedelta(seconds=1)
    persistence = {kind: span * micro for kind, span in told.get("persistence_us", {}).items()}
    persistence |= {kind: span * second for kind, span in told.get("persistence_s", {}).items()}
    until = told["until"]
    lookback = told["lookback_us"] * micro if "lookback_us" in told else told["lookback_s"] * second
    return TraceQuery(
        seed=told["seed"],
        at=datetime.fromisoformat(told["at"]),
        lookback=lookback,
        until=None if until is None else datetime.fromisoformat(until),
        backward=told["backward"],
        max_generation=told["max_generation"],
        strict=told.get("strict"),
        seed_place=told["seed_place"],
        persistence=persistence,
        min_dwell={kind: span * micro for kind, span in told.get("min_dwell_us", {}).items()},
        policy=told["policy"],
        tiers=told.get("tiers", FIRST_TIERS),
        rank=told.get("rank", FIRST_RANK),
        # Before there were interviews, questions were without.
        interviews=told.get("interviews", False),
        log_size=size,
        log_root=root,
    )
