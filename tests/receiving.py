"""A server that is told things: it keeps what it was sent, checks who sent it, and answers as it was told to."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answering = Callable[[socket.socket, int], None]


@dataclass(frozen=True)
class Sent:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def name(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def is_signed(self, secret: str) -> bool:
        """Whether this is signed by a secret and not older than five minutes, as Standard Webhooks 1.0 has it."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        assert secret.startswith("whsec_")
        assert 24 <= len(key) <= 64
        stamp = self.headers["webhook-timestamp"]
        content = b".".join((self.name.encode(), stamp.encode(), self.body))
        due = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        given = [one.partition(",") for one in self.headers["webhook-signature"].split(" ")]
        return abs(time.time() - int(stamp)) < 300 and any(
            v == "v1" and hmac.compare_digest(s, due) for v, _, s in given
        )


def status(code: int, *headers: str) -> Answering:
    """Answer with a status."""

    def answer(connection: socket.socket, number: int) -> None:
        told = "".join(f"{one}\r\n" for one in headers)
        connection.sendall(f"HTTP/1.1 {code} x\r\n{told}Content-Length: 2\r\n\r\nok".encode())

    return answer


def raw(data: bytes) -> Answering:
    """Answer with these bytes."""
    return lambda connection, number: connection.sendall(data)


def nothing(connection: socket.socket, number: int) -> None:
    """Hang up."""


@dataclass
class Receiver:
    """A listening server."""

    listening: socket.socket
    answers: list[Answering] = field(default_factory=list)
    """For the first requests, in order; then every one is taken."""
    sent: list[Sent] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    release: threading.Event = field(default_factory=threading.Event)
    """What `held` waits for."""

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?from=here"

    def held(self, connection: socket.socket, number: int) -> None:
        """Answer when it is let."""
        self.release.wait(60)
        status(200)(connection, number)

    def wait(self, many: int, within_s: float = 60) -> list[Sent]:
        """Return the first requests, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.sent) >= many, within_s), f"{len(self.sent)} of {many} came"
            return list(self.sent)

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            reading = connection.makefile("rb")
            line = reading.readline().decode().strip()
            headers: dict[str, str] = {}
            while text := reading.readline().decode().strip():
                name, _, value = text.partition(":")
                headers[name.lower()] = value.strip()
            body = reading.read(int(headers.get("content-length", "0")))
            with self.arrived:
                number = len(self.sent)
                self.sent.append(Sent(line, headers, body))
                answer = self.answers[number] if number < len(self.answers) else status(204)
                self.arrived.notify_all()
            try:
                answer(connection, number)
            except OSError:
                pass


@contextmanager
def receiver(*answers: Answering) -> Iterator[Receiver]:
    """Give a server on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Receiver(listening, list(answers))
        threading.Thread(target=made.run, daemon=True).start()
        try:
            yield made
        finally:
            made.release.set()
            listening.shutdown(socket.SHUT_RDWR)
