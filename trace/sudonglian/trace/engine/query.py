"""The question: a seed, a time and how far to look; and which parties the seed means.

tracing.md §1 (before the sample, portions) and docs/spec/trace-document.md §2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Facts, Micros, Party, Place, Stay, micros
from sudonglian.trace.errors import QueryRefused, SeedUnknown

POLICY: Final = "policy/1"
"""The version of the defaults below; a trace document names it."""

LOOKBACK: Final = timedelta(days=14)
"""How long before its sample an item counts as possibly exposed (tracing.md §1)."""

PERSISTENCE_S: Final[Mapping[str, int]] = {"location": 0, "vehicle": 0, "interior": 0, "handoff": 0}
"""Seconds for which a kind of place exposes after whoever exposed it has left."""


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What is asked. `strict`: two meetings at one instant may not chain (for times with minutes)."""

    seed: str
    at: datetime
    lookback: timedelta = LOOKBACK
    until: datetime | None = None
    backward: bool = False
    max_generation: int | None = None
    strict: bool = True
    seed_place: str = ""
    persistence_s: Mapping[str, int] = field(default_factory=dict)
    policy: str = POLICY
    log_size: int = 0
    log_root: str = ""

    def persistence(self, kind: str) -> Micros:
        """Return how long a kind of place exposes after its source left."""
        return {**PERSISTENCE_S, **self.persistence_s}[kind] * 1_000_000

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        QueryRefused
            A negative span, an end before the beginning, an unknown kind of place.
        """
        if self.lookback < timedelta(0):
            raise QueryRefused("the lookback is negative", place="lookback")
        if self.max_generation is not None and self.max_generation < 0:
            raise QueryRefused("the generation is negative", place="max_generation")
        if self.until is not None and not self.backward and micros(self.until) < micros(self.at):
            raise QueryRefused("the trace ends before it begins", place="until")
        for kind, seconds in self.persistence_s.items():
            if kind not in PERSISTENCE_S or seconds < 0:
                raise QueryRefused(f"persistence of {kind!r} is {seconds}", place="persistence")

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


def seeds(facts: Facts, query: TraceQuery) -> tuple[Seed, ...]:
    """Return what the query's seed means.

    Raises
    ------
    SeedUnknown
        No fact names it.
    """
    at = micros(query.at)
    since = at - query.lookback // timedelta(microseconds=1)
    first: dict[Party, Micros] = {}
    places: set[Place] = set()
    for stay in facts.stays:
        first[stay.who] = min(stay.start, first.get(stay.who, stay.start))
        places.add(stay.where)
    for flow in facts.flows:
        for party in (flow.source, flow.target):
            first[party] = min(flow.time, first.get(party, flow.time))
    found: list[Seed] = []
    for party in sorted(first):
        if party.kind != "process" and party.id == query.seed:
            found.append(Seed(party, min(at, max(first[party], since)), at))
    found += _portions(facts, query, at, since, first)
    for place in sorted(places):
        if place.kind in ("location", "vehicle") and place.id == query.seed:
            found.append(Seed(place, since, at))
    if not found:
        raise SeedUnknown(query.seed, query.seed_place or None)
    return tuple(found)


def _portions(facts: Facts, query: TraceQuery, at: Micros, since: Micros, first: Mapping[Party, Micros]) -> list[Seed]:
    """Return the portions of a lot: those at the seed's place, else all, certain if only one is there at the time."""
    portions = [party for party, (lot, _) in facts.portions.items() if lot == query.seed and party in first]
    if not portions:
        return []
    there = [stay for stay in facts.stays if stay.who in set(portions)]
    if query.seed_place:
        held = {stay.who for stay in there if stay.where.id == query.seed_place}
        return [Seed(one, min(at, max(first[one], since)), at) for one in sorted(held)]
    alive = {stay.who for stay in there if stay.start <= at < stay.end}
    only = alive if len(alive) == 1 else set(portions) if len(portions) == 1 else set()
    return [Seed(one, min(at, max(first[one], since)), at if one in only else None) for one in sorted(portions)]


def sampled(seed: Seed, query: TraceQuery, *, certain: bool) -> Stay | None:
    """Return the presence that stands for a positive place: in it over the time that the sample speaks of."""
    if not isinstance(seed.subject, Place) or (certain and seed.certain is None):
        return None
    at = micros(query.at)
    start = at if certain or query.backward else seed.possible
    who = Party("process", f"sample:{seed.subject.id}")
    return Stay("sample", who, seed.subject, start, at + INSTANT, True, "", "")
