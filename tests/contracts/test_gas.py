"""Gas of every transaction, exactly: tests/contracts/gas.json is the golden file.

After a wanted change: SUDONGLIAN_WRITE_GAS=1 .venv/bin/pytest tests/contracts/test_gas.py, and look at the difference.
"""

import hashlib
import json
import os
from functools import cache
from pathlib import Path

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.merkle import verify_consistency
from sudonglian.chain.wallet import Wallet

GOLDEN = Path(__file__).with_name("gas.json")
MOST_AT_A_MILLION = 90_000
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
    for size1, size2 in ((999_000, 1_000_000), (999_999, 1_000_000), (524_289, 1_048_576), (1_048_575, 1_048_577)):
        path_nodes = consistency(size1, size2)
        verify_consistency(size1, root(size1), size2, root(size2), path_nodes)
        name = f"anchor {size1} to {size2}, {len(path_nodes)} nodes"
        execute(name, deployed(size1), ac.anchor_data(size2, root(size2), path_nodes, META))
    network.close()
    return used


def test_gas_is_what_it_was(tmp_path: Path) -> None:
    used = measured(tmp_path / "chain.db")
    if os.environ.get("SUDONGLIAN_WRITE_GAS"):
        GOLDEN.write_text(json.dumps(used, indent=1) + "\n")
    assert used == json.loads(GOLDEN.read_text())
    at_a_million = {name: gas for name, gas in used.items() if "nodes" in name}
    assert len(at_a_million) == 4
    assert max(at_a_million.values()) <= MOST_AT_A_MILLION
    assert used["deploy"] <= ad.DEPLOY_GAS
    assert max(gas for name, gas in used.items() if name != "deploy") <= ad.CALL_GAS
