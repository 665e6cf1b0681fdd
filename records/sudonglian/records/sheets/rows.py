"""What a file of any kind is read into: sheets of rows with their numbers, and how they were read.

docs/sheets.md (limits).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sheets.faults import SheetTooLarge

MAX_ROWS: Final = 200_000
"""Twice what a city's port sends a day; ten minutes of a person's patience."""

MAX_COLUMNS: Final = 702
"""Of a CSV; a template has thirty."""

MAX_CELL: Final = 32_767
"""Characters, as Excel itself allows."""

LAST_ROW: Final = 1_048_576
"""Where Excel's sheets end."""

Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; its rows can be read once."""

    name: str
    rows: Iterator[Row]
    midnights: Callable[[], frozenset[tuple[int, int]]] = frozenset
    """Gives the cells, by row and column from 0, that hold a whole day and show a time: they are read as a day."""
    unseen: frozenset[int] = frozenset()
    """Rows, from 1, that the program which shows the sheet hides: by hand, or by a filter."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that has been opened: its sheets, and what its reader should know of how it was read."""

    form: str
    """`xlsx` or `csv`."""
    encoding: str
    sheets: tuple[Sheet, ...]
    hidden: tuple[str, ...] = ()
    """Sheets that nobody sees, which are not read."""


def filled(rows: Iterator[Row], place: str) -> Iterator[tuple[int, Row]]:
    """Yield the rows that hold something, with their numbers.

    Raises
    ------
    SheetTooLarge
        More rows, columns or characters in a cell than are read.
    """
    count = 0
    for number, row in enumerate(rows, 1):
        if number > LAST_ROW:
            raise SheetTooLarge(f"rows beyond {LAST_ROW}", zh=f"行号超过 {LAST_ROW}", place=place)
        if all(cell is None or cell == "" or (isinstance(cell, str) and not cell.strip()) for cell in row):
            continue
        count += 1
        if count > MAX_ROWS:
            raise SheetTooLarge(f"more than {MAX_ROWS} rows", zh=f"超过 {MAX_ROWS} 行,请分为几个文件", place=place)
        if len(row) > MAX_COLUMNS:
            raise SheetTooLarge(f"more than {MAX_COLUMNS} columns", zh=f"超过 {MAX_COLUMNS} 列", place=place)
        if any(isinstance(cell, str) and len(cell) > MAX_CELL for cell in row):
            raise SheetTooLarge(f"a cell of more than {MAX_CELL} characters in row {number}", zh=f"第 {number} 行有单元格超过 {MAX_CELL} 个字符", place=place)  # fmt: skip
        yield number, row
