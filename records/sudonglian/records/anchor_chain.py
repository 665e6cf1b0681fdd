"""What the chain says about our contract, held against what the log says; and the proof material of an anchor.

docs/anchoring.md rules 4, 6 and 7; docs/spec/contract.md, docs/spec/bundle.md rule 7.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final

from sqlalchemy import Connection

from sudonglian.chain import anchor_contract, anchor_deployment, canonical, header, merkle, mpt, qbft, rlp, slots
from sudonglian.chain.anchor_deployment import Recognition
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Block, Fees, Network, Receipt
from sudonglian.chain.wallet import checksum_address
from sudonglian.records import anchor_halt, log
from sudonglian.records.anchor_book import Anchor, AnchoringError, Chain
from sudonglian.records.store import read_beside

ONE_NODE_CHAINS: Final = frozenset({1337, 31337, int.from_bytes(b"sudong", "big")})
"""Ganache, Hardhat and anvil, the embedded chain: nobody else's node is ahead, so what it does not have is gone."""

FEE_STEP_DIVISOR: Final = 10
"""Nodes replace a waiting transaction only by one whose fees are both a tenth higher (geth, Besu, anvil)."""


PAUSED: Final = "paused"


class WrongChain(AnchoringError):
    """The network is another chain than the one whose contract we use."""

    slug: ClassVar[str] = "wrong-chain"


class ContractGone(AnchoringError):
    """There is no code, or other code, where our contract was."""

    slug = "contract-gone"


class StaleStore(AnchoringError):
    """The contract has a larger log than we have."""

    slug = "stale-store"


class ForeignAnchor(AnchoringError):
    """The contract has a root that our log never had."""

    slug = "foreign-anchor"

    def __init__(self, size: int, anchored: bytes, ours: bytes, *, place: str) -> None:
        super().__init__(
            f"the contract holds root {anchored.hex()} for size {size}, our log has {ours.hex()}: somebody else "
            "anchored with our key, or this is not our database; `sudonglian contract pause`, then see "
            "docs/anchoring.md (a stolen key)",
            place=place,
        )
        self.size, self.anchored, self.ours = size, anchored, ours


class FinalProofRefused(AnchoringError):
    """The node's proof of an anchor does not hold, so no auditor would accept it."""

    slug = "final-proof"


class Standing(Enum):
    """How the network stands to the contract in our book."""

    SAME = "same"
    LOST = "lost"
    LAGGING = "lagging"


@dataclass(frozen=True, slots=True)
class OnChain:
    """The contract's latest anchor; zeros if there is none."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Material:
    """What is kept of a final anchor, as columns of `anchors`."""

    header: bytes
    account_proof: bytes
    storage_proof: bytes
    receipt: bytes | None


def standing(network: Network, chain: Chain) -> Standing:
    """Say whether the network still is the chain of our contract.

    Raises
    ------
    WrongChain
        Another chain id: a wrong URL, not a chain that was lost.
    ContractGone
        The chain goes beyond our contract's block and the contract is not what it was.
    """
    place = checksum_address(chain.contract)
    identity = network.identity()
    if identity.chain_id != chain.chain_id:
        raise WrongChain(
            f"the network's chain id is {identity.chain_id}, the contract is on {chain.chain_id}", place=place
        )
    if chain.chain_id in ONE_NODE_CHAINS:
        match anchor_deployment.recognise(network, chain.deployment):
            case Recognition.SAME:
                return Standing.SAME
            case Recognition.EMPTY:
                return Standing.LOST
            case _:
                raise ContractGone("other code stands where our contract was", place=place)
    if identity.genesis != chain.genesis:
        raise WrongChain(
            f"the network's genesis block is {identity.genesis.hex()}, ours was {chain.genesis.hex()}", place=place
        )
    code = network.code(chain.contract)
    if keccak256(code) == chain.code_hash:
        return Standing.SAME
    if network.head() < chain.deploy_block:
        return Standing.LAGGING
    raise ContractGone(
        f"the code's hash is {keccak256(code).hex() if code else 'that of nothing'}, must be {chain.code_hash.hex()}",
        place=place,
    )


def compare(connection: Connection, network: Network, chain: Chain) -> OnChain:
    """Return the contract's latest anchor, which is one of our log's states.

    That our log is shorter is remembered, and so is that it no longer is (`anchor_halt`).

    Raises
    ------
    StaleStore
        It is larger than our log.
    ForeignAnchor
        Our log has another root at that size.
    """
    place = checksum_address(chain.contract)
    size, root = anchor_contract.latest(network, chain.contract)
    ours = log.size(connection)
    if size > ours:
        why = stale(size, ours)
        if anchor_halt.remember(connection, size, why):
            raise StaleStore(why, place=place)
        # Sealed and anchored by another process since `connection` began to read.
        with read_beside(connection) as fresh:
            return _compared(fresh, size, root, place)
    try:
        found = _compared(connection, size, root, place)
    except ForeignAnchor as error:
        anchor_halt.tell_foreign(connection, error.reason)
        raise
    anchor_halt.clear(connection)
    return found


def stale(size: int, ours: int) -> str:
    """Return what is wrong with a log of `ours` entries that is anchored up to `size`."""
    return (
        f"the contract's log has {size} entries, ours {ours}: the database was restored from too old a backup, "
        "or somebody else anchored with our key"
    )


def _compared(connection: Connection, size: int, root: bytes, place: str) -> OnChain:
    if size and (due := log.root(connection, size)) != root:
        raise ForeignAnchor(size, root, due, place=place)
    return OnChain(size, root)


def settled_block(network: Network, depth: int) -> Block:
    """Return the newest block that is deep enough."""
    block = network.block(max(network.head() - depth, 0))
    if block is None:
        raise FinalProofRefused("the node does not have a block that it just spoke of")
    return block


def is_there(network: Network, chain: Chain, anchor: Anchor) -> bool:
    """Return whether the contract already holds this anchor."""
    return anchor_contract.root_at(network, chain.contract, anchor.size) == anchor.root


def canonical_block(network: Network, number: int, block_hash: bytes) -> bool | None:
    """Return whether this block is in the chain; None if the node's head is below it."""
    block = network.block(number)
    if block is None:
        return None
    return block.hash == block_hash


def outcome(network: Network, hashes: list[bytes], status: int | None = None) -> Receipt | None:
    """Return the receipt of whichever of these transactions is in a block that the chain has, with this status."""
    for tx_hash in hashes:
        receipt = network.receipt(tx_hash)
        if receipt is None or status not in (None, receipt.status):
            continue
        if canonical_block(network, receipt.block_number, receipt.block_hash):
            return receipt
    return None


def raised(old: Fees, market: Fees) -> Fees:
    """Return fees that replace a waiting transaction: a tenth and a wei more, or the market's if they are higher.

    >>> raised(Fees(100, 0), Fees(90, 2))
    Fees(max_fee=111, priority_fee=2)
    """
    priority = max(old.priority_fee + old.priority_fee // FEE_STEP_DIVISOR + 1, market.priority_fee)
    most = max(old.max_fee + old.max_fee // FEE_STEP_DIVISOR + 1, market.max_fee, priority)
    return Fees(max_fee=most, priority_fee=priority)


def capture(network: Network, chain: Chain, anchor: Anchor, receipt: Receipt | None) -> Material:
    """Fetch the proof of an anchor at its own block, and check it as an auditor will.

    Raises
    ------
    FinalProofRefused
        What the node gave does not prove that the contract held this root for this size in this block.
    """
    place = f"anchors/{anchor.id}"
    if anchor.block_number is None or anchor.block_hash is None:
        raise FinalProofRefused("the anchor has no block", place=place)
    block = network.block(anchor.block_number)
    if block is None or block.hash != anchor.block_hash:
        raise FinalProofRefused("the anchor's block is no longer in the chain", place=place)
    slot = slots.root_slot(anchor.size)
    proof = network.proof(chain.contract, [slot], anchor.block_number)
    if len(proof.storage) != 1:
        raise FinalProofRefused("the node proves another number of slots than it was asked for", place=place)
    material = Material(
        header=block.header_rlp,
        account_proof=rlp.encode(list(proof.account_proof)),
        storage_proof=rlp.encode(list(proof.storage[0][2])),
        receipt=None if receipt is None else receipt_bytes(receipt),
    )
    check_material(chain, anchor, material.header, material.account_proof, material.storage_proof)
    return material


def check_material(chain: Chain, anchor: Anchor, header_rlp: bytes, account_proof: bytes, storage_proof: bytes) -> None:
    """Return if header and proofs show the contract with this root for this size, or raise FinalProofRefused."""
    place = f"anchors/{anchor.id}"
    try:
        head = header.parse(header_rlp)
        account = mpt.verify_account(head.state_root, chain.contract, proof_nodes(account_proof))
        slot = slots.root_slot(anchor.size)
        held = mpt.verify_storage(account.storage_root, slot, proof_nodes(storage_proof))
    except ProofRefused as error:
        raise FinalProofRefused(error.diagnostics(), place=place) from error
    if anchor.block_hash is None or not qbft.is_named(head, anchor.block_hash):
        raise FinalProofRefused(f"the header's hash is {head.hash.hex()}, not the anchor's block", place=place)
    if head.number != anchor.block_number:
        raise FinalProofRefused(f"the header is that of block {head.number}, not {anchor.block_number}", place=place)
    if account.code_hash != chain.code_hash:
        raise FinalProofRefused(f"the contract's code hash is {account.code_hash.hex()}", place=place)
    if held != int.from_bytes(anchor.root, "big"):
        raise FinalProofRefused(f"the contract holds {held:064x}, our root is {anchor.root.hex()}", place=place)


def proof_nodes(encoded: bytes) -> tuple[bytes, ...]:
    """Return the nodes of a stored proof."""
    return tuple(rlp.string(node) for node in rlp.decode_list(encoded))


def receipt_bytes(receipt: Receipt) -> bytes:
    """Return a receipt as it is kept: canonical JSON."""
    value: Any = {
        "block_hash": receipt.block_hash.hex(),
        "block_number": receipt.block_number,
        "gas_used": receipt.gas_used,
        "logs": [
            {"address": one.address.hex(), "data": one.data.hex(), "topics": [topic.hex() for topic in one.topics]}
            for one in receipt.logs
        ],
        "status": receipt.status,
        "tx_hash": receipt.tx_hash.hex(),
    }
    return canonical.encode(value)


def why_not(network: Network, chain: Chain, sender: bytes) -> str | None:
    """Return why the contract would refuse an anchor of this sender whatever it says, or None."""
    if anchor_contract.paused(network, chain.contract):
        return PAUSED
    if successor := anchor_contract.successor(network, chain.contract):
        return f"anchoring ended here; `sudonglian contract follow` goes on in {checksum_address(successor)}"
    if not may_anchor(network, chain, sender):
        return f"{checksum_address(sender)} has not the role ANCHORER"
    return None


def may_anchor(network: Network, chain: Chain, sender: bytes) -> bool:
    """Return whether the contract takes anchors from this key."""
    return anchor_contract.has_role(network, chain.contract, anchor_contract.ROLE_ANCHORER, sender)


def consistency(connection: Connection, before: OnChain, anchor: Anchor) -> list[bytes]:
    """Return the proof that the contract asks for: from what it holds to the anchor."""
    if before.size == 0:
        return []
    path = log.consistency(connection, before.size, anchor.size)
    merkle.verify_consistency(before.size, before.root, anchor.size, anchor.root, path)
    return path
