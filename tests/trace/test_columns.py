"""Exposure, dose and tier from columns against the same row by row; and sums that do not fit into 64 bits.

docs/decisions/0353; the tick oracle says what exposures are, this that crowds, chains and ties are no different.
"""

import random
from dataclasses import replace
from datetime import timedelta

import numpy as np
from tests.trace import row_by_row
from tests.trace.questions import answered, question
from tests.trace.warmth import warmed
from tests.trace.worlds import KINDS, crowd, told_world

from sudonglian.trace.engine import precedence
from sudonglian.trace.engine.exposure import exposures
from sudonglian.trace.engine.facts import EPOCH, Facts, Party, Place, Stay, canonical
from sudonglian.trace.engine.firing import assign
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.reached import Reached
from sudonglian.trace.engine.result import TraceResult, trace
from sudonglian.trace.engine.risk import doses
from sudonglian.trace.engine.spans import Spans, weighed
from sudonglian.trace.engine.tiers import tier_tables

WORLDS = 120


def chain(seed: int) -> Facts:
    """Return a chain of forty who meet the next one each, in two rooms, and come back to the rooms now and then."""
    dice = random.Random(f"chain {seed}")
    parties = [Party(dice.choice(("item", "person")), f"p{number:02}") for number in range(40)]
    rooms = [Place(kind, kind) for kind in dice.sample(KINDS, 2)]  # type: ignore[arg-type]
    stays = []
    for number, who in enumerate(parties):
        begin, room = 2 * number, rooms[number // 3 % 2]
        for at in (room, rooms[(number + 1) // 3 % 2]):
            stays.append(Stay("at", who, at, begin, begin + 3, True, f"r{number}", ""))
        start = begin + dice.randrange(3, 90)
        end = start + dice.choice((1, 5, 20))
        stays.append(Stay("at", who, dice.choice(rooms), start, end, dice.random() < 0.8, f"s{number}", ""))
    return canonical(Facts(stays=tuple(stays), table_version="test"))


def agree(answer: TraceResult) -> tuple[int, int, int]:
    """Compare both runs; return how many tiers and doses there were, and the last generation."""
    end, terms = answer.terms.end(), answer.terms
    fired = dosed = last = 0
    for run, certain in ((answer.wide, False), (answer.narrow, True)):
        reached, some = Reached(run), set(list(run.spread.first)[::2])
        lengths = row_by_row.exposures(run, end)
        assert dict(exposures(reached, end)) == dict(lengths)
        assert dict(exposures(reached, end, some)) == {one: lengths[one] for one in some}
        last = max(last, *reached.hops.tolist(), 0)
        if run.backward:
            continue
        told = row_by_row.doses(run, terms, end, certain=certain)
        assert dict(doses(reached, terms, end, certain=certain)) == dict(told)
        assert dict(doses(reached, terms, end, certain=certain, asked=some)) == {one: told[one] for one in some}
        for edition in tier_tables().values():
            tiers = assign(reached, edition)
            assert dict(tiers) == dict(row_by_row.assign(run, edition))
        assert dict(precedence.doses(reached, terms, end, certain=certain)) == dict(
            row_by_row.precedence_doses(run, terms, end, certain=certain)
        )
        fired, dosed = fired + len(tiers), dosed + sum(one > 0 for one in told.values())
    return fired, dosed, last


def test_columns_say_what_rows_say() -> None:
    seen = []
    for number in range(WORLDS):
        facts = crowd(number) if number % 4 else told_world(number)
        facts = warmed(facts, number) if number % 3 == 0 else facts
        asked = question(facts, number)
        if asked is not None:
            asked = asked._replace(query=replace(asked.query, backward=number % 5 == 4))
            seen.append(agree(answered(facts, asked)))
    assert min(sum(fired for fired, _, _ in seen), sum(dosed for _, dosed, _ in seen)) > WORLDS


def test_long_chains_are_no_different() -> None:
    last = []
    for number in range(20):
        spans = {"persistence": {"item": timedelta(microseconds=4)}} if number % 3 == 0 else {}
        query = TraceQuery("p00", at=EPOCH, strict=bool(number % 2), **spans)  # type: ignore[arg-type]
        last.append(agree(trace(chain(number), query))[2])
    assert max(last) > 16


def test_sums_are_exact_however_large() -> None:
    dice = random.Random(1)
    for clock in (20, 1 << 40, 1 << 61):
        told = [(dice.randrange(3), *sorted(dice.choices(range(clock), k=2)), dice.randrange(4)) for _ in range(60)]
        asked = [(dice.randrange(4), *sorted(dice.choices(range(clock), k=2)), dice.randrange(5)) for _ in range(60)]
        worth = [0, 3, (1 << 60) * 7, dice.randrange(1 << 100)]
        group, start, end, kind = np.array(told, np.int64).T
        where, low, high, into = np.array(asked, np.int64).T
        found = weighed(Spans(group, start, end), kind, worth, Spans(where, low, high), into, 5)
        expected = [0] * 5
        for room, begin, until, number in asked:
            for other, since, last, value in told:
                if other == room:
                    expected[number] += worth[value] * max(min(until, last) - max(begin, since), 0)
        assert found == expected
