"""Findings of meaning: valid documents with one fault each, the code and place of what is found, and what is left alone."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sudonglian.records.intake import rehearse
from sudonglian.records.meaning.codes import codes
from sudonglian.records.profiles.table import profiles

NOW = datetime(2026, 1, 5, 20, tzinfo=UTC)
LOT = "https://id.gs1.org/01/09520001002014/10/BJ241018"
CUT = "https://id.gs1.org/01/09520001002021/10/DT241111"
BOX = "https://id.gs1.org/01/09520001002014/21/7"
PALLET = "https://id.gs1.org/00/395200010000000011"
SECOND = "https://id.gs1.org/00/395200010000000028"
HERE = {"id": "https://id.gs1.org/414/9520001001031/254/room-b"}
ROOM = {"id": "https://id.gs1.org/414/9520001001031/254/dock"}
THERE = {"id": "https://id.gs1.org/414/9520001001055/254/stall-12"}


def event(hour: int, step: str = "storing", **members: Any) -> dict[str, Any]:
    whole = {
        "@context": {"sdl": "urn:sudonglian:ns:1:"},
        "type": "ObjectEvent",
        "eventTime": f"2026-01-05T{hour:02}:00:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": step,
        "epcList": [PALLET],
        **members,
    }
    used = any(name.startswith("sdl:") for name in json.dumps(members).split('"'))
    return whole if used else {name: value for name, value in whole.items() if name != "@context"}


def warned(*events: dict[str, Any]) -> list[tuple[str, str]]:
    _, said = rehearse(json.dumps(events).encode(), submitter="urn:x:1", now=NOW)
    assert said.refused == ()
    assert all(one.rule and one.message["zh"] and one.message["en"] for _, one in said.warnings)
    return [(one.code, one.pointer) for _, one in said.warnings]


@pytest.mark.parametrize("uom", [["KGM"], {"a": 1}, 5, None])
def test_a_unit_that_is_no_text_is_refused_and_nothing_else_happens(uom: Any) -> None:
    sent = event(8, quantityList=[{"epcClass": LOT, "quantity": 1.5, "uom": uom}])
    _, said = rehearse(json.dumps([sent]).encode(), submitter="urn:x:1", now=NOW)
    assert "/0/quantityList/0/uom" in {one.pointer for one in said.refused}


def made(**ilmd: Any) -> dict[str, Any]:
    return event(8, "commissioning", action="ADD", ilmd={f"cbvmda:{name}": value for name, value in ilmd.items()})


def goods(*said: dict[str, Any]) -> dict[str, Any]:
    listed: dict[str, Any] = {"sdl:goods": [{"item": PALLET, **one} for one in said]}
    return event(8, **listed)


def amount(quantity: Any, uom: str | None) -> dict[str, Any]:
    return event(8, quantityList=[{"epcClass": LOT, "quantity": quantity, **({"uom": uom} if uom else {})}])


def measured(metadata: dict[str, Any] | None = None, **report: Any) -> dict[str, Any]:
    element: dict[str, Any] = {"sensorReport": [{"type": "Temperature", "uom": "CEL", **report}]}
    return event(8, sensorElementList=[{**element, **({"sensorMetadata": metadata} if metadata else {})}])


def cut(came_in: Any, went_out: Any, uom: str = "KGM", **members: Any) -> dict[str, Any]:
    whole = event(
        8,
        "commissioning",
        type="TransformationEvent",
        inputQuantityList=[{"epcClass": LOT, "quantity": came_in, "uom": "KGM"}],
        outputQuantityList=[{"epcClass": CUT, "quantity": went_out, "uom": uom}],
        **members,
    )
    return {name: value for name, value in whole.items() if name not in ("action", "epcList")}


def packed(hour: int, action: str, parent: str, *children: str) -> dict[str, Any]:
    whole = event(hour, "packing", type="AggregationEvent", action=action, parentID=parent, childEPCs=list(children))
    return {name: value for name, value in whole.items() if name != "epcList"}


def moved(hour: int, step: str, at: dict[str, str], **members: Any) -> dict[str, Any]:
    return event(hour, step, readPoint=at, **members)


def firm(code: str) -> dict[str, Any]:
    return event(8, sourceList=[{"type": "owning_party", "source": f"urn:sudonglian:uscc:{code}"}])


def person(kind: str = "badge", value: str = "7", **members: Any) -> dict[str, Any]:
    people: dict[str, Any] = {"sdl:participants": [{"personRef": {"kind": kind, "value": value}, "role": "driver"}]}
    people["sdl:participants"][0] |= members
    return event(8, **people)


def paper(kind: str) -> dict[str, Any]:
    return {"bizTransactionList": [{"type": kind, "bizTransaction": "urn:x:paper:1"}]}


BOUND = {"destinationList": [{"type": "location", "destination": THERE["id"]}]}
EXIT = paper("urn:sudonglian:bt:exit-permit")
DECLARED = {"declarationTime": "2026-01-05T09:00:00+08:00", "reason": "incorrect_data"}
SENSOR = "/0/sensorElementList/0"

BAD: list[tuple[str, list[dict[str, Any]], str]] = [
    # the code, the events, the place of the one warning
    ("check-digit", [event(8, epcList=["https://id.gs1.org/00/395200010000000012"])], "/0/epcList/0"),
    ("check-digit", [event(8, epcList=["https://id.gs1.org/01/09520001002015/21/7"])], "/0/epcList/0"),
    ("check-digit", [event(8, readPoint={"id": "https://id.gs1.org/414/9520001001032"})], "/0/readPoint/id"),
    ("epc-urn", [event(8, epcList=["urn:epc:id:sscc:1.1"])], "/0/epcList/0"),
    ("class-as-instance", [event(8, epcList=[LOT])], "/0/epcList/0"),
    ("class-as-instance", [event(8, epcList=[PALLET, "urn:epc:idpat:sgtin:9520001.000201.*"])], "/0/epcList/1"),
    ("class-as-instance", [event(8, epcList=["https://id.gs1.org/01/09520001002014"])], "/0/epcList/0"),
    ("epc-twice", [event(8, epcList=[PALLET, PALLET])], "/0/epcList/1"),
    (
        "instance-as-class",
        [event(8, quantityList=[{"epcClass": "https://id.gs1.org/01/09520001002014/21/7"}])],
        "/0/quantityList/0/epcClass",
    ),
    ("instance-as-class", [event(8, quantityList=[{"epcClass": PALLET}])], "/0/quantityList/0/epcClass"),
    ("container-number", [event(8, **{"sdl:containerNo": "CSQU3054384"})], "/0/sdl:containerNo"),
    ("credit-code", [firm("91350100M000100Y44")], "/0/sourceList/0/source"),
    ("credit-code", [firm("91350100M000100")], "/0/sourceList/0/source"),
    ("person-cn-id", [person("cn-id", "110101199003070012")], "/0/sdl:participants/0/personRef/value"),
    ("person-phone", [person("phone", "12")], "/0/sdl:participants/0/personRef/value"),
    ("event-time-future", [event(8, eventTime="2026-01-06T09:00:00+08:00")], "/0/eventTime"),
    ("event-late", [event(8, eventTime="2026-01-04T09:00:00+08:00")], "/0/eventTime"),
    ("offset-differs", [event(8, eventTimeZoneOffset="+09:00")], "/0/eventTimeZoneOffset"),
    ("date", [made(itemExpirationDate="soon")], "/0/ilmd/cbvmda:itemExpirationDate"),
    ("date", [made(productionDate="2026-02-30")], "/0/ilmd/cbvmda:productionDate"),
    ("date", [made(bestBeforeDate=20270101)], "/0/ilmd/cbvmda:bestBeforeDate"),
    (
        "dates-order",
        [made(productionDate="2026-01-02", itemExpirationDate="2026-01-01")],
        "/0/ilmd/cbvmda:itemExpirationDate",
    ),
    (
        "dates-order",
        [made(harvestEndDate="2026-01-03", sellByDate="2026-01-02T08:00:00Z")],
        "/0/ilmd/cbvmda:sellByDate",
    ),
    ("production-after-event", [made(productionDate="2026-01-07")], "/0/ilmd/cbvmda:productionDate"),
    ("expired", [made(itemExpirationDate="2026-01-03")], "/0/ilmd/cbvmda:itemExpirationDate"),
    ("country", [made(countryOfOrigin="XX")], "/0/ilmd/cbvmda:countryOfOrigin"),
    ("country", [made(countryOfOrigin="Norway")], "/0/ilmd/cbvmda:countryOfOrigin"),
    ("expired", [goods({}, {"expirationDate": "2026-01-03"})], "/0/sdl:goods/1/expirationDate"),
    ("production-after-event", [goods({"productionDate": "2026-01-07"})], "/0/sdl:goods/0/productionDate"),
    (
        "dates-order",
        [goods({"productionDate": "2026-01-02", "expirationDate": "2026-01-01"})],
        "/0/sdl:goods/0/expirationDate",
    ),
    ("country", [goods({"countryOfOrigin": "XX"})], "/0/sdl:goods/0/countryOfOrigin"),
    ("uom-unknown", [amount(1, "ZZQ")], "/0/quantityList/0/uom"),
    ("uom-not-amount", [amount(1, "CEL")], "/0/quantityList/0/uom"),
    ("quantity-count", [amount(1.5, None)], "/0/quantityList/0/quantity"),
    ("quantity-count", [amount(1.5, "EA")], "/0/quantityList/0/quantity"),
    ("mass-balance", [cut(100, 101)], "/0/outputQuantityList"),
    ("mass-balance", [cut(100, 100001, "GRM")], "/0/outputQuantityList"),
    ("sensor-order", [measured(minValue=-18, maxValue=-20)], f"{SENSOR}/sensorReport/0/maxValue"),
    ("sensor-order", [measured(minValue=-20, meanValue=-20.5)], f"{SENSOR}/sensorReport/0/meanValue"),
    ("sensor-order", [measured(meanValue=-17.5, maxValue=-18)], f"{SENSOR}/sensorReport/0/maxValue"),
    (
        "sensor-interval",
        [measured({"startTime": "2026-01-05T07:00:00+08:00", "endTime": "2026-01-05T06:00:00+08:00"}, value=-18)],
        f"{SENSOR}/sensorMetadata/endTime",
    ),
    (
        "sensor-interval",
        [
            measured(
                {"startTime": "2026-01-05T06:00:00+08:00", "endTime": "2026-01-05T07:00:00+08:00"},
                value=-18,
                time="2026-01-05T05:00:00+08:00",
            )
        ],
        f"{SENSOR}/sensorReport/0/time",
    ),
    (
        "sensor-after-event",
        [measured({"time": "2026-01-05T08:11:00+08:00"}, value=-18)],
        f"{SENSOR}/sensorMetadata/time",
    ),
    (
        "sensor-calibration",
        [measured({"sdl:calibratedUntil": "next year"}, value=-18)],
        f"{SENSOR}/sensorMetadata/sdl:calibratedUntil",
    ),
    (
        "sensor-calibration",
        [measured(None, value=-18, **{"sdl:calibratedFrom": 2026})],
        f"{SENSOR}/sensorReport/0/sdl:calibratedFrom",
    ),
    ("sensor-unit", [measured(value=-18, uom="KGM")], f"{SENSOR}/sensorReport/0/uom"),
    (
        "disposition-contradicts",
        [event(8, persistentDisposition={"set": ["damaged"], "unset": ["active", "damaged"]})],
        "/0/persistentDisposition/unset/1",
    ),
    (
        "error-declared-early",
        [event(8, eventID="urn:x:1", errorDeclaration={**DECLARED, "declarationTime": "2026-01-05T07:00:00+08:00"})],
        "/0/errorDeclaration/declarationTime",
    ),
    (
        "error-corrects-itself",
        [event(8, eventID="urn:x:1", errorDeclaration={**DECLARED, "correctiveEventIDs": ["urn:x:2", "urn:x:1"]})],
        "/0/errorDeclaration/correctiveEventIDs/1",
    ),
    ("error-declaration-of-nothing", [event(8, errorDeclaration=DECLARED)], "/0/errorDeclaration"),
    (
        "participant-elsewhen",
        [person(start="2026-01-03T08:00:00+08:00", end="2026-01-03T09:00:00+08:00")],
        "/0/sdl:participants/0/end",
    ),
    ("participant-elsewhen", [person(start="2026-01-06T08:30:00+08:00")], "/0/sdl:participants/0/start"),
    ("packed-in-itself", [packed(8, "ADD", PALLET, BOX, PALLET)], "/0/childEPCs/1"),
    ("packed-in-itself", [packed(8, "DELETE", PALLET, "urn:epc:id:sscc:9520001.3000000001")], "/0/childEPCs/0"),
    ("packed-in-itself", [packed(8, "ADD", SECOND, PALLET), packed(9, "ADD", PALLET, SECOND)], "/1/childEPCs/0"),
    (
        "packed-in-itself",
        [packed(10, "ADD", PALLET, SECOND), packed(8, "ADD", BOX, PALLET), packed(9, "ADD", SECOND, BOX)],
        "/0/childEPCs/0",
    ),
    ("packed-twice", [packed(8, "ADD", PALLET, BOX), packed(9, "ADD", SECOND, BOX)], "/1/childEPCs/0"),
    ("packed-twice", [packed(9, "ADD", SECOND, BOX), packed(8, "ADD", PALLET, BOX)], "/0/childEPCs/0"),
    (
        "unpacked-never-packed",
        [packed(8, "ADD", PALLET, BOX), packed(9, "DELETE", PALLET, f"{BOX}1")],
        "/1/childEPCs/0",
    ),
    (
        "unpacked-never-packed",
        [packed(8, "ADD", PALLET, BOX), packed(9, "DELETE", PALLET, BOX), packed(10, "DELETE", PALLET, BOX)],
        "/2/childEPCs/0",
    ),
    ("left-without-entering", [moved(8, "storing", HERE), moved(9, "shipping", THERE)], "/1/readPoint"),
    (
        "left-without-entering",
        [moved(8, "receiving", HERE), event(9, "departing", bizLocation=THERE)],
        "/1/bizLocation",
    ),
    ("arrives-before-departing", [moved(8, "receiving", THERE), moved(9, "shipping", HERE, **BOUND)], "/0/eventTime"),
    ("arrives-before-departing", [moved(9, "departing", HERE, **BOUND), moved(8, "arriving", THERE)], "/1/eventTime"),
    (
        "released-before-test",
        [event(8, "shipping", **EXIT), event(9, "inspecting", **paper("testres"))],
        "/0/eventTime",
    ),
    (
        "released-before-test",
        [event(8, "shipping", **EXIT), event(9, "inspecting", **{"sdl:labTest": {"result": "negative"}})],
        "/0/eventTime",
    ),
]

FINE: dict[str, list[dict[str, Any]]] = {
    "two lots with dates of their own": [
        goods(
            {"productionDate": "2025-12-30", "expirationDate": "2027-01-01"},
            {"productionDate": "2024-01-01", "expirationDate": "2026-06-01"},
        )
    ],
    "an asset type without serial": [event(8, epcList=["urn:epc:id:grai:9520001.12345.7"])],
    "UTC beside a local offset": [event(8, eventTime="2026-01-05T08:00:00Z")],
    "goods past their date are inspected": [{**made(itemExpirationDate="2026-01-03"), "bizStep": "inspecting"}],
    "goods past their date are said to be": [{**made(itemExpirationDate="2026-01-03"), "disposition": "expired"}],
    "made today, good for a year": [
        made(productionDate="2026-01-05", itemExpirationDate="2027-01-05", countryOfOrigin="NO")
    ],
    "a part of a kilogram": [amount(1.5, "KGM")],
    "packages": [amount(3, "XCT")],
    "a loss in cutting": [cut(100, 80)],
    "a part of a transformation": [cut(100, 180, transformationID="urn:x:t:1")],
    "pieces from kilograms": [cut(100, 300, "EA")],
    "extremes that are equal": [measured(minValue=-18, meanValue=-18, maxValue=-18)],
    "a clock that is minutes ahead": [measured({"time": "2026-01-05T08:09:00+08:00"}, value=-18)],
    "a declaration": [event(8, eventID="urn:x:1", errorDeclaration={**DECLARED, "correctiveEventIDs": ["urn:x:2"]})],
    "a long shift": [person(start="2026-01-05T00:00:00+08:00", end="2026-01-05T12:00:00+08:00")],
    "a firm's code": [firm("91350100M000100Y43")],
    "packed, unpacked, packed again": [
        packed(8, "ADD", PALLET, BOX),
        packed(9, "DELETE", PALLET, BOX),
        packed(10, "ADD", SECOND, BOX),
    ],
    "emptied as a whole": [packed(8, "ADD", PALLET, BOX), packed(9, "DELETE", PALLET), packed(10, "ADD", SECOND, BOX)],
    "unpacked here, packed elsewhere": [packed(9, "DELETE", PALLET, BOX)],
    "another room of the same site": [moved(8, "receiving", HERE), moved(9, "shipping", ROOM)],
    "sent and received": [
        moved(8, "shipping", HERE, **BOUND),
        moved(9, "receiving", THERE),
        moved(10, "shipping", THERE),
    ],
    "a return trip": [
        moved(8, "shipping", HERE, **BOUND),
        moved(9, "receiving", THERE),
        moved(10, "shipping", THERE),
        moved(11, "receiving", HERE),
        moved(12, "shipping", HERE, **BOUND),
    ],
    "a box goes where its pallet went": [
        packed(7, "ADD", PALLET, BOX),
        moved(8, "shipping", HERE),
        moved(9, "receiving", THERE),
        moved(10, "shipping", THERE, epcList=[BOX]),
    ],
    "tested, then released": [event(8, "inspecting", **paper("testres")), event(9, "shipping", **EXIT)],
    "tested again after the release": [
        event(8, "inspecting", **paper("testres")),
        event(9, "shipping", **EXIT),
        event(10, "inspecting", **paper("testres")),
    ],
}


@pytest.mark.parametrize(("code", "events", "place"), BAD)
def test_one_fault_gives_one_warning(code: str, events: list[dict[str, Any]], place: str) -> None:
    places = [place] if len(events) > 1 else [place.removeprefix("/0"), place]
    found = warned(*events)
    assert [one for one, _ in found] == [code]
    assert found[0][1] in places


@pytest.mark.parametrize("name", FINE)
def test_what_is_honest_is_left_alone(name: str) -> None:
    assert warned(*FINE[name]) == []


def test_every_code_is_found_by_a_document_here_and_every_code_that_is_raised_exists() -> None:
    assert {code for code, _, _ in BAD} == codes().keys()
    assert all(one.raises <= codes().keys() for one in profiles().values())


def test_there_are_enough_bad_documents() -> None:
    assert len(BAD) >= 50


def test_an_event_that_is_in_error_contradicts_nobody() -> None:
    first, second = packed(8, "ADD", PALLET, BOX), {**packed(9, "ADD", SECOND, BOX), "eventID": "urn:x:9"}
    assert [code for code, _ in warned(first, second)] == ["packed-twice"]
    assert warned(first, second, {**second, "errorDeclaration": DECLARED}) == []
