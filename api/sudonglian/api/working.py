"""Long work that says so: nothing while it is short, then what is being done, how far, and for how long.

On a terminal it is one line that is written over, elsewhere a line now and then: a log is not flooded.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from sudonglian.api.console import Console

FIRST_S: Final = 2.0
"""What takes longer makes a person wonder."""

TERMINAL_S: Final = 0.5
LOG_S: Final = 30.0


class Work:
    """How far a piece of work is, as far as it says."""

    def __init__(self) -> None:
        self.far: Callable[[], str] = lambda: ""
        """Asked from another thread, now and then."""

    def at(self, done: int, total: int | None = None) -> None:
        """Say how much is done, and of how much if that is known."""
        self.far = lambda: str(done) if total is None else f"{done}/{total}"


@contextmanager
def working(console: Console, english: str) -> Iterator[Work]:
    """Tell on standard error that this is being done, as long as it is; the work itself never waits for that."""
    work, over = Work(), Event()
    what, began = console.text(english), time.monotonic()

    def tell() -> None:
        wait_s = FIRST_S
        while not over.wait(wait_s):
            took = int(time.monotonic() - began)
            far = work.far()
            console.status(f"{what}… {far}{' ' if far else ''}({took // 60}:{took % 60:02})")
            wait_s = TERMINAL_S if sys.stderr.isatty() else LOG_S

    thread = Thread(target=tell, name="working", daemon=True)
    thread.start()
    try:
        yield work
    finally:
        over.set()
        thread.join()
        console.status("")
