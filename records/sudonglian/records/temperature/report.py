"""The report: a lot's temperatures over all legs of its history, or those of one record, with a verdict.

docs/spec/temperature.md; records.md (Temperature).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records.temperature import curve, mkt, words
from sudonglian.records.temperature.classes import ACTIVATION_KJ_MOL, MAX_INTERVAL_S, ProductClass, known, named
from sudonglian.records.temperature.curve import Piece
from sudonglian.records.temperature.errors import TemperatureRefused
from sudonglian.records.temperature.excursions import S, total_us
from sudonglian.records.temperature.figures import (
    Figures,
    excursion_json,
    figures,
    gap_json,
    instants_of,
    mkt_json,
    moment,
    seconds,
    sentence,
    shown,
    worst,
)
from sudonglian.records.temperature.journey import Happening, Journey, Leg, Load, journey, legs, subjects
from sudonglian.records.temperature.mkt import KineticMean
from sudonglian.records.temperature.samples import MAX_READINGS, Note, Reading, celsius_of, readings_of

CLASS: Final = "sdl:temperatureClass"
GOODS: Final = "sdl:goods"


@dataclass(frozen=True, slots=True)
class Part:
    """A leg of the journey of the lot, or of something that became a part of it, with its figures."""

    of: str
    relation: str
    leg: Leg
    figures: Figures


@dataclass(slots=True)
class Report:
    """What is to be said of a lot, or of a record."""

    about: str
    kind: ProductClass | None
    kind_from: str
    """asked, declared, or none."""
    parts: list[Part] = field(default_factory=list)
    wholes: list[Figures] = field(default_factory=list)
    """Of each thing, over all of its legs."""
    pieces: dict[Piece, None] = field(default_factory=dict)
    readings: dict[Reading, None] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Return the verdict of all of it."""
        return worst(self.wholes)

    def as_json(self) -> dict[str, Any]:
        """Return the report as the doors show it."""
        low, high = celsius_of(iter(self.readings))
        counted = [one for whole in self.wholes for one in whole.counted]
        least, most = total_us(counted)
        return {
            "about": self.about,
            "verdict": self.verdict,
            "sentence": sentence(self.wholes),
            "class": None if self.kind is None else self.kind.as_json(),
            "class_from": self.kind_from,
            "start": moment(min(one.start_us for one in self.wholes)) if self.wholes else None,
            "end": moment(max(one.end_us for one in self.wholes)) if self.wholes else None,
            "duration_s": seconds(sum(one.end_us - one.start_us for one in self.wholes)),
            "measured_s": seconds(sum(one.measured_us for one in self.wholes)),
            "readings": len(self.readings),
            "min_c": shown(low),
            "max_c": shown(high),
            **mkt_json(*self._kinetic()),
            "excursion_s": {"at_least": seconds(least), "at_most": seconds(most)},
            "excursions": [excursion_json(one) for whole in self.wholes for one in whole.excursions],
            "gaps": [gap_json(one) for whole in self.wholes for one in whole.gaps],
            "legs": [_part_json(number, one) for number, one in enumerate(self.parts, 1)],
            "loggers": _loggers(self.readings),
            "notes": [
                {"code": one.code, "record": one.source, "pointer": one.pointer}
                for one in sorted(dict.fromkeys(self.notes))
            ],
        }

    def _kinetic(self) -> tuple[KineticMean | None, float | None]:
        """Return the mean kinetic temperature of all legs, and that of the readings, all alike."""
        if len(self.wholes) == 1:
            return self.wholes[0].kinetic, self.wholes[0].of_readings_c
        activation = ACTIVATION_KJ_MOL if self.kind is None else self.kind.activation_kj_mol
        instants = instants_of(self.readings)
        return (
            mkt.over_time([one for one in self.pieces if one.is_usable], activation),
            mkt.of_values(instants, activation) if instants else None,
        )

    def brief(self) -> dict[str, Any]:
        """Return what a history says of it: the verdict, and the figures of the whole."""
        told = self.as_json()
        names = ("verdict", "sentence", "class_from", "duration_s", "measured_s", "readings", "min_c", "max_c", "mkt_c")
        return {
            **{name: told[name] for name in (*names, "excursion_s")},
            "class": None if self.kind is None else self.kind.name,
            "legs": len(self.parts),
        }

    def public(self) -> dict[str, Any]:
        """Return what anybody may know: the verdict and its sentence, without places, times or temperatures."""
        return {
            "about": self.about,
            "verdict": self.verdict,
            "sentence": words.both(f"public.{self.verdict}"),
            "class": None if self.kind is None else self.kind.name,
        }


def of_lot(
    load: Load,
    transforming: Load,
    uri: str,
    *,
    kind: ProductClass | None = None,
    table: Mapping[str, ProductClass] | None = None,
    most: int = MAX_READINGS,
) -> Report:
    """Return the report of a lot, by all legs of its history; `kind` judges it whatever its records declare.

    Raises
    ------
    TemperatureRefused
        There are more readings than `most`.
    """
    uri = normal(uri)
    found, is_cut = subjects(load, transforming, uri)
    report = Report(uri, kind, "none" if kind is None else "asked")
    journeys = [journey(load, one) for one in found]
    if is_cut:
        report.notes.append(Note("too-many", uri))
    if kind is None:
        _declare(report, journeys, table)
    for one in journeys:
        _add(report, load, one, most)
    for logger, calibration in sorted({(one.logger, one.calibration) for one in report.readings}):
        if calibration != "valid":
            report.notes.append(Note(f"calibration-{calibration}", logger))
    return report


def of_event(
    event: Mapping[str, Json],
    source: str,
    *,
    kind: ProductClass | None = None,
    table: Mapping[str, ProductClass] | None = None,
) -> Report:
    """Return the report of one event, by its own readings alone."""
    taken = readings_of(event, source)
    report = Report(source, kind, "none" if kind is None else "asked", notes=list(taken.notes))
    if kind is None:
        _judge_by(report, declared(event, None), source, table)
    if taken.readings:
        start = min(one.start_us for one in taken.readings)
        end = max(one.end_us for one in taken.readings)
        found = _pieces(report.kind, taken.readings)
        report.pieces, report.readings = dict.fromkeys(found), dict.fromkeys(taken.readings)
        report.wholes = [figures(found, taken.readings, taken.notes, report.kind, start, end)]
    for one in taken.readings:
        if one.calibration == "expired":
            report.notes.append(Note("calibration-expired", one.logger))
    return report


def declared(event: Mapping[str, Json], uri: str | None) -> str:
    """Return the product class that an event declares, of one of its things or of all; or nothing.

    >>> declared({"ilmd": {"sdl:temperatureClass": "frozen"}}, None)
    'frozen'
    """
    goods = event.get(GOODS)
    for one in goods if isinstance(goods, list) else ():
        if isinstance(one, dict) and isinstance(name := one.get("temperatureClass"), str):
            item = one.get("item")
            if uri is None or (isinstance(item, str) and normal(item) == uri):
                return name
    ilmd = event.get("ilmd")
    for holder in (ilmd if isinstance(ilmd, dict) else {}, event):
        if isinstance(name := holder.get(CLASS), str) and name:
            return name
    return ""


def _declare(report: Report, journeys: Sequence[Journey], table: Mapping[str, ProductClass] | None) -> None:
    """Take the class that the lot's own records declare, else those of what became a part of it; the earliest."""
    for own in (journeys[:1], journeys[1:]):
        told = sorted(
            (one.order, name, one.source)
            for journey_ in own
            for one in journey_.happenings
            if (name := declared(one.event, journey_.subject.uri))
        )
        if told:
            _judge_by(report, told[0][1], told[0][2], table)
            if len({name for _, name, _ in told}) > 1:
                report.notes.append(Note("class-differs", told[-1][2]))
            return


def _judge_by(report: Report, name: str, source: str, table: Mapping[str, ProductClass] | None) -> None:
    if not name:
        return
    if name not in (known() if table is None else table):
        report.notes.append(Note("class-unknown", source))
        return
    report.kind, report.kind_from = named(name, table), "declared"


def _pieces(kind: ProductClass | None, readings: Iterable[Reading]) -> list[Piece]:
    return curve.pieces(readings, _interval_us(kind), needs_calibration=kind is not None and kind.needs_calibration)


def _meets(one: Reading, leg: Leg) -> bool:
    """Whether a reading is of a leg; one of the moment between two is of both, and a summary that ends then is not."""
    if one.is_instant:
        return leg.start_us <= one.start_us <= leg.end_us
    return one.start_us < leg.end_us and one.end_us > leg.start_us


def _interval_us(kind: ProductClass | None) -> int:
    return (MAX_INTERVAL_S if kind is None else kind.max_interval_s) * S


def _add(report: Report, load: Load, of: Journey, most: int) -> None:
    """Add a thing's journey to a report."""
    if not of.happenings:
        return
    windows, readings, notes = _heard(load, of, _interval_us(report.kind))
    if len(report.readings) + len(readings) > most:
        raise TemperatureRefused(f"more than {most} readings; ask for a part of it", place=report.about)
    pieces = [
        part
        for one in _pieces(report.kind, readings)
        for start_us, end_us in windows[one.logger]
        if (part := curve.clipped(one, start_us, end_us)) is not None
    ]
    inside = [
        one
        for one in dict.fromkeys(readings)
        if any(one.start_us <= end_us and one.end_us >= start_us for start_us, end_us in windows[one.logger])
    ]
    edges = [edge for one in pieces for edge in (one.start_us, one.end_us)]
    until_us = of.subject.until_us
    start_us = min([of.happenings[0].time_us, *edges])
    end_us = min(max([of.happenings[-1].time_us, *edges]), until_us)
    if of.subject.relation != "self":  # then it was on its way to become a part of the lot, or waited for it
        end_us = until_us
    whole = figures(pieces, inside, notes, report.kind, start_us, end_us)
    if of.subject.relation != "self" and not inside and end_us - start_us <= _interval_us(report.kind):
        return  # no longer than may lie between two readings
    report.wholes.append(whole)
    report.pieces |= dict.fromkeys(pieces)
    report.readings |= dict.fromkeys(inside)
    report.notes += notes
    for leg in legs(of.happenings, start_us, end_us):
        own = [one for one in inside if _meets(one, leg)]
        told = figures(pieces, own, notes, report.kind, leg.start_us, leg.end_us)
        report.parts.append(Part(of.subject.uri, of.subject.relation, leg, told))


def _heard(
    load: Load, of: Journey, margin_us: int
) -> tuple[dict[str, list[tuple[int, int]]], list[Reading], list[Note]]:
    """Return what was read about a thing on its journey: from when to when each logger was about it, and what it said.

    A line may begin or end outside: readings are taken as far as one may lie from the next.
    """
    windows: dict[str, list[tuple[int, int]]] = {}
    readings: dict[Reading, None] = {}
    notes: dict[Note, None] = {}
    for bearer in of.bearers:
        for event in load(bearer.uri):
            taken = event.taken
            is_logger = any(one.logger == bearer.uri for one in taken.readings)
            for one in taken.readings:
                if is_logger and one.logger != bearer.uri:
                    continue
                if one.start_us > bearer.end_us + margin_us or one.end_us < bearer.start_us - margin_us:
                    continue
                readings[one] = None
                window = (bearer.start_us, bearer.end_us)
                if window not in windows.setdefault(one.logger, []):
                    windows[one.logger].append(window)
            notes |= {one: None for one in taken.notes if bearer.start_us <= one.at_us <= bearer.end_us}
    return {name: _joined(found) for name, found in windows.items()}, list(readings), list(notes)


def _joined(windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start_us, end_us in sorted(windows):
        if found and start_us <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end_us))
        else:
            found.append((start_us, end_us))
    return found


def _part_json(number: int, part: Part) -> dict[str, Any]:
    def end_of(one: Happening | None) -> dict[str, Any] | None:
        return None if one is None else {"record": one.source, "step": one.step, "place": one.place or None}

    return {
        "number": number,
        "of": part.of,
        "relation": part.relation,
        "kind": part.leg.kind,
        "from": end_of(part.leg.start),
        "to": end_of(part.leg.end),
        **part.figures.as_json(),
    }


def _loggers(readings: Iterable[Reading]) -> list[dict[str, Any]]:
    by_name: dict[tuple[str, str], list[Reading]] = {}
    for one in readings:
        by_name.setdefault((one.logger, one.medium), []).append(one)
    told = []
    for (name, medium), own in sorted(by_name.items()):
        low, high = celsius_of(iter(own))
        states = {one.calibration for one in own}
        told.append(
            {
                "id": name,
                "measured": medium or None,
                "readings": len(own),
                "first": moment(min(one.start_us for one in own)),
                "last": moment(max(one.end_us for one in own)),
                "min_c": shown(low),
                "max_c": shown(high),
                "calibration": next(one for one in ("expired", "unknown", "valid") if one in states),
                "records": sorted({one.source for one in own}),
            }
        )
    return told
