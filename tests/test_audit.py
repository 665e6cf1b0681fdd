"""scripts/audit with the real pip-audit and npm: a service that tells faults, one that tells none, and none at all.

The public services cannot be reached everywhere, so their part is played here in their own published forms (OSV's
/v1/query, npm's /-/npm/v1/security/advisories/bulk); everything between them and the exit code is what runs in CI.
"""

import gzip
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
KNOWN = {"jinja2": "2.4.1", "minimist": "1.2.0"}


def osv(package: str, number: int) -> dict[str, Any]:
    """Return a fault as OSV tells it."""
    return {
        "id": f"PYSEC-2000-{number}",
        "aliases": [f"GHSA-aaaa-bbbb-{number:04}"],
        "summary": "planted",
        "details": "planted",
        "modified": "2026-01-01T00:00:00Z",
        "published": "2026-01-01T00:00:00Z",
        "affected": [
            {
                "package": {"name": package, "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}],
            }
        ],
    }


def advisory(package: str, number: int) -> dict[str, Any]:
    """Return a fault as npm's registry tells it."""
    return {
        "id": number,
        "url": f"https://github.com/advisories/GHSA-cccc-dddd-{number:04}",
        "title": "planted",
        "severity": "high",
        "vulnerable_versions": "<999",
        "cwe": ["CWE-1"],
        "cvss": {"score": 7, "vectorString": None},
    }


class Services:
    """An OSV and an npm registry on one port, which know faults of some packages."""

    def __init__(self) -> None:
        self.faulty: set[str] = set()
        self.status = 200
        services = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                asked = json.loads(body)
                if self.path == "/v1/query":
                    name = asked["package"]["name"]
                    told: Any = {"vulns": [osv(name, len(name))]} if name in services.faulty else {}
                elif self.path == "/-/npm/v1/security/advisories/bulk":
                    told = {name: [advisory(name, len(name))] for name in asked if name in services.faulty}
                else:
                    told = None
                self.give(services.status if told is not None else 404, told)

            def do_GET(self) -> None:
                self.give(404, None)

            def give(self, status: int, told: Any) -> None:
                raw = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def services() -> Iterator[Services]:
    some = Services()
    yield some
    some.server.shutdown()
    some.server.server_close()


@pytest.fixture
def audit(services: Services, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    def run(allowed: list[dict[str, str]] | None = None, *more: str) -> tuple[int, str]:
        (tmp_path / "allowed.json").write_text(json.dumps(allowed or []))
        command = [sys.executable, str(ROOT / "scripts" / "audit"), "--allowed", str(tmp_path / "allowed.json")]
        command += ["--osv-url", f"{services.url}/v1/query", "--npm-registry", f"{services.url}/", "--within", "300"]
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout

    return run


def test_findings_fail_unless_they_are_borne_with_a_reason_until_a_day(services: Services, audit: Any) -> None:
    services.faulty = {*KNOWN, "fastapi", "undici"}
    code, told = audit()
    assert code == 1
    for part in ("fastapi", "GHSA-aaaa-bbbb-0007", "undici", "GHSA-cccc-dddd-0006"):
        assert part in told
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    yesterday = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    why = "only the part that we do not use"
    borne = [
        {"id": "PYSEC-2000-6", "package": "jinja2", "why": why, "until": tomorrow},
        {"id": "GHSA-aaaa-bbbb-0007", "package": "fastapi", "why": why, "until": tomorrow},
        {"id": "GHSA-cccc-dddd-0006", "package": "undici", "why": why, "until": tomorrow},
    ]
    code, told = audit(borne)
    assert code == 0, told
    assert "2 findings, 2 of them borne" in told
    # Two versions of jinja2 and web3 would be two findings; of what is pinned twice, both are asked about.
    assert f"pip-audit: {len(pins())} packages" in told
    code, told = audit([*borne[:2], {**borne[2], "until": yesterday}])
    assert code == 1
    assert "GHSA-cccc-dddd-0006" in told
    assert "GHSA-aaaa-bbbb-0007" not in told
    code, told = audit([{**borne[0], "why": "later"}, *borne[1:]])
    assert (code, "without a reason in words" in told) == (1, True)


def pins() -> set[tuple[str, str]]:
    """Return every package and version of the lock files, read in another way than the program reads them."""
    lines = [line for lock in ROOT.glob("requirements*.lock") for line in lock.read_text().splitlines()]
    return {
        (name, rest.split()[0])
        for line in lines
        if "==" in line and line[0] != " "
        for name, _, rest in [line.partition("==")]
    }


def test_nothing_found_is_said_with_how_much_was_asked(services: Services, audit: Any) -> None:
    services.faulty = {"minimist"}
    _, told = audit()
    locks = [json.loads((ROOT / part / "package-lock.json").read_text()) for part in ("hardhat-local", "api/browser")]
    assert f"npm audit: {sum(len(one['packages']) - 1 for one in locks)} packages, 0 findings" in told


@pytest.mark.parametrize("status", [200, 404, 405, 500])
def test_who_tells_no_known_fault_was_not_reached(services: Services, audit: Any, status: int) -> None:
    services.status = status
    code, told = audit()
    assert code == 0
    assert [line.partition(" (")[0] for line in told.splitlines()] == [
        "pip-audit: not reached: not audited",
        "npm audit: not reached: not audited",
    ]


def test_no_service_and_no_time(services: Services, audit: Any) -> None:
    services.server.shutdown()
    services.server.server_close()
    assert audit()[0] == 0
    code, told = audit(None, "--within", "0")
    assert code == 0
    assert told.count("not reached: not audited (no time left)") == 2


def test_every_pin_has_the_hashes_of_its_files() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text())
        assert len(blocks) > 20
        for block in blocks:
            assert re.fullmatch(r"[^\s=]+==\S+(?: ; [^\n]*?)? (?:\\\n    --hash=sha256:[0-9a-f]{64} ?)+\n?", block), (
                block[:80]
            )
    node = json.loads((ROOT / "hardhat-local" / "package-lock.json").read_text())["packages"]
    assert all(one.get("integrity", "").startswith("sha512-") for path, one in node.items() if path)
    # pip installs nothing that the lock does not name by hash, in every environment that is made from one.
    for name in ("bootstrap.py", "slither"):
        assert "--require-hashes" in (ROOT / "scripts" / name).read_text()


def test_what_is_borne_is_borne_in_words() -> None:
    for one in json.loads((ROOT / "scripts" / "audit.json").read_text()):
        assert set(one) == {"id", "package", "why", "until"}
        assert len(one["why"].split()) >= 5
