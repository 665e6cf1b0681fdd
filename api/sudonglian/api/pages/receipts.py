"""What became of a submission: receipts, labels for its goods, and what to do next.

docs/firm.md; EPCIS 2.0 §12.6 (a capture's job is what answers for it), docs/answers.md (Labels).
"""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from sudonglian.api.caller import Caller
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import captures
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.entitlement import sight_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.pages.language import lang_of, named_language
from sudonglian.api.pages.own_rows import rows_of
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import HEADERS, link, page
from sudonglian.api.pages.session import Owner
from sudonglian.api.parsing import record_hash_of
from sudonglian.records import jobs, reader
from sudonglian.records.reader import StoredRecord
from sudonglian.trace.answers import labelling, labels, labels_pdf

SHOWN: Final = 100
"""Receipts on the page; its JSON has all."""

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Name = Annotated[str, Query(max_length=64)]


@router.get("/mine/receipts/{capture_id}.json")
def receipt_json(request: Request, caller: Owner, capture_id: str) -> Response:
    """Give the receipt as the API does."""
    return json_answer(_told(request, caller, capture_id))


@router.get("/mine/receipts/{capture_id}")
def receipt(request: Request, caller: Owner, capture_id: str) -> Response:
    """Show what became of a submission: each record's hash, its proof, and labels for the goods."""
    told = _told(request, caller, capture_id)
    hashes = [bytes.fromhex(one["record_hash"]) for one in told["records"]]
    lang = lang_of(request)
    with door_of(request).store.read() as connection:
        found = _read(connection, caller, hashes[:SHOWN])
        rows = rows_of(connection, found, lang)
        goods = labelling.of_records(connection, hashes[:SHOWN], sight_of(connection, caller))
    values = {
        "told": told,
        "rows": rows,
        "more": max(0, len(hashes) - SHOWN),
        "to_sign": [one["record_hash"] for one in rows if one["is_handoff"] and one["confirmation"] == "unsigned"],
        "goods": goods,
        "formats": list(labels.FORMATS),
        "capture": capture_id,
    }
    return page(request, "receipt.html", caller, values, json_url=link(request, f"/mine/receipts/{capture_id}.json"))


@router.get("/mine/labels")
def make_labels(
    request: Request,
    caller: Owner,
    capture: Name = "",
    record: Annotated[str, Query(max_length=66)] = "",
    form: Annotated[str, Query(alias="format", max_length=20)] = "a4-24",
    file: Literal["pdf", "html"] = "pdf",
) -> Response:
    """Give labels for the goods of a submission or of one record, as a sheet to print."""
    if bool(capture) == bool(record):
        raise UsageRefused("a capture or a record is needed", place="capture", zh="需要一次提交或一条记录")
    told = _told(request, caller, capture)["records"] if capture else [{"record_hash": record}]
    hashes = [record_hash_of(one["record_hash"]) for one in told]
    door, lang = door_of(request), lang_of(request)
    with door.store.read() as connection:
        names = labelling.of_records(connection, hashes, sight_of(connection, caller))
        made = labelling.of_names(connection, names, door.resolver)
    if not made:
        raise UsageRefused("nothing that has a label is in it", place="capture", zh="其中没有可贴标签的货物")
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="labels.{file}"'}
    if file == "pdf":
        return Response(labels_pdf.pdf(made, form), 200, headers, "application/pdf")
    printed = labels.html(labels.pages(made, form), form, lang)
    return Response(printed, 200, headers, "text/html; charset=utf-8")


def _told(request: Request, caller: Caller, capture_id: str) -> dict[str, Any]:
    with door_of(request).store.read() as connection:
        job = jobs.find_of_firm(connection, submitter_of(caller), "capture", capture_id)
    return {**captures.document(job, lang_of(request)), "left_out": captures.left_out(job)}


def _read(connection: Any, caller: Caller, hashes: list[bytes]) -> list[StoredRecord]:
    may_read = sight_of(connection, caller)
    found = [reader.record(connection, one) for one in dict.fromkeys(hashes)]
    return [one for one in found if may_read(one)]
