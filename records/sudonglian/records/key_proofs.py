"""What the registry said of signers' keys in the block of the first final anchor that covers their signatures.

docs/spec/signature.md rule 4, docs/spec/contract.md rules 11 and 16; docs/decisions/0410. Fetched and checked when that
anchor becomes final, as its own proof is: nodes prune old state, and nobody can get it later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from sudonglian.chain import header, mpt, rlp, signature, slots
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.header import Header
from sudonglian.chain.network import Network
from sudonglian.chain.slots import Window
from sudonglian.chain.wallet import checksum_address
from sudonglian.records.anchor_book import FINAL, Anchor, Chain
from sudonglian.records.anchor_chain import FinalProofRefused, proof_nodes
from sudonglian.records.signatures import StoredSignature, between
from sudonglian.records.store import Store, in_batches
from sudonglian.records.tables import ANCHORS, KEY_PROOFS, SIGNATURES

KEYS_AT_ONCE: Final = 50
"""Keys whose two slots one question asks for: some 200 KB of nodes."""


@dataclass(frozen=True, slots=True)
class KeyProof:
    """One key at one block: the proofs of its two slots and what they say; None of each if it was not registered."""

    signer: bytes
    party_proof: bytes | None = None
    window_proof: bytes | None = None
    party: bytes | None = None
    window: Window | None = None

    def in_force(self, one: StoredSignature, moment: int) -> bool:
        """Return whether it shows this signature to count: the key in force, for the party that it was taken for."""
        is_open = self.window is not None and self.window.open_at(moment, signature.ROLES[one.role])
        return is_open and self.party == one.party


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is kept with a final anchor: its keys' proofs, and the signatures that it is the first to cover."""

    keys: tuple[KeyProof, ...] = ()
    signatures: tuple[StoredSignature, ...] = ()
    moment: int = 0
    """The second of the anchor's block."""


def gather(store: Store, network: Network, chain: Chain, anchor: Anchor, header_rlp: bytes) -> Gathered:
    """Fetch the registry's proofs for an anchor that is about to be final, and check them as an auditor will.

    Raises
    ------
    FinalProofRefused
        What the node gave is no proof of what it says.
    """
    with store.read() as connection:
        found = between(connection, final_size(connection), anchor.size)
    head = header.parse(header_rlp)
    proven: list[KeyProof] = []
    for signers in in_batches(list(dict.fromkeys(one.signer for one in found)), KEYS_AT_ONCE):
        proven += _ask(network, chain, anchor, head, signers)
    return Gathered(tuple(proven), tuple(found), head.timestamp)


def keep(connection: Connection, anchor: Anchor, gathered: Gathered) -> None:
    """Keep the proofs, and give each signature its role or take it away, by what they show."""
    if not gathered.keys:
        return
    rows = [
        {"anchor": anchor.id, "signer": k.signer, "party_proof": k.party_proof, "window_proof": k.window_proof}
        for k in gathered.keys
    ]
    connection.execute(insert(KEY_PROOFS), rows)
    keys = {one.signer: one for one in gathered.keys}
    good = {one.id for one in gathered.signatures if keys[one.signer].in_force(one, gathered.moment)}
    for one in gathered.signatures:
        if one.id not in good and one.fills is not None:
            _fill(connection, one, None)
    for one in gathered.signatures:
        # It did not count in a block that is gone since; it does again, unless somebody else has signed meanwhile.
        if one.id in good and one.fills is None and not _is_filled(connection, one):
            _fill(connection, one, one.role)


def final_size(connection: Connection) -> int:
    """Return the largest size that is anchored for good, on any chain that is not lost."""
    return int(connection.execute(select(func.max(ANCHORS.c.size)).where(ANCHORS.c.state == FINAL)).scalar_one() or 0)


def of(connection: Connection, anchor: Anchor, signer: bytes) -> tuple[bytes, bytes] | None:
    """Return the stored proofs of a key's two slots under an anchor; None if it was not registered, or not asked."""
    query = select(KEY_PROOFS.c.party_proof, KEY_PROOFS.c.window_proof)
    row = connection.execute(query.where(KEY_PROOFS.c.anchor == anchor.id, KEY_PROOFS.c.signer == signer)).one_or_none()
    return None if row is None or row.party_proof is None else (row.party_proof, row.window_proof)


def check(place: str, storage_root: bytes, signer: bytes, party_proof: bytes, window_proof: bytes) -> KeyProof:
    """Return what two stored proofs show under a contract's storage root, or raise FinalProofRefused."""
    first, second = slots.party_slots(signer)
    try:
        party = mpt.verify_storage(storage_root, first, proof_nodes(party_proof)).to_bytes(32, "big")
        window = slots.window_of(mpt.verify_storage(storage_root, second, proof_nodes(window_proof)))
    except ProofRefused as error:
        raise FinalProofRefused(error.diagnostics(), place=f"{place}, key {checksum_address(signer)}") from error
    return KeyProof(signer, party_proof, window_proof, party, window)


def _ask(network: Network, chain: Chain, anchor: Anchor, head: Header, signers: Sequence[bytes]) -> Iterator[KeyProof]:
    place = f"anchors/{anchor.id}"
    asked = [slot for one in signers for slot in slots.party_slots(one)]
    proof = network.proof(chain.contract, asked, head.number)
    if [slot for slot, _, _ in proof.storage] != asked:
        raise FinalProofRefused("the node proves other slots than it was asked for", place=place)
    try:
        account = mpt.verify_account(head.state_root, chain.contract, proof.account_proof)
    except ProofRefused as error:
        raise FinalProofRefused(error.diagnostics(), place=place) from error
    for signer, (_, party, party_nodes), (_, _, window_nodes) in zip(
        signers, proof.storage[::2], proof.storage[1::2], strict=True
    ):
        if party == 0:
            # That a key is absent is taken from the node: a bundle has no use for its proof (decision 0400).
            yield KeyProof(signer)
        else:
            encoded = rlp.encode(list(party_nodes)), rlp.encode(list(window_nodes))
            yield check(place, account.storage_root, signer, *encoded)


def _fill(connection: Connection, one: StoredSignature, role: str | None) -> None:
    connection.execute(update(SIGNATURES).where(SIGNATURES.c.id == one.id).values(fills=role))


def _is_filled(connection: Connection, one: StoredSignature) -> bool:
    query = select(SIGNATURES.c.id).where(SIGNATURES.c.record_id == one.record_id, SIGNATURES.c.fills == one.role)
    return connection.execute(query).first() is not None
