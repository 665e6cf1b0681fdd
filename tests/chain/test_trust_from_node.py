"""A trust file from a node: what it holds, and what may not be merged into it."""

import json
from typing import Any

import pytest

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import trust
from sudonglian.chain.checkpoint import LogKey
from sudonglian.chain.errors import TrustRefused
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Network
from sudonglian.chain.trust_from_node import merge, trust_from
from sudonglian.chain.wallet import Wallet

KEY = LogKey.from_seed("sudonglian.test/log/1", b"\x01" * 32)


def anchored(network: Network, wallet: Wallet, contract: bytes, size: int) -> ac.Anchored:
    root = keccak256(size.to_bytes(8, "big"))
    receipt = ad.execute(network, wallet, contract, ac.anchor_data(size, root, []), gas=ac.ANCHOR_GAS)
    (said,) = ac.anchored_events(receipt.logs, contract)
    return said


def dumped(found: Any) -> bytes:
    return json.dumps(found).encode()


def test_what_the_node_says(network: Network, wallet: Wallet, deployment: ad.Deployment) -> None:
    anchored(network, wallet, deployment.contract, 5)
    ((number, block_hash),) = network.anchored_blocks(deployment.contract, 0)
    found = trust.parse(dumped(trust_from(network, deployment.contract, KEY.verifier_key)))
    chain = found.chain(deployment.genesis, deployment.contract)
    assert chain is not None
    assert (chain.chain_id, chain.code_hash) == (deployment.chain_id, ac.artifact().code_hash)
    assert chain.finality == trust.TrustedHeaders(frozenset({block_hash}))
    block = network.block(number)
    assert block is not None
    assert keccak256(block.header_rlp) == block_hash
    assert found.log("sudonglian.test/log/1") is not None


def test_headers_join(embedded: Network, wallet: Wallet) -> None:
    deployment = ad.deploy(embedded, wallet)
    before = trust_from(embedded, deployment.contract, KEY.verifier_key)
    anchored(embedded, wallet, deployment.contract, 5)
    after = trust_from(embedded, deployment.contract, KEY.verifier_key, deployment.deploy_block)
    both = trust.parse(dumped(merge(dumped(before), after)))
    assert both.to_json() == after
    assert trust.parse(dumped(merge(dumped(after), before))).to_json() == after


def test_contradictions_are_refused(embedded: Network, wallet: Wallet) -> None:
    deployment = ad.deploy(embedded, wallet)
    found = trust_from(embedded, deployment.contract, KEY.verifier_key)
    other = LogKey.from_seed("sudonglian.test/log/1", b"\x02" * 32)
    with pytest.raises(TrustRefused):
        merge(dumped(trust_from(embedded, deployment.contract, other.verifier_key)), found)
    altered = json.loads(dumped(found))
    altered["chains"][0]["code_hash"] = "00" * 32
    with pytest.raises(TrustRefused):
        merge(dumped(altered), found)
    with pytest.raises(TrustRefused):
        merge(b"{}", found)


def test_a_validator_set_stays(embedded: Network, wallet: Wallet) -> None:
    deployment = ad.deploy(embedded, wallet)
    found = trust_from(embedded, deployment.contract, KEY.verifier_key)
    held = json.loads(dumped(found))
    held["chains"][0]["finality"] = {"rule": "qbft", "validators": ["11" * 20]}
    assert merge(dumped(held), found) == held


def test_no_contract(embedded: Network) -> None:
    with pytest.raises(TrustRefused):
        trust_from(embedded, b"\x11" * 20, KEY.verifier_key)


def test_no_key(embedded: Network, wallet: Wallet) -> None:
    with pytest.raises(TrustRefused):
        trust_from(embedded, ad.deploy(embedded, wallet).contract, "not a key")
