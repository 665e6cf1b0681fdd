"""The auditor's page: one box for any id, each step with its numbers, what was trusted, and how to repeat it elsewhere.

service.md (Pages, auditor); docs/decisions/0870.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from sudonglian.api import examining
from sudonglian.api.errors import sentence
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import MAX_INTEGER, declared_only
from sudonglian.api.http.problems import OWN_FAULT, status_of
from sudonglian.api.http.routes.examine import Id, Newer, Older, found_of, told
from sudonglian.api.pages import rendering, verdicts
from sudonglian.api.pages.language import lang_of, named_language
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import link, page
from sudonglian.api.pages.session import Anyone
from sudonglian.api.scopes import Scope
from sudonglian.chain.errors import SudonglianError
from sudonglian.records.sheets.written import csv_bytes

ON_PAGE: Final = 20
"""Checkpoints of a page; the rest is a link away."""

IN_FILE: Final = 10_000

Below = Annotated[int | None, Query(ge=1, le=MAX_INTEGER)]

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)


@router.get("/audit")
def audit(
    request: Request, caller: Anyone, q: Id = "", older: Older = "", newer: Newer = "", below: Below = None
) -> Response:
    """Show what the log has of an id, or what the log itself is known by."""
    lang, refused, found = lang_of(request), None, []
    with door_of(request).store.read() as connection:
        seen = _seen(request, connection, below, ON_PAGE)
        try:
            found = found_of(request, connection, caller, q, older, newer)
        except SudonglianError as refusal:
            refused = refusal
    if refused is not None and status_of(refused) >= OWN_FAULT:
        raise refused
    shown = [
        {**one, "said": verdicts.shown(made.verdict, lang, own=True)}
        for made, one in zip(found, told(request, found), strict=True)
    ]
    may = caller is not None and caller.may(Scope.access_log)
    values = {"q": q, "older": older, "newer": newer, "found": shown, "may_read_access": may, **seen}
    more = seen["checkpoints"][-1]["size"] if len(seen["checkpoints"]) == ON_PAGE else None
    asked = {"q": q, "from": older, "to": newer}
    return page(
        request,
        "audit.html",
        caller,
        {**values, "more": more, "refused": "" if refused is None else sentence(refused, lang)},
        json_url=link(request, "/audit.json", **asked),
        status=200 if refused is None else status_of(refused),
    )


@router.get("/audit.json")
def audit_json(
    request: Request, caller: Anyone, q: Id = "", older: Older = "", newer: Newer = "", below: Below = None
) -> Response:
    """Give what the page shows."""
    with door_of(request).store.read() as connection:
        found = found_of(request, connection, caller, q, older, newer)
        seen = _seen(request, connection, below, ON_PAGE)
    return json_answer({"found": told(request, found), **seen, "notice": examining.NOTICE})


@router.get("/audit.csv")
def audit_csv(request: Request, caller: Anyone, below: Below = None) -> Response:
    """Give the checkpoints as a table, newest first."""
    with door_of(request).store.read() as connection:
        listed = examining.checkpoints(connection, below, IN_FILE)
    names = ("size", "root", "sealed_us", "anchor_size", "block", "transaction")
    rows = [names, *(tuple(one[name] for name in names) for one in listed)]
    headers = {**rendering.HEADERS, "Content-Disposition": 'attachment; filename="checkpoints.csv"'}
    return Response(csv_bytes(rows), 200, headers, "text/csv; charset=utf-8")


def _seen(request: Request, connection: Connection, below: int | None, limit: int) -> dict[str, Any]:
    """Return what the log is known by, and its checkpoints."""
    return {
        "log": examining.about_log(connection, door_of(request).keys),
        "checkpoints": examining.checkpoints(connection, below, limit),
    }
