"""The passphrase of a keyfile: from a file, the settings or whoever sits at the terminal; never from an argument.

docs/decisions/0413.
"""

import sys
from typing import Final

import typer

from sudonglian.api.console import Console, read_file
from sudonglian.api.errors import UsageRefused

MAX_BYTES: Final = 4_096

SOURCES: Final = "--passphrase-file"


def passphrase(console: Console, file: str, *, twice: bool = False) -> str:
    """Return the passphrase; asked for `twice` if it is a new one.

    Raises
    ------
    UsageRefused
        There is none, an empty one, or nobody to ask.
    """
    if file:
        try:
            found = read_file(file, MAX_BYTES).decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UsageRefused("the passphrase is not UTF-8", place=file) from error
        if len(found) >= MAX_BYTES:
            raise UsageRefused("too long for a passphrase", place=file)
    elif console.settings.passphrase is not None:
        found = console.settings.passphrase
    elif sys.stdin.isatty():
        found = str(
            typer.prompt(
                console.text("passphrase of the keyfile"), hide_input=True, confirmation_prompt=twice, err=True
            )
        )
    else:
        raise UsageRefused("there is no terminal to ask on: give it, or set SUDONGLIAN_PASSPHRASE", place=SOURCES)
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise UsageRefused("the passphrase is not UTF-8", place=SOURCES) from error
    if not found:
        raise UsageRefused("the passphrase is empty", place=SOURCES)
    return found
