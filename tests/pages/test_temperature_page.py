"""The page of a lot's temperatures: all of it for who traces, the verdict for anybody, every mark of the curve in a table."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from sudonglian.api.commands import sample

PALLET = sample.stories()["frozen-fish"]["seed"]
PAGE = f"/temperature?lot={quote(PALLET, safe='')}"


def test_the_public_sees_a_sentence_and_no_number(site: Any) -> None:
    page = site.visitor().get(f"{PAGE}&lang=en")
    assert page.status == 200
    assert "Cold chain: it was outside its limits" in page.text
    assert "<svg" not in page.text
    assert "-17.6" not in page.text
    for form in ("json", "svg", "csv"):
        assert site.visitor().get(PAGE.replace("?", f".{form}?")).status == 401


def test_who_traces_sees_the_curve_and_its_table_twin(site: Any) -> None:
    visitor = site.visitor(signed_in=True)
    page = visitor.get(f"{PAGE}&lang=en")
    assert "Outside -18 °C or below (frozen); excursions: 1, at most 1 h 10 min" in page.text
    assert page.text.count("<svg") == 2
    sheet = re.search(r'href="(/static/temperature.css[^"]*)"', page.text)
    assert sheet is not None
    assert b".excursion" in visitor.get(sheet[1]).body
    told = visitor.get(PAGE.replace("?", ".json?")).json
    tables = re.sub(r"<svg.*?</svg>", "", page.text, flags=re.DOTALL)
    for leg in told["legs"]:
        assert f'<th scope="row">{leg["number"]}</th>' in tables
    for logger in told["loggers"]:
        assert logger["id"] in tables
    for gap in told["gaps"]:
        assert gap["reasons"] == ["no-data"]
    assert tables.count("<td>no data</td>") == len(told["gaps"])
    record = told["excursions"][0]["records"][0]
    assert f"/records/{record}" in tables
    assert visitor.get(PAGE.replace("?", ".svg?")).headers["content-type"] == "image/svg+xml"
    assert "LOGGER24" in visitor.get(PAGE.replace("?", ".csv?")).text
    shown = visitor.get(f"/records/{record}?lang=en")
    assert shown.text.count("<svg") == 2
    assert PAGE.replace("&", "&amp;").partition("?")[0] in shown.text
    assert "<svg" not in site.visitor().get(f"/records/{record}").text


def test_another_class_and_what_is_no_class(site: Any) -> None:
    visitor = site.visitor(signed_in=True)
    page = visitor.get(f"{PAGE}&class=meat-chilled&lang=zh")
    assert "冷鲜肉" in page.text
    assert '<option value="meat-chilled" selected>' in page.text
    assert visitor.get(f"{PAGE}&class=warm").status == 400
    assert visitor.get("/temperature?lot=nothing").status == 400
    assert "没有温度记录" in visitor.get("/temperature?lot=urn:x:nobody&lang=zh").text
    assert visitor.get("/temperature").status == 200


@pytest.mark.chromium
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("width", "shown"), [(1440, "wide"), (390, "narrow")])
def test_it_fits_a_desktop_and_a_telephone(site: Any, chromium: Browser, lang: str, width: int, shown: str) -> None:
    key = site.api_key("trace")
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, extra_http_headers={"Authorization": f"Bearer {key}"}
    )
    try:
        page = context.new_page()
        page.goto(f"{site.url}{PAGE}&lang={lang}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("figure svg:visible").count() == 1
        assert page.locator(f"figure svg.{shown}").is_visible()
        box = page.locator("figure svg:visible").bounding_box()
        assert box is not None
        assert 0 < box["width"] <= width
        page.emulate_media(media="print")
        assert page.locator("figure svg.wide").is_visible()
        assert not page.locator("form").first.is_visible()
    finally:
        context.close()
