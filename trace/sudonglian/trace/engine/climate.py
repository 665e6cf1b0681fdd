"""The climate: between which temperatures a party or a place was, as far as loggers tell, and what that does to a pathogen.

tracing.md §3.7; docs/spec/facts.md §14. What is not known is bounded: for certain exposure all wanes as fast as it may
have, for possible exposure as slowly.
"""

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

from sudonglian.trace.engine.facts import OPEN_END, Facts, Micros, Party, Place, Reading, Stay
from sudonglian.trace.engine.fading import Fading, Gradual
from sudonglian.trace.engine.policies import UNIT, Curve

WITHIN = ("interior", "vehicle", "location")
"""Whose loggers speak for what is in them and has none of its own: the nearest first."""


class Known(NamedTuple):
    """Over [start, end) it was between two temperatures, in thousandths of a degree Celsius."""

    start: Micros
    end: Micros
    low: int
    high: int


class Climate:
    """What all readings of a set of facts say."""

    def __init__(self, facts: Facts) -> None:
        self._readings: dict[str, list[Reading]] = {}
        for reading in facts.readings:
            self._readings.setdefault(reading.subject, []).append(reading)
        self._stays: dict[Party, list[Stay]] = {}
        if self._readings:
            for stay in facts.stays:
                if stay.where.id in self._readings and stay.where.kind in WITHIN:
                    self._stays.setdefault(stay.who, []).append(stay)
        self._known: dict[tuple[str, Micros], list[Known]] = {}
        self._fading: dict[tuple[tuple[Known, ...], int, bool], Fading] = {}

    def of_place(self, place: Place, gap: Micros) -> Sequence[Known]:
        """Return when a place's temperatures are known; the inside of a unit is as warm as the unit."""
        return self._of(place.id, gap)

    def of_party(self, party: Party, gap: Micros) -> Sequence[Known]:
        """Return when a party's temperatures are known: by its own logger, else by that of what it was in."""
        own = self._of(party.id, gap)
        if own or party not in self._stays:
            return own
        for kind in WITHIN:
            parts = [
                Known(max(one.start, stay.start), min(one.end, stay.end), one.low, one.high)
                for stay in self._stays[party]
                if stay.where.kind == kind
                for one in self._of(stay.where.id, gap)
                if one.start < stay.end and stay.start < one.end
            ]
            if parts:
                return _together(parts)
        return ()

    def _of(self, subject: str, gap: Micros) -> list[Known]:
        if subject not in self._readings:
            return []
        known = self._known.get((subject, gap))
        if known is None:
            known = self._known[subject, gap] = _together(_parts(self._readings[subject], gap))
        return known

    def rates_of(self, party: Party, curve: Curve, *, certain: bool) -> list[tuple[Micros, int]]:
        """Return from when on what a party carries wanes at which rate; negative: grows."""
        return rates_of(self.of_party(party, curve.gap), curve, certain=certain)

    def fading(self, known: Sequence[Known], curve: Curve, *, certain: bool) -> Fading:
        """Return until when exposure lasts, at the temperatures that are known and the worst of those that are not."""
        key = tuple(known), id(curve), certain
        found = self._fading.get(key)
        if found is None:
            rates = [(time, max(rate, 0)) for time, rate in rates_of(known, curve, certain=certain)]
            found = self._fading[key] = Gradual(rates, int(curve.halvings * UNIT))
        return found


def rates_of(known: Sequence[Known], curve: Curve, *, certain: bool) -> list[tuple[Micros, int]]:
    """Return from when on which rate of waning is assumed: the fastest that may be, or the slowest."""

    def assumed(low: int, high: int) -> int:
        slowest, fastest = curve.range(low, high)
        return fastest if certain else slowest

    unknown = assumed(curve.low, curve.high)
    rates: list[tuple[Micros, int]] = [(-OPEN_END, unknown)]
    for one in known:
        if rates[-1][0] == one.start:
            rates.pop()
        rates += ((one.start, assumed(one.low, one.high)), (one.end, unknown))
    return rates


def _parts(readings: Iterable[Reading], gap: Micros) -> list[Known]:
    """Return what readings tell: of their own time, and of the time between two that are near enough."""
    ordered = sorted(readings)
    parts = [Known(one.start, one.end + 1, one.low, one.high) for one in ordered]
    latest: Reading | None = None
    for one in ordered:
        if latest is not None and latest.end < one.start <= latest.end + gap:
            parts.append(Known(latest.end, one.start, min(latest.low, one.low), max(latest.high, one.high)))
        if latest is None or one.end >= latest.end:
            latest = one
    return parts


def _together(parts: Sequence[Known]) -> list[Known]:
    """Return parts that do not overlap: where several loggers tell, it was between all that they say."""
    edges = sorted({edge for one in parts for edge in (one.start, one.end)})
    ordered, at = sorted(parts), 0
    lows: list[tuple[int, Micros]] = []
    highs: list[tuple[int, Micros]] = []
    found: list[Known] = []
    for start, end in pairwise(edges):
        while at < len(ordered) and ordered[at].start <= start:
            heappush(lows, (ordered[at].low, ordered[at].end))
            heappush(highs, (-ordered[at].high, ordered[at].end))
            at += 1
        for heap in (lows, highs):
            while heap and heap[0][1] <= start:
                heappop(heap)
        if not lows:
            continue
        low, high = lows[0][0], -highs[0][0]
        if found and found[-1][1:] == (start, low, high):
            found[-1] = found[-1]._replace(end=end)
        else:
            found.append(Known(start, end, low, high))
    return found
