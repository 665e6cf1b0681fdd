"""Whom to look at first: a dose that each source gives by what it can have got itself, so that weak links stay weak.

tracing.md §3.8; docs/spec/facts.md §16 and docs/decisions/0345. dose = Σ load · mode · duration; a source's load is what
its own dose made of it, d / (d + k). An order, no probability; whole numbers alone, so that every machine orders alike.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from sudonglian.trace.engine import risk
from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.policies import Touch
from sudonglian.trace.engine.reached import Reached
from sudonglian.trace.engine.risk import GENERATIONS, WHOLE, Exposing, _Strengths, exposing, met
from sudonglian.trace.engine.terms import Terms

PERSON: Final = "person"


class _Dosing:
    """The loads by which parties expose, generation by generation."""

    def __init__(self, reached: Reached, terms: Terms, end: Micros, *, certain: bool) -> None:
        run = reached.run
        self._reached, self._run, self._end, self._rule = reached, run, end, terms.policy.risk
        self._touch: Touch = terms.policy.risk.touch
        self._strengths = _Strengths(run, terms, certain=certain)
        labels = run.spread.labels
        self.labels = {party: labels[label] for party, label in run.spread.first.items()}
        self.generations: list[list[int]] = [[] for _ in range(GENERATIONS + 1)]
        for number in sorted(self.labels, key=self._order):
            if self.labels[number].hops <= GENERATIONS:
                self.generations[self.labels[number].hops].append(number)
        self._arcs: dict[int, list[tuple[int, Micros, int]]] = {}
        for source, label in self.labels.items():
            for arc in run.ground.columns.arcs_from.get(source, ()):
                _, target, time, cost = run.ground.arcs[arc]
                if target in self.labels and time <= end and label.clock <= 2 * time + 1:
                    self._arcs.setdefault(target, []).append((source, time, cost))
        self._loads: dict[int, int] = {}

    def found(self) -> dict[int, int]:
        """Return the dose of each party: first from what needed fewer hops, then also from what needed as many.

        Somebody may have been in a room with something exposed, and have carried a box that needed no more hops: the
        first says the generation, the second is what counts.
        """
        told, own = dict.fromkeys(self.labels, 0), dict.fromkeys(self.labels, 0)
        hops = self._reached.hops
        for generation, some in enumerate(self.generations):
            for one in some:
                dose = told[one] + self._became(one, generation)
                self._loads[one] = self._load(dose) if generation else WHOLE
            if not some:
                continue
            # All that it adds to: the later ones now, of its own generation what counts in the end.
            asked = (hops >= max(generation, 1)) & (hops <= GENERATIONS)
            by = self._of(generation)
            for party, dose in met(self._reached, asked, by, self._rule.instant):
                told[party] += dose
            for party, dose in by.own(self._rule.instant):
                own[party] += dose
        found = dict.fromkeys(self.labels, 0)
        for generation, some in enumerate(self.generations[1:], start=1):
            for one in some:
                found[one] = told[one] - own[one] + self._became(one, generation)
        return found

    def _order(self, number: int) -> tuple[int, int, str, str, int]:
        """Return where a party stands: what is split off comes after what it was split from."""
        label, who = self.labels[number], self._run.parties[number]
        return label.hops, label.clock, who.kind, who.id, number

    def _of(self, generation: int) -> Exposing:
        """Return how a generation exposes the places where it was."""
        parties, touch = self._run.parties, self._touch
        return exposing(
            self._reached,
            self._reached.hops == generation,
            self._loads.__getitem__,
            lambda one: touch.persons if parties[one].kind == PERSON else touch.goods,
            self._strengths,
            self._end,
        )

    def _became(self, one: int, generation: int) -> int:
        """Return what came with what it was made of, split from or packed into; the same goods need no hop."""
        total = 0
        for source, time, cost in self._arcs.get(one, ()):
            label = self.labels[source]
            if label.hops < generation + (cost == 0):
                load = self._strengths.of(source).left(label.time, max(time, label.time), self._loads.get(source, 0))
                total += load * self._rule.flow * self._touch.goods["handoff"]
        return total

    def _load(self, dose: int) -> int:
        """Return what a dose makes of somebody: half of all at k, never all."""
        dose //= WHOLE
        return WHOLE * dose // (dose + self._touch.half)


def doses(
    reached: Reached, terms: Terms, end: Micros, *, certain: bool, asked: Collection[int] | None = None
) -> Mapping[int, int]:
    """Return the dose of each party's number (or of those asked for); 0 beyond the first generations. Forward alone."""
    found = _Dosing(reached, terms, end, certain=certain).found()
    return found if asked is None else {one: found[one] for one in asked}


FIRST_RANK: Final = "rank/1"
"""The edition that ranked what is certain by what came after the sample alone."""

RANKS: Final[Mapping[str, Callable[..., Mapping[int, int]]]] = {FIRST_RANK: risk.doses, "rank/2": doses}
"""How members are ranked, by edition."""
