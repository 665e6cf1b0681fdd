"""docs/signing.md does what it says: every block is run, in order."""

import os
import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "signing.md"
ENDS_WITHIN_S = 300


def test_every_block_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 7
    script = "set -euo pipefail\n" + "\n".join(blocks)
    own = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SUDONGLIAN_DATA": str(tmp_path / "data"),
        "LANG": "C.UTF-8",
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SUDONGLIAN_", "LC_"))} | own
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
    assert said.count("VALID") >= 2
    assert "INVALID" not in said
    unconfirmed, confirmed = said.index("unconfirmed: the consignor alone"), said.index("confirmed: consignor and")
    assert unconfirmed < said.index("VALID") < confirmed
    assert "handoffs that both sides have not signed: 1" in said
    assert "state: revoked" in said
