"""The check of the log: entries, trees, checkpoints, lot map, private tree, what waits; all from the entries.

docs/spec/{entry,seal,checkpoint}.md. What records say is checked by `fsck_records`.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, select

from sudonglian.chain import canonical, entry, lotmap, merkle
from sudonglian.chain.checkpoint import verify_note
from sudonglian.chain.entry import CorrectionEntry, Entry, RecordEntry, SealEntry, SignatureEntry, TombstoneEntry
from sudonglian.chain.identifiers import named_by
from sudonglian.chain.record import record_hash
from sudonglian.records import anchor_halt, anchor_plans, lots, passing, retention
from sudonglian.records.deployment import CREATED_US, KEY_CHECK, ORIGIN, VERIFIER_KEY
from sudonglian.records.fsck_report import Report
from sudonglian.records.keys import Keys
from sudonglian.records.tables import (
    CHECKPOINTS,
    ENTRIES,
    LOT_CHAIN,
    LOT_NODES,
    META,
    NODES,
    PENDING,
    PRIVATE_ENTRIES,
    PRIVATE_NODES,
    RECORDS,
)

SECOND_US = 1_000_000


@dataclass
class Log:
    """What the entries say, for the checks that stand on them."""

    created_us: int = 0
    size: int = 0
    entries: dict[int, Entry] = field(default_factory=dict)
    records: dict[bytes, int] = field(default_factory=dict)
    """Index of each record's entry."""
    pending: dict[bytes, int] = field(default_factory=dict)
    """Row of each record whose entry waits."""
    corrected: set[bytes] = field(default_factory=set)
    """Records against which something stands, in the log or in line."""
    roots: dict[int, bytes] = field(default_factory=dict)
    """Recomputed root of each checkpoint's size."""
    notes: dict[int, str] = field(default_factory=dict)
    sealed_us: dict[int, int] = field(default_factory=dict)
    private: list[Any] = field(default_factory=list)
    """What the private tree says, in order."""
    erased: dict[bytes, set[int]] = field(default_factory=dict)
    """Who was erased from each record, by number."""


def check(report: Report, connection: Connection, keys: Keys) -> Log:
    """Recompute the log and say what it says."""
    log = Log()
    with report.watch("meta"):
        _meta(report, connection, keys, log)
    nodes: dict[tuple[int, int], bytes] = {}
    with report.watch("entries"):
        nodes = _entries(report, connection, log)
    with report.watch("nodes"):
        report.rows("node", "nodes", _nodes(connection, NODES), {key: (digest,) for key, digest in nodes.items()})
    private_nodes: dict[tuple[int, int], bytes] = {}
    with report.watch("private_entries"):
        private_nodes = _private(report, connection, log)
    with report.watch("private_nodes"):
        held = _nodes(connection, PRIVATE_NODES)
        report.rows("private-node", "private_nodes", held, {key: (digest,) for key, digest in private_nodes.items()})
    with report.watch("checkpoints"):
        _checkpoints(report, connection, keys, log, nodes, private_nodes)
    with report.watch("lots"):
        _lots(report, connection, log)
    with report.watch("pending"):
        _pending(report, connection, log)
    with report.watch("entries"):
        _what_entries_name(report, log)
    log.corrected = {said.of for said in log.entries.values() if isinstance(said, CorrectionEntry)}
    return log


def _meta(report: Report, connection: Connection, keys: Keys, log: Log) -> None:
    held = {row.key: row.value for row in connection.execute(select(META))}
    report.count("meta", len(held))
    report.same("meta", f"meta/{ORIGIN}", held.pop(ORIGIN, None), keys.origin)
    report.same("meta", f"meta/{VERIFIER_KEY}", held.pop(VERIFIER_KEY, None), keys.log.vkey)
    checks = {name: held.pop(f"{KEY_CHECK}{name}", None) for name in keys.check_values()}
    # A database of an earlier version has none until it is opened to be written.
    if any(checks.values()):
        for name, value in keys.check_values().items():
            report.same("other-key", keys.place(name), checks[name], value)
    created = str(held.pop(CREATED_US, ""))
    if created.isascii() and created.isdigit():
        log.created_us = int(created)
    else:
        report.add("meta", f"meta/{CREATED_US}", "not a time")
    held.pop(retention.MARK, None)  # `fsck_vault` reads it
    held.pop(passing.MARK, None)  # `fsck_doors` reads it
    for key in (anchor_plans.DEPLOYMENT, anchor_plans.ORDER, anchor_plans.SUCCESSION):
        held.pop(key, None)  # `fsck_anchors` reads them
    for key in (anchor_halt.HALTED, anchor_halt.FOREIGN):
        held.pop(key, None)  # `fsck_anchors` holds them against the chain
    for key in held:
        report.add("meta", f"meta/{key}", "nothing accounts for this row")


def _entries(report: Report, connection: Connection, log: Log) -> dict[tuple[int, int], bytes]:
    leaves: list[bytes] = []
    for row in connection.execute(select(ENTRIES).order_by(ENTRIES.c.idx)):
        place = f"entries/{row.idx}"
        if row.idx != len(leaves):
            report.add("entry-missing", f"entries/{len(leaves)}", f"the next one is {row.idx}")
        leaves.append(merkle.leaf_hash(bytes(row.data)))
        with report.watch(place):
            said = entry.parse_entry(bytes(row.data))
            log.entries[row.idx] = said
            if isinstance(said, RecordEntry):
                if said.h in log.records:
                    report.add("record-twice", place, f"the record is also at {log.records[said.h]}")
                log.records[said.h] = row.idx
            report.same("entry-about", place, row.about, _about(said))
    log.size = len(leaves)
    report.count("entries", log.size)
    return _tree(leaves)


def _about(said: Entry) -> bytes | None:
    match said:
        case CorrectionEntry(of=of):
            return of
        case RecordEntry(h=h) | SignatureEntry(h=h):
            return h
        case _:
            return None


def _tree(leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}
    grown = merkle.append(lambda level, index: nodes[level, index], 0, leaves) if leaves else []
    nodes.update({(level, index): digest for level, index, digest in grown})
    return nodes


def _nodes(connection: Connection, table: Table) -> dict[Any, Any]:
    return {(row.level, row.idx): (row.hash,) for row in connection.execute(select(table))}


def _private(report: Report, connection: Connection, log: Log) -> dict[tuple[int, int], bytes]:
    leaves: list[bytes] = []
    for row in connection.execute(select(PRIVATE_ENTRIES).order_by(PRIVATE_ENTRIES.c.idx)):
        place = f"private_entries/{row.idx}"
        if row.idx != len(leaves):
            report.add("private-entry-missing", f"private_entries/{len(leaves)}", f"the next one is {row.idx}")
        leaves.append(merkle.leaf_hash(bytes(row.blinding) + bytes(row.data)))
        if len(row.blinding) != 32:
            report.add("private-entry", place, "the blinding has not 32 bytes")
        said: Any = None
        with report.watch(place):
            said = canonical.parse_stored(bytes(row.data))
            if isinstance(said, dict) and said.get("k") == "erasure":
                for one in said["records"]:
                    log.erased.setdefault(bytes.fromhex(one), set()).add(said["person"])
                said = {**said, "tombstone": entry.tombstone_digest(bytes(row.blinding), said)}
        log.private.append(said)
    report.count("private_entries", len(leaves))
    return _tree(leaves)


def _checkpoints(
    report: Report,
    connection: Connection,
    keys: Keys,
    log: Log,
    nodes: dict[tuple[int, int], bytes],
    private_nodes: dict[tuple[int, int], bytes],
) -> None:
    last_size = last_private = 0
    for row in connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size)):
        place = f"checkpoints/{row.size}"
        report.count("checkpoints")
        with report.watch(place):
            if not 0 < row.size <= log.size:
                report.add("checkpoint", place, f"the log has {log.size} entries")
                continue
            root = merkle.root_from(lambda level, index: nodes[level, index], row.size)
            log.roots[row.size], log.notes[row.size], log.sealed_us[row.size] = root, row.note, row.sealed_us
            report.same("root", place, row.root, root)
            verify_note(row.note, keys.log.vkey)
            # Ed25519 signs the same text in the same way: any other note is not the one that was given out.
            report.same("note", place, row.note, keys.log.sign(row.size, root))
            sealed = log.entries.get(row.size - 1)
            if not isinstance(sealed, SealEntry):
                report.add("seal", f"entries/{row.size - 1}", "a checkpoint's last entry is no seal")
                continue
            report.same("seal-time", place, row.sealed_us // SECOND_US, int(sealed.at.timestamp()))
            if not last_private <= row.private_size <= len(log.private):
                report.add("seal", place, f"a private tree of {row.private_size} entries cannot be")
            else:
                private = merkle.root_from(lambda level, index: private_nodes[level, index], row.private_size)
                report.same("seal-private", f"entries/{row.size - 1}", sealed.private, private)
            last_private = row.private_size
        for index in range(last_size, row.size - 1):
            if isinstance(log.entries.get(index), SealEntry):
                report.add("checkpoint-missing", f"checkpoints/{index + 1}", "a seal has no checkpoint")
        last_size = row.size
    if last_size != log.size:
        report.add("checkpoint-missing", f"checkpoints/{log.size}", f"entries from {last_size} on are under no seal")


def _lots(report: Report, connection: Connection, log: Log) -> None:
    """Replay every seal: chains, map, and each version of each node."""
    bodies = {row.record_hash: row.body for row in connection.execute(select(RECORDS.c.record_hash, RECORDS.c.body))}
    chains: dict[Any, Any] = {}
    written: dict[Any, Any] = {}
    current: dict[tuple[int, bytes], lotmap.Node] = {}
    ends: dict[bytes, lotmap.Value] = {}
    changes: dict[bytes, lotmap.Value] = {}
    root = lotmap.EMPTY

    def held_now(depth: int, prefix: bytes) -> lotmap.Node | None:
        return current.get((depth, prefix))

    for index, said in sorted(log.entries.items()):
        if isinstance(said, RecordEntry) and record_hash(bodies.get(said.h, b"")) == said.h:
            record = canonical.parse_stored(bodies[said.h])
            event = record.get("event") if isinstance(record, dict) else None
            for name in named_by(event if isinstance(event, dict) else {}):
                key = lotmap.key(name)
                count, c = ends.get(key, (0, lotmap.START))
                ends[key] = changes[key] = (count + 1, lotmap.chain_next(c, said.h))
                chains[key, count + 1] = (index, said.h, ends[key][1])
        elif isinstance(said, SealEntry):
            root, nodes = lotmap.update(held_now, root, changes)
            current.update({(depth, prefix): node for depth, prefix, node in nodes})
            written |= {(depth, prefix, index): (lots.encode_node(node),) for depth, prefix, node in nodes}
            changes = {}
            report.same("seal-lots", f"entries/{index}", said.lots, root)
    held: dict[Any, Any] = {
        (r.lot_key, r.n): (r.log_index, r.record_hash, r.c) for r in connection.execute(select(LOT_CHAIN))
    }
    report.rows("lot-chain", "lot_chain", held, chains)
    held = {(r.depth, r.prefix, r.seal_index): (r.payload,) for r in connection.execute(select(LOT_NODES))}
    report.rows("lot-node", "lot_nodes", held, written)


def _pending(report: Report, connection: Connection, log: Log) -> None:
    newest = max(log.sealed_us.values(), default=log.created_us)
    for row in connection.execute(select(PENDING).order_by(PENDING.c.id)):
        place = f"pending/{row.id}"
        report.count("pending")
        with report.watch(place):
            said = entry.parse_entry(bytes(row.data))
            if isinstance(said, SealEntry) or isinstance(said, RecordEntry) != (row.record_id is not None):
                report.add("pending", place, "an entry of this kind does not wait here")
            if isinstance(said, RecordEntry) and row.record_id is not None:
                if said.h in log.records or said.h in log.pending:
                    report.add("record-twice", place, "the record is in the log or in line already")
                log.pending[said.h] = row.record_id
            elif not isinstance(said, RecordEntry):
                # Behind all that is in the log, in the order in which it will be.
                log.entries[log.size + row.id] = said
        report.time(place, row.queued_us, after_us=min(log.created_us, newest), before_us=None)


def _what_entries_name(report: Report, log: Log) -> None:
    known = log.records.keys() | log.pending.keys()
    tombstones = {one["tombstone"] for one in log.private if isinstance(one, dict) and "tombstone" in one}
    for index, said in log.entries.items():
        place = f"entries/{index}" if index < log.size else "pending"
        match said:
            case CorrectionEntry(h=h, of=of):
                for one in {h, of} - known:
                    report.add("correction-of-nothing", place, f"there is no record {one.hex()}")
            case SignatureEntry(h=h) if h not in known:
                report.add("signature-of-nothing", place, f"there is no record {h.hex()}")
            case TombstoneEntry(h=h):
                if h not in tombstones:
                    report.add("tombstone-without-receipt", place, "no receipt of an erasure in the private tree")
                tombstones.discard(h)
            case _:
                pass
    for one in tombstones:
        report.add("receipt-without-tombstone", "private_entries", f"the log has no tombstone {one.hex()}")
