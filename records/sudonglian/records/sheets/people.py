"""People of a handoff: in its own rows, or in the sheet of people.

docs/spec/plain-event.md rules 10-13; records.md (participants).
"""

import re
from typing import Any, Final, Protocol

from sudonglian.chain.canonical import Json
from sudonglian.records.sheets import cells, words
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sheets.faults import CellRefused
from sudonglian.records.sheets.rows import Row
from sudonglian.records.sheets.table import Table

UNSAID: Final = "other"
"""The role of somebody of whom none is told (roles.py)."""

HIDDEN: Final = "…"
"""What a finding shows of a person's number: copies of findings go where the sheet does not."""

_PHONE = re.compile(r"(\+86)?1[3-9]\d{9}")
_CARD = re.compile(r"\d{17}[0-9Xx]")
_KEYS: Final[tuple[str, ...]] = ("name", "id", "kind", "role", "contact", "ppe", "start", "end")


class _Reader(Protocol):
    def fault(self, table: Table, row: int, key: str, cell: Cell, refused: CellRefused, level: Any = "error") -> None:
        """Note a fault."""


class People:
    """Reads people into handoffs."""

    def take(self, reader: _Reader, table: Table, handoff: Any, row: int, cell: Row) -> bool:
        """Add the person of a row to a handoff, once; return whether there is one."""
        at = {key: table.cell(cell, key) for key in _KEYS if key in table.columns}
        if all(value in (None, "") for value in at.values()):
            return False
        key = "id"
        try:
            number = re.sub(r"[\s-]", "", cells.code(at.get("id")))
            if not number:
                raise CellRefused(
                    "person-number",
                    "缺少号码:手机号、身份证号、护照号或工号,至少一个",
                    "a number is needed: telephone, identity card, passport or badge",
                )
            person: dict[str, Json] = {}
            key = "kind"
            reference: dict[str, Json] = {"kind": _kind(at.get("kind"), number), "value": number}
            key = "name"
            if name := cells.words(at.get("name")):
                reference["name"] = name
            person["personRef"] = reference
            key = "role"
            person["role"] = cells.words(at.get("role")) or UNSAID
            key = "contact"
            if contact := cells.words(at.get("contact")):
                person["contact"] = words.code_of("contact", contact)
            key = "ppe"
            if ppe := cells.words(at.get("ppe")):
                person["ppe"] = ppe
            for key in ("start", "end"):
                if (value := at.get(key)) not in (None, ""):
                    person[key] = cells.moment(value, str(handoff.values.get("zone", cells.DEFAULT_ZONE)))[0]
        except CellRefused as refused:
            shown = HIDDEN if key in ("id", "name") and at.get(key) not in (None, "") else at.get(key)
            reader.fault(table, row, key, shown, refused)
            return True
        if all(person != other for other, _, _ in handoff.people):
            handoff.people.append((person, table.sheet, row))
        return True


def _kind(written: Cell, number: str) -> str:
    if text := cells.words(written):
        return words.code_of("kind", text)
    if _PHONE.fullmatch(number):
        return "phone"
    if _CARD.fullmatch(number):
        return "cn-id"
    raise CellRefused("person-kind", "请选号码类型", "choose what kind of number it is")
