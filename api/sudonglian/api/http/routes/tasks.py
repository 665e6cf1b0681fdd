"""Tasks over HTTP: dispatched by who works the case, done by their workers, each of whom sees its own alone.

docs/cases.md; docs/spec/access-log.md rules 11 and 12. How to reach a person is in one answer, and nowhere else.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from sudonglian.api import closing
from sudonglian.api.assigning import follower
from sudonglian.api.caller import Caller
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import CaseWorker, FollowUpWorker
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import MAX_INTEGER, JsonBody, described, door_router, parsed
from sudonglian.api.http.routes.cases import MAX_URI, Body, Ct, Named, Number, Text, Why
from sudonglian.api.parsing import identifier_of, moment
from sudonglian.api.principals import act_of
from sudonglian.records import cases, tasks
from sudonglian.records.case_state import Case
from sudonglian.records.cases import MAX_NAME
from sudonglian.records.task_state import Task
from sudonglian.trace.casework import disclosing, dispatch, goods, task_documents

router = door_router("", "Tasks")

TaskNumber = Annotated[int, Path(ge=1, le=MAX_INTEGER)]
Area = Annotated[str, Field(max_length=MAX_NAME, description="The area of the workers.")]


class TaskMaking(Body):
    """For whom of the line list tasks are made."""

    kind: str = Field("contact", max_length=16, description="contact, test, health-check or advice.")
    tiers: list[Annotated[str, Field(max_length=16)]] = Field([], max_length=16, description="All tiers if empty.")
    persons: list[Number] = Field([], max_length=10_000, description="All of the tiers if empty.")
    place: str = Field("", max_length=MAX_URI, description="Only who was first exposed at this place.")
    area: Area = ""
    advice: Text = ""
    due: str = Field("", max_length=64, description="Until when; by tier if absent.")


class GoodsTaskMaking(Body):
    """About which goods and places tasks are made."""

    kind: str = Field(max_length=16, description="seal, test, disinfect, release or destroy.")
    subjects: list[Annotated[str, Field(max_length=MAX_URI)]] = Field(
        [], max_length=10_000, description="Items, lots and places; all seeds and all that is exposed if empty."
    )
    place: str = Field("", max_length=MAX_URI, description="Only what is at this place, and the place itself.")
    area: Area = ""
    advice: Text = ""
    due: str = Field("", max_length=64, description="Until when; a day if absent.")


class TaskAssigning(Body):
    """Who does which tasks."""

    to: str = Field(max_length=MAX_NAME, description="The account of the worker.")
    tasks: list[Number] = Field([], max_length=10_000)
    area: Area = ""


class FirmTelling(Body):
    """Which firms are told."""

    firm: str = Field("", max_length=MAX_URI, description="All that hold something exposed if empty.")


class TaskClosing(Body):
    """What came of a task."""

    outcome: str = Field(max_length=16)
    note: Text = ""
    ct: Ct = ""
    at: Annotated[str, Field(max_length=64, description="When it was done or sampled; now if absent.")] = ""
    place: str = Field("", max_length=MAX_URI, description="Where it was done to a lot whose place is not known.")


@router.post("/cases/{case}/tasks", status_code=201, openapi_extra=described(TaskMaking))
def make_tasks(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Make tasks in call-first order for whom has none yet."""
    asked = parsed(TaskMaking, raw)
    told: dict[str, Any] = asked.model_dump(include={"kind", "tiers", "persons", "area", "advice"})
    told["place"] = identifier_of(asked.place, "/place") if asked.place else ""
    told["due"] = moment(asked.due, "/due") if asked.due else None
    with door_of(request).store.write() as connection:
        found = cases.to_change(connection, case)
        made = dispatch.make(connection, found, act_of(caller), **told)
    return _all(found, made, 201)


@router.post("/cases/{case}/tasks/goods", status_code=201, openapi_extra=described(GoodsTaskMaking))
def make_goods_tasks(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Make tasks about the seeds, exposed goods and places of a case, in the order of their risk."""
    asked = parsed(GoodsTaskMaking, raw)
    told: dict[str, Any] = asked.model_dump(include={"kind", "area", "advice"})
    told["subjects"] = [identifier_of(one, "/subjects") for one in asked.subjects]
    told["place"] = identifier_of(asked.place, "/place") if asked.place else ""
    told["due"] = moment(asked.due, "/due") if asked.due else None
    with door_of(request).store.write() as connection:
        found = cases.to_change(connection, case)
        made = goods.make(connection, found, act_of(caller), **told)
    return _all(found, made, 201)


@router.get("/cases/{case}/tasks")
def list_tasks(request: Request, caller: CaseWorker, case: Named) -> Response:
    """List a case's tasks: what is overdue or escalated first, then in call-first order."""
    with door_of(request).store.read() as connection:
        found = cases.find(connection, case)
    return json_answer({"case": found.number, "tasks": task_documents.listed(found, datetime.now(UTC))})


@router.get("/cases/{case}/progress")
def show_progress(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Tell how far a case's tasks are, by kind, area and tier."""
    with door_of(request).store.read() as connection:
        return json_answer(task_documents.progress(cases.find(connection, case), datetime.now(UTC)))


@router.get("/cases/{case}/firms")
def list_firms(request: Request, caller: CaseWorker, case: Named) -> Response:
    """List for each firm the exposed stock of which it has the newest record, and nobody."""
    with door_of(request).store.read() as connection:
        found = cases.find(connection, case)
        return json_answer({"case": found.number, "firms": goods.firms(connection, found)})


@router.post("/cases/{case}/firms/tell", openapi_extra=described(FirmTelling))
def tell_firms(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Tell firms, by their own webhooks, the exposed stock that each holds, and nothing else."""
    asked = parsed(FirmTelling, raw)
    with door_of(request).store.write() as connection:
        found = cases.to_change(connection, case)
        told = goods.tell(connection, found, act_of(caller), asked.firm)
    return json_answer({"case": found.number, "told": told})


@router.post("/cases/{case}/tasks/assign", openapi_extra=described(TaskAssigning))
def assign_tasks(request: Request, caller: CaseWorker, case: Named, raw: JsonBody) -> Response:
    """Give tasks to a worker, or an area: all that is open there, and what is made there later."""
    asked = parsed(TaskAssigning, raw)
    with door_of(request).store.write() as connection:
        found = cases.to_change(connection, case)
        to = follower(connection, asked.to)
        given = tasks.assign(connection, found, act_of(caller), to, asked.tasks, area=asked.area)
    return _all(found, given)


@router.post("/cases/{case}/tasks/{task}/close", openapi_extra=described(TaskClosing))
def close_task_of_case(request: Request, caller: CaseWorker, case: Named, task: TaskNumber, raw: JsonBody) -> Response:
    """Close a task of a case, whosoever it is."""
    asked = parsed(TaskClosing, raw)
    act = act_of(caller)
    door = door_of(request)
    with door.store.write() as connection:
        found = cases.to_change(connection, case)
        one = closing.close(connection, door, found, act, task, asked.outcome, **_outcome(asked))
    return json_answer(task_documents.task_json(found, one, act.now))


@router.get("/tasks")
def list_own_tasks(
    request: Request,
    caller: FollowUpWorker,
    area: Annotated[str, Query(max_length=MAX_NAME, description="Only this area's.")] = "",
) -> Response:
    """List the caller's open tasks, what is escalated first, then what is due first."""
    act = act_of(caller)
    with door_of(request).store.read() as connection:
        found = tasks.of_worker(connection, act.by)
    told = [task_documents.worker_json(case, one, act.now) for case, one in found if area in ("", one.area)]
    return json_answer({"tasks": told})


@router.get("/tasks/{task}")
def show_task(request: Request, caller: FollowUpWorker, task: TaskNumber) -> Response:
    """Show the caller a task of its own."""
    act = act_of(caller)
    with door_of(request).store.read() as connection:
        return json_answer(task_documents.worker_json(*tasks.of(connection, task, by=act.by), act.now))


@router.post("/tasks/{task}/reach")
def reach_person(request: Request, caller: FollowUpWorker, task: TaskNumber) -> Response:
    """Show the worker the name and telephone of the task's person, after an entry about the look is on disk."""
    door, act = door_of(request), act_of(caller)
    shown = disclosing.reach(door.store, door.keys, task, act)
    door.metrics.count("sudonglian_reveals_total")
    return json_answer(task_documents.worker_json(shown.case, shown.task, act.now) | {"reach": shown.reach})


@router.post("/tasks/{task}/escalate", openapi_extra=described(Why))
def escalate_task(request: Request, caller: FollowUpWorker, task: TaskNumber, raw: JsonBody) -> Response:
    """Say that a task needs more than its worker."""
    asked = parsed(Why, raw)
    return _own(request, caller, task, lambda at, case, act: tasks.escalate(at, case, act, task, asked.why))


@router.post("/tasks/{task}/hand-back", openapi_extra=described(Why))
def hand_task_back(request: Request, caller: FollowUpWorker, task: TaskNumber, raw: JsonBody) -> Response:
    """Give a task back, for somebody else."""
    asked = parsed(Why, raw)
    return _own(request, caller, task, lambda at, case, act: tasks.hand_back(at, case, act, task, asked.why))


@router.post("/tasks/{task}/close", openapi_extra=described(TaskClosing))
def close_task(request: Request, caller: FollowUpWorker, task: TaskNumber, raw: JsonBody) -> Response:
    """Close a task of one's own with what came of it; a person's status follows, and of goods a record."""
    asked, door = parsed(TaskClosing, raw), door_of(request)
    told = _outcome(asked)
    return _own(
        request,
        caller,
        task,
        lambda at, case, act: closing.close(at, door, case, act, task, asked.outcome, **told),
    )


def _outcome(asked: TaskClosing) -> dict[str, Any]:
    at = moment(asked.at, "/at") if asked.at else None
    place = identifier_of(asked.place, "/place") if asked.place else ""
    return {"note": asked.note, "ct": asked.ct, "at": at, "place": place}


def _own(request: Request, caller: Caller, task: int, do: Callable[..., Task]) -> Response:
    act = act_of(caller)
    with door_of(request).store.write() as connection:
        case, _ = tasks.to_change(connection, task, by=act.by)
        one = do(connection, case, act)
    return json_answer(task_documents.worker_json(case, one, act.now))


def _all(case: Case, found: list[Task], status: int = 200) -> Response:
    now = datetime.now(UTC)
    told = [task_documents.task_json(case, one, now) for one in found]
    return json_answer({"case": case.number, "tasks": told}, status)
