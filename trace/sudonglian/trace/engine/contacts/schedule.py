"""The order in which contacts are taken when sets of parties are joined backward in time.

tracing.md §3 (definitions 1-3). Later instants come first. Within one instant, where contacts may chain at once, whoever
passes on comes after those that it passes on to, and parties that reach each other in a circle stand together (the
strongly connected components of the instant, by Tarjan's algorithm, which gives them in just this order).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sudonglian.trace.engine.contacts.rows import Codes, Contacts, Ticks


class Schedule(NamedTuple):
    """Contacts by falling time. Rows with the same `circle` stand together; `slot` counts sources of an instant."""

    source: Codes
    target: Codes
    time: Ticks
    circle: Codes
    inner: Codes
    """1 where source and target are of the same circle."""
    slot: Codes
    slots: int


def schedule(contacts: Contacts, *, strict: bool) -> Schedule:
    """Return the order of an ordered table of instants; contacts of a party with itself are left out."""
    keep = contacts.source != contacts.target
    source, target, time = contacts.source[keep][::-1], contacts.target[keep][::-1], contacts.start[keep][::-1]
    source, target, time = map(np.ascontiguousarray, (source, target, time))
    order, circle, inner = _order(source, target, time, contacts.parties, strict)
    source, target = source[order], target[order]
    changes = np.ones(len(time), np.bool_)
    changes[1:] = (source[1:] != source[:-1]) | (time[1:] != time[:-1])
    slot = (np.cumsum(changes) - 1).astype(np.int32)
    return Schedule(source, target, time, circle, inner, slot, int(slot[-1]) + 1 if len(slot) else 0)


@njit(cache=True, nogil=True)
def _order(source: Codes, target: Codes, time: Ticks, parties: int, strict: bool) -> tuple[Codes, Codes, Codes]:
    rows = len(time)
    order = np.arange(rows).astype(np.int32)
    circle = np.zeros(rows, np.int32)
    inner = np.zeros(rows, np.int32)
    first = np.full(parties, -1, np.int32)  # the first row of a source in this instant
    number = np.zeros(parties, np.int32)  # of a party in the order of discovery, from 1
    lowest = np.zeros(parties, np.int32)
    member = np.full(parties, -1, np.int32)  # the circle that a party is settled in
    stack = np.empty(parties, np.int32)
    path = np.empty(parties, np.int32)
    cursor = np.empty(parties, np.int32)
    circles = 0
    begin = 0
    while begin < rows:
        end = begin
        while end < rows and time[end] == time[begin]:
            if end == begin or source[end] != source[end - 1]:
                first[source[end]] = end
            end += 1
        placed = begin
        for start in range(begin, end):
            if number[source[start]]:
                continue
            if strict:  # nothing chains: every source is a circle of its own
                u = source[start]
                number[u] = 1
                row = start
                while row < end and source[row] == u:
                    order[placed], circle[placed] = row, circles
                    placed += 1
                    row += 1
                circles += 1
                continue
            found = 1
            depth, height = 0, 0
            path[0], cursor[source[start]] = source[start], first[source[start]]
            number[source[start]] = lowest[source[start]] = found
            stack[0] = source[start]
            height = 1
            while depth >= 0:
                u = path[depth]
                row = cursor[u]
                if first[u] >= 0 and row < end and source[row] == u:
                    cursor[u] += 1
                    v = target[row]
                    if not number[v]:
                        found += 1
                        number[v] = lowest[v] = found
                        cursor[v] = first[v]
                        stack[height] = v
                        height += 1
                        depth += 1
                        path[depth] = v
                    elif member[v] < 0:
                        lowest[u] = min(lowest[u], number[v])
                    continue
                depth -= 1
                if depth >= 0:
                    lowest[path[depth]] = min(lowest[path[depth]], lowest[u])
                if lowest[u] == number[u]:
                    base = height - 1
                    while stack[base] != u:
                        base -= 1
                    for place in range(base, height):
                        member[stack[place]] = circles
                    for place in range(base, height):
                        v = stack[place]
                        row = first[v]
                        while row >= 0 and row < end and source[row] == v:
                            order[placed], circle[placed] = row, circles
                            inner[placed] = member[target[row]] == circles
                            placed += 1
                            row += 1
                    height = base
                    circles += 1
        for row in range(begin, end):
            for party in (source[row], target[row]):
                first[party], number[party], member[party] = -1, 0, -1
        begin = end
    return order, circle, inner
