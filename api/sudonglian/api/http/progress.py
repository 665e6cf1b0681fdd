"""Telling how far long work is: the last stage that was reported, told at its own pace by a thread of its own.

docs/decisions/0314: the work never waits for the telling, and a long stage is told though nothing follows it.
"""

from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Self

from sudonglian.trace.engine.progress import Stage


class Progress:
    """A report for the engine; while it is entered, what is new is told every so often, the first time after that."""

    def __init__(self, tell: Callable[[Stage], None], every_s: float) -> None:
        self._tell = tell
        self._every_s = every_s
        self._stage: Stage | None = None
        self._done = Event()
        self._thread = Thread(target=self._work, name="progress", daemon=True)

    def report(self, stage: Stage) -> None:
        """Take note of a stage."""
        self._stage = stage

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _work(self) -> None:
        told: Stage | None = None
        while not self._done.wait(self._every_s):
            stage = self._stage
            if stage is not None and stage != told:
                told = stage
                self._tell(stage)
