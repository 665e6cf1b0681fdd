"""What is written into sheets: text stays text, whatever it begins with.

OWASP, CSV injection: a cell that begins with = + - @ runs as a formula in whoever's program opens it.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any, Final

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font, PatternFill

from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sheets.faults import SheetTooLarge

LAST_ROW: Final = 1_048_576
"""ECMA-376: no sheet has more."""

RUNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

TEXT: Final = "@"
WRONG: Final = PatternFill("solid", fgColor="FFC7CE")
BOLD: Final = Font(bold=True)


def cell(sheet: Any, value: Cell, *, wrong: bool = False, bold: bool = False) -> Any:
    """Return a cell of a workbook; text is text, a date looks like one."""
    if value is None and not wrong:
        return None
    made = WriteOnlyCell(sheet)
    if isinstance(value, str):
        made.value = ILLEGAL_CHARACTERS_RE.sub("", value)
        # After the value, which would have made it a formula.
        made.data_type = "s"
        made.number_format = TEXT
    else:
        made.value = value
        if isinstance(value, datetime):
            made.number_format = "yyyy-mm-dd hh:mm:ss"
        elif isinstance(value, date):
            made.number_format = "yyyy-mm-dd"
    if wrong:
        made.fill = WRONG
    if bold:
        made.font = BOLD
    return made


def csv_text(value: Cell) -> str:
    """Return a cell of a CSV file; an apostrophe keeps text from running, and reading drops it again.

    >>> csv_text("=1+1"), csv_text(-18.5), csv_text("-18.5")
    ("'=1+1", '-18.5', '-18.5')
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(RUNS) and not _is_number(text) else text


def csv_bytes(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a CSV file in UTF-8 with the mark by which Excel knows it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([csv_text(one) for one in row])
    return out.getvalue().encode("utf-8-sig", "replace")


def workbook_bytes(sheets: Iterable[tuple[str, Iterable[Sequence[Cell]]]]) -> bytes:
    """Return a workbook of titled sheets, each with its headings first; rows are written as they come."""
    book = openpyxl.Workbook(write_only=True)
    for title, rows in sheets:
        sheet = book.create_sheet(title[:31])
        sheet.freeze_panes = "A2"
        for number, row in enumerate(rows):
            if number == LAST_ROW:
                raise SheetTooLarge(f"more than {LAST_ROW} rows", zh=f"超过 {LAST_ROW} 行", place=title)
            sheet.append([cell(sheet, one, bold=number == 0) for one in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _is_number(text: str) -> bool:
    return text.isascii() and text[:1] in "+-" and text[1:].replace(".", "", 1).isdigit()
