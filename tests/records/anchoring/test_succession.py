"""A stolen anchoring key, for real: foreign roots in the contract, and the way to a successor, whatever happens on it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import merkle, trust
from sudonglian.chain.trust_from_node import merge, trust_from
from sudonglian.chain.verify import verify
from sudonglian.chain.wallet import Transaction, Wallet
from sudonglian.records import anchor_book, anchor_chain, anchor_plans, anchor_succession, anchoring, bundles, log
from sudonglian.records.anchor_succession import SuccessionRefused
from sudonglian.records.anchor_work import AnchoringSettings
from sudonglian.records.backup import backup, restore
from sudonglian.records.fsck import fsck
from sudonglian.records.keys import ANCHOR_FILE, NEXT_ANCHOR_FILE
from sudonglian.records.tables import ANCHORS


class Thief:
    """Who has a copy of the anchoring key, and nothing else."""

    def __init__(self, world: Any) -> None:
        self.world, self.wallet, self.contract = world, world.wallet, world.chain().contract
        size, _ = ac.latest(world.network, self.contract)
        with world.store.read() as connection:
            self.leaves = [merkle.leaf_hash(data) for _, data in log.entries(connection, 0, size)]
        self.anchored: list[int] = []

    def anchor(self, more: int = 1) -> bool:
        """Append entries that the log never had; say whether the contract took them."""
        size = len(self.leaves)
        leaves = self.leaves + [b"\x13" * 32] * more
        path = merkle.consistency_path(leaves, size) if size else []
        data = ac.anchor_data(len(leaves), merkle.root(leaves), path)
        signed = ad.transaction(self.world.network, self.wallet, to=self.contract, data=data, gas=ac.ANCHOR_GAS)
        self.world.network.send_raw(signed.raw)
        if ad.await_receipt(self.world.network, signed.tx_hash).status != 1:
            return False
        self.leaves = leaves
        self.anchored.append(len(leaves))
        return True


def prepared(world: Any, admin: Wallet) -> Any:
    """A deployment whose administrator is another key, and with a new anchoring key at hand."""
    world.admin, world.heir = admin, Wallet.generate()
    world.settings = AnchoringSettings(admin=admin.address)
    world.wallet.save(world.folder / "keys" / ANCHOR_FILE)
    world.heir.save(world.folder / "keys" / NEXT_ANCHOR_FILE)
    world.grow(2)
    world.advance()
    world.grow(2)
    world.advance()
    return world


@pytest.fixture
def kept(world: Any, admin: Wallet) -> Any:
    return prepared(world, admin)


@pytest.fixture
def robbed(kept: Any) -> tuple[Any, Thief]:
    """The same, and a foreign root in the contract that is shorter than our log."""
    thief = Thief(kept)
    assert thief.anchor()
    kept.grow(3)
    return kept, thief


def everything_is_right(world: Any) -> None:
    assert world.advance()[-1] == "idle"
    world.grow()
    assert world.advance()[-1] == "idle"
    chain = world.chain()
    with world.store.read() as connection:
        ours = log.latest(connection)
        assert ours is not None
        assert anchor_plans.succession(connection) is None
        assert (ours.size, ours.root) == ac.latest(world.network, chain.contract)
        for _, one in ac.anchorings(world.network, chain.contract, 0):
            assert log.root(connection, one.size) == one.root
    events = [one.size for _, one in ac.anchorings(world.network, chain.contract, 0)]
    assert len(set(events)) == len(events)
    for network in (world.network, None):
        report = fsck(world.store, world.keys, network)
        assert report["ok"], report["faults"]


def states(world: Any) -> list[tuple[int, int, str]]:
    with world.store.read() as connection:
        query = select(ANCHORS.c.chain, ANCHORS.c.size, ANCHORS.c.state).order_by(ANCHORS.c.chain, ANCHORS.c.size)
        return [tuple(row) for row in connection.execute(query)]


def bundle(world: Any, record_hash: bytes) -> bytes:
    with world.store.read() as connection:
        data, state = bundles.make_bundle(connection, world.keys, record_hash)
    assert state == "final"
    return data


def trusted(world: Any, contract: bytes) -> dict[str, Any]:
    found: dict[str, Any] = trust_from(world.network, contract, world.keys.log.verifier_key)
    return found


def judged(data: bytes, held: dict[str, Any]) -> str:
    return verify(data, trust.parse(json.dumps(held).encode())).verdict


def test_from_a_foreign_root_to_a_successor(robbed: tuple[Any, Thief]) -> None:
    world, thief = robbed
    old, heir = world.chain(), world.heir
    first = bundle(world, world.captured[0])
    old_trust = trusted(world, old.contract)
    with pytest.raises(anchor_chain.ForeignAnchor):
        world.step()
    with pytest.raises(SuccessionRefused, match="--log-is-whole"):
        world.succeed(log_is_whole=False)
    assert world.succeed() == [
        "succession-planned",
        *("order-signed", "order-sent", "order-done"),
        "compared",
        *("order-signed", "order-sent", "order-done") * 3,
        "succeeded",
    ]
    new = world.chain()
    common = states(world)[1][1]
    assert states(world) == [
        (old.id, 3, "FINAL"),
        (old.id, common, "FINAL"),
        (old.id, thief.anchored[0], "FOREIGN"),
        (new.id, common, "FINAL"),
    ]
    assert ac.successor(world.network, old.contract) == new.contract
    assert ac.latest(world.network, new.contract) == (common, ac.root_at(world.network, old.contract, common))
    assert ac.admin(world.network, new.contract) == world.admin.address
    assert Wallet.load(world.folder / "keys" / ANCHOR_FILE).address == heir.address
    assert not thief.anchor()
    thief.contract = new.contract
    assert not thief.anchor()
    everything_is_right(world)
    # An auditor who knows the old contract, and one who added the new one.
    both = merge(json.dumps(old_trust).encode(), trusted(world, new.contract))
    last = bundle(world, world.captured[-1])
    assert bundle(world, world.captured[0]) == first
    assert [judged(one, old_trust) for one in (first, last)] == ["VALID", "INDETERMINATE"]
    assert [judged(one, both) for one in (first, last)] == ["VALID", "VALID"]
    assert judged(last, trusted(world, new.contract)) == "VALID"


def test_a_record_under_the_common_size_can_stand_on_the_successor(robbed: tuple[Any, Thief]) -> None:
    world, _ = robbed
    old = world.chain()
    world.succeed()
    with world.store.write() as connection:
        connection.execute(ANCHORS.update().where(ANCHORS.c.chain == old.id).values(state="ENDED"))
    found = bundle(world, world.captured[0])
    assert judged(found, trusted(world, world.chain().contract)) == "VALID"


def test_a_foreign_log_longer_than_ours(kept: Any) -> None:
    thief = Thief(kept)
    assert thief.anchor(40)
    assert thief.anchor(1)
    with pytest.raises(anchor_chain.StaleStore):
        kept.step()
    with pytest.raises(SuccessionRefused, match="newer"):
        kept.succeed(log_is_whole=False)
    assert kept.succeed()[-1] == "succeeded"
    foreign = [size for _, size, state in states(kept) if state == "FOREIGN"]
    assert foreign == thief.anchored
    everything_is_right(kept)


def test_of_many_foreign_anchors_the_first_and_the_last_are_kept(robbed: tuple[Any, Thief]) -> None:
    world, thief = robbed
    assert all(thief.anchor(number) for number in (1, 9, 2))
    assert world.succeed()[-1] == "succeeded"
    assert [size for _, size, state in states(world) if state == "FOREIGN"] == [thief.anchored[0], thief.anchored[-1]]
    everything_is_right(world)


@pytest.mark.parametrize("which", ["min", "max"])
def test_evidence_that_is_gone_is_found(robbed: tuple[Any, Thief], which: str) -> None:
    world, thief = robbed
    assert thief.anchor()
    world.succeed()
    with world.store.write() as connection:
        rows = select(ANCHORS.c.id, ANCHORS.c.size).where(ANCHORS.c.state == "FOREIGN").order_by(ANCHORS.c.size)
        number, size = list(connection.execute(rows))[0 if which == "min" else -1]
        connection.execute(ANCHORS.delete().where(ANCHORS.c.id == number))
    (fault,) = fsck(world.store, world.keys, world.network)["faults"]
    assert fault["code"] == "foreign-anchor"
    assert f"size {size}" in fault["detail"]


@pytest.mark.postgres
def test_on_postgres(postgres_world: Any, admin: Wallet) -> None:
    world = prepared(postgres_world, admin)
    world.grow()
    world.until("signed")
    thief = Thief(world)
    assert thief.anchor(5)
    with pytest.raises(anchor_chain.StaleStore):
        world.step()
    assert world.succeed()[-1] == "succeeded"
    assert [state for _, _, state in states(world)] == ["FINAL", "FINAL", "ENDED", "FOREIGN", "FINAL"]
    everything_is_right(world)


def test_a_key_that_leaked_and_did_no_harm(kept: Any) -> None:
    kept.grow()
    kept.until("signed")
    assert kept.succeed(log_is_whole=False)[-1] == "succeeded"
    assert [state for _, _, state in states(kept)] == ["FINAL", "FINAL", "ENDED", "FINAL"]
    everything_is_right(kept)


def test_what_the_contract_took_before_it_was_left_stands(kept: Any) -> None:
    kept.settings = AnchoringSettings(admin=kept.admin.address, finality_depth=1)
    kept.grow()
    assert kept.until("waiting").size == kept.in_flight().size
    kept.settings = AnchoringSettings(admin=kept.admin.address)
    assert kept.in_flight().state == "MINED"
    assert Thief(kept).anchor()
    assert kept.succeed()[-1] == "succeeded"
    assert [state for _, _, state in states(kept)] == ["FINAL", "FINAL", "FINAL", "FOREIGN", "FINAL"]
    everything_is_right(kept)


def test_a_thief_who_takes_the_size_that_is_on_its_way(kept: Any) -> None:
    sealed = kept.grow()
    kept.until("signed")
    thief = Thief(kept)
    assert thief.anchor(sealed.size - len(thief.leaves))
    with pytest.raises(anchor_chain.ForeignAnchor):
        kept.step()
    assert kept.succeed()[-1] == "succeeded"
    assert [state for _, _, state in states(kept)] == ["FINAL", "FINAL", "FOREIGN", "FINAL"]
    everything_is_right(kept)


def test_a_thief_who_anchors_states_of_ours(kept: Any) -> None:
    """They are true, and one of them is no checkpoint: nothing begins there."""
    kept.grow(4)
    chain = kept.chain()
    with kept.store.read() as connection:
        leaves = [merkle.leaf_hash(data) for _, data in log.entries(connection)]
    before, _ = ac.latest(kept.network, chain.contract)
    part = leaves[: before + 2]
    data = ac.anchor_data(len(part), merkle.root(part), merkle.consistency_path(part, before))
    assert ad.execute(kept.network, kept.wallet, chain.contract, data, gas=ac.ANCHOR_GAS).status == 1
    thief = Thief(kept)
    assert thief.anchor()
    assert kept.succeed()[-1] == "succeeded"
    assert ac.latest(kept.network, kept.chain().contract)[0] == before
    assert [size for _, size, state in states(kept) if state == "FOREIGN"] == thief.anchored
    everything_is_right(kept)


def test_a_thief_who_never_rests(robbed: tuple[Any, Thief]) -> None:
    """Before every commit of the way, and after it, the thief anchors once more, or tries to."""
    world, thief = robbed
    took: list[tuple[str, bool]] = []

    def once_more(point: str) -> None:
        if point.endswith((".after", "pushed")):
            took.append((point, thief.anchor()))

    assert world.succeed(once_more)[-1] == "succeeded"
    points = [point for point, _ in took]
    paused = points.index("order.pushed")
    assert all(done for _, done in took[:paused])
    assert not any(done for _, done in took[paused:])
    foreign = [size for _, size, state in states(world) if state == "FOREIGN"]
    assert foreign == [thief.anchored[0], thief.anchored[-1]]
    everything_is_right(world)


def test_the_worker_rests_meanwhile(robbed: tuple[Any, Thief]) -> None:
    world, _ = robbed

    def look(point: str) -> None:
        if point == "succession.planned.after":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.succeed(look)
    assert world.advance() == ["succession"]
    world.grow()  # captures and seals go on
    assert world.succeed()[-1] == "succeeded"
    everything_is_right(world)


def test_who_may_not(robbed: tuple[Any, Thief], tmp_path: Any) -> None:
    world, _ = robbed
    admin, heir = world.admin, world.heir
    world.admin = Wallet.generate()
    with pytest.raises(SuccessionRefused, match="administrator"):
        world.succeed()
    with pytest.raises(SuccessionRefused, match="PAUSER"):
        anchor_succession.switch(world.work(world.admin), paused=True)
    world.admin, world.heir = admin, world.wallet
    with pytest.raises(SuccessionRefused, match="old one"):
        world.succeed()
    world.heir = heir

    def stop(point: str) -> None:
        if point == "succession.planned.after":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.succeed(stop)
    world.heir = Wallet.generate()
    with pytest.raises(SuccessionRefused, match="begun with"):
        world.succeed()
    assert ac.successor(world.network, world.chain().contract) is None


def test_pause_and_resume(kept: Any) -> None:
    def turned(paused: bool) -> str:
        while (done := anchor_succession.switch(kept.work(kept.admin), paused=paused)).again:
            pass
        return done.did

    kept.grow()
    assert turned(True) == "done"
    assert ac.paused(kept.network, kept.chain().contract)
    assert kept.advance()[-1] == "paused"
    assert turned(False) == "done"
    assert kept.advance()[-1] == "idle"
    assert fsck(kept.store, kept.keys, kept.network)["ok"]


# A successor that others made


def successor_of(world: Any, anchorer: bytes, size: int, root: bytes) -> bytes:
    data = ac.deploy_data(
        *(world.admin.address,),
        anchorer=anchorer,
        pauser=world.admin.address,
        registrar=world.admin.address,
        start_size=size,
        start_root=root,
    )
    signed = ad.transaction(world.network, world.admin, to=None, data=data, gas=ad.DEPLOY_GAS)
    world.network.send_raw(signed.raw)
    made = ad.await_receipt(world.network, signed.tx_hash).contract_address
    assert made is not None
    return made


def freeze(world: Any, successor: bytes) -> None:
    done = ad.execute(world.network, world.admin, world.chain().contract, ac.freeze_data(successor))
    assert done.status == 1


def pay(world: Any, account: bytes) -> None:
    fees, mine = world.network.fees(), world.admin.address
    nonce, chain_id = world.network.nonce(mine), world.network.identity().chain_id
    gift = Transaction(chain_id, nonce, fees.max_fee, fees.priority_fee, 21_000, account, b"", 10**18)
    world.network.send_raw(world.admin.sign(gift).raw)


def followed(world: Any) -> str:
    return anchor_succession.follow(world.work(world.wallet)).did


def test_following_a_successor_that_others_named(robbed: tuple[Any, Thief]) -> None:
    world, _ = robbed
    with pytest.raises(SuccessionRefused, match="not frozen"):
        followed(world)
    common = world.finals()[0]
    made = successor_of(world, world.heir.address, common.size, common.root)
    freeze(world, made)
    with pytest.raises((anchoring.AnchoringEnded, anchor_chain.ForeignAnchor)):
        world.advance()
    with pytest.raises(SuccessionRefused, match="follow"):
        world.succeed()
    with pytest.raises(SuccessionRefused, match="ANCHORER"):
        followed(world)
    world.install()
    pay(world, world.heir.address)
    assert followed(world) == "succeeded"
    assert world.chain().contract == made
    assert [state for _, _, state in states(world)] == ["FINAL", "FINAL", "FOREIGN", "FINAL"]
    everything_is_right(world)


def test_a_contract_that_ended_says_what_to_do(kept: Any) -> None:
    common = kept.finals()[0]
    made = successor_of(kept, kept.wallet.address, common.size, common.root)
    freeze(kept, made)
    kept.grow()
    with pytest.raises(anchoring.AnchoringEnded, match="contract follow"):
        kept.advance()
    assert followed(kept) == "succeeded"
    everything_is_right(kept)


def forged_start(world: Any) -> tuple[int, bytes]:
    return world.finals()[0].size, b"\x66" * 32


def late_start(world: Any) -> tuple[int, bytes]:
    return 1_000, b"\x66" * 32


@pytest.mark.parametrize(
    ("start", "kind", "words"),
    [(forged_start, SuccessionRefused, "never had"), (late_start, anchor_chain.StaleStore, "1000 entries")],
)
def test_a_successor_that_does_not_go_on_from_our_log(
    kept: Any, start: Callable[[Any], tuple[int, bytes]], kind: type[Exception], words: str
) -> None:
    freeze(kept, successor_of(kept, kept.wallet.address, *start(kept)))
    with pytest.raises(kind, match=words):
        followed(kept)


def test_a_successor_that_is_something_else(kept: Any) -> None:
    freeze(kept, b"\x77" * 20)
    with pytest.raises(SuccessionRefused, match="code hash"):
        followed(kept)


def test_frozen_by_somebody_in_mid_way(robbed: tuple[Any, Thief]) -> None:
    world, _ = robbed
    common = world.finals()[0]

    def stop(point: str) -> None:
        if point == "succession.compared.after":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.succeed(stop)
    freeze(world, successor_of(world, world.heir.address, common.size, common.root))
    with pytest.raises(SuccessionRefused, match="first"):
        world.succeed()
    world.install()
    pay(world, world.heir.address)
    assert followed(world) == "succeeded"
    everything_is_right(world)


# Backups and lost chains


def test_a_backup_of_before_finds_its_way_to_the_successor(robbed: tuple[Any, Thief]) -> None:
    world, _ = robbed
    backup(world.store, world.keys, world.network, world.folder / "before")
    world.succeed()
    world.close()
    for name in ("log.db", "log.db-wal", "log.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    restore(world.folder / "before", world.url, world.folder / "keys", world.folder / "chain.db")
    fresh = world.reopen()
    world.store, world.network = fresh.store, fresh.network
    with pytest.raises(anchor_chain.ForeignAnchor):
        world.step()
    assert followed(world) == "succeeded"
    everything_is_right(world)


def test_a_backup_of_before_the_successors_anchors_is_refused(robbed: tuple[Any, Thief]) -> None:
    from sudonglian.records.backup_files import BackupStale

    world, _ = robbed
    backup(world.store, world.keys, world.network, world.folder / "before")
    world.succeed()
    world.grow()
    world.advance()
    world.close()
    for name in ("log.db", "log.db-wal", "log.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    with pytest.raises(BackupStale, match="contract's log"):
        restore(world.folder / "before", world.url, world.folder / "keys", world.folder / "chain.db", force=True)
    fresh = world.reopen()
    world.store, world.network = fresh.store, fresh.network


def test_a_backup_of_the_middle_of_the_way_goes_on(robbed: tuple[Any, Thief]) -> None:
    world, _ = robbed

    def stop(point: str) -> None:
        if point == "order.sent.after" and ac.paused(world.network, world.chain().contract):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.succeed(stop)
    backup(world.store, world.keys, world.network, world.folder / "middle", keys_folder=world.folder / "keys")
    world.close()
    for path in [*world.folder.glob("log.db*"), *world.folder.glob("chain.db*"), *(world.folder / "keys").iterdir()]:
        path.unlink()
    restore(world.folder / "middle", world.url, world.folder / "keys", world.folder / "chain.db")
    fresh = world.reopen()
    world.store, world.network = fresh.store, fresh.network
    assert world.succeed()[-1] == "succeeded"
    everything_is_right(world)


def test_a_chain_that_is_lost_with_both_contracts(robbed: tuple[Any, Thief]) -> None:
    world, _ = robbed
    world.succeed()
    world.advance()
    world.network.close()
    for path in world.folder.glob("chain.db*"):
        path.unlink()
    world.wallet, world.heir = Wallet.load(world.folder / "keys" / ANCHOR_FILE), None
    old = world.open_network
    world.open_network = lambda: type(world.network)(
        world.folder / "chain.db", genesis_accounts={world.wallet.address: 10**21}, max_lead_s=10**9
    )
    world.network = world.open_network()
    assert old is not None
    done = world.advance()
    assert (done[0], done[-1], done.count("chain-lost")) == ("chain-lost", "idle", 1)
    assert [state for _, _, state in states(world)][:3] == ["CHAIN_LOST", "CHAIN_LOST", "FOREIGN"]
    with world.store.read() as connection:
        assert len(anchor_book.chains(connection)) == 1
    everything_is_right(world)


# On a node that mines when it is told to, with money that has to be sent


def rpc(world: Any, method: str, *parameters: Any) -> Any:
    return world.network._ask(method, *parameters)


@pytest.mark.anvil
def test_on_a_node_whose_blocks_are_slow_and_dear(anvil_world: Any, admin: Wallet, nodes: Any) -> None:
    nodes.fund(anvil_world.network, admin)
    world = prepared(anvil_world, admin)
    world.settings = AnchoringSettings(admin=admin.address, finality_depth=2)
    thief = Thief(world)
    assert thief.anchor()
    rpc(world, "evm_setAutomine", False)
    stuck = done = 0
    for _ in range(200):
        did = world.succeed()
        done += "order-done" in did
        if did[-1] == "succeeded":
            break
        if did[-1] == "waiting" and stuck <= done:
            # The market has moved on: what was offered is not enough any more.
            stuck += 1
            with world.store.read() as connection:
                order = anchor_plans.order(connection, anchor_plans.ORDER)
            assert order is not None
            rpc(world, "anvil_setNextBlockBaseFeePerGas", hex(2 * order.max_fee))
            rpc(world, "anvil_mine", "0x1")
            for _ in range(world.settings.stuck_after_s * 100 + 100):
                world.clock()
            assert "order-stuck" in world.succeed()
        rpc(world, "anvil_mine", "0x1")
    else:
        raise AssertionError(did)
    assert (stuck, done) == (4, 4)
    rpc(world, "evm_setAutomine", True)
    world.settings = AnchoringSettings(admin=admin.address)
    everything_is_right(world)
