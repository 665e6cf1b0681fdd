"""The spread of exposure where parties cease to expose: until-times are carried, layer by layer, exact.

tracing.md §3.2 (waiting limits: walks, not simple paths) and §4 (until-times); docs/spec/facts.md §13. The kernel of
`forward` is this one without an end; docs/decisions/0341 says why there are two.

A party exposes over ranges of half ticks: 2t for meetings and flows at t, 2t + 1 for flows at t alone (`strict`). What is
covered is never followed again: who exposes at a tick does so however it came to it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import accumulate
from typing import Final, NamedTuple

from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.forward import ROOT, Label, PlaceLabel, Spread, cover, merged, uncovered
from sudonglian.trace.engine.passing import Passing, Ticks

MANY: Final = -1
"""Whose deposits a place's ticks are that two parties or more have exposed: they expose everybody."""

NOBODY: Final = -2


class Seed(NamedTuple):
    """A party that is exposed at some tick from `first` to `last`."""

    party: int
    first: Micros
    last: Micros


class _Offer(NamedTuple):
    """A party is exposed at each tick of [start, end), by a meeting (`late`: it may not meet again at once) or not."""

    clock: Micros
    party: int
    end: Micros
    previous: int
    source_row: int = -1
    target_row: int = -1
    arc: int = -1


class _Lasting(Label):
    """A label that knows when it exposes for the last time."""

    until: Micros

    @property
    def last(self) -> Micros:
        """Return the last moment at which the meeting or flow still exposes."""
        return self.until


class _Part(NamedTuple):
    """Half ticks at which a label's party exposes and did not before."""

    party: int
    label: int
    low: Micros
    high: Micros


class _Span(NamedTuple):
    """A place exposes over [start, end) through a label's row."""

    start: Micros
    row: int
    end: Micros
    label: int
    whole: Micros


@dataclass(slots=True)
class _State:
    passing: Passing
    strict: bool
    labels: list[Label] = field(default_factory=list)
    first: dict[int, int] = field(default_factory=dict)
    best: dict[int, int] = field(default_factory=dict)
    alive: dict[int, list[Ticks]] = field(default_factory=dict)
    owned: dict[int, list[tuple[Micros, Micros, int]]] = field(default_factory=dict)
    reach: dict[int, list[Micros]] = field(default_factory=dict)
    offers: list[_Offer] = field(default_factory=list)

    def commit(self, offer: _Offer, hops: int) -> int:
        number = len(self.labels)
        party, clock = offer.party, offer.clock
        label = _Lasting(party, clock, hops, offer.previous, offer.source_row, offer.target_row, offer.arc)
        label.until = offer.end - 1
        self.labels.append(label)
        self.first.setdefault(party, number)
        if party not in self.best or clock < self.labels[self.best[party]].clock:
            self.best[party] = number
        return number


def spread(
    passing: Passing,
    seeds: Iterable[Seed],
    *,
    strict: bool,
    max_hops: int | None = None,
    layer: Callable[[int, int], None] | None = None,
) -> Spread:
    """Return who and what is exposed, from when, after how many hops at least, and how: as `forward.spread` does."""
    state = _State(passing, strict)
    first_place: dict[int, PlaceLabel] = {}
    best_place: dict[int, PlaceLabel] = {}
    covered: dict[int, list[Ticks]] = {}
    state.offers = [_Offer(2 * seed.first, seed.party, seed.last + 1, ROOT) for seed in seeds]
    hops = 0
    while state.offers:
        if layer is not None:
            layer(hops, len({offer.party for offer in state.offers}))
        parts = _settle(state, hops)
        state.offers = []
        if max_hops is not None and hops >= max_hops:
            break
        for place, spans in sorted(_deposits(state, parts).items()):
            spans.sort()
            begin, row, _, label, _ = spans[0]
            reached = PlaceLabel(begin, hops + 1, label, passing.columns.origin[row])
            first_place.setdefault(place, reached)
            if place not in best_place or begin < best_place[place].time:
                best_place[place] = reached
            cover(merged((one.start, 0, one.whole, 0) for one in spans), covered.setdefault(place, []))
            for span in spans:
                _pick_up(state, place, span)
        _cross(state, parts)
        hops += 1
    return Spread(state.labels, state.first, state.best, first_place, best_place, covered, state.alive)


def _settle(state: _State, hops: int) -> list[_Part]:
    """Commit the layer's offers and what they become without a hop; return where they expose anew."""
    heap, parts = state.offers, []
    heapify(heap)
    while heap:
        offer = heappop(heap)
        alive = state.alive.setdefault(offer.party, [])
        piece = offer.clock, 2 * (state.passing.fading(offer.party).last(offer.end - 1) + 1)
        fresh = [_Part(offer.party, len(state.labels), low, high) for low, high, _ in uncovered([piece], alive)]
        if not fresh:
            continue
        label = state.commit(offer, hops)
        cover([(part.low, part.high) for part in fresh], alive)
        parts += fresh
        for part in fresh:
            for offered in _flows(state, part, label, hops=0):
                heappush(heap, offered)
    return parts


def _flows(state: _State, part: _Part, label: int, *, hops: int) -> Iterator[_Offer]:
    """Yield what a party becomes, with so many hops, while it exposes anew."""
    columns = state.passing.columns
    for number in columns.arcs_from.get(part.party, ()):
        _, target, time, cost = columns.arcs[number]
        if cost == hops and part.low <= 2 * time + 1 and 2 * time < part.high:
            yield _Offer(max(part.low, 2 * time), target, time + 1, label, arc=number)


def _cross(state: _State, parts: Iterable[_Part]) -> None:
    for part in parts:
        state.offers += _flows(state, part, part.label, hops=1)


def _deposits(state: _State, parts: Iterable[_Part]) -> dict[int, list[_Span]]:
    """Return where and when the parts expose places."""
    passing = state.passing
    spans: dict[int, list[_Span]] = {}
    for party, label, low, high in parts:
        for row in passing.columns.of_party(party, low // 2 - 1, (high + 1) // 2 + 1):
            start, left, whole = passing.give(row, low, high)
            if start < whole:
                spans.setdefault(passing.columns.place[row], []).append(_Span(start, row, left, label, whole))
    return spans


def _pick_up(state: _State, place: int, span: _Span) -> None:
    """Offer exposure to whoever else is in the place while a span exposes it and none did before for them."""
    columns = state.passing.columns
    low, high = columns.of_place(place)
    giver = columns.party[span.row]
    reach = state.reach.get(place)
    if reach is None:
        reach = state.reach[place] = list(accumulate(columns.shut[low:high], max))
    for start, end, owner in claim(state.owned.setdefault(place, []), span.start, span.end, giver):
        first = low + bisect_right(reach, start)
        for row in range(first, bisect_left(columns.open, end, first, high)):
            party = columns.party[row]
            if party == giver or owner not in (NOBODY, party):
                continue
            begin, finish = state.passing.take(row, start, end)
            if begin < finish:
                late = state.strict and not columns.delay.get(place, 0)
                rows = columns.origin[span.row], columns.origin[row]
                state.offers.append(_Offer(2 * begin + late, party, finish, span.label, *rows))


def claim(
    owned: list[tuple[Micros, Micros, int]], start: Micros, end: Micros, giver: int
) -> list[tuple[Micros, Micros, int]]:
    """Say that a party exposes a place over [start, end); return where that is new, and to whom: all, or one owner.

    Nobody is exposed by what they deposited themselves: so ticks that one party alone has exposed are that party's, and a
    second one exposes the first there.

    >>> ticks = [(0, 10, 7)]
    >>> claim(ticks, 5, 15, 8), ticks
    ([(5, 10, 7), (10, 15, -2)], [(0, 5, 7), (5, 10, -1), (10, 15, 8)])
    >>> claim(ticks, 0, 20, 7)
    [(10, 15, 8), (15, 20, -2)]
    """
    if start >= end:
        return []
    low = bisect_right(owned, start, key=lambda one: one[1])
    high = bisect_left(owned, end, key=lambda one: one[0])
    found: list[tuple[Micros, Micros, int]] = []
    left: list[tuple[Micros, Micros, int]] = []
    now = start
    for begin, finish, owner in owned[low:high]:
        if begin < start:
            left.append((begin, start, owner))
        if now < begin:
            found.append((now, begin, NOBODY))
            left.append((now, begin, giver))
        begin, now = max(begin, start), min(finish, end)
        if owner not in (giver, MANY):
            found.append((begin, now, owner))
            owner = MANY
        left.append((begin, now, owner))
        if finish > end:
            left.append((end, finish, owned[high - 1][2]))
    if now < end:
        found.append((now, end, NOBODY))
        left.append((now, end, giver))
    owned[low:high] = left
    return found
