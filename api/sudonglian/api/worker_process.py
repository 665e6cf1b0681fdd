"""The worker of a server, in a process of its own: sealing and anchoring take no time from whoever answers requests.

docs/decisions/0621, 0614; docs/anchoring.md. It ends with the process that started it, however that one ends; if it ends
by itself and no refusal says why, another one begins.
"""

import multiprocessing
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from threading import Event, Lock, Thread
from typing import Final

from sudonglian.api import collector, worker
from sudonglian.api.console import Console, prepare_streams, tell
from sudonglian.api.wiring import open_house
from sudonglian.chain.errors import SudonglianError
from sudonglian.records.store import StoreError

UNEXPECTED: Final = "unexpected"
"""What ended a worker that met an error that nobody foresaw, or was killed."""

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""Before another worker begins: a machine without memory, or an error that is met at once, must not be met in a loop."""

STEADY_S: Final = 60.0
"""A worker that worked so long counts as well again: the next pause is the first one."""


class WorkerProcess:
    """One worker beside this process; who is told if it ends before it is stopped, and if another one has begun."""

    def __init__(
        self, console: Console, ended: Callable[[str], None], begun: Callable[[], None] = lambda: None
    ) -> None:
        # Not forked: threads and connections of this process would come along, and locks that nobody lets go.
        self._context = multiprocessing.get_context("spawn")
        self._console = console
        self._ended, self._begun = ended, begun
        self._stopping = Event()
        self._beginning = Lock()
        self._begin()
        self._watching = Thread(target=self._watch, name="worker", daemon=True)
        self._watching.start()

    def stop(self) -> None:
        """Let the worker end what it is at, and wait for it."""
        with self._beginning:
            self._stopping.set()
            self._process.terminate()
        self._watching.join()

    def _begin(self) -> None:
        told, telling = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_work, args=(self._console, telling), name="worker", daemon=True)
        try:
            process.start()
        except OSError:
            told.close()
            raise
        finally:
            telling.close()  # the worker's alone: its end is then the end of what it tells
        self._process, self._told, self._since = process, told, time.monotonic()

    def _watch(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            slug = self._end()
            if self._stopping.is_set():
                return
            self._ended(slug)
            if slug != UNEXPECTED:
                return  # a refusal: docs/anchoring.md says what mends it, and time does not
            if time.monotonic() - self._since >= STEADY_S:
                pause_s = FIRST_PAUSE_S
            code = self._process.exitcode or 0
            if code < 0:
                self._console.say("the worker was killed by signal {signal}", signal=-code)
            else:
                self._console.say("the worker ended with exit code {code}", code=code)
            while not self._is_begun_after(pause_s):
                if self._stopping.is_set():
                    return
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            self._begun()

    def _is_begun_after(self, pause_s: float) -> bool:
        """Begin another worker after a pause; say whether there is one now."""
        self._console.say("another worker begins in {pause} s", pause=f"{pause_s:g}")
        self._stopping.wait(pause_s)
        with self._beginning:
            if self._stopping.is_set():
                return False
            try:
                self._begin()
            except OSError as error:
                self._console.say("no worker could be started: {reason}", reason=error.strerror)
                return False
        return True

    def _end(self) -> str:
        """Wait for the end of the worker; return what ended it."""
        try:
            slug = str(self._told.recv())
        except (EOFError, OSError):
            slug = UNEXPECTED
        self._told.close()
        self._process.join()
        return slug


def _work(console: Console, telling: Connection) -> None:
    """Be the worker, until a signal or the end of whoever started it; tell what else ended it."""
    prepare_streams()
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    Thread(target=_until_orphaned, args=(stopping,), name="orphaned", daemon=True).start()
    try:
        _work_until(console, stopping)
    except SudonglianError as error:
        tell(sys.stderr, error.diagnostics())
        telling.send(error.slug)
    except Exception as error:  # noqa: BLE001  reading and capturing go on; an operator sees it in /readyz
        from sudonglian.api.http import edge

        edge.log_error({}, error)
        telling.send(UNEXPECTED)


def _work_until(console: Console, stopping: Event) -> None:
    pause_s = worker.POLL_S
    while not stopping.is_set():
        try:
            with open_house(console) as house:
                collector.spare()
                worker.loop(console, house, stopping)
        except StoreError as error:
            # Away just when it was to be opened. Once it is open, the worker itself waits for a database that goes away.
            tell(sys.stderr, error.diagnostics())
            stopping.wait(pause_s)
            pause_s = min(pause_s * 2, worker.BACK_OFF_S)


def _until_orphaned(stopping: Event) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    stopping.set()
