"""How many parties each party reaches, for tables in which most reach most: sets as bits, all roots at once.

tracing.md §3 (definitions 1-3). A block of columns at a time, so that the work stays in the processor's cache; parts of
the table that never touch are taken apart. `summary` comes here when going from root to root would take longer.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sudonglian.trace.engine.contacts.rows import Codes, Contacts, Ticks
from sudonglian.trace.engine.contacts.schedule import schedule

WORDS: Final = 8
COLUMNS: Final = 64 * WORDS
"""Of 64 columns each: a row of a block is one cache line."""

BIN: Final = 4_096
"""Parts with fewer parties are taken together: each costs some 0.1 ms by itself."""

NONE: Final = -1


def chains(contacts: Contacts, wait: int, strict: bool, threads: int) -> Ticks:
    """Return how many parties each party of an ordered table of instants reaches; `wait` below 0 is no limit."""
    part, local, sizes = _bins(_parts(contacts.source, contacts.target, contacts.parties))
    of_row = part[contacts.source]
    # The rows of one part after the other, each in the order of time; and its parties.
    rows = np.split(np.argsort(of_row, kind="stable"), np.cumsum(np.bincount(of_row, minlength=len(sizes)))[:-1])
    members = np.split(np.argsort(part, kind="stable"), np.cumsum(sizes)[:-1])
    counts = np.zeros(contacts.parties, np.int64)

    def work(job: tuple[int, int, int]) -> tuple[int, Ticks]:
        number, share, mine = job
        own = Contacts(
            local[contacts.source[rows[number]]],
            local[contacts.target[rows[number]]],
            contacts.start[rows[number]],
            None,
            int(sizes[number]),
            is_ordered=True,
        )
        return number, _spread(*schedule(own, strict=strict), own.parties, wait, strict, share, mine)

    busy = [number for number, found in enumerate(rows) if len(found)]
    # One part that is most of the table is shared by its columns; many parts are dealt to the threads.
    share = threads if len(busy) < 2 * threads else 1
    with ThreadPoolExecutor(threads) as pool:
        for number, found in pool.map(work, [(number, share, mine) for number in busy for mine in range(share)]):
            counts[members[number]] += found
    return counts


def _bins(above: Codes) -> tuple[Codes, Codes, Ticks]:
    """Return for each party its bin and its number there, and the bins' sizes; parts of a few parties share a bin."""
    _, of, sizes = np.unique(above, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    number = (ends - sizes) // BIN  # a part goes where its first party falls
    _, number = np.unique(number, return_inverse=True)
    found = number[of].astype(np.int32)
    order = np.argsort(found, kind="stable")
    counted = np.bincount(found)
    local = np.empty(len(above), np.int32)
    local[order] = np.arange(len(above)) - np.repeat(np.cumsum(counted) - counted, counted)
    return found, local, counted


@njit(cache=True, nogil=True)
def _spread(
    source: Codes,
    target: Codes,
    time: Ticks,
    circle: Codes,
    inner: Codes,
    slot: Codes,
    slots: int,
    parties: int,
    wait: int,
    strict: bool,
    share: int,
    mine: int,
) -> Ticks:
    """Count whom each party reaches, in every `share`-th block of columns from block `mine` on.

    Row u is the union of what u passes on at instants that have not left the limit's window, or of all without a limit.
    With a limit, instants leave in the order in which they came: the queue is two stacks. The `front` half has its
    running union in row u; each instant of the older half holds, in its own row, the union of itself and all younger
    of that half, so that the oldest one's row is the union of the half.
    """
    limited = wait >= 0
    totals = parties if limited else 0
    base = parties + totals
    # Without a limit an instant's rows are not needed after it.
    rows = np.zeros((base + (slots if limited else parties), WORDS), np.uint64)
    counts = np.zeros(parties, np.int64)
    element = np.full(parties, NONE, np.int32)
    oldest = np.full(parties, NONE, np.int32)
    newest = np.full(parties, NONE, np.int32)
    front = np.full(parties, NONE, np.int32)
    newer = np.full(slots, NONE, np.int32)
    older = np.full(slots, NONE, np.int32)
    born = np.zeros(slots, np.int64)
    columns = 64 * WORDS
    for block in range(mine, (parties + columns - 1) // columns, share):
        low = block * columns
        rows[:] = 0
        oldest[:] = NONE
        newest[:] = NONE
        front[:] = NONE
        begin = 0
        while begin < len(time):
            now = time[begin]
            end = begin
            while end < len(time) and time[end] == now:
                if limited:
                    _expire(rows, base, target[end], now + wait, oldest, newest, front, newer, older, born)
                end += 1
            shift = base - (0 if limited else slot[begin])
            at = begin
            while at < end:
                into = shift + slot[at]
                rows[into] = 0
                stop = at
                while stop < end and circle[stop] == circle[at]:
                    v = target[stop]
                    bit = v - low
                    if 0 <= bit < columns:
                        rows[into, bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)
                    _join(rows, into, v)
                    if limited and oldest[v] != NONE and oldest[v] != front[v]:
                        _join(rows, into, base + oldest[v])
                    if not strict and not inner[stop] and element[v] != NONE:
                        _join(rows, into, element[v])
                    stop += 1
                for row in range(at, stop):
                    own = shift + slot[row]
                    if own != into:
                        rows[own] = rows[into]
                    element[source[row]] = own
                at = stop
            for row in range(begin, end):
                u = source[row]
                if element[u] == NONE:
                    continue
                _join(rows, u, element[u])
                if limited:
                    _join(rows, parties + u, element[u])
                    one = slot[row]
                    born[one], older[one], newer[one] = now, newest[u], NONE
                    if newest[u] == NONE:
                        oldest[u] = one
                    else:
                        newer[newest[u]] = one
                    newest[u] = one
                    if front[u] == NONE:
                        front[u] = one
                element[u] = NONE
            begin = end
        for u in range(parties):
            bit = u - low
            if 0 <= bit < columns:  # nobody is in their own chain
                rows[totals + u, bit >> 6] &= ~(np.uint64(1) << np.uint64(bit & 63))
            for word in range(WORDS):
                counts[u] += _ones(rows[totals + u, word])
    return counts


@njit(cache=True, nogil=True)
def _expire(
    rows: NDArray[np.uint64],
    base: int,
    party: int,
    limit: int,
    oldest: Codes,
    newest: Codes,
    front: Codes,
    newer: Codes,
    older: Codes,
    born: Ticks,
) -> None:
    """Let a party's instants go that are later than `limit`."""
    while oldest[party] != NONE and born[oldest[party]] > limit:
        if oldest[party] == front[party]:
            one = older[newest[party]]
            while one != NONE:
                _join(rows, base + one, base + newer[one])
                one = older[one]
            rows[party] = 0
            front[party] = NONE
        oldest[party] = newer[oldest[party]]
        if oldest[party] == NONE:
            newest[party] = NONE
        else:
            older[oldest[party]] = NONE


@njit(cache=True, nogil=True, inline="always")
def _join(rows: NDArray[np.uint64], into: int, other: int) -> None:
    for word in range(WORDS):
        rows[into, word] |= rows[other, word]


@njit(cache=True, nogil=True, inline="always")
def _ones(word: np.uint64) -> np.int64:
    """Return the number of set bits (Hacker's Delight §5-1)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def _parts(source: Codes, target: Codes, parties: int) -> Codes:
    """Return for each party the smallest party that it is connected with, however indirectly and in whatever order."""
    above = np.arange(parties).astype(np.int32)
    for row in range(len(source)):
        u, v = source[row], target[row]
        while above[u] != u:
            above[u] = above[above[u]]
            u = above[u]
        while above[v] != v:
            above[v] = above[above[v]]
            v = above[v]
        above[max(u, v)] = min(u, v)
    for u in range(parties):  # whoever is above has a smaller number, and is settled already
        above[u] = above[above[u]]
    return above
