"""Where the time of a capture goes: each stage of real requests, told apart by watching the functions that do it.

`scripts/bench capture stages` runs this, for each database in a process of its own; docs/capture-speed.md shows a run.
"""

import asyncio
import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from capture_events import Day  # type: ignore[import-not-found]

DOCUMENT: Final = 100
SEALED_EVERY: Final = 10
"""Documents between two seals: SUDONGLIAN_SEAL_EVERY is 1,000 entries."""

TOLD: Final = {
    "parse": "JSON read into the canonical model",
    "schema": "schema",
    "plain event": "plain event: contexts, prefixes",
    "rules": "extensions, check digits, sensors, meaning of events and of the document",
    "derive": "identifiers, canonical bytes, digests of sameness",
    "record": "record sealed with fresh salts, checked, hashed",
    "vault": "people: looked up, encrypted",
    "known": "looked for among what is known",
    "rows": "rows written",
    "taking": "the rest of taking: receipts, rows made",
    "job": "job written, answer made",
    "commit": "commit",
    "HTTP": "HTTP, API key, routing, log line",
    "lots": "worker: records read again, lot chains and map",
    "log": "worker: the rest of a seal (log's nodes, places, checkpoint)",
    "anchor": "worker: anchor on the embedded chain",
}


HELD: Final = {"HTTP": "captures", "log": "seals", "anchor": "anchoring"}
"""Who holds the write, by the stage around everything that it does."""


class Watch:
    """Time by stage: what runs inside of another stage counts for the inner one alone."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}
        self.held: dict[str, list[float]] = {}
        """For how long transactions that write were open, by who held them."""
        self._stack: list[str] = []
        self._since = self._clocks()

    def stage(self, name: str) -> "contextlib.AbstractContextManager[None]":
        """Count what happens inside for a stage."""
        return self._entered(name)

    def around(self, holder: Any, name: str, stage: str) -> None:
        """Watch a function where it is looked up."""
        watched: Callable[..., Any] = getattr(holder, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            with self._entered(stage):
                return watched(*arguments, **named)

        setattr(holder, name, timed)

    def holding(self, holder: Any) -> None:
        """Watch the transactions that write, from when they are open to when they are committed."""
        write: Callable[[Any], Any] = holder.write

        @contextlib.contextmanager
        def timed(store: Any) -> Any:
            with contextlib.ExitStack() as open_until:
                connection = open_until.enter_context(write(store))
                began = self._clocks()
                yield connection
                open_until.close()
                held = self.held.setdefault(self._stack[0] if self._stack else "", [0.0, 0.0])
                for place, now in enumerate(self._clocks()):
                    held[place] += now - began[place]

        holder.write = timed

    @contextlib.contextmanager
    def _entered(self, stage: str) -> Any:
        self._count()
        self._stack.append(stage)
        try:
            yield
        finally:
            self._count()
            self._stack.pop()

    def _count(self) -> None:
        now = self._clocks()
        if self._stack:
            spent = self.spent.setdefault(self._stack[-1], [0.0, 0.0])
            for place in (0, 1):
                spent[place] += now[place] - self._since[place]
        self._since = now

    @staticmethod
    def _clocks() -> tuple[float, float]:
        return time.process_time(), time.perf_counter()


def watched() -> Watch:
    """Return a watch around the functions that do the stages."""
    from sqlalchemy.engine import Connection

    from sudonglian.api.http import captures
    from sudonglian.records import bulk, intake, jobs, judging, lots, vault
    from sudonglian.records.epcis import check
    from sudonglian.records.store import Store

    watch = Watch()
    for holder, name, stage in (
        (judging, "read_document", "parse"),
        (check, "check_schema", "schema"),
        (check, "plain_under", "plain event"),
        (judging, "examine", "rules"),
        (judging, "by_document", "rules"),
        (captures, "judge", "derive"),
        (intake, "seal_record", "record"),
        (vault, "admit", "vault"),
        (vault, "seal", "vault"),
        (intake, "_known", "known"),
        (bulk, "put", "rows"),
        (bulk, "numbers", "rows"),
        (intake, "take", "taking"),
        (jobs, "add", "job"),
        (captures, "_kept", "job"),
        (captures, "document", "job"),
        (Connection, "_commit_impl", "commit"),
        (lots, "extension", "lots"),
    ):
        watch.around(holder, name, stage)
    watch.holding(Store)
    return watch


async def post(app: Any, token: str, body: bytes) -> None:
    """Send one capture through the whole application."""
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/epcis/v2/capture",
        "raw_path": b"/epcis/v2/capture",
        "query_string": b"",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": headers,
        "state": {},
    }
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    if said[0]["status"] != 202:
        raise RuntimeError(said)


def measure(documents: int) -> dict[str, Any]:
    """Capture, seal and anchor; return microseconds an event by stage, of the processor and of the clock."""
    from sudonglian.api import settings, worker
    from sudonglian.api.console import Console
    from sudonglian.api.http.app import create_app
    from sudonglian.api.http.door import Door
    from sudonglian.api.wiring import open_house
    from sudonglian.records import api_keys

    now = datetime.now(UTC)
    day = Day(3, now)
    told = Console(settings.read(), "en", True)
    with contextlib.redirect_stderr(io.StringIO()), open_house(told) as house:
        with house.store.write() as connection:
            _, token = api_keys.create(connection, "bench", ["capture"], now, submitter=day.firm)
        app = create_app(Door(house.store, house.keys, 10, 0), background=False)

        def work(watch: Watch) -> None:
            with watch.stage("log"):
                worker.seal(house, datetime.now(UTC))
            with watch.stage("anchor"):
                worker.anchor(house)

        async def run() -> Watch:
            for _ in range(2):
                await post(app, token, day.body(DOCUMENT))
            work(Watch())
            watch = watched()
            for _ in range(documents):
                for body in [day.body(DOCUMENT) for _ in range(SEALED_EVERY)]:
                    with watch.stage("HTTP"):
                        await post(app, token, body)
                work(watch)
            return watch

        watch = asyncio.run(run())
    events = documents * SEALED_EVERY * DOCUMENT

    def each(spent: dict[str, list[float]], stages: Iterable[str]) -> dict[str, list[float]]:
        return {stage: [round(1_000_000 * one / events, 1) for one in spent.get(stage, (0.0, 0.0))] for stage in stages}

    return {**each(watch.spent, TOLD), "held": each(watch.held, HELD)}


def table(told: dict[str, Any]) -> str:
    """Return the stages of both databases as a table."""
    lines = ["| µs an event, of the processor (and of the clock) | SQLite | PostgreSQL |", "|---|---|---|"]
    sums = {kind: [0.0, 0.0] for kind in ("sqlite", "postgresql")}
    for stage, meaning in TOLD.items():
        shown = []
        for kind, total in sums.items():
            cpu, clock = told[kind][stage]
            total[0], total[1] = total[0] + cpu, total[1] + clock
            shown.append(f"{cpu:.0f} ({clock:.0f})")
        lines.append(f"| {meaning} | {shown[0]} | {shown[1]} |")
    lines.append("| **all** | " + " | ".join(f"**{one[0]:.0f}** ({one[1]:.0f})" for one in sums.values()) + " |")
    for stage, who in HELD.items():
        shown = ["{:.0f} ({:.0f})".format(*told[kind]["held"][stage]) for kind in sums]
        lines.append(f"| of it the write is held by {who} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    folder, number, url = sys.argv[1:4]
    for name in [one for one in os.environ if one.startswith("SUDONGLIAN_")]:
        del os.environ[name]
    os.environ["SUDONGLIAN_DATA"] = folder
    if url:
        os.environ["SUDONGLIAN_DATABASE_URL"] = url
    Path(folder).parent.mkdir(parents=True, exist_ok=True)
    print(json.dumps(measure(int(number))))
