"""Questions to a table of contacts in the words of its file, and the answers in them.

interfaces.md (contacts reach, contacts summary).
"""

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from sudonglian.trace.engine.contacts.reach import NEVER
from sudonglian.trace.engine.contacts.reach import reach as reach_of
from sudonglian.trace.engine.contacts.rows import Contacts
from sudonglian.trace.engine.contacts.summary import Summary
from sudonglian.trace.engine.contacts.summary import summary as summary_of
from sudonglian.trace.errors import QueryRefused
from sudonglian.trace.tables import contact_table

MEASURES: Final = ("in_degree", "out_degree", "ingoing_contact_chain", "outgoing_contact_chain")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table say who, whom and when; without `end` a contact is of an instant."""

    source: str
    target: str
    time: str
    end: str = ""


@dataclass(frozen=True, slots=True)
class ReachAsk:
    """The question whom a seed reaches, as typed; empty is not said."""

    seed: str
    at: str = ""
    until: str = ""
    step: str = ""
    max_wait: str = ""
    backward: bool = False
    undirected: bool = False
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class SummaryAsk:
    """The question for a summary, as typed; empty is not said."""

    since: str
    to: str
    max_wait: str = ""
    strict: bool | None = None


def reach(path: Path, columns: Columns, ask: ReachAsk) -> dict[str, Any]:
    """Return whom the seed of a table reaches, earliest first; backward, who reaches it, latest departure first.

    Backward, time runs from `at` down to `until`, and every party has the last tick at which it still reaches the seed.

    Raises
    ------
    TraceError
        The table or the question cannot be read.
    """
    table = contact_table.read(path, source=columns.source, target=columns.target, time=columns.time, end=columns.end)
    clock, contacts = table.clock, table.contacts
    at = clock.tick(ask.at, "--at") if ask.at else None
    until = clock.tick(ask.until, "--until") if ask.until else None
    if ask.undirected:
        contacts = contacts.both_ways()
    sign = 1
    if ask.backward:
        contacts, sign = contacts.reversed(), -1
    seed = table.party(ask.seed)
    found = reach_of(
        contacts,
        seed,
        at=None if at is None else sign * at,
        until=None if until is None else sign * until,
        step=clock.span(ask.step, "--step") if ask.step else 0,
        max_wait=clock.span(ask.max_wait, "--max-wait") if ask.max_wait else None,
        strict=_strict(ask.strict, contacts.end is None and not clock.chains_within_an_instant),
    )
    name = "departure" if ask.backward else "arrival"
    reached = [
        {
            "node": table.names[party],
            name: clock.told(sign * int(found.arrival[party])),
            "hops": int(found.hops[party]),
            "previous": table.names[found.previous[party]],
        }
        for party in (found.arrival != NEVER).nonzero()[0][found.arrival[found.arrival != NEVER].argsort(kind="stable")]
    ]
    return {"seed": table.names[seed], "reached": reached}


def summary(
    path: Path, columns: Columns, ask: SummaryAsk
) -> tuple[dict[str, Any], contact_table.ContactTable, Summary]:
    """Return the summary of a table over a window, the table, and the measures of each party.

    Raises
    ------
    TraceError
        The table or the question cannot be read.
    """
    if columns.end:
        raise QueryRefused("a summary is of instants: give no column of ends", place="end")
    begun = time.perf_counter()
    _load()
    began = time.perf_counter()
    table = contact_table.read(path, source=columns.source, target=columns.target, time=columns.time)
    read = time.perf_counter()
    clock, contacts = table.clock, table.contacts.ordered()
    indexed = time.perf_counter()
    first, last = clock.tick(ask.since, "--from"), clock.tick(ask.to, "--to")
    wait = clock.span(ask.max_wait, "--max-wait") if ask.max_wait else None
    strict = _strict(ask.strict, not clock.chains_within_an_instant)
    found = summary_of(contacts, first, last, max_wait=wait, strict=strict)
    computed = time.perf_counter()
    answer = {
        "nodes": len(table.names),
        "rows": len(contacts.start),
        "contacts": len(contacts.between(first, last).start),
        "sums": {name: int(getattr(found, name).sum()) for name in MEASURES},
        "seconds": {
            "load": round(began - begun, 6),
            "read": round(read - began, 6),
            "index": round(indexed - read, 6),
            "compute": round(computed - indexed, 6),
        },
    }
    return answer, table, found


def summary_csv(table: contact_table.ContactTable, found: Summary) -> Iterator[str]:
    """Give the lines of a table with the measures of every party."""
    columns = [getattr(found, name).tolist() for name in MEASURES]
    line = io.StringIO(newline="")
    write = csv.writer(line)
    for row in [("node", *MEASURES), *zip(table.names, *columns, strict=True)]:
        line.seek(0)
        line.truncate()
        write.writerow(row)
        yield line.getvalue()


def _load() -> None:
    """Load the compiled code, or compile it the first time, which takes some seconds: no part of any answer's time."""
    two = Contacts(np.zeros(2, np.int32), np.ones(2, np.int32), np.zeros(2, np.int64), None, 2)
    for strict in (False, True):
        summary_of(two, 0, 1, strict=strict)


def _strict(asked: bool | None, default: bool) -> bool:
    return default if asked is None else asked
