"""Profiles: for each a document that fulfils it, and documents that lack one thing each."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.records.changing import GONE, changed

from sudonglian.records.intake import rehearse
from sudonglian.records.profiles.table import ProfileUnknown, profile_of, profiles

NOW = datetime(2026, 1, 20, tzinfo=UTC)
EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "profiles"

LOT = "https://id.gs1.org/01/09520001002014/10/BJ241018"
CUT = "https://id.gs1.org/01/09520001002021/10/DT241111"

GOOD: dict[str, list[dict[str, Any]]] = {
    name: json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))["epcisBody"]["eventList"] for name in profiles()
}

BAD: list[tuple[str, str, Any, str, str]] = [
    # profile; what is changed in its good events; to what; the code of the one error; its place
    ("cn-import", "/2/bizTransactionList/0", GONE, "cn-customs-declaration", "/2/bizTransactionList"),
    ("cn-import", "/2/bizTransactionList/0/type", "inv", "cn-customs-declaration", "/2/bizTransactionList"),
    (
        "cn-import",
        "/2/bizTransactionList/0/bizTransaction",
        "urn:sudonglian:doc:customs:22012026110000071",
        "cn-customs-declaration-format",
        "/2/bizTransactionList/0/bizTransaction",
    ),
    (
        "cn-import",
        "/2/bizTransactionList/0/bizTransaction",
        "urn:sudonglian:doc:customs:22012026110000071X",
        "cn-customs-declaration-format",
        "/2/bizTransactionList/0/bizTransaction",
    ),
    ("cn-import", "/2/bizTransactionList/1", GONE, "cn-quarantine-certificate", "/2/bizTransactionList"),
    ("cn-import", "/3", GONE, "cn-test-report", "/2/bizTransactionList"),
    ("cn-import", "/3/bizTransactionList/0/type", "recadv", "cn-test-report", "/2/bizTransactionList"),
    ("cn-import", "/4/bizTransactionList", GONE, "cn-disinfection-certificate", "/2/bizTransactionList"),
    ("cn-import", "/4", GONE, "cn-disinfection-certificate", "/2/bizTransactionList"),
    ("cn-import", "/0/ilmd/cbvmda:countryOfOrigin", GONE, "cn-origin", "/2/epcList/0"),
    ("cn-import", "/0/ilmd/cbvmda:countryOfOrigin", "Norway", "cn-origin-format", "/0/ilmd/cbvmda:countryOfOrigin"),
    (
        "cn-import",
        "/0/ilmd/cbvmda:productionDate",
        "18.10.2025",
        "cn-production-date-format",
        "/0/ilmd/cbvmda:productionDate",
    ),
    (
        "cn-import",
        "/0/ilmd/cbvmda:itemExpirationDate",
        "2027-13-17",
        "cn-expiry-date-format",
        "/0/ilmd/cbvmda:itemExpirationDate",
    ),
    ("cn-import", "/0/quantityList/0/quantity", 0, "cn-quantity-format", "/0/quantityList/0/quantity"),
    ("cn-import", "/2/readPoint/id", "https://id.gs1.org/414/9520001001032", "check-digit", "/2/readPoint/id"),
    ("cn-import", "/0/ilmd/sdl:overseasPlantNo", GONE, "cn-overseas-plant", "/2/epcList/0"),
    ("cn-import", "/0/ilmd/sdl:overseasPlantNo", "?", "cn-overseas-plant-format", "/0/ilmd/sdl:overseasPlantNo"),
    ("cn-import", "/0/ilmd/cbvmda:productionDate", GONE, "cn-production-date", "/2/epcList/0"),
    ("cn-import", "/0/ilmd/cbvmda:itemExpirationDate", GONE, "cn-expiry-date", "/2/epcList/0"),
    (
        "cn-import",
        "/0/ilmd/cbvmda:itemExpirationDate",
        "2025-10-17",
        "dates-order",
        "/0/ilmd/cbvmda:itemExpirationDate",
    ),
    ("cn-import", "/0/ilmd/cbvmda:itemExpirationDate", "2026-01-01", "expired", "/0/ilmd/cbvmda:itemExpirationDate"),
    ("cn-import", "/3/eventTime", "2026-01-05T12:00:00+08:00", "cn-test-before-release", "/5/eventTime"),
    ("cn-import", "/4/eventTime", "2026-01-05T12:00:00+08:00", "cn-disinfection-before-release", "/5/eventTime"),
    ("cn-import", "/0/ilmd/sdl:productName", GONE, "cn-product", "/2/epcList/0"),
    ("cn-import", "/2/sourceList", GONE, "cn-source", "/2/sourceList"),
    ("cn-import", "/2/bizStep", "storing", "profile-no-event", ""),
    ("gb31605-handover", "/0/sourceList", GONE, "gb-from", "/0/sourceList"),
    ("gb31605-handover", "/0/sourceList/0/type", "location", "gb-from", "/0/sourceList"),
    ("gb31605-handover", "/0/destinationList", GONE, "gb-to", "/0/destinationList"),
    ("gb31605-handover", "/0/destinationList/0/type", "location", "gb-to", "/0/destinationList"),
    ("gb31605-handover", "/0/sensorElementList", GONE, "gb-temperature", "/0/sensorElementList"),
    (
        "gb31605-handover",
        "/0/sensorElementList/0/sensorMetadata",
        {"deviceID": "urn:x:1"},
        "gb-temperature-time",
        "/0/sensorElementList",
    ),
    (
        "gb31605-handover",
        "/0/quantityList/0/epcClass",
        "https://id.gs1.org/01/09520001002014",
        "gb-batch",
        "/0/quantityList/0",
    ),
    ("gb31605-handover", "/0/bizStep", "storing", "profile-no-event", ""),
    (
        "gb31605-handover",
        "/0/sensorElementList/0/sensorReport/0/meanValue",
        -25,
        "sensor-order",
        "/0/sensorElementList/0/sensorReport/0/meanValue",
    ),
    (
        "gb31605-handover",
        "/0/sensorElementList/0/sensorReport/0/uom",
        "KGM",
        "sensor-unit",
        "/0/sensorElementList/0/sensorReport/0/uom",
    ),
    (
        "gb31605-handover",
        "/0/sensorElementList/0/sensorMetadata/endTime",
        "2026-01-05T01:00:00+08:00",
        "sensor-interval",
        "/0/sensorElementList/0/sensorMetadata/endTime",
    ),
    *(
        one
        for verb in ("shipping", "receiving")
        for one in (
            (
                f"fsma204-{verb}",
                "/0/quantityList/0/epcClass",
                "https://id.gs1.org/01/09520001002014",
                f"fsma-{verb}-tlc",
                "/0/quantityList/0",
            ),
            (f"fsma204-{verb}", "/0/quantityList/0/uom", GONE, f"fsma-{verb}-unit", "/0/quantityList/0/uom"),
            (f"fsma204-{verb}", "/0/sdl:productName", GONE, f"fsma-{verb}-product", "/0/quantityList/0"),
            (f"fsma204-{verb}", "/0/sdl:tlcSource", GONE, f"fsma-{verb}-tlc-source", "/0/quantityList/0"),
            (f"fsma204-{verb}", "/0/bizTransactionList", GONE, f"fsma-{verb}-document", "/0/bizTransactionList"),
            (
                f"fsma204-{verb}",
                "/0/bizTransactionList/0/type",
                GONE,
                f"fsma-{verb}-document-type",
                "/0/bizTransactionList/0/type",
            ),
            (f"fsma204-{verb}", "/0/bizStep", "storing", "profile-no-event", ""),
        )
    ),
    ("fsma204-shipping", "/0/destinationList", GONE, "fsma-shipping-recipient", "/0/destinationList"),
    ("fsma204-receiving", "/0/sourceList", GONE, "fsma-receiving-source", "/0/sourceList"),
    (
        "fsma204-transformation",
        "/0/inputQuantityList/0/epcClass",
        "https://id.gs1.org/01/09520001002014",
        "fsma-transformation-input-tlc",
        "/0/inputQuantityList",
    ),
    (
        "fsma204-transformation",
        "/0/inputQuantityList/0/uom",
        GONE,
        "fsma-transformation-input-unit",
        "/0/inputQuantityList/0/uom",
    ),
    (
        "fsma204-transformation",
        "/0/outputQuantityList/0/epcClass",
        "https://id.gs1.org/01/09520001002021",
        "fsma-transformation-output-tlc",
        "/0/outputQuantityList",
    ),
    (
        "fsma204-transformation",
        "/0/outputQuantityList/0/uom",
        GONE,
        "fsma-transformation-output-unit",
        "/0/outputQuantityList/0/uom",
    ),
    ("fsma204-transformation", "/0/ilmd", GONE, "fsma-transformation-product", "/0/inputQuantityList/0"),
    ("fsma204-transformation", "/0/bizTransactionList", GONE, "fsma-transformation-document", "/0/bizTransactionList"),
    (
        "fsma204-transformation",
        "/0/bizTransactionList/0/type",
        GONE,
        "fsma-transformation-document-type",
        "/0/bizTransactionList/0/type",
    ),
    ("fsma204-transformation", "/0/outputQuantityList/0/quantity", 151, "mass-balance", "/0/outputQuantityList"),
]
PRODUCT = "https://id.gs1.org/01/09520001002014"
SERIAL = f"{PRODUCT}/21/7"

TOGETHER: list[tuple[str, dict[str, Any], set[str]]] = [
    # a fact that can be told in two places, or one place that tells two facts
    (
        "cn-import",
        {"/1/childQuantityList": GONE, "/1/childEPCs": [SERIAL], "/0/epcList": [SERIAL], "/0/quantityList": GONE},
        {"cn-quantity"},
    ),
    (
        "cn-import",
        {
            "/0/quantityList/0/epcClass": PRODUCT,
            "/1/childQuantityList/0/epcClass": PRODUCT,
            "/0/ilmd/cbvmda:lotNumber": GONE,
        },
        {"cn-batch"},
    ),
    ("gb31605-handover", {"/0/readPoint": GONE, "/0/bizLocation": GONE}, {"gb-place"}),
    ("gb31605-handover", {"/0/quantityList": [{"epcClass": LOT}]}, {"gb-quantity", "gb-quantity-each"}),
    ("gb31605-handover", {"/0/quantityList": GONE}, {"gb-goods", "gb-quantity", "gb-batch"}),
    ("fsma204-shipping", {"/0/readPoint": GONE, "/0/bizLocation": GONE}, {"fsma-shipping-from"}),
    ("fsma204-shipping", {"/0/quantityList": [{"epcClass": LOT}]}, {"fsma-shipping-quantity", "fsma-shipping-unit"}),
    ("fsma204-receiving", {"/0/readPoint": GONE, "/0/bizLocation": GONE}, {"fsma-receiving-place"}),
    ("fsma204-receiving", {"/0/quantityList": [{"epcClass": LOT}]}, {"fsma-receiving-quantity", "fsma-receiving-unit"}),
    ("fsma204-transformation", {"/0/readPoint": GONE, "/0/bizLocation": GONE}, {"fsma-transformation-place"}),
    (
        "fsma204-transformation",
        {"/0/inputQuantityList": [{"epcClass": LOT}]},
        {"fsma-transformation-input-quantity", "fsma-transformation-input-unit"},
    ),
    (
        "fsma204-transformation",
        {"/0/outputQuantityList": [{"epcClass": CUT}]},
        {"fsma-transformation-output-quantity", "fsma-transformation-output-unit"},
    ),
]


def wrapped(events: list[dict[str, Any]], **members: Any) -> bytes:
    whole = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-06T09:00:00Z",
        "epcisBody": {"eventList": events},
        **members,
    }
    return json.dumps(whole).encode()


def errors(raw: bytes, profile: str | None) -> list[tuple[str, str]]:
    wanted = None if profile is None else profile_of(profile)
    _, said = rehearse(raw, submitter="urn:x:1", now=NOW, profile=wanted)
    assert all(one.rule and one.message["zh"] and one.message["en"] for one in said.refused)
    for one in said.refused:
        where = re.match(r"/epcisBody/eventList/(\d+)", one.pointer)
        assert one.index == (int(where[1]) if where else None)
    return [(one.code, one.pointer.removeprefix("/epcisBody/eventList")) for one in said.refused]


@pytest.mark.parametrize("name", GOOD)
def test_a_document_that_tells_everything_is_not_refused(name: str) -> None:
    assert errors(wrapped(GOOD[name]), name) == []


@pytest.mark.parametrize(("name", "place", "value", "code", "pointer"), BAD)
def test_one_thing_that_lacks_gives_one_error(name: str, place: str, value: Any, code: str, pointer: str) -> None:
    raw = wrapped(changed(GOOD[name], place, value))
    assert errors(raw, name) == [(code, pointer)]
    assert errors(raw, None) == []  # without a profile it is taken


@pytest.mark.parametrize(("name", "changes", "codes"), TOGETHER)
def test_what_is_told_in_two_places_lacks_when_it_is_in_neither(
    name: str, changes: dict[str, Any], codes: set[str]
) -> None:
    events = GOOD[name]
    for place, value in changes.items():
        events = changed(events, place, value)
    assert {code for code, _ in errors(wrapped(events), name)} == codes
    assert errors(wrapped(events), None) == []


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("cn-import", {"/0/ilmd/cbvmda:lotNumber": GONE}),  # the lot's own identifier holds it
        ("cn-import", {"/4/bizTransactionList": GONE, "/4/sdl:disinfection": {"certificate": "XD-1"}}),
        ("cn-import", {"/0/ilmd/cbvmda:itemExpirationDate": GONE, "/0/ilmd/cbvmda:bestBeforeDate": "2027-10-17"}),
        ("gb31605-handover", {"/0/readPoint": GONE}),
        ("gb31605-handover", {"/0/quantityList/0/epcClass": "urn:epc:class:lgtin:9520001.000201.BJ241018"}),
        ("fsma204-shipping", {"/0/sdl:tlcSource": GONE, "/0/sdl:tlcSourceReference": "https://a.example/tlc/1"}),
        ("fsma204-transformation", {"/0/transformationID": "urn:x:t:1", "/0/outputQuantityList/0/quantity": 900}),
    ],
)
def test_another_way_to_tell_the_same_is_taken(name: str, changes: dict[str, Any]) -> None:
    events = GOOD[name]
    for place, value in changes.items():
        events = changed(events, place, value)
    assert errors(wrapped(events), name) == []


def test_every_rule_of_every_profile_is_broken_by_a_document_here() -> None:
    broken = {(name, code.removesuffix("-format")) for name, _, _, code, _ in BAD}
    broken |= {(name, code) for name, _, codes in TOGETHER for code in codes}
    assert {(one.name, asked.code) for one in profiles().values() for asked in one.asked} - broken == set()


def test_codes_are_unique_and_every_rule_names_its_source() -> None:
    asked = [each for one in profiles().values() for each in one.asked]
    assert len(asked) == len({each.code for each in asked})
    assert all(each.rule and set(each.message) == {"zh", "en"} for each in asked)
    assert all(one.sources for one in profiles().values())
    assert {each.checked for each in asked} == {"text", "quoted", "no"}
    assert all(source["checked"] in ("text", "quoted", "no") for one in profiles().values() for source in one.sources)


@pytest.mark.parametrize("name", profiles())
def test_the_example_of_the_documentation_is_valid(name: str) -> None:
    raw = (EXAMPLES / f"{name}.json").read_bytes()
    _, said = rehearse(raw, submitter="urn:x:1", now=NOW, profile=profile_of(name))
    assert said.refused == ()
    assert {one.code for _, one in said.warnings} <= {"event-late"}


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(ProfileUnknown, match="fsma204-transformation"):
        profile_of("fsma204")


def test_master_data_describe_a_product() -> None:
    events = changed(GOOD["fsma204-shipping"], "/0/sdl:productName", GONE)
    element = {
        "id": "https://id.gs1.org/01/09520001002014",
        "attributes": [{"id": "cbvmda:descriptionShort", "attribute": "cod"}],
    }
    vocabulary = {"type": "urn:epcglobal:epcis:vtype:EPCClass", "vocabularyElementList": [element]}
    header = {"epcisMasterData": {"vocabularyList": [vocabulary]}}
    assert errors(wrapped(events, epcisHeader=header), "fsma204-shipping") == []
    element["id"] = "https://id.gs1.org/01/09520001002021"
    assert [code for code, _ in errors(wrapped(events, epcisHeader=header), "fsma204-shipping")] == [
        "fsma-shipping-product"
    ]


def test_a_declaration_of_error_takes_its_event_out_of_the_judgement() -> None:
    wrong = changed(GOOD["gb31605-handover"], "/0/sensorElementList", GONE)
    declared = {**wrong[0], "errorDeclaration": {"declarationTime": "2026-01-06T00:00:00Z", "reason": "did_not_occur"}}
    again = {**GOOD["gb31605-handover"][0], "eventID": "urn:uuid:6f0b2f3a-2222-4c3e-9f43-000000000099"}
    assert errors(wrapped([*wrong, declared, again]), "gb31605-handover") == []


def test_every_lot_of_an_event_needs_its_batch() -> None:
    lots = [{"epcClass": LOT, "quantity": 1, "uom": "KGM"}, {"epcClass": PRODUCT, "quantity": 1, "uom": "KGM"}]
    events = changed(GOOD["gb31605-handover"], "/0/quantityList", lots)
    assert [code for code, _ in errors(wrapped(events), "gb31605-handover")] == ["gb-batch"]
    lots[1]["epcClass"] = CUT
    events = changed(GOOD["gb31605-handover"], "/0/quantityList", lots)
    assert errors(wrapped(events), "gb31605-handover") == []


def test_a_list_of_goods_tells_of_the_goods_that_it_names_and_of_no_others() -> None:
    lots = [{"epcClass": LOT, "quantity": 1, "uom": "KGM"}, {"epcClass": CUT, "quantity": 1, "uom": "KGM"}]
    events = changed(changed(GOOD["fsma204-shipping"], "/0/quantityList", lots), "/0/sdl:productName", GONE)
    told = changed(events, "/0/sdl:goods", [{"item": LOT, "name": "cod"}, {"item": "urn:x:other", "name": "hake"}])
    assert errors(wrapped(told), "fsma204-shipping") == [("fsma-shipping-product", "/0/quantityList/1")]
    urn = "urn:epc:class:lgtin:9520001.000202.DT241111"
    both = changed(told, "/0/sdl:goods", [{"item": LOT, "name": "cod"}, {"item": urn, "name": "fillets"}])
    assert errors(wrapped(both), "fsma204-shipping") == []
    for junk in ("cod", [7], [{"name": "cod"}], [{"item": 7, "name": "cod"}], {"item": LOT}):
        assert [code for code, _ in errors(wrapped(changed(told, "/0/sdl:goods", junk)), "fsma204-shipping")] == [
            "fsma-shipping-product"
        ]


def test_facts_of_other_goods_do_not_count() -> None:
    other = "https://id.gs1.org/00/395200010000000028"
    events = changed(changed(GOOD["cn-import"], "/3/epcList", [other]), "/4/epcList", [other])
    assert {code for code, _ in errors(wrapped(events), "cn-import")} == {
        "cn-test-report",
        "cn-disinfection-certificate",
    }


@pytest.mark.shared
def test_the_published_documents_are_judged_by_every_profile(shared_data: Path) -> None:
    """What they lack is theirs to lack; none makes a profile fail otherwise than by findings with a place."""
    for file in sorted(shared_data.glob("epcis/documents/*.json")):
        for name in profiles():
            _, said = rehearse(file.read_bytes(), submitter="urn:x:1", now=NOW, profile=profile_of(name))
            for one in said.refused:
                assert one.code
                assert one.pointer == "" or one.pointer.startswith("/")
