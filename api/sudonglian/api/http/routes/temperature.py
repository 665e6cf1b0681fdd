"""Temperatures over HTTP: a lot's for who traces and, by its own records, for a firm; the verdict for anybody.

docs/spec/temperature.md; docs/decisions/0241 (who may see what).
"""

from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from fastapi.responses import Response

from sudonglian.api import temperature_curve
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import problems
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone, Forbidden, Owner, Tracer, submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.entitlement import may_see_sensors
from sudonglian.api.http.parameters import NoSuchResource, door_router
from sudonglian.api.parsing import identifier_of, record_hash_of
from sudonglian.api.settings import Lang
from sudonglian.records import reader
from sudonglian.records.temperature import table, told
from sudonglian.records.temperature.classes import ProductClass, named
from sudonglian.records.temperature.errors import ClassRefused
from sudonglian.records.temperature.report import Report
from sudonglian.records.temperature.samples import MAX_PUBLIC_READINGS

router = door_router("", "Temperature")

SVG: Final = "image/svg+xml"
CSV: Final = "text/csv; charset=utf-8"

Lot = Annotated[str, Path(max_length=2_000, description="An EPC URN or a Digital Link, percent-encoded.")]
Class = Annotated[
    str,
    Query(alias="class", max_length=40, description="Judge by this product class, whatever the records declare."),
]
Language = Annotated[Lang | None, Query(description="Of the words in the picture; by Accept-Language if not said.")]


@router.get("/temperature/classes")
def classes(request: Request, caller: Anyone) -> Response:
    """List the product classes: their limits, and the source of each."""
    return json_answer({"classes": [one.as_json() for one in door_of(request).classes.values()]})


@router.get("/lots/{lot:path}/temperature")
def lot_temperature(request: Request, caller: Tracer, lot: Lot, kind: Class = "") -> Response:
    """Tell a lot's temperatures over all legs of its history: excursions, gaps, mean kinetic temperature, verdict."""
    return json_answer(report_of(request, lot, kind).as_json())


@router.get("/lots/{lot:path}/temperature.svg")
def lot_curve(request: Request, caller: Tracer, lot: Lot, kind: Class = "", lang: Language = None) -> Response:
    """Draw a lot's temperatures as a curve."""
    return curve_answer(report_of(request, lot, kind), lang or problems.lang_of(request))


@router.get("/lots/{lot:path}/temperature.csv")
def lot_readings(request: Request, caller: Tracer, lot: Lot, kind: Class = "") -> Response:
    """Give the readings about a lot as a table."""
    return csv_answer(report_of(request, lot, kind))


@router.get("/lots/{lot:path}/temperature/own")
def own_temperature(request: Request, caller: Owner, lot: Lot, kind: Class = "") -> Response:
    """Tell a lot's temperatures as far as the firm's own records show them."""
    return json_answer(report_of(request, lot, kind, submitter_of(caller)).as_json())


@router.get("/lots/{lot:path}/temperature/verdict")
def lot_verdict(request: Request, caller: Anyone, lot: Lot) -> Response:
    """Tell in one sentence whether a lot kept its temperatures; no place, time or temperature is told."""
    return json_answer(public_of(request, lot))


@router.get("/records/{record_hash}/temperature")
def record_temperature(request: Request, caller: Owner, record_hash: str, kind: Class = "") -> Response:
    """Tell the temperatures of a record of the firm itself, or of a direct partner about a handoff with it."""
    digest = record_hash_of(record_hash)
    wanted = class_of(request, kind)
    with door_of(request).store.read() as connection:
        if not may_see_sensors(connection, caller, reader.record(connection, digest)):
            raise Forbidden("only the record's firm and its direct partner may read its sensors", place="record_hash")
        report = told.of_record(connection, digest, kind=wanted, table=door_of(request).classes)
    return json_answer(report.as_json())


def report_of(request: Request, lot: str, kind: str, submitter: str | None = None) -> Report:
    """Return the report of a lot, by all records or by one firm's alone."""
    name, wanted, door = identifier_of(lot, "lot"), class_of(request, kind), door_of(request)
    with door.store.read() as connection:
        return told.of_lot(connection, name, submitter=submitter, kind=wanted, table=door.classes)


def public_of(request: Request, lot: str) -> dict[str, Any]:
    """Return what anybody may know of a lot."""
    # tenants: the verdict alone, for anybody (0241)
    name, door = identifier_of(lot, "lot"), door_of(request)
    with door.store.read() as connection:
        return told.of_lot(connection, name, table=door.classes, most=MAX_PUBLIC_READINGS).public()


def class_of(request: Request, kind: str) -> ProductClass | None:
    """Return the class that a question names, or None.

    Raises
    ------
    UsageRefused
        There is no such class.
    """
    try:
        return named(kind, door_of(request).classes) if kind else None
    except ClassRefused as refusal:
        raise UsageRefused(refusal.reason, place="class") from refusal


def curve_answer(report: Report, lang: Lang) -> Response:
    """Return the curve of a report as a file."""
    drawn = temperature_curve.alone(report, lang)
    if drawn is None:
        raise NoSuchResource("no temperature is recorded of it", place="lot")
    return Response(drawn, 200, {"Content-Language": lang}, SVG)


def csv_answer(report: Report) -> Response:
    """Return the readings of a report as a file."""
    headers = {"Content-Disposition": 'attachment; filename="temperature.csv"'}
    return Response(table.encode(report), 200, headers, CSV)
