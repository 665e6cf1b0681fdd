"""What each node of a graph of deliveries reaches: weights for all at once, and lists one by one.

tracing.md §3, definition 10 (many cases at once, with sets of bits). Cycles are ordinary input; no recursion.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit

from sudonglian.trace.engine.sources.network import Codes, Days, Graph

WORD: Final = 64
"""Weighted elements that are swept at once."""

DIGIT_BITS: Final = 31
"""Of the digits in which weights are summed: 2^31 of them fit 64 bits."""

MAX_WORK: Final = 3_000_000_000
"""Edges that are looked at for lists: some ten seconds."""


def totals(graph: Graph, nodes: Codes, elements: Codes, weights: Sequence[int]) -> list[int]:
    """Return of each node the sum of the weights of all elements that it reaches, each counted once.

    `elements[i]` is reached wherever `nodes[i]` is; a node reaches itself. Sums are exact, however large.
    """
    component, count = _components(graph.first, graph.successor)
    first, successor = _condensed(graph.first, graph.successor, component, count)
    base = 1 << DIGIT_BITS
    length = max((abs(weight).bit_length() for weight in weights), default=0) // DIGIT_BITS + 1
    digits = np.zeros((len(weights), length), np.int64)
    for row, weight in enumerate(weights):
        rest = weight
        for place in range(length - 1):
            rest, digits[row, place] = divmod(rest, base)
        digits[row, -1] = rest  # signed
    sums = np.zeros((count, length), np.int64)
    order = np.argsort(elements, kind="stable")
    _sweep(first, successor, component[nodes[order]], elements[order], digits, sums)
    columns = [column.tolist() for column in sums.T]
    found = columns[-1]
    for column in reversed(columns[:-1]):
        found = [high * base + low for high, low in zip(found, column, strict=True)]
    return [found[one] for one in component.tolist()]


def lists(
    graph: Graph, begin: int, among: int, count: int, most: int
) -> tuple[tuple[Days, Codes], tuple[Days, Codes]] | None:
    """Return, for `count` nodes from `begin` on, which of the `count` nodes from `among` on they reach, and who them.

    Each is a column of first places and one of numbers, ascending, themselves left out. None if there are more than
    `most` numbers, or if it takes too long to find them.
    """
    sizes = np.zeros(count, np.int64)
    counted = np.empty(0, np.int32)
    if not _search(graph.first, graph.successor, begin, among, sizes, counted, most, MAX_WORK):
        return None
    first = np.zeros(count + 1, np.int64)
    np.cumsum(sizes, out=first[1:])
    reached = np.empty(first[-1], np.int32)
    if len(reached):
        _search(graph.first, graph.successor, begin, among, sizes, reached, most, MAX_WORK)
    backward = _turned(first, reached, count)
    return _turned(*backward, count), backward


@njit(cache=True)
def _components(first: Days, successor: Codes) -> tuple[Codes, int]:
    """Return the strongly connected components, each numbered after all that it reaches (Tarjan, with a stack)."""
    nodes = len(first) - 1
    component = np.full(nodes, -1, np.int32)
    seen = np.zeros(nodes, np.int32)  # when first met, from 1
    low = np.zeros(nodes, np.int32)
    place = first[:-1].copy()
    path = np.empty(nodes, np.int32)
    open_nodes = np.empty(nodes, np.int32)
    depth = opened = clock = count = 0
    for root in range(nodes):
        if seen[root]:
            continue
        path[0] = root
        depth = 1
        while depth:
            node = path[depth - 1]
            if not seen[node]:
                clock += 1
                seen[node] = low[node] = clock
                open_nodes[opened] = node
                opened += 1
            down = False
            while place[node] < first[node + 1]:
                other = successor[place[node]]
                if not seen[other]:
                    path[depth] = other
                    depth += 1
                    down = True
                    break
                if component[other] == -1:
                    low[node] = min(low[node], low[other])
                place[node] += 1
            if down:
                continue
            depth -= 1
            if low[node] == seen[node]:
                while True:
                    opened -= 1
                    member = open_nodes[opened]
                    component[member] = count
                    if member == node:
                        break
                count += 1
    return component, count


def _condensed(first: Days, successor: Codes, component: Codes, count: int) -> tuple[Days, Codes]:
    begin = np.repeat(component, np.diff(first))
    end = component[successor]
    apart = begin != end
    begin, end = begin[apart], end[apart]
    places = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(begin, minlength=count), out=places[1:])
    return places, end[np.argsort(begin, kind="stable")]


@njit(cache=True)
def _sweep(
    first: Days,
    successor: Codes,
    nodes: Codes,
    elements: Codes,
    digits: Days,
    sums: Days,
) -> None:
    """Carry sets of 64 elements from what is reached to what reaches it; components come after what they reach."""
    words = np.empty(len(first) - 1, np.uint64)
    mark = 0
    for low in range(0, len(digits), WORD):
        words[:] = 0
        while mark < len(elements) and elements[mark] < low + WORD:
            words[nodes[mark]] |= np.uint64(1) << np.uint64(elements[mark] - low)
            mark += 1
        for node in range(len(words)):
            word = words[node]
            for place in range(first[node], first[node + 1]):
                word |= words[successor[place]]
            words[node] = word
            element = low
            while word:
                if word & np.uint64(1):
                    for digit in range(digits.shape[1]):
                        sums[node, digit] += digits[element, digit]
                word >>= np.uint64(1)
                element += 1


@njit(cache=True)
def _search(
    first: Days, successor: Codes, begin: int, among: int, sizes: Days, reached: Codes, most: int, work: int
) -> bool:
    """Count what each reaches, and write it down one behind the other if there is room; say whether all was found."""
    count = len(sizes)
    met = np.full(len(first) - 1, -1, np.int32)
    waiting = np.empty(len(first) - 1, np.int32)
    total = looked = 0
    for number in range(count):
        before = total
        met[begin + number] = number
        waiting[0] = begin + number
        length = 1
        while length:
            length -= 1
            node = waiting[length]
            looked += first[node + 1] - first[node]
            for place in range(first[node], first[node + 1]):
                other = successor[place]
                if met[other] != number:
                    met[other] = number
                    waiting[length] = other
                    length += 1
                    if among <= other < among + count and other - among != number:
                        if len(reached):
                            reached[total] = other - among
                        total += 1
            if total > most or looked > work:
                return False
        sizes[number] = total - before
    return True


@njit(cache=True)
def _turned(first: Days, reached: Codes, count: int) -> tuple[Days, Codes]:
    """Return who reaches each instead of whom each reaches, in ascending order."""
    places = np.zeros(count + 1, np.int64)
    for other in reached:
        places[other + 1] += 1
    for number in range(count):
        places[number + 1] += places[number]
    into = places[:-1].copy()
    turned = np.empty(len(reached), np.int32)
    for number in range(count):
        for place in range(first[number], first[number + 1]):
            other = reached[place]
            turned[into[other]] = number
            into[other] += 1
    return places, turned
