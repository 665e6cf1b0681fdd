from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update

from sudonglian.chain import entry, merkle
from sudonglian.chain.errors import ProofRefused
from sudonglian.records import log
from sudonglian.records.errors import NotInLog, StoreCorrupt
from sudonglian.records.store import Store
from sudonglian.records.tables import CHECKPOINTS, NODES

SEALS = (1, 2, 3, 5, 8)


@pytest.fixture
def filled(store: Store, capture: Any, seal: Any, event: Callable[..., Any]) -> Store:
    """A log of five seals, 24 entries."""
    for number, count in enumerate(SEALS):
        capture(*(event(eventID=f"urn:x:{number}.{place}") for place in range(count)))
        seal()
    return store


def test_an_empty_log(store: Store) -> None:
    with store.read() as connection:
        assert log.latest(connection) is None
        assert log.size(connection) == 0
        assert list(log.entries(connection)) == []
        for ask in (log.entry, log.checkpoint_at, log.checkpoint_covering):
            with pytest.raises(NotInLog):
                ask(connection, 0)


def test_every_entry_is_in_every_tree_that_holds_it(filled: Store) -> None:
    with filled.read() as connection:
        leaves = [merkle.leaf_hash(data) for _, data in log.entries(connection)]
        assert len(leaves) == sum(SEALS) + len(SEALS) == log.size(connection)
        for size in range(1, len(leaves) + 1):
            root = log.root(connection, size)
            assert root == merkle.root(leaves[:size])
            for index in range(size):
                merkle.verify_inclusion(leaves[index], index, size, log.inclusion(connection, index, size), root)


def test_every_tree_is_a_prefix_of_every_later_one(filled: Store) -> None:
    with filled.read() as connection:
        end = log.size(connection)
        roots = {size: log.root(connection, size) for size in range(1, end + 1)}
        for first, root in roots.items():
            for second in range(first, end + 1):
                path = log.consistency(connection, first, second)
                merkle.verify_consistency(first, root, second, roots[second], path)


def test_every_range_is_in_every_tree_that_holds_it(filled: Store) -> None:
    with filled.read() as connection:
        leaves = [merkle.leaf_hash(data) for _, data in log.entries(connection)]
        for size in (1, 2, 12, 23, 24):
            root = log.root(connection, size)
            for start in range(size):
                for end in range(start + 1, size + 1):
                    path = log.range_proof(connection, start, end, size)
                    assert len(path) <= 2 * size.bit_length()
                    merkle.verify_range(leaves[start:end], start, size, path, root)


def test_what_was_sealed_between_two_moments(filled: Store) -> None:
    sizes = [sum(SEALS[: n + 1]) + n + 1 for n in range(len(SEALS))]
    with filled.write() as connection:
        for number, size in enumerate(sizes):
            connection.execute(update(CHECKPOINTS).where(CHECKPOINTS.c.size == size).values(sealed_us=number * 10))
        assert log.sealed_between(connection, 0, 10) == (0, sizes[0])
        assert log.sealed_between(connection, 10, 30) == (sizes[0], sizes[2])
        assert log.sealed_between(connection, 11, 19) == (sizes[1], sizes[1])
        assert log.sealed_between(connection, 0, 10**9) == (0, sizes[-1])


def test_checkpoints_by_size_and_by_what_they_cover(filled: Store) -> None:
    sizes = [sum(SEALS[: n + 1]) + n + 1 for n in range(len(SEALS))]
    with filled.read() as connection:
        for index in range(sizes[-1]):
            assert log.checkpoint_covering(connection, index).size == next(size for size in sizes if size > index)
        for size in range(sizes[-1] + 2):
            if size in sizes:
                found = log.checkpoint_at(connection, size)
                assert (found.size, found.root) == (size, log.root(connection, size))
            else:
                with pytest.raises(NotInLog):
                    log.checkpoint_at(connection, size)
        with pytest.raises(NotInLog):
            log.checkpoint_covering(connection, sizes[-1])


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 7), (5, 9), (23, None), (24, None), (3, 3), (9, 3), (0, 99)])
def test_entries_from_to(filled: Store, monkeypatch: pytest.MonkeyPatch, start: int, end: int | None) -> None:
    with filled.read() as connection:
        everything = list(log.entries(connection))
        monkeypatch.setattr(log, "PAGE", 4)
        assert list(log.entries(connection, start, end)) == everything[start:end]
        assert all(log.entry(connection, index) == data for index, data in everything)


def test_what_concerns_a_record(store: Store, capture: Any, seal: Any, event: Callable[..., Any]) -> None:
    original = capture(event()).records[0].record_hash
    seal()
    error = {"declarationTime": "2026-01-05T10:00:00+08:00"}
    declaration = capture(event(errorDeclaration=error)).records[0].record_hash
    seal()
    with store.read() as connection:
        assert log.about(connection, original) == [
            (0, entry.record_entry(original)),
            (3, entry.correction_entry(declaration, original)),
        ]
        assert log.about(connection, original, 3) == [(0, entry.record_entry(original))]
        assert log.about(connection, declaration) == [(2, entry.record_entry(declaration))]


def test_a_proof_that_cannot_be_is_refused(filled: Store) -> None:
    with filled.read() as connection:
        for ask, arguments in ((log.inclusion, (5, 5)), (log.inclusion, (-1, 5)), (log.consistency, (0, 5))):
            with pytest.raises(ProofRefused):
                ask(connection, *arguments)
        with pytest.raises(StoreCorrupt):
            log.inclusion(connection, 0, 10_000)


def test_a_lost_node_is_named(filled: Store) -> None:
    with filled.write() as connection:
        connection.execute(delete(NODES).where(NODES.c.level == 3, NODES.c.idx == 1))
    with filled.read() as connection:
        with pytest.raises(StoreCorrupt) as told:
            log.inclusion(connection, 0, 16)
        assert told.value.place == "nodes/3/1"
