"""The question: a seed, a time and how far to look; and which parties the seed means.

tracing.md §1 (before the sample, portions) and docs/spec/trace-document.md §2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Facts, Micros, Party, Place, Stay, micros
from sudonglian.trace.engine.told import told_of
from sudonglian.trace.errors import QueryRefused, SeedUnknown

POLICY: Final = "policy/1"
"""The version of the defaults below; a trace document names it."""

TIERS: Final = "cn-nhc-8/1"
"""The edition by whose rules tiers are named, if none is asked for (docs/decisions/0344)."""

RANK: Final = "rank/2"
"""The edition by which members are ranked; earlier ones rank as answers were that are made again."""

LOOKBACK: Final = timedelta(days=14)
"""How long before its sample an item counts as possibly exposed (tracing.md §1)."""

PLACES: Final = ("location", "vehicle", "interior", "handoff")
"""The kinds of places: how long each exposes after its source left, and how long one must be there, may be said."""

CARRIERS: Final = ("item", "person")
"""Who carries exposure on: how long after their last exposure may be said, else without end."""

MAX_SPAN: Final = timedelta(days=36_500)
"""No pathogen waits longer, and all sums of times stay within 64 bits."""


SAMPLE: Final = "sample"
"""The fact that stands for a positive place: no record's, so no walk shows it."""


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What is asked.

    `seed` is an item, a lot, a place, a person's number, or the record hash or eventID of a positive sample. `strict`:
    two meetings at one instant may not chain; by default they may only where nothing but days is known. `persistence`
    and `min_dwell` go before what the policy says of a kind. Without `interviews` firms' records alone are asked.
    """

    seed: str
    at: datetime
    lookback: timedelta = LOOKBACK
    until: datetime | None = None
    backward: bool = False
    max_generation: int | None = None
    strict: bool | None = None
    seed_place: str = ""
    persistence: Mapping[str, timedelta] = field(default_factory=dict)
    min_dwell: Mapping[str, timedelta] = field(default_factory=dict)
    policy: str = POLICY
    tiers: str = TIERS
    rank: str = RANK
    interviews: bool = True
    log_size: int = 0
    log_root: str = ""

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        QueryRefused
            A negative span, an end before the beginning, an unknown kind.
        """
        if self.lookback < timedelta(0):
            raise QueryRefused("the lookback is negative", place="lookback")
        if self.max_generation is not None and self.max_generation < 0:
            raise QueryRefused("the generation is negative", place="max_generation")
        if self.until is not None and not self.backward and micros(self.until) < micros(self.at):
            raise QueryRefused("the trace ends before it begins", place="until")
        asked = (("persistence", self.persistence, (*PLACES, *CARRIERS)), ("min_dwell", self.min_dwell, PLACES))
        for name, spans, kinds in asked:
            for kind, span in spans.items():
                if kind not in kinds:
                    raise QueryRefused(f"{kind!r} is none of: {', '.join(kinds)}", place=name)
                if not timedelta(0) <= span <= MAX_SPAN:
                    raise QueryRefused(f"{span} for {kind!r} is negative or beyond a century", place=name)
                if kind in CARRIERS and not span:
                    raise QueryRefused(f"{kind!r} that exposes for no time at all carries nothing on", place=name)

    def horizon(self) -> Micros:
        """Return the last instant that counts, on the clock of the direction."""
        if self.backward:
            return -(micros(self.at) - self.lookback // timedelta(microseconds=1))
        return OPEN_END if self.until is None else micros(self.until)


class Seed(NamedTuple):
    """A party or place that is exposed from `possible` on, and for certain from `certain` (if known)."""

    subject: Party | Place
    possible: Micros
    certain: Micros | None


def resolved(facts: Facts, query: TraceQuery) -> TraceQuery:
    """Return the query with everything decided that its answer rests on."""
    return query if query.strict is not None else replace(query, strict=not facts.days_only)


def sample_time(facts: Facts, seed: str) -> Micros | None:
    """Return when the sample that a seed names was taken, so that a door need not ask; None if it names none."""
    times = [sample.time for sample in facts.samples if seed in (sample.record, sample.event_id)]
    return min(times, default=None)


def seeds(facts: Facts, query: TraceQuery) -> tuple[Seed, ...]:
    """Return what the query's seed means.

    Raises
    ------
    SeedUnknown
        No fact names it.
    QueryRefused
        It names a sample that is not positive.
    """
    at = micros(query.at)
    named = {query.seed: at, **_sampled_subjects(facts, query, at)}
    lots = {party for party, (lot, _) in facts.portions.items() if lot in named}
    first: dict[Party, Micros] = {}
    places: set[Place] = set()
    told = told_of(facts)
    meant = [number for number, who in enumerate(told.parties) if who.id in named or who in lots]
    starts = told.earliest(meant).tolist()
    first.update((told.parties[number], start) for number, start in zip(meant, starts, strict=True) if start < OPEN_END)
    places.update(place for place in told.places if place.id in named)
    for flow in facts.flows:
        for party in (flow.source, flow.target):
            if (party.id in named or party in lots) and flow.time < first.get(party, OPEN_END):
                first[party] = flow.time
    lookback = query.lookback // timedelta(microseconds=1)
    found: list[Seed] = []
    for party in sorted(first):
        if party.kind != "process" and party.id in named:
            time = named[party.id]
            found.append(Seed(party, min(time, max(first[party], time - lookback)), time))
    direct = {seed.subject for seed in found}
    for lot, time in named.items():
        portions = [one for one in _portions(facts, query, lot, time, lookback, first) if one.subject not in direct]
        found += portions
    for place in sorted(places):
        if place.kind in ("location", "vehicle"):
            found.append(Seed(place, named[place.id] - lookback, named[place.id]))
    if not found:
        raise SeedUnknown(query.seed, query.seed_place or None)
    return tuple(found)


def _sampled_subjects(facts: Facts, query: TraceQuery, at: Micros) -> dict[str, Micros]:
    """Return what a sample that the seed names has found positive, and when."""
    meant = [sample for sample in facts.samples if query.seed in (sample.record, sample.event_id)]
    if meant and not any(sample.positive for sample in meant):
        raise QueryRefused(f"the sample {query.seed!r} is not positive", place="seed")
    return {sample.subject: min(at, sample.time) for sample in meant if sample.positive}


def _portions(
    facts: Facts, query: TraceQuery, lot: str, at: Micros, lookback: Micros, first: Mapping[Party, Micros]
) -> list[Seed]:
    """Return the portions of a lot: those at the seed's place, else all, certain if only one is there at the time."""
    portions = {party for party, (named, _) in facts.portions.items() if named == lot and party in first}
    if not portions:
        return []
    told = told_of(facts)
    there = [facts.stays[row] for row in told.of([n for n, who in enumerate(told.parties) if who in portions]).tolist()]

    def seed(one: Party, certain: Micros | None) -> Seed:
        return Seed(one, min(at, max(first[one], at - lookback)), certain)

    if query.seed_place:
        held = {stay.who for stay in there if stay.where.id == query.seed_place}
        return [seed(one, at) for one in sorted(held)]
    alive = {stay.who for stay in there if stay.start <= at < stay.end}
    only = alive if len(alive) == 1 else portions if len(portions) == 1 else set()
    return [seed(one, at if one in only else None) for one in sorted(portions)]


def sampled(seed: Seed, query: TraceQuery, *, certain: bool) -> Stay | None:
    """Return the presence that stands for a positive place: in it over the time that the sample speaks of."""
    if not isinstance(seed.subject, Place) or (certain and seed.certain is None):
        return None
    at = micros(query.at) if seed.certain is None or query.backward else seed.certain
    start = at if certain or query.backward else seed.possible
    who = Party("process", f"{SAMPLE}:{seed.subject.id}")
    return Stay(SAMPLE, who, seed.subject, start, at + INSTANT, True, "", "")
