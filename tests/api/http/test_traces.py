"""Traces over HTTP: asked for a purpose, told as they go, answered as the command line answers, to whoever asked."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sudonglian.api.commands import sample
from sudonglian.api.http import tracing
from sudonglian.api.http.door import Door
from sudonglian.records import api_keys, jobs
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

STORY = sample.stories()["frozen-fish"]
ASK = {"seed": STORY["seed"], "at": STORY["at"], "lookback": STORY["lookback"], "purpose": "positive sample, invented"}


@pytest.fixture(scope="module")
def outbreak(served: Any) -> Any:
    """A server with the sample outbreak."""
    for name, raw in sample.documents("frozen-fish").items():
        job = served.ask("POST", "/epcis/v2/capture", raw, token=name).json
        assert job["success"], job["errors"]
    return served


def ask(server: Any, **members: Any) -> Any:
    return server.ask("POST", "/traces", {**ASK, **members}, token="tracer")


def test_a_trace(outbreak: Any) -> None:
    asked = ask(outbreak)
    assert asked.status == 202
    where = asked.headers["location"]
    stream = outbreak.ask("GET", f"{where}/events", token="tracer")
    assert stream.headers["content-type"].startswith("text/event-stream")
    told = [
        json.loads(line.removeprefix("data: "))
        for line in stream.body.decode().splitlines()
        if line.startswith("data: ")
    ]
    assert told[-1]["state"] == "success"
    assert told[-1]["members"] > 0
    trace = outbreak.ask("GET", where, token="tracer").json
    answer = trace["answer"]
    kinds = {one["kind"] for one in answer["members"]}
    assert kinds == {"item", "place", "person"}
    assert answer["document_hash"] == told[-1]["document_hash"]
    step = next(one for one in answer["members"] if one["walk"])["walk"][0]
    assert outbreak.ask("GET", f"/records/{step['record_hash']}", token="tracer").status == 200
    graph = outbreak.ask("GET", f"{where}/graph.graphml", token="tracer")
    assert ET.fromstring(graph.body).tag.endswith("graphml")


def test_an_answer_in_other_forms(outbreak: Any) -> None:
    """As a table, a workbook, a map and deliveries; each holds what the document holds, and is for the asker alone."""
    where = ask(outbreak).headers["location"]
    outbreak.ask("GET", f"{where}/events", token="tracer")
    answer = outbreak.ask("GET", where, token="tracer").json["answer"]
    members = sorted(one["id"] for one in answer["members"])
    listed = outbreak.ask("GET", f"{where}/list.csv", token="tracer")
    assert listed.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(listed.body.decode("utf-8-sig"))))
    assert sorted(row["id"] for row in rows) == members
    book = openpyxl.load_workbook(io.BytesIO(outbreak.ask("GET", f"{where}/list.xlsx", token="tracer").body))
    assert sorted(row[1] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)) == members
    places = outbreak.ask("GET", f"{where}/places.geojson", token="tracer").json["features"]
    listed_places = {one["id"] for one in answer["members"] if one["kind"] == "place"}
    assert listed_places
    assert {one["properties"]["id"] for one in places} >= listed_places
    goods = outbreak.ask("GET", f"{where}/deliveries.json", token="tracer").json
    assert goods["data"]["deliveries"]["data"]
    for form in ("list.csv", "list.xlsx", "places.geojson", "deliveries.json"):
        assert outbreak.ask("GET", f"{where}/{form}", token="colleague").status == 404
    lost = ask(outbreak, seed="https://id.gs1.org/00/095200010000000004").headers["location"]
    outbreak.ask("GET", f"{lost}/events", token="tracer")
    assert outbreak.ask("GET", f"{lost}/list.csv", token="tracer").status == 404


def test_only_whoever_asked_reads_the_answer(outbreak: Any) -> None:
    where = ask(outbreak).headers["location"]
    for suffix in ("", "/events", "/graph.graphml"):
        assert outbreak.ask("GET", where + suffix, token="colleague").status == 404


def test_one_question_twice(outbreak: Any) -> None:
    key = {"Idempotency-Key": "question-1"}
    first = outbreak.ask("POST", "/traces", ASK, token="tracer", headers=key)
    second = outbreak.ask("POST", "/traces", ASK, token="tracer", headers=key)
    assert first.headers["location"] == second.headers["location"]
    other = outbreak.ask("POST", "/traces", {**ASK, "backward": True}, token="tracer", headers=key)
    assert other.status == 409


@pytest.mark.parametrize(
    "members",
    [
        {"purpose": ""},
        {"purpose": "x" * 2001},
        {"case": "2026-1"},
        {"seed": ""},
        {"seed": 5},
        {"at": "yesterday"},
        {"at": "2024-11-10T14:00:00"},
        {"lookback": "-1d"},
        {"until": "2000-01-01T00:00:00Z"},
        {"max_generation": -1},
        {"persistence": {"cellar": "2h"}},
        {"persistence": {"location": "soon"}},
        {"persistence": {"location": "99999999d"}},
        {"persistence": {"location": 3}},
        {"persistence": {"person": "0s"}},
        {"min_dwell": {"person": "1m"}},
        {"min_dwell": {"location": "-1m"}},
        {"strict": "yes"},
        {"max_generation": "1"},
        {"policy": "policy/0"},
        {"unknown": 1},
    ],
)
def test_questions_that_are_refused(outbreak: Any, members: dict[str, Any]) -> None:
    answer = ask(outbreak, **members)
    assert answer.status in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff", b'"\\ud800"', b"[" * 50_000])
def test_bodies_that_are_no_question(outbreak: Any, raw: bytes) -> None:
    assert outbreak.ask("POST", "/traces", raw, token="tracer").status == 422
    assert outbreak.ask("POST", "/verify", raw).status == 422


def test_a_seed_that_nobody_names(outbreak: Any) -> None:
    where = ask(outbreak, seed="https://id.gs1.org/00/395200010000009991").headers["location"]
    trace = outbreak.wait_for(where, lambda one: one["finished_at"], token="tracer")
    assert (trace["state"], trace["problem"]["code"], trace["answer"]) == ("failed", "trace-seed-unknown", None)
    assert outbreak.ask("GET", f"{where}/graph.graphml", token="tracer").status == 404


def test_history(outbreak: Any) -> None:
    path = f"/lots/{STORY['seed'].replace('/', '%2F')}/history"
    found = outbreak.ask("GET", path, token="tracer").json
    assert found["events"]
    assert {one["relation"] for one in found["events"]} >= {"self"}
    assert outbreak.ask("GET", f"{path}?direction=up", token="tracer").status == 400


def test_a_job_that_its_process_left_behind_is_taken_up(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path / "keys", create=True)
    store = Store(f"sqlite:///{tmp_path / 'sudonglian.db'}")
    open_deployment(store, keys)
    now = datetime.now(UTC)
    with store.write() as connection:
        key, _ = api_keys.create(connection, "t", ["trace"], now)
        job = jobs.add(connection, f"key:{key.id}", "trace", json.dumps(ASK).encode(), now)
        assert jobs.claim(connection, now) is not None
        assert jobs.claim(connection, now + jobs.LEASE) is None
        jobs.renew(connection, job, now + jobs.LEASE)
        assert jobs.claim(connection, now + jobs.LEASE + jobs.LEASE / 2) is None
        again = jobs.claim(connection, now + 3 * jobs.LEASE)
        assert again is not None
        assert again.name == job.name
    tracing.run(Door(store, keys, 10, 0), again)
    with store.write() as connection:
        done = jobs.find(connection, f"key:{key.id}", "trace", job.name)
        assert (done.state, json.loads(done.result or b"")["code"]) == ("failed", "trace-seed-unknown")
        jobs.finish(connection, job, "success", b"{}", now)
        assert jobs.find(connection, f"key:{key.id}", "trace", job.name) == done
        assert jobs.forget(connection, now) == 0
        assert jobs.forget(connection, now + 2 * jobs.KEPT) == 1
    store.close()
