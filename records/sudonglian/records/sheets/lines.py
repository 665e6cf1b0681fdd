"""Rows of goods: what one row says of its goods, and which cell is wrong where it does not.

docs/sheets.md (what a cell may hold).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.records.sheets import cells, goods, words
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sheets.faults import CellRefused
from sudonglian.records.sheets.goods import Goods
from sudonglian.records.sheets.handoffs import SAID, Line

_COUNTRY = re.compile(r"[A-Z]{2}")
_PLANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{0,39}")

UNKNOWN: Final = Goods("", is_class=True)
"""In place of goods whose code is wrong, while the other cells of their row are looked at."""


class At(CellRefused):
    """A refusal that knows another column than the one being read."""

    def __init__(self, key: str, refused: CellRefused) -> None:
        super().__init__(refused.code, refused.message["zh"], refused.message["en"])
        self.key = key


def line_of(row: int, at: Mapping[str, Cell]) -> tuple[Line | None, list[At]]:
    """Return what the cells of a row say of goods, None if they say nothing or a cell is wrong, and each that is."""
    wrong: list[At] = []
    named: Goods | None = None
    try:
        named = _named(at)
    except At as refused:
        wrong.append(refused)
    if named is None and not wrong:
        return None, []
    line = Line(row, named or UNKNOWN, cells.shown(at["item"]))
    wrong += _amount(line, at, is_known=named is not None)
    for key, name, read in _SAID:
        try:
            if at[key] not in (None, "") and (said := read(at[key])):
                line.said[name] = said
        except CellRefused as refused:
            wrong.append(At(key, refused))
    try:
        if at["part"] not in (None, ""):
            line.part = words.code_of("part", cells.words(at["part"]))
    except CellRefused as refused:
        wrong.append(At("part", refused))
    made, ends = line.said.get("productionDate", ""), line.said.get("expirationDate", "9")
    if made and str(ends) < str(made):
        wrong.append(At("expires", CellRefused("dates-order", "早于生产日期", "lies before the production date")))
    return (None if wrong else line), wrong


def _named(at: Mapping[str, Cell]) -> Goods | None:
    """Return the goods that a row names, or None for a row that is about none."""
    key = "item"
    try:
        item, key = cells.code(at["item"]), "lot"
        lot, key = cells.code(at["lot"]), "serial"
        serial = cells.code(at["serial"])
        key = "item"
        if item:
            return goods.goods(item, lot, serial)
        if any(value not in (None, "") for value in at.values()):
            raise CellRefused("item-missing", "缺少货物编码", "there is no item code")
    except CellRefused as refused:
        if refused.code.startswith(("lot", "serial")) and key == "item":
            key = "serial" if refused.code.startswith("serial") or not lot else "lot"
        raise At(key, refused) from None
    return None


def _amount(line: Line, at: Mapping[str, Cell], *, is_known: bool) -> Iterator[At]:
    """Read quantity and unit; what they must be for these goods is asked of goods that are known."""
    has_quantity, has_unit = at["quantity"] not in (None, ""), at["unit"] not in (None, "")
    try:
        if has_quantity:
            amount = cells.number(at["quantity"])
            if amount <= 0:
                raise CellRefused("quantity", "应大于 0", "must be more than 0")
            if is_known and not line.goods.is_class and amount != 1:
                raise CellRefused(
                    "quantity-of-one",
                    "SSCC 或序列号是单件;其中货物的数量请另起一行写 GTIN 和批号",
                    "an SSCC or serial number is one thing; write what is in it with GTIN and lot in a row of its own",
                )
            line.quantity = exact(amount)
        elif has_unit:
            raise CellRefused("quantity-missing", "有单位而没有数量", "there is a unit and no quantity")
    except CellRefused as refused:
        yield At("quantity", refused)
    try:
        if has_unit:
            line.unit = words.code_of("unit", cells.words(at["unit"]))
        elif has_quantity and is_known and line.goods.is_class:
            raise CellRefused("unit-missing", "有数量而没有单位", "there is a quantity and no unit")
    except CellRefused as refused:
        yield At("unit", refused)


def exact(value: Any) -> Json:
    """Return a number as events hold it.

    Raises
    ------
    CellRefused
        More digits than an event takes.
    """
    try:
        text = canonical.decimal_text(value)
    except CanonicalRefused:
        raise CellRefused("number", "数字过长", "the number is too long") from None
    return {"$dec": text} if "." in text else int(text)


def _country(there: Cell) -> Json:
    text = cells.code(there).upper()
    if text and not _COUNTRY.fullmatch(text):
        raise CellRefused("origin", "应为两个字母的国家代码,如 NO", "must be a country code of two letters, like NO")
    return text


def _plant(there: Cell) -> Json:
    text = cells.code(there)
    if text and not _PLANT.fullmatch(text):
        raise CellRefused("plant", "应为注册编号:至多 40 个字母、数字和 . / _ -", "must be a registration number: at most 40 letters, digits and . / _ -")  # fmt: skip
    return text


def _source(there: Cell) -> Json:
    return goods.place(text) if (text := cells.code(there)) else ""


_READ: Final[Mapping[str, Callable[[Cell], Json]]] = {
    "product": cells.words,
    "origin": _country,
    "produced": cells.day,
    "expires": cells.day,
    "class": lambda cell: words.code_of("class", cells.words(cell)),
    "plant": _plant,
    "tlc_source": _source,
}
_SAID: Final = tuple((key, name, _READ[key]) for name, key in SAID.items())
