"""A server that is killed at any moment has lost nothing that it acknowledged."""

import http.client
import json
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sudonglian.api.http.captures import request_mac
from sudonglian.records import log, sequencer
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

KILLS = 10


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.full])])
def database(request: pytest.FixtureRequest) -> Any:
    if request.param == "sqlite":
        yield None
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield url


def test_acknowledged_captures_survive_kills(
    database: str | None, tmp_path: Path, start_server: Any, make: Any
) -> None:
    chance = random.Random(20260105)
    journal: list[tuple[str, str]] = []
    tokens, env = make.deploy(tmp_path, database)
    numbers = iter(range(500_000, 900_000))
    hits = 0
    for _ in range(KILLS):
        running = start_server(tmp_path, "--no-worker", **env)
        running.tokens = tokens
        busy = threading.Event()

        def send(running: Any = running, busy: threading.Event = busy) -> None:
            while True:
                raw = make.document(*(make.event(next(numbers)) for _ in range(3)))
                try:
                    answer = running.ask("POST", "/epcis/v2/capture", raw, token="firm")
                except (OSError, http.client.HTTPException):
                    return
                if answer.status == 202:
                    job = answer.json
                    assert job["success"]
                    journal.extend((one["record_hash"], job["captureID"]) for one in job["records"])
                    busy.set()

        client = threading.Thread(target=send)
        client.start()
        assert busy.wait(30)
        time.sleep(chance.random() * 0.3)
        running.process.send_signal(signal.SIGKILL)
        assert running.process.wait() == -signal.SIGKILL
        client.join()
        hits += 1
    assert hits == KILLS
    assert len(journal) >= 3 * KILLS
    last = start_server(tmp_path, "--no-worker", **env)
    last.tokens = tokens
    for record, job in journal:
        assert last.ask("GET", f"/records/{record}", token="firm").status == 200
        if job:
            assert last.ask("GET", f"/epcis/v2/capture/{job}", token="firm").json["success"]
    store = Store(database or f"sqlite:///{tmp_path / 'sudonglian.db'}")
    with store.write() as connection:
        checkpoint = sequencer.seal(connection, Keys.open(tmp_path / "keys"), make.now())
        assert checkpoint is not None
        data = b"".join(one for _, one in log.entries(connection))
    store.close()
    assert {record for record, _ in journal if record.encode() not in data} == set()


def test_requests_are_told_apart_by_their_parts() -> None:
    key = bytes(32)
    assert request_mac(key, "ab", b"c") != request_mac(key, "a", b"bc")
    assert request_mac(key, "a", json.dumps({}).encode()) == request_mac(key, b"a", "{}")
