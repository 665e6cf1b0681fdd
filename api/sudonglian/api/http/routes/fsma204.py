"""The spreadsheet of the US Food Traceability Rule over HTTP: of the key's own firm alone.

21 CFR 1.1455(c); docs/answers.md (FSMA 204).
"""

from typing import Annotated, Literal

from fastapi import Query, Request
from fastapi.responses import Response

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Owner, submitter_of
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import door_router
from sudonglian.api.http.routes.sheets import file_answer
from sudonglian.api.parsing import identifier_of, moment
from sudonglian.records import derive
from sudonglian.trace.answers import fsma204 as answers

router = door_router("", "Answers")

Time = Annotated[str, Query(max_length=64, description="A time with its offset.")]
Name = Annotated[str, Query(max_length=2_000, description="A lot, or a place, in any form.")]


@router.get("/fsma204")
def fsma204(
    request: Request,
    caller: Owner,
    lot: Name = "",
    since: Annotated[Time, Query(alias="from")] = "",
    to: Time = "",
    location: Name = "",
    form: Annotated[Literal["json", "xlsx", "csv"], Query(description="A document, or a sheet.")] = "json",
) -> Response:
    """Give FSMA 204's electronic sortable spreadsheet: a row a lot of an event, with what it lacks named."""
    wanted = answers.Wanted(
        lot=identifier_of(lot, "lot") if lot else "",
        since_us=derive.micros(moment(since, "from")) if since else None,
        before_us=derive.micros(moment(to, "to")) if to else None,
        place=identifier_of(location, "location") if location else "",
        firm=submitter_of(caller),
    )
    with door_of(request).store.read() as connection:
        found = answers.rows(connection, wanted)
        if form != "json":
            return file_answer(answers.spreadsheet(found, form), form, "fsma204")
        told = [one.as_json() for one in found]
    lacking = sum(bool(one["missing"]) for one in told)
    return json_answer({"rows": told, "complete": len(told) - lacking, "incomplete": lacking})
