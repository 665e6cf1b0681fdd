"""The server's worker is a process of its own: it seals, it ends with its server, and its own end shows."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sudonglian.api import settings
from sudonglian.api.console import Console
from sudonglian.api.worker_process import WorkerProcess
from sudonglian.records import bulk, log
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.store import Store
from sudonglian.records.tables import PENDING, RECORDS

ENDS_WITHIN_S = 60


def beside(pid: int) -> list[int]:
    """Return the processes that a process has started and that run a worker."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                is_worker = b"spawn_main" in (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if parent == pid and is_worker:
                found.append(int(entry.name))
    return found


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(ready: Any) -> None:
    until = time.monotonic() + ENDS_WITHIN_S
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def running(tmp_path: Path, start_server: Any, make: Any) -> Any:
    tokens, env = make.deploy(tmp_path, None)
    server = start_server(tmp_path, SUDONGLIAN_SEAL_AFTER="0", **env)
    server.tokens = tokens
    wait_until(lambda: beside(server.process.pid))
    return server


def test_it_seals_what_the_server_takes(running: Any, make: Any, tmp_path: Path) -> None:
    raw = make.document(*(make.event(number) for number in range(3)))
    assert running.ask("POST", "/epcis/v2/capture", raw, token="firm").status == 202
    store = Store(f"sqlite:///{tmp_path / 'sudonglian.db'}")

    def sealed() -> bool:
        with store.read() as connection:
            return log.size(connection) == 4

    wait_until(sealed)
    store.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_server(running: Any, how: signal.Signals) -> None:
    (worker,) = beside(running.process.pid)
    running.process.send_signal(how)
    running.process.wait(ENDS_WITHIN_S)
    wait_until(lambda: has_ended(worker))


def test_a_killed_worker_is_replaced(running: Any, make: Any, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'sudonglian.db'}")
    killed: set[int] = set()
    for number in (1, 2):
        running.wait_for("/readyz", lambda one: one["worker"])
        (worker,) = beside(running.process.pid)
        assert worker not in killed
        killed.add(worker)
        os.kill(worker, signal.SIGKILL)
        raw = make.document(make.event(number))
        assert running.ask("POST", "/epcis/v2/capture", raw, token="firm").status == 202
        running.wait_for("/readyz", lambda one, number=number: one["worker_restarts"] == number)

        def sealed(number: int = number) -> bool:
            with store.read() as connection:
                return len(connection.execute(select(RECORDS).where(RECORDS.c.log_index.is_not(None))).all()) == number

        wait_until(sealed)
        said = running.ask("GET", "/readyz")
        assert (said.status, said.json["worker_ended"]) == (200, None)
    store.close()
    assert "sudonglian_worker_restarts_total 2\n" in running.ask("GET", "/metrics", token="operator").body.decode()
    lines = [one.strip() for one in running.lines]
    assert lines.count("the worker was killed by signal 9") == 2
    begun = [one for one in lines if one.startswith("another worker")]
    assert begun == ["another worker begins in 1 s", "another worker begins in 2 s"]


def test_a_killed_worker_shows_until_there_is_another_one(tmp_path: Path, make: Any) -> None:
    _, env = make.deploy(tmp_path, None)
    told: list[str] = []
    console = Console(settings.read({**env, "SUDONGLIAN_DATA": str(tmp_path)}), "en", False)
    working = WorkerProcess(console, told.append, lambda: told.append("begun"))
    try:
        os.kill(beside(os.getpid())[0], signal.SIGKILL)
        wait_until(lambda: "begun" in told)
        assert told == ["unexpected", "begun"]
        os.kill(beside(os.getpid())[0], signal.SIGKILL)
        wait_until(lambda: len(told) == 3)
    finally:
        working.stop()  # while it waits to begin another one
    assert told == ["unexpected", "begun", "unexpected"]
    assert beside(os.getpid()) == []


def test_what_it_refuses_shows_by_its_name(tmp_path: Path, start_server: Any, make: Any) -> None:
    _, env = make.deploy(tmp_path, None)
    store = Store(f"sqlite:///{tmp_path / 'sudonglian.db'}")
    with store.write() as connection:
        bulk.put(connection, PENDING, [{"data": b"no entry", "queued_us": 0}])
    store.close()
    server = start_server(tmp_path, **env)
    wait_until(lambda: server.ask("GET", "/readyz").json["worker_ended"])
    said = server.ask("GET", "/readyz").json
    assert (said["worker_ended"], said["worker_restarts"]) == (StoreCorrupt.slug, 0)
    assert beside(server.process.pid) == []
