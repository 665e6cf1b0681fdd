"""Interviews over HTTP: what people said, as records of a case under the authority's submitter; a positive person.

docs/cases.md; docs/http.md; docs/spec/facts.md §17 and §18. The records are signed by their parties at /records.
"""

from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import Field

from sudonglian.api.caller import Caller
from sudonglian.api.closing import authority
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import CaseWorker
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import MAX_INTEGER, JsonBody, described, door_router, parsed
from sudonglian.api.http.routes.cases import MAX_URI, Body, Ct, Named, Time, Why
from sudonglian.api.interviewing import statement_of
from sudonglian.api.parsing import moment
from sudonglian.api.principals import act_of
from sudonglian.records import cases, log, tasks
from sudonglian.records.cases import MAX_NAME
from sudonglian.records.interviews import MAX_PERSONS, Statement
from sudonglian.trace.casework import interviews, task_documents
from sudonglian.trace.casework.case_documents import seed_json
from sudonglian.trace.casework.interviews import MAX_STATEMENTS

router = door_router("/cases", "Interviews")

Moment = Annotated[str, Field(max_length=64, description="A time with its offset.")]
Uri = Annotated[str, Field(min_length=1, max_length=MAX_URI)]
Hash = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The hash of a statement's record.")]
PersonNumber = Annotated[int, Path(ge=1, le=MAX_INTEGER, description="The person's number.")]


class Said(Body):
    """What somebody said of one stay, meeting or handling of goods."""

    persons: list[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        min_length=1,
        max_length=MAX_PERSONS,
        description="Whom it is about, then who was there too: person:NUMBER, or phone:…, cn-id:…, passport:…, with =NAME.",
    )
    told: Moment
    begin: list[Moment] = Field(min_length=1, max_length=2, description="One time, or the earliest and the latest.")
    end: list[Moment] = Field([], max_length=2, description="The time it began if empty.")
    place: str = Field("", max_length=MAX_URI)
    goods: list[Uri] = Field([], max_length=100, description="Items and lots that were handled.")
    contact: str = Field("", max_length=16, description="With goods: outer-packaging or opened.")
    by: str = Field("self", max_length=16, description="self, household, colleague or other.")
    certainty: str = Field("remembered", max_length=16, description="remembered or documented.")


class Interviewing(Body):
    """Statements of one interview or of many."""

    statements: list[Said] = Field(min_length=1, max_length=MAX_STATEMENTS)
    corrects: str = Field("", pattern="^([0-9a-f]{64})?$", description="The record whose place they take.")


class PositiveTest(Body):
    """A positive test of a person."""

    at: Time
    ct: Ct = ""
    sample: str = Field("", max_length=MAX_NAME)


@router.get("/{case}/interviews")
def list_interviews(request: Request, caller: CaseWorker, case: Named) -> Response:
    """List what people said in a case, and what of it cannot be true."""
    return json_answer(told_of(request, case))


@router.post("/{case}/interviews", status_code=201, openapi_extra=described(Interviewing))
def add_interviews(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Make records of what people said, all or none; what the case holds already changes nothing."""
    asked = parsed(Interviewing, raw)
    statements = [_statement(at, one) for at, one in enumerate(asked.statements)]
    return json_answer(record_all(request, caller, case, statements, asked.corrects), 201)


@router.post("/{case}/interviews/{record_hash}/withdraw", openapi_extra=described(Why))
def withdraw_interview(request: Request, caller: CaseWorker, case: Named, record_hash: Hash, raw: JsonBody) -> Response:
    """Take back what somebody said; both records stay."""
    asked = parsed(Why, raw)
    door = door_of(request)
    with door.store.write() as connection:
        found = cases.to_change(connection, case)
        whose = authority_of(request)
        act = act_of(caller)
        done = interviews.withdraw(connection, door.keys, found, act, record_hash, asked.why, submitter=whose)
    return json_answer({"case": found.number, "record_hash": record_hash, "declared_by": done})


@router.post("/{case}/persons/{person}/positive", openapi_extra=described(PositiveTest))
def keep_positive(request: Request, caller: CaseWorker, case: Named, person: PersonNumber, raw: JsonBody) -> Response:
    """Keep that a person is positive: the result, a seed, the end of open test tasks; twice is once."""
    asked = parsed(PositiveTest, raw)
    told: dict[str, Any] = {"at": moment(asked.at, "/at"), "ct": asked.ct, "sample": asked.sample}
    act = act_of(caller)
    with door_of(request).store.write() as connection:
        found = cases.to_change(connection, case)
        seed, is_new, ended = tasks.positive(connection, found, act, person, **told)
    document = {
        "case": found.number,
        "seed": seed_json(seed, found.seeds[seed]),
        "unchanged": not is_new,
        "tasks": [task_documents.task_json(found, one, act.now) for one in ended],
    }
    return json_answer(document)


def record_all(
    request: Request, caller: Caller, case: str, statements: list[Statement], corrects: str = ""
) -> dict[str, Any]:
    """Make records of statements, and say which."""
    door = door_of(request)
    with door.store.write() as connection:
        found = cases.to_change(connection, case)
        whose = authority_of(request)
        act = act_of(caller)
        taken = interviews.record(connection, door.keys, found, act, statements, submitter=whose, corrects=corrects)
    return {"case": found.number, "taken": [one.as_json() for one in taken]}


def told_of(request: Request, case: str) -> dict[str, Any]:
    """Return what people said in a case, and what of it cannot be true."""
    door = door_of(request)
    with door.store.read() as connection:
        found = cases.find(connection, case)
        told = interviews.listed(connection, found)
        size = log.size(connection)
    flags = interviews.flags(door.store, door.keys, found, size) if told else []
    return {"case": found.number, "interviews": told, "impossible": flags}


def authority_of(request: Request) -> str:
    """Return the submitter of the authority's own records."""
    return authority(door_of(request).submitter)


def _statement(number: int, one: Said) -> Statement:
    told = one.model_dump()
    return statement_of(**told, at=lambda name: f"/statements/{number}/{name}")
