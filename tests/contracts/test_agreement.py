"""The contract's verifiers and the Python ones give one answer to every question: vectors, random trees, spoilt proofs.

RFC 9162 §2.1.3.2 and §2.1.4.2, twice: contracts/Rfc9162.sol and sudonglian.chain.merkle.
"""

import base64
import hashlib
import json
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import merkle
from sudonglian.chain.network import Network
from sudonglian.chain.wallet import Wallet

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
TREES = {"embedded": 3, "anvil": 30, "hardhat": 4}
QUESTIONS = 25
"""Of each kind, about one tree."""
OFTEN = 12
"""How many times as many trees the full profile takes."""
HUGE = 2**53 - 1
SAME_LEAF = hashlib.sha256(b"\x00one leaf, as often as wanted").digest()


class Judges:
    """Both verifiers, asked together."""

    def __init__(self, network: Network, wallet: Wallet) -> None:
        self.network, self.wallet = network, wallet
        self.anchored: dict[tuple[int, bytes], bytes] = {}
        self.answers: Counter[tuple[str, bool]] = Counter()

    def contract(self, size: int, root: bytes) -> bytes:
        """A contract that has anchored exactly this state."""
        if (size, root) not in self.anchored:
            made = ad.deploy(self.network, self.wallet, start_size=size, start_root=root)
            self.anchored[size, root] = made.contract
        return self.anchored[size, root]

    def consistent(self, size1: int, root1: bytes, size2: int, root2: bytes, path: list[bytes]) -> bool:
        contract = next(iter(self.anchored.values()), None) or self.contract(1, SAME_LEAF)
        theirs = ac.consistent(self.network, contract, (size1, root1, size2, root2), path)
        return self.agreed(
            "consistent",
            theirs,
            lambda: merkle.verify_consistency(size1, root1, size2, root2, path),
            (size1, root1, size2, root2, path),
        )

    def included(self, leaf: bytes, index: int, size: int, root: bytes, path: list[bytes]) -> bool:
        if size == 0:
            # No such state can be anchored: the contract is asked about a size that was not.
            theirs = ac.included(self.network, self.contract(1, SAME_LEAF), leaf, index, 0, path)
        else:
            theirs = ac.included(self.network, self.contract(size, root), leaf, index, size, path)
        return self.agreed(
            "included",
            theirs,
            lambda: merkle.verify_inclusion(leaf, index, size, path, root),
            (leaf, index, size, root, path),
        )

    def agreed(self, what: str, theirs: bool, verify: Callable[[], None], question: tuple[Any, ...]) -> bool:
        try:
            verify()
            ours = True
        except merkle.MerkleRefused:
            ours = False
        assert theirs == ours, (what, question)
        self.answers[what, ours] += 1
        return ours


@pytest.fixture
def judges(log_chain: tuple[Network, Wallet]) -> Judges:
    return Judges(*log_chain)


def test_the_vectors_of_the_specification(judges: Judges) -> None:
    files = sorted(VECTORS.glob("merkle*.json"))
    assert files
    for file in files:
        vectors = json.loads(file.read_text())
        leaves = [merkle.leaf_hash(bytes.fromhex(data)) for data in vectors["leaf_data"]]
        roots = {int(size): bytes.fromhex(root) for size, root in vectors["roots"].items()}
        for case in vectors["inclusion"]:
            path = [bytes.fromhex(node) for node in case["path"]]
            index, size = case["index"], case["size"]
            assert judges.included(leaves[index], index, size, roots[size], path)
            assert not judges.included(leaves[index], size, size, roots[size], path)
        for case in vectors["consistency"]:
            path = [bytes.fromhex(node) for node in case["path"]]
            size1, size2 = case["size1"], case["size2"]
            assert judges.consistent(size1, roots[size1], size2, roots[size2], path)
            assert not judges.consistent(size1, roots[size1], size2, roots[size2], [*path, SAME_LEAF])
    assert min(judges.answers.values()) >= 9
    assert len(judges.answers) == 4


def published(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every vector that a call can carry: the ABI's words are 32 bytes, and its sizes 64 bits."""
    for file in sorted(folder.rglob("*.json")):
        vector = json.loads(file.read_text())
        hashes = [name for name in ("root", "root1", "root2", "leafHash") if name in vector]
        vector |= {name: base64.b64decode(vector[name] or "") for name in hashes}
        vector["proof"] = [base64.b64decode(node) for node in vector["proof"] or []]
        words = [*(vector[name] for name in hashes), *vector["proof"]]
        sizes = [vector[name] for name in ("size1", "size2", "leafIdx", "treeSize") if name in vector]
        if all(len(word) == 32 for word in words) and all(0 <= size <= HUGE for size in sizes):
            yield file, vector


@pytest.mark.shared
def test_published_consistency_vectors(judges: Judges, shared_data: Path) -> None:
    for file, v in published(shared_data / "merkle" / "consistency"):
        good = judges.consistent(v["size1"], v["root1"], v["size2"], v["root2"], v["proof"])
        assert good == (not v["wantErr"]), file
    assert judges.answers["consistent", True] >= 3
    assert judges.answers["consistent", False] >= 20


@pytest.mark.shared
def test_published_inclusion_vectors(judges: Judges, shared_data: Path) -> None:
    for file, v in published(shared_data / "merkle" / "inclusion"):
        good = judges.included(v["leafHash"], v["leafIdx"], v["treeSize"], v["root"], v["proof"])
        assert good == (not v["wantErr"]), file
    assert judges.answers["included", True] >= 3
    assert judges.answers["included", False] >= 20


class Small:
    """A tree whose leaves are all different."""

    def __init__(self, dice: random.Random) -> None:
        self.leaves = [dice.randbytes(32) for _ in range(dice.randint(1, 300))]
        self.size = len(self.leaves)

    def leaf(self, index: int) -> bytes:
        return self.leaves[index]

    def root(self, size: int) -> bytes:
        return merkle.root(self.leaves[:size])

    def inclusion(self, index: int) -> list[bytes]:
        return merkle.inclusion_path(self.leaves, index)

    def consistency(self, size1: int) -> list[bytes]:
        return merkle.consistency_path(self.leaves, size1)


@cache
def perfect(level: int) -> bytes:
    return SAME_LEAF if level == 0 else merkle.node_hash(perfect(level - 1), perfect(level - 1))


class Huge:
    """A tree of any size whose leaves are all the same: paths as long as they get, without the hashes."""

    def __init__(self, dice: random.Random) -> None:
        self.size = dice.choice(
            [dice.randint(1, HUGE), dice.randint(900_000, 1_100_000), 2 ** dice.randint(1, 52), HUGE]
        )

    def leaf(self, index: int) -> bytes:
        return SAME_LEAF

    def root(self, size: int) -> bytes:
        return merkle.root_from(lambda level, _: perfect(level), size)

    def inclusion(self, index: int) -> list[bytes]:
        return merkle.inclusion_path_from(lambda level, _: perfect(level), index, self.size)

    def consistency(self, size1: int) -> list[bytes]:
        return merkle.consistency_path_from(lambda level, _: perfect(level), size1, self.size)


def spoilt(dice: random.Random, path: list[bytes]) -> list[bytes]:
    """The path with one thing done to it; now and then that changes nothing."""
    bad = list(path)
    place = dice.randrange(len(bad)) if bad else 0
    match dice.randrange(7):
        case 0:
            bad.insert(dice.randint(0, len(bad)), dice.randbytes(32))
        case 1:
            bad.insert(dice.randint(0, len(bad)), bad[place] if bad else SAME_LEAF)
        case 2:
            bad = bad[:place] + bad[place + 1 :]
        case 3:
            bad = bad[:place]
        case 4 if bad:
            flipped = bytearray(bad[place])
            flipped[dice.randrange(32)] ^= 1 << dice.randrange(8)
            bad[place] = bytes(flipped)
        case 5:
            dice.shuffle(bad)
        case 6:
            bad = bad[::-1]
    return bad


def other(dice: random.Random, number: int) -> int:
    """A neighbour, or any."""
    return min(max(dice.choice([number + 1, number - 1, dice.randint(0, HUGE)]), 0), HUGE)


def ask(judges: Judges, tree: Small | Huge, dice: random.Random) -> None:
    """A third of the questions about good proofs, a third about spoilt ones, a third about good ones of something else."""
    root = tree.root(tree.size)
    for number in range(QUESTIONS):
        index, size1 = dice.randrange(tree.size), dice.randint(1, tree.size)
        path1, path2 = tree.inclusion(index), tree.consistency(size1)
        size2, leaf, root1, root2 = tree.size, tree.leaf(index), tree.root(size1), root
        if number % 3 == 1:
            path1, path2 = spoilt(dice, path1), spoilt(dice, path2)
        elif number % 3 == 2:
            if dice.randrange(2):
                index = other(dice, index)
            else:
                leaf = dice.choice([tree.leaf(dice.randrange(tree.size)), root, dice.randbytes(32)])
            match dice.randrange(4):
                case 0:
                    size1 = other(dice, size1)
                case 1:
                    size2 = other(dice, size2)
                case 2:
                    root1 = dice.choice([root, dice.randbytes(32)])
                case 3:
                    root2 = dice.choice([root1, dice.randbytes(32)])
        judges.included(leaf, index, tree.size, root, path1)
        judges.consistent(size1, root1, size2, root2, path2)


@pytest.mark.parametrize("kind", [Small, Huge])
def test_random_trees_with_good_and_spoilt_proofs(
    judges: Judges, kind: type[Small | Huge], request: pytest.FixtureRequest
) -> None:
    full = request.config.getoption("--full")
    seed = secrets.randbits(64) if full else 20_260_105
    print(f"seed {seed}")
    dice = random.Random(seed)
    network = request.node.callspec.params["log_chain"]
    trees = TREES[network] * (OFTEN if full else 1)
    for _ in range(trees):
        ask(judges, kind(dice), dice)
    assert judges.answers.total() == 2 * QUESTIONS * trees
    # A test of agreement shows little where one answer is all that is given.
    for what in ("included", "consistent"):
        assert min(judges.answers[what, answer] for answer in (True, False)) > QUESTIONS * trees // 6
