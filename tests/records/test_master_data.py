"""Master data: judged, kept for each firm, shown, and nowhere near a record."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from sudonglian.records import intake
from sudonglian.records.epcis import master_data as judged
from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.findings import Finding
from sudonglian.records.keys import Keys
from sudonglian.records.master_data import described, names_of
from sudonglian.records.store import Store
from sudonglian.records.tables import MASTER_DATA, PENDING, RECORDS

NOW = datetime(2026, 1, 6, tzinfo=UTC)
FIRM = "https://id.gs1.org/417/6901234000009"
SITE = "urn:epc:id:sgln:6901234.00002.0"
SITE_LINK = "https://id.gs1.org/414/6901234000023"
LOCATION = "urn:epcglobal:epcis:vtype:BusinessLocation"
NAME = "urn:epcglobal:cbv:mda#name"


def vocabulary(*elements: Any, kind: str = LOCATION) -> dict[str, Any]:
    return {"type": kind, "vocabularyElementList": [*elements]}


def place(name: Any = "一号冷库", uri: str = SITE, **more: Any) -> dict[str, Any]:
    return {"id": uri, "attributes": [{"id": NAME, "attribute": name}], **more}


def header(*vocabularies: Any) -> dict[str, Any]:
    return {"epcisHeader": {"epcisMasterData": {"vocabularyList": [*vocabularies]}}}


def document(*vocabularies: Any, events: list[dict[str, Any]] | None = None) -> bytes:
    body = {"eventList": events or []}
    around = {
        "schemaVersion": "2.0",
        "creationDate": "2026-01-05T01:00:00Z",
        "@context": "https://ref.gs1.org/standards/epcis",
    }
    return json.dumps({"type": "EPCISDocument", **around, **header(*vocabularies), "epcisBody": body}).encode()


EVENT = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-05T08:30:00+08:00",
    "eventTimeZoneOffset": "+08:00",
    "epcList": ["urn:epc:id:sscc:3952000.1000000002"],
    "action": "OBSERVE",
}


def capture(store: Store, keys: Keys, raw: bytes, who: str = FIRM, when: datetime = NOW) -> intake.CaptureResult:
    with store.write() as connection:
        return intake.capture(connection, keys, raw, submitter=who, now=when)


def test_what_is_said_is_kept_and_the_last_word_counts(store: Store, keys: Keys) -> None:
    first = capture(store, keys, document(vocabulary(place(), place("二号", "urn:x:2"))))
    assert (first.described, first.accepted, first.refused) == (2, 0, ())
    later = NOW + timedelta(hours=1)
    capture(
        store, keys, document(vocabulary(place("新名", SITE_LINK)), vocabulary(place("类"), kind="urn:x:v")), when=later
    )
    with store.read() as connection:
        found = described(connection, {SITE_LINK})
        assert {(one.element.vocabulary, one.element.uri, one.element.name) for one in found} == {
            (LOCATION, SITE_LINK, "新名"),
            ("urn:x:v", SITE, "类"),
        }
        assert names_of(connection, ["urn:x:2", "urn:x:3"]) == {"urn:x:2": "二号"}
        assert len(described(connection)) == 3
        assert described(connection, set()) == []


def test_firms_speak_for_themselves(store: Store, keys: Keys) -> None:
    capture(store, keys, document(vocabulary(place("甲说"))))
    capture(store, keys, document(vocabulary(place("乙说"))), who="urn:x:other", when=NOW + timedelta(hours=1))
    with store.read() as connection:
        found = [(one.submitter, one.element.name) for one in described(connection, {SITE_LINK})]
        assert found == [("urn:x:other", "乙说"), (FIRM, "甲说")]
        assert names_of(connection, [SITE_LINK]) == {SITE_LINK: "乙说"}


def test_no_record_and_no_entry_holds_it(store: Store, keys: Keys) -> None:
    told = capture(store, keys, document(vocabulary(place()), events=[EVENT]))
    bare = capture(store, keys, document(events=[EVENT]), who=FIRM)
    assert (told.accepted, bare.unchanged) == (1, 1)
    with store.read() as connection:
        bodies = [
            *connection.execute(select(RECORDS.c.body)).scalars(),
            *connection.execute(select(PENDING.c.data)).scalars(),
        ]
    assert len(bodies) == 2
    assert not any("冷库".encode() in body or SITE.encode() in body for body in bodies)


def test_nothing_is_kept_of_a_document_that_is_refused(store: Store, keys: Keys) -> None:
    wrong = {**EVENT, "action": "FLY"}
    assert capture(store, keys, document(vocabulary(place()), events=[EVENT, wrong])).refused
    bad = capture(store, keys, document(vocabulary({"attributes": []}), events=[EVENT]))
    assert [(one.index, one.code, one.pointer) for one in bad.refused] == [
        (None, "master-data", "/epcisHeader/epcisMasterData/vocabularyList/0/vocabularyElementList/0/id")
    ]
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(MASTER_DATA)).scalar_one() == 0
        assert connection.execute(select(func.count()).select_from(RECORDS)).scalar_one() == 0


BAD: list[tuple[Any, str]] = [
    ({"epcisHeader": 7}, "/epcisHeader"),
    ({"epcisHeader": {"epcisMasterData": []}}, "/epcisHeader/epcisMasterData"),
    ({"epcisHeader": {"epcisMasterData": {"vocabularyList": {}}}}, "/epcisHeader/epcisMasterData/vocabularyList"),
    (header(7), "/epcisHeader/epcisMasterData/vocabularyList/0"),
    (header({"vocabularyElementList": []}), "/epcisHeader/epcisMasterData/vocabularyList/0/type"),
    (header({"type": "urn:x:v", "vocabularyElementList": {}}), "/epcisHeader/epcisMasterData/vocabularyList/0/vocabularyElementList"),
    *(
        (header(vocabulary(element)), f"/epcisHeader/epcisMasterData/vocabularyList/0/vocabularyElementList/0{at}")
        for element, at in (
            (7, ""),
            ({}, "/id"),
            ({"id": " "}, "/id"),
            ({"id": "urn:x:" + "a" * 3_000}, "/id"),
            ({"id": "urn:x:1", "attributes": {}}, "/attributes"),
            ({"id": "urn:x:1", "attributes": [{"id": NAME}]}, "/attributes/0"),
            ({"id": "urn:x:1", "attributes": [{"attribute": "x"}]}, "/attributes/0"),
            ({"id": "urn:x:1", "children": [7]}, "/children"),
            ({"id": "urn:x:1", "children": "urn:x:2"}, "/children"),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("envelope", "place"), BAD)
def test_what_is_wrong_has_a_place(envelope: Any, place: str) -> None:
    assert [(one.code, one.pointer, one.level) for one in judged.check(envelope)] == [("master-data", place, "error")]


@pytest.mark.parametrize(
    "envelope",
    [{}, {"epcisHeader": {}}, {"epcisHeader": {"epcisMasterData": {}}}, header(), header({"type": "urn:x:v"})],
)
def test_none_is_right(envelope: Any) -> None:
    assert judged.check(envelope) == []
    assert judged.elements(envelope) == ()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "id", "attributes", "attribute", "children", "vocabularyElementList"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(values)
def test_any_value_is_judged_or_taken_apart(value: Any) -> None:
    envelope = header(value) if not isinstance(value, list) else header(*value)
    found = judged.check(envelope)
    assert all(isinstance(one, Finding) for one in found)
    if not found:
        before = copy.deepcopy(envelope)
        assert all(one.uri for one in judged.elements(envelope))
        assert before == envelope


@pytest.mark.shared
def test_the_published_master_data(shared_data: Path) -> None:
    counted = 0
    for file in sorted((shared_data / "epcis" / "chains").glob("*.jsonld")):
        if file.name == "EPCISQUERYDOCUMENT_advanced_5.jsonld":  # not JSON
            continue
        read = read_document(file.read_bytes())
        assert judged.check(read.envelope) == [], file.name
        counted += len(judged.elements(read.envelope))
    assert counted == 64
