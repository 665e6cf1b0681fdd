"""The linked views of an answer: what they are drawn from, their table twins, and choosing in one that chooses in all."""

import csv
import io
import re
import time
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from sudonglian.api.commands import sample

STORY: Final = sample.stories()["frozen-fish"]
QUESTION: Final = {
    "seed": STORY["seed"],
    "at": STORY["at"][:16],
    "lookback": STORY["lookback"],
    "why_kind": "purpose",
    "why": "views",
    "direction": "forward",
}
PATIENCE_S: Final = 60
FIRST_PAINT: Final = 102_400
SIZES: Final = ((1440, 900), (390, 844))


def ask(visitor: Any, **more: str) -> str:
    asked = visitor.post("/trace", {**QUESTION, **more}, on="/trace")
    assert asked.status == 303, asked.text
    url = str(asked.headers["location"])
    until = time.monotonic() + PATIENCE_S
    while visitor.get(url.partition("?")[0] + ".json").json["answer"] is None:
        assert time.monotonic() < until
        time.sleep(0.1)
    return url


@pytest.fixture(scope="module")
def traced(site: Any) -> tuple[Any, str]:
    visitor = site.visitor(signed_in=True)
    return visitor, ask(visitor)


def test_the_views_are_drawn_from_what_the_answer_says(traced: tuple[Any, str]) -> None:
    visitor, url = traced
    members = visitor.get(f"{url}.json").json["answer"]["members"]
    told = visitor.get(f"{url}/views.json?lang=en").json
    columns = told["members"]
    assert {len(column) for column in columns.values()} == {len(members)}
    kinds = ("person", "place", "item")
    drawn = {
        (kinds[kind], name): at for at, (kind, name) in enumerate(zip(columns["kind"], columns["id"], strict=True))
    }
    for one in members:
        at = drawn[one["kind"], one["id"]]
        assert columns["certain"][at] == int(one["evidence"] == "certain")
        assert columns["generation"][at] == sum(one["generation"].values())
        place = columns["place"][at]
        if one["kind"] == "place":
            assert told["places"][place]["id"] == one["id"]
            assert len(told["places"][place]["spans"]) == len(one["intervals"])
    assert all(one["previous"] < at for at, one in enumerate(told["places"]))
    assert told["words"]["certain"] == "certain"


def test_squeezed_for_whoever_takes_that(traced: tuple[Any, str]) -> None:
    import gzip

    visitor, url = traced
    plain = visitor.get(f"{url}/views.json")
    small = visitor.get(f"{url}/views.json", **{"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) * 4 < len(plain.body)


@pytest.mark.parametrize(
    "asked",
    [
        *(
            "",
            "kind=person",
            "evidence=certain",
            "evidence=possible",
            "generation=1",
            "tier=close",
            "q=pallet",
            "q=%E2%82%AC",
        ),
        *("kind=person&sort=time", "sort=name", "until=2024-11-09T08:00", "until=nonsense", "kind=item&generation=2"),
    ],
)
def test_lists_are_filtered_alike_as_page_json_and_tables(traced: tuple[Any, str], asked: str) -> None:
    visitor, url = traced
    query = f"lang=en&{asked}"
    members = visitor.get(f"{url}/list.json?{query}").json["members"]
    everyone = visitor.get(f"{url}/list.json?lang=en").json["members"]
    assert {one["id"] for one in members} <= {one["id"] for one in everyone}
    for name, value in (pair.split("=") for pair in asked.split("&") if pair):
        if name in ("kind", "evidence", "tier"):
            assert members == [one for one in members if one[name] == value]
            rest = [one for one in everyone if one not in members]
            assert "&" in asked or all(one[name] != value for one in rest)
    if "sort=time" in asked:
        assert [one["time"] for one in members] == sorted(one["time"] for one in members)
    rows = list(csv.reader(io.StringIO(visitor.get(f"{url}/list.csv?{query}").body.decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == [one["id"] for one in members]
    book = load_workbook(io.BytesIO(visitor.get(f"{url}/list.xlsx?{query}").body), read_only=True)
    assert [row[1] for row in book.active.iter_rows(min_row=2, values_only=True)] == [one["id"] for one in members]
    page = visitor.get(f"{url}/list?{query}").text
    assert page.count('class="why"') == min(len(members), 100)
    assert ("fits these filters" in page) == (not members)


def halfway(members: list[dict[str, Any]]) -> str:
    """Return a minute, of China's time, by which some are reached and others are not."""
    times = sorted(datetime.fromisoformat(one["time"]) for one in members)
    return f"{times[len(times) // 2] + timedelta(hours=8):%Y-%m-%dT%H:%M}"


def test_until_is_chinas_time(traced: tuple[Any, str]) -> None:
    visitor, url = traced
    everyone = visitor.get(f"{url}/list.json").json["members"]
    until = halfway(everyone)
    some = visitor.get(f"{url}/list.json?until={until}").json["members"]
    assert 0 < len(some) < len(everyone)
    moment = datetime.fromisoformat(f"{until}+08:00")
    by_then = {one["id"] for one in everyone if datetime.fromisoformat(one["time"]) <= moment}
    assert {one["id"] for one in some} == by_then


def test_places_are_a_table(traced: tuple[Any, str]) -> None:
    visitor, url = traced
    places = visitor.get(f"{url}/places.json?lang=en").json["places"]
    drawn = visitor.get(f"{url}/views.json?lang=en").json["places"]
    assert [one["id"] for one in places] == [one["id"] for one in drawn][: len(places)]
    rows = list(csv.reader(io.StringIO(visitor.get(f"{url}/places.csv?lang=en").body.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == [one["id"] for one in places]
    assert visitor.get(f"{url}/places.xlsx").body[:2] == b"PK"
    assert visitor.get(f"{url}/places?lang=en").text.count('<th scope="row">') == len(places)


@pytest.mark.parametrize(
    "path",
    ["/list?kind=thing", "/list?sort=colour", "/list?generation=-1", "/list?from=-1", "/list?nothing=1", "/places?q=x"],
)
def test_what_an_address_cannot_ask_is_a_400(traced: tuple[Any, str], path: str) -> None:
    visitor, url = traced
    assert visitor.get(url + path).status == 400
    assert visitor.get(url + "/list.pdf").status in (400, 404)


def test_a_question_is_asked_again_beside_its_answer(traced: tuple[Any, str]) -> None:
    visitor, url = traced
    page = visitor.get(f"{url}?lang=en").text
    form = re.findall(r'href="(/trace\?[^"]*was=[^"]*)"', page)[0].replace("&amp;", "&")
    shown = visitor.get(form).text
    assert url in shown
    assert QUESTION["seed"] in shown
    again = ask(visitor, was=url.rpartition("/")[2], generations="1", persistence="2h", dwell="vehicle=5m")
    asked = visitor.get(again.partition("?")[0] + ".json").json["asked"]
    assert (asked["max_generation"], asked["persistence"], asked["min_dwell"]) == (
        1,
        {"place": "2h"},
        {"vehicle": "5m"},
    )
    compared = visitor.get(f"{again}&lang=en").text
    fewer = int(re.findall(r"Beside the earlier answer: 0 more, (\d+) no longer", compared)[0])
    many, few = (visitor.get(one.partition("?")[0] + ".json").json["answer"]["members"] for one in (url, again))
    assert fewer == len(many) - len(few) > 0
    assert f'href="{url}?lang=en"' in compared
    assert "Beside the earlier" not in visitor.get(f"{url}?lang=en&was=none").text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("generations", "x"), ("generations", "-1"), ("generations", "1" * 9), ("policy", "none"), ("tiers", "none")),
        *(
            ("persistence", "soon"),
            ("persistence", "=2h"),
            ("dwell", "moon=2h"),
            ("until", "then"),
            ("lookback", "ever"),
        ),
    ],
)
def test_what_cannot_be_asked_is_said_on_the_form(site: Any, field: str, value: str) -> None:
    visitor = site.visitor(signed_in=True)
    answer = visitor.post("/trace", {**QUESTION, field: value}, on="/trace")
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert 'id="seed"' in answer.text


def test_the_page_and_its_parts_are_light(traced: tuple[Any, str]) -> None:
    visitor, url = traced
    page = visitor.get(url)
    parts = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
    seen: set[str] = set()
    size = len(page.body)
    while parts - seen:
        for part in sorted(parts - seen):
            seen.add(part)
            answer = visitor.get(part, **{"Accept-Encoding": "gzip"})
            assert answer.status == 200
            size += len(answer.body)
            parts |= set(re.findall(r'from "(/static/[^"]+)"', visitor.get(part).text))
    assert len([part for part in seen if ".js" in part]) == 7
    assert size < FIRST_PAINT


@pytest.fixture
def window(request: pytest.FixtureRequest, chromium: Browser) -> Any:
    lang, (width, height) = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": height}, locale={"zh": "zh-CN", "en": "en-GB"}[lang]
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page, lang
    context.close()
    assert wrong == []


BOTH: Final = [pytest.param((lang, size), id=f"{lang}-{size[0]}") for lang in ("zh", "en") for size in SIZES]


def opened(page: Page, visitor: Any, address: str) -> None:
    host = visitor.url
    page.context.add_cookies([{"name": name, "value": value, "url": host} for name, value in visitor.cookies.items()])
    page.goto(host + address)
    expect(page.locator("#views[data-ready]")).to_be_visible()


@pytest.mark.chromium
@pytest.mark.parametrize("window", BOTH, indirect=True)
def test_choosing_in_one_view_chooses_in_all(traced: tuple[Any, str], window: tuple[Page, str]) -> None:
    (page, lang), (visitor, url) = window, traced
    opened(page, visitor, url)
    titles = {
        "zh": ["路线图", "场所地图", "时间线", "名单"],
        "en": ["Route", "Places on a map", "Timeline", "Line list"],
    }
    assert page.locator("#views h2").all_text_contents() == titles[lang]
    expect(page.locator("#drawn")).to_be_hidden()
    everyone = visitor.get(f"{url}/list.json").json["members"]
    grid = page.locator(".v-list")
    expect(grid).to_have_attribute("aria-rowcount", str(len(everyone) + 1))
    grid.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = page.locator(".v-row[aria-selected=true]")
    expect(chosen).to_have_count(1)
    expect(grid).to_have_attribute("aria-activedescendant", str(chosen.get_attribute("id")))
    name = chosen.locator("b").inner_text()
    expect(page.locator(".v-chosen b")).to_have_text(name)
    expect(page).to_have_url(re.compile(r"selected=person"))
    page.locator(".v-timeline").focus()
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(r"place="))
    place = page.evaluate("new URL(location.href).searchParams.get('place')")
    there = [one for one in everyone if one["place"] == place]
    expect(grid).to_have_attribute("aria-rowcount", str(len(there) + 1))
    page.locator(".v-route").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(grid).to_have_attribute("aria-rowcount", str(len(everyone) + 1))
    page.locator("#f-kind").select_option("item")
    goods = [one for one in everyone if one["kind"] == "item"]
    expect(grid).to_have_attribute("aria-rowcount", str(len(goods) + 1))
    expect(page).to_have_url(re.compile(r"kind=item"))
    page.reload()
    expect(grid).to_have_attribute("aria-rowcount", str(len(goods) + 1))
    page.locator("#clear").click()
    expect(grid).to_have_attribute("aria-rowcount", str(len(everyone) + 1))
    sizes = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert sizes[0] <= sizes[1]


@pytest.mark.chromium
@pytest.mark.parametrize("window", BOTH[:1], indirect=True)
def test_the_slider_leaves_who_was_reached_by_then(traced: tuple[Any, str], window: tuple[Page, str]) -> None:
    (page, _), (visitor, url) = window, traced
    until = halfway(visitor.get(f"{url}/list.json").json["members"])
    opened(page, visitor, f"{url}?until={until}")
    some = visitor.get(f"{url}/list.json?until={until}").json["members"]
    grid = page.locator(".v-list")
    expect(grid).to_have_attribute("aria-rowcount", str(len(some) + 1))
    slider = page.locator("#v-until")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("output")).to_contain_text("2024-")
    expect(page).to_have_url(re.compile(r"until=2024-"))
    fewest = int(grid.get_attribute("aria-rowcount") or "0")
    assert fewest - 1 < len(some)
    page.keyboard.press("End")
    expect(page).not_to_have_url(re.compile(r"until="))


@pytest.mark.chromium
@pytest.mark.parametrize("window", BOTH[:1], indirect=True)
def test_sliders_beside_the_fields_of_a_question(site: Any, window: tuple[Page, str]) -> None:
    page, _ = window
    page.goto(site.url + "/trace")
    slider = page.locator("input[data-for=lookback]")
    expect(slider).to_have_value("14")
    slider.fill("20")
    expect(page.locator("#lookback")).to_have_value("20d")
    page.locator("#lookback").fill("7d")
    expect(slider).to_have_value("7")
    most = page.locator("input[data-for=generations]")
    most.fill("3")
    expect(page.locator("#generations")).to_have_value("3")
    most.fill(str(most.get_attribute("max")))
    expect(page.locator("#generations")).to_have_value("")


@pytest.mark.chromium
def test_without_scripts_the_filters_are_a_form(traced: tuple[Any, str], chromium: Browser) -> None:
    visitor, url = traced
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    context.add_cookies([{"name": name, "value": value, "url": visitor.url} for name, value in visitor.cookies.items()])
    page.goto(visitor.url + url)
    expect(page.locator("#views")).to_be_hidden()
    expect(page.locator("svg.route.wide")).to_be_visible()
    page.locator("#f-kind").select_option("person")
    page.get_by_role("button", name="Filter").click()
    people = [one for one in visitor.get(f"{url}/list.json").json["members"] if one["kind"] == "person"]
    expect(page.locator(".members tbody tr")).to_have_count(len(people))
    page.get_by_role("columnheader", name="Since").get_by_role("link").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Since")
    context.close()


def test_json_of_the_views_is_small_to_read(traced: tuple[Any, str]) -> None:
    visitor, url = traced
    told = visitor.get(f"{url}/views.json").body
    assert orjson.loads(told)["members"]["id"]
    assert b"record_hash" not in told
