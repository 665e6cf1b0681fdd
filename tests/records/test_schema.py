"""The schema and the checks: known-bad variants one mistake each, and the published documents."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.records.changing import GONE, changed

from sudonglian.chain import canonical
from sudonglian.records.epcis.check import check_event
from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.findings import Finding, refuses
from sudonglian.records.epcis.refusals import DocumentRefused
from sudonglian.records.epcis.schema import EVENT_TYPES, check_schema, document
from sudonglian.records.intake import rehearse

NOW = datetime(2026, 1, 6, tzinfo=UTC)
SGTIN = "urn:epc:id:sgtin:0614141.107346.2018"
SSCC = "urn:epc:id:sscc:6901234.0000000018"
LGTIN = "urn:epc:class:lgtin:6901234.000001.L1"

WHEN = {"eventTime": "2026-01-05T08:30:00+08:00", "eventTimeZoneOffset": "+08:00"}
WHERE = {
    "readPoint": {"id": "urn:epc:id:sgln:6901234.00001.0"},
    "bizLocation": {"id": "urn:epc:id:sgln:6901234.00002.0"},
}

GOOD: dict[str, dict[str, Any]] = {
    "object": {
        "type": "ObjectEvent",
        **WHEN,
        **WHERE,
        "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "recordTime": "2026-01-05T08:31:00Z",
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "persistentDisposition": {"set": ["completeness_verified"], "unset": ["completeness_inferred"]},
        "epcList": [SGTIN],
        "quantityList": [{"epcClass": LGTIN, "quantity": {"$dec": "12.5"}, "uom": "KGM"}, {"epcClass": LGTIN}],
        "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:6901234000009:1"}],
        "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:6901234.00000"}],
        "destinationList": [{"type": "location", "destination": "urn:epc:id:sgln:6901234.00003.0"}],
        "ilmd": {"cbvmda:lotNumber": "L1"},
        "certificationInfo": ["https://cert.example/1"],
        "errorDeclaration": {
            "declarationTime": "2026-01-05T09:00:00Z",
            "reason": "incorrect_data",
            "correctiveEventIDs": ["urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8"],
        },
        "sensorElementList": [
            {
                "sensorMetadata": {"time": "2026-01-05T08:00:00+08:00", "deviceID": "urn:epc:id:giai:6901234.7"},
                "sensorReport": [
                    {
                        "type": "Temperature",
                        "value": {"$dec": "-18.5"},
                        "minValue": -20,
                        "maxValue": -18,
                        "percRank": 50,
                        "percValue": -19,
                        "component": "x",
                        "booleanValue": True,
                        "hexBinaryValue": "f0",
                        "stringValue": "",
                        "uriValue": "https://a.example/",
                        "uom": "CEL",
                    },
                    {"exception": "ALARM_CONDITION"},
                ],
            }
        ],
    },
    "aggregation": {
        "type": "AggregationEvent",
        **WHEN,
        "action": "ADD",
        "parentID": SSCC,
        "childEPCs": [SGTIN],
        "childQuantityList": [{"epcClass": LGTIN, "quantity": 3}],
    },
    "transaction": {
        "type": "TransactionEvent",
        **WHEN,
        "action": "ADD",
        "epcList": [SGTIN],
        "bizTransactionList": [{"bizTransaction": "https://po.example/1"}],
    },
    "transformation": {
        "type": "TransformationEvent",
        **WHEN,
        "transformationID": "urn:uuid:18602191-7a53-4b14-88a8-45a541024fb7",
        "inputQuantityList": [{"epcClass": LGTIN, "quantity": 10, "uom": "KGM"}],
        "outputEPCList": [SGTIN],
        "ilmd": {},
    },
    "association": {
        "type": "AssociationEvent",
        **WHEN,
        "action": "ADD",
        "parentID": "urn:epc:id:grai:4012345.55555.987",
        "childEPCs": ["urn:epc:id:giai:4000001.111"],
    },
}

"""In the table below: remove the member."""

REPORT = "/sensorElementList/0/sensorReport/0"

BAD: list[tuple[str, str, Any, str, str | None]] = [
    # event, pointer of the change, new value, code expected, pointer expected (None: where the change is)
    ("object", "/type", GONE, "event-type", None),
    ("object", "/type", "ObjectEvnt", "event-type", None),
    ("object", "/type", "QuantityEvent", "event-type", None),
    ("object", "/type", 5, "event-type", None),
    ("object", "/eventTime", GONE, "member-missing", None),
    ("object", "/eventTime", "2026-01-05T08:30:00", "event-time", None),
    ("object", "/eventTime", "2026-01-05", "event-time", None),
    ("object", "/eventTime", "2026-02-30T08:30:00Z", "event-time", None),
    ("object", "/eventTime", "2026-01-05 08:30:00Z", "event-time", None),
    ("object", "/eventTime", "2026-01-05T08:30:60Z", "event-time", None),
    ("object", "/eventTime", "", "event-time", None),
    ("object", "/eventTime", 1767573000, "event-time", None),
    ("object", "/eventTime", None, "event-time", None),
    ("object", "/eventTime", "2026-01-08T08:30:00Z", "event-time-future", None),
    ("object", "/eventTimeZoneOffset", GONE, "member-missing", None),
    ("object", "/eventTimeZoneOffset", "8:00", "event-time-zone-offset", None),
    ("object", "/eventTimeZoneOffset", "+0800", "event-time-zone-offset", None),
    ("object", "/eventTimeZoneOffset", "Z", "event-time-zone-offset", None),
    ("object", "/eventTimeZoneOffset", "+15:00", "event-time-zone-offset", None),
    ("object", "/eventTimeZoneOffset", "+14:30", "event-time-zone-offset", None),
    ("object", "/eventTimeZoneOffset", "+08:60", "event-time-zone-offset", None),
    ("object", "/recordTime", "yesterday", "time", None),
    ("object", "/eventID", "42", "event-id", None),
    ("object", "/eventID", "urn:uuid:a b", "event-id", None),
    ("object", "/eventID", "", "event-id", None),
    ("object", "/action", GONE, "member-missing", None),
    ("object", "/action", "add", "action", None),
    ("object", "/action", "UPDATE", "action", None),
    ("object", "/action", "OBSERVE", "ilmd-not-allowed", "/ilmd"),
    ("object", "/action", "DELETE", "ilmd-not-allowed", "/ilmd"),
    ("object", "/bizStep", "shiping", "biz-step", None),
    ("object", "/bizStep", "Shipping", "biz-step", None),
    ("object", "/bizStep", "urn:epcglobal:cbv:bizstep:shipping", "biz-step", None),
    ("object", "/bizStep", "https://ref.gs1.org/cbv/BizStep-shiping", "biz-step", None),
    ("object", "/bizStep", "http://ns.gs1.org/cbv/BizStep-shipping", "biz-step", None),
    ("object", "/bizStep", "", "biz-step", None),
    ("object", "/bizStep", ["shipping"], "biz-step", None),
    ("object", "/disposition", "frozen", "disposition", None),
    ("object", "/disposition", "urn:epcglobal:cbv:disp:active", "disposition", None),
    ("object", "/persistentDisposition", {}, "persistent-disposition", None),
    ("object", "/persistentDisposition/set", [], "persistent-disposition", None),
    ("object", "/persistentDisposition/set/0", "verified", "disposition", None),
    ("object", "/epcList", SGTIN, "identifier-list", None),
    ("object", "/epcList/0", "0614141", "identifier", None),
    ("object", "/epcList/0", "urn:epc:id:sgtin:0614141.107346.2 0", "identifier", None),
    ("object", "/epcList/0", "urn:epc:id:sgtin:0614141.107346.带鱼", "identifier", None),
    ("object", "/epcList/0", 10614141073464, "identifier", None),
    ("object", "/quantityList", {}, "quantity-list", None),
    ("object", "/quantityList/0", LGTIN, "quantity-element", None),
    ("object", "/quantityList/0/epcClass", GONE, "member-missing", None),
    ("object", "/quantityList/0/quantity", "12.5", "quantity", None),
    ("object", "/quantityList/0/quantity", -1, "quantity", None),
    ("object", "/quantityList/0/quantity", {"$dec": "-0.5"}, "quantity", None),
    ("object", "/quantityList/0/quantity", GONE, "member-missing", None),
    ("object", "/quantityList/0/uom", "kg", "uom", None),
    ("object", "/quantityList/0/uom", "KILO", "uom", None),
    ("object", "/readPoint", "urn:epc:id:sgln:6901234.00001.0", "place", None),
    ("object", "/readPoint/id", GONE, "member-missing", None),
    ("object", "/bizLocation/id", "Shanghai", "identifier", None),
    ("object", "/bizTransactionList/0/bizTransaction", GONE, "member-missing", None),
    ("object", "/bizTransactionList/0/bizTransaction", "PO 7", "uri", None),
    ("object", "/bizTransactionList/0/type", "invoice", "biz-transaction-type", None),
    ("object", "/sourceList/0/type", GONE, "member-missing", None),
    ("object", "/sourceList/0/type", "owner", "source-destination-type", None),
    ("object", "/sourceList/0/source", GONE, "member-missing", None),
    ("object", "/destinationList/0/destination", "warehouse", "identifier", None),
    ("object", "/destinationList", {"type": "location"}, "destination-list", None),
    ("object", "/ilmd", "L1", "ilmd", None),
    ("object", "/certificationInfo", "certificate 1", "certification-info", None),
    ("object", "/certificationInfo", [], "certification-info", None),
    ("object", "/errorDeclaration/declarationTime", GONE, "member-missing", None),
    ("object", "/errorDeclaration/declarationTime", "2026-01-05", "time", None),
    ("object", "/errorDeclaration/reason", "wrong", "error-reason", None),
    ("object", "/errorDeclaration/correctiveEventIDs/0", "42", "uri", None),
    ("object", "/sensorElementList/0/sensorReport", GONE, "member-missing", None),
    ("object", "/sensorElementList/0/sensorReport", [], "sensor-report-list", None),
    ("object", "/sensorElementList/0/sensorMetadata/time", "08:00", "time", None),
    ("object", "/sensorElementList/0/sensorMetadata/deviceID", "logger 7", "uri", None),
    ("object", f"{REPORT}/type", GONE, "sensor-report", REPORT),
    ("object", f"{REPORT}/type", "Temp", "sensor-type", None),
    ("object", f"{REPORT}/type", "Molar_concentration", "sensor-type", None),
    ("object", f"{REPORT}/value", "-18.5", "number", None),
    ("object", f"{REPORT}/value", True, "number", None),
    ("object", f"{REPORT}/uom", "°C", "uom", None),
    ("object", f"{REPORT}/percRank", 101, "percent-rank", None),
    ("object", f"{REPORT}/percRank", {"$dec": "100.5"}, "percent-rank", None),
    ("object", f"{REPORT}/percRank", GONE, "member-missing", None),
    ("object", f"{REPORT}/component", "left", "sensor-component", None),
    ("object", f"{REPORT}/booleanValue", "true", "sensor-boolean", None),
    ("object", f"{REPORT}/hexBinaryValue", "f0g", "sensor-hex", None),
    ("object", f"{REPORT}/hexBinaryValue", "f", "sensor-hex", None),
    ("object", f"{REPORT}/stringValue", 7, "sensor-string", None),
    ("object", f"{REPORT}/uriValue", "no uri", "uri", None),
    ("object", "/sensorElementList/0/sensorReport/1/exception", "HOT", "sensor-exception", None),
    ("object", "/bizstep", "shipping", "member-misspelt", None),
    ("object", "/event_time", "x", "member-misspelt", None),
    ("object", "/readPoint/ID", "x", "member-misspelt", None),
    ("object", "/@type", "ObjectEvent", "member-not-allowed", None),
    ("object", "/parentID", SSCC, "member-not-allowed", None),
    ("object", "/inputEPCList", [SGTIN], "member-not-allowed", None),
    ("aggregation", "/parentID", GONE, "member-missing", None),
    ("aggregation", "/parentID", "", "identifier", None),
    ("aggregation", "/parentID", "pallet", "identifier", None),
    ("aggregation", "/epcList", [SGTIN], "member-not-allowed", None),
    ("aggregation", "/ilmd", {}, "member-not-allowed", None),
    ("transaction", "/bizTransactionList", GONE, "member-missing", None),
    ("transaction", "/bizTransactionList", [], "biz-transaction-list", None),
    ("transaction", "/action", GONE, "member-missing", None),
    ("transformation", "/action", "ADD", "member-not-allowed", None),
    ("transformation", "/transformationID", 7, "transformation-id", None),
    ("transformation", "/inputEPCList", [SGTIN, "lot"], "identifier", "/inputEPCList/1"),
    ("association", "/parentID", GONE, "member-missing", None),
    ("association", "/childEPCs", GONE, "no-children", ""),
    ("association", "/childEPCs", [], "no-children", ""),
]


def errors(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in findings if finding.level == "error"]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_event_has_no_finding(name: str) -> None:
    assert check_event(GOOD[name], NOW) == []


@pytest.mark.parametrize(("name", "place", "value", "code", "pointer"), BAD)
def test_one_mistake_gives_one_error(name: str, place: str, value: Any, code: str, pointer: str | None) -> None:
    found = check_event(changed(GOOD[name], place, value), NOW)
    assert errors(found) == [(code, place if pointer is None else pointer)]
    assert all(finding.rule and finding.message["zh"] and finding.message["en"] for finding in found)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"@context": 7}, "not-epcis", "/@context/0"),
        ({"@context": [{}, True]}, "not-epcis", "/@context/1"),
        ({"sdl:sealNo": "1"}, "context-sdl", "/@context"),
        ({"@context": {"x": "urn:sudonglian:ns:1:"}}, "context-sdl", "/@context"),
    ],
)
def test_an_event_without_a_plain_event_is_an_error(changes: dict[str, Any], code: str, pointer: str) -> None:
    assert errors(check_event({**GOOD["object"], **changes}, NOW)) == [(code, pointer)]


def without(event: dict[str, Any], *members: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in members} | more


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (without(GOOD["object"], "epcList", "quantityList", "sensorElementList"), [("no-objects", "")]),
        (without(GOOD["object"], "quantityList", "sensorElementList", epcList=[]), [("no-objects", "")]),
        (without(GOOD["object"], "epcList", "quantityList"), []),
        (without(GOOD["object"], "ilmd", action="OBSERVE"), []),
        (without(GOOD["aggregation"], "parentID", action="OBSERVE"), []),
        (without(GOOD["aggregation"], "parentID", action="DELETE"), [("member-missing", "/parentID")]),
        (without(GOOD["aggregation"], "childEPCs", "childQuantityList", action="DELETE"), []),
        (without(GOOD["aggregation"], "childEPCs", "childQuantityList"), [("no-children", "")]),
        (without(GOOD["aggregation"], "childEPCs", childQuantityList=[], action="OBSERVE"), [("no-children", "")]),
        (without(GOOD["transformation"], "transformationID"), []),
        (without(GOOD["transformation"], "inputQuantityList"), []),
        (without(GOOD["transformation"], "outputEPCList"), []),
        (without(GOOD["transformation"], "inputQuantityList", "outputEPCList"), [("no-objects", "")]),
        (without(GOOD["transformation"], "transformationID", "inputQuantityList"), [("no-inputs", "")]),
        (without(GOOD["transformation"], "inputQuantityList", transformationID=""), [("no-inputs", "")]),
        (without(GOOD["transformation"], "transformationID", outputEPCList=[]), [("no-outputs", "")]),
    ],
)
def test_what_must_be_there_depends_on_action_and_type(event: dict[str, Any], expected: list[Any]) -> None:
    assert errors(check_event(event, NOW)) == expected


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        ("/bizStep", "https://ref.gs1.org/cbv/BizStep-shipping", "cbv-uri"),
        ("/disposition", "", "member-empty"),
        ("/harvestEndDate", "2026-01-01", "member-undefined"),
        ("/ilmd/harvestStart", "2026-01-01", "member-undefined"),
        ("/nobody:knows", 1, "prefix-unbound"),
        ("/epcList/0", "https://example.com/01/10614141073465/21/7", "check-digit"),
        ("/readPoint/id", "urn:epc:id:sgln:6901234.1.0", "epc-urn"),
        ("/sourceList/0/source", "https://id.gs1.org/417/6901234000001", "check-digit"),
        ("/quantityList/0/epcClass", "https://id.gs1.org/01/06901234000012/10/L1", "check-digit"),
        ("/sdl:containerNo", "CSQU3054384", "container-number"),
    ],
)
def test_what_travels_as_a_warning(place: str, value: Any, code: str) -> None:
    bound: list[Any] = [{"sdl": "urn:sudonglian:ns:1:"}]
    found = check_event(changed(GOOD["object"], place, value), NOW, bound)
    # quantityList/0/epcClass and the source end at the identifier itself
    assert [(finding.level, finding.code, finding.pointer) for finding in found] == [("warning", code, place)]


def test_a_parent_with_a_wrong_check_digit() -> None:
    found = check_event(changed(GOOD["aggregation"], "/parentID", "https://id.gs1.org/00/106141412345678901"), NOW)
    assert [(finding.code, finding.pointer) for finding in found] == [("check-digit", "/parentID")]


def test_a_member_or_prefix_that_a_context_binds_is_no_finding() -> None:
    event = {**GOOD["object"], "harvestEndDate": "2026-01-01", "acme:a": 1}
    contexts: list[Any] = [{"harvestEndDate": "https://acme.example/h", "acme": "https://acme.example/"}]
    assert check_event(event, NOW, [contexts[0]]) == []
    assert check_event({**event, "@context": contexts}, NOW) == []
    assert check_event({**GOOD["object"], "acme:a": 1}, NOW, ["https://acme.example/context.jsonld"]) == []


@pytest.mark.parametrize(
    ("ahead", "level"),
    [
        (timedelta(0), None),
        (timedelta(minutes=10), None),
        (timedelta(minutes=11), "warning"),
        (timedelta(days=1), "warning"),
        (timedelta(days=1, seconds=1), "error"),
    ],
)
def test_the_future(ahead: timedelta, level: str | None) -> None:
    event = without(GOOD["object"], "errorDeclaration", eventTime=(NOW + ahead).isoformat())
    found = check_event(event, NOW)
    assert [(finding.level, finding.code) for finding in found] == ([(level, "event-time-future")] if level else [])


def judged(raw: bytes, now: datetime) -> list[tuple[str, str]]:
    """Return the errors of a whole document."""
    _, told = rehearse(raw, submitter="urn:x:1", now=now)
    return [(one.code, one.pointer) for one in told.refused]


def wrapped(event: dict[str, Any], **members: Any) -> bytes:
    whole = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-05T09:00:00Z",
        "epcisBody": {"eventList": [event]},
        **members,
    }
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, []),
        ({"@context": None}, [("member-missing", "/@context")]),
        ({"@context": ["epcis-context.jsonld"]}, [("context", "/@context/0")]),
        ({"@context": ["not a URI", "https://a.example/"]}, [("context", "/@context/0")]),
        ({"schemaVersion": None}, [("member-missing", "/schemaVersion")]),
        ({"schemaVersion": "1.2"}, [("schema-version", "/schemaVersion")]),
        ({"schemaVersion": 2}, [("schema-version", "/schemaVersion")]),
        ({"creationDate": None}, [("member-missing", "/creationDate")]),
        ({"creationDate": "2026-01-05"}, [("time", "/creationDate")]),
    ],
)
def test_the_envelope(members: dict[str, Any], expected: list[Any]) -> None:
    assert judged(wrapped(GOOD["transaction"], **members), NOW) == expected


EPCIS_CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
ACME = {"acme": "https://acme.example/ns/"}


@pytest.mark.parametrize(
    ("outer", "inner", "is_warned"),
    [
        (EPCIS_CONTEXT, None, False),
        ([ACME, EPCIS_CONTEXT], None, False),
        (["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], None, False),
        (["https://gs1.github.io/EPCIS/epcis-context.jsonld"], None, False),
        ([ACME], [EPCIS_CONTEXT], False),
        (ACME, None, True),
        (["https://acme.example/epcis-context.jsonld"], None, True),
        ([EPCIS_CONTEXT, None, ACME], None, True),
    ],
)
def test_a_document_names_the_context_of_epcis(outer: Any, inner: Any, is_warned: bool) -> None:
    event = {**GOOD["transaction"], **({"@context": inner} if inner else {})}
    _, told = rehearse(wrapped(event, **{"@context": outer}), submitter="urn:test", now=NOW)
    assert told.refused == ()
    said = [(index, one.code, one.pointer) for index, one in told.warnings if one.code == "context-epcis"]
    assert said == ([(0, "context-epcis", "/@context")] if is_warned else [])


def test_a_bare_event_names_the_context_of_epcis_and_an_array_has_none() -> None:
    bare, named = GOOD["transaction"], {"@context": EPCIS_CONTEXT, **GOOD["transaction"]}
    for value, count in ((bare, 1), (named, 0), ([bare], 0)):
        _, told = rehearse(json.dumps(value).encode(), submitter="urn:test", now=NOW)
        assert [one.code for _, one in told.warnings].count("context-epcis") == count


def test_pointers_begin_at_the_root_of_the_document() -> None:
    raw = wrapped({**GOOD["transaction"], "bizStep": "shiping"})
    assert judged(raw, NOW) == [("biz-step", "/epcisBody/eventList/0/bizStep")]


def test_every_failure_of_the_schema_has_a_name() -> None:
    """No subschema may fail without a `finding` above it."""

    def walk(node: Any, named: bool) -> None:
        if isinstance(node, dict):
            named = named or "finding" in node
            for key, inner in node.items():
                if key in ("properties", "patternProperties"):
                    for sub in inner.values():
                        walk(sub, named)
                elif key in ("items", "then"):
                    walk(inner, named)
                elif key == "allOf":
                    for sub in inner:
                        walk(sub, named)
            if {"required", "additionalProperties", "type", "pattern", "format", "minItems"} & node.keys():
                assert named, node

    for definition in document()["$defs"].values():
        walk(definition, False)
        assert set(definition["finding"]) == {"code", "rule", "zh", "en"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
members = sorted({name for kind in EVENT_TYPES for name in document()["$defs"][kind]["properties"]})


@given(
    st.dictionaries(
        st.sampled_from([*members, "sdl:participants", "sdl:traceCode", "sdl:containerNo"]), json_values, max_size=6
    ),
    st.sampled_from(EVENT_TYPES),
)
def test_any_value_in_any_member_gives_findings_and_nothing_else(event: dict[str, Any], kind: str) -> None:
    found = check_event({**event, "type": kind}, NOW, [{"sdl": "urn:sudonglian:ns:1:"}])
    assert all(isinstance(finding, Finding) for finding in found)
    assert refuses(found) == any(finding.level == "error" for finding in found)


@given(json_values)
def test_the_schema_takes_any_instance(value: Any) -> None:
    assert check_schema({"type": value})


REFUSED = {
    "SensorData_with_combined_events.json": {"sensor-type"},
    "TransactionEvent_with_userExtensions.json": {"sensor-type"},
}
"""docs/decisions/0201."""


@pytest.mark.shared
def test_the_published_documents(shared_data: Path) -> None:
    files = sorted((shared_data / "epcis" / "documents").glob("*.json"))
    assert len(files) == 38
    now = datetime(2030, 1, 1, tzinfo=UTC)
    for file in files:
        assert {code for code, _ in judged(file.read_bytes(), now)} == REFUSED.get(file.name, set()), file.name


@pytest.mark.shared
def test_the_published_chains(shared_data: Path) -> None:
    taken = 0
    for file in sorted((shared_data / "epcis" / "chains").glob("*.jsonld")):
        if file.name == "EPCISQUERYDOCUMENT_advanced_5.jsonld":
            with pytest.raises(DocumentRefused, match="line 1330"):
                read_document(file.read_bytes())
            continue
        assert judged(file.read_bytes(), datetime(2030, 1, 1, tzinfo=UTC)) == []
        taken += 1
    assert taken == 11


def test_the_table_is_of_the_canonical_model() -> None:
    for event in GOOD.values():
        assert canonical.parse_stored(canonical.encode(event)) == event


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("urn:epcglobal:cbv:bizstep:receiving", "receiving"),
        ("Receiving", "receiving"),
        ("staging outbound", "staging_outbound"),
        ("recieving", None),
    ],
)
def test_a_word_that_is_nearly_right_is_told(value: str, word: str | None) -> None:
    [found] = check_event(changed(GOOD["object"], "/bizStep", value), NOW)
    assert (found.level, found.code) == ("error", "biz-step")
    assert ("; write " in found.message["en"]) == (word is not None)
    if word is not None:
        assert found.message["en"].endswith(f"; write {word}")
        assert found.message["zh"].endswith(f"请直接写 {word}")
