"""Known worlds, made of events by hand: each is a way in which a trace could quarantine the wrong people."""

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from tests.trace.worlds import check_walk

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import EventView, ItemRef, Participant, PartyRef
from sudonglian.trace.engine.facts import EPOCH, OPEN_END, Facts, Place, canonical
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import TraceResult, trace
from sudonglian.trace.errors import EventRefused, QueryRefused, SeedUnknown

HOUR = 3_600_000_000
PORT, STORE, SHOP = (f"https://id.gs1.org/414/69012345000{n}9" for n in (0, 1, 2))
CITY_A, CITY_B = "https://id.gs1.org/414/6911111111119", "https://id.gs1.org/414/6922222222229"
LOT = "https://id.gs1.org/01/06901234567892/10/L1"
PALLET, BOX, OTHER = "https://id.gs1.org/00/1", "https://id.gs1.org/01/0/21/box", "https://id.gs1.org/01/0/21/other"


def event(hour: int, step: str, *items: tuple[str, str], kind: str = "ObjectEvent", **more: Any) -> EventView:
    record = more.pop("record", f"{hour:03d}-{step}-{more.get('biz_location', '')}-{'-'.join(uri for uri, _ in items)}")
    return EventView(
        record_hash=record,
        log_index=more.pop("log_index", hour),
        event_time=hour * HOUR,
        type=kind,
        action=more.pop("action", "OBSERVE"),
        biz_step=step,
        items=tuple(ItemRef(uri, role) for uri, role in items),
        participants=more.pop(
            "participants", tuple(Participant(name, "loader", contact) for name, contact in more.pop("people", ()))
        ),
        destinations=tuple(PartyRef("location", uri) for uri in more.pop("to", ())),
        **more,
    )


def ask(events: Iterable[EventView], seed: str, hour: int, **more: Any) -> TraceResult:
    facts = derive_facts(events)
    query = TraceQuery(seed, at=EPOCH + timedelta(hours=hour), **{"lookback": timedelta(0), **more})
    answer = trace(facts, query)
    # What a positive place exposes has a walk that begins with who was there.
    # Walks with a dwell are looked at in test_terms.
    walked = (
        ()
        if query.backward or query.min_dwell or any(isinstance(one.subject, Place) for one in answer.seeds)
        else answer.members
    )
    linger = {kind: span // timedelta(microseconds=1) for kind, span in query.persistence.items()}
    for member in walked:
        meant = [seed.certain if member.evidence == "certain" else seed.possible for seed in answer.seeds]
        start = min(time for time in meant if time is not None)
        sure = member.evidence == "certain"
        strict = bool(answer.query.strict)
        hops = check_walk(facts, member.walk(), strict=strict, start=start, linger=linger, certain=sure)
        assert hops == member.hops
    return answer


def people(answer: TraceResult) -> set[str]:
    return {one.id for one in answer.members if one.kind == "person"}


def tiers(answer: TraceResult) -> dict[str, str]:
    return {one.id: one.tier for one in answer.members if one.kind == "person"}


def handover() -> list[EventView]:
    return [
        event(1, "storing", (BOX, "epc"), biz_location=PORT, people=[("early", "outer-packaging")]),
        event(
            5, "shipping", (BOX, "epc"), read_point=PORT, people=[("driver", "outer-packaging"), ("clerk", "same-room")]
        ),
        event(9, "receiving", (BOX, "epc"), biz_location=STORE, people=[("late", "opened")]),
    ]


def test_who_handled_it_before_is_not_listed() -> None:
    answer = ask(handover(), BOX, 3)
    assert people(answer) == {"driver", "clerk", "late"}
    assert tiers(answer) == {"driver": "close", "clerk": "general", "late": "close"}
    assert {one.evidence for one in answer.members} == {"certain"}


def test_the_lookback_makes_them_possible_only() -> None:
    answer = ask(handover(), BOX, 3, lookback=timedelta(hours=2))
    assert {one.id: one.evidence for one in answer.members if one.kind == "person"} == {
        "early": "possible",
        "driver": "certain",
        "clerk": "certain",
        "late": "certain",
    }


def test_nobody_is_met_on_the_way() -> None:
    waiting = event(7, "inspecting", (OTHER, "epc"), biz_location=PORT, people=[("inspector", "same-room")])
    assert "inspector" not in people(ask([*handover(), waiting], BOX, 6))


def test_a_vehicle_is_a_place() -> None:
    truck = "https://id.gs1.org/8004/6901234TRUCK"
    answer = ask(
        [
            event(1, "storing", (BOX, "epc"), biz_location=PORT),
            event(5, "shipping", (BOX, "epc"), read_point=PORT, biz_location=truck),
            event(6, "shipping", (OTHER, "epc"), read_point=SHOP, biz_location=truck),
            event(9, "receiving", (BOX, "epc"), biz_location=STORE),
        ],
        BOX,
        3,
    )
    assert {one.id for one in answer.members if one.kind == "place"} == {PORT, truck, STORE}
    assert OTHER in {one.id for one in answer.members}


def container(opened_at: int | None) -> list[EventView]:
    packed = event(
        1, "packing", (PALLET, "parent"), (BOX, "child"), kind="AggregationEvent", action="ADD", biz_location=PORT
    )
    moved = event(5, "shipping", (PALLET, "epc"), read_point=PORT, people=[("mover", "outer-packaging")])
    arrived = event(9, "receiving", (PALLET, "epc"), biz_location=STORE, people=[("clerk", "outer-packaging")])
    events = [packed, moved, arrived]
    if opened_at is not None:
        events.append(
            event(
                opened_at,
                "unpacking",
                (PALLET, "parent"),
                kind="AggregationEvent",
                action="DELETE",
                biz_location=STORE,
                people=[("opener", "opened")],
            )
        )
    return events


def test_a_closed_container_protects_its_movers() -> None:
    answer = ask(container(12), BOX, 2)
    assert people(answer) == {"opener"}
    assert {one.id for one in answer.members if one.kind == "place"} == {STORE}
    assert not ask(container(None), BOX, 2).members


def test_deleting_without_children_empties_the_parent() -> None:
    later = event(20, "inspecting", (BOX, "epc"), people=[("buyer", "outer-packaging")])
    visitor = event(15, "inspecting", (OTHER, "epc"), biz_location=STORE, people=[("visitor", "same-room")])
    answer = ask([*container(12), visitor, later], BOX, 2)
    assert people(answer) == {"opener", "visitor", "buyer"}


def test_a_named_child_in_a_closed_unit_gives_possible() -> None:
    scan = event(7, "inspecting", (BOX, "epc"), people=[("scanner", "outer-packaging")])
    answer = ask([*container(None), scan], BOX, 2)
    assert {one.id: one.evidence for one in answer.members if one.kind == "person"} == {
        "scanner": "possible",
        "clerk": "possible",
    }


def test_a_split_pallet_goes_two_ways() -> None:
    events = [
        event(
            1,
            "packing",
            (PALLET, "parent"),
            (BOX, "child"),
            (OTHER, "child"),
            kind="AggregationEvent",
            action="ADD",
            biz_location=PORT,
        ),
        event(
            5,
            "unpacking",
            (PALLET, "parent"),
            (BOX, "child"),
            kind="AggregationEvent",
            action="DELETE",
            biz_location=PORT,
        ),
        event(6, "shipping", (BOX, "epc"), read_point=PORT),
        event(6, "shipping", (PALLET, "epc"), read_point=PORT),
        event(9, "receiving", (BOX, "epc"), biz_location=STORE, people=[("store", "outer-packaging")]),
        event(9, "receiving", (PALLET, "epc"), biz_location=SHOP, people=[("shop", "outer-packaging")]),
    ]
    assert people(ask(events, BOX, 8)) == {"store"}
    exposed = {one.id for one in ask(events, BOX, 4).members}
    assert {PALLET, OTHER, "store", "shop"} <= exposed


def two_cities() -> list[EventView]:
    return [
        event(1, "commissioning", (LOT, "quantity"), biz_location=PORT, action="ADD"),
        event(3, "shipping", (LOT, "quantity"), read_point=PORT, to=[CITY_A], record="to-a"),
        event(3, "shipping", (LOT, "quantity"), read_point=PORT, to=[CITY_B], record="to-b"),
        event(6, "receiving", (LOT, "quantity"), biz_location=CITY_A, people=[("a", "outer-packaging")]),
        event(6, "receiving", (LOT, "quantity"), biz_location=CITY_B, people=[("b", "outer-packaging")]),
        event(9, "inspecting", (LOT, "quantity"), biz_location=CITY_A, people=[("a2", "outer-packaging")]),
        event(9, "inspecting", (LOT, "quantity"), biz_location=CITY_B, people=[("b2", "outer-packaging")]),
    ]


def test_one_lot_in_two_cities_never_jumps_sideways() -> None:
    assert people(ask(two_cities(), LOT, 5, seed_place=CITY_A)) == {"a", "a2"}
    assert people(ask(two_cities(), LOT, 8, seed_place=CITY_B)) == {"b2"}
    assert people(ask(two_cities(), LOT, 2, seed_place=PORT)) == {"a", "b", "a2", "b2"}


def test_a_lot_without_a_place_seeds_every_portion_as_possible() -> None:
    answer = ask(two_cities(), LOT, 8)
    assert {one.id: one.evidence for one in answer.members if one.kind == "person"} == {
        "a2": "possible",
        "b2": "possible",
    }
    alone = ask(
        [*two_cities()[:1], event(4, "inspecting", (LOT, "quantity"), biz_location=PORT, people=[("x", "opened")])],
        LOT,
        2,
    )
    assert {one.id: one.evidence for one in alone.members if one.kind == "person"} == {"x": "certain"}


def test_an_unlinked_portion_is_said_aloud() -> None:
    events = [two_cities()[0], *two_cities()[3:]]
    facts = derive_facts(events)
    assert [note.code for note in facts.notes] == ["unlinked-portion", "unlinked-portion"]
    # It came from where it was made, possibly; never from the other city that has some of it.
    assert {(one.source.id, one.target.id, one.certain) for one in facts.flows} == {
        (f"{LOT}#{PORT}", f"{LOT}#{city}", False) for city in (CITY_A, CITY_B)
    }
    assert people(ask(events, LOT, 5, seed_place=CITY_A)) == {"a", "a2"}
    assert {one.evidence for one in ask(events, LOT, 2, seed_place=PORT).members if one.kind == "person"} == {
        "possible"
    }


def test_transformation_passes_it_on() -> None:
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(
            4,
            "commissioning",
            (BOX, "input"),
            (OTHER, "output"),
            kind="TransformationEvent",
            action="",
            biz_location=PORT,
            record="cut",
        ),
        event(6, "inspecting", (OTHER, "epc"), biz_location=PORT, people=[("cook", "opened")]),
    ]
    answer = ask(events, BOX, 2)
    assert people(answer) == {"cook"}
    assert next(one for one in answer.members if one.id == OTHER).tier == "high"
    assert people(ask(events, BOX, 5)) == set()


def test_a_superseded_record_gives_no_facts_and_is_named() -> None:
    wrong = event(
        5, "shipping", (BOX, "epc"), read_point=PORT, people=[("driver", "opened")], record="wrong", superseded=True
    )
    answer = ask([handover()[0], wrong], BOX, 3)
    assert people(answer) == set()
    assert answer.document()["superseded"] == ["wrong"]


def test_events_in_any_order_and_repeated_say_the_same() -> None:
    for events in (handover(), container(12), two_cities()):
        mixed = [*events, *events]
        random.Random(1).shuffle(mixed)
        assert derive_facts(mixed) == derive_facts(events)


def test_document_is_bound_to_its_log_and_hashed() -> None:
    first, second = (ask(handover(), BOX, 3, log_size=size, log_root="ab") for size in (3, 4))
    assert first.document_hash() == ask(handover(), BOX, 3, log_size=3, log_root="ab").document_hash()
    assert first.document_hash() != second.document_hash()
    shown = first.as_json()
    assert shown["log"] == {"size": 3, "root": "ab"}
    driver = next(one for one in shown["members"] if one["id"] == "driver")
    assert driver["generation"] == {"objects": 1, "persons": 0}
    assert driver["walk"]
    assert all(step["record_hash"] for one in shown["members"] for step in one["walk"])


def test_graph_holds_only_the_exposed() -> None:
    graph = ask(handover(), BOX, 3).to_networkx()
    assert graph.nodes[f"item:{BOX}"]["role"] == "seed"
    assert "person:early" not in graph
    assert all(data["record_hashes"] for *_, data in graph.edges(data=True))


def test_refusals_have_names() -> None:
    with pytest.raises(SeedUnknown):
        ask(handover(), "nothing", 3)
    with pytest.raises(QueryRefused):
        ask(handover(), BOX, 3, lookback=timedelta(seconds=-1))
    with pytest.raises(EventRefused):
        derive_facts([event(1, "storing", (BOX, "bogus"))])


def stays_of(events: Iterable[EventView], uri: str) -> set[tuple[str, int, int, bool]]:
    """Return an item's stays that are no instants: where, from and to in hours (-1 if open), certain."""
    return {
        (one.where.id, one.start // HOUR, -1 if one.end == OPEN_END else one.end // HOUR, one.certain)
        for one in derive_facts(events).stays
        if one.who.id == uri and one.end - one.start > 1
    }


def test_stays_begin_and_end_where_the_table_says() -> None:
    assert stays_of(handover(), BOX) == {(PORT, 1, 5, True), (STORE, 9, -1, True)}
    assert stays_of(container(12), BOX) == {(PALLET, 1, 12, True), (STORE, 12, -1, True)}
    assert not derive_facts(container(12)).notes
    inside = next(one for one in derive_facts(container(12)).stays if one.fact == "inside")
    assert inside.end == 12 * HOUR + 1
    gone = [*handover(), event(20, "destroying", (BOX, "epc"))]
    assert stays_of(gone, BOX) == {(PORT, 1, 5, True), (STORE, 9, 20, True)}


def test_a_read_point_alone_is_a_possible_stay_until_an_arrival() -> None:
    events = [
        event(1, "inspecting", (BOX, "epc"), read_point=PORT),
        event(4, "storing", (BOX, "epc"), read_point=PORT),
    ]
    assert stays_of(events, BOX) == {(PORT, 1, 4, False), (PORT, 4, -1, True)}


def test_same_instant_reads_arrival_before_unpacking_before_leaving() -> None:
    events = [
        event(3, "shipping", (BOX, "epc"), read_point=PORT, log_index=0),
        event(3, "storing", (BOX, "epc"), biz_location=PORT, log_index=9),
    ]
    assert stays_of(events, BOX) == set()


def test_an_opened_pallet_exposes_the_room_until_it_is_packed_again() -> None:
    def packing(hour: int, *children: str) -> EventView:
        named = [(uri, "child") for uri in children]
        return event(
            hour, "packing", (PALLET, "parent"), *named, kind="AggregationEvent", action="ADD", biz_location=PORT
        )

    third = "https://id.gs1.org/01/0/21/third"
    opened = event(
        5,
        "unpacking",
        (PALLET, "parent"),
        (OTHER, "child"),
        kind="AggregationEvent",
        action="DELETE",
        biz_location=PORT,
    )
    visitor = event(7, "inspecting", (PALLET, "epc"), biz_location=PORT, people=[("visitor", "same-room")])
    assert people(ask([packing(1, BOX, OTHER), visitor], BOX, 2)) == set()
    assert people(ask([packing(1, BOX, OTHER), opened, visitor], BOX, 2)) == {"visitor"}
    again = packing(9, third)
    after = event(12, "inspecting", (PALLET, "epc"), biz_location=PORT, people=[("late", "same-room")])
    assert people(ask([packing(1, BOX, OTHER), opened, again, after], BOX, 10)) == set()


def test_links_sent_to_one_place_are_certain() -> None:
    answer = ask(two_cities(), LOT, 2, seed_place=PORT)
    assert {one.evidence for one in answer.members if one.kind == "person"} == {"certain"}


def test_a_lot_named_without_place_is_each_of_its_portions_possibly() -> None:
    unplaced = event(12, "inspecting", (LOT, "quantity"), people=[("z", "opened")])
    answer = ask([*two_cities(), unplaced], LOT, 8, seed_place=CITY_A)
    assert {one.id: one.evidence for one in answer.members if one.kind == "person"}["z"] == "possible"


def test_nobody_raises_the_own_tier() -> None:
    clean = event(9, "inspecting", (OTHER, "epc"), biz_location=SHOP, people=[("clerk", "outer-packaging")])
    assert tiers(ask([*handover(), clean], BOX, 3))["clerk"] == "general"


def test_a_seed_is_possible_from_its_first_fact_at_most_the_lookback_ago() -> None:
    for days, hour in ((30, 1), (0, 3)):
        assert [seed.possible for seed in ask(handover(), BOX, 3, lookback=timedelta(days=days)).seeds] == [hour * HOUR]


def test_a_positive_place_exposes_who_is_there() -> None:
    answer = ask(handover(), STORE, 9)
    assert people(answer) == {"late"}
    assert BOX in {one.id for one in answer.members}


def test_backward_finds_who_may_have_exposed_it() -> None:
    query = TraceQuery("late", at=EPOCH + timedelta(hours=10), backward=True, lookback=timedelta(days=1))
    answer = trace(derive_facts(handover()), query)
    assert people(answer) == {"early", "driver", "clerk"}
    assert {one.time // HOUR for one in answer.members if one.id == "driver"} == {5}
    walk = next(one for one in answer.members if one.id == "early").walk()
    assert [step.time for step in walk] == sorted(step.time for step in walk)
    assert (walk[0].who.id, walk[-1].who.id) == ("early", "late")


def test_what_is_outside_reaches_inside_only_once_it_is_opened() -> None:
    dirty, third = "https://id.gs1.org/01/0/21/dirty", (OTHER, "child")
    packed = event(
        1,
        "packing",
        (PALLET, "parent"),
        (BOX, "child"),
        third,
        kind="AggregationEvent",
        action="ADD",
        biz_location=PORT,
    )
    opened = event(
        5, "unpacking", (PALLET, "parent"), third, kind="AggregationEvent", action="DELETE", biz_location=PORT
    )
    beside = event(7, "storing", (dirty, "epc"), biz_location=PORT)
    assert BOX not in {one.id for one in ask([packed, beside], dirty, 7).members}
    assert BOX in {one.id for one in ask([packed, opened, beside], dirty, 7).members}


def test_of_two_consignments_the_one_received_is_either_possibly() -> None:
    events = [
        event(1, "commissioning", (LOT, "quantity"), biz_location=PORT, action="ADD"),
        event(1, "commissioning", (LOT, "quantity"), biz_location=SHOP, action="ADD"),
        event(3, "shipping", (LOT, "quantity"), read_point=PORT, to=[CITY_A], record="from-port"),
        event(3, "shipping", (LOT, "quantity"), read_point=SHOP, to=[CITY_A], record="from-shop"),
        event(6, "receiving", (LOT, "quantity"), biz_location=CITY_A, people=[("a", "opened")]),
    ]
    answer = ask(events, LOT, 2, seed_place=PORT)
    assert {one.id: one.evidence for one in answer.members if one.kind == "person"} == {"a": "possible"}


def long(hour: int, item: str, *names: str, contact: Any = "outer-packaging", **more: Any) -> EventView:
    """Return an inspection in which each person takes an hour."""
    view = event(hour, "inspecting", (item, "epc"), **more)
    taking = tuple(Participant(name, "", contact, hour * HOUR, (hour + 1) * HOUR) for name in names)
    return EventView(**{name: getattr(view, name) for name in view.__dataclass_fields__} | {"participants": taking})


def test_hops_through_objects_and_persons_are_counted_apart() -> None:
    events = [long(2, BOX, "first"), long(4, OTHER, "first", "second"), long(6, OTHER, "third")]
    counted = {one.id: (one.objects, one.persons) for one in ask(events, BOX, 1).members}
    assert counted == {"first": (1, 0), OTHER: (1, 1), "second": (1, 1), "third": (2, 1)}


def test_what_somebody_exposed_does_not_raise_the_own_tier() -> None:
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        long(2, BOX, "guard", contact="same-room", biz_location=PORT),
        long(5, OTHER, "guard", "other"),
    ]
    assert tiers(ask(events, BOX, 1)) == {"guard": "general", "other": "close"}


def test_an_empty_stay_is_none() -> None:
    stay = derive_facts(handover()).stays[0]
    assert canonical(Facts(stays=(stay._replace(end=stay.start),))).stays == ()


def test_a_walk_ends_with_the_question() -> None:
    events = [
        event(5, "inspecting", (BOX, "epc"), people=[("a", "opened")]),
        long(4, OTHER, "a", "b"),
    ]
    assert people(ask(events, BOX, 1, until=EPOCH + timedelta(hours=5))) == {"a"}
    late = [event(4, "inspecting", (BOX, "epc"), people=[("a", "opened")]), long(3, OTHER, "a", "b")]
    meeting = [*late[:1], long(3, OTHER, "a", "b"), long(4, OTHER, "a", "b", record="next")]
    assert people(ask(meeting, BOX, 1, until=EPOCH + timedelta(hours=4))) == {"a"}
    assert people(ask(meeting, BOX, 1, until=EPOCH + timedelta(hours=5))) == {"a", "b"}


def test_a_tier_names_the_meeting_that_fired_its_rule() -> None:
    late = next(one for one in ask(handover(), BOX, 3).members if one.id == "late")
    assert (late.rule, late.tier) == ("T01", "close")
    assert [(one["fact"], one["who"]["id"]) for one in late.tier_facts()] == [("handled", BOX), ("handle", "late")]
    assert all(one["record_hashes"] for one in late.tier_facts())
    lot = next(one for one in ask(two_cities(), LOT, 2, seed_place=PORT).members if one.portion)
    assert all(one["record_hashes"] for one in lot.tier_facts())


def test_from_when_to_when_a_worker_was_exposed() -> None:
    half = timedelta(minutes=30)
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(
            3,
            "inspecting",
            (BOX, "epc"),
            biz_location=PORT,
            participants=(Participant("worker", "", "outer-packaging", 3 * HOUR, 4 * HOUR),),
        ),
        event(6, "shipping", (BOX, "epc"), read_point=PORT),
    ]
    (worker,) = [one for one in ask(events, BOX, 2).members if one.id == "worker"]
    told = worker.summary()
    assert (told["earliest"], told["latest"]) == ("1970-01-01T03:00:00Z", "1970-01-01T03:59:59.999999Z")
    assert told["exposure_us"] == {"handling": HOUR, "presence": HOUR}
    port = next(one for one in ask(events, BOX, 2).members if one.id == PORT).summary()
    assert (port["earliest"], port["latest"]) == ("1970-01-01T02:00:00Z", "1970-01-01T06:00:00Z")
    dwelt = ask(events, BOX, 2, min_dwell={"handoff": half, "location": half})
    assert [one.time for one in dwelt.members if one.id == "worker"] == [3 * HOUR + HOUR // 2]
    assert [one.id for one in ask(events, BOX, 2, min_dwell={"handoff": 3 * half, "location": 3 * half}).members] == [
        PORT
    ]
    back = next(
        one for one in ask(events, "worker", 5, backward=True, lookback=timedelta(days=1)).members if one.id == BOX
    )
    assert (back.summary()["earliest"], back.summary()["latest"]) == (
        "1970-01-01T03:00:00Z",
        "1970-01-01T03:59:59.999999Z",
    )


def test_two_records_of_one_presence_are_one_dwell() -> None:
    """Twenty minutes that two handoffs tell, ten each, hold a dwell of fifteen; with a break between they do not."""

    def told(pause: int) -> set[str]:
        minutes = 60_000_000
        first = Participant("worker", "", "same-room", 3 * HOUR, 3 * HOUR + 10 * minutes)
        second = Participant("worker", "", "same-room", first.end or 0, 3 * HOUR + 20 * minutes)
        later = second._replace(start=(second.start or 0) + pause * minutes, end=(second.end or 0) + pause * minutes)
        events = [
            event(1, "storing", (BOX, "epc"), biz_location=PORT),
            event(3, "inspecting", (BOX, "epc"), biz_location=PORT, participants=(first,), record="a"),
            event(3, "inspecting", (BOX, "epc"), biz_location=PORT, participants=(later,), record="b"),
        ]
        return people(ask(events, BOX, 2, min_dwell={"location": timedelta(minutes=15)}))

    assert told(0) == {"worker"}
    assert told(1) == set()
