"""Many bundles in one run: each verdict is told and forgotten; what remains are counts, and a bar that shows how far.

docs/spec/bundle.md rule 14: the exit code of several is that of the worst.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, TextIO

from sudonglian.chain.verify_report import Lang, brief, shown, summary
from sudonglian.chain.verify_steps import Outcome, Verdict

EXIT: Final[dict[Outcome, int]] = {"VALID": 0, "INVALID": 1, "INDETERMINATE": 2}
USAGE: Final = 64
"""EX_USAGE of sysexits.h, for a file that cannot be read too."""

WORST_FIRST: Final = (USAGE, 1, 2, 0)

BAR: Final = 30
"""Characters of the bar."""

REDRAW_S: Final = 0.1
"""Between two drawings of the bar: faster than that nobody reads it."""

LINES: Final = 10
"""How many lines of progress a file or a pipe gets, however many bundles there are."""


class Progress:
    """How far a run is: a bar that redraws itself on a terminal, a few lines elsewhere."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self.stream, self.total = stream, total
        self.terminal = stream.isatty()
        self._drawn = self._at = 0.0

    def show(self, done: int, counts: Counter[str]) -> None:
        """Draw the bar if it is time, or write the next of the few lines."""
        now, told = time.monotonic(), ", ".join(f"{name} {number}" for name, number in counts.items())
        if self.terminal and (now - self._drawn >= REDRAW_S or done == self.total):
            full = BAR * done // self.total
            bar = f"[{'#' * full}{'-' * (BAR - full)}] {done}/{self.total}"
            self._tell(f"\r\x1b[K{bar} {told}", "\n" if done == self.total else "")
            self._drawn = now
        elif not self.terminal and done * LINES // self.total > self._at:
            self._tell(f"{done}/{self.total} {told}", "\n")
            self._at = done * LINES // self.total

    def clear(self) -> None:
        """Take the bar away before a line is written over it."""
        if self.terminal and self._drawn:
            self._tell("\r\x1b[K", "")
            self._drawn = 0.0

    def _tell(self, text: str, end: str) -> None:
        print(text, end=end, file=self.stream, flush=True)


def judge_all(
    files: Sequence[Path], judge: Callable[[Path], Verdict], out: TextIO, err: TextIO, *, as_json: bool, lang: Lang
) -> int:
    """Tell the verdict on every file, in order, and return the exit code; a file that cannot be read stops nothing."""
    progress, counts, code = Progress(err, len(files)), Counter[str](), 0
    trusted: dict[str, None] = {}
    if as_json:
        print("[", end="", file=out)
    for number, file in enumerate(files, 1):
        try:
            verdict = judge(file)
        except OSError as error:
            reason = error.strerror or str(error)
            counts["unreadable"] += 1
            code = USAGE
            told = json.dumps({"file": str(file), "verdict": None, "error": reason})
            lines = f"{shown(str(file))}: {shown(reason)}"
        else:
            counts[verdict.verdict] += 1
            code = min(code, EXIT[verdict.verdict], key=WORST_FIRST.index)
            trusted |= dict.fromkeys(verdict.trusted)
            told = json.dumps({"file": str(file)} | asdict(verdict)) if as_json else ""
            lines = brief(str(file), verdict, lang)
        if out.isatty():
            progress.clear()
        if as_json:  # ASCII, so that it is the same document on a terminal of any encoding
            print(told, end=",\n" if number < len(files) else "]\n", file=out)
        else:
            print(lines, file=out)
        progress.show(number, counts)
    if not as_json:
        print(summary(counts, tuple(trusted), lang), file=out)
    return code
