"""Pictures that stand alone: an SVG file of an answer with its own style, for a report or a wall.

docs/decisions/0315; service.md (drawn by the server, no script and no foreign font; colour never alone).
"""

from typing import Final

from sudonglian.trace.engine.pictures.drawn import Name, plain_name, told
from sudonglian.trace.engine.pictures.route import DRAWN, stops
from sudonglian.trace.engine.pictures.route_picture import draw_route
from sudonglian.trace.engine.pictures.svg import Picture
from sudonglian.trace.engine.pictures.timeline import draw_timeline, lanes
from sudonglian.trace.engine.pictures.words import Lang, word
from sudonglian.trace.engine.result import TraceResult

WIDTH: Final = 1040


def route_svg(answer: TraceResult, *, lang: Lang = "zh", width: int = WIDTH, name: Name = plain_name) -> str:
    """Return the route of an answer as an SVG file; `name` says what a subject is called."""
    rows = told(answer, lang, name)
    found = stops(rows, name, backward=answer.query.backward)
    seed = ", ".join(name(one.subject.kind, one.subject.id) for one in answer.seeds)
    return draw_route(seed, found, lang, width).alone("route", word(lang, "route-legend"), _foot(len(found), lang))


def timeline_svg(answer: TraceResult, *, lang: Lang = "zh", width: int = WIDTH, name: Name = plain_name) -> str:
    """Return the timeline of an answer as an SVG file; people are numbered as the answer lists them."""
    rows = told(answer, lang, name)
    found = stops(rows, name, backward=answer.query.backward)
    persons = [row.id for row in rows if row.kind == "person"]
    numbers = {identifier: at for at, identifier in enumerate(persons, 1)}
    drawn = draw_timeline(lanes(rows, found, lang), numbers, lang, width)
    if drawn is None:
        return Picture(width, 0, word(lang, "timeline"), ()).alone("timeline", word(lang, "none"))
    return drawn.alone("timeline", word(lang, "timeline-legend"), _foot(len(found), lang))


def _foot(places: int, lang: Lang) -> str:
    """Return what a picture of so many places leaves out, and which times these are."""
    cut = word(lang, "cut", count=places - DRAWN) + " · " if places > DRAWN else ""
    return cut + word(lang, "zone")
