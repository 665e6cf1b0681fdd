"""Validation over HTTP: the verdict of capture without a record, and profiles."""

import json
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "profiles"
NAMES = sorted(file.stem for file in EXAMPLES.glob("*.json"))


def test_profiles_are_public(served: Any) -> None:
    listed = served.ask("GET", "/profiles")
    assert listed.status == 200
    assert sorted(one["name"] for one in listed.json["profiles"]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_are_valid_and_nothing_is_taken(served: Any, name: str) -> None:
    raw = (EXAMPLES / f"{name}.json").read_bytes()
    answer = served.ask("POST", f"/validate?profile={name}", raw, token="firm")
    assert (answer.status, answer.json["valid"], answer.json["profile"]) == (200, True, name)
    event_id = json.loads(raw)["epcisBody"]["eventList"][0]["eventID"]
    assert served.ask("GET", f"/epcis/v2/events/{event_id}", token="firm").status == 404


def test_what_lacks_is_told_in_both_languages(served: Any, make: Any) -> None:
    raw = make.document(make.event(700, bizStep="receiving"))
    assert served.ask("POST", "/validate", raw, token="firm").json["valid"]
    answer = served.ask("POST", "/validate?profile=gb31605-handover", raw, token="firm").json
    assert not answer["valid"]
    found = {one["code"]: one for one in answer["findings"] if one["level"] == "error"}
    assert {"gb-from", "gb-to", "gb-temperature"} <= found.keys()
    assert found["gb-from"]["pointer"] == "/epcisBody/eventList/0/sourceList"
    assert set(found["gb-from"]["message"]) == {"zh", "en"}
    assert "GB 31605-2020" in found["gb-from"]["rule"]


def test_xml_is_judged_too(served: Any) -> None:
    answer = served.ask("POST", "/validate", "<a/>", token="firm", headers={"Content-Type": "application/xml"})
    assert (answer.status, answer.json["valid"]) == (200, False)


def test_an_unknown_profile_is_named_with_the_known_ones(served: Any, make: Any) -> None:
    answer = served.ask("POST", "/validate?profile=eu931", make.document(make.event(701)), token="firm")
    assert answer.status == 400
    assert "cn-import" in answer.json["detail"]


def test_who_may_not_capture_may_not_validate(served: Any, make: Any) -> None:
    raw = make.document(make.event(702))
    assert served.ask("POST", "/validate", raw).status == 401
    assert served.ask("POST", "/validate", raw, token="tracer").status == 403
