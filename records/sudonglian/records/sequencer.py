"""The sequencer: the one writer of the log. It orders what is pending, seals it and signs a checkpoint.

docs/spec/entry.md rule 3, docs/spec/seal.md, docs/spec/checkpoint.md rule 4. A seal is one transaction: a note
leaves the process only after it is committed, so no size is ever signed with two roots. What a seal will hold can be
worked out before that transaction, so that captures do not wait for it (docs/decisions/0613).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from sudonglian.chain import canonical, entry, merkle
from sudonglian.chain.errors import ProofRefused, RecordRefused
from sudonglian.chain.identifiers import named_by
from sudonglian.chain.record import record_hash
from sudonglian.records import anchor_halt, bulk, derive, log, lots, private, store
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.keys import Keys
from sudonglian.records.log import Checkpoint, node_rows, stored_nodes
from sudonglian.records.store import in_batches
from sudonglian.records.tables import CHECKPOINTS, ENTRIES, NODES, PENDING, RECORDS, SIGNATURES

LOCK: Final = "sudonglian-sequencer"


@dataclass(frozen=True, slots=True)
class _Taken:
    pending_id: int
    index: int
    data: bytes
    record_id: int | None
    said: entry.Entry


def enqueue(
    connection: Connection, data: Iterable[bytes], now: datetime, record_ids: Iterable[int | None] | None = None
) -> None:
    """Put entries in line; `record_ids` names the row of each record entry.

    Raises
    ------
    Halted
        The database is older than its own anchors.
    """
    entries = list(data)
    ids = list(record_ids) if record_ids is not None else [None] * len(entries)
    queued_us = derive.micros(now)
    rows = [
        {"data": one, "record_id": record_id, "queued_us": queued_us}
        for one, record_id in zip(entries, ids, strict=True)
    ]
    if rows:
        anchor_halt.require_going(connection)
        bulk.put(connection, PENDING, rows)


def due(connection: Connection, now: datetime, max_entries: int, max_age: timedelta) -> bool:
    """Return whether it is time to seal: so many entries wait, or one for so long."""
    count, oldest = connection.execute(select(func.count(), func.min(PENDING.c.queued_us))).one()
    newest = log.latest(connection)
    if private.size(connection) > (newest.private_size if newest else 0):
        since = newest.sealed_us if newest else 0  # private entries bear no time of their own
        oldest = since if oldest is None else min(oldest, since)
    return count >= max_entries or (oldest is not None and derive.micros(now) - oldest >= max_age // derive.MICROSECOND)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the next seal takes in after a log of `size`, worked out from all that waited; nothing of it is written."""

    size: int
    taken: list[_Taken]
    extension: lots.Extension
    nodes: list[tuple[int, int, bytes]]
    """The log's nodes that these entries complete, without the seal's own."""

    @property
    def seal_index(self) -> int:
        """Where the seal entry will stand."""
        return self.size + len(self.taken)


def draft(connection: Connection) -> Draft:
    """Work out what a seal of all that waits now takes in: the longest part of a seal, and it writes nothing.

    Raises
    ------
    StoreCorrupt
        What waits contradicts itself; it must not be committed to for ever.
    """
    size = log.size(connection)
    taken = _waiting(connection, size)
    extension = lots.extension(connection, _records(connection, taken), size, size + len(taken))
    leaves = [merkle.leaf_hash(one.data) for one in taken]
    return Draft(size, taken, extension, merkle.append(stored_nodes(connection), size, leaves))


def seal(connection: Connection, keys: Keys, now: datetime, drafted: Draft | None = None) -> Checkpoint | None:
    """Take what is pending into the log and sign a checkpoint; None if there is nothing new.

    With a draft that the log has not outgrown this takes what was drafted, and what has come since waits for the next
    seal; else all that is pending now.

    Raises
    ------
    StoreCorrupt
        What waits contradicts itself, or is not what was drafted; it must not be committed to for ever.
    Halted
        The database is older than its own anchors: these sizes have been signed with other roots.
    """
    store.lock(connection, LOCK)
    anchor_halt.require_going(connection)
    newest = log.latest(connection)
    size = newest.size if newest else 0
    if drafted is None or drafted.size != size:
        drafted = draft(connection)
    private_size = private.size(connection)
    taken, seal_index = drafted.taken, drafted.seal_index
    if not taken and private_size == (newest.private_size if newest else 0):
        return None
    _take(connection, taken)
    drafted.extension.write(connection)
    at = now.replace(microsecond=0)
    sealed = entry.seal_entry(drafted.extension.root, private.root(connection, private_size), at)
    rows = [{"idx": one.index, "data": one.data, "about": _about(one.said)} for one in taken]
    bulk.put(connection, ENTRIES, [*rows, {"idx": seal_index, "data": sealed, "about": None}])
    _number(connection, taken)
    _number_signatures(connection, taken)
    root = _grow(connection, drafted, sealed)
    checkpoint = Checkpoint(
        size=seal_index + 1,
        root=root,
        note=keys.log.sign(seal_index + 1, root),
        sealed_us=derive.micros(now),
        private_size=private_size,
    )
    connection.execute(
        insert(CHECKPOINTS),
        {
            "size": checkpoint.size,
            "root": root,
            "note": checkpoint.note,
            "sealed_us": checkpoint.sealed_us,
            "private_size": private_size,
        },
    )
    return checkpoint


def _waiting(connection: Connection, size: int) -> list[_Taken]:
    query = select(PENDING.c.id, PENDING.c.data, PENDING.c.record_id).order_by(PENDING.c.id)
    taken = []
    for place, row in enumerate(connection.execute(query)):
        try:
            said = entry.parse_entry(row.data)
        except ProofRefused as error:
            raise StoreCorrupt(error.reason, place=f"pending/{row.id}") from error
        if isinstance(said, entry.SealEntry) or isinstance(said, entry.RecordEntry) != (row.record_id is not None):
            raise StoreCorrupt("an entry of this kind does not wait here", place=f"pending/{row.id}")
        taken.append(_Taken(row.id, size + place, row.data, row.record_id, said))
    return taken


def _take(connection: Connection, taken: Sequence[_Taken]) -> None:
    # Only what was drafted, and that it is still the same: an entry that is committed meanwhile waits for the next seal.
    for batch in in_batches(taken):
        gone = delete(PENDING).where(PENDING.c.id.in_([one.pending_id for one in batch]))
        rows = connection.execute(gone.returning(PENDING.c.id, PENDING.c.data, PENDING.c.record_id))
        found = {row.id: (row.data, row.record_id) for row in rows}
        for one in batch:
            if found.get(one.pending_id) != (one.data, one.record_id):
                raise StoreCorrupt("what waited is not what was drafted", place=f"pending/{one.pending_id}")


def _records(connection: Connection, taken: Sequence[_Taken]) -> Iterator[tuple[int, bytes, tuple[str, ...]]]:
    """Yield (log index, hash, what it names) of each record, from the bytes that were hashed."""
    for batch in in_batches([one for one in taken if one.record_id is not None]):
        ids = [one.record_id for one in batch]
        query = select(RECORDS.c.id, RECORDS.c.body).where(RECORDS.c.id.in_(ids), RECORDS.c.log_index.is_(None))
        bodies = {row.id: row.body for row in connection.execute(query)}
        for one in batch:
            assert isinstance(one.said, entry.RecordEntry)
            body = bodies.pop(one.record_id, b"")
            if record_hash(body) != one.said.h:
                raise StoreCorrupt(
                    "the record is altered, missing or already in the log", place=f"records/{one.record_id}"
                )
            try:
                record = canonical.parse_stored(body)
            except RecordRefused as error:
                raise StoreCorrupt(error.reason, place=f"records/{one.record_id}") from error
            event = record.get("event") if isinstance(record, dict) else None
            yield one.index, one.said.h, named_by(event if isinstance(event, dict) else {})


def _about(said: entry.Entry) -> bytes | None:
    match said:
        case entry.CorrectionEntry(of=of):
            return of
        case entry.RecordEntry(h=h) | entry.SignatureEntry(h=h):
            return h
        case _:
            return None


def _number(connection: Connection, taken: Sequence[_Taken]) -> None:
    rows: list[dict[str, Any]] = [
        {"row_id": one.record_id, "new_index": one.index} for one in taken if one.record_id is not None
    ]
    if rows:
        statement = update(RECORDS).where(RECORDS.c.id == bindparam("row_id"))
        connection.execute(statement.values(log_index=bindparam("new_index")), rows)


def _number_signatures(connection: Connection, taken: Sequence[_Taken]) -> None:
    for one in taken:
        if not isinstance(one.said, entry.SignatureEntry):
            continue
        held = SIGNATURES.c.digest == one.said.d, SIGNATURES.c.log_index.is_(None)
        done = connection.execute(update(SIGNATURES).where(*held).values(log_index=one.index))
        # One row fills a role (a constraint of the table), so that no second entry of one can come into the log.
        if done.rowcount != 1:
            raise StoreCorrupt("the signature is missing or already in the log", place=f"pending of {one.said.d.hex()}")


def _grow(connection: Connection, drafted: Draft, sealed: bytes) -> bytes:
    nodes = stored_nodes(connection)
    fresh = {(level, index): digest for level, index, digest in drafted.nodes}

    def node(level: int, index: int) -> bytes:
        return fresh.get((level, index)) or nodes(level, index)

    last = merkle.append(node, drafted.seal_index, [merkle.leaf_hash(sealed)])
    bulk.put(connection, NODES, node_rows([*drafted.nodes, *last]))
    fresh |= {(level, index): digest for level, index, digest in last}
    return merkle.root_from(node, drafted.seal_index + 1)
