"""A handoff signed in a browser: with the firm's own key, which nobody is sent, and byte for byte as the command signs."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect
from starlette.requests import Request as HttpRequest

from sudonglian.api.pages import rendering
from sudonglian.chain import keystore, secp256k1, signature

GIVER, TAKER = "9520001003103", "9520001003110"
PASSPHRASE = "correct horse 电池 staple"
SCOPES = ("--scope", "capture", "--scope", "read-own")


def uri(gln: str) -> str:
    return f"https://id.gs1.org/417/{gln}"


@dataclass
class Firms:
    """Two firms with their keys in files, and a server that knows them."""

    site: Any
    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)
    handoffs: list[str] = field(default_factory=list)

    def key(self, name: str) -> bytes:
        return keystore.decrypt((self.folder / name).read_bytes(), PASSPHRASE)

    def visitor(self, gln: str) -> Any:
        visitor = self.site.visitor()
        assert visitor.post("/sign-in", {"key": self.tokens[gln]}).status == 303
        return visitor


SHEET = "handoff no,step,time,place,from,to,item\n" + "".join(
    f"SIGN-{n},shipping,2026-01-0{n} 08:30,9520001001017,{GIVER},{TAKER},39520001000005{code}\n"
    for n, code in ((1, "0016"), (2, "0023"), (3, "0030"), (4, "0047"))
)


@pytest.fixture(scope="module")
def firms(tmp_path_factory: pytest.TempPathFactory, serve: Any) -> Iterator[Firms]:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "passphrase").write_text(PASSPHRASE)
    with serve(tmp_path_factory.mktemp("signing") / "data") as site:
        made = Firms(site, folder)
        for gln in (GIVER, TAKER):
            made.tokens[gln] = site.run(*("keys", "api", "create", "--name", gln, *SCOPES, "--submitter", uri(gln)))[
                "token"
            ]
        visitor = site.visitor()
        headers = {"Content-Type": "text/csv", "Authorization": f"Bearer {made.tokens[GIVER]}"}
        sent = visitor.ask("POST", "/import", SHEET.encode(), headers)
        assert sent.status == 202, sent.text
        made.handoffs = [one["record_hash"] for one in sent.json["records"]]
        site.run("anchor")
        for name, gln, revoked in (
            ("giver.key", GIVER, False),
            ("taker.key", TAKER, False),
            ("revoked.key", GIVER, True),
            ("unknown.key", "", False),
        ):
            # Few rounds, for the test's sake: what is opened is the same kind of file.
            private = bytes([len(name)]) * 31 + name[:1].encode()
            (folder / name).write_bytes(keystore.encrypt(private, PASSPHRASE, n=2**12))
            address = "0x" + secp256k1.address_of_key(private).hex()
            if gln:
                site.run(
                    "keys", "party", "register", "--key", address, "--party", gln, "--roles", "consignor,consignee"
                )
            if revoked:
                site.run("keys", "party", "revoke", address)
        yield made


def test_the_inbox_is_of_both_sides_and_of_nobody_else(firms: Firms) -> None:
    giver, taker = firms.visitor(GIVER), firms.visitor(TAKER)
    for visitor, role in ((giver, "consignor"), (taker, "consignee")):
        told = visitor.get("/mine/inbox.json?all=1").json["handoffs"]
        assert [one["record_hash"] for one in told] == firms.handoffs[::-1]
        assert {one["role"] for one in told} == {role}
        shown = visitor.get("/mine/inbox?all=1&lang=en")
        assert re.findall(r'href="/mine/sign/([0-9a-f]{64})', shown.text) == firms.handoffs[::-1]
        assert shown.headers["content-security-policy"].count("script-src") == 0
    first = taker.get("/mine/inbox?all=1&perPage=3&lang=en")
    more = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert more is not None
    assert firms.handoffs[0] in taker.get(more[1].replace("&amp;", "&")).text
    rows = taker.get("/mine/inbox.csv?all=1&lang=en").body.decode("utf-8-sig").splitlines()
    assert len(rows) == 5
    assert taker.get("/mine/inbox.xlsx").body[:2] == b"PK"
    stranger = firms.site.visitor(signed_in=True)
    assert stranger.get("/mine/inbox").status == 403
    other = firms.site.run("keys", "api", "create", "--name", "o", *SCOPES, "--submitter", uri("9520001003127"))
    outside = firms.site.visitor()
    outside.post("/sign-in", {"key": other["token"]})
    assert outside.get("/mine/inbox.json?all=1").json["handoffs"] == []
    assert outside.get(f"/mine/sign/{firms.handoffs[0]}").status == 403
    assert "Nothing waits for your signature" in outside.get("/mine/inbox?lang=en").text


def test_without_a_script_the_command_signs_and_the_page_takes_its_file(firms: Firms, tmp_path: Path) -> None:
    record = firms.handoffs[0]
    visitor = firms.visitor(TAKER)
    shown = visitor.get(f"/mine/sign/{record}?lang=en").text
    asked = re.search(r"sudonglian (sign [^<]*?)</pre>", shown)
    assert asked is not None
    words = asked[1].replace("\\\n", " ").split()
    words[words.index("firm.key")] = str(firms.folder / "taker.key")
    words[words.index("signature.json")] = str(tmp_path / "signature.json")
    firms.site.run(*words, "--passphrase-file", str(firms.folder / "passphrase"))
    made = (tmp_path / "signature.json").read_text()
    path = f"/mine/sign/{record}"
    # Of another record, malformed, none at all: said on the page, with what to do.
    for wrong in ("", "{}", made.replace(record, firms.handoffs[1])):
        answer = visitor.post(f"{path}?lang=en", {"signature": wrong}, on=path)
        assert answer.status == 400
        assert "The signature is not taken" in answer.text
    assert visitor.post(f"{path}?lang=en", {"signature": made}, on=path).status == 303
    assert "We have signed." in visitor.get(f"{path}?lang=en").text
    assert visitor.get(f"{path}.json").json["signed"][0]["role"] == "consignee"
    assert record not in visitor.get("/mine/inbox").text
    assert record in visitor.get("/mine/inbox?all=1").text


@dataclass
class Watched:
    """A browser's page, and everything that it has asked for."""

    page: Page
    asked: list[Request] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def sent(self) -> bytes:
        """Return every byte that left the browser, addresses and bodies."""
        return b"\n".join(
            one.url.encode() + b"\n" + json.dumps(one.all_headers()).encode() + b"\n" + (one.post_data_buffer or b"")
            for one in self.asked
        )


@pytest.fixture
def watched(request: pytest.FixtureRequest, firms: Firms, chromium: Browser) -> Iterator[Watched]:
    lang, width = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, locale={"zh": "zh-CN", "en": "en-GB"}[lang]
    )
    seen = Watched(context.new_page())
    context.on("request", lambda asked: seen.asked.append(asked))
    seen.page.on("pageerror", lambda error: seen.wrong.append(str(error)))
    seen.page.on("console", lambda said: seen.wrong.append(said.text) if said.type == "error" else None)
    yield seen
    context.close()


def enter(page: Page, firms: Firms, gln: str) -> None:
    page.goto(firms.site.url + "/sign-in")
    page.locator("#key").fill(firms.tokens[gln])
    page.locator("form.ask:has(#key) button").click()
    page.wait_for_url("**/mine")


def sign(page: Page, firms: Firms, keyfile: str, passphrase: str = PASSPHRASE) -> None:
    page.locator("#keyfile").set_input_files(firms.folder / keyfile)
    page.locator("#passphrase").fill(passphrase)
    page.locator("#sign-now").click()


WORDS = {
    "zh": (
        "我方已签名",
        "口令打不开这个密钥文件",
        "没有登记在贵方名下",
        "已被吊销",
        "请选贵方自己的密钥",
        "（我方）确认：已从",
    ),
    "en": (
        *("We have signed.", "The passphrase does not open this keyfile", "not registered for your firm"),
        *("The key was revoked", "Choose your own firm's key", "(us) confirms: we have received these goods from"),
    ),
}


@pytest.mark.signing
@pytest.mark.chromium
@pytest.mark.parametrize("watched", [("zh", 390), ("en", 1440)], ids=["zh-phone", "en-desktop"], indirect=True)
def test_a_handoff_is_signed_in_the_browser_and_the_key_stays(
    firms: Firms, watched: Watched, request: pytest.FixtureRequest
) -> None:
    lang = "zh" if "zh" in request.node.callspec.id else "en"
    done, wrong_passphrase, unregistered, _, _, took = WORDS[lang]
    record = firms.handoffs[1 if lang == "zh" else 2]
    page = watched.page
    enter(page, firms, TAKER)
    page.goto(f"{firms.site.url}/mine/inbox")
    page.locator(f'a[href^="/mine/sign/{record}"]').click()
    expect(page.locator("main")).to_contain_text(took)
    page.locator("#keyfile").set_input_files(firms.folder / "unknown.key")
    expect(page.locator("[data-say=unregistered]")).to_contain_text(unregistered)
    sign(page, firms, "taker.key", "correct horse")
    expect(page.locator("[data-say=passphrase]")).to_contain_text(wrong_passphrase)
    page.locator("#keyfile").set_input_files({"name": "x.key", "mimeType": "text/plain", "buffer": b"{}"})
    page.locator("#sign-now").click()
    expect(page.locator("[data-say=keyfile]")).to_be_visible()
    sign(page, firms, "taker.key")
    expect(page.locator("[role=status]").first).to_contain_text(done)
    sizes = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert sizes[0] <= sizes[1]
    assert watched.wrong == []
    # What the log has is a signature that the command makes of the same words, byte for byte.
    [one] = firms.visitor(TAKER).get(f"/mine/sign/{record}.json").json["signed"]
    origin = firms.visitor(TAKER).get(f"/mine/sign/{record}.json").json["origin"]
    signed = signature.parse(one["signature"])
    signed.verify(origin)
    again = signature.sign(
        firms.key("taker.key"), origin, bytes.fromhex(record), "consignee", signed.counterparty, signed.signed_at
    )
    assert again.to_json() == one["signature"]
    # And nothing of the key has left the browser.
    sent = watched.sent()
    file = json.loads((firms.folder / "taker.key").read_text())["crypto"]
    private = firms.key("taker.key")
    assert signed.sig.hex().encode() in sent, "the signature itself is sent"
    for secret in (
        *(private, private.hex().encode(), PASSPHRASE.encode(), b"staple"),
        *(file["ciphertext"].encode(), file["kdfparams"]["salt"].encode(), file["mac"].encode()),
    ):
        assert secret not in sent
    # The page could not have opened a connection even if its script had wanted to.
    policy = firms.visitor(TAKER).get(f"/mine/sign/{firms.handoffs[3]}").headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy


@pytest.mark.signing
@pytest.mark.chromium
@pytest.mark.parametrize("watched", [("en", 1440), ("zh", 390)], ids=["en", "zh"], indirect=True)
def test_a_key_that_may_not_sign_is_told_why(firms: Firms, watched: Watched, request: pytest.FixtureRequest) -> None:
    lang = request.node.callspec.id
    *_, revoked, other, _ = WORDS[lang]
    page = watched.page
    enter(page, firms, GIVER)
    path = f"{firms.site.url}/mine/sign/{firms.handoffs[3]}"
    for keyfile, sentence in (("revoked.key", revoked), ("taker.key", other)):
        page.goto(path)
        sign(page, firms, keyfile)
        expect(page.locator(".note.bad[aria-labelledby=refused]")).to_contain_text(sentence)
    page.goto(path)
    sign(page, firms, "unknown.key")
    expect(page.locator(".note.bad[aria-labelledby=refused]")).to_be_visible()
    assert firms.visitor(GIVER).get(f"/mine/sign/{firms.handoffs[3]}.json").json["signed"] == []


@pytest.mark.signing
@pytest.mark.chromium
@pytest.mark.parametrize("watched", [("en", 1440)], ids=["en"], indirect=True)
def test_a_record_that_is_not_its_hash_is_not_signed(firms: Firms, watched: Watched) -> None:
    page = watched.page
    enter(page, firms, GIVER)
    page.goto(f"{firms.site.url}/mine/sign/{firms.handoffs[3]}")
    page.evaluate("document.getElementById('record-text').textContent += ' '")
    sign(page, firms, "giver.key")
    expect(page.locator("[data-say=record]")).to_be_visible()
    assert firms.visitor(GIVER).get(f"/mine/sign/{firms.handoffs[3]}.json").json["signed"] == []


@pytest.mark.parametrize(("can_sign", "said"), [(True, False), (False, True)])
def test_where_the_modules_are_missing_the_page_says_so(can_sign: bool, said: bool) -> None:
    scope = {"type": "http", "method": "GET", "path": "/mine/sign/x", "query_string": b"lang=en", "headers": []}
    party = {"id": uri(GIVER), "name": "x"}
    row = {"event_us": 0, "step": "shipping", "place": "", "things": [], "confirmation": "unsigned"}
    values: dict[str, Any] = {
        "can_sign": can_sign,
        "may_send": True,
        "refused": None,
        "is_signed": False,
        "signed": [],
        "keys": [],
        "hash": "0" * 64,
        "role": "consignor",
        "other": uri(TAKER),
        "counterparty_id": "1" * 64,
        "origin": "o",
        "parties": {"consignor": party, "consignee": party},
        "row": row,
        "body": "{}",
    }
    shown = bytes(rendering.page(HttpRequest(scope), "sign.html", None, values).body).decode()
    assert ("scripts/browser-modules install" in shown) is said
    assert ("<script" in shown) is not said
    assert "sudonglian sign " + "0" * 64 in shown
