"""Commands that take a case along as a file (line list, network, report, list for SORMAS), and check one.

docs/cases.md (Take it with you); docs/decisions/0840 to 0844. Identities only out of an approved reveal.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sudonglian.api.commands.reveals import KeyFile, token_in
from sudonglian.api.console import DONE, REFUSED, Console, check_writable, read_file, write_file
from sudonglian.api.errors import UsageRefused
from sudonglian.api.exporting import exported_json, tell
from sudonglian.api.principals import here
from sudonglian.api.scopes import Scope
from sudonglian.api.wiring import open_house
from sudonglian.api.working import working


def export(
    context: typer.Context,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case, by its number or name.")],
    form: Annotated[
        str, typer.Option("--format", metavar="F", help="line-list (.xlsx), graphml, report (.pdf) or sormas (.csv).")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write it.")],
    identities: Annotated[
        bool, typer.Option("--identities", help="Say who everybody is; takes an approved reveal, which this uses up.")
    ] = False,
    reveal: Annotated[
        int | None, typer.Option(min=1, metavar="R", help="With --identities: the approved reveal of this line list.")
    ] = None,
    url: Annotated[
        str, typer.Option(metavar="URL", help="Of a report: the server's address, to which its codes lead.")
    ] = "",
    key_file: KeyFile = "",
) -> int:
    """Write a case to a file, persons by pseudonym; who they are takes a reveal."""
    # The libraries that write files take a while, and other commands need none.
    from sudonglian.trace.casework.exports import making

    console: Console = context.obj
    if identities != (reveal is not None):
        raise UsageRefused("--identities and --reveal need each other", place="--reveal")
    if url and not url.startswith(("http://", "https://")):
        raise UsageRefused(f"{url[:80]!r} is not a URL like https://trace.example", place="--url")
    making.form_of(form, identities=identities)
    check_writable(output)
    with open_house(console, create=False) as house, working(console, "writing"):
        act = here(house, token_in(key_file), Scope.case)
        if reveal is None:
            k = console.settings.smallest_count
            made = making.export(house.store, house.keys, case, act, form, console.lang, tell, k=k, url=url)
        else:
            made = making.export_identities(house.store, house.keys, case, act, form, console.lang, tell, reveal)
    write_file(output, made.body)
    line = console.text("{file}: {members} members, from {count} traces", file=output, members=made.members, count=len(made.documents))  # fmt: skip
    console.emit(exported_json(made, str(output)), [line])
    return DONE


def check_export(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A line list, or a list for SORMAS, that was exported here.")
    ],
) -> int:
    """Check that an exported list is what the case and its traces say, and that the log still gives those traces."""
    from sudonglian.trace.casework.exports import checking

    console: Console = context.obj
    data = read_file(str(file))
    with open_house(console, create=False) as house, working(console, "tracing"):
        checked = checking.check(house.store, house.keys, data)
    document = {
        "ok": checked.is_same,
        "case": checked.case,
        "format": checked.form,
        "rows": checked.rows,
        "differences": [asdict(one) for one in checked.differences],
        "traces": [{"trace": trace, "same": same} for trace, same in checked.traces.items()],
    }
    lines = [
        console.text("row {row}, {column}: {found!r} should be {expected!r}", **asdict(one))
        for one in checked.differences
    ]
    for trace, same in checked.traces.items():
        if same:
            lines.append(console.text("trace {trace}: the log gives the same document", trace=trace))
        else:
            lines.append(console.text("trace {trace}: the log gives ANOTHER document", trace=trace))
    if checked.is_same:
        lines.append(console.text("{rows} rows, all as the case has them", rows=checked.rows))
    console.emit(document, lines)
    return DONE if checked.is_same else REFUSED


def register(root: typer.Typer) -> None:
    """Add these commands to those of a case."""
    root.command()(export)
    root.command("check-export")(check_export)
