"""The check of signatures: each object, its entry, its role, its key's proofs; and what was sent to the registry.

docs/spec/signature.md, docs/spec/contract.md (Parties); docs/decisions/0410.
"""

from typing import Any

from sqlalchemy import Connection, Row, select

from sudonglian.chain import anchor_contract, canonical, header, mpt, signature
from sudonglian.chain.entry import SignatureEntry
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Network
from sudonglian.records import anchor_book as book
from sudonglian.records import key_proofs, registry
from sudonglian.records.anchor_book import Chain
from sudonglian.records.anchor_chain import proof_nodes
from sudonglian.records.anchor_work import read_transaction
from sudonglian.records.fsck_log import Log
from sudonglian.records.fsck_report import Report
from sudonglian.records.key_proofs import KeyProof
from sudonglian.records.keys import Keys
from sudonglian.records.signatures import StoredSignature, all_signatures
from sudonglian.records.tables import ANCHORS, CHAINS, KEY_PROOFS, REGISTRATIONS

Proofs = dict[tuple[int, bytes], tuple[KeyProof, int]]
"""By anchor and signer: what is proven, and the second of the anchor's block."""


def check(report: Report, connection: Connection, keys: Keys, log: Log, network: Network | None) -> None:
    """Check every signature and every proof of a key; with `network` also who the keys of newer ones belong to."""
    chains = {row.id: Chain(*(getattr(row, n) for n in Chain.__slots__)) for row in connection.execute(select(CHAINS))}
    anchors = {row.id: row for row in connection.execute(select(ANCHORS))}
    proven: Proofs = {}
    with report.watch("key_proofs"):
        for row in connection.execute(select(KEY_PROOFS)):
            report.count("key_proofs")
            place = f"key_proofs/{row.anchor}/{bytes(row.signer).hex()}"
            with report.watch(place):
                anchor = anchors[row.anchor]
                proven[row.anchor, row.signer] = _proof(report, row, anchor, chains[anchor.chain], place)
    with report.watch("signatures"):
        _signatures(report, connection, keys, log, network, proven, anchors)
    with report.watch("registrations"):
        for row in connection.execute(select(REGISTRATIONS)):
            report.count("registrations")
            with report.watch(f"registrations/{bytes(row.tx_hash).hex()}"):
                _registration(report, log, row, chains[row.chain])


def _proof(report: Report, row: Row[Any], anchor: Row[Any], chain: Chain, place: str) -> tuple[KeyProof, int]:
    if anchor.state not in (book.FINAL, book.CHAIN_LOST) or anchor.header is None:
        report.add("key-proof", place, f"an anchor that is {anchor.state} proves nothing")
    head = header.parse(bytes(anchor.header))
    if (row.party_proof is None) != (row.window_proof is None):
        report.add("key-proof", place, "one proof without the other")
    if row.party_proof is None or row.window_proof is None:
        return KeyProof(row.signer), head.timestamp
    account = mpt.verify_account(head.state_root, chain.contract, proof_nodes(anchor.account_proof))
    found = key_proofs.check(place, account.storage_root, row.signer, row.party_proof, row.window_proof)
    return found, head.timestamp


def _signatures(
    report: Report,
    connection: Connection,
    keys: Keys,
    log: Log,
    network: Network | None,
    proven: Proofs,
    anchors: dict[int, Row[Any]],
) -> None:
    entries = {
        said.d: (index if index < log.size else None, said.h)
        for index, said in log.entries.items()
        if isinstance(said, SignatureEntry)
    }
    logged = sum(isinstance(said, SignatureEntry) for said in log.entries.values())
    if logged != len(entries):
        report.add("signature-twice", "entries", f"{logged} entries name {len(entries)} signatures")
    due: set[tuple[int, bytes]] = set()
    filled: dict[tuple[int, str], int] = {}
    found = all_signatures(connection)
    for one in found:
        if one.fills is not None:
            filled[one.record_id, one.fills] = filled.get((one.record_id, one.fills), 0) + 1
    live = book.live_chain(connection)
    for one in found:
        report.count("signatures")
        place = f"signatures/{one.id}"
        with report.watch(place):
            _object(report, keys, log, one, place)
            report.same("signature-entry", place, (one.log_index, one.record_hash), entries.pop(one.digest, None))
            if one.fills is not None and (one.fills != one.role or filled[one.record_id, one.fills] != 1):
                report.add("signature-role", place, f"{one.fills!r:.40} is not the role that it alone fills")
            first = None if one.log_index is None else book.first_covering(connection, one.log_index)
            if first is None:
                if network is not None and live is not None and one.fills is not None:
                    held = anchor_contract.party(network, live.contract, one.signer)
                    report.same("signature-party", place, one.party, None if held is None else held.party_id)
                continue
            due.add((first.id, one.signer))
            proof = proven.get((first.id, one.signer))
            if proof is None:
                report.add("key-proof", place, f"anchors/{first.id} has no sound proof of its key")
                continue
            counts = proof[0].in_force(one, proof[1])
            others = filled.get((one.record_id, one.role), 0) - (one.fills == one.role)
            report.same("signature-counts", place, one.fills, one.role if counts and not others else None)
    for d in entries:
        report.add("signature-missing", "signatures", f"an entry names the signature {d.hex()}, which is not there")
    for anchor, signer in proven.keys() - due:
        if anchors[anchor].state != book.CHAIN_LOST:
            report.add("key-proof", f"key_proofs/{anchor}/{signer.hex()}", "no signature accounts for this row")


def _object(report: Report, keys: Keys, log: Log, one: StoredSignature, place: str) -> None:
    value = canonical.parse_stored(one.body)
    signed = signature.parse(value)
    signed.verify(keys.origin)
    report.same("signature-digest", place, one.digest, signed.digest())
    held = (one.record_hash, one.role, one.signer)
    report.same("signature", place, held, (signed.record, signed.role, signed.signer))
    report.time(place, one.taken_us, after_us=log.created_us)


def _registration(report: Report, log: Log, row: Row[Any], chain: Chain) -> None:
    place = f"registrations/{bytes(row.tx_hash).hex()}"
    report.same("transaction", place, row.tx_hash, keccak256(bytes(row.raw_tx)))
    report.time(place, row.created_us, after_us=log.created_us)
    said = read_transaction(bytes(row.raw_tx))
    report.same("transaction", place, (said.chain_id, said.to), (chain.chain_id, chain.contract))
    registry.sender_of(bytes(row.raw_tx))
    if row.party is not None:
        named = said.data[36:68] if said.data[:4] == registry.REGISTER else None
        report.same("registration-party", place, anchor_contract.party_id(row.party), named)
