"""What the log says about anything that has an id in it: found, proven, and judged by the deployment's own trust.

docs/spec/bundle.md rules 10-16; service.md (Pages, auditor). A server that judges its own proofs proves nothing by itself:
every answer says what it rests on, and an auditor's program repeats each step from the files that are named.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from sqlalchemy import Connection, or_, select

from sudonglian.chain import entry, lotmap, merkle
from sudonglian.chain.bundle import Anchor, Bundle
from sudonglian.chain.record import record_hash
from sudonglian.chain.verify import outcome, rests_on
from sudonglian.chain.verify_steps import Examination, Step, StepFailed, Unknown, Verdict, walked
from sudonglian.records import access, anchor_book, bundles, log, lots, reader
from sudonglian.records.errors import NotInLog, NotSealed, UnknownRecord
from sudonglian.records.keys import Keys
from sudonglian.records.log import Checkpoint
from sudonglian.records.own_trust import judge, own_trust
from sudonglian.records.reader import StoredRecord
from sudonglian.records.tables import ANCHOR_ATTEMPTS, ANCHORS, CHECKPOINTS

Kind: TypeAlias = Literal["record", "lot", "checkpoint", "anchor", "consistency", "access"]
Value: TypeAlias = str | int | None
MayRead: TypeAlias = Callable[[StoredRecord], bool]

JUDGED_WHOLE: Final = 200
"""A lot of more records is judged from its bundle, by the auditor's program: a page is not the place for minutes."""

LISTED: Final = 200
"""Records of a lot that an answer lists; the rest is counted."""

Steps: TypeAlias = tuple[Step, ...]

ON_LOG: Final = ("checkpoint", "consistency", "storage", "finality", "chain")
"""The steps that are about the log and its anchor, whatever stands in it."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was found, with what was checked of it.

    `facts` are numbers and hashes by name; `records` the hashes of a lot's records, in log order, the first `LISTED` of them.
    """

    kind: Kind
    id: str
    facts: dict[str, Value]
    verdict: Verdict
    records: tuple[str, ...] = ()


def by_hash(connection: Connection, keys: Keys, digest: bytes, may_read: MayRead) -> list[Examined]:
    """Return everything that 32 bytes name: a record, the root of a checkpoint, an anchor's transaction or block."""
    found: list[Examined] = []
    try:
        found.append(record(connection, keys, digest, may_read))
    except UnknownRecord:
        pass
    size = connection.execute(select(CHECKPOINTS.c.size).where(CHECKPOINTS.c.root == digest)).scalar()
    if size is not None:
        found.append(checkpoint(connection, keys, log.checkpoint_at(connection, size)))
    tried = select(ANCHOR_ATTEMPTS.c.anchor).where(ANCHOR_ATTEMPTS.c.tx_hash == digest)
    named = or_(ANCHORS.c.tx_hash == digest, ANCHORS.c.block_hash == digest, ANCHORS.c.id.in_(tried))
    for (number,) in connection.execute(select(ANCHORS.c.id).where(named).order_by(ANCHORS.c.id)):
        found.append(anchor(connection, keys, number))
    return found


def record(connection: Connection, keys: Keys, digest: bytes, may_read: MayRead) -> Examined:
    """Judge a record: its bundle for who may read it; for others its hash, its place and the log's anchor.

    Raises
    ------
    UnknownRecord
        Nothing of this hash was taken.
    """
    found = reader.record(connection, digest)
    facts: dict[str, Value] = {"record_hash": digest.hex(), "index": found.log_index, "captured_us": found.captured_us}
    if found.log_index is None:
        waits = Step("inclusion", "UNKNOWN", "taken, and waits for the next seal")
        return Examined(
            "record", digest.hex(), facts, Verdict("INDETERMINATE", "unsigned", "not claimed", (waits,), ())
        )
    said = [entry.parse_entry(data) for _, data in log.about(connection, digest)]
    facts["corrections"] = sum(isinstance(one, entry.CorrectionEntry) for one in said)
    if may_read(found):
        raw, _ = bundles.make_bundle(connection, keys, digest)
        return _judged("record", digest.hex(), facts, raw, connection, keys)
    newest, index = _newest(connection, found.log_index + 1), found.log_index
    examination = _examination(connection, keys, newest)

    def hashed() -> str:
        if record_hash(found.body) != digest:
            raise StepFailed("the stored bytes have another hash")
        return f"the stored bytes hash to {digest.hex()}; they are not yours to read"

    def included() -> str:
        path = tuple(log.inclusion(connection, index, newest.size))
        examination.included(entry.record_entry(digest), index, path)
        leaf = merkle.leaf_hash(entry.record_entry(digest))
        return f"leaf {leaf.hex()} at {index} in a tree of {newest.size}, path of {len(path)}"

    steps = (*walked((("record", hashed), ("inclusion", included))), *_on_log(examination))
    return _examined("record", digest.hex(), facts, steps, examination)


def lot(connection: Connection, keys: Keys, name: str, may_read: MayRead) -> Examined:
    """Judge what the newest anchored checkpoint says about an identifier: all its records, or that none names it.

    Raises
    ------
    NotSealed
        Nothing is sealed yet.
    """
    newest = _newest(connection, 1)
    chain = lots.chain(connection, name, newest.size)
    shown = tuple(link.record_hash.hex() for link in chain[:LISTED])
    facts: dict[str, Value] = {
        "lot": name,
        "records": len(chain),
        "later": len(lots.chain(connection, name)) - len(chain),
        "map_key": lotmap.key(name).hex(),
    }
    if len(chain) <= JUDGED_WHOLE and all(may_read(one) for one in reader.events_of(connection, name, newest.size)):
        raw, _ = bundles.make_bundle(connection, keys, None, lot=name)
        return replace(_judged("lot", name, facts, raw, connection, keys), records=shown)
    examination = _examination(connection, keys, newest)

    def mapped() -> str:
        proof, seal = lots.prove(connection, name, newest.size), bundles.seal_of(connection, newest.size)
        sealed = entry.seal_entry(seal.lots, seal.private, entry.parse_time(seal.at))
        examination.included(sealed, newest.size - 1, seal.path)
        value = (len(chain), lotmap.chain_over([link.record_hash for link in chain])) if chain else None
        lotmap.verify_map(lotmap.key(name), value, proof.other, proof.path, seal.lots)
        said = f"{value[0]} records, chain {value[1].hex()}" if value else "no record"
        return f"{said}; path of {len(proof.path)} to the map {seal.lots.hex()} sealed {seal.at}"

    steps = (*_on_log(examination), *walked((("lots", mapped),)))
    return replace(_examined("lot", name, facts, steps, examination), records=shown)


def checkpoint(connection: Connection, keys: Keys, at: Checkpoint) -> Examined:
    """Judge a checkpoint: its signature, its seal, and the first final anchor that covers it."""
    seal = bundles.seal_of(connection, at.size)
    facts: dict[str, Value] = {
        "size": at.size,
        "root": at.root.hex(),
        "sealed_us": at.sealed_us,
        "lots_root": seal.lots.hex(),
        "private_root": seal.private.hex(),
    }
    examination = _examination(connection, keys, at)

    def included() -> str:
        sealed = entry.seal_entry(seal.lots, seal.private, entry.parse_time(seal.at))
        examination.included(sealed, at.size - 1, seal.path)
        return f"its seal at {at.size - 1} in a tree of {at.size}, path of {len(seal.path)}"

    steps = (*walked((("inclusion", included),)), *_on_log(examination))
    return _examined("checkpoint", str(at.size), facts, steps, examination)


def anchor(connection: Connection, keys: Keys, number: int) -> Examined:
    """Judge an anchor: what its transaction wrote into the contract, and how final its block is."""
    row = connection.execute(select(ANCHORS).where(ANCHORS.c.id == number)).one()
    held = [one for one in anchor_book.proven(connection) if one[1].id == number]
    chain = anchor_book.chain_at(connection, row.chain)
    facts: dict[str, Value] = {
        "transaction": _hex(row.tx_hash),
        "state": row.state,
        "size": row.size,
        "root": row.root.hex(),
        "block": row.block_number,
        "block_hash": _hex(row.block_hash),
        "chain_id": chain.chain_id,
        "genesis": chain.genesis.hex(),
        "contract": chain.contract.hex(),
        "code_hash": chain.code_hash.hex(),
        "nonce": row.nonce,
    }
    proofs = tuple(bundles.anchor_proof(connection, its, final.size) for its, final in held)
    examination = _examination(connection, keys, log.checkpoint_at(connection, row.size), proofs)
    return _examined("anchor", _hex(row.tx_hash) or "", facts, _on_log(examination), examination)


def contract(connection: Connection, keys: Keys, address: bytes) -> Examined:
    """Judge what a contract of this log holds by now: its newest final anchor.

    Raises
    ------
    NotInLog
        This log has no contract there, or nothing in it is final yet.
    """
    found = next((one for chain, one in anchor_book.proven(connection) if chain.contract == address), None)
    if found is None:
        raise NotInLog("this log has no final anchor in a contract of this address", place=f"0x{address.hex()}")
    return anchor(connection, keys, found.id)


def consistency(connection: Connection, keys: Keys, older: int, newer: int) -> Examined:
    """Judge whether the log only grew between two sizes; a size that no checkpoint has was signed by nobody.

    Raises
    ------
    NotInLog
        The log is shorter, or the first size is not the smaller one.
    """
    end = log.size(connection)
    if not 0 < older <= newer <= end:
        raise NotInLog(f"sizes from 1 to {end}, the smaller one first", place="from")
    roots = log.root(connection, older), log.root(connection, newer)
    path = log.consistency(connection, older, newer)
    facts: dict[str, Value] = {"from": older, "from_root": roots[0].hex(), "to": newer, "to_root": roots[1].hex()}

    def grown() -> str:
        merkle.verify_consistency(older, roots[0], newer, roots[1], path)
        return f"size {older} is a prefix of {newer}, path of {len(path)}"

    def signed(size: int, root: bytes) -> Callable[[], str]:
        def check() -> str:
            try:
                at = log.checkpoint_at(connection, size)
            except NotInLog:
                raise Unknown(f"nobody signed size {size}, root {root.hex()}") from None
            said = Examination(Bundle(at.note, ()), own_trust(connection, keys, ())).check_checkpoint()
            if at.root != root:
                raise StepFailed(f"size {size} was signed with root {at.root.hex()}")
            return said

        return check

    ends = [("checkpoint", signed(size, root)) for size, root in dict(zip((older, newer), roots, strict=True)).items()]
    steps = tuple(walked((("consistency", grown), *ends)))
    trusted = (f"log key {keys.log.verifier_key}",)
    said = Verdict(outcome(steps), "unsigned", "not claimed", steps, trusted)
    return Examined("consistency", f"{older}-{newer}", facts, said)


def access_entry(connection: Connection, keys: Keys, index: int) -> Examined:
    """Judge the proof of an entry of the access log: for who may read that log.

    Raises
    ------
    NotInLog, NotSealed
        There is no such entry, or no checkpoint covers it yet.
    """
    return _judged(
        "access", f"access:{index}", {"entry": index}, access.prove(connection, keys, index), connection, keys
    )


def _judged(kind: Kind, name: str, facts: dict[str, Value], raw: bytes, connection: Connection, keys: Keys) -> Examined:
    return Examined(kind, name, facts, judge(connection, keys, raw))


def _examined(kind: Kind, name: str, facts: dict[str, Value], steps: Steps, examination: Examination) -> Examined:
    trusted = tuple(rests_on(examination.bundle, examination, examination.trust))
    return Examined(kind, name, facts, Verdict(outcome(steps), "unsigned", "not claimed", steps, trusted))


def _examination(
    connection: Connection, keys: Keys, at: Checkpoint, anchors: tuple[Anchor, ...] | None = None
) -> Examination:
    """Return what judges a checkpoint with no record in it; the anchors are the first final one's, if not given."""
    if anchors is None:
        first = bundles.anchor_of(connection, at)
        anchors = () if first is None else (first,)
    return Examination(Bundle(at.note, (), anchors), own_trust(connection, keys, anchors))


def _on_log(examination: Examination) -> Steps:
    return tuple(one for one in examination.run() if one.name in ON_LOG)


def _newest(connection: Connection, least: int) -> Checkpoint:
    """Return the newest checkpoint that a final anchor proves, if it is large enough; or the newest."""
    proven = anchor_book.proven(connection)
    if proven and proven[0][1].size >= least:
        return log.checkpoint_at(connection, proven[0][1].size)
    newest = log.latest(connection)
    if newest is None or newest.size < least:
        raise NotSealed("nothing of this size is sealed yet")
    return newest


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
