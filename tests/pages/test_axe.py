"""axe finds nothing serious or critical on any page, in both languages, on a desktop and a telephone; and pages are light.

axe-core comes from the lock file of api/browser/ and is never served: the test brings it into the browser itself.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from sudonglian.api.commands import sample

pytestmark = [pytest.mark.signing, pytest.mark.chromium]

AXE = Path(__file__).resolve().parents[2] / "api" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
STORY = sample.stories()["frozen-fish"]
FIRM = "urn:sudonglian:submitter:local"
FORBIDDEN = {"serious", "critical"}
LIGHT = 100_000
"""Bytes that the first paint of an ordinary page may transfer."""

SIZES = {"zh": (390, 844), "en": (1440, 900)}

SHEET = (
    "handoff no,step,time,place,from,to,item,lot,quantity,unit,product class,temperature\n"
    f"AXE-1,shipping,2026-01-05 08:30,9520001001017,{FIRM},9520001003028,09520001002014,AXE,2,KGM,frozen,-5\n"
)


@dataclass
class Tried:
    """A server with the sample and a handoff of the firm that tries it out."""

    site: Any
    record: str
    capture: str


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, serve: Any) -> Iterator[Tried]:
    with serve(tmp_path_factory.mktemp("axe") / "data") as site:
        site.run("sample", "load")
        scopes = ("--scope", "capture", "--scope", "read-own")
        token = site.run("keys", "api", "create", "--name", "axe", *scopes, "--submitter", FIRM)["token"]
        headers = {"Content-Type": "text/csv", "Authorization": f"Bearer {token}"}
        sent = site.visitor().ask("POST", "/import", SHEET.encode(), headers)
        assert sent.status == 202, sent.text
        until = time.monotonic() + 60
        while time.monotonic() < until:
            seen = site.visitor().get("/index.json").json
            if seen["records"] and not seen["lag"] and not seen["pending"]:
                break
            time.sleep(0.2)
        else:
            raise AssertionError(seen)
        yield Tried(site, sent.json["records"][0]["record_hash"], sent.json["captureID"])


@pytest.fixture(scope="module")
def cookies(tried: Tried, chromium: Browser) -> Any:
    """Try everything out, as the printed link lets its first visitor: all roles at once."""
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(tried.site.link)
    page.locator("button[value=trial]").click()
    page.wait_for_load_state()
    found = context.cookies()
    context.close()
    return found


def judge(page: Page, where: str) -> list[str]:
    """Return what axe finds on a page that must not be."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert len(found["passes"]) > 10, where
    return [
        f"{where}: {one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in FORBIDDEN
    ]


def addresses(tried: Tried) -> list[str]:
    """Return every page that a person may open by its address."""
    lot = "https://id.gs1.org/01/09520001002014/10/AXE"
    return [
        *("/", "/sign-in", "/account", "/account/second-factor", "/verify", "/upload", "/trace", "/board", "/approve"),
        *("/mine", "/mine/records", "/mine/records?q=nothing-like-it", "/mine/new", "/mine/inbox", "/mine/inbox?all=1"),
        *(f"/mine/receipts/{tried.capture}", f"/mine/sign/{tried.record}", f"/records/{tried.record}", "/dock"),
        *("/temperature", f"/temperature?lot={lot}", f"/temperature?lot={STORY['seed']}"),
        *("/item/00/395200010000000028", "/no-such-page", "/records/zz"),
    ]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_serious_on_any_page(tried: Tried, chromium: Browser, cookies: Any, lang: str) -> None:
    width, height = SIZES[lang]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, locale={"zh": "zh-CN", "en": "en-GB"}[lang]
    )
    context.add_cookies(cookies)
    page = context.new_page()
    found: list[str] = []
    for path in addresses(tried):
        page.goto(tried.site.url + path)
        assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[lang]
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        found += judge(page, path)
    # With mistakes at the fields, in a form and beside the rows of a sheet.
    page.goto(tried.site.url + "/mine/new")
    page.locator("[name='item.0']").fill("1")
    page.locator("[name='temperature']").evaluate("one => { one.closest('details').open = true; }")
    page.locator("[name='temperature']").fill("cold")
    page.locator("button[name=do]").first.click()
    assert page.locator("[aria-invalid]").count() >= 2
    found += judge(page, "/mine/new with mistakes")
    page.goto(tried.site.url + "/upload")
    sheet = SHEET.replace("AXE-1", "AXE-2").replace("KGM", "x").encode()
    page.locator("#file").set_input_files({"name": "wrong.csv", "mimeType": "text/csv", "buffer": sheet})
    page.locator("button[value=preview]").click()
    assert page.locator("tr.error").count() >= 1
    found += judge(page, "/upload with mistakes")
    # A trace: its answer, and why somebody is on it.
    page.goto(f"{tried.site.url}/trace?seed={STORY['seed']}&at={STORY['at'].replace('+', '%2B')}")
    page.get_by_label(re.compile("What it is for|为什么追溯")).fill("axe")
    page.get_by_role("button", name=re.compile("^(Trace|开始追溯)$")).click()
    page.locator("#views[data-ready]").wait_for(timeout=60_000)
    found += judge(page, "a trace")
    page.locator('.v-row[aria-rowindex="2"] a').click()
    page.locator(".walk").wait_for()
    found += judge(page, "why")
    context.close()
    assert found == []


@pytest.mark.parametrize("path", ["/", "/mine", "/mine/records", "/mine/new", "/mine/inbox", "/dock", "sign"])
def test_pages_are_light(tried: Tried, chromium: Browser, cookies: Any, path: str) -> None:
    context = chromium.new_context(locale="zh-CN")
    context.add_cookies(cookies)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    received: list[int] = []
    session.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    page.goto(tried.site.url + (f"/mine/sign/{tried.record}" if path == "sign" else path), wait_until="networkidle")
    assert len(received) >= 2
    assert sum(received) < LIGHT
    context.close()


def test_scripts_are_files_of_this_server_alone(tried: Tried, cookies: Any) -> None:
    visitor = tried.site.visitor()
    visitor.cookies = {one["name"]: one["value"] for one in cookies}
    for path in addresses(tried):
        answer = visitor.get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy, path
        assert "default-src 'none'" in policy, path
        for script in re.findall(r"<script[^>]*>.*?</script>", answer.text, re.DOTALL):
            where = r"(modules/[0-9a-f]{12}/[a-z-]+\.js|[a-z]+\.js\?v=[0-9a-f]{12})"
            assert re.fullmatch(rf'<script type="module" src="/static/{where}"></script>', script)
        assert not re.search(r"<[^>]+ on[a-z]+=", answer.text), path
        assert not re.search(r"<[^>]+ style=", answer.text), path
