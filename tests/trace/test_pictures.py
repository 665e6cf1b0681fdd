"""Pictures that stand alone: well-formed, bounded, in both languages, and silent about nothing that they leave out."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from tests.trace.test_facts import BOX, LOT, PORT, SHOP, STORE, ask, event, handover, two_cities

from sudonglian.trace.engine.pictures.alone import route_svg, timeline_svg
from sudonglian.trace.engine.pictures.route import DRAWN
from sudonglian.trace.engine.pictures.words import Lang

SVG = "{http://www.w3.org/2000/svg}"


def texts(root: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{SVG}text")]


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [one for one in root.iter() if name in one.get("class", "").split()]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pictures_are_well_formed_and_inside_their_width(lang: Lang, width: int) -> None:
    answer = ask(handover(), BOX, 3)

    def name(kind: str, identifier: str) -> str:
        return '<冷库> & "store"' if identifier == STORE else identifier

    for text in (
        route_svg(answer, lang=lang, width=width, name=name),
        timeline_svg(answer, lang=lang, width=width, name=name),
    ):
        root = ElementTree.fromstring(text)
        assert root.get("width") == str(width)
        for bar in root.iter(f"{SVG}rect"):
            assert 0 <= int(bar.get("x", "0"))
            assert int(bar.get("x", "0")) + int(bar.get("width", "0")) <= width
        assert any("<冷库>" in one for one in texts(root))
        assert any("UTC+8" in one for one in texts(root))
        assert any(("不等于感染" if lang == "zh" else "not infected") in one for one in texts(root))
        # Nothing is fetched, and what looks are for is in the file.
        assert not any(one in text for one in ("href", "url(", "@import", "<script", "<image"))
        assert ".possible" in "".join(one.text or "" for one in root.iter(f"{SVG}style"))


def test_the_route_goes_from_the_port_to_the_store_and_says_what_is_only_possible() -> None:
    root = ElementTree.fromstring(route_svg(ask(handover(), BOX, 3), lang="en"))
    named = [one.text for one in of_class(root, "name")]
    assert named == [BOX.removeprefix("https://id.gs1.org/"), *(one.split("org/")[1] for one in (PORT, STORE))]
    assert len(of_class(root, "line")) == 2
    assert not of_class(root, "possible")
    doubted = route_svg(ask(two_cities(), LOT, 8), lang="en")
    assert of_class(ElementTree.fromstring(doubted), "possible")
    assert "(possibly) " in doubted


def test_a_timeline_has_a_lane_for_each_place_and_a_mark_for_everybody() -> None:
    answer = ask(handover(), BOX, 3, lookback=timedelta(hours=2))
    root = ElementTree.fromstring(timeline_svg(answer, lang="en"))
    assert [one.text for one in of_class(root, "name")] == [one.split("org/")[1] for one in (PORT, STORE)]
    people = [one.id for one in answer.members if one.kind == "person"]
    assert sorted(one.text or "" for one in of_class(root, "number")) == [str(at + 1) for at in range(len(people))]
    assert [one.get("class") for one in of_class(root, "person") if "possible" in one.get("class", "")]


def test_who_met_at_no_known_place_has_a_lane_of_its_own() -> None:
    answer = ask([event(1, "inspecting", (BOX, "epc"), people=[("nowhere", "opened")])], BOX, 0)
    assert "no place recorded" in timeline_svg(answer, lang="en")
    assert "no place recorded" not in timeline_svg(ask(handover(), BOX, 3), lang="en")


def test_a_long_route_says_what_it_leaves_out() -> None:
    sites = [f"https://id.gs1.org/414/69012345{n:04d}9" for n in range(DRAWN + 7)]
    moved = [event(2 * n + 1, "receiving", (BOX, "epc"), biz_location=site) for n, site in enumerate(sites)]
    gone = [event(2 * n + 2, "shipping", (BOX, "epc"), read_point=site) for n, site in enumerate(sites)]
    answer = ask([*moved, *gone], BOX, 1)
    for text in (route_svg(answer, lang="en"), timeline_svg(answer, lang="en")):
        assert "7 more places are not drawn" in text
    assert len(of_class(ElementTree.fromstring(route_svg(answer)), "stop")) == DRAWN + 1


def test_backward_the_route_begins_at_the_seed() -> None:
    answer = ask(handover(), "late", 10, backward=True, lookback=timedelta(days=1))
    root = ElementTree.fromstring(route_svg(answer, lang="en"))
    assert [one.text for one in of_class(root, "name")] == ["late", *(one.split("org/")[1] for one in (STORE, PORT))]


def test_nothing_to_draw_is_said() -> None:
    alone = ask(handover(), BOX, 3, max_generation=0)
    assert not alone.members
    assert "没有可画的记录" in timeline_svg(alone)
    assert len(of_class(ElementTree.fromstring(route_svg(alone)), "stop")) == 1


def test_what_xml_cannot_hold_is_replaced() -> None:
    odd = "urn:x:a\x01b"
    answer = ask([event(1, "storing", (odd, "epc"), biz_location=SHOP)], odd, 2)
    assert "urn:x:a\ufffdb" in texts(ElementTree.fromstring(route_svg(answer)))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_file_says_what_its_marks_mean(lang: Lang) -> None:
    answer = ask(handover(), BOX, 3)
    for text, mark in ((route_svg(answer, lang=lang), "◆"), (timeline_svg(answer, lang=lang), "虚线为可能 Dashed")):
        shown = texts(ElementTree.fromstring(text))
        assert any(one in line for one in mark.split() for line in shown)
