"""The access log over HTTP: who looked at whose data, and proofs of it for whoever checks from outside.

docs/spec/access-log.md.
"""

from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import AccessAuditor
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import MAX_INTEGER, door_router
from sudonglian.api.http.routes.cases import Named
from sudonglian.records import access, cases, log
from sudonglian.records.errors import NotInLog

router = door_router("/access", "Access log")


@router.get("/persons/{person}")
def looks_at_person(
    request: Request, caller: AccessAuditor, person: Annotated[int, Path(ge=1, le=MAX_INTEGER)]
) -> Response:
    """Report every look at a person's data: by whom, approved by whom, when, what for."""
    with door_of(request).store.read() as connection:
        looks = access.looks_at_person(connection, person)
        return json_answer({"person": person, "looks": looks, "cases": access.cases_of_person(connection, person)})


@router.get("/cases/{case}")
def looks_of_case(request: Request, caller: AccessAuditor, case: Named) -> Response:
    """Report every look for a case: its traces, and each person whose identity was shown."""
    with door_of(request).store.read() as connection:
        found = cases.find(connection, case)
        return json_answer({"case": found.number, "looks": access.looks_of_case(connection, found)})


@router.get("/entries/{index}/proof")
def access_proof(
    request: Request, caller: AccessAuditor, index: Annotated[int, Path(ge=0, le=MAX_INTEGER)]
) -> Response:
    """Prove that an entry is in the private tree under the first checkpoint that covers it."""
    door = door_of(request)
    with door.store.read() as connection:
        return Response(access.prove(connection, door.keys, index), media_type="application/json")


@router.get("/consistency")
def access_consistency(
    request: Request,
    caller: AccessAuditor,
    start: Annotated[int | None, Query(alias="from", ge=1, le=MAX_INTEGER, description="The newest if absent.")] = None,
    end: Annotated[int | None, Query(alias="to", ge=1, le=MAX_INTEGER, description="The newest if absent.")] = None,
) -> Response:
    """Prove that nothing was taken out of the private tree between the checkpoints of two sizes; with both counts."""
    door = door_of(request)
    with door.store.read() as connection:
        newest = log.latest(connection)
        if newest is None:
            raise NotInLog("nothing has been sealed yet", place="from")
        raw = access.prove_consistency(connection, door.keys, newest.size if start is None else start, end)
    return Response(raw, media_type="application/json")
