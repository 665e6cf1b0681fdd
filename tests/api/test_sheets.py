"""`template` and `import`: a clerk's way, from the empty sheet to the receipt, with exit codes and words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.records.filled_sheets import LACKS, MEETS, Form, heading, rows, sheet

FIRM = "https://id.gs1.org/417/9520001001031"


def filled(run: Callable[..., Any], tmp_path: Path) -> Path:
    empty = tmp_path / "empty.csv"
    assert run("template", "-o", str(empty), "--lang", "en").code == 0
    sheet = tmp_path / "filled.csv"
    sheet.write_bytes(empty.read_bytes().replace(b"EXAMPLE-", b"D-"))
    return sheet


def test_from_the_template_to_the_receipt(run: Callable[..., Any], tmp_path: Path) -> None:
    sheet = str(filled(run, tmp_path))
    dry = run("import", sheet, "--submitter", FIRM, "--dry-run", "--lang", "zh")
    assert dry.code == 0
    assert "编码 UTF-8,时区 +08:00:3 行,2 次交接,3 项货物" in dry.out
    assert json.loads(run("import", sheet, "--submitter", FIRM, "--json").out)["accepted"] == 2
    assert json.loads(run("import", sheet, "--submitter", FIRM, "--json").out)["unchanged"] == 2


def test_a_mistake_is_written_beside_its_row_and_its_correction_taken(run: Callable[..., Any], tmp_path: Path) -> None:
    sheet, errors = filled(run, tmp_path), tmp_path / "errors.xlsx"
    sheet.write_bytes(sheet.read_bytes().replace(b"09520001002014", b"09520001002015", 1))
    refused = run("import", str(sheet), "--submitter", FIRM, "--errors", str(errors), "--lang", "zh")
    assert refused.code == 1
    assert "第 2 行 item “09520001002015”: error check-digit — 校验位应为 4" in refused.out
    hint = "有一处错误则整表不收;--behaviour proceed 只收没有错误的交接"
    assert hint in refused.out
    others = run("import", str(sheet), "--submitter", FIRM, "--dry-run", "--behaviour", "proceed", "--lang", "zh")
    assert hint not in others.out
    book = openpyxl.load_workbook(errors)
    main: Any = book.worksheets[0]
    assert "校验位应为 4" in main["A2"].value
    [wrong] = [cell for cell in main[2] if cell.value == "09520001002015"]
    wrong.value = "09520001002014"
    book.save(errors)
    assert json.loads(run("import", str(errors), "--submitter", FIRM, "--json").out)["accepted"] == 2


def test_what_is_no_sheet_is_told_in_the_clerk_s_language(run: Callable[..., Any], tmp_path: Path) -> None:
    old = tmp_path / "old.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    done = run("import", str(old), "--lang", "zh")
    assert done.code == 1
    assert "请另存为 .xlsx" in done.err
    assert run("template", "-o", str(tmp_path / "sheet.ods")).code == 64
    assert run("import", str(tmp_path / "none.csv")).code == 64


@pytest.mark.parametrize("profile", MEETS)
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_profile_is_asked_of_a_sheet(run: Callable[..., Any], tmp_path: Path, profile: str, form: Form) -> None:
    file = tmp_path / f"filled.{form}"
    _, row, key, code = next(one for one in LACKS if one[0] == profile)
    file.write_bytes(sheet(form, rows(profile, "A", (row, key))))
    refused = run("import", str(file), "--submitter", FIRM, "--profile", profile, "--json")
    told = json.loads(refused.out)
    assert (refused.code, told["accepted"], told["written"]) == (1, 0, False)
    [fault] = [one for one in told["faults"] if one["level"] == "error"]
    assert (fault["code"], fault["row"], fault["column"]) == (code, 2 + row, heading(form, key))
    file.write_bytes(sheet(form, rows(profile, "A")))
    taken = run("import", str(file), "--submitter", FIRM, "--profile", profile, "--json")
    assert (taken.code, json.loads(taken.out)["accepted"]) == (0, 1)
