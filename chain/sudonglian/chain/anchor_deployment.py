"""The SudonglianLog contract on a chain: made, called in transactions, and known again.

docs/spec/contract.md; proofs.md §5 (chain identity). Anchors go the crash-proof way of the records room instead.
"""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sudonglian.chain.anchor_contract import ZERO_WORD, artifact, deploy_data, latest
from sudonglian.chain.errors import ChainError
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Fees, Network, Receipt
from sudonglian.chain.wallet import SignedTransaction, Transaction, Wallet

DEPLOY_GAS: Final = 2_600_000
"""Measured 1.93 M; a third on top for networks that price calldata higher (EIP-7623)."""
CALL_GAS: Final = 200_000
"""For the registry and the switches, which take less than 130 k."""
RECEIPT_POLL_S: Final = 0.05
DEPLOY_WAIT_S: Final = 120
"""Ten blocks of a public network; a deployment that waits longer is looked after by hand."""


class DeploymentFailed(ChainError):
    """The deployment's transaction reverted, vanished, or made other code than ours."""

    slug = "deployment"


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contract stands, and all by which the chain is known again (proofs.md §5)."""

    chain_id: int
    genesis: bytes
    contract: bytes
    code_hash: bytes
    deploy_tx: bytes
    deploy_block: int


class Recognition(StrEnum):
    """What stands where a deployment stood."""

    SAME = "same"
    OTHER_CHAIN = "other-chain"
    EMPTY = "empty"
    OTHER_CODE = "other-code"


def transaction(
    network: Network, wallet: Wallet, *, to: bytes | None, data: bytes, gas: int, fees: Fees | None = None
) -> SignedTransaction:
    """Return a signed transaction with the account's next nonce and today's fees; nothing is sent."""
    fees = fees or network.fees()
    return wallet.sign(
        Transaction(
            chain_id=network.identity().chain_id,
            nonce=network.nonce(wallet.address, pending=True),
            max_fee=fees.max_fee,
            priority_fee=fees.priority_fee,
            gas=gas,
            to=to,
            data=data,
        )
    )


def execute(network: Network, wallet: Wallet, to: bytes, data: bytes, *, gas: int = CALL_GAS) -> Receipt:
    """Call the contract in a transaction and wait until it is in a block.

    For the switches and the registry. Anchors go through the steps of proofs.md §5, which survive a crash.
    A refused call is a receipt of status 0.
    """
    signed = transaction(network, wallet, to=to, data=data, gas=gas)
    network.send_raw(signed.raw)
    return await_receipt(network, signed.tx_hash)


def await_receipt(network: Network, tx_hash: bytes, *, wait_s: int = DEPLOY_WAIT_S) -> Receipt:
    """Return the receipt of a transaction that was sent, or refuse to wait any longer."""
    until = time.monotonic() + wait_s
    while (receipt := network.receipt(tx_hash)) is None:
        if time.monotonic() > until:
            raise DeploymentFailed(f"no block took the transaction in {wait_s} s", place=f"0x{tx_hash.hex()}")
        time.sleep(RECEIPT_POLL_S)
    return receipt


def deploy(
    network: Network,
    wallet: Wallet,
    *,
    admin: bytes | None = None,
    pauser: bytes | None = None,
    registrar: bytes | None = None,
    admin_delay_s: int = 0,
    start_size: int = 0,
    start_root: bytes = ZERO_WORD,
) -> Deployment:
    """Make the contract, with the wallet as anchorer and in every role that is not given to another."""
    mine = wallet.address
    data = deploy_data(
        admin or mine,
        anchorer=mine,
        pauser=pauser or mine,
        registrar=registrar or mine,
        admin_delay_s=admin_delay_s,
        start_size=start_size,
        start_root=start_root,
    )
    signed = transaction(network, wallet, to=None, data=data, gas=DEPLOY_GAS)
    network.send_raw(signed.raw)
    receipt = await_receipt(network, signed.tx_hash)
    place = f"0x{signed.tx_hash.hex()}"
    if receipt.status != 1 or receipt.contract_address is None:
        raise DeploymentFailed("the constructor reverted", place=place)
    if keccak256(network.code(receipt.contract_address)) != artifact().code_hash:
        raise DeploymentFailed("the network holds other code than was sent", place=place)
    identity = network.identity()
    return Deployment(
        chain_id=identity.chain_id,
        genesis=identity.genesis,
        contract=receipt.contract_address,
        code_hash=artifact().code_hash,
        deploy_tx=signed.tx_hash,
        deploy_block=receipt.block_number,
    )


def recognise(network: Network, deployment: Deployment) -> Recognition:
    """Return what stands where the contract was deployed.

    EMPTY is a chain of the same id that came back without it, under the old genesis or a new one: a development
    chain that was restarted, or a chain file that was lost. OTHER_CHAIN is a configuration that points elsewhere.
    A contract with the right code under another genesis is EMPTY too: it is not the one that was anchored to.
    """
    identity = network.identity()
    if identity.chain_id != deployment.chain_id:
        return Recognition.OTHER_CHAIN
    code = network.code(deployment.contract)
    if code and keccak256(code) != deployment.code_hash:
        return Recognition.OTHER_CODE
    if not code or identity.genesis != deployment.genesis:
        return Recognition.EMPTY
    receipt = network.receipt(deployment.deploy_tx)
    if receipt is not None:
        return Recognition.SAME if receipt.contract_address == deployment.contract else Recognition.EMPTY
    # Either a node that prunes old receipts, or a chain with a fixed genesis that was made again, where somebody
    # deployed with the same key: there nothing has been anchored yet, or what has is found foreign.
    return Recognition.SAME if latest(network, deployment.contract)[0] else Recognition.EMPTY
