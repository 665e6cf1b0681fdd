"""The sequencer: the one writer of the log. It orders what is pending, seals it and signs a checkpoint.

docs/spec/entry.md rule 3, docs/spec/seal.md, docs/spec/checkpoint.md rule 4. A seal is one transaction: a note
leaves the process only after it is committed, so no size is ever signed with two roots.
"""

from collections.abc import Iterable, Sequence
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


def seal(connection: Connection, keys: Keys, now: datetime) -> Checkpoint | None:
    """Take all that is pending into the log and sign a checkpoint; None if there is nothing new.

    Raises
    ------
    StoreCorrupt
        What waits contradicts itself; it must not be committed to for ever.
    Halted
        The database is older than its own anchors: these sizes have been signed with other roots.
    """
    store.lock(connection, LOCK)
    anchor_halt.require_going(connection)
    newest = log.latest(connection)
    size = newest.size if newest else 0
    private_size = private.size(connection)
    taken = _take(connection, size)
    if not taken and private_size == (newest.private_size if newest else 0):
        return None
    seal_index = size + len(taken)
    records = _records(connection, taken)
    lots_root = lots.extend(connection, records, size, seal_index)
    at = now.replace(microsecond=0)
    sealed = entry.seal_entry(lots_root, private.root(connection, private_size), at)
    rows = [{"idx": one.index, "data": one.data, "about": _about(one.said)} for one in taken]
    bulk.put(connection, ENTRIES, [*rows, {"idx": seal_index, "data": sealed, "about": None}])
    _number(connection, taken)
    _number_signatures(connection, taken)
    root = _grow(connection, size, [*(one.data for one in taken), sealed])
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


def _take(connection: Connection, size: int) -> list[_Taken]:
    # Taken and deleted by one statement: an entry that is committed meanwhile waits for the next seal.
    query = delete(PENDING).returning(PENDING.c.id, PENDING.c.data, PENDING.c.record_id)
    rows = sorted(connection.execute(query).all(), key=lambda row: int(row.id))
    taken = []
    for place, row in enumerate(rows):
        try:
            said = entry.parse_entry(row.data)
        except ProofRefused as error:
            raise StoreCorrupt(error.reason, place=f"pending/{row.id}") from error
        if isinstance(said, entry.SealEntry) or isinstance(said, entry.RecordEntry) != (row.record_id is not None):
            raise StoreCorrupt("an entry of this kind does not wait here", place=f"pending/{row.id}")
        taken.append(_Taken(size + place, row.data, row.record_id, said))
    return taken


def _records(connection: Connection, taken: Sequence[_Taken]) -> list[tuple[int, bytes, tuple[str, ...]]]:
    """Return (log index, hash, what it names) of each record, from the bytes that were hashed."""
    bodies: dict[int, bytes] = {}
    ids = [one.record_id for one in taken if one.record_id is not None]
    for batch in in_batches(ids):
        query = select(RECORDS.c.id, RECORDS.c.body).where(RECORDS.c.id.in_(batch), RECORDS.c.log_index.is_(None))
        bodies.update((row.id, row.body) for row in connection.execute(query))
    found = []
    for one in taken:
        if one.record_id is None or not isinstance(one.said, entry.RecordEntry):
            continue
        body = bodies.pop(one.record_id, b"")
        if record_hash(body) != one.said.h:
            raise StoreCorrupt("the record is altered, missing or already in the log", place=f"records/{one.record_id}")
        try:
            record = canonical.parse_stored(body)
        except RecordRefused as error:
            raise StoreCorrupt(error.reason, place=f"records/{one.record_id}") from error
        event = record.get("event") if isinstance(record, dict) else None
        found.append((one.index, one.said.h, named_by(event if isinstance(event, dict) else {})))
    return found


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


def _grow(connection: Connection, size: int, leaves: Sequence[bytes]) -> bytes:
    nodes = stored_nodes(connection)
    grown = merkle.append(nodes, size, [merkle.leaf_hash(data) for data in leaves])
    bulk.put(connection, NODES, node_rows(grown))
    fresh = {(level, index): digest for level, index, digest in grown}
    return merkle.root_from(lambda level, index: fresh.get((level, index)) or nodes(level, index), size + len(leaves))
