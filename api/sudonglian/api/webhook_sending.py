"""One attempt to tell a server something: signed, within a time, and of its answer the status alone is read.

Standard Webhooks 1.0 (webhook-id, webhook-timestamp, webhook-signature); docs/webhooks.md. No redirect is followed, no
proxy asked, and the address that was checked is the one that is called.
"""

import base64
import hmac
import re
import socket
import ssl
import time
from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from sudonglian.api.webhook_address import AddressRefused, Target, check_addresses, target_of

WITHIN_S: Final = 10
"""For an attempt, from the connection to the status: a server that has to think first answers, and thinks then."""

MAX_HEAD: Final = 16 * 1024
"""Bytes before a status: informational answers may come first, and then it."""

GONE: Final = 410
"""A server that wants to be told nothing more (Standard Webhooks)."""

SECRET_PREFIX: Final = "whsec_"

_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")


class Outcome(NamedTuple):
    """What came of an attempt: the status, or 0 and why there is none, in our own words."""

    status: int
    why: str

    @property
    def is_taken(self) -> bool:
        """Whether the server has it."""
        return 200 <= self.status < 300


def secret_text(secret: bytes) -> str:
    """Return a secret as its server's operator is shown it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, name: str, at_s: int, body: bytes) -> str:
    """Return the value of webhook-signature.

    >>> secret = base64.b64decode("C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    >>> signature(secret, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553, b'{"email":"test@example.com","username":"test_user"}')
    'v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw='
    """
    digest = hmac.digest(secret, f"{name}.{at_s}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def send(url: str, inside: Collection[str], secret: bytes, name: str, body: bytes, now: datetime) -> Outcome:
    """Tell a server a message, once."""
    until = time.monotonic() + WITHIN_S
    try:
        target = target_of(url, inside)
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        check_addresses(target, addresses, inside)
        with _connected(target, addresses[0], until) as connection:
            connection.settimeout(_left(until))
            connection.sendall(_request(target, secret, name, body, int(now.timestamp())))
            status = _status(connection, until)
    except AddressRefused as error:
        return Outcome(0, error.reason)
    except socket.gaierror:
        return Outcome(0, "its host has no address")
    except ssl.SSLCertVerificationError:
        return Outcome(0, "its certificate is not to be trusted")
    except ssl.SSLError:
        return Outcome(0, "TLS failed")
    except TimeoutError:
        return Outcome(0, f"no answer within {WITHIN_S} s")
    except (OSError, ValueError):
        # The system's own sentence names addresses and is in its language.
        return Outcome(0, "no connection, or it broke off")
    return Outcome(status, f"answered {status}" if status else "its answer is not HTTP")


def _connected(target: Target, address: str, until: float) -> socket.socket:
    raw = socket.create_connection((address, target.port), timeout=_left(until))
    if not target.is_https:
        return raw
    try:
        raw.settimeout(_left(until))
        return ssl.create_default_context().wrap_socket(raw, server_hostname=target.host)
    except BaseException:
        raw.close()
        raise


def _request(target: Target, secret: bytes, name: str, body: bytes, at_s: int) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    head = (
        f"POST {target.path} HTTP/1.1",
        f"Host: {host}:{target.port}",
        "User-Agent: sudonglian",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"webhook-id: {name}",
        f"webhook-timestamp: {at_s}",
        f"webhook-signature: {signature(secret, name, at_s, body)}",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + body


def _status(connection: socket.socket, until: float) -> int:
    """Return the status of the answer; what comes behind it is not read. 0 if it is no HTTP."""
    head = b""
    while len(head) < MAX_HEAD:
        connection.settimeout(_left(until))
        part = connection.recv(4096)
        if not part and not head:
            raise ConnectionResetError
        head += part
        while (found := _STATUS.match(head)) is not None and found[1].startswith(b"1"):
            behind = head.find(b"\r\n\r\n")
            if behind < 0:
                break
            head = head[behind + 4 :]
        if found is not None and not found[1].startswith(b"1"):
            return int(found[1])
        if not part or (found is None and len(head) > len(b"HTTP/1.1 200 ")):
            return 0
    return 0


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
