"""A sheet as a table: which row names the columns, and what each row says under them.

docs/sheets.md (headings).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from sudonglian.records.sheets import columns, csv_file, workbook
from sudonglian.records.sheets.cells import Cell, clean
from sudonglian.records.sheets.columns import Column
from sudonglian.records.sheets.faults import SheetHeader, SheetRefused, SheetTooLarge
from sudonglian.records.sheets.rows import Row, Sheet, Source, filled

HEADER_WITHIN: Final = 20
"""Rows above the headings: a title, a firm's name, a date."""

ENOUGH: Final = 3
"""Known headings that make a row the one of headings."""


TIMES: Final = ("time", "measured", "start", "end")
"""Columns of times."""


@dataclass(slots=True)
class Table:
    """One sheet with its headings; `rows` can be read once."""

    sheet: str
    columns: dict[str, tuple[int, str]]
    """Of each column's key: where it stands, and its heading as written."""
    headings: Row
    rows: Iterator[tuple[int, Row]]
    problem: str = ""
    unseen: frozenset[int] = frozenset()
    _unnamed: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def cell(self, row: Row, key: str) -> Cell:
        """Return what stands in a row under a column, or None."""
        place = self.columns.get(key)
        return row[place[0]] if place is not None and place[0] < len(row) else None

    def heading(self, key: str) -> str:
        """Return a column's heading as it is written there; of a column that is not there, the template's."""
        if key in self.columns:
            return self.columns[key][1]
        lang = "en" if self.columns["handoff"][1].isascii() else "zh"
        return next((one.heading(lang) for one in (*columns.HANDOFFS, *columns.PEOPLE) if one.key == key), "")

    def unnamed(self, width: int) -> tuple[int, ...]:
        """Return the places in a row of so many cells that no heading stands above."""
        if width not in self._unnamed:
            named = {at for at, heading in enumerate(self.headings) if clean(str(heading or ""))}
            self._unnamed[width] = tuple(at for at in range(width) if at not in named)
        return self._unnamed[width]


@dataclass(frozen=True, slots=True)
class Book:
    """A file that has been opened, with the tables that are read of it."""

    source: Source
    handoffs: Table
    people: Table | None
    passed_over: tuple[str, ...] = field(default=())
    """Sheets that are not read: notes, examples, hidden ones."""


def open_book(raw: bytes) -> Book:
    """Return the tables of an XLSX or CSV file.

    Raises
    ------
    SheetRefused
        Each reason has its own class and slug.
    """
    source = opened(raw)
    found: list[Table] = []
    people: Table | None = None
    passed_over = [*source.hidden]
    nothing: SheetHeader | None = None
    for sheet in source.sheets:
        name = sheet.name.strip().casefold()
        if name in columns.SHEETS["passed over"]:
            passed_over.append(sheet.name)
            continue
        is_people = name in columns.SHEETS["people"]
        try:
            table = _table(sheet, people=is_people)
        except SheetHeader as refusal:
            if refusal.place or is_people or name in columns.SHEETS["handoffs"]:
                raise
            nothing = nothing or refusal
            passed_over.append(sheet.name)
            continue
        if is_people:
            people = table
        else:
            found.append(table)
    if len(found) > 1:
        names = ", ".join(one.sheet for one in found)
        raise SheetHeader(
            f"several sheets look like handoffs: {names}", zh=f"有几个交接表:{names};请只留一个", place=names
        )
    if not found:
        wanted = [one for one in columns.HANDOFFS if one.required]
        raise nothing or SheetHeader(
            f"no sheet has the headings {columns.named(wanted, 'en')}",
            zh=f"没有一个表有这些表头:{columns.named(wanted, 'zh')}",
        )
    return Book(source, found[0], people, tuple(passed_over))


def opened(raw: bytes) -> Source:
    """Return the sheets of an XLSX or CSV file, whatever they are about.

    Raises
    ------
    SheetRefused
        It is none, or too large.
    """
    if len(raw) > workbook.MAX_FILE_BYTES:
        limit = workbook.MAX_FILE_BYTES
        raise SheetTooLarge(f"at most {limit} bytes are read", zh=f"最多读取 {limit} 字节,请分为几个文件")
    if not raw.strip():
        raise SheetRefused("the file is empty", zh="文件为空")
    return workbook.read(raw) if workbook.is_workbook(raw) else csv_file.read(raw)


def _table(sheet: Sheet, *, people: bool) -> Table:
    known = columns.known(people)
    rows = filled(sheet.rows, sheet.name)
    for number, row in rows:
        texts = [clean(cell) if isinstance(cell, str) else "" for cell in row]
        hits = sum(columns.plain(text) in known for text in texts if text)
        if hits >= min(ENOUGH, 2 if people else ENOUGH):
            places = _columns(sheet.name, number, row, known, people)
            times = [places[key][0] for key in TIMES if key in places]
            return Table(sheet.name, places, row, _with_midnights(rows, times, sheet.midnights), unseen=sheet.unseen)
        if number >= HEADER_WITHIN:
            break
    wanted = [one for one in (columns.PEOPLE if people else columns.HANDOFFS) if one.required]
    raise SheetHeader(
        f"no row names the columns; needed are {columns.named(wanted, 'en')}",
        zh=f"没有找到表头行;至少需要:{columns.named(wanted, 'zh')}",
        place=sheet.name if people else "",
    )


def _with_midnights(
    rows: Iterator[tuple[int, Row]], times: Sequence[int], midnights: Callable[[], frozenset[tuple[int, int]]]
) -> Iterator[tuple[int, Row]]:
    """Yield the rows with a time where a column of times holds a day that its cell shows with 00:00."""
    found: frozenset[tuple[int, int]] | None = None
    for number, row in rows:
        days = [at for at in times if at < len(row) and type(row[at]) is date]
        if days and found is None:
            found = midnights()
        here = [at for at in days if (number - 1, at) in (found or ())]
        yield number, tuple(_midnight(cell) if at in here else cell for at, cell in enumerate(row)) if here else row


def _midnight(cell: Cell) -> Cell:
    return datetime.combine(cell, time()) if isinstance(cell, date) else cell


def _columns(sheet: str, number: int, row: Row, known: dict[str, Column], people: bool) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for place, cell in enumerate(row):
        heading = clean(cell) if isinstance(cell, str) else "" if cell is None else str(cell)
        if not heading or columns.is_errors(heading):
            continue
        column = known.get(columns.plain(heading))
        if column is None:
            raise SheetHeader(
                f"the column {heading[:60]!r} is not known; rename it as in the template or delete it",
                zh=f"不认识列“{heading[:60]}”;请按模板改名或删除该列",
                place=f"{sheet}, row {number}",
            )
        if column.key in found:
            raise SheetHeader(
                f"two columns are the same: {found[column.key][1]!r} and {heading[:60]!r}",
                zh=f"两列重复:“{found[column.key][1]}”与“{heading[:60]}”",
                place=f"{sheet}, row {number}",
            )
        found[column.key] = (place, heading)
    needed = ("handoff",) if people else ("handoff", "step", "time", "place")
    missing = [one for one in known.values() if one.key in needed and one.key not in found]
    if missing:
        once = list({one.key: one for one in missing}.values())
        raise SheetHeader(
            f"columns are missing: {columns.named(once, 'en')}",
            zh=f"缺少列:{columns.named(once, 'zh')}",
            place=f"{sheet}, row {number}",
        )
    return found
