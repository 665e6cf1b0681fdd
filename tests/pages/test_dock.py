"""Scans at a dock: kept without a network through a reload, sent once and in their order, late ones told apart."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from sudonglian.records.identifiers import scanned

FIRM, OTHER = "https://id.gs1.org/417/9520001003202", "https://id.gs1.org/417/9520001003219"
PLACE = "9520001001017"
SCOPES = ("--scope", "capture", "--scope", "read-own")
WITHIN_MS = 20_000

CODES = {
    "1": "(00)395200010000070014",
    "2": "395200010000070021",
    "3": "]C100395200010000070038",
    "4": "(01)09520001002014(10)DOCK-4",
    "5": "(00)395200010000070052",
    "6": "(00)395200010000070069",
    "7": "(00)395200010000070076",
    "8": "(00)395200010000070083",
}

WORDS = {
    "zh": {
        "offline": "没有网络。扫码已存在手机里",
        "synced": "已同步。",
        "refused": "被拒收",
        "late": "迟报",
        "out": "登录已失效",
    },
    "en": {
        "offline": "No network.",
        "synced": "Sent.",
        "refused": "refused",
        "late": "Late by",
        "out": "You are signed out.",
    },
}


@pytest.fixture(scope="module")
def keys(desk: Any) -> dict[str, str]:
    return {
        firm: desk.run("keys", "api", "create", "--name", "dock", *SCOPES, "--submitter", firm)["token"]
        for firm in (FIRM, OTHER)
    }


@pytest.fixture
def phone(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    lang = getattr(request, "param", "en")
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        locale={"zh": "zh-CN", "en": "en-GB"}[lang],
        timezone_id="Asia/Shanghai",
    )
    yield context
    context.close()


def enter(context: BrowserContext, desk: Any, token: str) -> Page:
    page = context.pages[0] if context.pages else context.new_page()
    page.goto(desk.url + "/sign-in")
    page.locator("#key").fill(token)
    page.locator("form.ask:has(#key) button").click()
    page.wait_for_url("**/mine")
    page.goto(f"{desk.url}/dock?place={PLACE}")
    ready(page)
    return page


def ready(page: Page) -> None:
    expect(page.locator("#dock")).to_have_attribute("data-ready", "yes", timeout=WITHIN_MS)


def scan(page: Page, code: str) -> None:
    before = page.locator("#scans li").count()
    page.locator("#code").fill(code)
    page.keyboard.press("Enter")
    expect(page.locator("#scans li")).to_have_count(before + 1)


def waiting(page: Page, count: int) -> None:
    expect(page.locator("#count-waiting")).to_have_text(str(count), timeout=WITHIN_MS)


@pytest.fixture
def recorded(desk: Any, keys: dict[str, str]) -> Callable[[], list[str]]:
    """Return the things of the firm's records at the dock, in the order in which they came in."""

    def read() -> list[str]:
        visitor = desk.visitor()
        headers = {"Authorization": f"Bearer {keys[FIRM]}"}
        rows = visitor.get("/mine/records.json?perPage=500&q=DOCK", **headers).json["records"]
        rows += visitor.get("/mine/records.json?perPage=500&q=3952000100000700", **headers).json["records"]
        rows.sort(key=lambda one: one["captured_us"])
        return [one["things"][0]["id"].rpartition("/")[2] for one in rows]

    return read


@pytest.mark.chromium
@pytest.mark.parametrize("phone", ["zh", "en"], indirect=True)
def test_scans_wait_for_a_network_and_are_sent_once_in_their_order(
    desk: Any, keys: dict[str, str], phone: BrowserContext, request: pytest.FixtureRequest
) -> None:
    lang = request.node.callspec.params["phone"]
    words = WORDS[lang]
    page = enter(phone, desk, keys[FIRM])
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    tail = {"zh": "0", "en": "9"}[lang]
    lots = [f"DOCK-{lang}-{number}" for number in range(5)]
    codes = [f"(01)09520001002014(10){lot}" for lot in lots]
    scan(page, codes[0])
    waiting(page, 0)
    phone.set_offline(True)
    for code in (codes[1], f"banana {tail}", codes[2]):
        scan(page, code)
    expect(page.locator("[data-say=offline]")).to_contain_text(words["offline"])
    waiting(page, 3)
    # Without a network the page itself opens again, with its scans and what the address says.
    page.reload()
    expect(page.locator("#scans li")).to_have_count(4, timeout=WITHIN_MS)
    expect(page.locator("#dock-place")).to_have_value(PLACE)
    ready(page)
    scan(page, codes[3])
    waiting(page, 4)
    visitor = desk.visitor()
    headers = {"Authorization": f"Bearer {keys[FIRM]}"}

    def stored() -> list[dict[str, Any]]:
        found = visitor.get(f"/mine/records.json?q=DOCK-{lang}&perPage=100", **headers).json["records"]
        return list(reversed(found))

    def names() -> list[str]:
        return [one["things"][0]["id"].rpartition("/")[2] for one in stored()]

    assert names() == lots[:1]
    phone.set_offline(False)
    waiting(page, 0)
    # Whoever presses the button again, and again, sends nothing twice.
    for _ in range(3):
        page.locator("#sync").click()
    scan(page, codes[4])
    waiting(page, 0)
    assert names() == lots
    times = [one["event_us"] for one in stored()]
    assert times == sorted(times)
    expect(page.locator("#count-refused")).to_have_text("1")
    refused = page.locator("#scans li[data-state=refused]")
    expect(refused).to_contain_text(words["refused"])
    expect(refused).to_contain_text("banana")
    expect(refused.locator("[data-part=why]")).not_to_be_empty()
    expect(page.locator("#scans li[data-state=taken]")).to_have_count(5)
    assert page.evaluate("[document.documentElement.scrollWidth <= window.innerWidth]") == [True]
    assert wrong == []


@pytest.mark.chromium
def test_an_answer_that_is_lost_makes_no_second_record(
    desk: Any, keys: dict[str, str], phone: BrowserContext, recorded: Any
) -> None:
    page = enter(phone, desk, keys[FIRM])
    answers: list[dict[str, Any]] = []
    batches: list[str] = []

    def lose(route: Route) -> None:
        batches.append(route.request.headers["idempotency-key"])
        answers.append(json.loads(route.fetch().text()))
        route.abort()

    page.route("**/dock/sync.json*", lose)
    scan(page, CODES["1"])
    expect(page.locator("[data-say=offline]")).to_be_visible(timeout=WITHIN_MS)
    waiting(page, 1)
    assert [one["state"] for one in answers[0]["scans"]] == ["taken"]
    # The telephone has heard nothing. It is closed, and opened again.
    page.unroute("**/dock/sync.json*")
    with page.expect_response("**/dock/sync.json*") as given:
        page.reload()
    waiting(page, 0)
    assert given.value.request.headers["idempotency-key"] == batches[0]
    assert given.value.json()["repeated"] is True
    assert recorded().count("395200010000070014") == 1
    expect(page.locator("#scans li[data-state=taken]")).to_have_count(1)


@pytest.mark.chromium
def test_two_windows_send_one_scan_once(desk: Any, keys: dict[str, str], phone: BrowserContext, recorded: Any) -> None:
    page = enter(phone, desk, keys[FIRM])
    other = phone.new_page()
    other.goto(f"{desk.url}/dock?place={PLACE}")
    ready(other)
    phone.set_offline(True)
    scan(page, CODES["2"])
    phone.set_offline(False)
    for one in (page, other):
        one.evaluate("document.getElementById('sync').click()")
    waiting(page, 0)
    assert recorded().count("395200010000070021") == 1


@pytest.mark.chromium
@pytest.mark.parametrize("phone", ["zh", "en"], indirect=True)
def test_late_ones_are_told_apart(
    desk: Any, keys: dict[str, str], phone: BrowserContext, request: pytest.FixtureRequest
) -> None:
    lang = request.node.callspec.params["phone"]
    page = enter(phone, desk, keys[FIRM])
    now = datetime.now(UTC)
    phone.set_offline(True)
    page.clock.set_fixed_time(now - timedelta(hours=3))
    scan(page, f"(01)09520001002014(10)LATE-{lang}")
    page.clock.set_fixed_time(now)
    scan(page, f"(01)09520001002014(10)PROMPT-{lang}")
    phone.set_offline(False)
    waiting(page, 0)
    late = page.locator("#scans li", has_text=f"LATE-{lang}")
    expect(late.locator("[data-part=late]")).to_be_visible()
    expect(late.locator("[data-part=late]")).to_contain_text(WORDS[lang]["late"])
    expect(page.locator("#scans li", has_text=f"PROMPT-{lang}").locator("[data-part=late]")).to_be_hidden()
    # Both times stand in the record and where it is listed.
    visitor = desk.visitor()
    headers = {"Authorization": f"Bearer {keys[FIRM]}"}
    [one] = visitor.get(f"/mine/records.json?late=1&q=LATE-{lang}", **headers).json["records"]
    assert abs(one["late_s"] - 3 * 3600) < 120
    assert visitor.get(f"/mine/records.json?late=1&q=PROMPT-{lang}", **headers).json["records"] == []


@pytest.mark.chromium
def test_a_clock_that_is_off_is_told(desk: Any, keys: dict[str, str], phone: BrowserContext) -> None:
    page = enter(phone, desk, keys[FIRM])
    page.clock.set_fixed_time(datetime.now(UTC) - timedelta(minutes=20))
    scan(page, "(01)09520001002014(10)CLOCK")
    expect(page.locator("[data-say=clock]")).to_be_visible(timeout=WITHIN_MS)


@pytest.mark.chromium
def test_scans_are_their_firms_and_outlive_its_session(
    desk: Any, keys: dict[str, str], phone: BrowserContext, recorded: Any
) -> None:
    page = enter(phone, desk, keys[FIRM])
    phone.clear_cookies()
    scan(page, CODES["5"])
    expect(page.locator("[data-say=signin]")).to_contain_text(WORDS["en"]["out"], timeout=WITHIN_MS)
    waiting(page, 1)
    # Another firm's clerk takes the telephone: the scan is not sent as theirs.
    page = enter(phone, desk, keys[OTHER])
    expect(page.locator("[data-say=other]")).to_be_visible()
    waiting(page, 1)
    headers = {"Authorization": f"Bearer {keys[OTHER]}"}
    assert desk.visitor().get("/mine/records.json", **headers).json["records"] == []
    page = enter(phone, desk, keys[FIRM])
    waiting(page, 0)
    assert recorded().count("395200010000070052") == 1


@pytest.mark.chromium
def test_a_scan_that_waits_can_be_deleted_and_a_place_is_asked_for(
    desk: Any, keys: dict[str, str], phone: BrowserContext
) -> None:
    page = enter(phone, desk, keys[FIRM])
    phone.set_offline(True)
    scan(page, CODES["6"])
    waiting(page, 1)
    page.locator("#scans li [data-part=forget]").click()
    expect(page.locator("#scans li")).to_have_count(0)
    page.locator("#dock-place").fill("")
    page.locator("#code").fill(CODES["6"])
    page.keyboard.press("Enter")
    expect(page.locator("[data-say=place]")).to_be_visible()
    expect(page.locator("#scans li")).to_have_count(0)


def batch(desk: Any, visitor: Any, key: str | None, **changed: Any) -> Any:
    token = visitor.get("/dock.json", accept="application/json").json["form"]
    one = {
        "id": str(uuid4()),
        "code": CODES["7"],
        "at": "2026-01-05T08:30:00+08:00",
        "step": "receiving",
        "place": PLACE,
        "from": "",
        "to": "",
    }
    body = {"firm": FIRM, "sent_at": datetime.now(UTC).isoformat(), "scans": [one], **changed}
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-Form-Token": changed.pop("token", token),
    }
    body.pop("token", None)
    if key is not None:
        headers["Idempotency-Key"] = key
    return visitor.ask("POST", "/dock/sync.json?lang=en", json.dumps(body).encode(), headers)


def test_what_a_batch_must_have(desk: Any, keys: dict[str, str]) -> None:
    clerk = desk.visitor()
    assert clerk.post("/sign-in", {"key": keys[FIRM]}).status == 303
    row = {
        "id": str(UUID(int=7)),
        "code": CODES["7"],
        "at": "2026-01-05T08:30:00+08:00",
        "step": "receiving",
        "place": PLACE,
    }
    first = batch(desk, clerk, "k1", scans=[row])
    assert [one["state"] for one in first.json["scans"]] == ["taken"]
    again = batch(desk, clerk, "k1", scans=[row])
    assert (again.json["repeated"], again.json["scans"]) == (True, first.json["scans"])
    # In another batch it is still the same event.
    assert [one["state"] for one in batch(desk, clerk, "k2", scans=[row]).json["scans"]] == ["known"]
    assert batch(desk, clerk, "k1", scans=[{**row, "code": CODES["8"]}]).status == 409
    mixed = batch(
        *(desk, clerk, "k3"),
        scans=[
            {**row, "id": str(UUID(int=9)), "code": "nothing"},
            {**row, "id": str(UUID(int=10)), "at": "soon"},
            {**row, "id": str(UUID(int=11)), "code": CODES["8"]},
        ],
    ).json
    assert [one["state"] for one in mixed["scans"]] == ["refused", "refused", "taken"]
    assert "a time" in mixed["scans"][1]["why"]
    # What could not even be read is counted among the refused, on the first page and on the receipt.
    newest = clerk.get("/mine.json").json["submissions"][0]
    assert (newest["captureID"], newest["accepted"], newest["refused"]) == (mixed["capture"], 1, 2)
    assert "1 new, 0 known before, 2 refused" in clerk.get(f"/mine/receipts/{mixed['capture']}?lang=en").text
    for refused, status in (
        (batch(desk, clerk, "k4", firm=OTHER), 403),
        (batch(desk, clerk, "k5", token="0" * 64), 403),
        (batch(desk, clerk, None), 400),
        (batch(desk, clerk, "k6", scans=[]), 422),
        (batch(desk, clerk, "k7", scans=[row, row]), 400),
        (batch(desk, clerk, "k8", scans=[{**row, "id": "x"}]), 422),
    ):
        assert refused.status == status, refused.text
        assert "application/problem+json" in refused.headers["content-type"]
    assert desk.visitor().get("/dock").status == 401
    policy = clerk.get("/dock").headers
    assert "camera=(self)" in policy["permissions-policy"]
    assert "unsafe" not in policy["content-security-policy"]


def test_the_page_without_scripts_leads_to_the_form(desk: Any, keys: dict[str, str]) -> None:
    clerk = desk.visitor()
    clerk.post("/sign-in", {"key": keys[FIRM]})
    text = clerk.get("/dock?lang=en&step=shipping&from=x&to=y&place=z").text
    noscript = text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert 'href="/mine/new' in noscript


@given(st.text(max_size=60) | st.text("0123456789\x1d]C1d2()", max_size=60))
def test_whatever_is_scanned_is_read_or_left_as_it_is(code: str) -> None:
    text = scanned.label_text(code)
    assert text == code or text == code.strip(" \t\r\n") or text.startswith("(")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("]d20109520001002014172710171 0A".replace(" ", ""), "(01)09520001002014(17)271017(10)A"),
        ("\x1d010952000100201410AB\x1d3103001500", "(01)09520001002014(10)AB(3103)001500"),
        ("00395200010000070014", "(00)395200010000070014"),
        ("9520001001017", "9520001001017"),
        ("]C1010952000", "]C1010952000"),
        ("https://id.gs1.org/00/395200010000070014", "https://id.gs1.org/00/395200010000070014"),
    ],
)
def test_what_scanners_send(code: str, text: str) -> None:
    assert scanned.label_text(code) == text
