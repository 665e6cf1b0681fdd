"""What a seed means, forward and backward: portions of a lot that nothing singles out are each possible (facts.md §6)."""

from datetime import timedelta

from tests.trace.test_cleaning import evidence
from tests.trace.test_facts import CITY_A, LOT, ask, two_cities

DAY = timedelta(days=1)


def test_backward_from_a_lot_without_a_place_everybody_is_possible() -> None:
    answer = ask(two_cities(), LOT, 8, backward=True, lookback=DAY)
    assert evidence(answer) == {"a": "possible", "b": "possible"}
    assert {one.evidence for one in answer.members} == {"possible"}


def test_backward_from_a_lot_at_its_place_only_its_own_way_is_certain() -> None:
    answer = ask(two_cities(), LOT, 8, backward=True, lookback=DAY, seed_place=CITY_A)
    assert evidence(answer) == {"a": "certain"}
