"""The curve: pieces of time of which a logger tells the temperature, and the holes between them.

docs/spec/temperature.md §3. Between two readings of one logger the temperature goes in a straight line, if they are no
further apart than the class allows; a summary of an interval bounds what was in it; a lone reading tells of its moment.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from sudonglian.records.temperature.classes import ProductClass
from sudonglian.records.temperature.samples import Reading

Kind: TypeAlias = Literal["line", "band", "point"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one logger's curve: extremes at its start and end, alike all along a band."""

    kind: Kind
    start_us: int
    end_us: int
    low: tuple[Fraction | None, Fraction | None]
    high: tuple[Fraction | None, Fraction | None]
    mean: Fraction | None
    ranks: tuple[tuple[Fraction, Fraction], ...]
    logger: str
    medium: str
    sources: tuple[str, ...]
    """The events that it is read from."""
    is_usable: bool
    """Calibrated, as far as the class asks: what it shows as fine counts."""
    is_cut: bool = False
    """A band of which only a part lies in the window: whether its extremes do is not known."""

    @property
    def length_us(self) -> int:
        """How long it lasts."""
        return self.end_us - self.start_us


def pieces(readings: Iterable[Reading], max_interval_us: int, *, needs_calibration: bool = False) -> list[Piece]:
    """Return the curves of all loggers, in order of time; the order and repeats of readings change nothing."""
    loggers: dict[tuple[str, str], list[Reading]] = {}
    for one in dict.fromkeys(readings):
        loggers.setdefault((one.logger, one.medium), []).append(one)
    found: list[Piece] = []
    for key in sorted(loggers):
        found += _of_one(loggers[key], max_interval_us, needs_calibration=needs_calibration)
    return sorted(found, key=lambda one: (one.start_us, one.end_us, one.logger, one.medium))


def clipped(piece: Piece, start_us: int, end_us: int) -> Piece | None:
    """Return the part of a piece in a window, or None."""
    start, end = max(piece.start_us, start_us), min(piece.end_us, end_us)
    if start > end or (start == end and piece.kind != "point" and piece.length_us):
        return None
    if (start, end) == (piece.start_us, piece.end_us):
        return piece
    if piece.kind == "line":
        low, high = ((_at(piece, curve, start), _at(piece, curve, end)) for curve in (piece.low, piece.high))
        return replace(piece, start_us=start, end_us=end, low=low, high=high)
    return replace(piece, start_us=start, end_us=end, mean=None, ranks=(), is_cut=True)


def decides(piece: Piece, kind: ProductClass | None) -> bool:
    """Return whether a piece tells if the temperature left the class, on each side that the class bounds."""
    if kind is None:
        return True
    upper = kind.upper_c is None or piece.high[0] is not None or _beyond(piece.low[0], kind.upper_c)
    lower = kind.lower_c is None or piece.low[0] is not None or _beyond(kind.lower_c, piece.high[0])
    return upper and lower


def union_us(intervals: Iterable[tuple[int, int]]) -> int:
    """Return how long intervals last together, each moment counted once.

    >>> union_us([(0, 10), (5, 12), (20, 21)])
    13
    """
    total, until = 0, None
    for start, end in sorted(intervals):
        if until is None or start > until:
            until = start
        if end > until:
            total, until = total + end - until, end
    return total


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch of time of which nothing is known."""

    start_us: int
    end_us: int


def holes(intervals: Iterable[tuple[int, int]], start_us: int, end_us: int, longest_us: int) -> list[Hole]:
    """Return what no interval covers of a window, where it is longer than `longest_us`.

    >>> holes([(0, 10), (15, 20)], 0, 60, 5)
    [Hole(start_us=20, end_us=60)]
    """
    found, until = [], start_us
    for start, end in sorted(intervals):
        if start > end_us or end < start_us:
            continue
        if start - until > longest_us:
            found.append(Hole(until, start))
        until = max(until, end)
    if end_us - until > longest_us:
        found.append(Hole(until, end_us))
    return found


def _at(piece: Piece, curve: tuple[Fraction | None, Fraction | None], when_us: int) -> Fraction | None:
    first, last = curve
    if first is None or last is None:
        return None
    return first + (last - first) * Fraction(when_us - piece.start_us, piece.length_us)


def _beyond(value: Fraction | None, bound: Fraction | None) -> bool:
    return value is not None and bound is not None and value > bound


def _of_one(readings: Sequence[Reading], max_interval_us: int, *, needs_calibration: bool) -> list[Piece]:
    def usable(one: Reading) -> bool:
        return one.calibration == "valid" or (one.calibration == "unknown" and not needs_calibration)

    moments: dict[int, list[Reading]] = {}
    spans: dict[tuple[int, int], list[Reading]] = {}
    for one in readings:
        if one.is_instant and one.low is not None and one.high is not None:
            moments.setdefault(one.start_us, []).append(one)
        else:
            spans.setdefault((one.start_us, one.end_us), []).append(one)
    points = [_merged(moments[at], all(map(usable, moments[at]))) for at in sorted(moments)]
    lines = _lines(points, max_interval_us)
    bands = [_merged(spans[key], all(map(usable, spans[key]))) for key in sorted(spans)]
    return lines + _telling(bands, lines, max_interval_us)


def _merged(readings: Sequence[Reading], is_usable: bool) -> Piece:
    """Return what several words of one logger about the same time come to: the worst of them."""
    first = readings[0]
    low = min((one.low for one in readings if one.low is not None), default=None)
    high = max((one.high for one in readings if one.high is not None), default=None)
    return Piece(
        "point" if first.is_instant else "band",
        first.start_us,
        first.end_us,
        (low, low),
        (high, high),
        max((one.mean for one in readings if one.mean is not None), default=None),
        tuple(sorted({rank for one in readings for rank in one.ranks})),
        first.logger,
        first.medium,
        tuple(sorted({one.source for one in readings})),
        is_usable,
    )


def _lines(points: Sequence[Piece], max_interval_us: int) -> list[Piece]:
    found: list[Piece] = []
    joined = False
    for at, one in enumerate(points):
        after = points[at + 1] if at + 1 < len(points) else None
        if after is not None and after.start_us - one.start_us <= max_interval_us:
            found.append(
                replace(
                    one,
                    kind="line",
                    end_us=after.start_us,
                    low=(one.low[0], after.low[0]),
                    high=(one.high[0], after.high[0]),
                    mean=None,
                    sources=tuple(sorted({*one.sources, *after.sources})),
                    is_usable=one.is_usable and after.is_usable,
                )
            )
            joined = True
        else:
            if not joined:
                found.append(one)
            joined = False
    return found


def _telling(bands: Sequence[Piece], lines: Sequence[Piece], max_interval_us: int) -> list[Piece]:
    """Return the summaries that say more than the readings of the same logger that they sum up."""
    starts, ends = [one.start_us for one in lines], [one.end_us for one in lines]
    found = []
    for band in bands:
        inside = lines[bisect_left(ends, band.start_us) : bisect_right(starts, band.end_us)]
        covered = [(one.start_us, one.end_us) for one in inside if one.is_usable]
        known = [edge for one in inside for edge in (*one.low, *one.high) if edge is not None]
        said = [one for one in (band.low[0], band.high[0], band.mean) if one is not None]
        repeats = (
            not holes(covered, band.start_us, band.end_us, max_interval_us)
            and union_us(covered) > 0
            and all(min(known) <= one <= max(known) for one in said)
        )
        if not repeats:
            found.append(band)
    return found
