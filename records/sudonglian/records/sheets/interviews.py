"""A sheet of statements: a row is what one person said of one stay, meeting or handling; every mistake has its row.

docs/cases.md (interviews; what a cell may hold is docs/sheets.md's); identities go to the vault, and into no message.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from sudonglian.records.epcis.interview import BY, CERTAINTIES, CONTACTS
from sudonglian.records.interviews import Statement, StatementRefused, Who, reference_of
from sudonglian.records.sheets import cells, goods
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sheets.columns import plain
from sudonglian.records.sheets.faults import CellRefused, Fault, SheetHeader, SheetRefused
from sudonglian.records.sheets.rows import Row, Sheet, filled
from sudonglian.records.sheets.table import opened

T = TypeVar("T")

Parted: TypeAlias = Callable[[Sequence[str]], tuple[tuple[str, ...], tuple[str, ...]]]
"""Gives items and lots of some identifiers."""

COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "person": ("人员", "person"),
    "with": ("同行人员", "with"),
    "place": ("地点", "place"),
    "goods": ("货物", "goods"),
    "contact": ("接触方式", "contact"),
    "begin": ("开始", "begin"),
    "begin_to": ("最晚开始", "begin at the latest"),
    "end": ("结束", "end"),
    "end_to": ("最晚结束", "end at the latest"),
    "told": ("访谈时间", "told"),
    "by": ("陈述人", "said by"),
    "certainty": ("依据", "certainty"),
}
"""The headings, in Chinese and in English."""

NEEDED: Final = ("person", "begin", "told")

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "by": {"本人": "self", "家属": "household", "同事": "colleague", "其他": "other"},
    "certainty": {"回忆": "remembered", "凭证": "documented"},
    "contact": {"外包装": "outer-packaging", "开箱": "opened"},
}
KNOWN: Final = {"by": BY, "certainty": CERTAINTIES, "contact": CONTACTS}

_SEVERAL = re.compile(r"[;;、\n]+")


class Reading(NamedTuple):
    """What the rows say, by row number, and what is wrong with them."""

    statements: list[tuple[int, Statement]]
    faults: list[Fault]


class _Wrong(Exception):
    """What is wrong with one cell."""

    def __init__(self, key: str, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.key, self.code, self.message = key, code, {"zh": zh, "en": en}


def read_statements(raw: bytes, now: datetime, parted: Parted) -> Reading:
    """Return the statements of a file (XLSX or CSV); every row's faults are found.

    `parted` tells items and lots among identifiers of goods, and raises a StatementRefused for what is neither.

    Raises
    ------
    SheetRefused
        The file is no sheet with these headings.
    """
    sheet = opened(raw).sheets[0]
    reading = Reading([], [])
    heads: dict[str, tuple[int, str]] = {}
    for number, row in filled(sheet.rows, sheet.name):
        if not heads:
            heads = _heads(sheet, row)
            continue
        try:
            one = _statement({key: row[at] if at < len(row) else None for key, (at, _) in heads.items()}, parted)
            one.check(now)
        except StatementRefused as error:
            key = {"persons": "person", "items": "goods"}.get(error.place, error.place)
            reading.faults.append(_fault(sheet, heads, number, _Wrong(key, error.slug, error.zh, error.reason)))
        except _Wrong as wrong:
            reading.faults.append(_fault(sheet, heads, number, wrong))
        else:
            reading.statements.append((number, one))
    if not heads:
        raise SheetRefused("no row names the columns", zh="没有表头")
    return reading


def template(lang: str) -> bytes:
    """Return an empty sheet as CSV: headings alone, for a spreadsheet."""
    names = [names[0] if lang == "zh" else names[1] for names in COLUMNS.values()]
    return b"\xef\xbb\xbf" + (",".join(names) + "\r\n").encode()


def _heads(sheet: Sheet, row: Row) -> dict[str, tuple[int, str]]:
    known = {plain(name): key for key, names in COLUMNS.items() for name in (*names, key)}
    found: dict[str, tuple[int, str]] = {}
    for at, cell in enumerate(row):
        text = cells.clean(cell) if isinstance(cell, str) else ""
        if not text:
            continue
        key = known.get(plain(text))
        if key is None or key in found:
            raise SheetHeader(f"the heading {text[:60]!r} is unknown, or there twice", zh=f"表头“{text[:60]}”不认识或重复", place=sheet.name)  # fmt: skip
        found[key] = (at, text)
    if lacking := [COLUMNS[key] for key in NEEDED if key not in found]:
        zh, en = lacking[0]
        raise SheetHeader(f"there is no column {en!r}", zh=f"缺少“{zh}”列", place=sheet.name)
    return found


def _statement(row: Mapping[str, Cell], parted: Parted) -> Statement:
    def cell(key: str, read: Callable[[Cell], T], default: T) -> T:
        there = row.get(key)
        if there is None or (isinstance(there, str) and not there.strip()):
            return default
        try:
            return read(there)
        except CellRefused as error:
            raise _Wrong(key, error.code, error.message["zh"], error.message["en"]) from None

    def several(there: Cell) -> list[str]:
        return [one.strip() for one in _SEVERAL.split(cells.code(there)) if one.strip()]

    def word(key: str) -> Callable[[Cell], str]:
        return lambda there: WORDS[key].get(cells.words(there), cells.words(there))

    nobody: list[str] = []
    persons: list[Who] = [reference_of(one) for key in ("person", "with") for one in cell(key, several, nobody)]
    begin, told = cell("begin", _moment, None), cell("told", _moment, None)
    if begin is None or told is None:
        key = "begin" if begin is None else "told"
        raise _Wrong(key, "time-missing", "缺少时间", "there is no time")
    end = cell("end", _moment, None)
    latest = cell("end_to", _moment, None)
    items, lots = parted(cell("goods", several, nobody))
    return Statement(
        persons=tuple(persons),
        told=told,
        begin=(begin, cell("begin_to", _moment, None) or begin),
        end=None if end is None and latest is None else (end or begin, latest or end or begin),
        place=cell("place", lambda there: goods.place(cells.code(there)), ""),
        items=items,
        lots=lots,
        contact=cell("contact", word("contact"), ""),
        by=cell("by", word("by"), "self"),
        certainty=cell("certainty", word("certainty"), "remembered"),
    )


def _moment(there: Cell) -> datetime | None:
    return datetime.fromisoformat(cells.moment(there, cells.DEFAULT_ZONE)[0])


def _fault(sheet: Sheet, heads: Mapping[str, tuple[int, str]], row: int, wrong: _Wrong) -> Fault:
    # Never the cell's own text: it may be somebody's telephone.
    heading = heads[wrong.key][1] if wrong.key in heads else ""
    told: Any = wrong.message
    return Fault("error", sheet.name, row, heading, wrong.code, "", told)
