"""Counts of people that may be shown: small ones are hidden, and so that nobody can compute them from the others.

docs/cases.md (counts); docs/decisions/0803. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

K: Final = 5
"""Below it a count says too much about somebody: the custom of health statistics."""


@dataclass(frozen=True, slots=True)
class Counts:
    """A table of counts with its total; None is hidden. `is_withheld`: not even the names of its cells are told."""

    total: int | None
    cells: Mapping[str, int | None]
    is_withheld: bool = False


def shown(cells: Mapping[str, int], k: int = K) -> Counts:
    """Return what of a table may be shown; each person is counted in exactly one cell.

    Cells below `k` are hidden, and then the smallest others, until no hidden cell can be computed from the total and
    the cells shown, even by who knows this rule. Where that cannot be, the table is withheld; a total below `k` too.

    >>> shown({"a": 40, "b": 3, "c": 9}).cells
    {'a': 40, 'b': None, 'c': None}
    >>> shown({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1})
    Counts(total=5, cells={}, is_withheld=True)
    """
    filled = {name: count for name, count in cells.items() if count}
    total = sum(filled.values())
    if 0 < total < k:
        return Counts(None, {}, is_withheld=True)
    small = {name for name, count in filled.items() if count < k}
    hidden = set(small)
    rest = sorted((count, name) for name, count in filled.items() if name not in small)
    while hidden and not _is_safe({name: filled[name] for name in hidden}, small, k):
        if not rest:
            return Counts(total, {}, is_withheld=True)
        hidden.add(rest.pop(0)[1])
    return Counts(total, {name: None if name in hidden else count for name, count in cells.items()})


def _is_safe(hidden: Mapping[str, int], small: set[str], k: int) -> bool:
    """Whether each hidden cell may have two values at least, for who knows their sum and which of them are small."""
    total = sum(hidden.values())
    low = {name: 1 if name in small else k for name in hidden}
    high = {name: k - 1 if name in small else total for name in hidden}
    lows, highs = sum(low.values()), sum(high.values())
    return all(
        max(low[name], total - (highs - high[name])) < min(high[name], total - (lows - low[name])) for name in hidden
    )
