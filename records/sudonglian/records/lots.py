"""Lots in the store: the chain of records of every identifier, and the map that commits to all of them.

docs/spec/seal.md rules 3-9. Every version of a map node is kept, under the seal that wrote it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, select

from sudonglian.chain import entry, lotmap
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.lotmap import EMPTY, START, Inner, Leaf, MapProof, Node, Value
from sudonglian.records import bulk, log
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.tables import LOT_CHAIN, LOT_NODES

NEWEST: Final = (
    "SELECT given.value, (SELECT payload FROM lot_nodes WHERE depth = {one} AND prefix = given.value "
    "ORDER BY seal_index DESC LIMIT 1) FROM {given}"
)
"""One look at the index a node, however many versions of it there are."""

INNER_BYTES: Final = 64
LEAF_BYTES: Final = 72


@dataclass(frozen=True, slots=True)
class Link:
    """One record of a lot's chain."""

    n: int
    log_index: int
    record_hash: bytes


def encode_node(node: Node) -> bytes:
    """Return a node as it is stored."""
    if isinstance(node, Leaf):
        return node.key + node.count.to_bytes(8, "big") + node.c
    return node.left + node.right


def decode_node(payload: bytes, place: str = "lot_nodes") -> Node:
    """Return a stored node.

    Raises
    ------
    StoreCorrupt
        It has neither a leaf's nor an inner node's length.
    """
    if len(payload) == INNER_BYTES:
        return Inner(payload[:32], payload[32:])
    if len(payload) == LEAF_BYTES:
        return Leaf(payload[:32], int.from_bytes(payload[32:40], "big"), payload[40:])
    raise StoreCorrupt(f"a map node of {len(payload)} bytes", place=place)


def root_at(connection: Connection, size: int) -> bytes:
    """Return the map's root that the seal of the checkpoint of `size` commits to.

    Raises
    ------
    NotInLog
        No checkpoint has this size.
    """
    if size == 0:
        return EMPTY
    log.checkpoint_at(connection, size)
    try:
        sealed = entry.parse_entry(log.entry(connection, size - 1))
    except ProofRefused as error:
        raise StoreCorrupt(error.reason, place=f"entries/{size - 1}") from error
    if not isinstance(sealed, entry.SealEntry):
        raise StoreCorrupt("a checkpoint's last entry is no seal", place=f"entries/{size - 1}")
    return sealed.lots


def stored_nodes(connection: Connection, seal_index: int) -> lotmap.Get:
    """Return what gives the map's nodes as of the seal at `seal_index`."""

    def get(depth: int, prefix: bytes) -> Node | None:
        query = select(LOT_NODES.c.payload).where(
            LOT_NODES.c.depth == depth, LOT_NODES.c.prefix == prefix, LOT_NODES.c.seal_index <= seal_index
        )
        newest = query.order_by(LOT_NODES.c.seal_index.desc()).limit(1)
        payload = connection.execute(newest).scalar_one_or_none()
        return None if payload is None else decode_node(payload, f"lot_nodes/{depth}/{prefix.hex()}")

    return get


def prove(connection: Connection, normal: str, size: int) -> MapProof:
    """Return what the checkpoint of `size` says about an identifier: its chain's end, or that it was never named."""
    return lotmap.prove(stored_nodes(connection, size - 1), root_at(connection, size), lotmap.key(normal))


def chain(connection: Connection, normal: str, size: int | None = None) -> list[Link]:
    """Return the records that name an identifier, in log order, below the log's `size` (default: all)."""
    query = select(LOT_CHAIN).where(LOT_CHAIN.c.lot_key == lotmap.key(normal)).order_by(LOT_CHAIN.c.n)
    if size is not None:
        query = query.where(LOT_CHAIN.c.log_index < size)
    return [Link(row.n, row.log_index, row.record_hash) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Extension:
    """What a seal adds to the chains and to the map, and the map's root then."""

    root: bytes
    links: list[dict[str, Any]]
    versions: list[dict[str, Any]]

    def write(self, connection: Connection) -> None:
        """Write it, into the store that it was worked out from."""
        bulk.put(connection, LOT_CHAIN, self.links)
        bulk.put(connection, LOT_NODES, self.versions)


def extension(
    connection: Connection, named: Iterable[tuple[int, bytes, Sequence[str]]], previous: int, seal_index: int
) -> Extension:
    """Return what adding records to the chains of what they name makes of the chains and the map; nothing is written.

    `named` is (log index, record hash, normal forms) of each new record in log order, `previous` the size of the
    checkpoint before this seal, and `seal_index` where the seal entry will stand.
    """
    appended: dict[bytes, list[tuple[int, bytes]]] = {}
    for log_index, record_hash, normals in named:
        for normal in normals:
            appended.setdefault(lotmap.key(normal), []).append((log_index, record_hash))
    root = root_at(connection, previous)
    nodes, ends = _prefetched(connection, sorted(appended), root)
    links: list[dict[str, Any]] = []
    changes: dict[bytes, Value] = {}
    for lot_key, added in sorted(appended.items()):
        n, c = ends.get(lot_key, (0, START))
        for log_index, record_hash in added:
            n, c = n + 1, lotmap.chain_next(c, record_hash)
            links.append({"lot_key": lot_key, "n": n, "log_index": log_index, "record_hash": record_hash, "c": c})
        changes[lot_key] = (n, c)
    root, written = lotmap.update(lambda depth, prefix: nodes.get((depth, prefix)), root, changes)
    versions = [
        {"depth": depth, "prefix": prefix, "seal_index": seal_index, "payload": encode_node(node)}
        for depth, prefix, node in sorted(written, key=itemgetter(0, 1))  # as the index has them
    ]
    return Extension(root, links, versions)


def _prefetched(
    connection: Connection, lot_keys: Sequence[bytes], root: bytes
) -> tuple[dict[tuple[int, bytes], Node], dict[bytes, Value]]:
    """Return the nodes on the ways to these keys, and where the chains of those that are in the map end.

    Read level by level: a query a node would be thousands. That a node is what its parent says, `lotmap.update` checks.
    """
    nodes: dict[tuple[int, bytes], Node] = {}
    ends: dict[bytes, Value] = {}
    depth = 0
    # From where to where the sorted keys lead through the node of a prefix.
    ways = [(0, len(lot_keys), b"")] if lot_keys and root != EMPTY else []
    while ways:
        found = dict(_newest(connection, depth, [prefix for _, _, prefix in ways]))
        below: list[tuple[int, int, bytes]] = []
        for first, last, prefix in ways:
            node = found.get(prefix)
            if node is None:
                continue
            nodes[depth, prefix] = node
            if not isinstance(node, Inner):
                ends.update((key, (node.count, node.c)) for key in lot_keys[first:last] if key == node.key)
            elif depth < lotmap.KEY_BITS:
                cut = lotmap.first_right(lot_keys, depth, first, last)
                for start, end, child in ((first, cut, node.left), (cut, last, node.right)):
                    if start < end and child != EMPTY:
                        below.append((start, end, lotmap.prefix_of(lot_keys[start], depth + 1)))
        ways, depth = below, depth + 1
    return nodes, ends


def _newest(connection: Connection, depth: int, prefixes: Sequence[bytes]) -> Iterator[tuple[bytes, Node]]:
    for prefix, payload in bulk.among(connection, NEWEST, prefixes, depth):
        if payload is not None:
            yield prefix, decode_node(payload, f"lot_nodes/{depth}/{prefix.hex()}")
