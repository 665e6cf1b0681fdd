"""The pages of cases: the board, a case with its timeline and line list by number, reveals asked for, decided and shown.

docs/cases.md; the answers are those of the API. An identity is on one page, once, and on no other.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from sudonglian.api.commands.reveals import shown_json
from sudonglian.api.errors import UsageRefused
from sudonglian.api.exporting import tell
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import MAX_INTEGER, declared_only
from sudonglian.api.http.routes.exports import file_answer
from sudonglian.api.http.routes.interviews import authority_of, record_all, told_of
from sudonglian.api.http.routes.reveals import to_approve
from sudonglian.api.interviewing import statement_of
from sudonglian.api.pages import rendering
from sudonglian.api.pages.forms import Form, SmallForm
from sudonglian.api.pages.language import lang_of, named_language
from sudonglian.api.pages.naming import Names
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import SEE_OTHER, link, page
from sudonglian.api.pages.session import Approver, CaseWorker
from sudonglian.api.parsing import PERSON, moment, seed_of
from sudonglian.api.principals import act_of
from sudonglian.records import cases, reveals, tasks
from sudonglian.records.case_state import Case
from sudonglian.records.cases import CALLED, MAX_NAME, MAX_TEXT, RESULTS, Act
from sudonglian.records.epcis.interview import BY, CERTAINTIES, CONTACTS
from sudonglian.records.master_data import names_of
from sudonglian.trace.casework import case_documents, case_list, disclosing, interviews
from sudonglian.trace.casework.exports import making
from sudonglian.trace.casework.seeding import kind_of

ON_PAGE: Final = 200
"""Rows of a line list on a page; the table to download has all."""

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Named = Annotated[str, Path(max_length=MAX_NAME)]
Reveal = Annotated[int, Path(ge=1, le=MAX_INTEGER)]
FormName = Annotated[str, Path(max_length=32)]


@router.get("/board.json")
def board_json(request: Request, caller: CaseWorker) -> Response:
    """Give every case as the API does."""
    return json_answer({"cases": _listed(request)})


@router.get("/board")
def board(request: Request, caller: CaseWorker) -> Response:
    """Show every case with its clock, and open one."""
    values = {"cases": _listed(request), "max_name": MAX_NAME, "max_text": MAX_TEXT}
    return page(request, "board.html", caller, values, json_url=link(request, "/board.json"))


@router.post("/board")
def open_case(request: Request, caller: CaseWorker, form: SmallForm) -> Response:
    """Open a case."""
    told = {name: form.field(name) for name in ("name", "purpose", "basis", "responsible")}
    with door_of(request).store.write() as connection:
        case = cases.open_case(connection, act_of(caller), **told)
    return _to(request, f"/board/{case.number}")


@router.get("/board/{case}.json")
def case_json(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Give a case with its timeline and line list."""
    told = _told(request, case)
    del told["counts"]
    return json_answer(told)


@router.get("/board/{case}.csv")
def case_csv(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Give the line list by number as a table."""
    with door_of(request).store.read() as connection:
        body = case_list.encode(case_list.rows(connection, cases.find(connection, case)))
    headers = {**rendering.HEADERS, "Content-Disposition": 'attachment; filename="members.csv"'}
    return Response(body, 200, headers, "text/csv; charset=utf-8")


@router.get("/board/{case}")
def case_page(request: Request, caller: CaseWorker, case: Named) -> Response:
    """Show a case: what for, clock, seeds, runs, line list by number, reveals, timeline."""
    told = _told(request, case)
    with door_of(request).store.read() as connection:
        called = names_of(connection, {one["place"] for one in (*told["rows"][:ON_PAGE], *told["said"])})
    values = told | {
        "on_page": ON_PAGE,
        "names": Names(lang_of(request), called),
        "statuses": CALLED,
        "results": RESULTS,
        "words": {"by": BY, "certainty": CERTAINTIES, "contact": ("", *CONTACTS)},
        "max_text": MAX_TEXT,
        "principal": act_of(caller).by,
        "forms": making.FORMS,
    }
    return page(request, "case.html", caller, values, json_url=link(request, f"/board/{told['case']}.json"))


@router.get("/board/{case}/exports/{form}")
def export_case(request: Request, caller: CaseWorker, case: Named, form: FormName) -> Response:
    """Give an export of a case, persons by pseudonym."""
    door = door_of(request)
    k, url = door.smallest_count, str(request.base_url)
    made = making.export(door.store, door.keys, case, act_of(caller), form, lang_of(request), tell, k=k, url=url)
    return file_answer(made, rendering.HEADERS)


@router.post("/board/{case}/exports/{form}/{reveal}")
def export_identities(
    request: Request, caller: CaseWorker, case: Named, form: FormName, reveal: Reveal, sent: SmallForm
) -> Response:
    """Give who asked a line list with identities, once."""
    door, act = door_of(request), act_of(caller)
    made = making.export_identities(door.store, door.keys, case, act, form, lang_of(request), tell, reveal)
    door.metrics.count("sudonglian_reveals_total", len(made.case.members))
    return file_answer(made, rendering.HEADERS)


@router.post("/board/{case}/interview")
def add_interview(request: Request, caller: CaseWorker, case: Named, form: SmallForm) -> Response:
    """Make a record of what somebody said."""
    begin, end = (
        [_clock(form.field(name)) for name in names if form.field(name)]
        for names in (("begin", "begin_to"), ("end", "end_to"))
    )
    one = statement_of(
        persons=[form.field("person"), *(who for who in form.field("with").split(";") if who.strip())],
        told=_clock(form.field("told")),
        begin=begin,
        end=end,
        place=form.field("place"),
        goods=[one for one in form.field("goods").split() if one],
        contact=form.field("contact"),
        by=form.field("by"),
        certainty=form.field("certainty"),
    )
    return _to(request, f"/board/{record_all(request, caller, case, [one])['case']}")


@router.post("/board/{case}/{what}")
def change_case(request: Request, caller: CaseWorker, case: Named, what: str, form: SmallForm) -> Response:
    """Do something in a case."""
    do = partial(_withdraw, request) if what == "withdraw" else CHANGES.get(what)
    if do is None:
        raise UsageRefused("this page has no such form", place="form")
    act = act_of(caller)
    with door_of(request).store.write() as connection:
        if what == "reopen":
            found = cases.reopen(connection, case, act, form.field("why"))
        else:
            found = cases.to_change(connection, case)
            do(connection, found, act, form)
    return _to(request, f"/board/{found.number}")


@router.post("/board/{case}/show/{reveal}")
def show_identities(request: Request, caller: CaseWorker, case: Named, reveal: Reveal, form: SmallForm) -> Response:
    """Show who asked the identities, once; the page is the answer, and no address leads to it again."""
    door = door_of(request)
    shown = disclosing.release(door.store, door.keys, reveal, act_of(caller))
    door.metrics.count("sudonglian_reveals_total", len(shown.reveal.persons))
    return page(request, "revealed.html", caller, {"shown": shown_json(shown), "number": shown.case.number})


@router.get("/approve.json")
def approvals_json(request: Request, caller: Approver) -> Response:
    """Give what waits for an approval."""
    return json_answer({"reveals": _waiting(request)})


@router.get("/approve")
def approvals(request: Request, caller: Approver) -> Response:
    """Show what waits for an approval."""
    values = {"reveals": _waiting(request), "principal": act_of(caller).by, "max_text": MAX_TEXT}
    return page(request, "approve.html", caller, values, json_url=link(request, "/approve.json"))


@router.post("/approve/{reveal}")
def decide(request: Request, caller: Approver, reveal: Reveal, form: SmallForm) -> Response:
    """Approve or refuse a reveal."""
    with door_of(request).store.write() as connection:
        if form.field("decision") == "approve":
            reveals.approve(connection, reveal, act_of(caller))
        else:
            reveals.refuse(connection, reveal, act_of(caller), form.field("why"))
    return _to(request, "/approve")


def _seed(connection: Connection, case: Case, act: Act, form: Form) -> None:
    subject = seed_of(form.field("subject"), "subject")
    told = {name: form.field(name) for name in ("result", "ct", "sample")}
    named = {"kind": kind_of(subject), "subject": subject.removeprefix(PERSON)}
    cases.add_seed(connection, case, act, at=local_time(form.field("at")), **named, **told)


def _result(connection: Connection, case: Case, act: Act, form: Form) -> None:
    subject = seed_of(form.field("subject"), "subject")
    told = {name: form.field(name) for name in ("result", "ct", "sample")}
    is_person = subject.startswith(PERSON)
    named = {"subject": subject.removeprefix(PERSON)}
    cases.add_result(connection, case, act, is_person=is_person, at=local_time(form.field("at")), **named, **told)


def _positive(connection: Connection, case: Case, act: Act, form: Form) -> None:
    told = {name: form.field(name) for name in ("ct", "sample")}
    tasks.positive(
        connection, case, act, cases.person_of(form.field("person")), at=local_time(form.field("at")), **told
    )


def _withdraw(request: Request, connection: Connection, case: Case, act: Act, form: Form) -> None:
    record, why = form.field("record"), form.field("why")
    keys, whose = door_of(request).keys, authority_of(request)
    interviews.withdraw(connection, keys, case, act, record, why, submitter=whose)


def _status(connection: Connection, case: Case, act: Act, form: Form) -> None:
    cases.set_status(connection, case, act, cases.person_of(form.field("person")), form.field("status"))


def _ask(connection: Connection, case: Case, act: Act, form: Form) -> None:
    reveals.ask(connection, case, act, form.field("why"))


def _merge(connection: Connection, case: Case, act: Act, form: Form) -> None:
    cases.merge(connection, case, cases.find(connection, form.field("other")), act, form.field("why"))


def _close(connection: Connection, case: Case, act: Act, form: Form) -> None:
    cases.close(connection, case, act, form.field("why"))


CHANGES: Final = {
    "seed": _seed,
    "result": _result,
    "positive": _positive,
    "status": _status,
    "reveal": _ask,
    "merge": _merge,
    "close": _close,
    "reopen": _close,
}
"""The forms of a case; `reopen` alone begins from a closed one."""


def local_time(text: str) -> datetime:
    """Return a time as a form gives it."""
    return moment(_clock(text), "at")


def _clock(text: str) -> str:
    # A browser's local time names no offset: the pages speak China's.
    return f"{text}:00+08:00" if len(text) == len("2024-11-10T14:00") else text


def _listed(request: Request) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    with door_of(request).store.read() as connection:
        found = [cases.find(connection, row["id"]) for row in cases.listed(connection)]
    return [case_documents.case_json(one, now) for one in found]


def _told(request: Request, case: str) -> dict[str, Any]:
    door = door_of(request)
    with door.store.read() as connection:
        found = cases.find(connection, case)
        rows = case_list.rows(connection, found)
    counts = case_list.counts(rows, door.smallest_count)
    told = case_documents.case_json(found, datetime.now(UTC))
    said = told_of(request, case)
    beside = {"said": said["interviews"], "impossible": said["impossible"]}
    return {**told, **beside, "rows": rows, "timeline": case_documents.timeline(found), "counts": counts}


def _waiting(request: Request) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    with door_of(request).store.read() as connection:
        found = [cases.find(connection, row["id"]) for row in cases.listed(connection) if row["state"] == "open"]
    told = [to_approve(case, one, now) for case in found for one in case.reveals.values()]
    return [one for one in told if one["state"] == "asked"]


def _to(request: Request, path: str) -> Response:
    return RedirectResponse(link(request, path), SEE_OTHER, rendering.HEADERS)
