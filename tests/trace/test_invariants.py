"""What must hold of any world and question, whatever the engine is made of: tracing.md §3 and §4.

Forward and backward, time reversed, rows in another order and repeated, and everything that can only add or only remove.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.trace.questions import MICRO, Question, answered, question
from tests.trace.warmth import warmed
from tests.trace.worlds import KINDS, told_world, world

from sudonglian.trace.engine.facts import EPOCH, OPEN_END, Facts, Party, Place, SampleFact, canonical
from sudonglian.trace.engine.query import MAX_SPAN
from sudonglian.trace.engine.result import TraceResult, trace

QUICK = 200
FULL = 3_000
END = 60
"""Later than all that a world holds, and nothing begins there."""

Made = Callable[[int], Facts]


@pytest.fixture
def numbers(request: pytest.FixtureRequest) -> range:
    return range(10_000, 10_000 + (FULL if request.config.getoption("--full") else QUICK))


def asked_of(numbers: Iterable[int]) -> Iterable[tuple[int, Facts, Question]]:
    for number in numbers:
        facts = warmed((told_world if number % 2 else world)(number), number)
        asked = question(facts, number)
        if asked is not None:
            yield number, facts, asked


def otherwise(facts: Facts, asked: Question, **changes: Any) -> TraceResult:
    return answered(facts, asked._replace(query=replace(asked.query, **changes)))


def times(answer: TraceResult, evidence: str | None = None) -> dict[str, int]:
    """Return when each member is exposed at the earliest, possibly or, if asked, for certain."""
    return {
        one.key: one.time if evidence else one.possible_time
        for one in answer.members
        if evidence in (None, one.evidence)
    }


def assert_within(less: TraceResult, more: TraceResult, number: int) -> None:
    """Assert that whoever the first lists the second lists too, no later, and as surely."""
    for evidence in (None, "certain"):
        fewer, many = times(less, evidence), times(more, evidence)
        assert set(fewer) <= set(many), number
        assert all(many[key] <= time for key, time in fewer.items()), number


def test_strict_is_within_non_strict(numbers: range) -> None:
    for number, facts, asked in asked_of(numbers):
        assert_within(otherwise(facts, asked, strict=True), otherwise(facts, asked, strict=False), number)


def test_certain_is_within_possible(numbers: range) -> None:
    for number, facts, asked in asked_of(numbers):
        answer = answered(facts, asked)
        for one in answer.members:
            assert one.possible_time <= one.time, number
        possible = {answer.wide.parties[party] for party in answer.wide.spread.first}
        assert {answer.narrow.parties[party] for party in answer.narrow.spread.first} <= possible, number


def test_a_longer_window_only_adds(numbers: range) -> None:
    for number, facts, asked in asked_of(numbers):
        until = asked.query.at + 4 * MICRO
        assert_within(otherwise(facts, asked, until=until), otherwise(facts, asked, until=until + 3 * MICRO), number)
        assert_within(otherwise(facts, asked, lookback=MICRO), otherwise(facts, asked, lookback=5 * MICRO), number)
        assert_within(otherwise(facts, asked, max_generation=1), otherwise(facts, asked, max_generation=2), number)


def test_a_longer_persistence_only_adds(numbers: range) -> None:
    for number, facts, asked in asked_of(numbers):
        longer = {kind: 2 * span + MICRO for kind, span in asked.query.persistence.items()}
        until = EPOCH + END * MICRO
        assert_within(
            otherwise(facts, asked, until=until), otherwise(facts, asked, persistence=longer, until=until), number
        )


def test_a_shorter_dwell_only_adds(numbers: range) -> None:
    for number, facts, asked in asked_of(numbers):
        longer = {kind: span + MICRO for kind, span in asked.query.min_dwell.items()}
        assert_within(otherwise(facts, asked, min_dwell=longer), answered(facts, asked), number)


def test_an_endless_persistence_is_none(numbers: range) -> None:
    """Of carriers: passing on for a century is passing on without an end; of places, for longer than any record."""
    for number, facts, asked in asked_of(numbers):
        until = EPOCH + END * MICRO
        places = {kind: span for kind, span in asked.query.persistence.items() if kind in KINDS}
        plain = {"persistence": places, "until": until, "policy": "policy/1"}
        century = {**places, "item": MAX_SPAN, "person": MAX_SPAN}
        one, other = otherwise(facts, asked, **plain), otherwise(facts, asked, **{**plain, "persistence": century})
        assert [
            (who.key, who.evidence, who.time, who.possible_time, who.hops, who.rule, who.exposure)
            for who in one.members
        ] == [
            (who.key, who.evidence, who.time, who.possible_time, who.hops, who.rule, who.exposure)
            for who in other.members
        ], number


def test_a_disinfection_never_adds_anyone(numbers: range) -> None:
    for number, facts, asked in asked_of(numbers):
        answer, uncleaned = answered(facts, asked), answered(replace(facts, cleans=()), asked)
        assert_within(answer, uncleaned, number)


def test_order_and_repeats_change_nothing(numbers: range) -> None:
    for number, facts, asked in asked_of(numbers[:100]):
        dice = random.Random(number)
        stays, flows = [*facts.stays, *facts.stays[::2]], [*facts.flows, *facts.flows]
        dice.shuffle(stays)
        dice.shuffle(flows)
        mixed = canonical(
            replace(
                facts,
                stays=tuple(stays),
                flows=tuple(flows),
                cleans=facts.cleans[::-1] * 2,
                readings=facts.readings[::-1] * 2,
            )
        )
        assert answered(mixed, asked).encoded() == answered(facts, asked).encoded(), number
        back = asked._replace(query=replace(asked.query, backward=True, until=None))
        assert answered(mixed, back).encoded() == answered(facts, back).encoded(), number


def certain_world(number: int) -> Facts:
    """Return a world in which all is certain and nothing disinfected: its lives are its parties."""
    facts = world(number, disinfected=False)
    return canonical(
        replace(
            facts,
            stays=tuple(stay._replace(certain=True) for stay in facts.stays),
            flows=tuple(flow._replace(certain=True) for flow in facts.flows),
        )
    )


def exposes(answer: TraceResult, name: str, tick: int) -> bool:
    """Tell whether a party exposes, or would, at a tick of the clock of the direction."""
    run = answer.wide
    numbers = [number for number, party in enumerate(run.parties) if party.id == name and party.kind != "process"]
    if run.spread.alive is None:
        labels = [run.spread.labels[run.spread.best[one]] for one in numbers if one in run.spread.best]
        return any(label.clock <= 2 * tick + 1 for label in labels)
    return any(
        low <= 2 * tick + 1 and 2 * tick < high for one in numbers for low, high in run.spread.alive.get(one, ())
    )


def test_forward_reaches_whoever_backward_comes_from(numbers: range) -> None:
    """y ∈ F(x) ⇔ x ∈ B(y), with dwell and persistence of places and of carriers."""
    compared = 0
    for number in numbers:
        facts = certain_world(number)
        asked = question(facts, number)
        if asked is None:
            continue
        query = replace(asked.query, lookback=timedelta(0), max_generation=None, policy="policy/1")
        named = sorted({stay.who.id for stay in facts.stays if stay.who.kind != "process"})
        start = asked.query.at
        at = (start - EPOCH) // MICRO
        for x in named[:3]:
            forward = trace(facts, replace(query, seed=x, until=EPOCH + END * MICRO))
            for y in named:
                if y == x:
                    continue
                # What counts begins a tick earlier: an interval that ends there has then begun, seen backward.
                asks = replace(query, seed=y, at=EPOCH + END * MICRO, lookback=(END - at + 1) * MICRO, backward=True)
                back = trace(facts, asks)
                assert exposes(forward, y, END) == exposes(back, x, -at), (number, x, y)
                compared += 1
    assert compared > 500


def mirrored(facts: Facts) -> Facts:
    """Return the world in which time runs the other way."""
    return canonical(
        replace(
            facts,
            stays=tuple(stay._replace(start=1 - stay.end, end=1 - stay.start) for stay in facts.stays),
            flows=tuple(flow._replace(source=flow.target, target=flow.source, time=-flow.time) for flow in facts.flows),
        )
    )


def test_backward_is_forward_in_reversed_time(numbers: range) -> None:
    """Where nothing asks for a dwell; hops of flows and all persistence of places included."""
    for number in numbers:
        facts = certain_world(number)
        asked = question(facts, number)
        if asked is None:
            continue
        spans = {kind: span for kind, span in asked.query.persistence.items() if kind in KINDS}
        query = replace(asked.query, lookback=END * MICRO, persistence=spans, min_dwell={}, policy="policy/1")
        back = trace(facts, replace(query, backward=True, until=None))
        at = (query.at - EPOCH) // MICRO
        other = trace(
            mirrored(facts),
            replace(query, at=EPOCH - at * MICRO, lookback=timedelta(0), until=EPOCH + (END - at) * MICRO),
        )
        for kinds in (("item", "person"), ("place",)):
            one = {who.key: (who.time, who.hops) for who in back.members if who.kind in kinds}
            two = {who.key: (-who.time, who.hops) for who in other.members if who.kind in kinds}
            assert one == two, number


def copied(facts: Facts, number: int) -> Facts:
    """Return the world with every name changed."""

    def party(one: Party) -> Party:
        return one._replace(id=f"{one.id}~{number}")

    def place(one: Place) -> Place:
        return one._replace(id=f"{one.id}~{number}")

    return Facts(
        stays=tuple(stay._replace(who=party(stay.who), where=place(stay.where)) for stay in facts.stays),
        flows=tuple(flow._replace(source=party(flow.source), target=party(flow.target)) for flow in facts.flows),
        cleans=tuple(
            clean._replace(subject=party(clean.subject) if isinstance(clean.subject, Party) else place(clean.subject))
            for clean in facts.cleans
        ),
        portions={party(one): names for one, names in facts.portions.items()},
        readings=tuple(one._replace(subject=f"{one.subject}~{number}") for one in facts.readings),
        samples=facts.samples,
    )


def test_disjoint_copies_give_as_many_times_the_sums(numbers: range) -> None:
    copies = 3

    def sums(answer: TraceResult) -> tuple[int, ...]:
        told = answer.members
        return (
            len(told),
            sum(one.evidence == "certain" for one in told),
            sum(one.hops for one in told),
            sum(one.objects for one in told),
            sum(one.exposure.handling + one.exposure.presence for one in told),
            sum(one.time - answer.seeds[0].possible for one in told),
            sum(one.rule == "T01" for one in told),
            sum(len(one.intervals) for one in told),
        )

    for number, facts, asked in asked_of(numbers[:150]):
        at = (asked.query.at - EPOCH) // MICRO
        worlds = [copied(facts, copy) for copy in range(copies)]
        samples = tuple(
            SampleFact(f"{asked.query.seed}~{copy}", "positive", True, at, "sample", "") for copy in range(copies)
        )
        one = replace(worlds[0], samples=samples[:1])
        many = canonical(
            Facts(
                stays=tuple(stay for part in worlds for stay in part.stays),
                flows=tuple(flow for part in worlds for flow in part.flows),
                cleans=tuple(clean for part in worlds for clean in part.cleans),
                portions={who: names for part in worlds for who, names in part.portions.items()},
                readings=tuple(reading for part in worlds for reading in part.readings),
                samples=samples,
            )
        )
        renamed = asked._replace(query=replace(asked.query, seed="sample"))
        single, together = sums(answered(canonical(one), renamed)), sums(answered(many, renamed))
        assert together == tuple(copies * value for value in single), number


def test_nothing_of_a_world_lasts_to_where_the_duality_asks() -> None:
    for number in range(100):
        assert all(
            time < END
            for facts in (world(number), told_world(number))
            for stay in facts.stays
            for time in (stay.start, stay.end)
            if time != OPEN_END
        )
