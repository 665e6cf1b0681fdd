"""Mean kinetic temperature: the constant temperature that would have aged the goods as much as what they went through.

docs/spec/temperature.md §5; USP <1079.2>, Ph. Eur. 5.18: T = (ΔH/R) / -ln(mean(exp(-ΔH/(R·T)))), the mean over time.
The one place where temperatures become binary floats: exp and ln leave no choice. Error below 1e-6 °C.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from sudonglian.records.temperature.curve import Piece

KELVIN: Final = 273.15

GAS_CONSTANT: Final = Fraction("0.0083144")
"""kJ/(mol·K), with the digits of USP, so that ΔH/R of the default is 10,000 K; the exact one moves nothing by 1e-4 °C."""

COLDEST_K: Final = 0.01
"""At absolute zero nothing ages, and the formula would divide by nothing."""


@dataclass(frozen=True, slots=True)
class KineticMean:
    """A mean kinetic temperature in Celsius, what is certain of it, and how long the time is that it is the mean of."""

    best_c: float
    least_c: float
    most_c: float
    measured_us: int


def of_values(values: Iterable[Fraction], activation_kj_mol: Fraction, weights: Iterable[int] | None = None) -> float:
    """Return the mean kinetic temperature of temperatures in Celsius, all alike or by their weights.

    >>> round(of_values(map(Fraction, (2, 2, 5, 8, 8, 8, 8)), Fraction("83.144")), 2)
    6.25
    """
    ratio = float(activation_kj_mol / GAS_CONSTANT)
    listed = [_exponent(ratio, value) for value in values]
    weighing = [1] * len(listed) if weights is None else list(weights)
    return _celsius(ratio, _log_mean(listed, weighing))


def over_time(pieces: Sequence[Piece], activation_kj_mol: Fraction) -> KineticMean | None:
    """Return the mean over the time that pieces cover; of several loggers at once the warmest counts.

    None if nothing lasts. On a line the mean rate of its two ends is taken, which is never less than the curve's own.
    A summary counts by its mean, or midway between its extremes; what its extremes leave open is told beside it.
    """
    ratio = float(activation_kj_mol / GAS_CONSTANT)
    rows = [(end - start, _rates(active, start, end, ratio)) for start, end, active in _stretches(pieces)]
    told = [(length, rates) for length, rates in rows if rates is not None]
    if not told:
        return None
    weights = [length for length, _ in told]
    best, least, most = (_celsius(ratio, _log_mean([rates[at] for _, rates in told], weights)) for at in range(3))
    return KineticMean(best, least, most, sum(weights))


def _stretches(pieces: Sequence[Piece]) -> Iterator[tuple[int, int, list[Piece]]]:
    """Yield the stretches between all starts and ends, each with the pieces that cover it."""
    lasting = sorted((one for one in pieces if one.length_us), key=lambda one: one.start_us)
    edges = sorted({edge for one in lasting for edge in (one.start_us, one.end_us)})
    active: list[Piece] = []
    waiting = iter(lasting)
    upcoming = next(waiting, None)
    for start, end in pairwise(edges):
        active = [one for one in active if one.end_us > start]
        while upcoming is not None and upcoming.start_us <= start:
            active.append(upcoming)
            upcoming = next(waiting, None)
        if active:
            yield start, end, active


def _rates(active: Sequence[Piece], start_us: int, end_us: int, ratio: float) -> tuple[float, float, float] | None:
    """Return the logarithms of the mean rates on a stretch: the warmest logger's best, least and most."""
    found = [one for piece in active if (one := _rate(piece, start_us, end_us, ratio)) is not None]
    if not found:
        return None
    best, least, most = (max(one[at] for one in found) for at in range(3))
    return best, least, most


def _rate(piece: Piece, start_us: int, end_us: int, ratio: float) -> tuple[float, float, float] | None:
    if piece.kind == "line":
        high = _log_mean([_exponent(ratio, _on(piece, piece.high, at)) for at in (start_us, end_us)], [1, 1])
        if piece.low == piece.high:
            return high, high, high
        low = _log_mean([_exponent(ratio, _on(piece, piece.low, at)) for at in (start_us, end_us)], [1, 1])
        return high, low, high
    low_c, high_c = piece.low[0], piece.high[0]
    extremes = [one for one in (low_c, high_c) if one is not None]
    best = piece.mean if piece.mean is not None else sum(extremes, Fraction(0)) / len(extremes) if extremes else None
    if best is None:
        return None
    # The rate is convex in the temperature: a mean ages at least as its constant does, at most as its extremes would.
    least = piece.mean if piece.mean is not None else low_c if low_c is not None else best
    most = [_exponent(ratio, high_c if high_c is not None else best)]
    weights = [1]
    if low_c is not None and high_c is not None and piece.mean is not None and low_c < high_c:
        share = (piece.mean - low_c) / (high_c - low_c)
        most, weights = (
            [_exponent(ratio, high_c), _exponent(ratio, low_c)],
            [share.numerator, share.denominator - share.numerator],
        )
    return _exponent(ratio, best), _exponent(ratio, least), _log_mean(most, weights)


def _on(piece: Piece, curve: tuple[Fraction | None, Fraction | None], at_us: int) -> Fraction:
    first, last = curve
    assert first is not None
    assert last is not None
    if at_us == piece.start_us:
        return first
    if at_us == piece.end_us:
        return last
    return first + (last - first) * Fraction(at_us - piece.start_us, piece.length_us)


def _exponent(ratio: float, celsius: Fraction) -> float:
    return -ratio / max(float(celsius) + KELVIN, COLDEST_K)


def _log_mean(exponents: Sequence[float], weights: Sequence[int]) -> float:
    """Return ln of the weighted mean of exp, from the greatest down, so that nothing vanishes at low temperatures."""
    top = max(one for one, weight in zip(exponents, weights, strict=True) if weight)
    total = sum(weights)
    shares = (weight / total * math.exp(one - top) for one, weight in zip(exponents, weights, strict=True) if weight)
    return top + math.log(math.fsum(shares))


def _celsius(ratio: float, log_mean: float) -> float:
    return ratio / -log_mean - KELVIN
