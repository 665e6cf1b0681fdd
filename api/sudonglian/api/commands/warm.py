"""The command that compiles what a machine's first large trace would else wait for.

docs/decisions/0355.
"""

import typer

from sudonglian.api.console import DONE, Console
from sudonglian.api.working import working


def warm(context: typer.Context) -> int:
    """Compile the kernels for large traces, which a machine's first one would else wait half a minute for."""
    console: Console = context.obj
    # The compiler takes half a second to load.
    from sudonglian.trace.engine.stays.warming import warm as compile_all

    with working(console, "compiling") as work:
        compile_all(work.at)
    console.emit({"compiled": True}, [console.text("compiled: large traces begin at once on this machine")])
    return DONE


def register(root: typer.Typer) -> None:
    """Add the command to the program."""
    root.command()(warm)
