"""The command that writes the spreadsheet of the US Food Traceability Rule.

docs/answers.md (FSMA 204). `fsma204 --json` gives {rows: [{by heading, missing}], complete, incomplete, file}.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sudonglian.api.commands.lists import form_of
from sudonglian.api.console import DONE, Console, check_writable, write_file
from sudonglian.api.parsing import identifier_of, moment
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.wiring import open_house
from sudonglian.api.working import working
from sudonglian.records import derive


def fsma204(
    context: typer.Context,
    lot: Annotated[str, typer.Option(metavar="EPC", help="Of this lot and what it was made of or into.")] = "",
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Events from then on.")] = "",
    to: Annotated[str, typer.Option(metavar="TIME", help="Events before then.")] = "",
    location: Annotated[str, typer.Option(metavar="ID", help="Events at this place.")] = "",
    submitter: Annotated[str, typer.Option(metavar="URI", help="Records of this firm; of all if not given.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the spreadsheet: .xlsx or .csv.")
    ] = None,
) -> int:
    """Write FSMA 204's electronic sortable spreadsheet: a row a lot of an event, with what it lacks named."""
    # The library that writes workbooks takes a while, and other commands need none.
    from sudonglian.trace.answers import fsma204 as answers

    console: Console = context.obj
    wanted = answers.Wanted(
        lot=identifier_of(lot, "--lot") if lot else "",
        since_us=derive.micros(moment(since, "--from")) if since else None,
        before_us=derive.micros(moment(to, "--to")) if to else None,
        place=identifier_of(location, "--location") if location else "",
        firm=submitter_of(submitter, "--submitter") if submitter else None,
    )
    form = "" if output is None else form_of(output, "-o")
    if output is not None:
        check_writable(output)
    with open_house(console) as house, house.store.read() as connection, working(console, "reading the records"):
        found = list(answers.rows(connection, wanted))
    if output is not None:
        write_file(output, answers.spreadsheet(found, form))
    lacking = sum(bool(one.missing) for one in found)
    document = {
        "rows": [one.as_json() for one in found],
        "complete": len(found) - lacking,
        "incomplete": lacking,
        "file": None if output is None else str(output),
    }

    def lines() -> Iterator[str]:
        for one in found:
            shown = [str(value) for value in one.cells[:5] if value] + [
                f"{one.cells[11]} {one.cells[12] or ''}".strip()
            ]
            yield "  ".join([*shown, *(["! " + "; ".join(one.missing)] if one.missing else [])])
        yield console.text("{rows} rows, {lacking} of them lack something", rows=len(found), lacking=lacking)

    console.emit(document, lines())
    return DONE


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(fsma204)
