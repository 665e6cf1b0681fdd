"""Anchoring on a QBFT chain: an anvil whose blocks are sealed again, on their way out, as Besu's validators seal them.

No Besu is in any registry that tests can reach. The proxy changes what QBFT changes, extra data, block hashes and with
them parent hashes, and leaves state, receipts and proofs to the node; test_qbft_besu holds Besu's own headers.
"""

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import rlp as third_party
from eth_keys.main import KeyAPI

from sudonglian.api import settings
from sudonglian.api.wiring import House
from sudonglian.chain import bundle as bundles_of
from sudonglian.chain import canonical, trust
from sudonglian.chain import header as headers
from sudonglian.chain.errors import TrustRefused
from sudonglian.chain.evm import JsonRpcNetwork
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import HeaderMismatch, header_rlp
from sudonglian.chain.trust_from_node import merge, trust_from
from sudonglian.chain.verify import verify
from sudonglian.records import fsck
from sudonglian.records.bundles import make_bundle

KEYS = [KeyAPI.PrivateKey(keccak256(bytes([n]))) for n in range(4)]
ADDRESSES = [key.public_key.to_canonical_address() for key in KEYS]


class Validators:
    """Four validators in front of a node."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.lists = True
        """Whether headers list the validators; where a contract chooses them they do not."""
        self.offers = True
        """Whether qbft_… is among the node's methods."""
        self.told = ADDRESSES
        self.seals = True
        """Whether they are there at all."""
        self.chain_id = 0
        """Another than the node's, if it is not zero: development chains are known by theirs."""
        self._sealed: dict[str, tuple[str, str]] = {}
        self._lock = threading.RLock()

    def answer(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        with self._lock:
            if method == "qbft_getValidatorsByBlockNumber" and self.offers:
                return {"result": ["0x" + one.hex() for one in self.told]}
            if method == "eth_chainId" and self.chain_id:
                return {"result": hex(self.chain_id)}
            said = self._ask(method, parameters)
            if not self.seals:
                return said
            if isinstance(result := said.get("result"), dict) and "extraData" in result:
                self._name(result)
            else:
                self._rename(result)
            return said

    def _ask(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(self.node, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as response:
            return dict(json.loads(response.read()))

    def _name(self, block: dict[str, Any]) -> str:
        """Give a block its seals, its parent's new hash and its own; return that."""
        old, number = block["hash"], int(block["number"], 16)
        if number:
            before = self._ask("eth_getBlockByNumber", [hex(number - 1), False])["result"]
            found = self._sealed.get(before["hash"])
            block["parentHash"] = found[0] if found else self._name(before)
        if old not in self._sealed:
            self._sealed[old] = self._seal(block, number)
        block["hash"], block["extraData"] = self._sealed[old]
        return str(block["hash"])

    def _seal(self, block: dict[str, Any], number: int) -> tuple[str, str]:
        def with_extra(extra: list[Any]) -> bytes:
            return bytes(third_party.encode([*fields[:12], third_party.encode(extra), *fields[13:]]))

        fields = third_party.decode(header_rlp(block))
        head = [bytes(32), ADDRESSES if self.lists else [], []]
        digest = keccak256(with_extra([*head, number % 3, []]))
        sealers = [KEYS[(number + n) % 4] for n in range(3)] if number else []
        seals = [key.sign_msg_hash(digest).to_bytes() for key in sealers]
        name = keccak256(with_extra([*head, 0, []]))
        return "0x" + name.hex(), "0x" + third_party.encode([*head, number % 3, seals]).hex()

    def _rename(self, value: Any) -> None:
        if isinstance(value, dict):
            if value.get("blockHash") and value.get("blockNumber"):
                value["blockHash"] = self.answer("eth_getBlockByNumber", [value["blockNumber"], False])["result"][
                    "hash"
                ]
            value = list(value.values())
        if isinstance(value, list):
            for one in value:
                self._rename(one)


@pytest.fixture
def validators(anvil: str) -> Validators:
    return Validators(anvil)


@pytest.fixture
def url(validators: Validators) -> Iterator[str]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = validators.answer(asked["method"], asked["params"]) | {"jsonrpc": "2.0", "id": asked["id"]}
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def besu(tmp_path: Any, wallet: Any, url: str, nodes: Any) -> Iterator[Any]:
    """A deployment on that chain."""
    world = nodes.world(tmp_path, wallet, url)
    yield world
    world.close()


def trusted(world: Any) -> trust.Trust:
    found = trust_from(world.network, world.chain().contract, world.keys.log.verifier_key)
    return trust.parse(json.dumps(found).encode())


@pytest.mark.anvil
def test_the_whole_way(besu: Any) -> None:
    (taken,) = besu.capture(besu.event(1))
    besu.seal()
    assert besu.advance()[-2:] == ["final", "idle"]
    besu.grow(3)
    assert besu.advance()[-2:] == ["final", "idle"]
    report = fsck.fsck(besu.store, besu.keys, besu.network)
    assert report["ok"], report["faults"]
    held = trusted(besu)
    assert held.chains[0].finality == trust.Qbft(frozenset(ADDRESSES))
    with besu.store.read() as connection:
        raw, state = make_bundle(connection, besu.keys, taken)
    assert state == "final"
    verdict = verify(raw, held)
    assert verdict.verdict == "VALID", verdict.steps
    assert any("sealed by a quorum of 4" in step.detail for step in verdict.steps)
    [anchor] = bundles_of.parse(raw).anchors
    block = besu.network.block(headers.parse(anchor.header).number)
    assert block.header_rlp == anchor.header
    assert keccak256(anchor.header) != block.hash
    fields = third_party.decode(anchor.header)
    extra = third_party.decode(fields[12])
    few = third_party.encode([*fields[:12], third_party.encode([*extra[:4], extra[4][:2]]), *fields[13:]])
    changed = json.loads(raw)
    changed["anchors"][0]["header"] = few.hex()
    worse = verify(canonical.encode(changed), held)
    assert [step.name for step in worse.steps if step.result == "FAIL"] == ["finality"]


@pytest.mark.anvil
def test_the_command_prints_the_validators_to_compare(besu: Any, url: str, tmp_path: Any) -> None:
    besu.grow()
    besu.advance()
    file, contract = str(tmp_path / "trust.json"), "0x" + besu.chain().contract.hex()
    script = "import sys; from sudonglian.api.entry import main; sys.exit(main())"
    key = str(besu.keys.log.verifier_key)
    argv = ["trust", "add", "-o", file, "--rpc", url, "--contract", contract, "--key", key, "--lang", "en"]
    done = subprocess.run([sys.executable, "-c", script, *argv], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert "QBFT, 3 of these 4 validators seal a block:" in lines
    assert {one.hex() for one in ADDRESSES} < set(lines)
    assert trust.parse(Path(file).read_bytes()) == trusted(besu)


@pytest.mark.anvil
def test_blocks_that_validators_sealed_are_final_at_once(besu: Any, validators: Validators, anvil: str) -> None:
    besu.grow()
    besu.advance()
    validators.chain_id = 4711
    given = {"SUDONGLIAN_RPC_URL": anvil}
    house = House(settings.read(given), besu.store, besu.keys, besu.network)
    asked = House(settings.read({**given, "SUDONGLIAN_FINALITY_DEPTH": "3"}), besu.store, besu.keys, besu.network)
    assert (house.finality_depth(), asked.finality_depth(), besu.network.block(1).is_qbft) == (0, 3, True)
    validators.seals = False
    assert (house.finality_depth(), asked.finality_depth(), besu.network.block(1).is_qbft) == (12, 3, False)


@pytest.mark.anvil
def test_who_the_validators_are(besu: Any, validators: Validators) -> None:
    besu.grow()
    besu.advance()
    first = trusted(besu)
    validators.offers = False  # the header's list is enough
    assert trusted(besu) == first
    validators.offers, validators.told = True, ADDRESSES[:3]
    with pytest.raises(TrustRefused, match="other validators than the block"):
        trusted(besu)
    held = first.to_json()
    held["chains"][0]["finality"]["validators"] = ["11" * 20]  # type: ignore[call-overload,index]
    validators.told = ADDRESSES
    found = trust_from(besu.network, besu.chain().contract, besu.keys.log.verifier_key)
    assert merge(first.encode(), found) == first.to_json()
    with pytest.raises(TrustRefused, match="other validators"):
        merge(json.dumps(held).encode(), found)


@pytest.mark.anvil
def test_validators_that_a_contract_chooses(besu: Any, validators: Validators) -> None:
    validators.lists = False
    validators._sealed.clear()
    besu.grow()
    besu.advance()
    assert trusted(besu).chains[0].finality == trust.Qbft(frozenset(ADDRESSES))
    validators.offers = False
    with pytest.raises(TrustRefused, match="a contract chooses"):
        trusted(besu)
    validators.offers, validators.told = True, [bytes(20), *ADDRESSES[1:]]
    with pytest.raises(TrustRefused):
        trusted(besu)


@pytest.mark.anvil
def test_a_header_that_is_named_by_neither_rule_is_refused(besu: Any, validators: Validators, url: str) -> None:
    besu.network.block(0)
    old, (_, extra) = next(iter(validators._sealed.items()))
    validators._sealed[old] = ("0x" + "11" * 32, extra)
    with closing(JsonRpcNetwork(url)) as network, pytest.raises(HeaderMismatch):
        network.block(0)
