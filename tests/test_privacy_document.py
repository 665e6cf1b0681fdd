"""docs/privacy.md does what it says: every block is run, in order."""

import os
import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "privacy.md"
ENDS_WITHIN_S = 900


def test_every_block_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TMPDIR": str(tmp_path), "LANG": "C.UTF-8"}
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "LC_"))} | own
    script = "set -euo pipefail\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        check=False,
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert said.count("VALID") == 1
    assert "1 erased persons can still be read from older backups" in said
    assert '"state": "destroyed"' not in said[: said.index("everything agrees")]
    assert "erased 0" in said
    assert '"reason": "asked for it, letter 17"' not in said
    assert said.index("older backups open until the key is changed") < said.index("VALID") < said.index("restored")
