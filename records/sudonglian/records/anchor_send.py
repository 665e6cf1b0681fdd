"""One anchor's transaction: signed, saved, sent, replaced under the same nonce, found in a block or adopted.

docs/anchoring.md (states SEALED to MINED, rules 2 and 3).
"""

from hashlib import sha256
from typing import ClassVar, Final

from sudonglian.chain import anchor_contract
from sudonglian.chain.network import Fees, Receipt
from sudonglian.chain.wallet import SignedTransaction, Transaction, checksum_address
from sudonglian.records import anchor_book as book
from sudonglian.records import anchor_chain, log, registry
from sudonglian.records.anchor_book import UNSIGNED, Anchor, AnchoringError, Chain
from sudonglian.records.anchor_chain import PAUSED, OnChain
from sudonglian.records.anchor_work import Progress, Pushed, Work, read_transaction

MAX_REVERTS: Final = 3
"""The contract's refusals are not chance: after this many, money is no longer spent on asking."""


class AnchorReverted(AnchoringError):
    """The contract refused an anchor."""

    slug: ClassVar[str] = "anchor-reverted"


class AnchoringEnded(AnchoringError):
    """The contract takes no anchor from this key."""

    slug = "anchoring-ended"


def sign(work: Work, chain: Chain, before: OnChain, anchor: Anchor) -> Progress:
    """Sign a planned anchor and save it, or say why not yet."""
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
    if registry.waits(work, chain):
        return Progress("waiting", "a registrar's transaction of this key is not in a block yet", size=anchor.size)
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


def send(work: Work, chain: Chain, before: OnChain, anchor: Anchor) -> Progress:
    """Send a transaction that was saved; it may have been sent before."""
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


def wait(work: Work, chain: Chain, before: OnChain, anchor: Anchor) -> Progress:
    """Look for a transaction that was sent, and replace or repeat it if it is time."""
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
