"""Whom to look at first: a dose that each source gives by what it can have got itself, so that weak links stay weak.

tracing.md §3.8; docs/spec/facts.md §16 and docs/decisions/0345. dose = Σ load · mode · duration; a source's load is what
its own dose made of it, d / (d + k). An order, no probability; whole numbers alone, so that every machine orders alike.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from sudonglian.trace.engine import risk
from sudonglian.trace.engine.exposure import united
from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.forward import Label
from sudonglian.trace.engine.policies import Touch
from sudonglian.trace.engine.risk import GENERATIONS, WHOLE, _Level, _met, _Strengths
from sudonglian.trace.engine.run import Run
from sudonglian.trace.engine.terms import Terms

_Spans = Sequence[tuple[Micros, Micros]]

PERSON: Final = "person"


class _Party(NamedTuple):
    """An exposed party of the first generations: since when, and where it was when."""

    number: int
    label: Label
    stays: Mapping[int, _Spans]


class _Dosing:
    """The levels at which places are exposed, by generation, and the loads by which they are."""

    def __init__(self, run: Run, terms: Terms, end: Micros, *, certain: bool) -> None:
        self._run, self._end, self._rule = run, end, terms.policy.risk
        self._touch: Touch = terms.policy.risk.touch
        self._strengths = _Strengths(run, terms, certain=certain)
        labels = run.spread.labels
        self.labels = {party: labels[label] for party, label in run.spread.first.items()}
        self.generations: list[list[_Party]] = [[] for _ in range(GENERATIONS + 1)]
        for number in sorted(self.labels, key=self._order):
            label = self.labels[number]
            if label.hops <= GENERATIONS:
                self.generations[label.hops].append(_Party(number, label, self._stays(number)))
        self._arcs: dict[int, list[tuple[int, Micros, int]]] = {}
        for source, target, time, cost in run.ground.arcs:
            one = self.labels.get(source)
            if one is not None and target in self.labels and time <= end and one.clock <= 2 * time + 1:
                self._arcs.setdefault(target, []).append((source, time, cost))
        self._levels: dict[int, list[_Level]] = {}
        self._loads: dict[int, int] = {}

    def found(self) -> dict[int, int]:
        """Return the dose of each party: first from what needed fewer hops, then also from what needed as many.

        Somebody may have been in a room with something exposed, and have carried a box that needed no more hops: the
        first says the generation, the second is what counts.
        """
        for generation, some in enumerate(self.generations):
            for one in some:
                dose = self._met(one, generation) + self._became(one, generation)
                self._loads[one.number] = self._load(dose) if generation else WHOLE
            self._expose(generation, some)
        found = dict.fromkeys(self.labels, 0)
        for generation, some in enumerate(self.generations[1:], start=1):
            for one in some:
                own = {place: _Level(pieces) for place, pieces in self._pieces(one).items()}
                dose = self._met(one, generation + 1) - sum(
                    self._sum(level, one.stays[place]) for place, level in own.items()
                )
                found[one.number] = dose + self._became(one, generation)
        return found

    def _order(self, number: int) -> tuple[int, int, str, str, int]:
        """Return where a party stands: what is split off comes after what it was split from."""
        label, who = self.labels[number], self._run.parties[number]
        return label.hops, label.clock, who.kind, who.id, number

    def _stays(self, number: int) -> Mapping[int, _Spans]:
        columns = self._run.ground.columns
        if number + 1 >= len(columns.party_first):
            return {}
        found: dict[int, list[tuple[Micros, Micros]]] = {}
        for row in columns.party_row[columns.party_first[number] : columns.party_first[number + 1]]:
            found.setdefault(columns.place[row], []).append((columns.start[row], columns.end[row]))
        return {place: list(united(spans)) for place, spans in found.items()}

    def _expose(self, generation: int, some: Sequence[_Party]) -> None:
        """Let a generation expose the places where it was."""
        told: dict[int, list[tuple[Micros, Micros, int]]] = {}
        for one in some:
            for place, pieces in self._pieces(one).items():
                told.setdefault(place, []).extend(pieces)
        for place, pieces in told.items():
            levels = self._levels.setdefault(place, [])
            levels += [_Level([])] * (generation - len(levels))
            levels.append(_Level(pieces))

    def _pieces(self, one: _Party) -> Mapping[int, list[tuple[Micros, Micros, int]]]:
        """Return how much a party exposes each place, and when."""
        modes = self._touch.persons if self._run.parties[one.number].kind == PERSON else self._touch.goods
        since = (one.label.clock + 1) // 2
        found = {}
        for place, spans in one.stays.items():
            load = self._loads[one.number] * modes.get(self._run.places[place].kind, 0)
            told = [(max(start, since), min(until, self._end + 1)) for start, until in spans]
            pieces = [
                piece
                for begin, finish in told
                if begin < finish and load
                for piece in self._strengths.of(one.number).pieces(one.label.time, begin, finish, load)
            ]
            if pieces:
                found[place] = pieces
        return found

    def _met(self, one: _Party, generations: int) -> int:
        """Return what somebody met where something of the first generations exposed."""
        return sum(
            self._sum(level, spans)
            for place, spans in one.stays.items()
            for level in self._levels.get(place, ())[:generations]
        )

    def _sum(self, level: _Level, spans: _Spans) -> int:
        return sum(_met(level, span, self._rule.instant, self._end) for span in spans)

    def _became(self, one: _Party, generation: int) -> int:
        """Return what came with what it was made of, split from or packed into; the same goods need no hop."""
        total = 0
        for source, time, cost in self._arcs.get(one.number, ()):
            label = self.labels[source]
            if label.hops < generation + (cost == 0):
                load = self._strengths.of(source).left(label.time, max(time, label.time), self._loads.get(source, 0))
                total += load * self._rule.flow * self._touch.goods["handoff"]
        return total

    def _load(self, dose: int) -> int:
        """Return what a dose makes of somebody: half of all at k, never all."""
        dose //= WHOLE
        return WHOLE * dose // (dose + self._touch.half)


def doses(run: Run, terms: Terms, end: Micros, *, certain: bool) -> Mapping[int, int]:
    """Return the dose of each party's number of the first generations; 0 beyond them. Forward alone has doses."""
    return _Dosing(run, terms, end, certain=certain).found()


FIRST_RANK: Final = "rank/1"
"""The edition that ranked what is certain by what came after the sample alone."""

RANKS: Final[Mapping[str, Callable[..., Mapping[int, int]]]] = {FIRST_RANK: risk.doses, "rank/2": doses}
"""How members are ranked, by edition."""
