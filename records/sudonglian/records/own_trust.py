"""What a deployment itself trusts, and its own judgement of a file: for who has no trust file yet.

docs/spec/trust.md; docs/spec/bundle.md rules 10-16. A server that judges its own proofs proves nothing by itself: whoever
shows such a judgement says that it is one.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from sudonglian.chain import access_proof, bundle, receipt
from sudonglian.chain import header as headers
from sudonglian.chain.bundle import Anchor
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.trust import Trust, TrustedChain, TrustedHeaders
from sudonglian.chain.verify import verify
from sudonglian.chain.verify_steps import Verdict
from sudonglian.records import anchor_book
from sudonglian.records.keys import Keys
from sudonglian.records.tables import ANCHORS


def own_trust(connection: Connection, keys: Keys, anchors: Iterable[Anchor]) -> Trust:
    """Return the log's key, the contracts, and of the blocks of `anchors` those that this deployment saw final."""
    trust = Trust().with_log(str(keys.log.verifier_key))
    hashes = {found for one in anchors if (found := _block_hash(one)) is not None}
    query = select(ANCHORS.c.block_hash).where(ANCHORS.c.state == anchor_book.FINAL, ANCHORS.c.block_hash.in_(hashes))
    final = TrustedHeaders(frozenset(connection.execute(query).scalars()))
    for one in anchor_book.chains(connection):
        trust = trust.with_chain(TrustedChain(one.chain_id, one.genesis, one.contract, one.code_hash, final))
    return trust


def judge(connection: Connection, keys: Keys, raw: bytes) -> Verdict:
    """Judge a bundle, a receipt or a proof of the access log by the deployment's own trust; no bytes make it raise."""
    return verify(raw, own_trust(connection, keys, _anchors_in(raw)))


def _anchors_in(raw: bytes) -> tuple[Anchor, ...]:
    try:
        if receipt.is_receipt(raw):
            held = receipt.examination(receipt.parse(raw), Trust()).bundle
        elif access_proof.is_proof(raw):
            held = access_proof.examination(raw, Trust()).bundle
        else:
            held = bundle.parse(raw)
    except ProofRefused:
        return ()
    return (*held.anchors, *(signed.anchor for one in held.records for signed in one.signatures))


def _block_hash(anchor: Anchor) -> bytes | None:
    try:
        return headers.parse(anchor.header).hash
    except ProofRefused:
        return None
