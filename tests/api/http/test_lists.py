"""Lists over HTTP: the same as by command, as document and as sheets, for whoever may trace."""

import io
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest

NAME = "https://id.gs1.org/01/09520001002014/10/LISTED"
LOT = quote(NAME, safe="")


@pytest.fixture(scope="module")
def sold(served: Any, make: Any) -> Any:
    """The server with a lot of 342 pieces, of which 66 are sold."""
    place = {"readPoint": {"id": "https://id.gs1.org/414/9520001001048"}, "epcList": None}
    made = make.event(
        8801, action="ADD", bizStep="commissioning", quantityList=[{"epcClass": NAME, "quantity": 342}], **place
    )
    gone = make.event(8802, bizStep="retail_selling", quantityList=[{"epcClass": NAME, "quantity": 66}], **place)
    assert served.ask("POST", "/epcis/v2/capture", make.document(made, gone), token="firm").status == 202
    return served


def test_a_list_as_document_and_as_sheet(sold: Any) -> None:
    told = sold.ask("GET", f"/lots/{LOT}/list", token="tracer").json
    assert (told["totals"][0]["in_stock"], told["totals"][0]["sold"]) == ("276", "66")
    answer = sold.ask("GET", f"/lots/{LOT}/list?form=xlsx&lang=en", token="tracer")
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    assert openpyxl.load_workbook(io.BytesIO(answer.body)).sheetnames == ["list", "totals", "movements", "unexplained"]
    answer = sold.ask("GET", f"/lots/{LOT}/cn?form=csv&at=urn%3Ax", token="tracer")
    assert answer.body.decode("utf-8-sig").splitlines()[0].startswith("序号,品名")


@pytest.mark.parametrize("query", ["as_of=now", "form=pdf", "direction=up", "size=-1", "at=x", "nosuch=1"])
def test_a_list_asked_wrongly(served: Any, query: str) -> None:
    for what in ("list", "cn"):
        answer = served.ask("GET", f"/lots/{LOT}/{what}?{query}", token="tracer")
        assert answer.status == 400, answer
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_fsma_spreadsheet_is_of_the_keys_own_firm(sold: Any, make: Any) -> None:
    there = {"readPoint": {"id": "https://id.gs1.org/414/9520001001048"}, "epcList": None}
    sent = make.event(8803, quantityList=[{"epcClass": NAME, "quantity": 5, "uom": "KGM"}], **there)
    assert sold.ask("POST", "/epcis/v2/capture", make.document(sent), token="firm").status == 202
    told = sold.ask("GET", f"/fsma204?lot={LOT}", token="firm").json
    assert [one["quantity"] for one in told["rows"]] == ["5"]
    assert "immediate subsequent recipient" in told["rows"][0]["missing"]
    assert sold.ask("GET", f"/fsma204?lot={LOT}", token="reader").json["rows"] == told["rows"]
    assert sold.ask("GET", f"/fsma204?lot={LOT}", token="other").json["rows"] == []
    assert sold.ask("GET", "/fsma204?form=xlsx", token="firm").body.startswith(b"PK")
    assert sold.ask("GET", "/fsma204?from=now", token="firm").status == 400


def test_labels_over_http(sold: Any) -> None:
    answer = sold.ask("POST", "/labels", {"epcs": [NAME, "(00)395200010000000028"], "count": 2}, token="firm")
    assert (answer.status, answer.body.count(b"<text"), answer.body.count(b"<svg")) == (200, 4, 1)
    assert "attachment" in answer.headers["content-disposition"]
    printed = sold.ask("POST", "/labels", {"epcs": [NAME], "count": 30, "file": "pdf"}, token="firm")
    assert (printed.status, printed.headers["content-type"]) == (200, "application/pdf")
    assert (printed.body[:5], printed.body.count(b"/Type/Page/")) == (b"%PDF-", 2)
    assert sold.ask("POST", "/labels", {"epcs": [NAME], "file": "svg"}, token="firm").status in (400, 422)
    assert sold.ask("POST", "/labels", {"epcs": ["urn:x:y"]}, token="firm").status == 422
    assert sold.ask("POST", "/labels", {"epcs": ["no"]}, token="firm").status == 400
    assert sold.ask("POST", "/labels", {"records": ["0" * 64]}, token="firm").status == 404
    assert sold.ask("POST", "/labels", {"epcs": [NAME] * 6_000, "count": 2}, token="firm").status in (413, 422)
