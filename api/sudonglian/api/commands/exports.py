"""The command that takes a case along as a file: its line list, network, report, or a list for SORMAS.

docs/cases.md (Take it with you); docs/decisions/0840 to 0844. Identities only out of an approved reveal.
"""

from pathlib import Path
from typing import Annotated

import typer

from sudonglian.api.commands.reveals import KeyFile, token_in
from sudonglian.api.console import DONE, Console, check_writable, write_file
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


def register(root: typer.Typer) -> None:
    """Add these commands to those of a case."""
    root.command()(export)
