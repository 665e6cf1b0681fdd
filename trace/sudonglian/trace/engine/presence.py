"""The index: presences by place and by party, flows by source; linear in the facts, never pairs.

tracing.md §2 and §4; plain columns of integers, so that the kernel over them can be exchanged.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import NamedTuple

from sudonglian.trace.engine.facts import INSTANT, Micros

Row = tuple[int, int, Micros, Micros]
"""party, place, start, end (half-open)."""

Arc = tuple[int, int, Micros, int]
"""source, target, time, hops: what is exposed at `time` in the source is exposed in the target."""


class Shape(NamedTuple):
    """What a row does beside lasting, where dwell or persistence are not the same for all: one value a row.

    A row takes exposure at a tick of [open, shut) at which its place is exposed, and not before its start; it gives it
    from its start (or its party's onset) up to `left`, and the place stays exposed up to `whole`.
    """

    open: list[Micros] | None
    """None if rows take from their starts on."""
    shut: list[Micros]
    left: list[Micros]
    whole: list[Micros]


@dataclass(frozen=True, slots=True)
class Index:
    """Columns in the order of (place, open); the rows of one place are a range, those of a party are listed.

    `origin` is the number of a row in the input; 56 bytes a row in all, unless there is a shape: the columns `open`,
    `shut`, `left` and `whole` are else those of starts and ends.
    """

    party: "array[int]"
    start: "array[int]"
    end: "array[int]"
    place: "array[int]"
    origin: "array[int]"
    place_first: "array[int]"
    party_first: "array[int]"
    party_row: "array[int]"
    party_start: "array[int]"
    party_reach: "array[int]"
    """The running maximum of ends over a party's rows by start."""
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

    def of_place(self, place: int) -> tuple[int, int]:
        """Return the range of a place's rows."""
        if place + 1 >= len(self.place_first):
            return 0, 0
        return self.place_first[place], self.place_first[place + 1]

    def of_party(self, party: int, onset: Micros, before: Micros) -> list[int]:
        """Return a party's rows that start before a moment and end after its onset."""
        if party + 1 >= len(self.party_first):
            return []
        low, high = self.party_first[party], self.party_first[party + 1]
        first = bisect_right(self.party_reach, onset, low, high)
        last = bisect_left(self.party_start, before, first, high)
        end = self.end
        return [row for row in self.party_row[first:last] if end[row] > onset]


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
    kept = [number for number, row in enumerate(rows) if row[2] < row[3]]
    starts = [row[2] for row in rows]
    kept.sort(key=starts.__getitem__)
    opened = None if shape is None else shape.open
    column = array("i", [row[1] for row in rows])
    by_place, place_first = _counted(kept if opened is None else sorted(kept, key=opened.__getitem__), column)
    # Where each input row went; in the order of time, so that a party's rows come out sorted too.
    went = array("q", bytes(8 * len(rows)))
    for position, number in enumerate(by_place):
        went[number] = position
    place = array("i", [column[number] for number in by_place])
    column = array("i", [row[0] for row in rows])
    by_party, party_first = _counted(kept, column)
    start = array("q", [starts[number] for number in by_place])
    end = array("q", [rows[number][3] for number in by_place])
    party_row = array("q", [went[number] for number in by_party])
    arcs_from: dict[int, list[int]] = {}
    for number, arc in enumerate(arcs):
        arcs_from.setdefault(arc[0], []).append(number)
    begins, shut, left, whole = start, end, end, end
    if shape is not None:
        shut, left, whole = (array("q", [one[number] for number in by_place]) for one in shape[1:] if one is not None)
        begins = start if opened is None else array("q", [opened[number] for number in by_place])
    elif linger:
        left = whole = array("q", [at + linger.get(room, 0) for at, room in zip(end, place, strict=True)])
    return Index(
        party=array("i", [column[number] for number in by_place]),
        start=start,
        end=end,
        place=place,
        origin=array("q", by_place),
        place_first=place_first,
        party_first=party_first,
        party_row=party_row,
        party_start=array("q", [starts[number] for number in by_party]),
        party_reach=_reach(end, party_row, party_first),
        arcs=arcs,
        arcs_from=arcs_from,
        open=begins,
        shut=shut,
        left=left,
        whole=whole,
        delay=dict(delay or {}),
        lag=dict(lag or {}),
    )


def _counted(numbers: Sequence[int], key: "array[int]") -> tuple[list[int], "array[int]"]:
    """Return the numbers by key, in their order within a key, and where each key's begin (a counting sort)."""
    counts = Counter(map(key.__getitem__, numbers))
    first = array("q", [0, *accumulate(counts[value] for value in range(max(counts, default=-1) + 1))])
    found, free = [0] * len(numbers), first.tolist()
    for number in numbers:
        value = key[number]
        found[free[value]] = number
        free[value] += 1
    return found, first


def _reach(end: "array[int]", party_row: Sequence[int], party_first: Sequence[int]) -> "array[int]":
    """Return the running maximum of ends within each party's rows."""
    reach = array("q", [end[row] for row in party_row])
    for low, high in pairwise(party_first):
        if high - low > 1:
            reach[low:high] = array("q", accumulate(reach[low:high], max))
    return reach


def clipped(start: Micros, end: Micros, until: Micros) -> tuple[Micros, Micros]:
    """Return what of a presence counts up to `until`.

    An instant counts if it is not later; an interval counts if it begins before, and still at the instant itself.
    """
    if end - start == INSTANT:
        return start, end if start <= until else start
    return start, min(end, until + INSTANT) if start < until else start


def turned(start: Micros, end: Micros) -> tuple[Micros, Micros]:
    """Return an interval on the clock that runs the other way: [start, end) holds the instants start…end-1."""
    return INSTANT - end, INSTANT - start


def cut(start: Micros, end: Micros, moments: Iterable[Micros]) -> list[tuple[Micros, Micros]]:
    """Return an interval in pieces that none of the moments is inside of.

    >>> cut(0, 10, [3, 7, 12])
    [(0, 3), (3, 7), (7, 10)]
    """
    edges = [start, *sorted({moment for moment in moments if start < moment < end}), end]
    return list(pairwise(edges))
