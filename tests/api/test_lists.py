"""Lists by command and over HTTP: the sample's lot, sheets that open, and what is asked wrongly."""

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

LOT = "https://id.gs1.org/01/09520001002014/10/BJ241018"
BACK = "https://id.gs1.org/01/09520001002021/10/DT241111"
MARKET = "9520001001055"


@pytest.fixture
def loaded(run: Any) -> Any:
    """The command line with the sample loaded and anchored."""
    assert run("sample", "load").code == 0
    assert run("anchor").code == 0
    return run


def test_a_list_says_where_everything_is_and_what_does_not_add_up(loaded: Any) -> None:
    told = loaded("list", "(01)09520001002014(10)BJ241018", "--json").json
    total = told["totals"][0]
    assert {kind: total[kind] for kind in ("made", "found", "in_stock", "sold", "destroyed", "used", "unaccounted")} == {
        "made": "150", "found": "10", "in_stock": "122", "sold": "4", "destroyed": "30", "used": "4", "unaccounted": "10",
    }  # fmt: skip
    market = next(one for one in told["holdings"] if MARKET in one["place"] and one["item"] == LOT)
    assert (market["stock"], market["arrived"], market["left"]) == ("20", "30", "5")
    assert len(market["last_record"]) == 64
    assert [one["code"] for one in told["unexplained"]] == ["found"]
    # The lot became portions, which are counted in their own unit.
    assert [(one["item"], one["unit"]) for one in told["totals"][1:]] == [(BACK, "KGM")]


def test_a_list_backward_is_about_what_it_was_made_of(loaded: Any) -> None:
    told = loaded("list", BACK, "--direction", "back", "--json").json
    assert {one["item"] for one in told["holdings"]} == {BACK, LOT}


def test_a_list_as_of_a_time_and_of_a_log(loaded: Any) -> None:
    early = loaded("list", LOT, "--as-of", "2024-10-22T00:00:00+08:00", "--json").json
    assert {one["status"] for one in early["holdings"]} == {"gone", "on-the-way"}
    assert early["totals"][0]["on_the_way"] == "150"
    assert loaded("list", LOT, "--size", "0", "--json").json["holdings"] == []
    refused = loaded("list", LOT, "--size", "1000000", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "trace-query")


def test_sheets_open_and_hold_the_same(loaded: Any, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    assert loaded("list", LOT, "-o", str(path), "--lang", "zh").code == 0
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["清单", "合计", "流向", "账实不符"]
    rows = list(book["清单"].values)
    stock = rows[0].index("库存")
    assert sum(row[stock] for row in rows[1:] if row[0] == "(01)09520001002014(10)BJ241018") == 122
    path = tmp_path / "list.csv"
    loaded("list", LOT, "-o", str(path), "--lang", "en")
    read = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    assert len(read) == len(rows) - 1
    assert {one["status"] for one in read} == {"gone", "in stock"}


def test_the_cn_list_of_a_chain_and_of_one_firm(loaded: Any, tmp_path: Path) -> None:
    path = tmp_path / "cn.csv"
    assert loaded("list", LOT, "--cn", "-o", str(path), "--lang", "zh").code == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    assert {"来源", "去向", "数量", "位置"} <= set(rows[0])
    assert {one["类别"] for one in rows} == {"生产", "进货", "出货", "投料", "销售", "销毁", "多出(未说明)", "在库"}
    loaded("list", LOT, "--cn", "--at", f"https://id.gs1.org/414/{MARKET}", "-o", str(path), "--lang", "zh")
    one_firm = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    assert {(one["类别"], one["数量"]) for one in one_firm if "BJ241018" in one["追溯码"]} == {
        ("进货", "30"), ("投料", "4"), ("出货", "5"), ("销售", "1"), ("在库", "20"),
    }  # fmt: skip
    assert all(MARKET in one["位置"] for one in one_firm)


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("list", "no such thing"), "EPC"),
        (("list", LOT, "--as-of", "yesterday"), "--as-of"),
        (("list", LOT, "--at", LOT), "--at"),
        (("list", LOT, "-o", "list.pdf"), "-o"),
    ],
)
def test_what_is_asked_wrongly_is_wrong_usage(loaded: Any, arguments: tuple[str, ...], place: str) -> None:
    told = loaded(*arguments, "--json")
    assert (told.code, told.json["error"]["place"]) == (64, place)


def test_a_lot_that_nobody_names_is_an_empty_list(loaded: Any) -> None:
    told = loaded("list", "urn:nobody:1")
    assert (told.code, "no record names urn:nobody:1" in told.out) == (0, True)


def test_the_fsma_spreadsheet_by_command(loaded: Any, tmp_path: Path) -> None:
    path = tmp_path / "fsma.csv"
    told = loaded("fsma204", "--lot", LOT, "-o", str(path), "--json").json
    read = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    assert len(read) == len(told["rows"]) == told["complete"] + told["incomplete"] > 10
    assert {one["critical tracking event"] for one in read} == {
        "shipping", "receiving", "transformation input",
    }  # fmt: skip
    assert loaded("fsma204", "--from", "2024-11-10T00:00:00Z", "--to", "2024-11-09T00:00:00Z").code == 1
    assert loaded("fsma204", "--location", "here").code == 64
    own = loaded("fsma204", "--submitter", "https://id.gs1.org/417/9520001001031", "--json").json["rows"]
    assert {one["location: identifier"][:18] for one in own} == {"(414)9520001001031"}


def test_labels_by_command(loaded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDONGLIAN_RESOLVER", "https://q.example")
    path = tmp_path / "labels.html"
    told = loaded("labels", "(01)09520001002014", "--lot", "BJ241018", "--serial", "01", "--count", "25", "--out", str(path), "--json").json  # fmt: skip
    assert (len(told["labels"]), told["pages"]) == (25, 2)
    assert told["labels"][24]["uri"] == "https://q.example/01/09520001002014/10/BJ241018/21/25"
    assert path.read_text("utf-8").count("<svg ") == 2
    made = next(one for one in loaded("list", LOT, "--json").json["movements"] if one["kind"] == "used")
    receipt = tmp_path / "receipt.json"
    receipt.write_text(
        f'{{"records": [{{"record_hash": "{made["record"]}"}}, {{"record_hash": "{made["record"]}"}}]}}', "utf-8"
    )
    loaded("labels", "(01)09520001002014", "--lot", "BJ241018", "--count", "25", "--out", str(tmp_path / "l.pdf"))
    assert (tmp_path / "l.pdf").read_bytes().count(b"/Type/Page/") == 2
    told = loaded("labels", "--receipt", str(receipt), "--out", str(tmp_path / "x.svg"), "--json").json
    assert [one["uri"] for one in told["labels"]] == ["https://q.example/01/09520001002021/10/DT241111"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--out", "labels.png", LOT), 64),
        (("--out", "labels.html"), 64),
        (("--out", "labels.html", "urn:x:box"), 1),
        (("--out", "labels.html", "https://id.gs1.org/00/395200010000000029"), 1),
        (("--out", "labels.html", "--record", "0" * 64), 1),
        (("--out", "labels.html", "--receipt", "nosuch.json"), 64),
        (("--out", "labels.html", "--format", "letter", LOT), 1),
        (("--out", "labels.html", "--count", "10001", LOT), 1),
    ],
)
def test_labels_asked_wrongly(
    loaded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    assert loaded("labels", *arguments).code == code
    assert not list(tmp_path.glob("labels.*"))
