"""Profiles of sheets: for each a filled sheet that meets it; what is missing is told with its row and column."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.records.filled_sheets import LACKS, MEETS, Form, heading, rows, sheet

from sudonglian.records.keys import Keys
from sudonglian.records.profiles.table import profile_of, profiles
from sudonglian.records.sheets import asked, columns, taking
from sudonglian.records.sheets.faults import Fault

NOW = datetime(2026, 1, 6, tzinfo=UTC)


def errors(keys: Path, raw: bytes, profile: str) -> list[Fault]:
    prepared = taking.prepare(
        Keys.open(keys, create=True), raw, submitter="urn:x:1", now=NOW, profile=profile_of(profile)
    )
    refused = taking._faults(prepared, prepared.judged.refused, ())
    return [one for one in (*prepared.reading.faults, *refused) if one.level == "error"]


def test_there_is_a_sheet_for_every_profile() -> None:
    assert set(MEETS) == set(profiles()) == {profile for profile, _, _, _ in LACKS}


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("profile", MEETS)
def test_a_filled_sheet_meets_its_profile(tmp_path: Path, profile: str, form: Form) -> None:
    assert errors(tmp_path, sheet(form, rows(profile, "P-1")), profile) == []


@pytest.mark.parametrize(("profile", "row", "key", "code"), LACKS)
def test_what_lacks_is_told_with_its_row_and_column(tmp_path: Path, profile: str, row: int, key: str, code: str) -> None:  # fmt: skip
    for form in ("xlsx", "csv"):
        found = errors(tmp_path, sheet(form, rows(profile, "P-1", (row, key))), profile)
        assert [(one.code, one.row, one.column) for one in found] == [(code, 2 + row, heading(form, key))]


def test_a_column_that_a_sheet_does_not_have_is_named_in_its_language(tmp_path: Path) -> None:
    raw = sheet("csv", rows("cn-import", "P-1", (1, "plant")))
    there = [number for number, one in enumerate(columns.HANDOFFS) if one.key != "plant"]
    lines = [line.split(",") for line in raw.decode().splitlines()]
    less = "\r\n".join(",".join(line[number] for number in there) for line in lines).encode()
    [fault] = errors(tmp_path, less, "cn-import")
    assert (fault.code, fault.row, fault.column) == ("cn-overseas-plant", 2, "overseas plant")


def test_every_rule_has_a_column_that_meets_it() -> None:
    keys = {one.key for one in columns.HANDOFFS}
    wanted = {rule.code: asked.column_of(rule.code) for one in profiles().values() for rule in one.rules}
    assert {code: key for code, key in wanted.items() if key not in keys} == {}


@pytest.mark.parametrize(
    ("change", "row", "code"),
    [
        ((0, "part"), 2, "part-missing"),
        ((1, "part"), 3, "part-missing"),
    ],
)
def test_processing_tells_of_every_row_whether_it_went_in(tmp_path: Path, change: tuple[int, str], row: int, code: str) -> None:  # fmt: skip
    [fault] = errors(tmp_path, sheet("csv", rows("fsma204-transformation", "P-1", change)), "fsma204-transformation")[
        :1
    ]
    assert (fault.code, fault.row, fault.column) == (code, row, "input or output")


def test_processing_has_two_sides(tmp_path: Path) -> None:
    made = rows("fsma204-transformation", "P-1")
    made[0]["part"] = "output"
    fault = errors(tmp_path, sheet("csv", made), "fsma204-transformation")[0]
    assert (fault.code, fault.row, fault.column, fault.text) == ("part-one-sided", 2, "input or output", "output")


def test_the_event_of_processing_is_a_transformation(tmp_path: Path) -> None:
    raw = sheet("xlsx", rows("fsma204-transformation", "P-1"))
    prepared = taking.prepare(Keys.open(tmp_path, create=True), raw, submitter="urn:x:1", now=NOW)
    [event] = [one.event("urn:x:1") for one in prepared.handoffs]
    assert (event["type"], event["bizStep"], "action" in event) == (
        "TransformationEvent",
        "creating_class_instance",
        False,
    )
    assert event["inputQuantityList"] == [
        {"epcClass": "https://id.gs1.org/01/09520001002014/10/BJ241018", "quantity": 20, "uom": "KGM"}
    ]
    assert event["outputQuantityList"] == [
        {"epcClass": "https://id.gs1.org/01/09520001002021/10/DT241111", "quantity": {"$dec": "12.5"}, "uom": "KGM"}
    ]
