"""EPCIS resources: what a firm's own events name, and the events of each.

EPCIS 2.0 §12.7 (top-level resources); docs/decisions/0743 (what the lists hold).
"""

import re
from collections.abc import Callable
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import epcis, query
from sudonglian.api.http.auth import Anyone, Owner, submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import (
    PER_PAGE,
    NoSuchResource,
    PageToken,
    PerPage,
    door_router,
    linked,
    text_of,
    token_for,
)
from sudonglian.api.http.routes import events
from sudonglian.chain.identifiers import normal
from sudonglian.records import queries
from sudonglian.records.queries import Named
from sudonglian.records.querying import language
from sudonglian.records.querying.query import EventQuery

TOP: Final = ("events", *language.RESOURCES, "capture")

MEMBERS: Final[dict[str, Named]] = {
    "eventTypes": "type",
    "epcs": "epcs",
    "bizSteps": "bizStep",
    "bizLocations": "bizLocation",
    "readPoints": "readPoint",
    "dispositions": "disposition",
}
"""Which member of the events a resource lists."""

NAMES: Final = {
    "eventTypes": "event_types",
    "epcs": "epcs",
    "bizSteps": "biz_steps",
    "bizLocations": "biz_locations",
    "readPoints": "read_points",
    "dispositions": "dispositions",
}

router = door_router("/epcis/v2", "EPCIS", epcis.negotiated)


@router.options("", status_code=204)
def discover(caller: Anyone) -> Response:
    """Tell which versions and formats are spoken here."""
    return epcis.discovery("GET", headers=epcis.CAPTURE_HEADERS)


@router.get("/", include_in_schema=False)
@router.get("")
def top(request: Request, caller: Anyone) -> Response:
    """List the resources."""
    return epcis.answer(request, epcis.collection(list(TOP)))


def _options(name: str, path: str, about: str) -> None:
    """Let a path tell its methods."""

    def whole(caller: Anyone) -> Response:
        return epcis.discovery("GET")

    def one(caller: Anyone, value: str) -> Response:
        return epcis.discovery("GET")

    handler: Callable[..., Response] = one if "{value" in path else whole
    router.add_api_route(path, handler, methods=["OPTIONS"], status_code=204, name=name, description=about)


def _resource(resource: str) -> None:
    """Serve one resource: its list, each of its members, and the events of each."""
    name = NAMES[resource]

    def listed(request: Request, caller: Owner, per_page: PerPage = PER_PAGE, page_token: PageToken = None) -> Response:
        return _listed(request, submitter_of(caller), resource, per_page, page_token)

    def member(request: Request, caller: Owner, value: str) -> Response:
        _found(request, submitter_of(caller), resource, value, EventQuery())
        return epcis.answer(request, epcis.collection(["events"]))

    def of_member(
        request: Request,
        caller: Owner,
        value: str,
        asked: query.Asked,
        per_page: PerPage = PER_PAGE,
        page_token: PageToken = None,
    ) -> Response:
        found = _found(request, submitter_of(caller), resource, value, asked)
        return events.answer(request, caller, found, per_page, page_token)

    served: tuple[tuple[str, str, Callable[..., Response], str, dict[str, Any]], ...] = (
        (name, "", listed, f"List the {resource} of the firm's own events.", {}),
        (f"{name}_events", "/{value:path}/events", of_member, f"Give the firm's own events of one of the {resource}.",
         query.references()),
        (f"{name}_one", "/{value:path}", member, f"List what there is of one of the {resource}: its events.", {}),
    )  # fmt: skip
    for route, path, handler, about, extra in served:
        whole = f"/{resource}{path}"
        router.add_api_route(
            whole, handler, methods=["GET"], name=route, description=about, openapi_extra=extra or None
        )
        _options(f"discover_{route}", whole, f"Tell how {whole} may be asked.")


def _listed(request: Request, submitter: str, resource: str, per_page: int, page_token: str | None) -> Response:
    start = (0, 0)
    if (text := text_of(page_token)) is not None:
        if not (match := re.fullmatch(r"(\d{1,16}):(\d{1,8})", text, re.ASCII)):
            raise UsageRefused("not a token that this server gave for this list", place="nextPageToken")
        start = int(match[1]), int(match[2])
    with door_of(request).store.read() as connection:
        found = queries.names(connection, submitter, MEMBERS[resource], per_page, start)
    link = {} if found.next is None else linked(request, per_page, token_for("{}:{}".format(*found.next)))
    return epcis.answer(request, epcis.collection(list(found.names)), headers=link)


def _found(request: Request, submitter: str, resource: str, value: str, asked: EventQuery) -> EventQuery:
    found = language.browse(resource, value, asked)
    if found is not None and resource == "epcs":
        with door_of(request).store.read() as connection:
            if not queries.is_named(connection, submitter, normal(value)):
                found = None
    if found is None:
        raise NoSuchResource(f"there is no such one among {resource}")
    return found


for _one in language.RESOURCES:
    _resource(_one)
