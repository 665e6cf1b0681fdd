"""Who is in a place at a moment, asked again and again: windows in which a stay can still be exposed earlier.

tracing.md §4 (never rescan covered time): a stay that was met at x can only be met earlier, so its window shrinks to
[start, x) and it is never found twice for nothing, however many long stays a crowded place has.
"""

from array import array
from bisect import bisect_right
from typing import Final

from sudonglian.trace.engine.facts import Micros

SMALL: Final = 24
"""A place with fewer stays is read through; a tree costs more than it saves."""


class Windows:
    """The windows of all rows; of each larger place that is asked, a tree of the latest ends."""

    def __init__(self, start: "array[int]", end: "array[int]") -> None:
        self._start = start
        self._until = array("q", end)
        self._trees: dict[int, list[Micros]] = {}

    def close(self, first: int, last: int) -> None:
        """Say that the rows of a range were met at their starts: no meeting can be earlier."""
        self._until[first:last] = self._start[first:last]

    def holding(self, low: int, high: int, time: Micros) -> list[int]:
        """Return the rows of a place (a range, by start) whose windows hold the moment; they are met at it.

        >>> windows = Windows(array("q", [0, 1, 5]), array("q", [9, 3, 6]))
        >>> windows.holding(0, 3, 2), windows.holding(0, 3, 2), windows.holding(0, 3, 1)
        ([0, 1], [], [0, 1])
        """
        known = bisect_right(self._start, time, low, high)
        if high - low <= SMALL:
            found = [row for row in range(low, known) if self._until[row] > time]
            for row in found:
                self._until[row] = time
            return found
        return self._search(low, high, known, time)

    def _search(self, low: int, high: int, known: int, time: Micros) -> list[int]:
        """Walk down the tree to the rows before `known` that last beyond the moment."""
        size = 1 << (high - low - 1).bit_length()
        tree = self._trees.get(low)
        if tree is None:
            tree = self._trees[low] = self._tree(low, high, size)
        until = self._until
        found: list[int] = []
        stack = [(1, low, size)]
        while stack:
            node, first, width = stack.pop()
            if first >= known or tree[node] <= time:
                continue
            if width == 1:
                if until[first] > time:
                    found.append(first)
                    until[first] = time
                # Closed since the tree was made, or now: so the tree learns it, once.
                self._lower(tree, node, until[first])
                continue
            half = width // 2
            stack += ((2 * node + 1, first + half, half), (2 * node, first, half))
        return found

    def _tree(self, low: int, high: int, size: int) -> list[Micros]:
        tree = [-(1 << 62)] * (2 * size)
        tree[size : size + high - low] = self._until[low:high]
        for node in range(size - 1, 0, -1):
            tree[node] = max(tree[2 * node], tree[2 * node + 1])
        return tree

    @staticmethod
    def _lower(tree: list[Micros], node: int, value: Micros) -> None:
        tree[node] = value
        node //= 2
        while node and tree[node] != (latest := max(tree[2 * node], tree[2 * node + 1])):
            tree[node] = latest
            node //= 2
