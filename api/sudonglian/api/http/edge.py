"""The outermost edge: a request id, a rate, one log line without persons, and no stack trace for anybody.

service.md (structured logs with a request id and no personal data; RateLimit and Retry-After).
docs/decisions/0703: an error's own text may hold a person's data, so a log says what kind and where.
"""

import json
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from secrets import token_hex
from threading import Lock
from typing import Any, ClassVar, Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sudonglian.api.errors import DoorError
from sudonglian.api.http.door import Door

BURST_S: Final = 4
"""A caller may use this many seconds' requests at once: a page that loads its parts is no flood."""

CALLERS: Final = 10_000
"""Callers remembered at once; the one that was silent longest is forgotten first."""

HUNG_UP: Final = 499
"""Logged and counted, never sent: the caller went away before it had sent all, or been answered. nginx calls it so."""

SAFE_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class TooManyRequests(DoorError):
    """A caller beyond its rate."""

    slug: ClassVar[str] = "too-many-requests"


class Rate:
    """Requests a second for each address: a bucket that fills at the rate and holds `BURST_S` of it.

    Not for each key: whoever guesses keys shows a new one every time.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._left: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: str, now_ns: int) -> tuple[int, int]:
        """Take one request; return (how many are left, in how many seconds one is); left is -1 for none."""
        second = 1_000_000_000
        full = self.rate * BURST_S * second
        with self._lock:
            level, at = self._left.pop(caller, (full, now_ns))
            level = min(full, level + (now_ns - at) * self.rate)
            allowed = level >= second
            level -= second if allowed else 0
            self._left[caller] = level, now_ns
            while len(self._left) > CALLERS:
                self._left.popitem(last=False)
        wait = 0 if level >= second else -((level - second) // (self.rate * second))
        return (level // second if allowed else -1), wait


class Edge:
    """The middleware around everything."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app = app
        self.door = door
        self.rate = Rate(door.rate) if door.rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # What a GET would answer; the server program leaves the body out (RFC 9110 §9.3.2).
            scope = {**scope, "method": "GET"}
        began = time.perf_counter_ns()
        request_id = token_hex(8)
        scope["sudonglian.request"] = request_id
        state: dict[str, Any] = {"status": 500, "started": False}
        extra = [*SAFE_HEADERS, (b"x-request-id", request_id.encode())]

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                state.update(status=message["status"], started=True)
                named = {name.lower() for name, _ in message["headers"]}
                more = [pair for pair in extra if pair[0] not in named]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            if self.rate is not None:
                left, wait = self.rate.take(_address(scope), time.monotonic_ns())
                window = f'"default";q={self.rate.rate * BURST_S};w={BURST_S}'
                extra += [(b"ratelimit-policy", window.encode()), (b"ratelimit", _told(left, wait))]
                if left < 0:
                    extra.append((b"retry-after", str(max(wait, 1)).encode()))
                    scope["sudonglian.too_many"] = self.rate.rate
            await self.app(scope, receive, sent)
        except ClientDisconnect:
            # Nobody is left to be answered, and nothing went wrong here.
            state["status"] = HUNG_UP
        except Exception as error:  # noqa: BLE001  the last edge: whatever this is, the caller gets a problem document
            log_error(scope, error)
            if not state["started"]:
                await _unexpected(sent, request_id)
        finally:
            self._close(scope, int(state["status"]), (time.perf_counter_ns() - began) // 1_000_000)

    def _close(self, scope: Scope, status: int, took_ms: int) -> None:
        route = getattr(scope.get("route"), "path", "")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.door.metrics.count("sudonglian_http_requests_total", route=route, method=method, status=str(status))
        line = {"route": route, "method": method, "status": status, "ms": took_ms, "key": scope.get("sudonglian.key")}
        write_log("request", scope, line)


METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def log_error(scope: Mapping[str, Any], error: BaseException) -> None:
    """Log of what kind an error is and where it happened, without its text."""
    frames = [f"{one.filename}:{one.lineno} {one.name}" for one in traceback.extract_tb(error.__traceback__)[-8:]]
    write_log("error", scope, {"kind": f"{type(error).__module__}.{type(error).__qualname__}", "frames": frames})


def write_log(what: str, scope: Mapping[str, Any], line: Mapping[str, Any]) -> None:
    """Write one JSON line to standard error: route templates and key prefixes, never paths, values or bodies."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    told = {"at": at, "log": what, "request_id": scope.get("sudonglian.request"), **line}
    sys.stderr.write(json.dumps(told) + "\n")
    sys.stderr.flush()


async def _unexpected(send: Send, request_id: str) -> None:
    problem = {
        "type": "urn:sudonglian:problem:unexpected",
        "title": "unexpected",
        "status": 500,
        "detail": "the server met an error that nobody foresaw; its log names the request",
        "request_id": request_id,
    }
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})


def _address(scope: Scope) -> str:
    return str(scope["client"][0]) if scope.get("client") else ""


def _told(left: int, wait: int) -> bytes:
    return f'"default";r={max(left, 0)};t={max(wait, 0)}'.encode()
