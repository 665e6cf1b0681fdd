"""Whether the suite notices when a rule of the engine is broken: each mutation runs against a copy of the room."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from tests.trace.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]
CPU_S = 900
"""Seconds of the processor; the suite of an engine that is whole takes a fifth of it."""

ENGINE = Path("sudonglian", "trace", "engine")


def suite(room: Path) -> subprocess.CompletedProcess[str]:
    """Run the quick suite of this room on a copy of the room, until the first failure."""
    told = {**os.environ, "PYTHONPATH": str(room), "PYTHONDONTWRITEBYTECODE": "1"}
    tests = ROOT / "tests" / "trace"
    # Plain tables, files and compiled stays use nothing of what is broken here, and would be compiled for each copy.
    ignored = [f"--ignore={tests / name}" for name in ("contacts", "sources", "test_stays.py", "test_compiled.py")]
    told_to = ["-x", "-q", "-p", "no:cacheprovider", *ignored, str(tests)]
    command = [sys.executable, "-m", "pytest", *told_to]
    # Processor time, so that other work on the machine breaks nothing off: a mutation may let the engine never end.
    limit = partial(resource.setrlimit, resource.RLIMIT_CPU, (CPU_S, CPU_S + 10))
    return subprocess.run(
        command, cwd=ROOT, env=told, capture_output=True, text=True, check=False, timeout=7_200, preexec_fn=limit
    )


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(ROOT / "trace", folder / "trace", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.rule)
def test_a_mutation_names_one_place(mutation: Mutation) -> None:
    assert (ROOT / "trace" / ENGINE / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1
    assert mutation.old != mutation.new


@pytest.mark.full
def test_the_copy_is_what_runs_and_is_green(tmp_path: Path) -> None:
    room = copied(tmp_path)
    assert suite(room).returncode == 0
    (room / ENGINE / "forward.py").write_text("raise SystemExit('the copy')\n", encoding="utf-8")
    assert "the copy" in suite(room).stdout + suite(room).stderr


@pytest.mark.full
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.rule)
def test_mutations_turn_the_suite_red(mutation: Mutation, tmp_path: Path) -> None:
    room = copied(tmp_path)
    path = room / ENGINE / mutation.file
    path.write_text(path.read_text(encoding="utf-8").replace(mutation.old, mutation.new), encoding="utf-8")
    ended = suite(room).returncode
    assert ended == 1 or ended == -signal.SIGXCPU, f"survives: {mutation.rule}"
