"""docs/webhooks.md does what it says, and names every type of message that there is."""

import os
import re
import subprocess
import sys
from pathlib import Path

from sudonglian.records.announcing import OF_FIRMS, PING, TYPES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"


def test_every_block_runs(tmp_path: Path) -> None:
    (block,) = re.findall(r"```sh webhooks\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LANG": "C.UTF-8", "TMPDIR": str(tmp_path)}
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "LC_"))} | own
    script = f"set -euo pipefail\n{block}"
    done = subprocess.run(["bash", "-c", script], check=False, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ping  waiting  0" in done.stdout
    assert "whsec_" not in done.stdout


def test_every_type_is_in_the_table() -> None:
    table = DOCUMENT.read_text(encoding="utf-8").partition("## What is told")[2].partition("\n## ")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([a-z_.]+)`", line.split("|")[1])
    }
    assert named == {*TYPES, *OF_FIRMS, PING}
