"""Anchoring on nodes that reorganise, hold transactions back, and forget everything: anvil and Hardhat."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment
from sudonglian.chain.evm import JsonRpcNetwork
from sudonglian.chain.network import NetworkUnreachable
from sudonglian.chain.wallet import Wallet, create_address
from sudonglian.records import anchor_chain, anchoring, fsck
from sudonglian.records.anchor_work import AnchoringSettings


def rpc(world: Any, method: str, *parameters: Any) -> Any:
    return world.network._ask(method, *parameters)


def mine(world: Any, blocks: int) -> None:
    rpc(world, "anvil_mine", hex(blocks))


@pytest.fixture
def slow(anvil_world: Any) -> Any:
    """A node that mines only when told to, with the contract deployed and one anchor final."""
    anvil_world.grow()
    assert anvil_world.advance()[-2:] == ["final", "idle"]
    rpc(anvil_world, "evm_setAutomine", False)
    return anvil_world


@pytest.mark.anvil
def test_straight(anvil_world: Any) -> None:
    sealed = anvil_world.grow(2)
    assert anvil_world.advance()[-2:] == ["final", "idle"]
    assert ac.latest(anvil_world.network, anvil_world.chain().contract) == (sealed.size, sealed.root)
    report = fsck.fsck(anvil_world.store, anvil_world.keys, anvil_world.network)
    assert report["ok"], report["faults"]


@pytest.mark.anvil
def test_waits_for_its_block(slow: Any) -> None:
    sealed = slow.grow()
    assert slow.advance()[-1] == "waiting"
    assert slow.states()[-1] == (sealed.size, "BROADCAST")
    mine(slow, 1)
    assert slow.advance() == ["mined", "final", "idle"]


@pytest.mark.anvil
def test_stuck_is_replaced_under_the_same_nonce(slow: Any) -> None:
    slow.grow()
    slow.until("waiting")
    first = slow.in_flight()
    slow.now += timedelta(seconds=slow.settings.stuck_after_s + 1)
    assert slow.advance()[:2] == ["stuck", "broadcast"]
    second = slow.in_flight()
    assert second.nonce == first.nonce
    assert second.tx_hash != first.tx_hash
    assert second.max_fee * 10 >= first.max_fee * 11
    assert second.priority_fee * 10 >= first.priority_fee * 11
    mine(slow, 1)
    assert slow.advance() == ["mined", "final", "idle"]
    assert slow.finals()[0].tx_hash == second.tx_hash
    assert slow.network.receipt(first.tx_hash) is None
    report = fsck.fsck(slow.store, slow.keys, slow.network)
    assert report["ok"], report["faults"]


@pytest.mark.anvil
def test_base_fee_above_the_offer(slow: Any) -> None:
    slow.grow()
    slow.until("waiting")
    first = slow.in_flight()
    rpc(slow, "anvil_setNextBlockBaseFeePerGas", hex(3 * first.max_fee))
    mine(slow, 1)
    assert slow.in_flight().state == "BROADCAST"
    slow.now += timedelta(seconds=slow.settings.stuck_after_s + 1)
    slow.until("broadcast")
    assert slow.in_flight().nonce == first.nonce
    assert slow.in_flight().max_fee > 2 * first.max_fee
    mine(slow, 1)
    assert slow.advance() == ["mined", "final", "idle"]


@pytest.mark.anvil
def test_the_cap_holds_the_fees_down(slow: Any) -> None:
    slow.grow()
    slow.until("waiting")
    slow.settings = AnchoringSettings(max_fee_cap=slow.in_flight().max_fee)
    slow.now += timedelta(seconds=slow.settings.stuck_after_s + 1)
    assert slow.step().did == "fee-cap"
    mine(slow, 1)
    assert slow.advance()[-1] == "idle"


@pytest.mark.anvil
def test_a_transaction_that_the_node_dropped_is_sent_again(slow: Any) -> None:
    slow.grow()
    slow.until("waiting")
    rpc(slow, "anvil_dropAllTransactions")
    assert slow.step().detail == "the node had lost it; sent again"
    mine(slow, 1)
    assert slow.advance() == ["mined", "final", "idle"]


@pytest.mark.anvil
def test_a_reorganisation_before_it_is_final(anvil_world: Any) -> None:
    anvil_world.settings = AnchoringSettings(finality_depth=4)
    anvil_world.grow()
    anvil_world.advance()
    mine(anvil_world, 5)
    assert anvil_world.advance()[-1] == "waiting"
    mined = anvil_world.in_flight()
    assert mined.state == "MINED"
    mine(anvil_world, 1)
    rpc(anvil_world, "anvil_reorg", 3, [])
    assert anvil_world.advance()[:2] == ["reorged", "broadcast"]
    mine(anvil_world, 6)
    assert anvil_world.advance()[-2:] == ["final", "idle"]
    assert anvil_world.finals()[0].block_hash != mined.block_hash
    assert len(anvil_world.network.anchored_blocks(anvil_world.chain().contract, 0)) == 1
    report = fsck.fsck(anvil_world.store, anvil_world.keys, anvil_world.network)
    assert report["ok"], report["faults"]


@pytest.mark.anvil
def test_a_reorganisation_deeper_than_final_halts(anvil_world: Any) -> None:
    anvil_world.settings = AnchoringSettings(finality_depth=1)
    anvil_world.grow()
    anvil_world.advance()
    mine(anvil_world, 2)
    anvil_world.advance()
    mine(anvil_world, 2)
    assert anvil_world.advance()[-1] == "idle"
    final = anvil_world.finals()[0]
    rpc(anvil_world, "anvil_reorg", 3, [])
    for _ in range(2):
        with pytest.raises(anchoring.FinalityBroken) as raised:
            anvil_world.step()
        assert raised.value.anchor == final
        assert raised.value.now not in (None, final.block_hash)
        assert final.block_hash.hex() in raised.value.diagnostics()
    assert anvil_world.finals() == [final]
    codes = {one["code"] for one in fsck.fsck(anvil_world.store, anvil_world.keys, anvil_world.network)["faults"]}
    assert "anchor-block" in codes
    assert anchoring.accept_reorg(anvil_world.store, anvil_world.network, anvil_world.clock()) == 1
    anvil_world.advance()
    mine(anvil_world, 2)
    assert anvil_world.advance()[-2:] == ["final", "idle"]


@pytest.mark.anvil
def test_a_raised_depth_sends_a_shallow_final_anchor_again(anvil_world: Any) -> None:
    anvil_world.grow()
    anvil_world.until("idle")
    anvil_world.settings = AnchoringSettings(finality_depth=10)
    rpc(anvil_world, "anvil_reorg", 1, [])
    assert anvil_world.step().did == "reorged"
    mine(anvil_world, 12)
    assert anvil_world.advance()[-1] in ("waiting", "idle")
    mine(anvil_world, 12)
    assert anvil_world.advance()[-1] == "idle"
    assert [state for _, state in anvil_world.states()] == ["FINAL"]


@pytest.mark.anvil
def test_a_node_that_does_not_answer(anvil_world: Any, tmp_path: Path, wallet: Wallet) -> None:
    anvil_world.grow()
    anvil_world.until("signed")
    working = anvil_world.network
    anvil_world.network = JsonRpcNetwork("http://127.0.0.1:1")
    for _ in range(2):
        with pytest.raises(NetworkUnreachable):
            anvil_world.step()
    assert anvil_world.in_flight().state == "SIGNED"
    anvil_world.network = working
    assert anvil_world.advance()[-2:] == ["final", "idle"]


@pytest.mark.anvil
def test_a_lagging_node_is_no_reorganisation(anvil_world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """anvil is taken for one of a public network's nodes, and shown at a block before the anchor's."""
    anvil_world.grow()
    anvil_world.until("planned")
    before = rpc(anvil_world, "evm_snapshot")
    anvil_world.settings = AnchoringSettings(finality_depth=2)
    anvil_world.until("waiting")
    rpc(anvil_world, "evm_revert", before)
    monkeypatch.setattr(anchoring, "ONE_NODE_CHAINS", frozenset())
    for _ in range(2):
        assert anvil_world.step().did == "lagging"
    assert anvil_world.in_flight().state == "MINED"


GENESIS_S = 1_767_500_000


@pytest.mark.parametrize(
    ("kind", "genesis_s"),
    [
        pytest.param("node", None, marks=pytest.mark.hardhat, id="hardhat"),
        pytest.param("anvil", None, marks=pytest.mark.anvil, id="anvil"),
        # As if both had been started within one second: then key, nonce and fees give the same transactions too.
        pytest.param("anvil", GENESIS_S, marks=pytest.mark.anvil, id="anvil-same-genesis"),
    ],
)
def test_a_node_that_forgets_everything(
    nodes: Any, kind: str, genesis_s: int | None, tmp_path: Path, wallet: Wallet
) -> None:
    with nodes.free_port() as port, nodes.local_node(kind, port, genesis_s=genesis_s) as url:
        world = nodes.world(tmp_path, wallet, url)
        world.grow(2)
        assert world.advance()[-2:] == ["final", "idle"]
        old = world.chain()
    world.network.close()
    with nodes.local_node(kind, port, genesis_s=genesis_s) as url:
        world.network = JsonRpcNetwork(url)
        nodes.fund(world.network, wallet)
        newest = world.grow()
        done = world.advance()
        assert done[0] == "chain-lost"
        assert done[-2:] == ["final", "idle"]
        assert world.chain().id != old.id
        if genesis_s is not None:
            assert (world.chain().genesis, world.chain().contract) == (old.genesis, old.contract)
        assert [state for _, state in world.states()] == ["CHAIN_LOST", "FINAL"]
        assert anchor_chain.OnChain(*ac.latest(world.network, world.chain().contract)).size == newest.size
        report = fsck.fsck(world.store, world.keys, world.network)
        assert report["ok"], report["faults"]
    world.close()


@pytest.mark.anvil
def test_a_node_that_forgets_before_the_contract_is_sent(nodes: Any, tmp_path: Path, wallet: Wallet) -> None:
    with nodes.free_port() as port, nodes.local_node("anvil", port, genesis_s=GENESIS_S) as url:
        world = nodes.world(tmp_path, wallet, url)
        anchor_deployment.execute(world.network, wallet, wallet.address, b"", gas=30_000)
        world.grow()
        assert world.step().did == "deploy-signed"
    world.network.close()
    with nodes.local_node("anvil", port, genesis_s=GENESIS_S) as url:
        world.network = JsonRpcNetwork(url)
        nodes.fund(world.network, wallet)
        assert world.advance()[-2:] == ["final", "idle"]
        assert world.chain().contract == create_address(wallet.address, 0)
    world.close()


@pytest.mark.hardhat
def test_straight_on_hardhat(nodes: Any, tmp_path: Path, wallet: Wallet) -> None:
    with nodes.local_node("node") as url:
        world = nodes.world(tmp_path, wallet, url)
        for _ in range(3):
            world.grow(2)
            assert world.advance()[-2:] == ["final", "idle"]
        report = fsck.fsck(world.store, world.keys, world.network)
        assert report["ok"], report["faults"]
        world.close()
