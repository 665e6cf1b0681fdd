"""Recorded events as the engine sees them: identifiers in normal form, people by number.

docs/spec/facts.md §2; the engine knows no store, so that its answers can be recomputed from a bundle of records.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import ceil, floor
from typing import Final

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.chain.identifiers import identifiers_of, normal
from sudonglian.records.epcis import units
from sudonglian.records.epcis.times import instant
from sudonglian.records.event_rows import EventRow
from sudonglian.records.meaning.amounts import amount
from sudonglian.trace.engine.events import (
    CONTACTS,
    ROLES,
    Disinfection,
    EventView,
    Interview,
    ItemRef,
    Participant,
    PartyRef,
    Sample,
    Temperature,
)
from sudonglian.trace.engine.facts import Micros, micros
from sudonglian.trace.errors import EventRefused

LAB_TEST: Final = "sdl:labTest"
DISINFECTION: Final = "sdl:disinfection"
INTERVIEW: Final = "sdl:interview"
TEMPERATURE: Final = re.compile(r"(?:.*[:/#-])?Temperature")
"""A report's type, however a firm spells it: Temperature, gs1:Temperature, gs1:MT-Temperature, the whole IRI."""

FREEZING: Final = Fraction("273.15")
"""Of water, in kelvin, in which temperatures are compared."""

SHOWN: Final = (LAB_TEST, DISINFECTION, INTERVIEW, "eventID")


def view(
    record_hash: str,
    log_index: int,
    event: dict[str, Json],
    participants: Iterable[Participant] = (),
    *,
    superseded: bool = False,
    declares_error: bool = False,
) -> EventView:
    """Return the engine's view of one event: R's event or the plain event, whatever of it may be seen.

    Raises
    ------
    EventRefused
        No time, or no type: the event could not have been captured so.
    """
    time, kind = instant(event.get("eventTime")), event.get("type")
    if time is None or not isinstance(kind, str):
        raise EventRefused("has no time or no type", place=record_hash)
    said = interview_of(event.get(INTERVIEW))
    return EventView(
        record_hash=record_hash,
        log_index=log_index,
        # What somebody tells of happened when they say it began; the event is their telling.
        event_time=micros(time) if said is None else said.begin_from,
        type=kind,
        action=_text(event.get("action")),
        biz_step=_text(event.get("bizStep")),
        disposition=_text(event.get("disposition")),
        items=()
        if said is not None
        else tuple(ItemRef(item.normal, item.role) for item in identifiers_of(event) if item.role in ROLES),
        read_point=_place(event.get("readPoint")),
        biz_location=_place(event.get("bizLocation")),
        sources=_parties(event.get("sourceList"), "source"),
        destinations=_parties(event.get("destinationList"), "destination"),
        transformation_id=_text(event.get("transformationID")),
        participants=tuple(participants),
        superseded=superseded,
        declares_error=declares_error or "errorDeclaration" in event,
        sample=_sample(event.get(LAB_TEST)),
        event_id=_text(event.get("eventID")),
        disinfection=_disinfection(event.get(DISINFECTION)),
        temperatures=tuple(_temperatures(event, micros(time))),
        interview=said,
    )


def participant(
    person_no: int | str,
    role: str = "",
    contact: str | None = None,
    start_us: int | None = None,
    end_us: int | None = None,
) -> Participant:
    """Return a participant as the engine knows one; a contact that it does not know counts as unsaid."""
    known = contact if contact in CONTACTS else ""
    return Participant(str(person_no), role, known or "", start_us, end_us)  # type: ignore[arg-type]


def views(rows: Iterable[EventRow]) -> Iterator[EventView]:
    """Yield stored events as the engine sees them; `SHOWN` are the withheld members that it wants to see."""
    for row in rows:
        people = (
            participant(one.person_no, one.role, one.contact, one.start_us, one.end_us) for one in row.participants
        )
        yield view(
            row.record_hash.hex(),
            row.log_index,
            row.event,
            people,
            superseded=bool(row.superseded_by),
            declares_error=row.is_error_declaration,
        )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _place(value: Json) -> str:
    if isinstance(value, dict) and (uri := _text(value.get("id"))):
        return normal(uri)
    return ""


def _parties(value: Json, name: str) -> tuple[PartyRef, ...]:
    listed = value if isinstance(value, list) else []
    return tuple(
        PartyRef(_text(entry.get("type")), normal(uri))
        for entry in listed
        if isinstance(entry, dict) and (uri := _text(entry.get(name)))
    )


def _disinfection(value: Json) -> Disinfection | None:
    if not isinstance(value, dict):
        return None
    complete, time, subject = value.get("complete"), instant(value.get("time")), _text(value.get("subject"))
    return Disinfection(
        complete if isinstance(complete, bool) else None,
        _decimal(value.get("log10Reduction")),
        normal(subject) if subject else "",
        micros(time) if time else None,
    )


def interview_of(value: Json) -> Interview | None:
    """Return what an interview's record says, None if it is none; what cannot be read has not been captured."""
    if not isinstance(value, dict):
        return None
    told, begin = instant(value.get("told")), _range(value.get("begin"))
    if told is None or begin is None:
        return None
    end = _range(value.get("end")) or begin
    contact = _text(value.get("contact"))
    return Interview(
        *(micros(told), _text(value.get("by")), _text(value.get("certainty")), *begin, *end),
        place=_place({"id": value.get("place")}),
        contact=contact if contact in CONTACTS else "",  # type: ignore[arg-type]
        items=_uris(value.get("items")),
        lots=_uris(value.get("lots")),
    )


def _range(value: Json) -> tuple[Micros, Micros] | None:
    moments = [instant(one) for one in value] if isinstance(value, list) else []
    first, last = (moments[0], moments[-1]) if len(moments) in (1, 2) else (None, None)
    return None if first is None or last is None else (micros(first), micros(last))


def _uris(value: Json) -> tuple[str, ...]:
    return tuple(normal(one) for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _temperatures(event: dict[str, Json], event_time: Micros) -> Iterator[Temperature]:
    """Yield what an event's sensor reports say of temperature; what says nothing usable is passed over."""
    elements = event.get("sensorElementList")
    for element in elements if isinstance(elements, list) else ():
        told = element if isinstance(element, dict) else {}
        about, reports = told.get("sensorMetadata"), told.get("sensorReport")
        metadata = about if isinstance(about, dict) else {}
        for report in reports if isinstance(reports, list) else ():
            if not isinstance(report, dict) or not TEMPERATURE.fullmatch(_text(report.get("type"))):
                continue
            unit = _text(report.get("uom"))
            values = [amount(report.get(name)) for name in ("value", "minValue", "maxValue", "meanValue")]
            known = [units.comparable(value, unit) for value in values if value is not None]
            celsius = [value - FREEZING for kind, value in known if kind == "temperature" and value >= 0]
            if not celsius:
                continue
            moments = [instant(one.get(name)) for one in (report, metadata) for name in ("time",)]
            at = next((micros(moment) for moment in moments if moment is not None), event_time)
            start, end = instant(metadata.get("startTime")), instant(metadata.get("endTime"))
            spans = start is not None and end is not None and start <= end and report.get("value") is None
            first, last = (micros(start), micros(end)) if spans and start and end else (at, at)
            yield Temperature(first, last, floor(min(celsius) * 1000), ceil(max(celsius) * 1000))


def _decimal(value: Json) -> str:
    """Return a number, or the text of one, as decimal text; anything else says nothing."""
    try:
        return str(Decimal(value)) if isinstance(value, str) else canonical.decimal_text(canonical.decimal_of(value))
    except (InvalidOperation, CanonicalRefused):
        return ""


def _sample(value: Json) -> Sample | None:
    if not isinstance(value, dict) or not (result := _text(value.get("result"))):
        return None
    time = instant(value.get("time"))
    subject = _text(value.get("subject"))
    return Sample(result, micros(time) if time else None, normal(subject) if subject else "")
