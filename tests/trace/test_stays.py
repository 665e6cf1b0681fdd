"""Compiled spread through stays against the plain kernel, label for label, and its growing index.

tracing.md §3 (definitions 1-4), §4 (layers, backward, appending).
"""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from sudonglian.trace.engine.forward import spread
from sudonglian.trace.engine.presence import index
from sudonglian.trace.engine.stays.board import Arcs
from sudonglian.trace.engine.stays.index import Exposed, StayIndex
from sudonglian.trace.errors import QueryRefused

WORLDS = 1500


@dataclass(frozen=True)
class World:
    """A small random world: rows (party, place, start, end), arcs, waits of places, seeds, and how it is asked."""

    rows: list[tuple[int, int, int, int]]
    arcs: list[tuple[int, int, int, int]]
    linger: dict[int, int]
    seeds: list[tuple[int, int]]
    strict: bool
    most: int | None
    dtype: Any


def world(seed: int) -> World:
    """Return a world of up to eight parties in five places; small times, so that ties and touching stays abound."""
    dice = random.Random(seed)
    parties, places, clock = dice.randrange(1, 9), dice.randrange(1, 6), dice.choice([4, 8, 30])
    rows = []
    for _ in range(dice.choice([0, 3, 12, 25, 25, 90])):
        start = dice.randrange(clock)
        rows.append(
            (dice.randrange(parties), dice.randrange(places), start, start + dice.choice([0, 1, 1, 2, 5, 9, 40]))
        )
    arcs = [
        (dice.randrange(parties), dice.randrange(parties), dice.randrange(-1, clock), dice.randrange(2))
        for _ in range(dice.choice([0, 0, 1, 4]))
    ]
    linger = {place: dice.randrange(1, 5) for place in range(places) if dice.random() < 0.3}
    seeds = [(dice.randrange(parties), dice.randrange(clock)) for _ in range(dice.choice([1, 1, 2]))]
    strict, most = dice.random() < 0.5, dice.choice([None, None, 0, 1, 2, 3])
    return World(rows, arcs, linger, seeds, strict, most, dice.choice([np.int32, np.int64]))


def columns(rows: list[tuple[int, int, int, int]], dtype: Any) -> tuple[Any, Any, Any, Any]:
    """Return rows as the columns that an index takes."""
    kinds = (np.int32, np.int32, dtype, dtype)
    party, place, start, end = (np.array([row[at] for row in rows], kinds[at]) for at in range(4))
    return party, place, start, end


def arcs_of(world: World) -> Arcs | None:
    """Return a world's arcs by source."""
    if not world.arcs:
        return None
    order = sorted(range(len(world.arcs)), key=lambda number: (world.arcs[number][0], number))
    size = max(max(arc[:2]) for arc in world.arcs) + 1
    first = np.searchsorted([world.arcs[number][0] for number in order], np.arange(size + 1)).astype(np.int32)
    target, time, hops = (np.array([world.arcs[number][at] for number in order]) for at in (1, 2, 3))
    return Arcs(
        first,
        target.astype(np.int32),
        time.astype(np.int64),
        hops.astype(np.int32),
        np.array(order, np.int32),
    )


def ints(values: list[int]) -> Any:
    """Return numbers as a column."""
    return np.array(values, np.int32)


def waits(world: World) -> list[int]:
    """Return how long each place stays exposed."""
    return [world.linger.get(place, 0) for place in range(5)]


def labels(found: Exposed) -> list[tuple[int, ...]]:
    """Return a spread's labels as the plain kernel has them."""
    return [tuple(int(value) for value in one) for one in zip(*found.labels, strict=True)]


def ask(index: StayIndex, world: World) -> Exposed:
    """Return a world's answer."""
    return index.spread(world.seeds, strict=world.strict, max_hops=world.most, arcs=arcs_of(world))


def test_equals_the_plain_kernel_label_for_label() -> None:
    """Whatever part of the stays is live, and when it is asked again, every label is the plain kernel's."""
    seen = 0
    for number in range(WORLDS):
        this = world(number)
        dice = random.Random(-number)
        expected = spread(index(this.rows, this.arcs, this.linger), this.seeds, strict=this.strict, max_hops=this.most)
        cut = dice.choice([len(this.rows), dice.randint(0, len(this.rows))])
        grown = StayIndex(*columns(this.rows[:cut], this.dtype), linger=waits(this))
        ask(grown, this)
        while cut < len(this.rows):
            onward = dice.randint(cut + 1, len(this.rows))
            assert grown.append(*columns(this.rows[cut:onward], this.dtype)) == cut
            cut = onward
        for _ in range(2):
            found = ask(grown, this)
            assert labels(found) == [tuple(one) for one in expected.labels], number
            assert dict(zip(found.party.tolist(), found.first.tolist(), strict=True)) == expected.first, number
            assert dict(zip(found.party.tolist(), found.best.tolist(), strict=True)) == expected.best, number
        grown.seal()
        assert grown.live == 0
        assert labels(ask(grown, this)) == [tuple(one) for one in expected.labels], number
        seen += len(expected.labels)
    assert seen > WORLDS


def test_what_covers_a_place_is_what_the_plain_kernel_covers() -> None:
    """The deposits, joined where they touch, are the times at which each place is exposed."""
    for number in range(300):
        this = world(number)
        expected = spread(index(this.rows, this.arcs, this.linger), this.seeds, strict=this.strict, max_hops=this.most)
        laid = ask(StayIndex(*columns(this.rows, this.dtype), linger=waits(this)), this).deposits
        covered: dict[int, list[tuple[int, int]]] = {}
        for place, start, end in sorted(zip(laid.place.tolist(), laid.start.tolist(), laid.end.tolist(), strict=True)):
            known = covered.setdefault(place, [])
            if known and start <= known[-1][1]:
                known[-1] = (known[-1][0], max(end, known[-1][1]))
            else:
                known.append((start, end))
        assert covered == {place: list(spans) for place, spans in expected.covered.items() if spans}, number


def test_backward_is_forward_on_the_turned_index() -> None:
    """x reaches y from t on if, and only if, t is not later than y's latest departure in the turned index."""
    for number in range(250):
        this = world(number)
        if this.arcs or not this.rows:
            continue
        forward = StayIndex(*columns(this.rows, this.dtype), linger=waits(this))
        backward = forward.turned()
        parties = range(max(row[0] for row in this.rows) + 1)
        end = 90
        for target in parties:
            back = backward.spread([(target, -end)], strict=this.strict)
            latest = {int(party): -int(time) for party, time in zip(back.party, back.arrival, strict=True)}
            for source in parties:
                for at in range(0, 40, 3):
                    found = forward.spread([(source, at)], strict=this.strict, until=end + 1)
                    assert (target in found.party.tolist()) == (at <= latest.get(source, -1)) or source == target


def test_until_hides_what_is_later() -> None:
    """An answer up to a moment is the answer without the end, less what is later."""
    for number in range(300):
        this = world(number)
        if this.arcs or this.most is not None:
            continue
        asked = StayIndex(*columns(this.rows, this.dtype), linger=waits(this))
        whole = asked.spread(this.seeds, strict=this.strict)
        for until in (1, 5, 17):
            seeds = [seed for seed in this.seeds if seed[1] < until]
            if len(seeds) != len(this.seeds):
                continue
            part = asked.spread(seeds, strict=this.strict, until=until)
            known = dict(zip(whole.party.tolist(), whole.arrival.tolist(), strict=True))
            assert dict(zip(part.party.tolist(), part.arrival.tolist(), strict=True)) == {
                party: time for party, time in known.items() if time < until
            }


def test_closing_a_stay_is_as_if_it_had_never_been_longer() -> None:
    """Open stays are closed in either segment; answers are those of the closed stays."""
    for number in range(300):
        this = world(number)
        dice = random.Random(number)
        if not this.rows:
            continue
        cut = dice.randint(0, len(this.rows))
        late = [(party, place, start, end + dice.choice([0, 0, 50])) for party, place, start, end in this.rows]
        grown = StayIndex(*columns(late[:cut], this.dtype), linger=waits(this))
        grown.append(*columns(late[cut:], this.dtype))
        ask(grown, this)
        for at in dice.sample(range(len(this.rows)), len(this.rows)):
            grown.close(at, this.rows[at][3])
        assert labels(ask(grown, this)) == labels(
            ask(StayIndex(*columns(this.rows, this.dtype), linger=waits(this)), this)
        )


def test_a_chain_of_a_million_and_a_cycle() -> None:
    """A million generations are ordinary, and walks through a cycle of stays end."""
    count = 1_000_000
    party = np.repeat(np.arange(count, dtype=np.int32), 2)[1:-1]
    place = np.repeat(np.arange(count - 1, dtype=np.int32), 2)
    start = place.astype(np.int32)
    chain = StayIndex(party, place, start, start + np.int32(1))
    found = chain.spread([(0, 0)])
    assert len(found.party) == count
    assert int(found.generation.max()) == count - 1
    assert len(found.walk(int(found.first[-1]))) == count
    ring = StayIndex(ints([0, 1, 1, 2, 2, 0]), ints([0, 0, 1, 1, 2, 2]), ints([0] * 6), ints([9] * 6))
    assert ring.spread([(0, 0)]).generation.tolist() == [0, 1, 1]


def test_a_crowd_with_a_stay_without_end() -> None:
    """A worker who never leaves, and thousands who pass by: all who come after the seed, nobody who left before."""
    count = 5000
    start = np.arange(count, dtype=np.int32) * 10
    party, place = np.arange(count, dtype=np.int32), np.zeros(count, np.int32)
    end = start + np.int32(5)
    end[0] = 2**28
    found = StayIndex(party, place, start, end).spread([(2500, 25_000)])
    assert found.party.tolist() == [0, *range(2500, count)]
    assert found.generation.tolist() == [1, 0, *([2] * (count - 2501))]


def test_bad_columns_are_refused() -> None:
    """Each with its reason; an index that refuses is as it was."""
    one = ints([0])
    grown = StayIndex(one, one, one, one + 5)
    for columns_, reason in (
        ((one, one, one, ints([5, 6])), "different lengths"),
        ((one - 1, one, one, one), "out of range"),
        ((one, one, one + 5, one), "ends before"),
        ((one, one, one, np.array([2**40])), "out of range"),
        ((one, one, one * 0.5, one * 1.5), "whole numbers"),
    ):
        with pytest.raises(QueryRefused, match=reason):
            grown.append(*columns_)
    assert len(grown) == 1
    for number, end in ((1, 3), (-1, 3), (0, 6), (0, -1)):
        with pytest.raises(QueryRefused):
            grown.close(number, end)
    with pytest.raises(QueryRefused):
        grown.spread([(-1, 0)])
    assert grown.spread([(7, 0)]).party.tolist() == [7]
