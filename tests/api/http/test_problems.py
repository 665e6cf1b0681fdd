"""Refusals: a status for every branch of the error tree, no text of an unexpected error, both languages, a rate."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

import sudonglian.api.cli  # noqa: F401  imports every command, and with them every branch of the tree
from sudonglian.api.http import edge, parameters, problems
from sudonglian.api.http.app import create_app
from sudonglian.api.http.door import Door
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import intake, sequencer
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

KNOWN = set(problems.STATUS)


def tree(kind: type[SudonglianError] = SudonglianError) -> Iterator[type[SudonglianError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from tree(one)


def test_slugs_are_fit_for_a_type() -> None:
    assert {one.slug for one in tree() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.slug)} == set()


def test_a_caller_is_blamed_only_for_what_it_did() -> None:
    ours = {"store", "store-corrupt", "keys", "deployment", "other-log", "newer-schema", "anchoring", "chain"}
    found = {one.slug: problems.status_of(one.__new__(one)) for one in tree()}
    assert {slug for slug in ours if found[slug] < 500} == set()
    theirs = {"canonical", "proof", "trust", "trace-query", "trace-purpose", "usage", "unknown-record", "not-in-log"}
    assert {slug for slug in theirs if found[slug] >= 500} == set()


def request(language: str) -> Request:
    return Request({"type": "http", "headers": [(b"accept-language", language.encode("latin-1"))]})


@pytest.mark.parametrize(
    ("asked", "lang"),
    [("", "en"), ("zh", "zh"), ("zh-CN,zh;q=0.9", "zh"), ("en, zh;q=0.5", "en"), ("en;q=0.5, zh;q=0.51", "zh"),
     ("zh;q=0", "en"), ("fr", "en"), ("de, zh-Hant;q=0.1", "zh")],
)  # fmt: skip
def test_languages(asked: str, lang: str) -> None:
    assert problems.lang_of(request(asked)) == lang


@given(st.text(st.characters(max_codepoint=255)))
def test_any_language_is_answered(asked: str) -> None:
    assert problems.lang_of(request(asked)) in ("zh", "en")


@given(st.text())
def test_tokens_that_were_not_given(text: str) -> None:
    try:
        row = parameters.row_of(text, 0)
    except SudonglianError:
        return
    assert parameters.token_for(str(row)) == text or str(row) != parameters.text_of(text)


def test_problems_in_both_languages(served: Any) -> None:
    zh = served.ask("GET", "/records/" + "0" * 64, token="firm", headers={"Accept-Language": "zh-CN"})
    en = served.ask("GET", "/records/" + "0" * 64, token="firm")
    assert zh.headers["content-language"] == "zh"
    assert zh.json["type"] == en.json["type"] == "urn:sudonglian:problem:unknown-record"
    assert any("\u4e00" <= one <= "\u9fff" for one in zh.json["title"])
    assert zh.headers["x-request-id"] == zh.json["request_id"]
    assert zh.json["request_id"] != en.json["request_id"]


def test_no_such_path_or_method(served: Any) -> None:
    assert served.ask("GET", "/none").json["type"].endswith(":not-found")
    wrong = served.ask("DELETE", "/log/entries")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET")
    assert wrong.json["type"].endswith(":method-not-allowed")
    assert served.ask("BREW", "/log/entries").status == 405


class Broken:
    """An application that breaks with a person's data in its error."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("19900001234 is not a number")


def test_an_unexpected_error_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    store = Store(f"sqlite:///{tmp_path / 'none.db'}")
    door = Door(store, Keys.open(tmp_path / "keys", create=True), 10, 0)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("127.0.0.1", 1)}
    asyncio.run(edge.Edge(Broken(), door)(scope, None, send))  # type: ignore[arg-type]
    told = capsys.readouterr().err
    assert sent[0]["status"] == 500
    problem = json.loads(sent[1]["body"])
    assert problem["type"].endswith(":unexpected")
    assert problem["request_id"] in told
    assert "builtins.ValueError" in told
    assert "test_problems.py" in told
    assert "19900001234" not in told
    assert b"19900001234" not in sent[1]["body"]
    store.close()


def call(app: Any, path: str) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    asyncio.run(app({**scope, "root_path": "", "client": ("127.0.0.1", 1), "scheme": "http"}, receive, send))
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:])


def test_a_store_that_is_away(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    app = create_app(Door(store, Keys.open(tmp_path / "keys", create=True), 10, 0), background=False)
    assert call(app, "/healthz")[0] == 200
    assert call(app, "/readyz")[0] == 503
    status, body = call(app, "/log/checkpoint")
    assert (status, json.loads(body)["type"]) == (503, "urn:sudonglian:problem:store")
    assert b"folder" not in body
    store.close()


def test_readiness_tells_when_nobody_seals(tmp_path: Path, make: Any) -> None:
    make.deploy(tmp_path)
    store, keys = Store(f"sqlite:///{tmp_path / 'sudonglian.db'}"), Keys.open(tmp_path / "keys")
    door = Door(store, keys, 10, 0)
    app = create_app(door, background=False)
    assert call(app, "/readyz")[0] == 200
    door.worker_ended = "foreign-anchor"
    status, body = call(app, "/readyz")
    assert (status, json.loads(body)["worker_ended"]) == (503, "foreign-anchor")
    door.worker_ended = ""
    with store.write() as connection:
        intake.capture(
            connection, keys, make.document(make.event(1)), submitter="urn:x:firm", now=make.now() - timedelta(hours=1)
        )
    status, body = call(app, "/readyz")
    said = json.loads(body)
    assert (status, said["store"], said["worker"]) == (503, True, False)
    assert said["seal_overdue_s"] >= 3500
    with store.write() as connection:
        sequencer.seal(connection, keys, make.now())
    assert call(app, "/readyz")[0] == 200
    store.close()


def test_the_rate_of_an_address() -> None:
    rate = edge.Rate(2)
    second = 1_000_000_000
    given = [rate.take("a", 0)[0] for _ in range(10)]
    assert given == [7, 6, 5, 4, 3, 2, 1, 0, -1, -1]
    assert rate.take("b", 0)[0] == 7
    assert rate.take("a", second // 4) == (-1, 1)
    assert rate.take("a", second // 2)[0] == 0
    assert rate.take("a", 100 * second)[0] == 7


def test_a_flood_is_told_to_wait(tmp_path: Path, start_server: Any) -> None:
    running = start_server(tmp_path, "--no-worker", "--rate", "1")
    answers = [running.ask("GET", "/healthz") for _ in range(12)]
    assert [one.status for one in answers[:4]] == [200] * 4
    late = [one for one in answers if one.status == 429]
    assert late
    assert late[0].json["type"].endswith(":too-many-requests")
    assert int(late[0].headers["retry-after"]) >= 1
    assert "r=0" in late[0].headers["ratelimit"]
