"""One suite for every network: embedded, anvil, Hardhat."""

import dataclasses
import itertools
from typing import Any

import pytest
import rlp
from eth.rlp.accounts import Account
from trie.hexary import HexaryTrie

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import slots
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import (
    AlreadyKnown,
    CallReverted,
    InsufficientFunds,
    Network,
    NetworkRefused,
    NonceTooLow,
    Underpriced,
)
from sudonglian.chain.wallet import SignedTransaction, Transaction, Wallet

TRIE: Any = HexaryTrie
ROOTS = [bytes([n]) * 32 for n in range(1, 5)]


def anchor(network: Network, wallet: Wallet, contract: bytes, size: int, root: bytes) -> SignedTransaction:
    return ad.transaction(network, wallet, to=contract, data=ac.anchor_data(size, root, []), gas=ac.ANCHOR_GAS)


def plain(network: Network, wallet: Wallet, **other: Any) -> Transaction:
    fees = network.fees()
    return dataclasses.replace(
        Transaction(
            chain_id=network.identity().chain_id,
            nonce=network.nonce(wallet.address),
            max_fee=fees.max_fee,
            priority_fee=fees.priority_fee,
            gas=21_000,
            to=bytes(19) + b"\x77",
            data=b"",
            value=1,
        ),
        **other,
    )


def test_deploys_the_same_code_everywhere(network: Network, deployment: ad.Deployment) -> None:
    assert network.code(deployment.contract) == ac.artifact().runtime
    assert deployment.code_hash == keccak256(ac.artifact().runtime)
    assert ad.recognise(network, deployment) is ad.Recognition.SAME
    assert ac.latest(network, deployment.contract) == (0, bytes(32))


def test_anchors_and_proves_it_by_storage(network: Network, wallet: Wallet, deployment: ad.Deployment) -> None:
    contract = deployment.contract
    before = network.head()
    signed = anchor(network, wallet, contract, 7, ROOTS[0])
    assert not network.transaction_known(signed.tx_hash)
    assert network.receipt(signed.tx_hash) is None
    assert network.send_raw(signed.raw) == signed.tx_hash
    receipt = ad.await_receipt(network, signed.tx_hash)
    assert receipt.status == 1
    assert network.transaction_known(signed.tx_hash)
    assert ac.anchored_events(receipt.logs, contract) == [ac.Anchored(7, ROOTS[0], 0, bytes(32))]
    assert ac.latest(network, contract) == (7, ROOTS[0])
    assert ac.root_at(network, contract, 7) == ROOTS[0]
    assert ac.root_at(network, contract, 6) is None

    block = network.block(receipt.block_number)
    assert block is not None
    assert block.hash == receipt.block_hash == keccak256(block.header_rlp)
    parent = network.block(block.number - 1)
    assert parent is not None
    assert parent.hash == block.parent_hash
    assert parent.timestamp <= block.timestamp
    assert network.anchored_blocks(contract, before) == [(block.number, block.hash)]
    assert network.anchored_blocks(contract, block.number + 1) == []
    ((found, said),) = ac.anchorings(network, contract, before)
    assert (found.block_number, found.block_hash, found.tx_hash) == (block.number, block.hash, signed.tx_hash)
    assert (found.log, said) == (receipt.logs[0], ac.Anchored(7, ROOTS[0], 0, bytes(32)))
    assert ac.admin(network, contract) == wallet.address
    assert ac.has_role(network, contract, ac.ROLE_ANCHORER, wallet.address)
    assert not ac.has_role(network, contract, ac.ROLE_ANCHORER, contract)

    state_root = rlp.decode(block.header_rlp)[3]
    slot, absent = slots.root_slot(7), slots.root_slot(8)
    proof = network.proof(contract, [slot, absent], block.number)
    nodes = [rlp.decode(node) for node in proof.account_proof]
    account = rlp.decode(TRIE.get_from_proof(state_root, keccak256(contract), nodes), Account)
    assert account.code_hash == deployment.code_hash
    for (asked, value, path), due in zip(proof.storage, (ROOTS[0], b""), strict=True):
        assert asked in (slot, absent)
        found = TRIE.get_from_proof(account.storage_root, keccak256(asked), [rlp.decode(n) for n in path])
        assert (rlp.decode(found) if found else b"") == due
        assert value == int.from_bytes(due, "big")


def test_proof_of_an_account_without_storage(network: Network, wallet: Wallet) -> None:
    proof = network.proof(wallet.address, [bytes(32)], network.head())
    assert proof.storage == ((bytes(32), 0, proof.storage[0][2]),)
    assert proof.storage[0][2] in ((), (b"\x80",))


def test_every_block_hashes_to_its_hash(network: Network) -> None:
    head = network.head()
    blocks = [network.block(number) for number in range(max(head - 20, 0), head + 1)]
    for parent, child in itertools.pairwise(blocks):
        assert parent is not None
        assert child is not None
        assert child.parent_hash == parent.hash
    assert network.block(head + 1000) is None
    genesis = network.block(0)
    assert genesis is not None
    assert network.identity().genesis == genesis.hash


def test_refusals_have_names(network: Network, wallet: Wallet) -> None:
    good = wallet.sign(plain(network, wallet))
    assert network.balance(wallet.address) > 0
    network.send_raw(good.raw)
    ad.await_receipt(network, good.tx_hash)
    with pytest.raises(AlreadyKnown):
        network.send_raw(good.raw)
    with pytest.raises(NonceTooLow):
        network.send_raw(wallet.sign(plain(network, wallet, nonce=0, value=2)).raw)
    with pytest.raises(Underpriced):
        network.send_raw(wallet.sign(plain(network, wallet, max_fee=1, priority_fee=0)).raw)
    poor = Wallet.generate()
    with pytest.raises(InsufficientFunds):
        network.send_raw(poor.sign(plain(network, poor)).raw)
    with pytest.raises(NetworkRefused):
        network.send_raw(wallet.sign(plain(network, wallet, chain_id=5)).raw)
    with pytest.raises(NetworkRefused):
        network.send_raw(b"\x02garbage")
    assert network.nonce(wallet.address) == network.nonce(wallet.address, pending=True) == 1


def test_a_reverted_transaction_is_mined_and_a_reverted_call_says_why(
    network: Network, wallet: Wallet, deployment: ad.Deployment
) -> None:
    stranger = Wallet.generate()
    data = ac.calldata("pause()")
    with pytest.raises(CallReverted) as refused:
        network.call(deployment.contract, data)
    error = ac.decode_error(refused.value.data)
    assert error.name == "AccessControlUnauthorizedAccount"
    assert error.arguments == {"account": bytes(20), "neededRole": ac.ROLE_PAUSER}

    receipt = ad.execute(network, wallet, deployment.contract, ac.anchor_data(0, bytes(32), []))
    assert (receipt.status, receipt.logs) == (0, ())
    assert network.balance(stranger.address) == 0


def test_a_retry_in_another_transaction_is_harmless(
    network: Network, wallet: Wallet, deployment: ad.Deployment
) -> None:
    for expected_events in (1, 0):
        signed = anchor(network, wallet, deployment.contract, 3, ROOTS[1])
        network.send_raw(signed.raw)
        receipt = ad.await_receipt(network, signed.tx_hash)
        assert receipt.status == 1
        assert len(receipt.logs) == expected_events


def test_another_contract_or_none_is_recognised(network: Network, wallet: Wallet, deployment: ad.Deployment) -> None:
    def recognised(**other: bytes | int) -> ad.Recognition:
        return ad.recognise(network, dataclasses.replace(deployment, **other))  # type: ignore[arg-type]

    assert recognised(contract=bytes(20)) is ad.Recognition.EMPTY
    assert recognised(genesis=bytes(32)) is ad.Recognition.EMPTY
    assert recognised(chain_id=1) is ad.Recognition.OTHER_CHAIN
    assert recognised(code_hash=bytes(32)) is ad.Recognition.OTHER_CODE
