"""Two pictures of an answer, as text: the route (places over time) and the timeline (who was exposed, from when).

service.md (pages): drawn by the server, no script and no foreign font; colour never alone; a table stands beside it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from sudonglian.trace.engine.facts import OPEN_END, Micros, Party, iso
from sudonglian.trace.engine.member import Member
from sudonglian.trace.engine.result import TraceResult

Lang = Literal["zh", "en"]

FONT: Final = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"

NARROW: Final = 600
"""Below this width labels stand above their lanes: at 390 pixels a column of names would leave no room for time."""

COLUMN: Final = 300
LANE: Final = 28
MARGIN: Final = 12
HEAD: Final = 64

MAX_LANES: Final = 400
"""A taller picture is no picture; the table beside it has the rest, and the picture says how many it leaves out."""

LETTERS: Final = 40
WIDE: Final = 0x2E80
"""From here on a character is about as wide as it is high."""

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "route": ("经过的地点", "Places over time"),
    "timeline": ("暴露时间线", "Exposure over time"),
    "certain": ("确定", "certain"),
    "possible": ("可能", "possible"),
    "item": ("物品", "item"),
    "person": ("人员", "person"),
    "place": ("场所", "place"),
    "location": ("场所", "place"),
    "vehicle": ("车辆", "vehicle"),
    "interior": ("箱内", "inside"),
    "close": ("密接", "close contact"),
    "secondary": ("次密接", "contact of a contact"),
    "general": ("一般", "general"),
    "high": ("高危暴露", "high exposure"),
    "exposed-place": ("涉疫场所", "exposed place"),
    "more": ("另有 {count} 行见表格", "{count} more rows in the table"),
    "none": ("没有可画的记录", "Nothing to draw"),
    "utc": ("时间为 UTC", "times are UTC"),
    "not infected": ("暴露不等于感染", "exposed is not infected"),
}

MARKS: Final[Mapping[str, str]] = {
    "item": "■",
    "person": "●",
    "place": "◆",
    "location": "◆",
    "vehicle": "▶",
    "interior": "▣",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time in a lane; a possible one is hatched and outlined, a certain one is filled."""

    start: Micros
    end: Micros
    certain: bool
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of a picture."""

    mark: str
    label: str
    note: str
    bars: tuple[Bar, ...]


def word(name: str, lang: Lang) -> str:
    """Return a word of the pictures; one that they do not know stays as it is."""
    pair = WORDS.get(name)
    return name if pair is None else pair[0 if lang == "zh" else 1]


def route(
    answer: TraceResult,
    subject: Party | None = None,
    *,
    lang: Lang = "zh",
    width: int = 1440,
    names: Mapping[str, str] | None = None,
) -> str:
    """Return where the seed (or another item or person) was, place by place over time.

    `names` maps identifiers to what people call them; without a name the identifier's end is shown.
    """
    if subject is None:
        subject = next((seed.subject for seed in answer.seeds if isinstance(seed.subject, Party)), None)
    stays = [
        stay
        for stay in answer.facts.stays
        if stay.who == subject and stay.where.kind != "handoff" and stay.fact != "open"
    ]
    lanes: dict[tuple[str, str], list[Bar]] = {}
    for stay in sorted(stays, key=lambda one: (one.start, one.end)):
        bar = Bar(
            stay.start, stay.end, stay.certain, f"{span_text(stay.start, stay.end)} {word(_sure(stay.certain), lang)}"
        )
        lanes.setdefault((stay.where.kind, stay.where.id), []).append(bar)
    rows = [Lane(MARKS[kind], _name(uri, names), word(kind, lang), tuple(bars)) for (kind, uri), bars in lanes.items()]
    title = word("route", lang) + (f" · {_name(subject.id, names)}" if subject is not None else "")
    return draw(title, rows, lang=lang, width=width)


def timeline(
    answer: TraceResult, *, lang: Lang = "zh", width: int = 1440, names: Mapping[str, str] | None = None
) -> str:
    """Return a lane for each member: from when it is exposed, certainly and possibly; a place, as long as it exposes."""
    chosen = sorted(answer.members, key=lambda one: (one.hops, one.time, one.kind, one.id))
    rows = [Lane(MARKS[one.kind], _who(one, names), _tier(one, lang), tuple(_bars(one, lang))) for one in chosen]
    return draw(f"{word('timeline', lang)} · {word('not infected', lang)}", rows, lang=lang, width=width)


def _who(member: Member, names: Mapping[str, str] | None) -> str:
    """Return a member's name; of a lot's portion, the lot and what holds the portion."""
    if not member.lot:
        return _name(member.id, names)
    return f"{_name(member.lot, names)} @ {_name(member.portion, names)}"


def _tier(member: Member, lang: Lang) -> str:
    """Return the tier and the generation."""
    tier = member.tier_zh if lang == "zh" else word(member.tier, lang)
    return f"{tier} · {member.hops}" if tier else str(member.hops)


def _bars(member: Member, lang: Lang) -> Iterable[Bar]:
    """Yield when a member is exposed: the possible time before the certain one, then from it on."""
    sure = member.evidence == "certain"
    if sure and member.possible_time < member.time:
        told = f"{span_text(member.possible_time, member.time)} {word('possible', lang)}"
        yield Bar(member.possible_time, member.time, False, told)
    for start, end in member.intervals or ((member.time, OPEN_END),):
        yield Bar(start, end, sure, f"{span_text(start, end)} {word(member.evidence, lang)}")


def draw(title: str, lanes: Sequence[Lane], *, lang: Lang, width: int) -> str:
    """Return lanes over a common axis as SVG."""
    left_out = max(0, len(lanes) - MAX_LANES)
    lanes = lanes[:MAX_LANES]
    narrow = width < NARROW
    row = LANE * 2 if narrow else LANE
    left = MARGIN if narrow else COLUMN
    room = width - left - MARGIN
    height = HEAD + row * max(1, len(lanes)) + (2 * LANE if left_out else LANE)
    first = min((bar.start for lane in lanes for bar in lane.bars), default=0)
    last = max((_finite(bar.start, bar.end) for lane in lanes for bar in lane.bars), default=first + 1)
    # An open stay is drawn a little beyond the last thing that is known.
    last += max((last - first) // 20, 1)

    def across(time: Micros) -> str:
        # Tenths of a pixel in integers: no float is ever made of a time.
        tenths = left * 10 + (min(time, last) - first) * room * 10 // (last - first)
        return f"{tenths // 10}.{tenths % 10}"

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="{escape(title)}" lang="{"zh-Hans" if lang == "zh" else "en"}" font-family="{FONT}">'
        ),
        (
            '<defs><pattern id="possible" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<rect width="6" height="6" fill="#fff7e6"/><rect width="2" height="6" fill="#b45309"/></pattern></defs>'
        ),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        (
            f'<text x="{MARGIN}" y="24" font-size="16" font-weight="600" fill="#111827">'
            f"{escape(_short(title, width // 9 if narrow else 90))}</text>"
        ),
        *_legend(lang, width, narrow),
    ]
    if not lanes:
        parts.append(f'<text x="{MARGIN}" y="{HEAD + 20}" font-size="14">{escape(word("none", lang))}</text>')
    ticks = 2 if narrow else 6
    for number in range(ticks + 1 if lanes else 0):
        at = first + (last - first) * number // ticks
        x = across(at)
        anchor = "start" if number == 0 else "end" if number == ticks else "middle"
        parts.append(f'<line x1="{x}" y1="{HEAD - 4}" x2="{x}" y2="{height - LANE}" stroke="#e5e7eb"/>')
        parts.append(
            f'<text x="{x}" y="{HEAD - 8}" font-size="11" fill="#374151" text-anchor="{anchor}">{_minute(at)}</text>'
        )
    for number, lane in enumerate(lanes):
        parts += _lane(lane, HEAD + number * row, narrow, width, across)
    if left_out:
        parts.append(
            f'<text x="{MARGIN}" y="{height - LANE}" font-size="12">'
            f"{escape(word('more', lang).format(count=left_out))}</text>"
        )
    parts.append(
        f'<text x="{width - MARGIN}" y="{height - 8}" font-size="11" fill="#374151" text-anchor="end">'
        f"{escape(word('utc', lang))}</text>"
    )
    return "\n".join([*parts, "</svg>", ""])


def _lane(lane: Lane, top: int, narrow: bool, width: int, across: Callable[[Micros], str]) -> list[str]:
    """Return one lane: its label beside it, or above it where the picture is narrow."""
    label = f"{lane.mark} {lane.label}"
    words = f"{label}  {lane.note}" if lane.note else label
    fits = (width - 2 * MARGIN) // 8 if narrow else LETTERS
    parts = [
        (
            f'<g><title>{escape(words)}</title><text x="{MARGIN}" y="{top + 18}" font-size="12" fill="#111827">'
            f"{escape(_short(words, fits))}</text>"
        )
    ]
    middle = top + (LANE + 6 if narrow else 6)
    for bar in lane.bars:
        begin, finish = across(bar.start), across(_finite(bar.start, bar.end) if bar.end < OPEN_END else bar.end)
        wide = max(_tenths(finish) - _tenths(begin), 30)
        fill = (
            'fill="#b91c1c" stroke="#7f1d1d"'
            if bar.certain
            else 'fill="url(#possible)" stroke="#b45309" stroke-dasharray="3 2"'
        )
        parts.append(
            f'<rect x="{begin}" y="{middle}" width="{wide // 10}.{wide % 10}" height="16" rx="2" {fill}>'
            f"<title>{escape(bar.title)}</title></rect>"
        )
    return [*parts, "</g>"]


def _legend(lang: Lang, width: int, narrow: bool) -> list[str]:
    """Return what a filled and a hatched bar mean."""
    y, x = (32, MARGIN) if narrow else (12, width - 260)
    parts = []
    for number, (name, fill) in enumerate((("certain", "#b91c1c"), ("possible", "url(#possible)"))):
        at = x + 120 * number
        parts.append(f'<rect x="{at}" y="{y}" width="22" height="12" fill="{fill}" stroke="#7f1d1d"/>')
        parts.append(
            f'<text x="{at + 28}" y="{y + 11}" font-size="12" fill="#111827">{escape(word(name, lang))}</text>'
        )
    return parts


def span_text(start: Micros, end: Micros) -> str:
    """Return an interval as people read it; an instant is one time, an open end is left open.

    >>> span_text(0, 1), span_text(0, 3_600_000_000), span_text(0, OPEN_END)
    ('1970-01-01 00:00', '1970-01-01 00:00–1970-01-01 01:00', '1970-01-01 00:00–')
    """
    if end - start <= 1:
        return _minute(start)
    return f"{_minute(start)}–{_minute(end) if end < OPEN_END else ''}"


def _minute(time: Micros) -> str:
    return iso(time)[:16].replace("T", " ")


def _finite(start: Micros, end: Micros) -> Micros:
    return end if end < OPEN_END else start


def _sure(certain: bool) -> str:
    return "certain" if certain else "possible"


def _tenths(text: str) -> int:
    whole, _, tenth = text.partition(".")
    return int(whole) * 10 + int(tenth)


def _name(uri: str, names: Mapping[str, str] | None) -> str:
    if names and uri in names:
        return names[uri]
    return uri.removeprefix("https://id.gs1.org/")


def _short(text: str, columns: int) -> str:
    """Return a text that fits, its middle left out; a Chinese character takes two columns.

    >>> _short("abcdefghij", 6), _short("冷库冷库冷库", 8)
    ('abc…ij', '冷库…库')
    """
    if sum(_columns(letter) for letter in text) <= columns:
        return text
    head, tail, left = 0, len(text), columns - 1
    while head < tail:
        front = head <= len(text) - tail
        cost = _columns(text[head] if front else text[tail - 1])
        if cost > left:
            break
        left -= cost
        head, tail = (head + 1, tail) if front else (head, tail - 1)
    return f"{text[:head]}…{text[tail:]}"


def _columns(letter: str) -> int:
    return 2 if ord(letter) >= WIDE else 1
