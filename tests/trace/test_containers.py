"""Closed containers, pallets and whole lots on them: what passes in, out and along (tracing.md §3.5, facts.md §5)."""

from typing import Any

from tests.trace.test_cleaning import evidence, exposed
from tests.trace.test_facts import BOX, HOUR, LOT, OTHER, PALLET, PORT, SHOP, STORE, ask, event, people, tiers

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import EventView

CONTAINER = "https://id.gs1.org/00/9"
TOUCH = "outer-packaging"


def pack(hour: int, parent: str, *children: tuple[str, str], where: str = PORT, **more: Any) -> EventView:
    return event(
        hour,
        "packing",
        (parent, "parent"),
        *children,
        kind="AggregationEvent",
        action="ADD",
        biz_location=where,
        **more,
    )


def unpack(hour: int, parent: str, *children: tuple[str, str], where: str = STORE, **more: Any) -> EventView:
    return event(
        hour,
        "unpacking",
        (parent, "parent"),
        *children,
        kind="AggregationEvent",
        action="DELETE",
        biz_location=where,
        **more,
    )


def journey(content: str, role: str) -> list[EventView]:
    return [
        pack(1, PALLET, (content, role), people=[("packer", TOUCH)]),
        event(3, "inspecting", (PALLET, "epc"), biz_location=PORT, people=[("checker", TOUCH)]),
        event(5, "shipping", (PALLET, "epc"), read_point=PORT, people=[("mover", TOUCH)]),
        event(9, "receiving", (PALLET, "epc"), biz_location=STORE, people=[("clerk", TOUCH)]),
        unpack(12, PALLET, people=[("opener", "opened"), ("helper", TOUCH), ("guard", "same-room")]),
        event(15, "shipping", (PALLET, "epc"), read_point=STORE, people=[("empty", TOUCH)]),
    ]


def test_movers_of_the_closed_unit_are_spared_even_if_it_was_packed_within_the_lookback() -> None:
    for content, role in ((BOX, "child"), (LOT, "child_quantity")):
        for hour in (0, 1, 2):
            found = people(ask(journey(content, role), content, hour))
            packed = {"packer"} if hour < 2 else set()
            assert found == {"opener", "helper", "guard", "empty"} | packed, (content, hour)
    named = tiers(ask(journey(BOX, "child"), BOX, 2))
    assert (named["opener"], named["guard"]) == ("close", "general")


def test_siblings_meet_through_the_inner_face() -> None:
    for content, role in ((OTHER, "child"), (LOT, "child_quantity")):
        closed = [pack(1, PALLET, (BOX, "child"), (content, role))]
        found = {one.id.partition("#")[0]: one for one in ask(closed, BOX, 2).members}
        assert set(found) == {content}
        assert (found[content].tier, found[content].evidence) == ("high", "certain")


def test_the_outside_reaches_the_inside_before_closing_or_after_opening_only() -> None:
    stored = event(0, "storing", (PALLET, "epc"), biz_location=SHOP)
    dirty_before = [stored, pack(2, PALLET, (BOX, "child"), where="")]
    assert [(one.id, one.evidence) for one in ask(dirty_before, PALLET, 1).members if one.kind == "item"] == [
        (BOX, "certain")
    ]
    assert BOX not in exposed(ask(dirty_before, PALLET, 3))
    assert BOX in exposed(ask([*dirty_before, unpack(5, PALLET, (BOX, "child"))], PALLET, 3))
    lot = [stored, pack(2, PALLET, (LOT, "child_quantity"), where="")]
    assert {one.partition("#")[0] for one in exposed(ask(lot, PALLET, 1))} >= {LOT}
    assert LOT not in {one.partition("#")[0] for one in exposed(ask(lot, PALLET, 3))}


def test_a_container_protects_through_two_layers() -> None:
    events = [
        pack(1, PALLET, (BOX, "child")),
        pack(2, CONTAINER, (PALLET, "child"), (OTHER, "child")),
        event(5, "shipping", (CONTAINER, "epc"), read_point=PORT, people=[("driver", TOUCH)]),
        unpack(9, CONTAINER, people=[("terminal", "opened")]),
        event(10, "shipping", (PALLET, "epc"), read_point=STORE, people=[("mover", TOUCH)]),
        unpack(14, PALLET, where=SHOP, people=[("shop", "opened")]),
    ]
    assert people(ask(events, BOX, 3)) == {"shop"}
    assert people(ask(events, PALLET, 3)) == {"terminal", "mover", "shop"}
    assert people(ask(events, OTHER, 3)) == {"terminal", "mover", "shop"}


def test_a_list_of_all_levels_leaves_the_box_in_its_pallet() -> None:
    events = [
        pack(1, PALLET, (BOX, "child")),
        pack(2, CONTAINER, (PALLET, "child"), (BOX, "child"), (OTHER, "child")),
    ]
    assert OTHER not in exposed(ask(events, BOX, 3))
    seen = event(
        3,
        "inspecting",
        (CONTAINER, "parent"),
        (BOX, "child"),
        (OTHER, "child"),
        kind="AggregationEvent",
        biz_location=PORT,
    )
    assert not derive_facts([*events, seen]).notes
    assert OTHER not in exposed(ask([*events, seen], BOX, 3))


def test_opening_without_an_aggregation_event() -> None:
    packed = pack(1, PALLET, (BOX, "child"))
    looked = event(5, "inspecting", (PALLET, "epc"), biz_location=PORT, people=[("customs", "opened")])
    assert people(ask([packed, looked], BOX, 2)) == {"customs"}
    step = event(5, "unpacking", (PALLET, "epc"), biz_location=PORT, people=[("worker", TOUCH)])
    assert people(ask([packed, step], BOX, 2)) == {"worker"}
    closed = event(5, "inspecting", (PALLET, "epc"), biz_location=PORT, people=[("customs", TOUCH)])
    assert people(ask([packed, closed], BOX, 2)) == set()


def test_what_came_out_unseen_makes_possible_since_the_unit_was_last_shown() -> None:
    events = [
        pack(1, PALLET, (BOX, "child")),
        event(5, "shipping", (PALLET, "epc"), read_point=PORT, people=[("mover", TOUCH)]),
        event(9, "receiving", (PALLET, "epc"), biz_location=STORE, record="seen"),
        event(10, "retail_selling", (OTHER, "epc"), read_point=STORE, people=[("store", "same-room")]),
        event(15, "storing", (BOX, "epc"), biz_location=SHOP, record="out", people=[("shop", TOUCH)]),
    ]
    assert evidence(ask(events, BOX, 2)) == {"store": "possible", "shop": "certain"}
    assert "seen-apart" in {note.code for note in derive_facts(events).notes}
    inside = [stay for stay in derive_facts(events).stays if stay.fact == "inside"]
    assert [(stay.start // HOUR, (stay.end - 1) // HOUR, stay.certain) for stay in inside] == [
        (1, 9, True),
        (9, 15, False),
    ]


def test_what_is_used_up_was_taken_out() -> None:
    events = [
        pack(1, PALLET, (BOX, "child"), where=""),
        event(5, "commissioning", (BOX, "input"), (OTHER, "output"), kind="TransformationEvent", action=""),
        event(7, "inspecting", (PALLET, "epc"), people=[("hand", TOUCH)]),
    ]
    assert evidence(ask(events, BOX, 2)) == {"hand": "certain"}


def test_a_nesting_makes_no_circle() -> None:
    events = [
        pack(1, PALLET, (BOX, "child")),
        pack(2, BOX, (PALLET, "child")),
        pack(3, CONTAINER, (CONTAINER, "child")),
    ]
    assert [note.code for note in derive_facts(events).notes] == ["nesting-cycle", "nesting-cycle"]


def test_packing_a_unit_that_came_unseen_spares_its_movers() -> None:
    events = [
        event(0, "storing", (PALLET, "epc"), biz_location=SHOP),
        pack(2, PALLET, (BOX, "child")),
        event(4, "shipping", (PALLET, "epc"), read_point=PORT, people=[("mover", TOUCH)]),
    ]
    assert people(ask(events, BOX, 1)) == set()


def test_a_part_taken_out_leaves_the_rest_possibly_inside() -> None:
    events = [
        pack(1, PALLET, (LOT, "child_quantity"), (BOX, "child")),
        unpack(5, PALLET, (LOT, "child_quantity"), where=PORT),
    ]
    nested = [stay for stay in derive_facts(events).stays if stay.who.id.startswith(LOT) and stay.fact == "inside"]
    assert [(stay.start // HOUR, stay.certain) for stay in nested] == [(1, True), (5, False)]


def test_what_packing_leaves_behind_is_possibly_there() -> None:
    events = [
        event(0, "commissioning", (LOT, "quantity"), biz_location=PORT, action="ADD"),
        pack(2, PALLET, (LOT, "child_quantity")),
        event(4, "retail_selling", (OTHER, "epc"), read_point=PORT, people=[("later", "same-room")]),
    ]
    assert evidence(ask(events, LOT, 1, seed_place=PORT)) == {"later": "possible"}


def test_a_unit_filled_again_passes_on_what_it_held() -> None:
    events = [
        pack(1, PALLET, (BOX, "child")),
        unpack(5, PALLET, where=PORT),
        event(6, "shipping", (BOX, "epc"), read_point=PORT),
        pack(9, PALLET, (OTHER, "child")),
    ]
    assert OTHER in exposed(ask(events, BOX, 2))
