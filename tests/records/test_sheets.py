"""Sheets: planted mistakes come back with their row, column and code; hostile files are refused by name; a round trip."""

import csv
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain.errors import SudonglianError
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.sheets import annotated, cells, columns, taking, template
from sudonglian.records.sheets.faults import CellRefused
from sudonglian.records.sheets.table import open_book
from sudonglian.records.sheets.taking import Told
from sudonglian.records.store import Store

NOW = datetime(2026, 1, 6, tzinfo=UTC)
FIRM = "https://id.gs1.org/417/9520001001031"
GOOD: dict[str, Any] = {
    "handoff": "H1", "step": "发货", "time": "2026-01-05 08:30", "place": "9520001001017", "from": "9520001001017",
    "to": "9520001001031", "item": "09520001002014", "lot": "BJ241018", "quantity": "20", "unit": "箱",
    "origin": "NO", "produced": "2025-10-18", "expires": "2027-10-17", "container": "CSQU3054383",
    "customs": "530020260000000017", "coldest": "-19.5", "warmest": "-18.1", "name": "张三", "id": "13800000001",
    "role": "司机", "contact": "接触外包装",
}  # fmt: skip
KEYS = [one.key for one in columns.HANDOFFS]
ZH = {one.key: one.zh for one in columns.HANDOFFS}

Take = Callable[..., Told]


@pytest.fixture
def take(tmp_path: Path) -> Iterator[Take]:
    """Import bytes into a store of this test's own."""
    keys = Keys.open(tmp_path / "keys", create=True)
    store = Store(f"sqlite:///{tmp_path / 'sudonglian.db'}")
    open_deployment(store, keys)

    def run(raw: bytes, behaviour: Any = "rollback", *, dry: bool = False) -> Told:
        prepared = taking.prepare(keys, raw, submitter=FIRM, now=NOW, keep=True)
        if dry:
            with store.read() as connection:
                return taking.preview(connection, prepared)
        with store.write() as connection:
            return taking.take(connection, keys, prepared, behaviour)

    yield run
    store.close()


def csv_of(*rows: dict[str, Any], encoding: str = "utf-8", keys: list[str] = KEYS, lang: str = "zh") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    names = {one.key: one.heading(lang) for one in columns.HANDOFFS}
    writer.writerow([names[key] for key in keys])
    writer.writerows([[row.get(key, "") for key in keys] for row in rows])
    return out.getvalue().encode(encoding)


def xlsx_of(*rows: dict[str, Any], change: Callable[[Any, Any], None] = lambda book, sheet: None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "交接"
    sheet.append([ZH[key] for key in KEYS])
    for row in rows:
        sheet.append([row.get(key) for key in KEYS])
    change(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(raw: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


MISTAKES: list[tuple[str, dict[str, Any], str, str]] = [
    ("check digit of a GTIN", {"item": "09520001002015"}, "item", "check-digit"),
    ("check digit of an SSCC", {"item": "395200010000000029", "lot": "", "quantity": "", "unit": ""}, "item", "check-digit"),
    ("a digit is gone", {"item": "9520001002"}, "item", "item-digits"),
    ("a number that Excel rounded", {"customs": 5.3002026e17}, "customs", "number-rounded"),
    ("the same as text", {"customs": "5.3E+17"}, "customs", "number-rounded"),
    ("17 digits", {"customs": "53002026000000001"}, "customs", "customs-declaration"),
    ("a step that is none", {"step": "飞行"}, "step", "unknown-step"),
    ("no handoff number", {"handoff": ""}, "handoff", "handoff-missing"),
    ("a day alone", {"time": "2026-01-05"}, "time", "time-without-clock"),
    ("no such day", {"time": "2026-02-30 08:30"}, "time", "time"),
    ("days first", {"time": "05/01/2026 08:30"}, "time", "time"),
    ("1900, from an empty cell", {"time": datetime(1900, 1, 1, 8, 30)}, "time", "time-year"),
    ("a number for a date", {"time": 46027.35}, "time", "time"),
    ("a time in the future", {"time": "2026-03-05 08:30"}, "time", "event-time-future"),
    ("a place with a wrong digit", {"place": "9520001001018"}, "place", "check-digit"),
    ("a place in words", {"place": "一号冷库"}, "place", "identifier"),
    ("a credit code with a wrong end", {"from": "91350100M000100Y44"}, "from", "credit-code"),
    ("a lot with a space", {"lot": "BJ 24"}, "lot", "lot"),
    ("a lot that became a date", {"lot": date(2026, 1, 5)}, "lot", "not-text"),
    ("words for a quantity", {"quantity": "二十"}, "quantity", "number"),
    ("nothing of it", {"quantity": "0"}, "quantity", "quantity"),
    ("a quantity of what", {"unit": ""}, "unit", "unit-missing"),
    ("a unit that is none", {"unit": "堆"}, "unit", "unknown-unit"),
    ("twenty of one pallet", {"item": "395200010000000028", "lot": ""}, "quantity", "quantity-of-one"),
    ("expired before it was made", {"expires": "2024-10-17"}, "expires", "dates-order"),
    ("a country in words", {"origin": "挪威"}, "origin", "origin"),
    ("a person without a number", {"id": ""}, "id", "person-number"),
    ("a number of which kind", {"id": "A-77"}, "kind", "person-kind"),
    ("contact in other words", {"contact": "看了一眼"}, "contact", "unknown-contact"),
    ("warm and cold swapped", {"coldest": "冷"}, "coldest", "number"),
    ("no place", {"place": ""}, "place", "place-missing"),
    ("no goods", {"item": "", "lot": "", "quantity": "", "unit": "", "origin": "", "produced": "", "expires": ""}, "item", "item-missing"),
]  # fmt: skip


def planted() -> Iterator[Any]:
    """Yield every mistake in both forms; what is wrong for being no text is another mistake in a CSV, or none."""
    for name, change, column, code in MISTAKES:
        is_text = all(isinstance(value, str) for value in change.values())
        for form in ("xlsx", "csv"):
            if form == "xlsx" or is_text or code not in ("not-text", "time"):
                yield pytest.param(change, column, code, form, id=f"{name}-{form}")


@pytest.mark.parametrize(("change", "column", "code", "form"), planted())
def test_a_planted_mistake_comes_back_with_its_row(take: Take, change: dict[str, Any], column: str, code: str, form: str) -> None:  # fmt: skip
    if form == "csv" and not all(isinstance(value, str) for value in change.values()):
        change = {key: cells.shown(value) for key, value in change.items()}
    before, after = {**GOOD, "handoff": "H0"}, {**GOOD, "handoff": "H2"}
    raw = (xlsx_of if form == "xlsx" else csv_of)(before, {**GOOD, **change}, after)
    told = take(raw)
    errors = [one for one in told.faults if one.level == "error"]
    assert [(one.row, one.column, one.code) for one in errors] == [(3, ZH[column] + "*" * (form == "csv" and column in columns.REQUIRED), code)]  # fmt: skip
    assert set(errors[0].message) == {"zh", "en"}
    assert not told.written
    # A row without a number may be a line of the handoff above it, so that one is not taken either.
    assert take(raw, "proceed").taken.accepted == (1 if code == "handoff-missing" else 2)


@pytest.mark.parametrize(
    ("change", "also"),
    [
        ({}, []),
        ({"handoff": ""}, ["handoff"]),
        ({"step": "收或"}, ["step"]),
        ({"handoff": "H8", "step": ""}, ["step"]),
    ],
)
def test_every_mistake_of_a_row_is_told_at_once(take: Take, change: dict[str, Any], also: list[str]) -> None:
    wrong = {
        "time": "昨天", "zone": "+25:00", "measured": "早上", "place": "95200010010", "to": "9520001001032",
        "item": "09520001002015", "quantity": "二十", "unit": "堆", "origin": "挪威", "expires": "明年",
        "class": "很冷", "customs": "17", "temperature": "冷",
    }  # fmt: skip
    told = take(csv_of({**GOOD, **wrong, **change}, {**GOOD, "handoff": "H9"}))
    assert {(one.row, one.level) for one in told.faults} == {(2, "error")}
    assert sorted(one.column.strip("*") for one in told.faults) == sorted(ZH[key] for key in (*wrong, *also))
    assert (told.taken.accepted, told.written) == (0, False)


def test_the_row_s_own_text_stands_beside_it_and_people_s_numbers_do_not(take: Take) -> None:
    told = take(csv_of({**GOOD, "unit": "堆"}, {**GOOD, "handoff": "H2", "id": "33010619900101123"}))
    assert [(one.text, one.code) for one in told.faults] == [("堆", "unknown-unit"), ("", "person-kind")]
    assert "33010619900101123" not in json.dumps(told.as_json())


def test_a_handoff_is_one_event_of_all_its_rows(take: Take) -> None:
    second = {"handoff": "H1", "step": "发货", "item": "395200010000000028", "name": "李四", "id": "13800000002"}
    told = take(csv_of(GOOD, second))
    assert not told.faults
    [handoff] = told.prepared.handoffs
    event = handoff.event(FIRM)
    assert event["epcList"] == ["https://id.gs1.org/00/395200010000000028"]
    assert event["quantityList"] == [
        {"epcClass": "https://id.gs1.org/01/09520001002014/10/BJ241018", "quantity": 20, "uom": "XCS"}
    ]
    assert event["eventTime"] == "2026-01-05T08:30:00+08:00"
    people: Any = event["sdl:participants"]
    assert [one["personRef"]["value"] for one in people] == ["13800000001", "13800000002"]


def test_rows_of_one_handoff_that_differ_are_told_with_the_first(take: Take) -> None:
    told = take(csv_of(GOOD, {**GOOD, "lot": "B2", "to": "9520001001055"}))
    [fault] = told.faults
    assert (fault.row, fault.code) == (3, "handoff-differs")
    assert "9520001001031" in fault.message["en"]
    assert "row 2" in fault.message["en"]


def test_a_corrected_file_does_only_what_is_new_and_a_changed_handoff_is_a_conflict(take: Take) -> None:
    other = {**GOOD, "handoff": "H2"}
    wrong = {**GOOD, "handoff": "H3", "item": "09520001002015"}
    assert take(csv_of(GOOD, other, wrong), "proceed").taken.accepted == 2
    told = take(csv_of(GOOD, other, {**wrong, "item": "09520001002014"}))
    assert (told.taken.accepted, told.taken.unchanged) == (1, 2)
    told = take(csv_of(GOOD, {**other, "quantity": "21"}))
    [fault] = told.faults
    assert (fault.row, fault.code, told.written) == (3, "event-id-conflict", False)
    assert "held" in fault.message["en"]
    assert "sent" in fault.message["en"]


def test_a_preview_writes_nothing_and_tells_what_would_be(take: Take) -> None:
    take(csv_of(GOOD))
    raw = csv_of(GOOD, {**GOOD, "handoff": "H2"}, {**GOOD, "handoff": "H3", "unit": "堆"}, encoding="gb18030")
    for _ in range(2):
        told = take(raw, dry=True)
        document = told.as_json()
        assert (document["accepted"], document["unchanged"], document["refused"]) == (1, 1, 1)
        assert (document["encoding"], document["time_zone"], document["written"]) == ("GB18030", "+08:00", False)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_template_s_examples_are_passed_over_and_import_cleanly_once_they_are_no_examples(take: Take, form: str, lang: str) -> None:  # fmt: skip
    raw = template.template(form, lang)
    assert take(raw).prepared.reading.rows == 0
    rows = [
        {**row, "handoff": row["handoff"].replace("示例", "A").replace("EXAMPLE", "A")}
        for row in template.examples(lang)
    ]
    told = take(csv_of(*rows, lang=lang) if form == "csv" else xlsx_of(*rows))
    assert not told.faults
    assert told.taken.accepted == 2


def test_a_template_has_drop_downs_comments_and_text_cells() -> None:
    book = openpyxl.load_workbook(io.BytesIO(template.template("xlsx", "zh")))
    main = book["交接"]
    assert [cell.value for cell in main[1]][:4] == ["交接编号*", "业务步骤*", "时间*", "时区"]
    assert {one.formula1.partition("!")[0] for one in main.data_validations.dataValidation} == {"'列表'"}
    assert len(main.data_validations.dataValidation) == 7
    assert all(cell.comment for cell in main[1][:4])
    assert main.column_dimensions["U"].number_format == "@"
    assert "发货" in [cell.value for cell in book["列表"]["A"]]


def test_people_have_a_sheet_of_their_own(take: Take) -> None:
    def people(book: Any, _: Any) -> None:
        sheet = book.create_sheet("人员")
        sheet.append(["交接编号", "经手人", "经手人号码", "号码类型", "角色", "开始"])
        sheet.append(["H1", "李四", "D-77", "工号", "叉车工", "2026-01-05 08:10"])
        sheet.append(["H9", "王五", "D-78", "工号", "叉车工", None])

    told = take(xlsx_of(GOOD, change=people))
    [fault] = told.faults
    assert (fault.sheet, fault.row, fault.code) == ("人员", 3, "handoff-unknown")
    them: Any = told.prepared.handoffs[0].event(FIRM)["sdl:participants"]
    assert [one["personRef"]["kind"] for one in them] == ["phone", "badge"]
    assert them[1]["start"] == "2026-01-05T08:10:00+08:00"


def test_what_clerks_do_to_sheets(take: Take) -> None:
    def messy(book: Any, sheet: Any) -> None:
        sheet.insert_rows(1)
        sheet["A1"] = "某某物流有限公司 交接表"
        sheet.append([None])
        sheet.append(["  "])
        sheet.append([{**GOOD, "handoff": "H2 ", "item": "09520001002014", "quantity": "20", "lot": " BJ241018　",
                       "time": datetime(2026, 1, 5, 8, 30)}.get(key) for key in KEYS])  # fmt: skip
        secret = book.create_sheet("旧表")
        secret.append([ZH[key] for key in KEYS])
        secret.append([{**GOOD, "handoff": "HIDDEN"}.get(key) for key in KEYS])
        secret.sheet_state = "hidden"

    told = take(xlsx_of(GOOD, change=messy))
    assert not told.faults
    assert told.prepared.book.passed_over == ("旧表",)
    first, second = (one.event(FIRM) for one in told.prepared.handoffs)
    assert {**first, "eventID": ""} == {**second, "eventID": ""}
    assert told.prepared.handoffs[1].row == 6


def test_merged_cells_are_pointed_out_and_not_guessed(take: Take) -> None:
    rows = (GOOD, {**GOOD, "lot": "B2", "handoff": None})
    told = take(xlsx_of(*rows, change=lambda _, sheet: sheet.merge_cells("A2:A3")))
    [fault] = told.faults
    assert (fault.row, fault.code) == (3, "handoff-missing")
    assert "unmerge" in fault.message["en"]


@pytest.mark.parametrize("bad", [{"handoff": ""}, {"step": "飞行"}])
@pytest.mark.parametrize("first", [True, False])
def test_half_a_delivery_is_never_taken(take: Take, bad: dict[str, Any], first: bool) -> None:
    stray = {**GOOD, "lot": "B2", **bad}
    if first and "handoff" in bad:
        rows = [GOOD, stray, {**GOOD, "lot": "B3"}]
    else:
        rows = [stray, GOOD] if first else [GOOD, stray]
    told = take(csv_of(*rows, {**GOOD, "handoff": "H9"}), "proceed")
    assert len(told.faults) == 1
    assert [one.number for one in told.prepared.handoffs if not one.is_wrong] == ["H9"]
    assert told.taken.accepted == 1


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_value_without_a_heading_is_not_lost_in_silence(take: Take, form: str) -> None:
    if form == "csv":
        raw = csv_of(GOOD, {**GOOD, "handoff": "H2"}).rstrip() + b",1 ton more\r\n"
    else:
        raw = xlsx_of(
            GOOD, {**GOOD, "handoff": "H2"}, change=lambda _, sheet: sheet.cell(3, len(KEYS) + 2, "1 ton more")
        )
    told = take(raw)
    [fault] = told.faults
    assert (fault.level, fault.row, fault.code, fault.text) == ("error", 3, "no-heading", "1 ton more")
    assert take(raw, "proceed").taken.accepted == 1


@pytest.mark.parametrize(
    ("change", "column", "code", "text"),
    [
        ({"expires": "2025-12-01"}, "expires", "expired", "2025-12-01"),
        ({"produced": "2026-02-01"}, "produced", "production-after-event", "2026-02-01"),
        ({"origin": "XX"}, "origin", "country", "XX"),
    ],
)
def test_what_is_doubtful_of_goods_is_pointed_at_in_their_row(
    take: Take, change: dict[str, Any], column: str, code: str, text: str
) -> None:
    told = take(csv_of(GOOD, {**GOOD, "lot": "B2", **change}))
    assert [(one.level, one.row, one.column, one.code, one.text) for one in told.faults] == [
        ("warning", 3, ZH[column], code, text)
    ]
    assert told.taken.accepted == 1


@pytest.mark.parametrize(
    ("kind", "reading", "is_doubtful"),
    [
        ("冷冻", {"temperature": "18.5"}, True),
        ("冷冻", {"temperature": "-18"}, False),
        ("冷冻", {"temperature": "-17.9"}, True),
        ("冷藏", {"temperature": "-5"}, True),
        ("冷藏", {"temperature": 4.0}, False),
        ("", {"temperature": "18.5"}, False),
        ("冷冻", {"warmest": "18"}, True),
    ],
)
def test_a_temperature_that_the_goods_do_not_bear_is_pointed_at(
    take: Take, kind: str, reading: dict[str, Any], is_doubtful: bool
) -> None:
    row = {**GOOD, "coldest": "", "warmest": "", "class": kind, **reading}
    told = take(xlsx_of({**row, "handoff": "H0", "class": "", **dict.fromkeys(reading, "")}, row))
    [key] = reading
    found = [(one.level, one.row, one.column, one.code) for one in told.faults]
    assert found == [("warning", 3, ZH[key], "temperature-class")] * is_doubtful
    assert told.taken.accepted == 2


def test_hidden_rows_are_read_and_said_to_be(take: Take) -> None:
    def hide(book: Any, sheet: Any) -> None:
        other = book.create_sheet("备注页")
        other.append(["x"])
        other.row_dimensions[2].hidden = True
        for row in (3, 4):
            sheet.row_dimensions[row].hidden = True

    told = take(xlsx_of(*({**GOOD, "handoff": f"H{one}"} for one in range(4)), change=hide))
    [fault] = told.faults
    assert (fault.level, fault.row, fault.code) == ("warning", 3, "row-hidden")
    assert ": 2;" in fault.message["en"]
    assert told.taken.accepted == 4
    assert not take(xlsx_of(GOOD, change=lambda _, sheet: sheet.row_dimensions.__getitem__(9))).faults


def test_errors_come_before_warnings_wherever_their_rows_are(take: Take) -> None:
    late = [{**GOOD, "handoff": f"L{one}", "time": "2026-01-01 08:30"} for one in range(5)]
    told = take(csv_of(*late, {**GOOD, "unit": "堆"}))
    assert [(one.level, one.row) for one in told.faults] == [("error", 7), *(("warning", row) for row in range(2, 7))]


def test_a_column_that_is_not_there_is_called_as_in_the_template(take: Take) -> None:
    keys = [key for key in KEYS if key != "kind"]
    for lang, name in (("zh", "号码类型"), ("en", "number kind")):
        [fault] = take(csv_of({**GOOD, "id": "A-77"}, keys=keys, lang=lang)).faults
        assert (fault.column, fault.code) == (name, "person-kind")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_encoding_gives_the_same_event(take: Take, encoding: str) -> None:
    told = take(csv_of(GOOD, encoding=encoding))
    assert not told.faults
    assert told.prepared.handoffs[0].event(FIRM)["sdl:participants"][0]["role"] == "司机"  # type: ignore[index,call-overload]
    assert take(csv_of(GOOD)).taken.unchanged == 1


def test_headings_in_any_order_and_either_language(take: Take) -> None:
    told = take(csv_of(GOOD, keys=KEYS[::-1], lang="en").replace(b",", b";"))
    assert not told.faults
    assert take(csv_of(GOOD)).taken.unchanged == 1


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("交接编号,业务步骤,时间,地点,天气", "天气"),
        ("交接编号,业务步骤,时间,货物编码", "地点"),
        ("交接编号,业务步骤,时间,地点,place", "place"),
        ("甲,乙,丙", "交接编号"),
    ],
)
def test_a_heading_that_is_unknown_missing_or_twice_is_named(header: str, word: str) -> None:
    with pytest.raises(SudonglianError) as refusal:
        open_book(header.encode())
    assert refusal.value.slug == "sheet-header"
    assert word in refusal.value.told("zh").reason  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_an_annotated_copy_runs_no_formula_and_can_be_sent_when_corrected(take: Take, form: str) -> None:
    evil = {**GOOD, "handoff": "=cmd|'/c calc'!A1", "item": "09520001002015", "name": "@SUM(1)"}
    told = take(csv_of(evil, {**GOOD, "handoff": "H2"}))
    copy = annotated.annotated(told, form, "zh")
    if form == "csv":
        rows = list(csv.reader(io.StringIO(copy.decode("utf-8-sig"))))
        assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@")]
        assert "校验位" in rows[1][0]
        assert rows[2][0] == ""
        corrected = copy.replace(b"09520001002015", b"09520001002014")
    else:
        book = openpyxl.load_workbook(io.BytesIO(copy))
        sheet = book.worksheets[0]
        assert not [cell for row in sheet for cell in row if cell.data_type == "f"]
        assert "校验位" in str(sheet["A2"].value)
        corrected = repacked(copy, "xl/worksheets/sheet1.xml", lambda raw: raw.replace(b"09520001002015", b"09520001002014"))  # fmt: skip
    again = take(corrected)
    assert not again.faults
    assert again.prepared.handoffs[0].number == evil["handoff"]
    assert again.taken.accepted == 2


def _bomb() -> bytes:
    return repacked(xlsx_of(GOOD), "xl/worksheets/sheet1.xml", lambda raw: raw.replace(b"</sheetData>", b" " * 30_000_000 + b"</sheetData>"))  # fmt: skip


def _lying_bomb() -> bytes:
    raw = bytearray(_bomb())
    at = raw.rindex(b"xl/worksheets/sheet1.xml") - 46
    assert raw[at : at + 4] == b"PK\x01\x02"
    raw[at + 24 : at + 28] = struct.pack("<I", 1_000)
    return bytes(raw)


def _sheet(change: Callable[[bytes], bytes]) -> bytes:
    return repacked(xlsx_of(GOOD), "xl/worksheets/sheet1.xml", change)


def _with_part(name: str) -> bytes:
    out = io.BytesIO(xlsx_of(GOOD))
    with zipfile.ZipFile(out, "a") as parcel:
        parcel.writestr(name, b"<x/>")
    return out.getvalue()


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "sheet"),
    "space": (lambda: b" \n", "sheet"),
    "a bomb": (_bomb, "sheet-too-large"),
    "a bomb that lies": (_lying_bomb, "sheet"),
    "truncated": (lambda: xlsx_of(GOOD)[:-2_000], "sheet"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "sheet-kind"),
    "another zip": (lambda: repacked(xlsx_of(GOOD), "", bytes).replace(b"xl/workbook.xml", b"xl/workbxxk.xml"), "sheet-kind"),
    "entities": (lambda: _sheet(lambda raw: ENTITIES + raw.partition(b"?>")[2]), "sheet-kind"),
    "a claim of columns": (lambda: _sheet(lambda raw: raw.replace(b'r="B2"', b'r="XFD2"')), "sheet-too-large"),
    "ten million columns": (lambda: _sheet(lambda raw: raw.replace(b'r="B2"', b'r="ZZZZZZ2"')), "sheet-too-large"),
    "a claim in other quotes": (lambda: _sheet(lambda raw: raw.replace(b'r="B2"', b"r = 'XFD2'")), "sheet-too-large"),
    "a claim in references": (lambda: _sheet(lambda raw: raw.replace(b'r="B2"', b'r="&#88;FD2"')), "sheet-too-large"),
    "a row far down": (lambda: _sheet(lambda raw: raw.replace(b'r="2"', b'r="1048576"').replace(b'2" t', b'1048576" t')), "sheet-too-large"),
    "no xml": (lambda: _sheet(lambda raw: b"<worksheet><sheetData><row"), "sheet"),
    "another encoding": (lambda: _sheet(lambda raw: b'<?xml version="1.0" encoding="UTF-7"?>' + raw), "sheet-kind"),
    "macros": (lambda: _with_part("xl/vbaProject.bin"), "sheet-kind"),
    "links": (lambda: _with_part("xl/externalLinks/externalLink1.xml"), "sheet-kind"),
    "old": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "sheet-kind"),
    "encrypted": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "sheet-encrypted"),
    "formulas": (lambda: xlsx_of({**GOOD, "lot": '="B"&"1"'}), "sheet-formulas"),
    "errors": (lambda: _sheet(lambda raw: _step(raw, '<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>')), "sheet-formulas"),
    "nul": (lambda: b"a\x00b,c\n", "sheet-kind"),
    "quotes": (lambda: csv_of(GOOD) + b'"open', "sheet"),
    "no text": (lambda: b"\xff\x80\x81,\xfe" + bytes([255]) * 9, "sheet-kind"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_name(take: Take, name: str) -> None:
    make, slug = HOSTILE[name]
    with pytest.raises(SudonglianError) as refusal:
        take(make())
    assert refusal.value.slug == slug
    assert refusal.value.zh  # type: ignore[attr-defined]


def test_a_size_that_a_sheet_claims_is_no_size(take: Take) -> None:
    raw = _sheet(lambda raw: raw.replace(b'<dimension ref="', b'<dimension ref="A1:XFD1048576" x="'))
    assert raw != xlsx_of(GOOD)
    assert take(raw).taken.accepted == 1


def _step(raw: bytes, cell: str) -> bytes:
    return re.sub(rb'<c r="B2"[^>]*>.*?</c>', cell.encode(), raw, count=1)


def test_a_formula_with_its_value_is_that_value(take: Take) -> None:
    told = take(_sheet(lambda raw: _step(raw, '<c r="B2" t="str"><f>T(X1)</f><v>收货</v></c>')))
    assert not told.faults
    assert told.prepared.handoffs[0].step == "receiving"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 6_000), st.booleans())
def test_garbage_gets_a_refusal_of_ours_and_nothing_else(junk: bytes, at: int, is_zip: bool) -> None:
    whole = xlsx_of(GOOD)
    raw = whole[:at] + junk + whole[at + len(junk) :] if is_zip else junk
    try:
        book = open_book(raw)
        list(book.handoffs.rows)
    except SudonglianError:
        pass


CELLS = st.one_of(st.none(), st.text(max_size=30), st.integers(), st.floats(), st.booleans(), st.datetimes(), st.dates(), st.times())  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(CELLS, st.sampled_from([cells.code, cells.words, cells.number, cells.day, cells.offset_of]))
def test_a_cell_is_read_or_refused(value: Any, read: Callable[[Any], Any]) -> None:
    try:
        read(value)
        cells.moment(value, "+08:00")
    except CellRefused:
        pass


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026/1/5 8:30", "2026-01-05T08:30:00+08:00"),
        ("2026年1月5日 8时30分", "2026-01-05T08:30:00+08:00"),
        ("2026-01-05 下午8:30", "2026-01-05T20:30:00+08:00"),
        ("2026.01.05 08:30:15", "2026-01-05T08:30:15+08:00"),
        ("20260105 0830", "2026-01-05T08:30:00+08:00"),
        ("2026-01-05T00:30:00Z", "2026-01-05T00:30:00+00:00"),
        ("2026-01-05 08:30", "2026-01-05T08:30:00+08:00"),
        ("2026-01-05 12:30 AM", "2026-01-05T00:30:00+08:00"),
        (datetime(2026, 1, 5, 8, 29, 59, 999_998), "2026-01-05T08:30:00+08:00"),
    ],
)
def test_times_as_people_write_them(written: Any, read: str) -> None:
    assert cells.moment(written, "+08:00")[0] == read


@pytest.mark.parametrize(
    ("shown", "is_time"),
    [
        ("yyyy-mm-dd hh:mm", True), ("yyyy/m/d h:mm", True), ('yyyy"年"m"月"d"日" h"时"mm"分"', True), ("[$-F400]h:mm:ss AM/PM", True),
        ("m/d/yy h:mm", True), ("yyyy-mm-dd", False), ('yyyy"年"m"月"d"日"', False), ("mm-dd-yy", False), ('yyyy"hs"', False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lead", [0, 3])
def test_midnight_is_a_time_if_its_cell_shows_one(take: Take, shown: str, is_time: bool, lead: int) -> None:
    def change(book: Any, sheet: Any) -> None:
        for row in (2, 3):
            sheet.cell(row, KEYS.index("time") + 1).number_format = shown
            sheet.cell(row, KEYS.index("produced") + 1).number_format = "yyyy-mm-dd hh:mm"
        if lead:
            sheet.insert_rows(1, lead)
            sheet.insert_cols(1)

    at, day = datetime(2026, 1, 5), datetime(2025, 10, 18)
    rows = (
        GOOD | {"time": at, "produced": day},
        GOOD | {"handoff": "H2", "time": datetime(2026, 1, 5, 0, 1), "produced": day},
    )
    told = take(xlsx_of(*rows, change=change))
    wrong = {(one.row, one.column, one.code) for one in told.faults if one.level == "error"}
    if is_time:
        assert (wrong, told.taken.accepted) == (set(), 2)
        events = [one.plain for one in told.prepared.judged.events]
        assert [one["eventTime"] for one in events] == ["2026-01-05T00:00:00+08:00", "2026-01-05T00:01:00+08:00"]
    else:
        assert wrong == {(2 + lead, "时间", "time-without-clock")}
