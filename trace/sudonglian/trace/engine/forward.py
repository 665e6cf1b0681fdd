"""The spread of exposure: layer by layer over places, earliest arrivals, exact.

tracing.md §3.1-3.4 and §4 (layered frontier with coverage); backward is the same on the time-reversed index.

Clock. A label's clock is twice the time of the exposure, plus one if it came by a meeting and instants may not chain
(`strict`): (clock + 1) // 2 is the first instant at which it is passed on in a meeting, and a flow at t takes every
clock ≤ 2t + 1. So two meetings of a walk never share an instant in strict mode, and flows are free.

A meeting that must last (`Index.delay`; on reversed time `Index.lag`) exposes at its end, and takes its time itself: the
next may begin at once. When a row takes and gives is in the index: no rule about persistence or dwell stands here.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from sudonglian.trace.engine.facts import OPEN_END, Micros
from sudonglian.trace.engine.presence import Arc, Index
from sudonglian.trace.engine.stab import Windows

NEVER: Final[Micros] = OPEN_END * 8
"""Later than twice any time: the clock of what is not exposed."""

FEW: Final = 64
"""Up to so many spans are spliced into what is covered; for more, a merge of the whole list is cheaper."""

ROOT: Final = -1
"""The label before a seed's: none."""

NO_LAST: Final = NEVER
"""The last moment of a meeting that exposes without an end."""


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
    def last(self) -> Micros:
        """Return the last moment at which the meeting or flow still exposes: none, unless parties cease (`waning`)."""
        return NO_LAST

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
    alive: dict[int, list[tuple[Micros, Micros]]] | None = None
    """Where parties cease to expose: the half ticks at which each does (`waning`); else from its onset on."""


Span = tuple[Micros, int, Micros, int]
"""start, row, end, label: a place exposes over [start, end) through the row of the label's party."""


@dataclass(slots=True)
class _State:
    """The pass so far; `improved` maps each party that the current layer improved to its onset before (or NEVER)."""

    index: Index
    strict: bool
    windows: Windows
    labels: list[Label] = field(default_factory=list)
    first: dict[int, int] = field(default_factory=dict)
    best: dict[int, int] = field(default_factory=dict)
    clock: dict[int, int] = field(default_factory=dict)
    improved: dict[int, Micros] = field(default_factory=dict)
    candidates: dict[int, Label] = field(default_factory=dict)
    passed: dict[int, list[tuple[Micros, Micros]]] = field(default_factory=dict)
    """Of a place that stays exposed for longer than it can expose anybody: when it does."""

    def commit(self, label: Label) -> None:
        number = len(self.labels)
        self.labels.append(label)
        self.first.setdefault(label.party, number)
        self.best[label.party] = number
        self.improved.setdefault(label.party, (self.clock.get(label.party, NEVER) + 1) // 2)
        self.clock[label.party] = label.clock

    def offer(self, label: Label) -> None:
        if label.clock >= self.clock.get(label.party, NEVER):
            return
        known = self.candidates.get(label.party)
        if known is None or label < known:
            self.candidates[label.party] = label


def spread(
    index: Index,
    seeds: Iterable[tuple[int, Micros]],
    *,
    strict: bool,
    max_hops: int | None = None,
    layer: Callable[[int, int], None] | None = None,
) -> Spread:
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
    layer:
        Told before each generation: its number, and how many parties it newly exposes or exposes earlier.
    """
    state = _State(index, strict, Windows(index.open, index.shut))
    shaped = index.whole is not index.left
    first_place: dict[int, PlaceLabel] = {}
    best_place: dict[int, PlaceLabel] = {}
    covered: dict[int, list[tuple[Micros, Micros]]] = {}
    for party, time in sorted(seeds, key=lambda seed: (seed[1], seed[0])):
        state.offer(Label(party, 2 * time, 0))
    hops = 0
    while state.candidates:
        if layer is not None:
            layer(hops, len(state.candidates))
        _settle_layer(state)
        spans = _deposits(state)
        for place in sorted(spans):
            here = sorted(spans[place])
            start, row, _, label = here[0]
            reached = PlaceLabel(start, hops + 1, label, index.origin[row])
            if max_hops is None or hops < max_hops:
                first_place.setdefault(place, reached)
                if place not in best_place or start < best_place[place].time:
                    best_place[place] = reached
                known = covered.setdefault(place, [])
                if shaped:
                    cover(merged((begin, 0, index.whole[by], 0) for begin, by, _, _ in here), known)
                    known = state.passed.setdefault(place, [])
                    here = [span for span in here if span[0] < span[2]]
                _pick_up(state, place, here, known, hops + 1)
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
    heapify(heap)
    state.candidates = {}
    arcs, arcs_from = state.index.arcs, state.index.arcs_from
    while heap:
        clock, party, label = heappop(heap)
        if clock >= state.clock.get(party, NEVER):
            continue
        state.commit(label)
        for arc_number in arcs_from.get(party, ()):
            arc: Arc = arcs[arc_number]
            if arc[3] == 0 and clock <= 2 * arc[2] + 1:
                onward = max(clock, 2 * arc[2])
                if onward < state.clock.get(arc[1], NEVER):
                    passed = Label(arc[1], onward, label.hops, state.best[party], arc=arc_number)
                    heappush(heap, (onward, arc[1], passed))


def _deposits(state: _State) -> dict[int, list[Span]]:
    """Return where and when the parties that this layer improved expose places that they did not expose before."""
    spans: dict[int, list[Span]] = {}
    index = state.index
    starts, lefts, wholes, places, lag = index.start, index.left, index.whole, index.place, index.lag
    shaped = wholes is not lefts
    for party, before in state.improved.items():
        onset, number = (state.clock[party] + 1) // 2, state.best[party]
        for row in index.of_party(party, onset, before + shaped):
            place, start = places[row], starts[row]
            begin = max(onset, start)
            if shaped:
                if place in lag:
                    # What must last to expose began so long before: on reversed time it gives so much later.
                    begin = max(state.clock[party] // 2 + 1, start) + lag[place] - 1
                    if begin >= index.end[row]:
                        continue
                if begin >= wholes[row]:
                    continue
            span = (begin, row, lefts[row], number)
            known = spans.get(place)
            if known is None:
                spans[place] = [span]
            else:
                known.append(span)
    return spans


def _cross(state: _State, hops: int) -> None:
    """Offer what the improved parties become with a hop (a transformation's process, the content of a unit)."""
    for party in state.improved:
        clock, number = state.clock[party], state.best[party]
        for arc_number in state.index.arcs_from.get(party, ()):
            arc: Arc = state.index.arcs[arc_number]
            if arc[3] and clock <= 2 * arc[2] + 1:
                state.offer(Label(arc[1], max(clock, 2 * arc[2]), hops, number, arc=arc_number))


def _pick_up(state: _State, place: int, spans: list[Span], covered: list[tuple[Micros, Micros]], hops: int) -> None:
    """Offer exposure to whoever is in the place while it is newly exposed, and extend what is covered.

    What was covered before needs no second look: whoever was there then was exposed as early as now or earlier.
    """
    index, windows, clocks = state.index, state.windows, state.clock
    low, high = index.of_place(place)
    parties, starts, shuts = index.party, index.open, index.shut
    floors = None if starts is index.start else index.start
    active: list[Span] = []
    entered, wait = 0, index.delay.get(place, 0)
    late = 0 if wait else int(state.strict)
    origin, known, candidates = index.origin, clocks.get, state.candidates
    fresh = merged(spans)
    for start, end, joined in uncovered(fresh, covered):
        met = [] if joined else [(start, row) for row in windows.holding(low, high, start)]
        first = bisect_left(starts, start + (not joined), low, high)
        last = bisect_left(starts, end, first, high)
        met += [(starts[row], row) for row in range(first, last)]
        windows.close(first, last)
        for time, row in met:
            while entered < len(spans) and spans[entered][0] <= time:
                heappush(active, spans[entered])
                entered += 1
            party, clock = parties[row], 2 * (time + wait if floors is None else max(time, floors[row])) + late
            if clock >= known(party, NEVER) or time >= shuts[row]:
                continue
            while active[0][2] <= time:
                heappop(active)
            _, source, _, label = active[0]
            offered = Label(party, clock, hops, label, origin[source], origin[row])
            other = candidates.get(party)
            if other is None or offered < other:
                candidates[party] = offered
    cover(fresh, covered)


def uncovered(
    fresh: list[tuple[Micros, Micros]], covered: list[tuple[Micros, Micros]]
) -> list[tuple[Micros, Micros, bool]]:
    """Return the parts of the spans outside of what is covered, and whether each continues a covered one."""
    parts: list[tuple[Micros, Micros, bool]] = []
    for start, end in fresh:
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


def merged(spans: Iterable[Span]) -> list[tuple[Micros, Micros]]:
    """Return sorted spans with those that touch or overlap joined."""
    merged: list[tuple[Micros, Micros]] = []
    now, last = NEVER, -NEVER
    for start, _, end, _ in spans:
        if start <= last:
            last = max(last, end)
            continue
        if last != -NEVER:
            merged.append((now, last))
        now, last = start, end
    if last != -NEVER:
        merged.append((now, last))
    return merged


def cover(fresh: list[tuple[Micros, Micros]], covered: list[tuple[Micros, Micros]]) -> None:
    """Add the spans to what is covered: few by touching only their part of the list, many by one pass over it."""
    if len(fresh) > FEW:
        both = sorted((*covered, *fresh))
        covered[:] = merged((start, 0, end, 0) for start, end in both)
        return
    for start, end in fresh:
        low = bisect_left(covered, start, key=lambda part: part[1])
        high = bisect_right(covered, end, key=lambda part: part[0])
        if low < high:
            start, end = min(start, covered[low][0]), max(end, covered[high - 1][1])
        covered[low:high] = [(start, end)]
