"""The route as a picture: one row a place in the order of time, lines in lanes as on a map of an underground railway.

service.md (Pages: every graph has a table twin, colour never alone): shapes tell what a stop is, words tell the rest.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from sudonglian.trace.engine.pictures.route import DRAWN, ROOT, Stop
from sudonglian.trace.engine.pictures.svg import Picture, element, fit
from sudonglian.trace.engine.pictures.times import brief, local
from sudonglian.trace.engine.pictures.words import Lang, word

ROW: Final = 50
LANE: Final = 22
TIME_WIDTH: Final = 84
MARGIN: Final = 16
BEND: Final = 34
"""Height in which a line changes its lane: less than a row, so that lines stay apart."""

NAME_SIZE: Final = 14
NOTE_SIZE: Final = 12
MARK: Final = 7


def draw_route(seed: str, stops: Sequence[Stop], lang: Lang, width: int) -> Picture:
    """Return the picture of a route that begins at the seed."""
    shown = stops[:DRAWN]
    lanes = max((stop.lane for stop in shown), default=0) + 1
    text_x = TIME_WIDTH + lanes * LANE + MARGIN
    parts: list[Markup] = []
    for at, stop in enumerate(shown):
        parts.append(_line(stop, at))
    parts.append(_seed(seed, text_x, width, lang))
    for at, stop in enumerate(shown):
        parts += _row(stop, at, text_x, width, lang)
    return Picture(width, _y(len(shown)), word(lang, "route"), tuple(parts))


def _y(row: int) -> int:
    """Return the height of a stop's mark; the seed is the row before the first."""
    return MARGIN + (row + 1) * ROW


def _x(lane: int) -> int:
    return TIME_WIDTH + MARGIN + lane * LANE


def _line(stop: Stop, at: int) -> Markup:
    end_x, end_y = _x(stop.lane), _y(at)
    start_y = _y(stop.previous)
    start_x = _x(stop.before_lane)
    path = f"M{start_x} {start_y}"
    if start_x != end_x:
        half = BEND // 2
        path += f"C{start_x} {start_y + half} {end_x} {start_y + half} {end_x} {start_y + BEND}"
    return element("path", d=f"{path}L{end_x} {end_y}", class_=f"line {stop.evidence}")


def _seed(seed: str, text_x: int, width: int, lang: Lang) -> Markup:
    y = _y(ROOT)
    return Markup("").join(
        [
            element("circle", cx=_x(0), cy=y, r=MARK + 2, class_="stop seed"),
            element("circle", cx=_x(0), cy=y, r=3, class_="dot"),
            element("text", word(lang, "seed"), x=TIME_WIDTH - 6, y=y + 5, text_anchor="end", class_="time"),
            element("text", fit(seed, width - text_x, NAME_SIZE), x=text_x, y=y + 5, class_="name"),
        ]
    )


def _row(stop: Stop, at: int, text_x: int, width: int, lang: Lang) -> list[Markup]:
    x, y = _x(stop.lane), _y(at)
    moment = local(stop.time)
    note = word(lang, "note", carrier=stop.carrier, people=stop.people, goods=stop.goods)
    sure = "" if stop.evidence == "certain" else word(lang, "possible")
    return [
        element("text", brief(moment) if moment else "", x=TIME_WIDTH - 6, y=y + 4, text_anchor="end", class_="time"),
        _mark(stop, x, y),
        element("text", fit(sure + stop.name, width - text_x, NAME_SIZE), x=text_x, y=y - 2, class_="name"),
        element("text", fit(note, width - text_x, NOTE_SIZE), x=text_x, y=y + 14, class_="note"),
    ]


def _mark(stop: Stop, x: int, y: int) -> Markup:
    if stop.kind == "vehicle":
        points = f"{x},{y - MARK - 2} {x + MARK + 2},{y} {x},{y + MARK + 2} {x - MARK - 2},{y}"
        return element("polygon", points=points, class_=f"stop {stop.evidence}")
    return element(
        "rect", x=x - MARK, y=y - MARK, width=2 * MARK, height=2 * MARK, rx=2, class_=f"stop {stop.evidence}"
    )
