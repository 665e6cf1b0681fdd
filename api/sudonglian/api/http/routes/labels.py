"""Labels over HTTP: QR codes with GS1 Digital Links, in sheets to print.

docs/answers.md (Labels).
"""

from typing import Annotated, Literal

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from sudonglian.api.http import problems
from sudonglian.api.http.auth import Owner
from sudonglian.api.http.door import door_of
from sudonglian.api.http.entitlement import sight_of
from sudonglian.api.http.parameters import JsonBody, described, door_router, parsed
from sudonglian.api.parsing import identifier_of, record_hash_of
from sudonglian.trace.answers import labelling, labels, labels_pdf

router = door_router("", "Answers")

Name = Annotated[str, Field(max_length=2_000)]


class Asked(BaseModel):
    """What to label."""

    model_config = ConfigDict(extra="forbid")

    epcs: list[Name] = Field(default=[], max_length=labels.MAX_LABELS, description="GS1 keys in any form.")
    records: list[Name] = Field(default=[], max_length=labels.MAX_LABELS, description="Hashes: what they made.")
    lot: str = Field("", max_length=20, description="The lot of a GTIN that names none.")
    serial: str = Field("", max_length=20, description="The first serial number; count labels count on from it.")
    count: int = Field(1, ge=1, le=labels.MAX_LABELS, description="How many of each.")
    format: str = Field("a4-24", max_length=20, description=", ".join(labels.FORMATS))
    file: Literal["html", "pdf"] = Field("html", description="What the answer is.")


@router.post("/labels", openapi_extra=described(Asked))
def make_labels(request: Request, caller: Owner, body: JsonBody) -> Response:
    """Make sheets of labels, an HTML or PDF document that prints in exact size: QR codes and under them what they say."""
    asked, door = parsed(Asked, body), door_of(request)
    names = [identifier_of(one, "/epcs") for one in asked.epcs]
    hashes = [record_hash_of(one) for one in asked.records]
    with door.store.read() as connection:
        names += labelling.of_records(connection, hashes, sight_of(connection, caller))
        made = labelling.of_names(
            connection, names, door.resolver, lot=asked.lot, serial=asked.serial, count=asked.count
        )  # fmt: skip
    if asked.file == "pdf":
        headers = {"Content-Disposition": 'attachment; filename="labels.pdf"'}
        return Response(labels_pdf.pdf(made, asked.format), 200, headers, "application/pdf")
    printed = labels.html(labels.pages(made, asked.format), asked.format, problems.lang_of(request))
    headers = {"Content-Disposition": 'attachment; filename="labels.html"'}
    return Response(printed, 200, headers, "text/html; charset=utf-8")
