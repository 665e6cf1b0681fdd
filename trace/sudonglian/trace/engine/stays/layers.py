"""The spread of exposure through stays, generation by generation, compiled.

tracing.md §3 (definitions 1-4) and §4: a layered frontier over places that never looks twice at covered time. The same
answer, label for label, as `trace.engine.forward` gives, which the tests hold it to.
"""

from heapq import heappop, heappush
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sudonglian.trace.engine.stays.board import (
    ARC,
    BEST,
    BY,
    CLOCK,
    NEVER,
    NONE,
    OFFERED,
    SOURCE,
    TARGET,
    WIDTH,
    Arcs,
    Board,
    Deposits,
    Labels,
    Marks,
    offer,
)
from sudonglian.trace.engine.stays.growing import (
    cut_deposits,
    cut_labels,
    more64,
    more_deposits,
    more_labels,
    room_for_deposits,
    room_for_labels,
)
from sudonglian.trace.engine.stays.segment import BLOCK, Segment
from sudonglian.trace.engine.stays.sorting import Codes, Rows, Times, sort_by, sort_codes

BATCH: Final = 256


@njit(cache=True)
def layers(
    base: Segment,
    live: Segment,
    base_marks: Marks,
    live_marks: Marks,
    board: Board,
    linger: NDArray[np.int64],
    arcs: Arcs,
    seeds: Codes,
    clocks: NDArray[np.int64],
    late: int,
    most: int,
    until: int,
) -> tuple[Labels, Deposits]:
    """Return all improvements and deposits of a spread. The board stays filled until `wipe`.

    Parameters
    ----------
    base, live, base_marks, live_marks, board
        Two segments of the same parties and places, and clean notes; stays of `live` are numbered after those of `base`.
    linger
        For each place how long it stays exposed when who exposed it has left; of length 0 if no place does.
    arcs
        Passings that need no place.
    seeds, clocks
        Who is exposed first, and from when: twice the time.
    late
        1 if two meetings at one instant may not chain (strict), else 0.
    most
        How many hops a walk may have; below 0 for any number.
    until
        The first moment that does not count.
    """
    parties, after = len(board.bound), len(base.party)
    few, before = np.empty(parties, np.int32), np.empty(parties, np.int64)
    labels, found = room_for_labels(256), 0
    laid, total = room_for_deposits(256), 0
    fresh, begins = room_for_deposits(256), np.empty(256, np.int64)
    borders, layer = np.zeros(16, np.int64), 0
    waiting = 0
    for at in range(len(seeds)):
        waiting = offer(board, few, waiting, seeds[at], clocks[at], NONE, NONE, NONE, NONE)
    while waiting:
        sort_codes(few, waiting)
        sort_by(few, 0, waiting, board.line[:, OFFERED])
        if len(arcs.target):
            labels, found, changed = _settle(board, few, waiting, labels, found, before, arcs, layer)
        else:
            labels, found, changed = _commit(board, few, waiting, labels, found, before, layer)
        waiting = 0
        if layer == most:
            break
        count = 0
        fresh, begins, count = _deposit(
            base, 0, labels, found - changed, found, before, linger, until, fresh, begins, count
        )
        if len(live.party):
            fresh, begins, count = _deposit(
                live, after, labels, found - changed, found, before, linger, until, fresh, begins, count
            )
        while total + count > len(laid.place):
            laid = more_deposits(laid)
        _arrange(fresh, begins, count, laid, total)
        first = total
        while first < total + count:
            last = first + 1
            while last < total + count and laid.place[last] == laid.place[first]:
                last += 1
            waiting = _pick_up(base, 0, base_marks, board, few, waiting, laid, first, last, late, until)
            if len(live.party):
                waiting = _pick_up(live, after, live_marks, board, few, waiting, laid, first, last, late, until)
            first = last
        waiting = _cross(board, few, waiting, labels, found - changed, found, arcs)
        total += count
        layer += 1
        if layer == len(borders):
            borders = more64(borders)
        borders[layer] = total
    return cut_labels(labels, found), cut_deposits(laid, total, borders[: layer + 1])


@njit(cache=True)
def _commit(
    board: Board,
    few: Rows,
    waiting: int,
    labels: Labels,
    found: int,
    before: NDArray[np.int64],
    hops: int,
) -> tuple[Labels, int, int]:
    """Commit the candidates where nothing passes without a place; lines are read in batches, for they are far apart."""
    while found + waiting > len(labels.party):
        labels = more_labels(labels)
    lines = np.empty((BATCH, WIDTH), np.int64)
    for begin in range(0, waiting, BATCH):
        size = min(BATCH, waiting - begin)
        for at in range(size):
            lines[at] = board.line[few[begin + at]]
        for at in range(size):
            party, line, number = few[begin + at], lines[at], found + begin + at
            labels.party[number], labels.clock[number], labels.hops[number] = party, line[OFFERED], hops
            labels.previous[number], labels.source[number] = line[BY], line[SOURCE]
            labels.target[number], labels.arc[number] = line[TARGET], line[ARC]
            before[begin + at] = (line[CLOCK] + 1) // 2
            own = board.line[party]
            own[CLOCK], own[OFFERED], own[BEST] = line[OFFERED], NEVER, number
    return labels, found + waiting, waiting


@njit(cache=True)
def _settle(
    board: Board,
    few: Rows,
    waiting: int,
    labels: Labels,
    found: int,
    before: NDArray[np.int64],
    arcs: Arcs,
    hops: int,
) -> tuple[Labels, int, int]:
    """Commit the candidates, by clock and party, and what they become without a hop (a lot's split or merge)."""
    changed, at = 0, 0
    passed: list[Any] = [_offered(board, few[0])]
    passed.clear()
    while at < waiting or passed:
        if at < waiting and (not passed or _offered(board, few[at]) <= passed[0]):
            clock, party, by, source, target, arc = _offered(board, few[at])
            board.line[party, OFFERED] = NEVER
            at += 1
        else:
            clock, party, by, source, target, arc = heappop(passed)
        known = board.line[party, CLOCK]
        if clock >= known:
            continue
        if found == len(labels.party):
            labels = more_labels(labels)
        labels.party[found], labels.clock[found], labels.hops[found] = party, clock, hops
        labels.previous[found], labels.source[found], labels.target[found] = by, source, target
        labels.arc[found] = arc
        board.bound[party], board.line[party, CLOCK], board.line[party, BEST] = clock, clock, found
        before[changed] = (known + 1) // 2
        changed += 1
        if len(arcs.target):
            for number in range(arcs.first[party], arcs.first[party + 1]):
                moment = arcs.time[number]
                if arcs.hops[number] == 0 and clock <= 2 * moment + 1:
                    onward = max(clock, 2 * moment)
                    if onward < board.line[arcs.target[number], CLOCK]:
                        target, arc = np.int64(arcs.target[number]), np.int64(arcs.number[number])
                        heappush(passed, (onward, target, np.int64(found), np.int64(NONE), np.int64(NONE), arc))
        found += 1
    return labels, found, changed


@njit(cache=True)
def _offered(board: Board, party: int) -> Any:
    """Return a party's best offer, in the order by which offers are settled."""
    line = board.line[party]
    return line[OFFERED], np.int64(party), line[BY], line[SOURCE], line[TARGET], line[ARC]


@njit(cache=True)
def _deposit(
    segment: Segment,
    after: int,
    labels: Labels,
    low: int,
    high: int,
    before: NDArray[np.int64],
    linger: NDArray[np.int64],
    until: int,
    fresh: Deposits,
    begins: NDArray[np.int64],
    count: int,
) -> tuple[Deposits, NDArray[np.int64], int]:
    """List where and when the parties of a layer's labels expose places that they did not expose before."""
    for number in range(low, high):
        party, onset = labels.party[number], (labels.clock[number] + 1) // 2
        if onset >= until:
            continue
        limit = min(before[number - low], until)
        first, last = _span(segment.party_first, party)
        for own in range(_bound(segment.whole, first, last, onset, after=True), last):
            begin = np.int64(segment.begin[own])
            if begin >= limit:
                break
            row = segment.row[own]
            end = np.int64(segment.end[row])
            if end <= max(onset, begin):
                continue
            if count == len(fresh.place):
                fresh, begins = more_deposits(fresh), more64(begins)
            place = segment.place[own]
            fresh.place[count] = place
            fresh.start[count] = max(onset, begin)
            fresh.end[count] = end + linger[place] if len(linger) else end
            fresh.source[count] = after + segment.origin[row]
            fresh.label[count] = number
            begins[count] = begin
            count += 1
    return fresh, begins, count


@njit(cache=True)
def _arrange(fresh: Deposits, begins: NDArray[np.int64], count: int, laid: Deposits, total: int) -> None:
    """Put the layer's deposits behind those before, by place and start; of one start by their stays' start and number."""
    order = np.arange(count, dtype=np.int32)
    sort_by(order, 0, count, fresh.start)
    sort_by(order, 0, count, fresh.place)
    low = 0
    while low < count:
        one, high = order[low], low + 1
        while (
            high < count
            and fresh.place[order[high]] == fresh.place[one]
            and fresh.start[order[high]] == fresh.start[one]
        ):
            high += 1
        if high - low > 1:
            sort_by(order, low, high, fresh.source)
            sort_by(order, low, high, begins)
        low = high
    for at in range(count):
        one = order[at]
        laid.place[total + at], laid.start[total + at], laid.end[total + at] = (
            fresh.place[one],
            fresh.start[one],
            fresh.end[one],
        )
        laid.source[total + at], laid.label[total + at] = fresh.source[one], fresh.label[one]


@njit(cache=True)
def _pick_up(
    segment: Segment,
    after: int,
    marks: Marks,
    board: Board,
    few: Rows,
    waiting: int,
    laid: Deposits,
    first: int,
    last: int,
    late: int,
    until: int,
) -> int:
    """Offer exposure to whoever is in a place while its deposits first:last last, and mark who was offered it."""
    low, high = _span(segment.place_first, laid.place[first])
    if low == high:
        return waiting
    met, touched = marks.met, marks.touched
    while first < last:
        start, end, beyond = laid.start[first], laid.end[first], first + 1
        while beyond < last and laid.start[beyond] <= end:
            end = max(end, laid.end[beyond])
            beyond += 1
        if start >= until:
            break
        end = min(end, until)
        row = _bound(segment.start, low, high, start, after=False)
        # Who is there already. The first deposit of a run is the one that the moment of its start belongs to.
        at = row - 1
        if at >= low and (met[at] == 0 or segment.start[at] + met[at] - 1 > start):
            if met[at] == 0:
                touched[touched[-1]] = at
                touched[-1] += 1
            by, source = laid.label[first], laid.source[first]
            mark = start - segment.start[at] + 1
            here = at
            while here >= low and segment.reach[here] > start:
                if met[here] and segment.start[here] + met[here] - 1 <= start:
                    break
                if segment.end[here] > start:
                    waiting = offer(
                        board, few, waiting, segment.party[here], 2 * start + late,
                        by, source, after + segment.origin[here], NONE,
                    )  # fmt: skip
                here -= 1
                while here % BLOCK == BLOCK - 1 and here - BLOCK >= low and segment.tall[here // BLOCK] <= start:
                    here -= BLOCK
            met[at] = mark
        # Who comes while it lasts, unless it was met as it came before.
        active = first
        row = _next(marks.skip, row)
        while row < high and segment.start[row] < end:
            moment = int(segment.start[row])
            while laid.end[active] <= moment:
                active += 1
            if segment.end[row] > moment:
                waiting = offer(
                    board, few, waiting, segment.party[row], 2 * moment + late,
                    laid.label[active], laid.source[active], after + segment.origin[row], NONE,
                )  # fmt: skip
            if met[row] == 0:
                touched[touched[-1]] = row
                touched[-1] += 1
            met[row] = 1
            marks.skip[row] = 1
            row = _next(marks.skip, row + 1)
        first = beyond
    return waiting


@njit(cache=True)
def _cross(board: Board, few: Rows, waiting: int, labels: Labels, low: int, high: int, arcs: Arcs) -> int:
    """Offer what a layer's labels become with a hop (a transformation's process, the content of a unit)."""
    if not len(arcs.target):
        return waiting
    for number in range(low, high):
        party, clock = labels.party[number], labels.clock[number]
        for arc in range(arcs.first[party], arcs.first[party + 1]):
            moment = arcs.time[arc]
            if arcs.hops[arc] and clock <= 2 * moment + 1:
                waiting = offer(
                    board, few, waiting, arcs.target[arc], max(clock, 2 * moment), number, NONE, NONE, arcs.number[arc]
                )
    return waiting


@njit(cache=True, inline="always")
def _span(first: Rows, code: int) -> Any:
    """Return the range of a code's rows; a code that came later than the segment has none."""
    return (first[code], first[code + 1]) if code + 1 < len(first) else (np.int32(0), np.int32(0))


@njit(cache=True)
def _next(skip: Rows, row: int) -> int:
    """Return the first stay from `row` on that was not met as it began; shortens the way for who comes later."""
    end = row
    while end < len(skip) and skip[end]:
        end += skip[end]
    while row < end:
        onward = row + skip[row]
        skip[row] = end - row
        row = onward
    return end


@njit(cache=True)
def _bound(values: Times, low: int, high: int, value: int, after: bool) -> int:
    """Return the first place in values[low:high], which rise, that is not below `value`; or is above it, if `after`."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value or (after and values[middle] == value):
            low = middle + 1
        else:
            high = middle
    return low
