"""Readings: what an event's sensor elements say about temperature, in degrees Celsius, exactly.

docs/spec/temperature.md §2; EPCIS 2.0 §7.3.7. A reading is of an instant, or sums up an interval by its extremes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records.derive import micros
from sudonglian.records.epcis import units
from sudonglian.records.epcis.findings import pointer
from sudonglian.records.epcis.times import instant
from sudonglian.records.meaning.amounts import amount
from sudonglian.records.profiles.formats import day_of
from sudonglian.records.querying.values import bare

SENSORS: Final = "sensorElementList"
CALIBRATED_FROM: Final = "sdl:calibratedFrom"
CALIBRATED_UNTIL: Final = "sdl:calibratedUntil"
CERTIFICATE: Final = "sdl:calibrationCertificate"
MEDIUM: Final = "sdl:measured"
"""What a sensor is in: the goods or the air around them."""

MEDIA: Final = ("product", "surface", "air")

VALUES: Final = ("value", "minValue", "maxValue", "meanValue", "percValue")

ZERO_KELVIN: Final = Fraction("-273.15")
HOTTEST: Final = Fraction(1000)
"""Beyond it no logger goes on working: a reading above is no temperature."""

MAX_READINGS: Final = 200_000
"""Of one question: four loggers that have written every minute for five weeks, which takes about a minute to judge."""

MAX_PUBLIC_READINGS: Final = 20_000
"""Of a question by somebody without a key: seconds, not minutes."""

Calibration: TypeAlias = Literal["valid", "unknown", "expired"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one logger said of an instant or an interval. None: it did not say."""

    start_us: int
    end_us: int
    low: Fraction | None
    high: Fraction | None
    mean: Fraction | None
    logger: str
    """Its deviceID in normal form; of one without a name, the event."""
    source: str
    """The event that carries it: its record hash, or its place in a file."""
    medium: str = ""
    calibration: Calibration = "unknown"
    ranks: tuple[tuple[Fraction, Fraction], ...] = ()
    """(percent, value): so much of the interval was at the value or below."""

    @property
    def told(self) -> tuple[Fraction | None, ...]:
        """Return every temperature that it names."""
        return self.low, self.high, self.mean, *(value for _, value in self.ranks)

    @property
    def is_instant(self) -> bool:
        """Whether it is of one moment."""
        return self.start_us == self.end_us


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """Something that was left out, or must be known: a stable code, and where."""

    code: str
    source: str
    pointer: str = ""
    at_us: int = 0


@dataclass(slots=True)
class Taken:
    """What events say."""

    readings: list[Reading] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def readings_of(event: Mapping[str, Json], source: str) -> Taken:
    """Return the temperatures of an event, and what of it cannot be read as one.

    >>> report = {"type": "Temperature", "value": 0, "uom": "FAH"}
    >>> event = {"eventTime": "2026-01-05T08:30:00+08:00", "sensorElementList": [{"sensorReport": [report]}]}
    >>> readings_of(event, "r1").readings[0].high
    Fraction(-160, 9)
    """
    taken = Taken()
    at = instant(event.get("eventTime"))
    elements = event.get(SENSORS)
    if at is None or not isinstance(elements, list):
        return taken
    offset = event.get("eventTimeZoneOffset")
    for number, element in enumerate(elements):
        if not isinstance(element, dict):
            continue
        given = element.get("sensorMetadata")
        metadata: Mapping[str, Json] = given if isinstance(given, dict) else {}
        reports = element.get("sensorReport")
        for index, report in enumerate(reports if isinstance(reports, list) else ()):
            if isinstance(report, dict) and bare(str(report.get("type", ""))) == "Temperature":
                place = pointer(SENSORS, number, "sensorReport", index)
                _take(taken, _Said(metadata, report), source, place, at, offset if isinstance(offset, str) else "Z")
    return taken


@dataclass(frozen=True, slots=True)
class _Said:
    metadata: Mapping[str, Json]
    report: Mapping[str, Json]

    def get(self, name: str) -> Json:
        """Return a member; a report's own word goes before that of its element."""
        return self.report.get(name, self.metadata.get(name))

    def text(self, name: str) -> str:
        """Return a member that is a text, or nothing."""
        value = self.get(name)
        return value if isinstance(value, str) else ""


def _take(taken: Taken, said: _Said, source: str, place: str, at: datetime, offset: str) -> None:
    start, end = _when(said, at)
    at_us = micros(end)

    def note(code: str) -> None:
        taken.notes.append(Note(code, source, place, at_us))

    exception = bare(said.text("exception"))
    if exception == "ERROR_CONDITION":
        note("sensor-error")
        return
    if exception:
        note("sensor-alarm")
    if start > end:
        note("interval")
        return
    uom = said.get("uom")
    unit = units.known().get(uom) if isinstance(uom, str) else None
    if unit is None or unit.kind != "temperature":
        note("unit")
        return
    value, low, high, mean, rank = (
        _celsius(said.report.get(name), str(uom))
        for name in ("value", "minValue", "maxValue", "meanValue", "percValue")
    )
    percent = amount(said.report.get("percRank"))
    ranks = ((percent, rank),) if percent is not None and rank is not None and 0 <= percent <= 100 else ()
    if value is not None:
        low = value if low is None else min(low, value)
        high = value if high is None else max(high, value)
        mean = value if mean is None else mean
    if low is None and high is None and mean is None and not ranks:
        note("no-number")
        return
    if any(one is not None and not ZERO_KELVIN <= one <= HOTTEST for one in (low, high, mean, rank)):
        note("impossible")
        return
    ordered = [one for one in (low, mean, high) if one is not None]
    if any(before > after for before, after in pairwise(ordered)):
        note("order")
        return
    if start == end and "value" not in said.report:
        note("no-interval")
    device = said.text("deviceID") or said.text("deviceMetadata")
    medium = said.text(MEDIUM)
    taken.readings.append(
        Reading(
            micros(start),
            micros(end),
            low,
            high,
            mean,
            normal(device) if device else f"{source}#{medium}",
            source,
            medium if medium in MEDIA else "",
            _calibration(said, start, end, offset),
            ranks,
        )
    )


def _when(said: _Said, at: datetime) -> tuple[datetime, datetime]:
    """Return from when to when: a report's own time, its element's time, its interval, else the event's."""
    own = instant(said.report.get("time"))
    if own is not None:
        return own, own
    start, end = instant(said.get("startTime")), instant(said.get("endTime"))
    if start is not None:
        return start, end if end is not None else at
    shared = instant(said.metadata.get("time")) or end or at
    return shared, shared


def _celsius(value: Json, uom: str) -> Fraction | None:
    number = amount(value)
    return None if number is None else units.comparable(number, uom)[1] + ZERO_KELVIN


def _calibration(said: _Said, start: datetime, end: datetime, offset: str) -> Calibration:
    until, since = said.get(CALIBRATED_UNTIL), said.get(CALIBRATED_FROM)
    if until is None and since is None:
        return "unknown"
    last, first = bound(until, offset, ends=True), bound(since, offset, ends=False)
    if (until is not None and last is None) or (since is not None and first is None):
        return "unknown"
    fits = (last is None or end <= last) and (first is None or first <= start)
    return "valid" if fits else "expired"


def bound(value: Json, offset: str, *, ends: bool) -> datetime | None:
    """Return the moment that a calibration's limit names: a time, or a day of the event's own zone, to its end.

    >>> bound("2026-01-05", "+08:00", ends=True).isoformat()
    '2026-01-05T15:59:59.999999+00:00'
    """
    moment = instant(value)
    if moment is not None:
        return moment
    day = day_of(value) if isinstance(value, str) and len(value) == len("2026-01-05") else None
    if day is None:
        return None
    midnight = instant(f"{day.isoformat()}T{time.min.isoformat()}{offset}")
    if midnight is None or not ends:
        return midnight
    try:
        return midnight + timedelta(days=1) - timedelta(microseconds=1)
    except OverflowError:
        return None


def celsius_of(readings: Iterator[Reading]) -> tuple[Fraction | None, Fraction | None]:
    """Return the lowest and the highest temperature that readings tell of."""
    low = high = None
    for one in readings:
        told = (one.low, one.high) if one.low is not None and one.high is not None else one.told
        for value in told:
            if value is not None:
                low = value if low is None or value < low else low
                high = value if high is None or value > high else high
    return low, high
