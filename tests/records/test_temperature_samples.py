"""Readings: the forms that sensor data come in, units, calibration, and what is left out with a reason."""

import json
from contextlib import suppress
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import canonical
from sudonglian.records.temperature.classes import known, named, with_file
from sudonglian.records.temperature.curve import pieces
from sudonglian.records.temperature.errors import ClassRefused
from sudonglian.records.temperature.excursions import S, episodes
from sudonglian.records.temperature.samples import Reading, readings_of

TIME = "2026-01-05T08:30:00+08:00"


def event(*elements: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return an event as it is held inside: numbers with a point are exact."""
    whole = {"type": "ObjectEvent", "eventTime": TIME, "eventTimeZoneOffset": "+08:00", **members}
    whole["sensorElementList"] = list(elements)
    decoded: dict[str, Any] = canonical.parse(json.dumps(whole).encode())  # type: ignore[assignment]
    return decoded


def element(report: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"sensorMetadata": metadata, "sensorReport": [{"type": "Temperature", "uom": "CEL", **report}]}


def one(*elements: dict[str, Any], **members: Any) -> Reading:
    [found] = readings_of(event(*elements, **members), "r").readings
    return found


@pytest.mark.parametrize(
    ("report", "metadata", "start", "end"),
    [
        ({"value": -18}, {}, "08:30", "08:30"),
        ({"value": -18}, {"time": "2026-01-05T08:00:00+08:00"}, "08:00", "08:00"),
        ({"value": -18, "time": "2026-01-05T07:00:00+08:00"}, {"time": "2026-01-05T08:00:00+08:00"}, "07:00", "07:00"),
        (
            {"minValue": -20, "maxValue": -18},
            {"startTime": "2026-01-05T06:00:00+08:00", "endTime": "2026-01-05T08:00:00+08:00"},
            "06:00",
            "08:00",
        ),
        ({"minValue": -20, "maxValue": -18}, {"startTime": "2026-01-05T06:00:00+08:00"}, "06:00", "08:30"),
        ({"value": -18}, {"endTime": "2026-01-05T08:00:00+08:00"}, "08:00", "08:00"),
        (
            {"value": -18, "time": "2026-01-05T07:00:00+08:00"},
            {"startTime": "2026-01-05T06:00:00+08:00", "endTime": "2026-01-05T08:00:00+08:00"},
            "07:00",
            "07:00",
        ),
    ],
)
def test_when_a_reading_is_of(report: dict[str, Any], metadata: dict[str, Any], start: str, end: str) -> None:
    found = one(element(report, **metadata))
    day = 1_767_542_400 * S  # 2026-01-05T00:00:00+08:00
    told = [f"{(at - day) // S // 3600:02}:{(at - day) // S % 3600 // 60:02}" for at in (found.start_us, found.end_us)]
    assert told == [start, end]


@pytest.mark.parametrize(
    ("report", "low", "mean", "high"),
    [
        ({"value": -18.5}, "-18.5", "-18.5", "-18.5"),
        ({"minValue": -20, "meanValue": -19.25, "maxValue": -18}, "-20", "-19.25", "-18"),
        ({"value": 0, "minValue": -2, "maxValue": 1}, "-2", "0", "1"),
        ({"value": 5, "minValue": 0}, "0", "5", "5"),
        ({"maxValue": -18}, None, None, "-18"),
        ({"value": 0, "uom": "FAH"}, "-160/9", "-160/9", "-160/9"),
        ({"value": 255.15, "uom": "KEL"}, "-18", "-18", "-18"),
        ({"value": -18, "type": "gs1:Temperature"}, "-18", "-18", "-18"),
        ({"value": -18, "type": "https://gs1.org/voc/Temperature"}, "-18", "-18", "-18"),
    ],
)
def test_what_a_reading_says(report: dict[str, Any], low: str | None, mean: str | None, high: str | None) -> None:
    found = one(element(report))
    assert [found.low, found.mean, found.high] == [
        None if text is None else Fraction(text) for text in (low, mean, high)
    ]


@given(st.integers(-9000, 9000))
def test_one_temperature_in_three_units_is_one_temperature(hundredths: int) -> None:
    celsius = Fraction(hundredths, 100)
    kelvin, fahrenheit = celsius + Fraction("273.15"), celsius * 9 / 5 + 32
    told = [
        one(element({"value": float(value), "uom": uom})).high
        for value, uom in ((celsius, "CEL"), (kelvin, "KEL"), (fahrenheit, "FAH"))
    ]
    assert told == [celsius] * 3


@pytest.mark.parametrize(("fahrenheit", "count"), [(-0.4, 0), (-0.39999999, 1), (-0.5, 0)])
def test_the_limit_holds_exactly_in_any_unit(fahrenheit: float, count: int) -> None:
    found = pieces([one(element({"value": fahrenheit, "uom": "FAH"}))], 3600 * S)
    assert len(episodes(found, known()["frozen"])) == count


@pytest.mark.parametrize(
    ("report", "metadata", "code"),
    [
        ({"value": -18, "exception": "ERROR_CONDITION"}, {}, "sensor-error"),
        ({"value": -18, "uom": "KGM"}, {}, "unit"),
        ({"value": -18, "uom": None}, {}, "unit"),
        ({"sDev": 0.5}, {}, "no-number"),
        ({"stringValue": "cold"}, {}, "no-number"),
        ({"value": -274}, {}, "impossible"),
        ({"value": 85_000}, {}, "impossible"),
        ({"minValue": -18, "maxValue": -20}, {}, "order"),
        ({"minValue": -18, "meanValue": -20}, {}, "order"),
        (
            {"value": -18},
            {"startTime": "2026-01-05T08:00:00+08:00", "endTime": "2026-01-05T07:00:00+08:00"},
            "interval",
        ),
    ],
)
def test_what_cannot_be_read_is_left_out_with_a_reason(
    report: dict[str, Any], metadata: dict[str, Any], code: str
) -> None:
    report = {name: value for name, value in report.items() if value is not None} | (
        {} if "uom" in report else {"uom": "CEL"}
    )
    raw = {"sensorMetadata": metadata, "sensorReport": [{"type": "Temperature", **report}]}
    taken = readings_of(event(raw), "r")
    assert (taken.readings, [one.code for one in taken.notes]) == ([], [code])
    assert taken.notes[0].pointer == "/sensorElementList/0/sensorReport/0"


def test_other_measurements_are_none_of_its_business() -> None:
    humid = {"sensorReport": [{"type": "RelativeHumidity", "value": 80, "uom": "A93"}]}
    taken = readings_of(event(humid), "r")
    assert (taken.readings, taken.notes) == ([], [])


def test_an_alarm_is_told_and_its_value_is_used() -> None:
    taken = readings_of(event(element({"value": -10, "exception": "ALARM_CONDITION"})), "r")
    assert ([one.code for one in taken.notes], len(taken.readings)) == (["sensor-alarm"], 1)


def test_loggers_are_told_apart_by_name_and_without_one_by_event() -> None:
    urn, link = "urn:epc:id:giai:9520001.LOGGER11", "https://id.gs1.org/8004/9520001LOGGER11"
    named_ = {one(element({"value": -18}, deviceID=device)).logger for device in (urn, link)}
    assert named_ == {link}
    assert one(element({"value": -18, "deviceID": link}, deviceID=urn)).logger == link
    assert one(element({"value": -18})).logger == "r#"
    assert one(element({"value": -18, "sdl:measured": "product"})).medium == "product"


@pytest.mark.parametrize(
    ("since", "until", "state"),
    [
        (None, None, "unknown"),
        (None, "2026-12-31", "valid"),
        (None, "2026-01-05", "valid"),  # to the end of that day, where the event is
        (None, "2026-01-04", "expired"),
        (None, "2026-01-05T08:30:00+08:00", "valid"),
        (None, "2026-01-05T08:29:59+08:00", "expired"),
        ("2026-01-05", "2026-12-31", "valid"),
        ("2026-01-06", "2026-12-31", "expired"),
        (None, "some day", "unknown"),
    ],
)
def test_calibration_is_judged_at_the_time_of_the_reading(since: str | None, until: str | None, state: str) -> None:
    told = {"sdl:calibratedFrom": since, "sdl:calibratedUntil": until}
    given_ = {name: value for name, value in told.items() if value is not None}
    assert one(element({"value": -18}, **given_)).calibration == state
    assert one(element({"value": -18, **given_})).calibration == state


garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just({"$dec": "x"}) | st.just({"$dec": "1.5"}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "sensorMetadata",
                    "sensorReport",
                    "type",
                    "value",
                    "minValue",
                    "maxValue",
                    "percRank",
                    "percValue",
                    "uom",
                    "time",
                    "startTime",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(garbage, max_size=3))
def test_garbage_gives_no_error(elements: list[Any]) -> None:
    readings_of({"eventTime": TIME, "sensorElementList": elements}, "r")
    reports: list[Any] = [
        {"sensorReport": [{"type": "Temperature", "uom": "CEL", "value": one, "meanValue": one}]} for one in elements
    ]
    readings_of({"eventTime": TIME, "sensorElementList": reports}, "r")


def test_a_firm_may_set_stricter_and_not_looser() -> None:
    table = with_file(b'{"classes": {"frozen": {"upper_c": "-20", "max_interval_s": 600}, "ours": {"upper_c": 4}}}')
    assert (table["frozen"].upper_c, table["frozen"].max_interval_s) == (Fraction(-20), 600)
    assert table["frozen"].sources == known()["frozen"].sources
    assert (table["ours"].upper_c, table["ours"].lower_c) == (Fraction(4), None)
    assert table["chilled"] == known()["chilled"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"classes": []}',
        b'{"classes": {"x": {}}}',
        b'{"classes": {"x": 7}}',
        b'{"classes": {"x": {"upper_c": "warm"}}}',
        b'{"classes": {"x": {"upper_c": "1/2"}}}',
        b'{"classes": {"x": {"upper_c": NaN}}}',
        b'{"classes": {"x": {"upper_c": 1, "lower_c": 2}}}',
        b'{"classes": {"x": {"upper_c": 1, "max_interval_s": -1}}}',
        b'{"classes": {"x": {"upper_c": 1, "max_interval_s": 99999999999}}}',
        b'{"classes": {"x": {"upper_c": 1, "unknown": 1}}}',
        b'{"classes": {"x": {"upper_c": 1, "activation_kj_mol": 0}}}',
        b'{"classes": {"x": {"upper_c": 1, "needs_calibration": 1}}}',
        b'{"classes": {"x": {"upper_c": 1, "name": "y"}}}',
        b'{"classes": {"frozen": {"upper_c": -17.9}}}',
        b'{"classes": {"frozen": {"upper_c": null, "lower_c": -30}}}',
        b'{"classes": {"frozen": {"max_interval_s": 3601}}}',
        b'{"classes": {"frozen": {"grace_s": 1}}}',
        b'{"classes": {"chilled": {"lower_c": -1}}}',
        b'{"classes": {"frozen-eu": {"tolerance_c": 4}}}',
        b'{"classes": {"frozen-eu": {"tolerance_c": null}}}',
    ],
)
def test_other_files_are_refused_by_name(raw: bytes) -> None:
    with pytest.raises(ClassRefused):
        with_file(raw)


@given(st.binary(max_size=40))
def test_garbage_files_give_our_errors_alone(raw: bytes) -> None:
    with suppress(ClassRefused):
        with_file(raw)


def test_an_unknown_class_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ClassRefused, match="chilled"):
        named("warm")
