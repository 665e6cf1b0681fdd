"""The private tree: what was read, traced and erased, fixed in time without being shown.

docs/spec/seal.md rule 2, docs/spec/entry.md rules 2 and 5. Leaf data = 32 random bytes ‖ canonical data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_bytes
from typing import Final

from sqlalchemy import Connection, func, insert, select

from sudonglian.chain import canonical, merkle
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.records import store
from sudonglian.records.errors import NotInLog, StoreCorrupt
from sudonglian.records.log import node_rows, stored_nodes
from sudonglian.records.tables import PRIVATE_ENTRIES, PRIVATE_NODES

BLINDING_BYTES: Final = 32
"""A leaf's hash must not be a way to test guesses of what was read about whom."""

LOCK: Final = "sudonglian-private"


@dataclass(frozen=True, slots=True)
class PrivateEntry:
    """One leaf of the private tree."""

    index: int
    blinding: bytes
    data: bytes

    @property
    def leaf_data(self) -> bytes:
        """What is hashed."""
        return self.blinding + self.data


def append(connection: Connection, value: Json) -> PrivateEntry:
    """Add an entry; it is fixed for the public with the next seal."""
    store.lock(connection, LOCK)
    entry = PrivateEntry(size(connection), token_bytes(BLINDING_BYTES), canonical.encode(value))
    row = {"idx": entry.index, "blinding": entry.blinding, "data": entry.data}
    connection.execute(insert(PRIVATE_ENTRIES), row)
    leaf = merkle.leaf_hash(entry.leaf_data)
    nodes = merkle.append(stored_nodes(connection, PRIVATE_NODES), entry.index, [leaf])
    connection.execute(insert(PRIVATE_NODES), node_rows(nodes))
    return entry


def size(connection: Connection) -> int:
    """Return how many entries there are."""
    last = connection.execute(select(func.max(PRIVATE_ENTRIES.c.idx))).scalar()
    return 0 if last is None else last + 1


def root(connection: Connection, size: int) -> bytes:
    """Return the root over the first `size` entries."""
    return merkle.root_from(stored_nodes(connection, PRIVATE_NODES), size)


def entry(connection: Connection, index: int) -> PrivateEntry:
    """Return one entry.

    Raises
    ------
    NotInLog
        There is none of this index.
    """
    query = select(PRIVATE_ENTRIES).where(PRIVATE_ENTRIES.c.idx == index)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotInLog(f"the private tree has no entry {index}", place=f"private_entries/{index}")
    return PrivateEntry(row.idx, row.blinding, row.data)


def values(connection: Connection) -> Iterator[tuple[int, dict[str, Json]]]:
    """Yield what every entry says, with its index."""
    for row in connection.execute(select(PRIVATE_ENTRIES).order_by(PRIVATE_ENTRIES.c.idx)):
        value = value_of(PrivateEntry(row.idx, row.blinding, row.data))
        yield row.idx, value if isinstance(value, dict) else {}


def value_of(entry: PrivateEntry) -> Json:
    """Return what an entry says."""
    try:
        return canonical.parse_stored(entry.data)
    except CanonicalRefused as error:
        raise StoreCorrupt(error.reason, place=f"private_entries/{entry.index}") from error


def inclusion(connection: Connection, index: int, size: int) -> list[bytes]:
    """Return the inclusion proof of an entry in the private tree of `size`."""
    return merkle.inclusion_path_from(stored_nodes(connection, PRIVATE_NODES), index, size)


def consistency(connection: Connection, size1: int, size2: int) -> list[bytes]:
    """Return the proof that the private tree of one size is a prefix of that of another."""
    return merkle.consistency_path_from(stored_nodes(connection, PRIVATE_NODES), size1, size2)
