"""A transaction that is no anchor: signed, saved in `meta`, sent, replaced under its nonce, looked for, deep enough.

docs/anchoring.md rule 7. The first deployment and every step of a succession go this way.
"""

from dataclasses import dataclass, replace
from typing import Final

from sudonglian.chain.network import Fees, Receipt
from sudonglian.chain.wallet import Transaction, create_address
from sudonglian.records import anchor_plans
from sudonglian.records.anchor_chain import ONE_NODE_CHAINS, WrongChain, outcome
from sudonglian.records.anchor_plans import DEPLOYMENT, ORDER, Order
from sudonglian.records.anchor_work import Progress, Pushed, Work, read_transaction


@dataclass(frozen=True, slots=True)
class Kind:
    """Where an order is kept and how its transitions are called."""

    key: str
    name: str
    noun: str


DEPLOY: Final = Kind(DEPLOYMENT, "deploy", "deployment")
SWITCH: Final = Kind(ORDER, "order", "order")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a transaction is to do; `to` None creates a contract."""

    to: bytes | None
    data: bytes
    gas: int
    value: int = 0


def begin(work: Work, kind: Kind, wanted: Wanted, detail: str = "") -> Progress:
    """Sign a transaction with the key's next nonce and save it."""
    identity = work.network.identity()
    nonce = work.network.nonce(work.wallet.address)
    fees = work.fees(wanted.gas)
    if fees is None:
        return Progress("fee-cap", "the network asks for higher fees than the cap")
    contract = create_address(work.wallet.address, nonce) if wanted.to is None else wanted.to
    first = Order(
        chain_id=identity.chain_id,
        genesis=identity.genesis,
        contract=contract,
        nonce=nonce,
        max_fee=fees.max_fee,
        priority_fee=fees.priority_fee,
        sent_us=None,
        attempts=(),
    )
    with work.commit(f"{kind.name}.signed") as connection:
        anchor_plans.put_order(connection, kind.key, _signed(work, first, wanted))
    return Progress(f"{kind.name}-signed", detail, again=True)


def resume(work: Work, kind: Kind, planned: Order) -> Progress | Receipt:
    """Do the next thing for an order that was saved; a receipt is the end of it, deep enough, done or reverted."""
    identity = work.network.identity()
    if identity.chain_id != planned.chain_id:
        raise WrongChain(f"the network's chain id is {identity.chain_id}, a {kind.noun} waits on {planned.chain_id}")
    nonce = work.network.nonce(work.wallet.address)
    # Where nobody else's node can be ahead, a nonce never falls: under the old genesis block the chain is made anew.
    fell = planned.chain_id in ONE_NODE_CHAINS and nonce < planned.nonce
    if identity.genesis != planned.genesis or fell:
        return drop(work, kind, f"the chain came back empty before the {kind.noun} was final")
    receipt = outcome(work.network, [one.tx_hash for one in planned.attempts])
    if receipt is not None:
        if work.network.head() - receipt.block_number < work.settings.finality_depth and receipt.status == 1:
            return Progress("waiting", f"the {kind.noun} is not final yet", tx_hash=receipt.tx_hash)
        return receipt
    if nonce > planned.nonce:
        return drop(work, kind, "another transaction of the key took the nonce")
    if planned.sent_us is None:
        return _send(work, kind, planned)
    newest = planned.attempts[-1]
    if not work.network.transaction_known(newest.tx_hash):
        return _send(work, kind, planned, again=False)
    if work.is_old(planned.sent_us):
        return _raise_fees(work, kind, planned)
    return Progress("waiting", f"the {kind.noun} is not in a block yet", tx_hash=newest.tx_hash)


def drop(work: Work, kind: Kind, why: str) -> Progress:
    """Forget an order of which nothing can come any more."""
    with work.commit(f"{kind.name}.dropped") as connection:
        anchor_plans.put_order(connection, kind.key, None)
    return Progress(f"{kind.name}-dropped", why, again=True)


def _send(work: Work, kind: Kind, planned: Order, *, again: bool = True) -> Progress:
    newest = planned.attempts[-1]
    match work.push(newest.raw, f"{kind.name}.pushed"):
        case Pushed.UNDERPRICED:
            return _raise_fees(work, kind, planned)
        case Pushed.NONCE_USED:
            # Its own earlier attempt, mined since the look above, or a stranger's: the next look tells which.
            return Progress("waiting", f"the {kind.noun}'s nonce is used", tx_hash=newest.tx_hash)
    with work.commit(f"{kind.name}.sent") as connection:
        anchor_plans.put_order(connection, kind.key, replace(planned, sent_us=work.now_us))
    return Progress(f"{kind.name}-sent", again=again, tx_hash=newest.tx_hash)


def _raise_fees(work: Work, kind: Kind, planned: Order) -> Progress:
    said = read_transaction(planned.attempts[-1].raw)
    fees = work.fees(said.gas, Fees(planned.max_fee, planned.priority_fee))
    if fees is None:
        return Progress("fee-cap", f"the {kind.noun} waits: higher fees are forbidden by the cap")
    wanted = Wanted(said.to or None, said.data, said.gas, said.value)
    raised = replace(planned, max_fee=fees.max_fee, priority_fee=fees.priority_fee, sent_us=None)
    with work.commit(f"{kind.name}.stuck") as connection:
        anchor_plans.put_order(connection, kind.key, _signed(work, raised, wanted))
    return Progress(f"{kind.name}-stuck", "both fees raised, same nonce", again=True)


def _signed(work: Work, planned: Order, wanted: Wanted) -> Order:
    signed = work.wallet.sign(
        Transaction(
            chain_id=planned.chain_id,
            nonce=planned.nonce,
            max_fee=planned.max_fee,
            priority_fee=planned.priority_fee,
            gas=wanted.gas,
            to=wanted.to,
            data=wanted.data,
            value=wanted.value,
        )
    )
    return replace(planned, attempts=(*planned.attempts, signed))
