"""Make a kept answer of a trace again, and compare.

tracing.md §6 (a trace is evidence); docs/spec/trace-document.md §11. The log is read and derived from its first record.
"""

from typing import Annotated

import typer

from sudonglian.api.console import DONE, REFUSED, Console
from sudonglian.api.wiring import open_house
from sudonglian.trace.casework.again import again
from sudonglian.trace.engine.result import hash_of


def retrace(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The trace, as its answer names it.")],
) -> int:
    """Answer a kept trace again from the log as it was then, and say whether every byte is the same."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        found = again(house.store, number)
    document = {
        "trace": number,
        "edition": found.edition,
        "same": found.is_same,
        "document_hash": hash_of(found.kept),
        "made_hash": hash_of(found.made),
    }
    if found.is_same:
        lines = [console.text("the same, byte for byte: {made_hash}", **document)]
    else:
        lines = [console.text("DIFFERENT: kept {document_hash}, made again {made_hash}", **document)]
    console.emit(document, lines)
    return DONE if found.is_same else REFUSED


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(retrace)
