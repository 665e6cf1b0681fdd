"""An Idempotency-Key at every door that captures: a retry gets the first answer; what was refused leaves its key free."""

import json
from typing import Any

import pytest

EVENTS = "/epcis/v2/events"
CAPTURE = "/epcis/v2/capture"
HEADINGS = "handoff no,step,time,place,item,serial,handler,handler number,number kind,role,contact"
CONTEXT = ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}]


def alone(make: Any, number: int, **members: Any) -> bytes:
    return json.dumps({"@context": CONTEXT, **make.event(number, **members)}).encode()


def sheet(*rows: str) -> bytes:
    return "\n".join((HEADINGS, *rows)).encode()


def row(number: str, item: str = "09520001002014", handler: str = "19900006501") -> str:
    return f"{number},shipping,2026-01-05 08:30,9520001001017,{item},{number},Li,{handler},phone,driver,outer-packaging"


def twice(served: Any, path: str, body: bytes, key: str, kind: str = "application/json") -> Any:
    """Send under a key, and again; the two answers are one."""
    headers = {"Idempotency-Key": key, "Content-Type": kind}
    first, second = (served.ask("POST", path, body, token="firm", headers=headers) for _ in range(2))
    assert (second.status, second.body, second.headers["location"]) == (
        *(first.status, first.body, first.headers["location"]),
    )
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    return first


@pytest.mark.parametrize("event_id", ["urn:uuid:6f0b2f3a-1111-4c3e-9f43-000000006500", None])
def test_an_event_that_is_sent_again_under_its_key_is_still_new(served: Any, make: Any, event_id: str | None) -> None:
    person = {"personRef": {"kind": "phone", "value": "19900006500", "name": "测试员"}, "role": "loader"}
    body = alone(make, 6500, eventID=event_id, **{"sdl:participants": [person]})
    key = f"event-{event_id}"
    first = twice(served, EVENTS, body, key)
    assert first.status == 201
    assert served.ask("POST", EVENTS, body, token="firm").status == 200
    assert twice(served, EVENTS, body, f"{key}-later").status == 200
    other = served.ask("POST", EVENTS, alone(make, 6501), token="firm", headers={"Idempotency-Key": key})
    assert (other.status, other.json["type"]) == (409, "urn:sudonglian:problem:idempotency-conflict")
    listed = served.ask("GET", f"{CAPTURE}?perPage=1000", token="firm").json
    assert all(one["captureID"] not in first.headers["location"] for one in listed)


def test_an_event_that_is_refused_leaves_its_key_free(served: Any, make: Any) -> None:
    key = {"Idempotency-Key": "event-free"}
    assert served.ask("POST", EVENTS, alone(make, 6510, action="MAYBE"), token="firm", headers=key).status == 400
    assert served.ask("POST", EVENTS, alone(make, 6510), token="firm", headers=key).status == 201


@pytest.mark.parametrize("behaviour", ["rollback", "proceed"])
def test_a_sheet_that_is_sent_again_under_its_key_is_told_the_same(served: Any, behaviour: str) -> None:
    good = [row(f"{behaviour}-{number}") for number in range(3)]
    wrong = [row("x-1", item="09520001002015"), row("x-2").replace(",phone,", ",telepathy,")]
    body = sheet(*good, *(wrong if behaviour == "proceed" else ()))
    path = f"/import?behaviour={behaviour}"
    first = twice(served, path, body, f"sheet-{behaviour}", "text/csv")
    assert (first.status, first.json["accepted"]) == (202, 3)
    errors = {one["row"] for one in first.json["faults"] if one["level"] == "error"}
    assert errors == ({5, 6} if behaviour == "proceed" else set())
    again = served.ask("POST", path, body, token="firm", headers={"Content-Type": "text/csv"}).json
    assert (again["accepted"], again["unchanged"]) == (0, 3)
    headers = {"Content-Type": "text/csv", "Idempotency-Key": f"sheet-{behaviour}"}
    assert served.ask("POST", path, sheet(row("other")), token="firm", headers=headers).status == 409


def test_a_conflict_in_a_sheet_is_told_the_same_when_it_comes_again(served: Any) -> None:
    before = sheet(row("conflict-1"))
    assert served.ask("POST", "/import", before, token="firm", headers={"Content-Type": "text/csv"}).status == 202
    body = sheet(row("conflict-1", handler="19900006599"), row("conflict-2"))
    first = twice(served, "/import?behaviour=proceed", body, "sheet-conflict", "text/csv")
    assert [one["code"] for one in first.json["faults"] if one["level"] == "error"] == ["event-id-conflict"]


def test_a_sheet_that_is_refused_leaves_its_key_free(served: Any) -> None:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "sheet-free"}
    wrong = sheet(row("free-1"), row("free-2", item="09520001002015"))
    assert served.ask("POST", "/import", wrong, token="firm", headers=headers).status == 422
    right = sheet(row("free-1"), row("free-2"))
    assert served.ask("POST", "/import", right, token="firm", headers=headers).json["accepted"] == 2


def test_a_key_of_a_capture_is_not_a_sheet_s(served: Any, make: Any) -> None:
    key = {"Idempotency-Key": "sheet-or-document"}
    assert served.ask("POST", CAPTURE, make.document(make.event(6520)), token="firm", headers=key).status == 202
    sent = served.ask("POST", "/import", sheet(row("d-1")), token="firm", headers={**key, "Content-Type": "text/csv"})
    assert sent.status == 409
