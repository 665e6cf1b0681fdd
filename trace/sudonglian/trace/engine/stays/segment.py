"""The index of stays: by place and by party, each in the order of time; forty bytes a stay, and no pairs.

tracing.md §4. A place's stays are a range of the first half of the columns, a party's a range of the second.
"""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from sudonglian.trace.engine.stays.sorting import Codes, Rows, Times, firsts, time_order
from sudonglian.trace.errors import QueryRefused

Dtype: TypeAlias = np.dtype[np.int32] | np.dtype[np.int64]

ROOM: Final = 4
"""Times and waits stay within a fourth of their type's range, so that sums of them do, too."""


BLOCK: Final = 64
"""So many stays are passed over at once if all of them were over."""


class Segment(NamedTuple):
    """Columns of stays. `party` to `origin` are by (place, start), `row` to `whole` by (party, start).

    `reach` is the latest end among a place's stays up to this one, `whole` among the party's; `origin` is the number
    of the stay in what was given, and `row` where a party's stay is in the first half. `tall` is the latest end in each
    block of 64 stays of the first half, whatever their places.
    """

    party: Codes
    start: Times
    end: Times
    reach: Times
    origin: Rows
    place_first: Rows
    tall: Times
    row: Rows
    begin: Times
    whole: Times
    place: Codes
    party_first: Rows


def segment(party: Codes, place: Codes, start: Times, end: Times, parties: int, places: int) -> Segment:
    """Return the index of stays [start, end) of parties in places; those that are empty are met by nobody.

    Parameters
    ----------
    party, place, parties, places
        Numbers below `parties` and `places`.
    start, end
        int32 or int64, both alike, in whatever unit the caller counts; an open end is a late one.

    Raises
    ------
    QueryRefused
        Columns of different lengths or types, a number or a time out of range, a stay that ends before it begins.
    """
    check(party, place, start, end, parties, places)
    party, place = np.ascontiguousarray(party, np.int32), np.ascontiguousarray(place, np.int32)
    order = time_order(start)
    kept = firsts(place, places), firsts(party, parties)
    return Segment(*_filled(order, party, place, np.ascontiguousarray(start), np.ascontiguousarray(end), *kept))


def check(party: Codes, place: Codes, start: Times, end: Times, parties: int, places: int) -> None:
    """Refuse columns that are no stays."""
    if len({len(party), len(place), len(start), len(end)}) != 1:
        raise QueryRefused("columns of different lengths")
    if len(party) >= 2**31 - 1:
        raise QueryRefused("more stays than a segment can number")
    if start.dtype != end.dtype or start.dtype not in (np.int32, np.int64):
        raise QueryRefused("times are whole numbers, starts and ends of one type")
    if not len(party):
        return
    room = np.iinfo(start.dtype).max // ROOM
    if not -room < int(min(start.min(), end.min())) <= int(max(start.max(), end.max())) < room:
        raise QueryRefused("a time is out of range")
    for codes, size in ((party, parties), (place, places)):
        if not 0 <= int(codes.min()) <= int(codes.max()) < size:
            raise QueryRefused("a party or a place has a number out of range")
    if bool((end < start).any()):
        raise QueryRefused("a stay ends before it begins")


@njit(cache=True)
def _filled(
    order: Rows, party: Codes, place: Codes, start: Times, end: Times, place_first: Rows, party_first: Rows
) -> tuple[Codes, Times, Times, Times, Rows, Rows, Times, Rows, Times, Times, Codes, Rows]:
    """Put each stay, in the order of time, behind those of its place and behind those of its party."""
    count = len(order)
    by_party, by_start, by_end = np.empty(count, np.int32), np.empty_like(start), np.empty_like(end)
    reach, origin = np.empty_like(end), np.empty(count, np.int32)
    row, begin, whole = np.empty(count, np.int32), np.empty_like(start), np.empty_like(end)
    where = np.empty(count, np.int32)
    place_free, party_free = place_first.copy(), party_first.copy()
    for one in order:
        who, room, since, until = party[one], place[one], start[one], end[one]
        at = place_free[room]
        place_free[room] = at + 1
        by_party[at], by_start[at], by_end[at], origin[at] = who, since, until, one
        reach[at] = until if at == place_first[room] else max(until, reach[at - 1])
        own = party_free[who]
        party_free[who] = own + 1
        row[own], begin[own], where[own] = at, since, room
        whole[own] = until if own == party_first[who] else max(until, whole[own - 1])
    tall = np.empty((count + BLOCK - 1) // BLOCK, end.dtype)
    for at in range(count):
        block = at // BLOCK
        tall[block] = by_end[at] if at % BLOCK == 0 else max(tall[block], by_end[at])
    return by_party, by_start, by_end, reach, origin, place_first, tall, row, begin, whole, where, party_first


def unsorted(whole: Segment) -> tuple[Codes, Codes, Times, Times]:
    """Return party, place, start and end in the order in which they were given."""
    party, start, end = np.empty_like(whole.party), np.empty_like(whole.start), np.empty_like(whole.end)
    place = np.empty_like(whole.place)
    party[whole.origin], start[whole.origin], end[whole.origin] = whole.party, whole.start, whole.end
    place[whole.origin[whole.row]] = whole.place
    return party, place, start, end
