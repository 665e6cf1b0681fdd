"""Identifiers: published correspondences, check characters, and that nothing else is touched."""

import json
import string
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sudonglian.chain import identifiers
from sudonglian.chain.errors import RecordRefused
from sudonglian.chain.identifiers import (
    EventIdentifier,
    IdentifierRefused,
    check,
    identifiers_of,
    normal,
    to_urn,
)
from sudonglian.chain.identifiers.event import trace_code
from sudonglian.chain.identifiers.gs1 import check_digit
from sudonglian.records.identifiers import container, credit_code, unit
from sudonglian.records.identifiers.container import ContainerNumberRefused
from sudonglian.records.identifiers.credit_code import CreditCodeRefused

ID = "https://id.gs1.org"

URNS = [
    # URN, path on id.gs1.org, length of the company prefix
    ("urn:epc:id:sgtin:0614141.107346.2018", "/01/10614141073464/21/2018", 7),
    ("urn:epc:id:sgtin:0614141.112345.400", "/01/10614141123459/21/400", 7),
    ("urn:epc:id:sgtin:4012345.011111.98%22", "/01/04012345111118/21/98%22", 7),
    ("urn:epc:id:sgtin:415056789012.0.987654", "/01/04150567890128/21/987654", 12),
    ("urn:epc:id:sgtin:0614141.812345.6789%2F%26%25%22!%3F()", "/01/80614141123458/21/6789%2F%26%25%22%21%3F%28%29", 7),
    ("urn:epc:id:sscc:0614141.1234567890", "/00/106141412345678908", 7),
    ("urn:epc:id:sscc:4012345.3111111111", "/00/340123451111111111", 7),
    ("urn:epc:id:sgln:0614141.07346.1234", "/414/0614141073467/254/1234", 7),
    ("urn:epc:id:sgln:4012345.00005.0", "/414/4012345000054", 7),
    ("urn:epc:id:grai:4012345.00022.334455", "/8003/04012345000221334455", 7),
    ("urn:epc:id:giai:4012345.ABC345", "/8004/4012345ABC345", 7),
    ("urn:epc:id:gsrn:4012345.0000006765", "/8018/401234500000067657", 7),
    ("urn:epc:id:gsrnp:4012345.0000000007", "/8017/401234500000000074", 7),
    ("urn:epc:id:gdti:4012345.00009.PO-4711", "/253/4012345000092PO-4711", 7),
    ("urn:epc:id:gdti:987659999999..9", "/253/98765999999929", 12),
    ("urn:epc:id:sgcn:4012345.99999.44", "/255/401234599999044", 7),
    ("urn:epc:id:cpi:0614141.11111111111111-A%23%2F.1234", "/8010/061414111111111111111-A%23%2F/8011/1234", 7),
    ("urn:epc:id:ginc:0614141.xyz47%2F11", "/401/0614141xyz47%2F11", 7),
    ("urn:epc:id:gsin:4012345.222333444", "/402/40123452223334442", 7),
    ("urn:epc:id:itip:4012345.011111.01.02.987", "/8006/040123451111180102/21/987", 7),
    ("urn:epc:id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7'SDB", "/01/01234567987651/235/51qIgY%29%3C%26Jp3%2Aj7'SDB", 7),
    ("urn:epc:id:pgln:4000001.00000", "/417/4000001000005", 7),
    ("urn:epc:id:pgln:999999999999.", "/417/9999999999994", 12),
    ("urn:epc:class:lgtin:4012345.012345.Lot987", "/01/04012345123456/10/Lot987", 7),
    ("urn:epc:idpat:sgtin:4054739.099914.*", "/01/04054739999148", 7),
    ("urn:epc:idpat:grai:4012345.66666.*", "/8003/04012345666663", 7),
    ("urn:epc:idpat:gdti:4012345.55555.*", "/253/4012345555554", 7),
    ("urn:epc:idpat:sgcn:4012345.99999.*", "/255/4012345999990", 7),
    ("urn:epc:idpat:cpi:4012345.ABC.*", "/8010/4012345ABC", 7),
    ("urn:epc:idpat:itip:4012345.012345.01.02.*", "/8006/040123451234560102", 7),
]


@pytest.mark.parametrize(("urn", "path", "prefix"), URNS)
def test_a_urn_and_its_digital_link(urn: str, path: str, prefix: int) -> None:
    assert normal(urn) == ID + path
    assert normal(ID + path) == ID + path
    assert check(urn) is None
    assert check(ID + path) is None
    assert to_urn(ID + path, prefix) == urn


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://id.gs1.de/01/04012345999990/21/XYZ-1234", "/01/04012345999990/21/XYZ-1234"),
        ("HTTP://Shop.Example/a/b/01/04012345999990", "/01/04012345999990"),
        ("https://example.com/gtin/09780345418913/21/765tz?abc=211121", "/01/09780345418913/21/765tz"),
        ("https://example.com/01/09780345418913/21/7/10/A", "/01/09780345418913/10/A/21/7"),
        ("https://example.com/01/09780345418913/21/7?10=A&17=271231#x", "/01/09780345418913/10/A/21/7"),
        ("https://example.com/01/09780345418913?21=7;10=A", "/01/09780345418913/10/A/21/7"),
        ("https://example.com/01/614141123452", "/01/00614141123452"),
        ("https://example.com/01/96385074", "/01/00000096385074"),
        ("https://example.com/01/09780345418913/10/A%2fB", "/01/09780345418913/10/A%2FB"),
        ("https://example.com/01/09780345418913/10/%41", "/01/09780345418913/10/A"),
        ("https://example.com/SSCC/106141412345678908/", "/00/106141412345678908"),
        ("https://example.com/414/0614141073467/254/1234", "/414/0614141073467/254/1234"),
        ("https://example.com/x/01/1/01/09780345418913", "/01/09780345418913"),
        ("URN:EPC:id:sscc:0614141.1234567890", "/00/106141412345678908"),
    ],
)
def test_digital_links_of_any_domain_and_spelling(uri: str, expected: str) -> None:
    assert normal(uri) == ID + expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("", ""),
        ("带鱼-0012", "带鱼-0012"),
        ("urn:gdst:example.org:product:class:A.1", "urn:gdst:example.org:product:class:A.1"),
        ("URN:UUID:374D95FC-0000", "urn:uuid:374D95FC-0000"),
        ("GEO:0,0", "geo:0,0"),
        ("HTTPS://User:Pw@Example.COM:8443/Lot/A1?B#C", "https://User:Pw@example.com:8443/Lot/A1?B#C"),
        ("https://Example.COM", "https://example.com"),
        ("https://Example.COM?Q", "https://example.com?Q"),
        ("https://example.com/01/123", "https://example.com/01/123"),
        ("https://example.com/01/09780345418913/99/x", "https://example.com/01/09780345418913/99/x"),
        ("https://example.com/01/09780345418913/10", "https://example.com/01/09780345418913/10"),
        ("https://example.com/01/09780345418913/10/%FF", "https://example.com/01/09780345418913/10/%FF"),
        ("https://example.com/01/09780345418913/10/带鱼", "https://example.com/01/09780345418913/10/带鱼"),
        ("https://example.com/01/٠٩٧٨٠٣٤٥٤١٨٩١٣", "https://example.com/01/٠٩٧٨٠٣٤٥٤١٨٩١٣"),
        ("urn:epc:id:sscc:0614141.12345678901", "urn:epc:id:sscc:0614141.12345678901"),
        ("urn:epc:id:sgtin:0614141.107346", "urn:epc:id:sgtin:0614141.107346"),
        ("urn:epc:id:sgtin:0614141.107346.", "urn:epc:id:sgtin:0614141.107346."),
        ("urn:epc:id:sgtin:06141.41107346.1", "urn:epc:id:sgtin:06141.41107346.1"),
        ("urn:epc:id:sgln:08600031303.1", "urn:epc:id:sgln:08600031303.1"),
        ("urn:epc:idpat:sgtin:0614141.*.*", "urn:epc:idpat:sgtin:0614141.*.*"),
        ("urn:epc:idpat:sgtin:0614141.107346.5", "urn:epc:idpat:sgtin:0614141.107346.5"),
        ("urn:epc:id:bic:CSQU3054383", "urn:epc:id:bic:CSQU3054383"),
        ("https://[::1/01/09780345418913", "https://[::1/01/09780345418913"),
    ],
)
def test_everything_else_is_opaque(uri: str, expected: str) -> None:
    assert normal(uri) == expected


@pytest.mark.parametrize(("urn", "path", "prefix"), [row for row in URNS if row[1].split("/")[1] != "8004"])
def test_every_changed_digit_of_a_checked_key_is_seen(urn: str, path: str, prefix: int) -> None:
    """A mod-10 check with weights 3 and 1 sees each single digit."""
    _, ai, value, *_ = path.split("/")
    checked = {"253": 13, "255": 13, "8003": 14, "8006": 14, "401": 0, "8010": 0}.get(ai, len(value))
    for place in range(checked):
        if ai == "8003" and place == 0:
            continue  # always 0: another digit is no GRAI
        for digit in set(string.digits) - {value[place]}:
            fault = check(f"{ID}/{ai}/{value[:place]}{digit}{value[place + 1 :]}")
            assert fault is not None
            assert fault.code == "check-digit"


@pytest.mark.parametrize(
    ("digits", "due"), [("629104150021", "3"), ("37610425002123456", "9"), ("9638507", "4"), ("1061414107346", "4")]
)
def test_published_check_digits(digits: str, due: str) -> None:
    assert check_digit(digits) == due


def test_what_has_no_urn_is_refused() -> None:
    for uri, prefix in (
        ("https://example.com/", 7),
        (f"{ID}/01/10614141073464/21/2018", 5),
        (f"{ID}/01/10614141073464/21/2018", 13),
        (f"{ID}/01/10614141073464/10/A/21/2018", 7),
        (f"{ID}/8013/1987654Ad4X4bL5ttr2310c2K", 7),
    ):
        with pytest.raises(IdentifierRefused):
            to_urn(uri, prefix)


@given(st.text() | st.from_regex(r"urn:epc:(id|class|idpat):[a-z]{3,5}:[0-9.A-F%*]{0,24}", fullmatch=True))
@example("urn:epc:id:giai:000000.%")
@example("http://[")
def test_any_text_has_a_normal_form_that_is_its_own(uri: str) -> None:
    once = normal(uri)
    assert normal(once) == once
    check(uri)
    for prefix in (6, 12):
        try:
            urn = to_urn(uri, prefix)
        except RecordRefused:
            continue
        assert normal(urn) == once


paths = st.lists(
    st.sampled_from(["01", "gtin", "00", "10", "21", "414", "254", "09780345418913", "106141412345678908", "A", "%41"]),
    max_size=7,
).map("/".join)


@given(paths, st.sampled_from(["", "?10=B", "?21=%2F&10=A", "#f"]))
def test_any_path_has_a_normal_form_that_is_its_own(path: str, rest: str) -> None:
    once = normal(f"https://example.com/{path}{rest}")
    assert normal(once) == once


@pytest.mark.parametrize("number", ["CSQU3054383", "MSKU6011672", "TOLU4734787"])
def test_container_numbers(number: str) -> None:
    assert container.parse(number) == number
    assert container.parse(f"{number[:4]} {number[4:10]}-{number[10]}") == number


def test_changed_container_numbers() -> None:
    """Each changed character is refused, except where the two values differ by a multiple of eleven."""
    number = "CSQU3054383"
    unseen = []
    for place, character in enumerate(number):
        for other in string.ascii_uppercase + string.digits:
            if other != character:
                try:
                    container.parse(number[:place] + other + number[place + 1 :])
                except ContainerNumberRefused:
                    continue
                unseen.append((place, other))
    values = container.VALUES
    blind = {
        (place, other)
        for place in range(3)
        for other in string.ascii_uppercase
        if other != number[place] and (values[number[place]] - values[other]) % 11 == 0
    }
    assert set(unseen) == blind
    assert blind


@pytest.mark.parametrize("text", ["", "CSQU305438", "CSQX3054383", "csqu3054383", "CSQU3054384", "CSQU30543830"])
def test_refused_container_numbers(text: str) -> None:
    with pytest.raises(ContainerNumberRefused):
        container.parse(text)


CODES = ["91350100M000100Y43", "914403001922038216", "9144030071526726XG", "91110000802100433B"]


@pytest.mark.parametrize("code", CODES)
def test_credit_codes(code: str) -> None:
    assert credit_code.parse(code) == code
    for place, character in enumerate(code):
        for other in set(string.ascii_uppercase + string.digits) - {character}:
            with pytest.raises(CreditCodeRefused):
                credit_code.parse(code[:place] + other + code[place + 1 :])


@given(st.text())
def test_garbage_is_refused_by_name(text: str) -> None:
    for parse in (container.parse, credit_code.parse):
        with pytest.raises(IdentifierRefused):
            parse(text)


@pytest.mark.parametrize(("text", "good"), [("KGM", True), ("H87", True), ("28", True), ("K", False), ("kg", False)])
def test_units(text: str, good: bool) -> None:
    assert unit.is_unit(text) is good
    assert not unit.is_unit(text + "\n")


def test_the_identifiers_of_an_event() -> None:
    event: dict[str, Any] = {
        "type": "TransformationEvent",
        "outputEPCList": ["urn:x:out"],
        "inputQuantityList": [
            {"epcClass": "urn:epc:class:lgtin:4012345.012345.L", "quantity": {"$dec": "12.5"}, "uom": "KGM"},
            {"epcClass": f"{ID}/01/04012345123456/10/L", "quantity": {"$dec": "12.5"}, "uom": "KGM"},
            {"epcClass": f"{ID}/01/04012345123456/10/L", "quantity": 3, "uom": "KGM"},
            {"epcClass": f"{ID}/01/04012345123456/10/L"},
            {"quantity": 3},
            7,
        ],
        "inputEPCList": ["urn:x:in", "urn:x:in", "", None],
        "sdl:traceCode": [{"issuer": "浙冷链", "code": "A/1"}, {"issuer": "x"}],
        "bizTransactionList": [{"bizTransaction": "urn:x:no"}],
    }
    lot = f"{ID}/01/04012345123456/10/L"
    code = "urn:sudonglian:code:%E6%B5%99%E5%86%B7%E9%93%BE:A%2F1"
    assert identifiers_of(event) == [
        EventIdentifier("urn:x:out", "urn:x:out", "output"),
        EventIdentifier("urn:epc:class:lgtin:4012345.012345.L", lot, "input_quantity", Decimal("12.5"), "KGM"),
        EventIdentifier(lot, lot, "input_quantity", Decimal(3), "KGM"),
        EventIdentifier(lot, lot, "input_quantity"),
        EventIdentifier("urn:x:in", "urn:x:in", "input"),
        EventIdentifier(code, code, "trace_code"),
    ]
    assert trace_code("浙冷链", "A/1") == code


def test_every_role_has_its_member() -> None:
    event: dict[str, Any] = {
        "epcList": ["urn:x:1"],
        "quantityList": [{"epcClass": "urn:x:1"}],
        "parentID": "urn:x:1",
        "childEPCs": ["urn:x:1"],
        "childQuantityList": [{"epcClass": "urn:x:1"}],
        "inputEPCList": ["urn:x:1"],
        "inputQuantityList": [{"epcClass": "urn:x:1"}],
        "outputEPCList": ["urn:x:1"],
        "outputQuantityList": [{"epcClass": "urn:x:1"}],
        "sdl:traceCode": [{"issuer": "a", "code": "b"}],
    }
    roles = [identifier.role for identifier in identifiers_of(event)]
    assert roles == [
        "epc",
        "quantity",
        "parent",
        "child",
        "child_quantity",
        "input",
        "input_quantity",
        "output",
        "output_quantity",
        "trace_code",
    ]


@pytest.mark.shared
def test_the_published_canonical_forms(shared_data: Path) -> None:
    folder = shared_data / "event-hash"
    sent = json.loads((folder / "epclist_normalisation.jsonld").read_text("utf-8"))
    [event] = sent["epcisBody"]["eventList"]
    expected = (folder / "epclist_normalisation.prehashes").read_text("utf-8").partition("action=")[0].split("epc=")[1:]
    assert sorted({identifiers.normal(uri) for uri in event["epcList"]}) == [uri.strip() for uri in expected]
