"""A clerk's page: a sheet is looked at, its mistakes stand beside their rows, the corrected one is taken, with receipts."""

import base64
import io
import re
import zlib
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Browser, expect

from sudonglian.api.pages import session, uploading

FIRM = "https://id.gs1.org/417/9520001003004"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="session")
def clerk_key(desk: Any) -> str:
    """A firm's key."""
    made = desk.run(
        "keys", "api", "create", "--name", "clerk", "--scope", "capture", "--scope", "read-own", "--submitter", FIRM
    )
    token: str = made["token"]
    return token


@pytest.fixture
def clerk(desk: Any, clerk_key: str) -> Any:
    """A clerk who has signed in."""
    visitor = desk.visitor()
    assert visitor.post("/sign-in", {"key": clerk_key}).status == 303
    return visitor


def filled(visitor: Any, name: str) -> bytes:
    """Give the template's examples under numbers of this test's own."""
    body: bytes = visitor.get("/template.csv?lang=en").body
    return body.replace(b"EXAMPLE-", name.encode())


def send(
    visitor: Any, do: str, data: bytes = b"", name: str = "sheet.csv", path: str = "/upload?lang=en", **fields: str
) -> Any:
    told = {"form": fields.pop("form", None) or visitor.get("/upload").token, "do": do, **fields}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in told.items()
    ]
    if data:
        head = (
            f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
        )
        parts.append(head.encode() + data + b"\r\n")
    body = b"".join(parts) + b"--b--\r\n"
    return visitor.ask("POST", path, body, {"Accept": "text/html", "Content-Type": "multipart/form-data; boundary=b"})


def carried(answer: Any) -> str:
    found = re.search(r'name="carried" value="([^"]+)"', answer.text)
    assert found is not None
    return found[1]


def test_looking_writes_nothing_and_sending_gives_receipts(clerk: Any) -> None:
    body = filled(clerk, "PAGE-A-")
    for _ in range(2):
        seen = send(clerk, "preview", body)
        assert seen.status == 200
        assert "2 handoffs would be new, 0 are known" in seen.text
        assert "3 rows, 2 handoffs, 3 items" in seen.text
    taken = send(clerk, "take", name="sheet.csv", carried=carried(seen))
    assert "2 handoffs new, 0 known before" in taken.text
    [first, *_] = re.findall(r'href="(/records/[0-9a-f]{64})[?"]', taken.text)
    assert clerk.get(first).status == 200
    assert "0 handoffs new, 2 known before" in send(clerk, "take", body).text


def test_mistakes_stand_beside_their_rows_and_the_corrected_sheet_is_taken(clerk: Any) -> None:
    right = filled(clerk, "PAGE-B-")
    wrong = right.replace(b"09520001002014", b"09520001002015", 1)
    seen = send(clerk, "preview", wrong, path="/upload?lang=zh")
    assert "有 1 处错误,尚未写入任何内容" in seen.text
    assert "校验位应为 4" in seen.text
    [row] = re.findall(r'<tr class="error">(.*?)</tr>', seen.text, re.DOTALL)
    assert "CSV 2" in row
    assert re.search(r"PAGE-B-\S* · .* · 09520001002015 · ", row), row
    assert 'value="take"' not in seen.text
    # Nothing of a sheet with a mistake is taken, so nothing is said to be.
    assert "没有错误的交接" in seen.text
    assert "将收下的交接" not in seen.text
    copy = send(clerk, "copy", carried=carried(seen))
    assert (copy.headers["content-type"], "attachment" in copy.headers["content-disposition"]) == (XLSX, True)
    book = openpyxl.load_workbook(io.BytesIO(copy.body))
    cells = [cell for line in book.worksheets[0].iter_rows() for cell in line]
    assert any("check digit" in str(cell.value) for cell in cells)
    refused = send(clerk, "take", wrong)
    assert "Mistakes: 1. Nothing is written." in refused.text
    [bad] = [cell for cell in cells if cell.value == "09520001002015"]
    bad.value = "09520001002014"
    out = io.BytesIO()
    book.save(out)
    assert "2 handoffs new, 0 known before" in send(clerk, "take", out.getvalue(), "errors.xlsx").text


def test_what_is_right_may_be_sent_alone_and_the_rest_later(clerk: Any) -> None:
    right = filled(clerk, "PAGE-G-")
    wrong = right.replace(b"09520001002014", b"09520001002015", 1)
    seen = send(clerk, "preview", wrong)
    assert "Send the faultless handoffs alone (1)" in seen.text
    part = send(clerk, "proceed", carried=carried(seen))
    assert "Taken in part" in part.text
    assert "1 handoffs new, 0 known before; not taken: 1 (mistakes: 1)" in part.text
    assert len(set(re.findall(r'href="(/records/[0-9a-f]{64})', part.text))) == 1
    assert send(clerk, "copy", carried=carried(part)).headers["content-type"] == XLSX
    assert 'value="proceed"' not in part.text
    # Sent again as it is, nothing more is taken; corrected, what was left out is.
    assert 'value="proceed"' not in send(clerk, "preview", wrong).text
    assert "1 handoffs new, 1 known before" in send(clerk, "take", right).text


def test_a_button_that_is_none_of_the_page_is_refused(clerk: Any) -> None:
    for pressed in ("", "Take", "all"):
        answer = send(clerk, pressed, filled(clerk, "PAGE-H-"))
        assert answer.status == 400
        assert 'href="/upload' in answer.text


def test_a_row_is_shown_without_its_people(clerk: Any) -> None:
    sheet = (
        "handoff no,step,time,place,item,lot,quantity,unit,handler,handler number,number kind,role\n"
        "PAGE-D,shipping,2026-01-05 08:30,9520001001017,09520001002015,A1,2,KGM,Zhang San,13800000001,telephone,driver\n"
    )
    seen = send(clerk, "preview", sheet.encode())
    assert "PAGE-D" in seen.text
    assert "13800000001" not in seen.text
    assert "Zhang San" not in seen.text


def test_who_may_not_send_is_told(desk: Any, clerk: Any) -> None:
    body = filled(clerk, "PAGE-E-")
    nobody = desk.visitor()
    assert " disabled>" in nobody.get("/upload").text
    assert send(nobody, "take", body).status == 401
    tracer = desk.visitor(signed_in=True)
    assert " disabled>" in tracer.get("/upload").text
    assert send(tracer, "take", body).status == 403
    assert send(clerk, "take", body, form="0" * 64).status == 403
    assert "2 handoffs would be new" in send(clerk, "preview", body).text


@pytest.mark.parametrize(
    ("data", "fields", "status"),
    [
        (b"", {}, 400),
        (b"", {"carried": "!!"}, 400),
        (b"", {"carried": "AAAA"}, 400),
        (b"a,b\n1,2\n", {}, 400),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), {}, 400),
        (b"x" * (33 * 2**20), {}, 413),
    ],
)
def test_what_cannot_be_read_is_a_page_that_leads_back(
    clerk: Any, data: bytes, fields: dict[str, str], status: int
) -> None:
    answer = send(clerk, "preview", data, **fields)
    assert answer.status == status
    assert 'href="/upload' in answer.text
    assert "Traceback" not in answer.text


def test_a_bomb_that_the_page_is_said_to_have_carried_is_refused(clerk: Any) -> None:
    bomb = uploading._carried(bytes(uploading.MAX_CARRIED))
    assert send(clerk, "preview", carried=bomb).status == 400
    larger = base64.b64encode(zlib.compress(bytes(200 * 2**20))).decode()
    assert send(clerk, "preview", carried=larger).status == 400


def test_what_a_clerk_is_judged_by_is_said_and_asked(desk: Any, clerk: Any) -> None:
    made = desk.run(
        "keys", "api", "create", "--name", "c", "--scope", "capture", "--submitter", FIRM, "--profile", "cn-import"
    )
    judged = desk.visitor()
    judged.cookies[session.KEY_COOKIE] = made["token"]
    assert "cn-import" in judged.get("/upload").text
    seen = send(judged, "take", filled(clerk, "PAGE-F-").replace(b"NO-M123", b""))
    assert "registration number of the overseas plant is needed" in seen.text
    assert "Nothing is written." in seen.text


@pytest.mark.chromium
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(("lang", "size"), [("zh", (390, 844)), ("en", (1440, 900))])
def test_in_a_browser(
    desk: Any, clerk_key: str, chromium: Browser, tmp_path: Path, lang: str, size: tuple[int, int], scripts: bool
) -> None:
    number = f"WINDOW-{lang}-{scripts}-".encode()
    right = (
        desk.visitor()
        .get(f"/template.csv?lang={lang}")
        .body.replace(b"EXAMPLE-", number)
        .replace("示例".encode(), number)
    )
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(right.replace(b"09520001002014", b"09520001002015", 1))
    good = tmp_path / "good.csv"
    good.write_bytes(right)
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=scripts,
        locale={"zh": "zh-CN", "en": "en"}[lang],
    )
    try:
        page = context.new_page()
        page.goto(f"{desk.url}/sign-in?lang={lang}")
        page.fill("#key", clerk_key)
        page.locator("form.ask:has(#key) button").click()
        page.goto(f"{desk.url}/upload?lang={lang}")
        page.set_input_files("#file", wrong)
        page.click("button[value=preview]")
        expect(page.locator("tr.error")).to_have_count(1)
        expect(page.locator("tr.error")).to_contain_text({"zh": "校验位应为 4", "en": "check digit"}[lang])
        if scripts:
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        with page.expect_download() as saved:
            page.click("button[value=copy]")
        assert saved.value.suggested_filename == "sudonglian-errors.xlsx"
        page.set_input_files("#file", good)
        page.click("button[value=preview]")
        page.click("button[value=take]")
        expect(page.locator("#receipts")).to_be_visible()
        page.click("section table a >> nth=0")
        expect(page).to_have_url(re.compile("/records/[0-9a-f]{64}"))
    finally:
        context.close()
