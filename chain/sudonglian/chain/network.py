"""The face that every EVM network has here: bytes in, bytes out, errors by name.

Header layout: Ethereum Yellow Paper §4.4 with EIP-1559, 4895, 4844, 4788 and 7685; bloom filter: §4.4.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sudonglian.chain import rlp
from sudonglian.chain.errors import ChainError
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.rlp import Encodable

ADDRESS_BYTES: Final = 20
WORD_BYTES: Final = 32
NOBODY: Final = bytes(ADDRESS_BYTES)
"""Sender of calls that ask in nobody's name."""
EMPTY_TRIE_PROOF: Final = b"\x80"
"""What stands for the nodes of a trie that has none: the encoding of nothing, whose hash is the empty root."""


ANCHORED_TOPIC: Final = keccak256(b"Anchored(uint64,bytes32,uint64,bytes32)")
"""Marks the one event by which a network is searched for our anchors (docs/spec/contract.md)."""


class NetworkUnreachable(ChainError):
    """No answer, or none in time. Whether a transaction that was being sent arrived is unknown."""

    slug = "chain-unreachable"


class NetworkRefused(ChainError):
    """The network answered, and refused or answered nonsense."""

    slug = "chain-refused"


class NonceTooLow(NetworkRefused):
    """Another transaction of this sender already has the nonce."""

    slug = "chain-nonce-too-low"


class AlreadyKnown(NetworkRefused):
    """The network has this very transaction."""

    slug = "chain-already-known"


class Underpriced(NetworkRefused):
    """The fees are too low for a block, or to replace the transaction that waits with the same nonce."""

    slug = "chain-underpriced"


class InsufficientFunds(NetworkRefused):
    """The sender cannot pay for the transaction."""

    slug = "chain-insufficient-funds"


class HeaderMismatch(ChainError):
    """The fields of a block do not hash to the block's hash."""

    slug = "chain-header-mismatch"


class CallReverted(ChainError):
    """A contract refused a call; `data` is what it returned: a custom error's selector and arguments."""

    slug = "chain-call-reverted"

    def __init__(self, data: bytes, *, place: str = "") -> None:
        super().__init__(f"the contract reverted with 0x{data.hex()}", place=place)
        self.data = data
        self.selector = data[:4]


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """What tells a chain from another: ids are shared by every development chain, genesis hashes are not."""

    chain_id: int
    genesis: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A block without its transactions. Its header has its hash, or it would not be here.

    That is keccak-256 of the header; on a QBFT chain it is keccak-256 of the header without round and seals (qbft).
    """

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    header_rlp: bytes

    @property
    def is_qbft(self) -> bool:
        """Whether QBFT's rule names it: enough validators have sealed it, and it is not taken back."""
        return keccak256(self.header_rlp) != self.hash


@dataclass(frozen=True, slots=True)
class Fees:
    """Fees per gas, in wei, that a transaction sent now should offer."""

    max_fee: int
    priority_fee: int


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a receipt."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class FoundLog:
    """One event that a search found, and where it is."""

    block_number: int
    block_hash: bytes
    tx_hash: bytes
    log: Log


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction: status 1 done, 0 reverted."""

    status: int
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    gas_used: int
    logs: tuple[Log, ...]
    contract_address: bytes | None


@dataclass(frozen=True, slots=True)
class AccountProof:
    """eth_getProof: the trie nodes, from the root down, of an account and of some of its storage."""

    account_proof: tuple[bytes, ...]
    storage: tuple[tuple[bytes, int, tuple[bytes, ...]], ...]


class Network(Protocol):
    """One EVM network. Every method may raise NetworkUnreachable or NetworkRefused."""

    def identity(self) -> ChainIdentity:
        """Return what tells this chain from all others."""
        ...

    def head(self) -> int:
        """Return the number of the latest block."""
        ...

    def block(self, number: int) -> Block | None:
        """Return a block; HeaderMismatch if its fields do not hash to its hash."""
        ...

    def validators(self, number: int) -> tuple[bytes, ...]:
        """Return the addresses that may seal a block of a QBFT chain; NetworkRefused elsewhere."""
        ...

    def balance(self, address: bytes) -> int:
        """Return an account's wei at the head."""
        ...

    def nonce(self, address: bytes, *, pending: bool = False) -> int:
        """Return the nonce of the account's next transaction, counting those that wait if `pending`."""
        ...

    def fees(self) -> Fees:
        """Return the fees that a transaction sent now should offer."""
        ...

    def send_raw(self, raw: bytes) -> bytes:
        """Send a signed transaction and return its hash, mined or not, reverted or not."""
        ...

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        """Return what became of a transaction, None while it is not in a block."""
        ...

    def call(self, to: bytes, data: bytes, *, sender: bytes = NOBODY) -> bytes:
        """Call a contract at the head, as `sender` without a signature; CallReverted if it refuses."""
        ...

    def code(self, address: bytes) -> bytes:
        """Return the code of a contract at the head, empty if there is none."""
        ...

    def transaction_known(self, tx_hash: bytes) -> bool:
        """Return whether the network has the transaction, in a block or waiting."""
        ...

    def proof(self, address: bytes, slots: Sequence[bytes], block_number: int) -> AccountProof:
        """Return the proof of an account and of storage slots under the state root of a block."""
        ...

    def anchored_blocks(self, contract: bytes, from_block: int) -> list[tuple[int, bytes]]:
        """Return number and hash of each block, from `from_block` on, that holds an Anchored event of the contract."""
        ...

    def anchored_logs(self, contract: bytes, from_block: int) -> list[FoundLog]:
        """Return the Anchored events of the contract from block `from_block` on, oldest first."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


_NUMBER: Final = 0
_HEADER: Final = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", _NUMBER),
    ("number", _NUMBER),
    ("gasLimit", _NUMBER),
    ("gasUsed", _NUMBER),
    ("timestamp", _NUMBER),
    ("extraData", None),
    ("mixHash", 32),
    ("nonce", 8),
)
_HEADER_LATER: Final = (
    ("baseFeePerGas", _NUMBER),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", _NUMBER),
    ("excessBlobGas", _NUMBER),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
)
"""Added by London, Shanghai, Cancun (three) and Prague, in that order; Osaka added none."""


def unhex(value: object, length: int | None = None) -> bytes:
    """Return the bytes of `0x…` text, or refuse it."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise NetworkRefused(f"expected 0x…, got {value!r:.80}")
    try:
        data = bytes.fromhex(value[2:])
    except ValueError:
        raise NetworkRefused(f"expected hexadecimal, got {value!r:.80}") from None
    if length is not None and len(data) != length:
        raise NetworkRefused(f"expected {length} bytes, got {len(data)}")
    return data


def unquantity(value: object) -> int:
    """Return the integer of a JSON-RPC quantity, or refuse it."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise NetworkRefused(f"expected a quantity, got {value!r:.80}")
    try:
        return int(value[2:] or "0", 16)
    except ValueError:
        raise NetworkRefused(f"expected a quantity, got {value!r:.80}") from None


def header_rlp(fields: Mapping[str, object]) -> bytes:
    """Return a header's RLP from the fields of eth_getBlockByNumber.

    A field of a later fork counts if it is there and not null; the forks only ever appended.
    """
    parts: list[Encodable] = []
    for name, length in _HEADER:
        parts.append(_field(fields, name, length))
    for name, length in _HEADER_LATER:
        if fields.get(name) is None:
            break
        parts.append(_field(fields, name, length))
    return rlp.encode(parts)


def _field(fields: Mapping[str, object], name: str, length: int | None) -> bytes | int:
    return unquantity(fields.get(name)) if length == _NUMBER else unhex(fields.get(name), length)


def bloom_may_hold(bloom: bytes, *items: bytes) -> bool:
    """Return whether a block with this bloom filter may hold a log with all of these addresses and topics."""
    bits = int.from_bytes(bloom, "big")
    for item in items:
        digest = keccak256(item)
        for pair in (0, 2, 4):
            if not bits >> (int.from_bytes(digest[pair : pair + 2], "big") & 2047) & 1:
                return False
    return True
