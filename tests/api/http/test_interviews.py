"""Interviews over HTTP: records in the authority's name that no firm can read; a positive person is a seed."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.http.test_cases import OPENING, STORY, asking, code

from sudonglian.api.commands import sample

AUTHORITY = "urn:sudonglian:submitter:cdc"


@pytest.fixture(scope="module")
def outbreak(tmp_path_factory: pytest.TempPathFactory, make: Any, start_once: Any) -> Any:
    """A server that knows who the authority is, with the sample outbreak and a case with its line list."""
    folder: Path = tmp_path_factory.mktemp("interviews")
    tokens, _ = make.deploy(folder)
    running = start_once(folder, SUDONGLIAN_SEAL_AFTER="0", SUDONGLIAN_SUBMITTER=AUTHORITY)
    running.tokens = tokens
    for name, raw in sample.documents("frozen-fish").items():
        assert running.ask("POST", "/epcis/v2/capture", raw, token=name).status < 300
    assert running.ask("POST", "/cases", {**OPENING, "name": "H-I"}, token="epidemiologist").status == 201
    seed = {"subject": STORY["seed"], "at": STORY["at"], "result": "positive"}
    assert running.ask("POST", "/cases/H-I/seeds", seed, token="epidemiologist").status == 201
    asked = running.ask("POST", "/traces", {**asking(), "case": "H-I"}, token="epidemiologist")
    running.wait_for(asked.headers["location"], lambda one: one["state"] == "success", "epidemiologist")
    return running


def saying(*people: str, **more: Any) -> dict[str, Any]:
    """Return a statement of who met whom on an evening."""
    told = {"told": "2024-11-13T09:00:00+08:00", "begin": ["2024-11-11T19:00:00+08:00"], "persons": [*people]}
    return {"statements": [told | more]}


def test_what_somebody_said_is_a_record_that_no_firm_can_read(outbreak: Any) -> None:
    person = outbreak.ask("GET", "/cases/H-I/members", token="investigator").json["members"][0]["person"]
    goods = {"place": "https://id.gs1.org/414/9520001001062/254/kitchen", "goods": [STORY["lot"]]}
    said = saying(f"person:{person}", "phone:13812345678=Friend", **goods)
    wrong = saying(f"person:{person}", begin=["2024-11-14T19:00:00+08:00"], place=goods["place"])
    refused = outbreak.ask("POST", "/cases/H-I/interviews", wrong, token="investigator")
    assert (refused.status, code(refused)) == (422, "interview")
    assert refused.json["errors"][0]["pointer"] == "0/begin"
    for token in ("firm", "04-market", "auditor", "tracer", None):
        assert outbreak.ask("POST", "/cases/H-I/interviews", said, token=token).status in (401, 403), token
        assert outbreak.ask("GET", "/cases/H-I/interviews", token=token).status in (401, 403), token
    made = outbreak.ask("POST", "/cases/H-I/interviews", said, token="investigator")
    assert made.status == 201
    (one,) = made.json["taken"]
    (again,) = outbreak.ask("POST", "/cases/H-I/interviews", said, token="investigator").json["taken"]
    assert (again["record_hash"], again["unchanged"]) == (one["record_hash"], True)
    listed = outbreak.ask("GET", "/cases/H-I/interviews", token="investigator").json["interviews"]
    assert [(it["record_hash"], it["confirmation"], it["goods"]) for it in listed] == [
        (one["record_hash"], "unsigned", [STORY["lot"]])
    ]
    path = f"/records/{one['record_hash']}"
    outbreak.wait_for("/status", lambda told: told["pending"] == 0)
    for token in ("firm", "04-market", "05-restaurant"):
        for where in (path, f"{path}/bundle", f"{path}/bundle?disclose=sdl:interview"):
            assert outbreak.ask("GET", where, token=token).status in (401, 403, 404), (token, where)
        events = outbreak.ask("GET", "/epcis/v2/events?perPage=100", token=token).body
        assert b"interview" not in events
    told = outbreak.ask("GET", path, token="auditor").body
    assert b"interviewing" in told
    for secret in (b"13812345678", b"Friend", b"9520001001062", STORY["lot"].encode(), str(person).encode()):
        assert secret not in told
    lot = outbreak.ask("GET", f"/lots/{quote(STORY['lot'], safe='')}/proof", token="auditor").body
    assert one["record_hash"].encode() not in lot
    asked = outbreak.ask("POST", "/traces", {**asking(), "purpose": "p", "interviews": False}, token="epidemiologist")
    done = outbreak.wait_for(asked.headers["location"], lambda it: it["state"] == "success", "epidemiologist")
    assert str(one["persons"][1]) not in {it["id"] for it in done["answer"]["members"]}
    withdraw = f"/cases/H-I/interviews/{one['record_hash']}/withdraw"
    assert outbreak.ask("POST", withdraw, {"why": "another evening"}, token="investigator").status == 200
    assert outbreak.ask("POST", withdraw, {"why": "again"}, token="investigator").status == 422


def test_a_positive_person_is_a_seed_over_http_too(outbreak: Any) -> None:
    person = outbreak.ask("GET", "/cases/H-I/members", token="investigator").json["members"][0]["person"]
    path, test = f"/cases/H-I/persons/{person}/positive", {"at": "2024-11-12T09:00:00+08:00", "ct": "24.1"}
    first = outbreak.ask("POST", path, test, token="investigator").json
    assert (first["seed"]["subject"], first["seed"]["ct"], first["unchanged"]) == (str(person), "24.1", False)
    assert outbreak.ask("POST", path, test, token="investigator").json["unchanged"] is True
    assert outbreak.ask("POST", path, test, token="firm").status == 403
    nobody = outbreak.ask("POST", "/cases/H-I/persons/77/positive", test, token="investigator")
    assert (nobody.status, code(nobody)) == (422, "case")


def test_without_an_authority_nothing_is_recorded(served: Any) -> None:
    assert served.ask("POST", "/cases", {**OPENING, "name": "H-N"}, token="epidemiologist").status == 201
    said = saying("phone:13812345678", place="https://id.gs1.org/414/9520001001062")
    refused = served.ask("POST", "/cases/H-N/interviews", said, token="investigator")
    assert (refused.status, code(refused)) == (409, "no-authority")
