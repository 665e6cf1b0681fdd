"""In- and out-degree and contact chains of every party of a table at once.

tracing.md §3 (definitions 1-3) and §5; the measures are those of network summaries in animal-movement tracing
(ingoing and outgoing contact chain: Nöremark et al. 2011).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np
from numba import njit

from sudonglian.trace.engine.contacts import dense
from sudonglian.trace.engine.contacts.rows import Codes, Contacts, Ticks
from sudonglian.trace.errors import QueryRefused

ROOTS: Final = 4_096
"""A thread takes so many roots at a time."""


@dataclass(frozen=True, slots=True)
class Summary:
    """For each party: how many distinct partners it had, and how many parties its chains hold, itself never counted."""

    in_degree: Ticks
    out_degree: Ticks
    ingoing_contact_chain: Ticks
    outgoing_contact_chain: Ticks


def summary(
    contacts: Contacts, first: int, last: int, *, max_wait: int | None = None, strict: bool = False, threads: int = 0
) -> Summary:
    """Return the degrees and chains of every party from `first` to `last`, both included.

    Parameters
    ----------
    contacts, first, last
        The table, of instants, and its first and last tick that count.
    max_wait
        The most ticks between two contacts of a chain; any if None. The root itself may wait as long as it likes.
    strict
        Contacts of one instant do not chain.
    threads
        How many processors to use; all if 0.

    Raises
    ------
    QueryRefused
        The contacts are intervals, or the window ends before it begins.

    Examples
    --------
    >>> import numpy as np
    >>> table = Contacts(np.int32([0, 1]), np.int32([1, 2]), np.int64([5, 6]), None, 3)
    >>> summary(table, 0, 9).outgoing_contact_chain
    array([2, 1, 0])
    """
    if contacts.end is not None:
        raise QueryRefused("a summary is of instants: give no column of ends", place="end")
    if last < first:
        raise QueryRefused("the end is before the beginning", place="to")
    if max_wait is not None and max_wait < 0:
        raise QueryRefused("a span is not negative", place="max_wait")
    inside = contacts.ordered().between(first, last)
    wait = -1 if max_wait is None else max_wait
    used = threads or os.cpu_count() or 1
    out_degree, outgoing = _one_way(inside, wait, strict, used)
    in_degree, ingoing = _one_way(inside.reversed(), wait, strict, used)
    return Summary(in_degree, out_degree, ingoing, outgoing)


def _one_way(contacts: Contacts, wait: int, strict: bool, threads: int) -> tuple[Ticks, Ticks]:
    """Return degrees and chains along the contacts, whose rows are by time or by time backward."""
    backward = not contacts.is_ordered
    begin, target, time = _by_source(contacts.source, contacts.target, contacts.start, contacts.parties, backward)
    degree = _degrees(begin, target, contacts.parties)
    # What sets of bits would cost: beyond it, going from root to root is given up.
    limit = max(len(time) * (contacts.parties // dense.COLUMNS + 1) // threads, ROOTS)
    chains = np.zeros(contacts.parties, np.int64)

    def work(low: int) -> bool:
        return bool(_chains(begin, target, time, wait, strict, low, low + ROOTS, limit, chains))

    with ThreadPoolExecutor(threads) as pool:
        done = all(pool.map(work, range(0, contacts.parties, ROOTS)))
    return degree, chains if done else dense.chains(contacts.ordered(), wait, strict, threads)


@njit(cache=True, nogil=True)
def _by_source(source: Codes, target: Codes, time: Ticks, parties: int, backward: bool) -> tuple[Ticks, Codes, Ticks]:
    """Return where each source's rows begin, and the rows by source, then time; without a party's with itself."""
    begin = np.zeros(parties + 1, np.int64)
    for row in range(len(source)):
        begin[source[row] + 1] += source[row] != target[row]
    begin = np.cumsum(begin)
    place = begin[:-1].copy()
    to, at = np.empty(begin[-1], np.int32), np.empty(begin[-1], np.int64)
    for number in range(len(source)):
        row = len(source) - 1 - number if backward else number
        u = source[row]
        if u != target[row]:
            to[place[u]], at[place[u]] = target[row], time[row]
            place[u] += 1
    return begin, to, at


@njit(cache=True, nogil=True)
def _degrees(begin: Ticks, target: Codes, parties: int) -> Ticks:
    degree = np.zeros(parties, np.int64)
    seen = np.full(parties, -1, np.int32)
    for u in range(parties):
        for row in range(begin[u], begin[u + 1]):
            if seen[target[row]] != u:
                seen[target[row]] = u
                degree[u] += 1
    return degree


@njit(cache=True, nogil=True)
def _chains(
    begin: Ticks, target: Codes, time: Ticks, wait: int, strict: bool, low: int, high: int, limit: int, chains: Ticks
) -> bool:
    """Count whom the roots from `low` reach; say whether fewer than `limit` contacts were looked at for it.

    Arrivals are taken in the order of time, so `cursor` only goes forward: no contact of a party is looked at twice.
    """
    parties = len(begin) - 1
    seen = np.full(parties, -1, np.int32)
    cursor = np.zeros(parties, np.int64)
    heap = [(np.int64(0), np.int32(0))]
    heap.clear()
    looked = 0
    for root in range(low, min(high, parties)):
        seen[root] = root
        cursor[root] = begin[root + 1]
        for row in range(begin[root], begin[root + 1]):
            heappush(heap, (time[row], target[row]))
        looked += begin[root + 1] - begin[root]
        while heap:
            now, u = heappop(heap)
            if seen[u] != root:
                seen[u] = root
                chains[root] += 1
                cursor[u] = begin[u]
            row = cursor[u]
            while row < begin[u + 1] and (time[row] < now or (strict and time[row] == now)):
                row += 1
            while row < begin[u + 1] and (wait < 0 or time[row] - now <= wait):
                if wait >= 0 or seen[target[row]] != root:
                    heappush(heap, (time[row], target[row]))
                row += 1
                looked += 1
            cursor[u] = row
        if looked > limit:
            return False
    return True
