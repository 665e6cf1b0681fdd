"""Translation: every key of CBV 2.0 §8 both ways, whole events, and what cannot be had is refused by name."""

import copy
from typing import Any

import pytest

from sudonglian.chain.identifiers import IdentifierRefused, normal
from sudonglian.records.epcis.translation import (
    PrefixUnknown,
    events_of,
    prefixes_in,
    to_link,
    to_urn,
    translated,
    translated_document,
)

ID = "https://id.gs1.org"

KEYS = [
    # EPC Tag Data Standard 2.0 §6.3, §8; the check digits by GS1 General Specifications §7.9
    ("urn:epc:id:sgtin:0614141.107346.2018", "/01/10614141073464/21/2018"),
    ("urn:epc:id:sgtin:061414.1107346.A%2FB", "/01/10614141073464/21/A%2FB"),
    ("urn:epc:class:lgtin:4012345.012345.998877", "/01/04012345123456/10/998877"),
    ("urn:epc:idpat:sgtin:4012345.012345.*", "/01/04012345123456"),
    ("urn:epc:id:upui:4012345.012345.AB12", "/01/04012345123456/235/AB12"),
    ("urn:epc:id:sscc:0614141.1234567890", "/00/106141412345678908"),
    ("urn:epc:id:sgln:0614141.12345.400", "/414/0614141123452/254/400"),
    ("urn:epc:id:sgln:0614141.12345.0", "/414/0614141123452"),
    ("urn:epc:id:sgln:061414112345..0", "/414/0614141123452"),
    ("urn:epc:id:pgln:0614141.12345", "/417/0614141123452"),
    ("urn:epc:id:grai:4012345.66666.87", "/8003/0401234566666387"),
    ("urn:epc:idpat:grai:4012345.66666.*", "/8003/04012345666663"),
    ("urn:epc:id:giai:4012345.AAbb", "/8004/4012345AAbb"),
    ("urn:epc:id:gsrn:4012345.9876540000", "/8018/401234598765400000"),
    ("urn:epc:id:gsrnp:4012345.0000098765", "/8017/401234500000987658"),
    ("urn:epc:id:gdti:4012345.55555.98", "/253/401234555555498"),
    ("urn:epc:idpat:gdti:4012345.55555.*", "/253/4012345555554"),
    ("urn:epc:id:sgcn:4012345.99999.44", "/255/401234599999044"),
    ("urn:epc:idpat:sgcn:4012345.99999.*", "/255/4012345999990"),
    ("urn:epc:id:cpi:4012345.ABC.123", "/8010/4012345ABC/8011/123"),
    ("urn:epc:idpat:cpi:4012345.ABC.*", "/8010/4012345ABC"),
    ("urn:epc:id:itip:4012345.012345.01.02.999", "/8006/040123451234560102/21/999"),
    ("urn:epc:idpat:itip:4012345.012345.01.02.*", "/8006/040123451234560102"),
    ("urn:epc:id:ginc:4012345.333", "/401/4012345333"),
    ("urn:epc:id:gsin:4012345.999987654", "/402/40123459999876541"),
]


@pytest.mark.parametrize(("urn", "path"), KEYS)
def test_both_ways(urn: str, path: str) -> None:
    assert to_link(urn) == ID + path
    prefix = urn.split(":")[4].partition(".")[0]
    assert to_urn(ID + path, {prefix, "9999999"}) == urn
    assert prefixes_in([{"epcList": [urn]}]) == {prefix}


@pytest.mark.parametrize(
    "uri",
    [
        "urn:epc:id:sgtin:0614141.107346",
        "urn:epc:idpat:sgtin:0614141.*.*",
        "urn:epc:id:bic:CSQU3054383",
        "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "https://shop.example/product/7",
        "带鱼-0012",
        "",
    ],
)
def test_what_is_neither_stays(uri: str) -> None:
    assert to_link(uri) == uri
    assert to_urn(uri, {"0614141"}) == uri


def test_of_an_item_its_lot_is_dropped() -> None:
    urn = "urn:epc:id:sgtin:0614141.107346.2018"
    assert to_urn("https://shop.example/01/10614141073464/22/2A/10/L1/21/2018?17=271231", {"0614141"}) == urn
    assert to_urn(ID + "/01/10614141073464/10/L1", {"0614141"}) == "urn:epc:class:lgtin:0614141.107346.L1"


@pytest.mark.parametrize(
    ("uri", "prefixes", "kind"),
    [
        (ID + "/01/10614141073464/21/2018", set(), PrefixUnknown),
        (ID + "/01/10614141073464/21/2018", {"106141", "4012345"}, PrefixUnknown),
        (ID + "/01/10614141073464/21/2018", {"06141"}, PrefixUnknown),
        (ID + "/01/10614141073461/21/2018", {"0614141"}, IdentifierRefused),
        (ID + "/8018/401234598765400000/8019/1", {"4012345"}, IdentifierRefused),
    ],
)
def test_refused_and_never_guessed(uri: str, prefixes: set[str], kind: type[IdentifierRefused]) -> None:
    with pytest.raises(kind) as caught:
        to_urn(uri, prefixes)
    assert type(caught.value) is kind


EVENT: dict[str, Any] = {
    "type": "TransactionEvent",
    "parentID": "urn:epc:id:sscc:0614141.1234567890",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2018", "urn:x:1"],
    "childEPCs": ["urn:epc:id:giai:4012345.7"],
    "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.L1", "quantity": 2}, {"quantity": 1}],
    "readPoint": {"id": "urn:epc:id:sgln:0614141.12345.0", "ex:a": "urn:epc:id:sgln:0614141.12345.0"},
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epc:id:gdti:4012345.55555.98"}],
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:0614141.12345"}],
    "sensorElementList": [
        {
            "sensorMetadata": {"deviceID": "urn:epc:id:giai:4012345.7"},
            "sensorReport": [{"type": "Temperature", "deviceID": "urn:epc:id:giai:4012345.8"}],
        }
    ],
    "ilmd": {"ex:a": "urn:epc:id:giai:4012345.9"},
    "eventID": "urn:uuid:1",
}


def test_a_whole_event_there_and_back() -> None:
    before = copy.deepcopy(EVENT)
    links = translated(EVENT, "Always_GS1_Digital_Link")
    assert before == EVENT
    assert links["parentID"] == ID + "/00/106141412345678908"
    assert links["epcList"] == [ID + "/01/10614141073464/21/2018", "urn:x:1"]
    assert links["quantityList"][0] == {"epcClass": ID + "/01/04012345123456/10/L1", "quantity": 2}  # type: ignore[index]
    assert links["readPoint"] == {"id": ID + "/414/0614141123452", "ex:a": EVENT["readPoint"]["ex:a"]}
    assert links["sensorElementList"] == [
        {
            "sensorMetadata": {"deviceID": ID + "/8004/40123457"},
            "sensorReport": [{"type": "Temperature", "deviceID": ID + "/8004/40123458"}],
        }
    ]
    assert (links["ilmd"], links["eventID"]) == (EVENT["ilmd"], EVENT["eventID"])
    assert translated(links, "Always_EPC_URN", prefixes_in([EVENT])) == EVENT
    assert translated(EVENT, "Never_Translates") is EVENT
    assert translated(EVENT, "No_Preference") is EVENT


def test_where_it_cannot_be_had() -> None:
    links = translated(EVENT, "Always_GS1_Digital_Link")
    with pytest.raises(PrefixUnknown) as caught:
        translated(links, "Always_EPC_URN", {"0614141"})
    assert caught.value.place == "/childEPCs/0"


def test_documents() -> None:
    documents: list[dict[str, Any]] = [
        {"type": "EPCISDocument", "epcisBody": {"eventList": [EVENT]}},
        {"type": "EPCISQueryDocument", "epcisBody": {"queryResults": {"resultsBody": {"eventList": [EVENT]}}}},
        EVENT,
    ]
    for document in documents:
        found = translated_document(document, "Always_GS1_Digital_Link")
        assert found["type"] == document["type"]
        assert events_of(found) == [translated(EVENT, "Always_GS1_Digital_Link")]
        assert events_of(document) == [EVENT]


@pytest.mark.parametrize(("urn", "path"), KEYS)
def test_the_normal_form_is_the_same_either_way(urn: str, path: str) -> None:
    assert normal(urn) == normal(ID + path)
