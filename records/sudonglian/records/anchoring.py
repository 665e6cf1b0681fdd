"""Anchoring one step at a time: each step looks at the chain, does the next thing that is right, and says what.

docs/anchoring.md (states, rules, what an operator sees).
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from itertools import takewhile
from typing import ClassVar, Final

from sudonglian.chain import anchor_contract
from sudonglian.chain.network import Fees, Network, Receipt
from sudonglian.chain.wallet import SignedTransaction, Transaction, Wallet, checksum_address
from sudonglian.records import anchor_book as book
from sudonglian.records import anchor_chain, anchor_deploy, log
from sudonglian.records.anchor_book import UNPROVEN, UNSIGNED, Anchor, AnchoringError, Chain
from sudonglian.records.anchor_chain import ONE_NODE_CHAINS, PAUSED, OnChain, Standing
from sudonglian.records.anchor_status import status
from sudonglian.records.anchor_work import AnchoringSettings, Hook, Progress, Pushed, Work, read_transaction
from sudonglian.records.derive import micros
from sudonglian.records.store import Store

__all__ = ["AnchoringSettings", "Progress", "accept_reorg", "advance", "status", "step"]

MAX_STEPS: Final = 64
"""A chain that was lost takes fourteen steps to a final anchor; more than this is going round in circles."""

MAX_REVERTS: Final = 3
"""The contract's refusals are not chance: after this many, money is no longer spent on asking."""


class AnchorReverted(AnchoringError):
    """The contract refused an anchor."""

    slug: ClassVar[str] = "anchor-reverted"


class AnchoringEnded(AnchoringError):
    """The contract takes no anchor from this key."""

    slug = "anchoring-ended"


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


def accept_reorg(store: Store, network: Network, now: datetime) -> int:
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
                book.move(connection, anchor, book.REORGED, micros(now), **UNPROVEN)
        return len(gone)


def _step(work: Work) -> Progress:
    with work.store.read() as connection:
        chain, planned = book.live_chain(connection), book.deployment(connection)
        newest = log.latest(connection)
    if planned is not None:
        return anchor_deploy.resume(work, planned)
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
    match anchor.state:
        case book.SEALED:
            return _sign(work, chain, before, anchor)
        case book.BROADCAST:
            return _wait(work, chain, before, anchor)
        case book.MINED:
            return _confirm(work, chain, anchor)
        case _:
            return _send(work, chain, before, anchor)


def _lose(work: Work, chain: Chain) -> Progress:
    with work.commit("chain.lost") as connection:
        count = book.lose_chain(connection, chain, work.now_us)
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
            book.move(connection, anchor, book.REORGED, work.now_us, **UNPROVEN)
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


def _sign(work: Work, chain: Chain, before: OnChain, anchor: Anchor) -> Progress:
    if before.size >= anchor.size:
        return _adopt(work, chain, anchor)
    with work.store.read() as connection:
        newest, tried = log.latest(connection), book.attempts(connection, anchor)
    if not tried and newest is not None and newest.size > anchor.size:
        with work.commit("anchor.planned") as connection:
            book.replace_plan(connection, anchor, newest.size, newest.root, work.now_us)
        return Progress("planned", f"in place of size {anchor.size}", again=True, size=newest.size)
    receipts = [work.network.receipt(one.tx_hash) for one in tried]
    if sum(receipt is not None and receipt.status != 1 for receipt in receipts) >= MAX_REVERTS:
        raise AnchorReverted(f"the contract refused it {MAX_REVERTS} times", place=f"anchors/{anchor.id}")
    if why := anchor_chain.why_not(work.network, chain, work.wallet.address):
        if why == PAUSED:
            return Progress("paused", "the contract's anchoring is paused", size=anchor.size)
        raise AnchoringEnded(why, place=checksum_address(chain.contract))
    fees = work.fees(anchor_contract.ANCHOR_GAS)
    if fees is None:
        return Progress("fee-cap", "the network asks for higher fees than the cap", size=anchor.size)
    nonce = work.network.nonce(work.wallet.address)
    return _save_signed(work, chain, before, anchor, nonce, fees, book.SIGNED)


def _save_signed(
    work: Work, chain: Chain, before: OnChain, anchor: Anchor, nonce: int, fees: Fees, state: str
) -> Progress:
    with work.store.read() as connection:
        proof = anchor_chain.consistency(connection, before, anchor)
        note = log.checkpoint_at(connection, anchor.size).note
    data = anchor_contract.anchor_data(anchor.size, anchor.root, proof, sha256(note.encode()).digest())
    signed = work.wallet.sign(
        Transaction(
            chain_id=chain.chain_id,
            nonce=nonce,
            max_fee=fees.max_fee,
            priority_fee=fees.priority_fee,
            gas=anchor_contract.ANCHOR_GAS,
            to=chain.contract,
            data=data,
        )
    )
    with work.commit(f"anchor.{state.lower()}") as connection:
        book.add_attempt(connection, anchor, signed, work.now_us)
        book.move(
            connection,
            anchor,
            state,
            work.now_us,
            nonce=nonce,
            raw_tx=signed.raw,
            tx_hash=signed.tx_hash,
            max_fee=fees.max_fee,
            priority_fee=fees.priority_fee,
        )
    return Progress(state.lower(), f"nonce {nonce}", again=True, size=anchor.size, tx_hash=signed.tx_hash)


def _send(work: Work, chain: Chain, before: OnChain, anchor: Anchor) -> Progress:
    if (receipt := _receipt(work, anchor)) is not None:
        return _mined(work, anchor, receipt)
    if anchor.raw_tx is None:
        return _unsign(work, anchor, "no transaction of ours put it there")
    match work.push(anchor.raw_tx, "anchor.pushed"):
        case Pushed.UNDERPRICED:
            return _raise_fees(work, chain, before, anchor)
        case Pushed.NONCE_USED:
            return _nonce_used(work, chain, anchor)
    with work.commit("anchor.broadcast") as connection:
        book.move(connection, anchor, book.BROADCAST, work.now_us, sent_us=work.now_us)
    return Progress("broadcast", again=True, size=anchor.size, tx_hash=anchor.tx_hash)


def _wait(work: Work, chain: Chain, before: OnChain, anchor: Anchor) -> Progress:
    if (receipt := _receipt(work, anchor)) is not None:
        return _mined(work, anchor, receipt)
    if anchor.nonce is not None and work.network.nonce(work.wallet.address) > anchor.nonce:
        return _nonce_used(work, chain, anchor)
    if work.is_old(anchor.sent_us):
        return _raise_fees(work, chain, before, anchor)
    if anchor.tx_hash is not None and anchor.raw_tx is not None and not work.network.transaction_known(anchor.tx_hash):
        match work.push(anchor.raw_tx, "anchor.pushed"):
            case Pushed.UNDERPRICED:
                return _raise_fees(work, chain, before, anchor)
            case _:
                return Progress("waiting", "the node had lost it; sent again", size=anchor.size, tx_hash=anchor.tx_hash)
    return Progress("waiting", "not in a block yet", size=anchor.size, tx_hash=anchor.tx_hash)


def _raise_fees(work: Work, chain: Chain, before: OnChain, anchor: Anchor) -> Progress:
    if anchor.nonce is None or anchor.max_fee is None or anchor.priority_fee is None:
        return _unsign(work, anchor, "there is no transaction to replace")
    if before.size >= anchor.size:
        return _nonce_used(work, chain, anchor)
    fees = work.fees(anchor_contract.ANCHOR_GAS, Fees(anchor.max_fee, anchor.priority_fee))
    if fees is None:
        return Progress("fee-cap", "waits: higher fees are forbidden by the cap", size=anchor.size)
    return _save_signed(work, chain, before, anchor, anchor.nonce, fees, book.STUCK)


def _nonce_used(work: Work, chain: Chain, anchor: Anchor) -> Progress:
    # A block may have taken one of ours since the last look.
    if (receipt := _receipt(work, anchor)) is not None:
        return _mined(work, anchor, receipt)
    if anchor_chain.is_there(work.network, chain, anchor):
        return _adopt(work, chain, anchor)
    if anchor.nonce is not None and work.network.nonce(work.wallet.address) <= anchor.nonce:
        return Progress("waiting", "the node contradicts itself about the nonce", size=anchor.size)
    return _unsign(work, anchor, "another transaction of the key took the nonce")


def _unsign(work: Work, anchor: Anchor, why: str) -> Progress:
    with work.commit("anchor.unsigned") as connection:
        book.move(connection, anchor, book.SEALED, work.now_us, **UNSIGNED)
    return Progress("unsigned", why, again=True, size=anchor.size)


def _receipt(work: Work, anchor: Anchor) -> Receipt | None:
    """Return what became of the anchor: done by any transaction of it, or refused by one that is not given up yet."""
    with work.store.read() as connection:
        tried = book.attempts(connection, anchor)
    done = anchor_chain.outcome(work.network, [one.tx_hash for one in tried], status=1)
    if done is not None:
        return done
    current = [one.tx_hash for one in tried if read_transaction(one.raw).nonce == anchor.nonce]
    return anchor_chain.outcome(work.network, current, status=0)


def _mined(work: Work, anchor: Anchor, receipt: Receipt) -> Progress:
    if receipt.status != 1:
        _unsign(work, anchor, "reverted")
        raise AnchorReverted(
            f"the contract refused the anchor of size {anchor.size} in block {receipt.block_number}; it is looked at "
            "again before another is sent",
            place=f"0x{receipt.tx_hash.hex()}",
        )
    with work.store.read() as connection:
        (signed,) = (one for one in book.attempts(connection, anchor) if one.tx_hash == receipt.tx_hash)
    return _save_mined(work, anchor, receipt.block_number, receipt.block_hash, signed)


def _adopt(work: Work, chain: Chain, anchor: Anchor) -> Progress:
    """Take an anchor that is in the contract, and of which no transaction of ours tells how it came there."""
    if not anchor_chain.is_there(work.network, chain, anchor):
        # The contract grew past it by another of our states; the newest one covers both.
        with work.commit("anchor.planned") as connection:
            newest = log.latest(connection)
            if newest is None or newest.size <= anchor.size:
                raise AnchoringError(
                    "the contract is past a checkpoint that is our newest", place=f"anchors/{anchor.id}"
                )
            book.replace_plan(connection, anchor, newest.size, newest.root, work.now_us)
        return Progress("planned", f"in place of size {anchor.size}, which the contract has passed", again=True)
    blocks = work.network.anchored_blocks(chain.contract, chain.deploy_block)
    if not blocks:
        return Progress("waiting", "the node does not tell in which block the contract took it", size=anchor.size)
    number, block_hash = blocks[-1]
    return _save_mined(work, anchor, number, block_hash, None)


def _save_mined(
    work: Work, anchor: Anchor, number: int, block_hash: bytes, signed: SignedTransaction | None
) -> Progress:
    # The one that was mined need not be the last one that was signed.
    ours: dict[str, object] = dict.fromkeys(("raw_tx", "tx_hash", "nonce", "max_fee", "priority_fee"))
    if signed is not None:
        nonce, max_fee, priority_fee = read_transaction(signed.raw).bid
        ours = {"raw_tx": signed.raw, "tx_hash": signed.tx_hash, "nonce": nonce}
        ours |= {"max_fee": max_fee, "priority_fee": priority_fee}
    with work.commit("anchor.mined") as connection:
        book.move(connection, anchor, book.MINED, work.now_us, block_number=number, block_hash=block_hash, **ours)
    return Progress(
        "mined", again=True, size=anchor.size, tx_hash=signed.tx_hash if signed else None, block_number=number
    )


def _confirm(work: Work, chain: Chain, anchor: Anchor) -> Progress:
    stands = _stands(work.network, chain, anchor)
    if stands is None:
        return Progress("lagging", f"the node does not have block {anchor.block_number} yet", size=anchor.size)
    if not stands:
        with work.commit("anchor.reorged") as connection:
            book.move(connection, anchor, book.REORGED, work.now_us, **UNPROVEN)
        return Progress("reorged", f"block {anchor.block_number} was replaced", again=True, size=anchor.size)
    depth = work.network.head() - (anchor.block_number or 0)
    if depth < work.settings.finality_depth:
        said = f"{depth} of {work.settings.finality_depth} blocks deep"
        return Progress("waiting", said, size=anchor.size, block_number=anchor.block_number)
    receipt = None if anchor.tx_hash is None else work.network.receipt(anchor.tx_hash)
    kept = anchor_chain.capture(work.network, chain, anchor, receipt)
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
    return Progress("final", again=True, size=anchor.size, tx_hash=anchor.tx_hash, block_number=anchor.block_number)
