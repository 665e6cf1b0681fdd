"""The bootstrap: nothing is done twice, anything that changed is done again, and a fresh machine gets there."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path) -> Any:
    """The module, on a folder of the test's own that looks installed."""
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", SCRIPT)
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT, module.VENV = tmp_path, tmp_path / ".venv"
    module.PYTHON = module.VENV / "bin" / "python"
    module.LOCKS = {False: tmp_path / "requirements.lock", True: tmp_path / "requirements-dev.lock"}
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    module.PYTHON.parent.mkdir(parents=True)
    module.PYTHON.symlink_to(sys.executable)
    module.stamp(False).write_text(module.wanted(False))
    return module


def test_what_is_ready_is_left_alone(bootstrap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[bool] = []
    monkeypatch.setattr(bootstrap, "install", installed.append)
    assert bootstrap.ensure() == bootstrap.PYTHON
    assert installed == []
    bootstrap.ensure(dev=True)
    assert installed == [True]


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_is_installed_again(bootstrap: Any, changed: str) -> None:
    assert bootstrap.is_ready(False)
    (bootstrap.ROOT / changed).write_text("other")
    assert not bootstrap.is_ready(False)


def test_an_environment_without_its_python_is_not_ready(bootstrap: Any) -> None:
    bootstrap.PYTHON.unlink()
    assert not bootstrap.is_ready(False)
    bootstrap.PYTHON.symlink_to("/no/such/python")
    assert not bootstrap.is_ready(False)


def test_a_moved_environment_is_not_ready(bootstrap: Any, tmp_path: Path) -> None:
    bootstrap.ROOT = tmp_path / "elsewhere"
    shutil.copytree(tmp_path, bootstrap.ROOT, symlinks=True, ignore=lambda *_: {"elsewhere", ".venv"})
    assert not bootstrap.is_ready(False)


def test_wrong_usage_is_64() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--nonsense"], capture_output=True, text=True, check=False)
    assert (done.returncode, "bootstrap.py [--dev]" in done.stdout) == (64, True)


@pytest.mark.full
def test_a_fresh_machine_runs_the_demo(tmp_path: Path) -> None:
    """From an empty HOME and another working folder, with packages from the index that pip is configured for."""
    copy, home = tmp_path / "check out", tmp_path / "home"
    home.mkdir()
    skipped = shutil.ignore_patterns(".venv", ".git", "node_modules", ".*_cache", "__pycache__", ".hypothesis")
    shutil.copytree(ROOT, copy, ignore=skipped)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "PYTHON"))}
    demo = [str(copy / "scripts" / "demo"), "--json", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(demo, cwd=home, env=env | {"HOME": str(home)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"tampered_verdict": "INVALID"' in done.stdout.splitlines()[-1]
