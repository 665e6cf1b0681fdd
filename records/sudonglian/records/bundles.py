"""Bundles from the store: one record, or all of a lot, with every proof that an auditor needs.

docs/spec/bundle.md; docs/decisions/0600 (which checkpoint).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, Final, Literal, TypeAlias

from sqlalchemy import Connection, select

from sudonglian.chain import canonical, entry
from sudonglian.chain.bundle import Anchor, Bundle, Correction, Lot, RecordProof, Seal, SignatureProof
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import ProofRefused, RecordRefused, SudonglianError
from sudonglian.chain.identifiers import identifiers_of
from sudonglian.chain.record import parse_record
from sudonglian.records import anchor_book, key_proofs, log, lots, reader, signatures
from sudonglian.records.anchor_chain import proof_nodes
from sudonglian.records.errors import NotSealed, StoreCorrupt
from sudonglian.records.keys import Keys
from sudonglian.records.log import Checkpoint
from sudonglian.records.reader import StoredRecord
from sudonglian.records.signatures import StoredSignature
from sudonglian.records.tables import ANCHORS

State: TypeAlias = Literal["final", "pending"]

MAX_LOTS: Final = 1_000
"""Units that one lot travelled in; a container with a hundred pallets is a tenth of it."""

PARENT: Final = "parent"


class BundleImpossible(SudonglianError):
    """What was asked for cannot be put into a bundle."""

    slug: ClassVar[str] = "bundle-impossible"


class RecordsWithheld(SudonglianError):
    """A bundle that would hold records which whoever asks may not read."""

    slug: ClassVar[str] = "records-withheld"


def make_bundle(
    connection: Connection,
    keys: Keys,
    record_hash: bytes | None,
    *,
    disclose: Collection[str] = (),
    lot: str | None = None,
    through: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    may_read: Callable[[StoredRecord], bool] = lambda _record: True,
) -> tuple[bytes, State]:
    """Return a bundle's bytes, and whether a final anchor covers it or it waits for one.

    Parameters
    ----------
    connection, keys
        The store to read from, and its keys.
    record_hash
        The record to prove; None only with `lot`.
    disclose
        Withheld members to show, of `record_hash` if it is given and else of every record.
    lot
        An identifier in its normal form, of which all records are shown, or that there is none.
    through
        With `lot`: also the units that it was in, and those that they were in.
    progress
        Told how many records are in it, of how many.
    may_read
        Whether whoever asks may read a record: a bundle holds what its records say in the clear.

    Raises
    ------
    UnknownRecord, NotSealed
        There is no such record, or it is not in the log yet.
    VaultRefused
        People are to be disclosed: that is not for bundles.
    RecordsWithheld
        A record that would be in it is not for whoever asks.
    BundleImpossible
        Nothing is asked for, a member to disclose is not there, or the lot travelled in too much.
    """
    if record_hash is None and lot is None:
        raise BundleImpossible("a record or a lot is needed")
    asked = None if record_hash is None else _sealed(connection, record_hash)
    checkpoint, anchor = _checkpoint(connection, asked, newest=lot is not None)
    ids = () if lot is None else _lots(connection, lot, checkpoint.size, through=through)
    shown = {} if asked is None else {asked.record_hash: asked}
    for one in ids:
        shown |= {it.record_hash: it for it in reader.events_of(connection, one, checkpoint.size)}
    if hidden := sum(not may_read(it) for it in shown.values()):
        raise RecordsWithheld(f"{hidden} of its {len(shown)} records are not yours to read; an auditor may")
    disclosed = _disclosures(connection, keys, shown if asked is None else [asked.record_hash], disclose)
    records = sorted(shown.values(), key=lambda it: it.log_index or 0)
    signed = signatures.of(connection, shown)

    def proven() -> Iterator[RecordProof]:
        for number, it in enumerate(records, 1):
            yield _record(
                connection, it, checkpoint.size, disclosed.get(it.record_hash, ()), signed.get(it.record_hash, ())
            )
            progress(number, len(records))

    made = Bundle(
        checkpoint=checkpoint.note,
        records=tuple(proven()),
        anchors=() if anchor is None else (anchor,),
        seal=seal_of(connection, checkpoint.size) if ids else None,
        lots=tuple(_lot(connection, one, checkpoint.size) for one in sorted(ids)),
    )
    return made.encode(), "pending" if anchor is None else "final"


def _sealed(connection: Connection, record_hash: bytes) -> StoredRecord:
    found = reader.record(connection, record_hash)
    if found.log_index is None:
        raise NotSealed("the record is taken and waits for the next seal", place=record_hash.hex())
    return found


def _checkpoint(
    connection: Connection, asked: StoredRecord | None, *, newest: bool
) -> tuple[Checkpoint, Anchor | None]:
    """Return the checkpoint that the bundle stands on, and its anchor if one is final."""
    index = -1 if asked is None or asked.log_index is None else asked.log_index
    proven = [one for one in anchor_book.proven(connection) if one[1].size > index]
    if proven:
        chain, anchor = proven[0]
        if not newest and asked is not None:
            # The earliest anchor shows the earliest time, but a correction must not stay unseen for that.
            last = max(at for at, _ in log.about(connection, asked.record_hash, anchor.size))
            chain, anchor = next(one for one in reversed(proven) if one[1].size > last)
        return log.checkpoint_at(connection, anchor.size), anchor_proof(connection, chain, anchor.size)
    latest = log.latest(connection)
    if latest is None:
        raise NotSealed("nothing is sealed yet")
    return latest, None


def proven_checkpoint(connection: Connection, least: int) -> tuple[Checkpoint, Anchor | None]:
    """Return the first checkpoint of at least this size that a final anchor proves, or the newest one."""
    for chain, anchor in reversed(anchor_book.proven(connection)):
        if anchor.size >= least:
            return log.checkpoint_at(connection, anchor.size), anchor_proof(connection, chain, anchor.size)
    latest = log.latest(connection)
    if latest is None or latest.size < least:
        raise NotSealed("nothing of this size is sealed yet")
    return latest, None


def anchor_proof(connection: Connection, chain: anchor_book.Chain, size: int) -> Anchor:
    """Return the proof of the final anchor of a size, without the consistency that its checkpoint needs."""
    query = select(ANCHORS).where(ANCHORS.c.chain == chain.id, ANCHORS.c.size == size)
    row = connection.execute(query).one()
    try:
        account_proof, storage_proof = proof_nodes(row.account_proof), proof_nodes(row.storage_proof)
    except ProofRefused as error:
        raise StoreCorrupt(error.reason, place=f"anchors/{row.id}") from error
    return Anchor(
        chain_id=chain.chain_id,
        genesis=chain.genesis,
        contract=chain.contract,
        size=row.size,
        root=row.root,
        consistency=(),
        header=row.header,
        account_proof=account_proof,
        storage_proof=storage_proof,
    )


def _lots(connection: Connection, lot: str, size: int, *, through: bool) -> list[str]:
    """Return the lot, and with `through` every unit that it or one of them was in."""
    found = [lot]
    for one in found:  # grows while it is walked
        if not through:
            break
        for record in reader.events_of(connection, one, size):
            found += [it for it in _parents(record) if it not in found]
        if len(found) > MAX_LOTS:
            raise BundleImpossible(f"the lot travelled in more than {MAX_LOTS} units", place=lot)
    return found


def _parents(record: StoredRecord) -> Iterable[str]:
    return dict.fromkeys(one.normal for one in identifiers_of(record.event()) if one.role == PARENT)


def _disclosures(
    connection: Connection, keys: Keys, hashes: Iterable[bytes], names: Collection[str]
) -> dict[bytes, tuple[str, ...]]:
    if not names:
        return {}
    found = {one: reader.disclosures(connection, keys, one, names) for one in hashes}
    for name in names:
        if not any(reader.disclosures(connection, keys, one, [name]) for one in found):
            raise BundleImpossible(f"no record here withholds a member {name!r} that could be disclosed", place=name)
    return found


def _record(
    connection: Connection,
    stored: StoredRecord,
    size: int,
    disclosed: Sequence[str],
    signed: Sequence[StoredSignature],
) -> RecordProof:
    index = stored.log_index or 0
    try:
        value: dict[str, Json] = parse_record(stored.body)
    except RecordRefused as error:
        raise StoreCorrupt(error.reason, place=f"records/{stored.id}") from error
    corrections = []
    for one in reader.corrections(connection, stored.record_hash, size):
        at = one.log_index or 0
        corrections.append(Correction(one.record_hash, at, tuple(log.inclusion(connection, at, size))))
    proven = [it for one in signed if (it := _signature(connection, one, size)) is not None]
    return RecordProof(
        record=value,
        disclosures=tuple(sorted(disclosed)),
        index=index,
        path=tuple(log.inclusion(connection, index, size)),
        corrections=tuple(corrections),
        signatures=tuple(sorted(proven, key=lambda one: one.index)),
    )


def _signature(connection: Connection, one: StoredSignature, size: int) -> SignatureProof | None:
    """Return the proof of a signature; None of one that waits for its anchor, or does not count."""
    index = one.log_index
    first = None if index is None or one.fills is None else anchor_book.first_covering(connection, index)
    proofs = None if first is None else key_proofs.of(connection, first, one.signer)
    if index is None or first is None or proofs is None or first.size > size:
        return None
    anchor = anchor_proof(connection, anchor_book.chain_of(connection, first), first.size)
    try:
        party_proof, window_proof = map(proof_nodes, proofs)
    except ProofRefused as error:
        raise StoreCorrupt(error.reason, place=f"key_proofs/{first.id}/{one.signer.hex()}") from error
    return SignatureProof(
        signature=one.parsed().to_json(),
        index=index,
        path=tuple(log.inclusion(connection, index, size)),
        anchor=replace(anchor, consistency=tuple(log.consistency(connection, first.size, size))),
        party_proof=party_proof,
        window_proof=window_proof,
    )


def seal_of(connection: Connection, size: int) -> Seal:
    """Return the seal of a checkpoint with its place in the log."""
    place = f"entries/{size - 1}"
    data = log.entry(connection, size - 1)
    try:
        said = entry.parse_entry(data)
        members = canonical.parse_stored(data)
    except (ProofRefused, RecordRefused) as error:
        raise StoreCorrupt(error.reason, place=place) from error
    if not isinstance(said, entry.SealEntry) or not isinstance(members, dict):
        raise StoreCorrupt("a checkpoint's last entry is no seal", place=place)
    return Seal(str(members["at"]), said.lots, said.private, tuple(log.inclusion(connection, size - 1, size)))


def _lot(connection: Connection, normal: str, size: int) -> Lot:
    proof = lots.prove(connection, normal, size)
    chain = tuple(link.record_hash for link in lots.chain(connection, normal, size))
    return Lot(normal, chain, proof.other, tuple(proof.path))


def anchor_of(connection: Connection, checkpoint: Checkpoint) -> Anchor | None:
    """Return the first final anchor that covers a checkpoint, with the proof that it does."""
    for chain, anchor in reversed(anchor_book.proven(connection)):
        if anchor.size >= checkpoint.size:
            path = tuple(log.consistency(connection, checkpoint.size, anchor.size))
            return replace(anchor_proof(connection, chain, anchor.size), consistency=path)
    return None
