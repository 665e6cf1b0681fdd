"""The lot map against a naive rebuild from its definition."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain import lotmap
from sudonglian.chain.lotmap import EMPTY, Leaf, LotMapRefused, Node, Value

# Few leading bits differ, so that keys meet deep in the tree; SHA-256 keys would not.
KEYS = st.builds(
    lambda head, tail: head.to_bytes(2, "big") + bytes(29) + bytes([tail]),
    st.sampled_from([0, 1, 2, 3, 0x8000, 0x8001, 0xFFFF]),
    st.integers(0, 255),
)
VALUES = st.tuples(st.integers(1, 1000), st.binary(min_size=32, max_size=32))


def naive_root(items: dict[bytes, Value], depth: int = 0) -> bytes:
    """seal.md rule 7, word for word."""
    if not items:
        return bytes(32)
    if len(items) == 1:
        [(key, (count, c))] = items.items()
        return lotmap.leaf(key, count, c)
    sides: tuple[dict[bytes, Value], dict[bytes, Value]] = ({}, {})
    for key, value in items.items():
        sides[int.from_bytes(key, "big") >> (255 - depth) & 1][key] = value
    return lotmap.Inner(naive_root(sides[0], depth + 1), naive_root(sides[1], depth + 1)).hash()


class Store:
    """The nodes of one map, as a table would keep them."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[int, bytes], Node] = {}
        self.root = EMPTY

    def get(self, depth: int, prefix: bytes) -> Node | None:
        return self.nodes.get((depth, prefix))

    def update(self, changes: dict[bytes, Value]) -> None:
        self.root, written = lotmap.update(self.get, self.root, changes)
        assert len({(depth, prefix) for depth, prefix, _ in written}) == len(written)
        self.nodes.update({(depth, prefix): node for depth, prefix, node in written})

    def prove(self, key: bytes) -> lotmap.MapProof:
        return lotmap.prove(self.get, self.root, key)


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=6), KEYS)
def test_any_batches_equal_the_naive_rebuild_and_every_key_is_provable(
    batches: list[dict[bytes, Value]], stranger: bytes
) -> None:
    store, model = Store(), dict[bytes, Value]()
    for batch in batches:
        store.update(batch)
        model.update(batch)
        assert store.root == naive_root(model)
    for key in {*model, stranger}:
        proof = store.prove(key)
        assert proof.value == model.get(key)
        lotmap.verify_map(key, proof.value, proof.other, proof.path, store.root)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=12), st.randoms())
def test_the_order_of_insertion_leaves_no_trace(items: dict[bytes, Value], random: Any) -> None:
    whole, single = Store(), Store()
    whole.update(items)
    keys = list(items)
    random.shuffle(keys)
    for key in keys:
        single.update({key: items[key]})
    assert single.root == whole.root
    assert {key: single.prove(key) for key in keys} == {key: whole.prove(key) for key in keys}


@settings(max_examples=200)
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=12), KEYS, st.data())
def test_nothing_else_can_be_proven(items: dict[bytes, Value], stranger: bytes, data: st.DataObject) -> None:
    store = Store()
    store.update(items)
    key = data.draw(st.sampled_from([*items, stranger]))
    proof = store.prove(key)
    claims: list[tuple[Value | None, Leaf | None]] = [(None, None), ((7, bytes(32)), None)]
    claims += [(value, None) for value in items.values()]
    claims += [(None, Leaf(other, *value)) for other, value in items.items()]
    claims += [(proof.value, Leaf(key, 1, bytes(32)))]
    for value, other in claims:
        if (value, other) != (proof.value, proof.other):
            with pytest.raises(LotMapRefused):
                lotmap.verify_map(key, value, other, proof.path, store.root)
    for path in (proof.path[:-1], proof.path[1:], [*proof.path, EMPTY], [EMPTY, *proof.path], [EMPTY] * 257):
        if path != proof.path:
            with pytest.raises(LotMapRefused):
                lotmap.verify_map(key, proof.value, proof.other, path, store.root)


def test_absence_has_three_forms() -> None:
    one, two = bytes(32), b"\x80" + bytes(31)
    lotmap.verify_map(one, None, None, [], EMPTY)
    store = Store()
    store.update({one: (1, bytes(32))})
    assert store.prove(two) == lotmap.MapProof([], None, Leaf(one, 1, bytes(32)))
    store.update({b"\x40" + bytes(31): (1, bytes(32))})
    assert store.prove(two).other is None
    assert len(store.prove(two).path) == 1


ANYTHING: Any = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=5),
    st.binary(min_size=32, max_size=32),
    st.tuples(st.integers(), st.binary(max_size=33)),
    st.builds(Leaf, st.binary(max_size=33), st.integers(), st.just(bytes(32))),
    st.lists(st.one_of(st.integers(), st.binary(max_size=33)), max_size=3),
)


@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_any_arguments_are_refused_in_our_own_words(key: Any, value: Any, other: Any, path: Any, root: Any) -> None:
    with contextlib.suppress(LotMapRefused):
        lotmap.verify_map(key, value, other, path, root)
    with contextlib.suppress(LotMapRefused):
        lotmap.verify_map(EMPTY, value, other, [], EMPTY)


def test_a_damaged_store_is_refused() -> None:
    store = Store()
    store.update({bytes([n]) + bytes(31): (1, bytes(32)) for n in range(8)})
    for address in list(store.nodes):
        kept = store.nodes.pop(address)
        with pytest.raises(LotMapRefused):
            [store.prove(bytes([n]) + bytes(31)) for n in range(8)]
        store.nodes[address] = kept
    with pytest.raises(LotMapRefused):
        lotmap.update(store.get, bytes([1]) * 32, {bytes(32): (1, bytes(32))})
    for value in ((0, bytes(32)), (2**53, bytes(32)), (1, b"")):
        with pytest.raises(LotMapRefused):
            lotmap.update(store.get, store.root, {bytes(32): value})


def test_the_chain_counts_records_in_their_order() -> None:
    a, b = bytes([1]) * 32, bytes([2]) * 32
    assert lotmap.chain_over([a, b]) == lotmap.chain_next(lotmap.chain_next(lotmap.START, a), b)
    assert lotmap.chain_over([b, a]) != lotmap.chain_over([a, b])
    assert lotmap.chain_over([b], lotmap.chain_over([a])) == lotmap.chain_over([a, b])
    with pytest.raises(LotMapRefused):
        lotmap.key("\ud800")


def test_the_vectors_of_the_specification() -> None:
    vectors = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "lotmap.json").read_text())
    items = {}
    for lot in vectors["lots"]:
        chain = [bytes.fromhex(one) for one in lot["chain"]]
        assert lotmap.key(lot["id"]).hex() == lot["key"]
        assert lotmap.chain_over(chain).hex() == lot["c"]
        items[bytes.fromhex(lot["key"])] = (len(chain), bytes.fromhex(lot["c"]))
    assert naive_root(items).hex() == vectors["root"]
    for proof in vectors["proofs"]:
        key = lotmap.key(proof["id"])
        other = proof["other"] and Leaf(
            bytes.fromhex(proof["other"]["key"]), proof["other"]["count"], bytes.fromhex(proof["other"]["c"])
        )
        assert (key in items) == proof["present"]
        path = [bytes.fromhex(node) for node in proof["path"]]
        lotmap.verify_map(key, items.get(key), other, path, bytes.fromhex(vectors["root"]))
