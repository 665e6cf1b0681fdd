"""What is told of anchoring when something is wrong: the command, the pages' status, readiness and metrics agree."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sudonglian.api.http.app import create_app
from sudonglian.api.http.door import Door
from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import merkle
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.wallet import Wallet
from sudonglian.records import anchor_book, anchor_work, anchoring, log, sequencer
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

Run = Callable[..., Any]
Told = dict[str, Any]

PALLET = "https://id.gs1.org/00/395200010000000028"


def ask(app: Any, path: str, token: str) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
    }
    asyncio.run(app({**scope, "root_path": "", "client": ("127.0.0.1", 1), "scheme": "http"}, receive, send))
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:])


def gauges(text: str) -> dict[str, int]:
    lines = (line.split() for line in text.splitlines() if line.startswith("sudonglian_") and "{" not in line)
    return {name: int(value) for name, value in lines if value.isdigit()}


@contextmanager
def opened(data: Path) -> Iterator[tuple[Store, Keys, EmbeddedNetwork, Wallet]]:
    with (
        closing(Store(f"sqlite:///{data / 'sudonglian.db'}")) as store,
        closing(EmbeddedNetwork(data / "chain.db")) as network,
    ):
        yield store, Keys.open(data / "keys"), network, Wallet.load(data / "keys" / "anchor.key")


def grow(run: Run, data: Path) -> None:
    assert run("trace", PALLET, "--at", "2024-11-10T14:00:00+08:00", "--purpose", "test").code == 0
    with opened(data) as (store, keys, *_), store.write() as connection:
        sequencer.seal(connection, keys, datetime.now(UTC))


def steal(data: Path, more: int) -> None:
    with opened(data) as (store, _, network, wallet):
        with store.read() as connection:
            chain = anchor_book.live_chain(connection)
            assert chain is not None
            size, _ = ac.latest(network, chain.contract)
            leaves = [merkle.leaf_hash(entry) for _, entry in log.entries(connection, 0, size)] + [b"\x13" * 32] * more
        call = ac.anchor_data(len(leaves), merkle.root(leaves), merkle.consistency_path(leaves, size))
        assert ad.execute(network, wallet, chain.contract, call, gas=ac.ANCHOR_GAS).status == 1


def fine(run: Run, data: Path) -> None:
    """Everything is anchored."""


def lags(run: Run, data: Path) -> None:
    grow(run, data)


def flies(run: Run, data: Path) -> None:
    grow(run, data)
    with opened(data) as (store, _, network, wallet):
        for _ in range(2):
            anchoring.step(store, network, wallet, anchor_work.AnchoringSettings(), datetime.now(UTC))


def foreign(run: Run, data: Path) -> None:
    grow(run, data)
    steal(data, 1)


def halted(run: Run, data: Path) -> None:
    steal(data, 50)


def paused(run: Run, data: Path) -> None:
    grow(run, data)
    assert run("contract", "pause").code == 0


def lost(run: Run, data: Path) -> None:
    for path in data.glob("chain.db*"):
        path.unlink()


def succeeded(run: Run, data: Path) -> None:
    foreign(run, data)
    assert run("contract", "succeed", "--log-is-whole").code == 0


@pytest.mark.parametrize(
    ("state", "code", "problem", "ready", "zh", "en"),
    [
        (fine, 0, None, 200, "途中:无", "on its way: nothing"),
        (lags, 0, None, 200, "未被最终锚定覆盖", "not covered by a final anchor: 2"),
        (flies, 0, None, 200, "途中:规模", "on its way: size"),
        (foreign, 1, "foreign-anchor", 200, "外来锚定", "FOREIGN ANCHOR"),
        (halted, 1, "stale-store", 503, "已停止", "HALTED"),
        (paused, 0, None, 200, "锚定已暂停", "anchoring is paused"),
        (lost, 0, None, 200, "链重新启动后没有了合约", "the chain came back without the contract"),
        (succeeded, 0, None, 200, "留作证据", "kept as evidence"),
    ],
)
def test_all_who_tell_agree(
    run: Run,
    tmp_path: Path,
    state: Callable[[Run, Path], None],
    code: int,
    problem: str | None,
    ready: int,
    zh: str,
    en: str,
) -> None:
    data = tmp_path / "data"
    run("sample", "load")
    assert run("anchor").code == 0
    token = run("keys", "api", "create", "--name", "x", "--scope", "operate", "--json").json["token"]
    state(run, data)
    done = run("status", "--json")
    told: Told = done.json
    assert (done.code, (told["problem"] or {}).get("code")) == (code, problem)
    assert zh in run("status", "--lang", "zh").out
    assert en in run("status", "--lang", "en").out
    with opened(data) as (store, keys, network, wallet):
        assert told["balance"] is None or int(told["balance"]) == network.balance(wallet.address)
        app = create_app(Door(store, keys, 10, 0), background=False)
        status, body = ask(app, "/readyz", token)
        said = json.loads(body)
        assert (status, said["ready"]) == (ready, ready == 200)
        assert said["halted"] == (told["halted"] is not None)
        assert said["foreign"] == (told["foreign"] is not None) == (problem == "foreign-anchor")
        public = json.loads(ask(app, "/status", token)[1])
        for name in ("log", "lag", "last_final_size", "in_flight", "halted", "foreign", "succession", "left"):
            assert public[name] == told[name], name
        status, body = ask(app, "/metrics", token)
        assert status == 200
        measured = gauges(body.decode())
        assert measured["sudonglian_log_entries"] == told["log"]["size"]
        assert measured["sudonglian_anchoring_lag_entries"] == told["lag"]
        assert measured["sudonglian_anchored_entries"] == told["last_final_size"]
        assert measured["sudonglian_anchor_in_flight"] == int(told["in_flight"] is not None)
        assert measured["sudonglian_halted"] == int(told["halted"] is not None)
        assert measured["sudonglian_foreign_anchor"] == int(told["foreign"] is not None)
