"""What is wrong with a sheet: with the whole file, or with one cell of one row.

docs/sheets.md (the codes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sudonglian.records.epcis.findings import Level
from sudonglian.records.epcis.refusals import DocumentRefused

RULE: Final = "docs/sheets.md"

MAX_TEXT_SHOWN: Final = 200
"""Of a cell, in a finding: enough to find it by, and no second copy of the sheet."""


class SheetRefused(DocumentRefused):
    """A file that is no sheet that can be read; `place` is the sheet, or the part of the file."""

    slug = "sheet"

    def told(self, lang: str) -> "SheetRefused":
        """Return the same refusal with its sentence in a person's language."""
        return type(self)(self.zh if lang == "zh" else self.reason, zh=self.zh, place=self.place)


class SheetEncrypted(SheetRefused):
    """A workbook with a password."""

    slug = "sheet-encrypted"


class SheetKind(SheetRefused):
    """A kind of file that is not read here: .xls, with macros, with links to other files, none at all."""

    slug = "sheet-kind"


class SheetTooLarge(SheetRefused):
    """More bytes, rows or columns than are read."""

    slug = "sheet-too-large"


class SheetFormulas(SheetRefused):
    """Formulas whose values the file does not hold."""

    slug = "sheet-formulas"


class SheetHeader(SheetRefused):
    """No row names the columns, or one is unknown, missing or there twice; `place` is the sheet."""

    slug = "sheet-header"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one row: where, what stands there, and why it is not taken."""

    level: Level
    sheet: str
    row: int
    """As the program that shows the sheet counts, from 1; 0 is the whole sheet."""
    column: str
    """The heading as it is written there; empty if it is about the row."""
    code: str
    text: str
    """What stands in the cell."""
    message: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the members that commands and problem documents print."""
        return {
            "level": self.level,
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "text": self.text[:MAX_TEXT_SHOWN],
            "message": dict(self.message),
        }


class CellRefused(Exception):
    """Why a cell cannot be what its column says; whoever reads the row makes a fault of it."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code = code
        self.message = {"zh": zh, "en": en}
