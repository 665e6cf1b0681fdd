"""Columns that grow while a spread runs, for nobody knows how many labels and deposits there will be.

tracing.md §4: twice as much room each time, so that each value is moved a few times in all.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sudonglian.trace.engine.stays.board import Deposits, Labels
from sudonglian.trace.engine.stays.sorting import Rows


@njit(cache=True)
def more32(values: Rows) -> Rows:
    """Return numbers with room for twice as many."""
    wider = np.empty(2 * len(values), np.int32)
    wider[: len(values)] = values
    return wider


@njit(cache=True)
def more64(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return long numbers with room for twice as many."""
    wider = np.empty(2 * len(values), np.int64)
    wider[: len(values)] = values
    return wider


@njit(cache=True)
def room_for_labels(size: int) -> Labels:
    """Return room for so many labels."""
    return Labels(
        np.empty(size, np.int32), np.empty(size, np.int64), np.empty(size, np.int32), np.empty(size, np.int32),
        np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32),
    )  # fmt: skip


@njit(cache=True)
def more_labels(old: Labels) -> Labels:
    """Return labels with room for twice as many."""
    return Labels(
        more32(old.party), more64(old.clock), more32(old.hops), more32(old.previous),
        more32(old.source), more32(old.target), more32(old.arc),
    )  # fmt: skip


@njit(cache=True)
def cut_labels(all_: Labels, count: int) -> Labels:
    """Return the first labels alone."""
    return Labels(
        all_.party[:count], all_.clock[:count], all_.hops[:count], all_.previous[:count],
        all_.source[:count], all_.target[:count], all_.arc[:count],
    )  # fmt: skip


@njit(cache=True)
def room_for_deposits(size: int) -> Deposits:
    """Return room for so many deposits."""
    return Deposits(
        np.empty(size, np.int32), np.empty(size, np.int64), np.empty(size, np.int64),
        np.empty(size, np.int32), np.empty(size, np.int32), np.empty(0, np.int64),
    )  # fmt: skip


@njit(cache=True)
def more_deposits(old: Deposits) -> Deposits:
    """Return deposits with room for twice as many."""
    return Deposits(
        more32(old.place), more64(old.start), more64(old.end), more32(old.source), more32(old.label), old.layer
    )


@njit(cache=True)
def cut_deposits(all_: Deposits, count: int, layer: NDArray[np.int64]) -> Deposits:
    """Return the first deposits alone, and where the layers of them begin."""
    return Deposits(
        all_.place[:count], all_.start[:count], all_.end[:count], all_.source[:count], all_.label[:count], layer
    )
