"""Every query parameter that the API's description names finds what it should and leaves out what it should not.

The table is made from docs/openapi.json: a parameter without a hit and a miss fails. EPCIS 2.0 §8.2.7.1.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

API = json.loads((Path(__file__).resolve().parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8"))
EVENTS = "/epcis/v2/events"
FIRM = "09-supervised-warehouse.json"
"""Of whom no other test asks how many events there are."""

ACME = "https://acme.example/ns/"
CONTEXT = {"acme": ACME, "sdl": "urn:sudonglian:ns:1:"}
SGTIN = "urn:epc:id:sgtin:0614141.107346.2018"
LGTIN = "urn:epc:class:lgtin:4012345.012345.998877"
CLASS = "https://id.gs1.org/01/04012345123456/10/998877"
PLACE = "https://id.gs1.org/414/9520001001048"
PARTY = "https://id.gs1.org/417/9520001001031"
DEVICE = "urn:epc:id:giai:4000001.111"
OPS = ("EQ", "GT", "GE", "LT", "LE")

NESTED = {"acme:dock": 7, "acme:box": {"acme:deep": [{"acme:size": 12}], "acme:opened": "2026-01-05T00:30:00Z"}}
"""An extension as it stands at every place where one may."""


def event_id(number: int) -> str:
    return f"urn:uuid:7a0b2f3a-2222-4c3e-9f43-{number:012}"


def base(kind: str, number: int, **members: Any) -> dict[str, Any]:
    return {
        "@context": CONTEXT, "type": kind, "action": "OBSERVE", "eventTime": f"2026-02-0{number}T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00", "eventID": event_id(number), **members,
    }  # fmt: skip


def sensors(where: str) -> dict[str, Any]:
    """Give sensor data whose shared attributes stand in the metadata, or in the report."""
    shared = {
        "time": "2026-02-01T00:10:00Z", "deviceID": DEVICE, "deviceMetadata": "https://id.gs1.org/8004/4000001112",
        "rawData": "https://id.gs1.org/8004/4000001113", "dataProcessingMethod": "https://example.com/253/4012345000054987",
        "bizRules": "https://example.com/253/4012345000054988",
    }  # fmt: skip
    spans = {"startTime": "2026-02-01T00:00:00Z", "endTime": "2026-02-01T00:20:00Z"}
    report = {
        "type": "Temperature", "exception": "ALARM_CONDITION", "value": -18.5, "minValue": -20, "maxValue": -15, "meanValue": -18,
        "sDev": 0.25, "percRank": 50, "percValue": -17.5, "uom": "CEL", "component": "x", "stringValue": "open, or not",
        "booleanValue": True, "hexBinaryValue": "F0A1", "uriValue": "https://id.gs1.org/8004/4000001114",
        "microorganism": "https://example.org/taxonomy/1126011", "chemicalSubstance": "https://example.org/substance/CZMRCDWAGMRECN",
        "coordinateReferenceSystem": "https://example.org/crs/4326",
    }  # fmt: skip
    metadata = spans | (shared if where == "metadata" else {})
    full = report | (shared if where == "report" else {})
    return {**NESTED, "sensorMetadata": metadata | NESTED, "sensorReport": [full | NESTED]}


WORLD: dict[str, dict[str, Any]] = {
    "plain": base("ObjectEvent", 1, epcList=["urn:epc:id:sgtin:0614141.999999.1"]),
    "object": base(
        "ObjectEvent", 2, action="ADD", bizStep="departing", disposition="in_transit", epcList=[SGTIN],
        persistentDisposition={"set": ["damaged"], "unset": ["completeness_inferred"]},
        quantityList=[{"epcClass": LGTIN, "quantity": 200.5, "uom": "KGM"}],
        readPoint={"id": f"{PLACE}/254/7", **NESTED}, bizLocation={"id": f"{PLACE}/254/8", **NESTED},
        bizTransactionList=[{"type": "po", "bizTransaction": "https://example.com/po/1"}],
        sourceList=[{"type": "owning_party", "source": PARTY}],
        destinationList=[{"type": "possessing_party", "destination": PARTY}],
        ilmd=NESTED, sensorElementList=[sensors("metadata"), sensors("report")], **NESTED,
        **{"acme:berth": "https://acme.example/docks/7"},
    ),
    "aggregation": base(
        "AggregationEvent", 3, action="ADD", parentID="urn:epc:id:sscc:0614141.1234567890", childEPCs=[SGTIN],
        childQuantityList=[{"epcClass": LGTIN, "quantity": 3}],
    ),
    "transformation": {
        name: value
        for name, value in base(
            "TransformationEvent", 4, transformationID="urn:uuid:7a0b2f3a-3333-4c3e-9f43-000000000001",
            inputEPCList=["urn:epc:id:sgtin:0614141.107346.3001"], inputQuantityList=[{"epcClass": LGTIN, "quantity": 5, "uom": "KGM"}],
            outputEPCList=["urn:epc:id:sgtin:0614141.107346.3002"],
            outputQuantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.012345.out", "quantity": 4, "uom": "KGM"}],
        ).items()
        if name != "action"
    },
    "wrong": base("ObjectEvent", 5, epcList=["urn:epc:id:sgtin:0614141.999999.5"]),
    "declared": base(
        "ObjectEvent", 5, epcList=["urn:epc:id:sgtin:0614141.999999.5"],
        errorDeclaration={"declarationTime": "2026-02-06T00:00:00Z", "reason": "incorrect_data",
                          "correctiveEventIDs": [event_id(1)], **NESTED},
    ),
}  # fmt: skip


SITE = "https://id.gs1.org/414/9520001009990"
DIVISION = "https://id.gs1.org/414/9520001009983"
MDA = "urn:epcglobal:cbv:mda"

SAID: dict[str, dict[str, dict[str, Any]]] = {
    "urn:epcglobal:epcis:vtype:BusinessLocation": {
        f"{PLACE}/254/8": {f"{MDA}#city": "青岛", "cbvmda:latitude": 36.07, f"{MDA}#empty": None},
        "urn:epc:id:sgln:9520001.00104.0": {f"{MDA}:site": SITE.rpartition("/")[2]},
        SITE: {f"{MDA}#name": "the port"},
        DIVISION: {"children": [SITE]},
    },
    "urn:epcglobal:epcis:vtype:ReadPoint": {f"{PLACE}/254/7": {"cbvmda:sst": "201"}},
    "urn:epcglobal:epcis:vtype:BusinessStep": {"urn:epcglobal:cbv:bizstep:departing": {f"{ACME}who": "harbour_master"}},
    "urn:epcglobal:epcis:vtype:Disposition": {
        "in_transit": {"acme:note": "rolling"}, "https://ref.gs1.org/cbv/Disp-damaged": {"acme:note": "broken"},
    },
    "urn:epcglobal:epcis:vtype:EPCClass": {CLASS: {f"{MDA}:netWeight": "12.50"}},
    "urn:epcglobal:epcis:vtype:SourceDest": {PARTY: {f"{MDA}:organizationName": "Cold Store"}},
    "urn:acme:vtype:Papers": {"https://example.com/po/1": {"acme:kind": "blanket"}},
    "urn:acme:vtype:Reasons": {"urn:epcglobal:cbv:er:incorrect_data": {"acme:kind": "typing"}},
    "urn:acme:vtype:Docks": {"https://acme.example/docks/7": {"acme:gate": "north"}},
}  # fmt: skip
"""What the firm says of its identifiers: by vocabulary, by identifier, its attributes."""


def master_data(said: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Give a document of master data alone."""
    vocabularies = [
        {"type": kind, "vocabularyElementList": [
            {"id": uri, "attributes": [{"id": name, "attribute": value} for name, value in attributes.items() if name != "children"],
             "children": attributes.get("children", [])}
            for uri, attributes in elements.items()
        ]}
        for kind, elements in said.items()
    ]  # fmt: skip
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", CONTEXT], "type": "EPCISDocument",
        "schemaVersion": "2.0", "creationDate": "2026-02-01T00:00:00Z",
        "epcisHeader": {"epcisMasterData": {"vocabularyList": vocabularies}}, "epcisBody": {"eventList": []},
    }  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One parameter: what finds an event, and what does not find one."""

    hit: str
    of: str
    miss: str
    absent: str


def row(name: str, of: str, hit: str, miss: str) -> Row:
    return Row(f"{name}={quote(hit, safe='')}", of, f"{name}={quote(miss, safe='')}", of)


def exists(name: str, of: str) -> Row:
    return Row(name, of, f"{name}=true", "plain")


def compared(name: str, of: str, op: str, value: float, step: float = 1) -> Row:
    hit = {"EQ": value, "GT": value - step, "GE": value, "LT": value + step, "LE": value}[op]
    miss = {"EQ": value + step, "GT": value, "GE": value + step, "LT": value, "LE": value - step}[op]
    return row(name, of, f"{hit:g}", f"{miss:g}")


def timed(name: str, of: str, op: str, at: str, before: str, after: str) -> Row:
    hit = {"EQ": at, "GT": before, "GE": at, "LT": after, "LE": at}[op]
    miss = {"EQ": after, "GT": at, "GE": after, "LT": at, "LE": before}[op]
    return row(name, of, hit, miss)


def fixed() -> Iterator[tuple[str, Row]]:
    """Give the rows of the parameters of fixed name."""
    other = "https://example.org/other"
    for name, of, hit, miss in (
        ("eventType", "aggregation", "AssociationEvent|AggregationEvent", "ObjectEvent"),
        ("EQ_action", "object", "ADD", "OBSERVE|DELETE"),
        ("EQ_bizStep", "object", "https://ref.gs1.org/cbv/BizStep-departing", "arriving"),
        ("EQ_disposition", "object", "urn:epcglobal:cbv:disp:in_transit", "active"),
        ("EQ_persistentDisposition_set", "object", "damaged", "completeness_inferred"),
        ("EQ_persistentDisposition_unset", "object", "completeness_inferred", "damaged"),
        ("EQ_readPoint", "object", f"{PLACE}/254/7", PLACE),
        ("WD_readPoint", "object", PLACE, "https://id.gs1.org/414/9520001001055"),
        ("EQ_bizLocation", "object", "urn:epc:id:sgln:9520001.00104.8", f"{PLACE}/254/7"),
        ("WD_bizLocation", "object", "urn:epc:id:sgln:9520001.00104.0", f"{PLACE}/254/9"),
        ("EQ_transformationID", "transformation", "urn:uuid:7a0b2f3a-3333-4c3e-9f43-000000000001", other),
        ("MATCH_epc", "aggregation", "https://example.com/01/10614141073464/21/2018", "urn:epc:id:sscc:0614141.1234567890"),
        ("MATCH_parentID", "aggregation", "urn:epc:id:sscc:0614141.1234567890", SGTIN),
        ("MATCH_inputEPC", "transformation", "urn:epc:idpat:sgtin:0614141.107346.*", "urn:epc:id:sgtin:0614141.107346.3002"),
        ("MATCH_outputEPC", "transformation", "urn:epc:id:sgtin:0614141.107346.3002", "urn:epc:idpat:sgtin:0614141.107347.*"),
        ("MATCH_anyEPC", "aggregation", "urn:epc:idpat:sscc:0614141.*", "urn:epc:idpat:sscc:0614142.*"),
        ("MATCH_epcClass", "aggregation", CLASS, "https://id.gs1.org/01/04012345123456/10/out"),
        ("MATCH_inputEPCClass", "transformation", CLASS, "https://id.gs1.org/01/04012345123456/10/out"),
        ("MATCH_outputEPCClass", "transformation", "https://id.gs1.org/01/04012345123456/10/out", CLASS),
        ("MATCH_anyEPCClass", "transformation", "https://id.gs1.org/01/04012345123456/10/out", SGTIN),
        ("EQ_eventID", "object", f"{other}|{event_id(2)}", event_id(3)),
        ("EQ_errorReason", "declared", "incorrect_data", "did_not_occur"),
        ("EQ_correctiveEventID", "declared", event_id(1), event_id(2)),
        ("EQ_type", "object", "gs1:Temperature", "Speed"),
        ("EQ_exception", "object", "ALARM_CONDITION", "ERROR_CONDITION"),
        ("EQ_component", "object", "cbv:Comp-x", "y"),
        ("EQ_deviceID", "object", "https://id.gs1.org/8004/4000001111", other),
        ("EQ_deviceMetadata", "object", "urn:epc:id:giai:4000001.112", other),
        ("EQ_deviceMetaData", "object", "https://id.gs1.org/8004/4000001112", other),
        ("EQ_rawData", "object", "https://id.gs1.org/8004/4000001113", other),
        ("EQ_dataProcessingMethod", "object", "https://example.com/253/4012345000054987", "https://example.com/253/4012345000054988"),
        ("EQ_bizRules", "object", "https://example.com/253/4012345000054988", "https://example.com/253/4012345000054987"),
        ("EQ_microorganism", "object", "https://example.org/taxonomy/1126011", other),
        ("EQ_chemicalSubstance", "object", "https://example.org/substance/CZMRCDWAGMRECN", other),
        ("EQ_coordinateReferenceSystem", "object", "https://example.org/crs/4326", other),
        ("EQ_uriValue", "object", "https://id.gs1.org/8004/4000001114", other),
        ("EQ_stringValue", "object", "open, or not", "open"),
        ("EQ_booleanValue", "object", "true", "false"),
        ("EQ_hexBinaryValue", "object", "f0a1", "f0a2"),
    ):  # fmt: skip
        yield name, row(name, of, hit, miss)
    yield "GE_eventTime", row("GE_eventTime", "object", "2026-02-02T00:00:00Z", "2026-02-02T00:00:00.000001Z")
    yield "LT_eventTime", row("LT_eventTime", "object", "2026-02-02T00:00:00.000001Z", "2026-02-02T00:00:00Z")
    yield "GE_recordTime", row("GE_recordTime", "object", "2026-02-02T00:00:00Z", "2100-01-01T00:00:00Z")
    yield "LT_recordTime", row("LT_recordTime", "object", "2100-01-01T00:00:00Z", "2026-02-02T00:00:00Z")
    for name in ("errorDeclarationTime", "errorDeclaration_Time"):
        yield f"GE_{name}", row(f"GE_{name}", "declared", "2026-02-06T08:00:00+08:00", "2026-02-06T00:00:01Z")
        yield f"LT_{name}", row(f"LT_{name}", "declared", "2026-02-06T00:00:01Z", "2026-02-06T00:00:00Z")
    yield "EXISTS_errorDeclaration", exists("EXISTS_errorDeclaration", "declared")
    for name in ("EXISTS_sensorElementList", "EXISTS_sensorElement", "EXISTS_ILMD"):
        yield name, exists(name, "object")
    for op in OPS:
        yield f"{op}_quantity", compared(f"{op}_quantity", "object", op, 200.5)
        yield f"{op}_percRank", compared(f"{op}_percRank", "object", op, 50)
        for name, minute in (("time", 10), ("startTime", 0), ("endTime", 20)):
            at = f"2026-02-01T08:{minute:02}:00+08:00"
            yield (
                f"{op}_{name}",
                timed(f"{op}_{name}", "object", op, at, "2026-01-31T00:00:00Z", "2026-02-01T01:00:00Z"),
            )


def families() -> Iterator[tuple[str, Row]]:
    """Give the rows of the families: each in one of its names."""
    for name, kind, value in (("bizTransaction", "po", "https://example.com/po/1"), ("source", "owning_party", PARTY),
                              ("destination", "https://ref.gs1.org/cbv/SDT-possessing_party", PARTY)):  # fmt: skip
        yield f"EQ_{name}_{{type}}", row(f"EQ_{name}_{kind}", "object", value, "https://example.org/other")
    yield "HASATTR_{vocabulary}", row("HASATTR_bizLocation", "object", "cbvmda:city", "cbvmda:street")
    yield "EQATTR_{vocabulary}_{attribute}", row("EQATTR_bizLocation_cbvmda:city", "object", "青岛", "大连")
    for op in OPS:
        yield f"{op}_quantity_{{uom}}", compared(f"{op}_quantity_GRM", "object", op, 200_500)
        for name, kelvin in (("value", 254.65), ("minValue", 253.15), ("maxValue", 258.15), ("meanValue", 255.15), ("sDev", 0.25),
                             ("percValue", 255.65)):  # fmt: skip
            yield f"{op}_{name}_{{uom}}", compared(f"{op}_{name}_KEL", "object", op, kelvin, 0.01)
    places = (
        "",
        "ILMD_",
        "ERROR_DECLARATION_",
        "SENSORELEMENT_",
        "SENSORMETADATA_",
        "SENSORREPORT_",
        "readPoint_",
        "bizLocation_",
    )
    for place in places:
        of = "declared" if place == "ERROR_DECLARATION_" else "object"
        for op in OPS:
            yield f"{op}_{place}{{field}}", compared(f"{op}_{place}acme:dock", of, op, 7)
            yield f"{op}_INNER_{place}{{field}}", compared(f"{op}_INNER_{place}acme:size", of, op, 12)
        yield f"EXISTS_{place}{{field}}", exists(f"EXISTS_{place}acme:dock", of)
        yield f"EXISTS_INNER_{place}{{field}}", exists(f"EXISTS_INNER_{place}acme:deep", of)


ROWS = dict([*fixed(), *families()])

OF_THE_ANSWER = {"perPage", "nextPageToken", "orderBy", "orderDirection", "eventCountLimit", "maxEventCount"}
"""Parameters that say how the answer is to be; their hit and miss is in a test of their own below."""


def declared() -> list[str]:
    """Give the names of all parameters that the description has for the events."""
    named: list[str] = []
    for one in API["paths"][EVENTS]["get"]["parameters"]:
        whole = API["components"]["parameters"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        if whole["in"] != "query":
            continue
        forms = whole["schema"].get("patternProperties") if whole["schema"].get("type") == "object" else None
        named += [form["title"] for form in forms.values()] if forms else [whole["name"]]
    return named


@pytest.fixture(scope="module")
def world(served: Any, make: Any) -> Any:
    for one in WORLD.values():
        answer = served.ask("POST", "/epcis/v2/capture", make.document(one), token=FIRM)
        assert answer.json["success"], answer.json
    answer = served.ask("POST", "/epcis/v2/capture", master_data(SAID), token=FIRM)
    assert answer.json["success"], answer.json
    return served


def found(served: Any, asked: str, path: str = EVENTS) -> list[dict[str, Any]]:
    answer = served.ask("GET", f"{path}?perPage=1000&{asked}", token=FIRM)
    assert answer.status == 200, (asked, answer.json)
    events: list[dict[str, Any]] = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return events


def has(events: list[dict[str, Any]], name: str) -> bool:
    wanted = WORLD[name]
    return any(
        one["eventID"] == wanted["eventID"] and ("errorDeclaration" in one) == ("errorDeclaration" in wanted)
        for one in events
    )


def test_the_table_has_every_parameter_and_no_other() -> None:
    names = declared()
    assert len(names) == len(set(names)) > 200
    assert set(names) == ROWS.keys() | OF_THE_ANSWER


@pytest.mark.parametrize("name", [name for name in declared() if name not in OF_THE_ANSWER])
def test_hit_and_miss(world: Any, name: str) -> None:
    one = ROWS[name]
    assert has(found(world, one.hit), one.of), one.hit
    assert not has(found(world, one.miss), one.absent), one.miss


def test_the_name_of_a_row_is_of_its_family() -> None:
    """No row may stand for another family than the one it is listed under."""
    from sudonglian.records.querying.language import _parameter

    for name, one in ROWS.items():
        assert _parameter(one.hit.partition("=")[0])[0].name == name


def test_perPage_and_nextPageToken(world: Any) -> None:
    answer = world.ask("GET", f"{EVENTS}?perPage=1&MATCH_anyEPC={SGTIN}", token=FIRM)
    first = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert [one["eventID"] for one in first] == [event_id(2)]
    following = answer.headers["link"].split(">")[0].removeprefix("<")
    assert f"MATCH_anyEPC={SGTIN}" in following or "MATCH_anyEPC=" in following
    rest = world.ask("GET", following, token=FIRM)
    assert [one["eventID"] for one in rest.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]] == [
        event_id(3)
    ]
    assert "link" not in rest.headers
    for wrong in ("perPage=0", "nextPageToken=MTox"):
        assert world.ask("GET", f"{EVENTS}?{wrong}", token=FIRM).status == 400


@pytest.mark.parametrize("order", ["eventTime", "recordTime"])
def test_orderBy_and_orderDirection(world: Any, order: str) -> None:
    span = "GE_eventTime=2026-02-01T00:00:00Z&LT_eventTime=2026-02-05T12:00:00Z"
    rising = found(world, f"{span}&orderBy={order}&orderDirection=ASC")
    falling = found(world, f"{span}&orderBy={order}&orderDirection=DESC")
    assert [one[order] for one in rising] == sorted(one[order] for one in rising)
    assert rising == falling[::-1] == found(world, f"{span}&orderBy={order}")[::-1]
    assert len(rising) >= 6
    by_page: list[dict[str, Any]] = []
    path: str | None = f"{EVENTS}?perPage=2&{span}&orderBy={order}"
    while path:
        answer = world.ask("GET", path, token=FIRM)
        by_page += answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        link = answer.headers.get("link")
        path = link.split(">")[0].removeprefix("<") if link else None
    assert by_page == falling
    for wrong in ("orderBy=quantity", "orderDirection=ASC", f"orderBy={order}&orderDirection=UP"):
        assert world.ask("GET", f"{EVENTS}?{wrong}", token=FIRM).status == 400


def test_eventCountLimit(world: Any) -> None:
    span = "GE_eventTime=2026-02-01T00:00:00Z&LT_eventTime=2026-02-05T12:00:00Z&orderBy=eventTime&orderDirection=ASC"
    whole = found(world, span)
    assert found(world, f"{span}&eventCountLimit=3") == whole[:3]
    answer = world.ask("GET", f"{EVENTS}?perPage=2&{span}&eventCountLimit=3", token=FIRM)
    following = world.ask("GET", answer.headers["link"].split(">")[0].removeprefix("<"), token=FIRM)
    assert following.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == whole[2:3]
    assert "link" not in following.headers
    assert found(world, f"{span}&eventCountLimit=1000") == whole
    assert world.ask("GET", f"{EVENTS}?eventCountLimit=0", token=FIRM).status == 400


@pytest.mark.parametrize("more", ["", "&EQ_type=Temperature"])
def test_maxEventCount(world: Any, more: str) -> None:
    count = len(found(world, f"MATCH_anyEPC={SGTIN}{more}"))
    assert count == (1 if more else 2)
    assert len(found(world, f"MATCH_anyEPC={SGTIN}{more}&maxEventCount={count}")) == count
    if count > 1:
        answer = world.ask("GET", f"{EVENTS}?MATCH_anyEPC={SGTIN}{more}&maxEventCount={count - 1}", token=FIRM)
        assert answer.status == 413
        assert answer.json["type"].endswith("query-too-large")
    both = world.ask("GET", f"{EVENTS}?maxEventCount=1&eventCountLimit=1", token=FIRM)
    assert (both.status, both.json["errors"][0]["pointer"]) == (400, "maxEventCount")


@pytest.mark.parametrize(
    "asked",
    [
        "EQ_bizSteps=shipping", "eq_bizStep=shipping", "MATCH_EPC=urn:x:1", "EQ_dock=7", "EQ_ILMD_dock=7", "EQ_value_celsius=1",
        "GE_bizStep=shipping", "EXISTS_bizStep=true", "WD_epc=urn:x:1", "HASATTR_eventTime=x", "HASATTR_bizLocation=", "HASATTR_epcList=x",
        "EQATTR_bizLocation=1", "EQATTR_bizLocation_=1", "EQATTR_eventTime_x=1", "EQATTR_sdl:participants_x=1", "HASATTR_acme:a_b=x", "EQ_SENSORREPORT_volume=1", "EQ_INNER_SENSORREPORT_type=Temperature", "=", "a", "families=1", "GE_value_CEL=warm", "GE_value_CEL=NaN",
        "GE_value_CEL=1e999", "EQ_booleanValue=1", "EXISTS_sensorElementList=false", "EQ_action=", "EQ_action=%7C", "EQ_action=add", "EQ_action=ADD%7CMOVE", "EQ_time=noon",
        "GT_acme:dock=soon", "MATCH_epc=urn:epc:idpat:sgtin:*.107346.*", "MATCH_epc=urn:epc:idpat:sgtin:0614141.1.*",
        "MATCH_epc=urn:epc:idpat:none:1.*", "EQ_sdl:participants=x", "EXISTS_sdl:participants", "EQ_urn:sudonglian:ns:1:participants=x",
        "EQ_bizStep=%00", "EQ_%00=1", "EQ_action=ADD&EQ_action=OBSERVE",
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_with_its_name(world: Any, asked: str) -> None:
    for path in (EVENTS, "/epcis/v2/bizSteps/departing/events"):
        answer = world.ask("GET", f"{path}?{asked}", token=FIRM)
        assert answer.status == 400, asked
        assert answer.json["type"].rpartition(":")[2] in ("query-parameter", "usage")
        pointed = answer.json["errors"][0]["pointer"]
        assert pointed == asked.partition("=")[0].replace("%00", "") or "%00" in asked or asked == "=", pointed


@pytest.mark.parametrize(
    ("asked", "headers", "fits"),
    [
        (f"EQ_{ACME}dock=7", {}, True),
        (f"EQ_{ACME}%23dock=7", {}, True),
        ("EQ_other:dock=7", {}, False),
        ("EQ_other:dock=7", {"GS1-Extensions": f"other={ACME}"}, True),
        ("EQ_acme:dock=7", {"GS1-Extensions": "acme=https://elsewhere.example/"}, False),
        ("EXISTS_INNER_other:size", {"GS1-Extensions": f"other={ACME}, x=urn:x:"}, True),
        ("EQ_other:participants=7", {"GS1-Extensions": "other=urn:sudonglian:ns:1:"}, None),
        ("EQ_acme:dock=7", {"GS1-Extensions": "acme"}, None),
        ("LT_INNER_acme:opened=2026-01-05T00:31:00Z", {}, True),
        ("GE_INNER_acme:opened=2026-01-05T00:31:00Z", {}, False),
        ("GE_acme:box=1", {}, False),
    ],
)
def test_fields_by_prefix_and_by_IRI(world: Any, asked: str, headers: dict[str, str], fits: bool | None) -> None:
    answer = world.ask("GET", f"{EVENTS}?perPage=1000&{asked}", token=FIRM, headers=headers)
    assert answer.status == (400 if fits is None else 200)
    if fits is not None:
        assert has(answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"], "object") is fits


@pytest.mark.parametrize(
    ("of", "hit", "miss"),
    [
        ("object", f"WD_readPoint={SITE}", "WD_readPoint=https://id.gs1.org/414/9520001009976"),
        ("object", f"WD_bizLocation={DIVISION}", f"EQ_bizLocation={DIVISION}"),
        ("object", "WD_bizLocation=urn:epc:id:sgln:9520001.00999.0", f"WD_bizLocation={PLACE}/254/7"),
        ("object", "HASATTR_bizLocation=city", "HASATTR_readPoint=city"),
        ("object", f"HASATTR_bizLocation={MDA}:street|{MDA}:city", f"HASATTR_bizLocation={MDA}:empty"),
        ("object", "EQATTR_bizLocation_latitude=36.070", "EQATTR_bizLocation_latitude=36.08"),
        ("object", "EQATTR_readPoint_sst=200|201", "EQATTR_readPoint_sst=20"),
        ("object", f"EQATTR_bizStep_{ACME}who=harbour_master", f"EQATTR_bizStep_{ACME}who=harbour"),
        ("object", "EQATTR_disposition_acme:note=rolling", "EQATTR_disposition_acme:note=broken"),
        ("object", "EQATTR_persistentDisposition_acme:note=broken", "EQATTR_persistentDisposition_acme:note=rolling"),
        ("object", "EQATTR_epcClass_netWeight=12.50", "EQATTR_epcClass_netWeight=12"),
        ("transformation", "HASATTR_epcClass=netWeight", "HASATTR_epcClass=grossWeight"),
        ("object", "EQATTR_source_organizationName=Cold Store", "EQATTR_source_organizationName=cold store"),
        ("object", "HASATTR_destination=organizationName", "HASATTR_destination=name"),
        ("object", "EQATTR_bizTransaction_acme:kind=blanket", "EQATTR_bizTransaction_acme:kind=typing"),
        ("declared", "EQATTR_errorReason_acme:kind=typing", "EQATTR_errorReason_acme:kind=blanket"),
        ("object", "EQATTR_acme:berth_acme:gate=north", "EQATTR_acme:berth_acme:gate=south"),
        ("object", f"HASATTR_{ACME}berth=acme:gate", f"HASATTR_{ACME}dock=acme:gate"),
    ],
)  # fmt: skip
def test_by_master_data(world: Any, of: str, hit: str, miss: str) -> None:
    assert has(found(world, quote(hit, safe="=")), of), hit
    assert not has(found(world, quote(miss, safe="=")), of), miss


def test_the_word_of_another_firm_is_not_asked(world: Any) -> None:
    other: dict[str, dict[str, dict[str, Any]]] = {"urn:epcglobal:epcis:vtype:BusinessLocation": {
        f"{PLACE}/254/8": {"cbvmda:street": "Pier 3"}, "https://id.gs1.org/414/9520001009969": {"children": [f"{PLACE}/254/8"]},
    }}  # fmt: skip
    assert world.ask("POST", "/epcis/v2/capture", master_data(other), token="other").json["success"]
    assert not has(found(world, "HASATTR_bizLocation=street"), "object")
    assert not has(found(world, "WD_bizLocation=https://id.gs1.org/414/9520001009969"), "object")


def test_the_last_word_is_asked_and_an_order_and_a_limit_go_with_it(world: Any) -> None:
    docks: dict[str, dict[str, dict[str, Any]]] = {
        "urn:acme:vtype:Docks": {"https://acme.example/docks/7": {"acme:gate": "east"}}
    }
    assert world.ask("POST", "/epcis/v2/capture", master_data(docks), token=FIRM).json["success"]
    try:
        assert found(world, "EQATTR_acme:berth_acme:gate=north") == []
        asked = "EQATTR_acme:berth_acme:gate=east&orderBy=eventTime&maxEventCount=1"
        assert [one["eventID"] for one in found(world, asked)] == [event_id(2)]
    finally:
        kept = {"urn:acme:vtype:Docks": SAID["urn:acme:vtype:Docks"]}
        assert world.ask("POST", "/epcis/v2/capture", master_data(kept), token=FIRM).json["success"]


def test_everything_asked_must_fit(world: Any) -> None:
    both = f"MATCH_epc={SGTIN}&EQ_type=Temperature&GE_value_KEL=254.65&EQ_source_owning_party={PARTY}"
    assert [one["eventID"] for one in found(world, both)] == [event_id(2)]
    assert found(world, both + "&EQ_bizStep=arriving") == []
    assert found(world, "", "/epcis/v2/bizSteps/departing/events") == found(world, "EQ_bizStep=departing")


def test_numbers_are_given_back_as_numbers(world: Any) -> None:
    answer = world.ask("GET", f"{EVENTS}?EQ_eventID={event_id(2)}", token=FIRM)
    assert b"$dec" not in answer.body
    told = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"][0]
    assert told["sensorElementList"][0]["sensorReport"][0]["value"] == -18.5
    assert {name: value for name, value in told.items() if name not in ("recordTime", "@context")}.items() == {
        name: value for name, value in WORLD["object"].items() if name != "@context"
    }.items()


def test_no_firm_finds_anothers_events(world: Any) -> None:
    for asked in (f"EQ_eventID={event_id(2)}", f"MATCH_anyEPC={SGTIN}", "GE_value_KEL=0", "EXISTS_INNER_acme:size"):
        answer = world.ask("GET", f"{EVENTS}?perPage=1000&{asked}", token="other")
        assert not has(answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"], "object")
