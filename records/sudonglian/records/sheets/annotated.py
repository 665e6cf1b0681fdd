"""An annotated copy: the rows as they were sent, what is wrong beside each, to be corrected and sent as it is.

docs/sheets.md (errors beside the rows).
"""

import io
from collections.abc import Iterator, Sequence

import openpyxl

from sudonglian.records.sheets import columns, written
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sheets.faults import Fault
from sudonglian.records.sheets.rows import Row
from sudonglian.records.sheets.table import Table
from sudonglian.records.sheets.taking import Told


def annotated(told: Told, form: str, lang: str) -> bytes:
    """Return the copy as `xlsx` or `csv`; the sheet must have been prepared with its rows kept.

    A CSV holds the handoffs alone: it has no second sheet for people.
    """
    tables = [one for one in (told.prepared.book.handoffs, told.prepared.book.people) if one is not None]
    if form == "csv":
        return written.csv_bytes(row for row, _ in _rows(told, tables[0], lang))
    book = openpyxl.Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.sheet[:31])
        sheet.freeze_panes = "A2"
        for place, (row, wrong) in enumerate(_rows(told, table, lang)):
            sheet.append(
                [written.cell(sheet, one, wrong=at in wrong, bold=place == 0) for at, one in enumerate(row)]
            )  # fmt: skip
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _rows(told: Told, table: Table, lang: str) -> Iterator[tuple[list[Cell], set[int]]]:
    """Yield the rows of a copy, each with the places of its wrong cells."""
    taken = [at for at, one in enumerate(table.headings) if not (isinstance(one, str) and columns.is_errors(one))]
    by_row: dict[int, list[Fault]] = {}
    for fault in told.faults:
        if fault.sheet == table.sheet:
            by_row.setdefault(fault.row, []).append(fault)
    yield [columns.ERRORS[lang], *_picked(table.headings, taken)], set()
    places = {heading: at for at, heading in table.columns.values()}
    for number, row in told.prepared.kept.get(table.sheet, ()):
        found = by_row.get(number, [])
        wrong = {1 + taken.index(places[one.column]) for one in found if one.column in places}
        yield [_said(found, lang), *_picked(row, taken)], wrong | ({0} if found else set())


def _picked(row: Row, places: Sequence[int]) -> list[Cell]:
    return [row[at] if at < len(row) else None for at in places]


def _said(faults: Sequence[Fault], lang: str) -> Cell:
    return (
        "\n".join(f"{one.column}: {one.message[lang]}" if one.column else one.message[lang] for one in faults) or None
    )
