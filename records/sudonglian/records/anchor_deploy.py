"""Deployment of the contract, by the same rule as an anchor: signed, saved, sent, looked for, final.

docs/anchoring.md rule 7, docs/spec/contract.md.
"""

from dataclasses import replace
from typing import ClassVar, Final

from sudonglian.chain import anchor_contract, anchor_deployment
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Fees, Receipt
from sudonglian.chain.wallet import Transaction, checksum_address, create_address
from sudonglian.records import anchor_book
from sudonglian.records.anchor_book import AnchoringError, Deployment
from sudonglian.records.anchor_chain import ONE_NODE_CHAINS, WrongChain, outcome
from sudonglian.records.anchor_work import Progress, Pushed, Work

ADMIN_DELAY_S: Final = 86_400
"""A stolen key needs a day to hand the administration on; whoever watches the contract has that day."""


class DeploymentReverted(AnchoringError):
    """The contract's creation failed or made other code."""

    slug: ClassVar[str] = "deployment-reverted"


def begin(work: Work) -> Progress:
    """Sign the creation of the contract and save it."""
    identity = work.network.identity()
    nonce = work.network.nonce(work.wallet.address)
    fees = work.fees(anchor_deployment.DEPLOY_GAS)
    if fees is None:
        return Progress("fee-cap", "the network asks for higher fees than the cap")
    first = Deployment(
        chain_id=identity.chain_id,
        genesis=identity.genesis,
        contract=create_address(work.wallet.address, nonce),
        nonce=nonce,
        max_fee=fees.max_fee,
        priority_fee=fees.priority_fee,
        sent_us=None,
        attempts=(),
    )
    planned = _signed(work, first)
    with work.commit("deploy.signed") as connection:
        anchor_book.put_deployment(connection, planned)
    return Progress("deploy-signed", checksum_address(planned.contract), again=True)


def resume(work: Work, planned: Deployment) -> Progress:
    """Do the next thing for a deployment that was saved."""
    identity = work.network.identity()
    if identity.chain_id != planned.chain_id:
        raise WrongChain(f"the network's chain id is {identity.chain_id}, a deployment waits on {planned.chain_id}")
    nonce = work.network.nonce(work.wallet.address)
    # Where nobody else's node can be ahead, a nonce never falls: under the old genesis block the chain is made anew.
    fell = planned.chain_id in ONE_NODE_CHAINS and nonce < planned.nonce
    if identity.genesis != planned.genesis or fell:
        return _forget(work, "the chain came back empty before the contract was final")
    receipt = outcome(work.network, [one.tx_hash for one in planned.attempts])
    if receipt is not None:
        return _settle(work, planned, receipt)
    if nonce > planned.nonce:
        return _forget(work, "another transaction of the key took the nonce")
    if planned.sent_us is None:
        return _send(work, planned)
    newest = planned.attempts[-1]
    if not work.network.transaction_known(newest.tx_hash):
        return _send(work, planned, again=False)
    if work.is_old(planned.sent_us):
        return _raise_fees(work, planned)
    return Progress("waiting", "the deployment is not in a block yet", tx_hash=newest.tx_hash)


def _send(work: Work, planned: Deployment, *, again: bool = True) -> Progress:
    newest = planned.attempts[-1]
    match work.push(newest.raw, "deploy.pushed"):
        case Pushed.UNDERPRICED:
            return _raise_fees(work, planned)
        case Pushed.NONCE_USED:
            # Its own earlier attempt, mined since the look above, or a stranger's: the next look tells which.
            return Progress("waiting", "the deployment's nonce is used", tx_hash=newest.tx_hash)
    with work.commit("deploy.sent") as connection:
        anchor_book.put_deployment(connection, replace(planned, sent_us=work.now_us))
    return Progress("deploy-sent", checksum_address(planned.contract), again=again, tx_hash=newest.tx_hash)


def _raise_fees(work: Work, planned: Deployment) -> Progress:
    fees = work.fees(anchor_deployment.DEPLOY_GAS, Fees(planned.max_fee, planned.priority_fee))
    if fees is None:
        return Progress("fee-cap", "the deployment waits: higher fees are forbidden by the cap")
    raised = replace(planned, max_fee=fees.max_fee, priority_fee=fees.priority_fee, sent_us=None)
    with work.commit("deploy.stuck") as connection:
        anchor_book.put_deployment(connection, _signed(work, raised))
    return Progress("deploy-stuck", "both fees raised, same nonce", again=True)


def _settle(work: Work, planned: Deployment, receipt: Receipt) -> Progress:
    place = checksum_address(planned.contract)
    if receipt.status != 1:
        _forget(work, "reverted")
        raise DeploymentReverted(f"the contract's creation reverted in block {receipt.block_number}", place=place)
    if work.network.head() - receipt.block_number < work.settings.finality_depth:
        return Progress("waiting", "the deployment is not final yet", tx_hash=receipt.tx_hash)
    code_hash = keccak256(work.network.code(planned.contract))
    if code_hash != anchor_contract.artifact().code_hash:
        raise DeploymentReverted(f"the code's hash is {code_hash.hex()}, not that of our contract", place=place)
    with work.commit("deploy.final") as connection:
        anchor_book.add_chain(connection, planned, code_hash, receipt.tx_hash, receipt.block_number)
    return Progress("deployed", place, again=True, tx_hash=receipt.tx_hash, block_number=receipt.block_number)


def _forget(work: Work, why: str) -> Progress:
    with work.store.write() as connection:
        anchor_book.put_deployment(connection, None)
    return Progress("deploy-dropped", why, again=True)


def _signed(work: Work, planned: Deployment) -> Deployment:
    mine = work.wallet.address
    signed = work.wallet.sign(
        Transaction(
            chain_id=planned.chain_id,
            nonce=planned.nonce,
            max_fee=planned.max_fee,
            priority_fee=planned.priority_fee,
            gas=anchor_deployment.DEPLOY_GAS,
            to=None,
            data=anchor_contract.deploy_data(
                mine, anchorer=mine, pauser=mine, registrar=mine, admin_delay_s=ADMIN_DELAY_S
            ),
        )
    )
    return replace(planned, attempts=(*planned.attempts, signed))
