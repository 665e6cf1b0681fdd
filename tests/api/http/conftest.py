"""Real servers on free ports, over SQLite and PostgreSQL, with keys of every kind and the sample outbreak's firms."""

import http.client
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from tests.people import enrol

from sudonglian.api.commands import sample
from sudonglian.records import api_keys
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

ROOT: Final = Path(__file__).resolve().parents[3]
STARTS_WITHIN_S: Final = 60
FIRMS: Final = {name: json.loads(raw)["sender"] for name, raw in sample.documents("frozen-fish").items()}
FIRM: Final = FIRMS["01-exporter.json"]
OTHER: Final = FIRMS["02-port.json"]
PROFILED: Final = "https://id.gs1.org/417/9520001002991"


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("sudonglian_records_fixtures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


postgres = _load(ROOT / "tests" / "records" / "conftest.py").postgres


@dataclass(frozen=True)
class Answer:
    """What a server gave."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Running:
    """A server's process, its address, and the lines of its standard error."""

    process: "subprocess.Popen[str]"
    url: str
    lines: list[str]
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | dict[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request; `token` is the name of a key in `tokens`, or a token."""
        told = dict(headers or {})
        if isinstance(body, dict):
            body = json.dumps(body, ensure_ascii=False).encode()
        if body is not None:
            told.setdefault("Content-Type", "application/json")
        if token is not None:
            told["Authorization"] = f"Bearer {self.tokens.get(token, token)}"
        host = urlsplit(self.url)
        connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=60)
        try:
            connection.request(method, path, body, told)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def wait_for(self, path: str, ready: Callable[[Any], bool], token: str | None = None) -> Any:
        """Ask until an answer is as it should be."""
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until:
            answer = self.ask("GET", path, token=token)
            if answer.status == 200 and ready(answer.json):
                return answer.json
            time.sleep(0.05)
        raise AssertionError(f"{path}: {answer.status} {answer.body!r}")


def start(data: Path, *arguments: str, **env: str) -> Running:
    """Start a server on a free port and wait until it listens."""
    program = Path(sys.executable).with_name("sudonglian")
    process = subprocess.Popen(
        [program, "serve", "--port", "0", "--rate", "0", *arguments],
        env={**os.environ, "SUDONGLIAN_DATA": str(data), "SUDONGLIAN_LANG": "en", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if found := re.search(r"serving on (http://\S+)", line):
            break
    else:
        raise AssertionError("".join(lines))
    threading.Thread(target=lines.extend, args=(process.stderr,), daemon=True).start()
    return Running(process, found[1], lines)


def stop(running: Running) -> int:
    """End a server as an operator does."""
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
    code = running.process.wait(STARTS_WITHIN_S)
    if running.process.stdout is not None:
        running.process.stdout.close()
    return code


def make_keys(store: Store, keys: Keys | None = None) -> dict[str, str]:
    """Make a key of every kind."""
    now = datetime.now(UTC)
    wanted: dict[str, tuple[list[str], str | None]] = {
        "firm": (["capture", "read-own"], FIRM),
        "other": (["capture", "read-own"], OTHER),
        "capturer": (["capture"], FIRM),
        "reader": (["read-own"], FIRM),
        "tracer": (["trace"], None),
        "colleague": (["trace"], None),
        "operator": (["operate"], None),
        "auditor": (["audit", "access-log"], None),
    }
    wanted |= {name: (["capture", "read-own"], sender) for name, sender in FIRMS.items()}
    persons = {
        "investigator": ["case"],
        "epidemiologist": ["case", "trace"],
        "both": ["case", "reveal-approve"],
        "approver": ["reveal-approve"],
        "worker": ["follow-up"],
        "neighbour": ["follow-up"],
    }
    people = (
        {}
        if keys is None
        else {name: enrol(store, keys, name, "epidemiologist", "approver", "follow-up") for name in persons}
    )
    with store.write() as connection:
        return (
            {
                name: api_keys.create(connection, name, scopes, now, submitter=firm)[1]
                for name, (scopes, firm) in wanted.items()
            }
            | {
                name: api_keys.create(connection, name, scopes, now, account=people[name])[1]
                for name, scopes in persons.items()
                if name in people
            }
            | {
                # A firm of its own: no test asks how many events it has.
                "profiled": api_keys.create(
                    connection, "profiled", ["capture", "read-own"], now, submitter=PROFILED, profile="gb31605-handover"
                )[1]
            }
        )


@contextmanager
def deployed(data: Path, url: str | None) -> Iterator[tuple[Store, Keys, dict[str, str]]]:
    """Give an opened deployment in a data folder and the environment that names it."""
    keys = Keys.open(data / "keys", create=True, origin="sudonglian.test/log")
    store = Store(url or f"sqlite:///{data / 'sudonglian.db'}")
    open_deployment(store, keys)
    try:
        yield store, keys, {} if url is None else {"SUDONGLIAN_DATABASE_URL": url}
    finally:
        store.close()


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that also seals and anchors, with a key of every kind; tests keep out of each other's way by their events' numbers."""
    data = tmp_path_factory.mktemp("served")

    def run(url: str | None) -> Iterator[Running]:
        with deployed(data, url) as (store, keys, env):
            tokens = make_keys(store, keys)
            running = start(data, SUDONGLIAN_SEAL_AFTER="0", **env)
            running.tokens = tokens
            try:
                yield running
            finally:
                assert stop(running) == 0

    if request.param == "sqlite":
        yield from run(None)
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield from run(url)


def event(number: int, **members: Any) -> dict[str, Any]:
    """Make an event of a pallet."""
    whole: dict[str, Any] = {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "epcList": ["https://id.gs1.org/00/395200010000007775"],
        "eventTime": f"2026-01-05T08:30:{number % 60:02}+08:00",
        "eventTimeZoneOffset": "+08:00",
        "eventID": f"urn:uuid:6f0b2f3a-1111-4c3e-9f43-{number:012}",
    }
    return {name: value for name, value in (whole | members).items() if value is not None}


def document(*events: dict[str, Any]) -> bytes:
    """Make a document of events."""
    whole = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-05T01:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }
    return json.dumps(whole, ensure_ascii=False).encode()


class Make:
    """Makes events and documents."""

    event = staticmethod(event)
    document = staticmethod(document)
    firms = FIRMS

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    @staticmethod
    def deploy(data: Path, url: str | None = None) -> tuple[dict[str, str], dict[str, str]]:
        """Make a deployment with keys; return their tokens, and the environment that names it."""
        with deployed(data, url) as (store, keys, env):
            return make_keys(store, keys), env


@pytest.fixture(scope="session")
def make() -> Make:
    """What makes events and documents."""
    return Make()


@pytest.fixture(scope="module")
def start_once() -> Iterator[Callable[..., Running]]:
    """Start servers that end with the module."""
    started: list[Running] = []

    def begin(data: Path, *arguments: str, **env: str) -> Running:
        started.append(start(data, *arguments, **env))
        return started[-1]

    yield begin
    for one in started:
        stop(one)


@pytest.fixture
def start_server() -> Iterator[Callable[..., Running]]:
    """Start servers that end with the test."""
    started: list[Running] = []

    def begin(data: Path, *arguments: str, **env: str) -> Running:
        started.append(start(data, *arguments, **env))
        return started[-1]

    yield begin
    for one in started:
        stop(one)
