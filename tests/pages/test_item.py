"""The scan page: a label leads to it, it says what the public may know and nothing else, and strange codes are refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from sudonglian.api.http.links import LinkMalformed, read
from sudonglian.chain.identifiers import normal

PALLET = "/00/395200010000000028"
LOT = "/01/09520001002014/10/BJ241018"
API = "application/json"

FIRMS = re.compile(r"417/\d{13}|\(417\)")
"""Who gives and who takes."""


def test_a_scanned_label_opens_its_page(site: Any) -> None:
    visitor = site.visitor()
    answer = visitor.get(PALLET + "?17=271017&lang=en")
    assert (answer.status, answer.headers["location"]) == (307, f"/item{PALLET}?17=271017&lang=en")
    answer = visitor.get(f"/item{PALLET}?17=271017&lang=en")
    assert (answer.status, "Pallet 2" in answer.text or "pallet 2" in answer.text) == (200, True)
    told = visitor.get(f"/item.json{PALLET}", accept=API).json
    assert told["own_records"] is True
    assert set(told["papers"]) == {"cert", "testres", "customs-declaration"}
    assert told["proof"]["state"] == "final"
    assert told["origin"] == "NO"
    steps = [one["step"] for one in told["steps"]]
    assert steps[0] == "commissioning"
    assert told["records"] == len(steps)


def test_the_page_shows_no_partner_no_person_and_no_other_buyer(site: Any) -> None:
    visitor = site.visitor()
    for path in (PALLET, LOT):
        for page in (visitor.get(f"/item{path}"), visitor.get(f"/item.json{path}", accept=API)):
            assert page.status == 200
            assert not FIRMS.search(page.text)
            for hidden in ("CIQ", "19900000", "participants", "消毒员", "海角", "云陌"):
                assert hidden not in page.text, (path, hidden)


def test_an_item_of_a_known_lot_is_not_said_to_be_known_itself(site: Any) -> None:
    visitor = site.visitor()
    told = visitor.get(f"/item.json{LOT}/21/77", accept=API).json
    assert (told["own_records"], told["known_as"]) == (False, f"https://id.gs1.org{LOT}")
    assert "没有这一件货物自己的记录" in visitor.get(f"/item{LOT}/21/77?lang=zh").text
    assert "没有这一件货物自己的记录" not in visitor.get(f"/item{LOT}?lang=zh").text
    assert visitor.get("/item/01/09520001002014/21/77").status == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/00/395200010000000029", 400),
        ("/00/395200010000999995", 404),
        ("/01/09520001002014/10/%zz", 400),
        ("/01/09520001002014/10/%00", 400),
        ("/01/09520001002014/10/%FF%FE", 400),
        ("/01/09520001002014/10/%E9%B1%88", 400),
        ("/01/09520001002014/10/A%2F..%2F..%2Fetc%2Fpasswd", 404),  # a lot may be called so
        ("/01/../../../etc/passwd", 400),
        ("/01/..%2F..%2Fetc", 400),
        ("/01/", 400),
        ("/01//09520001002014", 400),
        ("/01/09520001002014/10", 400),
        ("/01/09520001002014/10/A/10/B", 400),
        ("/01/09520001002014/99/A", 400),
        ("/01/x/00/395200010000000028", 400),
        ("/01/09520001002014/10/" + "A" * 5_000, 400),
        ("/00/%33%39%35%32%30%30%30%31%30%30%30%30%30%30%30%30%32%38", 307),
        ("/00/395200010000000028/", 307),
        ("/00/395200010000000028?linkType=%00", 404),
    ],
)
def test_strange_codes_are_told_apart(site: Any, path: str, status: int) -> None:
    visitor = site.visitor()
    for accept in (API, "text/html"):
        answer = visitor.get(path, accept=accept)
        assert answer.status == status, (path, answer.text[:200])
        if status != 307:
            kind = "text/html" if accept == "text/html" else "application/problem+json"
            assert answer.headers["content-type"].startswith(kind)
    prefixed = visitor.get("/item" + path.partition("?")[0])
    assert prefixed.status == (200 if status == 307 or "linkType" in path else status)


KEYS = (
    "urn:epc:id:sscc:9520001.3000000777",
    "urn:epc:id:sgtin:9520001.000207.777",
    "urn:epc:id:grai:9520001.12345.777",
    "urn:epc:id:giai:9520001.777",
    "urn:epc:id:gdti:9520001.12345.777",
    "urn:epc:id:sgcn:9520001.12345.777",
    "urn:epc:id:ginc:9520001.777",
    "urn:epc:id:gsin:9520001.000000777",
    "urn:epc:id:itip:9520001.000207.01.02.777",
    "urn:epc:id:cpi:9520001.777.777",
    "https://id.gs1.org/8010/9520001ABC/8011/7",
    "https://id.gs1.org/8006/095200010020760102/10/L7/21/8",
    "https://id.gs1.org/01/09520001002076/10/A%2FB/21/9",
)
"""Of things that go through hands, in each kind of GS1 key."""


def test_a_key_of_every_kind_that_a_record_names_leads_to_its_page(desk: Any, tmp_path: Path) -> None:
    event = {
        "@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": "storing",
        "eventTime": "2025-01-05T08:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [*KEYS],
        "quantityList": [{"epcClass": "urn:epc:class:lgtin:9520001.000207.LOT7", "quantity": 1}],
    }
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(event))
    assert desk.run("capture", str(file))["accepted"] == 1
    visitor = desk.visitor()
    for one in (*KEYS, "urn:epc:class:lgtin:9520001.000207.LOT7"):
        link = normal(one)
        path = link.removeprefix("https://id.gs1.org")
        assert visitor.get(path, accept=API).headers["location"] == f"/item{path}", one
        told = visitor.get(f"/item.json{path}", accept=API)
        assert (told.status, told.json["known_as"], told.json["own_records"]) == (200, link, True), one
        assert visitor.get(f"/item{path}").status == 200
        other = path.replace("777", "778").replace("LOT7", "LOT8").replace("ABC", "ABD").replace("/8", "/6")
        assert visitor.get(other.replace("/21/9", "/21/5"), accept=API).status in (307, 400, 404)


def test_of_a_place_or_firm_the_public_is_told_the_same_whether_records_name_it_or_not(site: Any) -> None:
    visitor = site.visitor()
    known, room = "/414/9520001001031", "/414/9520001001031/254/room-b"
    pages = {
        visitor.get(f"/item{path}?lang=zh").text.replace(path[5:18], "").replace("/254/room-b", "")
        for path in (known, "/414/9520001009990")
    }
    assert len({re.sub(r"[0-9]{13}", "", page) for page in pages}) == 1
    for path in (known, room, "/414/9520001009990", "/417/9520001001031"):
        assert visitor.get(path, accept=API).headers["location"] == f"/item{path}"
        told = visitor.get(f"/item.json{path}", accept=API).json
        assert (told["is_place"], told["name"], told["records"], told["steps"]) == (True, None, 0, [])
        assert "地点或单位的编码" in visitor.get(f"/item{path}?lang=zh").text
    assert visitor.get("/414/9520001001032", accept=API).status == 400
    for path, asked in ((room, "WD_readPoint"), ("/417/9520001001031", "EQ_source_possessing_party")):
        answer = visitor.get(f"{path}?linkType=gs1:epcis", accept=API)
        assert answer.headers["location"].startswith(f"/epcis/v2/events?{asked}=https%3A%2F%2Fid.gs1.org%2F4")


@pytest.mark.parametrize("path", ["", "/", "00", "00/", "//", "01/1/21", "x" * 700, "00/395200010000000028/x/y"])
def test_what_is_no_link_is_named_as_such(path: str) -> None:
    with pytest.raises(LinkMalformed):
        read(path)


def test_the_linkset_names_every_link_and_may_be_read_from_anywhere(site: Any) -> None:
    visitor = site.visitor()
    for answer in (
        visitor.get(f"{PALLET}?linkType=all", accept=API),
        visitor.get(f"{PALLET}?linkType=linkset", accept=API),
        visitor.get(PALLET, accept="application/linkset+json"),
    ):
        assert answer.headers["content-type"] == "application/linkset+json"
        assert answer.headers["access-control-allow-origin"] == "*"
        (one,) = answer.json["linkset"]
        assert one["anchor"].endswith(PALLET)
        assert one["https://gs1.org/voc/defaultLink"] == [one["https://gs1.org/voc/pip"][0]]
        assert {"https://gs1.org/voc/epcis", "https://gs1.org/voc/traceability"} <= set(one)
    answer = visitor.get(f"{PALLET}?linkType=gs1:traceability", accept=API)
    assert answer.headers["location"] == f"/item{PALLET}"
    assert 'rel="linkset"' in answer.headers["link"]
    answer = visitor.get(f"{PALLET}?linkType=https://gs1.org/voc/epcis&17=271017", accept=API)
    assert (
        answer.headers["location"] == "/epcis/v2/events?MATCH_anyEPC=https%3A%2F%2Fid.gs1.org%2F00%2F395200010000000028"
    )
    answer = visitor.get(f"{PALLET}?linkType=gs1:recipeInfo", accept=API)
    assert (answer.status, "gs1:pip" in answer.text) == (404, True)
    told = visitor.get("/.well-known/gs1resolver", accept=API).json
    assert {"00", "01", "414", "8004"} <= set(told["supportedPrimaryKeys"])


def test_a_forged_host_leads_nowhere_else(site: Any) -> None:
    answer = site.visitor().get(PALLET, accept=API, Host="evil.example")
    assert answer.headers["location"] == f"/item{PALLET}"


@pytest.mark.chromium
def test_the_page_on_a_telephone(site: Any, chromium: Browser) -> None:
    for lang, word in (("zh", "一码溯源"), ("en", "Where it is from")):
        page = chromium.new_page(viewport={"width": 390, "height": 800})
        page.goto(f"{site.url}{PALLET}?lang={lang}")
        assert page.url == f"{site.url}/item{PALLET}?lang={lang}"
        assert page.locator(".kicker").inner_text() == word
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/00/395200010000000029?lang=zh", "校验位应为 8"),
        ("/00/395200010000999995?lang=zh", "没有记录或单位提到它"),
        ("/01/09520001002014/10?lang=zh", "不是 GS1 标识及其限定符"),
        ("/temperature?lang=zh&lot=rubbish", "'rubbish' 不是标识;请写"),
    ],
)
def test_why_something_is_refused_is_told_in_chinese(site: Any, path: str, told: str) -> None:
    text = site.visitor().get(path).text
    assert told in re.sub(r"&#0?39;", "'", text)
    english = site.visitor().get(path.replace("lang=zh", "lang=en")).text
    assert told not in english
