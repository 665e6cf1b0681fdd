"""The auditor's one question: what the log has of an id, each step of its proof, and how to repeat it elsewhere.

service.md (Pages, auditor); docs/verifier.md.
"""

from typing import Annotated

import typer

from sudonglian.api import examining
from sudonglian.api.console import DONE, REFUSED, Console
from sudonglian.api.errors import UsageRefused
from sudonglian.api.wiring import open_house
from sudonglian.chain.verify_report import STEPS, WORDS, shown
from sudonglian.chain.verify_steps import Outcome
from sudonglian.records.examining import Examined, Kind, consistency

SERVER = "http://127.0.0.1:8000"


def examine(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="[ID]",
            help="A hash, a checkpoint's size, a contract, an item or lot, access:NUMBER.",
            show_default=False,
        ),
    ] = "",
    older: Annotated[
        str, typer.Option("--from", metavar="SIZE", help="Instead: whether the log only grew from it")
    ] = "",
    newer: Annotated[str, typer.Option("--to", metavar="SIZE", help="to this size.")] = "",
    server: Annotated[
        str, typer.Option(metavar="URL", help="Where others reach this log: for the commands that repeat the steps.")
    ] = SERVER,
) -> int:
    """Judge all that an id names by this deployment's own trust, step by step, and say how others repeat it."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        if (sizes := examining.sizes(older, newer)) is not None:
            found = [consistency(connection, house.keys, *sizes)]
        elif name:
            found = examining.examine(connection, house.keys, name, lambda _record: True, access_log=True)
        else:
            raise UsageRefused("an ID is needed, or --from and --to", place="ID")
    lines = [line for one in found for line in _lines(console, one, server)]
    document = {"found": [examining.told(one, server) for one in found], "notice": examining.NOTICE}
    console.emit(
        document,
        [*lines, console.text("judged by this deployment itself: whoever must not trust it repeats the steps")],
    )
    return REFUSED if any(one.verdict.verdict == "INVALID" for one in found) else DONE


def _lines(console: Console, one: Examined, server: str) -> list[str]:
    lang = console.lang
    lines = [f"{_kind(console, one.kind)} {one.id}: {_verdict(console, one.verdict.verdict)}"]
    lines += [f"  {name}: {value}" for name, value in one.facts.items() if value is not None]
    lines += [f"  {WORDS[it.result][lang]:<8}{STEPS[it.name][lang]}: {shown(it.detail)}" for it in one.verdict.steps]
    lines += [
        console.text("  rests on this deployment's own trust in:"),
        *(f"    - {it}" for it in one.verdict.trusted),
    ]
    return [*lines, *(f"  $ {it}" for it in examining.repeated(one, server))]


def _kind(console: Console, kind: Kind) -> str:
    return {
        "record": console.text("record"),
        "lot": console.text("item or lot"),
        "checkpoint": console.text("checkpoint"),
        "anchor": console.text("anchor"),
        "consistency": console.text("growth of the log"),
        "access": console.text("entry of the access log"),
    }[kind]


def _verdict(console: Console, verdict: Outcome) -> str:
    return {
        "VALID": console.text("valid by this deployment's own trust"),
        "INVALID": console.text("INVALID: a part is wrong or malformed"),
        "INDETERMINATE": console.text("undetermined: nothing is wrong, but an anchor or a signature is missing"),
    }[verdict]


def register(root: typer.Typer) -> None:
    """Add the command to the program."""
    root.command()(examine)
