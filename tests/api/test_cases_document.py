"""docs/cases.md does what it says: every block is run, in order."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.people import BROWSER

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "cases.md"
PEOPLE = DOCUMENT.parents[1] / "tests" / "people.py"


def test_every_block_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh case\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == DOCUMENT.read_text(encoding="utf-8").count("```") // 2 == 11
    own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LANG": "C.UTF-8", "TMPDIR": str(tmp_path)}
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "LC_"))} | own
    script = "set -euo pipefail\n" + "\n".join(blocks)
    script = re.sub(BROWSER, rf"{shlex.quote(sys.executable)} {shlex.quote(str(PEOPLE))} \1", script)
    done = subprocess.run(["bash", "-c", script], check=False, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "once only" in done.stdout
    assert "nobody approved that" in done.stdout
    assert "·" in done.stdout
    assert "19900000" not in done.stdout
