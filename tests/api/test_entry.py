"""The entry of the program where the server's packages are missing: one sentence, no stack trace."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run_without(module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # None in sys.modules is how Python itself marks a module that must not be found.
    code = f"import sys; sys.modules[{module!r}] = None; from sudonglian.api.entry import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["typer", "sqlalchemy"])
def test_a_base_install_names_what_to_install(module: str) -> None:
    done = run_without(module, "status", "--json")
    assert done.returncode == 64
    assert 'pip install "sudonglian[server]"' in done.stderr
    assert "Traceback" not in done.stderr
    told = json.loads(done.stdout)["error"]
    assert (told["code"], told["place"].partition(".")[0]) == ("not-installed", module)
    assert run_without(module, "status").stdout == ""


def test_with_everything_installed_it_is_the_command_line() -> None:
    done = run_without("no_such_module", "--help")
    assert (done.returncode, "capture" in done.stdout) == (0, True)


def test_the_program_of_the_package_is_this_entry() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["scripts"]["sudonglian"] == "sudonglian.api.entry:main"
