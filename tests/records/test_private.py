import pytest

from sudonglian.chain import merkle
from sudonglian.records import private
from sudonglian.records.errors import NotInLog, StoreCorrupt
from sudonglian.records.private import PrivateEntry
from sudonglian.records.store import Store


def test_an_empty_tree(store: Store) -> None:
    with store.read() as connection:
        assert private.size(connection) == 0
        assert private.root(connection, 0) == merkle.EMPTY_ROOT
        with pytest.raises(NotInLog):
            private.entry(connection, 0)


def test_every_entry_is_proven_at_every_size(store: Store) -> None:
    with store.write() as connection:
        made = [private.append(connection, {"n": number, "why": "病例 1"}) for number in range(9)]
    with store.read() as connection:
        assert [private.entry(connection, number) for number in range(9)] == made
        assert private.value_of(made[3]) == {"n": 3, "why": "病例 1"}
        leaves = [merkle.leaf_hash(one.blinding + one.data) for one in made]
        for size in range(1, 10):
            root = private.root(connection, size)
            assert root == merkle.root(leaves[:size])
            for index in range(size):
                path = private.inclusion(connection, index, size)
                merkle.verify_inclusion(leaves[index], index, size, path, root)


def test_equal_entries_have_unequal_leaves(store: Store) -> None:
    with store.write() as connection:
        first, second = (private.append(connection, "same") for _ in range(2))
    assert first.data == second.data
    assert len(first.blinding) == private.BLINDING_BYTES
    assert first.leaf_data != second.leaf_data


def test_an_entry_that_is_not_canonical_is_named() -> None:
    with pytest.raises(StoreCorrupt) as told:
        private.value_of(PrivateEntry(4, bytes(32), b'{ "n": 1}'))
    assert told.value.place == "private_entries/4"
