"""The worker of a server, in a process of its own: sealing and anchoring take no time from whoever answers requests.

docs/decisions/0621; docs/anchoring.md. It ends with the process that started it, however that one ends.
"""

import multiprocessing
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from threading import Event, Thread
from typing import Final

from sudonglian.api import worker
from sudonglian.api.console import Console, prepare_streams, tell
from sudonglian.api.wiring import open_house
from sudonglian.chain.errors import SudonglianError
from sudonglian.records.store import StoreError

UNEXPECTED: Final = "unexpected"
"""What ended a worker that met an error that nobody foresaw, or was killed."""


class WorkerProcess:
    """One worker beside this process, and who is told if it ends before it is stopped."""

    def __init__(self, console: Console, ended: Callable[[str], None]) -> None:
        # Not forked: threads and connections of this process would come along, and locks that nobody lets go.
        context = multiprocessing.get_context("spawn")
        self._ended = ended
        self._stopping = False
        self._told, telling = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(console, telling), name="worker", daemon=True)
        self._process.start()
        telling.close()
        self._watching = Thread(target=self._watch, name="worker", daemon=True)
        self._watching.start()

    def stop(self) -> None:
        """Let the worker end what it is at, and wait for it."""
        self._stopping = True
        self._process.terminate()
        self._watching.join()

    def _watch(self) -> None:
        try:
            slug = str(self._told.recv())
        except EOFError:
            slug = UNEXPECTED
        self._process.join()
        if not self._stopping:
            self._ended(slug)


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
