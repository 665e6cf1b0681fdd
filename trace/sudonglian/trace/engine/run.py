"""One run of the kernel over facts: certain facts alone, or all; and the walks that it explains.

tracing.md §3.3 and §3.6; a walk is a list of steps, each a fact with the records that it rests on.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sudonglian.trace.engine import compiled, forward, waning
from sudonglian.trace.engine.facts import OPEN_END, Facts, Flow, Micros, Party, Place, micros
from sudonglian.trace.engine.forward import NO_LAST, ROOT, Label, PlaceLabel, Spread
from sudonglian.trace.engine.ground import Ground, ground
from sudonglian.trace.engine.passing import Passing
from sudonglian.trace.engine.progress import Report, Stage, silent
from sudonglian.trace.engine.query import SAMPLE, Seed, TraceQuery
from sudonglian.trace.engine.terms import Terms
from sudonglian.trace.engine.told import told_of


class Step(NamedTuple):
    """A fact on a walk, and the moment at which exposure passes through it; `hop` numbers the passing on."""

    hop: int
    fact: str
    who: Party
    where: Party | Place
    start: Micros
    end: Micros
    time: Micros
    contact: str
    records: tuple[str, ...]


class Run(NamedTuple):
    """The kernel's answer with the ground that it stands on, and hops counted by kind."""

    ground: Ground
    spread: Spread
    objects: Sequence[int]
    persons: Sequence[int]
    backward: bool

    @property
    def parties(self) -> Sequence[Party]:
        """Return whose life each party's number is."""
        return self.ground.parties.lives

    @property
    def places(self) -> Sequence[Place]:
        """Return whose life each place's number is."""
        return self.ground.places.lives

    @property
    def flows(self) -> Sequence[Flow]:
        """Return the flows that arcs are numbered after."""
        return self.ground.flows

    def meeting(self, label: Label) -> tuple[list[int], list[int]]:
        """Return the stays of the one who gives and of the one who takes that a label's meeting rests on.

        Who waits until they have met long enough may need several records to show that they stayed.
        """
        land, time = self.ground, self.moment(label.time)
        if not land.joined:
            return list(land.stays_of(label.source_row)), list(land.stays_of(label.target_row))
        _, place, start, end = land.rows[label.source_row]
        step = land.dwell.get(place, 0)
        given_at, last = min(time - step, end - 1), time
        if label.last != NO_LAST:
            # Where exposure ceases, the meeting is needed for as long as it exposes, and its source since it was exposed.
            given_at, last = self.spread.labels[label.previous].time, self.moment(label.last)
        if self.backward:
            given, taken = (max(last, start), max(time, start) + step), (last, time + step)
        else:
            given, taken = (given_at, last), (time - step, last)
        return land.covering(label.source_row, *given), land.covering(label.target_row, *taken)

    def steps(self, label: int) -> list[Step]:
        """Return the walk that a label ends, in the order of time: from the seed, or backward to it."""
        chain: list[Label] = []
        while label != ROOT:
            chain.append(self.spread.labels[label])
            label = chain[-1].previous
        chain.reverse()
        found = [step for hop, one in enumerate(chain) for step in self.facts_of(one, hop)]
        return found[::-1] if self.backward else found

    def facts_of(self, label: Label, hop: int) -> list[Step]:
        """Return the facts by which a label follows from the one before: two stays that meet, or a flow."""
        time = self.moment(label.time)
        if label.arc != -1:
            flow = self.flows[label.arc]
            at = flow.time
            return [Step(hop, flow.fact, flow.source, flow.target, at, at + 1, at, "", (flow.record,))]
        if label.previous == ROOT:
            return []
        given, taken = self.meeting(label)
        if self.backward:
            given, taken = given[::-1], taken[::-1]
        return [step for number in (*given, *taken) for step in self._stay_step(number, hop, time)]

    def place_step(self, reached: PlaceLabel, hop: int) -> list[Step]:
        """Return the stay by which a place is exposed."""
        (number,) = self.place_stays(reached)
        return self._stay_step(number, hop, self.moment(reached.time))

    def place_stays(self, reached: PlaceLabel) -> list[int]:
        """Return the one stay of the party that exposes the place at its time."""
        time = self.moment(reached.time)
        return self.ground.covering(reached.source_row, time, time + 1)

    def _stay_step(self, number: int, hop: int, time: Micros) -> list[Step]:
        """Return a stay as a step; the sample that stands for a seed place is no recorded fact."""
        stay = self.ground.stays[number]
        if stay.fact == SAMPLE:
            return []
        records = tuple(dict.fromkeys(record for record in (stay.start_record, stay.end_record) if record))
        return [Step(hop, stay.fact, stay.who, stay.where, stay.start, stay.end, time, stay.contact, records)]

    def moment(self, time: Micros) -> Micros:
        """Return a time of the kernel's clock as it is outside."""
        return -time if self.backward else time

    def place_counts(self, reached: PlaceLabel) -> tuple[int, int]:
        """Return a place's hops through objects and persons, the one that reaches it included."""
        objects, persons = self.objects[reached.previous], self.persons[reached.previous]
        source = self.parties[self.spread.labels[reached.previous].party]
        by_person = source.kind == "person" and not self.backward
        return (objects, persons + 1) if by_person else (objects + 1, persons)


def runs(
    facts: Facts, query: TraceQuery, terms: Terms, meant: Sequence[Seed], report: Report = silent
) -> tuple[Run, Run]:
    """Return the run over all facts and the run over the certain ones; where nothing is uncertain, one ground does."""
    virtual = any(isinstance(seed.subject, Place) for seed in meant)
    report(Stage("index", total=len(facts.stays)))
    stays = told_of(facts)
    wide = ground(facts, stays, query, terms, meant, certain=False)
    # How long something lasts at temperatures that nobody knows is not the same for both.
    sure = (
        terms.exact
        and not virtual
        and all(all(one.certain for one in some) for some in (facts.cleans, facts.flows, facts.stays))
    )
    narrow = wide if sure else ground(facts, stays, query, terms, meant, certain=True)
    first = _run(wide, query, meant, report, certain=False)
    if sure and all(seed.certain == seed.possible for seed in meant):
        return first, first
    return first, _run(narrow, query, meant, report, certain=True)


def _run(land: Ground, query: TraceQuery, meant: Sequence[Seed], report: Report, *, certain: bool) -> Run:
    """Return what the seeds expose over the ground from the certain times, or from the earliest."""
    start = _starts(land, meant, query, certain=certain)

    def layer(hops: int, size: int) -> None:
        report(Stage("certain" if certain else "possible", hops, query.max_generation, size))

    strict, most = bool(query.strict), query.max_generation
    if land.fades:
        passing = Passing(land, backward=query.backward)
        result = waning.spread(passing, start, strict=strict, max_hops=most, layer=layer)
    else:
        seeds = [(party, time) for party, time, _ in start]
        kernel = compiled if compiled.takes(land.columns) else forward
        result = kernel.spread(land.columns, seeds, strict=strict, max_hops=most, layer=layer)
    objects, persons = _counts(result.labels, land.parties.lives, backward=query.backward)
    return Run(land, result, objects, persons, query.backward)


def _starts(land: Ground, meant: Sequence[Seed], query: TraceQuery, *, certain: bool) -> list[waning.Seed]:
    """Return when each seed's lives are exposed, on the clock of the direction, up to the question's end.

    Possibly, a seed was exposed before a disinfection and after it; for certain, when it was sampled.
    """
    at, horizon = micros(query.at), query.horizon()
    starts: list[waning.Seed] = []
    for stay in land.stays[::-1]:
        if stay.fact != SAMPLE:
            break
        time = -at if query.backward else -OPEN_END
        starts.append(waning.Seed(land.parties.at(stay.who, at), time, time))
    for seed in meant:
        if not isinstance(seed.subject, Party):
            continue
        if query.backward:
            # One of several portions of a lot was the one sampled: each possibly.
            if not certain or seed.certain is not None:
                starts.append(waning.Seed(land.parties.at(seed.subject, at), -at, -at))
        elif not certain:
            last = at if seed.certain is None else seed.certain
            lives = land.parties.between(seed.subject, seed.possible, last)
            ends = [*(begin - 1 for _, begin in lives[1:]), last]
            starts += [waning.Seed(life, begin, end) for (life, begin), end in zip(lives, ends, strict=True)]
        elif seed.certain is not None:
            starts.append(waning.Seed(land.parties.at(seed.subject, seed.certain), seed.certain, seed.certain))
    return [seed for seed in starts if seed.first <= horizon]


def _counts(labels: Sequence[Label], parties: Sequence[Party], *, backward: bool) -> tuple[list[int], list[int]]:
    """Return, for each label, its walk's hops through objects and through persons."""
    objects, persons = [0] * len(labels), [0] * len(labels)
    for number, label in enumerate(labels):
        if label.previous == ROOT:
            continue
        before = labels[label.previous]
        passer = parties[label.party if backward else before.party]
        hop = label.hops - before.hops
        by_person = passer.kind == "person"
        objects[number] = objects[label.previous] + (0 if by_person else hop)
        persons[number] = persons[label.previous] + (hop if by_person else 0)
    return objects, persons
