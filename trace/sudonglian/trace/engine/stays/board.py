"""What a spread writes down while it runs: of parties, beside stays, and the labels and deposits that are its answer.

tracing.md §4. The arrays are as large as the index, so they are kept and cleaned, at the cost of what was touched.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sudonglian.trace.engine.stays.sorting import Codes, Rows

NEVER: Final = 2**62
"""The clock of what is not exposed: later than twice any time."""

NONE: Final = -1


class Arcs(NamedTuple):
    """Passings that need no place: what is exposed at `time` in the source is exposed in the target after `hops`.

    Those of source s are first[s] to first[s + 1]; `number` is what a label calls them.
    """

    first: Rows
    target: Codes
    time: NDArray[np.int64]
    hops: Codes
    number: Rows


class Board(NamedTuple):
    """Of each party `bound`, what an offer must not be later than, and a `line` with the columns below.

    The bound is the earlier of its clock and of the best offer in this layer: most offers are later, and small columns
    stay in the processor's cache. A line is as long as a cache's: clock, best offer with its label's parts, last label.
    """

    bound: NDArray[np.int64]
    line: NDArray[np.int64]


CLOCK, OFFERED, BY, SOURCE, TARGET, ARC, BEST, WIDTH = 0, 1, 2, 3, 4, 5, 6, 8


class Marks(NamedTuple):
    """Beside a segment's stays; all zero when nothing runs.

    `met` is one more than how long after the stay's start everybody then present, who came no later than this stay, was
    offered exposure: they cannot be exposed earlier by what comes to the place later. `skip` leads past stays that were
    met as they began, which is as early as can be. `touched` lists the first `touched[-1]` stays with a mark.
    """

    met: NDArray[Any]
    skip: Rows
    touched: Rows


class Labels(NamedTuple):
    """Improvements in the order found: the party, its clock, hops, label before, its source's stay and its own, arc."""

    party: Codes
    clock: NDArray[np.int64]
    hops: Codes
    previous: Rows
    source: Rows
    target: Rows
    arc: Rows


class Deposits(NamedTuple):
    """By layer, place and start: over [start, end) the label's stay `source` exposed the place for the next layer.

    Those of layer n are layer[n] to layer[n + 1].
    """

    place: Codes
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    source: Rows
    label: Rows
    layer: NDArray[np.int64]


def board(parties: int) -> Board:
    """Return a clean board."""
    line = np.full((parties, WIDTH), NONE, np.int64)
    line[:, CLOCK] = line[:, OFFERED] = NEVER
    return Board(np.full(parties, NEVER, np.int64), line)


def marks(stays: int, dtype: Any) -> Marks:
    """Return clean marks for times of a type."""
    return Marks(np.zeros(stays, dtype), np.zeros(stays, np.int32), np.zeros(stays + 1, np.int32))


@njit(cache=True)
def wipe(board: Board, base: Marks, live: Marks, labels: Labels) -> None:
    """Clean what a spread with these labels wrote down."""
    for party in labels.party:
        board.bound[party] = NEVER
        board.line[party, CLOCK], board.line[party, BEST] = NEVER, NONE
    for one in (base, live):
        for row in one.touched[: one.touched[-1]]:
            one.met[row] = 0
            one.skip[row] = 0
        one.touched[-1] = 0


@njit(cache=True)
def offer(
    board: Board, few: Rows, count: int, party: int, clock: int, by: int, source: int, target: int, arc: int
) -> int:
    """Offer a party exposure; of equal offers the least wins, so that nothing depends on the order of looking."""
    if clock > board.bound[party]:
        return count
    line = board.line[party]
    if clock == board.bound[party]:
        if line[OFFERED] != clock or (line[BY], line[SOURCE], line[TARGET], line[ARC]) <= (by, source, target, arc):
            return count
    elif line[OFFERED] == NEVER:
        few[count] = party
        count += 1
    board.bound[party] = clock
    line[OFFERED], line[BY], line[SOURCE], line[TARGET], line[ARC] = clock, by, source, target, arc
    return count
