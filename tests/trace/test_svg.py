"""The pictures: well-formed, bounded, in both languages, and silent about nothing that they leave out."""

from xml.etree import ElementTree

import pytest
from tests.trace.test_facts import BOX, STORE, ask, event, handover

from sudonglian.trace.engine import svg
from sudonglian.trace.engine.facts import OPEN_END

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pictures_are_well_formed_and_inside_their_width(lang: svg.Lang, width: int) -> None:
    answer = ask(handover(), BOX, 3)
    names = {STORE: '<冷库> & "store"'}
    for text in (
        svg.route(answer, lang=lang, width=width, names=names),
        svg.timeline(answer, lang=lang, width=width, names=names),
    ):
        root = ElementTree.fromstring(text)
        assert root.get("width") == str(width)
        bars = [one for one in root.iter(f"{SVG}rect") if one.find(f"{SVG}title") is not None]
        assert bars
        for bar in bars:
            assert 0 <= float(bar.get("x", "-1"))
            assert float(bar.get("x", "0")) + float(bar.get("width", "0")) <= width
        assert any("<冷库>" in (one.text or "") for one in root.iter(f"{SVG}title"))
        shown = "".join(root.itertext())
        assert ("时间为 UTC" in shown) == (lang == "zh")
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("https://id.gs1.org", "")


def test_a_lane_for_each_member_and_a_bar_for_each_kind_of_evidence() -> None:
    from datetime import timedelta

    answer = ask(handover(), BOX, 3, lookback=timedelta(hours=2))
    root = ElementTree.fromstring(svg.timeline(answer))
    assert len(root.findall(f"{SVG}g")) == len(answer.members)
    fills = [one.get("fill") for one in root.iter(f"{SVG}rect")]
    assert "url(#possible)" in fills
    assert "#b91c1c" in fills


def test_a_long_list_says_what_it_leaves_out() -> None:
    crowd = [event(4, "inspecting", (BOX, "epc"), people=[(f"p{n:03d}", "opened") for n in range(svg.MAX_LANES + 7)])]
    text = svg.timeline(ask([*handover(), *crowd], BOX, 3), lang="en")
    assert "more rows" in text
    assert len(ElementTree.fromstring(text).findall(f"{SVG}g")) == svg.MAX_LANES


def test_nothing_to_draw_is_said() -> None:
    assert "没有可画的记录" in svg.draw("x", [], lang="zh", width=390)
    lane = svg.Lane("■", "x", "", (svg.Bar(0, OPEN_END, True, ""),))
    assert "rect" in svg.draw("x", [lane], lang="zh", width=390)
