"""The page of a lot's temperatures: verdict, curve, and every number of it in tables; the verdict alone for the public.

service.md (Pages: every graph has a table twin, colour never alone, printable); docs/decisions/0241 (who may see what).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from sudonglian.api import temperature_curve as curves
from sudonglian.api.commands import sample
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.http.routes import temperature as routes
from sudonglian.api.http.tracing import MAX_IDENTIFIER
from sudonglian.api.pages.language import lang_of, named_language
from sudonglian.api.pages.naming import Names, places_of
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import link, page
from sudonglian.api.pages.routes import SAMPLE
from sudonglian.api.pages.session import Anyone, Tracer
from sudonglian.api.pages.thermograph import LOOKS, MARKS, judged, pictures_of, span_of
from sudonglian.api.scopes import Scope
from sudonglian.api.settings import Lang
from sudonglian.records.master_data import names_of
from sudonglian.records.temperature import words
from sudonglian.records.temperature.figures import range_of
from sudonglian.records.temperature.report import Report

ROWS: Final = 60
"""Rows of one table; the JSON has all."""

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Lot = Annotated[str, Query(max_length=MAX_IDENTIFIER)]
Class = Annotated[str, Query(alias="class", max_length=40)]


@router.get("/temperature")
def temperature(request: Request, caller: Anyone, lot: Lot = "", kind: Class = "") -> Response:
    """Show a lot's temperatures: all to who may trace, to a firm what its own records show, the verdict to anybody."""
    lang = lang_of(request)
    lot = lot.strip()
    values: dict[str, Any] = {"lot": lot, "kind": kind, "public": None, "report": None, "problem": None}
    values |= {"own": False, "files": "/temperature"}
    values["classes"] = [
        (one.name, one.zh if lang == "zh" else one.en, range_of(one)[lang]) for one in door_of(request).classes.values()
    ]
    story = sample.stories()[SAMPLE]
    values["example"] = story["seed"]
    json_url = ""
    if lot and caller is not None and Scope.trace in caller.scopes:
        report = routes.report_of(request, lot, kind)
        values |= _values(request, report, lang)
        json_url = link(request, "/temperature.json", lot=lot, **{"class": kind})
    elif lot and caller is not None and caller.may(Scope.read_own):
        values |= _values(request, routes.report_of(request, lot, kind, submitter_of(caller)), lang)
        values |= {"own": True, "files": "/mine/temperature"}
        json_url = link(request, "/mine/temperature.json", lot=lot, **{"class": kind})
    elif lot:
        values["public"] = judged(routes.public_of(request, lot), lang)
    return page(request, "temperature.html", caller, values, json_url=json_url)


@router.get("/temperature.json")
def temperature_json(request: Request, caller: Tracer, lot: Lot, kind: Class = "") -> Response:
    """Give what the page shows."""
    return json_answer(routes.report_of(request, lot, kind).as_json())


@router.get("/temperature.svg")
def temperature_svg(request: Request, caller: Tracer, lot: Lot, kind: Class = "") -> Response:
    """Give the curve as a file."""
    return routes.curve_answer(routes.report_of(request, lot, kind), lang_of(request))


@router.get("/temperature.csv")
def temperature_csv(request: Request, caller: Tracer, lot: Lot, kind: Class = "") -> Response:
    """Give the readings as a table."""
    return routes.csv_answer(routes.report_of(request, lot, kind))


def _values(request: Request, report: Report, lang: Lang) -> dict[str, Any]:
    told = report.as_json()
    names = _names(request, report, lang)
    letters = {name: curves.letter(number) for number, name in enumerate(curves.loggers(report))}
    kind = report.kind
    return {
        "report": judged(told, lang),
        "name": names.thing(report.about),
        "kind_name": "" if kind is None else (kind.zh if lang == "zh" else kind.en),
        "kind_range": "" if kind is None else range_of(kind)[lang],
        "kind_sources": [] if kind is None else [one.get("title", "") for one in kind.sources],
        "pictures": pictures_of(report, lang),
        "legend": curves.legend(lang),
        "legs": [_leg(one, names, lang) for one in told["legs"][:ROWS]],
        "excursions": [_excursion(number, one, lang) for number, one in enumerate(told["excursions"][:ROWS], 1)],
        "gaps": [_gap(one, lang) for one in told["gaps"][:ROWS]],
        "loggers": [
            {**one, "letter": letters[one["id"], one["measured"] or ""], "state": f"calibration.{one['calibration']}"}
            for one in told["loggers"][:ROWS]
        ],
        "notes": [_note(one, lang) for one in told["notes"][:ROWS]],
        "more": any(len(told[name]) > ROWS for name in ("legs", "excursions", "gaps", "loggers", "notes")),
    }


def _names(request: Request, report: Report, lang: Lang) -> Names:
    places: dict[str, str] = {}
    for part in report.parts:
        for one in (part.leg.start, part.leg.end):
            if one is not None:
                places |= {place: name for place, name in places_of(one.event) if name}
    wanted = [report.about, *(part.of for part in report.parts), *places]
    wanted += [one.place for part in report.parts for one in (part.leg.start, part.leg.end) if one is not None]
    with door_of(request).store.read() as connection:
        described = names_of(connection, wanted)
    return Names(lang, described | places)


def _leg(one: Mapping[str, Any], names: Names, lang: Lang) -> dict[str, Any]:
    return {
        **one,
        "name": words.both(f"kind.{one['kind']}")[lang],
        "of_name": "" if one["relation"] == "self" else names.thing(one["of"]),
        "ends": list(_ends(one, names)),
        "duration": span_of(one["duration_s"], lang),
        "measured": span_of(one["measured_s"], lang),
        "text": words.both(f"short.{one['verdict']}")[lang],
        "mark": MARKS.get(one["verdict"], "?"),
        "look": LOOKS.get(one["verdict"], "INDETERMINATE"),
    }


def _ends(leg: Mapping[str, Any], names: Names) -> Iterator[tuple[str, str, str]]:
    """Yield of each end its step, its place and its record; a record of a file has no page."""
    for name in ("from", "to"):
        one = leg[name]
        if one is not None:
            yield one["step"], names.thing(one["place"]) if one["place"] else "", one["record"]


def _excursion(number: int, one: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    least, most = span_of(one["at_least_s"], lang), span_of(one["at_most_s"], lang)
    sure = "counts" if one["counts"] and one["certain"] else "possible" if one["counts"] else "brief"
    return {
        **one,
        "number": number,
        "side_text": words.both(f"word.{one['side']}")[lang],
        "lasts": least if least == most else f"{least} … {most}",
        "state": f"excursion.{sure}",
    }


def _gap(one: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    reasons = [words.both(f"reason.{name}")[lang] for name in one["reasons"]]
    return {**one, "lasts": span_of(one["seconds"], lang), "reasons_text": " · ".join(reasons)}


def _note(one: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    return {**one, "text": words.both(f"note.{one['code']}")[lang]}
