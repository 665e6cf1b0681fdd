"""Commands for firms without programs of their own: an empty sheet to fill in, a filled one to take.

docs/sheets.md. `import --json` gives {written, form, encoding, time_zone, sheet, passed_over, rows, examples, handoffs,
items, accepted, unchanged, refused, faults: [{level, sheet, row, column, code, text, message}], more_faults, records:
[{index, record_hash, event_id, unchanged, handoff, step}]}.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from sudonglian.api.commands.records import Behaviour, ProfileName
from sudonglian.api.console import DONE, REFUSED, Console, check_writable, read_file, write_file
from sudonglian.api.errors import UsageRefused
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.validating import profile_named
from sudonglian.api.wiring import open_house
from sudonglian.api.working import working
from sudonglian.records.sheets.faults import SheetRefused
from sudonglian.records.sheets.taking import Told

SHOWN_FAULTS: Final = 50
"""On a terminal; --json and --errors have them all."""


def template(
    context: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to: .xlsx or .csv.")],
) -> int:
    """Write an empty sheet with headings, drop-downs and examples, in the language of --lang."""
    # Not above: the library that writes workbooks takes a while, and other commands need none.
    from sudonglian.records.sheets import template as templates

    console: Console = context.obj
    form = _form(output, "-o")
    write_file(output, templates.template(form, console.lang))
    console.emit({"file": str(output), "form": form}, [console.text("written: {file}", file=output)])
    return DONE


def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="XLSX or CSV, filled in; - is standard input.")],
    submitter: Annotated[str, typer.Option(metavar="URI", help="Who submits; SUDONGLIAN_SUBMITTER if not given.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken, and take nothing.")] = False,
    behaviour: Annotated[
        Behaviour, typer.Option(help="A wrong handoff takes the whole sheet with it, or the others proceed.")
    ] = Behaviour.rollback,
    errors: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a copy with what is wrong beside each row: .xlsx or .csv."),
    ] = None,
    profile: ProfileName = "",
) -> int:
    """Take a filled sheet, a row a line of a handoff; sent again, it takes what is new alone."""
    from sudonglian.records.sheets import annotated, taking, workbook

    console: Console = context.obj
    who = submitter_of(submitter, "--submitter") if submitter else console.settings.submitter
    wanted = profile_named(profile, "--profile") if profile else None
    form = "" if errors is None else _form(errors, "--errors")
    if errors is not None:
        check_writable(errors)
    raw = read_file(file, workbook.MAX_FILE_BYTES)
    with open_house(console) as house, working(console, "reading the sheet"):
        try:
            now = datetime.now(UTC)
            prepared = taking.prepare(house.keys, raw, submitter=who, now=now, keep=errors is not None, profile=wanted)
        except SheetRefused as refusal:
            raise refusal.told(console.lang) from refusal
        if dry_run:
            with house.store.read() as connection:
                told = taking.preview(connection, prepared)
        else:
            with house.store.write() as connection:
                told = taking.take(connection, house.keys, prepared, behaviour.value)
        if errors is not None:
            write_file(errors, annotated.annotated(told, form, console.lang))
    console.emit(told.as_json(), _lines(console, told, behaviour))
    return REFUSED if told.has_errors else DONE


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(template)
    app.command(name="import")(import_)


def _form(path: Path, place: str) -> str:
    form = path.suffix.lower().lstrip(".")
    if form not in ("xlsx", "csv"):
        raise UsageRefused("the name must end with .xlsx or .csv", place=place)
    return form


def _lines(console: Console, told: Told, behaviour: Behaviour) -> Iterator[str]:
    document = told.as_json()
    yield console.text(
        "sheet {sheet}, {encoding}, times in {time_zone}: {rows} rows, {handoffs} handoffs, {items} items",
        **{name: document[name] for name in ("sheet", "encoding", "time_zone", "rows", "handoffs", "items")},
    )
    if document["examples"] or document["passed_over"]:
        passed = ", ".join(document["passed_over"]) or "—"
        yield console.text(
            "passed over: {examples} examples; sheets: {passed}", examples=document["examples"], passed=passed
        )
    counts = {name: document[name] for name in ("accepted", "unchanged", "refused")}
    yield console.text(
        "accepted {accepted}, unchanged {unchanged}, refused {refused}"
        if told.written
        else "would be accepted {accepted}, unchanged {unchanged}, refused {refused}; nothing is written",
        **counts,
    )
    if told.has_errors and told.prepared.judged.events and behaviour is Behaviour.rollback:
        yield console.text("one mistake refuses the whole sheet; --behaviour proceed takes the handoffs without one")
    for one in document["faults"][:SHOWN_FAULTS]:
        place = console.text("row {row}", row=one["row"])
        text = f" “{one['text']}”" if one["text"] else ""
        yield f"{one['sheet']} {place} {one['column']}{text}: {one['level']} {one['code']} — {one['message'][console.lang]}"
    if (more := len(told.faults) - SHOWN_FAULTS) > 0:
        yield console.text("and {more} more; --errors FILE writes all beside their rows", more=more)
    if told.written:
        for one in document["records"]:
            yield f"{one['record_hash']}  {one['handoff']} {one['step']}"
