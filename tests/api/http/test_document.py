"""docs/http.md does what it says: every block is run, in order."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.people import BROWSER

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "http.md"
API = DOCUMENT.parent / "openapi.json"
PEOPLE = DOCUMENT.parents[1] / "tests" / "people.py"
ENDS_WITHIN_S = 400


def test_every_block_runs(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl: apt-get install curl enables the test of docs/http.md")
    blocks = re.findall(r"```bash\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 32
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + "\n".join(blocks)
    script = re.sub(BROWSER, rf"{shlex.quote(sys.executable)} {shlex.quote(str(PEOPLE))} \1", script)
    own = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PORT": str(port),
        "SUDONGLIAN_DATA": str(tmp_path / "data"),
        "SUDONGLIAN_SEAL_AFTER": "0",
        "LANG": "C.UTF-8",
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith("SUDONGLIAN_")} | own
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=ENDS_WITHIN_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, out + err
    assert json.loads((tmp_path / "job.json").read_text())["success"]
    for expected in ("GS1-EPCIS-Capture-File-Size-Limit", "EPCISQueryDocument", "VALID", '"state": "success"'):
        assert expected.lower() in out.lower()
    assert "urn:sudonglian:problem:query-parameter" in out
    assert out.count('"value":-18.5') >= 4
    asked = {(one["method"], one["route"]) for one in _requests(err) if one["status"] < 300}
    described = {
        (method.upper(), path)
        for path, methods in json.loads(API.read_text(encoding="utf-8"))["paths"].items()
        for method in methods
    }
    assert described - asked == set(), "paths without an example that works"
    assert '"confirmation":"consignee"' in out
    assert json.loads((tmp_path / "erased.json").read_text())["erased"]
    assert json.loads((tmp_path / "receipt.json").read_text())["entry"]["said"]["reason"] == "asked for it"
    assert json.loads((tmp_path / "temperature.json").read_text())["max_c"] == -18.5
    assert json.loads((tmp_path / "monitor.json").read_text())["size"] > 1


def _requests(log: str) -> Iterator[dict[str, Any]]:
    """Yield the requests that the server's log tells of, by the route's name in the description."""
    for line in log.splitlines():
        if line.startswith("{"):
            told = json.loads(line)
            if told.get("log") == "request":
                yield {**told, "route": re.sub(r":(?:path|gs1)}", "}", told["route"])}
