"""A caller that goes away in the middle of what it sends: told as that in the log, and no error of the server's."""

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

WITHIN_S = 30

HEAD = (
    "POST {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n"
)
FORM = "multipart/form-data; boundary=x"
CHUNKED = "Transfer-Encoding: chunked"
FRAMINGS = {"Content-Length: 1000": b'{"type": ', CHUNKED: b'9\r\n{"type": \r\n'}


def logged(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/epcis/v2/capture", "application/json"),
        ("/epcis/v2/capture", FORM),
        ("/epcis/v2/events", "application/json"),
        ("/verify", "application/json"),
    ],
)
def test_hanging_up_is_no_error(served: Any, path: str, kind: str, framing: str) -> None:
    before = len(served.lines)
    where = urlsplit(served.url)
    head = HEAD.format(path=path, token=served.tokens["firm"], kind=kind, framing=framing)
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(head.encode() + FRAMINGS[framing])
    until = time.monotonic() + WITHIN_S
    while not (said := [one for one in logged(served.lines[before:]) if one.get("status") == 499]):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert [(one["log"], one["method"], one["route"]) for one in said] == [("request", "POST", path)]
    assert [one for one in logged(served.lines[before:]) if one["log"] == "error"] == []
    counted = f'sudonglian_http_requests_total{{method="POST",route="{path}",status="499"}}'
    assert counted in served.ask("GET", "/metrics", token="operator").body.decode()
    assert served.ask("GET", "/healthz").status == 200
