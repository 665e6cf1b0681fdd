"""Tasks of goods over HTTP: closed by their worker in the authority's name, or refused with what is to be set."""

from pathlib import Path
from typing import Any

from tests.api.http.test_cases import STORY, code

from sudonglian.api.commands import sample

AUTHORITY = "urn:sudonglian:submitter:cdc"
LOT = "https://id.gs1.org/01/09520001002014/10/BJ241018"
DOCK = "https://id.gs1.org/414/9520001001031/254/dock"
ANA: dict[str, Any] = {"token": "epidemiologist"}


def ask_in_a_case(running: Any) -> None:
    for name, raw in sample.documents("frozen-fish").items():
        assert running.ask("POST", "/epcis/v2/capture", raw, token=name).status < 300
    opening = {"name": "G-1", "purpose": "a positive pallet", "basis": "law", "responsible": "Ana"}
    assert running.ask("POST", "/cases", opening, **ANA).status == 201
    seed = {"subject": STORY["seed"], "at": STORY["at"], "result": "positive"}
    assert running.ask("POST", "/cases/G-1/seeds", seed, **ANA).status == 201
    trace(running, "G-1")


def trace(running: Any, case: str) -> Any:
    asked = running.ask("POST", "/traces", {"seed": STORY["seed"], "at": STORY["at"], "case": case}, **ANA)
    address = asked.headers["location"]
    running.wait_for(address, lambda one: one["state"] == "success", "epidemiologist")
    return running.ask("GET", address, **ANA).json["answer"]


def made(running: Any, kind: str, *subjects: str) -> list[dict[str, Any]]:
    body = {"kind": kind, "subjects": list(subjects), "area": "A"}
    answer = running.ask("POST", "/cases/G-1/tasks/goods", body, **ANA)
    assert answer.status == 201, answer
    told: list[dict[str, Any]] = answer.json["tasks"]
    return told


def test_a_worker_closes_them_in_the_authoritys_name(tmp_path: Path, make: Any, start_server: Any) -> None:
    tokens, _ = make.deploy(tmp_path)
    running = start_server(tmp_path, SUDONGLIAN_SEAL_AFTER="0")
    running.tokens = tokens
    ask_in_a_case(running)
    (cleaned,) = made(running, "disinfect", STORY["seed"])
    (tested,) = made(running, "test", DOCK)
    sealed = made(running, "seal")
    lots = made(running, "disinfect", LOT)
    assert [one["order"] for one in sealed] == sorted(one["order"] for one in sealed)
    assert running.ask("POST", "/cases/G-1/tasks/assign", {"to": "worker", "area": "A"}, **ANA).status == 200
    # Nobody has said who the authority is: what makes no record goes on.
    done = {"outcome": "disinfected", "at": "2024-11-10T14:01:00+08:00"}
    for path, token in ((f"/tasks/{cleaned['task']}", "worker"), (f"/cases/G-1/tasks/{cleaned['task']}", "both")):
        refused = running.ask("POST", f"{path}/close", done, token=token)
        assert (refused.status, code(refused)) == (409, "no-authority")
        assert "SUDONGLIAN_SUBMITTER" in refused.json["detail"]
    told = running.ask("POST", f"/tasks/{sealed[0]['task']}/close", {"outcome": "sealed"}, token="worker")
    assert told.json["outcome"] == "sealed"
    assert running.ask("GET", "/cases/G-1/tasks", **ANA).json["tasks"][0]["state"] != "closed"
    running.process.terminate()
    running.process.wait(60)

    running = start_server(tmp_path, SUDONGLIAN_SEAL_AFTER="0", SUDONGLIAN_SUBMITTER=AUTHORITY)
    running.tokens = tokens
    assert running.ask("POST", f"/tasks/{cleaned['task']}/close", done, token="neighbour").status == 404
    assert running.ask("POST", f"/tasks/{cleaned['task']}/close", done, token="firm").status == 403
    assert running.ask("POST", f"/tasks/{cleaned['task']}/close", done, token="worker").json["state"] == "closed"
    again = running.ask("POST", f"/tasks/{cleaned['task']}/close", done, token="worker")
    assert (again.status, code(again)) == (409, "task-over")
    told = {"outcome": "negative", "ct": "40", "at": "2024-11-11T08:00:00+08:00"}
    assert running.ask("POST", f"/tasks/{tested['task']}/close", told, token="worker").status == 200
    nowhere = next(one["task"] for one in lots if not one["place"])
    refused = running.ask("POST", f"/tasks/{nowhere}/close", {"outcome": "disinfected"}, token="worker")
    assert (refused.status, code(refused)) == (422, "task")
    here = {"outcome": "disinfected", "place": DOCK}
    assert running.ask("POST", f"/cases/G-1/tasks/{nowhere}/close", here, token="investigator").status == 200

    timeline = running.ask("GET", "/cases/G-1/timeline", **ANA).json["timeline"]
    records = [one["said"]["record"] for one in timeline if one["do"] == "task-closed" and one["said"]["record"]]
    assert len(records) == 3
    shown = running.ask("GET", f"/records/{records[0]}", token="auditor").json
    assert AUTHORITY in str(shown)
    answer = trace(running, "G-1")
    assert records[0] in {one["record_hash"] for one in answer["disinfections"]}
    assert records[1] in {one["record_hash"] for one in answer["samples"]}
