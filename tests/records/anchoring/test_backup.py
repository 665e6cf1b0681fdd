"""Backups of a working deployment: taken back whole, or refused by name with nothing changed."""

import json
import shutil
import threading
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.wallet import Wallet
from sudonglian.records import log
from sudonglian.records.backup import backup, restore
from sudonglian.records.backup_files import (
    BackupDamaged,
    BackupError,
    BackupIncomplete,
    BackupKeys,
    BackupStale,
    TargetNotEmpty,
)
from sudonglian.records.fsck import fsck
from sudonglian.records.keys import ANCHOR_FILE, FILES
from sudonglian.records.store import Store

worlds = pytest.mark.parametrize(
    "kind", ["world", pytest.param("postgres_world", marks=pytest.mark.postgres)], ids=["sqlite", "postgres"]
)


@pytest.fixture
def grown(request: pytest.FixtureRequest, kind: str) -> Any:
    world = request.getfixturevalue(kind)
    world.grow(3)
    world.advance()
    world.grow(2)
    world.advance()
    return world


@pytest.fixture
def kind() -> str:
    return "world"


def save(world: Any, name: str = "backup", **more: Any) -> Path:
    out: Path = world.folder / name
    backup(world.store, world.keys, world.network, out, **more)
    return out


def bring_back(world: Any, folder: Path, **more: Any) -> None:
    """Restore in place, as an operator does with the service stopped."""
    world.close()
    try:
        restore(folder, world.url, world.folder / "keys", world.folder / "chain.db", **more)
    finally:
        fresh = world.reopen()
        world.store, world.network, world.keys = fresh.store, fresh.network, fresh.keys


def lose(world: Any, *, chain: bool = True, keys: bool = False) -> None:
    world.close()
    names = ["log.db", "log.db-wal", "log.db-shm"]
    if chain:
        names += ["chain.db", "chain.db-wal", "chain.db-shm"]
    if world.url.startswith("sqlite"):
        for name in names:
            (world.folder / name).unlink(missing_ok=True)
    if keys:
        shutil.rmtree(world.folder / "keys")


def sealed_size(world: Any) -> int:
    with world.store.read() as connection:
        return log.size(connection)


@worlds
def test_there_and_back(grown: Any, kind: str) -> None:
    size = sealed_size(grown)
    out = save(grown)
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["log"]["size"], manifest["chain"]["size"]) == (size, size)
    assert not any("key" in name for name in manifest["files"])
    assert sorted(path.name for path in out.iterdir()) == sorted([*manifest["files"], "manifest.json"])
    lose(grown)
    restore(out, grown.url, grown.folder / "keys", grown.folder / "chain.db", force=kind != "world")
    fresh = grown.reopen()
    grown.store, grown.network = fresh.store, fresh.network
    assert sealed_size(grown) == size
    report = fsck(grown.store, grown.keys, grown.network)
    assert report["ok"], report["faults"]
    grown.grow()
    assert grown.advance()[-2:] == ["final", "idle"]


def test_with_keys(grown: Any) -> None:
    out = save(grown, keys_folder=grown.folder / "keys")
    vkey = grown.keys.log.vkey
    assert all((out / "keys" / name).stat().st_mode & 0o077 == 0 for name in FILES)
    lose(grown, keys=True)
    restore(out, grown.url, grown.folder / "keys", grown.folder / "chain.db")
    fresh = grown.reopen()
    grown.store, grown.network, grown.keys = fresh.store, fresh.network, fresh.keys
    assert grown.keys.log.vkey == vkey
    assert fsck(grown.store, grown.keys, grown.network)["ok"]


def test_the_anchoring_key_goes_with_the_keys(grown: Any) -> None:
    kept = grown.folder / "keys" / ANCHOR_FILE
    grown.wallet.save(kept)
    out = save(grown, keys_folder=grown.folder / "keys")
    copied = out / "keys" / ANCHOR_FILE
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["files"][f"keys/{ANCHOR_FILE}"] == sha256(copied.read_bytes()).hexdigest()
    kept.unlink()
    lose(grown)
    restore(out, grown.url, grown.folder / "keys", grown.folder / "chain.db")
    assert Wallet.load(kept).address == grown.wallet.address  # put back beside keys that were there
    data = copied.read_text()
    copied.write_text(("0" if data[0] != "0" else "1") + data[1:])
    with pytest.raises(BackupDamaged) as refused:
        bring_back(grown, out, force=True)
    assert refused.value.place == str(copied)


def test_without_keys(grown: Any) -> None:
    out = save(grown)
    lose(grown, keys=True)
    with pytest.raises(BackupKeys):
        restore(out, grown.url, grown.folder / "keys", grown.folder / "chain.db")
    assert not (grown.folder / "log.db").exists()
    grown.store, grown.network = (fresh := grown.reopen()).store, fresh.network
    with pytest.raises(BackupKeys):
        restore(out, f"sqlite:///{grown.folder / 'other.db'}", grown.folder / "keys", grown.folder / "other-chain.db")


def test_every_damaged_file_is_named(grown: Any) -> None:
    out = save(grown)
    for name in ("chain.db", "log.db"):
        kept = (out / name).read_bytes()
        (out / name).write_bytes(kept[:-100] + bytes([kept[-100] ^ 1]) + kept[-99:])
        with pytest.raises(BackupDamaged, match="not the one") as raised:
            bring_back(grown, out, force=True)
        assert raised.value.place.endswith(name)
        (out / name).unlink()
        with pytest.raises(BackupIncomplete) as missing:
            bring_back(grown, out, force=True)
        assert missing.value.place.endswith(name)
        (out / name).write_bytes(kept)
    whole = (out / "manifest.json").read_bytes()
    for broken in (b"", b"{}", whole[:-40], whole.replace(b'"size"', b'"sise"')):
        (out / "manifest.json").write_bytes(broken)
        with pytest.raises(BackupError):
            bring_back(grown, out, force=True)
    (out / "manifest.json").unlink()
    with pytest.raises(BackupIncomplete):
        bring_back(grown, out, force=True)
    assert fsck(grown.store, grown.keys, grown.network)["ok"]


def test_a_backup_of_something_wrong_is_not_taken_back(grown: Any) -> None:
    with grown.store.write() as connection:
        connection.exec_driver_sql("UPDATE records SET submitter = 'urn:x:other' WHERE id = 1")
    out = save(grown)
    with pytest.raises(BackupDamaged, match="submitter"):
        bring_back(grown, out, force=True)


def test_a_longer_log_is_never_replaced(grown: Any) -> None:
    out = save(grown)
    grown.grow()
    for force in (False, True):
        with pytest.raises(BackupStale):
            bring_back(grown, out, force=force)
    assert grown.advance()[-1] == "idle"


def test_what_waits_is_never_dropped(grown: Any) -> None:
    out = save(grown)
    grown.capture(grown.event(99))
    with pytest.raises(BackupStale, match="wait"):
        bring_back(grown, out, force=True)


def test_the_same_log_needs_force(grown: Any) -> None:
    out = save(grown)
    with pytest.raises(TargetNotEmpty):
        bring_back(grown, out)
    bring_back(grown, out, force=True)
    assert fsck(grown.store, grown.keys, grown.network)["ok"]


def test_a_chain_that_knows_more_than_the_backup(grown: Any) -> None:
    out = save(grown)
    grown.grow()
    grown.advance()
    lose(grown, chain=False)
    with pytest.raises(BackupStale, match="contract's log"):
        restore(out, grown.url, grown.folder / "keys", grown.folder / "chain.db", force=True)
    assert not (grown.folder / "log.db").exists()
    fresh = grown.reopen()
    grown.store, grown.network = fresh.store, fresh.network


def test_a_chain_that_outlived_the_database_stays(grown: Any) -> None:
    grown.grow()
    grown.until("signed")
    out = save(grown)
    grown.advance()
    lose(grown, chain=False)
    head = grown.open_network()
    height = head.head()
    head.close()
    restore(out, grown.url, grown.folder / "keys", grown.folder / "chain.db")
    fresh = grown.reopen()
    grown.store, grown.network = fresh.store, fresh.network
    assert grown.network.head() == height
    assert grown.advance() == ["mined", "final", "idle"]
    assert fsck(grown.store, grown.keys, grown.network)["ok"]


def test_two_histories(grown: Any, tmp_path: Path) -> None:
    """Two deployments that went on from one backup with the same keys: neither may take the other's place."""
    early = save(grown, "early")
    grown.grow(2)
    late = save(grown, "late")
    lose(grown)
    restore(early, grown.url, grown.folder / "keys", grown.folder / "chain.db")
    fresh = grown.reopen()
    grown.store, grown.network = fresh.store, fresh.network
    grown.capture(grown.event(500))
    grown.seal()
    with pytest.raises(BackupStale, match="differ"):
        bring_back(grown, late, force=True)


def test_another_log(grown: Any, tmp_path: Path) -> None:
    out = save(grown)
    url = f"sqlite:///{tmp_path / 'other.db'}"
    other = type(grown)(tmp_path / "other", grown.wallet, grown.open_network, url, origin="sudonglian.test/log/2")
    other.close()
    with pytest.raises(BackupKeys):
        restore(out, other.url, tmp_path / "other" / "keys", tmp_path / "other-chain.db", force=True)
    with pytest.raises(TargetNotEmpty, match="holds the log"):
        restore(out, other.url, grown.folder / "keys", tmp_path / "other-chain.db", force=True)


def test_not_over_something_else(grown: Any) -> None:
    (grown.folder / "full").mkdir()
    (grown.folder / "full" / "file").write_text("x")
    with pytest.raises(TargetNotEmpty):
        save(grown, "full")
    (grown.folder / "empty").mkdir()
    save(grown, "empty")


@worlds
def test_while_others_work(grown: Any, kind: str) -> None:
    """Captures, seals and anchors go on in another thread; each backup is one sound state."""
    other = grown.reopen()
    stop = threading.Event()
    broken: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                other.grow()
                other.advance()
        except BaseException as error:  # noqa: BLE001  reported below
            broken.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        outs = [save(grown, f"backup-{number}") for number in range(3)]
    finally:
        stop.set()
        worker.join()
        other.close()
    assert broken == []
    if kind != "world":
        return
    for out in outs:
        manifest = json.loads((out / "manifest.json").read_text())
        assert manifest["chain"]["size"] <= manifest["log"]["size"]
        place = out.parent / f"{out.name}-restored"
        restore(out, f"sqlite:///{place / 'log.db'}", grown.folder / "keys", place / "chain.db")
        with (
            closing(EmbeddedNetwork(place / "chain.db")) as chain,
            closing(Store(f"sqlite:///{place / 'log.db'}")) as it,
        ):
            report = fsck(it, grown.keys, chain)
        assert report["ok"], report["faults"]
