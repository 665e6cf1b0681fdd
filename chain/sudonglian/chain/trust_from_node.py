"""A trust file's content from what a node says about a contract; the auditor compares it by another channel.

docs/spec/trust.md rule 6. Nothing here comes from a bundle, and nothing that makes bundles is imported.
"""

from dataclasses import dataclass
from typing import Final

from sudonglian.chain import anchor_contract, canonical, qbft, trust
from sudonglian.chain import header as headers
from sudonglian.chain.canonical import Json
from sudonglian.chain.checkpoint import VerifierKey
from sudonglian.chain.errors import ProofRefused, TrustRefused
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Network, NetworkRefused
from sudonglian.chain.trust import Qbft, Trust, TrustedChain, TrustedHeaders, TrustedLog

MAX_HEADERS: Final = 200_000
"""A trust file has at most 16 MiB; an anchor every ten minutes fills it in four years."""


def trust_from(network: Network, contract: bytes, key: VerifierKey | str, deploy_block: int = 0) -> dict[str, Json]:
    """Return the object of a trust file: chain, contract and code as the node has them now, and the log's key.

    Parameters
    ----------
    network
        The node that is asked; a development node is the operator's own.
    contract
        The address that the auditor was told.
    key
        The log's verifier key that the auditor was told: no node knows it.
    deploy_block
        Where to begin to look for anchors; the whole chain by default.

    Raises
    ------
    TrustRefused
        There is no contract at the address, or the key is none.
    ChainError
        The node did not answer.
    """
    identity = network.identity()
    code = network.code(contract)
    place = f"0x{contract.hex()}"
    if not code:
        raise TrustRefused("there is no contract at this address on this chain", place=place)
    blocks = network.anchored_blocks(contract, deploy_block)
    if len(blocks) > MAX_HEADERS:
        raise TrustRefused(f"more than {MAX_HEADERS} anchors; ask from a later block on", place=place)
    found = Trust().with_log(str(key))
    validators = _validators(network, blocks[-1][0] if blocks else network.head())
    chain = TrustedChain(
        chain_id=identity.chain_id,
        genesis=identity.genesis,
        contract=contract,
        code_hash=keccak256(code),
        finality=Qbft(validators) if validators else TrustedHeaders(frozenset(block_hash for _, block_hash in blocks)),
    )
    return found.with_chain(chain).to_json()


def _validators(network: Network, number: int) -> frozenset[bytes]:
    """Return who seals a chain of QBFT blocks, and nobody of another; the block must be sealed by who is named."""
    block = network.block(number)
    if block is None:
        raise TrustRefused("the node has no such block", place=f"blocks/{number}")
    try:
        if not block.is_qbft:
            return frozenset()
        header = headers.parse(block.header_rlp)
        listed = frozenset(qbft.validators_in(header))
        try:
            told = frozenset(network.validators(number))
        except NetworkRefused:  # the node does not offer qbft_…
            told = listed
        if listed and told != listed:
            raise TrustRefused("the node names other validators than the block", place=f"blocks/{number}")
        if not told:
            raise TrustRefused("a contract chooses the validators; the node must offer QBFT's methods", place="rpc")
        if number:  # nobody seals the first block
            qbft.verify(header, told)
    except ProofRefused as refusal:
        raise TrustRefused(refusal.reason, place=f"blocks/{number}") from refusal
    return told


@dataclass(frozen=True, slots=True)
class Start:
    """Where a contract that succeeds another one begins."""

    size: int
    root: bytes
    former: tuple[bytes, ...]
    """Contracts of the trust file that are frozen, name it, and hold the same root for this size."""


def start_of(network: Network, contract: bytes, held: bytes | None = None, deploy_block: int = 0) -> Start | None:
    """Return where a successor begins, held against the contracts that the auditor's file knows; None for a first one.

    Raises
    ------
    TrustRefused
        A contract of the file names it, and never held the state that it begins with.
    """
    first = next(iter(anchor_contract.anchorings(network, contract, deploy_block)), None)
    if first is None:
        return None
    found, said = first
    made = network.receipt(found.tx_hash)
    if made is None or made.contract_address != contract:
        return None  # its first anchor is not its constructor's: it began empty
    former = []
    genesis = network.identity().genesis
    for known in () if held is None else trust.parse(held).chains:
        if (
            known.genesis != genesis
            or known.contract == contract
            or keccak256(network.code(known.contract)) != known.code_hash
        ):
            continue
        if anchor_contract.successor(network, known.contract) == contract:
            if anchor_contract.root_at(network, known.contract, said.size) != said.root:
                raise TrustRefused(
                    f"it begins with a root of size {said.size} that the former contract 0x{known.contract.hex()}, "
                    "which names it, does not hold",
                    place=f"0x{contract.hex()}",
                )
            former.append(known.contract)
    return Start(said.size, said.root, tuple(former))


def merge(held: bytes, found: dict[str, Json]) -> dict[str, Json]:
    """Return the trust file `held` with what was found added: header hashes join those of the same contract.

    What contradicts the file is refused, never put in place of it: an auditor who was told another key or code for
    a name that is already trusted must decide that with the file in hand.

    Raises
    ------
    TrustRefused
        The file is malformed, or says otherwise about the same log or contract.
    """
    old = trust.parse(held)
    new = _parsed(found)
    for log in new.logs:
        _same_log(old.log(log.origin), log)
        old = old.with_log(str(log.key))
    for chain in new.chains:
        known = old.chain(chain.genesis, chain.contract)
        if known is not None:
            if (known.chain_id, known.code_hash) != (chain.chain_id, chain.code_hash):
                raise TrustRefused("the file has another code for this contract", place=f"0x{chain.contract.hex()}")
            if isinstance(known.finality, Qbft) or isinstance(chain.finality, Qbft):
                _same_validators(known, chain)
                continue  # a validator set is more than a node's word, and stays
        old = old.with_chain(chain)
    return old.to_json()


def _same_log(known: TrustedLog | None, told: TrustedLog) -> None:
    if known is not None and known.key != told.key:
        raise TrustRefused(f"the file has another key for this log: {known.key}", place=told.origin)


def _same_validators(known: TrustedChain, told: TrustedChain) -> None:
    # A node of an ordinary chain has nothing to say about the validators that the auditor holds.
    if isinstance(told.finality, Qbft) and known.finality != told.finality:
        names = ", ".join(one.hex() for one in sorted(told.finality.validators))
        raise TrustRefused(
            f"the file has another rule or other validators than {names}", place=f"0x{told.contract.hex()}"
        )


def _parsed(found: dict[str, Json]) -> Trust:
    return trust.parse(canonical.encode(found))
