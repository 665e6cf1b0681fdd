"""A running trace says how far it is, through the store: to whoever asks another process than the one that runs it."""

import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.api.http.conftest import deployed, start, stop

from sudonglian.api.http import tracing
from sudonglian.api.http.door import Door
from sudonglian.records import api_keys, jobs
from sudonglian.records.store import Store
from sudonglian.trace.engine.progress import Stage

QUESTION = tracing.TraceAsk.model_validate(
    {"seed": "urn:x:nobody", "at": "2026-01-05T12:00:00+08:00", "purpose": "a drill"}
)
FIRST = {"stage": "facts", "done": 256, "total": 1000, "size": None}
SECOND = {"stage": "possible", "done": 2, "total": None, "size": 31}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Any, jobs.Job, str]]:
    """A store, a server on it, and a job that this process runs: its lease keeps the server's own runner away."""

    def run(url: str | None) -> Iterator[tuple[Store, Any, jobs.Job, str]]:
        with deployed(tmp_path, url) as (store, _, env):
            now = datetime.now(UTC)
            with store.write() as connection:
                key, token = api_keys.create(connection, "tracer", ["trace"], now)
                jobs.add(connection, f"key:{key.id}", "trace", QUESTION.model_dump_json().encode(), now)
                job = jobs.claim(connection, now + 100 * jobs.LEASE)
            assert job is not None
            server = start(tmp_path, **env)
            try:
                yield store, server, job, token
            finally:
                assert stop(server) == 0

    if request.param == "sqlite":
        yield from run(None)
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield from run(url)


def advance(store: Store, job: jobs.Job, progress: dict[str, Any]) -> None:
    with store.write() as connection:
        jobs.advance(connection, job, json.dumps(progress).encode())


def test_progress_is_seen_at_another_process_until_the_job_is_over(watched: Any) -> None:
    store, server, job, token = watched
    path = f"/traces/{job.name}"
    assert server.ask("GET", path, token=token).json["progress"] is None
    advance(store, job, FIRST)
    assert server.ask("GET", path, token=token).json["progress"] == FIRST
    host = urlsplit(server.url)
    connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=60)
    connection.request("GET", f"{path}/events", headers={"Authorization": f"Bearer {token}"})
    stream = events(connection.getresponse())
    assert next(stream) == ("state", {"id": job.name, "state": "running"})
    assert next(stream) == ("progress", {"id": job.name, **FIRST})
    advance(store, job, SECOND)
    assert next(stream) == ("progress", {"id": job.name, **SECOND})
    with store.write() as writing:
        jobs.finish(writing, job, "failed", b'{"code":"x"}', datetime.now(UTC))
    assert [(name, said["state"]) for name, said in stream] == [("state", "failed")]
    connection.close()
    assert server.ask("GET", path, token=token).json["progress"] is None
    # Whoever comes late changes nothing.
    advance(store, job, FIRST)
    assert server.ask("GET", path, token=token).json["progress"] is None


def events(response: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    name = ""
    for raw in response:
        field, _, value = raw.decode().rstrip().partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def test_a_runner_reports_and_the_next_process_begins_anew(tmp_path: Path) -> None:
    with deployed(tmp_path, None) as (store, keys, _):
        now = datetime.now(UTC)
        with store.write() as connection:
            key, _ = api_keys.create(connection, "tracer", ["trace"], now)
            asked = jobs.add(connection, f"key:{key.id}", "trace", QUESTION.model_dump_json().encode(), now)
            job = jobs.claim(connection, now)
        assert job is not None
        door = Door(store, keys, 10, 0)
        tracing.advance(door, job, Stage("certain", 1, 5, 7))
        with store.read() as reading:
            found = jobs.find(reading, f"key:{key.id}", "trace", asked.name)
        assert json.loads(found.progress or b"") == {"stage": "certain", "done": 1, "total": 5, "size": 7}
        with store.write() as connection:
            taken = jobs.claim(connection, now + 2 * jobs.LEASE)
        assert taken is not None
        assert taken.progress is None
        told: list[str] = []
        tracing.run(door, taken, lambda stage: told.append(stage.name))
        assert told[:2] == ["sealing", "records"]
