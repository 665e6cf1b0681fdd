"""EPCIS capture: documents in, jobs out.

EPCIS 2.0 §12.6; service.md (HTTP).
"""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from fastapi.responses import Response

from sudonglian.api.http import captures, epcis
from sudonglian.api.http.auth import Anyone, Capturer, submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import (
    JSON_TYPES,
    PER_PAGE,
    XML_TYPES,
    IdempotencyKey,
    PageToken,
    PerPage,
    door_router,
    linked,
    row_of,
    token_for,
)
from sudonglian.api.http.problems import lang_of
from sudonglian.api.http.uploads import Upload, form_schema, upload_of
from sudonglian.records import jobs
from sudonglian.records.epcis.document import MAX_DOCUMENT_BYTES, Form
from sudonglian.records.intake import Behaviour, DuplicateIds

router = door_router("/epcis/v2", "EPCIS", epcis.negotiated)

Document = Annotated[Upload, Depends(upload_of(MAX_DOCUMENT_BYTES, (*JSON_TYPES, *XML_TYPES), headers=epcis.LIMITS))]
ErrorBehaviour = Annotated[Behaviour, Header(alias="GS1-Capture-Error-Behaviour")]
"""Whether one refused event takes its document with it."""
KeepDuplicates = Annotated[
    DuplicateIds,
    Header(
        alias=epcis.DUPLICATE_IDS,
        description="An eventID that stands for something else already: refuse, or keep both.",
    ),
]

ProfileName = Annotated[
    str | None,
    Header(
        alias=epcis.PROFILE,
        max_length=80,
        description="What the document is judged by as well: one of `GET /profiles`, or none. The key's own if not said; "
        "none is for keys without one.",
    ),
]

TAKES: Final = {
    "requestBody": {
        "required": True,
        "content": {
            **{kind: {"schema": {"type": "object"}} for kind in JSON_TYPES},
            **{kind: {"schema": {"type": "string"}} for kind in XML_TYPES},
        },
    }
}


TAKES_FORM: Final = {
    "requestBody": {"required": True, "content": {**TAKES["requestBody"]["content"], **form_schema()}}  # type: ignore[dict-item]
}


@router.options("/capture", status_code=204)
def discover_capture(caller: Anyone) -> Response:
    """Tell what may be captured here."""
    return epcis.capture_discovery(caller)


@router.post("/capture", status_code=202, openapi_extra=TAKES_FORM)
def capture(
    request: Request,
    caller: Capturer,
    document: Document,
    behaviour: ErrorBehaviour = "rollback",
    duplicate_ids: KeepDuplicates = "refuse",
    idempotency_key: IdempotencyKey = None,
    profile: ProfileName = None,
) -> Response:
    """Take an EPCIS document, JSON or XML. Everything is committed when this answers: the job is over, and says what became of it."""
    door = door_of(request)
    form: Form | None = "xml" if document.kind in XML_TYPES else "json" if document.kind else None
    now, wanted = datetime.now(UTC), captures.profile_for(caller, profile, epcis.PROFILE)
    job, own = captures.take(door, caller, document.data, behaviour, duplicate_ids, idempotency_key, now, form, wanted)
    headers = {
        "Location": f"{router.prefix}/capture/{job.name}",
        "GS1-Capture-Error-Behaviour": behaviour,
        epcis.DUPLICATE_IDS: duplicate_ids,
        epcis.PROFILE: captures.NONE if wanted is None else wanted.name,
    }
    if not own:
        headers["Idempotency-Replayed"] = "true"
    return epcis.answer(request, captures.document(job, lang_of(request)), 202, headers)


@router.get("/capture")
def captured(
    request: Request, caller: Capturer, per_page: PerPage = PER_PAGE, page_token: PageToken = None
) -> Response:
    """List the firm's capture jobs, the newest first."""
    with door_of(request).store.read() as connection:
        before = row_of(page_token, 0) or None
        found = jobs.page(connection, submitter_of(caller), "capture", per_page + 1, before)
    link = linked(request, per_page, token_for(str(found[per_page - 1].id))) if len(found) > per_page else {}
    return epcis.answer(request, [captures.summary(job) for job in found[:per_page]], headers=link)


@router.options("/capture/{capture_id}", status_code=204)
def discover_capture_job(caller: Anyone, capture_id: str) -> Response:
    """Tell how a capture job may be read here."""
    return epcis.discovery("GET")


@router.get("/capture/{capture_id}")
def capture_job(request: Request, caller: Capturer, capture_id: str) -> Response:
    """Tell what became of a capture."""
    with door_of(request).store.read() as connection:
        job = jobs.find_of_firm(connection, submitter_of(caller), "capture", capture_id)
    headers = {"GS1-Capture-Error-Behaviour": captures.summary(job)["captureErrorBehaviour"]}
    return epcis.answer(request, captures.document(job, lang_of(request)), headers=headers)
