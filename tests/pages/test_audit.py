"""The auditor's page: any id, each step with its numbers, what was checked against which chain, and how to repeat it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from sudonglian.api.commands import sample

PALLET = sample.stories()["frozen-fish"]["seed"]
LABEL = "(00)395200010000000028"


def asked(visitor: Any, name: str) -> Any:
    return visitor.get(f"/audit.json?q={quote(name, safe='')}").json


def test_a_lot_is_complete_for_the_public_without_a_word_of_its_records(site: Any) -> None:
    visitor = site.visitor()
    page = visitor.get(f"/audit?lang=en&q={quote(LABEL)}")
    assert page.status == 200
    (found,) = asked(visitor, PALLET)["found"]
    assert (found["kind"], found["id"], found["verdict"]) == ("lot", PALLET, "VALID")
    assert found["facts"]["records"] == len(found["records"]) > 1
    assert {one["name"] for one in found["steps"]} >= {
        "checkpoint",
        "consistency",
        "storage",
        "finality",
        "chain",
        "lots",
    }
    for number in (f"{found['facts']['records']} records, chain", "rootAt[", "Checked against: chain"):
        assert number in page.text
    assert all(one in page.text for one in found["records"])
    log = asked(visitor, PALLET)["log"]
    assert log["contracts"][0]["contract"] in page.text
    assert log["contracts"][0]["code_hash"] in page.text
    submitters = {site.run("show", one)["submitter"] for one in found["records"]}
    assert not [one for one in submitters if one in page.text]


def test_what_nobody_named_is_absent_by_proof(site: Any) -> None:
    (found,) = asked(site.visitor(), "https://id.gs1.org/00/395200010000099995")["found"]
    assert (found["verdict"], found["facts"]["records"], found["records"]) == ("VALID", 0, [])
    assert "no record" in found["steps"][-1]["detail"]


def test_a_record_for_the_public_and_for_who_may_read_it(site: Any) -> None:
    (lot,) = asked(site.visitor(), PALLET)["found"]
    digest = lot["records"][0]
    (public,) = asked(site.visitor(), digest)["found"]
    (whole,) = asked(site.visitor(signed_in=True), f"0x{digest}")["found"]
    assert public["kind"] == whole["kind"] == "record"
    assert public["verdict"] == whole["verdict"] == "VALID"
    assert "not yours to read" in public["steps"][0]["detail"]
    assert "signatures" not in {one["name"] for one in public["steps"]}
    assert "signatures" in {one["name"] for one in whole["steps"]}
    assert any(f"/records/{digest}/bundle" in line for line in public["commands"])


def test_a_root_a_transaction_a_block_a_contract_and_a_size(site: Any) -> None:
    visitor = site.visitor()
    seen = visitor.get("/audit.json").json
    newest = seen["checkpoints"][0]
    names = [str(newest["size"]), newest["root"], newest["transaction"], f"0x{seen['log']['contracts'][0]['contract']}"]
    kinds = [asked(visitor, name)["found"][0]["kind"] for name in names]
    assert kinds == ["checkpoint", "checkpoint", "anchor", "anchor"]
    (anchor,) = asked(visitor, newest["transaction"])["found"]
    assert anchor["facts"]["state"] == "FINAL"
    assert anchor["facts"]["root"] == newest["root"]
    assert asked(visitor, anchor["facts"]["block_hash"])["found"] == [anchor]
    assert asked(visitor, names[0])["found"][0]["facts"]["root"] == newest["root"]
    assert visitor.get("/audit.csv").text.splitlines()[1].startswith(f"{newest['size']},{newest['root']}")


def test_two_sizes(site: Any) -> None:
    visitor = site.visitor()
    size = visitor.get("/audit.json").json["log"]["size"]
    (whole,) = visitor.get(f"/audit.json?from={size}&to={size}").json["found"]
    assert whole["verdict"] == "VALID"
    (unsigned,) = visitor.get(f"/audit.json?from=3&to={size}").json["found"]
    assert unsigned["verdict"] == "INDETERMINATE"
    assert "path of" in unsigned["steps"][0]["detail"]
    assert "Checked against no chain" in visitor.get(f"/audit?lang=en&from=3&to={size}").text
    for wrong in ("from=3", "from=9&to=3", "from=1&to=99999999", "from=x&to=3"):
        assert visitor.get(f"/audit?{wrong}").status in (400, 404), wrong


@pytest.mark.parametrize("name", ["nothing", "ff" * 32, "0x" + "11" * 20, "9" * 15, "access:0", "' or 1=1", "(00)1"])
def test_what_is_nothing_is_said_beside_the_box(site: Any, name: str) -> None:
    for lang, word in (("en", "Look at the id again"), ("zh", "请检查编号")):
        page = site.visitor().get(f"/audit?lang={lang}&q={quote(name, safe='')}")
        assert page.status in (400, 404)
        assert word in page.text
        assert 'id="q"' in page.text


def test_the_access_log_is_for_its_auditors(site: Any) -> None:
    auditor = site.visitor()
    assert auditor.post("/sign-in", {"key": site.api_key("access-log")}).status == 303
    tracer = site.visitor(signed_in=True)
    site.run("trace", PALLET, "--at", "2024-11-10T14:00:00+08:00", "--purpose", "drill")
    assert tracer.get("/audit?q=access:0").status == 400
    (found,) = asked(auditor, "access:0")["found"]
    assert found["kind"] == "access"
    assert {one["name"] for one in found["steps"]} >= {"private", "checkpoint"}
    assert found["verdict"] != "INVALID"


def test_a_file_without_a_trust_file_is_judged_by_the_servers_and_that_is_said(site: Any, tmp_path: Path) -> None:
    (lot,) = asked(site.visitor(), PALLET)["found"]
    file = tmp_path / "proof.json"
    site.run("bundle", lot["records"][0], "-o", str(file))
    whole = file.read_bytes()
    visitor = site.visitor()
    page = upload(visitor, whole)
    assert "VALID, by this server" in page.text
    assert "Judged by this server with its own trust" in page.text
    bent = json.loads(whole)
    bent["records"][0]["index"] += 1
    assert "INVALID" in upload(visitor, json.dumps(bent).encode()).text


def upload(visitor: Any, bundle: bytes) -> Any:
    token = visitor.get("/audit").token
    parts = [f'--x\r\nContent-Disposition: form-data; name="form"\r\n\r\n{token}\r\n'.encode()]
    for field, name, data in (("bundle", "proof.json", bundle), ("trust", "", b"")):
        head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        parts += [head.encode(), data, b"\r\n"]
    headers = {"Accept": "text/html", "Content-Type": "multipart/form-data; boundary=x"}
    return visitor.ask("POST", "/verify?lang=en", b"".join([*parts, b"--x--\r\n"]), headers)


@pytest.mark.chromium
@pytest.mark.parametrize(("lang", "width", "words"), [("zh", 1440, "核对所依据的链"), ("en", 390, "Checked against")])
def test_in_a_browser_without_a_script(
    site: Any, chromium: Browser, tmp_path: Path, lang: str, width: int, words: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/audit?lang={lang}")
    page.fill("#q", PALLET)
    page.press("#q", "Enter")
    assert words in page.content()
    assert page.locator(".verdict.VALID").count() == 1
    page.locator("ol a").first.click()
    assert page.locator(".verdict.VALID").count() == 1
    page.screenshot(path=tmp_path / f"audit-{lang}.png", full_page=True)
    context.close()
