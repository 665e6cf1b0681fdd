"""Plain tables of contacts over HTTP: the command line's answers, for who may trace."""

import gzip
from typing import Any
from urllib.parse import urlencode

import pytest

TABLE = b"from,to,day\na,b,1\nb,c,2\n"
COLUMNS = {"source": "from", "target": "to", "time": "day"}


def ask(server: Any, what: str, body: bytes, token: str | None = "tracer", kind: str = "text/csv", **more: str) -> Any:
    path = f"/contacts/{what}?{urlencode({**COLUMNS, **more})}"
    return server.ask("POST", path, body, token=token, headers={"Content-Type": kind})


def test_reach(served: Any) -> None:
    due = [
        {"node": "b", "arrival": 1, "hops": 1, "previous": "a"},
        {"node": "c", "arrival": 2, "hops": 2, "previous": "b"},
    ]
    assert ask(served, "reach", TABLE, seed="a").json == {"seed": "a", "reached": due}
    packed = ask(served, "reach", gzip.compress(TABLE), kind="application/gzip", seed="a")
    assert packed.json["reached"] == due
    assert ask(served, "reach", TABLE, seed="c", backward="true").json["reached"][0]["departure"] == 2


def test_summary(served: Any) -> None:
    told = ask(served, "summary", TABLE, **{"from": "0", "to": "9"}).json
    assert told["sums"]["outgoing_contact_chain"] == 3


@pytest.mark.parametrize(
    ("body", "more", "status", "slug"),
    [
        (TABLE, {"seed": "z"}, 422, "table"),
        (TABLE, {"seed": "a", "at": "now"}, 422, "table-time"),
        (b"", {"seed": "a"}, 422, "table"),
        (TABLE, {"seed": "a", "time": "none"}, 422, "table"),
        (TABLE, {}, 400, "usage"),
    ],
)
def test_what_is_refused(served: Any, body: bytes, more: dict[str, str], status: int, slug: str) -> None:
    told = ask(served, "reach", body, **more)
    assert (told.status, told.json["type"]) == (status, f"urn:sudonglian:problem:{slug}")


def test_who_may(served: Any) -> None:
    assert ask(served, "reach", TABLE, token=None, seed="a").status == 401
    assert ask(served, "reach", TABLE, kind="application/json", seed="a").status == 415
