"""Labels as PDF: the same sheets in exact millimetres, drawn with bars and two fonts that every reader has.

ISO 32000-1 §7.5 (file structure), §8.4-8.5 (graphics), §9.6-9.7 (fonts); docs/answers.md (Labels). No font is embedded:
digits and Latin letters are Helvetica, other characters the reader's own Song face.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from sudonglian.trace.answers import labels as sheets
from sudonglian.trace.answers.labels import Format, Label, Laid

POINTS: Final = 72 / 25.4
"""Of a millimetre."""

LATIN: Final = "F1"
SONG: Final = "F2"

FIRST_FONT: Final = 3
"""The number of the first object that is not the catalogue or the tree of pages."""

FONTS: Final = (
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UTF16-H/DescendantFonts[5 0 R]>>",
    (
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 6 0 R/DW 1000"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>>>"
    ),
    (
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]/ItalicAngle 0"
        b"/Ascent 880/Descent -120/CapHeight 880/StemV 93>>"
    ),
)
"""Objects 3 to 6: the two fonts, and what the second is made of."""

NARROW: Final = {
    **dict.fromkeys("iljI,.:;'!|/()[]- ftr", 0.30),
    **dict.fromkeys("mMW%@", 0.86),
}
"""Widths of Helvetica that are far from a digit's, in parts of its size; near enough to set a line in the middle."""

DIGIT: Final = 0.556


def pdf(made: Sequence[Label], format_name: str) -> bytes:
    """Return a document with a page for each sheet of labels.

    Raises
    ------
    LabelRefused
        No label, too many, an unknown format, or a code too fine for it.
    """
    form = sheets.format_of(made, format_name)
    drawn = {one: "".join(_drawn(sheets.laid(one, form), form)) for one in dict.fromkeys(made)}
    streams = [
        "".join(_page([drawn[one] for one in made[start : start + form.count]], form)).encode("ascii")
        for start in range(0, len(made), form.count)
    ]
    return _file(streams, form)


def _page(drawn: Sequence[str], form: Format) -> Iterator[str]:
    """Yield the sheet in millimetres from its upper left corner, down; what stands on a label is turned up by itself."""
    yield f"{POINTS:.6f} 0 0 {-POINTS:.6f} 0 {form.page[1] * POINTS:.4f} cm\n"
    for number, one in enumerate(drawn):
        x, y = sheets.corner(form, number)
        yield f"q 1 0 0 1 {x:.4f} {y:.4f} cm\n{one}Q\n"


def _drawn(one: Laid, form: Format) -> Iterator[str]:
    for x, y, length in sheets.runs(one.matrix):
        yield f"{one.left + x * one.module:.4f} {sheets.PAD_MM + y * one.module:.4f} {length * one.module:.4f} {one.module:.4f} re\n"
    yield "f\n"
    for base, line in one.lines:
        start = form.label[0] / 2 - sum(map(_width, line)) * one.size / 2
        yield f"BT 1 0 0 -1 {start:.4f} {base:.4f} Tm\n"
        for font, text in _faces(line):
            coded = text.encode("cp1252" if font == LATIN else "utf-16-be").hex()
            yield f"/{font} {one.size:.4f} Tf <{coded}> Tj\n"
        yield "ET\n"


def _faces(line: str) -> Iterator[tuple[str, str]]:
    """Yield a line in pieces of one font."""
    start = 0
    for at in range(1, len(line) + 1):
        if at == len(line) or _face(line[at]) != _face(line[start]):
            yield _face(line[start]), line[start:at]
            start = at


def _face(character: str) -> str:
    return LATIN if character.isascii() else SONG


def _width(character: str) -> float:
    return NARROW.get(character, DIGIT) if character.isascii() else 1.0


def _file(streams: Sequence[bytes], form: Format) -> bytes:
    width, height = (side * POINTS for side in form.page)
    first = FIRST_FONT + len(FONTS)
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(streams)))
    fonts = f"/{LATIN} {FIRST_FONT} 0 R/{SONG} {FIRST_FONT + 1} 0 R"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/ViewerPreferences<</PrintScaling/None>>>>",
        f"<</Type/Pages/Count {len(streams)}/Kids[{kids}]/MediaBox[0 0 {width:.4f} {height:.4f}]"
        f"/Resources<</Font<<{fonts}>>>>>>".encode(),
        *FONTS,
    ]
    for number, stream in enumerate(streams):
        objects.append(f"<</Type/Page/Parent 2 0 R/Contents {first + 2 * number + 1} 0 R>>".encode())
        objects.append(f"<</Length {len(stream)}>>\nstream\n".encode() + stream + b"\nendstream")
    whole = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, one in enumerate(objects, 1):
        places.append(len(whole))
        whole += f"{number} 0 obj\n".encode() + one + b"\nendobj\n"
    start = len(whole)
    whole += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    whole += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    whole += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(whole)
