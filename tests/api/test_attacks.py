"""Scenarios against the trace, told as EPCIS events by the commands: who must be listed, and who must not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.api.attack import (
    BOX,
    CITY_A,
    CITY_B,
    CONTAINER,
    LOT,
    MARKET,
    OTHER_BOX,
    OTHER_LOT,
    PALLET,
    PORT,
    STORE,
    TRUCK,
    Scenario,
    clock,
    event,
    packed,
    repacked,
    unpacked,
)

TOUCH, OPENED, ROOM = "outer-packaging", "opened", "same-room"
SURE, MAYBE = "certain", "possible"
AS_IT_IS = ("--lookback", "0d")


@pytest.fixture
def scenario(run: Callable[..., Any], tmp_path: Path) -> Scenario:
    return Scenario(run, tmp_path)


def visit(hour: float, name: str, start: float, end: float, place: str = STORE) -> dict[str, Any]:
    """Somebody is in a place and touches nothing: what is shipped there was nowhere before, and is gone at once."""
    item = f"https://id.gs1.org/01/09520009000036/21/{name}"
    return event(hour, "shipping", id=name, item=item, read=place, people={name: (ROOM, start, end)})


def test_who_moves_a_closed_container_is_spared_and_who_opens_it_is_not(scenario: Scenario) -> None:
    scenario.tell(
        packed(1, CONTAINER, BOX, at=PORT, people={"packer": TOUCH}),
        event(3, "shipping", item=CONTAINER, read=PORT, to=STORE, people={"mover": TOUCH}),
        event(6, "receiving", item=CONTAINER, at=STORE, people={"yard": TOUCH}),
        unpacked(8, CONTAINER, at=STORE, people={"opener": OPENED}),
        event(9, "storing", item=BOX, at=STORE, people={"stacker": TOUCH}),
    )
    everybody = ("packer", "mover", "yard", "opener", "stacker")
    assert scenario.listed(scenario.trace(BOX, 2, *AS_IT_IS), *everybody) == {"opener": SURE, "stacker": SURE}
    # With the usual lookback the packer touched it when it was possibly positive; the movers still touched no content.
    assert scenario.listed(scenario.trace(BOX, 2), *everybody) == {"packer": MAYBE, "opener": SURE, "stacker": SURE}


def test_a_container_that_was_opened_and_closed_again_exposes_who_moves_it_then(scenario: Scenario) -> None:
    scenario.tell(
        packed(1, CONTAINER, BOX, OTHER_BOX, at=PORT),
        event(3, "inspecting", id="moved", item=CONTAINER, at=PORT, people={"before": TOUCH}),
        unpacked(4, CONTAINER, OTHER_BOX, at=PORT, people={"customs": OPENED}),
        packed(5, CONTAINER, OTHER_BOX, at=PORT),
        event(7, "inspecting", id="again", item=CONTAINER, at=PORT, people={"after": TOUCH}),
    )
    found = scenario.listed(scenario.trace(BOX, 2, *AS_IT_IS), "before", "customs", "after")
    assert found == {"customs": SURE, "after": SURE}


def test_a_pallet_that_is_split_between_two_cities(scenario: Scenario) -> None:
    scenario.tell(
        packed(1, PALLET, BOX, OTHER_BOX, at=PORT),
        event(2, "shipping", item=PALLET, read=PORT, to=STORE),
        event(4, "receiving", item=PALLET, at=STORE),
        unpacked(5, PALLET, at=STORE, people={"splitter": OPENED}),
        event(6, "shipping", id="a", item=BOX, read=STORE, to=CITY_A),
        event(6, "shipping", id="b", item=OTHER_BOX, read=STORE, to=CITY_B),
        event(9, "receiving", id="a", item=BOX, at=CITY_A, people={"alice": TOUCH}),
        event(9, "receiving", id="b", item=OTHER_BOX, at=CITY_B, people={"bert": TOUCH}),
    )
    everybody = ("splitter", "alice", "bert")
    # Sampled in one city, after the split: the other city was not reached from there.
    assert scenario.listed(scenario.trace(BOX, 8, *AS_IT_IS), *everybody) == {"alice": SURE}
    assert scenario.listed(scenario.trace(BOX, 8), *everybody) == {"alice": SURE, "splitter": MAYBE, "bert": MAYBE}
    # Sampled before: both boxes were in it when it was opened.
    whole = scenario.listed(scenario.trace(PALLET, 3, *AS_IT_IS), *everybody)
    assert whole == {"alice": SURE, "splitter": SURE, "bert": SURE}


def cold_room() -> list[dict[str, Any]]:
    return [
        event(5, "receiving", item=BOX, at=STORE),
        event(9, "shipping", item=BOX, read=STORE, to=MARKET),
        visit(4, "before", 3, 5),
        visit(7, "during", 6, 7),
        visit(11, "after", 9.5, 11),
        visit(33, "nextday", 32, 33),
        visit(60, "beyond", 58, 60),
    ]


ROOM_PEOPLE = ("before", "during", "after", "nextday", "beyond")


def test_a_cold_room_before_the_arrival_after_it_and_on_the_next_day(scenario: Scenario) -> None:
    scenario.tell(*cold_room())
    assert scenario.listed(scenario.trace(BOX, 5, *AS_IT_IS), *ROOM_PEOPLE) == {"during": SURE}
    by_the_box = (*AS_IT_IS, "--max-generation", "1")
    lasting = scenario.trace(BOX, 5, *by_the_box, "--persistence", "location=48h")
    assert scenario.listed(lasting, *ROOM_PEOPLE) == {"during": SURE, "after": SURE, "nextday": SURE}
    # The box was there at 9:00 still: 22 hours do not last until the next morning, 32:00.
    shorter = scenario.trace(BOX, 5, *by_the_box, "--persistence", "location=22h")
    assert scenario.listed(shorter, *ROOM_PEOPLE) == {"during": SURE, "after": SURE}
    # Whoever was exposed exposes the room again: in the second generation the last one is reached through people.
    farther = scenario.trace(BOX, 5, *AS_IT_IS, "--persistence", "location=48h")
    assert scenario.listed(farther, *ROOM_PEOPLE)["beyond"] == SURE
    (last,) = scenario.people("beyond")
    assert next(one["generation"]["persons"] for one in farther["members"] if one["id"] == str(last)) == 1


def test_a_disinfected_cold_room_exposes_nobody_on_the_next_day(scenario: Scenario) -> None:
    clean = event(20, "urn:sudonglian:bizstep:disinfecting", item=STORE, at=STORE)
    scenario.tell(*cold_room(), {**clean, "sdl:disinfection": {"complete": True, "agent": "x"}})
    lasting = scenario.trace(BOX, 5, *AS_IT_IS, "--persistence", "location=48h")
    assert scenario.listed(lasting, *ROOM_PEOPLE) == {"during": SURE, "after": SURE}


def two_cities() -> list[dict[str, Any]]:
    return [
        event(1, "commissioning", lot=LOT, action="ADD", at=PORT),
        event(3, "shipping", id="a", lot=LOT, read=PORT, to=CITY_A),
        event(3, "shipping", id="b", lot=LOT, read=PORT, to=CITY_B),
        event(6, "receiving", id="a", lot=LOT, at=CITY_A, people={"alice": TOUCH}),
        event(6, "receiving", id="b", lot=LOT, at=CITY_B, people={"bert": TOUCH}),
        event(9, "inspecting", id="a", lot=LOT, at=CITY_A, people={"anna": OPENED}),
        event(9, "inspecting", id="b", lot=LOT, at=CITY_B, people={"bob": OPENED}),
    ]


def test_one_lot_in_two_cities_never_jumps(scenario: Scenario) -> None:
    scenario.tell(*two_cities())
    everybody = ("alice", "bert", "anna", "bob")
    assert scenario.listed(scenario.trace(LOT, 7, *AS_IT_IS, "--place", CITY_A), *everybody) == {"anna": SURE}
    # Nobody says which portion was sampled: each is possible, forward and backward.
    assert scenario.listed(scenario.trace(LOT, 7, *AS_IT_IS), *everybody) == {"anna": MAYBE, "bob": MAYBE}
    before = scenario.trace(LOT, 7, "--backward", "--lookback", "1d")
    assert scenario.listed(before, *everybody) == {"alice": MAYBE, "bert": MAYBE}
    # At 2 there was one portion: it is the one that was sampled.
    first = scenario.listed(scenario.trace(LOT, 2, *AS_IT_IS), *everybody)
    assert first == dict.fromkeys(everybody, SURE)


def test_a_correction_takes_the_handling_back(scenario: Scenario) -> None:
    wrong = event(6, "inspecting", item=BOX, at=STORE, people={"wrong": TOUCH})
    scenario.tell(event(1, "receiving", item=BOX, at=STORE), wrong)
    assert scenario.listed(scenario.trace(BOX, 2, *AS_IT_IS), "wrong") == {"wrong": SURE}
    right = event(6, "inspecting", id="right", item=BOX, at=STORE, people={"right": TOUCH})
    declared = {"declarationTime": event(8, "x")["eventTime"], "correctiveEventIDs": [right["eventID"]]}
    scenario.tell(right, {**wrong, "errorDeclaration": declared})
    answer = scenario.trace(BOX, 2, *AS_IT_IS)
    assert scenario.listed(answer, "wrong", "right") == {"right": SURE}
    assert len(answer["superseded"]) == 1


def test_a_late_event_changes_the_next_answer(scenario: Scenario) -> None:
    scenario.tell(event(1, "receiving", item=BOX, at=STORE), event(9, "inspecting", item=BOX, at=STORE))
    first = scenario.trace(BOX, 2, *AS_IT_IS)
    assert {one["kind"] for one in first["members"]} == {"place"}
    # Told last, and it happened in between: the box had been away, and somebody else had it.
    scenario.tell(
        event(4, "shipping", item=BOX, read=STORE, to=MARKET),
        event(5, "receiving", item=BOX, at=MARKET, people={"late": TOUCH}),
    )
    second = scenario.trace(BOX, 2, *AS_IT_IS)
    assert scenario.listed(second, "late") == {"late": SURE}
    assert second["log"]["size"] > first["log"]["size"]
    assert {one["id"] for one in second["members"] if one["kind"] == "place"} == {STORE, MARKET}
    # An auditor recomputes the first answer from the log as it was, to the byte.
    then = scenario.trace(BOX, 2, *AS_IT_IS, "--log-size", str(first["log"]["size"]))
    assert then["document_hash"] == first["document_hash"] != second["document_hash"]
    assert then["log"] == first["log"]
    refused = scenario.run("trace", BOX, "--at", clock(2), "--purpose", "x", "--json", "--log-size", "9999")
    assert (refused.code, refused.json["error"]["code"]) == (1, "trace-query")


def test_participants_who_say_no_times_were_there_at_the_event(scenario: Scenario) -> None:
    scenario.tell(
        event(1, "receiving", item=BOX, at=STORE),
        event(4, "shipping", item=BOX, read=STORE, to=MARKET),
        visit(9, "long", 2, 9),
        event(9, "shipping", id="x", item=OTHER_BOX, read=STORE, people={"unsaid": ROOM}),
    )
    assert scenario.listed(scenario.trace(BOX, 1, *AS_IT_IS), "long", "unsaid") == {"long": SURE}


def test_what_is_repacked_into_a_new_lot_exposes_who_handles_that(scenario: Scenario) -> None:
    scenario.tell(
        event(1, "receiving", lot=LOT, at=MARKET),
        repacked(4, LOT, OTHER_LOT, at=MARKET, people={"packer": OPENED}),
        event(6, "shipping", lot=OTHER_LOT, read=MARKET, to=CITY_A),
        event(8, "receiving", lot=OTHER_LOT, at=CITY_A, people={"cook": OPENED}),
        event(8, "receiving", id="else", lot=OTHER_LOT, at=CITY_B, people={"stranger": OPENED}),
    )
    everybody = ("packer", "cook", "stranger")
    found = scenario.listed(scenario.trace(LOT, 2, *AS_IT_IS), *everybody)
    # Nothing links the other city's goods but that they may come from where the lot was made.
    assert found == {"packer": SURE, "cook": SURE, "stranger": MAYBE}
    answer = scenario.trace(OTHER_LOT, 9, "--place", CITY_A, "--backward", "--lookback", "2d")
    assert any(one["lot"] == LOT for one in answer["members"])


def test_a_truck_that_carries_two_loads(scenario: Scenario) -> None:
    scenario.tell(
        event(2, "shipping", id="1", item=BOX, read=PORT, at=TRUCK),
        event(6, "receiving", id="1", item=BOX, at=STORE),
        event(8, "shipping", id="2", item=OTHER_BOX, read=PORT, at=TRUCK),
        event(10, "receiving", id="2", item=OTHER_BOX, at=MARKET, people={"second": TOUCH}),
    )

    def reached(*options: str) -> set[str]:
        return {one["id"] for one in scenario.trace(BOX, 1, *AS_IT_IS, *options)["members"]}

    assert OTHER_BOX not in reached()
    lasting = scenario.trace(BOX, 2, *AS_IT_IS, "--persistence", "vehicle=3h")
    assert scenario.listed(lasting, "second") == {"second": SURE}
    assert OTHER_BOX not in reached("--persistence", "vehicle=2h")
    scenario.tell(event(5, "shipping", id="3", item=PALLET, read=PORT, at=TRUCK))
    assert PALLET in reached()


def test_a_worker_of_two_sites_carries_it_on_but_only_after(scenario: Scenario) -> None:
    scenario.tell(
        event(1, "inspecting", id="early", item=PALLET, at=CITY_A, people={"worker": TOUCH, "early": ROOM}),
        event(3, "inspecting", item=BOX, at=PORT, people={"worker": TOUCH}),
        event(10, "inspecting", item=OTHER_BOX, at=CITY_B, people={"worker": TOUCH, "mate": ROOM}),
    )
    answer = scenario.trace(BOX, 3, *AS_IT_IS)
    assert scenario.listed(answer, "worker", "early", "mate") == {"worker": SURE, "mate": SURE}
    reached = {one["id"]: one["generation"] for one in answer["members"]}
    assert reached[OTHER_BOX] == {"objects": 1, "persons": 1}
    assert PALLET not in reached
    one_hop = scenario.trace(BOX, 3, *AS_IT_IS, "--max-generation", "1")
    assert scenario.listed(one_hop, "worker", "mate") == {"worker": SURE}


def test_a_positive_person_forward_and_backward(scenario: Scenario) -> None:
    scenario.tell(
        event(2, "inspecting", id="1", item=BOX, at=PORT, people={"case": TOUCH}),
        event(6, "inspecting", id="2", item=OTHER_BOX, at=STORE, people={"case": TOUCH, "mate": ROOM}),
        event(9, "inspecting", id="3", item=OTHER_BOX, at=STORE, people={"later": TOUCH}),
        event(9, "inspecting", id="4", item=BOX, at=PORT, people={"other": TOUCH}),
    )
    (number,) = scenario.people("case")
    everybody = ("mate", "later", "other")
    forward = scenario.trace(f"person:{number}", 5, *AS_IT_IS)
    assert scenario.listed(forward, *everybody) == {"mate": SURE, "later": SURE}
    assert scenario.listed(scenario.trace(f"person:{number}", 5), *everybody) == {
        "mate": SURE,
        "later": SURE,
        "other": MAYBE,
    }
    backward = scenario.trace(f"person:{number}", 5, "--backward")
    assert {one["id"] for one in backward["members"]} == {BOX, PORT}


def test_a_positive_place(scenario: Scenario) -> None:
    scenario.tell(
        visit(3, "before", 2, 3),
        visit(6, "at", 5.5, 6.5),
        visit(9, "after", 8, 9),
        event(1, "receiving", item=BOX, at=STORE),
        event(12, "shipping", item=BOX, read=STORE, to=MARKET),
        event(14, "receiving", item=BOX, at=MARKET, people={"market": TOUCH}),
    )
    everybody = ("before", "at", "after", "market")
    # The box stood in the room when it was positive, and was there still when somebody came later.
    found = scenario.listed(scenario.trace(STORE, 6, *AS_IT_IS), *everybody)
    assert found == {"at": SURE, "after": SURE, "market": SURE}
    assert scenario.listed(scenario.trace(STORE, 6), *everybody)["before"] == MAYBE
    backward = scenario.trace(STORE, 6, "--backward", "--lookback", "1d")
    assert scenario.listed(backward, *everybody) == {"before": SURE, "at": SURE}
