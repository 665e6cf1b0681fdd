import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, select

from sudonglian.chain import entry
from sudonglian.chain.errors import RecordRefused
from sudonglian.chain.record import open_record, parse_record, record_hash
from sudonglian.records import derive, judging, reader, vault
from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.plain import plain_event
from sudonglian.records.epcis.refusals import NotJson
from sudonglian.records.identities import identity
from sudonglian.records.intake import CaptureResult
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import (
    DISCLOSURES,
    IDENTIFIERS,
    METADATA,
    PARTICIPANTS,
    PENDING,
    PERSONS,
    RECORDS,
)

Capture = Callable[..., CaptureResult]
Make = Callable[..., dict[str, Any]]
NOW = datetime(2026, 1, 6, 0, 0, 0, 123456, tzinfo=UTC)
OTHER_ID = "urn:uuid:6f0b2f3a-1111-4c3e-9f43-000000000002"
ERROR = {"declarationTime": "2026-01-05T10:00:00+08:00", "reason": "incorrect_data"}


def rows(store: Store, table: Table) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(table)).all())


def sizes(store: Store) -> dict[str, int]:
    with store.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in METADATA.sorted_tables
        }


def entries(store: Store) -> list[entry.Entry]:
    return [entry.parse_entry(row.data) for row in sorted(rows(store, PENDING), key=lambda row: int(row.id))]


def codes(result: CaptureResult) -> list[tuple[int | None, str, str]]:
    return [(one.index, one.code, one.pointer) for one in result.refused]


def test_an_event_becomes_a_record_with_all_its_rows(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    one = event(**{"sdl:participants": [handler(start="2026-01-05T00:10:00Z"), handler("B-7", "badge")], "x:y": 1})
    one["@context"] = {"x": "urn:x:"}
    result = capture(one)
    assert (result.accepted, result.unchanged, result.refused) == (1, 0, ())
    assert result.warnings == ()
    (record,) = rows(store, RECORDS)
    assert record_hash(record.body) == record.record_hash == result.records[0].record_hash
    assert record.event_time_us == derive.micros(datetime(2026, 1, 5, 0, 30, tzinfo=UTC))
    assert (record.captured_us, record.log_index) == (derive.micros(NOW), None)
    assert [(row.role, row.normal) for row in rows(store, IDENTIFIERS)] == [
        ("epc", "https://id.gs1.org/00/069012340000000184")
    ]
    assert [(row.position, row.role, row.contact, row.start_us) for row in rows(store, PARTICIPANTS)] == [
        (0, "loader", "opened", derive.micros(datetime(2026, 1, 5, 0, 10, tzinfo=UTC))),
        (1, "loader", "opened", None),
    ]
    assert sorted((row.name, row.visibility) for row in rows(store, DISCLOSURES)) == [
        ("eventID", "partner"),
        ("sdl:participants", "vault"),
        ("sdl:participants", "vault"),
        ("x:y", "partner"),
    ]
    assert len(rows(store, PERSONS)) == 2
    assert entries(store) == [entry.RecordEntry(record.record_hash)]
    shown = [row.text for row in rows(store, DISCLOSURES) if row.text]
    assert "sdl:participants" not in open_record(parse_record(record.body), shown)


def test_a_resend_changes_nothing(store: Store, capture: Capture, event: Make, handler: Make, document: Any) -> None:
    one = event(**{"sdl:participants": [handler()]})
    first = capture(one)
    before = sizes(store)
    again = capture(document(dict(reversed(one.items())) | {"recordTime": "2026-01-05T09:00:00Z"}))
    assert (again.accepted, again.unchanged, again.refused) == (0, 1, ())
    assert again.records[0].record_hash == first.records[0].record_hash
    assert again.records[0].unchanged
    assert sizes(store) == before


def test_the_same_event_of_two_firms_is_two_records(store: Store, capture: Capture, event: Make) -> None:
    hashes = {capture(event(), submitter=f"urn:x:{firm}").records[0].record_hash for firm in "ab"}
    assert len(hashes) == 2
    assert sizes(store)["records"] == 2


def test_another_content_under_one_event_id_is_a_conflict(store: Store, capture: Capture, event: Make) -> None:
    capture(event())
    before = sizes(store)
    result = capture(event(bizStep="receiving"))
    assert codes(result) == [(0, "event-id-conflict", "/epcisBody/eventList/0/eventID")]
    (record,) = rows(store, RECORDS)
    told = result.refused[0].message
    assert record.content_mac.hex() in told["en"]
    assert record.content_mac.hex() in told["zh"]
    assert len({word for word in told["en"].replace(")", " ").replace(",", " ").split() if len(word) == 64}) == 2
    assert sizes(store) == before


def test_conflicts_can_be_kept_and_then_every_version_is_known(store: Store, capture: Capture, event: Make) -> None:
    versions = [event(), event(bizStep="receiving"), event(bizStep="storing")]
    taken = [capture(one, duplicate_ids="keep").records[0].record_hash for one in versions]
    assert len(set(taken)) == 3
    assert [capture(one).records[0].record_hash for one in versions] == taken
    assert codes(capture(event(bizStep="loading"))) == [(0, "event-id-conflict", "/epcisBody/eventList/0/eventID")]


@pytest.mark.parametrize(
    "changed",
    [
        {"eventTime": "2026-01-05T08:30:00.0+08:00"},
        {"epcList": ["urn:epc:id:sscc:6901234.0000000018"] * 2},
        {"eventTimeZoneOffset": "+08:30"},
    ],
    ids=["time as written", "list", "offset"],
)
def test_any_difference_as_written_is_a_difference(capture: Capture, event: Make, changed: Any) -> None:
    capture(event())
    assert [one.code for one in capture(event() | changed).refused] == ["event-id-conflict"]


def test_without_event_id_the_content_says_who_it_is(store: Store, capture: Capture, event: Make) -> None:
    one = event(eventID=None)
    first = capture(one)
    assert capture(one).unchanged == 1
    other = capture(one | {"sdl:containerNo": "CSQU3054383"})
    assert other.accepted == 1  # equal in the clear, different in what is withheld: another event, no conflict
    assert other.records[0].record_hash != first.records[0].record_hash
    assert sizes(store)["records"] == 2


def test_within_one_document_the_same_rules_hold(store: Store, capture: Capture, event: Make) -> None:
    result = capture(event(), event(), event(eventID=OTHER_ID), event(eventID=None), event(eventID=None))
    assert [(one.index, one.unchanged) for one in result.records] == [
        (0, False),
        (1, True),
        (2, False),
        (3, False),
        (4, True),
    ]
    assert result.records[0].record_hash == result.records[1].record_hash
    assert sizes(store)["records"] == 3
    assert codes(capture(event(eventID="urn:a:1"), event(eventID="urn:a:1", bizStep="storing"))) == [
        (1, "event-id-conflict", "/epcisBody/eventList/1/eventID")
    ]


def test_one_refused_event_rolls_the_document_back(store: Store, capture: Capture, event: Make, handler: Make) -> None:
    before = sizes(store)
    good = event(**{"sdl:participants": [handler()]})
    result = capture(good, event(eventID=OTHER_ID, eventTime="yesterday"), event(eventID="urn:a:3", epcList=5))
    assert (result.accepted, result.unchanged, result.records) == (0, 0, ())
    assert {one.index for one in result.refused} == {1, 2}
    assert sizes(store) == before  # no person either


def test_or_the_others_proceed(store: Store, capture: Capture, event: Make) -> None:
    bad = event(eventID=OTHER_ID, eventTime="yesterday")
    result = capture(event(), bad, event(eventID="urn:a:3"), event(bizStep="storing"), behaviour="proceed")
    assert [one.index for one in result.records] == [0, 2]
    assert [(one.index, one.code) for one in result.refused][-1] == (3, "event-id-conflict")
    assert {one.index for one in result.refused} == {1, 3}
    assert sizes(store)["records"] == 2


def test_a_broken_envelope_refuses_the_document_however_it_behaves(store: Store, capture: Capture, event: Make) -> None:
    raw = json.dumps({"type": "EPCISDocument", "epcisBody": {"eventList": [event()]}}).encode()
    result = capture(raw, behaviour="proceed")
    assert {one.index for one in result.refused} == {None}
    assert sizes(store)["records"] == 0


def test_what_is_no_document_is_an_error(capture: Capture) -> None:
    with pytest.raises(NotJson):
        capture(b"{")


@pytest.mark.parametrize("submitter", ["", "no uri", "urn:x:" + "y" * 2000])
def test_a_submitter_is_a_uri(store: Store, capture: Capture, event: Make, submitter: str) -> None:
    assert [one.code for one in capture(event(), submitter=submitter).refused] == ["record"]
    assert sizes(store)["records"] == 0


def test_an_error_declaration_is_no_conflict_and_corrects(store: Store, capture: Capture, event: Make) -> None:
    original = capture(event()).records[0].record_hash
    capture(event(), submitter="urn:x:another")
    declared = capture(event(errorDeclaration=ERROR))
    assert declared.refused == ()
    declaration = declared.records[0].record_hash
    assert entries(store)[-2:] == [entry.RecordEntry(declaration), entry.CorrectionEntry(declaration, original)]
    assert sum(isinstance(one, entry.CorrectionEntry) for one in entries(store)) == 1
    assert capture(event(errorDeclaration=ERROR)).unchanged == 1
    assert capture(event()).unchanged == 1
    with store.read() as connection:
        assert [one.record_hash for one in reader.corrections(connection, original)] == [declaration]


def test_a_declaration_corrects_every_kept_version(store: Store, capture: Capture, event: Make) -> None:
    kept = [
        capture(event(bizStep=step), duplicate_ids="keep").records[0].record_hash for step in ("storing", "loading")
    ]
    declaration = capture(event(errorDeclaration=ERROR)).records[0].record_hash
    assert entries(store)[-2:] == [entry.CorrectionEntry(declaration, one) for one in kept]


def test_a_declaration_that_comes_first_corrects_the_original_when_it_comes(
    store: Store, capture: Capture, event: Make
) -> None:
    declaration = capture(event(errorDeclaration=ERROR)).records[0].record_hash
    original = capture(event()).records[0].record_hash
    assert entries(store)[-1] == entry.CorrectionEntry(declaration, original)
    later = capture(event(bizStep="storing"), duplicate_ids="keep").records[0].record_hash
    assert entries(store)[-1] == entry.RecordEntry(later)


def test_both_in_one_document(store: Store, capture: Capture, event: Make) -> None:
    result = capture(event(), event(errorDeclaration=ERROR))
    original, declaration = (one.record_hash for one in result.records)
    assert entries(store) == [
        entry.RecordEntry(original),
        entry.RecordEntry(declaration),
        entry.CorrectionEntry(declaration, original),
    ]


def test_a_declaration_of_nothing_is_warned_about(capture: Capture, event: Make) -> None:
    result = capture(event(eventID=None, errorDeclaration=ERROR))
    assert [finding.code for _, finding in result.warnings] == ["error-declaration-of-nothing"]


def test_erased_data_do_not_come_back(store: Store, keys: Keys, capture: Capture, event: Make, handler: Make) -> None:
    for other in ({}, {"eventID": None}, {"eventID": "ni:///sha-256;" + "0" * 64 + "?ver=CBV2.0"}):
        one = event(**{"epcList": [f"urn:x:{other.get('eventID', 'given')}"], **other})
        one["sdl:participants"] = [handler()]
        assert capture(one).accepted == 1
        with store.write() as connection:
            number = vault.find(connection, keys, identity("phone", "19900000001", ""))
            assert number is not None
            vault.erase(connection, keys, number, "retention", NOW)
        before = sizes(store)
        assert [one.code for one in capture(one).refused] == ["erased"]
        assert [one.code for one in capture(one, duplicate_ids="keep").refused] == ["erased"]
        assert sizes(store) == before


def test_late_events_and_wrong_numbers_are_warnings(capture: Capture, event: Make, handler: Make) -> None:
    late = capture(event(), now=NOW + timedelta(days=2))
    assert [(index, one.code, one.pointer) for index, one in late.warnings] == [
        (0, "event-late", "/epcisBody/eventList/0/eventTime")
    ]
    wrong = capture(event(eventID=OTHER_ID, **{"sdl:participants": [handler("110101194912310021", "cn-id")]}))
    assert [one.code for _, one in wrong.warnings] == ["person-cn-id"]
    assert wrong.accepted == 1
    assert "110101194912310021" not in json.dumps(wrong.as_json(), ensure_ascii=False)


def test_the_result_as_json(capture: Capture, event: Make) -> None:
    result = capture(event(), event(eventID=OTHER_ID, eventTime="x"), behaviour="proceed").as_json()
    assert (result["accepted"], result["unchanged"]) == (1, 0)
    assert result["records"][0] | {"record_hash": ""} == {
        "index": 0,
        "record_hash": "",
        "event_id": event()["eventID"],
        "unchanged": False,
    }
    assert result["refused"][0].keys() == {"index", "code", "pointer", "rule", "message"}
    json.dumps(result)


def test_a_large_document_is_taken_in_a_few_statements(
    store: Store, capture: Capture, event: Make, handler: Make
) -> None:
    many = [
        event(eventID=f"urn:x:{number}", **{"sdl:participants": [handler(f"1990000{number % 50:04}")]})
        for number in range(1200)
    ]
    assert capture(*many).accepted == 1200
    assert capture(*many).unchanged == 1200
    assert sizes(store)["persons"] == 50
    assert sizes(store)["pending"] == 1200


KNOWN_REFUSALS = {
    "EPCISQUERYDOCUMENT_advanced_5.jsonld",  # not JSON
    "SensorData_with_combined_events.json",  # docs/decisions/0201
    "TransactionEvent_with_userExtensions.json",
}


@pytest.mark.shared
def test_published_documents_are_taken_and_read_back(
    shared_data: Path, store: Store, keys: Keys, capture: Capture
) -> None:
    refused = set()
    for path in sorted((shared_data / "epcis").glob("*/*.json*")):
        raw = path.read_bytes()
        try:
            result = capture(
                raw, duplicate_ids="keep", submitter=f"urn:x:{path.parent.name}", now=NOW.replace(year=2027)
            )
        except RecordRefused:
            refused.add(path.name)
            continue
        if result.refused:
            refused.add(path.name)
            assert result.records == ()
            continue
        document = read_document(raw)
        assert len(result.records) == len(document.events)
        with store.read() as connection:
            for one, receipt in zip(document.events, result.records, strict=True):
                read = reader.plain(connection, keys, receipt.record_hash, people=True)
                assert read == plain_event(one.value, document.context)
    assert refused <= KNOWN_REFUSALS
    if not refused:
        pytest.fail("the folder holds a file that is not JSON; it was not refused")


@pytest.mark.shared
def test_an_event_id_that_recurs_with_another_content_loses_no_event(
    shared_data: Path, store: Store, capture: Capture
) -> None:
    raw = (shared_data / "epcis/chains/EPCISQueryDocument_duplicate_eventIDs.jsonld").read_bytes()
    events = {json.dumps(one.value, sort_keys=True) for one in read_document(raw).events}
    assert capture(raw, duplicate_ids="keep").accepted == len(events)


def test_sizes_that_a_database_cannot_index_are_refused(store: Store, capture: Capture, event: Make) -> None:
    for members in (
        {"epcList": ["urn:x:" + "y" * judging.MAX_IDENTIFIER_BYTES]},
        {"sdl:traceCode": [{"issuer": "浙冷链", "code": "码" * 300}]},
        {"sdl:participants": [{"personRef": {"kind": "badge", "value": "1"}, "role": "x"}] * 10_001},
    ):
        assert [one.code for one in capture(event(**members)).refused] == ["event-too-large"]
    longest = event(epcList=["urn:x:" + "y" * (judging.MAX_IDENTIFIER_BYTES - 6)])
    assert capture(longest).accepted == 1


def test_a_nul_in_a_text_is_taken_by_every_database(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    one = event(**{"sdl:participants": [handler(role="load\x00er", ppe="mas\x00k")], "sdl:sealNo": "\x00"})
    (made,) = capture(one).records
    with store.read() as connection:
        plain = reader.plain(connection, keys, made.record_hash, people=True)
    assert plain["sdl:participants"] == one["sdl:participants"]
    assert plain["sdl:sealNo"] == "\x00"
    assert [(row.role, row.ppe) for row in rows(store, PARTICIPANTS)] == [("other", "mas\ufffdk")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_whatever_stands_in_an_event_is_taken_or_refused_by_name(
    store: Store, capture: Capture, event: Make, handler: Make, data: st.DataObject
) -> None:
    one = event(**{"sdl:participants": [handler()], "sdl:traceCode": [{"issuer": "i", "code": "c"}]})
    member = data.draw(st.sampled_from([*one, "transformationID", "x:y", "parentID", "@context", "errorDeclaration"]))
    one[member] = data.draw(json_values)
    try:
        result = capture(one, duplicate_ids="keep")
    except RecordRefused:
        return
    assert len(result.records) + bool(result.refused) == 1


def test_derived_rows_do_not_depend_on_the_order_of_members(store: Store, capture: Capture, event: Make) -> None:
    nest = event(type="AggregationEvent", action="ADD", bizStep=None, epcList=None)
    nest = {"parentID": "urn:x:p", "childEPCs": ["urn:x:b", "urn:x:a"], **nest}
    capture(nest)
    with store.read() as connection:
        (record,) = connection.execute(select(RECORDS)).all()
        held = connection.execute(select(IDENTIFIERS).order_by(IDENTIFIERS.c.position)).all()
    said = parse_record(record.body)["event"]
    assert isinstance(said, dict)
    due = [one.row(record.id) for one in derive.identifier_rows(said)]
    assert [dict(row._mapping) for row in held] == due
    assert [row.uri for row in held] == ["urn:x:b", "urn:x:a", "urn:x:p"]


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_digests_of_sameness_are_the_hmac_of_the_standard(key: bytes, plain_bytes: bytes) -> None:
    due = hmac.digest(key, b"sudonglian/mac/content\x00" + plain_bytes, "sha256")
    assert derive.content_mac(key, plain_bytes) == due
    assert derive.content_mac(key, plain_bytes) == due  # the key's state is used again, and not used up
