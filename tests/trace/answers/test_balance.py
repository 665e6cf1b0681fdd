"""The balance of goods: what firms write, what is then where, and that nothing appears or vanishes unsaid."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sudonglian.trace.answers.account import INTO, ZERO
from sudonglian.trace.answers.balance import Balance
from sudonglian.trace.answers.happenings import Happening, happening
from sudonglian.trace.answers.reckoning import reckon

LOT = "https://id.gs1.org/01/09520001002014/10/A"
OTHER = "https://id.gs1.org/01/09520001002021/10/B"
A, B, C = (f"https://id.gs1.org/414/95200010010{n}" for n in ("17", "24", "31"))
FIRM_A, FIRM_B = (f"https://id.gs1.org/417/95200010010{n}" for n in ("17", "24"))
PALLET, BOX = "https://id.gs1.org/00/395200010000000028", "urn:x:box"


def told(*events: dict[str, Any]) -> list[Happening]:
    """Return events, an hour apart, as they stand in records."""
    found = []
    for number, event in enumerate(events):
        whole = {
            "type": "ObjectEvent",
            "action": "OBSERVE",
            "eventTime": f"2026-01-{1 + number // 24:02}T{number % 24:02}:00:00Z",
        }
        found.append(happening(number.to_bytes(32, "big"), number, whole | event))
    return found  # fmt: skip


def some(amount: Any, lot: str = LOT, uom: str | None = "KGM") -> list[dict[str, Any]]:
    line = {"epcClass": lot, "quantity": amount if isinstance(amount, int) else {"$dec": amount}}
    return [line | ({"uom": uom} if uom else {})]


def at(step: str, place: str, **more: Any) -> dict[str, Any]:
    return {"bizStep": step, "readPoint": {"id": place}, **more}


def passing(step: str, place: str, source: str, destination: str, **more: Any) -> dict[str, Any]:
    return at(
        step,
        place,
        sourceList=[{"type": "possessing_party", "source": source}],
        destinationList=[{"type": "possessing_party", "destination": destination}],
        **more,
    )


def after(*events: dict[str, Any]) -> Balance:
    return reckon(told(*events), frozenset({LOT, OTHER}))


def stocks(balance: Balance, lot: str = LOT, uom: str = "KGM") -> list[str]:
    return [str(balance.stock_at(lot, uom, place[-13:-1])) for place in (A, B, C)]


def sums(balance: Balance, place: str, lot: str = LOT, uom: str = "KGM") -> dict[str, str]:
    account = balance.accounts[lot, uom, place[-13:-1]]
    return {kind: str(amount) for kind, amount in account.sums.items()}


def codes(balance: Balance) -> list[str]:
    return [one.code for one in balance.notes]


MAKE = at("commissioning", A, action="ADD", quantityList=some(342))


def test_three_hundred_and_forty_two_are_in_stock_or_sold() -> None:
    for step in ("retail_selling", "urn:epcglobal:cbv:bizstep:retail_selling"):
        for action in ("OBSERVE", "DELETE"):
            balance = after(MAKE, at(step, A, action=action, quantityList=some(60)), at(step, A, action=action, quantityList=some(6)))  # fmt: skip
            assert sums(balance, A) == {"made": "342", "sold": "66"}
            assert stocks(balance)[0] == "276"
            assert codes(balance) == []


def test_a_handoff_with_two_records() -> None:
    left = passing("shipping", A, FIRM_A, FIRM_B, quantityList=some(100))
    balance = after(MAKE, left)
    assert stocks(balance) == ["242", "0", "0"]
    assert [(spot.kind, spot.id, amount) for spot, amount in balance.lots[LOT, "KGM"].items()][1:] == [
        ("way", FIRM_B, Decimal(100))
    ]
    balance = after(MAKE, left, passing("receiving", B, FIRM_A, FIRM_B, quantityList=some(100)))
    assert stocks(balance) == ["242", "100", "0"]
    assert list(balance.accounts[LOT, "KGM", B[-13:-1]].sources) == [A]
    assert codes(balance) == []


def test_a_handoff_with_the_takers_record_alone() -> None:
    balance = after(MAKE, passing("receiving", B, FIRM_A, FIRM_B, quantityList=some(100)))
    assert stocks(balance) == ["242", "100", "0"]
    assert sums(balance, A) == {"made": "342", "left": "100"}


def test_a_handoff_with_the_givers_record_alone_and_goods_used_there() -> None:
    balance = after(
        MAKE,
        passing("shipping", A, FIRM_A, FIRM_B, quantityList=some(100)),
        at("retail_selling", B, quantityList=some(30)),
    )
    assert sums(balance, B) == {"arrived": "30", "sold": "30"}
    assert [amount for spot, amount in balance.lots[LOT, "KGM"].items() if spot.kind == "way"] == [70]
    assert codes(balance) == []


def test_a_consignment_to_another_place_does_not_arrive_here() -> None:
    balance = after(
        MAKE,
        at("storing", C, quantityList=some(1, OTHER)),
        passing("shipping", A, FIRM_A, C, quantityList=some(100)),
        at("receiving", B, quantityList=some(100)),
    )
    assert sums(balance, B) == {"found": "100"}
    assert codes(balance) == ["found"]


def test_more_sold_than_there_was_is_shown_below_nothing() -> None:
    balance = after(MAKE, at("retail_selling", A, quantityList=some("342.5")))
    assert stocks(balance)[0] == "-0.5"
    assert [(one.code, one.amount) for one in balance.notes] == [("short", Decimal("-0.5"))]


def test_units_never_meet_and_decimals_are_exact() -> None:
    balance = after(
        at("commissioning", A, action="ADD", quantityList=[*some("0.1"), *some("0.2"), *some(3, uom="XCS"), *some(7, uom=None)]),
        at("retail_selling", A, quantityList=some("0.3")),
    )  # fmt: skip
    assert balance.stock_at(LOT, "KGM", A[-13:-1]) == ZERO
    assert balance.stock_at(LOT, "XCS", A[-13:-1]) == 3
    assert balance.stock_at(LOT, "", A[-13:-1]) == 7


def test_two_lines_that_say_the_same_are_two_amounts() -> None:
    balance = after(at("commissioning", A, action="ADD", quantityList=[*some(10), *some(10)]))
    assert stocks(balance)[0] == "20"


def test_a_count_says_how_much_there_is() -> None:
    balance = after(
        MAKE, at("stock_taking", A, quantityList=some(340)), at("cycle_counting", A, quantityList=some(345))
    )
    assert sums(balance, A) == {"made": "342", "missing": "2", "found": "5"}
    assert stocks(balance)[0] == "345"
    assert codes(balance) == ["missing", "found"]


def test_what_is_looked_at_is_no_movement() -> None:
    assert sums(after(MAKE, at("inspecting", A, quantityList=some(5))), A) == {"made": "342"}


def test_what_comes_from_outside_the_records_needs_no_explanation() -> None:
    come = passing("receiving", A, "https://id.gs1.org/417/4012345500004", FIRM_A, quantityList=some(50))
    balance = after(come, come)
    assert sums(balance, A) == {"entered": "100"}
    assert codes(balance) == []


def test_lots_ride_in_units_and_come_out() -> None:
    pack = {"type": "AggregationEvent", "action": "ADD", "parentID": PALLET}
    balance = after(
        MAKE,
        at("packing", A, **pack, childQuantityList=some(100)),
        passing("shipping", A, FIRM_A, FIRM_B, epcList=[PALLET]),
        passing("receiving", B, FIRM_A, FIRM_B, epcList=[PALLET]),
        at("retail_selling", B, quantityList=some(1)),
        at("unpacking", B, type="AggregationEvent", action="DELETE", parentID=PALLET, childEPCs=[]),
    )
    assert stocks(balance) == ["242", "99", "0"]
    assert not list(balance.held(PALLET))
    assert codes(balance) == []


def test_boxes_in_a_pallet_in_a_container() -> None:
    add = {"type": "AggregationEvent", "action": "ADD"}
    balance = after(
        at("commissioning", A, action="ADD", epcList=[BOX]),
        at("packing", A, **add, parentID=PALLET, childEPCs=[BOX]),
        at("loading", A, **add, parentID="urn:x:container", childEPCs=[PALLET]),
        passing("shipping", A, FIRM_A, FIRM_B, epcList=["urn:x:container"]),
        passing("receiving", B, FIRM_A, FIRM_B, epcList=["urn:x:container"]),
    )
    assert balance.root(BOX) == ("place", B[-13:-1], "")
    assert sums(balance, B, BOX, "") == {"arrived": "1"}
    assert sums(balance, A, BOX, "") == {"made": "1", "left": "1"}


def test_an_item_ends_once() -> None:
    made, sold = at("commissioning", A, action="ADD", epcList=[BOX]), at("retail_selling", A, epcList=[BOX])
    balance = after(made, sold)
    assert balance.items[BOX].kind == "out"
    balance = after(made, sold, at("inspecting", B, epcList=[BOX]))
    assert "seen-again" in codes(balance)


def test_an_item_that_turns_up_elsewhere_left_without_a_record() -> None:
    balance = after(at("commissioning", A, action="ADD", epcList=[BOX]), at("storing", B, epcList=[BOX]))
    assert balance.root(BOX) == ("place", B[-13:-1], "")
    assert codes(balance) == ["no-departure"]


def test_a_transformation_uses_up_and_makes() -> None:
    made = at(
        "commissioning",
        A,
        type="TransformationEvent",
        inputQuantityList=some(42),
        outputQuantityList=some("20.5", OTHER),
    )
    balance = after(MAKE, made)
    assert sums(balance, A) == {"made": "342", "used": "42"}
    assert sums(balance, A, OTHER) == {"made": "20.5"}
    assert [one.about for one in balance.movements[1:]] == [(OTHER,), (LOT,)]


def test_an_amount_that_nobody_wrote_is_said_to_be_unknown() -> None:
    balance = after(at("commissioning", A, action="ADD", quantityList=[{"epcClass": LOT}]))
    assert balance.accounts[LOT, "", A[-13:-1]].is_uncounted
    assert codes(balance) == ["uncounted"]


PLACES = st.sampled_from((A, B, C))
STEPS = st.sampled_from(
    ("commissioning", "shipping", "receiving", "retail_selling", "destroying", "storing", "stock_taking", "void_shipping")
)  # fmt: skip
AMOUNTS = st.integers(0, 5) | st.sampled_from(("0.1", "2.25"))


@st.composite
def event(draw: Any) -> dict[str, Any]:
    place, amount = draw(PLACES), draw(AMOUNTS)
    match draw(st.integers(0, 5)):
        case 0 | 1 | 2:
            more = {"quantityList": some(amount)} if draw(st.booleans()) else {"epcList": [draw(st.sampled_from((PALLET, BOX)))]}  # fmt: skip
            return passing(draw(STEPS), place, draw(PLACES), draw(PLACES), **more)
        case 3:
            child = {"childQuantityList": some(amount)} if draw(st.booleans()) else {"childEPCs": [BOX]}
            return at("packing", place, type="AggregationEvent", action="ADD", parentID=PALLET, **child)
        case 4:
            child = {"childQuantityList": some(amount)} if draw(st.booleans()) else {}
            return at("unpacking", place, type="AggregationEvent", action="DELETE", parentID=PALLET, **child)
        case _:
            return at("commissioning", place, type="TransformationEvent", inputQuantityList=some(amount), outputQuantityList=some(1))  # fmt: skip


@given(st.lists(event(), max_size=12))
def test_nothing_appears_or_vanishes_unsaid(events: Sequence[dict[str, Any]]) -> None:
    balance = after(*events)
    moved = ZERO
    for one in balance.movements:
        if one.thing == LOT and one.amount is not None and one.kind not in ("arrived", "left", "returned"):
            moved += one.amount if one.kind in INTO else -one.amount
    assert sum(balance.lots.get((LOT, "KGM"), {}).values(), ZERO) == moved
    for (thing, uom, where), account in balance.accounts.items():
        if thing == LOT:
            assert account.stock == balance.stock_at(thing, uom, where)
