"""One run of the kernel over facts: certain facts alone, or all; and the walks that it explains.

tracing.md §3.3 and §3.6; a walk is a list of steps, each a fact with the records that it rests on.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sudonglian.trace.engine.facts import OPEN_END, Facts, Flow, Micros, Party, Place, Stay, micros
from sudonglian.trace.engine.forward import ROOT, Label, PlaceLabel, Spread, spread
from sudonglian.trace.engine.presence import Row, arcs_of, index, rows_of
from sudonglian.trace.engine.query import Seed, TraceQuery, sampled


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
    """The kernel's answer with the facts and names that its numbers stand for, and hops counted by kind."""

    stays: Sequence[Stay]
    flows: Sequence[Flow]
    parties: Sequence[Party]
    places: Sequence[Place]
    spread: Spread
    objects: Sequence[int]
    persons: Sequence[int]
    backward: bool
    rows: Sequence[Row]
    linger: Mapping[int, Micros]

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
        stay = self.stays[row]
        if stay.fact == "sample":
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


def run(facts: Facts, query: TraceQuery, meant: Sequence[Seed], *, certain: bool) -> Run:
    """Return what the seeds expose over the certain facts from the certain times, or over all from the earliest."""
    virtual = [stay for seed in meant if (stay := sampled(seed, query, certain=certain)) is not None]
    stays = [*(stay for stay in facts.stays if stay.certain or not certain), *virtual]
    flows = [flow for flow in facts.flows if flow.certain or not certain]
    named = {stay.who for stay in stays} | {party for flow in flows for party in (flow.source, flow.target)}
    named |= {seed.subject for seed in meant if isinstance(seed.subject, Party)}
    parties, places = sorted(named), sorted({stay.where for stay in stays})
    party_no: dict[object, int] = {party: number for number, party in enumerate(parties)}
    place_no: dict[object, int] = {place: number for number, place in enumerate(places)}
    horizon = query.horizon()
    rows = rows_of(stays, party_no, place_no, until=horizon, backward=query.backward)
    arcs = arcs_of(flows, party_no, until=horizon, backward=query.backward)
    linger = {number: query.persistence(place.kind) for number, place in enumerate(places)}
    start = [
        (party_no[subject], time)
        for subject, time in _starts(meant, query, virtual, certain=certain)
        if time <= horizon
    ]
    result = spread(index(rows, arcs, linger), start, strict=query.strict, max_hops=query.max_generation)
    objects, persons = _counts(result.labels, parties, backward=query.backward)
    return Run(stays, flows, parties, places, result, objects, persons, query.backward, rows, linger)


def _starts(
    meant: Sequence[Seed], query: TraceQuery, virtual: Sequence[Stay], *, certain: bool
) -> list[tuple[Party, Micros]]:
    """Return from when each seed is exposed, on the clock of the direction."""
    if query.backward:
        at = -micros(query.at)
        known = [(seed.subject, at) for seed in meant if isinstance(seed.subject, Party)]
        return [*(one for one in known), *((stay.who, at) for stay in virtual)]
    starts = [(stay.who, -OPEN_END) for stay in virtual]
    for seed in meant:
        time = seed.certain if certain else seed.possible
        if isinstance(seed.subject, Party) and time is not None:
            starts.append((seed.subject, time))
    return starts


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
