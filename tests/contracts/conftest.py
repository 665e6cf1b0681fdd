"""One deployed contract on each kind of chain, and a Merkle tree written apart from the product's."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.chain.conftest import ETHER, FAST, endow, local_node

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.evm import JsonRpcNetwork
from sudonglian.chain.network import CallReverted, Network, Receipt
from sudonglian.chain.wallet import Wallet


class ReferenceTree:
    """RFC 9162 §2.1, copied from its recursive definitions; slow and plain."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = list(leaves)

    def root(self, size: int | None = None) -> bytes:
        return self._root(self.leaves[:size])

    def _root(self, part: Sequence[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        k = self._split(len(part))
        return hashlib.sha256(b"\x01" + self._root(part[:k]) + self._root(part[k:])).digest()

    @staticmethod
    def _split(n: int) -> int:
        k = 1
        while k * 2 < n:
            k *= 2
        return k

    def inclusion(self, index: int, size: int) -> list[bytes]:
        def path(m: int, part: Sequence[bytes]) -> list[bytes]:
            if len(part) == 1:
                return []
            k = self._split(len(part))
            if m < k:
                return [*path(m, part[:k]), self._root(part[k:])]
            return [*path(m - k, part[k:]), self._root(part[:k])]

        return path(index, self.leaves[:size])

    def consistency(self, size1: int, size2: int) -> list[bytes]:
        def subproof(m: int, part: Sequence[bytes], whole: bool) -> list[bytes]:
            n = len(part)
            if m == n:
                return [] if whole else [self._root(part)]
            k = self._split(n)
            if m <= k:
                return [*subproof(m, part[:k], whole), self._root(part[k:])]
            return [*subproof(m - k, part[k:], False), self._root(part[:k])]

        return subproof(size1, self.leaves[:size2], True)


class DeployedLog:
    """The contract with its administrator, who also anchors, pauses and registers."""

    def __init__(self, network: Network, admin: Wallet, deployment: ad.Deployment) -> None:
        self.network, self.admin, self.deployment = network, admin, deployment
        self.address = deployment.contract

    def send(self, data: bytes, wallet: Wallet | None = None) -> Receipt:
        return ad.execute(self.network, wallet or self.admin, self.address, data, gas=1_000_000)

    def done(self, data: bytes) -> Receipt:
        receipt = self.send(data)
        assert receipt.status == 1
        return receipt

    def refused(self, data: bytes) -> ac.ContractError:
        """Send what must revert, see that nothing changed, and return why, as the contract says it to a caller."""
        before = ac.latest(self.network, self.address)
        receipt = self.send(data)
        assert (receipt.status, receipt.logs) == (0, ())
        assert ac.latest(self.network, self.address) == before
        return self.reason(data, self.admin.address)

    def reason(self, data: bytes, sender: bytes) -> ac.ContractError:
        with pytest.raises(CallReverted) as refused:
            self.network.call(self.address, data, sender=sender)
        return ac.decode_error(refused.value.data)

    def now(self) -> int:
        block = self.network.block(self.network.head())
        assert block is not None
        return block.timestamp

    def pass_a_second(self) -> None:
        """Make blocks until their time moves on: nodes make many within a second, and a call is made in the latest."""
        begun = self.now()
        while self.now() == begun:
            self.done(ac.pause_data(paused=False))

    def anchor(self, size: int, root: bytes, proof: Sequence[bytes] = (), meta: bytes = bytes(32)) -> Receipt:
        return self.done(ac.anchor_data(size, root, proof, meta))


@pytest.fixture(scope="session")
def reference_tree() -> type[ReferenceTree]:
    return ReferenceTree


@pytest.fixture
def tree() -> ReferenceTree:
    return ReferenceTree([hashlib.sha256(b"\x00leaf %d" % n).digest() for n in range(70)])


@pytest.fixture(
    scope="session",
    params=[
        "embedded",
        pytest.param("anvil", marks=pytest.mark.anvil),
        pytest.param("hardhat", marks=pytest.mark.hardhat),
    ],
)
def log_chain(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Network, Wallet]]:
    """Each kind of network in turn, and a wallet that can pay there."""
    wallet = Wallet.generate()
    if request.param == "embedded":
        path: Path = tmp_path_factory.mktemp("log") / "chain.db"
        network = EmbeddedNetwork(path, genesis_accounts={wallet.address: 1_000 * ETHER}, max_lead_s=FAST)
        yield network, wallet
        network.close()
        return
    with (
        local_node({"anvil": "anvil", "hardhat": "node"}[request.param]) as url,
        contextlib.closing(JsonRpcNetwork(url)) as node,
    ):
        endow(node, wallet)
        yield node, wallet


@pytest.fixture
def log(log_chain: tuple[Network, Wallet]) -> DeployedLog:
    network, wallet = log_chain
    return DeployedLog(network, wallet, ad.deploy(network, wallet))
