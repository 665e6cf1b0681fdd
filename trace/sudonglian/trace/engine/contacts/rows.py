"""Contacts as columns: two parties and an instant, or an interval, a row.

tracing.md §3 (definitions 1-3): the arrays that `reach` and `summary` read. Pure: no file, no clock of this machine.
"""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sudonglian.trace.errors import QueryRefused

Codes: TypeAlias = NDArray[np.int32]
Ticks: TypeAlias = NDArray[np.int64]

MAX_TICK: Final = 2**62
"""Times lie within ±2^62 ticks, so that a time and a span can be added; microseconds reach 146,000 years."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """`source[i]` met `target[i]` at `start[i]`, or over the half-open [`start[i]`, `end[i]`).

    Parties are numbers from 0 to `parties` - 1; ticks are whole numbers of whatever unit the table has.
    """

    source: Codes
    target: Codes
    start: Ticks
    end: Ticks | None
    parties: int
    is_ordered: bool = False
    """Whether the rows are by time, source and target, as `ordered` gives them."""

    def __post_init__(self) -> None:
        lengths = {
            len(self.source),
            len(self.target),
            len(self.start),
            len(self.source if self.end is None else self.end),
        }
        if len(lengths) != 1:
            raise QueryRefused("columns of different lengths")
        for times in (self.start, *(() if self.end is None else (self.end,))):
            if len(times) and not -MAX_TICK < int(times.min()) <= int(times.max()) < MAX_TICK:
                raise QueryRefused("a time is out of range")
        for codes in (self.source, self.target):
            if len(codes) and not 0 <= int(codes.min()) <= int(codes.max()) < self.parties:
                raise QueryRefused("a party has a number out of range")
        if self.end is not None and len(self.end) and bool((self.end < self.start).any()):
            raise QueryRefused("a contact ends before it begins")

    def ordered(self) -> "Contacts":
        """Return the contacts by time, then source, then target: the index that every question goes along."""
        if self.is_ordered:
            return self
        order = np.lexsort((self.target, self.source, self.start))
        end = None if self.end is None else self.end[order]
        return Contacts(self.source[order], self.target[order], self.start[order], end, self.parties, is_ordered=True)

    def between(self, first: int, last: int) -> "Contacts":
        """Return the contacts of an ordered table that begin from `first` to `last`, both included."""
        low, high = np.searchsorted(self.start, first, "left"), np.searchsorted(self.start, last, "right")
        end = None if self.end is None else self.end[low:high]
        return replace(
            self, source=self.source[low:high], target=self.target[low:high], start=self.start[low:high], end=end
        )

    def reversed(self) -> "Contacts":
        """Return the same contacts with time running backward, so that `reach` finds who could have reached."""
        ends = self.start if self.end is None else self.end
        return Contacts(self.target, self.source, -ends, None if self.end is None else -self.start, self.parties)

    def both_ways(self) -> "Contacts":
        """Return the contacts with each a second time the other way round."""
        twice = None if self.end is None else np.concatenate((self.end, self.end))
        return Contacts(
            np.concatenate((self.source, self.target)),
            np.concatenate((self.target, self.source)),
            np.concatenate((self.start, self.start)),
            twice,
            self.parties,
        )
