"""The spread of exposure: layer by layer over places, earliest arrivals, exact.

tracing.md §3.1-3.4 and §4 (layered frontier with coverage); backward is the same on the time-reversed index.

Clock. A label's clock is twice the time of the exposure, plus one if it came by a meeting and instants may not chain
(`strict`): (clock + 1) // 2 is the first instant at which it is passed on in a meeting, and a flow at t takes every
clock ≤ 2t + 1. So two meetings of a walk never share an instant in strict mode, and flows are free.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, NamedTuple

from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.presence import Arc, Index

ROOT: Final = -1
"""The label before a seed's: none."""


class Label(NamedTuple):
    """One improvement: the party is exposed at clock // 2 after `hops` hops, through the row or the arc named."""

    party: int
    clock: int
    hops: int
    previous: int = ROOT
    source_row: int = -1
    target_row: int = -1
    arc: int = -1

    @property
    def time(self) -> Micros:
        """Return the moment of the exposure."""
        return self.clock // 2


class PlaceLabel(NamedTuple):
    """A place is exposed at `time`, by the label's party in its row, `hops` counted as for whom it exposes."""

    time: Micros
    hops: int
    previous: int
    source_row: int


class Spread(NamedTuple):
    """All labels; of each party and place the first (fewest hops) and the last (earliest); exposed times of places."""

    labels: list[Label]
    first: dict[int, int]
    best: dict[int, int]
    first_place: dict[int, PlaceLabel]
    best_place: dict[int, PlaceLabel]
    covered: dict[int, list[tuple[Micros, Micros]]]


Span = tuple[Micros, int, Micros, int]
"""start, row, end, label: a place is exposed over [start, end) by the row of the label's party."""


@dataclass(slots=True)
class _State:
    """The pass so far; `improved` is the newest label of each party that the current layer improved."""

    index: Index
    strict: bool
    labels: list[Label] = field(default_factory=list)
    first: dict[int, int] = field(default_factory=dict)
    best: dict[int, int] = field(default_factory=dict)
    improved: dict[int, int] = field(default_factory=dict)
    candidates: dict[int, Label] = field(default_factory=dict)

    def better(self, party: int, clock: int) -> bool:
        known = self.best.get(party)
        return known is None or clock < self.labels[known].clock

    def commit(self, label: Label) -> int:
        number = len(self.labels)
        self.labels.append(label)
        self.first.setdefault(label.party, number)
        self.best[label.party] = self.improved[label.party] = number
        return number

    def offer(self, label: Label) -> None:
        if not self.better(label.party, label.clock):
            return
        known = self.candidates.get(label.party)
        if known is None or label < known:
            self.candidates[label.party] = label


def spread(index: Index, seeds: Iterable[tuple[int, Micros]], *, strict: bool, max_hops: int | None = None) -> Spread:
    """Return who and what is exposed, from when, after how many hops at least, and how.

    Parameters
    ----------
    index:
        Presences and arcs.
    seeds:
        Parties that are exposed from a moment on.
    strict:
        Whether two meetings at one instant may not chain.
    max_hops:
        How many hops a walk may have; None for any number.
    """
    state = _State(index, strict)
    first_place: dict[int, PlaceLabel] = {}
    best_place: dict[int, PlaceLabel] = {}
    covered: dict[int, list[tuple[Micros, Micros]]] = {}
    for party, time in sorted(seeds, key=lambda seed: (seed[1], seed[0])):
        state.offer(Label(party, 2 * time, 0))
    hops = 0
    while state.candidates:
        _settle_layer(state)
        spans = _deposits(state)
        for place in sorted(spans):
            here = sorted(spans[place])
            start, row, _, label = here[0]
            reached = PlaceLabel(start, hops + 1, label, row)
            if max_hops is None or hops < max_hops:
                first_place.setdefault(place, reached)
                if place not in best_place or start < best_place[place].time:
                    best_place[place] = reached
                _pick_up(state, place, here, covered.setdefault(place, []), hops + 1)
        if max_hops is not None and hops >= max_hops:
            state.candidates.clear()
        else:
            _cross(state, hops + 1)
        hops += 1
    return Spread(state.labels, state.first, state.best, first_place, best_place, covered)


def _settle_layer(state: _State) -> None:
    """Commit the layer's candidates and what they become without a hop (a lot's split or merge)."""
    state.improved = {}
    heap = [(label.clock, label.party, label) for label in state.candidates.values()]
    heap.sort()
    state.candidates = {}
    while heap:
        clock, party, label = heappop(heap)
        if not state.better(party, clock):
            continue
        number = state.commit(label)
        for arc_number in state.index.arcs_from.get(party, ()):
            arc: Arc = state.index.arcs[arc_number]
            if arc[3] == 0 and clock <= 2 * arc[2] + 1:
                onward = max(clock, 2 * arc[2])
                if state.better(arc[1], onward):
                    passed = Label(arc[1], onward, label.hops, number, arc=arc_number)
                    heappush(heap, (onward, arc[1], passed))


def _deposits(state: _State) -> dict[int, list[Span]]:
    """Return where and when the parties that this layer improved expose places."""
    spans: dict[int, list[Span]] = {}
    table = state.index.rows
    for party, number in state.improved.items():
        bucket = state.index.by_party.get(party)
        if bucket is None:
            continue
        onset = (state.labels[number].clock + 1) // 2
        for row in bucket.ending_after(table, onset):
            _, place, start, end = table[row]
            spans.setdefault(place, []).append((max(start, onset), row, end + state.index.linger.get(place, 0), number))
    return spans


def _cross(state: _State, hops: int) -> None:
    """Offer what the improved parties become with a hop (a transformation's process)."""
    for party, number in state.improved.items():
        clock = state.labels[number].clock
        for arc_number in state.index.arcs_from.get(party, ()):
            arc: Arc = state.index.arcs[arc_number]
            if arc[3] and clock <= 2 * arc[2] + 1:
                state.offer(Label(arc[1], max(clock, 2 * arc[2]), hops, number, arc=arc_number))


def _pick_up(state: _State, place: int, spans: list[Span], covered: list[tuple[Micros, Micros]], hops: int) -> None:
    """Offer exposure to whoever is in the place while it is newly exposed, and extend what is covered.

    What was covered before needs no second look: whoever was there then was exposed as early as now or earlier.
    """
    rows, bucket = state.index.rows, state.index.by_place[place]
    active: list[tuple[Micros, int, Micros, int]] = []
    entered = 0

    def meet(row: int, time: Micros) -> None:
        nonlocal entered
        while entered < len(spans) and spans[entered][0] <= time:
            heappush(active, spans[entered])
            entered += 1
        while active[0][2] <= time:
            heappop(active)
        _, source_row, _, label = active[0]
        state.offer(Label(rows[row][0], 2 * time + state.strict, hops, label, source_row, row))

    for start, end, joined in _uncovered(spans, covered):
        if not joined:
            for row in sorted(bucket.present(rows, start)):
                meet(row, start)
        for row in bucket.starting(start - joined, end):
            meet(row, rows[row][2])
    _cover(spans, covered)


def _uncovered(spans: list[Span], covered: list[tuple[Micros, Micros]]) -> list[tuple[Micros, Micros, bool]]:
    """Return the parts of the spans outside of what is covered, and whether each continues a covered one."""
    parts: list[tuple[Micros, Micros, bool]] = []
    for start, end in _merged([(span[0], span[2]) for span in spans]):
        at = max(bisect_right(covered, (start, start)) - 1, 0)
        now, joined = start, False
        while at < len(covered) and covered[at][0] <= end:
            low, high = covered[at]
            if high >= now:
                if now < low:
                    parts.append((now, min(low, end), joined))
                now, joined = max(now, high), True
            at += 1
        if now < end:
            parts.append((now, end, joined))
    return parts


def _merged(spans: list[tuple[Micros, Micros]]) -> list[tuple[Micros, Micros]]:
    """Return sorted spans with those that touch or overlap joined."""
    merged: list[tuple[Micros, Micros]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _cover(spans: list[Span], covered: list[tuple[Micros, Micros]]) -> None:
    """Add the spans to what is covered, touching only the part of the list that they change."""
    for start, end in _merged([(span[0], span[2]) for span in spans]):
        low = bisect_left(covered, start, key=lambda part: part[1])
        high = bisect_right(covered, end, key=lambda part: part[0])
        if low < high:
            start, end = min(start, covered[low][0]), max(end, covered[high - 1][1])
        covered[low:high] = [(start, end)]
