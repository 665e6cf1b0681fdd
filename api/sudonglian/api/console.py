"""The console: one JSON document or a person's lines on standard output, all other words on standard error.

interfaces.md (commands and their JSON).
"""

import io
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from sudonglian.api.errors import FileUnreadable, sentence
from sudonglian.api.settings import Lang, Settings
from sudonglian.api.words import translate
from sudonglian.chain.errors import SudonglianError

DONE: Final = 0
REFUSED: Final = 1
INDETERMINATE: Final = 2
USAGE: Final = 64
INTERRUPTED: Final = 130
"""What shells give a program that ^C ended."""

ERASE_REST: Final = "\x1b[K"
"""What makes a terminal forget the rest of a longer line."""

STANDARD_INPUT: Final = "-"

MAX_FILE_BYTES: Final = 16 * 1024 * 1024
"""No document, trust file or checkpoint that its reader takes is larger; what never ends must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Console:
    """How one run of a command speaks, and the settings that it runs with."""

    settings: Settings
    lang: Lang
    json: bool

    def say(self, english: str, **values: object) -> None:
        """Tell something to whoever watches."""
        tell(sys.stderr, self.text(english, **values))

    def text(self, english: str, **values: object) -> str:
        """Return a sentence in the person's language."""
        return translate(self.lang, english, **values)

    def emit(self, document: Mapping[str, object], lines: Iterable[str]) -> None:
        """Give the answer: the document with --json, else the lines."""
        if self.json:
            tell(sys.stdout, json.dumps(document, ensure_ascii=False))
        else:
            for line in lines:
                tell(sys.stdout, line)

    def refuse(self, error: SudonglianError, code: int) -> int:
        """Tell an error, in the document too if one is expected, and return the exit code."""
        self.warn(error)
        if self.json:
            told = {"code": error.slug, "place": error.place, "message": error.reason}
            tell(sys.stdout, json.dumps({"error": told}, ensure_ascii=False))
        return code

    def warn(self, error: SudonglianError) -> None:
        """Tell an error in one line."""
        heading = self.text(f"error:{error.slug}")
        known = not heading.startswith("error:")
        place = f"{error.place}: " if error.place else ""
        line = " ".join(f"{error.slug}: {place}{sentence(error, self.lang)}".split())
        tell(sys.stderr, f"{heading} — {line}" if known else line)

    def status(self, text: str) -> None:
        """Show where long work is, or with no text that it is over; on a terminal the next line replaces it."""
        if sys.stderr.isatty():
            tell(sys.stderr, f"\r{text}{ERASE_REST}", "\r")
        elif text:
            tell(sys.stderr, text)


def tell(stream: TextIO, text: str, end: str = "\n") -> None:
    """Write a line, at once."""
    # A terminal may show on this line how far long work is.
    rest = ERASE_REST if end == "\n" and stream is sys.stderr and stream.isatty() else ""
    stream.write(f"{text}{rest}{end}")
    stream.flush()


def prepare_streams() -> None:
    """Let no terminal's encoding turn a name into an error; JSON is UTF-8 whatever the terminal is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def read_file(name: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of a file, or of standard input for `-`: all, or one more than the limit, which refuses them."""
    if not name:
        raise FileUnreadable("the name of the file is empty", place="FILE")
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read(limit + 1)
        with open(name, "rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise FileUnreadable(_reason(error), place=name) from error


def check_writable(path: Path) -> None:
    """Refuse a file that could not be written, before the work that it is for."""
    if path.is_dir():
        raise FileUnreadable("is a folder", place=str(path))
    if not path.parent.is_dir():
        raise FileUnreadable("its folder is not there", place=str(path))
    if not os.access(path.parent, os.W_OK):
        raise FileUnreadable("its folder may not be written to", place=str(path))


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    check_writable(path)
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except (OSError, ValueError) as error:
        raise FileUnreadable(_reason(error), place=str(path)) from error


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "not a file name"
