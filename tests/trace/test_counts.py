"""A hidden count stays hidden: whoever knows the total, the counts shown and the rule cannot compute it."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.trace.casework.counts import Counts, shown

CELLS = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 9), max_size=5)


def possible(cells: dict[str, int], seen: Counts, k: int) -> list[dict[str, int]]:
    """Every table that gives the same answer: what somebody with the rule's text and much time can find out."""
    hidden = [name for name, count in seen.cells.items() if count is None]
    known = {name: count for name, count in seen.cells.items() if count is not None}
    found = []
    for guess in product(range(1, sum(cells.values()) + 1), repeat=len(hidden)):
        table = {name: known.get(name, 0) for name in cells} | dict(zip(hidden, guess, strict=True))
        if sum(table.values()) == seen.total:
            found.append(table)
    return found


@settings(max_examples=150, deadline=None)
@given(CELLS, st.integers(2, 6))
def test_no_hidden_count_can_be_computed(cells: dict[str, int], k: int) -> None:
    seen = shown(cells, k)
    if seen.is_withheld:
        assert seen.cells == {}
        return
    assert all(count is None or count == 0 or count >= k for count in seen.cells.values())
    hidden = [name for name, count in seen.cells.items() if count is None]
    if hidden:
        small = {name for name in hidden if cells[name] < k}
        # The strongest that one could know: also which of the hidden ones are below k.
        tables = [one for one in possible(cells, seen, k) if all((one[name] < k) is (name in small) for name in hidden)]
        assert cells in tables
        for name in hidden:
            assert len({one[name] for one in tables}) > 1, (cells, seen, name)


def test_what_is_large_enough_is_shown() -> None:
    assert shown({"a": 5, "b": 12}) == Counts(17, {"a": 5, "b": 12})
    assert shown({}) == Counts(0, {})
    assert shown({"a": 0, "b": 7}) == Counts(7, {"a": 0, "b": 7})


def test_one_small_count_takes_another_with_it() -> None:
    assert shown({"a": 30, "b": 4, "c": 9}).cells == {"a": 30, "b": None, "c": None}


def test_a_total_below_k_is_hidden_with_all_names() -> None:
    assert shown({"stall 12": 4}) == Counts(None, {}, is_withheld=True)
    assert shown({"stall 12": 3, "dock": 1}) == Counts(None, {}, is_withheld=True)
