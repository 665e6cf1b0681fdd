"""The command that asks for events: the parameters of HTTP, a document or lines, refusals by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
FIRM = "https://id.gs1.org/417/9520001001031"


@pytest.fixture
def captured(run: Run, tmp_path: Path) -> Run:
    """A deployment with three readings of one firm and one event of another."""
    events = [
        {
            "@context": {"acme": "https://acme.example/"}, "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "storing",
            "eventTime": f"2026-01-0{day}T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
            "eventID": f"urn:uuid:6f0b2f3a-4444-4c3e-9f43-00000000000{day}", "epcList": ["urn:epc:id:sgtin:0614141.107346.2018"],
            "acme:dock": day,
            "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": value, "uom": "CEL"}]}],
        }
        for day, value in ((1, -18.5), (2, -12), (3, 4.25))
    ]  # fmt: skip
    for submitter, some in ((FIRM, events), ("https://id.gs1.org/417/9520001002014", events[:1])):
        file = tmp_path / "events.json"
        file.write_text(json.dumps(some))
        assert run("capture", str(file), "--submitter", submitter).code == 0
    return run


def listed(done: Any) -> list[str]:
    assert done.code == 0, done.err
    assert done.json["type"] == "EPCISQueryDocument"
    found = done.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return [one["eventID"][-1] for one in found]


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ([], "123"),
        (["GE_value_KEL=261"], "23"),
        (["GE_value_KEL=261", "LT_value_FAH=32"], "2"),
        (["EQ_acme:dock=3|1"], "13"),
        (["EQ_https://acme.example/dock=3"], "3"),
        (["EQ_x:dock=3", "--extensions", "x=https://acme.example/"], "3"),
        (["MATCH_epc=urn:epc:idpat:sgtin:0614141.*.*", "orderBy=eventTime"], "321"),
        (["orderBy=eventTime", "eventCountLimit=2"], "32"),
        (["EXISTS_sensorElementList", "--limit", "2"], "12"),
        (["EQ_bizStep=shipping"], ""),
    ],
)
def test_what_is_found(captured: Run, asked: list[str], fits: str) -> None:
    assert listed(captured("events", *asked, "--submitter", FIRM, "--json")) == list(fits)


def test_lines_for_a_person(captured: Run) -> None:
    done = captured("events", "GE_value_CEL=-15", "--submitter", FIRM, "--limit", "1")
    assert done.out.split() == [
        "2026-01-02T08:00:00+08:00",
        "ObjectEvent",
        "storing",
        "urn:uuid:6f0b2f3a-4444-4c3e-9f43-000000000002",
    ]
    assert "--limit" in done.err
    assert captured("events", "EQ_bizStep=shipping", "--submitter", FIRM, "--lang", "zh").out == "没有符合的事件\n"
    assert captured("events", "--submitter", "urn:x:nobody", "--json").out.count("eventID") == 0


def test_numbers_stay_what_they_were(captured: Run) -> None:
    out = captured("events", "EQ_value_CEL=4.25", "--submitter", FIRM, "--json").out
    assert '"value":4.25' in out
    assert "$dec" not in out


@pytest.mark.parametrize(
    "asked", ["EQ_bizSteps=x", "bizStep", "GE_value_CEL=warm", "EQ_action=ADD|", "orderBy=none", "HASATTR_x=y"]
)
def test_what_is_not_known_is_refused(captured: Run, asked: str) -> None:
    done = captured("events", asked, "--submitter", FIRM, "--json")
    if asked == "EQ_action=ADD|":  # an empty value beside another says nothing
        assert listed(done) == []
        return
    assert done.code == 1
    assert done.json["error"]["code"] == "query-parameter"
    assert done.json["error"]["place"] == asked.partition("=")[0]


def test_a_deployment_that_is_not_there(run: Run) -> None:
    assert run("events", "--extensions", "x").code == 64
