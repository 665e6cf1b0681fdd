"""The servers of `scripts/bench capture`: the program as one starts it, a PostgreSQL, and what the kernel says they spent.

docs/capture-speed.md. Both are durable, as they are installed.
"""

import contextlib
import http.client
import json
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
PROGRAM: Final = ROOT / ".venv" / "bin" / "sudonglian"

STARTS_WITHIN_S: Final = 60
TICKS: Final = os.sysconf("SC_CLK_TCK")


class NoPostgres(Exception):
    """PostgreSQL's programs are not installed."""


def cpu_of(pid: int) -> tuple[float, float]:
    """Return the processor seconds of a process, and those of all that it started, the ended ones included."""
    spent: list[float] = []
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    pending = [pid]
    for one in pending:  # which grows meanwhile
        with contextlib.suppress(OSError):
            user, system, *ended = map(int, _stat(one)[11:15])
            spent += [(user + system) / TICKS, sum(ended) / TICKS]
        pending += children.get(one, [])
    return spent[0], sum(spent[1:])


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, int]]:
    """Give the URL of a PostgreSQL of this run's own and its process; durable, as it is installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        raise NoPostgres("no PostgreSQL under /usr/lib/postgresql: apt-get install postgresql")
    who: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        account = pwd.getpwnam("postgres")
        folder.chmod(0o711)
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    home = folder / "postgresql"
    home.mkdir(mode=0o700)
    if who:
        os.chown(home, who["user"], who["group"])
    options: dict[str, Any] = {"cwd": home, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **who}
    data = home / "data"
    initdb = [f"{programs[-1]}/initdb", "-D", str(data), "-U", "sudonglian", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run(initdb, check=True, **options)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Nothing of durability is turned off; `fsync` and `synchronous_commit` are on unless somebody says otherwise.
    settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="]
    command = [f"{programs[-1]}/postgres", "-D", str(data), *(part for one in settings for part in ("-c", one))]
    server = subprocess.Popen(command, **options)
    try:
        import psycopg

        where = f"host=127.0.0.1 port={port} user=sudonglian dbname=postgres"
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                with psycopg.connect(where, autocommit=True) as connection:
                    connection.execute("CREATE DATABASE capture")
                    for name in ("fsync", "synchronous_commit"):
                        assert connection.execute(f"SHOW {name}".encode()).fetchone() == ("on",), name
                break
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield f"postgresql+psycopg://sudonglian@127.0.0.1:{port}/capture", server.pid
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(STARTS_WITHIN_S)


def command(environment: dict[str, str], *arguments: str) -> Any:
    """Run a command of the program and return its document."""
    done = subprocess.run(
        [str(PROGRAM), "--json", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"sudonglian {' '.join(arguments)}: {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return json.loads(done.stdout)


@contextlib.contextmanager
def served(environment: dict[str, str], log: Path) -> Iterator[tuple[str, int]]:
    """Give the URL of a server as one starts it, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as errors:
        arguments = [str(PROGRAM), "serve", "--port", str(port)]
        server = subprocess.Popen(arguments, env=environment, stdout=errors, stderr=errors)
        try:
            until = time.monotonic() + STARTS_WITHIN_S
            while True:
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", port)
                    connection.request("GET", "/readyz")
                    if connection.getresponse().status == 200:
                        break
                except OSError:
                    pass
                if time.monotonic() > until or server.poll() is not None:
                    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(STARTS_WITHIN_S)
