"""What a row gives to its place and takes from it, tick by tick, in either direction of time.

docs/spec/facts.md §8 and §13; the columns of the index say the same for whoever never ceases to expose.
"""

from typing import NamedTuple

from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.fading import EVER, Fading
from sudonglian.trace.engine.ground import Ground

Ticks = tuple[Micros, Micros]
"""Half-open; empty if it ends where it begins, or before."""


class Given(NamedTuple):
    """A place exposes others at the ticks of [start, left), and is exposed over [start, whole)."""

    start: Micros
    left: Micros
    whole: Micros


class Passing:
    """The exposure that passes through the rows of a ground."""

    def __init__(self, land: Ground, *, backward: bool) -> None:
        self._land, self._backward = land, backward
        self.columns = land.columns

    def fading(self, party: int) -> Fading:
        """Return how long a party exposes after its exposure, on the clock of the direction."""
        fading = self._land.fades.get(party, EVER)
        return _Mirrored(fading) if self._backward else fading

    def give(self, row: int, low: Micros, high: Micros) -> Given:
        """Return what a row gives whose party exposes in flows at the half ticks of [low, high).

        A half tick 2t + 1 is the tick t for flows and for what began a dwell earlier; for meetings it begins at t + 1.
        """
        columns, place = self.columns, self.columns.place[row]
        start, end, after = columns.start[row], columns.end[row], (high + 1) // 2
        fading = self._land.wear.get(place)
        if not self._backward:
            begin, finish = max(start, (low + 1) // 2), min(end, after)
            whole = finish if fading is None else fading.last(finish - 1) + 1
            return Given(begin, min(columns.left[row], whole), whole) if begin < finish else _nothing(begin)
        step = columns.lag.get(place, 0)
        begin = max(start, low // 2 + 1) + step - 1 if step else max(start, (low + 1) // 2)
        finish = min(end, after + step, columns.left[row])
        if begin >= finish:
            return _nothing(begin)
        return Given(begin, finish, finish if fading is None else 1 - fading.first(1 - finish))

    def take(self, row: int, start: Micros, end: Micros) -> Ticks:
        """Return at which ticks a row's party is exposed, whose place exposes over [start, end)."""
        columns, place = self.columns, self.columns.place[row]
        low, high = max(columns.open[row], start), min(columns.shut[row], end)
        if low >= high:
            return low, low
        if not self._backward:
            wait = columns.delay.get(place, 0)
            return low + wait, high + wait
        fading = self._land.wear.get(place)
        latest = high - 1 if fading is None else -fading.first(1 - high)
        return max(low, columns.start[row]), min(columns.end[row], latest + 1)


class _Mirrored(NamedTuple):
    """A fading on reversed time."""

    fading: Fading

    def last(self, tick: Micros) -> Micros:
        """Return the last tick of the other clock."""
        return -self.fading.first(-tick)

    def first(self, tick: Micros) -> Micros:
        """Return the first tick of the other clock."""
        return -self.fading.last(-tick)


def _nothing(at: Micros) -> Given:
    return Given(at, at, at)
