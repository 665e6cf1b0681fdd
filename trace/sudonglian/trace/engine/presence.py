"""The index: presences by place and by party, flows by source; linear in the facts, never pairs.

tracing.md §2 and §4; plain columns of integers, so that the kernel over them can be exchanged.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from sudonglian.trace.engine.facts import INSTANT, Micros
from sudonglian.trace.engine.spans import Codes, Times, running

Row = tuple[int, int, Micros, Micros]
"""party, place, start, end (half-open)."""

Arc = tuple[int, int, Micros, int]
"""source, target, time, hops: what is exposed at `time` in the source is exposed in the target."""


class Shape(NamedTuple):
    """What a row does beside lasting, where dwell or persistence are not the same for all: one value a row.

    A row takes exposure at a tick of [open, shut) at which its place is exposed, and not before its start; it gives it
    from its start (or its party's onset) up to `left`, and the place stays exposed up to `whole`.
    """

    open: Times | None
    """None if rows take from their starts on."""
    shut: Times
    left: Times
    whole: Times


class ByParty(NamedTuple):
    """The rows of parties, by their starts: of each party where its own begin, and what of_party asks of them."""

    first: "array[int]"
    row: "array[int]"
    start: "array[int]"
    reach: "array[int]"
    """The running maximum of ends over a party's rows."""


@dataclass(frozen=True)
class Index:
    """Columns in the order of (place, open); the rows of one place are a range, those of a party are listed (`by_party`).

    `origin` is the number of a row in the input; 56 bytes a row in all, unless there is a shape: the columns `open`,
    `shut`, `left` and `whole` are else those of starts and ends.
    """

    party: "array[int]"
    start: "array[int]"
    end: "array[int]"
    place: "array[int]"
    origin: "array[int]"
    place_first: "array[int]"
    arcs: Sequence[Arc]
    arcs_from: Mapping[int, Sequence[int]]
    open: "array[int]"
    shut: "array[int]"
    left: "array[int]"
    whole: "array[int]"
    delay: Mapping[int, Micros] = field(default_factory=dict)
    """How long a meeting in a place lasts until it has exposed: the minimum dwell, where there is one."""
    lag: Mapping[int, Micros] = field(default_factory=dict)
    """The same on reversed time, where it passes before a party gives."""
    linger: Mapping[int, Micros] | None = None
    """How long places expose after their source left, if the rows have no other shape."""

    def of_place(self, place: int) -> tuple[int, int]:
        """Return the range of a place's rows."""
        if place + 1 >= len(self.place_first):
            return 0, 0
        return self.place_first[place], self.place_first[place + 1]

    def of_party(self, party: int, onset: Micros, before: Micros) -> list[int]:
        """Return a party's rows that start before a moment and end after its onset."""
        by = self.by_party
        if party + 1 >= len(by.first):
            return []
        low, high = by.first[party], by.first[party + 1]
        first = bisect_right(by.reach, onset, low, high)
        last = bisect_left(by.start, before, first, high)
        end = self.end
        return [row for row in by.row[first:last] if end[row] > onset]

    @cached_property
    def by_party(self) -> ByParty:
        """Return the rows of parties; whoever runs over places alone never asks for them."""
        party, start, end, origin = (
            np.asarray(one).astype(np.int64) for one in (self.party, self.start, self.end, self.origin)
        )
        order = np.lexsort((origin, start, party))
        party = party[order]
        return ByParty(_firsts(party), _held(order), _held(start[order]), _held(running(party, end[order])))


def index(
    rows: Sequence[Row],
    arcs: Sequence[Arc],
    linger: Mapping[int, Micros] | None = None,
    *,
    shape: Shape | None = None,
    delay: Mapping[int, Micros] | None = None,
    lag: Mapping[int, Micros] | None = None,
) -> Index:
    """Return the index of rows; empty rows are never met and stay out of it.

    `linger` says for places how long they expose after whoever exposed them has left; a `shape` says it row by row.
    """
    return indexed(columns_of(rows), arcs, linger, shape=shape, delay=delay, lag=lag)


Columns = tuple[Codes, Codes, Times, Times]
"""party, place, start, end: rows in columns."""


def columns_of(rows: Sequence[Row]) -> Columns:
    """Return rows in columns."""
    party, place, start, end = np.array(rows, np.int64).reshape(-1, 4).T
    return party, place, start, end


def indexed(
    rows: Columns,
    arcs: Sequence[Arc],
    linger: Mapping[int, Micros] | None = None,
    *,
    shape: Shape | None = None,
    delay: Mapping[int, Micros] | None = None,
    lag: Mapping[int, Micros] | None = None,
) -> Index:
    """Return the index of rows that are in columns."""
    parties, places, starts, ends = rows
    # In the order of time, and stably from there.
    kept = np.flatnonzero(starts < ends)
    kept = kept[np.argsort(starts[kept], kind="stable")]
    opened = None if shape is None else shape.open
    by_open = kept if opened is None else kept[np.argsort(opened[kept], kind="stable")]
    by_place = by_open[np.argsort(places[by_open], kind="stable")]
    place = places[by_place]
    arcs_from: dict[int, list[int]] = {}
    for number, arc in enumerate(arcs):
        arcs_from.setdefault(arc[0], []).append(number)
    start, end = _held(starts[by_place]), _held(ends[by_place])
    begins, shut, left, whole = start, end, end, end
    if shape is not None:
        shut, left, whole = (_held(one[by_place]) for one in (shape.shut, shape.left, shape.whole))
        begins = start if opened is None else _held(opened[by_place])
    elif linger:
        waits = np.zeros(int(place.max(initial=0)) + 1, np.int64)
        for room, span in linger.items():
            if room < len(waits):
                waits[room] = span
        left = whole = _held(ends[by_place] + waits[place])
    return Index(
        party=_held(parties[by_place], "i"),
        start=start,
        end=end,
        place=_held(place, "i"),
        origin=_held(by_place),
        place_first=_firsts(place),
        arcs=arcs,
        arcs_from=arcs_from,
        open=begins,
        shut=shut,
        left=left,
        whole=whole,
        delay=dict(delay or {}),
        lag=dict(lag or {}),
        linger=None if shape is not None else linger or {},
    )


def _held(column: Codes | Times, kind: Literal["i", "q"] = "q") -> "array[int]":
    """Return a column as the kernel reads it, value by value, which numpy's own are slow for."""
    return array(kind, np.ascontiguousarray(column, np.dtype(kind)).tobytes())


def _firsts(codes: Codes) -> "array[int]":
    """Return where each code's rows begin among all that are in the order of codes, and at last how many there are."""
    return _held(np.searchsorted(codes, np.arange(int(codes.max(initial=-1)) + 2)))


def clipped(start: Times, end: Times, until: Micros) -> tuple[Times, Times]:
    """Return what of presences counts up to `until`.

    An instant counts if it is not later; an interval counts if it begins before, and still at the instant itself.
    """
    brief = end - start == INSTANT
    long = np.where(start < until, np.minimum(end, until + INSTANT), start)
    return start, np.where(brief, np.where(start <= until, end, start), long)


Time = TypeVar("Time", Micros, Times)


def turned(start: Time, end: Time) -> tuple[Time, Time]:
    """Return an interval on the clock that runs the other way: [start, end) holds the instants start…end-1."""
    return INSTANT - end, INSTANT - start


def cut(start: Micros, end: Micros, moments: Iterable[Micros]) -> list[tuple[Micros, Micros]]:
    """Return an interval in pieces that none of the moments is inside of.

    >>> cut(0, 10, [3, 7, 12])
    [(0, 3), (3, 7), (7, 10)]
    """
    edges = [start, *sorted({moment for moment in moments if start < moment < end}), end]
    return list(pairwise(edges))
