"""The demonstration itself, as a newcomer runs it: its story ends well, its files stay, its worker is gone."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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


def play(tmp_path: Path, *arguments: str, lonely: bool) -> "subprocess.CompletedProcess[str]":
    values = {
        "scripts": str(ROOT / "scripts"),
        "demo": str(ROOT / "scripts" / "demo"),
        "python": sys.executable,
        "lonely": lonely,
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "LC_", "LANG"))}
    return subprocess.run(
        [sys.executable, "-c", PLAYER.format(**values), *arguments, "--data-dir", str(tmp_path / "demo data")],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def check(done: "subprocess.CompletedProcess[str]", tmp_path: Path) -> Any:
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["verdict"], told["tampered_verdict"]) == ("VALID", "INVALID")
    assert told["exposed_people"] == 26
    assert told["log_size"] > told["captured_events"] >= 63
    assert told["anchor_block"] >= 2
    assert Path(told["data_dir"]) == tmp_path / "demo data"
    for name in ("bundle", "trust"):
        assert Path(told[name]).is_file()
    verifier = Path(sys.executable).with_name("sudonglian-verify")
    again = subprocess.run([verifier, told["bundle"], "--trust", told["trust"]], capture_output=True, check=False)
    assert again.returncode == 0
    worker = re.search(r"(?:pid |进程号 )(\d+)", done.stderr)
    assert worker
    with pytest.raises(ProcessLookupError):
        os.kill(int(worker[1]), 0)
    return told


def test_the_demo_tells_its_story_without_third_party_documents_in_chinese(tmp_path: Path) -> None:
    done = play(tmp_path, "--json", "--lang", "zh", lonely=True)
    assert check(done, tmp_path)["captured_events"] == 63
    assert "暴露:26 人" in done.stderr


@pytest.mark.shared
def test_the_demo_takes_third_party_documents_and_says_which_it_refuses(tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("no ../shared/data beside the checkout: put the data folder there")
    done = play(tmp_path, "--json", lonely=False)
    told = check(done, tmp_path)
    assert told["captured_events"] > 150
    assert "refused: EPCISQUERYDOCUMENT_advanced_5.jsonld: not-json" in done.stderr
    assert "--duplicate-ids keep" in done.stderr


def test_a_wrong_option_is_told_apart(tmp_path: Path) -> None:
    assert play(tmp_path, "--nonsense", lonely=True).returncode == 2
