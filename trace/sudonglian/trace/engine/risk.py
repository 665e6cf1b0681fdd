"""A rank of the exposed by the dose that they may have met: an order in which to look, no probability.

tracing.md §3.8; docs/spec/facts.md §15. dose = Σ load · mode · duration over a member's meetings with what needed fewer
hops; the load of a source is what decay and the transfer of each hop of its walk leave. R = 1 - exp(-dose/k) rises with the
dose, so that the dose alone ranks; whole numbers alone.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from sudonglian.trace.engine.exposure import united
from sudonglian.trace.engine.facts import INSTANT, Micros
from sudonglian.trace.engine.fading import Gradual
from sudonglian.trace.engine.forward import ROOT
from sudonglian.trace.engine.policies import UNIT, Curve
from sudonglian.trace.engine.run import Run
from sudonglian.trace.engine.terms import Terms

GENERATIONS: Final = 3
"""Members of later generations have no rank: their doses are products of too many guesses to be told apart."""

WHOLE: Final = 1 << 60
"""The load of what is positive."""

HALVINGS: Final = 40
"""After so many halvings a load counts as nothing."""


class _Level:
    """How much exposes a place over time, by what needed so many hops; sums of it from the beginning."""

    def __init__(self, pieces: list[tuple[Micros, Micros, int]]) -> None:
        changes: dict[Micros, int] = {}
        for start, end, load in pieces:
            changes[start] = changes.get(start, 0) + load
            changes[end] = changes.get(end, 0) - load
        self._times = sorted(changes)
        self._loads: list[int] = []
        self._sums: list[int] = []
        load = total = 0
        for number, time in enumerate(self._times):
            if number:
                total += load * (time - self._times[number - 1])
            load += changes[time]
            self._loads.append(load)
            self._sums.append(total)

    def at(self, tick: Micros) -> int:
        """Return the load at a tick."""
        number = bisect_right(self._times, tick) - 1
        return self._loads[number] if number >= 0 else 0

    def before(self, tick: Micros) -> int:
        """Return the sum of all loads before a tick."""
        number = bisect_right(self._times, tick) - 1
        return self._sums[number] + self._loads[number] * (tick - self._times[number]) if number >= 0 else 0


class _Strength(NamedTuple):
    """How strong a party's exposure is as time goes on: halved and doubled by its temperatures."""

    waning: Gradual | None
    growing: Gradual | None
    most: int

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


def doses(run: Run, terms: Terms, end: Micros, *, certain: bool) -> Mapping[int, int]:
    """Return the dose of each party's number of the first generations; 0 beyond them. Forward alone has doses."""
    spread, land, rule = run.spread, run.ground, terms.policy.risk
    labels, columns = spread.labels, land.columns
    hops = {party: labels[label].hops for party, label in spread.first.items()}
    strengths = _Strengths(run, terms, certain=certain)
    loads: dict[int, int] = {}
    for number in sorted(spread.first.values(), key=lambda one: labels[one].hops):
        chain, at = [], number
        while at != ROOT and at not in loads:
            chain.append(at)
            at = labels[at].previous
        for one in reversed(chain):
            label = labels[one]
            before = WHOLE if label.previous == ROOT else loads[label.previous]
            if label.previous != ROOT:
                previous = labels[label.previous]
                before = strengths.of(previous.party).left(previous.time, max(label.time, previous.time), before)
                for _ in range(label.hops - previous.hops):
                    before = before * rule.transfer.numerator // rule.transfer.denominator
            loads[one] = before
    pieces: dict[int, dict[int, list[tuple[Micros, Micros, int]]]] = {}
    there: dict[int, list[tuple[int, list[tuple[Micros, Micros]]]]] = {}
    for party, generation in hops.items():
        if generation > GENERATIONS or party + 1 >= len(columns.party_first):
            continue
        stays: dict[int, list[tuple[Micros, Micros]]] = {}
        for row in columns.party_row[columns.party_first[party] : columns.party_first[party + 1]]:
            stays.setdefault(columns.place[row], []).append((columns.start[row], columns.end[row]))
        first = labels[spread.first[party]]
        modes = rule.goods if run.parties[party].kind == "item" else rule.modes
        for place, spans in stays.items():
            mode = modes.get(run.places[place].kind, 0)
            joined = list(united(spans))
            there.setdefault(place, []).append((party, joined))
            for start, until in joined if generation < GENERATIONS else ():
                begin, finish = max(start, (first.clock + 1) // 2), min(until, end + 1)
                if begin < finish:
                    load = loads[spread.first[party]] * mode
                    told = strengths.of(party).pieces(first.time, begin, finish, load)
                    pieces.setdefault(place, {}).setdefault(generation, []).extend(told)
    found = dict.fromkeys(hops, 0)
    for place, levels in pieces.items():
        sums = {generation: _Level(told) for generation, told in levels.items()}
        for party, spans in there[place]:
            for generation, level in sums.items():
                if generation < hops[party]:
                    found[party] += sum(_met(level, span, rule.instant, end) for span in spans)
    for source, target, time, cost in land.arcs:
        if source not in hops or target not in hops or time > end or hops[target] > GENERATIONS:
            continue
        # What was split off needed as many hops: it is the same goods.
        if hops[source] < hops[target] + (cost == 0):
            first = labels[spread.first[source]]
            if first.clock <= 2 * time + 1:
                load = strengths.of(source).left(first.time, max(time, first.time), loads[spread.first[source]])
                found[target] += load * rule.flow * rule.modes["handoff"]
    return found


def _met(level: _Level, span: tuple[Micros, Micros], instant: Micros, end: Micros) -> int:
    """Return load times duration; a meeting whose length nobody wrote down counts as some minutes."""
    start, until = span
    if until - start == INSTANT:
        return level.at(start) * instant
    until = min(until, end + 1)
    return level.before(until) - level.before(start) if start < until else 0


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
