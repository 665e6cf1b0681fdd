"""The profile of a key, or of a request, is asked of everything that is captured."""

import json
from pathlib import Path
from typing import Any

import pytest

CAPTURE = "/epcis/v2/capture"
EVENTS = "/epcis/v2/events"
MINE = "gb31605-handover"
EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "profiles"


def example(name: str, number: int) -> dict[str, Any]:
    """Give a document that meets a profile, with eventIDs of its own."""
    text = (EXAMPLES / f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    for at, one in enumerate(document["epcisBody"]["eventList"]):
        one["eventID"] = f"urn:uuid:6f0b2f3a-{number:04}-4c3e-9f43-{at:012}"
    return document


def codes(answer: Any) -> set[str]:
    return {one["code"] for one in answer.json["errors"]}


def test_what_a_keys_profile_lacks_is_refused(served: Any, make: Any) -> None:
    poor = make.document(make.event(7_000))
    refused = served.ask("POST", CAPTURE, poor, token="profiled")
    assert (refused.json["success"], refused.json["accepted"], refused.json["profile"]) == (False, 0, MINE)
    assert refused.headers["sudonglian-profile"] == MINE
    assert any(one.startswith("gb-") for one in codes(refused))
    assert served.ask("GET", refused.headers["location"], token="profiled").json == refused.json
    taken = served.ask("POST", CAPTURE, example(MINE, 7001), token="profiled")
    assert (taken.json["success"], taken.json["profile"]) == (True, MINE)
    free = served.ask("POST", CAPTURE, poor, token="firm")
    assert (free.json["success"], free.json["profile"], free.headers["sudonglian-profile"]) == (True, None, "none")


def test_a_request_names_another_profile_but_not_none(served: Any, make: Any) -> None:
    other = {"Sudonglian-Profile": "cn-import"}
    taken = served.ask("POST", CAPTURE, example("cn-import", 7002), token="profiled", headers=other)
    assert (taken.json["success"], taken.json["profile"]) == (True, "cn-import")
    none = served.ask(
        "POST", CAPTURE, make.document(make.event(7_003)), token="profiled", headers={"Sudonglian-Profile": "none"}
    )
    assert (none.status, none.json["type"]) == (403, "urn:sudonglian:problem:forbidden")
    unknown = served.ask("POST", CAPTURE, example(MINE, 7004), token="profiled", headers={"Sudonglian-Profile": "x"})
    assert (unknown.status, unknown.json["errors"][0]["pointer"]) == (400, "Sudonglian-Profile")
    asked = served.ask("POST", CAPTURE, make.document(make.event(7_005)), token="firm", headers=other)
    assert (asked.json["success"], asked.json["profile"]) == (False, "cn-import")
    allowed = served.ask(
        "POST", CAPTURE, make.document(make.event(7_006)), token="firm", headers={"Sudonglian-Profile": "none"}
    )
    assert allowed.json["success"]


def test_one_request_is_another_by_another_profile(served: Any, make: Any) -> None:
    document, once = make.document(make.event(7_007)), {"Idempotency-Key": "profile-7007"}
    assert served.ask("POST", CAPTURE, document, token="firm", headers=once).status == 202
    assert (
        served.ask("POST", CAPTURE, document, token="firm", headers={**once, "Sudonglian-Profile": MINE}).status == 409
    )


def test_one_event_is_judged_too(served: Any, make: Any) -> None:
    refused = served.ask("POST", EVENTS, make.event(7_008), token="profiled")
    assert refused.status == 400
    assert any(one.startswith("gb-") for one in codes(refused))
    [whole] = example(MINE, 7009)["epcisBody"]["eventList"][:1]
    context = {"@context": example(MINE, 7009)["@context"]}
    assert served.ask("POST", EVENTS, {**context, **whole}, token="profiled").status == 201


def test_of_master_data_and_corrections_no_profile_is_asked(served: Any, make: Any) -> None:
    places = {"type": "urn:epcglobal:epcis:vtype:BusinessLocation", "vocabularyElementList": [
        {"id": "https://id.gs1.org/414/9520001001048", "attributes": [{"id": "cbvmda:name", "attribute": "一号库"}]}]}  # fmt: skip
    told = {**json.loads(make.document()), "epcisHeader": {"epcisMasterData": {"vocabularyList": [places]}}}
    assert served.ask("POST", CAPTURE, told, token="profiled").json["described"] == 1
    document = example(MINE, 7010)
    assert served.ask("POST", CAPTURE, document, token="profiled").json["success"]
    for one in document["epcisBody"]["eventList"]:
        one["errorDeclaration"] = {"declarationTime": "2026-02-06T00:00:00Z", "reason": "did_not_occur"}
    withdrawn = served.ask("POST", CAPTURE, document, token="profiled")
    assert withdrawn.json["success"], withdrawn.json


def test_a_sheet_is_judged_by_it(served: Any) -> None:
    body = served.ask("GET", "/template.csv?lang=en").body.replace(b"EXAMPLE-", b"PROFILED-").replace(b"NO-M123", b"")
    kind = {"Content-Type": "text/csv", "Accept-Language": "en"}
    assert served.ask("POST", "/import?preview=true", body, token="firm", headers=kind).json["refused"] == 0
    asked = served.ask("POST", "/import?preview=true&profile=cn-import", body, token="firm", headers=kind).json
    own = served.ask(
        "POST", "/import?preview=true&profile=fsma204-receiving", body, token="profiled", headers=kind
    ).json
    for told, name in ((asked, "cn-"), (own, "fsma-")):
        assert any(one["code"].startswith(name) and one["level"] == "error" for one in told["faults"]), told["faults"]
        assert all(one["sheet"] == "CSV" for one in told["faults"])
    assert served.ask("POST", "/import?profile=none", body, token="profiled", headers=kind).status == 403


@pytest.mark.parametrize("path", [CAPTURE, EVENTS])
def test_what_is_asked_is_told_before(served: Any, path: str) -> None:
    told = served.ask("OPTIONS", path, token="profiled").headers
    assert told["sudonglian-profile"] == MINE
    assert {MINE, "cn-import"} <= set(told["sudonglian-profiles"].split(", "))
    for token in ("firm", None):
        assert "sudonglian-profile" not in served.ask("OPTIONS", path, token=token).headers
