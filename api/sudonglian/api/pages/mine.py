"""A firm's first page: what waits for it and what it did last; and a lot's temperatures by its own records alone.

service.md (Pages: Firm); docs/firm.md. The page is JSON too.
"""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from sudonglian.api.caller import Caller
from sudonglian.api.http import captures
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.http.routes import temperature as temperature_routes
from sudonglian.api.pages.language import lang_of, named_language
from sudonglian.api.pages.own_rows import rows_of
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import link, page
from sudonglian.api.pages.session import Owner
from sudonglian.api.pages.thermograph import judged
from sudonglian.api.scopes import Scope
from sudonglian.api.settings import Lang
from sudonglian.chain.identifiers import normal
from sudonglian.records import anchor_book, jobs, own_records, registry, unsigned
from sudonglian.records.master_data import names_of
from sudonglian.records.own_records import Asked
from sudonglian.records.temperature import told

SUBMISSIONS: Final = 5
"""On the first page; EPCIS's own list of captures has all."""

MEASURED: Final = 60
"""Newest records that the first page looks through for temperatures out of range."""

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Text = Annotated[str, Query(max_length=2_000)]


@router.get("/mine")
def mine(request: Request, caller: Owner) -> Response:
    """Show a firm what waits for it, and what it did last."""
    with door_of(request).store.read() as connection:
        seen = _home(request, connection, caller)
    return page(request, "mine.html", caller, seen, json_url=link(request, "/mine.json"))


@router.get("/mine.json")
def mine_json(request: Request, caller: Owner) -> Response:
    """Give what the page shows."""
    with door_of(request).store.read() as connection:
        return json_answer(_home(request, connection, caller))


@router.get("/mine/temperature.json")
def temperature_json(
    request: Request, caller: Owner, lot: Text, kind: Annotated[str, Query(alias="class", max_length=40)] = ""
) -> Response:
    """Give a lot's temperatures as far as the firm's own records show them."""
    return json_answer(temperature_routes.report_of(request, lot, kind, submitter_of(caller)).as_json())


@router.get("/mine/temperature.csv")
def temperature_csv(
    request: Request, caller: Owner, lot: Text, kind: Annotated[str, Query(alias="class", max_length=40)] = ""
) -> Response:
    """Give the readings of the firm's own records of a lot."""
    return temperature_routes.csv_answer(temperature_routes.report_of(request, lot, kind, submitter_of(caller)))


@router.get("/mine/temperature.svg")
def temperature_svg(
    request: Request, caller: Owner, lot: Text, kind: Annotated[str, Query(alias="class", max_length=40)] = ""
) -> Response:
    """Give the curve of the firm's own records of a lot."""
    found = temperature_routes.report_of(request, lot, kind, submitter_of(caller))
    return temperature_routes.curve_answer(found, lang_of(request))


def _home(request: Request, connection: Connection, caller: Caller) -> dict[str, Any]:
    firm, lang, door = submitter_of(caller), lang_of(request), door_of(request)
    newest = own_records.find(connection, firm, Asked(), MEASURED).records
    chain = anchor_book.live_chain(connection)
    keys = [] if chain is None else registry.known_keys(connection, chain)
    sent = [captures.summary(one) | _counted(one) for one in jobs.page(connection, firm, "capture", SUBMISSIONS)]
    return {
        "firm": firm,
        "firm_name": names_of(connection, [normal(firm)]).get(normal(firm), ""),
        "records": own_records.count(connection, firm),
        "to_sign": unsigned.count(connection, firm),
        "newest": rows_of(connection, newest[:SUBMISSIONS], lang),
        "submissions": sent,
        "warm": [
            {"record_hash": one.record_hash.hex(), "event_us": one.event_time_us, **_verdict(report, lang)}
            for one, report in told.of_records(connection, newest, table=door.classes)
            if report.verdict == "excursion"
        ],
        "looked_at": len(newest),
        "keys": ["0x" + one.address.hex() for one in keys if one.party == normal(firm)],
        "may_send": caller.may(Scope.capture),
    }


def _verdict(report: Any, lang: Lang) -> dict[str, Any]:
    seen = judged(report.as_json(), lang)
    return {"text": seen["text"], "about": report.about}


def _counted(job: jobs.Job) -> dict[str, int]:
    kept = orjson.loads(job.result or b"{}")
    return {
        "accepted": kept.get("accepted", 0),
        "unchanged": kept.get("unchanged", 0),
        "refused": captures.left_out(job),
    }
