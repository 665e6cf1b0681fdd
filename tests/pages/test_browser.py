"""Journeys in a real Chromium: in both languages, on a desktop and a telephone, without JavaScript, by keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.chromium

DESKTOP, PHONE = (1440, 900), (390, 844)

WORDS = {
    "zh": {
        "load": "载入示例疫情",
        "home": "库中现有",
        "sample": "用示例追溯一次",
        "ask": "开始追溯",
        "answer": "谁与什么可能暴露",
        "why": "为什么列出",
        "pallet": "2 号托盘",
        "proof": "下载凭证包",
        "check": "核验凭证",
        "go": "核验",
        "valid": "有效 VALID",
    },
    "en": {
        "load": "Load the sample outbreak",
        "home": "What is in the store",
        "sample": "Trace the sample",
        "ask": "Trace",
        "answer": "Who and what may have been exposed",
        "why": "Why person",
        "pallet": "pallet 2",
        "proof": "Download the proof",
        "check": "Check a proof",
        "go": "Check",
        "valid": "VALID",
    },
}

KINDS = [
    pytest.param(lang, size, scripts, id=f"{lang}-{name}{'' if scripts else '-noscript'}")
    for lang, size, name, scripts in (
        ("zh", DESKTOP, "desktop", True),
        ("zh", PHONE, "phone", True),
        ("en", DESKTOP, "desktop", True),
        ("en", PHONE, "phone", True),
        ("zh", PHONE, "phone", False),
    )
]


@pytest.fixture
def window(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[tuple[Page, dict[str, str], bool, bool]]:
    lang, (width, height), scripts = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        locale={"zh": "zh-CN", "en": "en-GB"}[lang],
        java_script_enabled=scripts,
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: None if "127.0.0.1" in asked.url else wrong.append(asked.url))
    yield page, WORDS[lang], width < 700, scripts
    context.close()
    assert wrong == []


def no_sideways(page: Page) -> None:
    """The page itself never scrolls sideways; its wide tables do."""
    sizes = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert sizes[0] <= sizes[1], page.url


@pytest.mark.parametrize(
    "window", [(lang.values[0], *lang.values[1:]) for lang in KINDS], ids=[k.id for k in KINDS], indirect=True
)
def test_from_the_sample_to_a_checked_proof(
    site: Any, window: tuple[Page, dict[str, str], bool, bool], tmp_path: Path, trust: Path
) -> None:
    page, words, phone, scripts = window
    sign_in(page, site)
    expect(page.get_by_role("heading", level=1)).to_have_text(words["home"])
    look(page)
    page.get_by_role("link", name=words["sample"]).click()
    page.get_by_label(re.compile("为什么追溯|What it is for")).fill("journey")
    look(page)
    page.get_by_role("button", name=words["ask"], exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["answer"])
    if scripts:
        expect(page.locator("#views[data-ready]")).to_be_visible()
        expect(page.locator("#drawn")).to_be_hidden()
        page.locator("#f-kind").select_option("person")
        expect(page.locator(".v-list")).to_have_attribute("aria-rowcount", "27")
        look(page)
        page.locator('.v-row[aria-rowindex="2"] a').click()
    else:
        for picture in ("route", "timeline"):
            expect(page.locator(f"svg.{picture}.narrow")).to_be_visible(visible=phone)
            expect(page.locator(f"svg.{picture}.wide")).to_be_visible(visible=not phone)
            expect(page.locator(f"section:has(> #{picture}) details")).to_have_count(1)
        assert page.locator("section:has(> #list-person) tbody tr").count() > 10
        look(page)
        page.locator("section:has(> #list-person) a.why").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(words["why"])
    expect(page.locator(".walk > li").first).to_contain_text(words["pallet"])
    look(page)
    page.locator(".walk .proofs a").first.click()
    look(page)
    with page.expect_download() as given:
        page.get_by_role("link", name=words["proof"]).click()
    given.value.save_as(tmp_path / "one.bundle.json")
    page.get_by_role("link", name=words["check"]).first.click()
    page.locator("#bundle").set_input_files(tmp_path / "one.bundle.json")
    page.locator("#trust").set_input_files(trust)
    page.get_by_role("button", name=words["go"], exact=True).click()
    expect(page.locator(".verdict h2")).to_contain_text(words["valid"])
    expect(page.locator(".steps tbody tr")).to_have_count(10)
    expect(page.locator("pre.command").first).to_contain_text("sudonglian-verify one.bundle.json --trust trust.json")
    look(page)


def sign_in(page: Page, site: Any) -> None:
    page.goto(site.url + "/sign-in")
    page.locator("#key").fill(site.api_key("trace"))
    page.locator("form.ask:has(#key) button").click()


def look(page: Page) -> None:
    expect(page.locator("main")).to_be_visible()
    expect(page.locator("h1")).to_have_count(1)
    no_sideways(page)


def test_a_newcomer_loads_the_sample_and_signs_in_by_the_link(fresh: Any, chromium: Browser) -> None:
    context = chromium.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(fresh.url)
    page.get_by_role("button", name=WORDS["zh"]["load"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["zh"]["home"])
    expect(page.get_by_text("人员（仅计数）")).to_have_count(0)
    page.goto(fresh.link)
    page.get_by_role("button", name="开始试用").click()
    assert "code=" not in page.url
    expect(page.get_by_text("人员（仅计数）")).to_be_visible()
    # The page looks again by itself until everything is anchored.
    again = page.get_by_role("link", name="再看一次")
    for _ in range(60):
        if not again.count():
            break
        page.wait_for_timeout(500)
        again.click()
    expect(page.get_by_text("已最终").first).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["en"]["home"])
    page.get_by_role("navigation").get_by_role("link", name="Trace").click()
    assert page.url.endswith("/trace?lang=en")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    context.close()


def test_by_keyboard(site: Any, chromium: Browser) -> None:
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(site.url)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.keyboard.press("Tab")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("urn:x:nothing")
    page.keyboard.press("Enter")
    expect(page.locator("#seed")).to_have_value("urn:x:nothing")
    context.close()


def test_in_print_everything_is_there(site: Any, chromium: Browser) -> None:
    context = chromium.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(site.url + "/verify")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    context.close()
