"""Policies: a source for each value, half-lives between anchors, and what loggers make of them; facts.md §14."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trace import warmth
from tests.trace.test_facts import BOX, HOUR, LOT, PALLET, PORT, STORE, event

from sudonglian.trace.casework.views import view
from sudonglian.trace.engine.climate import Climate
from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import Temperature
from sudonglian.trace.engine.facts import EPOCH, Facts, Party, Place, Reading
from sudonglian.trace.engine.fading import EVER, For, Gradual
from sudonglian.trace.engine.policies import HOUR as H
from sudonglian.trace.engine.policies import UNIT, parse, policy_table
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import trace
from sudonglian.trace.engine.rules import data
from sudonglian.trace.errors import QueryRefused, TableRefused

rates = st.lists(
    st.tuples(st.integers(-50, 50), st.integers(0, 9)), min_size=1, max_size=8, unique_by=lambda one: one[0]
)


@given(rates, st.integers(0, 60), st.integers(-99, 99), st.integers(-99, 99))
def test_until_when_and_since_when_are_each_other_s_inverse(
    told: list[tuple[int, int]], budget: int, one: int, other: int
) -> None:
    for fading in (Gradual(sorted(told), budget), For(budget), EVER):
        assert (fading.last(one) >= other) == (fading.first(other) <= one)
        assert fading.last(one) >= one
        assert fading.last(one) <= fading.last(one + 1)


def test_a_curve_is_log_linear_between_its_anchors_and_level_beyond() -> None:
    curve = policy_table()["sars-cov-2-central/1"].curves["surface"]
    hours = {celsius: UNIT / (curve.rate(celsius * 1000) * H) for celsius in (0, 4, 13, 22, 35, 90)}
    assert [round(hours[at], 2) for at in (0, 4, 22, 35, 90)] == [504, 504, 6.8, 2.98, 2.98]
    assert round(hours[13], 2) == round((504 * 6.8) ** 0.5, 2)
    assert curve.rate(-20_000) == 0
    assert curve.range(-30_000, 4_000) == (0, curve.rate(4_000))
    grows = policy_table()["listeria/1"].curves["food"]
    assert (grows.rate(-1_200), grows.rate(5_000) < 0, grows.rate(-1_000) < 0) == (0, True, True)


def changed(path: tuple[Any, ...], value: Any) -> Any:
    told = deepcopy(data("policies.json"))
    holder = told
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    return told


CURVE = ("policies", 1, "curves", "surface")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*CURVE, "anchors", 0, "source"), " "),
        ((*CURVE, "anchors", 1, "half_life_h"), "0"),
        ((*CURVE, "anchors", 1, "half_life_h"), "soon"),
        ((*CURVE, "anchors", 1, "celsius"), "-20"),
        ((*CURVE, "anchors", 1), {"celsius": "4", "source": "x"}),
        ((*CURVE, "anchors"), []),
        ((*CURVE, "gone"), {"halvings": "0", "source": "x"}),
        ((*CURVE, "unknown"), {"from_celsius": "9", "to_celsius": "1", "source": "x"}),
        ((*CURVE, "gap"), {"hours": "-1", "source": "x"}),
        (("policies", 1, "persistence", "item"), {"curve": "none", "source": "x"}),
        (("policies", 1, "persistence", "item"), {"hours": "0", "source": "x"}),
        (("policies", 1, "persistence", "item"), {"hours": "5"}),
        (("policies", 1, "persistence", "cellar"), {"hours": "1", "source": "x"}),
        (("policies", 1, "dwell", "person"), {"hours": "1", "source": "x"}),
        (("policies", 1), {}),
        (("policies",), 5),
    ],
)
def test_a_policy_without_a_source_or_a_meaning_is_refused(path: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(TableRefused):
        parse(changed(path, value))


def test_a_policy_that_nobody_knows_is_refused() -> None:
    facts = derive_facts([event(1, "storing", (BOX, "epc"), biz_location=PORT)])
    with pytest.raises(QueryRefused, match="policy/1"):
        trace(facts, TraceQuery(BOX, at=EPOCH, policy="policy/0"))


def sensed(*reports: Any, **metadata: Any) -> tuple[Temperature, ...]:
    element = {"sensorReport": list(reports), **({"sensorMetadata": metadata} if metadata else {})}
    told = {"type": "ObjectEvent", "eventTime": "1970-01-01T01:00:00Z", "sensorElementList": [element]}
    return view("r", 0, json.loads(json.dumps(told))).temperatures


def test_temperatures_are_read_in_any_unit_and_rounded_outward() -> None:
    kind = {"type": "gs1:MT-Temperature"}
    assert sensed({**kind, "value": -18, "uom": "CEL"}) == (Temperature(HOUR, HOUR, -18_000, -18_000),)
    assert sensed({**kind, "value": {"$dec": "255.15"}, "uom": "KEL"}) == (Temperature(HOUR, HOUR, -18_000, -18_000),)
    assert sensed({**kind, "value": 0, "uom": "FAH"}) == (Temperature(HOUR, HOUR, -17_778, -17_777),)
    span = {"startTime": "1970-01-01T00:00:00Z", "endTime": "1970-01-01T00:30:00Z"}
    assert sensed({**kind, "minValue": -20, "maxValue": -15, "uom": "CEL"}, **span) == (
        Temperature(0, HOUR // 2, -20_000, -15_000),
    )
    assert sensed({**kind, "value": 5, "uom": "CEL", "time": "1970-01-01T00:10:00Z"}, **span)[0].start == HOUR // 6


@pytest.mark.parametrize(
    "report",
    [
        5,
        {},
        {"type": "Temperature"},
        {"type": "Temperature", "value": "warm", "uom": "CEL"},
        {"type": "Temperature", "value": 5, "uom": "KGM"},
        {"type": "Temperature", "value": 5},
        {"type": "Temperature", "value": -400, "uom": "CEL"},
        {"type": "Humidity", "value": 5, "uom": "CEL"},
    ],
)
def test_what_tells_no_temperature_is_passed_over(report: Any) -> None:
    assert sensed(report) == ()


def test_readings_are_of_items_portions_and_places() -> None:
    warm = (Temperature(HOUR, HOUR, 4_000, 4_000),)
    facts = derive_facts(
        [
            event(1, "storing", (BOX, "epc"), (LOT, "quantity"), biz_location=PORT, temperatures=warm, record="a"),
            event(2, "inspecting", biz_location=STORE, temperatures=warm, record="b"),
        ]
    )
    assert {(one.subject, one.record) for one in facts.readings} == {
        (BOX, "a"),
        (f"{LOT}#{PORT}", "a"),
        (STORE, "b"),
    }


def test_what_has_no_logger_is_as_warm_as_its_unit() -> None:
    facts = derive_facts(
        [
            event(
                1,
                "packing",
                (PALLET, "parent"),
                (BOX, "child"),
                kind="AggregationEvent",
                action="ADD",
                biz_location=PORT,
            ),
            event(
                2,
                "shipping",
                (PALLET, "epc"),
                read_point=PORT,
                temperatures=(Temperature(3 * HOUR, 5 * HOUR, -20_000, -18_000),),
            ),
        ]
    )
    (known,) = Climate(facts).of_party(Party("item", BOX), 0)
    assert known[1:] == (5 * HOUR + 1, -20_000, -18_000)
    assert Climate(facts).of_place(Place("interior", PALLET), 0) == [known]
    assert not Climate(facts).of_party(Party("item", "another"), 0)


def test_the_colder_the_longer() -> None:
    """A worker who comes three days after the positive box left: certain in a cold store, not in a warm one."""

    def found(celsius: int) -> dict[str, str]:
        day = timedelta(days=1) // timedelta(microseconds=1)
        told = (Temperature(0, 9 * day, celsius * 1000, celsius * 1000),)
        facts = derive_facts(
            [
                event(1, "storing", (BOX, "epc"), biz_location=PORT),
                event(2, "shipping", (BOX, "epc"), read_point=PORT),
                event(3, "inspecting", biz_location=PORT, temperatures=told),
                event(74, "inspecting", biz_location=PORT, people=[("late", "same-room")]),
            ]
        )
        query = TraceQuery(BOX, at=EPOCH + timedelta(hours=1), lookback=timedelta(0), policy="sars-cov-2-central/1")
        return {one.id: one.evidence for one in trace(facts, query).members}

    assert found(-18)["late"] == "certain"
    assert "late" not in found(25)


def test_how_warm_a_place_was_is_not_guessed() -> None:
    facts = Facts(readings=(Reading("l", 10, 10, 5_000, 5_000, "r"), Reading("l", 12, 12, 0, 0, "r")))
    known = Climate(facts).of_place(Place("location", "l"), warmth.GAP)
    curve = parse(warmth.TABLE)["warm/1"].curves["surface"]
    sure, maybe = (Climate(facts).fading(known, curve, certain=certain) for certain in (True, False))
    assert (sure.last(0), sure.last(10), maybe.last(10) > 1 << 60) == (1, 13, True)


def cited(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every value whose source names a publication: a year, or the publication before it."""
    if isinstance(value, dict):
        if re.search(r"\b(19|20)\d\d\b|^the same", value.get("source", "")) or "CDC" in value.get("source", ""):
            yield value
        for one in value.values():
            yield from cited(one)
    elif isinstance(value, list):
        for one in value:
            yield from cited(one)


def test_what_was_found_again_of_each_publication_is_said() -> None:
    told = [one for one in cited(data("policies.json")) if not one["source"].startswith("assumed from the same")]
    assert len(told) > 12
    for one in told:
        assert one.get("seen", "").strip(), one["source"]
