"""Commands of a reveal: asked for by one person, approved by another, shown once to who asked.

docs/cases.md; docs/spec/access-log.md rules 2 and 3; docs/decisions/0801 and 0802.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from sudonglian.api.console import DONE, Console, read_file
from sudonglian.api.principals import here
from sudonglian.api.scopes import Scope
from sudonglian.api.wiring import open_house
from sudonglian.records import cases, reveals
from sudonglian.records.case_state import Case, Reveal
from sudonglian.trace.casework import disclosing
from sudonglian.trace.casework.case_documents import reveal_json

MAX_TOKEN_FILE: Final = 1_000

Number = Annotated[int, typer.Argument(metavar="REVEAL", min=1, help="The reveal's number.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it stays in the timeline.")]
KeyFile = Annotated[
    str, typer.Option(metavar="FILE", help="A file with the API key of who does this; this machine's login if absent.")
]

app = typer.Typer(help="Who the people on a line list are, after a second person approved.", rich_markup_mode=None)


@app.command()
def ask(
    context: typer.Context,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case, by its number or name.")],
    reason: Reason,
    person: Annotated[
        list[int] | None,
        typer.Option(min=1, metavar="N", help="A person's number; several; all on the list if absent."),
    ] = None,
    for_tasks: Annotated[
        bool, typer.Option("--for-tasks", help="Also for follow-up workers: each how to reach the person of a task.")
    ] = False,
    key_file: KeyFile = "",
) -> int:
    """Ask for the identities of a case's line list as it is now."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            made = reveals.ask(connection, found, act, reason, person or (), for_tasks=for_tasks)
    return _emit(console, found, made)


@app.command()
def approve(
    context: typer.Context,
    number: Number,
    key_file: Annotated[
        str,
        typer.Option(metavar="FILE", help="A file with the API key of who approves, with the scope reveal-approve."),
    ],
) -> int:
    """Approve a reveal, as another person than who asked."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file) or "-", Scope.reveal_approve)
        with house.store.write() as connection:
            found, made = reveals.approve(connection, number, act)
    return _emit(console, found, made)


@app.command()
def refuse(context: typer.Context, number: Number, reason: Reason, key_file: KeyFile = "") -> int:
    """Refuse a reveal, or take back one's own."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        token = token_in(key_file)
        act = here(house, token, Scope.reveal_approve if token else Scope.case)
        with house.store.write() as connection:
            found, made = reveals.refuse(connection, number, act, reason)
    return _emit(console, found, made)


@app.command()
def show(
    context: typer.Context,
    number: Number,
    identities: Annotated[
        bool, typer.Option("--identities", help="Show who they are, once, to who asked; each look is kept for ever.")
    ] = False,
    key_file: KeyFile = "",
) -> int:
    """Show how a reveal stands, or what it reveals."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        if not identities:
            with house.store.read() as connection:
                return _emit(console, *reveals.find(connection, number))
        act = here(house, token_in(key_file), Scope.case)
        shown = disclosing.release(house.store, house.keys, number, act)
    told = shown_json(shown)
    lines = [
        "  ".join([f"{one['person']:<17}", *(" ".join(it.values()).strip() for it in one["identities"])])
        for one in told["identities"]
    ]
    console.emit(told, lines)
    return DONE


def shown_json(shown: disclosing.Shown) -> dict[str, Any]:
    """Return a released reveal with the identities, as the doors answer it and keep it nowhere."""
    told = reveal_json(shown.case, shown.reveal, datetime.now(UTC))
    return told | {
        "identities": [
            {"person": person, "identities": [one._asdict() for one in shown.identities.get(person, ())]}
            for person in shown.reveal.persons
        ]
    }


def token_in(file: str) -> str:
    """Return the token that a file holds, or what is none; without a file nothing."""
    return read_file(file, MAX_TOKEN_FILE).decode(errors="replace").strip() or "-" if file else ""


def _emit(console: Console, case: Case, one: Reveal) -> int:
    told = reveal_json(case, one, datetime.now(UTC))
    line = console.text(
        "reveal {reveal} of case {case}: {state}; {count} persons, asked by {asked_by}", **told, count=len(one.persons)
    )
    lines = [line, f"  {one.why}"]
    if one.for_tasks:
        lines.append(console.text("  also for follow-up workers: each how to reach the person of a task"))
    console.emit(told, lines)
    return DONE
