"""Sheets over HTTP: the empty template, and a filled one in; a preview first, if one is asked for.

docs/sheets.md; docs/http.md (Sheets).
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from sudonglian.api.http import captures, problems
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone, Capturer, submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import IdempotencyKey, SheetRowsRefused, door_router
from sudonglian.api.http.routes.capture import router as epcis_router
from sudonglian.api.http.uploads import Upload, form_schema, upload_of
from sudonglian.api.settings import Lang
from sudonglian.records.intake import Behaviour
from sudonglian.records.sheets import annotated, taking, template
from sudonglian.records.sheets.faults import SheetRefused
from sudonglian.records.sheets.taking import Told
from sudonglian.records.sheets.workbook import MAX_FILE_BYTES

router = door_router("", "Sheets")

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv"
KINDS: Final = {"xlsx": XLSX, "csv": CSV}

TAKES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A filled template: XLSX, or CSV in UTF-8 or GB18030.",
        "content": {
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS.values()},
            **form_schema(),
        },
    }
}

SHOWN_FAULTS: Final = 1_000
"""Of a refused sheet, in its problem document."""

Body = Annotated[Upload, Depends(upload_of(MAX_FILE_BYTES, tuple(KINDS.values())))]
Language = Annotated[Lang | None, Query(description="Of headings and words; by Accept-Language if not said.")]


@router.get("/template.xlsx")
def template_xlsx(request: Request, caller: Anyone, lang: Language = None) -> Response:
    """Give the empty workbook, with drop-downs and examples."""
    return file_answer(template.template("xlsx", lang or problems.lang_of(request)), "xlsx", "sudonglian-template")


@router.get("/template.csv")
def template_csv(request: Request, caller: Anyone, lang: Language = None) -> Response:
    """Give the headings as CSV, with example rows that importing passes over."""
    return file_answer(template.template("csv", lang or problems.lang_of(request)), "csv", "sudonglian-template")


@router.post("/import", status_code=202, openapi_extra=TAKES)
def import_sheet(
    request: Request,
    caller: Capturer,
    sheet: Body,
    preview: Annotated[bool, Query(description="Say what would be taken, and take nothing.")] = False,
    behaviour: Annotated[
        Behaviour, Query(description="Whether a wrong handoff takes the whole sheet with it.")
    ] = "rollback",
    copy: Annotated[
        Literal["xlsx", "csv"] | None,
        Query(description="With preview: answer a copy of the sheet with what is wrong beside each row."),
    ] = None,
    profile: Annotated[
        str | None, Query(max_length=80, description="One of `GET /profiles`, or none; the key's own if not said.")
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take a filled sheet, a row a line of a handoff; sent again, it takes what is new alone."""
    door, now, lang = door_of(request), datetime.now(UTC), problems.lang_of(request)
    wanted = captures.profile_for(caller, profile, "profile")
    try:
        prepared = taking.prepare(
            door.keys, sheet.data, submitter=submitter_of(caller), now=now, keep=copy is not None, profile=wanted
        )
    except SheetRefused as refusal:
        raise refusal.told(lang) from refusal
    if preview or copy is not None:
        with door.store.read() as connection:
            told = taking.preview(connection, prepared)
        if copy is not None:
            return file_answer(annotated.annotated(told, copy, lang), copy, "sudonglian-errors")
        return json_answer(told.as_json())
    told, job, own = captures.take_sheet(door, caller, sheet.data, prepared, behaviour, now, wanted, idempotency_key)
    if job is None:
        return _refused(request, told, lang)
    headers = {"Location": f"{epcis_router.prefix}/capture/{job.name}"}
    if not own:
        headers["Idempotency-Replayed"] = "true"
    return json_answer({"captureID": job.name, **told.as_json()}, 202, headers)


def _refused(request: Request, told: Told, lang: Lang) -> Response:
    errors = [one for one in told.faults if one.level == "error"]
    shown = [
        {**one.as_json(), "pointer": f"/{one.sheet}/{one.row}/{one.column}", "detail": one.message[lang]}
        for one in errors[:SHOWN_FAULTS]
    ]
    return problems.answer(
        request, SheetRowsRefused.slug, 422, f"{len(errors)} errors; nothing of the sheet is taken", shown
    )


def file_answer(data: bytes, form: str, name: str) -> Response:
    """Return a sheet as a file."""
    kind = f"{CSV}; charset=utf-8" if form == "csv" else KINDS[form]
    return Response(data, headers={"Content-Disposition": f'attachment; filename="{name}.{form}"'}, media_type=kind)
