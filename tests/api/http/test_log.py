"""What anybody may read: checkpoints, entries, proofs, records, bundles; each is verified here by the ground floor."""

import base64
import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from sudonglian.chain import checkpoint, entry, lotmap, merkle
from sudonglian.chain.canonical import encode
from sudonglian.chain.record import record_hash

PALLET = "https://id.gs1.org/00/395200010000008888"


@pytest.fixture(scope="module")
def filled(served: Any, make: Any) -> Any:
    """A server with some checkpoints and records, all of them finally anchored."""
    hashes: list[str] = []
    for number in range(4):
        sent = [make.event(1000 + 10 * number + one, epcList=[PALLET]) for one in range(3)]
        job = served.ask("POST", "/epcis/v2/capture", make.document(*sent), token="firm").json
        assert job["success"]
        hashes += [one["record_hash"] for one in job["records"]]
        served.wait_for(f"/records/{hashes[-1]}", lambda one: one["log_index"] is not None, "firm")
    served.wait_for(f"/records/{hashes[-1]}", lambda one: one["anchor"]["state"] == "final", "firm")
    served.hashes = hashes
    return served


def test_checkpoints_are_signed_and_listed(filled: Any) -> None:
    newest = filled.ask("GET", "/log/checkpoint").json
    assert checkpoint.verify_note(newest["note"], newest["verifier_key"])[1:] == (
        newest["size"],
        bytes.fromhex(newest["root"]),
    )
    assert filled.ask("GET", "/log/checkpoint", headers={"Accept": "text/plain"}).body.decode() == newest["note"]
    listed = filled.ask("GET", "/log/checkpoints").json["checkpoints"]
    assert len(listed) >= 4
    assert listed[-1]["note"] == newest["note"]
    for one in listed:
        assert filled.ask("GET", f"/log/checkpoints/{one['size']}").json["note"] == one["note"]
    two = filled.ask("GET", f"/log/checkpoints?from={listed[0]['size'] + 1}&limit=2").json["checkpoints"]
    assert two == listed[1:3]
    assert filled.ask("GET", f"/log/checkpoints/{newest['size'] + 1}").status == 404
    assert filled.ask("GET", f"/log/checkpoints?from={newest['size'] + 1}").json["checkpoints"] == []


def test_entries_and_their_records_give_the_root(filled: Any) -> None:
    newest = filled.ask("GET", "/log/checkpoint").json
    first = filled.ask("GET", "/log/entries?limit=3&records=true", token="auditor").json["entries"]
    rest = filled.ask("GET", f"/log/entries?from=3&limit={newest['size'] - 3}&records=true", token="auditor").json[
        "entries"
    ]
    entries = [*first, *rest]
    assert [one["index"] for one in entries] == list(range(newest["size"]))
    leaves = [merkle.leaf_hash(one["data"].encode()) for one in entries]
    assert merkle.root(leaves).hex() == newest["root"]
    for one in entries:
        said = entry.parse_entry(one["data"].encode())
        assert isinstance(said, entry.RecordEntry) == ("record" in one)
        if isinstance(said, entry.RecordEntry):
            assert record_hash(one["record"].encode()) == said.h


def test_inclusion_and_consistency(filled: Any) -> None:
    size = filled.ask("GET", "/log/checkpoint").json["size"]
    for one in filled.hashes:
        proof = filled.ask("GET", f"/log/proof/inclusion?record={one}&size={size}").json
        path = [bytes.fromhex(it) for it in proof["path"]]
        leaf = merkle.leaf_hash(entry.record_entry(bytes.fromhex(one)))
        merkle.verify_inclusion(leaf, proof["index"], size, path, bytes.fromhex(proof["root"]))
        assert filled.ask("GET", f"/log/proof/inclusion?index={proof['index']}&size={size}").json == proof
    for start in range(1, size + 1):
        proof = filled.ask("GET", f"/log/proof/consistency?from={start}&to={size}").json
        roots = bytes.fromhex(proof["from_root"]), bytes.fromhex(proof["to_root"])
        merkle.verify_consistency(start, roots[0], size, roots[1], [bytes.fromhex(it) for it in proof["path"]])


def test_a_range(filled: Any) -> None:
    size = filled.ask("GET", "/log/checkpoint").json["size"]
    entries = filled.ask("GET", "/log/entries").json["entries"]
    leaves = [merkle.leaf_hash(one["data"].encode()) for one in entries]
    for start, end in ((0, size), (1, size), (0, size - 1), (1, 2)):
        proof = filled.ask("GET", f"/log/proof/range?from={start}&to={end}&size={size}").json
        assert (proof["from"], proof["to"], proof["size"]) == (start, end, size)
        path = [bytes.fromhex(it) for it in proof["path"]]
        merkle.verify_range(leaves[start:end], start, size, path, bytes.fromhex(proof["root"]))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/log/proof/range?from=1", 400),
        ("/log/proof/range?from=1&to=1", 404),
        ("/log/proof/range?from=1&to=9000", 404),
        ("/log/proof/range?from=-1&to=2", 400),
        ("/log/proof/inclusion", 400),
        ("/log/proof/inclusion?index=0&record=" + "0" * 64, 400),
        ("/log/proof/inclusion?index=9000", 404),
        ("/log/proof/inclusion?index=0&size=9000", 404),
        ("/log/proof/inclusion?index=3&size=2", 404),
        ("/log/proof/inclusion?index=-1", 400),
        ("/log/proof/inclusion?index=99999999999999999999", 400),
        ("/log/proof/inclusion?record=abc", 400),
        ("/log/proof/inclusion?record=" + "0" * 64, 404),
        ("/log/proof/consistency?from=0", 400),
        ("/log/proof/consistency?from=5&to=4", 404),
        ("/log/proof/consistency?from=1&to=9000", 404),
        ("/log/entries?from=99999999999999999999", 400),
        ("/log/entries?limit=1001", 400),
        ("/log/checkpoints/0", 404),
        ("/log/checkpoints/99999999999999999999999", 404),
        ("/log/checkpoints/x", 400),
        ("/records/" + "0" * 64, 404),
        ("/records/xyz", 400),
    ],
)
def test_what_is_not_there(filled: Any, path: str, status: int) -> None:
    answer = filled.ask("GET", path, token="auditor")
    assert (answer.status, answer.json["status"]) == (status, status)


def test_a_record(filled: Any) -> None:
    one = filled.ask("GET", f"/records/{filled.hashes[0]}", token="firm").json
    assert record_hash(encode(one["record"])).hex() == filled.hashes[0]
    assert json.loads(one["entry"])["h"] == filled.hashes[0]
    assert one["anchor"]["size"] > one["log_index"]
    assert len(one["anchor"]["tx"]) == 64


def test_a_lot_is_proven_complete_and_another_absent(filled: Any) -> None:
    proof = filled.ask("GET", f"/lots/{quote(PALLET, safe='')}/proof").json
    assert [one["record_hash"] for one in proof["records"]] == filled.hashes
    chain = lotmap.chain_over([bytes.fromhex(one) for one in filled.hashes])
    assert proof["value"] == {"count": len(filled.hashes), "c": chain.hex()}
    path, root = [bytes.fromhex(one) for one in proof["path"]], bytes.fromhex(proof["lots_root"])
    lotmap.verify_map(lotmap.key(PALLET), (len(filled.hashes), chain), None, path, root)
    seal = filled.ask("GET", f"/log/entries?from={proof['size'] - 1}&limit=1").json["entries"][0]["data"]
    assert json.loads(seal)["lots"] == proof["lots_root"]
    urn = filled.ask("GET", "/lots/urn:epc:id:sscc:9520001.3000000888/proof").json
    assert urn["key"] == proof["key"]
    never = "https://id.gs1.org/01/09520001002014/10/NEVER%2FSEEN"
    absent = filled.ask("GET", f"/lots/{quote(never, safe='')}/proof").json
    assert (absent["value"], absent["records"]) == (None, [])
    other = absent["other"] and lotmap.Leaf(
        bytes.fromhex(absent["other"]["key"]), absent["other"]["count"], bytes.fromhex(absent["other"]["c"])
    )
    path = [bytes.fromhex(one) for one in absent["path"]]
    lotmap.verify_map(bytes.fromhex(absent["key"]), None, other, path, bytes.fromhex(absent["lots_root"]))


@pytest.fixture(scope="module")
def trust(filled: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What an auditor would write down: from the server's own words here, the chain's headers from a bundle."""
    status = filled.ask("GET", "/status").json
    bundle = json.loads(filled.ask("GET", f"/lots/{quote(PALLET, safe='')}/bundle", token="auditor").body)
    from Crypto.Hash import keccak

    headers = []
    for anchor in bundle["anchors"]:
        header = bytes.fromhex(anchor["header"])
        headers.append(keccak.new(digest_bits=256, data=header).hexdigest())
    chain = status["chain"]
    return {
        "v": "sudonglian/trust/1",
        "logs": [{"origin": status["origin"], "key": status["verifier_key"]}],
        "chains": [
            {
                "chain_id": chain["chain_id"],
                "genesis": chain["genesis"],
                "contract": chain["contract"],
                "code_hash": chain["code_hash"],
                "finality": {"rule": "trusted-headers", "headers": headers},
            }
        ],
    }


def test_a_bundle_is_judged(filled: Any, trust: dict[str, Any]) -> None:
    answer = filled.ask("GET", f"/lots/{quote(PALLET, safe='')}/bundle", token="firm")
    assert answer.headers["sudonglian-bundle-state"] == "final"
    text = answer.body.decode()
    verdict = filled.ask("POST", "/verify", {"bundle": text, "trust": trust}).json
    assert (verdict["verdict"], verdict["completeness"]) == ("VALID", "complete"), verdict
    assert filled.ask("POST", "/verify", {"bundle": text, "trust": json.dumps(trust)}).json == verdict
    digit = "1" if text[200] != "1" else "2"
    broken = filled.ask("POST", "/verify", {"bundle": text[:200] + digit + text[201:], "trust": trust}).json
    assert filled.ask("POST", "/verify", {"bundle": text, "trust": {**trust, "x": 1 << 70}}).status == 400
    assert broken["verdict"] == "INVALID"
    nobody = {**trust, "logs": [], "chains": []}
    assert filled.ask("POST", "/verify", {"bundle": text, "trust": nobody}).json["verdict"] == "INDETERMINATE"


def test_only_the_firm_itself_discloses(filled: Any) -> None:
    path = f"/records/{filled.hashes[0]}/bundle"
    assert filled.ask("GET", path, token="firm").status == 200
    asked = f"{path}?disclose=eventID"
    assert filled.ask("GET", asked).status == 401
    for token in ("other", "capturer", "tracer", "operator"):
        assert filled.ask("GET", asked, token=token).status == 403
    assert filled.ask("GET", f"{asked}&lot={quote(PALLET, safe='')}", token="firm").status == 403
    shown = filled.ask("GET", asked, token="firm").json
    salted = shown["records"][0]["disclosures"][0]
    assert json.loads(base64.urlsafe_b64decode(salted + "=="))[1] == "eventID"


def test_health_and_metrics(filled: Any) -> None:
    assert filled.ask("GET", "/healthz").json == {"ok": True}
    assert filled.wait_for("/readyz", lambda one: one["ready"])["worker"]
    text = filled.ask("GET", "/metrics", token="operator").body.decode()
    counted = re.search(r'sudonglian_captured_events_total\{outcome="accepted"\} (\d+)\n', text)
    assert counted is not None
    assert int(counted[1]) >= len(filled.hashes)
    assert 'sudonglian_refusals_total{reason="not-in-log"}' in text
    size = filled.ask("GET", "/status").json["log"]["size"]
    shown = re.search(r"sudonglian_log_entries (\d+)\n", text)
    assert shown is not None
    assert 0 < int(shown[1]) <= size
    assert all(line.startswith("#") or len(line.rsplit(" ", 1)) == 2 for line in text.splitlines())
