"""Gas of every transaction, exactly: tests/contracts/gas.json is the golden file.

After a wanted change: SUDONGLIAN_WRITE_GAS=1 .venv/bin/pytest tests/contracts/test_gas.py, and look at the difference.
"""

import hashlib
import json
import os
from functools import cache
from pathlib import Path

import pytest

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.merkle import verify_consistency
from sudonglian.chain.wallet import Wallet

GOLDEN = Path(__file__).with_name("gas.json")
MOST_AT_A_MILLION = 90_000
MILLION = 1_000_000
DEAREST = (21, 38)
"""Nodes and hashes of the proof from 524,287 to a million."""
AT_A_MILLION = (
    (524_287, MILLION),
    (999_000, MILLION),
    (999_999, MILLION),
    (524_289, 1_048_576),
    (1_048_575, 1_048_577),
)
ZERO_BYTE, NONZERO_BYTE = 4, 16
"""Gas of calldata, EIP-2028."""
LEAF = hashlib.sha256(b"\x00one leaf, a million times").digest()
META = bytes(range(1, 33))


@cache
def root(size: int) -> bytes:
    """Root of a tree whose leaves are all the same: real paths of any length without a million hashes."""
    if size == 1:
        return LEAF
    left = 1 << (size - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root(left) + root(size - left)).digest()


def consistency(size1: int, size2: int, whole: bool = True) -> list[bytes]:
    if size1 == size2:
        return [] if whole else [root(size2)]
    left = 1 << (size2 - 1).bit_length() - 1
    if size1 <= left:
        return [*consistency(size1, left, whole), root(size2 - left)]
    return [*consistency(size1 - left, size2 - left, False), root(left)]


def measured(path: Path) -> dict[str, int]:
    # Fixed keys: a zero byte in an address is cheaper than another.
    admin, one, two = (Wallet(hashlib.sha256(b"gas %d" % n).digest()) for n in range(3))
    network = EmbeddedNetwork(path, genesis_accounts={admin.address: 10**24}, max_lead_s=10**9)
    used: dict[str, int] = {}
    party = ac.party_id("https://id.gs1.org/417/4012345500004")

    def deployed(start_size: int = 0) -> bytes:
        start_root = root(start_size) if start_size else bytes(32)
        deployment = ad.deploy(network, admin, start_size=start_size, start_root=start_root)
        receipt = network.receipt(deployment.deploy_tx)
        assert receipt is not None
        used.setdefault("deploy", receipt.gas_used)
        return deployment.contract

    def execute(name: str, contract: bytes, data: bytes) -> None:
        receipt = ad.execute(network, admin, contract, data, gas=ac.ANCHOR_GAS)
        assert receipt.status == 1, name
        used[name] = receipt.gas_used

    log = deployed()
    execute("anchor first", log, ac.anchor_data(1000, root(1000), [], META))
    execute("anchor 1000 to 2000", log, ac.anchor_data(2000, root(2000), consistency(1000, 2000), META))
    execute("anchor retry", log, ac.anchor_data(2000, root(2000), consistency(1000, 2000), META))
    execute("register", log, ac.register_data(one.address, party, 1_700_000_000, 2**64 - 1, 3))
    execute("rotate", log, ac.rotate_data(one.address, two.address, 2**64 - 1))
    execute("revoke", log, ac.revoke_data(two.address))
    execute("pause", log, ac.pause_data(paused=True))
    execute("unpause", log, ac.pause_data(paused=False))
    execute("freeze", log, ac.freeze_data(one.address))
    for size1, size2 in AT_A_MILLION:
        execute(named(size1, size2), deployed(size1), at_a_million(size1, size2))
    network.close()
    return used


def at_a_million(size1: int, size2: int) -> bytes:
    path_nodes = consistency(size1, size2)
    verify_consistency(size1, root(size1), size2, root(size2), path_nodes)
    return ac.anchor_data(size2, root(size2), path_nodes, META)


def named(size1: int, size2: int) -> str:
    return f"anchor {size1} to {size2}, {len(consistency(size1, size2))} nodes"


def work(size1: int, size2: int) -> tuple[int, int]:
    """How many nodes the proof has, and how many hashes the contract makes of them (docs/spec/contract.md rule 18)."""
    shift = (size1 & -size1).bit_length() - 1
    inner = max(((size1 - 1) ^ (size2 - 1)).bit_length() - shift, 0)
    border = (size1 - 1 >> inner + shift).bit_count()
    both = (size1 - 1 >> shift & (1 << inner) - 1).bit_count() + border
    return inner + border + (size1 != 1 << shift), inner + border + both


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    return measured(tmp_path_factory.mktemp("gas") / "chain.db")


def test_gas_is_what_it_was(used: dict[str, int]) -> None:
    if os.environ.get("SUDONGLIAN_WRITE_GAS"):
        GOLDEN.write_text(json.dumps(used, indent=1) + "\n")
    assert used == json.loads(GOLDEN.read_text())
    assert used["deploy"] <= ad.DEPLOY_GAS
    assert max(gas for name, gas in used.items() if name != "deploy") <= ad.CALL_GAS


def test_an_anchor_with_the_log_at_a_million_costs_at_most_90_k(used: dict[str, int]) -> None:
    """Whatever was anchored before, and were every byte of the proof one that costs the full price."""
    for size1, size2 in AT_A_MILLION:
        cheap = b"".join([root(size2), *consistency(size1, size2), META]).count(0)
        assert used[named(size1, size2)] + cheap * (NONZERO_BYTE - ZERO_BYTE) <= MOST_AT_A_MILLION


def test_the_dearest_proof_at_a_million_is_among_those_measured() -> None:
    """Of all proofs to a million none has more nodes, and none takes more hashes, than one whose gas stands above."""
    most_nodes, most_hashes = DEAREST
    assert work(524_287, MILLION) == DEAREST
    for size1 in range(1, MILLION):
        nodes, hashes = work(size1, MILLION)
        assert nodes <= most_nodes
        assert hashes <= most_hashes
    for size1, size2 in ((524_287, MILLION), (999_000, MILLION), (5, 9), (6, 9), (8, 9), (7, 8), (1, 2)):
        assert work(size1, size2)[0] == len(consistency(size1, size2))
