"""Clients that go on whatever happens to the server, and a journal of what it has acknowledged to each of them.

A journal's line is on disk before the request it intends is sent, and after the answer that it repeats has come.
"""

import http.client
import json
import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from tests.api.http.conftest import Answer
from tests.api.kill.firms import Asked, Firm

AWAY_S: Final = 0.02
"""How soon a client tries again when nobody listens."""

PATIENCE_S: Final = 300
"""A request may be cut off by several kills in a row, on a machine that has other work: beyond this it hangs."""

AWAY: Final = 503
"""The server lives, and its database does not: an answer that is no answer."""


class Journal:
    """What one client meant to send, and what was answered: lines of JSON."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")

    def write(self, **line: Any) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def lines(self) -> Iterator[dict[str, Any]]:
        for line in self.path.read_bytes().splitlines():
            yield json.loads(line)

    def intended(self) -> int:
        """Return how many requests were begun."""
        return sum("intended" in line for line in self.lines())

    def acknowledged(self) -> Iterator[tuple[int, Answer]]:
        """Yield the number of a request and an answer to it; some are answered twice."""
        for line in self.lines():
            if "answered" in line:
                yield line["answered"], Answer(line["status"], line["headers"], line["body"].encode())


class Client(Thread):
    """A firm's program: one request after the other, each under its key until it is answered."""

    def __init__(self, firm: Firm, token: str, port: int, journal: Journal, stopping: Event) -> None:
        super().__init__(name=f"client-{firm.number}", daemon=True)
        self.firm = firm
        self.journal = journal
        self.stopping = stopping
        self.answered = 0
        self.interrupted = 0
        """How often a request was under way when the server died."""
        self.failed: BaseException | None = None
        self._token = token
        self._port = port
        self._chance = random.Random(f"{firm.sender}/{firm.number}/client")
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self._ask(self.firm.next())
        except BaseException as error:  # noqa: BLE001  told by whoever joins
            self.failed = error
        finally:
            self._hang_up()

    def _ask(self, asked: Asked) -> None:
        self.journal.write(intended=asked.number, key=asked.key, sha256=sha256(asked.body).hexdigest())
        if asked.spoilt is not None:
            answer = self.insist(asked, asked.spoilt)
            assert answer.status == 400, answer
        how = self._chance.random()
        if how < 0.1:
            self._send_and_hang_up(asked)
        elif how < 0.2:
            self._send_twice_at_once(asked)
        self._note(asked, self.insist(asked))
        self.answered += 1
        if self._chance.random() < 0.1:
            self._note(asked, self.insist(asked))

    def _note(self, asked: Asked, answer: Answer) -> None:
        self.journal.write(
            answered=asked.number, status=answer.status, headers=answer.headers, body=answer.body.decode()
        )

    def insist(self, asked: Asked, body: bytes | None = None) -> Answer:
        """Send until there is an answer."""
        until = time.monotonic() + PATIENCE_S
        while True:
            assert time.monotonic() < until, f"{asked.name} {asked.key} is not answered"
            with suppress(OSError, http.client.HTTPException):
                answer = self._send(asked, asked.body if body is None else body)
                if answer.status != AWAY:
                    return answer
            self._hang_up()
            time.sleep(AWAY_S)

    def _send(self, asked: Asked, body: bytes) -> Answer:
        if self._connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
            connection.connect()
            self._connection = connection
        try:
            self._connection.request("POST", asked.path, body, self._headers(asked))
            response = self._connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())
        except (OSError, http.client.HTTPException):
            self.interrupted += 1
            raise

    def _headers(self, asked: Asked) -> dict[str, str]:
        return {**asked.headers, "Authorization": f"Bearer {self._token}", "Idempotency-Key": asked.key}

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send_and_hang_up(self, asked: Asked) -> None:
        """Send, and do not wait for the answer: a client that dies."""
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
            connection.request("POST", asked.path, asked.body, self._headers(asked))
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _send_twice_at_once(self, asked: Asked) -> None:
        """Send from another connection too, at the same time: a client that lost patience."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)

        def also() -> None:
            with suppress(OSError, http.client.HTTPException):
                connection.request("POST", asked.path, asked.body, self._headers(asked))
                connection.getresponse().read()
            connection.close()

        Thread(target=also).start()
