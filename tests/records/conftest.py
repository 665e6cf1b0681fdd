"""Stores to test against: SQLite always, PostgreSQL where Debian's binaries are; and events to put into them."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from sudonglian.records import intake, sequencer
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.log import Checkpoint
from sudonglian.records.store import Store

NOW: Final = datetime(2026, 1, 6, 0, 0, 0, 123456, tzinfo=UTC)
FIRM: Final = "https://id.gs1.org/417/6901234000009"
STARTS_WITHIN_S: Final = 30

Event = dict[str, Any]
Document = Callable[..., bytes]


@dataclass
class Cluster:
    """A PostgreSQL of this session's own, on a free port, in a folder of its own."""

    port: int
    command: list[str]
    options: dict[str, Any]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    server: "subprocess.Popen[bytes] | None" = None

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://sudonglian@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        name = f"test_{next(self.numbers)}"
        self._administer(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def start(self) -> None:
        """Start, and wait until it takes connections; after a crash its old processes may be in the way for a while."""
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until:
            if self.server is None or self.server.poll() is not None:
                self.server = subprocess.Popen(self.command, **self.options)
            try:
                self._administer("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("PostgreSQL did not start")

    def stop(self) -> None:
        assert self.server is not None
        self.server.send_signal(signal.SIGINT)  # "fast": no waiting for clients
        self.server.wait(STARTS_WITHIN_S)

    def kill(self) -> None:
        """Kill -9 every process of it at once, as far as one can: what it had not written is lost."""
        assert self.server is not None
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split()
        for pid in (self.server.pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.server.wait(STARTS_WITHIN_S)

    def quit(self) -> None:
        """Shut down at once, without a checkpoint."""
        assert self.server is not None
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait(STARTS_WITHIN_S)

    def kill_a_backend(self, database: str) -> None:
        """Kill -9 one process that serves a connection: the server ends all others, and recovers."""
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE datname = %s ORDER BY random() LIMIT 1"
            for (pid,) in connection.execute(query, [database]).fetchall():
                os.kill(pid, signal.SIGKILL)
                # This connection ends too as soon as the server has noticed; until then it takes new ones.
                with contextlib.suppress(psycopg.OperationalError):
                    while True:
                        connection.execute("SELECT 1")
                        time.sleep(0.01)

    @property
    def _conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=sudonglian dbname=postgres"

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def cluster(*settings: str) -> Iterator[Cluster]:
    """Run a PostgreSQL with these settings, gone afterwards."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        pytest.skip("no PostgreSQL binaries under /usr/lib/postgresql: apt-get install postgresql enables this test")
    folder = Path(tempfile.mkdtemp(prefix="sudonglian-postgres-"))
    who: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        account = _unprivileged()
        os.chown(folder, account.pw_uid, account.pw_gid)
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    options: dict[str, Any] = {"cwd": folder, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **who}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    initdb = f"{programs[-1]}/initdb -D {data} -U sudonglian -A trust -E UTF8 --locale=C --no-sync"
    made = subprocess.run(initdb.split(), check=False, **options)
    if made.returncode:
        raise RuntimeError(f"initdb: {made.stdout.decode()}")
    told = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", *settings)
    command = [f"{programs[-1]}/postgres", "-D", str(data), *(part for one in told for part in ("-c", one))]
    running = Cluster(port, command, options | {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL})
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL for tests that nobody pulls the plug of."""
    with cluster("fsync=off") as running:
        yield running


def _unprivileged() -> pwd.struct_passwd:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'memory.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    with cluster.database() as url:
        yield url


@pytest.fixture
def blank_store(blank_url: str) -> Iterator[Store]:
    """A store without tables."""
    store = Store(blank_url)
    yield store
    store.close()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.open(tmp_path / "keys", create=True, origin="sudonglian.test/log")


@pytest.fixture
def store(blank_store: Store, keys: Keys) -> Store:
    """A store with its tables, of the log of `keys`."""
    open_deployment(blank_store, keys, NOW)
    return blank_store


@pytest.fixture
def sqlite_store(tmp_path: Path, keys: Keys) -> Iterator[Store]:
    """The embedded store alone, where the other one has nothing to add."""
    store = Store(f"sqlite:///{tmp_path / 'memory.db'}")
    open_deployment(store, keys, NOW)
    yield store
    store.close()


@pytest.fixture
def event() -> Callable[..., Event]:
    """Make an event: a pallet's shipping at 08:30, with other members where given and without those that are None."""

    def make(**members: Any) -> Event:
        whole: Event = {
            "type": "ObjectEvent",
            "action": "OBSERVE",
            "bizStep": "shipping",
            "epcList": ["urn:epc:id:sscc:6901234.0000000018"],
            "eventTime": "2026-01-05T08:30:00+08:00",
            "eventTimeZoneOffset": "+08:00",
            "eventID": "urn:uuid:6f0b2f3a-1111-4c3e-9f43-000000000001",
        }
        whole |= members
        return {name: value for name, value in whole.items() if value is not None}

    return make


@pytest.fixture
def handler() -> Callable[..., Event]:
    """Make a participant."""

    def make(value: str = "19900000001", kind: str = "phone", **members: Any) -> Event:
        person = {"kind": kind, "value": value, "name": "测试员甲"}
        return {"personRef": person, "role": "loader", "contact": "opened", **members}

    return make


@pytest.fixture
def document() -> Document:
    """Make the document of some events."""

    def make(*events: Event) -> bytes:
        whole = {
            "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-01-05T01:00:00Z",
            "epcisBody": {"eventList": list(events)},
        }
        return json.dumps(whole, ensure_ascii=False).encode()

    return make


@pytest.fixture
def capture(store: Store, keys: Keys, document: Document) -> Callable[..., intake.CaptureResult]:
    """Capture events, or one document's bytes, and commit."""

    def run(*events: Event | bytes, submitter: str = FIRM, now: datetime = NOW, **how: Any) -> intake.CaptureResult:
        raw = events[0] if events and isinstance(events[0], bytes) else document(*events)
        with store.write() as connection:
            return intake.capture(connection, keys, raw, submitter=submitter, now=now, **how)

    return run


@pytest.fixture
def seal(store: Store, keys: Keys) -> Callable[[], Checkpoint | None]:
    """Seal what is pending, and commit."""

    def run() -> Checkpoint | None:
        with store.write() as connection:
            return sequencer.seal(connection, keys, NOW)

    return run
