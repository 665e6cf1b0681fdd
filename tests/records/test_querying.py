"""The query language: units exactly, values, patterns of identifiers, fields, and refusals by name.

EPCIS 2.0 §8.2.7.1; TDS 2.0 §8; UN/ECE Recommendation 20.
"""

import json
from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.identifiers import normal
from sudonglian.records.epcis import units
from sudonglian.records.epcis.query_document import as_numbers
from sudonglian.records.identifiers.unit import is_unit
from sudonglian.records.querying import language, matching
from sudonglian.records.querying.errors import QueryRefused, QueryTooComplex
from sudonglian.records.querying.families import FAMILIES
from sudonglian.records.querying.standing import STANDING

REC_20 = [
    # As Recommendation 20 states the conversion, rounded there to seven digits: (code, of which, factor).
    ("KMH", "MTS", "0.277778"), ("KNT", "MTS", "0.514444"), ("HM", "MTS", "0.44704"), ("2X", "MTS", "0.0166667"), ("FS", "MTS", "0.3048"),
    ("ONZ", "KGM", "0.02834952"), ("LBR", "KGM", "0.45359237"), ("CWI", "KGM", "50.80235"), ("LTN", "KGM", "1016.047"),
    ("STN", "KGM", "907.1847"), ("STI", "KGM", "6.350293"), ("DTN", "KGM", "100"), ("GRN", "KGM", "0.00006479891"),
    ("INH", "MTR", "0.0254"), ("NMI", "MTR", "1852"), ("SMI", "MTR", "1609.344"), ("4H", "MTR", "0.000001"),
    ("YDK", "MTK", "0.8361274"), ("HAR", "MTK", "10000"), ("INK", "MTK", "0.00064516"),
    ("GLI", "MTQ", "0.004546092"), ("GLL", "MTQ", "0.003785412"), ("OZA", "MTQ", "0.00002957353"), ("OZI", "MTQ", "0.00002841306"),
    ("PTI", "MTQ", "0.000568261"), ("QTL", "MTQ", "0.0009463529"), ("BLL", "MTQ", "0.1589873"), ("LTR", "MTQ", "0.001"),
    ("A93", "KMQ", "0.001"), ("GP", "KMQ", "0.000001"), ("GQ", "KMQ", "0.000000001"), ("23", "KMQ", "1000"), ("D41", "KMQ", "1000"),
    ("BAR", "PAL", "100000"), ("MBR", "PAL", "100"), ("ATM", "PAL", "101325"), ("A97", "PAL", "100"), ("B85", "PAL", "0.1"),
    ("PS", "PAL", "6894.757"), ("C78", "NEW", "4.448222"), ("B37", "NEW", "9.80665"), ("B51", "NEW", "9.80665"), ("B73", "NEW", "1000000"),
    ("WEE", "SEC", "604800"), ("C26", "SEC", "0.001"), ("K40", "MSK", "9.80665"), ("A76", "MSK", "0.01"), ("MQH", "MQS", "0.000277778"),
    ("CUR", "BQL", "37000000000"), ("A86", "HTZ", "1000000000"), ("P1", "C62", "0.01"), ("59", "C62", "0.000001"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "of", "factor"), REC_20)
def test_a_unit_is_what_recommendation_20_says(code: str, of: str, factor: str) -> None:
    kind, value = units.comparable(Fraction(1), code)
    base_kind, base = units.comparable(Fraction(factor), of)
    assert kind == base_kind
    assert abs(value / base - 1) < Fraction(1, 100_000)


@pytest.mark.parametrize(
    ("one", "code", "other", "other_code"),
    [("26", "CEL", "299.15", "KEL"), ("-40", "CEL", "-40", "FAH"), ("212", "FAH", "100", "CEL"), ("491.67", "A48", "0", "CEL"), ("-18", "CEL", "-0.4", "FAH"),
     ("0.1", "KGM", "100", "GRM"), ("160", "KMH", "44.4444444444", "MTS"), ("1", "HUR", "60", "MIN")],
)  # fmt: skip
def test_conversions(one: str, code: str, other: str, other_code: str) -> None:
    (kind, value), (other_kind, other_value) = (
        units.comparable(Fraction(one), code),
        units.comparable(Fraction(other), other_code),
    )
    assert kind == other_kind
    assert (value == other_value) is (code != "KMH")


def test_a_deviation_has_no_zero_point() -> None:
    assert units.comparable(Fraction(2), "CEL", is_difference=True) == units.comparable(
        Fraction(2), "KEL", is_difference=True
    )
    assert units.comparable(Fraction(9), "FAH", is_difference=True) == units.comparable(
        Fraction(5), "KEL", is_difference=True
    )


def test_a_code_that_is_not_known_compares_with_itself_alone() -> None:
    assert units.comparable(Fraction(1), "XYZ") == ("XYZ", Fraction(1))
    assert units.comparable(Fraction(1), "XYZ") != units.comparable(Fraction(1), "KGM")


def test_every_code_has_the_shape_of_one_and_stands_once() -> None:
    text = resources.files("sudonglian.records.epcis").joinpath("units.json").read_text("utf-8")
    codes = [code for kind in json.loads(text)["kinds"].values() for code in kind]
    assert len(codes) == len(set(codes)) == len(units.known())
    assert all(is_unit(code) for code in codes)
    for kind, listed in json.loads(text)["kinds"].items():
        first = units.known()[next(iter(listed))]
        assert first == units.Unit(kind, Fraction(1), Fraction(0))


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("sgtin:0614141.107346.*", "urn:epc:id:sgtin:0614141.107346.2018", "urn:epc:id:sgtin:0614141.107347.2018"),
        ("sgtin:0614141.*.*", "https://example.com/01/10614141073464/21/a%2Fb", "urn:epc:id:sgtin:0614142.107346.2018"),
        ("sgtin:*.*.*", "urn:epc:id:sgtin:4012345.011111.1", "urn:epc:id:sscc:0614141.1234567890"),
        ("sgtin:0614141.*.*", "urn:epc:id:sgtin:0614141.100734.1", "urn:epc:class:lgtin:0614141.100734.1"),
        ("sscc:0614141.*", "urn:epc:id:sscc:0614141.1234567890", "urn:epc:id:sscc:0614142.1234567890"),
        ("sgln:0614141.12345.*", "urn:epc:id:sgln:0614141.12345.0", "urn:epc:id:sgln:0614141.12346.400"),
        ("sgln:0614141.*.*", "urn:epc:id:sgln:0614141.12345.400", "urn:epc:id:pgln:0614141.12345"),
        ("grai:0614141.12345.*", "urn:epc:id:grai:0614141.12345.400", "urn:epc:id:grai:0614141.12346.400"),
        ("giai:0614141.*", "urn:epc:id:giai:0614141.12345400", "urn:epc:id:giai:0614142.12345400"),
        ("cpi:0614141.123ABC.*", "urn:epc:id:cpi:0614141.123ABC.123456", "urn:epc:id:cpi:0614141.123ABD.123456"),
        ("cpi:0614141.*.*", "urn:epc:id:cpi:0614141.123ABC.123456", "urn:epc:id:cpi:0614143.123ABC.123456"),
        ("gdti:0614141.12345.*", "urn:epc:id:gdti:0614141.12345.006847", "urn:epc:id:gdti:0614141.12346.006847"),
        ("itip:4012345.012345.01.02.*", "urn:epc:id:itip:4012345.012345.01.02.987", "urn:epc:id:itip:4012345.012345.02.02.987"),
        ("itip:4012345.012345.*.*.*", "urn:epc:id:itip:4012345.012345.01.02.987", "urn:epc:id:itip:4012345.012346.01.02.987"),
        ("upui:1234567.089456.*", "urn:epc:id:upui:1234567.089456.51qIgY", "urn:epc:id:upui:1234567.089457.51qIgY"),
        ("gsrn:0614141.*", "urn:epc:id:gsrn:0614141.1234567890", "urn:epc:id:gsrnp:0614141.1234567890"),
    ],
)  # fmt: skip
def test_a_pattern_matches_what_it_is_of(pattern: str, fits: str, does_not: str) -> None:
    asked = matching.match("epc", [f"urn:epc:idpat:{pattern}"], "MATCH_epc")
    assert asked({"epcList": [fits]})
    assert asked({"epcList": [normal(fits)]})
    assert not asked({"epcList": [does_not]})
    assert not asked({"parentID": fits})


def test_a_pattern_without_serial_is_also_the_name_of_a_class() -> None:
    asked = matching.match("epcClass", ["urn:epc:idpat:sgtin:0614141.107346.*"], "MATCH_epcClass")
    assert asked({"quantityList": [{"epcClass": "https://id.gs1.org/01/10614141073464"}]})


EVENT: dict[str, Any] = {
    "@context": {"acme": "https://acme.example/", "odd": 5}, "type": "ObjectEvent", "bizStep": "shipping", "acme:n": {"$dec": "7.5"},
    "acme:t": "2026-01-05T00:00:00Z", "acme:typed": {"@type": "xsd:date", "@value": "2026-01-05"}, "acme:flag": True,
    "acme:list": ["a", "b"], "acme:null": None, "bizTransactionList": [{"bizTransaction": "urn:x:1"}, "odd", {"type": 7}],
    "sensorElementList": ["odd", {"sensorReport": "odd"}, {"sensorReport": [7, {"value": "7", "uom": 3}]}], "quantityList": {"quantity": 1},
    "readPoint": "odd", "ilmd": [], "persistentDisposition": {"set": "damaged"}, "epcList": [7, None],
}  # fmt: skip


def fits(asked: str, event: dict[str, Any] = EVENT) -> bool:
    query = language.read([(name, value) for name, _, value in [asked.partition("=")]])
    return all(one.fits(event) for one in query.conditions) and all(one(event) for one in query.matches)


@pytest.mark.parametrize("text", ["\x00", "\ud800", "EQ_\udcff"])
def test_what_no_database_holds_is_refused(text: str) -> None:
    for pair in ((text, "1"), ("EQ_transformationID", text)):
        with pytest.raises(QueryRefused) as refused:
            language.read([pair])
        refused.value.place.encode()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("EQ_acme:n=7.50", True), ("EQ_acme:n=7,5", False), ("GT_acme:n=7.499999999999999999999", True), ("GT_acme:n=7.5", False),
        ("EQ_acme:t=2026-01-05T08:00:00+08:00", True), ("LE_acme:t=2026-01-05T00:00:00Z", True), ("LT_acme:t=2026-01-05T00:00:00Z", False),
        ("EQ_acme:typed=2026-01-05", True), ("GE_acme:typed=2026-01-05", True), ("GT_acme:typed=2026-01-05", False),
        ("EQ_acme:flag=true", True), ("EQ_acme:flag=1", False), ("EQ_acme:list=c|b", True), ("EQ_acme:list=c", False),
        ("EXISTS_acme:null", True), ("EXISTS_acme:none", False), ("EQ_bizTransaction_=urn:x:1", True), ("EQ_bizTransaction_po=urn:x:1", False),
        ("GE_value=0", False), ("EXISTS_sensorElementList", True), ("GE_quantity=0", False), ("EQ_readPoint=odd", False),
        ("EXISTS_ILMD", False), ("EQ_persistentDisposition_set=damaged", True), ("GE_acme:flag=0", False), ("GE_acme:list=1", False),
    ],
)  # fmt: skip
def test_free_fields_and_odd_events(asked: str, expected: bool) -> None:
    assert fits(asked) is expected


def test_a_field_is_looked_for_where_it_was_asked_for() -> None:
    event = {"acme:top": 1, "acme:box": {"acme:in": 2}, "ilmd": {"acme:lot": 3, "acme:box": {"acme:deep": 4}}}
    for asked in ("EQ_acme:top=1", "EQ_INNER_acme:in=2", "EQ_ILMD_acme:lot=3", "EQ_INNER_ILMD_acme:deep=4"):
        assert fits(asked, event)
    for name, value in (("top", 1), ("in", 2), ("lot", 3), ("deep", 4)):
        everywhere = [
            f"EQ_{place}acme:{name}={value}"
            for place in ("", "INNER_", "ILMD_", "INNER_ILMD_", "SENSORREPORT_", "readPoint_")
        ]
        assert sum(fits(one, event) for one in everywhere) == 1


def test_one_value_that_holds_a_comma() -> None:
    event = {"readPoint": {"id": "https://example.org/a,b"}}
    assert fits("EQ_readPoint=https://example.org/a,b", event)
    assert fits("EQ_readPoint=urn:x:1,https://example.org/a,b|urn:x:2", {"readPoint": {"id": "urn:x:1"}})
    assert not fits("EQ_stringValue=a", {"sensorElementList": [{"sensorReport": [{"stringValue": "a,b"}]}]})
    assert fits("EQ_stringValue=a,b", {"sensorElementList": [{"sensorReport": [{"stringValue": "a,b"}]}]})


def test_too_much_is_refused() -> None:
    with pytest.raises(QueryTooComplex):
        language.read([(f"EQ_acme:f{n}", "1") for n in range(101)])
    for name, value in (("EQ_action", "|".join(map(str, range(201)))), ("EQ_action", "x" * 8_001),
                        ("MATCH_epc", "|".join(f"urn:epc:idpat:giai:{n}.*" for n in range(100_000, 100_021)))):  # fmt: skip
        with pytest.raises(QueryRefused) as refused:
            language.read([(name, value)])
        assert refused.value.place == name


NAMES = st.one_of(
    st.sampled_from([*STANDING, *(one.example.partition("=")[0] for one in FAMILIES)]), st.text(max_size=30)
)
VALUES = st.one_of(st.text(max_size=40), st.sampled_from(["1", "-1e99", "true", "2026-01-05T00:00:00Z", "urn:epc:idpat:sgtin:*.*.*", "urn:epc:idpat:sgtin:..",
                                                          "|", ",", "ASC", "eventTime", "٣", "1e٣"]))  # fmt: skip
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10), st.builds(lambda n: {"$dec": f"{n}.5"}, st.integers(0, 99))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*EVENT, "value", "uom", "id", "sensorReport", "sensorMetadata"]), inner, max_size=4)),
    max_leaves=20,
)  # fmt: skip


@given(st.lists(st.tuples(NAMES, VALUES), max_size=4), st.dictionaries(st.sampled_from(list(EVENT)), JSON))
def test_nothing_but_a_refusal_comes_out(pairs: list[tuple[str, str]], event: dict[str, Any]) -> None:
    try:
        query = language.read(pairs, {"acme": "https://acme.example/"})
    except SudonglianError:
        return
    tests: list[Callable[[Any], bool]] = [one.fits for one in query.conditions]
    tests += query.matches
    for test in tests:
        assert test(event) in (True, False)


@given(JSON)
def test_numbers_are_written_and_nothing_else_changes(value: Any) -> None:
    import orjson

    def plain(one: Any) -> Any:
        if isinstance(one, dict):
            return float(one["$dec"]) if set(one) == {"$dec"} else {name: plain(inner) for name, inner in one.items()}
        return [plain(inner) for inner in one] if isinstance(one, list) else one

    if all(-(2**63) <= number < 2**63 for number in integers(value)):
        assert json.loads(orjson.dumps(as_numbers(value))) == plain(value)


def integers(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [one for inner in value.values() for one in integers(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in integers(inner)]
    return [value] if isinstance(value, int) else []
