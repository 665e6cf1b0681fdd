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


DOCUMENT = json.dumps(
    {
        "type": "EPCISDocument",
        "@context": [{"x": "urn:x:"}],
        "epcisBody": {
            "eventList": [
                {"type": "ObjectEvent", "eventID": "带鱼", "x:a": number, "recordTime": "y"} for number in range(40)
            ]
        },
    }
)


def entered(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    code = "import sys; from sudonglian.api.entry import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_hashing_needs_no_more_than_the_base_install(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "events.json"
    path.write_text(DOCUMENT, "utf-8")
    at_once = run_without("typer", "hash", str(path), *options)
    assert at_once.returncode == 0
    # `--lang` is one of the words that take the ordinary way.
    ordinary = entered("hash", str(path), "--lang", "en", *options)
    assert at_once.stdout == ordinary.stdout.decode()
    assert at_once.stdout.count("ni:///sha-256;") == 40


@pytest.mark.parametrize("arguments", [["hash", "{}", "--json"], ["hash", "{}"], ["--json", "hash", "no-such-file"]])
def test_what_is_refused_takes_the_ordinary_way(tmp_path: Path, arguments: list[str]) -> None:
    path = tmp_path / "events.json"
    path.write_text('[{"type": "ObjectEvent"}, 7]', "utf-8")
    given = [each.format(path) for each in arguments]
    done = entered(*given)
    ordinary = entered(*given, "--lang", "en")
    assert (done.returncode, done.stdout) == (ordinary.returncode, ordinary.stdout)
    assert done.returncode != 0
    assert b"Traceback" not in done.stderr
