"""Reading documents: what is accepted, where each event stands, and every refusal by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sudonglian.chain.errors import RecordRefused
from sudonglian.records.epcis import document
from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.refusals import (
    DocumentRefused,
    NoEvents,
    NotEpcis,
    NotJson,
    NotUtf8,
    NotXml,
    TooDeep,
    TooLarge,
)

EVENT: dict[str, Any] = {"type": "ObjectEvent", "n": 1}


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def epcis(body: Any, kind: str = "EPCISDocument", more: dict[str, Any] | None = None) -> bytes:
    return raw({"type": kind, "epcisBody": body, **(more or {})})


QUERY = {"queryResults": {"resultsBody": {"eventList": [EVENT, EVENT]}}}


@pytest.mark.parametrize(
    ("given_bytes", "kind", "pointers"),
    [
        (raw(EVENT), "event", [""]),
        (raw([EVENT, EVENT]), "array", ["/0", "/1"]),
        (epcis({"eventList": [EVENT]}), "EPCISDocument", ["/epcisBody/eventList/0"]),
        (
            epcis(QUERY, "EPCISQueryDocument"),
            "EPCISQueryDocument",
            [f"/epcisBody/queryResults/resultsBody/eventList/{index}" for index in (0, 1)],
        ),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_four_kinds_with_and_without_a_byte_order_mark(
    given_bytes: bytes, kind: str, pointers: list[str], mark: bytes
) -> None:
    read = read_document(mark + given_bytes)
    assert (read.kind, [event.pointer for event in read.events]) == (kind, pointers)
    assert [event.index for event in read.events] == list(range(len(pointers)))
    assert all(event.value == EVENT for event in read.events)


def test_what_stands_around_the_events() -> None:
    read = read_document(
        epcis({"eventList": [EVENT]}, more={"@context": ["https://a.example/", {"a": "b:"}], "epcisHeader": {"x": 1}})
    )
    assert read.context == ("https://a.example/", {"a": "b:"})
    assert read.header == {"x": 1}
    assert read.envelope == {"type": "EPCISDocument", "epcisHeader": {"x": 1}}
    assert read_document(epcis({"eventList": [EVENT]}, more={"@context": "https://a.example/"})).context == (
        "https://a.example/",
    )


@pytest.mark.parametrize(
    ("given_bytes", "refusal", "place"),
    [
        (b"", NotJson, ""),
        (b"{", NotJson, ""),
        (b'{"type": "ObjectEvent",}', NotJson, ""),
        (b"{} {}", NotJson, ""),
        (b'{"a": NaN}', NotJson, ""),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", NotJson, ""),
        ("\ufeff{}".encode("utf-16-le"), NotUtf8, ""),
        ('{"type": "货"}'.encode("gb18030"), NotUtf8, ""),
        (b'  <?xml version="1.0"?><a/>', NotXml, ""),
        (b"\xef\xbb\xbf<a/>", NotEpcis, ""),
        (b"7", NotEpcis, ""),
        (b'"ObjectEvent"', NotEpcis, ""),
        (b"null", NotEpcis, ""),
        (b"{}", NotEpcis, "/type"),
        (raw({"type": "Order"}), NotEpcis, "/type"),
        (raw({"type": ["ObjectEvent"]}), NotEpcis, "/type"),
        (raw([EVENT, 7]), NotEpcis, "/1"),
        (raw([]), NoEvents, ""),
        (epcis({"eventList": []}), NoEvents, "/epcisBody/eventList"),
        (epcis({}), NoEvents, "/epcisBody/eventList"),
        (epcis({"eventList": EVENT}), NotEpcis, "/epcisBody/eventList"),
        (epcis([]), NotEpcis, "/epcisBody"),
        (raw({"type": "EPCISDocument"}), NotEpcis, "/epcisBody"),
        (epcis({"eventList": [EVENT]}, "EPCISQueryDocument"), NotEpcis, "/epcisBody/queryResults"),
        (epcis({"queryResults": {}}, "EPCISQueryDocument"), NotEpcis, "/epcisBody/queryResults/resultsBody"),
        (epcis({"eventList": [EVENT]}, more={"@context": [7]}), NotEpcis, "/@context/0"),
        (b"[" * 100 + b"]" * 100, TooDeep, ""),
        (b"[" * 100_000, TooDeep, ""),
        (b" " * (document.MAX_DOCUMENT_BYTES + 1), TooLarge, ""),
        (raw([{}] * (document.MAX_EVENTS + 1)), TooLarge, ""),
    ],
)
def test_refused_by_name(given_bytes: bytes, refusal: type[DocumentRefused], place: str) -> None:
    with pytest.raises(refusal) as caught:
        read_document(given_bytes)
    assert type(caught.value) is refusal
    assert caught.value.place == place
    assert caught.value.diagnostics().startswith(refusal.slug)


@pytest.mark.parametrize(
    ("given_bytes", "rule"),
    [
        (b'{"type": "ObjectEvent", "type": "ObjectEvent"}', "duplicate-key"),
        (b'{"type": "ObjectEvent", "$dec": "1"}', "reserved-key"),
        (b'{"type": "ObjectEvent", "x": {"_sd": []}}', "reserved-key"),
        (b'{"type": "ObjectEvent", "x": "\\ud800"}', "surrogate"),
    ],
)
def test_what_has_no_canonical_form_is_refused_as_that(given_bytes: bytes, rule: str) -> None:
    with pytest.raises(DocumentRefused) as caught:
        read_document(given_bytes)
    assert caught.value.slug == rule


@given(st.binary() | st.text().map(str.encode))
@example(b'{"type":"EPCISDocument","epcisBody":{"eventList":[{"@context":{}}]}}')
@example(b"\xef\xbb\xbf")
@example(b"1" * 5_000)
def test_garbage_gives_the_rooms_own_error(given_bytes: bytes) -> None:
    try:
        read = read_document(given_bytes)
    except RecordRefused:
        return
    assert read.events


@pytest.mark.shared
def test_every_published_document_is_read(shared_data: Path) -> None:
    counted = sum(
        len(read_document(file.read_bytes()).events) for file in (shared_data / "epcis" / "documents").glob("*.json")
    )
    assert counted == 68
