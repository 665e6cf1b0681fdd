"""The worker as a real process: seals and anchors by itself, ends cleanly, loses nothing when it is killed."""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import pytest

from sudonglian.api.commands import sample
from sudonglian.records import anchor_status
from sudonglian.records.store import Store

Run = Callable[..., Any]
PATIENCE_S = 60
GENESIS_S: Final = 1_767_500_000
"""As if a node had been started twice within one second: then its genesis is the same too."""


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("sudonglian_nodes_of_workers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


NODES: Final = _load(Path(__file__).resolve().parents[1] / "chain" / "conftest.py")


@pytest.fixture
def start(run: Run, tmp_path: Path) -> Any:
    """Start workers on the test's data folder; end those that are left."""
    running: list[subprocess.Popen[str]] = []

    def started(*arguments: str, **settings: str) -> "subprocess.Popen[str]":
        program = Path(sys.executable).with_name("sudonglian")
        env = {**os.environ, "SUDONGLIAN_SEAL_AFTER": "0", **settings}
        running.append(
            subprocess.Popen(
                [program, "worker", *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        return running[-1]

    yield started
    for one in running:
        one.kill()
        one.communicate()


def until(run: Run, holds: Callable[[Any], bool]) -> Any:
    """Return the first status for which something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        status = run("status", "--json")
        if status.code == 0 and holds(status.json):
            return status.json
        time.sleep(0.1)
    raise AssertionError(f"never happened: {run('status', '--json').out}")


def everything_is_anchored(status: Any) -> bool:
    return bool(status["log"]["size"]) and not status["lag"] and not status["pending"]


def test_it_seals_and_anchors_what_is_captured_while_it_runs_and_ends_on_sigterm(run: Run, start: Any) -> None:
    worker = start("--json")
    run("sample", "load")
    status = until(run, everything_is_anchored)
    assert status["anchors"][0]["state"] == "FINAL"
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0
    steps = [json.loads(line)["step"] for line in err.splitlines() if line.startswith("{")]
    assert {"sealed", "deployed", "planned", "signed", "mined", "final"} <= set(steps)
    told = json.loads(out)
    assert told["stopped"] is True
    assert told["steps"]["final"] >= 1
    assert "Traceback" not in err


def test_it_waits_for_number_or_age(run: Run, start: Any) -> None:
    run("sample", "load")
    start(SUDONGLIAN_SEAL_AFTER="3600", SUDONGLIAN_SEAL_EVERY="1000")
    time.sleep(2)
    assert run("status", "--json").json["pending"] == 64
    start(SUDONGLIAN_SEAL_AFTER="3600", SUDONGLIAN_SEAL_EVERY="64")
    until(run, everything_is_anchored)


def test_once_does_what_is_due_and_ends(run: Run, start: Any) -> None:
    run("sample", "load")
    worker = start("--once")
    out, _ = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0
    assert everything_is_anchored(run("status", "--json").json)
    assert "worker" in out


def test_killed_at_any_moment_it_loses_nothing(run: Run, start: Any) -> None:
    documents = sorted((Path(sample.__file__).parents[1] / "samples" / "frozen-fish").glob("0*.json"))
    chance = random.Random(7)
    taken = set()
    for document in documents:
        worker = start()
        done = run("capture", str(document), "--submitter", "urn:x:1", "--json")
        taken |= {one["record_hash"] for one in done.json["records"]}
        time.sleep(chance.uniform(0, 1.5))
        worker.kill()
        worker.communicate()
    start()
    until(run, everything_is_anchored)
    entries = run("log", "entries", "--json").json["entries"]
    assert {one["h"] for one in entries if one["k"] == "record"} == taken
    checked = run("fsck", "--json")
    assert (checked.code, checked.json["faults"]) == (0, [])


def test_two_workers_do_not_disturb_each_other(run: Run, start: Any) -> None:
    workers = [start("--json"), start("--json")]
    run("sample", "load")
    until(run, everything_is_anchored)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        _, err = worker.communicate(timeout=PATIENCE_S)
        assert worker.returncode == 0, err
    assert len([one for one in run("log", "entries", "--json").json["entries"] if one["k"] == "record"]) == 63
    assert run("fsck").code == 0


def test_while_the_chain_is_away_nothing_is_sealed_and_the_worker_goes_on(run: Run, start: Any) -> None:
    run("sample", "load")
    worker = start("--json", SUDONGLIAN_RPC_URL="http://127.0.0.1:1")
    line = worker.stderr.readline()
    assert json.loads(line)["step"].startswith("chain")
    assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0
    assert run("status", "--json").json["log"]["size"] == 0


@pytest.fixture
def stored(tmp_path: Path) -> Run:
    """The status as the database has it: a command that opens the node would fund the wallet for the worker."""

    def status(*_: str) -> Any:
        store = Store(f"sqlite:///{tmp_path / 'data' / 'sudonglian.db'}")
        with store.read() as connection:
            told = anchor_status.status(connection, None)
        store.close()
        return SimpleNamespace(code=0, json=told, out=json.dumps(told))

    return status


@pytest.mark.anvil
@pytest.mark.parametrize("genesis_s", [None, GENESIS_S], ids=["anew", "same-genesis"])
def test_a_development_node_that_comes_back_empty_is_taken_up_again(
    run: Run, stored: Run, start: Any, monkeypatch: pytest.MonkeyPatch, genesis_s: int | None
) -> None:
    with NODES.local_node("anvil", genesis_s=genesis_s) as url:
        monkeypatch.setenv("SUDONGLIAN_RPC_URL", url)
        worker = start("--json")
        run("sample", "load")
        until(stored, everything_is_anchored)
    with NODES.local_node("anvil", int(url.rpartition(":")[2]), genesis_s=genesis_s):
        again = until(stored, lambda status: len(status["anchors"]) == 2 and everything_is_anchored(status))
    assert [one["state"] for one in again["anchors"]] == ["FINAL", "CHAIN_LOST"]
    worker.send_signal(signal.SIGTERM)
    _, err = worker.communicate(timeout=PATIENCE_S)
    steps = [json.loads(line)["step"] for line in err.splitlines() if line.startswith("{")]
    assert "funded" in steps
