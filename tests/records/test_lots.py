from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from sudonglian.chain import lotmap
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.lotmap import Inner, Leaf
from sudonglian.records import log, lots
from sudonglian.records.errors import NotInLog, StoreCorrupt
from sudonglian.records.store import Store
from sudonglian.records.tables import LOT_NODES

hashes = st.binary(min_size=32, max_size=32)


@given(hashes, hashes, st.integers(1, 2**53 - 1))
def test_nodes_are_stored_and_read(one: bytes, two: bytes, count: int) -> None:
    for node in (Inner(one, two), Leaf(one, count, two)):
        assert lots.decode_node(lots.encode_node(node)) == node


@given(st.binary(max_size=100).filter(lambda data: len(data) not in (64, 72)))
def test_a_node_of_another_length_is_refused(data: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        lots.decode_node(data)


def test_every_checkpoint_tells_of_every_lot(store: Store, capture: Any, seal: Any, event: Callable[..., Any]) -> None:
    history: dict[str, list[bytes]] = {}
    at: dict[int, dict[str, list[bytes]]] = {}
    for number in range(12):
        names = [f"urn:x:{number % 5}", f"urn:y:{number}", f"urn:x:{number % 5}"]
        one = capture(event(eventID=f"urn:e:{number}", epcList=names)).records[0].record_hash
        for name in dict.fromkeys(names):
            history.setdefault(name, []).append(one)
        if number % 3 == 2:
            at[seal().size] = {name: list(chain) for name, chain in history.items()}
    with store.read() as connection:
        for size, known in at.items():
            root = lots.root_at(connection, size)
            for name in [*history, "urn:x:never"]:
                proof = lots.prove(connection, name, size)
                links = lots.chain(connection, name, size)
                assert [one.record_hash for one in links] == known.get(name, [])
                assert [one.n for one in links] == list(range(1, len(links) + 1))
                value = (len(links), lotmap.chain_over([one.record_hash for one in links])) if links else None
                assert proof.value == value
                lotmap.verify_map(lotmap.key(name), value, proof.other, proof.path, root)
                if value:
                    fewer = (value[0] - 1 or 1, lotmap.chain_over([one.record_hash for one in links[:-1]]))
                    with pytest.raises(ProofRefused):
                        lotmap.verify_map(lotmap.key(name), fewer, None, proof.path, root)
        for link in lots.chain(connection, "urn:x:0"):
            assert log.about(connection, link.record_hash)[0][0] == link.log_index
        with pytest.raises(NotInLog):
            lots.prove(connection, "urn:x:0", max(at) + 1)


def test_before_the_first_seal_there_is_nothing(store: Store, capture: Any, event: Callable[..., Any]) -> None:
    capture(event())
    with store.read() as connection:
        assert lots.root_at(connection, 0) == lotmap.EMPTY
        assert lots.chain(connection, "https://id.gs1.org/00/069012340000000184") == []


def test_an_altered_node_is_found_when_it_is_used(
    store: Store, capture: Any, seal: Any, event: Callable[..., Any]
) -> None:
    capture(event(epcList=["urn:x:1", "urn:x:2"]))
    size = seal().size
    with store.write() as connection:
        connection.execute(update(LOT_NODES).where(LOT_NODES.c.depth == 0).values(payload=bytes(64)))
    with store.read() as connection, pytest.raises(ProofRefused):
        lots.prove(connection, "urn:x:1", size)
    capture(event(eventID="urn:e:2", epcList=["urn:x:1"]))
    with pytest.raises(ProofRefused):
        seal()
