"""A real server for the pages, with and without the sample outbreak, and a real Chromium to look at them with."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from sudonglian.api.commands import sample

PROGRAM: Final = Path(sys.executable).with_name("sudonglian")
STORY: Final = sample.stories()["frozen-fish"]
WITHIN_S: Final = 60
HTML: Final = "text/html,application/xhtml+xml,*/*;q=0.8"


@dataclass(frozen=True)
class Answer:
    """What a server gave."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def token(self) -> str:
        found = re.search(r'name="form" value="([0-9a-f]{64})"', self.text)
        assert found is not None
        return found[1]


@dataclass
class Visitor:
    """A browser without a window: it keeps cookies and fills in forms."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, *, accept: str = HTML, **headers: str) -> Answer:
        return self.ask("GET", path, None, {"Accept": accept, **headers})

    def post(self, path: str, fields: dict[str, str], *, on: str = "/sign-in", **headers: str) -> Answer:
        token = fields.pop("form", None) or self.get(on).token
        told = {"Accept": HTML, "Content-Type": "application/x-www-form-urlencoded", **headers}
        return self.ask("POST", path, urlencode({"form": token, **fields}).encode(), told)

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        host = urlsplit(self.url)
        connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=WITHIN_S)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            given = response.getheaders()
            cookies = {}
            for name, value in given:
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    cookies[key] = value
                    self.cookies[key] = rest.partition(";")[0].strip('"')
            return Answer(response.status, {k.lower(): v for k, v in given}, cookies, response.read())
        finally:
            connection.close()


@dataclass
class Site:
    """A running server."""

    process: "subprocess.Popen[str]"
    data: Path
    url: str
    link: str
    keys: dict[tuple[str, ...], str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Any:
        """Run a command on the same data and return its JSON."""
        done = subprocess.run([PROGRAM, *arguments, "--json"], env=_env(self.data), capture_output=True, check=True)
        return json.loads(done.stdout)

    def visitor(self, *, signed_in: bool = False) -> Visitor:
        """Return a new visitor; signed in with an API key, for the link works once only."""
        visitor = Visitor(self.url)
        if signed_in:
            assert visitor.post("/sign-in", {"key": self.api_key("trace")}).status == 303
        return visitor

    def api_key(self, *scopes: str) -> str:
        """Return a key, made when it is first asked for."""
        if scopes not in self.keys:
            asked = [part for scope in scopes for part in ("--scope", scope)]
            self.keys[scopes] = self.run("keys", "api", "create", "--name", "test", *asked)["token"]
        return self.keys[scopes]


def _env(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUDONGLIAN_")}
    return {**kept, "SUDONGLIAN_DATA": str(data), "SUDONGLIAN_LANG": "en", "SUDONGLIAN_SEAL_AFTER": "0"}


@contextmanager
def serving(data: Path, **more: str) -> Iterator[Site]:
    """Start a server as a user does, and end it as one does."""
    process = subprocess.Popen(
        [PROGRAM, "serve", "--port", "0", "--rate", "0"],
        env={**_env(data), **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if found := re.search(r"once, with ((http://\S+)/welcome\?code=\S+)", line):
            break
    else:
        raise AssertionError("".join(lines))
    drained = threading.Thread(target=lambda: [None for _ in process.stderr or ()], daemon=True)
    drained.start()
    try:
        yield Site(process, data, found[2], found[1])
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0
        drained.join(WITHIN_S)
        process.stderr.close()


@pytest.fixture(scope="session")
def serve() -> Any:
    """Start a server of a test's own."""
    return serving


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Site]:
    """A server that nobody has used."""
    with serving(tmp_path / "data") as site:
        yield site


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server for those who send: what they send is not among what others look at."""
    with serving(tmp_path_factory.mktemp("desk") / "data") as site:
        yield site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with the sample outbreak, sealed and anchored."""
    with serving(tmp_path_factory.mktemp("pages") / "data") as site:
        site.run("sample", "load")
        until = time.monotonic() + WITHIN_S
        visitor = site.visitor()
        while time.monotonic() < until:
            seen = visitor.get("/index.json").json
            if seen["records"] and not seen["lag"] and not seen["pending"]:
                break
            time.sleep(0.1)
        else:
            raise AssertionError(seen)
        yield site


@pytest.fixture(scope="session")
def trust(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An auditor's trust file."""
    file = tmp_path_factory.mktemp("auditor") / "trust.json"
    site.run("trust", "add", "-o", str(file))
    return file


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, for one file of tests: as long as it is open, its event loop runs in this process."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on this machine: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        # A container gives root no sandbox; only our own pages are opened.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
