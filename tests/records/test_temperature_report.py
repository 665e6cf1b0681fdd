"""A lot's temperatures over its history: through nesting, loggers and places, from handoff to handoff; file and store alike."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from sudonglian.records.store import Store
from sudonglian.records.temperature import table, told
from sudonglian.records.temperature.classes import known
from sudonglian.records.temperature.errors import TemperatureRefused
from sudonglian.records.temperature.report import Report

Event = dict[str, Any]

CASE = "https://id.gs1.org/01/09520001002014/21/1"
LOT = "https://id.gs1.org/01/09520001002014/10/L1"
FILLET = "https://id.gs1.org/01/09520001002021/10/F1"
PALLET = "https://id.gs1.org/00/395200010000000011"
CONTAINER = "https://id.gs1.org/8003/095200010020141"
TRUCK = "https://id.gs1.org/8004/9520001TRUCK1"
LOGGER, OTHER = "https://id.gs1.org/8004/9520001LOG1", "https://id.gs1.org/8004/9520001LOG2"
STORE_A, STORE_B = "https://id.gs1.org/414/9520001001017", "https://id.gs1.org/414/9520001001031"
SUBMITTER = "https://id.gs1.org/417/9520001001031"


def clock(text: str) -> str:
    """Return a time of the day that all of it happens on; 24:00 and later is the next."""
    hour, minute = map(int, text.split(":"))
    return (datetime(2026, 1, 5, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)).isoformat()


def event(
    time: str, step: str, *, kind: str = "ObjectEvent", action: str = "OBSERVE", place: str = "", **members: Any
) -> Event:
    whole: Event = {
        "type": kind,
        "action": action,
        "bizStep": step,
        "eventTime": clock(time),
        "eventTimeZoneOffset": "+00:00",
    }
    if place:
        whole["bizLocation"] = {"id": place}
    whole |= members
    return {name: value for name, value in whole.items() if value is not None}


def packed(time: str, parent: str, *children: str, action: str = "ADD", kind: str = "AggregationEvent") -> Event:
    return event(time, "packing", kind=kind, action=action, parentID=parent, childEPCs=list(children))


def sensors(device: str | None, readings: dict[str, float], **metadata: Any) -> list[Event]:
    name = {} if device is None else {"deviceID": device}
    return [
        {
            "sensorMetadata": {"time": clock(time), **name, **metadata},
            "sensorReport": [{"type": "Temperature", "value": value, "uom": "CEL"}],
        }
        for time, value in readings.items()
    ]


def every(minutes: int, start: str, end: str, value: float) -> dict[str, float]:
    first, last = (60 * int(one.split(":")[0]) + int(one.split(":")[1]) for one in (start, end))
    return {f"{at // 60:02}:{at % 60:02}": value for at in [*range(first, last, minutes), last]}


def report(*events: Event, lot: str = CASE, kind: str | None = "frozen") -> Report:
    raw = json.dumps(
        {
            "@context": {"sdl": "urn:sudonglian:ns:1:"},
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": clock("00:00"),
            "epcisBody": {"eventList": list(events)},
        }
    ).encode()
    [found] = told.of_files(told.events_of([("f", raw)]), lot, kind=known()[kind] if kind else None)
    return found


def hours(found: Report) -> list[tuple[str, str, str, str]]:
    """Return the legs: kind, from, to, verdict."""
    return [(one["kind"], one["start"][8:16], one["end"][8:16], one["verdict"]) for one in found.as_json()["legs"]]


SHIPPED = event("08:00", "shipping", epcList=[CASE], place=STORE_A)
RECEIVED = event("12:00", "receiving", epcList=[CASE], place=STORE_B)


def test_a_leg_is_from_what_leaves_to_the_next_that_arrives() -> None:
    found = report(
        event("06:00", "commissioning", action="ADD", epcList=[CASE]),
        event("07:30", "loading", epcList=[CASE]),
        SHIPPED,
        RECEIVED,
        event("12:30", "storing", epcList=[CASE], place=STORE_B),
        event("15:00", "departing", epcList=[CASE]),
        event("16:00", "arriving", epcList=[CASE]),
        event("16:20", "receiving", epcList=[CASE]),
    )
    assert [leg[:3] for leg in hours(found)] == [
        ("stay", "05T06:00", "05T07:30"),
        ("transit", "05T07:30", "05T12:00"),
        ("stay", "05T12:00", "05T15:00"),
        ("transit", "05T15:00", "05T16:00"),
        ("stay", "05T16:00", "05T16:20"),
    ]
    assert found.verdict == "not-measured"


def test_a_receipt_alone_tells_of_the_way_to_it() -> None:
    series = sensors(LOGGER, every(30, "08:00", "12:00", -20))
    found = report(event("12:00", "receiving", epcList=[CASE], sensorElementList=series))
    assert hours(found) == [("transit", "05T08:00", "05T12:00", "within")]
    assert found.verdict == "within"


def test_custody_without_a_measurement_is_a_gap_of_the_lot() -> None:
    first = event(
        "12:00",
        "receiving",
        epcList=[CASE],
        place=STORE_B,
        sensorElementList=sensors(LOGGER, every(30, "08:00", "12:00", -20)),
    )
    last = event(
        "18:00", "receiving", epcList=[CASE], sensorElementList=sensors(OTHER, every(30, "16:00", "18:00", -19))
    )
    found = report(SHIPPED, first, event("16:00", "shipping", epcList=[CASE]), last)
    assert [(leg[0], leg[3]) for leg in hours(found)] == [
        ("transit", "within"),
        ("stay", "not-fully-measured"),
        ("transit", "within"),
    ]
    told_ = found.as_json()
    assert (told_["verdict"], told_["duration_s"], told_["measured_s"]) == ("not-fully-measured", 36_000, 21_600)
    assert [(gap["start"][11:16], gap["end"][11:16], gap["reasons"]) for gap in told_["gaps"]] == [
        ("12:00", "16:00", ["no-data"])
    ]
    assert "4 h" in told_["sentence"]["en"]


def test_readings_about_a_pallet_are_about_what_is_inside_it_then() -> None:
    warm_before = sensors(LOGGER, every(10, "06:00", "08:30", -5))
    cold_inside = sensors(LOGGER, every(10, "09:00", "11:00", -20))
    warm_after = sensors(LOGGER, every(10, "11:30", "13:00", -5))
    events = [
        event("08:45", "commissioning", action="ADD", epcList=[CASE]),
        packed("09:00", PALLET, CASE),
        event("13:00", "receiving", epcList=[PALLET], sensorElementList=warm_before + cold_inside + warm_after),
        packed("11:00", PALLET, CASE, action="DELETE"),
        event("11:10", "inspecting", epcList=[CASE]),
    ]
    inside = report(*events)
    assert (inside.verdict, inside.as_json()["max_c"], inside.as_json()["measured_s"]) == ("within", -20, 7200)
    assert report(*events, lot=PALLET).verdict == "excursion"


def test_the_pallet_in_a_container_in_a_vehicle_passes_its_readings_down() -> None:
    events = [
        event("07:00", "commissioning", action="ADD", epcList=[CASE]),
        packed("07:00", PALLET, CASE),
        packed("07:30", CONTAINER, PALLET),
        packed("08:00", TRUCK, CONTAINER, kind="AssociationEvent"),
        event("08:00", "departing", epcList=[PALLET]),
        event("12:00", "receiving", epcList=[PALLET]),
        packed("12:00", TRUCK, CONTAINER, kind="AssociationEvent", action="DELETE"),
        event(
            "12:05", "inspecting", epcList=[TRUCK], sensorElementList=sensors(LOGGER, every(30, "06:00", "12:00", -17))
        ),
    ]
    found = report(*events)
    [excursion] = found.as_json()["excursions"]
    assert (excursion["start"][11:16], excursion["end"][11:16], excursion["peak_c"]) == ("08:00", "12:00", -17)


def test_a_logger_rides_on_a_pallet_and_is_read_out_later() -> None:
    events = [
        event("07:00", "commissioning", action="ADD", epcList=[CASE]),
        packed("07:00", PALLET, CASE),
        packed("07:10", PALLET, LOGGER, kind="AssociationEvent"),
        event("08:00", "shipping", epcList=[PALLET]),
        event("12:00", "receiving", epcList=[PALLET]),
        packed("12:00", PALLET, LOGGER, kind="AssociationEvent", action="DELETE"),
        # It was in somebody's pocket before and after.
        event(
            "15:00",
            "inspecting",
            epcList=[LOGGER],
            sensorElementList=sensors(
                None,
                {
                    **every(10, "06:00", "07:00", 20),
                    **every(10, "07:10", "12:00", -20),
                    **every(10, "12:10", "15:00", 20),
                },
            ),
        ),
    ]
    named = [
        *events[:-1],
        {
            **events[-1],
            "sensorElementList": [
                {**one, "sensorMetadata": {**one["sensorMetadata"], "deviceID": LOGGER}}
                for one in events[-1]["sensorElementList"]
            ],
        },
    ]
    for found in (report(*named), report(*named, lot=PALLET), report(*events)):
        assert (found.verdict, found.as_json()["max_c"]) == ("within", -20), found.as_json()["excursions"]


@pytest.mark.parametrize("taken", [(LOGGER,), ()])
def test_taking_the_loggers_off_leaves_the_goods_on_the_pallet(taken: tuple[str, ...]) -> None:
    events = [
        event("07:00", "commissioning", action="ADD", epcList=[CASE]),
        packed("07:00", PALLET, CASE),
        packed("07:00", PALLET, LOGGER, kind="AssociationEvent"),
        packed("09:00", PALLET, *taken, kind="AssociationEvent", action="DELETE"),
        event(
            "10:00", "receiving", epcList=[PALLET], sensorElementList=sensors(OTHER, every(10, "09:00", "10:00", -10))
        ),
    ]
    assert report(*events).verdict == "excursion"


def test_a_logger_that_goes_on_after_the_last_record_tells_nothing_of_the_goods() -> None:
    events = [
        packed("07:00", PALLET, CASE),
        packed("07:00", PALLET, LOGGER, kind="AssociationEvent"),
        event("12:00", "receiving", epcList=[PALLET]),
        event(
            "15:00",
            "inspecting",
            epcList=[LOGGER],
            sensorElementList=sensors(LOGGER, {**every(30, "07:00", "12:00", -20), **every(30, "12:30", "15:00", 20)}),
        ),
    ]
    found = report(*events).as_json()
    # The line to the next reading begins at the last moment that is the goods' own, and is cut there.
    assert (found["end"], found["verdict"], found["measured_s"]) == ("2026-01-05T12:00:00Z", "within", 18_000)


def test_a_place_and_a_vehicle_with_loggers_tell_of_what_is_there() -> None:
    attached = packed("01:00", STORE_B, LOGGER, kind="AssociationEvent")
    series = {**every(30, "06:00", "11:30", 10), **every(30, "12:00", "15:00", -20), **every(30, "15:30", "20:00", 10)}
    room = event("20:00", "inspecting", epcList=[LOGGER], sensorElementList=sensors(LOGGER, series))
    found = report(attached, room, SHIPPED, RECEIVED, event("15:00", "shipping", epcList=[CASE], place=STORE_B))
    assert [(leg[0], leg[3]) for leg in hours(found)] == [("transit", "not-fully-measured"), ("stay", "within")]
    truck = [
        packed("01:00", TRUCK, OTHER, kind="AssociationEvent"),
        event("08:00", "departing", epcList=[CASE], place=TRUCK),
        event("12:00", "receiving", epcList=[CASE], place=STORE_B),
        event(
            "12:30", "inspecting", epcList=[OTHER], sensorElementList=sensors(OTHER, every(30, "05:00", "12:30", -19))
        ),
    ]
    assert hours(report(*truck)) == [("transit", "05T08:00", "05T12:00", "within")]


def test_what_it_was_made_from_counts_until_it_was() -> None:
    events = [
        event(
            "06:00",
            "receiving",
            epcList=None,
            quantityList=[{"epcClass": LOT, "quantity": 10, "uom": "KGM"}],
            sensorElementList=sensors(LOGGER, every(30, "04:00", "06:00", -10)),
        ),
        event(
            "07:00",
            "commissioning",
            kind="TransformationEvent",
            action="",
            inputQuantityList=[{"epcClass": LOT, "quantity": 10, "uom": "KGM"}],
            outputQuantityList=[{"epcClass": FILLET, "quantity": 8, "uom": "KGM"}],
        ),
        event(
            "08:00",
            "storing",
            quantityList=[{"epcClass": FILLET, "quantity": 8, "uom": "KGM"}],
            sensorElementList=sensors(OTHER, every(30, "07:00", "08:00", -20)),
        ),
        event(
            "09:00",
            "storing",
            quantityList=[{"epcClass": LOT, "quantity": 10, "uom": "KGM"}],
            sensorElementList=sensors(LOGGER, every(30, "07:30", "09:00", 30)),
        ),
    ]
    events = [{name: value for name, value in one.items() if value not in (None, "")} for one in events]
    found = report(*events, lot=FILLET)
    assert found.verdict == "excursion"
    assert {(leg["of"], leg["relation"]) for leg in found.as_json()["legs"]} == {(FILLET, "self"), (LOT, "input")}
    assert found.as_json()["max_c"] == -10  # what happened to the rest of it later is another story
    assert [one.verdict for one in found.wholes] == ["within", "excursion"]


def test_a_corrected_record_is_not_counted() -> None:
    wrong = event(
        "12:00",
        "receiving",
        epcList=[CASE],
        eventID="urn:uuid:6f0b2f3a-2222-4c3e-9f43-000000000001",
        sensorElementList=sensors(LOGGER, {"11:00": -1}),
    )
    taken_back = {**wrong, "errorDeclaration": {"declarationTime": clock("13:00"), "reason": "incorrect_data"}}
    assert report(SHIPPED, wrong).verdict == "excursion"
    assert report(SHIPPED, RECEIVED, wrong, taken_back).verdict == "not-measured"


@pytest.mark.parametrize(
    ("members", "name", "code"),
    [
        ({"ilmd": {"sdl:temperatureClass": "frozen"}}, "frozen", None),
        ({"sdl:temperatureClass": "chilled"}, "chilled", None),
        ({"sdl:goods": [{"item": CASE, "temperatureClass": "vaccine"}]}, "vaccine", None),
        ({"sdl:goods": [{"item": PALLET, "temperatureClass": "vaccine"}]}, None, None),
        ({"sdl:temperatureClass": "lukewarm"}, None, "class-unknown"),
        ({}, None, None),
    ],
)
def test_the_class_is_what_the_records_declare(members: Event, name: str | None, code: str | None) -> None:
    made = event(
        "06:00",
        "commissioning",
        action="ADD",
        epcList=[CASE],
        sensorElementList=sensors(LOGGER, {"06:00": 5}),
        **members,
    )
    found = report(made, kind=None)
    assert (None if found.kind is None else found.kind.name) == name
    assert (found.kind_from, found.verdict == "no-class") == (("none", True) if name is None else ("declared", False))
    assert [one.code for one in found.notes if one.code.startswith("class")] == ([code] if code else [])
    assert report(made, kind="deep-frozen").kind_from == "asked"


def test_the_class_of_the_contents_is_that_of_the_pallet_and_the_earliest_word_counts() -> None:
    made = event("06:00", "commissioning", action="ADD", epcList=[CASE], ilmd={"sdl:temperatureClass": "frozen"})
    later = event("07:00", "shipping", epcList=[PALLET])
    found = report(made, packed("06:30", PALLET, CASE), later, lot=PALLET, kind=None)
    assert (found.kind and found.kind.name, found.kind_from) == ("frozen", "declared")
    both = report(made, event("07:00", "shipping", epcList=[CASE], **{"sdl:temperatureClass": "chilled"}), kind=None)
    assert both.kind is not None
    assert (both.kind.name, [one.code for one in both.notes]) == ("frozen", ["class-differs"])


def test_only_the_verdict_is_public() -> None:
    found = report(
        event("12:00", "receiving", epcList=[CASE], sensorElementList=sensors(LOGGER, every(30, "08:00", "12:00", -10)))
    )
    assert set(found.public()) == {"about", "verdict", "sentence", "class"}
    assert "-10" not in json.dumps(found.public())
    assert found.public()["sentence"]["en"] == "Cold chain: it was outside its limits"


def test_a_table_of_the_readings() -> None:
    found = report(
        event(
            "12:00",
            "receiving",
            epcList=[CASE],
            sensorElementList=[
                *sensors(LOGGER, {"11:00": -18.5}),
                *sensors("=evil:1", {"10:00": -19}, **{"sdl:calibratedUntil": "2026-12-31"}),
            ],
        )
    )
    lines = table.encode(found).decode("utf-8-sig").splitlines()
    assert lines == [
        "logger,measured,start,end,min_c,mean_c,max_c,calibration,record",
        "'=evil:1,,2026-01-05T10:00:00Z,2026-01-05T10:00:00Z,-19,-19,-19,valid,f#0",
        f"{LOGGER},,2026-01-05T11:00:00Z,2026-01-05T11:00:00Z,-18.5,-18.5,-18.5,unknown,f#0",
    ]


def test_a_file_without_a_question_tells_of_what_was_measured() -> None:
    raw = json.dumps(
        [
            event("07:10", "packing", kind="AssociationEvent", action="ADD", parentID=PALLET, childEPCs=[LOGGER]),
            event("12:00", "receiving", epcList=[PALLET], sensorElementList=sensors(LOGGER, {"11:00": -18.5})),
            event("13:00", "inspecting", epcList=[LOGGER], sensorElementList=sensors(LOGGER, {"11:00": -18.5})),
            event("14:00", "inspecting", epcList=[CASE]),
        ]
    ).encode()
    assert [one.about for one in told.of_files(told.events_of([("f", raw)]))] == [PALLET]


def history(chance: random.Random) -> list[Event]:
    """Return a history with nesting, loggers and readings here and there."""
    events = [event("06:00", "commissioning", action="ADD", epcList=[CASE], ilmd={"sdl:temperatureClass": "frozen"})]
    events += [packed("06:30", PALLET, CASE), packed("06:40", PALLET, LOGGER, kind="AssociationEvent")]
    for hour in range(7, 20, 2):
        step = chance.choice(["shipping", "receiving", "storing", "loading", "inspecting"])
        about = chance.choice([CASE, PALLET])
        series = every(
            chance.choice([10, 40, 90]), f"{hour:02}:00", f"{hour + 1:02}:00", chance.choice([-20.5, -18, -17.25])
        )
        events.append(
            event(
                f"{hour + 1:02}:00",
                step,
                epcList=[about],
                sensorElementList=sensors(chance.choice([LOGGER, OTHER, None]), series),
            )
        )
    events.append(packed("20:30", PALLET, CASE, action="DELETE"))
    events.append(
        event(
            "21:00", "inspecting", epcList=[LOGGER], sensorElementList=sensors(LOGGER, every(15, "05:00", "21:00", -19))
        )
    )
    return events


def without_sources(found: Report) -> Any:
    text = json.dumps(found.as_json(), sort_keys=True)
    names = sorted(
        {one.source for one in found.readings}
        | {one.source for one in found.notes}
        | {happening.source for part in found.parts for happening in (part.leg.start, part.leg.end) if happening}
    )
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(json.dumps(name), '"r"').replace(f"{name}#", "r#")
    told_ = json.loads(text)
    for name in ("loggers", "notes"):  # sorted by what was taken away
        told_[name].sort(key=json.dumps)
    return told_


@pytest.mark.parametrize("seed", range(6))
def test_the_store_and_the_file_tell_the_same_in_any_order(
    store: Store, capture: Callable[..., Any], seed: int
) -> None:
    chance = random.Random(seed)
    events = history(chance)
    shuffled = list(events)
    chance.shuffle(shuffled)
    from_file = report(*events, kind=None)
    assert not capture(*[{**one} for one in shuffled], submitter=SUBMITTER).refused
    for lot in (CASE, PALLET):
        with store.read() as connection:
            from_store = told.of_lot(connection, lot)
            nothing = told.of_lot(connection, lot, submitter="https://id.gs1.org/417/9520001001017")
        assert without_sources(from_store) == without_sources(report(*events, lot=lot, kind=None))
        assert nothing.verdict == "not-measured"
    assert from_file.kind is not None


def test_one_record_by_itself(store: Store, capture: Callable[..., Any]) -> None:
    taken = capture(
        event(
            "12:00",
            "receiving",
            epcList=[CASE],
            sensorElementList=sensors(LOGGER, every(30, "08:00", "12:00", -17)),
            **{"sdl:temperatureClass": "frozen"},
        )
    )
    with store.read() as connection:
        found = told.of_record(connection, taken.records[0].record_hash)
    assert (found.verdict, found.as_json()["duration_s"], found.parts) == ("excursion", 14_400, [])
    assert found.as_json()["mkt_c"] == pytest.approx(float(Fraction(-17)))


def test_a_question_that_is_too_large_is_refused(store: Store, capture: Callable[..., Any]) -> None:
    series = sensors(LOGGER, every(30, "08:00", "12:00", -17))
    assert not capture(event("12:00", "receiving", epcList=[CASE], sensorElementList=series)).refused
    with store.read() as connection:
        assert len(told.of_lot(connection, CASE, most=9).readings) == 9
        with pytest.raises(TemperatureRefused, match="more than 8 readings"):
            told.of_lot(connection, CASE, most=8)
