"""A firm's own pages: what to do next, its history searched, filtered, paged and exported, its own temperatures."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest

SELLER = "https://id.gs1.org/417/9520001003011"
BUYER = "9520001003028"
PALLET = "https://id.gs1.org/00/395200010000040017"

SHEET = (
    "handoff no,step,time,place,from,to,item,lot,quantity,unit,product class,temperature\n"
    "M-1,shipping,{today} 08:30,9520001001017,9520001003011,9520001003028,09520001002014,MINE-1,2,KGM,frozen,-5\n"
    "M-2,storing,2026-01-06 09:00,9520001001017,,,09520001002014,MINE-2,3,KGM,frozen,-19\n"
    "M-3,shipping,2026-01-07 10:00,9520001001017,9520001003011,9520001003028,395200010000040017,,,,,\n"
)


@pytest.fixture(scope="module")
def seller(desk: Any) -> Any:
    """A firm with three records, one of them told of within the hour."""
    scopes = ("--scope", "capture", "--scope", "read-own")
    token = desk.run("keys", "api", "create", "--name", "seller", *scopes, "--submitter", SELLER)["token"]
    visitor = desk.visitor()
    now = datetime.now(UTC) + timedelta(hours=8) - timedelta(minutes=10)
    sheet = SHEET.format(today=f"{now:%Y-%m-%d}").replace("08:30", f"{now:%H:%M}")
    sent = visitor.ask(
        "POST", "/import", sheet.encode(), {"Content-Type": "text/csv", "Authorization": f"Bearer {token}"}
    )
    assert sent.status == 202, sent.text
    entered = visitor.post("/sign-in", {"key": token})
    assert entered.headers["location"] == "/mine"
    return visitor


@pytest.fixture(scope="module")
def newcomer(desk: Any) -> Any:
    """A firm that has sent nothing."""
    scopes = ("--scope", "capture", "--scope", "read-own")
    made = desk.run(
        "keys", "api", "create", "--name", "new", *scopes, "--submitter", "https://id.gs1.org/417/9520001003035"
    )
    visitor = desk.visitor()
    assert visitor.post("/sign-in", {"key": made["token"]}).status == 303
    return visitor


def hashes(answer: Any) -> list[str]:
    return [one["record_hash"] for one in answer.json["records"]]


def test_the_first_page_says_what_waits(seller: Any) -> None:
    shown = seller.get("/mine?lang=en")
    told = seller.get("/mine.json").json
    assert (told["records"], told["to_sign"], told["keys"]) == (3, 2, [])
    assert "Handoffs to sign: 2" in shown.text
    assert "Our records: 3" in shown.text
    assert told["submissions"][0]["accepted"] == 3
    [warm] = told["warm"]
    assert warm["record_hash"] in shown.text
    assert seller.get(f"/records/{warm['record_hash']}").status == 200
    assert "待签收的交接：2" in seller.get("/mine?lang=zh").text


def test_an_empty_firm_is_taught(newcomer: Any) -> None:
    for path in ("/mine?lang=en", "/mine/records?lang=en"):
        text = newcomer.get(path).text
        assert "No records yet. Send a sheet or fill in a handoff" in text, path
    assert newcomer.get("/mine.json").json["records"] == 0
    # Another firm's records are none of its own.
    assert newcomer.get(f"/mine/records.json?q={PALLET}").json["records"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["M-3", "M-2", "M-1"]),
        ("?q=MINE-2", ["M-2"]),
        ("?q=mine-", ["M-2", "M-1"]),
        ("?q=395200010000040017", ["M-3"]),
        ("?q=(00)395200010000040017", ["M-3"]),
        ("?q=%25", []),
        ("?step=shipping", ["M-3", "M-1"]),
        ("?since=2026-01-07&until=2026-01-07", ["M-3"]),
        ("?late=1", ["M-3", "M-2"]),
        ("?late=1&step=storing&q=MINE", ["M-2"]),
        ("?q=nothing-like-it", []),
    ],
)
def test_the_history_is_searched(seller: Any, query: str, found: list[str]) -> None:
    answer = seller.get(f"/mine/records.json{query}")
    steps = {"M-1": ("shipping", "MINE-1"), "M-2": ("storing", "MINE-2"), "M-3": ("shipping", "395200010000040017")}
    listed = [(one["step"], one["things"][0]["id"].rpartition("/")[2]) for one in answer.json["records"]]
    assert listed == [steps[one] for one in found]
    page = seller.get(f"/mine/records{query}")
    assert re.findall(r'href="/records/([0-9a-f]{64})"', page.text) == hashes(answer)
    rows = list(csv.reader(io.StringIO(seller.get(f"/mine/records.csv{query}").body.decode("utf-8-sig"))))
    assert [row[-1] for row in rows[1:]] == hashes(answer)


def test_by_its_hash_and_page_by_page(seller: Any) -> None:
    every = hashes(seller.get("/mine/records.json"))
    assert hashes(seller.get(f"/mine/records.json?q=0x{every[1]}")) == [every[1]]
    walked: list[str] = []
    path = "/mine/records?perPage=1&lang=en"
    for _ in range(3):
        shown = seller.get(path)
        walked += re.findall(r'href="/records/([0-9a-f]{64})\?', shown.text)
        more = re.search(r'rel="next" href="([^"]+)"', shown.text)
        path = more[1].replace("&amp;", "&") if more else ""
    assert (walked, path) == (every, "")


def test_late_ones_are_told_apart(seller: Any) -> None:
    rows = seller.get("/mine/records.json").json["records"]
    assert [bool(one["late_s"]) for one in rows] == [True, True, False]
    assert seller.get("/mine/records?lang=en").text.count("late by ") == 2


def test_the_export_is_a_workbook_and_text_stays_text(seller: Any) -> None:
    answer = seller.get("/mine/records.xlsx?lang=en")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.body)).worksheets[0]
    rows = list(sheet.values)
    assert rows[0][0] == "Happened"
    assert [row[-1] for row in rows[1:]] == hashes(seller.get("/mine/records.json"))
    assert rows[1][7] == "unconfirmed: nobody has signed"


def test_a_day_that_is_none_is_said(seller: Any) -> None:
    answer = seller.get("/mine/records?since=yesterday&lang=en")
    assert answer.status == 400
    assert "is not a day like 2026-01-05" in answer.text


def test_a_firm_sees_its_own_temperatures(seller: Any, newcomer: Any) -> None:
    lot = "https://id.gs1.org/01/09520001002014/10/MINE-1"
    shown = seller.get(f"/temperature?lot={lot}&lang=en")
    assert "what other firms measured is not in it" in shown.text
    assert "-5" in shown.text
    assert seller.get(f"/mine/temperature.json?lot={lot}").json["max_c"] == -5
    assert b"-5" in seller.get(f"/mine/temperature.csv?lot={lot}").body
    assert seller.get(f"/mine/temperature.svg?lot={lot}").headers["content-type"] == "image/svg+xml"
    assert newcomer.get(f"/mine/temperature.json?lot={lot}").json["readings"] == 0


def test_who_has_no_firm_has_no_page(desk: Any) -> None:
    assert desk.visitor().get("/mine").status == 401
    tracer = desk.visitor(signed_in=True)
    assert tracer.get("/mine/records").status == 403
    assert 'href="/mine"' not in tracer.get("/").text
