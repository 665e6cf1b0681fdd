"""What scripts/demo speaks to: a server of its own, and HTTP as any machine of a firm would speak it.

Standard library only; docs/http.md is what is spoken here.
"""

import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import urlsplit

START_WAIT_S = 60
"""A machine under load takes seconds to import a web server."""

ANSWER_WAIT_S = 60
STOP_WAIT_S = 20

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class DemoFailed(Exception):
    """What ends the demo, in one sentence."""


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Client:
    """One caller of the server: its key, and the language that it wants to be answered in."""

    def __init__(self, url: str, lang: str, token: str = "") -> None:
        self.host = urlsplit(url).netloc
        self.headers = {"Accept-Language": lang, **({"Authorization": f"Bearer {token}"} if token else {})}

    def get(self, path: str) -> Answer:
        """Read something that must be there."""
        answer = self._ask("GET", path, None, {})
        return answer if answer.status == 200 else _refused(f"GET {path}", answer)

    def post(self, path: str, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
        """Send something; 202 and 400 are answers that the caller judges."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._ask("POST", path, body, {"Content-Type": kind, **named})
        return answer if answer.status in (202, 400) else _refused(f"POST {path}", answer)

    def events(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield the kind and the data of server-sent events as they come, until the server ends them."""
        connection = http.client.HTTPConnection(self.host, timeout=ANSWER_WAIT_S)
        try:
            connection.request("GET", path, headers=self.headers)
            answer = connection.getresponse()
            if answer.status != 200:
                _refused(f"GET {path}", Answer(answer.status, {}, answer.read()))
            kind = ""
            for line in answer:
                name, _, said = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = said
                elif name == "data":
                    yield kind, json.loads(said)
        except (OSError, http.client.HTTPException) as error:
            raise DemoFailed(f"GET {path}: {error or type(error).__name__}") from error
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        # Not urllib.request: a proxy that the environment names must not see this.
        connection = http.client.HTTPConnection(self.host, timeout=ANSWER_WAIT_S)
        try:
            connection.request(method, path, body, {**self.headers, **headers})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise DemoFailed(f"{method} {path}: {error or type(error).__name__}") from error
        finally:
            connection.close()


def _refused(what: str, answer: Answer) -> NoReturn:
    try:
        problem = answer.value
        raise DemoFailed(f"{what}: {answer.status} {problem['type']} {problem['detail']}")
    except (ValueError, KeyError, TypeError):
        raise DemoFailed(f"{what}: {answer.status}") from None


@dataclass
class Server:
    """A running server: where it is, and the process that it is."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Fail if it has ended by itself."""
        if self.process.poll() is not None:
            raise DemoFailed(f"the server ended with {self.process.returncode}: see {self.log}")


@contextmanager
def serving(command: Sequence[str | Path], env: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Keep a server of one's own running, and end exactly that one whatever happens in between."""
    # It prints a link that signs in whoever opens it: nobody else may read that.
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    process: subprocess.Popen[bytes] | None = None
    try:
        with unstopped():
            # A session of its own: ^C goes to the demo, which then ends the server in good order.
            process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        server = Server("", process, log)
        deadline = time.monotonic() + START_WAIT_S
        while not (found := ADDRESS.search(log.read_text(encoding="utf-8", errors="replace"))):
            server.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"the server does not start: see {log}")
            time.sleep(0.05)
        server.url = found[0]
        yield server
    finally:
        os.close(out)
        if process is not None:
            with unstopped():
                _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ran(command: Sequence[str], env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; whatever ends the demo in between ends it too."""
    process: subprocess.Popen[str] | None = None
    try:
        with unstopped():
            process = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
            )
        out, err = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out, err)
    except BaseException:
        if process is not None:
            with unstopped():
                process.kill()
                process.wait()
        raise


def stop_in_order() -> None:
    """Let SIGTERM and SIGHUP end this process as ^C does: everything that was begun is ended first."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves SIGHUP
            signal.signal(number, stop)


@contextmanager
def unstopped() -> Iterator[None]:
    """Let a signal wait while a process is begun or ended: in between nobody would know of it."""
    waiting: list[int] = []
    # No mask: a child would inherit it, and could not be ended any more.
    before = {number: signal.signal(number, lambda got, _frame: waiting.append(got)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for got in waiting[:1]:
            os.kill(os.getpid(), got)
