"""Nodes that reorganise, fall behind, stand still, grow dear and forget: one by one, and all together at random."""

import importlib.util
import os
import random
import signal
import sys
import traceback
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain.errors import ChainError
from sudonglian.chain.evm import JsonRpcNetwork
from sudonglian.chain.wallet import Wallet
from sudonglian.records import anchor_plans, log, reader
from sudonglian.records.anchor_work import AnchoringSettings
from sudonglian.records.fsck import fsck

DEEP = AnchoringSettings(finality_depth=6)
PUBLIC = 4242
"""A chain id that no development node has: there a block that is missing may only be late."""


def _load(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


lagging = _load("lagging").lagging


def rpc(world: Any, method: str, *parameters: Any) -> Any:
    return world.network._ask(method, *parameters)


def mine(world: Any, blocks: int) -> None:
    rpc(world, "anvil_mine", hex(blocks))


def check_the_end(world: Any) -> None:
    """One root a size, all of them ours, no acknowledged record lost, everything final and sound."""
    chain = world.chain()
    events = [said for _, said in ac.anchorings(world.network, chain.contract, chain.deploy_block)]
    assert len({one.size for one in events}) == len(events)
    with world.store.read() as connection:
        assert all(log.root(connection, one.size) == one.root for one in events)
        assert all(reader.record(connection, one).log_index is not None for one in world.captured)
        size = log.size(connection)
        assert anchor_plans.deployment(connection) is None
    assert [one.size for one in events] == [one.size for one in reversed(world.finals())]
    assert events[-1].size == size
    report = fsck(world.store, world.keys, world.network)
    assert report["ok"], report["faults"]


def settle(world: Any) -> None:
    """Let blocks come until everything sealed is final."""
    patience, world.patience = world.patience, 0  # whatever waits, waits for the blocks that are asked for here
    for _ in range(60):
        if world.advance()[-1] == "idle":
            world.patience = patience
            return
        mine(world, 2)
    raise AssertionError(f"never idle: {world.states()}")


# Reorganisations in mid-batch


@pytest.mark.anvil
@pytest.mark.parametrize("depth", range(1, 6))
@pytest.mark.parametrize("on_top", ["none", "one less", "as many"])
def test_a_reorganisation_in_mid_batch(quick_world: Any, depth: int, on_top: str) -> None:
    world = quick_world
    world.grow(2)
    world.advance()
    mine(world, 8)
    world.settings = DEEP
    world.grow()
    world.until("mined")
    world.capture(world.event(900))
    blocks = {"none": 0, "one less": depth - 1, "as many": depth}[on_top]
    mine(world, blocks) if blocks else None
    was = world.in_flight()
    rpc(world, "anvil_reorg", depth, [])
    said = world.step().did
    assert said == ("waiting" if on_top == "as many" else "reorged")
    world.seal()
    settle(world)
    assert (was.block_hash in {one.block_hash for one in world.finals()}) == (on_top == "as many")
    check_the_end(world)


@pytest.mark.anvil
@pytest.mark.parametrize("depth", range(1, 6))
def test_a_reorganisation_while_the_contract_is_on_its_way(quick_world: Any, depth: int) -> None:
    world = quick_world
    world.settings = DEEP
    world.grow(2)
    world.until("deploy-sent")
    while (progress := world.step()).detail != "the deployment is not final yet":
        assert progress.did == "waiting"
    mine(world, depth - 1) if depth > 1 else None
    rpc(world, "anvil_reorg", depth, [])
    assert world.step().tx_hash == progress.tx_hash  # sent again, the very same
    settle(world)
    check_the_end(world)


# Nodes that forget


def deploy_sent(world: Any) -> None:
    rpc(world, "evm_setAutomine", False)
    world.grow()
    world.until("deploy-sent")


def deploy_mined(world: Any) -> None:
    world.settings = AnchoringSettings(finality_depth=3)
    world.grow()
    world.until("deploy-sent")
    while world.step().detail != "the deployment is not final yet":
        pass


def anchor_signed(world: Any) -> None:
    world.grow()
    world.until("signed")


def anchor_sent(world: Any) -> None:
    world.grow()
    world.until("signed")
    rpc(world, "evm_setAutomine", False)
    world.until("broadcast")


def anchor_mined(world: Any) -> None:
    world.grow()
    world.until("signed")
    world.settings = AnchoringSettings(finality_depth=3)
    world.until("mined")


@pytest.mark.anvil
@pytest.mark.parametrize("moment", [deploy_sent, deploy_mined, anchor_signed, anchor_sent, anchor_mined])
@pytest.mark.parametrize("genesis_s", [None, 1_767_500_000], ids=["later", "same second"])
def test_a_node_that_forgets_in_mid_way(
    nodes: Any, tmp_path: Path, wallet: Wallet, moment: Any, genesis_s: int | None
) -> None:
    with nodes.free_port() as port, nodes.local_node("anvil", port, genesis_s=genesis_s) as url:
        world = nodes.world(tmp_path, wallet, url)
        world.patience = 500
        moment(world)
    world.network.close()
    with nodes.local_node("anvil", port, genesis_s=genesis_s) as url:
        world.network = JsonRpcNetwork(url)
        nodes.fund(world.network, wallet)
        world.capture(world.event(900))
        settle(world)
        world.seal()
        settle(world)
        world.settings = AnchoringSettings()
        check_the_end(world)
    world.close()


# A node that is behind


@pytest.fixture
def public(nodes: Any, tmp_path: Path, wallet: Wallet) -> Iterator[tuple[Any, Any]]:
    """A deployment on a network that is no development node, seen through a node that may be behind."""
    with nodes.local_node("anvil", chain_id=PUBLIC) as url, lagging(url) as (shown, node):
        world = nodes.world(tmp_path, wallet, shown)
        world.patience, world.settings = 500, DEEP
        yield world, node
        world.close()


@pytest.mark.anvil
@pytest.mark.parametrize("behind", [1, 3, 7, 30])
def test_a_node_that_is_behind_makes_nothing_undone(public: tuple[Any, Any], behind: int) -> None:
    world, node = public
    world.patience = 0
    world.grow(2)
    settle(world)
    mine(world, 10)
    world.grow()
    for did in ("signed", "mined"):
        world.until(did)
        before = world.in_flight()
        node.behind = behind
        for _ in range(3):
            assert set(world.advance()) <= {"broadcast", "waiting", "lagging"}
        world.capture(world.event(900 + len(world.captured)))
        assert world.in_flight().tx_hash == before.tx_hash
        assert (did, world.in_flight().state) in {("signed", "BROADCAST"), ("signed", "SIGNED"), ("mined", "MINED")}
        node.behind = 0
    world.seal()
    settle(world)
    final = world.finals()
    node.behind = behind
    for _ in range(3):
        assert world.step().did in ("idle", "lagging")
    assert world.finals() == final
    node.behind = 0
    check_the_end(world)


# All together


def quiet_steps(world: Any, count: int) -> None:
    for _ in range(count):
        try:
            world.step()
        except ChainError:
            # A node that is down, or so far behind that it cannot prove what is asked: the next look is another one.
            return


def killed_somewhere(world: Any, dice: random.Random) -> bool:
    """Let another process go on and die at whatever point it comes to; say whether it did."""
    left = dice.randrange(12)
    world.close()
    child = os.fork()
    if child == 0:
        try:
            passed = 0

            def die(_point: str) -> None:
                nonlocal passed
                passed += 1
                if passed > left:
                    os.kill(os.getpid(), signal.SIGKILL)

            other = world.reopen()
            other.patience = 0
            other.advance(at=die)
        except ChainError:
            pass
        except BaseException:  # noqa: BLE001  told below
            traceback.print_exc()
            os._exit(2)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    fresh = world.reopen()
    world.store, world.network, world.keys = fresh.store, fresh.network, fresh.keys
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 1
    return os.WIFSIGNALED(status)


def walk(world: Any, node: Any, seed: int) -> dict[str, int]:
    """Disturb the node and the worker at random, each way at least twice; say what was done how often."""
    dice = random.Random(seed)
    done: dict[str, int] = {}

    def grow() -> None:
        world.grow(dice.randint(1, 3))

    def capture() -> None:
        world.capture(world.event(10_000 + len(world.captured)))

    def blocks() -> None:
        node.ask("anvil_mine", hex(dice.randint(1, 4)))

    def reorganise() -> None:
        node.ask("anvil_reorg", min(dice.randint(1, 5), int(node.ask("eth_blockNumber")["result"], 16)), [])

    def fall_behind() -> None:
        node.behind = dice.choice([0, 0, 1, 2, 4, 8])

    def go_down() -> None:
        node.is_down = True
        quiet_steps(world, 2)
        node.is_down = False

    def grow_dear() -> None:
        base = int(node.ask("eth_getBlockByNumber", "latest", False)["result"]["baseFeePerGas"], 16)
        node.ask("anvil_setNextBlockBaseFeePerGas", hex(min(base * dice.choice([2, 3, 5]), 50 * 10**9)))

    def forget_the_pool() -> None:
        node.ask("anvil_dropAllTransactions")

    def wait() -> None:
        world.now += timedelta(seconds=world.settings.stuck_after_s + 1)

    def kill() -> None:
        done["died"] = done.get("died", 0) + killed_somewhere(world, dice)

    deeds = [grow, capture, blocks, blocks, reorganise, fall_behind, go_down, grow_dear, forget_the_pool, wait, kill]
    way = [*deeds, *deeds, *dice.choices(deeds, k=len(deeds))]
    dice.shuffle(way)
    for deed in way:
        done[deed.__name__] = done.get(deed.__name__, 0) + 1
        deed()
        quiet_steps(world, dice.randrange(6))
    node.behind = 0
    return done


SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 40))]


@pytest.mark.anvil
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens(public: tuple[Any, Any], seed: int) -> None:
    world, node = public
    world.patience = 0
    node.ask("evm_setAutomine", False)
    node.ask("anvil_mine", "0x8")
    world.grow()
    done = walk(world, node, seed)
    world.grow()
    for _ in range(80):
        if world.advance()[-1] == "idle":
            break
        world.now += timedelta(seconds=world.settings.stuck_after_s + 1)
        node.ask("anvil_mine", "0x3")
    assert world.advance()[-1] == "idle", (done, world.states())
    check_the_end(world)
