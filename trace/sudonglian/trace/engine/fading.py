"""How long exposure lasts on a subject: until when what is exposed at a tick still exposes, and since when at the earliest.

tracing.md §3.2 and §3.7; docs/spec/facts.md §13. Whole numbers alone: no time is ever made of a float.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from sudonglian.trace.engine.facts import OPEN_END, Micros
from sudonglian.trace.engine.spans import Codes, Times


class Fading(Protocol):
    """Two functions that never decrease, each the other's inverse: last(a) ≥ t if and only if first(t) ≤ a."""

    def last(self, tick: Micros) -> Micros:
        """Return the last tick at which what was exposed at a tick still exposes."""

    def first(self, tick: Micros) -> Micros:
        """Return the first tick at which what still exposes at a tick can have been exposed."""


class For(NamedTuple):
    """A span that is the same at any time."""

    span: Micros

    def last(self, tick: Micros) -> Micros:
        """Return the end of the span."""
        return tick + self.span

    def first(self, tick: Micros) -> Micros:
        """Return its beginning."""
        return tick - self.span


class Ever(NamedTuple):
    """No end."""

    def last(self, tick: Micros) -> Micros:
        """Return a tick that nothing comes after."""
        return max(tick, 2 * OPEN_END)

    def first(self, tick: Micros) -> Micros:
        """Return a tick that nothing comes before."""
        return min(tick, -2 * OPEN_END)


EVER = Ever()
"""For whoever never ceases."""


class Gradual:
    """What wanes at a rate that changes with time, until so much of it has passed.

    >>> slow = Gradual([(0, 1), (10, 4), (20, 0)], 8)
    >>> slow.last(0), slow.last(8), slow.last(9), slow.first(8), slow.first(11)
    (8, 11, 11, 0, 6)
    >>> slow.last(20) > 1 << 60
    True
    """

    def __init__(self, rates: Sequence[tuple[Micros, int]], budget: int) -> None:
        """Take moments from which on a rate holds, the first one also for all time before; no rate is negative."""
        self._times = [time for time, _ in rates]
        self._rates = [rate for _, rate in rates]
        self._budget = budget
        self._sums = [0]
        for number in range(1, len(rates)):
            passed = (self._times[number] - self._times[number - 1]) * self._rates[number - 1]
            self._sums.append(self._sums[-1] + passed)

    def _passed(self, tick: Micros) -> int:
        number = max(bisect_right(self._times, tick) - 1, 0)
        return self._sums[number] + self._rates[number] * (tick - self._times[number])

    def last(self, tick: Micros) -> Micros:
        """Return the last tick by which no more than the budget has passed."""
        goal = self._passed(tick) + self._budget
        number = max(bisect_right(self._sums, goal) - 1, 0)
        rate = self._rates[number]
        return EVER.last(tick) if rate == 0 else self._times[number] + (goal - self._sums[number]) // rate

    def first(self, tick: Micros) -> Micros:
        """Return the first tick since which no more than the budget has passed."""
        goal = self._passed(tick) - self._budget
        number = max(bisect_left(self._sums, goal) - 1, 0)
        rate = self._rates[number]
        return EVER.first(tick) if rate == 0 else self._times[number] - (self._sums[number] - goal) // rate


def last(fadings: Mapping[int, Fading], number: Codes, tick: Times) -> Times:
    """Return of ticks the last one by the fading of a number; the tick itself where there is none.

    >>> last({1: For(5), 2: EVER}, np.int64([0, 1, 2]), np.int64([7, 7, 7])).tolist() == [7, 12, 2 * OPEN_END]
    True
    """
    return _each(fadings, number, tick, 1)


def first(fadings: Mapping[int, Fading], number: Codes, tick: Times) -> Times:
    """Return of ticks the first one by the fading of a number; the tick itself where there is none."""
    return _each(fadings, number, tick, -1)


def _each(fadings: Mapping[int, Fading], number: Codes, tick: Times, way: int) -> Times:
    span, other = (
        np.zeros(int(number.max(initial=-1)) + 1, np.int64),
        np.zeros(int(number.max(initial=-1)) + 1, np.bool_),
    )
    for one, fading in fadings.items():
        if one < len(span):
            if isinstance(fading, For):
                span[one] = fading.span
            else:
                other[one] = True
    found: Times = tick + way * span[number]
    for at in np.flatnonzero(other[number]).tolist():
        fading, time = fadings[int(number[at])], int(tick[at])
        found[at] = fading.last(time) if way > 0 else fading.first(time)
    return found
