"""Every command block of the README runs, in order, on a data folder of its own."""

import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDS_A_SERVER = {"postgres", "hardhat"}
"""Blocks that need what a test machine may lack; each has a test of its own."""


def _records_fixtures() -> Any:
    spec = importlib.util.spec_from_file_location("records_fixtures", ROOT / "tests" / "records" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


postgres = _records_fixtures().postgres


PROGRAMS = Path(sys.executable).parent


def blocks() -> list[tuple[str, str, str]]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return [(language, words.strip(), body) for language, words, body in BLOCK.findall(readme)]


def test_every_block_is_a_shell_block_that_runs_or_names_what_it_needs() -> None:
    found = blocks()
    assert len([words for _, words, _ in found if not words]) >= 5
    assert {language for language, _, _ in found} == {"sh"}
    assert {words for _, words, _ in found if words} == NEEDS_A_SERVER


def run(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run shell words as a reader would who followed the tour's first block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        script = script.replace("8000", str(free.getsockname()[1]))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "LC_", "LANG"))}
    env |= {"TMPDIR": str(folder), "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["bash", "-c", "set -euo pipefail\n" + script]
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


def path_of_the_tests(script: str) -> str:
    """The README speaks of the checkout's own environment; the tests' may stand elsewhere."""
    return script.replace('export PATH="$PWD/.venv/bin:$PATH"', f'export PATH="{PROGRAMS}:$PATH"')


def block(name: str) -> str:
    [body] = [body for _, words, body in blocks() if words == name]
    return path_of_the_tests(blocks()[0][2]) + body


@pytest.mark.postgres
def test_the_postgresql_block_runs(tmp_path: Path, postgres: Any) -> None:
    with postgres.database() as url:
        script = block("postgres").replace("postgresql+psycopg://user@127.0.0.1:5432/sudonglian", url)
        assert url in script
        assert "FINAL, block" in run(script, tmp_path).stdout


@pytest.mark.hardhat
@pytest.mark.skipif(
    not (ROOT / "hardhat-local" / "node_modules" / "hardhat").is_dir(),
    reason="no Node packages: scripts/hardhat-local install enables this test",
)
def test_the_hardhat_block_runs(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = block("hardhat").replace("scripts/hardhat-local install\n", "").replace("8545", port)
    waiting = f"for _ in $(seq 100); do (echo > /dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.2; done\n"
    words = words.replace("&\n", f"> node.log 2>&1 & echo $! > {tmp_path}/pid\n{waiting}", 1)
    words = words.replace("> node.log", f"> {tmp_path}/node.log")
    try:
        done = run(words, tmp_path)
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    assert "waiting for a seal: 0" in done.stdout


def test_the_tour_runs_from_the_first_block_to_the_last(tmp_path: Path) -> None:
    script = path_of_the_tests("\n".join(body for _, words, body in blocks() if not words))
    assert f'export PATH="{PROGRAMS}:$PATH"' in script
    done = run(script, tmp_path)
    for said in (
        "valid: 8 events",
        "accepted 63, unchanged 0, refused 0",
        "FINAL, block",
        "exposed: 18 items, 14 places, 26 persons",
        "VALID",
        "INVALID",
        "refused with exit code 1",
        "keep their proofs, nameless",
        "everything agrees",
        "the keys are not in it",
    ):
        assert said in done.stdout, said
    work = next(tmp_path.glob("tmp.*"))
    made = {"backup", "data", "exposed.graphml", "forged.json", "pallet.json", "trust.json"}
    assert {one.name for one in work.iterdir()} == made


def test_every_file_that_the_readme_links_to_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [one for one in re.findall(r"\]\(([^)#:]+)\)", readme) if not (ROOT / one).exists()]
    assert missing == []
