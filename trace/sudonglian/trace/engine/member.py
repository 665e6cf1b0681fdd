"""A member of the answer: who or what, from when, how surely, in how many hops, by which facts.

docs/spec/trace-document.md §3; certain members speak of the run over certain facts, possible ones of the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sudonglian.trace.engine.exposure import NEVER_MET, Exposure, exposures
from sudonglian.trace.engine.facts import INSTANT, Micros, Party, Place, iso
from sudonglian.trace.engine.forward import PlaceLabel
from sudonglian.trace.engine.precedence import FIRST_RANK, RANKS
from sudonglian.trace.engine.query import SAMPLE, Seed
from sudonglian.trace.engine.run import Run, Step
from sudonglian.trace.engine.terms import Terms
from sudonglian.trace.engine.tiers import NONE, Fired, Tiers, assign

LISTED: Final = ("location", "vehicle")
"""Places that are members: the inside of a unit and a handoff are told by the unit and by those who met."""


@dataclass(frozen=True, slots=True)
class Member:
    """One exposed party or place. `time` is its earliest exposure (backward: the latest that reaches the seed)."""

    kind: str
    id: str
    evidence: str
    time: Micros
    possible_time: Micros
    objects: int
    persons: int
    tier: str
    tier_zh: str
    rule: str
    possible_tier: str
    lot: str
    portion: str
    intervals: tuple[tuple[Micros, Micros], ...]
    exposure: Exposure
    dose: int = field(repr=False)
    fired: Fired | None = field(repr=False)
    run: Run = field(repr=False)
    first: int | PlaceLabel
    best: int | PlaceLabel

    @property
    def key(self) -> str:
        """Return the name that no other member has: a vehicle may be an item and a place."""
        return f"{self.kind}:{self.id}"

    @property
    def hops(self) -> int:
        """Return the generation: hops through objects and through persons together."""
        return self.objects + self.persons

    def walk(self) -> list[Step]:
        """Return the walk with the fewest hops, which the generation counts."""
        return self._steps(self.first)

    def earliest_walk(self) -> list[Step]:
        """Return the walk that arrives first."""
        return self._steps(self.best)

    def _steps(self, end: int | PlaceLabel) -> list[Step]:
        if isinstance(end, int):
            return self.run.steps(end)
        before = self.run.steps(end.previous)
        hop = before[-1].hop + 1 if before else 0
        last = self.run.place_step(end, hop)
        return [*last, *before] if self.run.backward else [*before, *last]

    @property
    def span(self) -> tuple[str, str]:
        """Return the first and the last moment of its exposure; the last is empty if nobody says that it ended.

        Backward: the first at which it met what leads to the seed, and the last at which it still could reach it.
        """
        last = self.exposure.last
        told = iso(self.time if last == NEVER_MET else self.run.moment(last))
        if self.run.backward:
            return told, iso(self.time)
        return iso(self.time), "" if self.exposure.is_open else told

    def tier_facts(self) -> list[dict[str, Any]]:
        """Return the facts of the meeting that fired its rule: the source's, then its own; or what it came from."""
        if self.fired is None:
            return []
        if self.fired.flow != NONE:
            flow = self.run.flows[self.fired.flow]
            return [_told(flow.fact, flow.source, flow.target, (flow.record,))]
        ground = self.run.ground
        found = []
        for row in (self.fired.source, self.fired.target):
            stay = ground.stays[ground.stay_of[row]]
            if stay.fact != SAMPLE:
                records = dict.fromkeys(record for record in (stay.start_record, stay.end_record) if record)
                found.append(_told(stay.fact, stay.who, stay.where, tuple(records)))
        return found

    def summary(self) -> dict[str, Any]:
        """Return the member without its walks, in the words of the trace document."""
        earliest, latest = self.span
        return {
            "id": self.id,
            "kind": self.kind,
            "time": iso(self.time),
            "earliest": earliest,
            "latest": latest,
            "exposure_us": {"handling": self.exposure.handling, "presence": self.exposure.presence},
            "possible": iso(self.possible_time),
            "evidence": self.evidence,
            "generation": {"objects": self.objects, "persons": self.persons},
            "tier": self.tier,
            "tier_zh": self.tier_zh,
            "rule": self.rule,
            "possible_tier": self.possible_tier,
            "tier_facts": self.tier_facts(),
            "lot": self.lot,
            "portion": self.portion,
            "intervals": [{"from": iso(start), "to": iso(end)} for start, end in self.intervals],
        }


def members(
    wide: Run, narrow: Run, seeds: Sequence[Seed], tiers: Tiers, portions: Mapping[Party, tuple[str, str]], terms: Terms
) -> tuple[Member, ...]:
    """Return all members in the order of kind and identifier, the seeds left out."""
    sure = {member.key: member for member in _of_run(narrow, "certain", tiers, portions, terms)}
    meant = {_place_key(one) if isinstance(one, Place) else f"{one.kind}:{one.id}" for one, _, _ in seeds}
    found = []
    if wide is narrow:
        return tuple(sorted((one for one in sure.values() if one.key not in meant), key=lambda one: (one.kind, one.id)))
    for member in _of_run(wide, "possible", tiers, portions, terms):
        certain = sure.get(member.key)
        if certain is not None:
            raised = member.tier if member.tier != certain.tier else ""
            # What may have been before the sample counts for all alike: docs/decisions/0345.
            dose = certain.dose if terms.rank == FIRST_RANK else member.dose
            member = replace(certain, possible_time=member.time, possible_tier=raised, dose=dose)
        if member.key not in meant:
            found.append(member)
    return tuple(sorted(found, key=lambda one: (one.kind, one.id)))


def _of_run(
    run: Run, evidence: str, tiers: Tiers, portions: Mapping[Party, tuple[str, str]], terms: Terms
) -> Iterator[Member]:
    """Yield everything that a run has reached, its seeds too; what was disinfected in between is one member."""
    spread, end = run.spread, terms.end()
    labels = spread.labels
    ranks = {} if run.backward else assign(run, tiers)
    lengths = exposures(run, end)
    told = {} if run.backward else RANKS[terms.rank](run, terms, end, certain=evidence == "certain")
    lives: dict[Party, list[int]] = {}
    for number in sorted(spread.first):
        lives.setdefault(run.parties[number], []).append(number)
    for party, numbers in lives.items():
        if party.kind == "process":
            continue
        first = min((spread.first[one] for one in numbers), key=lambda one: (labels[one].hops, labels[one].clock))
        best = min((spread.best[one] for one in numbers), key=lambda one: labels[one].clock)
        lot, portion = portions.get(party, ("", ""))
        time = run.moment(labels[best].time)
        fired = min((ranks[one] for one in numbers if one in ranks), default=None)
        yield Member(
            kind=party.kind,
            id=party.id,
            evidence=evidence,
            time=time,
            possible_time=time,
            objects=run.objects[first],
            persons=run.persons[first],
            **_named(tiers, None if fired is None else fired.rank),
            lot=lot,
            portion=portion,
            intervals=(),
            dose=sum(told.get(one, 0) for one in numbers),
            exposure=sum((lengths[one] for one in numbers[1:]), lengths[numbers[0]]),
            fired=fired,
            run=run,
            first=first,
            best=best,
        )
    rooms: dict[Place, list[int]] = {}
    for number in sorted(spread.first_place):
        rooms.setdefault(run.places[number], []).append(number)
    for place, numbers in rooms.items():
        if place.kind not in LISTED:
            continue
        reached = min((spread.first_place[one] for one in numbers), key=lambda one: (one.hops, one.time))
        earliest = min((spread.best_place[one] for one in numbers), key=lambda one: one.time)
        objects, persons = run.place_counts(reached)
        time = run.moment(earliest.time)
        intervals = tuple(_exposed(run, numbers))
        yield Member(
            kind="place",
            id=place.id,
            evidence=evidence,
            time=time,
            possible_time=time,
            objects=objects,
            persons=persons,
            **_named(tiers, None if run.backward else tiers.rank("place", place.kind, "", "")),
            lot="",
            portion="",
            intervals=intervals,
            exposure=_of_place(run, intervals, end),
            dose=0,
            fired=None,
            run=run,
            first=reached,
            best=earliest,
        )


def _exposed(run: Run, numbers: Sequence[int]) -> Iterator[tuple[Micros, Micros]]:
    """Yield when a place exposes, life after life: what lingers ends with a disinfection."""
    for number in numbers:
        since, until = run.ground.places.span(number)
        for start, end in sorted(_outside(run, span) for span in run.spread.covered[number]):
            if max(start, since) < min(end, until):
                yield max(start, since), min(end, until)


def _of_place(run: Run, intervals: Sequence[tuple[Micros, Micros]], end: Micros) -> Exposure:
    """Return how long a place was exposed: no intervals overlap."""
    if run.backward:
        known = [(max(start, -end), until) for start, until in intervals if until > -end]
        presence = sum(until - start for start, until in known)
        return Exposure(0, presence, -min((start for start, _ in known), default=0))
    presence = sum(max(min(until, end + 1) - start, 0) for start, until in intervals)
    last = max((until for _, until in intervals), default=0)
    return Exposure(0, presence, min(last - 1, end), last > end + 1)


def _told(fact: str, who: Party, where: Party | Place, records: tuple[str, ...]) -> dict[str, Any]:
    return {
        "fact": fact,
        "who": {"kind": who.kind, "id": who.id},
        "where": {"kind": where.kind, "id": where.id},
        "record_hashes": list(records),
    }


def _named(tiers: Tiers, rank: int | None) -> dict[str, Any]:
    """Return the words of a tier; backward, nobody is exposed and nothing is said."""
    if rank is None or rank >= len(tiers.rules):
        return {"tier": "", "tier_zh": "", "rule": "", "possible_tier": ""}
    rule = tiers.rules[rank]
    return {"tier": rule.tier, "tier_zh": rule.zh, "rule": rule.id, "possible_tier": ""}


def _outside(run: Run, span: tuple[Micros, Micros]) -> tuple[Micros, Micros]:
    """Return a span of the kernel's clock as it is outside."""
    start, end = span
    return (INSTANT - end, INSTANT - start) if run.backward else span


def _place_key(place: Place) -> str:
    return f"place:{place.id}"


def step_json(step: Step) -> dict[str, Any]:
    """Return a step as a door shows it: the fact, its parts, and the records that it rests on."""
    return {
        "hop": step.hop,
        "fact": step.fact,
        "who": {"kind": step.who.kind, "id": step.who.id},
        "where": {"kind": step.where.kind, "id": step.where.id},
        "from": iso(step.start),
        "to": iso(step.end),
        "time": iso(step.time),
        "contact": step.contact,
        "record_hash": step.records[0],
        "record_hashes": list(step.records),
    }
