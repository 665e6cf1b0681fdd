"""Whether the suite notices when a rule of the engine is broken: each mutation runs against a copy of the room."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.trace.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]
ENGINE = Path("sudonglian", "trace", "engine")


def suite(room: Path) -> subprocess.CompletedProcess[str]:
    """Run the quick suite of this room on a copy of the room, until the first failure."""
    told = {**os.environ, "PYTHONPATH": str(room), "PYTHONDONTWRITEBYTECODE": "1"}
    tests = ROOT / "tests" / "trace"
    # Plain tables and files use nothing of what is broken here, and would be compiled again for each copy.
    ignored = [f"--ignore={tests / name}" for name in ("contacts", "sources")]
    told_to = ["-x", "-q", "-p", "no:cacheprovider", *ignored, str(tests)]
    command = [sys.executable, "-m", "pytest", *told_to]
    return subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False, timeout=600)


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
    assert suite(room).returncode == 1, f"survives: {mutation.rule}"
