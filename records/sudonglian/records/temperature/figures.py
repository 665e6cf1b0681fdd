"""Figures: what a window of time comes to: measured how long, how warm, out of its class when, and the verdict.

docs/spec/temperature.md §4-§7. Pure: pieces of curves in, figures out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias

from sudonglian.records import derive
from sudonglian.records.temperature import curve, mkt, words
from sudonglian.records.temperature.classes import ACTIVATION_KJ_MOL, MAX_INTERVAL_S, ProductClass, decimal
from sudonglian.records.temperature.curve import Piece
from sudonglian.records.temperature.excursions import Episode, S, episodes, total_us
from sudonglian.records.temperature.mkt import KineticMean
from sudonglian.records.temperature.samples import Note, Reading, celsius_of

Verdict: TypeAlias = Literal["within", "excursion", "not-fully-measured", "not-measured", "no-class"]

VERDICTS: Final[tuple[Verdict, ...]] = ("excursion", "not-fully-measured", "not-measured", "no-class", "within")
"""The worst first: of several windows the first that occurs holds; measured in part goes before measured not at all."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time without a measurement that counts, and why."""

    start_us: int
    end_us: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What is to be said of a window of time."""

    start_us: int
    end_us: int
    kind: ProductClass | None
    readings: int
    low: Fraction | None
    high: Fraction | None
    measured_us: int
    gaps: tuple[Gap, ...]
    excursions: tuple[Episode, ...]
    kinetic: KineticMean | None
    of_readings_c: float | None
    """The mean kinetic temperature of the readings, all alike, as loggers print it."""

    @property
    def counted(self) -> list[Episode]:
        """Return the excursions that the class does not forgive."""
        return [one for one in self.excursions if one.counts and one.is_certain]

    @property
    def is_mkt_above(self) -> bool:
        """Whether the mean kinetic temperature is above what the class allows, as far as that is certain."""
        limit = None if self.kind is None else self.kind.mkt_upper_c
        return limit is not None and self.kinetic is not None and round(self.kinetic.least_c, 2) > limit

    @property
    def verdict(self) -> Verdict:
        """Return the verdict."""
        if not self.readings:
            return "not-measured"
        if self.kind is None:
            return "no-class"
        if self.counted or self.is_mkt_above:
            return "excursion"
        possible = any(one.counts and not one.is_certain for one in self.excursions)
        return "not-fully-measured" if self.gaps or possible else "within"

    def as_json(self) -> dict[str, Any]:
        """Return the figures as the doors show them."""
        least, most = total_us(self.counted)
        return {
            "verdict": self.verdict,
            "sentence": sentence([self]),
            "start": moment(self.start_us),
            "end": moment(self.end_us),
            "duration_s": seconds(self.end_us - self.start_us),
            "measured_s": seconds(self.measured_us),
            "readings": self.readings,
            "min_c": shown(self.low),
            "max_c": shown(self.high),
            **mkt_json(self.kinetic, self.of_readings_c),
            "excursion_s": {"at_least": seconds(least), "at_most": seconds(most)},
            "excursions": [excursion_json(one) for one in self.excursions],
            "gaps": [gap_json(one) for one in self.gaps],
        }


def figures(
    pieces: Iterable[Piece],
    readings: Sequence[Reading],
    notes: Sequence[Note],
    kind: ProductClass | None,
    start_us: int,
    end_us: int,
) -> Figures:
    """Return the figures of a window; `readings` are those of it, `pieces` and `notes` may reach beyond."""
    inside = [one for piece in pieces if (one := curve.clipped(piece, start_us, end_us)) is not None]
    good = [one for one in inside if one.is_usable and curve.decides(one, kind)]
    interval_us = (MAX_INTERVAL_S if kind is None else kind.max_interval_s) * S
    covered = [(one.start_us, one.end_us) for one in good]
    holes = curve.holes(covered, start_us, end_us, interval_us)
    if not covered and end_us > start_us:
        holes = [curve.Hole(start_us, end_us)]
    low, high = celsius_of(iter(readings))
    activation = ACTIVATION_KJ_MOL if kind is None else kind.activation_kj_mol
    instants = instants_of(readings)
    return Figures(
        start_us,
        end_us,
        kind,
        len(readings),
        low,
        high,
        curve.union_us(covered),
        tuple(Gap(one.start_us, one.end_us, _reasons(one, inside, notes, kind)) for one in holes),
        () if kind is None else tuple(episodes(inside, kind)),
        mkt.over_time([one for one in inside if one.is_usable], activation),
        mkt.of_values(instants, activation) if instants else None,
    )


def instants_of(readings: Iterable[Reading]) -> list[Fraction]:
    """Return the readings of moments that count, of one moment's extremes the higher."""
    return [one.high for one in readings if one.is_instant and one.high is not None and one.calibration != "expired"]


def worst(found: Iterable[Figures]) -> Verdict:
    """Return the verdict of several windows together.

    Something measured beside something not measured at all is a whole that is not fully measured.
    """
    verdicts = {one.verdict for one in found}
    if len(verdicts) > 1 and "not-measured" in verdicts and "excursion" not in verdicts:
        return "no-class" if verdicts == {"no-class", "not-measured"} else "not-fully-measured"
    return next((one for one in VERDICTS if one in verdicts), "not-measured")


def sentence(parts: Sequence[Figures]) -> dict[str, str]:
    """Return the verdict of windows together in one plain sentence, in both languages."""
    verdict = worst(parts)
    kind = next((one.kind for one in parts if one.kind is not None), None)
    lows = [one.low for one in parts if one.low is not None]
    highs = [one.high for one in parts if one.high is not None]
    if verdict == "no-class" and lows and highs:
        return words.both("verdict.no-class", low=decimal(min(lows), 1), high=decimal(max(highs), 1))
    if kind is None:
        return words.both("verdict.not-measured")
    said: dict[str, Mapping[str, str] | str | int] = {"class": {"zh": kind.zh, "en": kind.en}, "range": _range(kind)}
    counted = [one for part in parts for one in part.counted]
    if verdict == "excursion":
        if not counted:
            above = next(one for one in parts if one.is_mkt_above)
            assert above.kinetic is not None
            limit = decimal(kind.mkt_upper_c or Fraction(0))
            return words.both("verdict.excursion.mkt", mkt=f"{above.kinetic.least_c:.2f}", limit=limit, **said)
        peak = max(counted, key=lambda one: abs(one.peak - one.bound))
        said |= {"count": len(counted), "total": _total(counted), "side": words.both(f"side.{peak.side}")}
        told = words.both("verdict.excursion", peak=_peak(peak), **said)
        gap_us = _gap_us(parts)
        return words.both("verdict.also-gaps", said=told, gap=words.lasting(gap_us)) if gap_us else told
    if verdict == "within":
        brief = sum(not one.counts for part in parts for one in part.excursions)
        return (
            words.both("verdict.within.brief", count=brief, **said) if brief else words.both("verdict.within", **said)
        )
    if verdict == "not-measured":
        return words.both("verdict.not-measured")
    if any(not one.is_certain for part in parts for one in part.excursions):
        return words.both("verdict.not-fully-measured.possible", **said)
    if not any(one.measured_us for one in parts):
        return words.both("verdict.not-fully-measured.lone", **said)
    return words.both("verdict.not-fully-measured", gap=words.lasting(_gap_us(parts)), **said)


def shown(value: Fraction | None) -> float | None:
    """Return a temperature as JSON has it: rounded to a thousandth, after everything was judged."""
    return None if value is None else float(decimal(value))


def seconds(time_us: int | None) -> int | float | None:
    """Return microseconds as seconds, whole where they are."""
    if time_us is None:
        return None
    whole, rest = divmod(time_us, S)
    return round(time_us / S, 3) if rest else whole


def moment(time_us: int) -> str:
    """Return a time in UTC.

    >>> moment(0)
    '1970-01-01T00:00:00Z'
    """
    return derive.moment(time_us).isoformat().replace("+00:00", "Z")


def mkt_json(kinetic: KineticMean | None, of_readings_c: float | None) -> dict[str, Any]:
    """Return mean kinetic temperatures, rounded to a hundredth of a degree."""
    told = {
        "mkt_c": None if kinetic is None else kinetic.best_c,
        "mkt_at_least_c": None if kinetic is None else kinetic.least_c,
        "mkt_at_most_c": None if kinetic is None else kinetic.most_c,
        "mkt_of_readings_c": of_readings_c,
    }
    return {name: None if value is None else round(value, 2) + 0.0 for name, value in told.items()}


def excursion_json(one: Episode) -> dict[str, Any]:
    """Return an excursion."""
    return {
        "side": one.side,
        "start": moment(one.start_us),
        "end": moment(one.end_us),
        "at_least_s": seconds(one.least_us),
        "at_most_s": seconds(one.most_us),
        "peak_c": shown(one.peak),
        "bound_c": shown(one.bound),
        "certain": one.is_certain,
        "counts": one.counts,
        "loggers": list(one.loggers),
        "records": list(one.sources),
    }


def gap_json(one: Gap) -> dict[str, Any]:
    """Return a gap."""
    return {
        "start": moment(one.start_us),
        "end": moment(one.end_us),
        "seconds": seconds(one.end_us - one.start_us),
        "reasons": list(one.reasons),
    }


def range_of(kind: ProductClass) -> dict[str, str]:
    """Return between what a class keeps its goods, in words."""
    return _range(kind)


def _reasons(
    hole: curve.Hole, inside: Sequence[Piece], notes: Sequence[Note], kind: ProductClass | None
) -> tuple[str, ...]:
    def meets(start_us: int, end_us: int) -> bool:
        return start_us <= hole.end_us and end_us >= hole.start_us and (start_us == end_us or start_us < hole.end_us)

    there = [one for one in inside if meets(one.start_us, one.end_us)]
    found = []
    if any(not one.is_usable and curve.decides(one, kind) for one in there):
        found.append("calibration")
    if any(not curve.decides(one, kind) for one in there):
        found.append("extremes")
    if any(one.code == "sensor-error" and meets(one.at_us, one.at_us) for one in notes):
        found.append("sensor-error")
    return tuple(found or ["no-data"])


def _range(kind: ProductClass) -> dict[str, str]:
    upper = "" if kind.upper_c is None else decimal(kind.upper_c)
    lower = "" if kind.lower_c is None else decimal(kind.lower_c)
    if upper and lower:
        return words.both("range.both", upper=upper, lower=lower)
    return words.both("range.upper", upper=upper) if upper else words.both("range.lower", lower=lower)


def _gap_us(parts: Sequence[Figures]) -> int:
    return sum(gap.end_us - gap.start_us for one in parts for gap in one.gaps)


def _total(counted: Sequence[Episode]) -> dict[str, str]:
    least, most = total_us(counted)
    if most is None:
        return words.both("total.open", least=words.lasting(least))
    if not least:
        return words.both("total.up-to", most=words.lasting(most))
    if least == most:
        return words.both("total.exact", most=words.lasting(most))
    return words.both("total.between", least=words.lasting(least), most=words.lasting(most))


def _peak(one: Episode) -> str:
    """Return the peak with as many digits as it takes to see that it is outside."""
    for digits in (1, 2, 3):
        text = decimal(one.peak, digits)
        if Fraction(text) != one.bound:
            return text
    return decimal(one.peak, 6)
