"""Commands of tasks: made in call-first order, assigned, escalated, handed back, closed; whose they are sees how to call.

docs/cases.md; docs/spec/access-log.md rules 11 and 12; docs/decisions/0820 and 0821.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from sudonglian.api.assigning import follower
from sudonglian.api.commands.reveals import KeyFile, Reason, token_in
from sudonglian.api.console import DONE, Console, check_writable, write_file
from sudonglian.api.parsing import identifier_of, moment
from sudonglian.api.principals import here
from sudonglian.api.scopes import Scope
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.wiring import House, open_house
from sudonglian.records import cases, tasks
from sudonglian.records.case_state import Case
from sudonglian.records.cases import Act
from sudonglian.records.task_state import Task
from sudonglian.trace.casework import disclosing, dispatch, task_documents
from sudonglian.trace.casework import goods as dispatching_goods

Named = Annotated[str, typer.Argument(metavar="CASE", help="The case, by its number or name.")]
Number = Annotated[int, typer.Argument(metavar="TASK", min=1, help="The task's number.")]
Area = Annotated[str, typer.Option(metavar="AREA", help="The area of the workers: 和平区南市街.")]
WorkerKey = Annotated[str, typer.Option(metavar="FILE", help="A file with the API key of the task's worker.")]

app = typer.Typer(help="Who calls whom, by when, and what came of it.", rich_markup_mode=None)


@app.command()
def make(
    context: typer.Context,
    case: Named,
    kind: Annotated[str, typer.Option(metavar="KIND", help="contact, test, health-check or advice.")] = "contact",
    tier: Annotated[
        list[str] | None, typer.Option(metavar="TIER", help="Everybody of this tier; several; all tiers if absent.")
    ] = None,
    person: Annotated[list[int] | None, typer.Option(min=1, metavar="N", help="A person's number; several.")] = None,
    place: Annotated[str, typer.Option(metavar="PLACE", help="Only who was first exposed at this place.")] = "",
    area: Area = "",
    advice: Annotated[str, typer.Option(metavar="TEXT", help="What to tell them; name nobody in it.")] = "",
    due: Annotated[
        str, typer.Option(metavar="TIME", help="Until when; a day for close and high, two for secondary, else three.")
    ] = "",
    key_file: KeyFile = "",
) -> int:
    """Make a task for everybody of the line list who has none yet, in the order in which they are to be called."""
    console: Console = context.obj
    told: dict[str, Any] = {
        "kind": kind,
        "tiers": tier or (),
        "persons": person or (),
        **_terms(place, area, advice, due),
    }
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            made = dispatch.make(connection, found, act, **told)
    return _emit_all(console, found, made)


@app.command()
def goods(
    context: typer.Context,
    case: Named,
    kind: Annotated[str, typer.Option(metavar="KIND", help="seal, test, disinfect, release or destroy.")],
    subject: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="An item, lot or place; several; all exposed if absent.")
    ] = None,
    place: Annotated[str, typer.Option(metavar="PLACE", help="Only what is at this place, and the place itself.")] = "",
    area: Area = "",
    advice: Annotated[str, typer.Option(metavar="TEXT", help="What to tell them; name nobody in it.")] = "",
    due: Annotated[str, typer.Option(metavar="TIME", help="Until when; a day if absent.")] = "",
    key_file: KeyFile = "",
) -> int:
    """Make tasks about the seeds, exposed goods and places of a case, in the order of their risk."""
    console: Console = context.obj
    told: dict[str, Any] = {
        "kind": kind,
        "subjects": [identifier_of(one, "--subject") for one in subject or ()],
        **_terms(place, area, advice, due),
    }
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            made = dispatching_goods.make(connection, found, act, **told)
    return _emit_all(console, found, made)


@app.command()
def firms(
    context: typer.Context,
    case: Named,
    firm: Annotated[str, typer.Option(metavar="URI", help="Only this firm's.")] = "",
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the lists as CSV.")] = None,
) -> int:
    """List for each firm the exposed stock that it holds: lots, items and where, and no person."""
    console: Console = context.obj
    if csv is not None:
        check_writable(csv)
    with open_house(console, create=False) as house, house.store.read() as connection:
        found = cases.find(connection, case)
        told = {name: rows for name, rows in dispatching_goods.firms(connection, found).items() if firm in ("", name)}
    if csv is not None:
        write_file(csv, dispatching_goods.encode(told))
    lines = [f"{name}  {'  '.join(one.values())}" for name, rows in told.items() for one in rows]
    console.emit({"case": found.number, "firms": told}, lines)
    return DONE


@app.command()
def tell(
    context: typer.Context,
    case: Named,
    firm: Annotated[str, typer.Option(metavar="URI", help="Only this firm.")] = "",
    key_file: KeyFile = "",
) -> int:
    """Tell firms, by their own webhooks, the exposed stock that each holds: lots, items and where, and nothing else."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            told = dispatching_goods.tell(connection, found, act, firm)
    lines = [
        f"{one['firm']}  " + console.text("{listed} listed, {webhooks} webhooks", **one)
        if one["webhooks"]
        else f"{one['firm']}  " + console.text("{listed} listed; it has no webhook: send it the list", **one)
        for one in told
    ]
    console.emit({"case": found.number, "told": told}, lines)
    return DONE


@app.command("list")
def list_(
    context: typer.Context,
    case: Named,
    area: Area = "",
    is_open: Annotated[bool, typer.Option("--open", help="Only what is still to be done.")] = False,
) -> int:
    """List a case's tasks: what is overdue or escalated first, then in call-first order."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        found = cases.find(connection, case)
    told = [
        one
        for one in task_documents.listed(found, datetime.now(UTC))
        if area in ("", one["area"]) and not (is_open and one["closed"])
    ]
    console.emit({"case": found.number, "tasks": told}, [_line(console, one) for one in told])
    return DONE


@app.command()
def mine(context: typer.Context, key_file: WorkerKey) -> int:
    """List the open tasks of a worker, those alone that are assigned to whose key it is."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file) or "-", Scope.follow_up)
        with house.store.read() as connection:
            found = tasks.of_worker(connection, act.by)
    told = [task_documents.worker_json(case, one, act.now) for case, one in found]
    console.emit({"tasks": told}, [_line(console, one) for one in told])
    return DONE


@app.command()
def show(
    context: typer.Context,
    number: Number,
    key_file: WorkerKey,
    reach: Annotated[
        bool, typer.Option("--reach", help="Show the person's name and telephone; each look is kept for ever.")
    ] = False,
) -> int:
    """Show a worker a task of its own, or how to reach the person whom it is about."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file) or "-", Scope.follow_up)
        if reach:
            shown = disclosing.reach(house.store, house.keys, number, act)
            told = task_documents.worker_json(shown.case, shown.task, act.now) | {"reach": shown.reach}
        else:
            with house.store.read() as connection:
                told = task_documents.worker_json(*tasks.of(connection, number, by=act.by), act.now)
    lines = [_line(console, told), f"  {told['advice']}"]
    lines += [f"  {one['name']}  {one['contact']}" for one in told.get("reach", ())]
    console.emit(told, lines)
    return DONE


@app.command()
def assign(
    context: typer.Context,
    case: Named,
    to: Annotated[str, typer.Option(metavar="NAME", help="The account of the worker, with the role follow-up.")],
    number: Annotated[list[int] | None, typer.Option("--task", min=1, metavar="N", help="A task; several.")] = None,
    area: Area = "",
    key_file: KeyFile = "",
) -> int:
    """Give tasks to a worker, or an area: all that is open there, and what is made there later."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            given = tasks.assign(connection, found, act, follower(connection, to), number or (), area=area)
    return _emit_all(console, found, given)


@app.command()
def escalate(context: typer.Context, number: Number, reason: Reason, key_file: KeyFile = "") -> int:
    """Say that a task needs more than its worker; what is overdue is so without being said."""
    return _change(context, number, key_file, lambda at, case, act: tasks.escalate(at, case, act, number, reason))


@app.command("hand-back")
def hand_back(context: typer.Context, number: Number, reason: Reason, key_file: KeyFile = "") -> int:
    """Give a task back, for somebody else."""
    return _change(context, number, key_file, lambda at, case, act: tasks.hand_back(at, case, act, number, reason))


@app.command()
def close(
    context: typer.Context,
    number: Number,
    outcome: Annotated[
        str,
        typer.Argument(
            metavar="OUTCOME",
            help="contact: reached, unreachable, refused; test: positive, negative, inconclusive; health-check: well,"
            " symptoms, unreachable; advice: advised, unreachable, refused; of goods: sealed, disinfected, released,"
            " destroyed, gone, or a test's; any: void.",
        ),
    ],
    note: Annotated[str, typer.Option(metavar="TEXT", help="A note; name nobody in it.")] = "",
    ct: Annotated[str, typer.Option(metavar="CT", help="The test's Ct value: 31.5.")] = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="When it was done; now if absent.")] = "",
    place: Annotated[
        str, typer.Option(metavar="PLACE", help="Where it was done to a lot whose place is not known.")
    ] = "",
    submitter: Annotated[
        str, typer.Option(metavar="URI", help="Whose record of goods it is: the authority's; SUDONGLIAN_SUBMITTER.")
    ] = "",
    key_file: KeyFile = "",
) -> int:
    """Close a task with what came of it; a person's status follows; a disinfection or test of goods is a record."""
    console: Console = context.obj
    told: dict[str, Any] = {
        "note": note,
        "ct": ct,
        "at": moment(at, "--at") if at else None,
        "place": identifier_of(place, "--place") if place else "",
        "submitter": submitter_of(submitter, "--submitter") if submitter else console.settings.submitter,
    }
    with open_house(console, create=False) as house:
        act, only = _who(house, token_in(key_file))
        with house.store.write() as connection:
            found, _ = tasks.to_change(connection, number, by=only)
            one = dispatching_goods.close(connection, house.keys, found, act, number, outcome, **told)
    return _emit_all(console, found, [one])


@app.command()
def progress(context: typer.Context, case: Named) -> int:
    """Tell how far a case's tasks are, by kind, area and tier."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        told = task_documents.progress(cases.find(connection, case), datetime.now(UTC))
    lines = [_counted(console, "", told["all"])]
    for by in ("by_kind", "by_area", "by_tier"):
        lines += [_counted(console, f"  {name or '—'}: ", one) for name, one in told[by].items()]
    console.emit(told, lines)
    return DONE


def _change(context: typer.Context, number: int, key_file: str, do: Callable[..., Task]) -> int:
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act, only = _who(house, token_in(key_file))
        with house.store.write() as connection:
            found, _ = tasks.to_change(connection, number, by=only)
            one = do(connection, found, act)
    told = task_documents.task_json(found, one, act.now)
    console.emit(told, [_line(console, told)])
    return DONE


def _who(house: House, token: str) -> tuple[Act, str | None]:
    """Return who does something to a task, and whose tasks alone it may be: a worker's own."""
    # With the HTTP door's libraries, which commands without a key do not wait for.
    if not token:
        return here(house, token, Scope.case), None
    from sudonglian.api.http.auth import Forbidden

    try:
        return here(house, token, Scope.case), None
    except Forbidden:
        act = here(house, token, Scope.follow_up)
        return act, act.by


def _terms(place: str, area: str, advice: str, due: str) -> dict[str, Any]:
    """Return what tasks about people and about goods have in common, read from the options."""
    return {
        "place": identifier_of(place, "--place") if place else "",
        "area": area,
        "advice": advice,
        "due": moment(due, "--due") if due else None,
    }


def _emit_all(console: Console, case: Case, found: Iterable[Task]) -> int:
    now = datetime.now(UTC)
    told = [task_documents.task_json(case, one, now) for one in found]
    console.emit({"case": case.number, "tasks": told}, [_line(console, one) for one in told])
    return DONE


def _line(console: Console, one: dict[str, Any]) -> str:
    late = console.text("LATE") if one["overdue"] else ""
    told = (one["state"], one["outcome"] or "", one.get("assignee") or "", late, one["missing"])
    said = "  ".join(it for it in told if it)
    return f"{one['task']}  {one['kind']}  {one['subject']}  {one['place']}  {one['tier']}  {one['area']}  {one['due']}  {said}"


def _counted(console: Console, name: str, one: dict[str, Any]) -> str:
    told = console.text(
        "{tasks} tasks, {closed} closed, {overdue} overdue, {escalated} escalated, {open} of nobody", **one
    )
    return name + told + "".join(f"  {outcome} {count}" for outcome, count in one["outcomes"].items())
