"""Two firms and an auditor by commands alone: keys made and registered, a handoff signed offline, taken, confirmed."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain import keystore, secp256k1

Run = Callable[..., Any]

SENDER, RECEIVER = "9520001001017", "9520001001024"
URI = "https://id.gs1.org/417/{}"
PALLET = "https://id.gs1.org/00/395200010000007775"


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyfiles that open fast; how hard they are by default is tested with the keystore."""
    monkeypatch.setattr(keystore, "SCRYPT_N", 1 << 10)
    monkeypatch.setattr(keystore.encrypt, "__kwdefaults__", {"n": 1 << 10})


def event(number: int, **members: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "eventTime": "2026-01-05T08:30:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "eventID": f"urn:uuid:6f0b2f3a-1111-4c3e-9f43-{number:012x}",
        "epcList": [PALLET],
        "sourceList": [{"type": "possessing_party", "source": URI.format(SENDER)}],
        "destinationList": [{"type": "possessing_party", "destination": URI.format(RECEIVER)}],
        **members,
    }


def document(*events: dict[str, Any]) -> str:
    return json.dumps(
        {
            "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-01-05T01:00:00Z",
            "epcisBody": {"eventList": list(events)},
        }
    )


@pytest.fixture
def signed(run: Run, tmp_path: Path) -> tuple[Run, str]:
    """A deployment with a handoff in it and both firms' keys registered; each key's file is named after its firm."""
    (tmp_path / "word").write_text("correct horse\n")
    (tmp_path / "handoff.json").write_text(document(event(1)))
    record = run("capture", str(tmp_path / "handoff.json"), "--json").json["records"][0]["record_hash"]
    assert run("anchor").code == 0
    for name, gln in (("sender", SENDER), ("receiver", RECEIVER)):
        made = run("keys", "party", "create", "--keyfile", str(tmp_path / name), *word(tmp_path), "--json")
        assert made.code == 0
        told = run(*register(made.json["address"], gln), "--json")
        assert (told.code, told.json["state"], told.json["party"]) == (0, "in force", URI.format(gln))
    return run, record


def word(folder: Path) -> tuple[str, str]:
    return "--passphrase-file", str(folder / "word")


def register(address: str, gln: str, roles: str = "consignor,consignee") -> tuple[str, ...]:
    return "keys", "party", "register", "--key", address, "--party", gln, "--roles", roles


def sign(run: Run, folder: Path, what: str, who: str, role: str, other: str, *more: str) -> Any:
    with open(folder / "data" / "keys" / "log.json") as file:
        origin = json.load(file)["origin"]
    given = ("sign", what, "--role", role, "--counterparty", other, "--keyfile", str(folder / who))
    return run(
        *given, *(() if "--trust" in more or "--checkpoint" in more else ("--origin", origin)), *word(folder), *more
    )


def test_two_firms_and_an_auditor(signed: tuple[Run, str], tmp_path: Path) -> None:
    run, record = signed
    trust, bundle = str(tmp_path / "trust.json"), str(tmp_path / "bundle.json")
    assert run("status", "--json").json["unconfirmed_handoffs"] == 1
    assert "unconfirmed: nobody has signed" in run("show", record).out

    first = sign(run, tmp_path, record, "sender", "consignor", RECEIVER, "-o", str(tmp_path / "a.json"))
    assert first.code == 0
    taken = run("signature", "add", str(tmp_path / "a.json"), "--json")
    assert (taken.code, taken.json["taken"], taken.json["unchanged"]) == (0, 1, 0)
    assert taken.json["signatures"][0]["party"] == URI.format(SENDER)
    assert run("anchor").code == 0
    shown = run("show", record, "--json").json
    assert (shown["confirmation"], shown["signatures"][0]["state"]) == ("consignor", "proven")
    assert shown["handoff"] == {"consignor": URI.format(SENDER), "consignee": URI.format(RECEIVER)}
    assert "unconfirmed: the consignor alone has signed" in run("show", record).out
    assert "未确认" in run("show", record, "--lang", "zh").out
    assert "unconfirmed" in run("history", PALLET).out
    assert run("history", PALLET, "--json").json["events"][0]["confirmation"] == "consignor"
    assert run("status", "--json").json["unconfirmed_handoffs"] == 1
    run("trust", "add", "-o", trust)
    run("bundle", record, "-o", bundle)
    assert run("verify", bundle, "--trust", trust, "--json").json["confirmation"] == "consignor"

    # The other side signs what it was sent: the bundle itself, for the log that its own trust file names.
    second = sign(run, tmp_path, bundle, "receiver", "consignee", SENDER, "--trust", trust, "-o", str(tmp_path / "b"))
    assert second.code == 0
    assert "shipping" in second.err
    assert run("signature", "add", str(tmp_path / "b"), str(tmp_path / "a.json"), "--json").json["unchanged"] == 1
    assert run("anchor").code == 0
    run("trust", "add", "-o", trust)
    run("bundle", record, "-o", bundle)
    verdict = run("verify", bundle, "--trust", trust, "--json").json
    assert (verdict["verdict"], verdict["confirmation"]) == ("VALID", "both")
    assert run("status", "--json").json["unconfirmed_handoffs"] == 0
    assert "confirmed: consignor and consignee have signed" in run("signature", "list", record).out
    assert len(run("signature", "list", record, "--json").json["signatures"]) == 2
    run("bundle", "--lot", PALLET, "-o", bundle)
    assert run("verify", bundle, "--trust", trust, "--json").json["confirmation"] == "both"
    assert run("fsck").code == 0


def test_a_trace_tells_who_signed_what_it_rests_on(signed: tuple[Run, str], tmp_path: Path) -> None:
    run, record = signed
    people = [{"personRef": {"kind": "phone", "value": "19900000001"}, "role": "loader", "contact": "opened"}]
    (tmp_path / "more.json").write_text(document(event(2, **{"sdl:participants": people})))
    other = run("capture", str(tmp_path / "more.json"), "--json").json["records"][0]["record_hash"]
    asked = ("trace", PALLET, "--at", "2026-01-05T12:00:00+08:00", "--purpose", "a drill", "--json")
    assert run(*asked).json["confirmations"][other] == "unsigned"
    sign(run, tmp_path, other, "sender", "consignor", RECEIVER, "-o", str(tmp_path / "a"))
    run("signature", "add", str(tmp_path / "a"))
    first = run(*asked).json
    assert first["confirmations"][other] == "consignor"
    assert record not in {one["record_hash"] for member in first["members"] for one in member["walk"]}


def test_signing_needs_no_deployment(run: Run, tmp_path: Path) -> None:
    (tmp_path / "word").write_text("x")
    made = run("keys", "party", "create", "--keyfile", str(tmp_path / "key"), *word(tmp_path), "--json").json
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    asked = ("sign", "ab" * 32, "--role", "consignee", "--counterparty", SENDER, "--keyfile", str(tmp_path / "key"))
    done = run(*asked, "--origin", "a.example/log", "--at", "2026-01-05T08:30:00+08:00", *word(tmp_path))
    value = json.loads(done.out)
    assert (value["record"], value["role"], value["signed_at"]) == ("ab" * 32, "consignee", 1_767_573_000)
    assert "0x" + value["signer"] == made["address"].lower()
    assert not (tmp_path / "data").exists()
    key = keystore.decrypt((tmp_path / "key").read_bytes(), "x")
    assert secp256k1.address_of_key(key).hex() == value["signer"]


def test_the_record_as_the_server_gives_it_and_a_checkpoint(signed: tuple[Run, str], tmp_path: Path) -> None:
    run, record = signed
    run("bundle", record, "-o", str(tmp_path / "bundle.json"))
    inner = json.loads((tmp_path / "bundle.json").read_text())["records"][0]["record"]
    (tmp_path / "record.json").write_text(json.dumps({"record_hash": record, "record": inner}, indent=2))
    (tmp_path / "note").write_text(run("log", "checkpoint").out)
    more = ("--checkpoint", str(tmp_path / "note"), "--json")
    made = sign(run, tmp_path, str(tmp_path / "record.json"), "sender", "consignor", RECEIVER, *more)
    assert made.json["record_hash"] == record
    (tmp_path / "s").write_text(json.dumps(made.json["signature"]))
    assert run("signature", "add", str(tmp_path / "s")).code == 0


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--role", "carrier"), "usage"),
        (("--counterparty", "9520001001018"), "usage"),
        (("--counterparty", "no party"), "usage"),
        (("--origin", "one", "--checkpoint", "x"), "usage"),
        (("--origin", "no origin"), "usage"),
        (("--keyfile", "absent"), "file"),
        (("--at", "yesterday"), "usage"),
        (("--passphrase-file", "absent"), "file"),
    ],
)
def test_wrong_usage(run: Run, tmp_path: Path, more: tuple[str, ...], code: str) -> None:
    (tmp_path / "word").write_text("x")
    run("keys", "party", "create", "--keyfile", str(tmp_path / "key"), *word(tmp_path))
    given = {"--role": "consignor", "--counterparty": SENDER, "--keyfile": str(tmp_path / "key"), "--origin": "a"}
    given |= {"--passphrase-file": str(tmp_path / "word")} | dict(zip(more[::2], more[1::2], strict=True))
    done = run("sign", "ab" * 32, *(part for pair in given.items() for part in pair), "--json")
    assert (done.code, done.json["error"]["code"]) == (64, code)


def test_what_is_signed_must_be_a_record(run: Run, tmp_path: Path) -> None:
    (tmp_path / "word").write_text("x")
    run("keys", "party", "create", "--keyfile", str(tmp_path / "key"), *word(tmp_path))
    asked = ("--role", "consignor", "--counterparty", SENDER, "--keyfile", str(tmp_path / "key"), "--origin", "a")
    for raw, code in ((b"\xff", "usage"), (b"[]", "record"), (b"{}", "record"), (b'{"record": 1}', "record")):
        (tmp_path / "file").write_bytes(raw)
        done = run("sign", str(tmp_path / "file"), *asked, *word(tmp_path), "--json")
        assert (done.code > 0, done.json["error"]["code"]) == (True, code), raw
    assert run("sign", "absent", *asked, *word(tmp_path)).code == 64


def test_passphrases(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("keys", "party", "create", "--keyfile", str(tmp_path / "key"), "--json")
    assert run(*asked).json["error"]["place"] == "--passphrase-file"
    (tmp_path / "word").write_bytes(b"\n")
    assert run(*asked, *word(tmp_path)).code == 64
    (tmp_path / "word").write_bytes(b"\xff")
    assert run(*asked, *word(tmp_path)).code == 64
    assert not (tmp_path / "key").exists()
    monkeypatch.setenv("SUDONGLIAN_PASSPHRASE", "from the environment")
    assert run(*asked).code == 0
    assert run(*asked).json["error"]["code"] == "file"
    monkeypatch.setenv("SUDONGLIAN_PASSPHRASE", "another")
    sign_ = ("sign", "ab" * 32, "--role", "consignor", "--counterparty", SENDER, "--origin", "a")
    done = run(*sign_, "--keyfile", str(tmp_path / "key"), "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "keystore-passphrase")


def test_refusals_of_intake(signed: tuple[Run, str], tmp_path: Path) -> None:
    run, record = signed
    sign(run, tmp_path, record, "sender", "consignor", RECEIVER, "-o", str(tmp_path / "good"))
    sign(run, tmp_path, record, "receiver", "consignor", SENDER, "-o", str(tmp_path / "wrong side"))
    sign(run, tmp_path, "ab" * 32, "sender", "consignor", RECEIVER, "-o", str(tmp_path / "of nothing"))
    (tmp_path / "garbage").write_text("{")
    names = [str(tmp_path / name) for name in ("good", "wrong side", "of nothing", "garbage")]
    done = run("signature", "add", *names, "--json")
    assert (done.code, done.json["taken"]) == (1, 1)
    codes = [one["code"] for one in done.json["refused"]]
    assert codes == ["signature-party", "unknown-record", "signature"]
    assert "与记录所载的交接方不符" in run("signature", "add", names[1], "--lang", "zh").err
    assert run("signature", "add", str(tmp_path / "absent"), "--json").code == 64


def test_the_registrar(signed: tuple[Run, str], tmp_path: Path) -> None:
    run, record = signed
    listed = run("keys", "party", "list", "--json").json["keys"]
    assert [(one["party"], one["state"]) for one in listed] == [
        (URI.format(SENDER), "in force"), (URI.format(RECEIVER), "in force")
    ]  # fmt: skip
    old = listed[0]["address"]
    assert run(*register(old, SENDER), "--json").json["error"]["code"] == "registry-refused"
    assert run(*register("0x12", SENDER)).code == 64
    assert run(*register("0x" + "11" * 20, "952000100101")).code == 64
    assert run(*register("0x" + "11" * 20, SENDER, "carrier")).code == 64
    unknown = run("keys", "party", "show", "0x" + "11" * 20, "--json")
    assert (unknown.code, unknown.json["state"]) == (1, "unknown")
    new = run("keys", "party", "create", "--keyfile", str(tmp_path / "new"), *word(tmp_path), "--json").json["address"]
    rotated = run("keys", "party", "rotate", old, new, "--json").json
    assert (rotated["address"], rotated["party"], rotated["state"]) == (new, URI.format(SENDER), "in force")
    assert run("keys", "party", "show", old, "--json").json["state"] == "expired"
    sign(run, tmp_path, record, "sender", "consignor", RECEIVER, "-o", str(tmp_path / "old"))
    done = run("signature", "add", str(tmp_path / "old"), "--json")
    assert done.json["refused"][0]["code"] == "party-key-expired"
    assert run("keys", "party", "revoke", new, "--json").json["state"] == "revoked"
    sign(run, tmp_path, record, "new", "consignor", RECEIVER, "-o", str(tmp_path / "gone"))
    done = run("signature", "add", str(tmp_path / "gone"), "--json")
    assert done.json["refused"][0]["code"] == "party-key-revoked"
    (tmp_path / "poor.key").write_text("11" * 32 + "\n")
    (tmp_path / "poor.key").chmod(0o600)
    poor = run("keys", "party", "revoke", new, "--registrar", str(tmp_path / "poor.key"), "--json")
    assert poor.json["error"]["code"] == "not-registrar"
    assert run("fsck").code == 0


def test_before_anything_is_anchored(run: Run, tmp_path: Path) -> None:
    assert run("keys", "party", "list", "--json").json["error"]["code"] == "no-deployment"
    (tmp_path / "handoff.json").write_text(document(event(1)))
    record = run("capture", str(tmp_path / "handoff.json"), "--json").json["records"][0]["record_hash"]
    assert run(*register("0x" + "11" * 20, SENDER), "--json").json["error"]["code"] == "no-registry"
    assert run("keys", "party", "list", "--json").json["keys"] == []
    (tmp_path / "word").write_text("x")
    run("keys", "party", "create", "--keyfile", str(tmp_path / "sender"), *word(tmp_path))
    sign(run, tmp_path, record, "sender", "consignor", RECEIVER, "-o", str(tmp_path / "a"))
    done = run("signature", "add", str(tmp_path / "a"), "--json")
    assert (done.code, done.json["refused"][0]["code"]) == (1, "no-registry")
