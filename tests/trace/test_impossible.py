"""What people said that cannot be true is found, each kind of it, and what can be true is not."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import EventView, Interview, ItemRef, Participant
from sudonglian.trace.engine.facts import EPOCH, Facts, Micros
from sudonglian.trace.engine.impossible import Found, impossible, nowhere
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import trace
from sudonglian.trace.engine.strands import Strands
from sudonglian.trace.engine.travel import parse, point_of, table
from sudonglian.trace.errors import TableRefused

MINUTE = 60_000_000
HOUR = 60 * MINUTE
START = EPOCH + timedelta(hours=10)
TOLD = 1_000 * HOUR
HOME, SHOP, FAR = (f"https://id.gs1.org/414/952000100{number}" for number in ("1017", "1024", "1031"))
BOX, PALLET = "https://id.gs1.org/01/0/21/box", "https://id.gs1.org/00/pallet"
LOT = "https://id.gs1.org/01/09520001002014/10/L1"
AT = {HOME: ("38.9140", "121.6147"), SHOP: ("38.9145", "121.6150"), FAR: ("39.9042", "116.4074")}


def positions(places: Any) -> dict[str, tuple[Decimal, Decimal]]:
    return {place: point for place in places if place in AT and (point := point_of(*AT[place])) is not None}


def said(name: str, *people: str, place: str = "", times: tuple[Micros, ...] = (10 * HOUR,), **more: Any) -> EventView:
    """Return a statement over begin, end, or the four of both."""
    begin, end = (times[:2], times[2:]) if len(times) == 4 else ((times[0],) * 2, (times[-1],) * 2)
    told: dict[str, Any] = {"told": TOLD, "by": "self", "certainty": "remembered"} | more
    one = Interview(told.pop("told"), told.pop("by"), told.pop("certainty"), *begin, *end, place=place, **told)
    people_ = tuple(Participant(number) for number in people)
    step = "urn:sudonglian:bizstep:interviewing"
    return EventView(
        name, hash(name) % 10_000, begin[0], "ObjectEvent", "OBSERVE", step, participants=people_, interview=one
    )


def shown(name: str, time: Micros, item: str = BOX, place: str = HOME, **more: Any) -> EventView:
    """Return a firm's record of an item at a place."""
    told: dict[str, Any] = {"type": "ObjectEvent", "action": "OBSERVE", "biz_step": "receiving", "biz_location": place}
    told |= {"items": (ItemRef(item, "epc"),), "read_point": place} | more
    return EventView(name, hash(name) % 10_000, time, **told)


def packed(name: str, time: Micros, action: str = "ADD") -> EventView:
    items = (ItemRef(PALLET, "parent"), ItemRef(BOX, "child"))
    return shown(name, time, type="AggregationEvent", action=action, biz_step="packing", items=items)


def found(*events: EventView, about: tuple[str, ...] = ("1", BOX), where: Any = positions) -> Found:
    facts = derive_facts(events)
    answer = impossible(facts, about, where)
    backwards = derive_facts(events[::-1])
    assert impossible(backwards, about[::-1], where) == answer, "the order changes nothing"
    return answer


def codes(answer: Found) -> list[tuple[str, str, str]]:
    return [(one.code, one.record, one.against) for one in answer.findings]


def worked(name: str, start: Micros, end: Micros, place: str) -> EventView:
    """Return a firm's record of whoever worked somewhere."""
    return shown(name, start, place=place, participants=(Participant("1", "porter", "", start, end),))


def test_two_statements_in_two_places_at_once() -> None:
    at_home = said("home", "1", place=HOME, times=(10 * HOUR, 14 * HOUR))
    far = said("far", "1", place=FAR, times=(11 * HOUR, 13 * HOUR))
    assert codes(found(at_home, far)) == [("two-places", "home", "far")]
    assert codes(found(at_home, said("shop", "1", place=SHOP, times=(11 * HOUR, 13 * HOUR)))) == [], "next door"
    assert codes(found(at_home, said("other", "2", place=FAR, times=(11 * HOUR, 13 * HOUR)), about=("1", "2"))) == []
    loose = said("loose", "1", place=FAR, times=(9 * HOUR, 40 * HOUR, 30 * HOUR, 60 * HOUR))
    assert codes(found(at_home, loose)) == [], "it may have begun a day later"


def test_a_statement_against_a_firms_record() -> None:
    record = worked("work", 10 * HOUR, 18 * HOUR, FAR)
    assert codes(found(record, said("home", "1", place=HOME, times=(11 * HOUR, 13 * HOUR)))) == [
        ("against-record", "home", "work")
    ]
    assert codes(found(record, said("after", "1", place=HOME, times=(29 * HOUR, 30 * HOUR)))) == []
    assert codes(found(record, said("there", "1", place=FAR, times=(11 * HOUR, 13 * HOUR)))) == []


def test_faster_than_anybody_travels() -> None:
    record = worked("work", 10 * HOUR, 18 * HOUR, FAR)
    answer = found(record, said("home", "1", place=HOME, times=(18 * HOUR + 5 * MINUTE, 20 * HOUR)))
    (one,) = answer.findings
    assert (one.code, one.against, one.distance_m // 1_000, one.km_per_h) == ("too-fast", "work", 460, 1_000)
    assert one.within_us == 20 * MINUTE, "with the quarter of an hour that people round to"
    assert set(answer.positions) == {HOME, FAR}
    later = said("later", "1", place=HOME, times=(18 * HOUR + 20 * MINUTE, 20 * HOUR))
    assert codes(found(record, later)) == [], "an airliner takes 28 minutes"
    assert codes(found(record, said("h", "1", place=HOME, times=(18 * HOUR + MINUTE, 20 * HOUR)), where=nowhere)) == []
    by_name = said("geo", "1", place="geo:39.9042,116.4074", times=(18 * HOUR + MINUTE,))
    near = worked("work", 10 * HOUR, 18 * HOUR, HOME)
    assert codes(found(near, by_name)) == [("too-fast", "geo", "work")]


@pytest.mark.parametrize(
    ("times", "told", "code"),
    [
        ((10 * HOUR, 8 * HOUR), TOLD, "end-before-begin"),
        ((10 * HOUR, 12 * HOUR), 9 * HOUR, "after-interview"),
        ((10 * HOUR, 12 * HOUR), 11 * HOUR, "after-interview"),
    ],
)
def test_times_that_run_backward_or_lie_after_the_interview(times: Any, told: Micros, code: str) -> None:
    """No door takes these, and no record of another system is left out for them."""
    assert codes(found(said("s", "1", place=HOME, times=times, told=told))) == [(code, "s", "")]


def test_goods_that_were_elsewhere_closed_gone_or_unknown() -> None:
    come = shown("come", 5 * HOUR)
    assert codes(found(come, said("s", "1", place=HOME, items=(BOX,)))) == []
    assert codes(found(come, said("s", "1", place=FAR, items=(BOX,)))) == [("goods-elsewhere", "s", "come")]
    sent = shown("sent", 8 * HOUR, biz_step="shipping", biz_location="")
    assert codes(found(come, sent, said("s", "1", place=FAR, items=(BOX,)))) == [], "it was on its way"
    broken = shown("broken", 8 * HOUR, biz_step="destroying")
    assert codes(found(come, broken, said("s", "1", place=HOME, items=(BOX,)))) == [("goods-gone", "s", "broken")]
    assert codes(found(come, broken, said("s", "1", place=HOME, items=(BOX,), times=(7 * HOUR,)))) == []
    assert codes(found(said("s", "1", place=HOME, items=(BOX,)))) == [("goods-unknown", "s", "")]


def test_goods_within_a_closed_unit() -> None:
    come, pack = shown("come", 5 * HOUR), packed("pack", 6 * HOUR)
    opened = packed("open", 20 * HOUR, "DELETE")
    touched = said("s", "1", place=HOME, items=(BOX,))
    assert codes(found(come, pack, opened, touched)) == [("goods-closed", "s", "pack")]
    over = said("s", "1", place=HOME, items=(BOX,), times=(10 * HOUR, 30 * HOUR))
    assert codes(found(come, pack, opened, over)) == [], "it was opened meanwhile"
    unpacked = said("s", "1", place=HOME, items=(BOX,), contact="opened")
    assert codes(found(come, pack, opened, unpacked)) == [], "who says to have opened it says so"
    away = said("s", "1", place=FAR, items=(BOX,))
    assert codes(found(come, pack, opened, away)) == [("goods-closed", "s", "pack"), ("goods-elsewhere", "s", "pack")]


def test_a_lot_that_nobody_recorded_there() -> None:
    come = shown("come", 5 * HOUR, LOT, items=(ItemRef(LOT, "quantity"),))
    known, other = (said("s", "1", place=place, lots=(LOT,)) for place in (HOME, FAR))
    assert codes(found(come, known, about=("1",))) == []
    assert codes(found(come, other, about=("1",))) == [("goods-unknown", "s", "")]


def test_what_is_impossible_stays_in_the_trace_and_is_told_apart() -> None:
    events = [
        worked("work", 10 * HOUR, 18 * HOUR, FAR),
        said("met", "1", "2", place=HOME, times=(11 * HOUR, 13 * HOUR)),
    ]
    facts = derive_facts(events)
    answer = trace(facts, TraceQuery("1", at=START), positions=positions)
    document = answer.document()
    (other,) = (one for one in document["members"] if one["id"] == "2")
    assert (other["evidence"], other["stated"]) == ("possible", "yes")
    (finding,) = document["impossible"]
    assert (finding["code"], finding["record_hash"], finding["against"]) == ("against-record", "met", "work")
    assert set(finding["reason"]) == {"zh", "en"}
    assert document["positions"] == {}
    again = trace(facts, TraceQuery("1", at=START), positions=positions)
    assert again.document_hash() == answer.document_hash()
    alone = trace(facts, TraceQuery("1", at=START, interviews=False), positions=positions)
    assert "2" not in {one.id for one in alone.members}
    assert alone.document()["impossible"] == []
    plain = trace(derive_facts(events[:1]), TraceQuery("1", at=START, interviews=False))
    assert plain.document_hash() == alone.document_hash(), "as if nobody had said anything"


def test_statements_are_read_in_strands_as_all_at_once() -> None:
    events = [
        shown("come", 5 * HOUR),
        packed("pack", 6 * HOUR),
        said("s", "1", "2", place=HOME, items=(BOX,), contact="opened"),
        said("t", "1", "3", place=FAR, items=(BOX, PALLET)),
        packed("open", 20 * HOUR, "DELETE"),
        shown("broken", 30 * HOUR, biz_step="destroying"),
        said("u", "3", place=HOME, items=(BOX,), times=(40 * HOUR,)),
    ]
    events = [_at(event, index) for index, event in enumerate(events)]
    strands = Strands()
    strands.add(events)
    for size in (3, len(events), 4, len(events)):
        assert strands.facts(size) == derive_facts(events[:size])


def test_days_stay_days_whatever_somebody_remembers() -> None:
    days = [shown("one", 24 * HOUR), shown("two", 48 * HOUR)]
    assert derive_facts(days).days_only
    assert derive_facts([*days, said("s", "1", place=HOME, times=(25 * HOUR,))]).days_only


def test_the_table_says_where_each_speed_is_from() -> None:
    assert [one.km_per_h for one in table().fastest] == [120, 350, 1_000]
    for broken in ({}, {"fastest": [{"up_to_m": 1, "km_per_h": 0}], "slack_s": {"value": 1}, "near_m": {"value": 1}}):
        with pytest.raises(TableRefused):
            parse(broken)
    assert impossible(Facts(), ["1"]) == Found((), {})


def _at(event: EventView, index: int) -> EventView:
    return replace(event, log_index=index)
