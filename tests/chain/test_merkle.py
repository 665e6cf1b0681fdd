"""The log's Merkle tree against RFC 9162's definitions, third-party vectors and garbage."""

import base64
import contextlib
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain import merkle
from sudonglian.chain.merkle import MerkleRefused

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(70)]
ROOTS = [merkle.root(LEAVES[:n]) for n in range(71)]


def mth(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 9162 §2.1.4.1, word for word."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def stored(leaves: list[bytes], *batches: int) -> tuple[merkle.Nodes, int]:
    table: dict[tuple[int, int], bytes] = {}
    size = 0

    def get(level: int, index: int) -> bytes:
        return table[level, index]

    for batch in batches:
        for level, index, digest in merkle.append(get, size, leaves[size : size + batch]):
            assert (level, index) not in table
            table[level, index] = digest
        size += min(batch, len(leaves) - size)
    return get, size


def test_the_empty_tree_and_the_domain_of_leaves() -> None:
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.leaf_hash(b"") == sha256(b"\0").digest()
    assert merkle.root([]) == merkle.EMPTY_ROOT


def test_every_size_index_and_prefix_up_to_70_equals_the_rfc() -> None:
    nodes, _ = stored(LEAVES, *range(1, 12), 4)
    for size in range(1, 71):
        leaves = LEAVES[:size]
        assert merkle.root(leaves) == mth(leaves) == merkle.root_from(nodes, size)
        for index in range(size):
            proof = merkle.inclusion_path_from(nodes, index, size)
            assert proof == path(index, leaves)
            merkle.verify_inclusion(leaves[index], index, size, proof, ROOTS[size])
        for size1 in range(1, size + 1):
            proof = merkle.consistency_path_from(nodes, size1, size)
            assert proof == subproof(size1, leaves, True)
            merkle.verify_consistency(size1, ROOTS[size1], size, ROOTS[size], proof)


def outside(start: int, end: int, leaves: list[bytes]) -> list[bytes]:
    """The largest subtrees that hold nothing of a range, found from the top."""

    def walk(at: int, to: int) -> list[bytes]:
        if at >= start and to <= end:
            return []
        if to <= start or at >= end:
            return [mth(leaves[at:to])]
        k = 1 << (to - at - 1).bit_length() - 1
        return walk(at, at + k) + walk(at + k, to)

    return walk(0, len(leaves))


def test_every_range_of_every_size_up_to_36() -> None:
    for size in range(1, 37):
        leaves = LEAVES[:size]
        nodes, _ = stored(leaves, size)
        for start in range(size):
            for end in range(start + 1, size + 1):
                proof = merkle.range_path_from(nodes, start, end, size)
                assert proof == merkle.range_path(LEAVES, start, end, size)
                merkle.verify_range(leaves[start:end], start, size, proof, ROOTS[size])
            assert merkle.range_path_from(nodes, start, start + 1, size) == path(start, leaves)
        assert merkle.range_path_from(nodes, 0, size, size) == []


@given(st.data())
def test_a_range_proof_holds_for_one_range_of_one_tree(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    proof, shown = merkle.range_path(LEAVES, start, end, size), LEAVES[start:end]
    assert sorted(proof) == sorted(outside(start, end, LEAVES[:size]))
    place = data.draw(st.integers(0, end - start - 1))
    bad = [
        (shown[:place] + shown[place + 1 :], start),
        ([*shown[:place], sha256(shown[place]).digest(), *shown[place + 1 :]], start),
        ([*shown[: place + 1], *shown[place:]], start),
        (shown, start + 1),
        (shown, start - 1),
        ([], start),
    ]
    if len(shown) > 1:
        bad.append((shown[::-1], start))
    for leaves, at in bad:
        with pytest.raises(MerkleRefused):
            merkle.verify_range(leaves, at, size, proof, ROOTS[size])
    other = data.draw(st.integers(1, 70).filter(lambda n: n != size))
    wrong: list[tuple[int, list[bytes], bytes]] = [
        (size, [*proof, ROOTS[3]], ROOTS[size]),
        (size, [ROOTS[3], *proof], ROOTS[size]),
        (size, proof, ROOTS[other]),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:at], sha256(proof[at]).digest(), *proof[at + 1 :]]
        wrong += [(size, proof[:-1], ROOTS[size]), (size, changed, ROOTS[size])]
    for size_said, path_said, root in wrong:
        with pytest.raises(MerkleRefused):
            merkle.verify_range(shown, start, size_said, path_said, root)


def test_proofs_from_leaves_equal_proofs_from_nodes() -> None:
    nodes, _ = stored(LEAVES, 70)
    assert merkle.inclusion_path(LEAVES, 17) == merkle.inclusion_path_from(nodes, 17, 70)
    assert merkle.inclusion_path(LEAVES, 17, 33) == merkle.inclusion_path_from(nodes, 17, 33)
    assert merkle.consistency_path(LEAVES, 17) == merkle.consistency_path_from(nodes, 17, 70)
    assert merkle.consistency_path(LEAVES, 17, 33) == merkle.consistency_path_from(nodes, 17, 33)


@given(st.lists(st.integers(0, 40), max_size=8))
def test_the_order_of_batches_does_not_matter(batches: list[int]) -> None:
    leaves = (LEAVES * 5)[: sum(batches)]
    nodes, size = stored(leaves, *batches)
    assert size == len(leaves)
    assert merkle.root_from(nodes, size) == mth(leaves)


@given(st.data())
def test_a_proof_holds_for_one_place_of_one_tree(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_path(LEAVES, index, size)
    other = data.draw(st.integers(0, 70).filter(lambda n: n != index))
    with pytest.raises(MerkleRefused):
        merkle.verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
    place = data.draw(st.integers(0, len(proof) - 1))
    changed = [*proof[:place], sha256(proof[place]).digest(), *proof[place + 1 :]]
    for wrong in (changed, proof[:-1], [*proof, ROOTS[3]], [ROOTS[3], *proof], proof[1:]):
        with pytest.raises(MerkleRefused):
            merkle.verify_inclusion(LEAVES[index], index, size, wrong, ROOTS[size])


@given(st.data())
def test_a_consistency_proof_holds_for_one_pair_of_trees(data: st.DataObject) -> None:
    size2 = data.draw(st.integers(2, 70))
    size1 = data.draw(st.integers(1, size2 - 1))
    proof = merkle.consistency_path(LEAVES, size1, size2)
    for wrong1, wrong2 in (
        (ROOTS[size1 - 1], ROOTS[size2]),
        (ROOTS[size1], ROOTS[size1]),
        (ROOTS[size2], ROOTS[size1]),
    ):
        with pytest.raises(MerkleRefused):
            merkle.verify_consistency(size1, wrong1, size2, wrong2, proof)
    place = data.draw(st.integers(0, len(proof) - 1))
    changed = [*proof[:place], sha256(proof[place]).digest(), *proof[place + 1 :]]
    for wrong in (changed, proof[:-1], [*proof, ROOTS[3]], [ROOTS[3], *proof], proof[1:]):
        with pytest.raises(MerkleRefused):
            merkle.verify_consistency(size1, ROOTS[size1], size2, ROOTS[size2], wrong)


def test_equal_sizes_need_an_empty_proof_and_equal_roots() -> None:
    merkle.verify_consistency(5, ROOTS[5], 5, ROOTS[5], [])
    for root2, proof in ((ROOTS[6], []), (ROOTS[5], [ROOTS[5]])):
        with pytest.raises(MerkleRefused):
            merkle.verify_consistency(5, ROOTS[5], 5, root2, proof)


ANYTHING: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.sampled_from([10**5000, -(10**5000), 2**64, 2**53, ROOTS[1], bytearray(32)]),
    st.lists(st.one_of(st.integers(), st.binary(min_size=32, max_size=32)), max_size=4),
)


@settings(max_examples=300)
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_any_arguments_are_refused_in_our_own_words(a: Any, b: Any, c: Any, d: Any, e: Any) -> None:
    for call, arguments in (
        (merkle.verify_inclusion, (a, b, c, d, e)),
        (merkle.verify_inclusion, (ROOTS[1], b, c, d, ROOTS[2])),
        (merkle.verify_consistency, (a, b, c, d, e)),
        (merkle.verify_consistency, (a, ROOTS[1], c, ROOTS[2], e)),
        (merkle.verify_range, (a, b, c, d, e)),
        (merkle.verify_range, ([ROOTS[1], a], b, c, d, ROOTS[2])),
        (merkle.verify_range, ([ROOTS[1]], b, c, d, ROOTS[2])),
    ):
        with contextlib.suppress(MerkleRefused):
            call(*arguments)


def test_the_makers_refuse_what_has_no_proof() -> None:
    nodes, _ = stored(LEAVES, 10)
    for call in (
        lambda: merkle.inclusion_path(LEAVES, 70),
        lambda: merkle.inclusion_path(LEAVES, -1),
        lambda: merkle.inclusion_path(LEAVES, 3, 71),
        lambda: merkle.consistency_path(LEAVES, 0),
        lambda: merkle.consistency_path(LEAVES, 9, 8),
        lambda: merkle.consistency_path_from(nodes, True, 8),
        lambda: merkle.root_from(nodes, -1),
        lambda: merkle.range_path(LEAVES, 3, 3),
        lambda: merkle.range_path(LEAVES, 4, 3),
        lambda: merkle.range_path(LEAVES, 3, 9, 8),
        lambda: merkle.range_path(LEAVES, -1, 3),
        lambda: merkle.range_path_from(nodes, True, 3, 8),
    ):
        with pytest.raises(MerkleRefused):
            call()


@pytest.mark.shared
def test_third_party_inclusion_vectors(shared_data: Path) -> None:
    _third_party(
        shared_data / "merkle" / "inclusion",
        lambda v: merkle.verify_inclusion(v["leafHash"], v["leafIdx"], v["treeSize"], v["proof"], v["root"]),
    )


@pytest.mark.shared
def test_third_party_consistency_vectors(shared_data: Path) -> None:
    _third_party(
        shared_data / "merkle" / "consistency",
        lambda v: merkle.verify_consistency(v["size1"], v["root1"], v["size2"], v["root2"], v["proof"]),
    )


def _third_party(folder: Path, check: Any) -> None:
    files = sorted(folder.rglob("*.json"))
    assert len(files) > 40
    for file in files:
        vector = json.loads(file.read_text())
        for name in ("root", "root1", "root2", "leafHash"):
            if name in vector:
                vector[name] = base64.b64decode(vector[name] or "")
        vector["proof"] = [base64.b64decode(node) for node in vector["proof"] or []]
        if vector["wantErr"]:
            with pytest.raises(MerkleRefused):
                check(vector)
        else:
            check(vector)


def test_the_vectors_of_the_specification() -> None:
    vectors = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "merkle.json").read_text())
    leaves = [merkle.leaf_hash(bytes.fromhex(data)) for data in vectors["leaf_data"]]
    for size, root in vectors["roots"].items():
        assert merkle.root(leaves[: int(size)]).hex() == root
    for case in vectors["inclusion"]:
        merkle.verify_inclusion(
            leaves[case["index"]],
            case["index"],
            case["size"],
            [bytes.fromhex(node) for node in case["path"]],
            bytes.fromhex(vectors["roots"][str(case["size"])]),
        )
    for case in vectors["consistency"]:
        size1, size2 = case["size1"], case["size2"]
        roots = [bytes.fromhex(vectors["roots"][str(size)]) for size in (size1, size2)]
        merkle.verify_consistency(size1, roots[0], size2, roots[1], [bytes.fromhex(node) for node in case["path"]])
    ranges = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "range.json").read_text())
    for case in ranges:
        start, end, size = case["from"], case["to"], case["size"]
        proof = [bytes.fromhex(node) for node in case["path"]]
        merkle.verify_range(leaves[start:end], start, size, proof, bytes.fromhex(vectors["roots"][str(size)]))
