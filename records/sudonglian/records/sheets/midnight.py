"""Cells that hold midnight: a workbook keeps the day's number alone, and the cell's format tells whether a time is meant.

ECMA-376 part 1 §18.3.1.4 (cells), §18.8.30 (number formats). Looked at only if a column of times holds such a cell.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

BUILT_IN: Final = frozenset({18, 19, 20, 21, 22, 45, 46, 47, 32, 33, 34, 35, 55, 56})
"""Numbers of formats that no file describes and that show a time; those from 32 on in Chinese editions."""

_UNSHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_CELL = re.compile(r"([A-Za-z]+)(\d+)")

CHUNK: Final = 1 << 20

Place = tuple[int, int]
"""Row and column, from 0."""


def shows_time(code: str) -> bool:
    """Return whether a number format shows a time.

    >>> shows_time("yyyy/m/d h:mm"), shows_time("yyyy-mm-dd"), shows_time('m"月"d"日"'), shows_time("[$-409]d-mmm-yy")
    (True, False, False, False)
    """
    return re.search(r"[hs]", _UNSHOWN.sub("", code), re.IGNORECASE) is not None


def midnights(raw: bytes, sheet: str) -> frozenset[Place]:
    """Return the cells of a sheet that hold a whole day and whose format shows a time; none if that cannot be told."""
    with zipfile.ZipFile(io.BytesIO(raw)) as parcel:
        names = {name.lower(): name for name in parcel.namelist()}
        path = path_of(parcel, names, sheet)
        styles = names.get("xl/styles.xml")
        if path is None or styles is None:
            return frozenset()
        timed = _timed(_elements(parcel, styles))
        return frozenset(_places(_elements(parcel, path), timed)) if timed else frozenset()


def path_of(parcel: zipfile.ZipFile, names: dict[str, str], sheet: str) -> str | None:
    """Return the part that holds a sheet; `names` are the parts' names by their small letters."""
    relation = next(
        (
            next((value for key, value in found.items() if key.rpartition(":")[2] == "id"), "")
            for name, found, _ in _elements(parcel, names["xl/workbook.xml"])
            if name == "sheet" and found.get("name") == sheet
        ),
        None,
    )
    links = names.get("xl/_rels/workbook.xml.rels")
    if relation is None or links is None:
        return None
    for name, found, _ in _elements(parcel, links):
        if name == "Relationship" and found.get("Id") == relation:
            target = found.get("Target", "")
            whole = target[1:] if target.startswith("/") else f"xl/{target}"
            return names.get(whole.lower())
    return None


def _timed(elements: Iterator[tuple[str, dict[str, str], str]]) -> frozenset[str]:
    """Return the styles of cells that show a time, by the numbers that cells name them by."""
    formats: set[int] = set(BUILT_IN)
    found: set[str] = set()
    inside, count = False, 0
    for name, attributes, _ in elements:
        if name == "numFmt":
            number = int(attributes.get("numFmtId", "0"))
            (formats.add if shows_time(attributes.get("formatCode", "")) else formats.discard)(number)
        elif name in ("cellXfs", "cellStyles", "dxfs"):
            inside = name == "cellXfs"
        elif name == "xf" and inside:
            if int(attributes.get("numFmtId", "0")) in formats:
                found.add(str(count))
            count += 1
    return frozenset(found)


def _places(elements: Iterator[tuple[str, dict[str, str], str]], timed: frozenset[str]) -> Iterator[Place]:
    row = column = -1
    is_whole, at = False, (0, 0)
    for name, attributes, text in elements:
        if name == "row":
            row, column = int(attributes["r"]) - 1 if "r" in attributes else row + 1, -1
        elif name == "c":
            column += 1
            if place := _CELL.fullmatch(attributes.get("r", "")):
                row, column = int(place[2]) - 1, _column(place[1])
            at, is_whole = (row, column), attributes.get("s") in timed and attributes.get("t", "n") == "n"
        elif name == "v" and is_whole:
            if re.fullmatch(r"\d+(\.0*)?", text.strip()):
                yield at
            is_whole = False


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def _elements(parcel: zipfile.ZipFile, path: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield the elements of a part, each as it begins; a value when it ends, with its text."""
    found: list[tuple[str, dict[str, str], str]] = []
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        text.clear()
        if (local := name.rpartition(":")[2]) != "v":
            found.append((local, attributes, ""))

    def end(name: str) -> None:
        if name.rpartition(":")[2] == "v":
            found.append(("v", {}, "".join(text)))

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    with parcel.open(path) as stream:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk)
            yield from found
            found.clear()
        parser.Parse(b"", True)
    yield from found
