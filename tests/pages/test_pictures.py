"""What is drawn, and what is told, of answers made by hand: routes that branch, times that differ by a microsecond, names."""

import re
from typing import Any

import pytest

from sudonglian.api.pages import steps
from sudonglian.api.pages.answer import Answer, read_answer
from sudonglian.api.pages.naming import Names, short
from sudonglian.api.pages.times import span
from sudonglian.trace.engine.pictures import timeline
from sudonglian.trace.engine.pictures.route import ROOT, Stop
from sudonglian.trace.engine.pictures.route import stops as stops_of
from sudonglian.trace.engine.pictures.route_picture import draw_route
from sudonglian.trace.engine.pictures.svg import fit, width_of

BOX = {"kind": "item", "id": "urn:x:box"}


def place(name: str) -> dict[str, str]:
    return {"kind": "location", "id": name}


def step(who: dict[str, str], where: dict[str, str], at: str, hop: int = 1, **more: Any) -> dict[str, Any]:
    found = {"hop": hop, "fact": "at", "who": who, "where": where, "from": at, "to": at, "time": at, "contact": ""}
    return {**found, "record_hash": "r1", "record_hashes": ["r1"], **more}


def member(kind: str, name: str, at: str, walk: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"id": name, "kind": kind, "earliest": at, "possible": at, "evidence": "certain"}
    found |= {"generation": {"objects": 1, "persons": 0}, "tier": "general", "tier_zh": "一般接触者", "rule": "T03"}
    return {**found, "possible_tier": "", "intervals": [], "walk": walk, "earliest_walk": walk, **more}


def answer(*members: dict[str, Any], backward: bool = False, lang: str = "en") -> Answer:
    document = {"members": list(members), "seeds": [BOX], "seed": BOX["id"]}
    return read_answer(document, lang, lambda _: None, backward=backward)  # type: ignore[arg-type]


def stops(found: Answer) -> list[Stop]:
    return stops_of(found.rows, found.names.of, backward=found.backward)


def drawn_timeline(found: Answer, width: int) -> str:
    lanes = timeline.lanes(found.rows, stops(found), found.names.lang)
    picture = timeline.draw_timeline(lanes, found.names.persons, found.names.lang, width)
    return "" if picture is None else str(picture.within("timeline"))


def at(name: str, time: str, *walk: dict[str, Any], who: dict[str, str] = BOX, **more: Any) -> dict[str, Any]:
    return member("place", name, time, [*walk, step(who, place(name), time)], **more)


def test_a_carrier_goes_from_place_to_place() -> None:
    found = stops(answer(at("b", "2024-01-01T02:00:00Z"), at("a", "2024-01-01T01:00:00Z")))
    assert [(one.name, one.previous, one.lane) for one in found] == [("a", ROOT, 0), ("b", 0, 0)]


def test_master_data_name_what_no_record_names() -> None:
    records: dict[str, Any] = {"r1": {"bizLocation": {"id": "urn:x:b", "sdl:name": "as recorded"}}}
    asked: list[set[str]] = []

    def describe(things: Any) -> dict[str, str]:
        asked.append(set(things))
        return {"urn:x:a": "cold store A", "urn:x:b": "as said elsewhere", "urn:x:lot": "cod"}

    lot = member("item", "urn:x:lot", "2024-01-01T01:00:00Z", [])
    document = {"members": [at("urn:x:a", "2024-01-01T01:00:00Z"), at("urn:x:b", "2024-01-01T02:00:00Z"), lot]}
    found = read_answer(
        {**document, "seeds": [BOX], "seed": BOX["id"]}, "en", records.get, backward=False, describe=describe
    )
    assert {row.id: row.name for row in found.rows} == {
        "urn:x:a": "cold store A",
        "urn:x:b": "as recorded",
        "urn:x:lot": "cod",
    }
    assert asked == [{"urn:x:a", "urn:x:b", "urn:x:lot"}]


def test_a_portion_comes_from_the_place_that_held_it() -> None:
    portion = {"kind": "item", "id": "urn:x:lot#urn:x:b"}
    split = step({"kind": "item", "id": "urn:x:lot#urn:x:a"}, portion, "2024-01-01T03:00:00Z", fact="split")
    found = stops(
        answer(at("urn:x:a", "2024-01-01T01:00:00Z"), at("urn:x:b", "2024-01-01T03:00:00Z", split, who=portion))
    )
    assert [one.previous for one in found] == [ROOT, 0]
    assert found[1].carrier == "urn:x:lot (urn:x:b)"


def test_branches_have_lanes_of_their_own() -> None:
    meet = step(BOX, place("a"), "2024-01-01T01:00:00Z")
    van, cart = {"kind": "item", "id": "urn:x:van"}, {"kind": "item", "id": "urn:x:cart"}
    found = stops(
        answer(
            at("a", "2024-01-01T01:00:00Z"),
            at("b", "2024-01-01T02:00:00Z"),
            at("c", "2024-01-01T03:00:00Z", meet, who=van),
            at("d", "2024-01-01T04:00:00Z", meet, who=cart),
            at("e", "2024-01-01T05:00:00Z", meet, who=van),
        )
    )
    assert [(one.name, one.previous, one.lane) for one in found] == [
        ("a", ROOT, 0),
        ("b", 0, 0),
        ("c", 0, 1),
        ("d", 0, 2),
        ("e", 2, 1),
    ]
    drawn = str(draw_route("the <box>", found, "en", 600).within("route"))
    assert drawn.count("<rect") == 5
    assert "the &lt;box&gt;" in drawn


def test_a_microsecond_later_is_later() -> None:
    found = stops(answer(at("late", "2024-01-01T01:00:00.000001Z"), at("early", "2024-01-01T01:00:00Z")))
    assert [one.name for one in found] == ["early", "late"]


def test_backward_the_route_begins_at_the_last_place() -> None:
    late, early = step(BOX, place("late"), "2024-01-01T09:00:00Z"), step(BOX, place("early"), "2024-01-01T01:00:00Z")
    members = [
        member("place", "early", "2024-01-01T01:00:00Z", [early, late]),
        member("place", "late", "2024-01-01T09:00:00Z", [late]),
    ]
    found = stops(answer(*members, backward=True))
    assert [(one.name, one.previous) for one in found] == [("late", ROOT), ("early", 0)]


def test_people_come_first_and_close_contacts_before_others() -> None:
    walk = [step(BOX, place("a"), "2024-01-01T01:00:00Z")]
    found = answer(
        member("item", "urn:x:1", "2024-01-01T01:00:00Z", walk),
        member("person", "30", "2024-01-01T01:00:00Z", walk),
        member("person", "20", "2024-01-02T01:00:00Z", walk, tier="close", tier_zh="密接"),
        member("person", "10", "2024-01-01T09:00:00Z", walk, tier="close", tier_zh="密接"),
    )
    assert [row.id for row in found.rows] == ["10", "20", "30", "urn:x:1"]
    assert [row.name for row in found.of("person")] == ["person 1", "person 2", "person 3"]
    assert found.generations() == [{"hops": 1, "person": 3, "place": 0, "item": 1}]


def test_time_place_and_reason_speak_of_one_walk() -> None:
    first, fewest = step(BOX, place("a"), "2024-01-01T01:00:00Z"), step(BOX, place("b"), "2024-01-01T05:00:00Z")
    (row,) = answer(member("person", "7", "2024-01-01T01:00:00Z", [fewest], earliest_walk=[first])).rows
    assert (row.place, row.reason) == ("a", "a counts as exposed from 2024-01-01 09:00 on, because urn:x:box was there")


@pytest.mark.parametrize("width", [1040, 330])
def test_a_timeline_marks_everybody(width: int) -> None:
    walk = [step(BOX, place("a"), "2024-01-01T01:00:00Z")]
    open_end = [{"from": "2024-01-01T01:00:00Z", "to": ""}]
    found = answer(
        at("a", "2024-01-01T01:00:00Z", intervals=open_end),
        *(member("person", str(n), f"2024-01-01T01:{n:02}:00Z", walk) for n in range(10, 30)),
        member("item", "urn:x:<1>", "2024-01-02T01:00:00Z", walk, evidence="possible"),
    )
    drawn = drawn_timeline(found, width)
    assert drawn.count("<circle") == 20
    assert ">+" not in drawn
    assert drawn.count('class="goods possible"') == 1
    assert drawn.count('class="open"') == 1
    assert ("urn:x:&lt;1&gt;" in drawn) is (width > timeline.BESIDE_FROM)
    assert "<1>" not in drawn
    assert "style=" not in drawn
    xs = [int(x) for x in re.findall(r'cx="(\d+)"', drawn)]
    assert xs == sorted(xs)
    assert max(xs) < width


def test_a_crowd_is_counted() -> None:
    walk = [step(BOX, place("a"), "2024-01-01T01:00:00Z")]
    crowd = [member("person", str(n), "2024-01-01T01:00:00Z", walk) for n in range(500)]
    found = answer(at("a", "2024-01-01T01:00:00Z"), *crowd)
    drawn = drawn_timeline(found, 1040)
    assert drawn.count("<circle") == timeline.MARKED
    assert f">+{500 - timeline.MARKED}<" in drawn


def test_a_time_of_long_ago_does_not_fill_the_axis() -> None:
    walk = [step(BOX, place("a"), "1970-01-01T01:00:00Z")]
    found = answer(
        member("item", "urn:x:1", "0001-01-01T01:00:00Z", walk), member("item", "urn:x:2", "2024-01-02T01:00:00Z", walk)
    )
    drawn = drawn_timeline(found, 1040)
    assert drawn.count('class="tick"') <= 1040 // timeline.TICK_WIDTH + 1


def test_nothing_reached_has_no_timeline() -> None:
    found = answer()
    assert drawn_timeline(found, 600) == ""
    assert stops(found) == []


def test_an_open_unit_is_told_as_such() -> None:
    inside = {"kind": "interior", "id": "urn:x:box"}
    cod = {"kind": "item", "id": "urn:x:cod"}
    walk = [
        step(BOX, inside, "2024-01-01T01:00:00Z", fact="open", to=""),
        step(cod, inside, "2024-01-01T01:00:00Z", fact="inside"),
    ]
    names = Names("en")
    (told,) = steps.meetings(walk, names)
    assert told.sentence == "urn:x:box stood open: urn:x:cod inside it was no longer apart from 2024-01-01 09:00 on"
    assert told.facts[0].sentence == "urn:x:box stood open, from 2024-01-01 09:00, no end recorded"
    assert steps.reason(walk, names) == told.sentence
    assert steps.reason([], names) == ""


def test_every_kind_of_step_is_a_sentence() -> None:
    someone, lot = {"kind": "person", "id": "7"}, {"kind": "item", "id": "urn:x:lot"}
    handoff, process = {"kind": "handoff", "id": "ab" * 32}, {"kind": "process", "id": "cd" * 32}
    time = "2024-01-01T01:00:00Z"
    walk = [
        step(BOX, handoff, time, fact="handled"),
        step(someone, handoff, time, fact="handle", contact="outer-packaging"),
        step(someone, {"kind": "interior", "id": "urn:x:lot"}, time, 2, fact="handle", contact="opened"),
        step(lot, {"kind": "interior", "id": "urn:x:lot"}, time, 2, fact="inside"),
        step(lot, process, time, 3, fact="input"),
        step(process, lot, time, 3, fact="output"),
        step(lot, place("a"), time, 4),
    ]
    assert [one.sentence for one in steps.meetings(walk, Names("en", {}, {"7": 1}))] == [
        "person 1 handled urn:x:box at 2024-01-01 09:00",
        "urn:x:lot met person 1 inside urn:x:lot from 2024-01-01 09:00 on",
        "urn:x:lot went into processing cdcdcdcd at 2024-01-01 09:00",
        "urn:x:lot came out of processing cdcdcdcd at 2024-01-01 09:00",
        "a counts as exposed from 2024-01-01 09:00 on, because urn:x:lot was there",
    ]
    unknown = steps.meetings([step(BOX, place("a"), time, fact="a-later-fact")], Names("zh"))
    assert "urn:x:box: a" in unknown[0].facts[0].sentence


@pytest.mark.parametrize(
    ("identifier", "told"),
    [
        ("https://id.gs1.org/00/395200010000000028", "unit 395200010000000028"),
        ("https://id.gs1.org/01/09520001002014/21/7", "item 7 of 09520001002014"),
        ("https://id.gs1.org/414/9520001001031/254/dock", "dock at 9520001001031"),
        ("https://id.gs1.org/414/9520001001031", "site 9520001001031"),
        ("https://id.gs1.org/8004/9520001TRUCK71A", "vehicle or asset 9520001TRUCK71A"),
        ("https://id.gs1.org/01", "01"),
        ("https://id.gs1.org/253/1/2", "253/1/2"),
        ("", ""),
    ],
)
def test_names_of_identifiers(identifier: str, told: str) -> None:
    assert short(identifier, "en") == told


def test_a_firms_own_name_for_its_place_is_used() -> None:
    names = Names("zh", {"urn:x:place": "城东冷库"})
    assert names.of("place", "urn:x:place") == "城东冷库"
    assert names.of("item", "urn:x:lot#urn:x:place").startswith("urn:x:lot")
    assert "城东冷库" in names.of("item", "urn:x:lot#urn:x:place")
    assert names.of("person", "42").endswith("42")


def test_texts_are_cut_to_their_width() -> None:
    assert fit("东塘市场 共用冷库3号间", 80, 12) == "东塘市场 共…"
    assert width_of("冷", 12) == 12
    assert fit("", 0, 12) == ""


def test_spans() -> None:
    assert span("2024-11-10T06:00:00Z", "2024-11-10T06:00:00.000001Z", "en") == "2024-11-10 14:00"
    assert span("2024-11-10T06:00:00Z", "2024-11-11T06:00:00Z", "en") == "2024-11-10 14:00 – 2024-11-11 14:00"
    assert span("2024-11-10T06:00:00Z", "", "en") == "from 2024-11-10 14:00, no end recorded"
