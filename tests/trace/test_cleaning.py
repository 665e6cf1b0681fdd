"""Disinfection, samples, contradictions, gaps and days: worlds made of events by hand (facts.md §4, §11-13)."""

from datetime import timedelta
from typing import Any

import pytest
from tests.trace.test_facts import BOX, HOUR, LOT, OTHER, PALLET, PORT, SHOP, STORE, ask, event, people, stays_of

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import Disinfection, EventView, Participant, Sample
from sudonglian.trace.engine.query import sample_time
from sudonglian.trace.engine.result import TraceResult
from sudonglian.trace.engine.rules import fact_table, parse
from sudonglian.trace.errors import QueryRefused, SeedUnknown, TableRefused

OURS = "urn:sudonglian:bizstep:disinfecting"
TRUCK = "https://id.gs1.org/8004/6901234TRUCK"


def evidence(answer: TraceResult) -> dict[str, str]:
    return {one.id: one.evidence for one in answer.members if one.kind == "person"}


def exposed(answer: TraceResult) -> set[str]:
    return {one.id for one in answer.members}


def disinfected(step: str = OURS, **more: Any) -> list[EventView]:
    touch = "outer-packaging"
    return [
        event(1, "storing", (BOX, "epc"), biz_location=PORT, people=[("before", touch)]),
        event(5, step, (BOX, "epc"), biz_location=PORT, people=[("disinfector", touch)], record="clean", **more),
        event(7, "inspecting", (BOX, "epc"), biz_location=PORT, people=[("after", touch)]),
        event(9, "receiving", (BOX, "epc"), biz_location=STORE, people=[("store", "opened")]),
    ]


@pytest.mark.parametrize(
    "step",
    [
        OURS,
        "urn:epcglobal:cbv:bizstep:disinfecting",
        "https://ref.gs1.org/cbv/BizStep-disinfecting",
        "cbv:BizStep-disinfecting",
        "disinfecting",
        "Disinfection",
        "https://firm.example/steps#sanitizing",
        "urn:example:bizstep:disinfection",
        "消毒",
    ],
)
def test_who_came_after_a_disinfection_is_not_listed(step: str) -> None:
    answer = ask(disinfected(step), BOX, 1)
    assert evidence(answer) == {"before": "certain", "disinfector": "certain"}
    assert [one["complete"] for one in answer.document()["disinfections"]] == ["yes"]


@pytest.mark.parametrize("step", ["cleaning", "https://firm.example/disinfecting/not-done", "inspecting"])
def test_other_steps_disinfect_nothing(step: str) -> None:
    assert {"after", "store"} <= people(ask(disinfected(step), BOX, 1))


@pytest.mark.parametrize(
    ("told", "after"),
    [
        (Disinfection(), None),
        (Disinfection(complete=True, log10="1"), None),
        (Disinfection(log10="3"), None),
        (Disinfection(log10="4.0"), None),
        (Disinfection(log10="2.9"), "possible"),
        (Disinfection(log10="much"), "possible"),
        (Disinfection(log10="NaN"), "possible"),
        (Disinfection(complete=False, log10="5"), "certain"),
        (Disinfection(subject=OTHER), "certain"),
        (Disinfection(subject=BOX), None),
    ],
)
def test_how_complete_a_disinfection_was(told: Disinfection, after: str | None) -> None:
    for step in (OURS, "inspecting"):
        assert evidence(ask(disinfected(step, disinfection=told), BOX, 1)).get("after") == after


def test_a_disinfection_lasts_until_those_who_do_it_have_ended() -> None:
    def slow(end: int, told: Disinfection | None = None) -> EventView:
        values = {name: getattr(disinfected()[1], name) for name in EventView.__dataclass_fields__}
        doing = (Participant("disinfector", "disinfector", "outer-packaging", 5 * HOUR, end * HOUR),)
        return EventView(**{**values, "participants": doing, "disinfection": told})

    def who(clean: EventView) -> set[str]:
        return people(ask([disinfected()[0], clean, *disinfected()[2:]], BOX, 1))

    assert who(slow(6)) == {"before", "disinfector"}
    assert who(slow(8)) == {"before", "disinfector", "after"}
    assert who(slow(6, Disinfection(time=8 * HOUR))) == {"before", "disinfector", "after"}


def test_whoever_is_exposed_and_present_exposes_it_again() -> None:
    beside = event(2, "storing", (OTHER, "epc"), biz_location=PORT)
    answer = ask([*disinfected(), beside], BOX, 1)
    assert {"after", "store"} <= people(answer)
    assert next(one.hops for one in answer.members if one.id == "after") == 2


def place(*more: EventView) -> list[EventView]:
    return [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(4, "shipping", (BOX, "epc"), read_point=PORT),
        event(6, "inspecting", (OTHER, "epc"), biz_location=PORT, people=[("visitor", "same-room")]),
        *more,
    ]


def test_a_place_is_disinfected_by_an_event_without_items_or_with_its_number() -> None:
    day = {"persistence": {"location": timedelta(days=1)}}
    assert "visitor" in people(ask(place(), BOX, 2, **day))
    for clean in (event(5, OURS, biz_location=PORT), event(5, OURS, (PORT, "epc"), biz_location=PORT)):
        answer = ask(place(clean), BOX, 2, **day)
        assert "visitor" not in people(answer)
        room = next(one for one in answer.members if one.id == PORT)
        assert [(start // HOUR, end - 1) for start, end in room.intervals] == [(2, 5 * HOUR)]
    assert "visitor" in people(ask(place(event(5, OURS, biz_location=SHOP)), BOX, 2, **day))
    # A disinfection in the presence of what is exposed is undone at once.
    assert "visitor" in people(ask(place(event(3, OURS, biz_location=PORT)), BOX, 2, **day))


def test_a_disinfected_vehicle_carries_nothing_on() -> None:
    def ride(*more: EventView) -> list[EventView]:
        return [
            event(1, "storing", (BOX, "epc"), biz_location=PORT),
            event(3, "shipping", (BOX, "epc"), read_point=PORT, biz_location=TRUCK),
            event(6, "receiving", (BOX, "epc"), biz_location=STORE),
            event(8, "shipping", (OTHER, "epc"), read_point=SHOP, biz_location=TRUCK),
            *more,
        ]

    day = {"persistence": {"vehicle": timedelta(days=1)}}
    assert OTHER in exposed(ask(ride(), BOX, 2, **day))
    assert OTHER not in exposed(ask(ride(event(7, OURS, (TRUCK, "epc"))), BOX, 2, **day))


def test_a_unit_is_clean_outside_and_its_content_is_not() -> None:
    packed = event(
        1, "packing", (PALLET, "parent"), (BOX, "child"), kind="AggregationEvent", action="ADD", biz_location=PORT
    )
    clean = event(3, OURS, (PALLET, "epc"), biz_location=PORT)
    out = event(
        5,
        "unpacking",
        (PALLET, "parent"),
        kind="AggregationEvent",
        action="DELETE",
        biz_location=PORT,
        people=[("opener", "opened")],
    )
    assert people(ask([packed, clean, out], BOX, 2)) == {"opener"}
    mover = event(4, "inspecting", (PALLET, "epc"), biz_location=PORT, people=[("mover", "outer-packaging")])
    assert people(ask([packed, clean, mover], PALLET, 2)) == set()
    assert people(ask([packed, mover], PALLET, 2)) == {"mover"}


def test_a_disinfected_lot_is_its_portion_at_the_place() -> None:
    def lot(*more: EventView) -> list[EventView]:
        return [
            event(1, "commissioning", (LOT, "quantity"), biz_location=PORT, action="ADD"),
            event(7, "inspecting", (LOT, "quantity"), biz_location=PORT, people=[("after", "outer-packaging")]),
            *more,
        ]

    clean = event(5, OURS, (LOT, "quantity"), biz_location=PORT)
    assert people(ask(lot(), LOT, 2)) == {"after"}
    assert people(ask(lot(clean), LOT, 2)) == set()
    elsewhere = event(5, OURS, (LOT, "quantity"), biz_location=SHOP)
    assert people(ask(lot(elsewhere), LOT, 2, seed_place=PORT)) == {"after"}


def test_people_are_not_disinfected() -> None:
    events = disinfected()
    contact = event(6, "inspecting", (OTHER, "epc"), biz_location=SHOP, people=[("disinfector", "opened")])
    assert OTHER in exposed(ask([*events, contact], BOX, 1))


def test_backward_stops_at_a_disinfection() -> None:
    answer = ask(disinfected(), "store", 10, backward=True, lookback=_days(1))
    assert people(answer) == {"after"}
    assert people(ask([disinfected()[0], *disinfected()[2:]], "store", 10, backward=True, lookback=_days(1))) == {
        "before",
        "after",
    }


def _days(number: int) -> Any:
    from datetime import timedelta

    return timedelta(days=number)


def test_a_seed_positive_after_a_disinfection_was_possibly_exposed_before_it() -> None:
    assert evidence(ask(disinfected(), BOX, 8, lookback=_days(1))) == {
        "before": "possible",
        "disinfector": "possible",
        "after": "possible",
        "store": "certain",
    }


def sampled(result: str) -> list[EventView]:
    taken = event(
        4, "sampling", (BOX, "epc"), biz_location=PORT, record="swab", sample=Sample(result), event_id="urn:uuid:1"
    )
    return [*disinfected()[:1], taken, *disinfected()[2:]]


@pytest.mark.parametrize("result", ["positive", "POSITIVE", "weak_positive", "阳性", "+"])
@pytest.mark.parametrize("seed", ["swab", "urn:uuid:1"])
def test_a_positive_sample_is_a_seed(result: str, seed: str) -> None:
    answer = ask(sampled(result), seed, 9)
    assert people(answer) == {"after", "store"}
    assert [(one.subject.id, one.certain) for one in answer.seeds] == [(BOX, 4 * HOUR)]
    assert sample_time(derive_facts(sampled(result)), seed) == 4 * HOUR
    assert [one["verdict"] for one in answer.document()["samples"]] == ["positive"]


def test_a_negative_sample_changes_nothing_and_is_named() -> None:
    answer = ask(sampled("negative"), BOX, 1)
    assert people(answer) == {"before", "after", "store"}
    assert answer.document()["samples"] == [
        {
            "subject": BOX,
            "result": "negative",
            "verdict": "negative",
            "time": "1970-01-01T04:00:00Z",
            "record_hash": "swab",
        }
    ]
    with pytest.raises(QueryRefused):
        ask(sampled("negative"), "swab", 9)
    with pytest.raises(QueryRefused):
        ask(sampled("inconclusive"), "swab", 9)
    assert [note.code for note in derive_facts(sampled("inconclusive")).notes].count("sample-result-unknown") == 1


def test_a_sample_of_a_lot_means_the_portion_at_its_place_and_of_nothing_the_place() -> None:
    both = [
        event(1, "commissioning", (LOT, "quantity"), biz_location=PORT, action="ADD"),
        event(1, "commissioning", (LOT, "quantity"), biz_location=SHOP, action="ADD", log_index=2),
        event(3, "sampling", (LOT, "quantity"), biz_location=SHOP, record="swab", sample=Sample("positive")),
        event(5, "inspecting", (LOT, "quantity"), biz_location=PORT, people=[("port", "opened")]),
        event(5, "inspecting", (LOT, "quantity"), biz_location=SHOP, people=[("shop", "opened")]),
    ]
    assert evidence(ask(both, "swab", 4)) == {"shop": "certain"}
    room = event(3, "sampling", biz_location=SHOP, record="floor", sample=Sample("positive"))
    at_once = event(3, "inspecting", (OTHER, "epc"), biz_location=SHOP, people=[("there", "same-room")], log_index=9)
    assert "there" in people(ask([*both, room, at_once], "floor", 3))
    with pytest.raises(SeedUnknown):
        ask(both, "nothing", 3)


def test_the_table_refuses_what_it_cannot_read() -> None:
    wrong: Any
    for wrong in ({}, [], {"version": "x", "rules": [{}]}, {"version": "x", "rules": [], "spellings": {"a": "("}}):
        with pytest.raises(TableRefused):
            parse(wrong)
    assert fact_table().judge(None, "") == (True, True)


def test_receiving_without_shipping_leaves_the_first_stay_uncertain() -> None:
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT, record="r1"),
        event(3, "inspecting", (BOX, "epc"), biz_location=PORT, record="r3"),
        event(9, "receiving", (BOX, "epc"), biz_location=STORE, record="r9"),
    ]
    assert stays_of(events, BOX) == {(PORT, 1, 3, True), (PORT, 3, 9, False), (STORE, 9, -1, True)}
    assert ("no-departure", "r9", BOX, "r3") in derive_facts(events).notes
    visit = [
        event(hour, "retail_selling", (item, "epc"), read_point=PORT, people=[(f"at{hour}", "same-room")])
        for hour, item in ((2, OTHER), (5, PALLET))
    ]
    assert evidence(ask([*events, *visit], BOX, 1)) == {"at2": "certain", "at5": "possible"}


def test_within_one_site_the_stay_lasts_until_the_next() -> None:
    room = f"{PORT}/254/room-b"
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(9, "storing", (BOX, "epc"), biz_location=room),
    ]
    assert stays_of(events, BOX) == {(PORT, 1, 9, True), (room, 9, -1, True)}
    assert not derive_facts(events).notes


def test_shipping_without_receiving_is_possibly_there_since() -> None:
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(3, "shipping", (BOX, "epc"), read_point=PORT, record="r3"),
        event(9, "inspecting", (BOX, "epc"), biz_location=STORE, record="r9"),
    ]
    assert stays_of(events, BOX) == {(PORT, 1, 3, True), (STORE, 3, 9, False), (STORE, 9, -1, True)}
    assert ("no-arrival", "r9", BOX, "r3") in derive_facts(events).notes
    assert ("no-arrival", "r3", BOX, "") in derive_facts(events[:2]).notes
    assert not derive_facts([events[0], event(3, "retail_selling", (BOX, "epc"), read_point=PORT)]).notes


def test_a_ride_that_no_arrival_ends() -> None:
    events = [
        event(1, "shipping", (BOX, "epc"), read_point=PORT, biz_location=TRUCK, record="r1"),
        event(9, "inspecting", (BOX, "epc"), biz_location=STORE, record="r9"),
    ]
    assert stays_of(events, BOX) == {(TRUCK, 1, 9, False), (STORE, 1, 9, False), (STORE, 9, -1, True)}
    assert ("no-arrival", "r9", BOX, "r1") in derive_facts(events).notes
    arrived = [events[0], event(9, "receiving", (BOX, "epc"), biz_location=STORE)]
    assert stays_of(arrived, BOX) == {(TRUCK, 1, 9, True), (STORE, 9, -1, True)}
    assert not derive_facts(arrived).notes


def test_two_places_at_one_instant_are_both_possible() -> None:
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(5, "storing", (BOX, "epc"), biz_location=STORE, record="a", log_index=5),
        event(5, "storing", (BOX, "epc"), biz_location=SHOP, record="b", log_index=6),
        event(9, "storing", (BOX, "epc"), biz_location=STORE, record="c"),
    ]
    assert {(STORE, 5, 9, False), (SHOP, 5, 9, False), (STORE, 9, -1, True)} <= stays_of(events, BOX)
    noted = {(note.record, note.about) for note in derive_facts(events).notes if note.code == "contradicting-places"}
    assert noted == {("a", BOX), ("b", BOX)}
    seen = [
        event(7, "inspecting", (OTHER, "epc"), biz_location=where, people=[(who, "same-room")])
        for where, who in ((STORE, "s1"), (SHOP, "s2"))
    ]
    assert evidence(ask([*events, *seen], BOX, 6)) == {"s1": "possible", "s2": "possible"}


def test_a_departure_comes_before_an_arrival_of_the_same_time() -> None:
    for item, role in ((BOX, "epc"), (LOT, "quantity")):
        events = [
            event(1, "storing", (item, role), biz_location=PORT),
            event(5, "receiving", (item, role), biz_location=STORE, log_index=5, people=[("store", "opened")]),
            event(5, "shipping", (item, role), read_point=PORT, to=[STORE], log_index=6),
        ]
        facts = derive_facts(events)
        assert not facts.notes
        assert evidence(ask(events, item, 2, seed_place="" if role == "epc" else PORT)) == {"store": "certain"}
    assert stays_of(events[:0] + [_as(one, BOX) for one in events], BOX) == {(PORT, 1, 5, True), (STORE, 5, -1, True)}


def _as(view: EventView, uri: str) -> EventView:
    values = {name: getattr(view, name) for name in EventView.__dataclass_fields__}
    return EventView(**{**values, "items": event(0, "x", (uri, "epc")).items})


def test_an_event_without_a_place_says_where_people_were_only_possibly() -> None:
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(
            5, "inspecting", (BOX, "epc"), people=[("nowhere", "same-room"), ("hand", "outer-packaging")], record="x"
        ),
    ]
    assert evidence(ask(events, BOX, 2)) == {"nowhere": "possible", "hand": "certain"}
    assert ("no-place", "x", BOX, "") in derive_facts(events).notes


def test_days_may_chain_and_minutes_may_not() -> None:
    def chain(*hours: int) -> list[EventView]:
        first, second = hours
        return [
            event(first, "inspecting", (BOX, "epc"), people=[("a", "opened")]),
            event(first, "inspecting", (OTHER, "epc"), people=[("a", "opened"), ("b", "opened")]),
            event(second, "inspecting", (PALLET, "epc"), people=[("c", "opened")]),
        ]

    assert people(ask(chain(24, 48), BOX, 24)) == {"a", "b"}
    assert people(ask(chain(24, 49), BOX, 24)) == {"a"}
    assert people(ask(chain(24, 49), BOX, 24, strict=False)) == {"a", "b"}
    assert ask(chain(24, 48), BOX, 24).document()["query"]["instants"] == "chain"
    assert ask(chain(24, 49), BOX, 24).document()["query"]["instants"] == "strict"


def test_what_is_named_while_wrapped_is_disinfected_possibly() -> None:
    packed = event(
        1, "packing", (PALLET, "parent"), (BOX, "child"), kind="AggregationEvent", action="ADD", biz_location=PORT
    )
    clean = event(3, OURS, (BOX, "epc"), biz_location=PORT)
    out = event(
        5,
        "unpacking",
        (PALLET, "parent"),
        kind="AggregationEvent",
        action="DELETE",
        biz_location=PORT,
        people=[("opener", "opened")],
    )
    assert evidence(ask([packed, clean, out], BOX, 2)) == {"opener": "possible"}
