"""The meaning of sensor reports: a mean between its extremes, intervals in order, nothing measured after the event.

EPCIS 2.0 §7.3.7. Contradictions between metadata and reports are in epcis/sensors.py, by the standard's own rule.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis import units
from sudonglian.records.epcis.findings import Finding, pointer, warning
from sudonglian.records.epcis.times import instant
from sudonglian.records.meaning.amounts import amount
from sudonglian.records.profiles.formats import day_of

RULE: Final = "EPCIS 2.0 §7.3.7"

SLACK: Final = timedelta(minutes=10)
"""Clocks of loggers and scanners drift by minutes."""

EXTREMES: Final = ("minValue", "meanValue", "maxValue")
ORDERED: Final = (("minValue", "meanValue"), ("meanValue", "maxValue"), ("minValue", "maxValue"))
CALIBRATION: Final = ("sdl:calibratedFrom", "sdl:calibratedUntil")

KINDS: Final = {"Temperature": "temperature"}
"""Which kind of unit a type of report has, where everything else is a slip."""


def check_sensor_values(event: dict[str, Json], at: datetime | None) -> Iterator[Finding]:
    """Yield what cannot be right in the sensor elements of an event.

    >>> report = {"type": "Temperature", "minValue": -18, "maxValue": -20, "uom": "CEL"}
    >>> [one.pointer for one in check_sensor_values({"sensorElementList": [{"sensorReport": [report]}]}, None)]
    ['/sensorElementList/0/sensorReport/0/maxValue']
    """
    elements = event.get("sensorElementList")
    for number, element in enumerate(elements if isinstance(elements, list) else ()):
        if not isinstance(element, dict):
            continue
        place = ("sensorElementList", number)
        metadata, reports = element.get("sensorMetadata"), element.get("sensorReport")
        start = end = None
        if isinstance(metadata, dict):
            start, end = instant(metadata.get("startTime")), instant(metadata.get("endTime"))
            yield from _times(metadata, (*place, "sensorMetadata"), start, end, at)
        for index, report in enumerate(reports if isinstance(reports, list) else ()):
            if isinstance(report, dict):
                path = (*place, "sensorReport", index)
                yield from _times(report, path, start, end, at)
                yield from _values(report, path)
        for holder, there in _holders(element, place):
            yield from _calibration(holder, there)


def _times(
    holder: dict[str, Json],
    path: tuple[str | int, ...],
    start: datetime | None,
    end: datetime | None,
    at: datetime | None,
) -> Iterator[Finding]:
    if "endTime" in holder and start is not None and end is not None and start > end:
        yield warning("sensor-interval", pointer(*path, "endTime"), RULE, "早于 startTime", "lies before startTime")
    for name in ("time", "startTime", "endTime"):
        when = instant(holder.get(name))
        if when is None:
            continue
        if at is not None and when > at + SLACK:
            zh, en = "晚于事件时间", "lies after the event"
            yield warning("sensor-after-event", pointer(*path, name), RULE, zh, en)
        elif name == "time" and ((start is not None and when < start) or (end is not None and when > end)):
            zh, en = "不在 startTime 与 endTime 之间", "lies outside startTime and endTime"
            yield warning("sensor-interval", pointer(*path, name), RULE, zh, en)


def _holders(
    element: dict[str, Json], place: tuple[str | int, ...]
) -> Iterator[tuple[dict[str, Json], tuple[str | int, ...]]]:
    metadata, reports = element.get("sensorMetadata"), element.get("sensorReport")
    if isinstance(metadata, dict):
        yield metadata, (*place, "sensorMetadata")
    for index, report in enumerate(reports if isinstance(reports, list) else ()):
        if isinstance(report, dict):
            yield report, (*place, "sensorReport", index)


def _calibration(holder: dict[str, Json], path: tuple[str | int, ...]) -> Iterator[Finding]:
    for name in CALIBRATION:
        if name in holder and instant(holder[name]) is None and day_of(holder[name]) is None:
            zh, en = "不是日期或带时区的时间", "is neither a day nor a time with an offset"
            yield warning("sensor-calibration", pointer(*path, name), "docs/spec/temperature.md rule 10", zh, en)


def _values(report: dict[str, Json], path: tuple[str | int, ...]) -> Iterator[Finding]:
    known: dict[str, Fraction | None] = {name: amount(report[name]) for name in EXTREMES if name in report}
    for lower, upper in ORDERED if len(known) > 1 else ():
        low, high = known.get(lower), known.get(upper)
        if low is not None and high is not None and low > high:
            zh, en = f"小于 {lower}", f"is less than {lower}"
            yield warning("sensor-order", pointer(*path, upper), RULE, zh, en)
            break
    kind, code = report.get("type"), report.get("uom")
    wanted = KINDS.get(kind) if isinstance(kind, str) else None
    unit = units.known().get(code) if isinstance(code, str) else None
    if wanted is not None and unit is not None and unit.kind != wanted:
        zh, en = "计量单位与测量的类型不符", "is no unit of what was measured"
        yield warning("sensor-unit", pointer(*path, "uom"), RULE + "; UN/ECE Recommendation 20", zh, en)
