"""Commands of a case: open, seed, run, list, decide, merge, split, close; its clock and timeline.

docs/cases.md; the JSON is that of `trace.casework.case_documents`.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sudonglian.api.commands import exports, interviews, reveals, tasks
from sudonglian.api.commands.reveals import KeyFile, Reason, token_in
from sudonglian.api.console import DONE, Console, check_writable, write_file
from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import PERSON, identifier_of, moment, seed_of, span
from sudonglian.api.principals import here
from sudonglian.api.scopes import Scope
from sudonglian.api.wiring import House, open_house
from sudonglian.api.working import working
from sudonglian.records import cases, derive
from sudonglian.records import tasks as case_tasks
from sudonglian.records.case_state import Case, Seed
from sudonglian.records.cases import Act
from sudonglian.trace.casework import case_documents, case_list
from sudonglian.trace.casework.clock import clock as clock_of
from sudonglian.trace.casework.run import run_trace
from sudonglian.trace.casework.seeding import sort_of
from sudonglian.trace.engine.policies import policy_table
from sudonglian.trace.engine.query import POLICY, TraceQuery

Named = Annotated[str, typer.Argument(metavar="CASE", help="The case, by its number or name.")]

WithoutInterviews = Annotated[
    bool, typer.Option("--without-interviews", help="Ask firms' records alone, and not what people said.")
]

POLICIES: Final = ", ".join(policy_table())

app = typer.Typer(help="Cases, from the first positive sample to the last call.", rich_markup_mode=None)


@app.command("open")
def open_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the case is called; not digits alone.")],
    purpose: Annotated[str, typer.Option(metavar="TEXT", help="What the case is for.")],
    basis: Annotated[str, typer.Option(metavar="TEXT", help="The legal basis.")],
    responsible: Annotated[str, typer.Option(metavar="TEXT", help="Who answers for it.")],
    key_file: KeyFile = "",
) -> int:
    """Open a case: without purpose, legal basis and a responsible person there is none."""
    console: Console = context.obj
    with open_house(console) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            told = {"purpose": purpose, "basis": basis, "responsible": responsible}
            case = cases.open_case(connection, act, name=name, **told)
    return _emit(console, case)


@app.command()
def seed(
    context: typer.Context,
    case: Named,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="An item, lot, place, or person:NUMBER.")],
    at: Annotated[str, typer.Option(metavar="TIME", help="When it was sampled, with its offset.")],
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="item, lot, place or person; told from the identifier if absent.")
    ] = "",
    place: Annotated[str, typer.Option(metavar="PLACE", help="Where a lot was sampled.")] = "",
    result: Annotated[str, typer.Option(metavar="R", help="The test: positive, negative or inconclusive.")] = "",
    ct: Annotated[str, typer.Option(metavar="CT", help="The test's Ct value: 31.5.")] = "",
    sample: Annotated[str, typer.Option(metavar="TEXT", help="What was sampled: outer packaging, swab.")] = "",
    key_file: KeyFile = "",
) -> int:
    """Add what a case begins from, with the test that found it."""
    where = identifier_of(place, "--place") if place else ""
    told = seed_of(subject, "SUBJECT")
    sort = sort_of(told, kind)
    named: dict[str, Any] = {"kind": sort, "subject": told.removeprefix(PERSON), "at": moment(at, "--at")}
    tested: dict[str, Any] = {"place": where, "result": result, "ct": ct, "sample": sample}
    return _change(context, case, key_file, lambda at, one, act: cases.add_seed(at, one, act, **named, **tested))


@app.command()
def run(
    context: typer.Context,
    case: Named,
    number: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="From this seed alone; from every one if absent.")
    ] = None,
    lookback: Annotated[
        str, typer.Option(metavar="SPAN", help="How long before that it may have been contaminated: 14d, 36h.")
    ] = "14d",
    backward: Annotated[bool, typer.Option("--backward", help="Ask what may have exposed the seed.")] = False,
    policy: Annotated[str, typer.Option(metavar="P", help=f"What is assumed of the pathogen: {POLICIES}.")] = POLICY,
    without_interviews: WithoutInterviews = False,
    key_file: KeyFile = "",
) -> int:
    """Trace from a case's seeds, and keep the runs and whom they list in the case."""
    console: Console = context.obj
    if policy not in policy_table():
        raise UsageRefused(f"{policy!r} is none of: {POLICIES}", place="--policy")
    ago = span(lookback, "--lookback")
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.read() as connection:
            found = cases.find(connection, case)
        begun = found.seeds if number is None else {number: found.seeds.get(number)}
        if not begun or None in begun.values():
            raise UsageRefused("the case has no such seed", place="--seed")
        seeds = [one for one in begun.values() if one is not None]
        _trace(console, house, found, act, seeds, ago, backward, policy, interviewed=not without_interviews)
        with house.store.read() as connection:
            found = cases.find(connection, case)
    return _emit(console, found)


@app.command()
def positive(
    context: typer.Context,
    case: Named,
    person: Annotated[int, typer.Argument(metavar="PERSON", min=1, help="The person's number.")],
    at: Annotated[str, typer.Option(metavar="TIME", help="When it was sampled, with its offset.")],
    ct: Annotated[str, typer.Option(metavar="CT", help="The test's Ct value: 31.5.")] = "",
    sample: Annotated[str, typer.Option(metavar="TEXT", help="What was sampled: throat swab.")] = "",
    trace: Annotated[
        bool, typer.Option("--trace", help="Also trace from this person, so that the contacts of contacts are listed.")
    ] = False,
    lookback: Annotated[
        str, typer.Option(metavar="SPAN", help="How long before that the person may have exposed others: 14d, 36h.")
    ] = "14d",
    policy: Annotated[str, typer.Option(metavar="P", help=f"What is assumed of the pathogen: {POLICIES}.")] = POLICY,
    without_interviews: WithoutInterviews = False,
    key_file: KeyFile = "",
) -> int:
    """Keep that a person is positive: the result, a seed of the case, and the end of open test tasks; twice is once."""
    console: Console = context.obj
    if policy not in policy_table():
        raise UsageRefused(f"{policy!r} is none of: {POLICIES}", place="--policy")
    told: dict[str, Any] = {"at": moment(at, "--at"), "ct": ct, "sample": sample}
    ago = span(lookback, "--lookback")
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            seed, _, _ = case_tasks.positive(connection, found, act, person, **told)
        if trace:
            _trace(
                console, house, found, act, [found.seeds[seed]], ago, False, policy, interviewed=not without_interviews
            )
            with house.store.read() as connection:
                found = cases.find(connection, case)
    return _emit(console, found)


@app.command("list")
def list_(context: typer.Context) -> int:
    """List every case, the newest first."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        found = [cases.find(connection, row["id"]) for row in cases.listed(connection)]
    now = datetime.now(UTC)
    lines = [f"{one.number}  {one.name}  {one.standing}  {len(one.members)}  {one.purpose}" for one in found]
    console.emit({"cases": [case_documents.case_json(one, now) for one in found]}, lines)
    return DONE


@app.command()
def show(context: typer.Context, case: Named) -> int:
    """Show a case: what for, its seeds, its runs, its reveals."""
    console: Console = context.obj
    return _emit(console, _found(console, case))


@app.command()
def members(
    context: typer.Context,
    case: Named,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the list as CSV, by number.")] = None,
    counts: Annotated[
        bool, typer.Option("--counts", help="Count by tier, place, day and status alone; small counts are hidden.")
    ] = False,
) -> int:
    """Give the line list by number, the strongest tier first; who they are takes a reveal."""
    console: Console = context.obj
    if csv is not None:
        check_writable(csv)
    with open_house(console, create=False) as house, house.store.read() as connection:
        rows = case_list.rows(connection, cases.find(connection, case))
    if csv is not None:
        write_file(csv, case_list.encode(rows))
    if counts:
        k = console.settings.smallest_count
        told = case_list.counts_json(case_list.counts(rows, k), k)
        console.emit(told, _counted(console, told))
        return DONE
    console.emit({"case": case, "members": rows}, [_row(console, row) for row in rows])
    return DONE


@app.command()
def status(
    context: typer.Context,
    case: Named,
    person: Annotated[int, typer.Argument(metavar="PERSON", min=1, help="The person's number.")],
    state: Annotated[str, typer.Argument(metavar="STATUS", help="listed, contacted or unreachable.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="A note; name nobody in it.")] = "",
    key_file: KeyFile = "",
) -> int:
    """Say how far one is with a person."""
    return _change(context, case, key_file, lambda at, one, act: cases.set_status(at, one, act, person, state, note))


@app.command()
def result(
    context: typer.Context,
    case: Named,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="An item, lot, place, or person:NUMBER.")],
    outcome: Annotated[str, typer.Argument(metavar="RESULT", help="positive, negative or inconclusive.")],
    at: Annotated[str, typer.Option(metavar="TIME", help="When it was sampled, with its offset.")],
    ct: Annotated[str, typer.Option(metavar="CT", help="The test's Ct value: 31.5.")] = "",
    sample: Annotated[str, typer.Option(metavar="TEXT", help="What was sampled: outer packaging, swab.")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="A note; name nobody in it.")] = "",
    key_file: KeyFile = "",
) -> int:
    """Keep a test's result; a negative one removes nobody."""
    told = seed_of(subject, "SUBJECT")
    named: dict[str, Any] = {"subject": told.removeprefix(PERSON), "is_person": told.startswith(PERSON)}
    tested: dict[str, Any] = {"result": outcome, "at": moment(at, "--at"), "ct": ct, "sample": sample, "note": note}
    return _change(context, case, key_file, lambda at, one, act: cases.add_result(at, one, act, **named, **tested))


@app.command()
def merge(
    context: typer.Context,
    case: Named,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The case that is merged into it, and closed.")],
    reason: Reason,
    key_file: KeyFile = "",
) -> int:
    """Merge another case into this one: both timelines stay, members and seeds are joined with their origin."""
    return _two(context, case, other, key_file, lambda at, one, two, act: cases.merge(at, one, two, act, reason))


@app.command()
def part(
    context: typer.Context,
    case: Named,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The case that was merged into it.")],
    reason: Reason,
    key_file: KeyFile = "",
) -> int:
    """Undo a merger: the other case is open again, with whom it brought."""
    return _two(context, case, other, key_file, lambda at, one, two, act: cases.part(at, one, two, act, reason))


@app.command()
def split(
    context: typer.Context,
    case: Named,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The open case that they go to.")],
    reason: Reason,
    person: Annotated[list[int] | None, typer.Option(min=1, metavar="N", help="A person's number; several.")] = None,
    number: Annotated[list[int] | None, typer.Option("--seed", min=0, metavar="N", help="A seed; several.")] = None,
    key_file: KeyFile = "",
) -> int:
    """Move people and seeds to another case, with a reason."""
    moved = person or (), number or ()
    return _two(
        context, case, other, key_file, lambda at, one, two, act: cases.split(at, one, two, act, *moved, reason)
    )


@app.command()
def close(context: typer.Context, case: Named, reason: Reason, key_file: KeyFile = "") -> int:
    """Close a case."""
    return _change(context, case, key_file, lambda at, one, act: cases.close(at, one, act, reason))


@app.command()
def reopen(context: typer.Context, case: Named, reason: Reason, key_file: KeyFile = "") -> int:
    """Open a closed case again."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.reopen(connection, case, act, reason)
    return _emit(console, found)


@app.command()
def clock(context: typer.Context, case: Named) -> int:
    """Tell the clock: two hours to the first line list, a day until all of the high tiers are reached."""
    console: Console = context.obj
    found = _found(console, case)
    now = datetime.now(UTC)
    told = {name: term.as_json() for name, term in clock_of(found, now).items()}
    console.emit({"case": found.number, "clock": told}, _clock(console, told))
    return DONE


@app.command()
def timeline(context: typer.Context, case: Named) -> int:
    """Tell what happened in a case, in order, with the entry of the private tree that holds it."""
    console: Console = context.obj
    found = _found(console, case)
    told = case_documents.timeline(found)
    lines = [f"{one['at']}  {one['by']}  {one['do']}  {_details(one['said'])}  #{one['entry']}" for one in told]
    console.emit({"case": found.number, "timeline": told}, lines)
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    exports.register(app)
    app.add_typer(reveals.app, name="reveal")
    app.add_typer(tasks.app, name="tasks")
    app.add_typer(interviews.app, name="interview")
    root.add_typer(app, name="case")


def _trace(
    console: Console,
    house: House,
    case: Case,
    act: Act,
    seeds: Iterable[Seed],
    lookback: timedelta,
    backward: bool,
    policy: str,
    *,
    interviewed: bool,
) -> None:
    with working(console, "tracing"):
        for one in seeds:
            query = TraceQuery(
                seed=f"{PERSON}{one.subject}" if one.kind == "person" else one.subject,
                at=derive.moment(one.at_us),
                lookback=lookback,
                backward=backward,
                seed_place=one.place,
                policy=policy,
                interviews=interviewed,
            )
            run_trace(house.store, house.keys, query, case=str(case.number), by=act.by)


def _found(console: Console, case: str) -> Case:
    with open_house(console, create=False) as house, house.store.read() as connection:
        return cases.find(connection, case)


def _change(context: typer.Context, case: str, key_file: str, do: Callable[..., Any]) -> int:
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            do(connection, found, act)
    return _emit(console, found)


def _two(context: typer.Context, case: str, other: str, key_file: str, do: Callable[..., Any]) -> int:
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            do(connection, found, cases.find(connection, other), act)
    return _emit(console, found)


def _emit(console: Console, case: Case) -> int:
    told = case_documents.case_json(case, datetime.now(UTC))
    console.emit(told, _lines(console, told))
    return DONE


def _lines(console: Console, told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['case']}  {told['name']}  {told['state']}"
    yield console.text("  for: {purpose}; basis: {basis}; responsible: {responsible}", **told)
    for one in told["seeds"]:
        ct = f" Ct {one['ct']}" if one["ct"] else ""
        yield f"  #{one['seed']} {one['kind']} {one['subject']} {one['result']}{ct} {one['sample']} → {one['status']}"
    for one in told["runs"]:
        yield console.text("  trace {trace} of {log_size} entries: {listed} persons", **one)
    yield console.text("  {members} persons on the line list", members=told["members"])
    for one in told["reveals"]:
        yield console.text("  reveal {reveal}: {state}, asked by {asked_by}", **one)
    yield from _clock(console, told["clock"])


def _clock(console: Console, told: dict[str, Any]) -> Iterator[str]:
    first, reached = told["first_list"], told["all_reached"]
    late = console.text("LATE")
    yield console.text("  first line list: due {due}, {done}", due=first["due"], done=first["done"] or "—") + (
        f"  {late}" if first["overdue"] else ""
    )
    yield console.text("  high tiers reached: due {due}, {left} left", due=reached["due"], left=reached["left"]) + (
        f"  {late}" if reached["overdue"] else ""
    )


def _row(console: Console, row: dict[str, Any]) -> str:
    tier = row["tier_zh"] if console.lang == "zh" else row["tier"]
    generation = f"{row['generation']['objects']}+{row['generation']['persons']}"
    flag = "".join(f"  ! {one['reason'][console.lang]}" for one in row["flags"])
    said = console.text(" (by what was said)") if row["stated"] == "yes" else ""
    return (
        f"{row['person']:<17} {tier:<10} {generation:<5} {row['evidence']:<8} {row['status']:<12} {row['time']}  "
        f"{row['place']}{said}{flag}"
    )


def _counted(console: Console, told: dict[str, Any]) -> Iterator[str]:
    for by, one in told["counts"].items():
        total = f"<{told['k']}" if one["total"] is None else str(one["total"])
        yield f"{by}: {total}"
        if one["withheld"]:
            yield console.text("  withheld: too few to be counted without telling who")
        for name, count in one["cells"].items():
            yield f"  {name or '—'}: {'·' if count is None else count}"


def _details(said: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in said.items() if value not in ("", None))
