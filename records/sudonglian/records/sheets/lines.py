"""Rows of goods: what one row says of its goods, and which cell is wrong where it does not.

docs/sheets.md (what a cell may hold).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.records.sheets import cells, goods, words
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sheets.faults import CellRefused
from sudonglian.records.sheets.handoffs import SAID, Line

_COUNTRY = re.compile(r"[A-Z]{2}")
_PLANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{0,39}")


class At(CellRefused):
    """A refusal that knows another column than the one being read."""

    def __init__(self, key: str, refused: CellRefused) -> None:
        super().__init__(refused.code, refused.message["zh"], refused.message["en"])
        self.key = key


def line_of(row: int, at: Mapping[str, Cell]) -> Line | None:
    """Return what the cells of a row say of goods; None if they say nothing.

    Raises
    ------
    At
        The first cell that is wrong.
    """
    key = "item"
    try:
        item, key = cells.code(at["item"]), "lot"
        lot, key = cells.code(at["lot"]), "serial"
        serial = cells.code(at["serial"])
        key = "item"
        if not item:
            if any(value not in (None, "") for value in at.values()):
                raise CellRefused("item-missing", "缺少货物编码", "there is no item code")
            return None
        line = Line(row, goods.goods(item, lot, serial), cells.shown(at["item"]))
        _amount(line, at)
        for key, name, read in _SAID:
            if at[key] not in (None, "") and (said := read(at[key])):
                line.said[name] = said
        key = "part"
        if at["part"] not in (None, ""):
            line.part = words.code_of("part", cells.words(at["part"]))
        made, ends = line.said.get("productionDate", ""), line.said.get("expirationDate", "9")
        if made and str(ends) < str(made):
            key = "expires"
            raise CellRefused("dates-order", "早于生产日期", "lies before the production date")
    except At:
        raise
    except CellRefused as refused:
        if refused.code.startswith(("lot", "serial")) and key == "item":
            key = "serial" if refused.code.startswith("serial") or not lot else "lot"
        raise At(key, refused) from None
    return line


def _amount(line: Line, at: Mapping[str, Cell]) -> None:
    has_quantity, unit = at["quantity"] not in (None, ""), at["unit"]
    key = "quantity"
    try:
        if has_quantity:
            amount = cells.number(at["quantity"])
            if amount <= 0:
                raise CellRefused("quantity", "应大于 0", "must be more than 0")
            if not line.goods.is_class and amount != 1:
                raise CellRefused(
                    "quantity-of-one",
                    "SSCC 或序列号是单件;其中货物的数量请另起一行写 GTIN 和批号",
                    "an SSCC or serial number is one thing; write what is in it with GTIN and lot in a row of its own",
                )
            line.quantity = exact(amount)
        key = "unit"
        if unit not in (None, ""):
            line.unit = words.code_of("unit", cells.words(unit))
            if not has_quantity:
                key = "quantity"
                raise CellRefused("quantity-missing", "有单位而没有数量", "there is a unit and no quantity")
        elif has_quantity and line.goods.is_class:
            raise CellRefused("unit-missing", "有数量而没有单位", "there is a quantity and no unit")
    except CellRefused as refused:
        raise At(key, refused) from None


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
