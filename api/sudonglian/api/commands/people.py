"""Commands about persons: erasure by request and by retention, and the receipts of both.

docs/spec/entry.md rule 5, docs/spec/receipt.md; docs/privacy.md.
"""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sudonglian.api.console import DONE, Console
from sudonglian.api.errors import FileUnreadable, UsageRefused
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.wiring import open_house
from sudonglian.api.working import working
from sudonglian.records import derive, erasing, receipts, retention
from sudonglian.records.identities import identity

MAX_VALUE: Final = 1_000
"""Characters of an identity; the longest badge has a tenth of it."""


class Kind(StrEnum):
    """What kind of identity a value is."""

    cn_id = "cn-id"
    phone = "phone"
    passport = "passport"
    badge = "badge"


app = typer.Typer(help="Persons in the vault: erasure, retention, receipts.", rich_markup_mode=None)

KIND = Annotated[Kind, typer.Argument(metavar="KIND", help="cn-id, phone, passport or badge.")]
REASON = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept in the receipt.")]
SUBMITTER = Annotated[str, typer.Option(metavar="URI", help="Whose badge it is; only for badges.")]


def erase(
    context: typer.Context,
    kind: KIND,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="The identity; - asks for it, so that no shell keeps it.")
    ],
    reason: REASON,
    submitter: SUBMITTER = "",
) -> int:
    """Erase a person: keys and sealed data are gone, proofs still hold; a tombstone enters the log."""
    return _erase(context.obj, kind, _asked() if value == "-" else value, reason, submitter)


@app.command("erase")
def erase_asked(context: typer.Context, kind: KIND, reason: REASON, submitter: SUBMITTER = "") -> int:
    """Erase a person whose identity is read from standard input or asked for, so that no shell keeps it."""
    return _erase(context.obj, kind, _asked(), reason, submitter)


@app.command()
def retain(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Erase nobody; say how many it would be.")] = False,
) -> int:
    """Erase whoever's time is over: 28 days after the last event, or after the close of the last case."""
    console: Console = context.obj
    now = datetime.now(UTC)
    with open_house(console, create=False) as house:
        if dry_run:
            with house.store.read() as connection:
                done = retention.dry(connection, now)
        else:
            with working(console, "erasing people whose time is over") as work:
                done, _ = retention.run(house.store, house.keys, now, work.at)
    oldest = None if done.oldest_us is None else derive.moment(done.oldest_us).isoformat(timespec="seconds")
    document: dict[str, Any] = {
        "dry_run": dry_run,
        "due": done.due,
        "held": done.held,
        "erased": len(done.receipts),
        "receipts": done.receipts,
        "oldest": oldest,
        "rules": [one._asdict() for one in retention.rules().values()],
    }
    counts = {"due": done.due, "held": done.held, "erased": len(done.receipts)}
    lines = [console.text("time over for {due} persons; kept by cases {held}; erased {erased}", **counts)]
    console.emit(document, lines)
    return DONE


@app.command("receipts")
def receipts_(context: typer.Context) -> int:
    """List the receipts of all erasures."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        found = list(receipts.listed(connection))
    lines = [f"{one['receipt']}  {one['at']}  {len(one['records'])}  {one['reason']}" for one in found]
    console.emit({"receipts": found}, lines)
    return DONE


@app.command()
def receipt(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=0, help="The receipt, as the erasure named it.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")],
) -> int:
    """Write the receipt of an erasure with its proofs; `sudonglian-verify` checks it offline."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        raw, state = receipts.receipt(connection, number)
    try:
        output.write_bytes(raw)
    except OSError as error:
        raise FileUnreadable(error.strerror or "cannot be written", place=str(output)) from error
    said = console.text(
        "receipt in {file}" if state == "final" else "receipt in {file}; no final anchor covers it yet", file=output
    )
    console.emit({"receipt": number, "file": str(output), "bytes": len(raw), "anchor": state}, [said])
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.command()(erase)
    root.add_typer(app, name="people")


def _asked() -> str:
    """Return an identity from the terminal, unseen, or from the first line of a pipe."""
    if sys.stdin is not None and sys.stdin.isatty():
        value = str(typer.prompt("", prompt_suffix="", hide_input=True, err=True))
    else:
        value = "" if sys.stdin is None else sys.stdin.readline(MAX_VALUE + 1)
    value = value.strip("\r\n")
    if not value.strip() or len(value) > MAX_VALUE:
        raise UsageRefused(f"one line with an identity of at most {MAX_VALUE} characters is needed", place="-")
    return value


def _erase(console: Console, kind: Kind, value: str, reason: str, submitter: str) -> int:
    whose = submitter_of(submitter, "--submitter") if submitter else console.settings.submitter
    with open_house(console, create=False) as house:
        who = identity(kind.value, value, whose)
        done = erasing.erase(house.store, house.keys, who, reason, datetime.now(UTC))
    told = done.as_json()
    lines = [
        console.text("erased; {count} records keep their proofs, nameless", count=len(told["records"])),
        console.text("tombstone {digest}, receipt {index}", digest=told["tombstone"], index=told["receipt"]),
    ]
    if not done.overwritten:
        lines.append(console.text("somebody is reading the old state: `sudonglian people retain` overwrites it later"))
    if done.in_copies:
        lines.append(
            console.text("older backups open until the key is changed: `sudonglian keys kek rotate --destroy-old`")
        )
    console.emit(told, lines)
    return DONE
