"""Deployment of the contract, by the same rule as an anchor: signed, saved, sent, looked for, final.

docs/anchoring.md rule 7, docs/spec/contract.md.
"""

from typing import ClassVar, Final

from sudonglian.chain import anchor_contract, anchor_deployment
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Network, Receipt
from sudonglian.chain.wallet import checksum_address
from sudonglian.records import anchor_book, anchor_order, anchor_plans
from sudonglian.records.anchor_book import AnchoringError
from sudonglian.records.anchor_order import DEPLOY, Wanted
from sudonglian.records.anchor_plans import Order
from sudonglian.records.anchor_work import Progress, Work

ADMIN_DELAY_S: Final = 86_400
"""A stolen key needs a day to hand the administration on; whoever watches the contract has that day."""


class DeploymentReverted(AnchoringError):
    """The contract's creation failed or made other code."""

    slug: ClassVar[str] = "deployment-reverted"


def begin(work: Work) -> Progress:
    """Sign the creation of the contract and save it."""
    mine = work.wallet.address
    admin = work.settings.admin or mine
    data = anchor_contract.deploy_data(admin, anchorer=mine, pauser=admin, registrar=mine, admin_delay_s=ADMIN_DELAY_S)
    said = f"administered by {checksum_address(admin)}"
    return anchor_order.begin(work, DEPLOY, Wanted(None, data, anchor_deployment.DEPLOY_GAS), said)


def resume(work: Work, planned: Order) -> Progress:
    """Do the next thing for a deployment that was saved."""
    done = anchor_order.resume(work, DEPLOY, planned)
    return done if isinstance(done, Progress) else _settle(work, planned, done)


def made_by(network: Network, planned: Order, receipt: Receipt) -> anchor_deployment.Deployment:
    """Return the contract that a final transaction created.

    Raises
    ------
    DeploymentReverted
        It created nothing, or other code than ours.
    """
    place = checksum_address(planned.contract)
    if receipt.status != 1:
        raise DeploymentReverted(f"the contract's creation reverted in block {receipt.block_number}", place=place)
    code_hash = keccak256(network.code(planned.contract))
    if code_hash != anchor_contract.artifact().code_hash:
        raise DeploymentReverted(f"the code's hash is {code_hash.hex()}, not that of our contract", place=place)
    return anchor_deployment.Deployment(
        planned.chain_id, planned.genesis, planned.contract, code_hash, receipt.tx_hash, receipt.block_number
    )


def _settle(work: Work, planned: Order, receipt: Receipt) -> Progress:
    if receipt.status != 1:
        anchor_order.drop(work, DEPLOY, "reverted")
    made = made_by(work.network, planned, receipt)
    with work.commit("deploy.final") as connection:
        anchor_book.add_chain(connection, made)
        anchor_plans.put_order(connection, DEPLOY.key, None)
    place = checksum_address(made.contract)
    return Progress("deployed", place, again=True, tx_hash=receipt.tx_hash, block_number=receipt.block_number)
