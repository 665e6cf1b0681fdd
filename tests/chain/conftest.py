"""Networks and keys for tests: the embedded chain always; anvil and Hardhat where their npm packages are installed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.evm import JsonRpcNetwork
from sudonglian.chain.network import Network, NetworkUnreachable
from sudonglian.chain.wallet import Transaction, Wallet

ROOT = Path(__file__).resolve().parents[2]
ETHER = 10**18
START_WAIT_S = 60

FAST = 10**9
"""Seconds by which test chains may run ahead of the clock: many blocks a second without waiting."""

DEV_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
"""The first account of Hardhat's and anvil's published development mnemonic: worth nothing anywhere."""


def installed() -> bool:
    return (ROOT / "hardhat-local" / "node_modules" / "hardhat").is_dir()


@contextlib.contextmanager
def local_node(
    kind: str, port: int | None = None, *, genesis_s: int | None = None, chain_id: int | None = None
) -> Iterator[str]:
    if not installed():
        pytest.skip("hardhat-local/node_modules is absent; `scripts/hardhat-local install` enables this test")
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, str(ROOT / "scripts" / "hardhat-local"), kind, "--port", str(port)),
            *([] if genesis_s is None else ["--timestamp", str(genesis_s)]),
            *([] if chain_id is None else ["--chain-id", str(chain_id)]),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        with contextlib.closing(JsonRpcNetwork(url)) as network:
            until = time.monotonic() + START_WAIT_S
            while True:
                try:
                    network.identity()
                    break
                except NetworkUnreachable:
                    assert process.poll() is None, f"{kind} ended with {process.returncode}"
                    assert time.monotonic() < until, f"{kind} does not answer"
                    time.sleep(0.05)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def endow(node: Network, wallet: Wallet, ether: int = 100) -> None:
    """Give the wallet something to pay with, from a development node's own account."""
    rich = Wallet(DEV_KEY)
    fees = node.fees()
    gift = Transaction(
        chain_id=node.identity().chain_id,
        nonce=node.nonce(rich.address, pending=True),
        max_fee=fees.max_fee,
        priority_fee=fees.priority_fee,
        gas=21_000,
        to=wallet.address,
        data=b"",
        value=ether * ETHER,
    )
    ad.await_receipt(node, node.send_raw(rich.sign(gift).raw))


@pytest.fixture(scope="session")
def anvil_url() -> Iterator[str]:
    with local_node("anvil") as url:
        yield url


@pytest.fixture(scope="session")
def hardhat_url() -> Iterator[str]:
    with local_node("node") as url:
        yield url


@pytest.fixture(scope="session")
def start_node() -> Callable[..., contextlib.AbstractContextManager[str]]:
    """Start `anvil` or `node` (Hardhat) for one test, on a given port if it must come back at the same address."""
    return local_node


@pytest.fixture
def wallet() -> Wallet:
    return Wallet.generate()


@pytest.fixture
def chain_path(tmp_path: Path) -> Path:
    return tmp_path / "chain.db"


@pytest.fixture
def embedded(chain_path: Path, wallet: Wallet) -> Iterator[EmbeddedNetwork]:
    """An embedded chain whose only funds are the wallet's."""
    network = EmbeddedNetwork(chain_path, genesis_accounts={wallet.address: 1000 * ETHER}, max_lead_s=FAST)
    yield network
    network.close()


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("anvil", marks=pytest.mark.anvil),
        pytest.param("hardhat", marks=pytest.mark.hardhat),
    ]
)
def network(request: pytest.FixtureRequest, wallet: Wallet) -> Iterator[Network]:
    """Each kind of network in turn, with funds for the wallet."""
    if request.param == "embedded":
        yield request.getfixturevalue("embedded")
        return
    with contextlib.closing(JsonRpcNetwork(request.getfixturevalue(f"{request.param}_url"))) as found:
        endow(found, wallet)
        yield found


@pytest.fixture
def deployment(network: Network, wallet: Wallet) -> ad.Deployment:
    return ad.deploy(network, wallet)


@pytest.fixture
def project_environment() -> dict[str, str]:
    """The environment for a child process that imports the project."""
    return dict(os.environ)
