"""The worker: seals what waits, walks the newest seal to a final anchor, and tells servers what is to be told.

docs/anchoring.md; service.md (storage and work): safe to kill at any moment, exactly one anchors at a time.
"""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any, Final

from sudonglian.api.console import DONE, Console, tell
from sudonglian.api.webhook_delivery import delivering
from sudonglian.api.wiring import House
from sudonglian.chain.errors import ChainError, SudonglianError
from sudonglian.chain.wallet import checksum_address
from sudonglian.records import anchoring, derive, retention, sequencer
from sudonglian.records.anchor_book import AnchorMoved
from sudonglian.records.anchor_work import Progress, Unfunded
from sudonglian.records.store import StoreError

POLL_S: Final = 0.5
"""How soon a seal that is due is made, and a block that was mined is seen."""

IDLE_LOOK_S: Final = 15.0
"""How often the chain is looked at when nothing is under way: that is how a lost chain or a reorganisation shows."""

RETAIN_LOOK_S: Final = 60.0
"""How often it is asked whether a day has passed since people were last erased whose time is over."""

BACK_OFF_S: Final = 30.0
"""The longest pause after errors in a row; a node that restarts is away for seconds."""


PASSING: Final = (ChainError, StoreError, Unfunded, AnchorMoved)
"""What time or an operator mends while the worker goes on; every other refusal ends it, and docs/anchoring.md says why.
"""

QUIET: Final = frozenset({"idle", "busy", "waiting", "succession"})
"""What a step says when nothing happened; it is told once, not at every look."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done: a word for machines, a sentence for people, and its values."""

    step: str
    words: str
    values: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
    """When it was done, which may be long before it is told."""


def seal(house: House, now: datetime) -> list[Step]:
    """Seal all that waits now; captures go on while it is worked out what the seal will hold."""
    with house.store.read() as connection:
        drafted = sequencer.draft(connection)
    with house.store.write() as connection:
        checkpoint = sequencer.seal(connection, house.keys, now, drafted)
    if checkpoint is None:
        return []
    values = {"size": checkpoint.size, "root": checkpoint.root.hex()}
    return [Step("sealed", "sealed: log size {size}, root {root}", values)]


def seal_if_due(house: House, now: datetime) -> list[Step]:
    """Seal if enough entries wait, or one has waited long enough."""
    settings = house.settings
    with house.store.read() as connection:
        due = sequencer.due(connection, now, settings.seal_every, timedelta(seconds=settings.seal_after_s))
    return seal(house, now) if due else []


def retain_if_due(house: House, now: datetime) -> list[Step]:
    """Erase a batch of those whose time is over, if that was last done a day ago; the rest at the next turns.

    A deployment's first day is free of it: whoever tries the samples, whose events lie years back, sees their people.
    """
    if not house.settings.retains:
        return []
    with house.store.read() as connection:
        last_us = retention.last_run_us(connection)
    last = house.created if last_us is None else derive.moment(last_us)
    if now - last < retention.EVERY:
        return []
    done, is_over = retention.run(house.store, house.keys, now, batches=1)
    if not done.receipts:
        return []
    erased = {"erased": len(done.receipts)}
    if is_over:
        return [Step("retained", "retention: {erased} persons erased", erased)]
    return [Step("retained", "retention: {erased} persons erased, more to come", erased)]


def anchor(house: House) -> list[Step]:
    """Take the newest seal as far towards a final anchor as the chain lets it."""
    done = anchoring.advance(house.store, house.network, house.wallet, house.anchoring(), lambda: datetime.now(UTC))
    return [told(progress) for progress in done]


def run(console: Console, house: House, *, once: bool = False) -> int:
    """Work until SIGTERM or ^C, or once through; return the exit code."""
    with _until_signalled() as stopping:
        done = loop(console, house, stopping, once=once)
    console.emit({"stopped": True, "steps": done}, [console.text("the worker has stopped")])
    return DONE


def loop(console: Console, house: House, stopping: threading.Event, *, once: bool = False) -> dict[str, int]:
    """Work until `stopping` is set, or once through; return how often each step was done.

    Nothing is sealed before the chain has been looked at: a log that is behind its own anchors must not grow.

    Raises
    ------
    SudonglianError
        What neither time nor an operator mends while the worker goes on (docs/anchoring.md).
    """
    done: dict[str, int] = {}
    turns = _Loop(house)
    with delivering(console, house.store, house.keys, house.settings.webhook_hosts) as deliverer:
        while not stopping.is_set():
            for step in turns.turn():
                done[step.step] = done.get(step.step, 0) + 1
                report(console, step)
            if once and turns.is_done:
                deliverer.turn()
                break
            stopping.wait(turns.pause_s)
    return done


class _Loop:
    """What the worker remembers from one turn to the next."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.pause_s = POLL_S
        self.is_done = False
        self._has_looked = False
        self._look_at = 0.0
        self._retain_at = 0.0
        self._said = ""

    def turn(self) -> list[Step]:
        """Do all that is due now; errors that pass lengthen the pause."""
        steps: list[Step] = []
        try:
            if self._has_looked:
                steps += seal_if_due(self.house, datetime.now(UTC))
                steps += self._retain()
            if steps or time.monotonic() >= self._look_at:
                steps += anchor(self.house)
                idle = steps[-1].step == "idle"
                self._look_at = time.monotonic() + (IDLE_LOOK_S if idle else 0.0)
                self.is_done = self._has_looked and steps[-1].step in QUIET
                self._has_looked = True
            self.pause_s = POLL_S
        except Unfunded as error:
            steps.append(self._funded() or self._passing(error))
        except PASSING as error:
            steps.append(self._passing(error))
        return [step for step in steps if self._is_news(step)]

    def _retain(self) -> list[Step]:
        if time.monotonic() < self._retain_at:
            return []
        done = retain_if_due(self.house, datetime.now(UTC))
        # What was erased may not have been all.
        self._retain_at = time.monotonic() + (0.0 if done else RETAIN_LOOK_S)
        return done

    def _passing(self, error: SudonglianError) -> Step:
        self.pause_s = min(self.pause_s * 2, BACK_OFF_S)
        return Step(error.slug, "{error}", {"error": error.diagnostics()})

    def _funded(self) -> Step | None:
        """Take funds from a development node that came back empty, and so without what it gave at the start."""
        try:
            address = self.house.wallet.address
            if not self.house.fund_on_a_local_node(address):
                return None
        except ChainError as error:
            return self._passing(error)
        self.pause_s = POLL_S
        return Step(
            "funded", "the local node's own account gave funds to {address}", {"address": checksum_address(address)}
        )

    def _is_news(self, step: Step) -> bool:
        said, self._said = self._said, f"{step.step} {step.values}"
        return self._said != said


def report(console: Console, step: Step) -> None:
    """Tell one step on standard error: a sentence, or with --json a line of JSON."""
    at = step.at.isoformat(timespec="milliseconds")
    if console.json:
        line = {"at": at, "step": step.step, **step.values}
        tell(sys.stderr, json.dumps(line, ensure_ascii=False))
    else:
        tell(sys.stderr, f"{at} {console.text(step.words, **step.values)}")


def told(progress: Progress) -> Step:
    """Return what a step of anchoring did, as it is told."""
    values = {
        "size": progress.size,
        "detail": progress.detail,
        "block": progress.block_number,
        "tx": progress.tx_hash.hex() if progress.tx_hash else None,
    }
    given = {name: value for name, value in values.items() if value not in (None, "")}
    said = " ".join(f"{name}={{{name}}}" for name in given if name != "detail")
    detail = " ({detail})" if progress.detail else ""
    return Step(progress.did, f"anchoring: {progress.did} {said}{detail}".replace("  ", " ").rstrip(), given)


@contextmanager
def _until_signalled() -> Iterator[threading.Event]:
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
