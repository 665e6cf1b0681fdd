"""The official procedures for sensor queries and association events, step by step over HTTP.

EPCIS 2.0 conformance requirements, TCR-53 (SensorElement) and TCR-54 (AssociationEvent). Steps that name an older
spelling of a parameter are asked in that spelling too.
"""

import json
from typing import Any

import pytest

EVENTS = "/epcis/v2/events"
CAPTURE = "/epcis/v2/capture"
FIRM = "07-school-canteen.json"
DEVICE, METHOD = "urn:epc:id:giai:4000001.111", "https://example.com/253/4012345000054987"


def event_id(number: int) -> str:
    return f"urn:uuid:53000000-5353-4c3e-9f43-{number:012}"


def sensed(number: int, metadata: dict[str, Any] | None, *reports: dict[str, Any], **element: Any) -> dict[str, Any]:
    """Make an event with one sensor element; without metadata and reports, one without."""
    event: dict[str, Any] = {
        "@context": {"example": "http://ns.example.com/epcis/"}, "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "inspecting",
        "eventTime": "2026-03-01T15:00:00+01:00", "eventTimeZoneOffset": "+01:00", "eventID": event_id(number),
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00005.0"}, "epcList": ["urn:epc:id:sgtin:4012345.011111.9876"],
    }  # fmt: skip
    if reports:
        event["sensorElementList"] = [
            {**({"sensorMetadata": metadata} if metadata else {}), "sensorReport": list(reports), **element}
        ]
    return event


SET_1 = [
    sensed(1, {"time": "2026-03-01T14:05:00+01:00", "deviceID": DEVICE, "deviceMetadata": "https://id.gs1.org/8004/4000001112",
               "rawData": "https://example.org/8004/401234599999", "dataProcessingMethod": METHOD,
               "bizRules": "https://example.com/253/4012345000054988", "example:furtherMetadata": 7},
           {"type": "Temperature", "value": 26.0, "uom": "CEL", "example:extra": 3},
           {"type": "AbsoluteHumidity", "value": 12.1, "uom": "A93"}, {"type": "Speed", "value": 160.0, "uom": "KMH"},
           **{"example:someField": 5}),
    sensed(2, {"startTime": "2026-03-01T12:00:00+01:00", "endTime": "2026-03-01T13:00:00+01:00", "deviceID": "urn:epc:id:giai:4000001.222",
               "bizRules": "https://example.com/253/4012345000054999"},
           {"type": "Temperature", "minValue": 12.4, "maxValue": 13.8, "meanValue": 13.2, "sDev": 0.41, "percRank": 50, "percValue": 12.7, "uom": "CEL"}),
    sensed(3, {"time": "2026-03-01T16:05:00+01:00"},
           {"type": "Dimensionless", "microorganism": "https://www.ncbi.nlm.nih.gov/taxonomy/1126011", "value": 0.05, "uom": "GQ"},
           {"type": "Dimensionless", "chemicalSubstance": "https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N", "value": 0.18, "uom": "GL"},
           {"type": "Dimensionless", "stringValue": "SomeString"}, {"type": "Dimensionless", "booleanValue": True},
           {"type": "Dimensionless", "hexBinaryValue": "f0f0f0"}, {"type": "Dimensionless", "uriValue": "https://id.gs1.org/8004/401234599999"}),
    sensed(4, None),
]  # fmt: skip

INLINE = {"dataProcessingMethod": "https://example.com/253/{}", "deviceID": "urn:epc:id:giai:4000001.{}", "deviceMetadata": "https://id.gs1.org/8004/40000{}",
          "rawData": "https://example.org/8004/40123{}", "time": "2026-03-02T{}:05:00Z"}  # fmt: skip
"""The attributes that stand in the metadata or in the report, with a place for what tells the two events of set 2 apart."""

SET_2 = [
    sensed(
        5, {name: text.format(11) for name, text in INLINE.items()}, {"type": "Temperature", "value": 5, "uom": "CEL"}
    ),
    sensed(
        6,
        None,
        {"type": "Temperature", "value": 5, "uom": "CEL"} | {name: text.format(12) for name, text in INLINE.items()},
    ),
]


@pytest.fixture(scope="module")
def world(served: Any, make: Any) -> Any:
    """Steps 1 and 27: the sets are captured."""
    for some in (SET_1, SET_2):
        assert served.ask("POST", CAPTURE, make.document(*some), token=FIRM).json["success"]
    return served


def found(served: Any, asked: str) -> set[int]:
    answer = served.ask("GET", f"{EVENTS}?perPage=1000&{asked}", token=FIRM)
    assert answer.status == 200, (asked, answer.json)
    events = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    known = {event_id(number): number for number in range(1, 7)}
    return {known[one["eventID"]] for one in events if one["eventID"] in known}


def test_steps_1_and_2_everything_is_there_with_all_its_attributes(world: Any) -> None:
    assert found(world, "GE_recordTime=2026-03-01T00:00:00Z") == {1, 2, 3, 4, 5, 6}
    for sent in (*SET_1, *SET_2):
        told = world.ask("GET", f"{EVENTS}/{sent['eventID']}", token=FIRM).json["epcisBody"]["queryResults"][
            "resultsBody"
        ]["eventList"]
        assert {name: value for name, value in told[0].items() if name not in ("recordTime", "@context")} == {
            name: value for name, value in sent.items() if name != "@context"
        }


@pytest.mark.parametrize(
    ("step", "asked", "fits"),
    [
        (3, "EXISTS_sensorElement", {1, 2, 3, 5, 6}), (3, "EXISTS_sensorElementList", {1, 2, 3, 5, 6}),
        (4, "GE_time=2026-03-01T13:00:00Z&LT_time=2026-03-01T14:00:00Z", {1}), (4, "GE_time=2026-02-01T13:00:00Z&LT_time=2026-03-01T13:00:00Z", set()),
        (5, "GE_startTime=2026-03-01T11:00:00Z&LT_startTime=2026-03-01T11:30:00Z", {2}), (5, "LT_startTime=2026-03-01T11:00:00Z", set()),
        (5, "GE_endTime=2026-03-01T12:00:00Z&LT_endTime=2026-03-01T12:30:00Z", {2}), (5, "GE_endTime=2026-03-01T12:00:01Z", set()),
        (6, "EQ_type=Temperature", {1, 2, 5, 6}), (6, "EQ_type=gs1:Speed", {1}), (6, "EQ_type=Luminance", set()),
        (7, f"EQ_deviceID={DEVICE}", {1}), (7, "EQ_deviceID=urn:epc:id:giai:4000001.333", set()),
        (8, f"EQ_dataProcessingMethod={METHOD}", {1}), (8, "EQ_dataProcessingMethod=https://example.com/253/0", set()),
        (9, "EQ_microorganism=https://www.ncbi.nlm.nih.gov/taxonomy/1126011", {3}), (9, "EQ_microorganism=https://www.ncbi.nlm.nih.gov/taxonomy/1", set()),
        (10, "EQ_chemicalSubstance=https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N", {3}), (10, "EQ_chemicalSubstance=urn:x:none", set()),
        (11, "EQ_bizRules=https://example.com/253/4012345000054999", {2}), (11, "EQ_bizRules=https://example.com/253/0", set()),
        (12, "EQ_value_CEL=26", {1}), (12, "GE_value_CEL=26", {1}), (12, "LT_value_CEL=26", {5, 6}), (12, "EQ_value_A93=12.1", {1}), (12, "EQ_value_KMH=161", set()),
        (13, "GE_minValue_CEL=12.4&LT_minValue_CEL=12.5", {2}), (13, "LT_minValue_CEL=12.4", set()),
        (14, "GE_maxValue_CEL=13.8&LT_maxValue_CEL=13.9", {2}), (14, "GE_maxValue_CEL=13.81", set()),
        (15, "GE_meanValue_CEL=13.2&LT_meanValue_CEL=13.3", {2}), (15, "LT_meanValue_CEL=13.2", set()),
        (16, "EQ_stringValue=SomeString", {3}), (16, "EQ_stringValue=somestring", set()),
        (17, "EQ_booleanValue=true", {3}), (17, "EQ_booleanValue=false", set()),
        (18, "EQ_hexBinaryValue=f0f0f0", {3}), (18, "EQ_hexBinaryValue=f0f0f1", set()),
        (19, "EQ_uriValue=https://id.gs1.org/8004/401234599999", {3}), (19, "EQ_uriValue=https://id.gs1.org/8004/401234599998", set()),
        (20, "EQ_SENSORELEMENT_example:someField=5", {1}), (20, "GT_SENSORELEMENT_example:someField=5", set()), (20, "GE_SENSORELEMENT_example:someField=5", {1}),
        (20, "LT_SENSORELEMENT_example:someField=6", {1}), (20, "LE_SENSORELEMENT_example:someField=4", set()),
        (21, "EQ_SENSORMETADATA_example:furtherMetadata=7", {1}), (21, "GT_SENSORMETADATA_example:furtherMetadata=6", {1}),
        (21, "LT_SENSORMETADATA_example:furtherMetadata=7", set()), (21, "EQ_SENSORMETADATA_http://ns.example.com/epcis/furtherMetadata=7", {1}),
        (22, "EQ_SENSORREPORT_example:extra=3", {1}), (22, "LE_SENSORREPORT_example:extra=3", {1}), (22, "GE_SENSORREPORT_example:extra=4", set()),
        (23, "GE_sDev=0.41&LT_sDev=0.42", {2}), (23, "GE_sDev_KEL=0.41&LT_sDev_KEL=0.42", {2}), (23, "LT_sDev=0.41", set()),
        (24, "GE_percRank=50&LT_percRank=51", {2}), (24, "LT_percRank=50", set()),
        (25, "GE_percValue=12.7&LT_percValue=12.8", {2}), (25, "GE_percValue_KEL=285.85", {2}), (25, "LT_percValue=12.7", set()),
        (26, "EQ_type=gs1:Temperature&GE_value_KEL=290", {1}), (26, "EQ_type=gs1:Temperature&GE_value_KEL=299.15", {1}),
        (26, "EQ_type=gs1:Temperature&GE_value_KEL=299.16", set()),
    ],
)  # fmt: skip
def test_sensor_queries(world: Any, step: int, asked: str, fits: set[int]) -> None:
    assert found(world, asked) == fits, f"step {step}"


@pytest.mark.parametrize("name", [*INLINE, "deviceMetaData"])
def test_step_28_an_attribute_is_found_in_the_metadata_and_in_the_report(world: Any, name: str) -> None:
    value = INLINE.get(name, INLINE["deviceMetadata"])
    assert found(world, f"EQ_{name}={value.format(11)}") == {5}
    assert found(world, f"EQ_{name}={value.format(12)}") == {6}
    if name != "time":
        assert found(world, f"EQ_{name}={value.format(11)}|{value.format(12)}") == {5, 6}


@pytest.mark.parametrize("name", [*(one for one in INLINE if one != "time"), "bizRules"])
def test_step_29_an_attribute_that_contradicts_the_metadata_is_not_taken(world: Any, make: Any, name: str) -> None:
    text = INLINE.get(name, "https://example.com/253/4{}")
    reading = {"type": "Temperature", "value": 5, "uom": "CEL"}
    answer = world.ask(
        "POST",
        CAPTURE,
        make.document(sensed(7, {name: text.format(13)}, reading, reading | {name: text.format(14)})),
        token=FIRM,
    )
    assert (answer.status, answer.json["success"]) == (202, False), answer.json
    assert answer.json["errors"][0]["code"] == "sensor-attribute-contradicts"
    assert answer.json["errors"][0]["pointer"] == f"/epcisBody/eventList/0/sensorElementList/0/sensorReport/1/{name}"


@pytest.mark.parametrize("name", INLINE)
def test_an_attribute_that_is_said_twice_is_a_warning(world: Any, make: Any, name: str) -> None:
    """docs/decisions/0742: published examples repeat what the metadata say, and give a report its own time."""
    both = sensed(8 + list(INLINE).index(name), {name: INLINE[name].format(13)},
                  {"type": "Temperature", "value": 5, "uom": "CEL", name: INLINE[name].format(14 if name == "time" else 13)})  # fmt: skip
    answer = world.ask("POST", CAPTURE, make.document(both), token=FIRM)
    assert answer.json["success"], answer.json
    assert "sensor-attribute-twice" in {one["code"] for one in answer.json["warnings"]}


def association(number: int, **members: Any) -> dict[str, Any]:
    event = {
        "type": "AssociationEvent", "action": "ADD", "eventTime": "2026-03-03T15:00:00+01:00", "eventTimeZoneOffset": "+01:00",
        "eventID": f"urn:uuid:54000000-5454-4c3e-9f43-{number:012}", "bizStep": "assembling",
        "parentID": "urn:epc:id:sgln:4012345.00001.0", "childEPCs": ["urn:epc:id:giai:4000001.12345"],
    } | members  # fmt: skip
    return {name: value for name, value in event.items() if value is not None}


def test_association_step_2_a_place_may_be_the_parent(world: Any, make: Any) -> None:
    sent = association(1)
    assert world.ask("POST", CAPTURE, make.document(sent), token=FIRM).json["success"]
    answer = world.ask(
        "GET",
        f"{EVENTS}?eventType=AssociationEvent&MATCH_parentID={sent['parentID']}&MATCH_epc={sent['childEPCs'][0]}",
        token=FIRM,
    )
    told = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert [{name: value for name, value in one.items() if name != "recordTime"} for one in told] == [sent]


@pytest.mark.parametrize(
    ("step", "members"),
    [
        (3, {"action": "ADD", "parentID": None}), (3, {"action": "DELETE", "parentID": None}),
        (4, {"action": "ADD", "childEPCs": None}), (4, {"action": "OBSERVE", "childEPCs": None}),
        (4, {"action": "ADD", "childEPCs": [], "childQuantityList": []}),
    ],
)  # fmt: skip
def test_association_events_that_are_not_taken(world: Any, make: Any, step: int, members: dict[str, Any]) -> None:
    answer = world.ask("POST", CAPTURE, make.document(association(2, **members)), token=FIRM)
    assert (answer.status, answer.json["success"]) == (202, False), (step, json.dumps(answer.json))
