"""Kill -9 at every transition of every road, on two kinds of node: one root a size, nothing lost, FINAL in the end.

Each test asserts that the process died at its point. `scripts/test` kills at each point once, most on both kinds of
node; `scripts/test --full` at least five times on each.
"""

import os
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import merkle
from sudonglian.chain.wallet import Transaction, Wallet
from sudonglian.records import anchoring, log, reader
from sudonglian.records.anchor_work import KEYS_IN_PLACE, POINTS, SENDS, AnchoringSettings
from sudonglian.records.fsck import fsck
from sudonglian.records.keys import ANCHOR_FILE, NEXT_ANCHOR_FILE

Road = Callable[[Any], None]

AT_LEAST = 5
"""How often the full profile kills at each point on each kind of node, by all its roads together."""


def killed_at(world: Any, point: str, nth: int = 1) -> bool:
    """Go on in another process, which ends itself by SIGKILL at the point; say whether it came there."""
    world.close()
    child = os.fork()
    if child == 0:
        try:
            other = world.reopen()
            passed: Counter[str] = Counter()

            def die(here: str) -> None:
                passed[here] += 1
                if here == point and passed[here] == nth:
                    os.kill(os.getpid(), signal.SIGKILL)

            go_on(other, point, die)
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    fresh = world.reopen()
    world.store, world.network, world.keys = fresh.store, fresh.network, fresh.keys
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def go_on(world: Any, point: str, at: Callable[[str], None]) -> None:
    """Do what brings a process to the point: a worker's steps, or an operator's command."""
    if point.startswith("reorg.accepted"):
        anchoring.accept_reorg(world.store, world.network, world.clock(), at=at)
    elif world.heir is not None:
        world.succeed(at)
    else:
        world.advance(at=at)


def check_the_end(world: Any) -> None:
    """One root a size, one contract that counts, all records in the log, all of it final and sound."""
    chain = world.chain()
    events = ac.anchorings(world.network, chain.contract, chain.deploy_block)
    finals = world.finals()
    assert finals[0].size == ac.latest(world.network, chain.contract)[0]
    assert [(one.size, one.root) for one in reversed(finals)] == [(said.size, said.root) for _, said in events]
    assert [one.block_number for one in reversed(finals)] == [found.block_number for found, _ in events]
    with world.store.read() as connection:
        assert log.size(connection) == finals[0].size
        assert all(reader.record(connection, one).log_index is not None for one in world.captured)
        assert all(log.root(connection, said.size) == said.root for _, said in events)
    report = fsck(world.store, world.keys, world.network)
    assert report["ok"], report["faults"]


def ends_well(world: Any) -> None:
    assert world.advance()[-1] == "idle"
    world.grow()
    assert world.advance()[-1] == "idle"
    check_the_end(world)


# Roads on both


def straight(world: Any) -> None:
    world.grow(2)


def after_another(world: Any) -> None:
    world.grow(2)
    world.advance()
    world.grow(3)


def nonce_taken(world: Any) -> None:
    after_another(world)
    world.until("signed")
    ad.execute(world.network, world.wallet, b"\x01" * 20, b"")


def nonce_of_the_deployment_taken(world: Any) -> None:
    straight(world)
    world.until("deploy-signed")
    ad.execute(world.network, world.wallet, b"\x01" * 20, b"")


def left(world: Any) -> None:
    """A key was stolen, and the contract is to be left for a successor."""
    admin = world.admin = world.admin or Wallet.generate()
    pay(world, admin)
    world.settings = AnchoringSettings(admin=admin.address)
    after_another(world)
    world.advance()
    world.heir = Wallet.generate()
    for key, name in ((world.wallet, ANCHOR_FILE), (world.heir, NEXT_ANCHOR_FILE)):
        key.save(world.folder / "keys" / name)
    steal(world)


def steal(world: Any) -> None:
    size = world.finals()[0].size
    with world.store.read() as connection:
        leaves = [merkle.leaf_hash(data) for _, data in log.entries(connection, 0, size)] + [b"\x13" * 32]
    data = ac.anchor_data(len(leaves), merkle.root(leaves), merkle.consistency_path(leaves, size))
    done = ad.execute(world.network, world.wallet, world.chain().contract, data, gas=ac.ANCHOR_GAS)
    assert done.status == 1


def left_for_a_key_with_money(world: Any) -> None:
    left(world)
    pay(world, world.heir)


def nonce_of_the_order_taken(world: Any) -> None:
    left(world)

    def stop(point: str) -> None:
        if point == "order.signed.after":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.succeed(stop)
    ad.execute(world.network, world.admin, b"\x01" * 20, b"")


def pay(world: Any, account: Wallet) -> None:
    fees = world.network.fees()
    gift = Transaction(
        world.network.identity().chain_id,
        world.network.nonce(world.wallet.address),
        fees.max_fee,
        fees.priority_fee,
        21_000,
        account.address,
        b"",
        10**18,
    )
    ad.await_receipt(world.network, world.network.send_raw(world.wallet.sign(gift).raw))


# Roads of the embedded chain: its file is put back, or away


def chain_lost(world: Any) -> None:
    after_another(world)
    world.network.close()
    for name in ("chain.db", "chain.db-wal", "chain.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    world.network = world.open_network()


def put_back(world: Any, depth: int) -> None:
    """A chain that is younger than the anchor, as a node that followed another branch would show it."""
    world.grow(2)
    world.advance()
    world.network.copy_to(world.folder / "before.db")
    world.settings = AnchoringSettings(finality_depth=depth)
    world.grow()
    world.advance()
    world.network.close()
    for name in ("chain.db-wal", "chain.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    (world.folder / "before.db").replace(world.folder / "chain.db")
    world.network = world.open_network()
    world.settings = AnchoringSettings()


def reorged(world: Any) -> None:
    put_back(world, depth=3)


def final_reorged(world: Any) -> None:
    put_back(world, depth=0)


# Roads of anvil: blocks are replaced, or do not come


def rpc(world: Any, method: str, *parameters: Any) -> Any:
    return world.network._ask(method, *parameters)


def reorged_by_the_node(world: Any) -> None:
    world.grow(2)
    world.advance()
    rpc(world, "anvil_mine", "0x3")
    world.settings = AnchoringSettings(finality_depth=3)
    world.grow()
    world.until("mined")
    rpc(world, "anvil_reorg", 2, [])
    world.settings = AnchoringSettings()


def final_reorged_by_the_node(world: Any) -> None:
    world.grow(2)
    world.advance()
    rpc(world, "anvil_mine", "0x3")
    world.grow()
    world.advance()
    rpc(world, "anvil_reorg", 2, [])
    rpc(world, "anvil_mine", "0x1")


def stuck(world: Any) -> None:
    after_another(world)
    held_up(world)


def stuck_deployment(world: Any) -> None:
    straight(world)
    held_up(world)


def held_up(world: Any) -> None:
    world.patience = 0
    rpc(world, "evm_setAutomine", False)
    assert world.advance()[-1] == "waiting"
    world.now += timedelta(seconds=world.settings.stuck_after_s + 1)


def stuck_order(world: Any) -> None:
    left(world)
    world.patience = 0
    rpc(world, "evm_setAutomine", False)
    assert world.succeed()[-1] == "waiting"
    world.now += timedelta(seconds=world.settings.stuck_after_s + 1)


# The matrix


def both(name: str) -> list[str]:
    return [one for one in POINTS if one.startswith(name)]


STEPS = [*both("deploy.signed"), "deploy.pushed", *both("deploy.sent"), *both("deploy.final")]
ANCHORS = [
    *(*both("anchor.planned"), *both("anchor.signed"), "anchor.pushed", *both("anchor.broadcast")),
    *(*both("anchor.mined"), *both("anchor.final")),
]
PLAIN = [*STEPS, *ANCHORS]
COMMON: list[tuple[Road, str, int]] = [
    *((straight, one, 1) for one in PLAIN),
    *((nonce_taken, one, 1) for one in both("anchor.unsigned")),
    *((nonce_of_the_deployment_taken, one, 1) for one in both("deploy.dropped")),
    # Pause, deployment, gift and freeze, one after the other.
    *((left, one, nth) for one in both("order.signed") for nth in (1, 2, 3, 4)),
    *((left, "order.pushed", nth) for nth in (1, 2, 3, 4)),
    *((left, one, nth) for one in both("order.sent") for nth in (1, 2, 3, 4)),
    *((left, one, nth) for one in both("order.done") for nth in (1, 2, 3, 4)),
    *((left, one, 1) for name in ("planned", "compared", "final") for one in both(f"succession.{name}")),
    (left, KEYS_IN_PLACE, 1),
    *((left_for_a_key_with_money, one, 1) for one in both("succession.funded")),
    *((nonce_of_the_order_taken, one, 1) for one in both("order.dropped")),
]
EMBEDDED: list[tuple[Road, str, int]] = [
    *COMMON,
    *((after_another, one, 1) for one in ANCHORS),
    *((chain_lost, one, 1) for one in (*both("chain.lost"), *STEPS)),
    *((reorged, one, 1) for one in (*both("anchor.reorged"), "anchor.pushed")),
    *((final_reorged, one, 1) for one in both("reorg.accepted")),
]
ANVIL: list[tuple[Road, str, int]] = [
    *COMMON,
    *((reorged_by_the_node, one, 1) for one in both("anchor.reorged")),
    *((final_reorged_by_the_node, one, 1) for one in both("reorg.accepted")),
    *((stuck, one, 1) for one in both("anchor.stuck")),
    *((stuck_deployment, one, 1) for one in both("deploy.stuck")),
    *((stuck_order, one, 1) for one in both("order.stuck")),
]


def test_no_point_is_left_out() -> None:
    assert {point for _, point, _ in ANVIL} | {*both("chain.lost")} == set(POINTS), (
        "a node is lost on Hardhat and anvil"
    )
    held = {*both("anchor.stuck"), *both("deploy.stuck"), *both("order.stuck")}
    assert {point for _, point, _ in EMBEDDED} | held == set(POINTS), "nothing waits on the embedded chain"
    assert set(SENDS) <= set(POINTS)


def name(value: object) -> str:
    return str(getattr(value, "__name__", value))


def matrix(rows: list[tuple[Road, str, int]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("road", "point", "nth"), rows, ids=name)


def often(rows: list[tuple[Road, str, int]]) -> pytest.MarkDecorator:
    """Go every road, and together at least so often to each point."""
    roads = Counter(point for _, point, _ in rows)
    times = {point: -(-AT_LEAST // count) for point, count in roads.items()}
    attempts = [(*row, attempt) for row in rows for attempt in range(times[row[1]])]
    return pytest.mark.parametrize(("road", "point", "nth", "attempt"), attempts, ids=name)


def once_each(rows: list[tuple[Road, str, int]], points: Iterable[str]) -> list[tuple[Road, str, int]]:
    """Return the first road to each of the points."""
    return list({point: row for row in reversed(rows) if (point := row[1]) in set(points)}.values())


QUICK_ON_ANVIL = [*PLAIN, *(point for _, point, _ in ANVIL[len(COMMON) :])]
"""In every run; what the embedded chain shows as well is left to the full profile."""


def kill(world: Any, road: Road, point: str, nth: int) -> None:
    road(world)
    with mining(world):
        assert killed_at(world, point, nth), f"nobody died at {point}"
    if point.startswith("reorg.accepted"):
        anchoring.accept_reorg(world.store, world.network, world.clock())
    if world.heir is not None:
        if point != "succession.final.after":
            assert world.succeed()[-1] == "succeeded"
        world.wallet = Wallet.load(world.folder / "keys" / ANCHOR_FILE)
        assert world.wallet.address == world.heir.address
    ends_well(world)


@contextmanager
def mining(world: Any) -> Iterator[None]:
    """Let the node mine again whatever happens: others use it too."""
    try:
        yield
    finally:
        if hasattr(world.network, "_ask"):
            rpc(world, "evm_setAutomine", True)
            rpc(world, "anvil_mine", "0x1")
            world.patience = 500


@matrix(once_each(EMBEDDED, POINTS))
def test_killed(world: Any, admin: Wallet, road: Road, point: str, nth: int) -> None:
    world.admin = admin
    kill(world, road, point, nth)


@pytest.mark.full
@often(EMBEDDED)
def test_killed_again(world: Any, admin: Wallet, road: Road, point: str, nth: int, attempt: int) -> None:
    for _ in range(attempt):
        world.grow()
    test_killed(world, admin, road, point, nth)


@pytest.mark.anvil
@matrix(once_each(ANVIL, QUICK_ON_ANVIL))
def test_killed_on_anvil(quick_world: Any, road: Road, point: str, nth: int) -> None:
    kill(quick_world, road, point, nth)


@pytest.mark.full
@pytest.mark.anvil
@often(ANVIL)
def test_killed_on_anvil_again(quick_world: Any, road: Road, point: str, nth: int, attempt: int) -> None:
    for _ in range(attempt):
        quick_world.grow()
    kill(quick_world, road, point, nth)


@pytest.mark.postgres
@pytest.mark.parametrize("point", [pytest.param(one, marks=() if one in SENDS else pytest.mark.full) for one in PLAIN])
def test_killed_on_postgres(postgres_world: Any, point: str) -> None:
    straight(postgres_world)
    assert killed_at(postgres_world, point)
    assert postgres_world.advance()[-1] == "idle"
    check_the_end(postgres_world)
