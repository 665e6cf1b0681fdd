"""A member of the answer: who or what, from when, how surely, in how many hops, by which facts.

docs/spec/trace-document.md §3; certain members speak of the run over certain facts, possible ones of the other.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sudonglian.trace.engine.exposure import NEVER_MET, Exposure, exposures
from sudonglian.trace.engine.facts import INSTANT, Micros, Party, Place, iso
from sudonglian.trace.engine.firing import NONE, Fired, assign
from sudonglian.trace.engine.forward import PlaceLabel
from sudonglian.trace.engine.precedence import FIRST_RANK, RANKS
from sudonglian.trace.engine.query import SAMPLE, Seed
from sudonglian.trace.engine.reached import Reached
from sudonglian.trace.engine.run import Run, Step
from sudonglian.trace.engine.terms import Terms
from sudonglian.trace.engine.tiers import Tiers

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
    end = terms.end()
    meant = {_place_key(one) if isinstance(one, Place) else f"{one.kind}:{one.id}" for one, _, _ in seeds}
    possible = _Exposed(wide, tiers)
    if wide is narrow:
        found = list(_listed(possible, "certain", possible.keys - meant, possible, portions, terms, end))
    else:
        certain = _Exposed(narrow, tiers)
        found = list(
            _listed(certain, "certain", (certain.keys & possible.keys) - meant, possible, portions, terms, end)
        )
        found += _listed(possible, "possible", possible.keys - certain.keys - meant, possible, portions, terms, end)
    return tuple(sorted(found, key=lambda one: (one.kind, one.id)))


class _Exposed:
    """Everything that a run has reached, its seeds too; what was disinfected in between is one member."""

    def __init__(self, run: Run, tiers: Tiers) -> None:
        self.run, self.tiers = run, tiers
        self.reached = Reached(run)
        self._ranks = {} if run.backward else assign(self.reached, tiers)
        self.parties: dict[str, list[int]] = {}
        self.places: dict[str, list[int]] = {}
        for number in sorted(run.spread.first):
            party = run.parties[number]
            if party.kind != "process":
                self.parties.setdefault(f"{party.kind}:{party.id}", []).append(number)
        for number in sorted(run.spread.first_place):
            place = run.places[number]
            if place.kind in LISTED:
                self.places.setdefault(_place_key(place), []).append(number)
        self.keys = self.parties.keys() | self.places.keys()

    def fired(self, key: str) -> Fired | None:
        """Return the strongest rule that a party's meetings fire."""
        numbers = self.parties[key]
        if len(numbers) == 1:
            return self._ranks.get(numbers[0])
        return min((self._ranks[one] for one in numbers if one in self._ranks), default=None)

    def rank(self, key: str) -> int | None:
        """Return the number of the rule that a member's tier is by."""
        if key in self.parties:
            fired = self.fired(key)
            return None if fired is None else fired.rank
        return (
            None if self.run.backward else self.tiers.rank("place", self.run.places[self.places[key][0]].kind, "", "")
        )

    def ends(self, key: str) -> tuple[int, int]:
        """Return a party's labels with the fewest hops, and with the earliest exposure."""
        spread, numbers = self.run.spread, self.parties[key]
        labels = spread.labels
        if len(numbers) == 1:
            return spread.first[numbers[0]], spread.best[numbers[0]]
        first = min((spread.first[one] for one in numbers), key=lambda one: (labels[one].hops, labels[one].clock))
        return first, min((spread.best[one] for one in numbers), key=lambda one: labels[one].clock)

    def reaching(self, key: str) -> tuple[PlaceLabel, PlaceLabel]:
        """Return by what a place is exposed in the fewest hops, and by what first."""
        spread, numbers = self.run.spread, self.places[key]
        reached = min((spread.first_place[one] for one in numbers), key=lambda one: (one.hops, one.time))
        return reached, min((spread.best_place[one] for one in numbers), key=lambda one: one.time)

    def time(self, key: str) -> Micros:
        """Return a member's earliest exposure."""
        if key in self.parties:
            return self.run.moment(self.run.spread.labels[self.ends(key)[1]].time)
        return self.run.moment(self.reaching(key)[1].time)


def _listed(
    exposed: _Exposed,
    evidence: str,
    keys: Collection[str],
    possible: _Exposed,
    portions: Mapping[Party, tuple[str, str]],
    terms: Terms,
    end: Micros,
) -> Iterator[Member]:
    """Yield the members of some keys, as a run has them, and what of them another says that takes all for certain."""
    run, spread, tiers = exposed.run, exposed.run.spread, exposed.tiers
    asked = [number for key in keys if key in exposed.parties for number in exposed.parties[key]]
    if not keys:
        return
    lengths = exposures(exposed.reached, end, asked)
    # What may have been before the sample counts for all alike: docs/decisions/0345.
    by = exposed if terms.rank == FIRST_RANK else possible
    of = {key: by.parties[key] for key in keys if key in exposed.parties}
    ranked = [number for numbers in of.values() for number in numbers]
    sure = evidence == "certain" and by is exposed
    told = {} if run.backward else RANKS[terms.rank](by.reached, terms, end, certain=sure, asked=ranked)

    @cache
    def named(rank: int | None) -> dict[str, Any]:
        return _named(tiers, rank)

    def said(key: str, rank: int | None) -> dict[str, Any]:
        """Return what is beside the other run: when it is possible, and the tier that it is possibly raised to."""
        names = named(rank)
        other = names if possible is exposed else named(possible.rank(key))
        raised = other["tier"] if other["tier"] != names["tier"] else ""
        return {**names, "possible_time": possible.time(key), "possible_tier": raised}

    for key, numbers in exposed.parties.items():
        if key not in keys:
            continue
        party, fired = run.parties[numbers[0]], exposed.fired(key)
        first, best = exposed.ends(key)
        lot, portion = portions.get(party, ("", ""))
        yield Member(
            kind=party.kind,
            id=party.id,
            evidence=evidence,
            time=run.moment(spread.labels[best].time),
            objects=run.objects[first],
            persons=run.persons[first],
            **said(key, None if fired is None else fired.rank),
            lot=lot,
            portion=portion,
            intervals=(),
            dose=sum([told.get(one, 0) for one in of[key]]),
            exposure=sum((lengths[one] for one in numbers[1:]), lengths[numbers[0]]),
            fired=fired,
            run=run,
            first=first,
            best=best,
        )
    for key, numbers in exposed.places.items():
        if key not in keys:
            continue
        reached, earliest = exposed.reaching(key)
        objects, persons = run.place_counts(reached)
        intervals = tuple(_exposed(run, numbers))
        yield Member(
            kind="place",
            id=run.places[numbers[0]].id,
            evidence=evidence,
            time=run.moment(earliest.time),
            objects=objects,
            persons=persons,
            **said(key, exposed.rank(key)),
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
        return {"tier": "", "tier_zh": "", "rule": ""}
    rule = tiers.rules[rank]
    return {"tier": rule.tier, "tier_zh": rule.zh, "rule": rule.id}


def _outside(run: Run, span: tuple[Micros, Micros]) -> tuple[Micros, Micros]:
    """Return a span of the kernel's clock as it is outside."""
    start, end = span
    return (INSTANT - end, INSTANT - start) if run.backward else span


def _place_key(place: Place) -> str:
    return f"place:{place.id}"


def step_json(step: Step) -> dict[str, Any]:
    """Return a step as a door shows it: the fact, its parts, and the records that it rests on."""
    told = step_told(step)
    records = told.pop("record_hashes")
    return {"hop": step.hop, **told, "record_hash": records[0], "record_hashes": records}


def step_told(step: Step) -> dict[str, Any]:
    """Return a step without the hop and without what its records begin with."""
    _, fact, who, where, start, end, time, contact, records = step
    return {
        "fact": fact,
        "who": {"kind": who[0], "id": who[1]},
        "where": {"kind": where[0], "id": where[1]},
        "from": iso(start),
        "to": iso(end),
        "time": iso(time),
        "contact": contact,
        "record_hashes": list(records),
    }
