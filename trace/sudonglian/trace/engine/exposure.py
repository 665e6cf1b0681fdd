"""How long a member was exposed, and when for the last time: its time together with what needed fewer hops.

tracing.md §3.3; docs/spec/trace-document.md §5. Of each place one sweep says how few hops whoever exposes it needed, and
a tree of sums answers how long that was fewer than a member's own: linear in the stays, but for a logarithm.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.passing import Passing
from sudonglian.trace.engine.run import Run

NEVER_MET: Final[Micros] = -(1 << 62)

HANDLING: Final = frozenset({"handoff", "interior"})
"""Where something is touched or reached into; elsewhere one is merely present."""


class Exposure(NamedTuple):
    """How long: touching and reaching in, and in one place; the last tick of the run's clock, `is_open` if it went on."""

    handling: Micros = 0
    presence: Micros = 0
    last: Micros = NEVER_MET
    is_open: bool = False

    def __add__(self, other: object) -> "Exposure":
        """Return both together: of two lives, or in two places."""
        assert isinstance(other, Exposure)
        latest = max(self, other, key=lambda one: (one.last, one.is_open))
        return Exposure(self.handling + other.handling, self.presence + other.presence, latest.last, latest.is_open)


class _Segment(NamedTuple):
    """Over [start, end) whoever exposes the place needed so many hops at least."""

    start: Micros
    end: Micros
    hops: int


def exposures(run: Run, end: Micros) -> Mapping[int, Exposure]:
    """Return the exposure of each party's number that was exposed; nothing after `end` counts, on the run's clock."""
    spread, land = run.spread, run.ground
    hops = {party: spread.labels[label].hops for party, label in spread.first.items()}
    given: dict[int, list[_Segment]] = {}
    there: dict[int, dict[int, list[tuple[Micros, Micros]]]] = {}
    for party, row, start, until in _rows(run, hops):
        place = land.columns.place[row]
        for begin, finish in _gives(run, party, row):
            given.setdefault(place, []).append(_Segment(begin, finish, hops[party]))
        there.setdefault(place, {}).setdefault(party, []).append((start, until))
    found = dict.fromkeys(hops, Exposure())
    for place, spans in given.items():
        touches = run.places[place].kind in HANDLING
        for party, length, last, is_open in _meetings(_fewest(spans), there[place], hops, end):
            if land.places.is_twin(place):
                # The place itself tells how long; this one, only that they met what was sampled.
                length = 0
            handling, presence = (length, 0) if touches else (0, length)
            found[party] += Exposure(handling, presence, last, is_open)
    for source, target, time, _ in land.arcs:
        if source in hops and target in hops and hops[source] <= hops[target] and time <= end:
            if spread.alive is None:
                passes = spread.labels[spread.best[source]].clock <= 2 * time + 1
            else:
                passes = any(low <= 2 * time + 1 and 2 * time < high for low, high in spread.alive[source])
            if passes:
                found[target] += Exposure(last=time)
    return found


def _rows(run: Run, exposed: Mapping[int, int]) -> Iterator[tuple[int, int, Micros, Micros]]:
    """Yield the rows of the exposed, by party."""
    columns = run.ground.columns
    for party in exposed:
        if party + 1 < len(columns.party_first):
            for row in columns.party_row[columns.party_first[party] : columns.party_first[party + 1]]:
                yield party, row, columns.start[row], columns.end[row]


def _gives(run: Run, party: int, row: int) -> Iterator[tuple[Micros, Micros]]:
    """Yield when a row exposes its place."""
    columns, spread = run.ground.columns, run.spread
    if spread.alive is None:
        onset = (spread.labels[spread.best[party]].clock + 1) // 2
        begin, whole = max(columns.start[row], onset), columns.whole[row]
        if begin < columns.end[row] and begin < whole:
            yield begin, whole
        return
    passing = Passing(run.ground, backward=run.backward)
    for low, high in spread.alive[party]:
        begin, _, whole = passing.give(row, low, high)
        if begin < whole:
            yield begin, whole


def _fewest(spans: list[_Segment]) -> list[_Segment]:
    """Return the time in which a place is exposed in segments, each with the fewest hops of whoever exposes it."""
    spans.sort()
    found: list[_Segment] = []
    waiting: list[tuple[int, Micros]] = []
    at, now = 0, spans[0].start
    while at < len(spans) or waiting:
        if not waiting:
            now = max(now, spans[at].start)
        while at < len(spans) and spans[at].start <= now:
            heappush(waiting, (spans[at].hops, spans[at].end))
            at += 1
        while waiting and waiting[0][1] <= now:
            heappop(waiting)
        if not waiting:
            continue
        fewest, until = waiting[0]
        # Only whoever needed fewer hops changes anything before the end of this one.
        while at < len(spans) and spans[at].start < until and spans[at].hops >= fewest:
            heappush(waiting, (spans[at].hops, spans[at].end))
            at += 1
        stop = min(until, spans[at].start) if at < len(spans) else until
        if found and found[-1].end == now and found[-1].hops == fewest:
            found[-1] = found[-1]._replace(end=stop)
        else:
            found.append(_Segment(now, stop, fewest))
        now = stop
    return found


class _Sums:
    """Lengths of the segments that count so far, in a tree of sums (Fenwick); and how many there are."""

    def __init__(self, size: int) -> None:
        self._lengths, self._counts, self._size = [0] * (size + 1), [0] * (size + 1), size

    def add(self, position: int, length: Micros) -> None:
        at = position + 1
        while at <= self._size:
            self._lengths[at] += length
            self._counts[at] += 1
            at += at & -at

    def before(self, position: int) -> tuple[Micros, int]:
        """Return the length and the number of those before a position."""
        length = count = 0
        while position:
            length += self._lengths[position]
            count += self._counts[position]
            position &= position - 1
        return length, count

    def position(self, count: int) -> int:
        """Return where the count-th stands."""
        at, step = 0, 1 << self._size.bit_length()
        while step:
            if at + step <= self._size and self._counts[at + step] < count:
                at += step
                count -= self._counts[at]
            step >>= 1
        return at


def _meetings(
    segments: Sequence[_Segment],
    there: Mapping[int, list[tuple[Micros, Micros]]],
    hops: Mapping[int, int],
    end: Micros,
) -> Iterator[tuple[int, Micros, Micros, bool]]:
    """Yield for each party that was there while fewer hops exposed the place: how long, and the last tick."""
    starts = [one.start for one in segments]
    waiting = sorted(range(len(segments)), key=lambda number: segments[number].hops, reverse=True)
    sums = _Sums(len(segments))
    for party in sorted(there, key=hops.__getitem__):
        while waiting and segments[waiting[-1]].hops < hops[party]:
            number = waiting.pop()
            sums.add(number, segments[number].end - segments[number].start)
        total, last, is_open = 0, NEVER_MET, False
        for start, until in united(there[party]):
            stop = min(until, end + 1)
            first, beyond = max(bisect_right(starts, start) - 1, 0), bisect_right(starts, stop - 1)
            (before, passed), (within, met) = sums.before(first), sums.before(beyond)
            if start >= stop or met == passed:
                continue
            length = within - before
            inner, outer = segments[first], segments[beyond - 1]
            if inner.hops < hops[party]:
                length -= min(max(start - inner.start, 0), inner.end - inner.start)
            if outer.hops < hops[party]:
                length -= max(outer.end - max(stop, outer.start), 0)
            if length <= 0:
                continue
            total += length
            latest = segments[sums.position(met)]
            last = max(last, min(latest.end, stop) - 1)
            is_open = is_open or (until > end + 1 and latest.end > end + 1)
        if total:
            yield party, total, last, is_open


def united(spans: list[tuple[Micros, Micros]]) -> Iterator[tuple[Micros, Micros]]:
    """Yield spans with those that touch or overlap joined."""
    if len(spans) == 1:
        yield spans[0]
        return
    spans.sort()
    start, end = spans[0]
    for begin, finish in spans[1:]:
        if begin <= end:
            end = max(end, finish)
            continue
        yield start, end
        start, end = begin, finish
    yield start, end
