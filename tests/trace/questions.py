"""Random questions over random worlds: dwell, persistence of places and of carriers, hops, ends, strict or not."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import NamedTuple

from tests.trace import oracle, ticks, warmth
from tests.trace.worlds import KINDS

from sudonglian.trace.engine import policies
from sudonglian.trace.engine.facts import EPOCH, OPEN_END, Facts, Micros, Party, Place, Stay
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import TraceResult, trace
from sudonglian.trace.engine.run import Step

MICRO = timedelta(microseconds=1)
FOREVER = 1_000_000
"""Longer than any world lasts."""

Reached = dict[tuple[str, str], dict[int, Micros]]


class Question(NamedTuple):
    """A query, and the same for the oracle."""

    query: TraceQuery
    dwell: Mapping[str, Micros]
    wear: Mapping[str, Micros]
    fade: Mapping[str, Micros]
    is_warm: bool
    """Whether the policy's curve is followed by the kinds of which the question says nothing."""

    def follows(self, kind: str) -> bool:
        """Tell whether a kind lasts as its temperature lets it."""
        return self.is_warm and kind in ("location", "interior", "item") and kind not in self.query.persistence


POLICIES = policies.parse(warmth.TABLE)


def question(facts: Facts, number: int) -> Question | None:
    """Return a random query over a world."""
    dice = random.Random(f"terms {number}")
    named = sorted({stay.who for stay in facts.stays if stay.who.kind != "process"})
    if not named:
        return None
    at = dice.choice((0, 1, 2, 3, 5, 8, 11))
    dwell = {kind: dice.choice((0, 0, 1, 2, 4)) for kind in KINDS}
    wear = {kind: dice.choice((0, 0, 1, 3, 6, FOREVER)) for kind in KINDS}
    fade = {kind: span for kind in ("item", "person") if (span := dice.choice((None, None, 1, 2, 3, 8))) is not None}
    warm = dice.random() < 0.4
    if warm:
        wear = {kind: span for kind, span in wear.items() if dice.random() < 0.3}
        fade = {kind: span for kind, span in fade.items() if dice.random() < 0.3}
    said = {kind: span * MICRO for kind, span in dwell.items() if not warm or kind != "vehicle"}
    if warm:
        dwell["vehicle"] = 2
    spans = {kind: span * MICRO for kind, span in {**wear, **fade}.items()}
    query = TraceQuery(
        dice.choice(named).id,
        at=EPOCH + at * MICRO,
        lookback=dice.choice((0, 3, 50)) * MICRO,
        until=EPOCH + (at + dice.randrange(10)) * MICRO if dice.random() < 0.4 else None,
        max_generation=dice.choice((None, None, 0, 1, 2, 3)),
        strict=dice.random() < 0.5,
        persistence=spans,
        min_dwell=said,
        policy="warm/1" if warm else "policy/1",
    )
    return Question(query, dwell, wear, fade, warm)


def answered(facts: Facts, asked: Question) -> TraceResult:
    """Return what the engine says."""
    return trace(facts, asked.query, policies=POLICIES)


def assumed(asked: Question, facts: Facts, *, certain: bool) -> ticks.Assumed:
    """Return the question as the oracle takes it."""
    until = None if asked.query.until is None else (asked.query.until - EPOCH) // MICRO
    if (asked.fade or asked.follows("item")) and until is None and not asked.query.backward:
        until = end_of(facts, asked.query)

    def wear(place: Place) -> ticks.Until:
        if asked.follows(place.kind):
            return warmth.lasting(facts, place, certain=certain)
        forever = asked.is_warm and place.kind == "vehicle" and "vehicle" not in asked.wear
        span = ticks.END if forever else asked.wear.get(place.kind, 0)
        return lambda tick: tick + span

    def fade(party: Party) -> ticks.Until:
        kind = "item" if party.kind == "process" else party.kind
        if asked.follows(kind):
            return warmth.lasting(facts, party, certain=certain)
        span = asked.fade.get(kind, 2 * ticks.END)
        return lambda tick: tick + span

    return ticks.Assumed(
        strict=bool(asked.query.strict),
        certain=certain,
        until=until,
        max_hops=asked.query.max_generation,
        dwell=asked.dwell,
        wear=cache(wear),
        fade=cache(fade),
    )


def end_of(facts: Facts, query: TraceQuery) -> Micros:
    """Return when the records end, at the sample at the earliest."""
    times = [time for stay in facts.stays for time in (stay.start, stay.end) if time != OPEN_END]
    times += [one.time for one in facts.flows] + [one.time for one in facts.cleans]
    return max([(query.at - EPOCH) // MICRO, *times])


def expected(facts: Facts, asked: Question, *, certain: bool, told: Facts | None = None) -> ticks.Found:
    """Return what the tick oracle says, of the world or of a part of it."""
    query = asked.query
    at = (query.at - EPOCH) // MICRO
    firsts: dict[Party, list[Micros]] = {}
    for stay in facts.stays:
        firsts.setdefault(stay.who, []).append(stay.start)
    for flow in facts.flows:
        firsts.setdefault(flow.source, []).append(flow.time)
        firsts.setdefault(flow.target, []).append(flow.time)
    seeds: dict[Party, Iterable[Micros]] = {}
    for party, times in firsts.items():
        if party.id == query.seed:
            since = at if certain else min(at, max(min(times), at - query.lookback // MICRO))
            seeds[party] = range(since, at + 1)
    return ticks.spread(told or facts, seeds, assumed(asked, facts, certain=certain))


def reached(found: ticks.Found, seed: str) -> dict[tuple[str, str], tuple[Micros, int]]:
    """Return the earliest tick and the fewest hops of each member."""
    answer: dict[tuple[str, str], tuple[Micros, int]] = {
        (party.kind, party.id): (min(times.values()), min(times))
        for party, times in found.parties.items()
        if times and party.id != seed and party.kind != "process"
    }
    for place, hours in found.places.items():
        if hours and place.kind in ("location", "vehicle"):
            answer["place", place.id] = (min(hours.values()), min(hours))
    return answer


def shown(answer: TraceResult, evidence: str | None = None) -> dict[tuple[str, str], tuple[Micros, int]]:
    return {(one.kind, one.id): (one.time, one.hops) for one in answer.members if evidence in (None, one.evidence)}


def told_by(facts: Facts, steps: Iterable[Step], *, certain: bool) -> Facts:
    """Return only those facts that a walk names; disinfections stay, for they are no steps."""
    named = {(step.fact, step.who, step.where, step.start, step.end) for step in steps}
    return Facts(
        stays=tuple(
            stay
            for stay in facts.stays
            if (stay.fact, stay.who, stay.where, stay.start, stay.end) in named and (stay.certain or not certain)
        ),
        flows=tuple(
            flow
            for flow in facts.flows
            if (flow.fact, flow.source, flow.target, flow.time, flow.time + 1) in named
            and (flow.certain or not certain)
        ),
        cleans=facts.cleans,
    )


PROBE = Party("process", "probe")
GOAL = Party("process", "goal")


def turned(asked: Question, facts: Facts, number: int) -> Question:
    """Return the question asked backward: from a party, or in every fourth world from a place."""
    rooms = sorted({stay.where.id for stay in facts.stays if stay.where.kind in ("location", "vehicle")})
    seed = rooms[0] if rooms and number % 4 == 0 else asked.query.seed
    return asked._replace(query=replace(asked.query, seed=seed, backward=True, until=None))


def backward(facts: Facts, asked: Question, target: Party | Place, *, certain: bool) -> Reached:
    """Return, by asking forward at every tick, hops → the latest tick from which each reaches the target at `at`."""
    query = asked.query
    at = (query.at - EPOCH) // MICRO
    since = at - query.lookback // MICRO
    stays: list[Stay] = []
    for stay in facts.stays:
        counted = oracle.instants_count(1 - stay.end, 1 - stay.start, -since)
        if counted:
            stays.append(stay._replace(start=1 - counted[1], end=1 - counted[0]))
    flows = tuple(flow for flow in facts.flows if since <= flow.time)
    goal = GOAL if isinstance(target, Place) else target
    if isinstance(target, Place):
        stays.append(Stay("at", goal, target, at, at + 1, True, "", ""))
    terms = assumed(asked, facts, certain=certain)._replace(until=None)
    fade = terms.fade
    terms = terms._replace(fade=lambda party: (lambda tick: ticks.END) if party in (PROBE, GOAL) else fade(party))
    moments = {
        clean.time + 1
        for clean in facts.cleans
        if clean.complete and (clean.certain or certain) and clean.subject == goal
    }
    begin = max(since, min([at, *(stay.start for stay in stays), *(flow.time for flow in flows)]))
    found: Reached = {}

    life = sum(moment <= at for moment in moments)

    def tell(seed: Party, world: Facts, time: Micros, name: tuple[str, str]) -> None:
        layers = ticks.spread(world, {seed: [time]}, terms).layers
        hops = next(
            (hops for hops, layer in enumerate(layers) if layer.get((goal, life), 0) & ticks.span(at, at + 1)), None
        )
        if hops is not None:
            # Later moments overwrite earlier ones: with so many hops, this is the latest yet.
            found.setdefault(name, {})[hops] = time

    for time in range(begin, at + 1):
        for party in sorted(
            {stay.who for stay in stays} | {one for flow in flows for one in (flow.source, flow.target)}
        ):
            tell(party, Facts(stays=tuple(stays), flows=flows, cleans=facts.cleans), time, (party.kind, party.id))
        for place in sorted({stay.where for stay in stays if stay.where.kind in ("location", "vehicle")}):
            probe = Stay("at", PROBE, place, time, time + 1, True, "", "")
            tell(PROBE, Facts(stays=(*stays, probe), flows=flows, cleans=facts.cleans), time, ("place", place.id))
    return found
