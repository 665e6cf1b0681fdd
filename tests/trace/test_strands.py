"""Facts of a growing log: those of deriving everything, for every order of arrival and every size of the log."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trace.worlds import SITES, crowd, told_events

from sudonglian.trace.engine import strand, whole
from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import EventView, ItemRef
from sudonglian.trace.engine.facts import Facts
from sudonglian.trace.engine.progress import Stage
from sudonglian.trace.engine.strands import Strands
from sudonglian.trace.engine.told import Told, followed, told, told_of
from sudonglian.trace.errors import EventRefused

WORLDS = 60
STEPS = 8


class Log:
    """A log in which random events arrive out of order, some declared in error, some corrected by other entries."""

    def __init__(self, dice: random.Random) -> None:
        self.events: list[EventView] = []
        self.corrections: list[tuple[int, str]] = []
        told = [
            replace(event, record_hash=f"{part}{event.record_hash}")
            for part in range(dice.choice((1, 2, 3)))
            for event in told_events(dice.randrange(10_000))
        ]
        dice.shuffle(told)
        self.size = 0
        for event in told:
            self.size += dice.choice((1, 1, 2))
            self.events.append(replace(event, log_index=self.size, declares_error=dice.random() < 0.05))
            if dice.random() < 0.25:
                self.size += 1
                self.corrections.append((self.size, dice.choice(self.events).record_hash))
        self.size += 1

    def add_to(self, strands: Strands, start: int, size: int) -> None:
        """Hand over what the log holds from one size to another, some of it twice."""
        new = [event for event in self.events if start <= event.log_index < size]
        strands.add([*new, *new[:2]], [one for one in self.corrections if start <= one[0] < size])

    def facts(self, size: int) -> Facts:
        """Return the facts at a size by deriving all of them."""
        corrected = {record for index, record in self.corrections if index < size}
        return derive_facts(
            replace(event, superseded=event.record_hash in corrected) for event in self.events if event.log_index < size
        )


def same(columns: Told, others: Told) -> None:
    """Assert that columns are equal."""
    assert (columns.parties, columns.places, columns.contacts) == (others.parties, others.places, others.contacts)
    for name in ("who", "where", "start", "end", "certain", "contact"):
        assert np.array_equal(getattr(columns, name), getattr(others, name)), name


def agree(seed: int) -> None:
    """Assert that facts at random sizes, forth and back, are those of everything, in the same order."""
    dice = random.Random(seed)
    log, strands, known = Log(dice), Strands(), 0
    for _ in range(STEPS):
        size = (
            dice.randrange(log.size + 1) if dice.random() < 0.6 else min(log.size, strands.size + dice.choice((0, 1)))
        )
        if size > known:
            log.add_to(strands, known, size)
            known = size
        if dice.random() < 0.25:
            # What another process kept, taken up by one that remembers nothing.
            facts, at = strands.facts(strands.size), strands.size
            strands = Strands()
            log.add_to(strands, 0, known)
            strands.restore(at, facts)
        facts = strands.facts(size)
        assert repr(facts) == repr(log.facts(size))
        # Columns that were made before follow what changed.
        columns, anew = told_of(facts), told(facts.stays)
        assert columns.stays is facts.stays
        same(columns, anew)


@pytest.mark.parametrize("spacing", [1, 2, 1_000])
@pytest.mark.parametrize("few", [0, 50])
def test_the_facts_of_any_size_are_those_that_deriving_everything_gives(
    spacing: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strand, "SPACING", spacing)
    monkeypatch.setattr(whole, "FEW", few)
    for seed in range(WORLDS):
        agree(seed * 100 + spacing)


@given(st.integers(0, 1 << 40))
def test_random_logs_agree(seed: int) -> None:
    agree(seed)


def test_every_prefix_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strand, "SPACING", 2)
    for seed in range(10):
        log, strands = Log(random.Random(f"prefix {seed}")), Strands()
        for size in range(1, log.size + 1):
            log.add_to(strands, size - 1, size)
            assert repr(strands.facts(size)) == repr(log.facts(size))
        for size in range(log.size, -1, -1):
            assert repr(strands.facts(size)) == repr(log.facts(size))


def moves(count: int, item: str = "urn:x:box", start: int = 0) -> list[EventView]:
    """Return one thing's stations, one after another."""
    return [
        EventView(
            record_hash=f"{item}/{number}",
            log_index=start + number,
            event_time=10 * number,
            type="ObjectEvent",
            action="OBSERVE",
            biz_step="receiving",
            items=(ItemRef(item, "epc"),),
            biz_location=SITES[number % len(SITES)],
        )
        for number in range(count)
    ]


def read(strands: Strands, size: int) -> int:
    """Return how many events were read for the facts at a size."""
    told: list[Stage] = []
    strands.facts(size, report=told.append)
    assert told[-1].done == told[-1].total
    return told[-1].done


def test_only_what_is_new_is_read() -> None:
    strands, count = Strands(), 8 * strand.SPACING
    events = moves(count)
    strands.add([*events, *moves(3, "urn:x:other", count)])
    assert read(strands, count + 3) == count + 3
    assert read(strands, count + 3) == 0
    late = replace(events[-1], record_hash="late", log_index=count + 3, event_time=events[-40].event_time + 1)
    strands.add([late])
    assert 40 <= read(strands, count + 4) <= 40 + strand.SPACING
    strands.add([], [(count + 4, "urn:x:other/1")])
    assert read(strands, count + 5) == 2
    corrected = replace(moves(3, "urn:x:other", count)[1], superseded=True)
    everything = [*events, *moves(3, "urn:x:other", count)[::2], corrected, late]
    assert strands.facts(count + 5) == derive_facts(everything)


def test_a_long_strand_takes_in_another_without_being_read_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strand, "SPACING", 16)
    strands, long, short = Strands(), moves(400), moves(30, "urn:x:other", 400)
    strands.add([*long, *short])
    strands.facts(430)
    both = replace(
        long[-1], record_hash="both", log_index=430, event_time=10_000, items=(*long[0].items, *short[0].items)
    )
    strands.add([both])
    assert read(strands, 431) <= 2 * 16 + 1
    assert strands.facts(431) == derive_facts([*long, *short, both])
    late = replace(short[2], record_hash="late", log_index=431, event_time=short[25].event_time + 1)
    strands.add([late])
    assert read(strands, 432) > 300
    assert strands.facts(432) == derive_facts([*long, *short, both, late])


def test_what_cannot_be_read_is_refused_and_leaves_everything_as_it_was() -> None:
    strands = Strands()
    good, bad = moves(2)
    with pytest.raises(EventRefused):
        strands.add([good, replace(bad, items=(ItemRef("urn:x:box", "bogus"),))])
    assert len(strands) == 0
    assert strands.facts(2) == derive_facts([])


def test_columns_follow_a_few_stays_that_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `FEW` as it is, columns are made once, and then only changed."""
    made = []
    dice = random.Random(1)
    stays = [stay for number in range(4) for stay in crowd(number).stays]

    def watched(*changed: Any) -> Any:
        made.append(changed)
        return followed(*changed)

    monkeypatch.setattr(whole, "followed", watched)
    kept = whole.Whole()
    kept.replace([], [Facts(stays=tuple(stays[20:]))])
    told_of(kept.facts)
    for at in range(0, 20, 2):
        gone = dice.choice(kept.facts.stays)
        kept.replace([Facts(stays=(gone,))], [Facts(stays=tuple(stays[at : at + 2]))])
        columns = kept.facts.beside.told
        anew = told(kept.facts.stays)
        assert columns.stays is kept.facts.stays
        same(columns, anew)
    assert len(made) > 8
