"""A rehearsal says what capture into an empty store says: one judge, and no second opinion."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain.errors import RecordRefused
from sudonglian.records import intake
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WHO = "urn:x:1"

EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2024-11-10T14:00:00+08:00",
    "eventTimeZoneOffset": "+08:00",
    "epcList": ["urn:epc:id:sscc:3952000.1000000002"],
    "action": "OBSERVE",
}
LOT = "urn:epc:class:lgtin:4012345.012345.998877"


def event(**members: Any) -> dict[str, Any]:
    return {**EVENT, **members}


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


PERSON = {"personRef": {"kind": "phone", "value": "hello"}, "role": "driver"}
OURS = {"@context": {"sdl": "urn:sudonglian:ns:1:"}}

DOCUMENTS: dict[str, Any] = {
    "plain": EVENT,
    "a decimal number": event(quantityList=[{"epcClass": LOT, "quantity": 12.5, "uom": "KGM"}]),
    "a leap second": event(eventTime="2016-12-31T23:59:60Z"),
    "the year 0": event(eventTime="0000-01-01T00:00:00Z"),
    "before the year 1": event(eventTime="0001-01-01T00:00:00+14:00"),
    "after the year 9999": event(eventTime="9999-12-31T23:59:59-14:00"),
    "in the future": event(eventTime="2031-01-01T00:00:00Z"),
    **{
        f"nested {n}": event(**{"@context": {"x": "urn:x:"}, "x:deep": nested(n)}) for n in (50, 54, 55, 56, 57, 64, 65)
    },
    "a long identifier": event(epcList=["urn:x:" + "a" * 2_000]),
    "a long transformation": event(type="TransformationEvent", transformationID="urn:x:" + "b" * 2_000),
    "two contents under one id": [event(eventID="urn:x:e"), event(eventID="urn:x:e", action="DELETE")],
    "one content twice": [event(eventID="urn:x:e"), event(eventID="urn:x:e")],
    "a person": event(**OURS, **{"sdl:participants": [PERSON]}),
    "a warning beside an error": event(parentID="urn:epc:id:sscc:1.1", action="NO"),
    "one of two": [EVENT, event(action="NO")],
    "no event": {"type": "EPCISDocument", "epcisBody": {"eventList": []}},
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[Store, Keys]]:
    keys = Keys.open(tmp_path / "keys", create=True)
    store = Store(f"sqlite:///{tmp_path / 'sudonglian.db'}")
    open_deployment(store, keys)
    yield store, keys
    store.close()


def told(said: intake.CaptureResult) -> tuple[Any, ...]:
    macs = {"event-id-conflict"}  # its sentence shows digests under the deployment's own key
    refused = [(one.index, one.code, one.pointer, one.rule, one.code in macs or one.message) for one in said.refused]
    return refused, said.warnings, [one.index for one in said.records]


def both(house: tuple[Store, Keys], raw: bytes) -> tuple[Any, Any]:
    """Return what the rehearsal and what capture into an empty store say; the store stays empty."""
    store, keys = house
    answers: list[Any] = []
    try:
        answers.append(told(intake.rehearse(raw, submitter=WHO, now=NOW)[1]))
    except RecordRefused as refusal:
        answers.append((refusal.slug, refusal.place, refusal.reason))

    class _Back(Exception):
        pass

    try:
        with store.write() as connection:
            answers.append(told(intake.capture(connection, keys, raw, submitter=WHO, now=NOW)))
            raise _Back
    except _Back:
        pass
    except RecordRefused as refusal:
        answers.append((refusal.slug, refusal.place, refusal.reason))
    return answers[0], answers[1]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_rehearsal_says_what_capture_says(house: tuple[Store, Keys], name: str) -> None:
    rehearsed, captured = both(house, json.dumps(DOCUMENTS[name]).encode())
    assert rehearsed == captured


def test_both_verdicts_stand_among_these_documents(house: tuple[Store, Keys]) -> None:
    verdicts = {name: both(house, json.dumps(value).encode())[1] for name, value in DOCUMENTS.items()}
    taken = {name for name, said in verdicts.items() if len(said) == 3 and said[0] == []}
    assert {"plain", "a decimal number", "nested 50", "one content twice", "a person"} <= taken
    refused = {"a leap second", "the year 0", "nested 64", "a long identifier", "two contents under one id", "no event"}
    assert refused & taken == set()


@pytest.mark.shared
def test_a_rehearsal_says_what_capture_says_of_all_published_documents(
    house: tuple[Store, Keys], shared_data: Path
) -> None:
    files = [*shared_data.glob("epcis/**/*.json"), *shared_data.glob("epcis/**/*.jsonld")]
    assert len(files) > 40
    taken = 0
    for file in files:
        rehearsed, captured = both(house, file.read_bytes())
        assert rehearsed == captured, file.name
        taken += len(captured) == 3 and captured[0] == []
    assert taken > 40


def test_a_document_is_counted_whole_and_its_warnings_are_told_though_it_is_refused() -> None:
    events, said = intake.rehearse(json.dumps([EVENT, event(action="NO")]).encode(), submitter=WHO, now=NOW)
    assert events == 2
    assert {one.index for one in said.refused} == {1}
    assert "event-late" in {finding.code for index, finding in said.warnings if index == 0}


def test_an_identifier_that_is_too_long_is_pointed_at() -> None:
    raw = json.dumps(event(epcList=["urn:x:1", "urn:x:" + "a" * 2_000])).encode()
    _, said = intake.rehearse(raw, submitter=WHO, now=NOW)
    assert [(one.code, one.pointer) for one in said.refused] == [("event-too-large", "/epcList/1")]
    assert said.refused[0].message["zh"] != said.refused[0].message["en"]


@pytest.mark.parametrize(("phone", "codes"), [("hello", ["person-phone"]), ("13800000000", []), ("+49 30 901820", [])])
def test_a_phone_that_is_no_number_is_a_warning_that_does_not_repeat_it(phone: str, codes: list[str]) -> None:
    person = {"personRef": {"kind": "phone", "value": phone}, "role": "driver"}
    raw = json.dumps(event(**OURS, **{"sdl:participants": [person]})).encode()
    _, said = intake.rehearse(raw, submitter=WHO, now=NOW)
    found = [one for _, one in said.warnings if one.code == "person-phone"]
    assert [one.code for one in found] == codes
    assert not any(phone in text for one in found for text in one.message.values())
    assert {one.pointer for one in found} <= {"/sdl:participants/0/personRef/value"}
