"""Exports of a case over HTTP: a file in the answer, persons by pseudonym; who they are takes an approved reveal.

docs/cases.md (Take it with you); docs/decisions/0840. What names people is in the answer, and nowhere else.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import Field

from sudonglian.api.exporting import tell
from sudonglian.api.http.auth import CaseWorker
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import MAX_INTEGER, JsonBody, described, door_router, parsed
from sudonglian.api.http.problems import lang_of
from sudonglian.api.http.routes.cases import Body, Named
from sudonglian.api.principals import act_of
from sudonglian.trace.casework.exports import making
from sudonglian.trace.casework.exports.making import FORMS, Exported

router = door_router("/cases/{case}/exports", "Cases")

EMPTY: Final[Mapping[str, str]] = {}

FormName = Annotated[str, Path(max_length=32, description=f"What to make: {', '.join(FORMS)}.")]


class WithIdentities(Body):
    """The approved reveal of exactly this line list, which this uses up."""

    reveal: int = Field(ge=1, le=MAX_INTEGER)


@router.get("/{form}")
def export_case(request: Request, caller: CaseWorker, case: Named, form: FormName) -> Response:
    """Export a case in the language that Accept-Language prefers, persons by pseudonym."""
    door = door_of(request)
    k, url = door.smallest_count, str(request.base_url)
    return file_answer(
        making.export(door.store, door.keys, case, act_of(caller), form, lang_of(request), tell, k=k, url=url)
    )


@router.post("/{form}", openapi_extra=described(WithIdentities))
def export_identities(request: Request, caller: CaseWorker, case: Named, form: FormName, raw: JsonBody) -> Response:
    """Export a line list with identities to who asked for the reveal, once; entries of the access log are on disk before."""
    asked, door, act = parsed(WithIdentities, raw), door_of(request), act_of(caller)
    made = making.export_identities(door.store, door.keys, case, act, form, lang_of(request), tell, asked.reveal)
    door.metrics.count("sudonglian_reveals_total", len(made.case.members))
    return file_answer(made)


def file_answer(made: Exported, headers: Mapping[str, str] = EMPTY) -> Response:
    """Return a file to keep, which nobody in between keeps."""
    told = {**headers, "Content-Disposition": f'attachment; filename="{made.name}"', "Cache-Control": "no-store"}
    return Response(made.body, 200, told, made.media)
