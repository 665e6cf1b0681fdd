"""Spans of time in columns: joined, laid over each other and measured, of many places (or parties) at once.

tracing.md §2 and §4: linear in the spans but for sorting, never pairs; docs/decisions/0353. Times are 64-bit integers; a
sum of them that might not fit is made of Python's whole numbers.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.int64]
"""Numbers of places, parties, groups or rows."""

Times: TypeAlias = NDArray[np.int64]

ROOM: Final = 1 << 62
"""What is below it can be added to its like in 64 bits."""

DIGIT: Final = 24
"""Bits of a digit of a time, where many are multiplied and added up."""

HALF: Final = 32
"""Bits of the lower half of a time, where many are added up."""


class Spans(NamedTuple):
    """Columns: a group, and [start, end)."""

    group: Codes
    start: Times
    end: Times


class Levels(NamedTuple):
    """Spans with a level each."""

    group: Codes
    start: Times
    end: Times
    level: Codes


class Ordered:
    """Pairs of group and time in their order, to be searched."""

    def __init__(self, group: Codes, time: Times) -> None:
        self._times = np.unique(time)
        self._width = len(self._times) + 1
        keys = group * self._width + np.searchsorted(self._times, time)
        is_sorted = bool((keys[1:] >= keys[:-1]).all())
        self.order = np.arange(len(keys)) if is_sorted else np.argsort(keys, kind="stable")
        self._keys = keys if is_sorted else keys[self.order]

    def before(self, group: Codes, time: Times) -> Codes:
        """Return how many pairs come before each of the given ones, those of lesser groups too.

        >>> Ordered(np.int64([1, 0, 1]), np.int64([5, 9, 3])).before(np.int64([1, 1, 2]), np.int64([3, 6, 0])).tolist()
        [1, 3, 3]
        """
        return np.searchsorted(self._keys, group * self._width + np.searchsorted(self._times, time))

    def first(self, group: Codes) -> Codes:
        """Return how many pairs lesser groups have."""
        return np.searchsorted(self._keys, group * self._width)


def running(group: Codes, time: Times) -> Times:
    """Return the latest of the times so far, in each group; the groups rise.

    >>> running(np.int64([0, 0, 0, 4]), np.int64([3, 9, 4, 1])).tolist()
    [3, 9, 9, 1]
    """
    if not len(time):
        return time
    low = int(time.min())
    span = int(time.max()) - low + 1
    if span * (int(group[-1]) + 1) < ROOM:
        base = group * span - low
        return np.maximum.accumulate(base + time) - base
    values, rank = np.unique(time, return_inverse=True)
    base = group * len(values)
    return values[np.maximum.accumulate(base + rank) - base]


def joined(spans: Spans) -> Spans:
    """Return the spans by group and start, those of a group that touch or overlap as one.

    >>> [one.tolist() for one in joined(Spans(np.int64([1, 0, 1, 1]), np.int64([4, 0, 0, 9]), np.int64([6, 1, 4, 11])))]
    [[0, 1, 1], [0, 0, 9], [1, 6, 11]]
    """
    order = np.lexsort((spans.start, spans.group))
    group, start, end = (column[order] for column in spans)
    reach = running(group, end)
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (group[1:] != group[:-1]) | (start[1:] > reach[:-1])
    first = np.flatnonzero(fresh)
    return Spans(group[first], start[first], reach[np.append(first[1:], len(order))[: len(first)] - 1])


def lowest(spans: Levels) -> Levels:
    """Return the time that each group's spans cover in pieces, each with the lowest level there; by group and start.

    >>> told = Levels(np.int64([7, 7, 7]), np.int64([0, 2, 4]), np.int64([3, 8, 6]), np.int64([1, 2, 1]))
    >>> [one.tolist() for one in lowest(told)]
    [[7, 7, 7, 7], [0, 3, 4, 6], [3, 4, 6, 8], [1, 2, 1, 2]]
    """
    if not len(spans.group):
        return spans
    times, rank = np.unique(np.concatenate((spans.start, spans.end)), return_inverse=True)
    keys, cell = np.unique(np.concatenate((spans.group, spans.group)) * len(times) + rank, return_inverse=True)
    low, high = cell[: len(spans.group)], cell[len(spans.group) :]
    # Each span is two, as long as a power of two; then from the longest down, what holds of a span holds of its halves.
    power = np.frexp(high - low)[1] - 1
    none = int(spans.level.max()) + 1
    least = np.full(len(keys), none, np.int64)
    for size in range(int(power.max()), -1, -1):
        if size < int(power.max()):
            whole, half = least, 1 << size
            least = whole.copy()
            np.minimum(least[half:], whole[:-half], out=least[half:])
        here = np.flatnonzero(power == size)
        for begin in (low[here], high[here] - (1 << size)):
            np.minimum.at(least, begin, spans.level[here])
    fresh = np.ones(len(keys), np.bool_)
    fresh[1:] = least[1:] != least[:-1]
    # The last cell of a group lasts for no time, and is no level's.
    first = np.flatnonzero(fresh)
    beyond = np.append(first[1:], len(keys) - 1)
    covered = least[first] < none
    first, beyond = first[covered], beyond[covered]
    return Levels(
        keys[first] // len(times), times[keys[first] % len(times)], times[keys[beyond] % len(times)], least[first]
    )


class Rungs:
    """Blocks by which all that is of a group and below a level is found in a few, however many levels there are.

    Of the levels of a group blocks are made of 1, 2, 4 … each, by digit; those below a level are as many blocks as
    their number has binary digits.
    """

    def __init__(self, group: Codes, level: Codes) -> None:
        self._width = int(level.max(initial=0)) + 2
        self._known = np.unique(group * self._width + level)
        self._first = np.searchsorted(self._known, group * self._width)
        self._rank = np.searchsorted(self._known, group * self._width + level) - self._first

    def block(self, digit: int) -> Codes:
        """Return the block of each item among those of 2 ** digit levels."""
        return self._first + (self._rank >> digit)

    def below(self, group: Codes, level: Codes) -> Iterator[tuple[int, Codes, Codes]]:
        """Yield digits, each with which of those who ask look into a block of it, and into which; high levels first.

        >>> told = Rungs(np.int64([5, 5, 5]), np.int64([0, 1, 7]))
        >>> [(digit, into.tolist()) for digit, _, into in told.below(np.int64([5]), np.int64([8]))]
        [(0, [2]), (1, [0])]
        >>> told.block(0).tolist(), told.block(1).tolist()
        ([0, 1, 2], [0, 0, 1])
        """
        first = np.searchsorted(self._known, group * self._width)
        count = np.searchsorted(self._known, group * self._width + np.minimum(level, self._width - 1)) - first
        for digit in range(int(count.max(initial=0)).bit_length()):
            here = np.flatnonzero(count >> digit & 1)
            yield digit, here, first[here] + (count[here] >> digit) - 1


def overlaps(spans: Spans, asked: Spans) -> Times:
    """Return for each span that is asked how long the spans of its group overlap it, which do not overlap each other.

    >>> told = Spans(np.int64([1, 1, 2]), np.int64([0, 5, 0]), np.int64([3, 9, 100]))
    >>> overlaps(told, Spans(np.int64([1, 1, 3]), np.int64([2, 9, 0]), np.int64([8, 20, 9]))).tolist()
    [4, 0, 0]
    """
    found = np.zeros(len(asked.group), np.int64)
    for sign, edge in ((1, spans.start), (-1, spans.end)):
        known = Ordered(spans.group, edge)
        # Sums may pass beyond 64 bits and come back: what is asked for is a difference, which has room.
        passed = np.append(0, np.cumsum(edge[known.order]))
        first = known.first(asked.group)
        for way, time in ((sign, asked.end), (-sign, asked.start)):
            at = known.before(asked.group, time)
            found += way * ((at - first) * time - (passed[at] - passed[first]))
    return found


def weighed(spans: Spans, kind: Codes, worth: Sequence[int], asked: Spans, into: Codes, size: int) -> list[int]:
    """Return sums of length times worth, however large: each span that is asked adds to `into` what it overlaps.

    >>> told = Spans(np.int64([1, 1]), np.int64([0, 5]), np.int64([10, 6]))
    >>> both = Spans(np.int64([1, 1]), np.int64([4, -9]), np.int64([8, 2]))
    >>> weighed(told, np.int64([0, 1]), [1 << 70, 3], both, np.int64([1, 1]), 2) == [0, 6 * (1 << 70) + 3]
    True
    """
    if not len(spans.group) or not len(asked.group):
        return [0] * size
    base, top = int(spans.start.min()), int(spans.end.max())
    # A worth and a time are cut into digits, so that a digit of one times one of the other can be added up everywhere.
    digits = range(0, max((top - base).bit_length(), 1), DIGIT)
    limb = 62 - DIGIT - len(spans.group).bit_length()
    limbs = range(0, max(max(worth).bit_length(), 1), limb)
    edges = [(sign, edge - base, Ordered(spans.group, edge)) for sign, edge in ((1, spans.start), (-1, spans.end))]
    looked = [
        (sign * way, edge, known.order, known.before(asked.group, time), known.first(asked.group), time - base)
        for sign, edge, known in edges
        for way, time in ((1, np.clip(asked.end, base, top)), (-1, np.clip(asked.start, base, top)))
    ]
    total = [0] * size
    for low in limbs:
        part = np.array([one >> low & ((1 << limb) - 1) for one in worth], np.int64)[kind]
        for shift in digits:
            found = np.zeros(len(asked.group), np.int64)
            for sign, edge, order, at, first, time in looked:
                now, then = (one >> shift & ((1 << DIGIT) - 1) for one in (time, edge))
                mass, moment = (np.append(0, np.cumsum(one[order])) for one in (part, part * then))
                found += sign * ((mass[at] - mass[first]) * now - (moment[at] - moment[first]))
            for number, one in enumerate(added(into, found, size)):
                total[number] += one << (low + shift)
    return total


def added(index: Codes, values: Times, size: int) -> list[int]:
    """Return for each index the sum of its values, however large.

    >>> added(np.int64([1, 1]), np.int64([1 << 62, 1 << 62]), 3)
    [0, 9223372036854775808, 0]
    """
    low, high = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.add.at(low, index, values & ((1 << HALF) - 1))
    np.add.at(high, index, values >> HALF)
    return [(above << HALF) + below for above, below in zip(high.tolist(), low.tolist(), strict=True)]
