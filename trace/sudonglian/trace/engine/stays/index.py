"""An index of stays that grows: a sealed segment, and a live one for what came since; one question reads both.

tracing.md §4 (appending). One writer at a time; questions may be asked by any thread.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sudonglian.trace.engine.stays.board import BEST, Arcs, Board, Deposits, Labels, Marks, board, marks, wipe
from sudonglian.trace.engine.stays.layers import layers
from sudonglian.trace.engine.stays.segment import Segment, check, segment, unsorted
from sudonglian.trace.engine.stays.sorting import Codes, Rows, Times
from sudonglian.trace.errors import QueryRefused


@dataclass(frozen=True, slots=True)
class Exposed:
    """Whom a question's seeds expose, themselves included, in rising order of their numbers.

    `first` is each party's label with the fewest hops, `best` the one with the earliest arrival: places in `labels`.
    """

    party: Codes
    first: Rows
    best: Rows
    labels: Labels
    deposits: Deposits

    @property
    def arrival(self) -> NDArray[np.int64]:
        """Return each party's earliest exposure."""
        earliest: NDArray[np.int64] = self.labels.clock[self.best] >> 1
        return earliest

    @property
    def generation(self) -> Codes:
        """Return in how many hops each party is exposed at least."""
        fewest: Codes = self.labels.hops[self.first]
        return fewest

    def walk(self, label: int) -> list[tuple[int, int, int, int]]:
        """Return the hops that end in a label: party, time, the stay that exposed it and its own; -1 for the seed's."""
        hops: list[tuple[int, int, int, int]] = []
        labels = self.labels
        while label >= 0:
            hops.append(
                (
                    int(labels.party[label]),
                    int(labels.clock[label]) >> 1,
                    int(labels.source[label]),
                    int(labels.target[label]),
                )
            )
            label = int(labels.previous[label])
        return hops[::-1]


class _Notes(NamedTuple):
    base: Marks
    live: Marks
    board: Board


class StayIndex:
    """Stays [start, end) of parties in places, all of them numbers; stays are numbered as they come, from 0.

    Parameters
    ----------
    party, place, start, end
        Columns as `segment` takes them.
    linger
        How long a place stays exposed when who exposed it has left: of each place, or one number for all.

    Examples
    --------
    Party 0 meets party 1 in place 0, and party 1 meets party 2 there when party 0 has left:

    >>> index = StayIndex(np.int32([0, 1]), np.int32([0, 0]), np.int32([0, 5]), np.int32([10, 20]))
    >>> index.append(np.int32([2]), np.int32([0]), np.int32([12]), np.int32([15]))
    2
    >>> found = index.spread([(0, 0)])
    >>> found.party.tolist(), found.arrival.tolist(), found.generation.tolist()
    ([0, 1, 2], [0, 5, 12], [0, 1, 2])
    """

    def __init__(
        self, party: Codes, place: Codes, start: Times, end: Times, *, linger: int | Sequence[int] = 0
    ) -> None:
        self._lock = Lock()
        self._linger = linger
        self._base = _segment(party, place, start, end)
        self._live = _segment(party[:0], place[:0], start[:0], end[:0])
        self._coming: list[tuple[Codes, Codes, Times, Times]] = []
        self._notes: list[_Notes] = []
        self._row_of: Rows | None = None

    def __len__(self) -> int:
        """Return how many stays there are."""
        return len(self._base.party) + self.live

    @property
    def live(self) -> int:
        """Return how many of the stays came since the last `seal`."""
        return len(self._live.party) + sum(len(one[0]) for one in self._coming)

    @property
    def nbytes(self) -> int:
        """Return how many bytes the columns of both segments take."""
        base, live = self._segments()
        return sum(column.nbytes for part in (base, live) for column in part)

    def append(self, party: Codes, place: Codes, start: Times, end: Times) -> int:
        """Add stays; return the number of the first. Parties and places may be new.

        Raises
        ------
        QueryRefused
            As `segment`; nothing is added then.
        """
        start, end = (_times(times, self._base.start.dtype) for times in (start, end))
        party, place = np.asarray(party, np.int32), np.asarray(place, np.int32)
        check(party, place, start, end, 2**31 - 1, 2**31 - 1)
        with self._lock:
            first = len(self)
            if first + len(party) >= 2**31 - 1:
                raise QueryRefused("more stays than an index can number")
            self._coming.append((party, place, start, end))
        return first

    def close(self, number: int, end: int) -> None:
        """Say when a stay ended that was open, or longer.

        Raises
        ------
        QueryRefused
            There is no such stay, or it ended before that, or begins later.
        """
        base, live = self._segments()
        with self._lock:
            if not 0 <= number < len(base.party) + len(live.party):
                raise QueryRefused("there is no such stay", place="number")
            part, at = (base, number) if number < len(base.party) else (live, number - len(base.party))
            if part is base:
                if self._row_of is None:
                    self._row_of = np.empty(len(base.party), np.int32)
                    self._row_of[base.origin] = np.arange(len(base.party), dtype=np.int32)
                row = int(self._row_of[at])
            else:
                row = int(np.flatnonzero(part.origin == at)[0])
            if not part.start[row] <= end <= part.end[row]:
                raise QueryRefused("a stay is closed between its start and the end that it has", place="end")
            part.end[row] = end

    def seal(self) -> None:
        """Make one segment of both: as long as building the index of all. Numbers stay as they are."""
        base, live = self._segments()
        with self._lock:
            columns = [np.concatenate(pair) for pair in zip(unsorted(base), unsorted(live), strict=True)]
            self._base = _segment(*columns)
            self._live = _segment(*(column[:0] for column in columns))
            self._notes, self._row_of = [], None

    def turned(self) -> "StayIndex":
        """Return the index of the same stays on the clock that runs the other way, to ask whose exposure reaches one.

        A moment t is -t there, for [start, end) holds the moments start to end - 1.
        """
        base, live = self._segments()
        columns = [np.concatenate(pair) for pair in zip(unsorted(base), unsorted(live), strict=True)]
        party, place, start, end = columns
        return StayIndex(party, place, 1 - end, 1 - start, linger=self._linger)

    def spread(
        self,
        seeds: Iterable[tuple[int, int]],
        *,
        strict: bool = False,
        max_hops: int | None = None,
        until: int | None = None,
        arcs: Arcs | None = None,
    ) -> Exposed:
        """Return whom seeds expose, each exposed from a moment on.

        Parameters
        ----------
        seeds
            Parties, and from when each is exposed.
        strict
            Whether two meetings at one instant may not chain.
        max_hops
            How many hops a walk may have; any number if None.
        until
            The first moment that does not count; none if None.
        arcs
            Passings that need no place.

        Raises
        ------
        QueryRefused
            A seed below 0, or a time out of range.
        """
        base, live = self._segments()
        given = sorted(seeds, key=lambda seed: (seed[1], seed[0]))
        limit = np.iinfo(base.start.dtype).max // 2
        last = limit if until is None else until
        if any(party < 0 or abs(time) > limit for party, time in given) or abs(last) > limit:
            raise QueryRefused("a seed or a time out of range", place="seeds")
        parties = max(_parties(base), _parties(live), *(party + 1 for party, _ in given), 1)
        if arcs is None:
            arcs = _no_arcs()
        else:
            parties = max(parties, len(arcs.first) - 1, int(arcs.target.max(initial=-1)) + 1)
        places = max(len(base.place_first), len(live.place_first)) - 1
        notes = self._take(base, live, parties)
        labels, deposits = layers(
            base, live, notes.base, notes.live, notes.board, self._lingers(places), _padded(arcs, parties),
            np.array([party for party, _ in given], np.int32), np.array([2 * time for _, time in given], np.int64),
            int(strict), -1 if max_hops is None else max_hops, last,
        )  # fmt: skip
        found, first = np.unique(labels.party, return_index=True)
        answer = Exposed(
            found, first.astype(np.int32), notes.board.line[found, BEST].astype(np.int32), labels, deposits
        )
        wipe(notes.board, notes.base, notes.live, labels)
        self._notes.append(notes)
        return answer

    def _segments(self) -> tuple[Segment, Segment]:
        """Return both segments, the live one with all that has come."""
        with self._lock:
            if self._coming:
                parts = [unsorted(self._live), *self._coming]
                self._live = _segment(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
                self._coming, self._notes = [], []
            return self._base, self._live

    def _take(self, base: Segment, live: Segment, parties: int) -> _Notes:
        """Return clean notes for a question, those of an earlier one if they fit."""
        while self._notes:
            try:
                notes = self._notes.pop()
            except IndexError:  # another thread was faster
                break
            if len(notes.board.bound) >= parties and len(notes.live.met) == len(live.party):
                return notes
        dtype = base.start.dtype
        return _Notes(marks(len(base.party), dtype), marks(len(live.party), dtype), board(parties))

    def _lingers(self, places: int) -> NDArray[np.int64]:
        if isinstance(self._linger, int):
            return np.full(places, self._linger, np.int64) if self._linger else np.zeros(0, np.int64)
        waits = np.zeros(max(places, len(self._linger)), np.int64)
        waits[: len(self._linger)] = self._linger
        return waits


def _segment(party: Codes, place: Codes, start: Times, end: Times) -> Segment:
    def size(codes: Codes) -> int:
        return int(codes.max(initial=-1)) + 1

    return segment(party, place, start, end, size(party), size(place))


def _times(times: Any, dtype: Any) -> Times:
    """Return times in the type of an index."""
    values = np.asarray(times)
    if values.dtype.kind not in "iu":
        raise QueryRefused("times are whole numbers")
    kept = values.astype(dtype)
    if bool((kept != values).any()):
        raise QueryRefused("a time is out of range")
    return kept


def _parties(part: Segment) -> int:
    return len(part.party_first) - 1


def _no_arcs() -> Arcs:
    none = np.zeros(0, np.int32)
    return Arcs(np.zeros(1, np.int32), none, np.zeros(0, np.int64), none, none)


def _padded(arcs: Arcs, parties: int) -> Arcs:
    """Return arcs whose table of beginnings knows all parties."""
    if not len(arcs.target) or len(arcs.first) > parties:
        return arcs
    more = np.full(parties + 1 - len(arcs.first), arcs.first[-1], np.int32)
    return arcs._replace(first=np.concatenate((arcs.first, more)))
