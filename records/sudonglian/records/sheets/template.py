"""The template: what a firm fills in, with drop-downs, comments and examples.

docs/sheets.md (the table of columns, which is written from the same list).
"""

import io
from typing import Any, Final

import openpyxl
from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from sudonglian.records.sheets import words, written
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sheets.columns import EXAMPLE, HANDOFFS, PEOPLE, Column

ROWS: Final = 5_000
"""Rows that are formatted; more may be filled in."""

WIDTH: Final = 18

FREE: Final = frozenset(
    {"time", "quantity", "temperature", "coldest", "warmest", "measured", "produced", "expires", "start", "end"}
)
"""Columns that are not text: numbers and dates."""

NAMES: Final = {
    "zh": {"handoffs": "交接", "people": "人员", "examples": "示例", "notes": "说明", "lists": "列表"},
    "en": {"handoffs": "handoffs", "people": "people", "examples": "examples", "notes": "notes", "lists": "lists"},
}

NOTES: Final = {
    "zh": (
        "一行是一次交接中的一种货物;同一次交接的各行写同一个交接编号。",
        "带 * 的列每次交接都要填;时间、地点等每次交接填一行即可,其余行可空。",
        "编号、报关单号等请保持文本格式:表格软件只保留数字的前 15 位。",
        "交接编号以“示例”开头的行不会导入。",
        "改正后可整份重新上传:已导入的不变,只导入新的。",
    ),
    "en": (
        "A row is one kind of goods of one handoff; all rows of a handoff bear the same handoff no.",
        "Columns with * are needed for every handoff; time, place and the like may stand in one of its rows alone.",
        "Keep numbers of goods and papers as text: a spreadsheet keeps 15 digits of a number.",
        "Rows whose handoff no begins with EXAMPLE are not imported.",
        "When corrected, upload the whole file again: what is known stays, what is new is taken.",
    ),
}


def examples(lang: str) -> list[dict[str, str]]:
    """Return the example rows, by the keys of their columns."""
    mark = EXAMPLE[0 if lang == "zh" else 1]

    def word(name: str, code: str) -> str:
        from_code = dict(zip(words.codes(name), words.choices(name, lang), strict=True))
        return from_code[code]

    zh = lang == "zh"
    first = {
        "handoff": f"{mark}-001", "step": word("step", "shipping"), "time": "2026-01-05 08:30",
        "place": "9520001001017", "from": "9520001001017", "to": "9520001001031",
        "item": "09520001002014", "lot": "BJ241018", "product": "冷冻鳕鱼" if zh else "frozen cod",
        "quantity": "20", "unit": word("unit", "XCS"), "origin": "NO", "produced": "2025-10-18", "expires": "2027-10-17",
        "class": word("class", "frozen"), "tlc_source": "9520001001017",
        "container": "CSQU3054383", "seal": "SL-20931", "vehicle": "沪A12345",
        "customs": "530020260000000017", "quarantine": "CIQ-2026-0017", "test": "NAT-20260104-17",
        "disinfection": "XD-20260104-3", "bol": "BOL-55017", "coldest": "-19.5", "warmest": "-18.1",
        "measured": "2026-01-05 08:25",
        "name": "张三" if zh else "Zhang San", "id": "13800000001", "kind": word("kind", "phone"),
        "role": "司机" if zh else "driver", "contact": word("contact", "outer-packaging"),
    }  # fmt: skip
    second = {"handoff": f"{mark}-001", "step": first["step"], "item": "395200010000000028"}
    third = {
        "handoff": f"{mark}-002", "step": word("step", "receiving"), "time": "2026-01-05 11:05",
        "place": "9520001001031+A1", "from": "9520001001017", "to": "9520001001031",
        "item": "(01)09520001002014(10)BJ241018", "quantity": "20", "unit": word("unit", "XCS"), "plant": "NO-M123",
        "temperature": "-18.5", "measured": "2026-01-05 11:00",
    }  # fmt: skip
    return [first, second, third]


def template(form: str, lang: str) -> bytes:
    """Return the template as `xlsx` or `csv`."""
    if form == "csv":
        rows: list[list[Cell]] = [[one.heading(lang) for one in HANDOFFS]]
        rows += [[row.get(one.key, "") for one in HANDOFFS] for row in examples(lang)]
        return written.csv_bytes(rows)
    book = openpyxl.Workbook()
    names = NAMES[lang]
    main = book.active
    main.title = names["handoffs"]
    lists = _lists(book, names["lists"], lang)
    _sheet(main, HANDOFFS, lang, lists)
    _sheet(book.create_sheet(names["people"], 1), PEOPLE, lang, lists)
    shown = book.create_sheet(names["examples"], 2)
    _head(shown, HANDOFFS, lang)
    for number, row in enumerate(examples(lang), 2):
        for place, one in enumerate(HANDOFFS, 1):
            made = shown.cell(number, place, row.get(one.key))
            made.data_type, made.number_format = "s" if one.key in row else "n", written.TEXT
    notes = book.create_sheet(names["notes"], 3)
    notes.column_dimensions["A"].width = 5 * WIDTH
    for sentence in NOTES[lang]:
        notes.append([sentence])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _lists(book: Any, name: str, lang: str) -> dict[str, str]:
    """Write the lists of the drop-downs; return where each stands."""
    sheet = book.create_sheet(name)
    found = {}
    for place, choice in enumerate(("step", "unit", "class", "part", "kind", "role", "contact"), 1):
        told = words.choices(choice, lang)
        for row, word in enumerate((choice, *told), 1):
            sheet.cell(row, place, word)
        letter = get_column_letter(place)
        found[choice] = f"'{name}'!${letter}$2:${letter}${len(told) + 1}"
    return found


def _head(sheet: Any, them: tuple[Column, ...], lang: str) -> None:
    for place, one in enumerate(them, 1):
        head = sheet.cell(1, place, one.heading(lang))
        head.font = written.BOLD
        if one.note(lang):
            head.comment = Comment(one.note(lang), "溯冻链" if lang == "zh" else "Sudonglian")
        sheet.column_dimensions[get_column_letter(place)].width = WIDTH
    sheet.freeze_panes = "B2"


def _sheet(sheet: Any, them: tuple[Column, ...], lang: str, lists: dict[str, str]) -> None:
    _head(sheet, them, lang)
    for place, one in enumerate(them, 1):
        letter = get_column_letter(place)
        if one.key not in FREE:
            # Of the column: cells that are not there yet take it too.
            sheet.column_dimensions[letter].number_format = written.TEXT
        if one.choice:
            # Words beyond the list are allowed: codes are taken too, and a role may be any.
            rule = DataValidation("list", formula1=lists[one.choice], allow_blank=True, showErrorMessage=False)
            rule.add(f"{letter}2:{letter}{ROWS}")
            sheet.add_data_validation(rule)
