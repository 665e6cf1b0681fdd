"""One run of the kernel over facts: certain facts alone, or all; and the walks that it explains.

tracing.md §3.3 and §3.6; a walk is a list of steps, each a fact with the records that it rests on.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sudonglian.trace.engine.facts import OPEN_END, Facts, Flow, Micros, Party, Place, Stay, micros
from sudonglian.trace.engine.forward import ROOT, Label, PlaceLabel, Spread, spread
from sudonglian.trace.engine.lives import Numbered, ends_of
from sudonglian.trace.engine.presence import Arc, Index, Row, clipped, cut, index, turned
from sudonglian.trace.engine.progress import Report, Stage, silent
from sudonglian.trace.engine.query import SAMPLE, Seed, TraceQuery, sampled


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


class Ground(NamedTuple):
    """What a kernel runs over: facts as numbered rows and arcs, and what the numbers stand for.

    `parties` and `places` are the lives; several numbers stand for one party if it was disinfected in between.
    """

    stays: Sequence[Stay]
    flows: Sequence[Flow]
    parties: Numbered[Party]
    places: Numbered[Place]
    rows: Sequence[Row]
    stay_of: Sequence[int]
    arcs: Sequence[Arc]
    linger: Mapping[int, Micros]
    columns: Index


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

    def stay(self, row: int) -> Stay:
        """Return the stay that a row is, or is a piece of."""
        return self.ground.stays[self.ground.stay_of[row]]

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
        return [*self.stay_step(label.source_row, hop, time), *self.stay_step(label.target_row, hop, time)]

    def stay_step(self, row: int, hop: int, time: Micros) -> list[Step]:
        """Return a stay as a step; the sample that stands for a seed place is no recorded fact."""
        stay = self.stay(row)
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


def runs(facts: Facts, query: TraceQuery, meant: Sequence[Seed], report: Report = silent) -> tuple[Run, Run]:
    """Return the run over all facts and the run over the certain ones; where nothing is uncertain, one ground does."""
    virtual = any(isinstance(seed.subject, Place) for seed in meant)
    report(Stage("index", total=len(facts.stays)))
    wide = ground(facts, query, meant, certain=False)
    sure = not virtual and all(all(one.certain for one in some) for some in (facts.cleans, facts.flows, facts.stays))
    narrow = wide if sure else ground(facts, query, meant, certain=True)
    first = _run(wide, query, meant, report, certain=False)
    if sure and all(seed.certain == seed.possible for seed in meant):
        return first, first
    return first, _run(narrow, query, meant, report, certain=True)


def ground(facts: Facts, query: TraceQuery, meant: Sequence[Seed], *, certain: bool) -> Ground:
    """Return the certain facts, or all, as the kernel takes them."""
    virtual = [stay for seed in meant if (stay := sampled(seed, query, certain=certain)) is not None]
    stays = [*(stay for stay in facts.stays if stay.certain or not certain), *virtual]
    flows = [flow for flow in facts.flows if flow.certain or not certain]
    named = {stay.who for stay in stays} | {party for flow in flows for party in (flow.source, flow.target)}
    named |= {seed.subject for seed in meant if isinstance(seed.subject, Party)}
    ends = ends_of(facts, certain=certain)
    parties, places = Numbered(named, ends), Numbered({stay.where for stay in stays}, ends)
    horizon, backward = query.horizon(), query.backward
    rows: list[Row] = []
    stay_of: list[int] = []
    for number, stay in enumerate(stays):
        who, where, start, end = stay.who, stay.where, stay.start, stay.end
        if start >= end:
            continue
        if backward:
            start, end = turned(*clipped(*turned(start, end), horizon))
        else:
            start, end = clipped(start, end, horizon)
        if start >= end:
            continue
        moments = (*ends.get(who, ()), *ends.get(where, ())) if ends else ()
        for begin, finish in cut(start, end, moments) if moments else ((start, end),):
            party, place = parties.at(who, begin), places.at(where, begin)
            rows.append((party, place, *turned(begin, finish)) if backward else (party, place, begin, finish))
            stay_of.append(number)
    arcs: list[Arc] = []
    for flow in flows:
        source, target, time = parties.at(flow.source, flow.time), parties.at(flow.target, flow.time), flow.time
        if backward:
            source, target, time = target, source, -time
        # What is later than the end of the question is sent beyond all time.
        arcs.append((source, target, time if time <= horizon else -OPEN_END, flow.hops))
    linger = {number: wait for number, place in enumerate(places.lives) if (wait := query.persistence(place.kind))}
    return Ground(stays, flows, parties, places, rows, stay_of, arcs, linger, index(rows, arcs, linger))


def _run(land: Ground, query: TraceQuery, meant: Sequence[Seed], report: Report, *, certain: bool) -> Run:
    """Return what the seeds expose over the ground from the certain times, or from the earliest."""
    start = _starts(land, meant, query, certain=certain)

    def layer(hops: int, size: int) -> None:
        report(Stage("certain" if certain else "possible", hops, query.max_generation, size))

    result = spread(land.columns, start, strict=bool(query.strict), max_hops=query.max_generation, layer=layer)
    objects, persons = _counts(result.labels, land.parties.lives, backward=query.backward)
    return Run(land, result, objects, persons, query.backward)


def _starts(land: Ground, meant: Sequence[Seed], query: TraceQuery, *, certain: bool) -> list[tuple[int, Micros]]:
    """Return from when each seed's lives are exposed, on the clock of the direction, up to the question's end.

    Possibly, a seed was exposed before a disinfection and after it; for certain, when it was sampled.
    """
    at, horizon = micros(query.at), query.horizon()
    starts: list[tuple[int, Micros]] = []
    for stay in land.stays[::-1]:
        if stay.fact != SAMPLE:
            break
        starts.append((land.parties.at(stay.who, at), -at if query.backward else -OPEN_END))
    for seed in meant:
        if not isinstance(seed.subject, Party):
            continue
        if query.backward:
            # One of several portions of a lot was the one sampled: each possibly.
            if not certain or seed.certain is not None:
                starts.append((land.parties.at(seed.subject, at), -at))
        elif not certain:
            last = at if seed.certain is None else seed.certain
            starts += land.parties.between(seed.subject, seed.possible, last)
        elif seed.certain is not None:
            starts.append((land.parties.at(seed.subject, seed.certain), seed.certain))
    return [(party, time) for party, time in starts if time <= horizon]


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
