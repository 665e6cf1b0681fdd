"""The index: presences by place and by party, flows by source; linear in the facts, never pairs.

tracing.md §2 and §4; plain sorted arrays of integers, so that the kernel over them can be exchanged.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Flow, Micros, Stay

Row = tuple[int, int, Micros, Micros]
"""party, place, start, end (half-open)."""

Arc = tuple[int, int, Micros, int]
"""source, target, time, hops: what is exposed at `time` in the source is exposed in the target."""


@dataclass(slots=True)
class Bucket:
    """The presences of one place or one party by start, with the running maximum of their ends."""

    rows: list[int] = field(default_factory=list)
    starts: list[Micros] = field(default_factory=list)
    reach: list[Micros] = field(default_factory=list)

    def present(self, table: Sequence[Row], time: Micros) -> list[int]:
        """Return the rows that hold the instant: start ≤ time < end."""
        found = []
        at = bisect_left(self.starts, time + 1) - 1
        while at >= 0 and self.reach[at] > time:
            if table[self.rows[at]][3] > time:
                found.append(self.rows[at])
            at -= 1
        return found

    def starting(self, after: Micros, before: Micros) -> list[int]:
        """Return the rows with after < start < before, by start."""
        return self.rows[bisect_left(self.starts, after + 1) : bisect_left(self.starts, before)]

    def ending_after(self, table: Sequence[Row], time: Micros) -> list[int]:
        """Return the rows with end > time."""
        first = bisect_left(self.reach, time + 1)
        return [row for row in self.rows[first:] if table[row][3] > time]


@dataclass(slots=True)
class Index:
    """Rows and arcs with their buckets; `linger` is the persistence of each place."""

    rows: Sequence[Row]
    arcs: Sequence[Arc]
    by_party: Mapping[int, Bucket]
    by_place: Mapping[int, Bucket]
    arcs_from: Mapping[int, Sequence[int]]
    linger: Mapping[int, Micros]


def index(rows: Sequence[Row], arcs: Sequence[Arc], linger: Mapping[int, Micros] | None = None) -> Index:
    """Return the index of rows; empty rows are never met and stay out of the buckets."""
    by_party: dict[int, Bucket] = {}
    by_place: dict[int, Bucket] = {}
    order = sorted((row[2], row[3], number) for number, row in enumerate(rows) if row[2] < row[3])
    for start, end, number in order:
        party, place, _, _ = rows[number]
        for buckets, key in ((by_party, party), (by_place, place)):
            bucket = buckets.setdefault(key, Bucket())
            bucket.rows.append(number)
            bucket.starts.append(start)
            bucket.reach.append(max(end, bucket.reach[-1]) if bucket.reach else end)
    arcs_from: dict[int, list[int]] = {}
    for number, arc in enumerate(arcs):
        arcs_from.setdefault(arc[0], []).append(number)
    return Index(rows, arcs, by_party, by_place, arcs_from, dict(linger or {}))


def clip(start: Micros, end: Micros, until: Micros) -> tuple[Micros, Micros]:
    """Return what of a presence counts up to `until`.

    An instant counts if it is not later; an interval counts if it begins before, and still at the instant itself.
    """
    if end - start == INSTANT:
        return (start, end) if start <= until else (start, start)
    return (start, min(end, until + INSTANT)) if start < until else (start, start)


def rows_of(
    stays: Iterable[Stay], parties: Mapping[object, int], places: Mapping[object, int], *, until: Micros, backward: bool
) -> list[Row]:
    """Return stays as rows, in the order given; backward, time runs the other way and `until` is where it ends.

    Backward, [start, end) holds the instants start…end-1, and so becomes [1-end, 1-start).
    """
    rows = []
    for stay in stays:
        start, end = stay.start, stay.end
        if backward:
            start, end = INSTANT - end, INSTANT - start
        start, end = clip(start, end, until)
        rows.append((parties[stay.who], places[stay.where], start, end))
    return rows


def arcs_of(flows: Iterable[Flow], parties: Mapping[object, int], *, until: Micros, backward: bool) -> list[Arc]:
    """Return flows as arcs in the order given; one that is later than `until` is sent beyond all time."""
    arcs = []
    for flow in flows:
        source, target, time = parties[flow.source], parties[flow.target], flow.time
        if backward:
            source, target, time = target, source, -time
        arcs.append((source, target, time if time <= until else -OPEN_END, flow.hops))
    return arcs
