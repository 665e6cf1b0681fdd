"""Scenarios about units and lots that come back: reused containers, nested units, lots in units, returns, corrections."""

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
    PALLET,
    PORT,
    STORE,
    Scenario,
    event,
    packed,
    unpacked,
)

TOUCH, OPENED, ROOM = "outer-packaging", "opened", "same-room"
SURE, MAYBE = "certain", "possible"
AS_IT_IS = ("--lookback", "0d")


@pytest.fixture
def scenario(run: Callable[..., Any], tmp_path: Path) -> Scenario:
    return Scenario(run, tmp_path)


def test_a_container_used_again_carries_it_to_its_next_load(scenario: Scenario) -> None:
    scenario.tell(
        packed(1, CONTAINER, BOX, at=PORT),
        event(3, "shipping", id="1", item=CONTAINER, read=PORT, to=STORE),
        event(5, "receiving", id="1", item=CONTAINER, at=STORE),
        unpacked(6, CONTAINER, at=STORE, people={"first": OPENED}),
        event(7, "shipping", id="box", item=BOX, read=STORE, to=MARKET),
        event(8, "shipping", id="2", item=CONTAINER, read=STORE, to=CITY_A, people={"empty": TOUCH}),
        event(20, "receiving", id="2", item=CONTAINER, at=CITY_A),
        packed(21, CONTAINER, OTHER_BOX, at=CITY_A),
        event(23, "shipping", id="3", item=CONTAINER, read=CITY_A, to=CITY_B, people={"mover": TOUCH}),
        event(29, "receiving", id="3", item=CONTAINER, at=CITY_B),
        unpacked(30, CONTAINER, at=CITY_B, people={"second": OPENED}),
        event(31, "inspecting", item=OTHER_BOX, at=CITY_B, people={"cook": TOUCH}),
    )
    everybody = ("first", "empty", "mover", "second", "cook")
    # Opened in the first store, the container itself became exposed, outside too: whoever touched it since is listed.
    assert scenario.listed(scenario.trace(BOX, 2, *AS_IT_IS), *everybody) == dict.fromkeys(everybody, SURE)
    cleaned = event(9, "urn:sudonglian:bizstep:disinfecting", item=CONTAINER, read=STORE)
    scenario.tell({**cleaned, "sdl:disinfection": {"complete": True}})
    found = scenario.listed(scenario.trace(BOX, 2, *AS_IT_IS), *everybody)
    assert found.keys() >= {"first", "empty"}
    assert not {"mover", "cook"} & {name for name, evidence in found.items() if evidence == SURE}


def test_a_unit_in_a_unit_protects_until_it_is_opened_itself(scenario: Scenario) -> None:
    scenario.tell(
        packed(1, PALLET, BOX, at=PORT),
        packed(2, CONTAINER, PALLET, at=PORT),
        event(3, "shipping", item=CONTAINER, read=PORT, to=STORE, people={"mover": TOUCH}),
        event(6, "receiving", item=CONTAINER, at=STORE),
        unpacked(7, CONTAINER, at=STORE, people={"stevedore": OPENED}),
        event(8, "storing", item=PALLET, at=STORE, people={"driver": TOUCH}),
        unpacked(9, PALLET, at=STORE, people={"opener": OPENED}),
    )
    everybody = ("mover", "stevedore", "driver", "opener")
    # The box is inside the wrapped pallet: who opened the container touched the pallet's outside alone.
    assert scenario.listed(scenario.trace(BOX, 2.5, *AS_IT_IS), *everybody) == {"opener": SURE}
    # The pallet's outside is the container's inside.
    outside = scenario.listed(scenario.trace(PALLET, 2.5, *AS_IT_IS), *everybody)
    assert outside == {"stevedore": SURE, "driver": SURE, "opener": SURE}


def test_a_lot_in_a_unit_travels_with_it(scenario: Scenario) -> None:
    some = {"childQuantityList": [{"epcClass": LOT, "quantity": 5}]}
    scenario.tell(
        event(1, "commissioning", lot=LOT, action="ADD", at=PORT),
        packed(2, PALLET, at=PORT) | some,
        event(3, "shipping", item=PALLET, read=PORT, to=CITY_A, people={"mover": TOUCH}),
        event(5, "receiving", item=PALLET, at=CITY_A),
        unpacked(6, PALLET, at=CITY_A, people={"opener": OPENED}),
        event(8, "inspecting", id="a", lot=LOT, at=CITY_A, people={"alice": TOUCH}),
        event(8, "inspecting", id="p", lot=LOT, at=PORT, people={"stayed": TOUCH}),
        event(8, "inspecting", id="b", lot=LOT, at=CITY_B, people={"bert": TOUCH}),
    )
    everybody = ("mover", "opener", "alice", "stayed", "bert")
    found = scenario.listed(scenario.trace(LOT, 1, *AS_IT_IS, "--place", PORT), *everybody)
    # What was packed went to city A; some was shown to have stayed, so it stood beside the pallet, possibly until it left;
    # city B's may come from where the lot was made.
    assert found == {"opener": SURE, "alice": SURE, "stayed": SURE, "mover": MAYBE, "bert": MAYBE}
    there = scenario.listed(scenario.trace(LOT, 7, *AS_IT_IS, "--place", CITY_A), *everybody)
    assert there == {"alice": SURE}


def test_goods_that_come_back(scenario: Scenario) -> None:
    scenario.tell(
        event(1, "receiving", id="1", lot=LOT, at=STORE),
        event(3, "shipping", id="out", lot=LOT, read=STORE, to=MARKET),
        event(5, "receiving", id="2", lot=LOT, at=MARKET, people={"seller": OPENED}),
        event(7, "shipping", id="back", lot=LOT, read=MARKET, to=STORE),
        event(9, "receiving", id="3", lot=LOT, at=STORE, people={"clerk": TOUCH}),
    )
    # It became positive at the market: the store has it since it came back.
    found = scenario.listed(scenario.trace(LOT, 6, *AS_IT_IS, "--place", MARKET), "seller", "clerk")
    assert found == {"clerk": SURE}


def test_an_opening_that_was_declared_an_error_opened_nothing(scenario: Scenario) -> None:
    opening = unpacked(6, CONTAINER, OTHER_BOX, at=STORE, people={"nobody": OPENED})
    scenario.tell(
        packed(1, CONTAINER, BOX, OTHER_BOX, at=PORT),
        event(3, "shipping", item=CONTAINER, read=PORT, to=STORE),
        event(5, "receiving", item=CONTAINER, at=STORE),
        opening,
        event(7, "inspecting", item=CONTAINER, at=STORE, people={"mover": TOUCH}),
    )
    assert scenario.listed(scenario.trace(BOX, 2, *AS_IT_IS), "nobody", "mover") == {"nobody": SURE, "mover": SURE}
    scenario.tell(
        {**opening, "errorDeclaration": {"declarationTime": event(8, "x")["eventTime"], "reason": "did_not_occur"}}
    )
    assert scenario.listed(scenario.trace(BOX, 2, *AS_IT_IS), "nobody", "mover") == {}


def test_one_person_reported_at_two_sites_at_once(scenario: Scenario) -> None:
    scenario.tell(
        event(3, "inspecting", id="1", item=BOX, at=PORT, people={"twin": (TOUCH, 2, 4)}),
        event(
            3.5, "inspecting", id="2", item=OTHER_BOX, at=CITY_A, people={"twin": (TOUCH, 3, 5), "mate": (ROOM, 3, 5)}
        ),
    )
    # Both firms said so: neither is doubted for the other, and the mate is told.
    assert scenario.listed(scenario.trace(BOX, 2, *AS_IT_IS), "twin", "mate") == {"twin": SURE, "mate": SURE}
