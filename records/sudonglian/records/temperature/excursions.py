"""Excursions: when the temperature was outside its class, for how long at least and at most, and which of them count.

docs/spec/temperature.md §4. Exact: at the bound is within, whatever unit it was written in. Crossings are rounded
outward to the microsecond, so that a stricter bound never makes an excursion shorter.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from sudonglian.records.temperature.classes import ProductClass
from sudonglian.records.temperature.curve import Piece, union_us

Side: TypeAlias = Literal["above", "below"]

SIDES: Final[tuple[Side, Side]] = ("above", "below")

S: Final = 1_000_000
"""Microseconds of a second."""


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of one piece in which it is outside."""

    start_us: int
    end_us: int
    least_us: int
    most_us: int | None
    """None: a lone reading; nobody knows how long it went on."""
    peak: Fraction
    is_certain: bool
    logger: str
    sources: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all of it is outside, and not a part of unknown place."""
        return self.most_us is not None and self.least_us == self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class Episode:
    """An excursion: what loggers tell of the same time, taken together."""

    side: Side
    start_us: int
    end_us: int
    least_us: int
    most_us: int | None
    peak: Fraction
    bound: Fraction
    is_certain: bool
    """Not so if it may lie in the part of a summary that is of another time."""
    loggers: tuple[str, ...]
    sources: tuple[str, ...]
    counts: bool = True
    """Not so if it is brief, by the class."""


def episodes(found: Iterable[Piece], kind: ProductClass) -> list[Episode]:
    """Return the excursions from a class, in order of time.

    >>> from sudonglian.records.temperature.classes import known
    >>> from sudonglian.records.temperature.curve import pieces
    >>> from sudonglian.records.temperature.samples import Reading
    >>> def at(s, c): return Reading(s * S, s * S, Fraction(c), Fraction(c), Fraction(c), "logger", "r")
    >>> [one] = episodes(pieces([at(0, -20), at(60, -16), at(120, -18)], 3600 * S), known()["frozen"])
    >>> one.start_us // S, one.end_us // S, str(one.peak)
    (30, 120, '-16')
    """
    listed = list(found)
    both = [one for side in SIDES for one in _of_side(listed, kind, side)]
    return _judged(sorted(both, key=lambda one: (one.start_us, one.end_us, one.side)), kind)


def regions(piece: Piece, bound: Fraction, side: Side) -> Iterator[Region]:
    """Yield where a piece is beyond a bound."""
    if side == "below":  # the same, upside down
        yield from (replace(one, peak=-one.peak) for one in regions(_flipped(piece), -bound, "above"))
        return
    if piece.kind == "line":
        yield from _of_line(piece, bound)
        return
    (low, _), (high, _) = piece.low, piece.high
    told = [one for one in (high, piece.mean, low, *(value for _, value in piece.ranks)) if one is not None]
    if not told or max(told) <= bound:
        return
    length = piece.length_us
    if low is not None and low > bound:
        least, most = Fraction(1), Fraction(1)
    else:
        least, most = _share(piece, bound)
    is_certain = not piece.is_cut or least == 1
    yield Region(
        piece.start_us,
        piece.end_us,
        int(least * length) if is_certain else 0,
        None if piece.kind == "point" else -int(-most * length),
        max(told),
        is_certain,
        piece.logger,
        piece.sources,
    )


def total_us(found: Sequence[Episode]) -> tuple[int, int | None]:
    """Return how long excursions lasted together, at least and at most; None if a lone reading is among them."""
    mosts = [one.most_us for one in found]
    least = sum(one.least_us for one in found)
    return least, None if None in mosts else sum(one or 0 for one in mosts)


def _of_side(found: Sequence[Piece], kind: ProductClass, side: Side) -> Iterator[Episode]:
    bound = kind.upper_c if side == "above" else kind.lower_c
    if bound is None:
        return
    outside = sorted(
        (region for one in found for region in regions(one, bound, side)),
        key=lambda one: (one.start_us, one.end_us, one.logger),
    )
    group: list[Region] = []
    until = 0
    for one in outside:
        if group and one.start_us > until:
            yield _episode(group, bound, side)
            group = []
        until = one.end_us if not group else max(until, one.end_us)
        group.append(one)
    if group:
        yield _episode(group, bound, side)


def _episode(group: Sequence[Region], bound: Fraction, side: Side) -> Episode:
    by_logger: dict[str, list[Region]] = {}
    for one in group:
        by_logger.setdefault(one.logger, []).append(one)
    whole = union_us((one.start_us, one.end_us) for one in group if one.is_whole)
    single = [0 if len(own) > 1 and _overlap(own) else sum(one.least_us for one in own) for own in by_logger.values()]
    least = max(whole, *single, *(one.least_us for one in group))
    known = [one.most_us for one in group if one.most_us is not None]
    span = union_us((one.start_us, one.end_us) for one in group)
    return Episode(
        side,
        min(one.start_us for one in group),
        max(one.end_us for one in group),
        least,
        min(span, sum(known)) if known else None,
        max((one.peak for one in group), key=lambda value: value if side == "above" else -value),
        bound,
        any(one.is_certain for one in group),
        tuple(sorted(by_logger)),
        tuple(sorted({source for one in group for source in one.sources})),
    )


def _overlap(own: Sequence[Region]) -> bool:
    return any(after.start_us < before.end_us for before, after in pairwise(own))


def _judged(found: Sequence[Episode], kind: ProductClass) -> list[Episode]:
    """Return the excursions with those that the class forgives: brief ones, as long as they are few."""
    grace_us = kind.grace_s * S

    def brief(one: Episode) -> bool:
        far = abs(one.peak - one.bound)
        is_near = kind.tolerance_c is None or far <= kind.tolerance_c
        return grace_us > 0 and one.most_us is not None and one.most_us <= grace_us and is_near

    forgiven = [one for one in found if brief(one)]
    total = sum(one.most_us or 0 for one in forgiven)
    if kind.cumulative_s is not None and total > kind.cumulative_s * S:
        return list(found)
    return [replace(one, counts=not brief(one)) for one in found]


def _of_line(piece: Piece, bound: Fraction) -> Iterator[Region]:
    first, last = piece.high
    if first is None or last is None or (first <= bound and last <= bound):
        return
    start, end = piece.start_us, piece.end_us
    if first <= bound or last <= bound:
        crossing = piece.length_us * (bound - first) / (last - first)
        if first <= bound:
            start += crossing.__floor__()
        else:
            end = start + crossing.__ceil__()
    length = end - start
    yield Region(start, end, length, length, max(first, last), True, piece.logger, piece.sources)


def _share(piece: Piece, bound: Fraction) -> tuple[Fraction, Fraction]:
    """Return what share of a summary was beyond a bound, at least and at most, by its mean and its percentiles."""
    high = piece.high[0]
    least, most = Fraction(0), Fraction(1)
    if piece.mean is not None and high is not None and piece.mean > bound:
        # What is not beyond is at the bound at most: share * high + (1 - share) * bound >= mean.
        least = (piece.mean - bound) / (high - bound)
    for percent, value in piece.ranks:
        if value > bound:
            least = max(least, 1 - percent / 100)
        else:
            most = min(most, 1 - percent / 100)
    return (least, most) if least <= most else (Fraction(0), Fraction(1))


def _flipped(piece: Piece) -> Piece:
    def negated(pair: tuple[Fraction | None, Fraction | None]) -> tuple[Fraction | None, Fraction | None]:
        first, last = (None if one is None else -one for one in pair)
        return first, last

    return replace(
        piece,
        low=negated(piece.high),
        high=negated(piece.low),
        mean=None if piece.mean is None else -piece.mean,
        ranks=tuple((100 - percent, -value) for percent, value in piece.ranks),
    )
