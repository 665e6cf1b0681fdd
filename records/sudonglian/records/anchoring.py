"""Anchoring one step at a time: each step looks at the chain, does the next thing that is right, and says what.

docs/anchoring.md (states, rules, what an operator sees).
"""

from collections.abc import Callable
from datetime import datetime
from itertools import takewhile
from typing import Final

from sudonglian.chain.network import Network
from sudonglian.chain.wallet import Wallet, checksum_address
from sudonglian.records import anchor_book as book
from sudonglian.records import anchor_chain, anchor_deploy, anchor_plans, anchor_send, key_proofs, log, registry
from sudonglian.records.anchor_book import Anchor, AnchoringError, Chain
from sudonglian.records.anchor_chain import ONE_NODE_CHAINS, OnChain, Standing
from sudonglian.records.anchor_send import AnchoringEnded, AnchorReverted
from sudonglian.records.anchor_status import status
from sudonglian.records.anchor_work import AnchoringSettings, Hook, Progress, Work
from sudonglian.records.derive import micros
from sudonglian.records.store import Store

__all__ = [
    "AnchorReverted",
    "AnchoringEnded",
    "AnchoringSettings",
    "Progress",
    "accept_reorg",
    "advance",
    "status",
    "step",
]

MAX_STEPS: Final = 64
"""A chain that was lost takes fourteen steps to a final anchor; more than this is going round in circles."""


class FinalityBroken(AnchoringError):
    """A block was replaced that was deep enough to be final."""

    slug = "finality-broken"

    def __init__(self, anchor: Anchor, now: bytes | None, head: int) -> None:
        stands = "no block" if now is None else f"block {now.hex()}"
        kept = b"" if anchor.block_hash is None else anchor.block_hash
        super().__init__(
            f"the anchor of size {anchor.size} was final in block {anchor.block_number} {kept.hex()}, where now stands "
            f"{stands} (head {head}); see docs/anchoring.md",
            place=f"anchors/{anchor.id}",
        )
        self.anchor, self.now, self.head = anchor, now, head


def _nowhere(_point: str) -> None:
    """Pass every crash point."""


def step(
    store: Store,
    network: Network,
    wallet: Wallet,
    settings: AnchoringSettings,
    now: datetime,
    *,
    at: Hook = _nowhere,
) -> Progress:
    """Do the next thing that is right, commit it, and say what it was.

    Raises
    ------
    AnchoringError, ChainError
        Anchoring cannot go on; docs/anchoring.md says what to do. Nothing is lost, the next step looks again.
    """
    with book.anchorer(store) as free:
        if not free:
            return Progress("busy", "another process is anchoring")
        return _step(Work(store, network, wallet, settings, micros(now), at))


def advance(
    store: Store,
    network: Network,
    wallet: Wallet,
    settings: AnchoringSettings,
    clock: Callable[[], datetime],
    *,
    at: Hook = _nowhere,
) -> list[Progress]:
    """Take steps until the next one has to wait; return what was done."""
    done = []
    for _ in range(MAX_STEPS):
        done.append(step(store, network, wallet, settings, clock(), at=at))
        if not done[-1].again:
            return done
    raise AnchoringError(f"{MAX_STEPS} steps led nowhere; the last ones: {[one.did for one in done[-6:]]}")


def accept_reorg(store: Store, network: Network, now: datetime, *, at: Hook = _nowhere) -> int:
    """Let anchors be sent again whose final block was replaced: the operator has looked. Return how many."""
    with book.anchorer(store) as free:
        with store.read() as connection:
            chain = book.live_chain(connection) if free else None
            known = [] if chain is None else book.finals(connection, chain.id)
        if chain is None:
            return 0
        gone = list(takewhile(lambda anchor: not _stands(network, chain, anchor), known))
        with store.write() as connection:
            for anchor in gone:
                book.unprove(connection, anchor, micros(now))
            at("reorg.accepted.before")
        at("reorg.accepted.after")
        return len(gone)


def _step(work: Work) -> Progress:
    with work.store.read() as connection:
        chain, planned = book.live_chain(connection), anchor_plans.deployment(connection)
        newest, succession = log.latest(connection), anchor_plans.succession(connection)
    if planned is not None:
        return anchor_deploy.resume(work, planned)
    if succession is not None:
        return Progress("succession", "anchoring rests until `sudonglian contract succeed` is done")
    if chain is None:
        return Progress("idle", "nothing is sealed yet") if newest is None else anchor_deploy.begin(work)
    match anchor_chain.standing(work.network, chain):
        case Standing.LOST:
            return _lose(work, chain)
        case Standing.LAGGING:
            return Progress("lagging", f"the node does not have the contract's block {chain.deploy_block} yet")
    with work.store.read() as connection:
        before = anchor_chain.compare(connection, work.network, chain)
        anchor = book.in_flight(connection, chain.id)
    if (broken := _watch_finals(work, chain)) is not None:
        return broken
    if anchor is None:
        return _plan(work, chain, before)
    registry.fill_gap(work, chain, anchor.nonce)
    match anchor.state:
        case book.SEALED:
            return anchor_send.sign(work, chain, before, anchor)
        case book.BROADCAST:
            return anchor_send.wait(work, chain, before, anchor)
        case book.MINED:
            return _confirm(work, chain, anchor)
        case _:
            return anchor_send.send(work, chain, before, anchor)


def _lose(work: Work, chain: Chain) -> Progress:
    with work.commit("chain.lost") as connection:
        count = book.lose_chains(connection, work.now_us)
    return Progress(
        "chain-lost",
        f"chain {chain.chain_id} came back without the contract {checksum_address(chain.contract)}: {count} anchors "
        "marked CHAIN_LOST; a new contract is deployed and the whole log anchored again",
        again=True,
    )


def _stands(network: Network, chain: Chain, anchor: Anchor) -> bool | None:
    """Return whether an anchor's block is in the chain; None if the node may only be behind."""
    if anchor.block_number is None or anchor.block_hash is None:
        return False
    found = anchor_chain.canonical_block(network, anchor.block_number, anchor.block_hash)
    if found is None and chain.chain_id in ONE_NODE_CHAINS:
        return False
    return found


def _watch_finals(work: Work, chain: Chain) -> Progress | None:
    with work.store.read() as connection:
        known = book.finals(connection, chain.id, limit=1)
        if known and not _stands(work.network, chain, known[0]):
            known = book.finals(connection, chain.id)
    gone = []
    for anchor in known:
        stands = _stands(work.network, chain, anchor)
        if stands is None:
            return Progress("lagging", f"the node does not have block {anchor.block_number} yet", size=anchor.size)
        if stands:
            break
        gone.append(anchor)
    if not gone:
        return None
    head = work.network.head()
    for anchor in reversed(gone):
        number = anchor.block_number or 0
        # Only a depth that was raised since leaves a final anchor shallow.
        if head - number >= work.settings.finality_depth or head < number:
            block = work.network.block(number)
            raise FinalityBroken(anchor, None if block is None else block.hash, head)
    with work.commit("anchor.reorged") as connection:
        for anchor in gone:
            book.unprove(connection, anchor, work.now_us)
    return Progress("reorged", f"{len(gone)} anchors are sent again", again=True, size=gone[-1].size)


def _plan(work: Work, chain: Chain, before: OnChain) -> Progress:
    with work.store.read() as connection:
        newest = log.latest(connection)
        done = book.final_size(connection)
    if newest is None or newest.size <= done:
        return Progress("idle", "everything sealed is anchored", size=done or None)
    with work.commit("anchor.planned") as connection:
        anchor = book.plan(connection, chain.id, newest.size, newest.root, work.now_us)
    return Progress("planned", f"the contract holds size {before.size}", again=True, size=anchor.size)


def _confirm(work: Work, chain: Chain, anchor: Anchor) -> Progress:
    stands = _stands(work.network, chain, anchor)
    if stands is None:
        return Progress("lagging", f"the node does not have block {anchor.block_number} yet", size=anchor.size)
    if not stands:
        with work.commit("anchor.reorged") as connection:
            book.unprove(connection, anchor, work.now_us)
        return Progress("reorged", f"block {anchor.block_number} was replaced", again=True, size=anchor.size)
    depth = work.network.head() - (anchor.block_number or 0)
    if depth < work.settings.finality_depth:
        said = f"{depth} of {work.settings.finality_depth} blocks deep"
        return Progress("waiting", said, size=anchor.size, block_number=anchor.block_number)
    receipt = None if anchor.tx_hash is None else work.network.receipt(anchor.tx_hash)
    kept = anchor_chain.capture(work.network, chain, anchor, receipt)
    proven = key_proofs.gather(work.store, work.network, chain, anchor, kept.header)
    with work.commit("anchor.final") as connection:
        book.move(
            connection,
            anchor,
            book.FINAL,
            work.now_us,
            header=kept.header,
            account_proof=kept.account_proof,
            storage_proof=kept.storage_proof,
            receipt=kept.receipt,
        )
        key_proofs.keep(connection, anchor, proven)
    return Progress("final", again=True, size=anchor.size, tx_hash=anchor.tx_hash, block_number=anchor.block_number)
