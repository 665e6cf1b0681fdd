"""A real server under siege: started on one port, killed with all its processes, started again."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Final

from tests.api.http.conftest import FIRM, OTHER, STARTS_WITHIN_S, Running, deployed, make_keys
from tests.api.kill.clients import PATIENCE_S, Client, Journal
from tests.api.kill.firms import Firm

from sudonglian.records import log
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

CLIENTS: Final = 4
TIMES: Final = {"starting": (3,), "answering": (0.05, 0.3, 1), "sealing": (0.1, 0.5, 2)}
"""Seconds within which a server is killed, by what it does before."""

PROGRAM: Final = Path(sys.executable).with_name("sudonglian")


@dataclass
class Besieged:
    """A deployment, its server's process if it runs, and the clients that will not be put off."""

    data: Path
    store: Store
    keys: Keys
    tokens: dict[str, str]
    env: dict[str, str]
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    clients: list[Client] = field(default_factory=list)
    stopping: Event = field(default_factory=Event)
    cluster: Any = None
    """The PostgreSQL, if it is one."""

    @property
    def asking(self) -> Running:
        """What asks this server."""
        return Running(self.process, f"http://127.0.0.1:{self.port}", [], self.tokens)  # type: ignore[arg-type]

    @property
    def answered(self) -> int:
        return sum(one.answered for one in self.clients)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command on the deployment."""
        return subprocess.run(
            [PROGRAM, *arguments], env={**os.environ, **self.env}, capture_output=True, text=True, check=False
        )

    def await_database(self) -> None:
        """Wait until a PostgreSQL takes connections again, which recovers by itself when one of its processes was killed."""
        if self.cluster is not None:
            self.cluster.start()

    def start(self) -> None:
        """Start the program, in a process group of its own; it seals and anchors all the time."""
        with (self.data / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--port", str(self.port), "--rate", "0"],
                env={**os.environ, **self.env},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, *, alone: bool = False) -> None:
        """End every process of the server by SIGKILL, or the one that answers alone: its worker finds out by itself."""
        assert self.process is not None
        (os.kill if alone else os.killpg)(self.process.pid, signal.SIGKILL)
        assert self.process.wait(STARTS_WITHIN_S) == -signal.SIGKILL, self.said()

    def stop(self) -> None:
        """End the server as an operator does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STARTS_WITHIN_S) == 0, self.said()

    def said(self) -> str:
        """Return the end of what the servers wrote."""
        return (self.data / "server.log").read_text()[-4_000:]

    def send(self, seed: int) -> None:
        """Let the clients begin."""
        for number in range(CLIENTS):
            firm = Firm(number, seed)
            token = self.tokens["firm" if firm.sender == FIRM else "other"]
            assert firm.sender in (FIRM, OTHER)
            journal = Journal(self.data / f"journal-{number}")
            self.clients.append(Client(firm, token, self.port, journal, self.stopping))
            self.clients[-1].start()

    def is_answering(self) -> None:
        """Wait until the clients are answered again."""
        before = self.answered
        self.until(lambda: self.answered > before, "an answer")

    def is_sealing(self) -> None:
        """Wait until something was sealed."""
        before = self._sealed()
        self.until(lambda: self._sealed() > before, "a seal")

    def _sealed(self) -> int:
        with self.store.read() as connection:
            return log.size(connection)

    def until(self, holds: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert all(one.is_alive() for one in self.clients), [one.failed for one in self.clients]
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"never came: {what}; {self.said()}"
            time.sleep(0.01)

    def join(self) -> None:
        """Let the clients end, each when its last request is answered."""
        self.stopping.set()
        for one in self.clients:
            one.join(PATIENCE_S)
            assert not one.is_alive(), self.said()
            if one.failed is not None:
                raise one.failed

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.stopping.set()
        for one in self.clients:
            one.journal.close()


@contextmanager
def besieged(data: Path, url: str | None) -> Iterator[Besieged]:
    """Give a new deployment whose server does not run yet."""
    with deployed(data, url) as (store, keys, env), socket.socket() as free:
        tokens = make_keys(store)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        env |= {"SUDONGLIAN_DATA": str(data), "SUDONGLIAN_LANG": "en", "SUDONGLIAN_SEAL_AFTER": "0"}
        place = Besieged(data, store, keys, tokens, env, port)
        try:
            yield place
        finally:
            place.close()


def moments(chance: random.Random, kills: int) -> Iterator[tuple[str, float]]:
    """Yield for each kill what the server does before, and how long after that it is killed.

    `starting`, `answering` clients, or `sealing` and anchoring what it took since it was started.
    """
    due = list(TIMES)
    for number in range(kills):
        if number % len(TIMES) == 0:
            chance.shuffle(due)
        what = due[number % len(TIMES)]
        yield what, chance.uniform(0, chance.choice(TIMES[what]))
