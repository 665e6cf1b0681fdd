"""Dwell and persistence against the tick oracle, in both directions; docs/spec/facts.md §13."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.trace import questions, ticks
from tests.trace.questions import MICRO, answered, expected, question, reached, shown
from tests.trace.warmth import warmed
from tests.trace.worlds import KINDS, told_world, world

from sudonglian.trace.engine import waning
from sudonglian.trace.engine.exposure import NEVER_MET
from sudonglian.trace.engine.facts import EPOCH, Facts, Party
from sudonglian.trace.engine.forward import ROOT
from sudonglian.trace.engine.passing import Passing
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import trace
from sudonglian.trace.errors import QueryRefused

BACKWARD = 60
WALKED = 200
BATCH = 100


@pytest.mark.parametrize("made", [world, told_world])
@pytest.mark.parametrize("batch", range(0, BACKWARD, 20))
def test_backward_equals_asking_forward_at_every_tick(batch: int, made: Callable[[int], Facts]) -> None:
    for number in range(batch, batch + 20):
        facts = warmed(made(number), number)
        asked = question(facts, number)
        if asked is None:
            continue
        asked = questions.turned(asked, facts, number)
        answer = answered(facts, asked)
        for certain in (True, False):
            (seed,) = answer.seeds
            told = questions.backward(facts, asked, seed.subject, certain=certain)
            expect = {
                key: (max(times.values()), min(times))
                for key, times in told.items()
                if key[1] != asked.query.seed and key[0] != "process"
            }
            if certain:
                assert shown(answer, "certain") == expect, number
                sure = set(expect)
            else:
                assert shown(answer, "possible") == {key: value for key, value in expect.items() if key not in sure}, (
                    number
                )


@pytest.mark.parametrize("made", [world, told_world])
@pytest.mark.parametrize("batch", range(0, WALKED, BATCH))
def test_the_facts_of_a_walk_are_enough(batch: int, made: Callable[[int], Facts]) -> None:
    """In a world of nothing but the facts that a walk names, its member is reached as soon, or in as few hops."""
    for number in range(batch, batch + BATCH):
        facts = warmed(made(number), number)
        asked = question(facts, number)
        if asked is None:
            continue
        for member in answered(facts, asked).members:
            sure = member.evidence == "certain"
            key = (member.kind, member.id)
            for walk, part in ((member.walk(), 1), (member.earliest_walk(), 0)):
                told = questions.told_by(facts, walk, certain=sure)
                found = reached(expected(facts, asked, certain=sure, told=told), asked.query.seed)
                assert found[key][part] == (member.time, member.hops)[part], (number, key, part)


@pytest.mark.parametrize("made", [world, told_world])
def test_how_long_a_member_was_exposed(made: Callable[[int], Facts]) -> None:
    """All its time up to the end of the question together with whoever needed fewer hops."""
    long = 0
    for number in range(150):
        facts = warmed(made(number), number)
        asked = question(facts, number)
        if asked is None:
            continue
        answer = answered(facts, asked)
        last = answer.terms.end()
        found = {certain: expected(facts, asked, certain=certain) for certain in (True, False)}
        for one in answer.members:
            if one.kind == "place":
                continue
            told = found[one.evidence == "certain"]
            who = Party(one.kind, one.id)  # type: ignore[arg-type]
            assert (one.exposure.handling, one.exposure.presence) == ticks.exposure(told, who, last), (number, one.key)
            long += one.exposure.handling + one.exposure.presence > 1
            assert one.exposure.last <= last
            assert one.exposure.last >= one.time or one.exposure.last == NEVER_MET or asked.dwell
    assert long > 30


@pytest.mark.parametrize("made", [world, told_world])
def test_without_an_end_both_kernels_say_the_same(made: Callable[[int], Facts]) -> None:
    compared = 0
    for number in range(200):
        facts = warmed(made(number), number)
        asked = question(facts, number)
        if asked is None:
            continue
        plain = {kind: span for kind, span in asked.query.persistence.items() if kind in KINDS}
        query = replace(asked.query, persistence=plain, policy="policy/1")
        run = trace(facts, query).wide
        one = run.spread
        seeds = [waning.Seed(label.party, label.time, label.time) for label in one.labels if label.previous == ROOT]
        other = waning.spread(
            Passing(run.ground, backward=False), seeds, strict=bool(query.strict), max_hops=query.max_generation
        )
        for found in (one, other):
            assert set(found.best) == set(one.first)
        assert {who: one.labels[label].clock for who, label in one.best.items()} == {
            who: other.labels[label].clock for who, label in other.best.items()
        }
        assert {who: one.labels[label].hops for who, label in one.first.items()} == {
            who: other.labels[label].hops for who, label in other.first.items()
        }
        assert {place: (label.time, label.hops) for place, label in one.best_place.items()} == {
            place: (label.time, label.hops) for place, label in other.best_place.items()
        }
        assert one.covered == other.covered
        compared += len(one.best)
    assert compared > 200


@pytest.mark.parametrize(
    "asked",
    [
        {"persistence": {"cellar": MICRO}},
        {"persistence": {"location": -MICRO}},
        {"persistence": {"item": MICRO * 0}},
        {"persistence": {"person": timedelta(days=36_501)}},
        {"min_dwell": {"person": MICRO}},
        {"min_dwell": {"handoff": -MICRO}},
    ],
)
def test_terms_that_are_refused(asked: dict[str, Any]) -> None:
    facts = world(0)
    with pytest.raises(QueryRefused):
        trace(facts, TraceQuery(facts.stays[0].who.id, at=EPOCH, **asked))
