"""A rank of the exposed by the dose that they may have met: an order in which to look, no probability.

tracing.md §3.8; docs/spec/facts.md §15. dose = Σ load · mode · duration over a member's meetings with what needed fewer
hops; the load of a source is what decay and the transfer of each hop of its walk leave. R = 1 - exp(-dose/k) rises with the
dose, so that the dose alone ranks; whole numbers alone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sudonglian.trace.engine.facts import INSTANT, Micros
from sudonglian.trace.engine.fading import Gradual
from sudonglian.trace.engine.forward import ROOT
from sudonglian.trace.engine.policies import UNIT, Curve, Risk
from sudonglian.trace.engine.query import PLACES
from sudonglian.trace.engine.reached import Reached
from sudonglian.trace.engine.run import Run
from sudonglian.trace.engine.spans import Codes, Spans, added, numbered, weighed
from sudonglian.trace.engine.terms import Terms

GENERATIONS: Final = 3
"""Members of later generations have no rank: their doses are products of too many guesses to be told apart."""

WHOLE: Final = 1 << 60
"""The load of what is positive."""

HALVINGS: Final = 40
"""After so many halvings a load counts as nothing."""


class _Strength(NamedTuple):
    """How strong a party's exposure is as time goes on: halved and doubled by its temperatures."""

    waning: Gradual | None
    growing: Gradual | None
    most: int

    @property
    def changes(self) -> bool:
        """Tell whether it changes at all."""
        return self.waning is not None or self.growing is not None

    def pieces(self, since: Micros, start: Micros, end: Micros, load: int) -> Iterator[tuple[Micros, Micros, int]]:
        """Yield the load over [start, end) of what was exposed at `since`: it changes where it has halved or doubled."""
        changes: list[tuple[Micros, int]] = []
        for fading, step, most in ((self.waning, -1, HALVINGS), (self.growing, 1, self.most)):
            now = since
            for _ in range(most if fading is not None else 0):
                now = fading.last(now) + 1 if fading is not None else end
                if now >= end:
                    break
                changes.append((now, step))
        power, begin = 0, start
        for time, step in sorted(changes):
            if time > begin:
                yield begin, time, _scaled(load, power)
                begin = time
            power += step
        if begin < end:
            yield begin, end, _scaled(load, power)

    def left(self, since: Micros, time: Micros, load: int) -> int:
        """Return the load at a time."""
        return next((weight for *_, weight in self.pieces(since, time, time + 1, load)), 0)


def _scaled(load: int, power: int) -> int:
    return load << power if power >= 0 else load >> -power


class _Loads:
    """How much of what was positive is left at each label, made when it is asked for."""

    def __init__(self, run: Run, rule: Risk, strengths: "_Strengths") -> None:
        self._labels, self._rule, self._strengths = run.spread.labels, rule, strengths
        self._known: dict[int, int] = {}

    def of(self, number: int) -> int:
        """Return the load of a label: of its walk, each hop passes on a part."""
        chain, at, labels, rule = [], number, self._labels, self._rule
        while at != ROOT and at not in self._known:
            chain.append(at)
            at = labels[at].previous
        for one in reversed(chain):
            label = labels[one]
            before = WHOLE if label.previous == ROOT else self._known[label.previous]
            if label.previous != ROOT:
                previous = labels[label.previous]
                before = self._strengths.of(previous.party).left(previous.time, max(label.time, previous.time), before)
                for _ in range(label.hops - previous.hops):
                    before = before * rule.transfer.numerator // rule.transfer.denominator
            self._known[one] = before
        return self._known[number]


class Exposing(NamedTuple):
    """When some parties expose which place (the group), and by how much: the number of a worth, load times mode."""

    spans: Spans
    kind: Codes
    worth: list[int]
    party: Codes
    brief: NDArray[np.bool_]
    """Whether it is of a stay whose length nobody wrote down."""

    def own(self, instant: Micros) -> Iterator[tuple[int, int]]:
        """Yield what parties have met of what they exposed themselves, by worth: where and while they do, they are."""
        many = len(self.worth)
        key, which = np.unique((self.party * many + self.kind) * 2 + self.brief, return_inverse=True)
        lengths = added(which, self.spans.end - self.spans.start, len(key))
        for one, length in zip(key.tolist(), lengths, strict=True):
            yield one // 2 // many, self.worth[one // 2 % many] * length * (instant if one % 2 else 1)


def doses(
    reached: Reached, terms: Terms, end: Micros, *, certain: bool, asked: Collection[int] | None = None
) -> Mapping[int, int]:
    """Return the dose of each party's number (or of those asked for); 0 beyond the first generations. Forward alone."""
    run, hops, rule = reached.run, reached.hops, terms.policy.risk
    spread, land = run.spread, run.ground
    strengths = _Strengths(run, terms, certain=certain)
    loads = _Loads(run, rule, strengths)
    wanted = np.zeros(len(hops), np.bool_)
    wanted[list(spread.first if asked is None else asked)] = True
    wanted &= hops <= GENERATIONS
    found = dict.fromkeys(spread.first if asked is None else asked, 0)
    for generation in range(GENERATIONS):
        by = exposing(
            reached,
            hops == generation,
            lambda one: loads.of(spread.first[one]),
            lambda one: rule.goods if run.parties[one].kind == "item" else rule.modes,
            strengths,
            end,
        )
        for party, dose in met(reached, wanted & (hops > generation), by, rule.instant):
            found[party] += dose
    for source in spread.first:
        first = spread.labels[spread.first[source]]
        for number in land.columns.arcs_from.get(source, ()):
            _, target, time, cost = land.arcs[number]
            if not wanted[target] or time > end:
                continue
            # What was split off needed as many hops: it is the same goods.
            if hops[source] < hops[target] + (cost == 0) and first.clock <= 2 * time + 1:
                load = strengths.of(source).left(first.time, max(time, first.time), loads.of(spread.first[source]))
                found[target] += load * rule.flow * rule.modes["handoff"]
    return found


def exposing(
    reached: Reached,
    sources: NDArray[np.bool_],
    load: Callable[[int], int],
    modes: Callable[[int], Mapping[str, int]],
    strengths: "_Strengths",
    end: Micros,
) -> Exposing:
    """Return when some of the exposed expose the places that they are in, from when they needed the fewest hops."""
    run = reached.run
    place, party, start, until = reached.stays
    begin, finish = np.maximum(start, reached.onset[party]), np.minimum(until, end + 1)
    here = np.flatnonzero(sources[party] & (begin < finish))
    brief = (until - start == INSTANT)[here]
    place, party, begin, finish = place[here], party[here], begin[here], finish[here]
    pair, each = numbered(party * len(PLACES) + reached.places[place], len(reached.hops) * len(PLACES))
    loaded = [
        load(one // len(PLACES)) * modes(one // len(PLACES)).get(PLACES[one % len(PLACES)], 0) for one in pair.tolist()
    ]
    known: dict[int, int] = {0: 0}
    kind = np.array([known.setdefault(one, len(known)) for one in loaded], np.int64)[each]
    changes = np.array([strengths.of(one // len(PLACES)).changes for one in pair.tolist()], np.bool_)[each]
    parts: list[tuple[int, ...]] = []
    for at in np.flatnonzero(changes & (kind > 0)).tolist():
        who = int(party[at])
        since = run.spread.labels[run.spread.first[who]].time
        told = strengths.of(who).pieces(since, int(begin[at]), int(finish[at]), loaded[int(each[at])])
        parts += [
            (int(place[at]), low, high, known.setdefault(left, len(known)), who, int(brief[at]))
            for low, high, left in told
        ]
    steady = np.flatnonzero(~changes)
    columns = [
        np.concatenate((one[steady], other))
        for one, other in zip(
            (place, begin, finish, kind, party, brief), np.array(parts, np.int64).reshape(-1, 6).T, strict=True
        )
    ]
    # What is worth nothing adds nothing.
    place, begin, finish, kind, party, short = (one[columns[3] > 0] for one in columns)
    return Exposing(Spans(place, begin, finish), kind, list(known), party, short > 0)


def met(reached: Reached, asked: NDArray[np.bool_], by: Exposing, instant: Micros) -> Iterator[tuple[int, int]]:
    """Yield what parties have met where others exposed: load times duration."""
    place, party, start, until = reached.stays
    here = np.flatnonzero(asked[party])
    place, party, start, until = place[here], party[here], start[here], until[here]
    # A meeting whose length nobody wrote down counts as some minutes.
    brief = until - start == INSTANT
    some, which = numbered(party, len(reached.hops))
    told = weighed(by.spans, by.kind, by.worth, Spans(place, start, until), 2 * which + brief, 2 * len(some))
    for one, long, short in zip(some.tolist(), told[::2], told[1::2], strict=True):
        yield one, long + instant * short


class _Strengths:
    """The strengths of a run's parties, made when they are asked for."""

    def __init__(self, run: Run, terms: Terms, *, certain: bool) -> None:
        self._run, self._terms, self._certain = run, terms, certain
        self._known: dict[int, _Strength] = {}

    def of(self, party: int) -> _Strength:
        """Return how strong a party's exposure stays."""
        found = self._known.get(party)
        if found is None:
            found = self._known[party] = self._made(party)
        return found

    def _made(self, party: int) -> _Strength:
        who, terms = self._run.parties[party], self._terms
        curve: Curve | None = terms.curve(who.kind)
        if curve is None:
            return _Strength(None, None, 0)
        rates = terms.climate.rates_of(who, curve, certain=self._certain)
        down, up = ([(time, max(sign * rate, 0)) for time, rate in rates] for sign in (1, -1))
        return _Strength(
            Gradual(down, UNIT) if any(rate for _, rate in down) else None,
            Gradual(up, UNIT) if any(rate for _, rate in up) else None,
            curve.doublings,
        )


def ranked(told: Mapping[str, int]) -> Mapping[str, int]:
    """Return the rank of each name by its dose: 1 for the highest, equal doses alike, 0 for none.

    >>> ranked({"a": 5, "b": 9, "c": 5, "d": 0, "e": 1})
    {'a': 2, 'b': 1, 'c': 2, 'd': 0, 'e': 4}
    """
    ordered = sorted((dose for dose in told.values() if dose), reverse=True)
    first: dict[int, int] = {}
    for number, dose in enumerate(ordered, start=1):
        first.setdefault(dose, number)
    return {name: first.get(dose, 0) for name, dose in told.items()}
