"""What a run has exposed, in columns: the rows of the exposed, and when they expose the places that they are in.

tracing.md §3.3 and §4; docs/decisions/0353. Exposure, dose and tier are read from these, never from all rows.
"""

from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from sudonglian.trace.engine.facts import OPEN_END
from sudonglian.trace.engine.passing import Passing
from sudonglian.trace.engine.query import PLACES
from sudonglian.trace.engine.run import Run
from sudonglian.trace.engine.spans import Codes, Spans, Times, joined

PARTIES: Final = ("item", "person", "process")

_PARTIES: Final = {kind: number for number, kind in enumerate(PARTIES)}

_PLACES: Final = {kind: number for number, kind in enumerate(PLACES)}


class Given(NamedTuple):
    """Row by row, when a place exposes others, and until when it is exposed: [start, left) and [start, whole)."""

    row: Codes
    start: Times
    left: Times
    whole: Times


class Reached:
    """The rows of the exposed. `row` is where they stand in the index; `hops` and `onset` are of each party's number."""

    def __init__(self, run: Run) -> None:
        self.run = run
        land, spread = run.ground, run.spread
        self.columns = land.columns
        size = len(run.parties)
        self.hops, self.onset = np.full(size, -1, np.int64), np.zeros(size, np.int64)
        exposed = np.fromiter(spread.first, np.int64, len(spread.first))
        labels = spread.labels
        self.hops[exposed] = [labels[label].hops for label in spread.first.values()]
        self.onset[exposed] = [(labels[label].clock + 1) // 2 for label in spread.first.values()]
        self.row = np.flatnonzero(self.hops[np.asarray(self.columns.party)] >= 0)
        self.party, self.place, self.start, self.end = (
            np.asarray(column)[self.row].astype(np.int64)
            for column in (self.columns.party, self.columns.place, self.columns.start, self.columns.end)
        )

    @cached_property
    def parties(self) -> Codes:
        """Return of which kind each party's number is."""
        return np.array([_PARTIES[one.kind] for one in self.run.parties], np.int64)

    @cached_property
    def places(self) -> Codes:
        """Return of which kind each place's number is."""
        return np.array([_PLACES[one.kind] for one in self.run.places], np.int64)

    @cached_property
    def stays(self) -> tuple[Codes, Codes, Times, Times]:
        """Return place, party, start and end of who was where: what touches or overlaps is one stay."""
        width = max(len(self.hops), 1)
        one = joined(Spans(self.place * width + self.party, self.start, self.end))
        return one.group // width, one.group % width, one.start, one.end

    @cached_property
    def given(self) -> Given:
        """Return what the exposed give from the moment on that each is exposed at the earliest."""
        spread = self.run.spread
        if spread.alive is not None:
            return self._lasting(whole=True)
        best = np.zeros(len(self.hops), np.int64)
        numbers = np.fromiter(spread.best, np.int64, len(spread.best))
        best[numbers] = [(spread.labels[label].clock + 1) // 2 for label in spread.best.values()]
        return self._since(best)

    @cached_property
    def given_first(self) -> Given:
        """Return what they give from the moment on at which each is exposed with the fewest hops."""
        return self._since(self.onset) if self.run.spread.alive is None else self._lasting(whole=False)

    def _since(self, onset: Times) -> Given:
        begin = np.maximum(self.start, onset[self.party])
        here = np.flatnonzero(begin < self.end)
        row = self.row[here]
        return Given(row, begin[here], np.asarray(self.columns.left)[row], np.asarray(self.columns.whole)[row])

    def _lasting(self, *, whole: bool) -> Given:
        """Return what is given where parties cease to expose: the whole of it, or from the exposure of fewest hops on."""
        run, passing = self.run, Passing(self.run.ground, backward=self.run.backward)
        alive = run.spread.alive or {}
        found: list[tuple[int, int, int, int]] = []
        for row, party in zip(self.row.tolist(), self.party.tolist(), strict=True):
            since = -4 * OPEN_END if whole else run.spread.labels[run.spread.first[party]].clock
            for low, high in alive[party]:
                begin = max(low, since)
                if begin < high:
                    found.append((row, *passing.give(row, begin, high)))
        told = np.array(found, np.int64).reshape(-1, 4).T
        return Given(*told)
