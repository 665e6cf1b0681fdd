"""EPCIS events: a firm reads its own, and sends one.

EPCIS 2.0 §8.2.7.1, §12.6 and §12.8; an unknown query parameter is refused, never ignored.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import Response

from sudonglian.api.caller import Caller
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import captures, epcis, problems, query
from sudonglian.api.http.auth import Anyone, Capturer, Owner, submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import PER_PAGE, IdempotencyKey, PageToken, PerPage, body_of, door_router, linked
from sudonglian.api.http.problems import lang_of
from sudonglian.api.http.routes.capture import ProfileName
from sudonglian.records import confirmation, derive, queries
from sudonglian.records.epcis.document import MAX_DOCUMENT_BYTES, read_document
from sudonglian.records.epcis.query_document import CONTEXT, NAMESPACES, as_numbers, query_document
from sudonglian.records.errors import UnknownRecord
from sudonglian.records.querying.query import EventQuery

router = door_router("/epcis/v2", "EPCIS", epcis.negotiated)

Event = Annotated[bytes, Depends(body_of(MAX_DOCUMENT_BYTES, headers=epcis.LIMITS))]

BESIDE: Final = "sdl:records"
"""What the server knows of each event, in their order: it is no part of any of them."""

TAKES: Final = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "object"}} for kind in ("application/json", "application/ld+json")},
    }
}


@router.options("/events", status_code=204)
def discover_events(caller: Anyone) -> Response:
    """Tell how events may be read and sent here."""
    return epcis.capture_discovery(caller)


@router.get("/events", openapi_extra=query.references())
def events(
    request: Request,
    caller: Owner,
    asked: query.Asked,
    per_page: PerPage = PER_PAGE,
    page_token: PageToken = None,
) -> Response:
    """Give the firm's own events that fit, in the order in which they were taken or as asked; people are left out."""
    return answer(request, caller, asked, per_page, page_token)


@router.post("/events", status_code=201, openapi_extra=TAKES)
def send_event(
    request: Request,
    caller: Capturer,
    document: Event,
    profile: ProfileName = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take one event. It is committed when this answers: 201, or 200 if it was known already."""
    read = read_document(document)
    if read.kind != "event":
        raise UsageRefused("one event is taken here; a document is sent to /epcis/v2/capture", place="/type")
    door = door_of(request)
    wanted = captures.profile_for(caller, profile, epcis.PROFILE)
    event_id = derive.event_id(read.events[0].value)
    taken, own = captures.take_one(door, caller, document, event_id, datetime.now(UTC), wanted, idempotency_key)
    if taken.refused:
        lang = lang_of(request)
        found = [{"pointer": one.pointer, "code": one.code, "detail": one.message[lang]} for one in taken.refused]
        return problems.answer(request, "event-refused", 400, "the event is not taken", found)
    receipt = taken.records[0]
    with door.store.read() as connection:
        stored = queries.by_record_hash(connection, receipt.record_hash)
    name = receipt.event_id or f"{queries.RECORD}{receipt.record_hash.hex()}"
    headers = {"Location": f"{router.prefix}/events/{quote(name, safe=':')}"}
    if not own:
        headers["Idempotency-Replayed"] = "true"
    return epcis.answer(request, _alone(stored), 200 if receipt.unchanged else 201, headers)


@router.options("/events/{event_id:path}", status_code=204)
def discover_event(caller: Anyone, event_id: str) -> Response:
    """Tell how an event may be read here."""
    return epcis.discovery("GET")


@router.get("/events/{event_id:path}")
def event(request: Request, caller: Owner, event_id: str) -> Response:
    """Give the event of an eventID, and its error declaration if there is one."""
    door = door_of(request)
    with door.store.read() as connection:
        found = queries.by_event_id(connection, door.keys, submitter_of(caller), event_id)
        beside = confirmation.brief(connection, found.hashes)
    if not found.events:
        raise UnknownRecord("no event of yours has this eventID")
    return epcis.answer(request, {**query_document(found.events, datetime.now(UTC)), BESIDE: beside})


def answer(request: Request, caller: Caller, asked: EventQuery, per_page: int, page_token: str | None) -> Response:
    """Return a page of the firm's own events."""
    door = door_of(request)
    place = query.place_of(page_token)
    with door.store.read() as connection:
        page = queries.search(connection, door.keys, submitter_of(caller), asked, per_page, place)
        beside = confirmation.brief(connection, page.hashes)
    link = {} if page.next is None else linked(request, per_page, query.token_of(page.next))
    document = {**query_document(page.events, datetime.now(UTC)), BESIDE: beside}
    return epcis.answer(request, document, headers=link)


def _alone(stored: dict[str, Any]) -> dict[str, Any]:
    own = stored.get("@context", [])
    context = [CONTEXT, NAMESPACES, *(own if isinstance(own, list) else [own])]
    told: dict[str, Any] = as_numbers({**stored, "@context": context})
    return told
