"""The line list as a workbook, made in memory: no temporary file ever holds who somebody is.

ECMA-376; OWASP, CSV injection (text stays text, whatever it begins with); docs/decisions/0841.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import xlsxwriter
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from sudonglian.records.reveals import Identity
from sudonglian.trace.casework.exports.contents import COLUMNS, Contents, Row, RunDocument
from sudonglian.trace.casework.exports.stamp import ExportRefused, Lang, Made, stamp, watermark
from sudonglian.trace.casework.exports.words import word

FORM: Final = "line-list"

HEAD: Final = ("member", "kind")
WIDE: Final = {
    "reason": 60,
    "walk": 80,
    "member": 30,
    "place": 40,
    "value": 80,
    "called": 40,
    "key": 34,
    "identity": 40,
}
WIDTH: Final = 16

MAX_ROWS: Final = 1_048_576 - 2
"""A sheet has no more rows, of which the headings and the watermark take two."""

MAX_CELL: Final = 32_000
"""Characters that a cell may hold; a longer list of hashes is cut, the trace's document has them all."""

Told = Callable[[RunDocument, Row], tuple[str, str]]
"""Gives why a member is listed in one sentence, and its walk in sentences."""

Identities = Mapping[int, Sequence[Identity]]


def columns(*, identities: bool) -> tuple[str, ...]:
    """Return the columns of the first sheet."""
    return (*HEAD, *(("identity",) if identities else ()), *COLUMNS[len(HEAD) :], "reason", "walk")


def lines(contents: Contents, lang: Lang, tell: Told, identities: Identities | None = None) -> Iterator[list[Any]]:
    """Yield the rows of the first sheet, as `columns` names their cells."""
    runs = {run.trace: run for run in contents.runs}
    for row in contents.rows:
        run = runs.get(int(row.cells["run"]))
        reason, walk = tell(run, row) if run is not None and row.steps else ("", "")
        cells = {**row.cells, "kind": word(lang, f"kind-{row.cells['kind']}"), "reason": reason, "walk": walk}
        if identities is not None:
            cells["identity"] = "; ".join(_identity(one) for one in identities.get(row.person or 0, ()))
        yield [_cut(cells[name]) for name in columns(identities=identities is not None)]


def encode(contents: Contents, made: Made, tell: Told, identities: Identities | None = None) -> bytes:
    """Return the workbook: the members, what the file says of itself, and what firms call places and goods.

    Raises
    ------
    ExportRefused
        It has more members than a sheet has rows.
    """
    if len(contents.rows) > MAX_ROWS:
        raise ExportRefused(f"more than {MAX_ROWS} members do not fit into a sheet", place="case")
    lang, out = made.lang, io.BytesIO()
    marked = None if made.reveal is None else watermark(contents, made.reveal, lang)
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"title": contents.case.name, "comments": marked or "", "author": made.by})
    writer = _Writer(book, marked)
    names = columns(identities=identities is not None)
    writer.sheet(word(lang, "members"), names, lang, lines(contents, lang, tell, identities))
    notes = ("note-exposed", "note-pseudonyms", "note-check") if made.reveal is None else ("note-exposed", "note-check")
    about = [*stamp(contents, made, FORM), *((one, word(lang, one)) for one in notes)]
    writer.sheet(word(lang, "about"), ("key", "value"), lang, ([_cut(key), _cut(value)] for key, value in about))
    writer.sheet(
        word(lang, "names"), ("identifier", "called"), lang, ([*one] for one in sorted(contents.names.items()))
    )
    book.close()
    return out.getvalue()


class _Writer:
    """Writes sheets of text and whole numbers, each with the watermark above its headings and on every printed page."""

    def __init__(self, book: Any, marked: str | None) -> None:
        self._book, self._marked = book, marked
        self._bold, self._text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        self._red = book.add_format({"bold": True, "font_color": "#C00000"})

    def sheet(self, title: str, names: Sequence[str], lang: Lang, rows: Iterator[list[Any]]) -> None:
        """Write a sheet."""
        sheet = self._book.add_worksheet(title)
        top = 0
        if self._marked is not None:
            sheet.write_string(0, 0, self._marked, self._red)
            # & begins a command in a footer, which holds 255 characters.
            sheet.set_footer(f"&C{self._marked.replace('&', '&&')[:200]}")
            top = 1
        for column, name in enumerate(names):
            sheet.write_string(top, column, word(lang, name), self._bold)
            sheet.set_column(column, column, WIDE.get(name, WIDTH))
        sheet.freeze_panes(top + 1, 1)
        for number, row in enumerate(rows, top + 1):
            for column, value in enumerate(row):
                if isinstance(value, int):
                    sheet.write_number(number, column, value)
                elif value:
                    sheet.write_string(number, column, value, self._text)


def _cut(value: Any) -> Any:
    return value if isinstance(value, int) else ILLEGAL_CHARACTERS_RE.sub("", str(value))[:MAX_CELL]


def _identity(one: Identity) -> str:
    return " ".join(part for part in (one.name, one.kind, one.value) if part)
