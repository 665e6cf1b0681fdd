"""Sheets over HTTP: the template comes back filled, mistakes with their rows, hostile files as problems and never a 500."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest
from tests.records.filled_sheets import LACKS, MEETS, Form, heading, rows, sheet

from sudonglian.api.http.routes.sheets import CSV, XLSX


def send(
    server: Any, body: bytes, query: str = "", kind: str = CSV, token: str | None = "firm", lang: str = "en"
) -> Any:
    headers = {"Content-Type": kind, "Accept-Language": lang}
    return server.ask("POST", f"/import{query}", body, token=token, headers=headers)


def filled(server: Any, name: str) -> bytes:
    body: bytes = server.ask("GET", "/template.csv?lang=en").body
    return body.replace(b"EXAMPLE-", name.encode())


def test_a_template_is_public_and_comes_in_both_languages(served: Any) -> None:
    for lang, name in (("zh", "交接"), ("en", "handoffs")):
        answer = served.ask("GET", "/template.xlsx", headers={"Accept-Language": lang})
        assert answer.status == 200
        assert answer.headers["content-type"] == XLSX
        assert openpyxl.load_workbook(io.BytesIO(answer.body)).sheetnames[0] == name


def test_a_sheet_is_foreseen_taken_and_unchanged_when_it_comes_again(served: Any) -> None:
    body = filled(served, "AGAIN-")
    for _ in range(2):
        told = send(served, body, "?preview=true").json
        assert (told["accepted"], told["unchanged"], told["written"]) == (2, 0, False)
    taken = send(served, body)
    assert (taken.status, taken.json["accepted"]) == (202, 2)
    job = served.ask("GET", taken.headers["location"], token="firm").json
    assert (job["success"], job["accepted"], job["errors"]) == (True, 2, [])
    assert send(served, body).json["unchanged"] == 2
    assert send(served, body, token="other").json["accepted"] == 2


def test_a_mistake_is_told_with_its_row_and_can_be_corrected_in_a_copy(served: Any) -> None:
    body = filled(served, "WRONG-").replace(b"09520001002014", b"09520001002015", 1)
    answer = send(served, body, lang="zh")
    assert (answer.status, answer.json["type"]) == (422, "urn:sudonglian:problem:sheet-rows")
    [error] = answer.json["errors"]
    assert (error["row"], error["column"], error["code"], error["text"]) == (2, "item", "check-digit", "09520001002015")
    assert error["detail"] == "校验位应为 4"
    assert error["pointer"] == "/CSV/2/item"
    copy = send(served, body, "?preview=true&copy=csv").body
    assert send(served, body, "?behaviour=proceed").json["accepted"] == 1
    told = send(served, copy.replace(b"09520001002015", b"09520001002014")).json
    assert (told["accepted"], told["unchanged"]) == (1, 1)


@pytest.mark.parametrize("profile", MEETS)
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_sheet_meets_a_profile_or_is_told_which_cell_lacks(served: Any, profile: str, form: Form) -> None:
    kind, number = {"xlsx": XLSX, "csv": CSV}[form], f"{profile}-{form}"
    _, row, key, code = next(one for one in LACKS if one[0] == profile)
    refused = send(served, sheet(form, rows(profile, number, (row, key))), f"?profile={profile}", kind)
    assert (refused.status, refused.json["type"]) == (422, "urn:sudonglian:problem:sheet-rows")
    [error] = refused.json["errors"]
    assert (error["code"], error["row"], error["column"]) == (code, 2 + row, heading(form, key))
    taken = send(served, sheet(form, rows(profile, number)), f"?profile={profile}", kind)
    assert (taken.status, taken.json["accepted"]) == (202, 1)


@pytest.mark.parametrize(
    ("body", "kind", "token", "status", "slug"),
    [
        (b"", CSV, "firm", 400, "sheet"),
        (b"a,b\n1,2\n", CSV, "firm", 400, "sheet-header"),
        (b"PK\x03\x04" + bytes(100), XLSX, "firm", 400, "sheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", XLSX, "firm", 400, "sheet-kind"),
        (b"a", "application/json", "firm", 415, "media-type"),
        (b"a", CSV, None, 401, "unauthenticated"),
        (b"a", CSV, "tracer", 403, "forbidden"),
    ],
)
def test_what_is_refused(served: Any, body: bytes, kind: str, token: str | None, status: int, slug: str) -> None:
    answer = send(served, body, kind=kind, token=token)
    assert (answer.status, answer.json["type"]) == (status, f"urn:sudonglian:problem:{slug}")


def test_a_bomb_is_refused_before_it_is_unfolded(served: Any) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parcel:
        parcel.writestr("[Content_Types].xml", "<Types/>")
        parcel.writestr("xl/workbook.xml", "<workbook/>")
        parcel.writestr("xl/worksheets/sheet1.xml", bytes(64_000_000))
    answer = send(served, out.getvalue(), kind=XLSX, lang="zh")
    assert (answer.status, answer.json["type"]) == (413, "urn:sudonglian:problem:sheet-too-large")
    assert "解压" in answer.json["detail"]


def form(*parts: tuple[str, str, bytes], kind: str = "text/csv") -> bytes:
    """Give a form's body: of each part the field, the name of a file or nothing, what it holds."""
    body = b""
    for field, name, data in parts:
        told = f'; filename="{name}"\r\nContent-Type: {kind}' if name else ""
        body += f'--b\r\nContent-Disposition: form-data; name="{field}"{told}\r\n\r\n'.encode() + data + b"\r\n"
    return body + b"--b--\r\n"


FORM = "multipart/form-data; boundary=b"


def test_a_form_with_a_file_is_taken_as_the_file(served: Any, make: Any) -> None:
    body = filled(served, "FORM-")
    told = send(served, form(("file", "交接.csv", body)), kind=FORM)
    assert (told.status, told.json["accepted"]) == (202, 2)
    assert send(served, body).json["unchanged"] == 2
    for number, (name, kind) in enumerate(
        (("a.json", "application/json"), ("a.json", "application/octet-stream"), ("a", "text/plain"))
    ):
        document = make.document(make.event(8_100 + number))
        answer = served.ask(
            "POST",
            "/epcis/v2/capture",
            form(("file", name, document), kind=kind),
            token="firm",
            headers={"Content-Type": FORM},
        )
        assert (answer.status, answer.json["accepted"]) == (202, 1), answer.json
    broken = served.ask(
        "POST",
        "/epcis/v2/capture",
        form(("file", "a.xml", b"{}"), kind="text/xml"),
        token="firm",
        headers={"Content-Type": FORM},
    )
    assert broken.status == 400


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (form(("sheet", "a.csv", b"x")), 400, "usage"),
        (form(("file", "", b"x")), 400, "usage"),
        (form(("file", "a.csv", b"x"), ("file", "b.csv", b"x")), 400, "usage"),
        (form(("file", "a.csv", b"x"), ("preview", "", b"true")), 400, "usage"),
        (b"--b\r\nnonsense", 400, "usage"),
        (b"", 400, "usage"),
        (form(("file", "a.csv", b"")), 400, "sheet"),
        (form(("file", "a.csv", bytes(32 * 2**20 + 1))), 413, "body-too-large"),
        (form(("file", "a.csv", bytes(33 * 2**20))), 413, "body-too-large"),
    ],
)
def test_forms_that_hold_no_file(served: Any, body: bytes, status: int, slug: str) -> None:
    answer = send(served, body, kind=FORM)
    assert (answer.status, answer.json["type"]) == (status, f"urn:sudonglian:problem:{slug}")
