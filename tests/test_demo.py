"""The demonstration itself, as a newcomer runs it: its story ends well, its files stay, its server is gone."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import pytest

from sudonglian.records.jobs import State
from sudonglian.trace.engine.progress import StageName

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "epcis"

PLAYER = """
import runpy, sys
from pathlib import Path
sys.path.insert(0, {scripts!r})
import bootstrap
# The tests' own environment stands for the one that bootstrap would make.
bootstrap.PYTHON = Path({python!r})
bootstrap.ensure = lambda dev=False: bootstrap.PYTHON
module = runpy.run_path({demo!r}, run_name="demo")
if {lonely!r}:
    module["capture_third_party"].__globals__["THIRD_PARTY"] = Path("/nowhere")
sys.exit(module["main"]())
"""


ENDS_WITHIN_S = 60


def start(tmp_path: Path, *arguments: str, lonely: bool) -> "subprocess.Popen[str]":
    values = {
        "scripts": str(ROOT / "scripts"),
        "demo": str(ROOT / "scripts" / "demo"),
        "python": sys.executable,
        "lonely": lonely,
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "LC_", "LANG"))}
    return subprocess.Popen(
        [sys.executable, "-c", PLAYER.format(**values), *arguments, "--data-dir", str(tmp_path / "demo data")],
        env=env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def play(tmp_path: Path, *arguments: str, lonely: bool) -> "subprocess.CompletedProcess[str]":
    process = start(tmp_path, *arguments, lonely=lonely)
    out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def left_behind(tmp_path: Path) -> list[int]:
    """Return the processes that still work on the run's data folder."""
    mark = f"SUDONGLIAN_DATA={tmp_path / 'demo data'}".encode()
    found = []
    for one in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in one.read_bytes().split(b"\x00"):
                found.append(int(one.parent.name))
        except OSError:
            continue  # another user's, or gone
    return found


def verify(*arguments: str) -> int:
    program = Path(sys.executable).with_name("sudonglian-verify")
    return subprocess.run([program, *arguments], capture_output=True, check=False).returncode


def check(done: "subprocess.CompletedProcess[str]", tmp_path: Path) -> Any:
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["verdict"], told["tampered_verdict"], told["completeness"]) == ("VALID", "INVALID", "complete")
    assert told["exposed_people"] == 26
    assert told["log_size"] > told["captured_events"] >= 63
    assert told["anchor_block"] >= 2
    assert Path(told["data_dir"]) == tmp_path / "demo data"
    for name in ("bundle", "trust"):
        assert Path(told[name]).is_file()
    assert len(told["steps"]) >= 5
    assert [one["verdict"] for one in told["steps"]] == ["VALID"] * len(told["steps"])
    assert verify(told["bundle"], *(one["bundle"] for one in told["steps"]), "--trust", told["trust"]) == 0
    assert verify(str(Path(told["bundle"]).with_name("tampered.json")), "--trust", told["trust"]) == 1
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", told["server"])
    assert left_behind(tmp_path) == []
    return told


def test_the_demo_tells_its_story_without_third_party_documents_in_chinese(tmp_path: Path) -> None:
    done = play(tmp_path, "--json", "--lang", "zh", lonely=True)
    assert check(done, tmp_path)["captured_events"] == 63
    for said in ("暴露:26 人", ":完成", "不在名单上", "6 人:只在消毒之后", "另一座城市", "记录齐全"):
        assert said in done.stderr, said
    # A link that signs in whoever opens it stands in the server's words.
    assert (tmp_path / "demo data" / "server.log").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whoever_stops_the_demo_stops_its_server(tmp_path: Path, number: int, code: int) -> None:
    process = start(tmp_path, "--json", "--lang", "en", lonely=True)
    assert process.stderr
    waited_for = "05-restaurant.json" if number == signal.SIGINT else "The data of this run"
    assert any(waited_for in line for line in process.stderr)
    process.send_signal(number)
    out, err = process.communicate(timeout=ENDS_WITHIN_S)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert left_behind(tmp_path) == []


def test_a_server_that_dies_ends_the_demo_with_a_reason(tmp_path: Path) -> None:
    process = start(tmp_path, "--json", "--lang", "en", lonely=True)
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"pid (\d+)", line):
            os.kill(int(found[1]), signal.SIGKILL)
            break
    out, err = process.communicate(timeout=ENDS_WITHIN_S)
    assert (process.returncode, out) == (1, "")
    assert err.splitlines()[-1].startswith("demo: ")
    assert "Traceback" not in err
    # Its worker hears of the death, and ends when the turn that it is at is done.
    until = time.monotonic() + ENDS_WITHIN_S
    while left_behind(tmp_path):
        assert time.monotonic() < until, "a process is left"
        time.sleep(0.1)


@pytest.mark.shared
def test_the_demo_takes_third_party_documents_and_says_which_it_refuses(tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("no ../shared/data beside the checkout: put the data folder there")
    done = play(tmp_path, "--json", lonely=False)
    told = check(done, tmp_path)
    assert told["captured_events"] > 150
    assert "refused: EPCISQUERYDOCUMENT_advanced_5.jsonld: not-json" in done.stderr
    assert "Sudonglian-Duplicate-Ids: keep" in done.stderr


def test_every_state_and_stage_of_a_trace_has_words() -> None:
    spec = importlib.util.spec_from_file_location("demo_words", ROOT / "scripts" / "demo_words.py")
    assert spec
    assert spec.loader
    words = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(words)
    needed = {f"stage:{name}" for name in get_args(StageName)} | {f"state:{name}" for name in get_args(State)}
    assert needed - set(words.ZH) == set()
    assert needed - set(words.PLAIN) == set()
    assert set(words.PLAIN) <= set(words.ZH)


def test_a_wrong_option_is_told_apart(tmp_path: Path) -> None:
    assert play(tmp_path, "--nonsense", lonely=True).returncode == 2
