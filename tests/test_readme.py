"""Every command block of the README runs, in order, on a data folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDS_A_SERVER = {"postgres", "hardhat"}
"""Blocks that need what a test machine may lack: tests/records and tests/chain run those stores and chains."""


def blocks() -> list[tuple[str, str, str]]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return [(language, words.strip(), body) for language, words, body in BLOCK.findall(readme)]


def test_every_block_is_a_shell_block_that_runs_or_names_what_it_needs() -> None:
    found = blocks()
    assert len([words for _, words, _ in found if not words]) >= 5
    assert {language for language, _, _ in found} == {"sh"}
    assert {words for _, words, _ in found if words} == NEEDS_A_SERVER


def test_the_tour_runs_from_the_first_block_to_the_last(tmp_path: Path) -> None:
    script = "set -euo pipefail\n" + "\n".join(body for _, words, body in blocks() if not words)
    programs = Path(sys.executable).parent
    # The README speaks of the checkout's own environment; the tests' may stand elsewhere.
    script = script.replace('export PATH="$PWD/.venv/bin:$PATH"', f'export PATH="{programs}:$PATH"')
    assert f'export PATH="{programs}:$PATH"' in script
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "LC_", "LANG"))}
    env |= {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    for said in (
        "valid: 8 events",
        "accepted 45, unchanged 0, refused 0",
        "FINAL, block",
        "exposed: 18 items, 10 places, 17 persons",
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
