"""The operator's commands of the contract, with an anchoring key that is really stolen."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import merkle
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.wallet import Wallet
from sudonglian.records import log, sequencer
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

Run = Callable[..., Any]

PALLET = "https://id.gs1.org/00/395200010000000028"


@pytest.fixture
def anchored(run: Run) -> Run:
    run("sample", "load")
    assert run("anchor").code == 0
    return run


def steal(data: Path, wallet: Wallet, more: int = 1) -> bytes:
    """Append entries that the log never had with a copy of the anchoring key; return their root."""
    contract = contract_of(data)
    with (
        closing(EmbeddedNetwork(data / "chain.db")) as network,
        closing(Store(f"sqlite:///{data / 'sudonglian.db'}")) as store,
    ):
        size, _ = ac.latest(network, contract)
        with store.read() as connection:
            leaves = [merkle.leaf_hash(entry) for _, entry in log.entries(connection, 0, size)] + [b"\x13" * 32] * more
        root = merkle.root(leaves)
        call = ac.anchor_data(len(leaves), root, merkle.consistency_path(leaves, size))
        assert ad.execute(network, wallet, contract, call, gas=ac.ANCHOR_GAS).status == 1
    return root


def contract_of(data: Path) -> bytes:
    from sudonglian.records import anchor_book

    with closing(Store(f"sqlite:///{data / 'sudonglian.db'}")) as store, store.read() as connection:
        chain = anchor_book.live_chain(connection)
    assert chain is not None
    return chain.contract


def grow(run: Run, data: Path) -> None:
    """Let the log grow, sealed and not anchored yet: a question about the pallet is entered in it."""
    assert run("trace", PALLET, "--at", "2024-11-10T14:00:00+08:00", "--purpose", "test").code == 0
    with closing(Store(f"sqlite:///{data / 'sudonglian.db'}")) as store, store.write() as connection:
        assert sequencer.seal(connection, Keys.open(data / "keys"), datetime.now(UTC)) is not None


def test_a_stolen_key_from_alarm_to_successor(anchored: Run, tmp_path: Path) -> None:
    run, data = anchored, tmp_path / "data"
    keys = data / "keys"
    trust, first, last = (str(tmp_path / name) for name in ("trust.json", "first.json", "last.json"))
    run("trust", "add", "-o", trust)
    run("bundle", "--lot", PALLET, "-o", first)
    size = run("status", "--json").json["last_final_size"]
    shown = run("contract", "show", "--json").json
    assert (shown["size"], shown["common_size"], shown["foreign"], shown["left"]) == (size, size, [], [])
    assert shown["may_anchor"]
    assert shown["admin"] == Wallet.load(keys / "admin.key").address.hex() != shown["anchorer"]

    thief = Wallet.load(keys / "anchor.key")
    away = tmp_path / "safe"
    (keys / "admin.key").rename(away)
    grow(run, data)
    root = steal(data, thief)
    assert run("anchor").code == 1
    status = run("status", "--json")
    assert (status.code, status.json["problem"]["code"]) == (1, "foreign-anchor")
    assert root.hex() in status.json["foreign"]
    for lang, word in (("en", "FOREIGN ANCHOR"), ("zh", "外来锚定")):
        assert word in run("status", "--lang", lang).out
    shown = run("contract", "show", "--json").json
    assert shown["foreign"] == [{"size": size + 1, "root": root.hex()}]
    assert shown["common_size"] == size

    assert "PAUSER" in run("contract", "pause").err  # the anchoring key alone may not
    assert run("contract", "pause", "--admin-key", str(away)).code == 0
    assert run("contract", "show", "--json").json["paused"]
    refused = run("contract", "succeed", "--admin-key", str(away))
    assert refused.code == 1
    assert "--log-is-whole" in refused.err
    done = run("contract", "succeed", "--admin-key", str(away), "--log-is-whole", "--json")
    assert done.code == 0
    assert done.json["done"]
    assert done.json["start_size"] == size
    assert done.json["left"] == [{"contract": shown["contract"], "foreign": shown["foreign"]}]
    assert Wallet.load(keys / "anchor.key").address.hex() == done.json["anchorer"] != shown["anchorer"]
    assert Wallet.load(keys / f"anchor-{thief.address.hex()}.key").address == thief.address

    assert run("anchor").code == 0
    status = run("status", "--json").json
    assert (status["lag"], status["foreign"], status["problem"], status["succession"]) == (0, None, None, False)
    assert status["left"] == done.json["left"]
    assert root.hex() in run("status").out
    run("bundle", "--lot", PALLET, "-o", last)
    assert run("verify", first, "--trust", trust).code == 0
    assert run("verify", last, "--trust", trust).code == 2
    added = run("trust", "add", "-o", trust, "--json").json
    assert added["start"] == {
        "size": size,
        "root": added["start"]["root"],
        "former": [shown["contract"]],
    }
    assert {one["contract"] for one in added["chains"]} == {shown["contract"], done.json["contract"]}
    assert run("verify", first, "--trust", trust).code == 0
    assert run("verify", last, "--trust", trust).code == 0
    assert "compare size and root" in run("trust", "add", "-o", str(tmp_path / "new.json")).out
    for arguments in (["fsck"], ["fsck", "--offline"]):
        assert run(*arguments).code == 0
    assert run("contract", "follow").code == 1


def test_a_log_that_may_be_stale_is_not_left_by_mistake(anchored: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    steal(data, Wallet.load(data / "keys" / "anchor.key"), more=9)
    status = anchored("status", "--json")
    assert status.json["problem"]["code"] == "stale-store"
    assert status.json["halted"]
    assert "已停止" in anchored("status", "--lang", "zh").out
    sample = json.dumps({"not": "looked at"})
    (tmp_path / "event.json").write_text(sample)
    assert anchored("contract", "succeed").code == 1
    assert anchored("contract", "succeed", "--log-is-whole").code == 0
    assert anchored("status", "--json").json["halted"] is None
    assert anchored("anchor").code == 0
    assert anchored("fsck").code == 0


def test_an_older_deployment_whose_one_key_does_everything(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sudonglian.api import wiring

    monkeypatch.setattr(wiring.House, "_next_admin", lambda _house: None)
    run("sample", "load")
    run("anchor")
    keys = tmp_path / "data" / "keys"
    (keys / "admin.key").unlink()
    monkeypatch.undo()
    monkeypatch.setenv("SUDONGLIAN_DATA", str(tmp_path / "data"))
    assert run("contract", "pause").code == 0
    assert run("contract", "unpause").code == 0
    assert run("contract", "succeed").code == 0
    assert run("status", "--json").json["chain"]["may_anchor"]
    assert run("fsck").code == 0


def test_without_a_contract(run: Run) -> None:
    run("sample", "load")
    for command in ("show", "pause", "unpause", "succeed", "follow"):
        done = run("contract", command)
        assert done.code == 1, command
        assert "Traceback" not in done.err
    assert run("contract", "accept-reorg", "--json").json == {"sent_again": 0}
