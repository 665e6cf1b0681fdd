"""Labels: a QR code with a GS1 Digital Link and what it says in figures, in sheets of exact millimetres.

GS1 Digital Link URI 1.4 §4-5 (uncompressed); GS1 General Specifications §4.14 (human readable interpretation below the
symbol), §5 (quiet zone of four modules); ISO/IEC 18004 by segno. docs/answers.md (Labels).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar, Final

import segno

from sudonglian.chain.identifiers import check, digital_link, epc
from sudonglian.chain.identifiers.digital_link import DOMAIN, DigitalLink
from sudonglian.records.identifiers import label
from sudonglian.trace.errors import TraceError

QUIET: Final = 4
"""Modules around a symbol that stay white (ISO/IEC 18004 §5.3.8)."""

LEAST_MODULE_MM: Final = 0.25
"""Three dots of a 300 dpi printer; smaller modules are not read by telephones."""

PAD_MM: Final = 1.5
FONT_MM: Final = 2.4
LEAST_FONT_MM: Final = 1.6
CHARACTER: Final = 0.62
"""The width of a digit in a sans-serif face, in parts of its size, with room to spare."""
LINE: Final = 1.2

MAX_LABELS: Final = 10_000
"""Of one file: a roll has a thousand."""

MAX_URI: Final = 600
"""Characters of a link: beyond them a symbol is too fine for a label."""


class LabelRefused(TraceError):
    """Something that no label can be made of."""

    slug: ClassVar[str] = "label"


@dataclass(frozen=True, slots=True)
class Format:
    """A sheet in millimetres: its size, its labels in columns and rows, margins, and the way from one to the next."""

    page: tuple[float, float]
    grid: tuple[int, int]
    label: tuple[float, float]
    margin: tuple[float, float] = (0, 0)
    pitch: tuple[float, float] = (0, 0)

    @property
    def count(self) -> int:
        """Return how many labels a page has."""
        return self.grid[0] * self.grid[1]


FORMATS: Final = {
    "a4-8": Format((210, 297), (2, 4), (99.1, 67.7), (4.65, 13.1), (101.6, 67.7)),
    "a4-21": Format((210, 297), (3, 7), (63.5, 38.1), (7.25, 15.15), (66, 38.1)),
    "a4-24": Format((210, 297), (3, 8), (63.5, 33.9), (7.25, 12.9), (66, 33.9)),
    "a4-40": Format((210, 297), (4, 10), (48.5, 25.4), (8, 21.5), (48.5, 25.4)),
    "roll-60x40": Format((60, 40), (1, 1), (60, 40)),
    "roll-100x150": Format((100, 150), (1, 1), (100, 150)),
}
"""Common sheets of labels, and labels on a roll."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label: the link that its code holds, the text under it, what the thing is called."""

    uri: str
    text: str
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the members that commands print."""
        return {"uri": self.uri, "text": self.text, "name": self.name or None}


def label_of(name: str, resolver: str = DOMAIN, called: str = "") -> Label:
    """Return the label of a GS1 key in any form.

    >>> label_of("urn:epc:id:sgtin:0614141.107346.A%2FB", "https://q.example").uri
    'https://q.example/01/10614141073464/21/A%2FB'

    Raises
    ------
    LabelRefused
        No GS1 key, a wrong check digit, or too long.
    """
    link = epc.parse(name) or digital_link.parse(name)
    if link is None:
        raise LabelRefused(f"{name[:80]!r} is no GS1 key: a label's code is a GS1 Digital Link", place=name[:80])
    if (fault := check(str(link))) is not None:
        raise LabelRefused(f"{name[:80]!r}: {fault.en}", place=name[:80])
    uri = resolver + str(link).removeprefix(DOMAIN)
    if len(uri) > MAX_URI:
        raise LabelRefused(f"the link has more than {MAX_URI} characters", place=name[:80])
    return Label(uri, label.text_of(str(link)), "".join(one for one in called if one.isprintable()))


def numbered(name: str, lot: str, serial: str, count: int) -> list[str]:
    """Return what to label: a thing, a lot of a GTIN, or items of it with serial numbers that follow each other.

    >>> numbered("https://id.gs1.org/01/09520001002014", "A", "009", 2)[1]
    'https://id.gs1.org/01/09520001002014/10/A/21/010'
    """
    link = epc.parse(name) or digital_link.parse(name)
    if not (lot or serial):
        return [name] * count
    if link is None or link.ai != "01":
        raise LabelRefused("a lot or a serial number goes with a GTIN alone", place=name[:80])
    if serial and not (serial.isascii() and serial.isdigit()):
        raise LabelRefused("the first serial number must be digits", place=serial[:80])
    made = []
    for number in range(count):
        found = dict(link.qualifiers)
        if lot:
            found["10"] = lot
        if serial:
            found["21"] = str(int(serial) + number).zfill(len(serial))
        qualified = DigitalLink(
            "01", link.value, tuple((ai, found[ai]) for ai in ("22", "10", "21", "235") if ai in found)
        )
        if digital_link.parse(str(qualified)) != qualified:
            raise LabelRefused("a lot or serial number has at most 20 characters of GS1's set", place=lot[:80])
        made.append(str(qualified))
    return made


@dataclass(frozen=True, slots=True)
class Laid:
    """One label in millimetres from its upper left corner: its code, and the lines of type under it."""

    matrix: Sequence[bytearray]
    module: float
    left: float
    size: float
    lines: tuple[tuple[float, str], ...]
    """The baseline of each line, and the line."""


def pages(labels: Sequence[Label], format_name: str) -> list[str]:
    """Return the sheets, each an SVG of exact size.

    Raises
    ------
    LabelRefused
        No label, too many, an unknown format, or a code too fine for it.
    """
    form = format_of(labels, format_name)
    drawn = {one: "".join(_drawn(laid(one, form), form)) for one in dict.fromkeys(labels)}
    return [
        "".join(_page([drawn[one] for one in labels[start : start + form.count]], form))
        for start in range(0, len(labels), form.count)
    ]


def format_of(labels: Sequence[Label], format_name: str) -> Format:
    """Return the format of this name, if it can hold this many labels."""
    if format_name not in FORMATS:
        raise LabelRefused(f"no such format; there are: {', '.join(FORMATS)}", place=format_name[:40])
    if not 0 < len(labels) <= MAX_LABELS:
        raise LabelRefused(f"between 1 and {MAX_LABELS} labels are made at once", place="count")
    return FORMATS[format_name]


def corner(form: Format, number: int) -> tuple[float, float]:
    """Return where a label of a page begins, from the page's upper left corner."""
    row, column = divmod(number, form.grid[0])
    return form.margin[0] + column * form.pitch[0], form.margin[1] + row * form.pitch[1]


def html(sheets: Sequence[str], format_name: str, lang: str) -> bytes:
    """Return a document that prints the sheets in their exact size: no margins, a page each."""
    width, height = FORMATS[format_name].page
    title = "标签" if lang == "zh" else "Labels"
    style = (
        f"@page{{size:{width}mm {height}mm;margin:0}}html,body{{margin:0;padding:0;background:#fff}}"
        f"svg{{display:block;width:{width}mm;height:{height}mm;break-after:page}}svg:last-of-type{{break-after:auto}}"
        "@media screen{body{background:#888}svg{background:#fff;margin:4mm auto}}"
    )
    language = "zh-CN" if lang == "zh" else "en"
    head = f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title><style>{style}</style></head>'
    return f"{head}<body>{''.join(sheets)}</body></html>\n".encode()


def _page(drawn: Sequence[str], form: Format) -> Iterator[str]:
    width, height = form.page
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">'
    for number, one in enumerate(drawn):
        x, y = corner(form, number)
        yield f'<g transform="translate({x:g} {y:g})">{one}</g>'
    yield "</svg>"


def laid(one: Label, form: Format) -> Laid:
    """Return where everything of a label stands.

    Raises
    ------
    LabelRefused
        The code would be too fine for this format, or its text too long.
    """
    width, height = form.label
    room = width - 2 * PAD_MM
    size, lines = _lines(one.text, room)
    if one.name:
        lines = [_cut(one.name, room / size), *lines]
    under = len(lines) * size * LINE
    side = min(room, height - 2 * PAD_MM - under)
    code = segno.make(one.uri, error="m", micro=False)
    modules = len(code.matrix) + 2 * QUIET
    module = side / modules
    if module < LEAST_MODULE_MM:
        raise LabelRefused("the code is too fine for this format; choose a larger one", place=one.text[:80])
    baselines = (PAD_MM + side + (number + 0.85) * size * LINE for number in range(len(lines)))
    return Laid(tuple(code.matrix), module, (width - side) / 2, size, tuple(zip(baselines, lines, strict=True)))


def _drawn(one: Laid, form: Format) -> Iterator[str]:
    transform = f"translate({one.left:g} {PAD_MM:g}) scale({one.module:.6g})"
    bars = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs(one.matrix))
    yield f'<path transform="{transform}" shape-rendering="crispEdges" d="{bars}"/>'
    yield f'<g font-family="Arial,Helvetica,Noto Sans CJK SC,Microsoft YaHei,sans-serif" font-size="{one.size:g}" text-anchor="middle">'
    for y, line in one.lines:
        yield f'<text x="{form.label[0] / 2:g}" y="{y:.4g}">{escape(line)}</text>'
    yield "</g>"


def runs(matrix: Sequence[bytearray]) -> Iterator[tuple[int, int, int]]:
    """Yield the dark modules of each row as bars: where they begin, quiet zone included, and how long they are."""
    for y, row in enumerate(matrix):
        start = None
        for x, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                yield start + QUIET, y + QUIET, x - start
                start = None


def _lines(text: str, room: float) -> tuple[float, list[str]]:
    """Return the size of type and the lines of an element string, broken between its elements alone."""
    elements = [f"({part}" for part in text.split("(") if part] if text.startswith("(") else [text]
    longest = max(len(one) for one in elements)
    size = min(FONT_MM, room / (longest * CHARACTER))
    if size < LEAST_FONT_MM:
        raise LabelRefused("the text is too long for this format; choose a larger one", place=text[:80])
    lines = [elements[0]]
    for one in elements[1:]:
        if len(lines[-1] + one) * CHARACTER * size <= room:
            lines[-1] += one
        else:
            lines.append(one)
    return size, lines


def _cut(name: str, room: float) -> str:
    """Return as much of a name as fits; a Chinese character is twice as wide as a digit."""
    used = 0.0
    for at, character in enumerate(name):
        used += 1.0 if ord(character) > 0x2E80 else CHARACTER
        if used > room:
            return name[: max(at - 1, 0)] + "…"
    return name
