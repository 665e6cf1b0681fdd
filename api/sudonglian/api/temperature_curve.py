"""The curve of a report as a picture: temperatures over time, limits, excursions and gaps, for a page or a file.

docs/spec/temperature.md §8; service.md (drawn by the server; colour never alone; the page beside it has every number).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Final

from markupsafe import Markup

from sudonglian.api.settings import Lang
from sudonglian.records import derive
from sudonglian.records.temperature import words
from sudonglian.records.temperature.classes import MAX_INTERVAL_S, ProductClass, decimal
from sudonglian.records.temperature.curve import Piece, holes
from sudonglian.records.temperature.excursions import Episode, S
from sudonglian.records.temperature.figures import sentence
from sudonglian.records.temperature.report import Report
from sudonglian.trace.engine.pictures.svg import Picture, element, fit, width_of
from sudonglian.trace.engine.pictures.times import ZONE

WIDE: Final = 1040
NARROW: Final = 330

TOP: Final = 58
"""Above the plot: a row for the numbers of legs, one for those of excursions."""

AXIS: Final = 34
RIGHT: Final = 22

STEPS: Final = (1, 2, 5, 10, 20, 50, 100, 200)
"""Degrees between two lines; the first that leaves room is taken."""

TICKS_H: Final = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720, 2160, 8760)
HOUR: Final = timedelta(hours=1)
TICK_WIDTH: Final = 74

GAP_WIDTH: Final = 90
"""A gap that is narrower has no room for its word."""

LINE_STYLES: Final = 6
"""Strokes that tell loggers apart; a letter at each curve does, too."""

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

SIZE: Final = 12


@dataclass(frozen=True, slots=True)
class _Plane:
    start_us: int
    end_us: int
    low: Fraction
    high: Fraction
    left: int
    right: int
    bottom: int

    def x(self, at_us: int) -> int:
        """Return where a moment is."""
        inside = min(max(at_us, self.start_us), self.end_us) - self.start_us
        return self.left + (self.right - self.left) * inside // max(self.end_us - self.start_us, 1)

    def y(self, celsius: Fraction) -> int:
        """Return where a temperature is."""
        share = (float(celsius) - float(self.low)) / float(self.high - self.low)
        return round(self.bottom - (self.bottom - TOP) * share)


def letter(number: int) -> str:
    """Return the letter of a logger, by its place in the report's list."""
    return LETTERS[number] if number < len(LETTERS) else str(number + 1)


def loggers(report: Report) -> list[tuple[str, str]]:
    """Return the loggers of a report as its list has them: name and what each is in."""
    return sorted({(one.logger, one.medium) for one in report.readings})


def draw(report: Report, lang: Lang, width: int) -> Picture | None:
    """Return the picture, or None if nothing was read."""
    if not report.readings or not report.wholes:
        return None
    plane = _plane(report, width)
    excursions = [one for whole in report.wholes for one in whole.excursions]
    parts = [
        *_gaps(report, plane, lang, width),
        *_grid(plane, width),
        *_legs(report, plane),
        *(piece for number, one in enumerate(excursions, 1) for piece in _excursion(number, one, plane)),
        *_curves(report, plane, width),
        *_bounds(report.kind, plane, lang),
    ]
    return Picture(width, plane.bottom + AXIS, sentence(report.wholes)[lang], tuple(parts))


def alone(report: Report, lang: Lang, width: int = WIDE) -> str | None:
    """Return the picture as an SVG file with its legend, or None if nothing was read."""
    picture = draw(report, lang, width)
    if picture is None:
        return None
    names = " · ".join(f"{letter(number)} {name}" for number, (name, _) in enumerate(loggers(report)))
    said = sentence(report.wholes)[lang]
    foot = [*_wrapped(said, width - 8), *_wrapped(legend(lang), width - 8), names]
    styled = replace(picture, parts=(element("style", Markup(style())), *picture.parts))
    return styled.alone("temperature", *(fit(one, width - 8, SIZE) for one in foot))


@cache
def style() -> str:
    """Return the style sheet of curves, for a picture that stands alone; pages have it as a file."""
    return files("sudonglian.api.pages").joinpath("static", "temperature.css").read_text(encoding="utf-8")


def legend(lang: Lang) -> str:
    """Return what the marks of the picture mean."""
    return words.both("picture.legend")[lang]


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text, broken behind its sentences and their parts."""
    line = ""
    for one in re.split(r"(?<=[。；])|(?<=[.;] )", text):
        if line and width_of(line + one, SIZE) > width:
            yield line
            line = ""
        line += one
    yield line


def _plane(report: Report, width: int) -> _Plane:
    kind = report.kind
    values = [one for piece in report.pieces for one in (*piece.low, *piece.high, piece.mean) if one is not None]
    values += [rank for piece in report.pieces for _, rank in piece.ranks]
    values += [one for one in (kind.upper_c, kind.lower_c) if one is not None] if kind else []
    low, high = min(values), max(values)
    spare = max((high - low) / 10, Fraction(1))
    start, end = min(one.start_us for one in report.wholes), max(one.end_us for one in report.wholes)
    if start == end:  # one reading alone: half an hour around it
        start, end = start - 1800 * S, end + 1800 * S
    height = 300 if width >= WIDE else 220
    return _Plane(start, end, low - spare, high + spare, 52 if width >= WIDE else 40, width - RIGHT, TOP + height)


def _grid(plane: _Plane, width: int) -> Iterator[Markup]:
    span = plane.high - plane.low
    step = next((one for one in STEPS if span / one <= 8), STEPS[-1])
    at = -(-plane.low // step) * step
    while at <= plane.high:
        y = plane.y(Fraction(at))
        yield element("line", x1=plane.left, x2=plane.right, y1=y, y2=y, class_="tick")
        yield element("text", decimal(Fraction(at)), x=plane.left - 6, y=y + 4, text_anchor="end", class_="time")
        at += step
    yield element("text", "℃", x=plane.left - 6, y=TOP - 8, text_anchor="end", class_="time")
    yield from _hours(plane, width)


def _hours(plane: _Plane, width: int) -> Iterator[Markup]:
    start, end = (derive.moment(one).astimezone(ZONE) for one in (plane.start_us, plane.end_us))
    hours = (end - start) // HOUR + 1
    room = max((plane.right - plane.left) // TICK_WIDTH, 1)
    every = next((one for one in TICKS_H if hours <= one * room), hours // room + 1)
    at = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while at <= end:
        if at >= start:
            yield from _tick(plane, at, width)
        at += every * HOUR
    yield element("line", x1=plane.left, x2=plane.right, y1=plane.bottom, y2=plane.bottom, class_="axis")


def _tick(plane: _Plane, at: datetime, width: int) -> Iterator[Markup]:
    x = plane.x(derive.micros(at))
    text = f"{at:%m-%d}" if at.hour == 0 else f"{at:%H:%M}"
    yield element("line", x1=x, x2=x, y1=TOP, y2=plane.bottom + 5, class_="tick")
    anchor = "end" if x > width - TICK_WIDTH // 2 else "middle"
    yield element("text", text, x=x, y=plane.bottom + 19, text_anchor=anchor, class_="time")


def _bounds(kind: ProductClass | None, plane: _Plane, lang: Lang) -> Iterator[Markup]:
    for name, value in (("upper", kind.upper_c), ("lower", kind.lower_c)) if kind else ():
        if value is None:
            continue
        y = plane.y(value)
        text = words.both(f"picture.{name}", value=decimal(value))[lang]
        yield element("line", x1=plane.left, x2=plane.right, y1=y, y2=y, class_="bound")
        above = y - 5 if name == "upper" else y + 14
        yield element("text", text, x=plane.left + 6, y=above, class_="limit")


def _legs(report: Report, plane: _Plane) -> Iterator[Markup]:
    for number, part in enumerate(report.parts, 1):
        if part.relation != "self":
            continue
        left, right = plane.x(part.leg.start_us), plane.x(part.leg.end_us)
        yield element("line", x1=left, x2=left, y1=20, y2=plane.bottom, class_="leg")
        yield element("rect", x=left, y=22, width=max(right - left, 1), height=5, class_=f"leg {part.leg.kind}")
        if right - left >= 16:
            yield element("text", str(number), x=(left + right) // 2, y=16, text_anchor="middle", class_="time")


def _excursion(number: int, one: Episode, plane: _Plane) -> Iterator[Markup]:
    left, right = plane.x(one.start_us), plane.x(one.end_us)
    if right - left < 4:
        left, right = left - 2, left + 2
    sure = "" if one.is_certain and one.counts else " possible"
    yield element("rect", x=left, y=TOP, width=right - left, height=plane.bottom - TOP, class_=f"excursion{sure}")
    x = (left + right) // 2
    mark = "!" if one.counts else ""
    yield element("circle", cx=x, cy=TOP - 14, r=10, class_=f"flag{sure}")
    yield element("text", f"{mark}{number}", x=x, y=TOP - 10, class_=f"number {'' if sure else 'close'}".strip())


def _gaps(report: Report, plane: _Plane, lang: Lang, width: int) -> Iterator[Markup]:
    interval_us = (MAX_INTERVAL_S if report.kind is None else report.kind.max_interval_s) * S
    usable = [(one.start_us, one.end_us) for one in report.pieces if one.is_usable]
    found = holes(
        usable, min(one.start_us for one in report.wholes), max(one.end_us for one in report.wholes), interval_us
    )
    pattern = f"gap-{width}"
    stripes = element("path", d="M-1 1l2-2M0 8l8-8M7 9l2-2", class_="stripe")
    yield element("defs", element("pattern", stripes, id=pattern, width=8, height=8, patternUnits="userSpaceOnUse"))
    for one in found:
        left, right = plane.x(one.start_us), plane.x(one.end_us)
        yield element(
            "rect", x=left, y=TOP, width=max(right - left, 1), height=plane.bottom - TOP, fill=f"url(#{pattern})"
        )
        text = words.both("picture.gap")[lang]
        if right - left > GAP_WIDTH:
            yield element("text", text, x=(left + right) // 2, y=plane.bottom - 8, text_anchor="middle", class_="note")


def _curves(report: Report, plane: _Plane, width: int) -> Iterator[Markup]:
    for number, (logger, medium) in enumerate(loggers(report)):
        own = [one for one in report.pieces if (one.logger, one.medium) == (logger, medium)]
        style = f"c{number % LINE_STYLES}"
        ends: list[tuple[int, int]] = []
        for run in _runs([one for one in own if one.kind == "line"]):
            points = _points(run, plane, width)
            ends.append(points[-1])
            path = " ".join(f"{x},{y}" for x, y in points)
            unsure = "" if all(one.is_usable for one in run) else " expired"
            yield element("polyline", points=path, class_=f"curve {style}{unsure}")
        for one in own:
            if one.kind != "line":
                yield from _summary(one, plane, style, ends)
        if ends:
            x, y = max(ends)
            yield element("text", letter(number), x=min(x + 4, width - 10), y=y + 4, class_="name")


def _summary(one: Piece, plane: _Plane, style: str, ends: list[tuple[int, int]]) -> Iterator[Markup]:
    """Draw a summary as a box from its lowest to its highest with a line at its mean, a lone reading as a diamond."""
    told = [
        value for value in (one.low[0], one.high[0], one.mean, *(rank for _, rank in one.ranks)) if value is not None
    ]
    left, right = plane.x(one.start_us), plane.x(one.end_us)
    top, bottom = plane.y(max(told)), plane.y(min(told))
    ends.append((right, (top + bottom) // 2))
    if one.kind == "point" and bottom - top < 4:
        yield element("path", d=f"M{left} {top - 5}l5 5l-5 5l-5-5z", class_=f"lone {style}")
        return
    yield element(
        "rect", x=left, y=top, width=max(right - left, 2), height=max(bottom - top, 2), class_=f"summary {style}"
    )
    if one.mean is not None:
        y = plane.y(one.mean)
        yield element("line", x1=left, x2=max(right, left + 2), y1=y, y2=y, class_=f"curve {style}")


def _runs(lines: Sequence[Piece]) -> Iterator[list[Piece]]:
    run: list[Piece] = []
    for one in lines:
        if run and (one.start_us != run[-1].end_us or one.is_usable != run[-1].is_usable):
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def _points(run: Sequence[Piece], plane: _Plane, width: int) -> list[tuple[int, int]]:
    """Return the points of a curve; where many share a column of pixels, its extremes alone, so that no peak is lost."""
    found: list[tuple[int, int]] = []
    for piece in run:
        for at_us, values in (
            (piece.start_us, (piece.low[0], piece.high[0])),
            (piece.end_us, (piece.low[1], piece.high[1])),
        ):
            for value in values:
                if value is not None and (not found or found[-1] != (plane.x(at_us), plane.y(value))):
                    found.append((plane.x(at_us), plane.y(value)))
    if len(found) <= 2 * width:
        return found
    columns: dict[int, list[int]] = {}
    for x, y in found:
        columns.setdefault(x, []).append(y)
    return [(x, y) for x, ys in columns.items() for y in ((ys[0], min(ys), max(ys), ys[-1]) if len(ys) > 4 else ys)]
