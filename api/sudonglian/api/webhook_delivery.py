"""Delivery: the thread of a worker that tells servers what waits for them, one deliverer for a store at a time.

docs/webhooks.md; docs/decisions/0823. Killed at any moment, another one goes on: what was not written down as taken is
told again, under the same name.
"""

import sys
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from sudonglian.api.console import Console, tell
from sudonglian.api.webhook_sending import GONE, Outcome, send
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import outbox, webhooks
from sudonglian.records.keys import Keys
from sudonglian.records.outbox import Told
from sudonglian.records.sole import sole
from sudonglian.records.store import Store, StoreError
from sudonglian.records.webhooks import Webhook
from sudonglian.trace.casework import terms

WORK: Final = "webhooks"

POLL_S: Final = 0.5
"""How soon something that is to be told is looked for."""

TERMS_EVERY: Final = timedelta(seconds=10)
"""How often it is looked which times have passed."""

FORGET_EVERY: Final = timedelta(hours=1)

BACK_OFF_S: Final = 30.0

LANES: Final = 8
"""Servers that are told at once: one that does not answer keeps no other waiting."""

Clock = Callable[[], datetime]


class Deliverer:
    """Tells what waits; each server one message at a time, several servers at once."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        inside: Collection[str],
        clock: Clock = lambda: datetime.now(UTC),
        stopping: threading.Event | None = None,
    ) -> None:
        self._store, self._keys, self._inside, self._clock = store, keys, inside, clock
        self._stopping = stopping or threading.Event()
        self._terms_at = self._forget_at = datetime.min.replace(tzinfo=UTC)

    def turn(self) -> int:
        """Tell all that is due now; return how many attempts were made. Nothing if another one is at it."""
        now = self._clock()
        if now < min(self._terms_at, self._forget_at) and not self._due():
            return 0
        with sole(self._store, WORK) as free:
            if not free:
                return 0
            self._keep_time(now)
            first = self._due()
            if not first:
                return 0
            with ThreadPoolExecutor(LANES, thread_name_prefix="webhook") as pool:
                return sum(pool.map(self._lane, first))

    def _due(self) -> list[Told]:
        with self._store.read() as connection:
            return outbox.due(connection, self._clock())

    def _keep_time(self, now: datetime) -> None:
        if now >= self._terms_at:
            terms.announce(self._store, now)
            self._terms_at = now + TERMS_EVERY
        if now >= self._forget_at:
            with self._store.write() as connection:
                outbox.forget(connection, now)
            self._forget_at = now + FORGET_EVERY

    def _lane(self, one: Told | None) -> int:
        """Tell a server what is due, until an attempt fails or nothing is left; return how many attempts there were."""
        attempts = 0
        while one is not None and not self._stopping.is_set():
            attempts += 1
            webhook, outcome = self._attempt(one)
            with self._store.write() as connection:
                if outcome.is_taken:
                    outbox.taken(connection, one, self._clock())
                else:
                    outbox.not_taken(connection, one, outcome.why, self._clock(), for_good=outcome.status == GONE)
            one = self._next(webhook) if outcome.is_taken else None
        return attempts

    def _attempt(self, one: Told) -> tuple[Webhook, Outcome]:
        with self._store.read() as connection:
            webhook = webhooks.by_id(connection, one.webhook)
        if webhook.ended_us is not None:
            return webhook, Outcome(GONE, "the webhook has ended")
        try:
            secret = webhooks.secret_of(self._keys, webhook)
        except SudonglianError as error:
            return webhook, Outcome(0, f"its secret does not open: {error.slug}")
        return webhook, send(webhook.url, self._inside, secret, one.name, one.body, self._clock())

    def _next(self, webhook: Webhook) -> Told | None:
        return next((it for it in self._due() if it.webhook == webhook.id), None)


@contextmanager
def delivering(console: Console, store: Store, keys: Keys, inside: Collection[str]) -> Iterator[Deliverer]:
    """Deliver beside other work until this is left; attempts that are under way then end first."""
    stopping = threading.Event()
    deliverer = Deliverer(store, keys, inside, stopping=stopping)
    thread = threading.Thread(target=_run, args=(console, deliverer, stopping), name="webhooks", daemon=True)
    thread.start()
    try:
        yield deliverer
    finally:
        stopping.set()
        thread.join()


def _run(console: Console, deliverer: Deliverer, stopping: threading.Event) -> None:
    pause_s, said = POLL_S, ""
    while not stopping.wait(pause_s):
        try:
            deliverer.turn()
            pause_s, said = POLL_S, ""
        except StoreError as error:
            if said != error.diagnostics():
                tell(sys.stderr, said := error.diagnostics())
            pause_s = min(pause_s * 2, BACK_OFF_S)
        except Exception as error:  # noqa: BLE001  sealing goes on; what waits is told when this is mended
            from sudonglian.api.http import edge

            edge.log_error({}, error)
            pause_s = min(pause_s * 2, BACK_OFF_S)
