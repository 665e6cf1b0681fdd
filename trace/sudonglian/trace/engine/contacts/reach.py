"""Whom one seed reaches through a table of contacts, when first, in how many hops and by whom.

tracing.md §3, definitions 1-3: walks, not simple paths; ties and cycles are ordinary input; no recursion.
"""

from bisect import bisect_left
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np
from numba import njit

from sudonglian.trace.engine.contacts.rows import MAX_TICK, Codes, Contacts, Ticks
from sudonglian.trace.errors import QueryRefused

NEVER: Final = 2**62
"""Later than any tick: not reached."""

NOBODY: Final = -1

_UNKNOWN: Final = -(2**63 - 1)
"""Below every tick, a seed's open beginning included: a party that nothing has reached."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a seed reaches: for each party its earliest arrival (NEVER if not), hops and the party before it.

    The hops are those of the walk that `previous` leads back along. Of several walks with the earliest arrival it is
    the one with the fewest hops behind the party before, then the party before with the smallest number.
    """

    arrival: Ticks
    hops: Codes
    previous: Codes


def reach(
    contacts: Contacts,
    seed: int,
    *,
    at: int | None = None,
    until: int | None = None,
    step: int = 0,
    max_wait: int | None = None,
    strict: bool = False,
) -> Reached:
    """Return whom `seed` reaches, itself left out, if it is the source from `at` on.

    Parameters
    ----------
    contacts, seed
        The table, and the party to start from.
    at
        The first tick that counts; from the table's beginning, and without a limit on the seed's own wait, if None.
    until
        The last tick that counts: included for instants; for arrivals in intervals the first that does not.
    step
        Ticks that a contact must last to transmit: arrival = max(arrival before, start) + step ≤ end, and with step 0
        max(arrival before, start) < end. Only intervals can last. With a limit on waiting the contact may also begin to
        transmit later, while it lasts: otherwise who is reached would not be whom the seed reaches backward in time.
    max_wait
        The most ticks between an arrival, or `at`, and the next contact's beginning to transmit; any if None.
    strict
        With instants: the next contact must be later than the arrival. Intervals have no such instant: refused.

    Raises
    ------
    QueryRefused
        A part that has no meaning.

    Examples
    --------
    >>> import numpy as np
    >>> table = Contacts(np.int32([0, 1]), np.int32([1, 2]), np.int64([5, 5]), None, 3)
    >>> reach(table, 0).arrival[2], reach(table, 0, strict=True).arrival[2] == NEVER
    (np.int64(5), np.True_)
    """
    _check(contacts, seed, at, until, step, max_wait, strict)
    first = -MAX_TICK if at is None else at
    wait = -1 if max_wait is None else max_wait
    if contacts.end is None:
        return _instants(contacts, seed, first, MAX_TICK if until is None else until, wait, at is not None, strict)
    return _intervals(contacts, seed, first, MAX_TICK if until is None else until, step, wait, at is not None)


def _check(
    contacts: Contacts, seed: int, at: int | None, until: int | None, step: int, max_wait: int | None, strict: bool
) -> None:
    if not 0 <= seed < contacts.parties:
        raise QueryRefused("the seed is no party of the table", place="seed")
    for name, tick in (("at", at), ("until", until)):
        if tick is not None and not -MAX_TICK < tick < MAX_TICK:
            raise QueryRefused("out of range", place=name)
    if at is not None and until is not None and until < at:
        raise QueryRefused("the end is before the beginning", place="until")
    for name, span in (("step", step), ("max_wait", max_wait)):
        if span is not None and not 0 <= span < MAX_TICK:
            raise QueryRefused("a span is not negative, and not longer than time", place=name)
    if step and contacts.end is None:
        raise QueryRefused("an instant cannot last: a step needs a column of ends", place="step")
    if strict and contacts.end is not None:
        raise QueryRefused("between intervals there is no next instant: strict is for instants", place="strict")


def _instants(contacts: Contacts, seed: int, first: int, last: int, wait: int, bounded: bool, strict: bool) -> Reached:
    rows = contacts.ordered().between(first, last)
    found = _sweep(rows.source, rows.target, rows.start, rows.parties, seed, first, wait, bounded, strict)
    return Reached(*found)


@njit(cache=True)
def _sweep(
    source: Codes,
    target: Codes,
    time: Ticks,
    parties: int,
    seed: int,
    first: int,
    wait: int,
    bounded: bool,
    strict: bool,
) -> tuple[Ticks, Codes, Codes]:
    """Go through the instants in order; `latest` is each party's newest arrival, which is all that a limit asks for."""
    arrival = np.full(parties, NEVER, np.int64)
    hops = np.zeros(parties, np.int32)
    previous = np.full(parties, NOBODY, np.int32)
    latest = np.full(parties, _UNKNOWN, np.int64)
    carried = np.zeros(parties, np.int32)  # hops of the newest arrival; with no limit, of the first
    fresh = np.full(parties, NOBODY, np.int32)  # hops of an arrival at this very instant
    by = np.full(parties, NOBODY, np.int32)
    touched = np.empty(parties, np.int32)
    heap = [(np.int32(0), np.int32(0))]
    heap.clear()
    latest[seed] = first
    begin = 0
    while begin < len(time):
        now = time[begin]
        end, last = begin, np.int32(NOBODY)
        while end < len(time) and time[end] == now:
            u = source[end]
            # Without a limit, who was reached before is reached no earlier, and passes on nothing new.
            if (wait >= 0 or latest[target[end]] == _UNKNOWN) and _spreads(latest, int(u), now, wait, seed, bounded):
                if last != u:
                    heappush(heap, (carried[u], u))
                last = u
            end += 1
        count = 0
        while heap:
            behind, u = heappop(heap)
            own = _spreads(latest, int(u), now, wait, seed, bounded)
            if not own and fresh[u] < behind:
                continue
            row = begin + np.searchsorted(source[begin:end], u)
            while row < end and source[row] == u:
                v = target[row]
                row += 1
                if v == u or (fresh[v] != NOBODY and (fresh[v], by[v]) <= (behind + 1, u)):
                    continue
                if fresh[v] == NOBODY:
                    touched[count] = v
                    count += 1
                better = fresh[v] == NOBODY or behind + 1 < fresh[v]
                fresh[v] = behind + 1
                by[v] = u
                if better and not strict and not _spreads(latest, int(v), now, wait, seed, bounded):
                    heappush(heap, (np.int32(behind + 1), v))
        for v in touched[:count]:
            if arrival[v] == NEVER and v != seed:
                arrival[v] = now
                hops[v] = fresh[v]
                previous[v] = by[v]
            if wait >= 0 or latest[v] == _UNKNOWN:
                latest[v] = now
                carried[v] = fresh[v]
            fresh[v] = NOBODY
        begin = end
    return arrival, hops, previous


@njit(cache=True, inline="always")
def _spreads(latest: Ticks, u: int, now: int, wait: int, seed: int, bounded: bool) -> bool:
    """Say whether a party passes on at this instant what reached it before."""
    if u == seed and not bounded:
        return True
    return latest[u] != _UNKNOWN and (wait < 0 or now - latest[u] <= wait)


def _intervals(contacts: Contacts, seed: int, first: int, last: int, step: int, wait: int, bounded: bool) -> Reached:
    """Go from arrivals to arrivals, the earliest first. A contact that lasts passes on at any tick of it.

    So a party is reached over spans of ticks, and a span that is not within those known already goes on from there.
    Without a limit on waiting the first tick alone matters.
    """
    assert contacts.end is not None
    order = np.lexsort((contacts.target, contacts.start, contacts.source))
    source, target = contacts.source[order], contacts.target[order].tolist()
    start, end = contacts.start[order].tolist(), contacts.end[order].tolist()
    rows = np.searchsorted(source, np.arange(contacts.parties + 1)).tolist()
    arrival = np.full(contacts.parties, NEVER, np.int64)
    hops = np.zeros(contacts.parties, np.int32)
    previous = np.full(contacts.parties, NOBODY, np.int32)
    known: list[list[tuple[int, int]]] = [[] for _ in range(contacts.parties)]
    queue = [(first, 0, NOBODY, seed, first)]
    while queue:
        came, behind, by, u, until = heappop(queue)
        if not _news(known[u], came, until):
            continue
        if arrival[u] == NEVER:
            arrival[u], hops[u], previous[u] = came, behind, by
        for row in range(rows[u], rows[u + 1]):
            v = target[row]
            latest = end[row] - max(step, 1)
            if wait >= 0 and (behind or bounded):
                latest = min(latest, until + wait)
            begins, ends = max(came, start[row]) + step, min(latest + step, last - 1)
            if begins <= ends and v != u and (wait >= 0 or arrival[v] == NEVER):
                heappush(queue, (begins, behind + 1, u, v, ends if wait >= 0 else begins))
    arrival[seed] = NEVER
    return Reached(arrival, hops, previous)


def _news(known: list[tuple[int, int]], first: int, last: int) -> bool:
    """Join the span of ticks from `first` to `last` into disjoint spans in order; say whether it adds a tick."""
    place = bisect_left(known, first, key=lambda span: span[1] + 1)  # the first that it touches, or that is later
    if place < len(known) and known[place][0] <= first and last <= known[place][1]:
        return False
    beyond = place
    while beyond < len(known) and known[beyond][0] <= last + 1:
        first, last = min(first, known[beyond][0]), max(last, known[beyond][1])
        beyond += 1
    known[place:beyond] = [(first, last)]
    return True
