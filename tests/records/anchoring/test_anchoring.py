"""Anchoring on the embedded chain: the straight road, and every side road that one node can show."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import merkle
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.wallet import Wallet
from sudonglian.records import anchor_book, anchor_chain, anchor_halt, anchoring, backup_files, intake, log
from sudonglian.records.anchor_work import AnchoringSettings, Unfunded
from sudonglian.records.fsck import fsck
from sudonglian.records.tables import ANCHOR_ATTEMPTS, ANCHORS, CHAINS

FIRM = "https://id.gs1.org/417/6901234000009"


def test_first_anchor(world: Any) -> None:
    assert world.advance() == ["idle"]
    sealed = world.grow(3)
    assert world.advance() == [
        "deploy-signed",
        "deploy-sent",
        "deployed",
        "planned",
        "signed",
        "broadcast",
        "mined",
        "final",
        "idle",
    ]
    chain = world.chain()
    assert ac.latest(world.network, chain.contract) == (sealed.size, sealed.root)
    assert world.states() == [(sealed.size, "FINAL")]
    assert world.advance() == ["idle"]


def test_newest_of_several_checkpoints(world: Any) -> None:
    world.grow()
    world.grow()
    last = world.grow()
    world.advance()
    assert world.states() == [(last.size, "FINAL")]


def test_a_plan_gives_way_to_a_newer_checkpoint(world: Any) -> None:
    world.grow()
    world.until("planned")
    last = world.grow()
    assert world.step().did == "planned"
    world.advance()
    assert world.states() == [(last.size, "FINAL")]


def test_each_anchor_extends_the_last(world: Any) -> None:
    sizes = []
    for count in (1, 2, 5, 1):
        sizes.append(world.grow(count).size)
        world.advance()
    assert world.states() == [(size, "FINAL") for size in sizes]


def test_material_is_what_an_auditor_checks(world: Any) -> None:
    world.grow()
    world.advance()
    chain, (anchor,) = world.chain(), world.finals()
    with world.store.read() as connection:
        row = connection.execute(select(ANCHORS)).one()
    anchor_chain.check_material(chain, anchor, row.header, row.account_proof, row.storage_proof)
    for name in ("header", "account_proof", "storage_proof"):
        kept = {"header": row.header, "account_proof": row.account_proof, "storage_proof": row.storage_proof}
        kept[name] = kept[name][:-1] + bytes([kept[name][-1] ^ 1])
        with pytest.raises(anchor_chain.FinalProofRefused):
            anchor_chain.check_material(chain, anchor, *kept.values())


def test_the_transaction_is_on_disk_before_it_is_sent(world: Any) -> None:
    world.grow()
    progress = world.until("signed")
    other = world.reopen()
    assert other.network.receipt(progress.tx_hash) is None
    assert other.advance()[:2] == ["broadcast", "mined"]
    other.close()


def test_sent_twice_is_one_anchor(world: Any) -> None:
    world.grow()
    signed = world.until("signed")
    chain, anchor = world.chain(), world.in_flight()
    world.network.send_raw(anchor.raw_tx)
    mined = world.step()
    assert (mined.did, mined.tx_hash) == ("mined", signed.tx_hash)
    assert len(world.network.anchored_blocks(chain.contract, 0)) == 1


def test_one_anchorer_at_a_time(world: Any) -> None:
    world.grow()
    other = world.reopen()
    with anchor_book.anchorer(other.store) as free:
        assert free
        assert world.step().did == "busy"
    assert world.step().did == "deploy-signed"
    other.close()


def test_an_anchor_that_another_changed_is_not_moved(world: Any) -> None:
    world.grow()
    world.until("signed")

    def steal(point: str) -> None:
        if point == "anchor.pushed":
            with world.store.write() as connection:
                connection.execute(update(ANCHORS).values(state="MINED"))

    with pytest.raises(anchor_book.AnchorMoved):
        world.step(at=steal)


def test_chain_that_came_back_empty(world: Any, tmp_path: Path) -> None:
    world.grow(2)
    world.advance()
    world.grow(3)
    world.network.close()
    for name in ("chain.db", "chain.db-wal", "chain.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    world.network = world.open_network()
    done = world.advance()
    assert done[0] == "chain-lost"
    assert done[-2:] == ["final", "idle"]
    assert [state for _, state in world.states()] == ["CHAIN_LOST", "FINAL"]
    with world.store.read() as connection:
        assert len(connection.execute(select(CHAINS)).all()) == 2
    newest = world.states()[-1][0]
    chain, (anchor,) = world.chain(), world.finals()
    assert anchor.size == newest
    receipt = world.network.receipt(anchor.tx_hash)
    (said,) = ac.anchored_events(receipt.logs, chain.contract)
    assert (said.previous_size, said.size) == (0, newest)


def put_back(world: Any, data: bytes) -> bytes:
    """Put an older or newer database file in place, and return the one that was there."""
    world.store.close()
    path = world.folder / "log.db"
    was: bytes = path.read_bytes()
    for name in ("log.db-wal", "log.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    path.write_bytes(data)
    return was


@pytest.fixture
def behind(world: Any) -> Any:
    """A deployment whose database is older than its last anchor; `newer` is the file that was lost."""
    world.grow()
    world.advance()
    world.store.close()
    kept = (world.folder / "log.db").read_bytes()
    world.grow()
    world.advance()
    world.capture(world.event(70))
    newer = put_back(world, kept)
    return world, newer


def look_by_status(world: Any) -> None:
    with world.store.read() as connection:
        anchoring.status(connection, world.network)


def look_by_fsck(world: Any) -> None:
    codes = {one["code"] for one in fsck(world.store, world.keys, world.network)["faults"]}
    assert "stale-store" in codes
    raise anchor_chain.StaleStore("told")


@pytest.mark.parametrize("look", [lambda world: world.step(), look_by_status, look_by_fsck])
def test_a_store_that_is_behind_the_contract_takes_nothing_more(behind: Any, look: Callable[[Any], None]) -> None:
    world, newer = behind
    waiting = world.event(80)
    world.capture(waiting)  # nobody has looked yet
    with pytest.raises(anchor_chain.StaleStore):
        look(world)
    with pytest.raises(anchor_halt.Halted, match="restore a newer backup") as refused:
        world.capture(world.event(81))
    assert refused.value.slug == anchor_chain.StaleStore.slug
    with pytest.raises(anchor_halt.Halted):
        world.seal()
    with world.store.read() as connection:
        assert anchoring.status(connection, None)["halted"]
        assert connection.execute(text("SELECT count(*) FROM pending")).scalar_one() == 1
    assert "stale-store" in {one["code"] for one in fsck(world.store, world.keys, None)["faults"]}
    # A resend adds nothing, and is told what it was told before.
    with world.store.write() as connection:
        again = intake.capture(connection, world.keys, json.dumps([waiting]).encode(), submitter=FIRM, now=world.now)
    assert (again.unchanged, again.accepted) == (1, 0)
    put_back(world, newer)
    world.seal()
    assert world.advance()[-1] == "idle"


@pytest.mark.parametrize("look", [lambda world: world.step(), look_by_status])
def test_a_halt_ends_when_a_look_finds_the_store_mended(behind: Any, look: Callable[[Any], None]) -> None:
    world, newer = behind
    put_back(world, newer)
    with world.store.write() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('halted', 'a backup was taken while it was halted')"))
    with pytest.raises(anchor_halt.Halted):
        world.seal()
    look(world)
    world.seal()
    assert fsck(world.store, world.keys, world.network)["ok"]


def test_a_reader_of_an_older_state_halts_nothing(world: Any) -> None:
    world.grow()
    world.advance()
    chain = world.chain()
    with world.store.read() as connection:
        before = log.size(connection)
        world.grow()
        world.advance()
        found = anchor_chain.compare(connection, world.network, chain)
        assert log.size(connection) == before < found.size
    world.grow()
    assert world.advance()[-1] == "idle"


def test_a_stolen_key(world: Any) -> None:
    world.grow()
    world.advance()
    chain, (anchor,) = world.chain(), world.finals()
    with world.store.read() as connection:
        leaves = [merkle.leaf_hash(data) for _, data in log.entries(connection)] + [b"\x13" * 32]
    forged = merkle.root(leaves)
    data = ac.anchor_data(len(leaves), forged, merkle.consistency_path(leaves, anchor.size))
    assert ad.execute(world.network, world.wallet, chain.contract, data, gas=ac.ANCHOR_GAS).status == 1
    world.grow(3)
    with pytest.raises(anchor_chain.ForeignAnchor) as raised:
        world.step()
    assert raised.value.anchored == forged
    assert raised.value.ours not in (b"", forged)
    assert forged.hex() in raised.value.diagnostics()
    assert raised.value.ours.hex() in raised.value.diagnostics()


def test_an_honest_anchor_from_elsewhere_is_adopted(world: Any) -> None:
    world.grow()
    world.until("planned")
    chain, anchor = world.chain(), world.in_flight()
    ad.execute(world.network, world.wallet, chain.contract, ac.anchor_data(anchor.size, anchor.root, []), gas=200_000)
    assert world.advance() == ["mined", "final", "idle"]
    world.grow()
    world.advance()
    assert [state for _, state in world.states()] == ["FINAL", "FINAL"]


def test_nonce_taken_by_another_transaction_of_the_key(world: Any) -> None:
    world.grow()
    world.until("signed")
    chain = world.chain()
    ad.execute(world.network, world.wallet, chain.contract, ac.pause_data(paused=True))
    assert world.step().did == "unsigned"
    assert world.step().did == "paused"
    ad.execute(world.network, world.wallet, chain.contract, ac.pause_data(paused=False))
    assert world.advance()[-2:] == ["final", "idle"]


def test_refused_by_the_contract(world: Any) -> None:
    world.grow()
    world.until("signed")
    chain, anchor = world.chain(), world.in_flight()
    with world.store.read() as connection:
        tx = anchor_book.attempts(connection, anchor)[0]
    # Make what was signed revert: a transaction with the nonce before it cannot be had, so the state is set by hand.
    signed = ad.transaction(world.network, world.wallet, to=chain.contract, data=b"\xff" * 4, gas=100_000)
    world.network.send_raw(signed.raw)
    with world.store.write() as connection:
        connection.execute(update(ANCHOR_ATTEMPTS).values(tx_hash=signed.tx_hash, raw_tx=signed.raw))
    assert tx.tx_hash != signed.tx_hash
    with pytest.raises(anchoring.AnchorReverted):
        world.step()
    assert world.advance()[-2:] == ["final", "idle"]


def test_frozen_contract(world: Any) -> None:
    world.grow()
    world.advance()
    chain = world.chain()
    ad.execute(world.network, world.wallet, chain.contract, ac.freeze_data(b"\x77" * 20))
    world.grow()
    with pytest.raises(anchoring.AnchoringEnded):
        world.advance()


def test_a_key_without_money(world: Any) -> None:
    world.grow()
    world.wallet = Wallet.generate()
    with pytest.raises(Unfunded):
        world.step()


def test_fee_cap(world: Any) -> None:
    world.grow()
    world.settings = AnchoringSettings(max_fee_cap=1)
    assert world.step().did == "fee-cap"
    world.settings = AnchoringSettings()
    assert world.advance()[-1] == "idle"


def test_not_final_before_its_depth(world: Any) -> None:
    world.settings = AnchoringSettings(finality_depth=2)
    world.grow()
    assert world.advance()[-1] == "waiting"
    for _ in range(2):
        ad.execute(world.network, world.wallet, b"\x01" * 20, b"")
    assert world.advance()[-2:] == ["mined", "waiting"]
    for _ in range(2):
        ad.execute(world.network, world.wallet, b"\x01" * 20, b"")
    assert world.advance() == ["final", "idle"]


def copy_chain(world: Any, path: Path) -> None:
    assert isinstance(world.network, EmbeddedNetwork)
    world.network.copy_to(path)


def put_chain_back(world: Any, path: Path, tmp_path: Path) -> None:
    world.network.close()
    for name in ("chain.db-wal", "chain.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "chain.db").write_bytes(path.read_bytes())
    world.network = world.open_network()


def test_a_mined_block_that_is_gone(world: Any, tmp_path: Path) -> None:
    world.grow()
    world.advance()
    copy_chain(world, tmp_path / "before.db")
    world.settings = AnchoringSettings(finality_depth=5)
    world.grow()
    world.until("waiting")
    put_chain_back(world, tmp_path / "before.db", tmp_path)
    assert world.advance() == ["reorged", "broadcast", "mined", "waiting"]


def test_a_final_block_that_is_gone_halts(world: Any, tmp_path: Path) -> None:
    world.grow()
    world.advance()
    copy_chain(world, tmp_path / "before.db")
    sealed = world.grow()
    world.advance()
    put_chain_back(world, tmp_path / "before.db", tmp_path)
    for _ in range(2):
        with pytest.raises(anchoring.FinalityBroken) as raised:
            world.step()
    assert raised.value.anchor.size == sealed.size
    assert anchoring.accept_reorg(world.store, world.network, world.clock()) == 1
    assert world.advance() == ["broadcast", "mined", "final", "idle"]
    assert world.states()[-1] == (sealed.size, "FINAL")


def test_the_wrong_network(world: Any) -> None:
    world.grow()
    world.advance()
    with world.store.write() as connection:
        connection.execute(update(CHAINS).values(chain_id=1))
    with pytest.raises(anchor_chain.WrongChain):
        world.step()


def test_status(world: Any) -> None:
    with world.store.read() as connection:
        empty = anchoring.status(connection, None)
    assert empty["log"] == {"size": 0, "root": None}
    assert (empty["anchors"], empty["lag"], empty["in_flight"]) == ([], 0, None)
    sealed = world.grow(2)
    world.advance()
    world.grow()
    world.until("signed")
    with world.store.read() as connection:
        said = anchoring.status(connection, world.network)
    assert said["last_final_size"] == sealed.size
    assert said["lag"] == said["log"]["size"] - sealed.size == 2
    assert said["in_flight"]["state"] == "SIGNED"
    assert [one["state"] for one in said["anchors"]] == ["SIGNED", "FINAL"]
    assert said["chain"]["standing"] == "same"
    assert said["chain"]["on_chain_size"] == sealed.size


def test_stuck_is_measured_from_the_sending(world: Any) -> None:
    world.grow()
    world.until("signed")
    world.now += timedelta(days=1)
    assert world.step().did == "broadcast"


def test_every_refusal_is_documented() -> None:
    words = (Path(__file__).resolve().parents[3] / "docs" / "anchoring.md").read_text("utf-8")
    kinds = [*anchor_book.AnchoringError.__subclasses__(), *backup_files.BackupError.__subclasses__()]
    assert len(kinds) > 15
    for kind in kinds:
        assert f"`{kind.slug}`" in words, kind
    for state in anchor_book.STATES:
        assert f"| {state} |" in words, state
