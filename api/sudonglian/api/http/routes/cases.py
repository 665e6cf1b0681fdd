"""Cases over HTTP: opened, seeded, decided, merged, split, closed; line list by number, counts, timeline, clock.

docs/cases.md; docs/http.md. Traces are run at /traces, with the case; identities are in `reveals`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from sudonglian.api.caller import Caller
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import CaseWorker
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import MAX_INTEGER, JsonBody, described, door_router, parsed
from sudonglian.api.parsing import PERSON, identifier_of, moment, seed_of
from sudonglian.api.principals import act_of
from sudonglian.records import cases
from sudonglian.records.case_state import Case
from sudonglian.records.cases import MAX_NAME, MAX_TEXT, Act
from sudonglian.trace.casework import case_documents, case_list
from sudonglian.trace.casework.seeding import sort_of

router = door_router("/cases", "Cases")

MAX_URI: Final = 2_000

Named = Annotated[str, Path(max_length=MAX_NAME, description="The case, by its number or name.")]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Subject = Annotated[str, Field(min_length=1, max_length=MAX_URI, description="An item, lot, place, or person:NUMBER.")]
Time = Annotated[str, Field(max_length=64, description="When it was sampled, with its offset.")]
Ct = Annotated[str, Field(max_length=8, description="The test's Ct value: 31.5.")]
Number = Annotated[int, Field(ge=1, le=MAX_INTEGER)]


class Body(BaseModel):
    """What a request says, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CaseOpening(Body):
    """What a case needs to be opened."""

    name: str = Field(min_length=1, max_length=MAX_NAME)
    purpose: Text
    basis: Text
    responsible: Text


class SeedAdding(Body):
    """What a case begins from, with the test that found it."""

    subject: Subject
    at: Time
    kind: str = Field("", max_length=16, description="item, lot, place or person; told from the identifier if absent.")
    place: str = Field("", max_length=MAX_URI, description="Where a lot was sampled.")
    result: str = Field("", max_length=16)
    ct: Ct = ""
    sample: str = Field("", max_length=MAX_NAME)


class ResultAdding(Body):
    """A test's result."""

    subject: Subject
    result: str = Field(max_length=16)
    at: Time
    ct: Ct = ""
    sample: str = Field("", max_length=MAX_NAME)
    note: Text = ""


class StatusSetting(Body):
    """How far one is with a person."""

    person: Number
    status: str = Field(max_length=16)
    note: Text = ""


class Why(Body):
    """A reason."""

    why: Text


class Other(Body):
    """Another case, and a reason."""

    other: str = Field(max_length=MAX_NAME)
    why: Text


class Splitting(Other):
    """Who and what goes to another case."""

    persons: list[Number] = Field([], max_length=10_000)
    seeds: list[Annotated[int, Field(ge=0, le=MAX_INTEGER)]] = Field([], max_length=10_000)


@router.post("", status_code=201, openapi_extra=described(CaseOpening))
def open_case(request: Request, caller: CaseWorker, raw: JsonBody) -> Response:
    """Open a case: purpose, legal basis and a responsible person are needed."""
    asked = parsed(CaseOpening, raw)
    with door_of(request).store.write() as connection:
        case = cases.open_case(connection, act_of(caller), **asked.model_dump())
    return json_answer(_told(case), 201, {"Location": f"{router.prefix}/{case.number}"})


@router.get("")
def list_cases(request: Request, caller: CaseWorker) -> Response:
    """List every case, the newest first."""
    with door_of(request).store.read() as connection:
        found = [cases.find(connection, row["id"]) for row in cases.listed(connection)]
    return json_answer({"cases": [_told(one) for one in found]})


@router.get("/{case}")
def show_case(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Show a case: what for, its seeds, runs, reveals and clock."""
    return json_answer(_told(_found(request, case)))


@router.get("/{case}/timeline")
def case_timeline(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Tell what happened in a case, each with its entry of the private tree."""
    found = _found(request, case)
    return json_answer({"case": found.number, "timeline": case_documents.timeline(found)})


@router.get("/{case}/members")
def case_members(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Give the line list by number: tier, reason, generation, evidence, status."""
    with door_of(request).store.read() as connection:
        found = cases.find(connection, case)
        rows = case_list.rows(connection, found)
    return json_answer({"case": found.number, "members": rows})


@router.get("/{case}/members.csv")
def case_members_csv(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Give the line list by number as a table."""
    with door_of(request).store.read() as connection:
        body = case_list.encode(case_list.rows(connection, cases.find(connection, case)))
    headers = {"Content-Disposition": 'attachment; filename="members.csv"'}
    return Response(body, 200, headers, "text/csv; charset=utf-8")


@router.get("/{case}/counts")
def case_counts(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Count by tier, place, day and status; small counts, and what they could be computed from, are null."""
    door = door_of(request)
    with door.store.read() as connection:
        found = cases.find(connection, case)
        rows = case_list.rows(connection, found)
    told = case_list.counts_json(case_list.counts(rows, door.smallest_count), door.smallest_count)
    return json_answer({"case": found.number, **told})


@router.post("/{case}/seeds", status_code=201, openapi_extra=described(SeedAdding))
def add_seed(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Add what a case begins from."""
    asked = parsed(SeedAdding, raw)
    subject = seed_of(asked.subject, "/subject")
    told: dict[str, Any] = {
        "kind": sort_of(subject, asked.kind),
        "subject": subject.removeprefix(PERSON),
        "at": moment(asked.at, "/at"),
        "place": identifier_of(asked.place, "/place") if asked.place else "",
        "result": asked.result,
        "ct": asked.ct,
        "sample": asked.sample,
    }
    return _changed(request, caller, case, lambda at, one, act: cases.add_seed(at, one, act, **told), 201)


@router.post("/{case}/results", openapi_extra=described(ResultAdding))
def add_result(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Keep a test's result; a negative one removes nobody."""
    asked = parsed(ResultAdding, raw)
    subject = seed_of(asked.subject, "/subject")
    named: dict[str, Any] = {"subject": subject.removeprefix(PERSON), "is_person": subject.startswith(PERSON)}
    told = named | asked.model_dump(exclude={"subject", "at"}) | {"at": moment(asked.at, "/at")}
    return _changed(request, caller, case, lambda at, one, act: cases.add_result(at, one, act, **told))


@router.post("/{case}/statuses", openapi_extra=described(StatusSetting))
def set_status(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Say how far one is with a person."""
    asked = parsed(StatusSetting, raw)
    told = asked.person, asked.status, asked.note
    return _changed(request, caller, case, lambda at, one, act: cases.set_status(at, one, act, *told))


@router.post("/{case}/merge", openapi_extra=described(Other))
def merge_case(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Merge another case into this one."""
    asked = parsed(Other, raw)

    def do(connection: Connection, one: Case, act: Act) -> None:
        cases.merge(connection, one, cases.find(connection, asked.other), act, asked.why)

    return _changed(request, caller, case, do)


@router.post("/{case}/part", openapi_extra=described(Other))
def part_case(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Undo a merger."""
    asked = parsed(Other, raw)

    def do(connection: Connection, one: Case, act: Act) -> None:
        cases.part(connection, one, cases.find(connection, asked.other), act, asked.why)

    return _changed(request, caller, case, do)


@router.post("/{case}/split", openapi_extra=described(Splitting))
def split_case(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Move people and seeds to another open case."""
    asked = parsed(Splitting, raw)

    def do(connection: Connection, one: Case, act: Act) -> None:
        other = cases.find(connection, asked.other)
        cases.split(connection, one, other, act, asked.persons, asked.seeds, asked.why)

    return _changed(request, caller, case, do)


@router.post("/{case}/close", openapi_extra=described(Why))
def close_case(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Close a case."""
    asked = parsed(Why, raw)
    return _changed(request, caller, case, lambda at, one, act: cases.close(at, one, act, asked.why))


@router.post("/{case}/reopen", openapi_extra=described(Why))
def reopen_case(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Open a closed case again."""
    asked = parsed(Why, raw)
    with door_of(request).store.write() as connection:
        found = cases.reopen(connection, case, act_of(caller), asked.why)
    return json_answer(_told(found))


def _told(case: Case) -> dict[str, Any]:
    return case_documents.case_json(case, datetime.now(UTC))


def _found(request: Request, case: str) -> Case:
    with door_of(request).store.read() as connection:
        return cases.find(connection, case)


def _changed(
    request: Request, caller: Caller, case: str, do: Callable[[Connection, Case, Act], Any], status: int = 200
) -> Response:
    with door_of(request).store.write() as connection:
        found = cases.to_change(connection, case)
        do(connection, found, act_of(caller))
    return json_answer(_told(found), status)
