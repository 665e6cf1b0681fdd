"""One handoff typed into a form: mistakes stand at their fields, what is right is taken, with its receipt and labels."""

import re
from typing import Any

import pytest

FIRM = "https://id.gs1.org/417/9520001003042"
BUYER = "https://id.gs1.org/417/9520001003059"

RIGHT = {
    "handoff": "FORM-1",
    "step": "shipping",
    "time": "2026-01-05T08:30",
    "place": "9520001001017",
    "from": FIRM,
    "to": BUYER,
    "item.0": "09520001002014",
    "lot.0": "FORM-A",
    "quantity.0": "2",
    "unit.0": "KGM",
    "item.1": "(00)395200010000040024",
    "temperature": "-18.5",
    "rows": "2",
}


@pytest.fixture(scope="module")
def clerk(desk: Any) -> Any:
    scopes = ("--scope", "capture", "--scope", "read-own")
    made = desk.run("keys", "api", "create", "--name", "form", *scopes, "--submitter", FIRM)
    visitor = desk.visitor()
    assert visitor.post("/sign-in", {"key": made["token"]}).status == 303
    return visitor


def send(clerk: Any, do: str, lang: str = "en", **changed: str) -> Any:
    fields = {**RIGHT, "do": do, **{name.replace("__", "."): value for name, value in changed.items()}}
    return clerk.post(f"/mine/new?lang={lang}", fields, on="/mine/new")


def field_of(text: str, name: str) -> str:
    """Return the part of the page that is about one field."""
    found = re.search(
        rf'<div class="field[^"]*">(?:(?!<div class="field).)*? name="{re.escape(name)}".*?</div>', text, re.DOTALL
    )
    assert found is not None, name
    return found[0]


def test_looking_writes_nothing_and_sending_gives_a_receipt_with_labels(clerk: Any) -> None:
    looked = send(clerk, "preview")
    assert looked.status == 200
    assert "Nothing is wrong with it. Send it." in looked.text
    assert clerk.get("/mine/records.json?q=FORM-A").json["records"] == []
    taken = send(clerk, "take")
    assert taken.status == 303
    shown = clerk.get(taken.headers["location"])
    assert "1 new, 0 known before, 0 refused" in shown.text
    [record] = clerk.get("/mine/records.json?q=FORM-A").json["records"]
    assert f"/records/{record['record_hash']}" in shown.text
    assert [one["id"] for one in record["things"]] == [
        "https://id.gs1.org/00/395200010000040024",
        "https://id.gs1.org/01/09520001002014/10/FORM-A",
    ]
    assert "Sign (1)" in shown.text
    path = taken.headers["location"].partition("?")[0]
    assert clerk.get(f"{path}.json").json["records"][0]["record_hash"] == record["record_hash"]
    capture = path.rpartition("/")[2]
    pdf = clerk.get(f"/mine/labels?capture={capture}")
    assert (pdf.status, pdf.headers["content-type"], pdf.body[:5]) == (200, "application/pdf", b"%PDF-")
    sheet = clerk.get(f"/mine/labels?record={record['record_hash']}&file=html&format=a4-8")
    assert sheet.text.count("FORM-A") == 1
    # The same again is the same: nothing new, and the receipt says so.
    assert "it was sent before, and sending it again changes nothing" in send(clerk, "preview").text
    again = clerk.get(send(clerk, "take").headers["location"])
    assert "0 new, 1 known before, 0 refused" in again.text


@pytest.mark.parametrize(
    ("name", "value", "at", "sentence"),
    [
        ("item.1", "395200010000040025", "item.1", "check digit must be 4"),
        ("time", "2026-01-05", "time", "the time of day is needed too"),
        ("time", "", "time", "the handoff has no time"),
        ("place", "9520001001018", "place", "check digit must be 7"),
        ("handoff", "", "handoff", "there is no handoff number"),
        ("handoff", "EXAMPLE-1", "handoff", "must not begin with EXAMPLE"),
        ("step", "flying", "step", "not a word of the list"),
        ("quantity.0", "many", "quantity.0", "must be a number"),
        ("temperature", "cold", "temperature", "must be a number"),
        ("expires.0", "soon", "expires.0", "must be a day"),
        ("lot.0", "x" * 21, "lot.0", ""),
    ],
)
def test_a_mistake_stands_at_its_field(clerk: Any, name: str, value: str, at: str, sentence: str) -> None:
    before = clerk.get("/mine.json").json["records"]
    for do in ("preview", "take"):
        answer = send(
            clerk, do, **{name.replace(".", "__"): value}, **({} if name == "handoff" else {"handoff": "W-1"})
        )
        assert answer.status == 422, answer.text
        here = field_of(answer.text, at)
        assert 'aria-invalid="true"' in here
        assert sentence in here.replace("&#39;", "'")
        assert f'href="#f-{at.replace(".", "-")}"' in answer.text
        # What was typed is still there.
        assert "FORM-A" in answer.text or name == "lot.0"
    assert clerk.get("/mine.json").json["records"] == before


def test_every_mistake_is_shown_at_once_in_chinese(clerk: Any) -> None:
    answer = send(clerk, "take", lang="zh", handoff="W-2", time="x", quantity__0="x", item__1="1")
    assert "有 3 处错误" in answer.text
    for at in ("time", "quantity.0", "item.1"):
        assert "why-wrong error" in field_of(answer.text, at)


def test_another_content_under_a_number_that_was_sent_is_refused_at_the_number(clerk: Any) -> None:
    assert send(clerk, "take", handoff="W-3", lot__0="FIRST").status == 303
    answer = send(clerk, "take", handoff="W-3", lot__0="SECOND")
    assert answer.status == 422
    assert "a correction needs a number of its own" in answer.text


def test_a_row_more_keeps_what_was_typed(clerk: Any) -> None:
    answer = send(clerk, "more")
    assert 'name="item.2"' in answer.text
    assert 'value="FORM-A"' in answer.text
    assert 'name="item.2"' not in clerk.get("/mine/new").text
    assert len(re.findall(r'name="item\.\d+"', send(clerk, "more", rows="9999").text)) == 3
    assert len(re.findall(r'name="item\.\d+"', send(clerk, "more", rows="40").text)) == 40


def test_an_empty_row_between_others_moves_no_mistake(clerk: Any) -> None:
    answer = send(clerk, "preview", handoff="W-4", item__1="", item__3="1", rows="4")
    assert 'aria-invalid="true"' in field_of(answer.text, "item.3")
    assert 'aria-invalid="true"' not in field_of(answer.text, "item.1")


def test_the_address_fills_in_the_form(clerk: Any) -> None:
    text = clerk.get("/mine/new?item=(00)395200010000040024&to=9520001003059&step=receiving").text
    assert 'value="(00)395200010000040024"' in text
    assert '<option value="receiving" selected>' in text


def test_a_receipt_is_the_firms_own(clerk: Any, desk: Any) -> None:
    path = send(clerk, "take", handoff="W-5", lot__0="W5").headers["location"].partition("?")[0]
    scopes = ("--scope", "capture", "--scope", "read-own")
    other = desk.visitor()
    made = desk.run(
        "keys", "api", "create", "--name", "o", *scopes, "--submitter", "https://id.gs1.org/417/9520001003066"
    )
    other.post("/sign-in", {"key": made["token"]})
    assert other.get(path).status == 404
    assert other.get(f"/mine/labels?capture={path.rpartition('/')[2]}").status == 404
    [record] = clerk.get("/mine/records.json?q=W5").json["records"]
    assert other.get(f"/mine/labels?record={record['record_hash']}").status == 404
    assert desk.visitor().get("/mine/new").status == 401
    assert clerk.get("/mine/labels").status == 400


def test_a_button_that_is_none_of_the_page_is_refused(clerk: Any) -> None:
    answer = send(clerk, "eat")
    assert answer.status == 400
    assert 'href="/mine/new' in answer.text
