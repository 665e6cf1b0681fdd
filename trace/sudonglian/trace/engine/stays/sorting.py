"""Stable sorts of many small integers, in time that grows with their number alone.

tracing.md §4 (the index): radix by eleven bits a pass, and counting by codes.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int32]
Codes: TypeAlias = NDArray[np.int32]
Times: TypeAlias = NDArray[Any]
"""int32, or int64 where the unit is too fine for that; never floats."""

BITS: Final = 11
RADIX: Final = 1 << BITS
FEW: Final = 48
"""Up to so many, inserting one by one costs less than clearing the counters."""


@njit(cache=True)
def time_order(time: Times) -> Rows:
    """Return the order of rows by time; rows of one time stay in their order.

    >>> time_order(np.int32([5, -2, 5, 0])).tolist()
    [1, 3, 0, 2]
    """
    order = np.arange(len(time), dtype=np.int32)
    sort_by(order, 0, len(time), time)
    return order


@njit(cache=True)
def firsts(codes: Codes, size: int) -> Rows:
    """Return where the rows of each code begin, if they are in the order of codes, and at last how many there are."""
    first = np.zeros(size + 1, np.int32)
    for code in codes:
        first[code + 1] += 1
    for code in range(size):
        first[code + 1] += first[code]
    return first


@njit(cache=True)
def sort_by(order: Rows, low: int, high: int, key: Times) -> None:
    """Sort order[low:high] by the key that each stands for, stably."""
    if high - low <= FEW:
        for at in range(low + 1, high):
            one = order[at]
            value, into = key[one], at
            while into > low and key[order[into - 1]] > value:
                order[into] = order[into - 1]
                into -= 1
            order[into] = one
        return
    keys = np.empty(high - low, np.int64)
    for at in range(low, high):
        keys[at - low] = key[order[at]]
    _radix(keys, order[low:high])


@njit(cache=True)
def sort_codes(order: Rows, count: int) -> None:
    """Sort the first `count` numbers themselves."""
    if count <= FEW:
        order[:count].sort()
        return
    keys = order[:count].astype(np.int64)
    _radix(keys, order[:count])


@njit(cache=True)
def _radix(keys: NDArray[np.int64], order: Rows) -> None:
    """Sort both by the keys, stably; the keys are used up."""
    count = len(keys)
    least, most, rising = keys[0], keys[0], True
    for at in range(1, count):
        least, most = min(least, keys[at]), max(most, keys[at])
        rising &= keys[at] >= keys[at - 1]
    if rising:
        return
    counts = np.empty(RADIX, np.int64)
    here, there = order, np.empty(count, np.int32)
    other = np.empty(count, np.int64)
    left, shift, moved = most - least, 0, False
    while left > 0:
        counts[:] = 0
        for at in range(count):
            counts[((keys[at] - least) >> shift) & (RADIX - 1)] += 1
        begin = 0
        for digit in range(RADIX):
            begin, counts[digit] = begin + counts[digit], begin
        for at in range(count):
            digit = ((keys[at] - least) >> shift) & (RADIX - 1)
            into = counts[digit]
            counts[digit] = into + 1
            other[into], there[into] = keys[at], here[at]
        keys, other = other, keys
        here, there, moved = there, here, not moved
        shift += BITS
        left >>= BITS
    if moved:
        order[:] = here
