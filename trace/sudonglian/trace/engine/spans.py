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
        self._top = int(group.max(initial=-1)) + 1
        self._low, last = (int(time.min()), int(time.max())) if len(time) else (0, 0)
        self._width = last - self._low + 2
        self._times: Times | None = None
        if self._width * (self._top + 1) >= ROOM:
            self._times = distinct(time)
            self._width = len(self._times) + 1
        keys = self._keyed(group, time)
        is_sorted = bool((keys[1:] >= keys[:-1]).all())
        self.order = np.arange(len(keys)) if is_sorted else np.argsort(keys, kind="stable")
        self._keys = keys if is_sorted else keys[self.order]

    def before(self, group: Codes, time: Times) -> Codes:
        """Return how many pairs come before each of the given ones, those of lesser groups too.

        >>> Ordered(np.int64([1, 0, 1]), np.int64([5, 9, 3])).before(np.int64([1, 1, 2]), np.int64([3, 6, 0])).tolist()
        [1, 3, 3]
        """
        return np.searchsorted(self._keys, self._keyed(group, time))

    def _keyed(self, group: Codes, time: Times) -> Codes:
        """Return pairs as numbers in the same order, as far as they can be told from those that there are."""
        if self._times is not None:
            rank = np.searchsorted(self._times, time)
        else:
            rank = np.minimum(np.maximum(time, self._low), self._low + self._width - 1) - self._low
        found: Codes = np.minimum(group, self._top) * self._width + rank
        return found

    def cells(self) -> tuple[Codes, Codes]:
        """Return the numbers of the pairs, each once in their order, and which of them each pair has."""
        fresh = np.append(np.ones(min(len(self._keys), 1), np.bool_), self._keys[1:] != self._keys[:-1])
        cell = np.empty(len(self._keys), np.int64)
        cell[self.order] = np.cumsum(fresh) - 1
        return self._keys[fresh], cell

    def pairs(self, keys: Codes) -> tuple[Codes, Times]:
        """Return the pairs of some numbers."""
        group, rank = keys // self._width, keys % self._width
        return group, rank + self._low if self._times is None else self._times[rank]

    def first(self, group: Codes) -> Codes:
        """Return how many pairs lesser groups have."""
        return np.searchsorted(self._keys, np.minimum(group, self._top) * self._width)


def distinct(values: Times) -> Times:
    """Return values in their order, each once."""
    # Faster than numpy's own, which makes a table of them first.
    ordered: Times = np.sort(values)
    found: Times = ordered[np.append(np.ones(min(len(ordered), 1), np.bool_), ordered[1:] != ordered[:-1])]
    return found


def numbered(codes: Codes, size: int) -> tuple[Codes, Codes]:
    """Return those of so many codes that there are, and where each of the given ones stands among them.

    >>> [one.tolist() for one in numbered(np.int64([7, 2, 7]), 9)]
    [[2, 7], [1, 0, 1]]
    """
    used = np.zeros(size, np.bool_)
    used[codes] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[codes]


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
    order = np.argsort(spans.group, kind="stable")
    if bool(((np.diff(spans.group[order]) == 0) & (np.diff(spans.start[order]) < 0)).any()):
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
    known = Ordered(np.append(spans.group, spans.group), np.append(spans.start, spans.end))
    keys, cell = known.cells()
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
    group, start = known.pairs(keys[first])
    return Levels(group, start, known.pairs(keys[beyond])[1], least[first])


class Rungs:
    """Blocks by which all that is of a group and below a level is found in a few, however many levels there are.

    Of the levels of a group blocks are made of 1, 2, 4 … each, by digit; those below a level are as many blocks as
    their number has binary digits.
    """

    def __init__(self, group: Codes, level: Codes) -> None:
        self._width = int(level.max(initial=0)) + 2
        self._known = distinct(group * self._width + level)
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


class _Edges:
    """Starts and ends of spans as one, to tell of a group how much of its spans came before a time.

    Of spans that are whole before it nothing is left over: of lesser groups nothing has to be taken off.
    """

    def __init__(self, spans: Spans) -> None:
        self.known = Ordered(np.append(spans.group, spans.group), np.append(spans.start, spans.end))
        self.time = np.append(spans.start, spans.end)[self.known.order]
        self._is_end = self.known.order >= len(spans.group)
        self._span = self.known.order - self._is_end * len(spans.group)

    def signed(self, values: Times) -> Times:
        """Return values of spans, one each, at their edges: less by it at the end."""
        found = values[self._span]
        return np.where(self._is_end, -found, found)


def overlaps(spans: Spans, asked: Spans) -> Times:
    """Return for each span that is asked how long the spans of its group overlap it, which do not overlap each other.

    >>> told = Spans(np.int64([1, 1, 2]), np.int64([0, 5, 0]), np.int64([3, 9, 100]))
    >>> overlaps(told, Spans(np.int64([1, 1, 3]), np.int64([2, 9, 0]), np.int64([8, 20, 9]))).tolist()
    [4, 0, 0]
    """
    edges = _Edges(spans)
    signs = edges.signed(np.ones(len(spans.group), np.int64))
    # Sums may pass beyond 64 bits and come back: what is asked for is a difference, which has room.
    count, passed = (np.append(0, np.cumsum(one)) for one in (signs, signs * edges.time))
    now, then = (edges.known.before(asked.group, time) for time in (asked.end, asked.start))
    found: Times = count[now] * asked.end - count[then] * asked.start - (passed[now] - passed[then])
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
    digit, limb = _digits((top - base).bit_length(), max(worth).bit_length(), len(spans.group).bit_length())
    edges = _Edges(spans)
    times = edges.time - base
    since, until = (np.clip(one, base, top) for one in (asked.start, asked.end))
    then, now = (edges.known.before(asked.group, one) for one in (since, until))
    # Where nothing is and nothing comes, nothing is met.
    meets = np.append(0, np.cumsum(edges.signed(np.ones(len(spans.group), np.int64))))[then] + now - then > 0
    into, looked = into[meets], [(1, now[meets], until[meets] - base), (-1, then[meets], since[meets] - base)]
    total = [0] * size
    for low in range(0, max(max(worth).bit_length(), 1), limb):
        part = edges.signed(np.array([one >> low & ((1 << limb) - 1) for one in worth], np.int64)[kind])
        mass = np.append(0, np.cumsum(part))
        for shift in range(0, max((top - base).bit_length(), 1), digit):
            now, *ahead = (one >> shift & ((1 << digit) - 1) for one in (times, *(one for *_, one in looked)))
            moment = np.append(0, np.cumsum(part * now))
            found = np.zeros(len(into), np.int64)
            for (sign, at, _), time in zip(looked, ahead, strict=True):
                found += sign * (mass[at] * time - moment[at])
            for number, one in enumerate(added(into, found, size)):
                total[number] += one << (low + shift)
    return total


def _digits(times: int, worths: int, spans: int) -> tuple[int, int]:
    """Return into digits of how many bits a time is cut, and a worth, for the fewest products of one of each.

    A digit of one times one of the other can be added up over all spans in 64 bits.
    """

    def cut(bits: int, size: int) -> int:
        return -(-max(bits, 1) // size)

    sizes = (cut(times, count) for count in range(1, times + 2))
    both = [(digit, ROOM.bit_length() - 1 - digit - spans) for digit in sizes]
    return min((one for one in both if one[1] > 0), key=lambda one: cut(times, one[0]) * cut(worths, one[1]))


def added(index: Codes, values: Times, size: int) -> list[int]:
    """Return for each index the sum of its values, however large.

    >>> added(np.int64([1, 1]), np.int64([1 << 62, 1 << 62]), 3)
    [0, 9223372036854775808, 0]
    """
    low, high = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.add.at(low, index, values & ((1 << HALF) - 1))
    np.add.at(high, index, values >> HALF)
    return [(above << HALF) + below for above, below in zip(high.tolist(), low.tolist(), strict=True)]
