"""The page on which a clerk sends a sheet: chosen, looked at with every mistake beside its row, sent, and its receipts.

docs/sheets.md; docs/decisions/0752. Nothing of a sheet is kept on the server until it is sent.
"""

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from sudonglian.api.caller import Caller
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import captures
from sudonglian.api.http.auth import submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import BodyTooLarge, declared_only
from sudonglian.api.http.routes.sheets import file_answer
from sudonglian.api.pages.forms import File, Form, SheetForm
from sudonglian.api.pages.language import lang_of, named_language
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import HEADERS, page
from sudonglian.api.pages.session import Anyone, Capturer
from sudonglian.api.scopes import Scope
from sudonglian.records.intake import Behaviour
from sudonglian.records.sheets import annotated, cells, taking
from sudonglian.records.sheets.faults import SheetRefused
from sudonglian.records.sheets.taking import Prepared, Told
from sudonglian.records.sheets.workbook import MAX_FILE_BYTES

MAX_CARRIED: Final = 2 * 1024 * 1024
"""Bytes of a sheet that the page itself carries from the preview to the sending; a larger one is chosen again."""

SHOWN: Final = 200
"""Faults and receipts on a page; the copy has all."""

HIDDEN: Final = frozenset({"id", "name"})
"""Columns of people that a row is not shown with: a page may be looked at by others."""

MAX_ROW: Final = 400
"""Characters of a row, beside its mistake."""

TAKES: Final[Mapping[str, Behaviour]] = {"take": "rollback", "proceed": "proceed"}
"""The buttons that write, and whether one mistake refuses the whole sheet."""

LOOKS: Final = ("preview", "copy")
"""The buttons that write nothing."""

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)


class NotCarried(UsageRefused):
    """What comes back as the sheet that the page carried is none."""

    def __init__(self) -> None:
        super().__init__(
            "not what this page carried; choose the sheet again", place="file", zh="不是本页带回的表格,请重新选择"
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """A mistake, and the row that it is about."""

    fault: Any
    row: str


@router.get("/upload")
def upload_form(request: Request, caller: Anyone) -> Response:
    """Offer to send a sheet."""
    return page(request, "upload.html", caller, _values(caller))


@router.post("/upload")
def upload(request: Request, caller: Capturer, form: SheetForm) -> Response:
    """Look at a sheet, give a copy with its mistakes, or take it: what the pressed button says."""
    pressed = form.field("do")
    if pressed not in (*LOOKS, *TAKES):
        known = ", ".join((*LOOKS, *TAKES))
        raise UsageRefused(f"one of: {known}", place="do", zh=f"应为其中之一:{known}")
    file = _file_of(form)
    if file is None:
        raise UsageRefused("no sheet was chosen", place="file", zh="没有选择表格")
    if len(file.data) > MAX_FILE_BYTES:
        raise BodyTooLarge(f"at most {MAX_FILE_BYTES} bytes are taken here")
    door, now, lang = door_of(request), datetime.now(UTC), lang_of(request)
    wanted = captures.profile_for(caller, None, "profile")
    try:
        prepared = taking.prepare(
            door.keys, file.data, submitter=submitter_of(caller), now=now, keep=True, profile=wanted
        )
    except SheetRefused as refusal:
        raise refusal.told(lang) from refusal
    job = None
    if pressed in TAKES:
        told, job, _ = captures.take_sheet(door, caller, file.data, prepared, TAKES[pressed], now, wanted)
    else:
        with door.store.read() as connection:
            told = taking.preview(connection, prepared)
    if pressed == "copy":
        copy = file_answer(annotated.annotated(told, "xlsx", lang), "xlsx", "sudonglian-errors")
        copy.headers.update(HEADERS)
        return copy
    values = {**_values(caller, told=told, file=file), "capture": "" if job is None else job.name}
    return page(request, "upload.html", caller, values)


def _values(caller: Caller | None, *, told: Told | None = None, file: File | None = None) -> dict[str, Any]:
    may = caller is not None and Scope.capture in caller.scopes and caller.submitter is not None
    values: dict[str, Any] = {"may": may, "firm": caller, "told": None, "capture": "", "limit": MAX_FILE_BYTES // 2**20}
    if told is None or file is None:
        return values
    beside = [Beside(one, text) for one, text in zip(told.faults, _rows(told), strict=True)]
    document = told.as_json()
    return {
        **values,
        "told": document,
        "name": file.name,
        "errors": sum(one.level == "error" for one in told.faults),
        "warnings": sum(one.level == "warning" for one in told.faults),
        "faults": beside[:SHOWN],
        "more": max(0, len(beside) - SHOWN),
        "receipts": document["records"][:SHOWN],
        "more_receipts": max(0, len(document["records"]) - SHOWN),
        "carried": _carried(file.data),
    }


def _rows(told: Told) -> Iterator[str]:
    """Yield the text of the row of each fault."""
    prepared = told.prepared
    rows = {(sheet, number): row for sheet, them in prepared.kept.items() for number, row in them}
    for one in told.faults:
        row = rows.get((one.sheet, one.row), ())
        shown = (cells.shown(cell).strip() for at, cell in enumerate(row) if at not in _hidden(prepared, one.sheet))
        yield " · ".join(text for text in shown if text)[:MAX_ROW]


def _hidden(prepared: Prepared, sheet: str) -> set[int]:
    people = prepared.book.people
    table = people if people is not None and people.sheet == sheet else prepared.book.handoffs
    return {place for key, (place, _) in table.columns.items() if key in HIDDEN}


def _carried(data: bytes) -> str:
    """Return the sheet as the page carries it, or nothing if it is too large for that."""
    return base64.b64encode(zlib.compress(data)).decode() if len(data) <= MAX_CARRIED else ""


def _file_of(form: Form) -> File | None:
    """Return the sheet that was chosen, or else the one that the page has carried."""
    chosen = form.files.get("file")
    if chosen is not None and chosen.data:
        return chosen
    if not (carried := form.field("carried")):
        return None
    try:
        unfolding = zlib.decompressobj()
        data = unfolding.decompress(base64.b64decode(carried, validate=True), MAX_CARRIED + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise NotCarried from error
    if len(data) > MAX_CARRIED or not unfolding.eof:
        raise NotCarried
    return File(form.field("name")[:200], data)
