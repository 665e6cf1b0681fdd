"""Reading rows: each is a line of a handoff, each of its cells is looked at, and every mistake is noted with its place.

docs/sheets.md (what a cell may hold); docs/decisions/0230 (a row is a line of a handoff).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sudonglian.chain.canonical import Json
from sudonglian.records.sheets import cells, columns, goods, words
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sheets.columns import EXAMPLE
from sudonglian.records.sheets.doubts import doubts, hidden
from sudonglian.records.sheets.faults import CellRefused, Fault
from sudonglian.records.sheets.handoffs import DOCUMENTS, EMPTY_HANDED, Handoff
from sudonglian.records.sheets.lines import At, exact, line_of
from sudonglian.records.sheets.people import People
from sudonglian.records.sheets.rows import Row
from sudonglian.records.sheets.table import Book, Table

_CUSTOMS = re.compile(r"\d{18}")


@dataclass(slots=True)
class Reading:
    """What the rows of a file say, and what is wrong with them."""

    handoffs: list[Handoff]
    faults: list[Fault]
    rows: int
    examples: int
    sheet: str
    headings: dict[str, str]


def read_handoffs(book: Book, keep: Callable[[str, int, Row], None] | None = None) -> Reading:
    """Return the handoffs of a file; every row's faults are found, not the first alone.

    `keep` is given each row of each sheet, for a copy.
    """
    reader = _Reader(book.handoffs)
    for number, row in book.handoffs.rows:
        if keep is not None:
            keep(book.handoffs.sheet, number, row)
        reader.take(number, row)
    if book.people is not None:
        for number, row in book.people.rows:
            if keep is not None:
                keep(book.people.sheet, number, row)
            reader.person(book.people, number, row)
    return reader.finish()


class _Reader:
    def __init__(self, table: Table) -> None:
        self.table = table
        self.found: dict[tuple[str, str], Handoff] = {}
        self.by_number: dict[str, list[Handoff]] = {}
        self.faults: list[Fault] = []
        self.rows = self.examples = 0
        self.above: Handoff | None = None
        self.doomed: set[str] = set()
        """Numbers of handoffs of which a row cannot be told to which step it belongs."""
        self.unseen: list[int] = []
        self.people = People()
        self.keys = [
            one.key
            for one in columns.HANDOFFS
            if one.level == "handoff"
            and one.key not in ("handoff", "step", "zone", "time", "measured")
            and one.key in table.columns
        ]
        self.goods = [one.key for one in columns.HANDOFFS if one.level == "goods"]

    def fault(self, table: Table, row: int, key: str, cell: Cell, refused: CellRefused, level: Any = "error") -> None:
        self.faults.append(
            Fault(level, table.sheet, row, table.heading(key), refused.code, cells.shown(cell), refused.message)
        )

    def take(self, row: int, cell: Row) -> None:
        """Read one row of the sheet of handoffs."""
        handoff = self._handoff(self.table, row, cell)
        if handoff is None:
            return
        self.above = handoff
        if row in self.table.unseen:
            self.unseen.append(row)
        self.rows += 1
        handoff.rows += 1
        before = len(self.faults)
        self._cells(handoff, row, cell)
        self.people.take(self, self.table, handoff, row, cell)
        if any(one.level == "error" for one in self.faults[before:]):
            handoff.is_wrong = True

    def _cells(self, handoff: Handoff, row: int, cell: Row) -> None:
        """Read what a row says of the handoff and of goods."""
        self._beyond(row, cell)
        self._time(handoff, row, cell)
        for key in self.keys:
            there = self.table.cell(cell, key)
            if there is not None and there != "":
                self._once(handoff, row, key, there)
        self._goods(handoff, row, cell)

    def _astray(self, row: int, cell: Row) -> None:
        """Read a row that belongs to no handoff that is known, so that one turn shows all that is wrong with it."""
        self.rows += 1
        self._cells(Handoff("", "", row, {}), row, cell)

    def person(self, table: Table, row: int, cell: Row) -> None:
        """Read one row of the sheet of people."""
        try:
            number = cells.code(table.cell(cell, "handoff"))
        except CellRefused as refused:
            self.fault(table, row, "handoff", table.cell(cell, "handoff"), refused)
            return
        if number.upper().startswith(EXAMPLE):
            self.examples += 1
            return
        them = self.by_number.get(number, [])
        written = table.cell(cell, "step")
        if written:
            try:
                step = words.code_of("step", cells.words(written))
            except CellRefused as refused:
                self.fault(table, row, "step", written, refused)
                return
            them = [one for one in them if one.step == step]
        if not them:
            unknown = CellRefused(
                "handoff-unknown", "交接表中没有这个编号和步骤", "no row of the handoffs has this number and step"
            )
            self.fault(table, row, "handoff", table.cell(cell, "handoff"), unknown)
            return
        for handoff in them:
            before = len(self.faults)
            if not self.people.take(self, table, handoff, row, cell):
                self.fault(
                    table, row, "id", None, CellRefused("person-missing", "没有经手人号码", "the person has no number")
                )
            if len(self.faults) > before:
                handoff.is_wrong = True
                return

    def finish(self) -> Reading:
        """Return what was read, after what can be said of whole handoffs alone."""
        for one in self.found.values():
            for key, name in (("time", "时间"), ("place", "地点")):
                if key not in one.values and not one.is_wrong:
                    column = next(each for each in columns.HANDOFFS if each.key == key)
                    missing = CellRefused(f"{key}-missing", f"缺少{name}", f"the handoff has no {column.en}")
                    self.fault(self.table, one.row, key, None, missing)
                    one.is_wrong = True
            if not one.lines and one.step not in EMPTY_HANDED and not one.is_wrong:
                nothing = CellRefused("item-missing", "该交接没有货物编码", "the handoff names no goods")
                self.fault(self.table, one.row, "item", None, nothing)
                one.is_wrong = True
            self._parts(one)
            for row, key, text, doubt in doubts(one):
                self.fault(self.table, row, key, text, doubt, "warning")
        if self.unseen:
            self.fault(self.table, self.unseen[0], "", None, hidden(len(self.unseen)), "warning")
        headings = {key: heading for key, (_, heading) in self.table.columns.items()}
        return Reading(
            list(self.found.values()), self.faults, self.rows, self.examples, self.table.sheet, headings
        )  # fmt: skip

    def _parts(self, one: Handoff) -> None:
        """Look whether a transformation tells of each row whether it went in or came out."""
        if not one.is_transformation or one.is_wrong:
            return
        untold = next((line for line in one.lines if not line.part), None)
        if untold is not None:
            missing = CellRefused("part-missing", "同一加工的每行都要选投入或产出", "every row of the processing must be an input or an output")  # fmt: skip
            self.fault(self.table, untold.row, "part", None, missing)
            one.is_wrong = True
        elif len({line.part for line in one.lines}) == 1:
            side = CellRefused("part-one-sided", "加工须既有投入又有产出", "processing needs inputs and outputs")
            self.fault(self.table, one.lines[0].row, "part", one.lines[0].part, side)
            one.is_wrong = True

    def _handoff(self, table: Table, row: int, cell: Row) -> Handoff | None:
        there = table.cell(cell, "handoff")
        try:
            number = cells.code(there)
            if number.upper().startswith(EXAMPLE):
                self.examples += 1
                return None
            if not number:
                raise CellRefused(
                    "handoff-missing",
                    "缺少交接编号;合并的单元格只有第一行有值,请取消合并并填满",
                    "there is no handoff number; of merged cells only the first holds it: unmerge and fill them",
                )
        except CellRefused as refused:
            self.fault(table, row, "handoff", there, refused)
            self._astray(row, cell)
            if self.above is not None:
                # A merged cell, or a number forgotten: it may be a line of the handoff above, which is whole or not taken.
                self.above.is_wrong = True
            return None
        written = table.cell(cell, "step")
        them = self.by_number.get(number, [])
        try:
            if written is None or not (text := cells.words(written)):
                if not them:
                    raise CellRefused("step-missing", "缺少业务步骤", "there is no step")
                step = them[-1].step
            else:
                step = words.code_of("step", text)
        except CellRefused as refused:
            self.fault(table, row, "step", written, refused)
            self._astray(row, cell)
            for one in them:
                one.is_wrong = True
            self.doomed.add(number)
            return None
        found = self.found.get((number, step))
        if found is None:
            found = self.found[number, step] = Handoff(number, step, row, {}, {"step": (row, cells.shown(written))})
            self.by_number.setdefault(number, []).append(found)
        found.is_wrong |= number in self.doomed
        return found

    def _beyond(self, row: int, cell: Row) -> None:
        for place in self.table.unnamed(len(cell)):
            if text := cells.shown(cell[place]).strip()[:60]:
                beyond = CellRefused(
                    "no-heading",
                    f"第 {place + 1} 列的“{text}”没有表头;请补上表头,或删除它(CSV 中多了一个分隔符也会这样)",
                    f"{text!r} in column {place + 1} has no heading; name the column or delete the value "
                    "(in a CSV a separator too many does this)",
                )
                self.fault(self.table, row, "", cell[place], beyond)
                return

    def _time(self, handoff: Handoff, row: int, cell: Row) -> None:
        given, time = self.table.cell(cell, "zone"), self.table.cell(cell, "time")
        zone = str(handoff.values.get("zone", cells.DEFAULT_ZONE))
        if given is not None and given != "":
            try:
                zone = cells.offset_of(given)
            except CellRefused as refused:
                self.fault(self.table, row, "zone", given, refused)
        for key, there in (("time", time), ("measured", self.table.cell(cell, "measured"))):
            if there is None or there == "":
                continue
            try:
                at, offset = cells.moment(there, zone)
            except CellRefused as refused:
                self.fault(self.table, row, key, there, refused)
                continue
            self._put(handoff, row, key, there, at)
            if key == "time":
                self._put(handoff, row, "zone", given if given else time, offset)

    def _once(self, handoff: Handoff, row: int, key: str, there: Cell) -> None:
        if key in handoff.seen and handoff.seen[key][1] == cells.shown(there):
            return  # repeated, as most rows do
        try:
            value = _value(key, there)
        except CellRefused as refused:
            self.fault(self.table, row, key, there, refused)
            return
        if value != "":
            self._put(handoff, row, key, there, value)

    def _put(self, handoff: Handoff, row: int, key: str, there: Cell, value: Json) -> None:
        if key not in handoff.values:
            handoff.values[key] = value
            handoff.seen[key] = (row, cells.shown(there))
        elif handoff.values[key] != value:
            first, text = handoff.seen[key]
            differs = CellRefused(
                "handoff-differs",
                f"与同一交接第 {first} 行的“{text[:60]}”不同;不同的交接请用不同编号",
                f"differs from {text[:60]!r} in row {first} of the same handoff; another handoff needs another number",
            )
            self.fault(self.table, row, key, there, differs)

    def _goods(self, handoff: Handoff, row: int, cell: Row) -> None:
        at: dict[str, Cell] = {name: self.table.cell(cell, name) for name in self.goods}
        line, wrong = line_of(row, at)
        if line is not None and (first := handoff.uris.get(line.goods.uri)) is not None:
            twice = CellRefused(
                "item-twice",
                f"同一交接第 {first} 行已有;数量请合并到一行",
                f"stands in row {first} of the same handoff already; add the quantities up in one row",
            )
            wrong.append(At("item", twice))
        for refused in wrong:
            self.fault(self.table, row, refused.key, at[refused.key], refused)
        if line is None or wrong:
            return
        if not line.goods.is_traceable:
            alone = CellRefused(
                "item-without-lot",
                "只有 GTIN,没有批号或序列号,无法追溯到这一批",
                "a GTIN without lot or serial number: nothing tells these goods from all others of their kind",
            )
            self.fault(self.table, row, "item", at["item"], alone, "warning")
        handoff.uris[line.goods.uri] = row
        handoff.lines.append(line)


def _value(key: str, there: Cell) -> Json:
    """Return what a cell of a handoff says."""
    if key in ("temperature", "coldest", "warmest"):
        return exact(cells.number(there))
    text = cells.code(there)
    if not text:
        return ""
    if key == "place":
        return goods.place(text)
    if key in ("from", "to"):
        return goods.party(text)
    if key in DOCUMENTS:
        if key == "customs" and not _CUSTOMS.fullmatch(text):
            raise CellRefused(
                "customs-declaration",
                "报关单号为 18 位数字;请把该列设为文本后重填",
                "a customs declaration has 18 digits; format the column as text and type it again",
            )
        return text if re.match(r"(urn|https?):\S+$", text) else DOCUMENTS[key][1] + quote(text, safe="-._~/")
    return text.upper() if key == "container" else text


def events_of(reading: Reading, submitter: str) -> Iterator[tuple[Handoff, dict[str, Json]]]:
    """Yield the handoffs that nothing is wrong with, with their events."""
    for one in reading.handoffs:
        if not one.is_wrong:
            yield one, one.event(submitter)
