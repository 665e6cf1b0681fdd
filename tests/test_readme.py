"""Every command block of the README runs: each tour from its first block to its last, on a data folder of its own."""

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDS_A_SERVER = {"postgres", "hardhat"}
"""Blocks that need what a test machine may lack; each has a test of its own."""
TOURS = ("firm", "epidemiologist", "auditor", "operator")
ENDS_WITHIN_S = 300


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
    assert {language for language, _, _ in found} == {"sh"}
    assert [words for _, words, _ in found].count("") == 1
    assert {words for _, words, _ in found if words} == {*NEEDS_A_SERVER, *TOURS}


def run(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run shell words as a reader would who followed the tour's first block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        script = script.replace("8000", str(free.getsockname()[1]))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "LC_", "LANG"))}
    env |= {"TMPDIR": str(folder), "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["bash", "-c", "set -euo pipefail\n" + script]
    process = subprocess.Popen(
        words, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=ENDS_WITHIN_S)
    finally:
        with suppress(ProcessLookupError):  # whatever a failed tour has left running
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, out + err
    assert "Traceback" not in err
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def path_of_the_tests(script: str) -> str:
    """The README speaks of the checkout's own environment; the tests' may stand elsewhere."""
    return script.replace('export PATH="$PWD/.venv/bin:$PATH"', f'export PATH="{PROGRAMS}:$PATH"')


def block(name: str) -> str:
    """Return the first block and all of a name, in their order."""
    bodies = [body for _, words, body in blocks() if words == name]
    assert bodies
    return path_of_the_tests(blocks()[0][2]) + "".join(bodies)


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


def tour(name: str, folder: Path, made: set[str]) -> str:
    """Run a tour; return what it said, after a look at the files that it left."""
    if "curl " in block(name) and shutil.which("curl") is None:
        pytest.skip(f"no curl: apt-get install curl enables the tour of the {name}")
    done = run(block(name), folder)
    work = next(folder.glob("tmp.*"))
    assert {one.name for one in work.iterdir()} == {"data", *made}
    return done.stdout


def in_order(said: str, *parts: str) -> None:
    at = 0
    for part in parts:
        found = said.find(part, at)
        assert found >= 0, f"{part!r} is not said after {said[:at][-200:]!r}"
        at = found + len(part)


def test_the_path_is_that_of_the_tests() -> None:
    assert f'export PATH="{PROGRAMS}:$PATH"' in block("firm")


def test_the_tour_of_a_firm(tmp_path: Path) -> None:
    said = tour(
        "firm",
        tmp_path,
        {"typo.json", "curve.svg", "sheet.csv", "filled.csv", "receipt.txt", "receipt.json", "trust.json"},
    )
    in_order(
        said,
        "not valid: 8 events",
        "error biz-step /epcisBody/eventList/0/bizStep",
        "better not sent: exit code 1",
        "accepted 8, unchanged 0, refused 0",
        "accepted 0, unchanged 8, refused 0",
        "not covered by a final anchor: 0",
        "FINAL, block",
        "record_hash: ",
        "bizStep: receiving",
        "receipt.json: ",
        "compare these by another channel",
        ": VALID",
    )


def test_the_tour_of_an_epidemiologist(tmp_path: Path) -> None:
    made = {"exposed.txt", "exposed.graphml", "head", "answer.json", "graph.graphml"}
    said = tour("epidemiologist", tmp_path, made)
    in_order(
        said,
        "accepted 63, unchanged 0, refused 0",
        "exposed: 18 items, 14 places, 26 persons",
        " is listed as person ",
        "  1. ",
        "     record ",
        '{"ok":true}',
        '"state":"queued"',
        "event: state",
        '"state": "success"',
    )
    work = next(tmp_path.glob("tmp.*"))
    answer = json.loads((work / "answer.json").read_text(encoding="utf-8"))["answer"]
    assert sum(one["kind"] == "person" for one in answer["members"]) == 26
    why = said[said.index(" is listed as person ") :]
    assert set(re.findall(r"     record ([0-9a-f]{64})", why)) <= {
        digest for one in answer["members"] for step in one["earliest_walk"] for digest in step["record_hashes"]
    }
    assert "<graphml" in (work / "graph.graphml").read_text(encoding="utf-8")


def test_the_tour_of_an_auditor(tmp_path: Path) -> None:
    left = {"key", "trust.json", "pallet.json", "forged.json", "absent.json", "public.json", "monitor.json"}
    said = tour("auditor", tmp_path, left)
    in_order(
        said,
        "compare these by another channel",
        "pallet.json: VALID",
        "complete",
        "forged.json: INVALID",
        "refused with exit code 1",
        "absent.json: VALID",
        "the log has kept its word",
        "the lot map was not replayed",
        "the log has kept its word",
    )
    work = next(tmp_path.glob("tmp.*"))
    assert json.loads((work / "absent.json").read_text(encoding="utf-8"))["records"] == []
    assert json.loads((work / "monitor.json").read_text(encoding="utf-8"))["size"] > 63


def test_the_tour_of_whoever_runs_it(tmp_path: Path) -> None:
    said = tour("operator", tmp_path, {"backup"})
    in_order(said, "FINAL, block", "keep their proofs, nameless", "everything agrees", "the keys are not in it")


def test_every_file_that_the_readme_links_to_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [one for one in re.findall(r"\]\(([^)#:]+)\)", readme) if not (ROOT / one).exists()]
    assert missing == []
