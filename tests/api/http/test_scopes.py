"""Every route declares one scope, and every kind of caller meets exactly the doors that are its own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from sudonglian.api.commands.api_keys import Grant
from sudonglian.api.http import auth
from sudonglian.api.http.app import api_routes, create_app
from sudonglian.api.http.door import Door
from sudonglian.api.scopes import GRANTED, MEANING, Scope
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

MAY = {
    "": {Scope.public},
    "firm": {Scope.public, Scope.capture, Scope.read_own, Scope.read_record},
    "capturer": {Scope.public, Scope.capture},
    "reader": {Scope.public, Scope.read_own, Scope.read_record},
    "tracer": {Scope.public, Scope.trace, Scope.read_record},
    "auditor": {Scope.public, Scope.audit, Scope.access_log, Scope.read_record},
    "investigator": {Scope.public, Scope.case},
    "approver": {Scope.public, Scope.reveal_approve},
    "worker": {Scope.public, Scope.follow_up},
    "operator": {Scope.public, Scope.operate},
}

PUBLIC = {
    "OPTIONS /epcis/v2/capture",
    "OPTIONS /epcis/v2/capture/{capture_id}",
    "OPTIONS /epcis/v2",
    "GET /epcis/v2",
    "GET /epcis/v2/",
    "OPTIONS /epcis/v2/events",
    "OPTIONS /epcis/v2/events/{event_id:path}",
    *(
        f"OPTIONS /epcis/v2/{resource}{path}"
        for resource in ("eventTypes", "epcs", "bizSteps", "bizLocations", "readPoints", "dispositions")
        for path in ("", "/{value:path}", "/{value:path}/events")
    ),
    "GET /log/checkpoint",
    "GET /log/checkpoints",
    "GET /log/checkpoints/{size}",
    "GET /log/entries",
    "GET /log/proof/inclusion",
    "GET /log/proof/consistency",
    "GET /log/proof/range",
    "GET /lots/{lot:path}/proof",
    "GET /lots/{lot:path}/temperature/verdict",
    "GET /temperature/classes",
    "GET /template.xlsx",
    "GET /template.csv",
    "POST /verify",
    "GET /examine",
    "GET /profiles",
    "GET /healthz",
    "GET /readyz",
    "GET /status",
    "GET /{link:gs1}",
    "GET /.well-known/gs1resolver",
}
"""What needs no key, written down so that nothing joins it by accident."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    store = Store(f"sqlite:///{tmp_path / 'none.db'}")
    yield create_app(Door(store, Keys.open(tmp_path / "keys", create=True), 10, 0), background=False)
    store.close()


def routes(app: FastAPI) -> dict[str, Scope | None]:
    return {
        f"{method} {route.path}": auth.scope_of(route.dependant)
        for route in api_routes(app)
        for method in route.methods or ()
    }


def test_every_route_declares_a_scope(app: FastAPI) -> None:
    found = routes(app)
    assert len(found) > 20
    assert {name for name, scope in found.items() if scope is None} == set()
    assert {name for name, scope in found.items() if scope is Scope.public} == PUBLIC


def test_no_other_route_than_the_described(app: FastAPI) -> None:
    assert {getattr(route, "path", "") for route in app.routes} - {route.path for route in api_routes(app)} == {
        "/openapi.json"
    }


def test_a_route_without_a_scope_is_not_served(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    from sudonglian.api.http import app as module
    from sudonglian.api.http.routes import health

    def undeclared() -> dict[str, bool]:
        return {"ok": True}

    health.router.add_api_route("/undeclared", undeclared)
    try:
        with pytest.raises(TypeError, match="/undeclared declares no scope"):
            module.create_app(app.state.door, background=False)
    finally:
        health.router.routes.pop()


def test_the_table_of_scopes_is_whole() -> None:
    assert set(MEANING) == set(Scope)
    assert {grant.value for grant in Grant} == {scope.value for scope in GRANTED}


def test_every_route_with_every_kind_of_caller(app: FastAPI, served: Any) -> None:
    walked = 0
    for name, scope in routes(app).items():
        method, path = name.split(" ", 1)
        path = re.sub(r"\{record_hash\}", "0" * 64, path)
        path = re.sub(r"\{size\}", "1", path)
        path = re.sub(r"\{[^}]*\}", "none", path)
        for role, may in MAY.items():
            answer = served.ask(method, path, token=role or None)
            walked += 1
            if scope in may:
                assert answer.status not in (401, 403), (name, role, answer)
            else:
                assert answer.status == (403 if role else 401), (name, role, answer)
                assert answer.json["type"].endswith("forbidden" if role else "unauthenticated")
    assert walked == len(routes(app)) * len(MAY)


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer sdl_", "Bearer sdl_000000000000_" + "A" * 43, "Basic Zm9v", "x" * 300, "Bearer \xe9"],
)
def test_what_is_no_key_opens_nothing(served: Any, header: str) -> None:
    for path in ("/epcis/v2/events", "/healthz"):
        answer = served.ask("GET", path, headers={"Authorization": header})
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
