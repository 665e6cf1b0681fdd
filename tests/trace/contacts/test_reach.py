"""Whom a seed reaches, held against the definitions read word for word."""

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sudonglian.trace.engine.contacts.reach import NEVER, Reached, reach
from sudonglian.trace.engine.contacts.rows import Contacts
from sudonglian.trace.errors import QueryRefused

from .literal import Row, arrivals

WORLDS = 1_500


def table(rows: list[Row], parties: int) -> Contacts:
    ends = [row[3] for row in rows]
    return Contacts(
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int32),
        np.array([row[2] for row in rows], np.int64),
        None if None in ends or not ends else np.array(ends, np.int64),
        parties,
    )


def told(found: Reached) -> dict[int, int]:
    return {party: int(when) for party, when in enumerate(found.arrival) if when != NEVER}


def world(chance: random.Random, intervals: bool) -> tuple[list[Row], int, int, dict[str, Any]]:
    parties, last = chance.randint(2, 6), chance.choice([2, 5, 15])
    rows: list[Row] = []
    for _ in range(chance.randint(1, 12)):
        start = chance.randint(0, last)
        end = start + chance.randint(0, 4) if intervals else None
        rows.append((chance.randrange(parties), chance.randrange(parties), start, end))
    at = chance.choice([None, chance.randint(0, last)])
    asked: dict[str, Any] = {
        "at": at,
        "until": chance.choice([None, (at or 0) + chance.randint(0, last)]),
        "max_wait": chance.choice([None, 0, 1, 2, 4]),
    }
    if intervals:
        asked["step"] = chance.choice([0, 1, 2])
    else:
        asked["strict"] = chance.random() < 0.5
    return rows, parties, chance.randrange(parties), asked


@pytest.mark.parametrize("intervals", [False, True])
def test_as_the_definitions_say(intervals: bool) -> None:
    chance = random.Random(20_260_101)
    reached, limited = 0, 0
    for _ in range(WORLDS):
        rows, parties, seed, asked = world(chance, intervals)
        due = arrivals(rows, seed, **asked)
        found = reach(table(rows, parties), seed, **asked)
        assert told(found) == due, (rows, seed, asked)
        reached += bool(due)
        limited += due != arrivals(rows, seed, **{**asked, "max_wait": None})
        for party in due:
            by = int(found.previous[party])
            assert any((u, v) == (by, party) for u, v, _, _ in rows)
            if asked["max_wait"] is None:
                assert found.hops[party] == (1 if by == seed else found.hops[by] + 1)
    assert reached > WORLDS // 4
    assert limited > WORLDS // 100


@pytest.mark.parametrize("intervals", [False, True])
def test_who_reaches_is_reached_backward(intervals: bool) -> None:
    chance = random.Random(7)
    pairs = 0
    for _ in range(WORLDS // 3):
        rows, parties, seed, asked = world(chance, intervals)
        # The limits of a window change sides with time; a wait bound at one end has no counterpart at the other.
        asked |= {"at": None, "until": None}
        contacts = table(rows, parties)
        for target in told(reach(contacts, seed, **asked)):
            assert seed in told(reach(contacts.reversed(), target, **asked)), (rows, seed, target, asked)
            pairs += 1
    assert pairs > 200


def test_the_order_of_rows_and_duplicates_do_not_show() -> None:
    chance = random.Random(3)
    for _ in range(300):
        rows, parties, seed, asked = world(chance, chance.random() < 0.3)
        due = reach(table(rows, parties), seed, **asked)
        mixed = [*rows, *chance.sample(rows, len(rows))]
        chance.shuffle(mixed)
        found = reach(table(mixed, parties), seed, **asked)
        for one, other in ((due.arrival, found.arrival), (due.hops, found.hops), (due.previous, found.previous)):
            assert np.array_equal(one, other), (rows, asked)


def test_strict_and_limits_only_take_away() -> None:
    chance = random.Random(5)
    for _ in range(300):
        rows, parties, seed, asked = world(chance, False)
        contacts = table(rows, parties)
        free = told(reach(contacts, seed, **{**asked, "strict": False}))
        assert told(reach(contacts, seed, **{**asked, "strict": True})).keys() <= free.keys()
        waits = [told(reach(contacts, seed, **{**asked, "max_wait": wait})).keys() for wait in (0, 2, 4, 99, None)]
        assert all(less <= more for less, more in pairwise(waits))
        assert waits[-2] == waits[-1]


def test_a_long_chain_and_a_long_cycle() -> None:
    length = 200_000
    ring = np.arange(length, dtype=np.int32)
    chain = Contacts(ring, np.roll(ring, -1), np.arange(length), None, length)
    found = reach(chain, 0, strict=True)
    assert (found.hops[length - 1], found.arrival[length - 1]) == (length - 1, length - 2)
    at_once = Contacts(ring, np.roll(ring, -1), np.zeros(length, np.int64), None, length)
    assert reach(at_once, 5).hops[4] == length - 1


def test_an_example_to_read() -> None:
    # 0 meets 1 on day 3; 1 meets 2 on day 3 and 3 on day 9.
    contacts = table([(0, 1, 3, None), (1, 2, 3, None), (1, 3, 9, None)], 4)
    assert told(reach(contacts, 0)) == {1: 3, 2: 3, 3: 9}
    assert told(reach(contacts, 0, strict=True)) == {1: 3, 3: 9}
    assert told(reach(contacts, 0, max_wait=5)) == {1: 3, 2: 3}
    assert told(reach(contacts, 0, at=0, max_wait=2)) == {}
    assert told(reach(contacts, 0, until=3)) == {1: 3, 2: 3}


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"seed": 9}, "seed"),
        ({"at": 2**63}, "at"),
        ({"at": 5, "until": 4}, "until"),
        ({"max_wait": -1}, "max_wait"),
        ({"step": 1}, "step"),
    ],
)
def test_what_has_no_meaning_is_refused(asked: dict[str, Any], place: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        reach(table([(0, 1, 1, None)], 2), **{"seed": 0, **asked})
    assert refused.value.place == place


def test_strict_is_for_instants() -> None:
    with pytest.raises(QueryRefused):
        reach(table([(0, 1, 1, 2)], 2), 0, strict=True)
