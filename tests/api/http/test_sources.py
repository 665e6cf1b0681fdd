"""Sources over HTTP: the command line's answer, for who may trace."""

import json
from typing import Any

import pytest
from tests.trace.sources.literal import network

DELIVERIES = [{"ID": "1", "from": "a", "to": "b"}, {"ID": "2", "from": "b", "to": "c"}]
BODY = json.dumps(network("abc", DELIVERIES, [], [{"id": "c", "weight": 1}])).encode()


def ask(server: Any, body: bytes, query: str = "", token: str | None = "tracer", kind: str = "application/json") -> Any:
    return server.ask("POST", f"/sources{query}", body, token=token, headers={"Content-Type": kind})


def test_sources(served: Any) -> None:
    assert ask(served, BODY).json["sums"] == {"station_score": 2.0, "delivery_score": 1.0}
    everywhere = ask(served, BODY, "?cross_contamination=true").json
    assert everywhere["sums"] == {"station_score": 3.0, "delivery_score": 2.0}
    first = everywhere["deliveries"][0]
    # It reaches b and c, the other delivery c alone: 0.95 / 2 + 0.05 / 3 of that and 0.95 + 0.05 / 3.
    near, other = 0.95 / 2 + 0.05 / 3, 0.95 + 0.05 / 3
    assert first.pop("likelihood_rank") == 2
    assert first.pop("likelihood") == pytest.approx(near / (near + other))
    assert first == {
        "id": "1",
        "score": 1.0,
        "common_link": True,
        "forward": ["2"],
        "backward": [],
    }


def test_what_is_refused(served: Any) -> None:
    told = ask(served, BODY.replace(b'"1.1.1"', b'"3.0.0"'))
    assert (told.status, told.json["type"]) == (422, "urn:sudonglian:problem:fcl")
    assert told.json["errors"][0]["pointer"] == "/version"
    assert ask(served, b"{").status == 422


def test_who_may(served: Any) -> None:
    assert ask(served, BODY, token=None).status == 401
    assert ask(served, BODY, token="firm").status == 403
    assert ask(served, BODY, kind="text/csv").status == 415
