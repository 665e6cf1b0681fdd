"""Signatures through the HTTP door: taken once, refused by name, told beside events and records."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain import anchor_contract, canonical, signature
from sudonglian.chain.secp256k1 import address_of_key

URI = "https://id.gs1.org/417/{}"
KEYS = {"9520001001017": b"\x01" * 32, "9520001001024": b"\x02" * 32, "9520001001093": b"\x03" * 32}
SENDER, RECEIVER, STRANGER = KEYS
ORIGIN = "sudonglian.test/log"


def command(data: Path, env: dict[str, str], *arguments: str) -> Any:
    program = Path(sys.executable).with_name("sudonglian")
    given = {"SUDONGLIAN_DATA": str(data), "PATH": "/usr/bin:/bin", **env}
    done = subprocess.run(
        [program, "--json", *arguments], check=False, env=given, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def signed(record: str, gln: str, role: Any, other: str, at: int = 1_767_573_067) -> bytes:
    party = anchor_contract.party_id(URI.format(other))
    return canonical.encode(signature.sign(KEYS[gln], ORIGIN, bytes.fromhex(record), role, party, at).to_json())


class Signing:
    """A server of its own, two firms' keys registered, and a handoff of each test's own."""

    def __init__(self, running: Any, make: Any) -> None:
        self.running, self.make, self.number = running, make, 0

    def handoff(self, **members: Any) -> str:
        self.number += 1
        named = {
            "sourceList": [{"type": "possessing_party", "source": URI.format(SENDER)}],
            "destinationList": [{"type": "possessing_party", "destination": URI.format(RECEIVER)}],
        }
        raw = self.make.document(self.make.event(7_000_000 + self.number, **(named | members)))
        answer = self.running.ask("POST", "/epcis/v2/capture", raw, token="firm")
        hashes = [one["record_hash"] for one in answer.json["records"]]
        assert len(hashes) == 1, answer
        return str(hashes[0])

    def post(self, raw: bytes, **more: Any) -> Any:
        return self.running.ask("POST", "/signatures", raw, **({"token": "firm"} | more))

    def of(self, record: str) -> Any:
        return self.running.ask("GET", f"/records/{record}/signatures", token="firm").json


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def signing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, start_once: Callable[..., Any], make: Any
) -> Iterator[Signing]:
    data = tmp_path_factory.mktemp("signing")

    def run(url: str | None) -> Iterator[Signing]:
        tokens, env = make.deploy(data, url)
        running = start_once(data, SUDONGLIAN_SEAL_AFTER="0", **env)
        running.tokens = tokens
        made = Signing(running, make)
        first = made.handoff()
        running.wait_for(f"/records/{first}", lambda value: value["anchor"]["state"] == "final", "firm")
        for gln in (SENDER, RECEIVER):
            address = f"0x{address_of_key(KEYS[gln]).hex()}"
            asked = ("--key", address, "--party", gln, "--roles", "consignor,consignee")
            command(data, env, "keys", "party", "register", *asked)
        yield made

    if request.param == "sqlite":
        yield from run(None)
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield from run(url)


def test_both_sides(signing: Signing) -> None:
    record = signing.handoff()
    assert signing.of(record)["confirmation"] == "unsigned"
    raw = signed(record, SENDER, "consignor", RECEIVER)
    first = signing.post(raw)
    assert (first.status, first.headers["location"]) == (201, f"/records/{record}/signatures")
    assert first.json["party"] == URI.format(SENDER)
    again = signing.post(raw)
    assert (again.status, again.json["digest"]) == (200, first.json["digest"])
    assert signing.of(record)["confirmation"] == "consignor"
    shown = signing.running.ask("GET", f"/records/{record}", token="firm").json
    assert (shown["confirmation"], shown["handoff"]["consignee"]) == ("consignor", URI.format(RECEIVER))
    other = signing.post(signed(record, RECEIVER, "consignee", SENDER), token="other")
    assert other.status == 201
    found = signing.running.wait_for(
        f"/records/{record}/signatures",
        lambda value: {one["state"] for one in value["signatures"]} == {"proven"},
        "firm",
    )
    assert found["confirmation"] == "both"
    bundle = signing.running.ask("GET", f"/records/{record}/bundle", token="firm").json
    assert len(bundle["records"][0]["signatures"]) == 2


def test_what_is_refused(signing: Signing) -> None:
    record, unnamed = signing.handoff(), signing.handoff(sourceList=None)
    good = signed(record, SENDER, "consignor", RECEIVER)
    assert signing.post(good).status == 201

    def slug(raw: bytes, **more: Any) -> tuple[int, str]:
        answer = signing.post(raw, **more)
        return answer.status, answer.json["type"].removeprefix("urn:sudonglian:problem:")

    assert slug(good, token=None) == (401, "unauthenticated")
    assert slug(good, token="tracer") == (403, "forbidden")
    assert slug(b"{}") == (400, "signature")
    assert slug(b"not JSON") == (400, "signature")
    assert slug(b" " * 5_000) == (413, "body-too-large")
    assert slug(good, headers={"Content-Type": "text/plain"}) == (415, "media-type")
    assert slug(good.replace(b'"consignor"', b'"consignee"')) == (400, "signature")
    assert slug(signed("ab" * 32, SENDER, "consignor", RECEIVER)) == (404, "unknown-record")
    assert slug(signed(record, STRANGER, "consignee", SENDER)) == (422, "party-key-unknown")
    assert slug(signed(record, RECEIVER, "consignor", SENDER)) == (422, "signature-party")
    assert slug(signed(record, SENDER, "consignor", RECEIVER, at=1)) == (409, "signature-role-filled")
    assert signing.post(signed(unnamed, SENDER, "consignor", STRANGER)).status == 201
    assert slug(signed(unnamed, RECEIVER, "consignee", SENDER)) == (409, "signature-counterparty")
    problem = signing.post(signed(record, STRANGER, "consignee", SENDER), headers={"Accept-Language": "zh"}).json
    assert problem["title"] == "登记中没有该密钥"
    assert signing.of(record)["confirmation"] == "consignor"


def test_beside_the_events(signing: Signing) -> None:
    item = "https://id.gs1.org/00/395200010000008888"
    record = signing.handoff(epcList=[item])
    received = signing.handoff(epcList=[item], bizStep="receiving")
    signing.post(signed(record, SENDER, "consignor", RECEIVER))
    found = signing.running.ask("GET", f"/epcis/v2/events?MATCH_anyEPC={item}", token="firm").json
    events = found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert found["sdl:records"] == [
        {"record_hash": record, "is_handoff": True, "confirmation": "consignor"},
        {"record_hash": received, "is_handoff": False, "confirmation": "unsigned"},
    ]
    assert all("confirmation" not in json.dumps(one) for one in events)
    one = signing.running.ask("GET", f"/epcis/v2/events/{events[0]['eventID']}", token="firm").json
    assert [it["record_hash"] for it in one["sdl:records"]] == [record]
    history = signing.running.ask("GET", f"/lots/{item.replace('/', '%2F')}/history", token="tracer").json
    assert [it["confirmation"] for it in history["events"]] == ["consignor", "unsigned"]


def test_how_many_wait(signing: Signing) -> None:
    before = signing.running.ask("GET", "/status").json["unconfirmed_handoffs"]
    record = signing.handoff()
    assert signing.running.ask("GET", "/status").json["unconfirmed_handoffs"] == before + 1
    signing.post(signed(record, SENDER, "consignor", RECEIVER))
    assert signing.running.ask("GET", "/status").json["unconfirmed_handoffs"] == before + 1
    signing.post(signed(record, RECEIVER, "consignee", SENDER))
    assert signing.running.ask("GET", "/status").json["unconfirmed_handoffs"] == before
    metrics = signing.running.ask("GET", "/metrics", token="operator").body.decode()
    assert f"sudonglian_unconfirmed_handoffs {before}" in metrics
    assert 'sudonglian_signatures_total{outcome="accepted"}' in metrics


def test_on_the_page_of_a_record(signing: Signing) -> None:
    record = signing.handoff()
    headers = {"Accept": "text/html"}
    path = f"/records/{record}?lang="
    assert "未确认:双方均未签名" in signing.running.ask("GET", f"{path}zh", headers=headers, token="firm").body.decode()
    signing.post(signed(record, SENDER, "consignor", RECEIVER))
    assert "unconfirmed: the consignor alone has signed" in (
        signing.running.ask("GET", f"{path}en", headers=headers, token="firm").body.decode()
    )
    signing.post(signed(record, RECEIVER, "consignee", SENDER))
    assert (
        "confirmed: both have signed"
        in signing.running.ask("GET", f"{path}en", headers=headers, token="firm").body.decode()
    )
    home = signing.running.ask("GET", "/?lang=zh", headers=headers, token="firm").body.decode()
    assert "次交接未经双方确认" in home


def test_a_server_without_a_registry_yet(tmp_path: Path, start_server: Callable[..., Any], make: Any) -> None:
    tokens, env = make.deploy(tmp_path, None)
    running = start_server(tmp_path, "--no-worker", **env)
    running.tokens = tokens
    record = Signing(running, make).handoff()
    answer = running.ask("POST", "/signatures", signed(record, SENDER, "consignor", RECEIVER), token="firm")
    assert (answer.status, answer.json["type"]) == (409, "urn:sudonglian:problem:no-registry")
    away = start_server(tmp_path, "--no-worker", SUDONGLIAN_RPC_URL="http://127.0.0.1:9", **env)
    away.tokens = tokens
    answer = away.ask("POST", "/signatures", signed(record, SENDER, "consignor", RECEIVER), token="firm")
    assert answer.status in (409, 503)
    assert away.ask("GET", f"/records/{record}/signatures", token="firm").json["signatures"] == []
