"""Erasure over HTTP: the operator's, by a body alone, with a receipt that an auditor can verify."""

from typing import Any

from sudonglian.chain import receipt


def person(number: str) -> dict[str, Any]:
    return {"personRef": {"kind": "phone", "value": number}, "role": "loader"}


def test_a_person_is_erased_and_the_receipt_is_given_when_it_is_sealed(served: Any, make: Any) -> None:
    event = make.event(88_019, **{"sdl:participants": [person("19955508801")]})
    assert served.ask("POST", "/epcis/v2/capture", make.document(event), token="firm").status == 202
    asked = {"kind": "phone", "value": "0086 199-5550-8801", "reason": "asked for"}
    assert served.ask("POST", "/people/erasures", asked, token="firm").status == 403
    assert served.ask("POST", "/people/erasures", {**asked, "reason": "199 5550 8801"}, token="operator").status == 422
    done = served.ask("POST", "/people/erasures", asked, token="operator")
    assert done.status == 201, done
    assert (done.status, done.json["erased"], len(done.json["records"])) == (201, True, 1)
    again = served.ask("POST", "/people/erasures", asked, token="operator")
    assert (again.status, again.json["type"]) == (404, "urn:sudonglian:problem:unknown-person")
    resent = served.ask("POST", "/epcis/v2/capture", make.document(event), token="firm")
    assert resent.status == 202, resent
    job = served.ask("GET", resent.headers["location"], token="firm").json
    assert [one["code"] for one in job["errors"]] == ["erased"]
    place = done.headers["location"]
    served.wait_for("/status", lambda told: told["pending"] == 0)
    parsed = receipt.parse(served.ask("GET", place, token="operator").body)
    assert parsed.said["records"] == done.json["records"]
    assert "19955508801" not in "".join(served.lines)


def test_what_is_no_erasure_is_refused_without_being_repeated(served: Any) -> None:
    for body in (
        {},
        {"kind": "shoe", "value": "19955508802", "reason": "x"},
        {"kind": "phone", "value": "", "reason": "x"},
    ):
        answer = served.ask("POST", "/people/erasures", body, token="operator")
        assert answer.status == 422
        assert b"19955508802" not in answer.body
    badge = {"kind": "badge", "value": "D-1", "reason": "x", "submitter": "no uri"}
    assert served.ask("POST", "/people/erasures", badge, token="operator").status == 400
    assert served.ask("GET", "/people/erasures/999999", token="operator").status == 404
    assert served.ask("GET", "/people/erasures/-1", token="operator").status in (400, 404)
