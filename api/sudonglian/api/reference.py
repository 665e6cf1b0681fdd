"""The reference of the command line, as Markdown, from the commands' own help: docs/cli.md.

House rule: a test fails when a command is undocumented. Written again by `python -m sudonglian.api.reference`.
"""

import sys
from collections.abc import Iterator
from typing import Any, Final

from sudonglian.api.cli import build
from sudonglian.api.console import tell

WIDTH: Final = 100
"""Columns; a terminal's own width must not change a committed file."""

HEADING: Final = """# Commands

Written by `python -m sudonglian.api.reference > docs/cli.md`; a test compares.
The JSON of each command is described in the module that holds it, and stays: keys may be added, none is removed.
`sudonglian-verify` is the auditor's program, and needs the base install alone: `sudonglian-verify --help`."""


def pages(command: Any, name: str, parent: Any = None) -> Iterator[str]:
    """Yield the help of a command and of those under it."""
    context = command.context_class(command, info_name=name, parent=parent, terminal_width=WIDTH)
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```"
    for inner, found in getattr(command, "commands", {}).items():
        yield from pages(found, inner, context)


def render() -> str:
    """Return the whole reference."""
    return "\n\n".join([HEADING, *pages(build("en"), "sudonglian")]) + "\n"


if __name__ == "__main__":
    tell(sys.stdout, render(), end="")
