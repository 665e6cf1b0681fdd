"""Every threat of docs/security.md has a test that is there, or says plainly that nothing stands against it, and why."""

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ATTACKERS = (
    "outsider", "resident", "firm", "partner", "epidemiologist", "approver", "operator", "backup", "chain", "auditor"
)  # fmt: skip
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
MODULE = re.compile(r"`((?:chain|records|trace|api)(?:\.\w+)+)`")
OPEN = "**not defended**: "
LEAST_WORDS = 6
"""Of a reason."""


def rows(text: str) -> list[tuple[str, list[str]]]:
    """Return the rows of all tables, each with the heading that it stands under."""
    found, heading = [], ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("|") and not line.startswith(("| tries |", "|---")):
            found.append((heading, [cell.strip() for cell in line.strip("|").split("|")]))
    return found


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the tests of a module, without running it."""
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


def faults(cells: list[str]) -> list[str]:
    """Return what is wrong with a row."""
    if len(cells) != 3 or not all(cells):
        return ["not three cells"]
    tried, defence, test = cells
    named = NAMED.findall(test)
    wrong = [f"no test {path}::{name}" for path, name in named if name not in names_in(ROOT / path)]
    wrong += [f"no module {name}" for name in MODULE.findall(defence) if not is_module(name)]
    if test.startswith(OPEN):
        if len(test.removeprefix(OPEN).split()) < LEAST_WORDS:
            wrong.append("not defended, without a reason")
    elif not named or NAMED.sub("", test).strip():
        wrong.append(f"neither tests nor 'not defended': {tried}")
    return wrong


def is_module(name: str) -> bool:
    room, _, rest = name.partition(".")
    place = ROOT / room / "sudonglian" / room / rest.replace(".", "/")
    return place.with_suffix(".py").is_file() or place.is_dir()


def test_every_threat_has_its_tests_or_says_that_it_has_none() -> None:
    found = rows(DOCUMENT)
    assert len(found) > 60
    assert [f"{heading}: {cells[0]}: {fault}" for heading, cells in found for fault in faults(cells)] == []
    for attacker in ATTACKERS:
        assert sum(attacker in heading.lower() for heading, _ in found) >= 3, attacker


def test_every_page_that_it_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", DOCUMENT):
        assert (ROOT / "docs" / link).is_file(), link


def test_every_block_runs(tmp_path: Path) -> None:
    (block,) = re.findall(r"```bash\n(.*?)```", DOCUMENT, re.DOTALL)
    own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TMPDIR": str(tmp_path), "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=tmp_path,
        env={**os.environ, **own, "SUDONGLIAN_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("MIT") > 1


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("| a | b | `tests/test_security_document.py::test_that_is_not_there` |", "no test"),
        ("| a | b | `tests/test_nothing.py::test_that_is_not_there` |", "no test"),
        ("| a | b | somebody looked |", "neither"),
        ("| a | b | `tests/test_security_document.py::test_every_page_that_it_links_to_is_there` and trust |", "neither"),
        ("| a | b | **not defended**: too hard |", "without a reason"),
        ("| a | `records.nobody` | `tests/test_security_document.py::test_every_page_that_it_links_to_is_there` |", "no module"),
        ("| a | b | |", "three cells"),
    ],
)  # fmt: skip
def test_a_bad_row_is_found(row: str, fault: str) -> None:
    ((_, cells),) = rows(f"## x\n| tries | defence | test |\n|---|---|---|\n{row}\n")
    assert any(fault in one for one in faults(cells))
