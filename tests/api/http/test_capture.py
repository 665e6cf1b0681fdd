"""Capture and query over HTTP: jobs, whole documents or event by event, resends, one firm's own events."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

CAPTURE = "/epcis/v2/capture"


def test_a_document_is_captured_and_its_job_is_over(served: Any, make: Any) -> None:
    answer = served.ask("POST", CAPTURE, make.document(make.event(100), make.event(101)), token="firm")
    assert answer.status == 202
    assert answer.headers["gs1-epcis-version"] == "2.0"
    assert answer.headers["gs1-capture-error-behaviour"] == "rollback"
    job = served.ask("GET", answer.headers["location"], token="firm").json
    assert job == answer.json
    assert (job["running"], job["success"], job["errors"]) == (False, True, [])
    assert [one["unchanged"] for one in job["records"]] == [False, False]
    again = served.ask("POST", CAPTURE, make.document(make.event(100), make.event(101)), token="firm").json
    assert [one["record_hash"] for one in again["records"]] == [one["record_hash"] for one in job["records"]]
    assert (again["accepted"], again["unchanged"]) == (0, 2)
    listed = served.ask("GET", f"{CAPTURE}?perPage=2", token="firm")
    assert [one["captureID"] for one in listed.json] == [again["captureID"], job["captureID"]]


def test_rollback_and_proceed(served: Any, make: Any) -> None:
    good, bad = make.event(110), make.event(111, action="MAYBE")
    whole = served.ask("POST", CAPTURE, make.document(good, bad), token="firm", headers={"Accept-Language": "zh"})
    assert whole.status == 202
    assert (whole.json["success"], whole.json["accepted"], whole.json["records"]) == (False, 0, [])
    assert whole.json["errors"][0]["pointer"].startswith("/epcisBody/eventList/1")
    assert any("\u4e00" <= one <= "\u9fff" for one in whole.json["errors"][0]["detail"])
    name = f"/epcis/v2/events/{good['eventID']}"
    assert served.ask("GET", name, token="firm").status == 404
    part = served.ask(
        "POST", CAPTURE, make.document(good, bad), token="firm", headers={"GS1-Capture-Error-Behaviour": "proceed"}
    )
    assert (part.json["success"], part.json["accepted"]) == (False, 1)
    assert served.ask("GET", name, token="firm").status == 200
    odd = served.ask("POST", CAPTURE, b"{}", token="firm", headers={"GS1-Capture-Error-Behaviour": "perhaps"})
    assert odd.status == 400


def test_another_content_under_the_same_event_id(served: Any, make: Any) -> None:
    served.ask("POST", CAPTURE, make.document(make.event(120)), token="firm")
    answer = served.ask("POST", CAPTURE, make.document(make.event(120, bizStep="receiving")), token="firm")
    assert [one["code"] for one in answer.json["errors"]] == ["event-id-conflict"]
    others = served.ask("POST", CAPTURE, make.document(make.event(120, bizStep="receiving")), token="other")
    assert others.json["success"]


def test_both_contents_of_one_event_id_are_kept_when_asked_for(served: Any, make: Any) -> None:
    once, again = make.document(make.event(121)), make.document(make.event(121, bizStep="receiving"))
    first = served.ask("POST", CAPTURE, once, token="firm", headers={"Idempotency-Key": "kept-121"})
    assert first.headers["sudonglian-duplicate-ids"] == "refuse"
    keep = {"Sudonglian-Duplicate-Ids": "keep"}
    both = served.ask("POST", CAPTURE, again, token="firm", headers=keep)
    assert (both.json["success"], both.json["accepted"], both.json["duplicateIds"]) == (True, 1, "keep")
    assert both.headers["sudonglian-duplicate-ids"] == "keep"
    assert served.ask("GET", both.headers["location"], token="firm").json == both.json
    other = served.ask("POST", CAPTURE, once, token="firm", headers={"Idempotency-Key": "kept-121", **keep})
    assert other.status == 409
    assert served.ask("POST", CAPTURE, again, token="firm", headers={"Sudonglian-Duplicate-Ids": "x"}).status == 400


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 10_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"a":1,"a":2}', "application/json", 400),
        (b"null", "application/json", 400),
        (b"<xml/>", "text/html", 415),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
    ],
)
def test_what_is_no_document(served: Any, body: bytes, kind: str, status: int) -> None:
    answer = served.ask("POST", CAPTURE, body, token="firm", headers={"Content-Type": kind})
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status


XML = """<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" creationDate="2026-01-05T01:00:00Z">
<EPCISBody><EventList><ObjectEvent><eventTime>{time}</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>
<epcList><epc>{epc}</epc></epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:{step}</bizStep>
</ObjectEvent></EventList></EPCISBody></e:EPCISDocument>"""


@pytest.mark.parametrize("kind", ["application/xml", "text/xml; charset=utf-8"])
def test_xml_becomes_the_record_that_its_json_would_be(served: Any, make: Any, kind: str) -> None:
    event = {name: value for name, value in make.event(140).items() if name in ("type", "eventTime", "epcList")}
    event |= {"eventTimeZoneOffset": "+08:00", "action": "OBSERVE", "bizStep": "shipping"}
    first = served.ask("POST", CAPTURE, make.document(event), token="firm")
    text = XML.format(time=event["eventTime"], epc=event["epcList"][0], step="shipping")
    again = served.ask("POST", CAPTURE, text.encode(), token="firm", headers={"Content-Type": kind})
    assert (again.status, again.json["accepted"], again.json["unchanged"]) == (202, 0, 1)
    assert again.json["records"][0]["record_hash"] == first.json["records"][0]["record_hash"]
    odd = served.ask(
        "POST", CAPTURE, text.replace("shipping", "flying").encode(), token="firm", headers={"Content-Type": kind}
    )
    assert [one["code"] for one in odd.json["errors"]] == ["biz-step"]
    assert odd.json["errors"][0]["detail"].endswith("(line 3 of the XML)")


@pytest.mark.parametrize(
    ("body", "kind", "slug"),
    [
        (b"", "application/xml", "not-xml"),
        (b"{}", "application/xml", "not-xml"),
        (b"<a>", "text/xml", "not-xml"),
        (b"<a/>", "application/json", "not-json"),
        (b"<a/>", "application/xml", "not-epcis"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "application/xml", "xml-doctype"),
        (b'<?xml version="1.0" encoding="ebcdic"?><a/>', "application/xml", "xml-encoding"),
        (b"<a>" * 10_000, "application/xml", "too-deep"),
    ],
)
def test_xml_that_is_no_document(served: Any, body: bytes, kind: str, slug: str) -> None:
    answer = served.ask("POST", CAPTURE, body, token="firm", headers={"Content-Type": kind})
    assert (answer.status, answer.json["type"]) == (400, f"urn:sudonglian:problem:{slug}")


def test_a_document_that_is_too_large(served: Any) -> None:
    limit = int(served.ask("OPTIONS", CAPTURE).headers["gs1-epcis-capture-file-size-limit"])
    answer = served.ask("POST", CAPTURE, b" " * (limit + 1), token="firm")
    assert answer.status == 413
    assert answer.json["type"].endswith("body-too-large")
    assert served.ask("POST", CAPTURE, b" " * limit, token="firm").status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"GS1-EPCIS-Version": "1.2"},
        {"GS1-EPCIS-Max": "1.2"},
        {"GS1-EPCIS-Min": "2.1"},
        {"GS1-EPC-Format": "Sometimes"},
    ],
)
def test_versions_and_formats_that_are_not_spoken(served: Any, headers: dict[str, str]) -> None:
    assert served.ask("GET", "/epcis/v2/events", token="firm", headers=headers).status == 406


def test_identifiers_in_one_format(served: Any, make: Any) -> None:
    urn, link = "urn:epc:id:sgtin:0614141.107346.1400", "https://id.gs1.org/01/10614141073464/21/1400"
    event = make.event(1400, epcList=[urn])
    assert served.ask("POST", CAPTURE, make.document(event), token="firm").json["success"]
    for wanted, due in ((None, urn), ("Always_GS1_Digital_Link", link), ("Always_EPC_URN", urn)):
        headers = {} if wanted is None else {"GS1-EPC-Format": wanted}
        told = served.ask("GET", f"/epcis/v2/events?MATCH_epc={link}", token="firm", headers=headers).json
        [found] = told["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert found["epcList"] == [due]


def test_an_idempotency_key_gives_the_first_answer(served: Any, make: Any) -> None:
    raw = make.document(make.event(130))
    key = {"Idempotency-Key": "a-130"}
    first = served.ask("POST", CAPTURE, raw, token="firm", headers=key)
    second = served.ask("POST", CAPTURE, raw, token="firm", headers=key)
    assert (second.status, second.body, second.headers["location"]) == (202, first.body, first.headers["location"])
    assert second.headers["idempotency-replayed"] == "true"
    other = served.ask("POST", CAPTURE, make.document(make.event(131)), token="firm", headers=key)
    assert other.status == 409
    assert other.json["type"].endswith("idempotency-conflict")
    elsewhere = served.ask("POST", CAPTURE, make.document(make.event(131)), token="other", headers=key)
    assert elsewhere.status == 202
    assert served.ask("POST", CAPTURE, raw, token="firm", headers={"Idempotency-Key": "x" * 256}).status == 400


def test_one_idempotency_key_at_once(served: Any, make: Any) -> None:
    raw, answers = make.document(make.event(135)), []

    def send() -> None:
        answers.append(served.ask("POST", CAPTURE, raw, token="firm", headers={"Idempotency-Key": "at-once"}))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.status for one in answers} == {202}
    assert len({one.headers["location"] for one in answers}) == 1


def test_events_page_by_page(served: Any, make: Any) -> None:
    steps = ["shipping", "receiving", "https://ref.gs1.org/cbv/BizStep-storing"]
    sent = [
        make.event(n, bizStep=steps[n % 3], epcList=["https://id.gs1.org/00/395200010000000035"])
        for n in range(140, 152)
    ]
    assert served.ask("POST", CAPTURE, make.document(*sent), token="firm").json["success"]
    query = "/epcis/v2/events?perPage=5&MATCH_anyEPC=urn:epc:id:sscc:9520001.3000000003"
    found: list[str] = []
    path: str | None = query
    while path:
        answer = served.ask("GET", path, token="firm")
        events = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert len(events) <= 5
        assert all("recordTime" in one for one in events)
        found += [one["eventID"] for one in events]
        link = answer.headers.get("link")
        assert link is None or link.endswith('>; rel="next"')
        path = link.split(">")[0].removeprefix("<") if link else None
    expected = served.ask("GET", query.replace("perPage=5", "perPage=100"), token="firm").json
    listed = expected["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert found == [one["eventID"] for one in listed]
    for one in sent:
        assert (
            next({**it, "recordTime": None} for it in listed if it["eventID"] == one["eventID"]).items() >= one.items()
        )


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ("EQ_bizStep=departing", [0]),
        ("EQ_bizStep=urn:epcglobal:cbv:bizstep:departing,arriving", [0, 1]),
        ("EQ_bizStep=https://ref.gs1.org/cbv/BizStep-arriving", [1]),
        ("GE_eventTime=2026-02-02T00:00:00Z", [1, 2]),
        ("LT_eventTime=2026-02-02T00:00:00Z", [0]),
        ("GE_eventTime=2026-02-02T08:00:00%2B08:00&LT_eventTime=2026-02-03T00:00:00Z", [1]),
        ("EQ_action=ADD", [2]),
        ("eventType=ObjectEvent&EQ_action=ADD", [2]),
        ("eventType=AggregationEvent", []),
        ("LT_recordTime=2026-01-01T00:00:00Z", []),
    ],
)
def test_filters(served: Any, make: Any, asked: str, fits: list[int]) -> None:
    epc = "https://id.gs1.org/00/395200010000000059"
    sent = [
        make.event(
            160, bizStep="departing", epcList=[epc], eventTime="2026-02-01T00:00:00Z", eventTimeZoneOffset="+00:00"
        ),
        make.event(
            161, bizStep="arriving", epcList=[epc], eventTime="2026-02-02T00:00:00Z", eventTimeZoneOffset="+00:00"
        ),
        make.event(162, bizStep="commissioning", action="ADD", epcList=[epc], eventTime="2026-02-03T00:00:00Z"),
    ]
    assert served.ask("POST", CAPTURE, make.document(*sent), token="other").json["success"]
    answer = served.ask("GET", f"/epcis/v2/events?MATCH_anyEPC={epc}&{asked}", token="other")
    found = [one["eventID"] for one in answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]
    assert found == [sent[one]["eventID"] for one in fits]


@pytest.mark.parametrize(
    "query",
    ["EQ_bizSteps=shipping", "a=", "perPage=0", "perPage=1001", "perPage=x", "perPage=5&perPage=6", "GE_eventTime=yesterday",
     "nextPageToken=AAAA", "nextPageToken=%00", "MATCH_anyEPC=%00", "GE_eventTime=2026-01-01T00:00:00"],
)  # fmt: skip
def test_parameters_are_refused_and_never_ignored(served: Any, query: str) -> None:
    answer = served.ask("GET", f"/epcis/v2/events?{query}", token="firm")
    assert answer.status == 400
    assert answer.json["errors"][0]["pointer"]


def test_a_firm_sees_only_its_own(served: Any, make: Any) -> None:
    event = make.event(170)
    answer = served.ask("POST", CAPTURE, make.document(event), token="firm")
    for path in (f"/epcis/v2/events/{event['eventID']}", answer.headers["location"]):
        assert served.ask("GET", path, token="firm").status == 200
        assert served.ask("GET", path, token="other").status == 404
    others = served.ask("GET", "/epcis/v2/events?perPage=1000", token="other").body
    assert event["eventID"].encode() not in others


def test_who_has_the_key_is_who_says_it(served: Any, make: Any) -> None:
    """No name of a firm in a document, an address or a header makes somebody another firm."""
    other = make.firms["02-port.json"]
    headers = {"X-Submitter": other, "From": other}
    event = make.event(171)
    claimed = {**json.loads(make.document(event)), "sender": other}
    answer = served.ask("POST", CAPTURE, claimed, token="firm", headers=headers)
    job = served.ask("GET", answer.headers["location"], token="firm").json
    assert job["success"], job
    (record,) = job["records"]
    shown = served.ask("GET", f"/records/{record['record_hash']}", token="auditor").json
    assert shown["record"]["submitter"] == make.firms["01-exporter.json"]
    assert served.ask("GET", f"/epcis/v2/events/{event['eventID']}", token="other").status == 404
    refused = served.ask("POST", f"{CAPTURE}?submitter={other}", make.document(make.event(172)), token="firm")
    assert refused.status == 400


def test_people_are_in_no_answer_and_no_log_line(served: Any, make: Any) -> None:
    person = {"personRef": {"kind": "phone", "value": "19900007777", "name": "无名氏甲"}, "role": "loader"}
    wrong = {"personRef": {"kind": "phone", "value": "19900008888", "nickname": "小甲"}, "role": "loader"}
    good = make.document(make.event(180, **{"sdl:participants": [person]}))
    bad = make.document(make.event(181, **{"sdl:participants": [wrong]}))
    answers = [
        served.ask("POST", CAPTURE, good, token="firm"),
        served.ask("POST", CAPTURE, bad, token="firm"),
        served.ask("POST", CAPTURE, good[:-40], token="firm"),
        served.ask("GET", "/epcis/v2/events?perPage=1000", token="firm"),
        served.ask("GET", f"/epcis/v2/events/{make.event(180)['eventID']}", token="firm"),
        served.ask("GET", "/log/entries?records=true", token="auditor"),
        served.ask("GET", "/nothing/19900007777"),
    ]
    assert answers[0].json["success"]
    assert not answers[1].json["success"]
    record = answers[0].json["records"][0]["record_hash"]
    answers.append(served.ask("GET", f"/records/{record}", token="firm"))
    disclosing = served.ask("GET", f"/records/{record}/bundle?disclose=sdl:participants", token="firm")
    assert disclosing.status in (403, 409)
    for text in ("19900007777", "19900008888", "无名氏", "小甲"):
        assert all(text not in one.body.decode() for one in answers)
        assert all(json.dumps(text)[1:-1] not in one.body.decode() for one in answers)
        assert all(text not in line for line in served.lines)


@pytest.mark.shared
def test_third_party_documents(served: Any, shared_data: Path) -> None:
    files = sorted((shared_data / "epcis" / "documents").iterdir())
    answers = [served.ask("POST", CAPTURE, one.read_bytes(), token="capturer") for one in files]
    assert files
    assert {one.status for one in answers} <= {202, 400}
    assert sum(one.status == 202 and one.json["success"] for one in answers) > len(files) // 2
