"""The pages of cases: from opening to the identities, by two persons, in both languages, at a desk and on a telephone."""

import io
import json
import re
import time
import zipfile
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.people import enrol

from sudonglian.api.commands import sample
from sudonglian.api.pages import session
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

STORY: Final = sample.stories()["frozen-fish"]
PHONE_NUMBER: Final = "19900000503"
PATIENCE_S: Final = 60
FIRST_PAINT: Final = 102_400
SIZES: Final = ((1440, 900), (390, 844))


def token_of(site: Any, *scopes: str) -> str:
    """Return the key of a person of their own for each set of scopes."""
    if scopes not in site.keys:
        name = "-".join(scopes)
        store = Store(f"sqlite:///{site.data / 'sudonglian.db'}")
        enrol(store, Keys.open(site.data / "keys"), name, "epidemiologist", "approver")
        store.close()
        asked = [part for scope in scopes for part in ("--scope", scope)]
        site.keys[scopes] = site.run("keys", "api", "create", "--name", name, "--account", name, *asked)["token"]
    return str(site.keys[scopes])


def someone(site: Any, *scopes: str) -> Any:
    visitor = site.visitor()
    visitor.cookies[session.KEY_COOKIE] = token_of(site, *scopes)
    return visitor


@pytest.fixture(scope="module")
def case(site: Any) -> str:
    """A case that was opened and traced on the pages; its address."""
    ana = someone(site, "case", "trace")
    told = {"name": "P-1", "purpose": "阳性托盘", "basis": "传染病防治法", "responsible": "Ana"}
    opened = ana.post("/board", dict(told), on="/board")
    assert opened.status == 303
    url = str(opened.headers["location"])
    seed = {"subject": STORY["seed"], "at": "2024-11-10T14:00", "result": "positive", "ct": "31.5", "sample": "外包装"}
    assert ana.post(f"{url}/seed", seed, on="/board").status == 303
    assert ana.post(f"{url}/seed", seed, on="/board").status == 422  # pressed twice
    shown = ana.get(url).text
    assert re.search(r'href="/trace\?[^"]*case=P-1"', shown)
    ask = {"seed": STORY["seed"], "at": "2024-11-10T14:00", "lookback": "14d", "why_kind": "case", "why": "P-1"}
    traced = ana.post("/trace", {**ask, "direction": "forward", "place": ""}, on="/trace")
    assert traced.status == 303, traced.text
    deadline = time.monotonic() + PATIENCE_S
    while 'http-equiv="refresh"' in (told := ana.get(traced.headers["location"])).text:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert told.status == 200
    assert len(ana.get(f"{url}.json").json["rows"]) == 26
    return url


def test_a_case_is_taken_along_by_pseudonym_and_with_identities_once(site: Any, case: str) -> None:
    ana, bo = someone(site, "case", "trace"), someone(site, "reveal-approve")
    link = f"{case}/exports/line-list"
    assert f'href="{link}?lang=zh"' in ana.get(f"{case}?lang=zh").text
    got = ana.get(f"{link}?lang=zh")
    assert (got.status, got.headers["content-disposition"][:20]) == (200, "attachment; filename")
    assert ("化名或标识" in text_of(got.body), PHONE_NUMBER in text_of(got.body)) == (True, False)
    assert bo.get(link).status == 403
    assert ana.get(f"{case}/exports/doc").status == 422
    assert ana.post(f"{case}/reveal", {"why": "带走"}, on="/board").status == 303
    number = next(one["reveal"] for one in bo.get("/approve.json").json["reveals"] if one["why"] == "带走")
    assert bo.post(f"/approve/{number}", {"decision": "approve"}, on="/approve").status == 303
    take = f"{link}/{number}"
    assert f'action="{take}?lang=zh"' in ana.get(f"{case}?lang=zh").text
    assert bo.post(take, {}, on="/approve").status == 403
    shown = ana.post(take, {}, on="/board")
    assert (shown.status, PHONE_NUMBER in text_of(shown.body)) == (200, True)
    assert shown.headers["cache-control"] == "no-store"
    assert ana.post(take, {}, on="/board").status == 409


def text_of(body: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return archive.read("xl/sharedStrings.xml").decode()


def test_identities_are_shown_once_to_who_asked_after_another_approved(site: Any, case: str) -> None:
    ana, bo = someone(site, "case", "trace"), someone(site, "reveal-approve")
    assert ana.post(f"{case}/reveal", {"why": "逐一联系"}, on="/board").status == 303
    (waits,) = bo.get("/approve.json").json["reveals"]
    number = waits["reveal"]
    assert "逐一联系" in bo.get("/approve").text
    early = ana.post(f"{case}/show/{number}", {}, on="/board")
    assert (early.status, PHONE_NUMBER in early.text) == (409, False)
    assert ana.get("/approve").status == 403
    assert bo.get(case).status == 403
    assert bo.post(f"/approve/{number}", {"decision": "approve"}, on="/approve").status == 303
    assert f"{case}/show/{number}" in ana.get(case).text
    other = someone(site, "case")
    assert f"{case}/show/{number}" not in other.get(case).text
    assert other.post(f"{case}/show/{number}", {}, on="/board").status == 403
    shown = ana.post(f"{case}/show/{number}", {}, on="/board")
    assert shown.status == 200
    assert PHONE_NUMBER in shown.text
    assert shown.headers["cache-control"] == "no-store"
    again = ana.post(f"{case}/show/{number}", {}, on="/board")
    assert (again.status, PHONE_NUMBER in again.text) == (409, False)
    for path in (case, f"{case}.json", f"{case}.csv", "/board", "/board.json"):
        assert PHONE_NUMBER not in ana.get(path).text


def test_ones_own_cannot_be_approved_on_the_page(site: Any, case: str) -> None:
    both = someone(site, "case", "reveal-approve")
    assert both.post(f"{case}/reveal", {"why": "own"}, on="/board").status == 303
    number = next(one["reveal"] for one in both.get("/approve.json").json["reveals"] if one["why"] == "own")
    assert both.post(f"/approve/{number}", {"decision": "approve"}, on="/approve").status == 403
    bo = someone(site, "reveal-approve")
    assert bo.post(f"/approve/{number}", {"decision": "refuse", "why": "no"}, on="/approve").status == 303
    assert number not in {one["reveal"] for one in bo.get("/approve.json").json["reveals"]}


def test_a_form_without_its_token_does_nothing(site: Any, case: str) -> None:
    ana = someone(site, "case", "trace")
    for path in (f"{case}/close", f"{case}/reveal", "/board"):
        assert ana.post(path, {"form": "0" * 64, "why": "x"}).status == 403
    assert ana.get(f"{case}.json").json["state"] == "open"


def test_statuses_results_and_what_is_refused(site: Any, case: str) -> None:
    ana = someone(site, "case", "trace")
    person = str(ana.get(f"{case}.json").json["rows"][0]["person"])
    assert ana.post(f"{case}/status", {"person": person, "status": "contacted"}, on="/board").status == 303
    tested = {"subject": f"person:{person}", "at": "2024-11-12T09:00", "result": "negative", "ct": "40", "sample": ""}
    assert ana.post(f"{case}/result", tested, on="/board").status == 303
    assert ana.get(f"{case}.json").json["rows"][0]["status"] == "negative"
    for what, fields, status in (
        ("status", {"person": "x", "status": "contacted"}, 422),
        ("seed", {"subject": "nothing", "at": "2024-11-12T09:00"}, 400),
        ("merge", {"other": "none", "why": "x"}, 404),
        ("nothing", {}, 400),
    ):
        assert ana.post(f"{case}/{what}", dict(fields), on="/board").status == status, what


def test_a_case_is_closed_and_opened_again(site: Any) -> None:
    ana = someone(site, "case", "trace")
    told = {"name": "P-9", "purpose": "p", "basis": "b", "responsible": "r"}
    url = ana.post("/board", told, on="/board").headers["location"]
    assert ana.post("/board", dict(told), on="/board").status == 409
    assert ana.post(f"{url}/close", {"why": "over"}, on="/board").status == 303
    assert ana.post(f"{url}/close", {"why": "over"}, on="/board").status == 409
    assert ana.post(f"{url}/reopen", {"why": "again"}, on="/board").status == 303
    assert [one["do"] for one in ana.get(f"{url}.json").json["timeline"]] == ["open", "close", "reopen"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_small_pages_without_scripts(site: Any, case: str, lang: str) -> None:
    ana = someone(site, "case", "trace", "reveal-approve")
    for path in ("/board", case, "/approve"):
        answer = ana.get(f"{path}?lang={lang}")
        assert answer.status == 200
        assert "<script" not in answer.text
        style = ana.get(re.findall(r'rel="stylesheet" href="([^"]+)"', answer.text)[0])
        assert len(answer.body) + len(style.body) < FIRST_PAINT, path
        assert "case." not in re.sub(r"<[^>]*>", "", answer.text)
    assert json.loads(ana.get(f"{case}.json").body)["name"] == "P-1"


@pytest.mark.chromium
@pytest.mark.parametrize("size", SIZES, ids=["desktop", "phone"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_in_a_browser(site: Any, case: str, chromium: Browser, lang: str, size: tuple[int, int]) -> None:
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, locale={"zh": "zh-CN", "en": "en-GB"}[lang]
    )
    page = context.new_page()
    page.goto(site.url + "/sign-in")
    page.locator("#key").fill(token_of(site, "case", "trace"))
    page.locator("form:has(#key) button").click()
    page.get_by_role("link", name={"zh": "案件", "en": "Cases"}[lang], exact=True).click()
    looks_right(page)
    page.get_by_role("link", name="P-1").click()
    looks_right(page)
    expect(page.locator(".members tbody tr")).to_have_count(26)
    for one in page.locator("details > summary").all():
        one.click()
    looks_right(page)
    context.close()


def looks_right(page: Page) -> None:
    expect(page.locator("h1")).to_have_count(1)
    sizes = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert sizes[0] <= sizes[1], page.url
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input:not([type=hidden]), select')].filter(e => !e.labels.length && "
        "!e.getAttribute('aria-label')).map(e => e.id || e.name)"
    )
    assert unnamed == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
