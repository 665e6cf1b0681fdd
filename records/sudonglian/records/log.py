"""The log as it is read: checkpoints, entries, proofs; all of it from stored nodes.

docs/spec/entry.md rules 2-4 and 7, docs/spec/checkpoint.md. `sequencer` is the only writer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, func, select

from sudonglian.chain import merkle
from sudonglian.records.errors import NotInLog, StoreCorrupt
from sudonglian.records.tables import CHECKPOINTS, ENTRIES, NODES

PAGE: Final = 1_000
"""Entries read at once: some 100 KB, whatever the caller does between two of them."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A size and root of the log that were signed."""

    size: int
    root: bytes
    note: str
    sealed_us: int
    private_size: int


def latest(connection: Connection) -> Checkpoint | None:
    """Return the newest checkpoint, or None before the first seal."""
    query = select(CHECKPOINTS).order_by(CHECKPOINTS.c.size.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _checkpoint(row)


def size(connection: Connection) -> int:
    """Return the size of the newest checkpoint; 0 before the first."""
    newest = latest(connection)
    return 0 if newest is None else newest.size


def checkpoint_at(connection: Connection, size: int) -> Checkpoint:
    """Return the checkpoint of exactly this size.

    Raises
    ------
    NotInLog
        No seal made the log this long.
    """
    row = connection.execute(select(CHECKPOINTS).where(CHECKPOINTS.c.size == size)).one_or_none()
    if row is None:
        raise NotInLog(f"the log has no checkpoint of size {size}", place=f"checkpoints/{size}")
    return _checkpoint(row)


def checkpoint_covering(connection: Connection, index: int) -> Checkpoint:
    """Return the first checkpoint whose tree holds the entry at `index`.

    Raises
    ------
    NotInLog
        The log is shorter.
    """
    query = select(CHECKPOINTS).where(CHECKPOINTS.c.size > index).order_by(CHECKPOINTS.c.size).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotInLog(f"no checkpoint covers the entry {index}", place=f"entries/{index}")
    return _checkpoint(row)


def checkpoints(connection: Connection, below: int | None, limit: int) -> list[Checkpoint]:
    """Return at most `limit` checkpoints, newest first, those smaller than `below` if it is given."""
    query = select(CHECKPOINTS).order_by(CHECKPOINTS.c.size.desc()).limit(limit)
    if below is not None:
        query = query.where(CHECKPOINTS.c.size < below)
    return [_checkpoint(row) for row in connection.execute(query)]


def root(connection: Connection, size: int) -> bytes:
    """Return the root of the first `size` entries, whether a checkpoint was made of them or not."""
    return merkle.root_from(stored_nodes(connection), size)


def inclusion(connection: Connection, index: int, size: int) -> list[bytes]:
    """Return the inclusion proof of the entry at `index` in the tree of `size`."""
    return merkle.inclusion_path_from(stored_nodes(connection), index, size)


def consistency(connection: Connection, size1: int, size2: int) -> list[bytes]:
    """Return the proof that the tree of `size1` is a prefix of that of `size2`."""
    return merkle.consistency_path_from(stored_nodes(connection), size1, size2)


def range_proof(connection: Connection, start: int, end: int, size: int) -> list[bytes]:
    """Return the one proof that all entries of [start, end) are in the tree of `size`."""
    return merkle.range_path_from(stored_nodes(connection), start, end, size)


def sealed_between(connection: Connection, start_us: int, end_us: int) -> tuple[int, int]:
    """Return the range [first, after) of the entries that were sealed from one moment on and before another."""
    first, after = (
        connection.execute(select(func.max(CHECKPOINTS.c.size)).where(CHECKPOINTS.c.sealed_us < moment)).scalar() or 0
        for moment in (start_us, end_us)
    )
    return first, after


def entry(connection: Connection, index: int) -> bytes:
    """Return the leaf data of one entry.

    Raises
    ------
    NotInLog
        The log is shorter.
    """
    data = connection.execute(select(ENTRIES.c.data).where(ENTRIES.c.idx == index)).scalar_one_or_none()
    if data is None:
        raise NotInLog(f"the log has no entry {index}", place=f"entries/{index}")
    return bytes(data)


def entries(connection: Connection, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield (index, leaf data) of the entries in [start, end), by default to the log's end."""
    while end is None or start < end:
        query = select(ENTRIES.c.idx, ENTRIES.c.data).where(ENTRIES.c.idx >= start).order_by(ENTRIES.c.idx)
        if end is not None:
            query = query.where(ENTRIES.c.idx < end)
        page = connection.execute(query.limit(PAGE)).all()
        for row in page:
            yield row.idx, row.data
        if len(page) < PAGE:
            return
        start = page[-1].idx + 1


def about(connection: Connection, record_hash: bytes, size: int | None = None) -> list[tuple[int, bytes]]:
    """Return (index, leaf data) of every entry that concerns a record, in order: its own, corrections, signatures."""
    query = select(ENTRIES.c.idx, ENTRIES.c.data).where(ENTRIES.c.about == record_hash).order_by(ENTRIES.c.idx)
    if size is not None:
        query = query.where(ENTRIES.c.idx < size)
    return [(row.idx, row.data) for row in connection.execute(query)]


def stored_nodes(connection: Connection, table: Table = NODES) -> merkle.Nodes:
    """Return what gives the stored node of (level, index), each asked for once."""
    query = select(table.c.hash)
    seen: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        found = seen.get((level, index))
        if found is None:
            one = query.where(table.c.level == level, table.c.idx == index)
            found = connection.execute(one).scalar_one_or_none()
            if found is None:
                raise StoreCorrupt("a complete subtree has no stored node", place=f"{table.name}/{level}/{index}")
            found = seen[level, index] = bytes(found)
        return found

    return node


def node_rows(nodes: Iterable[tuple[int, int, bytes]]) -> list[dict[str, Any]]:
    """Return the rows of completed nodes, for `nodes` and `private_nodes`."""
    return [{"level": level, "idx": index, "hash": digest} for level, index, digest in nodes]


def _checkpoint(row: Row[Any]) -> Checkpoint:
    return Checkpoint(row.size, row.root, row.note, row.sealed_us, row.private_size)
