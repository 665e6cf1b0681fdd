"""The timeline: a lane for each place, a bar while it counts as exposed, a mark for everyone who was reached there.

service.md (server-drawn SVG timelines). Wide, the names stand beside the lanes; narrow, above them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from sudonglian.trace.engine.pictures.drawn import Drawn
from sudonglian.trace.engine.pictures.route import DRAWN, Stop
from sudonglian.trace.engine.pictures.svg import Picture, element, fit
from sudonglian.trace.engine.pictures.times import ZONE, local
from sudonglian.trace.engine.pictures.words import Lang, word

BESIDE_FROM: Final = 600
"""Narrower pictures have no room for names beside the lanes."""

NAMES_WIDTH: Final = 210
AXIS: Final = 34
BAR: Final = 8
MARK: Final = 9
STEP: Final = 2 * MARK + 3
NAME_SIZE: Final = 13
MARGIN: Final = 14

TICKS_H: Final = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720, 2160, 8760)
"""Hours between two ticks; the first that leaves room is taken."""

TICK_WIDTH: Final = 64

MARKED: Final = 48
"""Marks in a picture, shared among its lanes; how many more a lane has stands beside it, and the lists have all."""

FEWEST: Final = 4
"""Marks that every lane may have."""

HOUR: Final = timedelta(hours=1)
SPARE: Final = 30
"""The picture goes on for a thirtieth after the last time, so that an open bar is seen to be open."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One place."""

    name: str
    evidence: str
    spans: tuple[tuple[datetime, datetime | None], ...]
    marks: tuple[tuple[datetime, Drawn], ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    end: datetime
    left: int
    right: int

    def x(self, moment: datetime) -> int:
        whole = (self.end - self.start) // timedelta(seconds=1)
        passed = (min(max(moment, self.start), self.end) - self.start) // timedelta(seconds=1)
        return self.left + (self.right - self.left) * passed // whole


def lanes(members: Sequence[Drawn], stops: Sequence[Stop], lang: Lang) -> list[Lane]:
    """Return the lanes of the first places of the route, and at the end one for what happened at no known place."""
    rows = {row.key: row for row in members if row.kind == "place"}
    there: dict[str, list[Drawn]] = {}
    for one in members:
        if one.kind != "place":
            there.setdefault(one.place, []).append(one)
    found = []
    for number, stop in enumerate(stops):
        row = rows[stop.key]
        here = there.pop(row.id, [])
        if number >= DRAWN:
            continue
        spans = tuple((start, local(end)) for one, end in row.intervals if (start := local(one)) is not None)
        found.append(Lane(row.name, row.evidence, spans, _marks(here)))
    rest = [row for rows_ in there.values() for row in rows_]
    if rest:
        found.append(Lane(word(lang, "elsewhere"), "certain", (), _marks(rest)))
    return found


def marked(found: Sequence[Lane]) -> int:
    """Return how many marks each lane may have, so that all together are not too many."""
    limit = FEWEST
    while limit < MARKED and sum(min(len(lane.marks), limit + 1) for lane in found) <= MARKED:
        limit += 1
    return limit


def _marks(rows: Sequence[Drawn]) -> tuple[tuple[datetime, Drawn], ...]:
    dated = [(moment, row) for row in rows if (moment := local(row.time)) is not None]
    return tuple(sorted(dated, key=lambda one: (one[0], one[1].kind, one[1].name)))


def draw_timeline(found: Sequence[Lane], numbers: Mapping[str, int], lang: Lang, width: int) -> Picture | None:
    """Return the picture, or None if there is no time to draw; `numbers` tell people apart."""
    times = [moment for lane in found for moment, _ in lane.marks]
    times += [end for lane in found for span in lane.spans for end in span if end is not None]
    if not times:
        return None
    beside = width >= BESIDE_FROM
    last = max(max(times), min(times) + HOUR)
    end = last + (last - min(times)) / SPARE
    scale = _Scale(min(times), end, NAMES_WIDTH if beside else MARK, width - MARGIN)
    parts: list[Markup] = []
    y = AXIS
    for lane in found:
        drawn, y = _lane(lane, numbers, scale, y, marked(found), beside=beside)
        parts += drawn
    return Picture(width, y + 4, word(lang, "timeline"), (*_axis(scale, y), *parts))


def _lane(
    lane: Lane, numbers: Mapping[str, int], scale: _Scale, top: int, limit: int, *, beside: bool
) -> tuple[list[Markup], int]:
    """Draw one lane from `top` on; return it and where the next one begins."""
    parts: list[Markup] = []
    bar_y = top + 8
    if beside:
        name = fit(lane.name, NAMES_WIDTH - 12, NAME_SIZE)
        parts.append(element("text", name, x=0, y=bar_y + BAR + 1, class_="name"))
    else:
        parts.append(element("text", fit(lane.name, scale.right, NAME_SIZE), x=0, y=top + 15, class_="name"))
        bar_y += 15
    for start, end in lane.spans:
        x, right = scale.x(start), scale.right if end is None else scale.x(end)
        wide = max(right - x, 2)
        parts.append(element("rect", x=x, y=bar_y, width=wide, height=BAR, rx=2, class_=f"span {lane.evidence}"))
        if end is None:
            parts.append(element("path", d=f"M{right} {bar_y - 3}l8 {BAR // 2 + 3}l-8 {BAR // 2 + 3}z", class_="open"))
    y = bar_y + BAR + MARK + 4
    ends: list[int] = []
    for moment, row in lane.marks[:limit]:
        x = scale.x(moment)
        level = next((at for at, free in enumerate(ends) if free <= x), len(ends))
        ends[level : level + 1] = [x + STEP]
        parts.append(_mark(row, numbers, x, y + level * STEP, named=beside))
    if (more := len(lane.marks) - limit) > 0:
        parts.append(element("text", f"+{more}", x=scale.right, y=y + 4, text_anchor="end", class_="time"))
    bottom = bar_y + BAR + 10 + (len(ends) * STEP if ends else 0)
    parts.append(element("line", x1=0, x2=scale.right, y1=bottom, y2=bottom, class_="rule"))
    return parts, bottom


def _mark(row: Drawn, numbers: Mapping[str, int], x: int, y: int, *, named: bool) -> Markup:
    # Where there is no pointer that could rest on a mark, its title would only be carried along.
    title = element("title", f"{row.name} · {row.tier_name}") if named else Markup("")
    unsure = "" if row.evidence == "certain" else " possible"
    if row.kind == "person":
        number = str(numbers.get(row.id, ""))
        shape = element("circle", cx=x, cy=y, r=MARK, class_=f"person {row.tier}{unsure}")
        told = element("text", number, x=x, y=y + 4, class_=f"number {row.tier}")
        return _group(title, shape, told)
    size = MARK - 3
    shape = element("rect", x=x - size, y=y - size, width=2 * size, height=2 * size, class_=f"goods{unsure}")
    return _group(title, shape)


def _group(title: Markup, *parts: Markup) -> Markup:
    whole = Markup("").join(parts)
    return element("g", title + whole) if title else whole


def _axis(scale: _Scale, bottom: int) -> list[Markup]:
    hours = (scale.end - scale.start) // HOUR + 1
    room = max((scale.right - scale.left) // TICK_WIDTH, 1)
    every = next((one for one in TICKS_H if hours <= one * room), hours // room + 1)
    midnight = scale.start.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    parts = []
    at = midnight
    while at <= scale.end:
        if at >= scale.start:
            x = scale.x(at)
            text = f"{at:%m-%d}" if at.hour == 0 else f"{at:%H:%M}"
            parts.append(element("line", x1=x, x2=x, y1=AXIS - 8, y2=bottom, class_="tick"))
            parts.append(element("text", text, x=x, y=AXIS - 14, text_anchor="middle", class_="time"))
        at += every * HOUR
    return parts
