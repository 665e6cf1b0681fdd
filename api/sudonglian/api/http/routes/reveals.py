"""Reveals over HTTP: asked for and seen by one person, decided by another.

docs/cases.md; docs/spec/access-log.md rules 2 and 3. What is released is in the answer, and nowhere else.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection

from sudonglian.api.commands.reveals import shown_json
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Approver, CaseWorker
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import MAX_INTEGER, JsonBody, described, door_router, parsed
from sudonglian.api.http.routes.cases import Named, Number, Why
from sudonglian.api.principals import act_of
from sudonglian.records import cases, reveals
from sudonglian.records.case_state import Case, Reveal
from sudonglian.records.reveals import RevealUnknown
from sudonglian.trace.casework import disclosing
from sudonglian.trace.casework.case_documents import reveal_json

router = door_router("", "Reveals")

RevealNumber = Annotated[int, Path(ge=1, le=MAX_INTEGER)]


class RevealAsking(Why):
    """Whose identities are wanted, and why."""

    persons: list[Number] = Field([], max_length=10_000, description="All on the line list if empty.")
    for_tasks: bool = Field(False, description="Also for follow-up workers: each how to reach the person of a task.")


@router.post("/cases/{case}/reveals", status_code=201, openapi_extra=described(RevealAsking))
def ask_reveal(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Ask for the identities of a case's line list as it is now."""
    asked = parsed(RevealAsking, raw)
    with door_of(request).store.write() as connection:
        found = cases.to_change(connection, case)
        made = reveals.ask(connection, found, act_of(caller), asked.why, asked.persons, for_tasks=asked.for_tasks)
    location = f"/cases/{found.number}/reveals/{made.number}"
    return json_answer(_told(found, made), 201, {"Location": location})


@router.get("/cases/{case}/reveals/{reveal}")
def show_reveal(request: Request, caller: CaseWorker, case: Named, reveal: RevealNumber) -> Response:
    """Show how a reveal stands."""
    with door_of(request).store.read() as connection:
        return json_answer(_told(*_of(connection, case, reveal)))


@router.post("/cases/{case}/reveals/{reveal}/release")
def release_reveal(request: Request, caller: CaseWorker, case: Named, reveal: RevealNumber) -> Response:
    """Show who asked the identities, once, after an entry about each person is on disk."""
    door = door_of(request)
    with door.store.read() as connection:
        _of(connection, case, reveal)
    shown = disclosing.release(door.store, door.keys, reveal, act_of(caller))
    door.metrics.count("sudonglian_reveals_total", len(shown.reveal.persons))
    return json_answer(shown_json(shown))


@router.post("/cases/{case}/reveals/{reveal}/withdraw", openapi_extra=described(Why))
def withdraw_reveal(request: Request, caller: CaseWorker, case: Named, reveal: RevealNumber, raw: JsonBody) -> Response:
    """Take one's own reveal back."""
    asked = parsed(Why, raw)
    act = act_of(caller)
    with door_of(request).store.write() as connection:
        _, own = _of(connection, case, reveal)
        if own.asked_by != act.by:
            raise reveals.OwnReveal("another person asked for this", place="reveal")
        return json_answer(_told(*reveals.refuse(connection, reveal, act, asked.why)))


@router.get("/reveals")
def list_reveals(request: Request, caller: Approver) -> Response:
    """List what waits for an approval, with what an approver needs to know."""
    now = datetime.now(UTC)
    with door_of(request).store.read() as connection:
        found = [
            to_approve(one, reveal, now)
            for row in cases.listed(connection)
            if row["state"] == "open"
            for one in [cases.find(connection, row["id"])]
            for reveal in one.reveals.values()
        ]
    return json_answer({"reveals": [one for one in found if one["state"] == "asked"]})


@router.get("/reveals/{reveal}")
def show_to_approver(request: Request, caller: Approver, reveal: RevealNumber) -> Response:
    """Show what an approver needs to know of a reveal: of which case, by whom, what for, how many of which tier."""
    with door_of(request).store.read() as connection:
        return json_answer(to_approve(*reveals.find(connection, reveal), datetime.now(UTC)))


@router.post("/reveals/{reveal}/approve")
def approve_reveal(request: Request, caller: Approver, reveal: RevealNumber) -> Response:
    """Approve a reveal, as another person than who asked."""
    with door_of(request).store.write() as connection:
        found = reveals.approve(connection, reveal, act_of(caller))
    return json_answer(to_approve(*found, datetime.now(UTC)))


@router.post("/reveals/{reveal}/refuse", openapi_extra=described(Why))
def refuse_reveal(request: Request, caller: Approver, reveal: RevealNumber, raw: JsonBody) -> Response:
    """Refuse a reveal."""
    asked = parsed(Why, raw)
    with door_of(request).store.write() as connection:
        found = reveals.refuse(connection, reveal, act_of(caller), asked.why)
    return json_answer(to_approve(*found, datetime.now(UTC)))


def to_approve(case: Case, reveal: Reveal, now: datetime) -> dict[str, Any]:
    """Return what an approver needs to know."""
    told = reveal_json(case, reveal, now)
    tiers = Counter(case.members[one].tier for one in reveal.persons if one in case.members)
    del told["persons"]
    about = {"name": case.name, "purpose": case.purpose, "basis": case.basis, "responsible": case.responsible}
    return {**told, **about, "count": len(reveal.persons), "tiers": dict(sorted(tiers.items()))}


def _told(case: Case, reveal: Reveal) -> dict[str, Any]:
    return reveal_json(case, reveal, datetime.now(UTC))


def _of(connection: Connection, case: str, reveal: int) -> tuple[Case, Reveal]:
    """Return a reveal of a case that is named with it."""
    found = cases.find(connection, case)
    if reveal not in found.reveals:
        raise RevealUnknown(f"case {found.number} has no reveal {reveal}", place="reveal")
    return found, found.reveals[reveal]
