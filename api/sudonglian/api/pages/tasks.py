"""The pages of tasks: a worker's own, whom to call first on top; and all of a case, made and given out.

docs/cases.md; the answers are those of the API. How to reach a person is on one page, and on no other.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from sudonglian.api import closing
from sudonglian.api.assigning import follower
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.door import Door, door_of
from sudonglian.api.http.parameters import MAX_INTEGER, declared_only
from sudonglian.api.pages.cases import Named, local_time
from sudonglian.api.pages.forms import Form, SmallForm
from sudonglian.api.pages.language import lang_of, named_language
from sudonglian.api.pages.lists import table
from sudonglian.api.pages.naming import Names
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import HEADERS, SEE_OTHER, link, page
from sudonglian.api.pages.session import CaseWorker, FollowUpWorker
from sudonglian.api.parsing import identifier_of
from sudonglian.api.principals import act_of
from sudonglian.api.scopes import Scope, scopes_of
from sudonglian.records import accounts, cases, tasks
from sudonglian.records.case_state import Case
from sudonglian.records.cases import MAX_NAME, MAX_TEXT, Act
from sudonglian.records.master_data import names_of
from sudonglian.records.task_state import OF_GOODS, OF_PERSONS, PERSON, RECORDED, VOID, outcomes
from sudonglian.trace.casework import disclosing, dispatch, goods, task_documents

ON_PAGE: Final = 200
"""Rows on a page; the table to download has all."""

OWN: Final = (
    "task",
    "order",
    "kind",
    "subject_kind",
    "subject",
    "place",
    "tier",
    "area",
    "due",
    "overdue",
    "escalated",
)
OF_A_CASE: Final = (*OWN, "assignee", "state", "outcome", "closed")

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Number = Annotated[int, Path(ge=1, le=MAX_INTEGER)]


@router.get("/todo.json")
def own_json(request: Request, caller: FollowUpWorker) -> Response:
    """Give the caller's open tasks as the API does."""
    return json_answer({"tasks": _own(request, act_of(caller))})


@router.get("/todo.csv")
def own_csv(request: Request, caller: FollowUpWorker) -> Response:
    """Give the caller's open tasks as a table."""
    return table("tasks", OWN, _own(request, act_of(caller)))


@router.get("/todo")
def own(request: Request, caller: FollowUpWorker) -> Response:
    """Show the caller's open tasks: what is escalated, then what is due first."""
    found = _own(request, act_of(caller))
    values = {"tasks": found[:ON_PAGE], "all": len(found), "names": _names(request, found)}
    return page(request, "todo.html", caller, values, json_url=link(request, "/todo.json"))


@router.get("/todo/{task}.json")
def task_json(request: Request, caller: FollowUpWorker, task: Number) -> Response:
    """Give a task of the caller's own."""
    return json_answer(_one(request, task, act_of(caller)))


@router.get("/todo/{task}")
def task_page(request: Request, caller: FollowUpWorker, task: Number) -> Response:
    """Show a task of the caller's own, and what can be done with it."""
    one = _one(request, task, act_of(caller))
    return page(request, "task.html", caller, _shown(request, one), json_url=link(request, f"/todo/{task}.json"))


@router.post("/todo/{task}/reach")
def reach(request: Request, caller: FollowUpWorker, task: Number, form: SmallForm) -> Response:
    """Show the worker the name and telephone of the task's person; the page is the answer, and no address leads to it."""
    door, act = door_of(request), act_of(caller)
    shown = disclosing.reach(door.store, door.keys, task, act)
    door.metrics.count("sudonglian_reveals_total")
    one = task_documents.worker_json(shown.case, shown.task, act.now)
    return page(request, "task.html", caller, _shown(request, one) | {"reach": shown.reach})


@router.post("/todo/{task}/{what}")
def change_own(request: Request, caller: FollowUpWorker, task: Number, what: str, form: SmallForm) -> Response:
    """Close a task of one's own, give it back, or say that it needs more."""
    door, act = door_of(request), act_of(caller)
    with door.store.write() as connection:
        case, _ = tasks.to_change(connection, task, by=act.by)
        match what:
            case "close":
                _close(connection, door, case, act, task, form)
            case "hand-back":
                tasks.hand_back(connection, case, act, task, form.field("why"))
            case "escalate":
                tasks.escalate(connection, case, act, task, form.field("why"))
            case _:
                raise UsageRefused("this page has no such form", place="form")
    return _to(request, "/todo")


@router.get("/board/{case}/tasks.json")
def case_tasks_json(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Give a case's tasks and how far they are."""
    found = _case(request, case)
    return json_answer(_of_case(found))


@router.get("/board/{case}/tasks.csv")
def case_tasks_csv(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Give a case's tasks as a table."""
    return table("tasks", OF_A_CASE, _of_case(_case(request, case))["tasks"])


@router.get("/board/{case}/firms.csv")
def firms_csv(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Give for each firm the exposed stock that it holds, and nobody."""
    with door_of(request).store.read() as connection:
        body = goods.encode(goods.firms(connection, cases.find(connection, case)))
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="firms.csv"'}
    return Response(body, 200, headers, "text/csv; charset=utf-8")


@router.get("/board/{case}/tasks")
def case_tasks(
    request: Request, caller: CaseWorker, case: Named, area: Annotated[str, Query(max_length=MAX_NAME)] = ""
) -> Response:
    """Show a case's tasks, late ones on top, how far they are, and make, assign and close some."""
    found = _case(request, case)
    told = _of_case(found)
    rows = [one for one in told["tasks"] if area in ("", one["area"])]
    with door_of(request).store.read() as connection:
        workers = [
            one for one in accounts.listed(connection)
            if one.is_live(datetime.now(UTC)) and Scope.follow_up in scopes_of(one.roles)
        ]  # fmt: skip
        firms = goods.firms(connection, found) if found.runs or found.seeds else {}
    values = {
        "name": found.name,
        "case": found.number,
        "state": found.standing,
        "progress": told["progress"],
        "tasks": rows[:ON_PAGE],
        "all": len(rows),
        "names": _names(request, rows),
        "area": area,
        "workers": workers,
        "called": {f"account:{one.id}": one.display_name for one in workers},
        "of_persons": list(OF_PERSONS),
        "of_goods": list(OF_GOODS),
        "tiers": dispatch.TIERS,
        "firms": firms,
        "max_name": MAX_NAME,
        "max_text": MAX_TEXT,
        "areas": sorted({one["area"] for one in told["tasks"] if one["area"]}),
        "outcomes": sorted({VOID, *(it for one in (OF_PERSONS, OF_GOODS) for its in one.values() for it in its)}),
    }
    return page(request, "case_tasks.html", caller, values, json_url=link(request, f"/board/{found.number}/tasks.json"))


@router.post("/board/{case}/tasks/{what}")
def change_tasks(request: Request, caller: CaseWorker, case: Named, what: str, form: SmallForm) -> Response:
    """Make, assign or close tasks of a case, or tell firms."""
    do = CHANGES.get(what)
    if do is None:
        raise UsageRefused("this page has no such form", place="form")
    door, act = door_of(request), act_of(caller)
    with door.store.write() as connection:
        found = cases.to_change(connection, case)
        do(connection, door, found, act, form)
    return _to(request, f"/board/{found.number}/tasks")


def _make(connection: Connection, door: Door, case: Case, act: Act, form: Form) -> None:
    tier = form.field("tier")
    told: dict[str, Any] = {"kind": form.field("kind"), "tiers": [tier] if tier else []}
    dispatch.make(connection, case, act, **told, **_terms(form))


def _make_goods(connection: Connection, door: Door, case: Case, act: Act, form: Form) -> None:
    subjects = [identifier_of(one, "subjects") for one in form.field("subjects").split()]
    goods.make(connection, case, act, kind=form.field("kind"), subjects=subjects, **_terms(form))


def _assign(connection: Connection, door: Door, case: Case, act: Act, form: Form) -> None:
    numbers = [_number(one) for one in form.field("tasks").replace(",", " ").split()]
    tasks.assign(connection, case, act, follower(connection, form.field("to")), numbers, area=form.field("area"))


def _close_one(connection: Connection, door: Door, case: Case, act: Act, form: Form) -> None:
    _close(connection, door, case, act, _number(form.field("task")), form)


def _tell(connection: Connection, door: Door, case: Case, act: Act, form: Form) -> None:
    goods.tell(connection, case, act, form.field("firm"))


CHANGES: Final[dict[str, Callable[[Connection, Door, Case, Act, Form], None]]] = {
    "make": _make,
    "goods": _make_goods,
    "assign": _assign,
    "close": _close_one,
    "tell": _tell,
}


def _close(connection: Connection, door: Door, case: Case, act: Act, number: int, form: Form) -> None:
    at, place = form.field("at"), form.field("place")
    closing.close(
        connection,
        door,
        case,
        act,
        number,
        form.field("outcome"),
        note=form.field("note"),
        ct=form.field("ct"),
        at=local_time(at) if at else None,
        place=identifier_of(place, "place") if place else "",
    )


def _terms(form: Form) -> dict[str, Any]:
    due = form.field("due")
    return {"area": form.field("area"), "advice": form.field("advice"), "due": local_time(due) if due else None}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise UsageRefused("not the number of a task", place="task", zh="不是任务号")
    return int(text)


def _own(request: Request, act: Act) -> list[dict[str, Any]]:
    with door_of(request).store.read() as connection:
        found = tasks.of_worker(connection, act.by)
    return [task_documents.worker_json(case, one, act.now) for case, one in found]


def _one(request: Request, task: int, act: Act) -> dict[str, Any]:
    with door_of(request).store.read() as connection:
        return task_documents.worker_json(*tasks.of(connection, task, by=act.by), act.now)


def _shown(request: Request, one: dict[str, Any]) -> dict[str, Any]:
    ends = [*outcomes(one["kind"], one["subject_kind"]), VOID]
    is_recorded = one["subject_kind"] != PERSON and one["kind"] in RECORDED
    told = {"task": one, "names": _names(request, [one]), "outcomes": ends, "reach": None, "max_text": MAX_TEXT}
    return told | {"is_recorded": is_recorded, "knows_authority": door_of(request).submitter is not None}


def _names(request: Request, rows: list[dict[str, Any]]) -> Names:
    wanted = {one[name] for one in rows for name in ("subject", "place") if one[name] and one["subject_kind"] != PERSON}
    with door_of(request).store.read() as connection:
        return Names(lang_of(request), names_of(connection, wanted))


def _case(request: Request, case: str) -> Case:
    with door_of(request).store.read() as connection:
        return cases.find(connection, case)


def _of_case(case: Case) -> dict[str, Any]:
    now = datetime.now(UTC)
    listed = task_documents.listed(case, now)
    return {"case": case.number, "progress": task_documents.progress(case, now), "tasks": listed}


def _to(request: Request, path: str) -> Response:
    return RedirectResponse(link(request, path), SEE_OTHER, HEADERS)
