"""An EVM chain in one file: py-evm above SQLite, one block a transaction, safe to kill at any moment.

docs/decisions/0101-embedded-chain.md says why and what it proves; the face is network.Network.
"""

import logging
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final

import rlp
from eth.chains.base import MiningChain
from eth.consensus.pos import PosConsensus
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert, TransactionNotFound
from eth.rlp.accounts import Account
from eth.vm.forks.cancun import CancunVM
from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas
from eth.vm.spoof import SpoofTransaction
from eth_keys.backends import get_backend
from eth_keys.backends.coincurve import CoinCurveECCBackend
from trie.hexary import HexaryTrie

from sudonglian.chain.embedded_file import ChainFile, ChainFileDamaged
from sudonglian.chain.embedded_integrity import SCHEMA, Integrity, recompute
from sudonglian.chain.errors import ChainError, SudonglianError
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import (
    ANCHORED_TOPIC,
    EMPTY_TRIE_PROOF,
    NOBODY,
    AccountProof,
    AlreadyKnown,
    Block,
    CallReverted,
    ChainIdentity,
    Fees,
    FoundLog,
    InsufficientFunds,
    Log,
    NetworkRefused,
    NonceTooLow,
    Receipt,
    Underpriced,
    bloom_may_hold,
)
from sudonglian.chain.wallet import create_address

RECURSION_LIMIT: Final = 4_000
"""py-evm and py_ecc raise Python's limit to 100,000, where deeply nested input overflows the C stack and kills the
process instead of raising RecursionError. Our contract never calls deeper than one level."""

sys.setrecursionlimit(RECURSION_LIMIT)

# py-evm writes a stack trace to standard error before it raises what becomes an error of our tree, with all it knew.
_PY_EVM_LOG: Final = logging.getLogger("eth")
_PY_EVM_LOG.addHandler(logging.NullHandler())
_PY_EVM_LOG.propagate = False

CHAIN_ID: Final = int.from_bytes(b"sudong", "big")
"""126948033392231: ours alone, and neither Hardhat's 31337 nor eth-tester's, whose keys everybody knows."""

EXTRA_PREFIX: Final = b"sudonglian"
SALT_BYTES: Final = 16
"""Random extra data of the genesis block: a chain that is made again has another genesis hash."""

GENESIS_GAS_LIMIT: Final = 30_000_000
GENESIS_BASE_FEE: Final = 1_000_000_000

MAX_CLOCK_LEAD_S: Final = 15
"""Block times grow by at least a second, so many blocks a second run ahead of the clock; other clients tolerated a
block from up to 15 s in the future. Then the sender waits."""
MAX_CLOCK_WAIT_S: Final = 60
"""A clock further behind than this was set back: waiting for it could take a day."""

WORST_RAW_BYTES: Final = 131_072
"""What public networks accept as one transaction."""

INLINE_NODE_BYTES: Final = 32
"""A trie node shorter than its hash lives inside its parent, and is no element of a proof."""


class ClockBehind(NetworkRefused):
    """The machine's clock is far behind the chain's latest block."""

    slug = "chain-clock-behind"


class WrongChainId(NetworkRefused):
    """The transaction was signed for another chain."""

    slug = "chain-wrong-id"


class NonceGap(NetworkRefused):
    """A transaction before this one is missing; there is no pool here in which it could wait."""

    slug = "chain-nonce-gap"


_Chain: Final[Any] = MiningChain.configure(
    __name__="SudonglianChain",
    chain_id=CHAIN_ID,
    vm_configuration=((0, CancunVM),),
    consensus_context_class=PosConsensus,
)


def require_coincurve() -> None:
    """Refuse to run py-evm on its pure Python curve, which is a hundred times slower (5.5 ms a recovery)."""
    if not isinstance(get_backend(), CoinCurveECCBackend):
        raise ChainError("eth_keys does not use coincurve; install coincurve, unset ECC_BACKEND_CLASS")


class EmbeddedNetwork:
    """The chain in the file at `path`, made with `genesis_accounts` (address → wei) if there is none.

    Any number of processes and threads may open the same file: reads at any time, writes one after another.
    `max_lead_s` lets benchmarks seal more than a block a second without waiting; the block times then lie.
    """

    def __init__(
        self,
        path: Path,
        *,
        genesis_accounts: Mapping[bytes, int] | None = None,
        max_lead_s: int = MAX_CLOCK_LEAD_S,
    ) -> None:
        require_coincurve()
        self.path = path
        self._max_lead_s = max_lead_s
        self._file = ChainFile(path)
        try:
            with self._file.named():
                self._open(genesis_accounts)
        except BaseException:
            self._file.close()
            raise

    def _open(self, genesis_accounts: Mapping[bytes, int] | None) -> None:
        db = AtomicDB(self._file.table)
        if self._file.new():
            with self._file.writing():
                # Another process may have been first.
                if self._file.new():
                    self._file.create()
                    self._found(db, genesis_accounts)
        self._file.require_ours()
        # py-evm's own types name every integer and every bytes anew.
        self._chain: Any = _Chain(db)
        with self._file.named(block=0):
            genesis = self._chain.get_canonical_block_header_by_number(0)
            if not genesis.extra_data.startswith(EXTRA_PREFIX):
                raise ChainFileDamaged("the genesis block is not ours")
        self._identity = ChainIdentity(CHAIN_ID, genesis.hash)

    def _found(self, db: AtomicDB, genesis_accounts: Mapping[bytes, int] | None) -> None:
        _Chain.from_genesis(
            db,
            {
                "difficulty": 0,
                "gas_limit": GENESIS_GAS_LIMIT,
                "base_fee_per_gas": GENESIS_BASE_FEE,
                "extra_data": EXTRA_PREFIX + token_bytes(SALT_BYTES),
                "timestamp": int(time.time()),
                "nonce": bytes(8),
            },
            {
                address: {"balance": wei, "nonce": 0, "code": b"", "storage": {}}
                for address, wei in (genesis_accounts or {}).items()
            },
        )

    # What every network answers

    def identity(self) -> ChainIdentity:
        """Return our chain id, and the genesis hash of this file."""
        return self._identity

    def head(self) -> int:
        """Return the number of the latest block."""
        with self._file.named():
            return int(self._head().block_number)

    def block(self, number: int) -> Block | None:
        """Return a block, or None above the head."""
        with self._file.named(block=number):
            if not 0 <= number <= self._head().block_number:
                return None
            header = self._chain.get_canonical_block_header_by_number(number)
            return Block(number, header.hash, header.parent_hash, header.timestamp, rlp.encode(header))

    def validators(self, number: int) -> tuple[bytes, ...]:
        """Refuse: nobody seals here but the operator."""
        raise NetworkRefused("the embedded chain has no validators")

    def balance(self, address: bytes) -> int:
        """Return an account's wei."""
        with self._file.named():
            return int(self._state().get_balance(address))

    def nonce(self, address: bytes, *, pending: bool = False) -> int:
        """Return the account's next nonce; nothing is ever pending here."""
        del pending
        with self._file.named():
            return int(self._state().get_nonce(address))

    def fees(self) -> Fees:
        """Return twice the next block's base fee; there is no miner to tip."""
        with self._file.named():
            return Fees(max_fee=2 * max(calculate_expected_base_fee_per_gas(self._head()), 1), priority_fee=0)

    def send_raw(self, raw: bytes) -> bytes:
        """Execute a signed transaction and seal it in a block of its own; durable when this returns."""
        transaction = self._decoded(raw)
        while True:
            with self._file.named(), self._file.writing():
                head = self._head()
                self._judge(transaction, head)
                now = int(time.time())
                moment = max(now, head.timestamp + 1)
                if (lead := moment - now) <= self._max_lead_s:
                    self._seal(transaction, head, moment)
                    return bytes(transaction.hash)
            if lead > MAX_CLOCK_WAIT_S:
                raise ClockBehind(f"the clock is {lead} s behind the latest block", place=str(self.path))
            # Outside the lock: others may go on reading, and are no better off writing.
            time.sleep(lead - self._max_lead_s)

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        """Return what became of a transaction."""
        with self._file.named():
            try:
                number, index = self._chain.chaindb.get_transaction_index(tx_hash)
            except TransactionNotFound:
                return None
            header = self._chain.get_canonical_block_header_by_number(number)
            transaction = self._chain.get_canonical_transaction_by_index(number, index)
            found = self._chain.chaindb.get_receipt_by_index(number, index, CancunVM.get_receipt_builder())
            status = int.from_bytes(found.state_root, "big")
            made = create_address(transaction.sender, transaction.nonce) if status and not transaction.to else None
            logs = tuple(_log(log) for log in found.logs)
            # One transaction a block: what the block has used, it has used.
            return Receipt(status, number, header.hash, tx_hash, int(found.gas_used), logs, made)

    def call(self, to: bytes, data: bytes, *, sender: bytes = NOBODY) -> bytes:
        """Call a contract at the head, as `sender` without a signature."""
        with self._file.named():
            head = self._head()
            vm: Any = self._chain.get_vm(head)
            with vm.in_costless_state() as state:
                # py-evm checks the nonce even of a call.
                due = state.get_nonce(sender)
                plain = vm.create_unsigned_transaction(
                    nonce=due, gas_price=0, gas=head.gas_limit, to=to, value=0, data=data
                )
                computation = state.costless_execute_transaction(SpoofTransaction(plain, from_=sender))
            if computation.is_error:
                if isinstance(computation.error, Revert):
                    raise CallReverted(bytes(computation.output), place=f"0x{to.hex()}")
                raise NetworkRefused(f"the call failed: {computation.error!r}", place=f"0x{to.hex()}")
            return bytes(computation.output)

    def code(self, address: bytes) -> bytes:
        """Return a contract's code."""
        with self._file.named():
            return bytes(self._state().get_code(address))

    def transaction_known(self, tx_hash: bytes) -> bool:
        """Return whether a block holds the transaction."""
        with self._file.named():
            return self._known(tx_hash)

    def proof(self, address: bytes, slots: Sequence[bytes], block_number: int) -> AccountProof:
        """Return the proofs under the state root of a block; all states are kept."""
        with self._file.named(block=block_number):
            if not 0 <= block_number <= self._head().block_number:
                raise NetworkRefused(f"there is no block {block_number}")
            root = self._chain.get_canonical_block_header_by_number(block_number).state_root
            value, account_proof = self._walk(root, address)
            account = rlp.decode(value, Account) if value else Account()
            storage = []
            for slot in slots:
                value, nodes = self._walk(account.storage_root, slot)
                storage.append((slot, int.from_bytes(rlp.decode(value), "big") if value else 0, nodes))
            return AccountProof(account_proof, tuple(storage))

    def anchored_blocks(self, contract: bytes, from_block: int) -> list[tuple[int, bytes]]:
        """Return the blocks with Anchored events."""
        return [(one.block_number, one.block_hash) for one in self.anchored_logs(contract, from_block)]

    def anchored_logs(self, contract: bytes, from_block: int) -> list[FoundLog]:
        """Return the Anchored events, by the blocks' bloom filters first and their receipts then."""
        found = []
        topic = int.from_bytes(ANCHORED_TOPIC, "big")
        for number in range(max(from_block, 0), self.head() + 1):
            with self._file.named(block=number):
                header = self._chain.get_canonical_block_header_by_number(number)
                if not bloom_may_hold(header.bloom.to_bytes(256, "big"), contract, ANCHORED_TOPIC):
                    continue
                receipts = self._chain.chaindb.get_receipts(header, CancunVM.get_receipt_builder())
                transactions = self._chain.chaindb.get_block_transaction_hashes(header)
                for receipt, tx_hash in zip(receipts, transactions, strict=True):
                    found += [
                        FoundLog(number, header.hash, bytes(tx_hash), _log(log))
                        for log in receipt.logs
                        if log.address == contract and log.topics[:1] == (topic,)
                    ]
        return found

    def close(self) -> None:
        """Close the file. A chain that is killed instead loses nothing."""
        self._file.close()

    # What only a file can do

    def copy_to(self, path: Path) -> None:
        """Copy the chain, consistent and durable, while others read and write; never over another file."""
        self._file.copy_to(path)

    def integrity(self) -> Integrity:
        """Recompute the whole chain; ChainFileDamaged names the first block that is not as it was written.

        Shown: every header hashes to its name and follows its parent, its transactions, receipts and state are
        there and hash to its roots, and the index rows agree. Not shown: that a block at the end was not cut off.
        """
        with self._file.named():
            with self._file.snapshot():
                report = recompute(self._chain, self._file)
            self._file.require_sound()
            return report

    # Parts

    def _decoded(self, raw: bytes) -> Any:
        if len(raw) > WORST_RAW_BYTES:
            raise NetworkRefused(f"a transaction has at most {WORST_RAW_BYTES} bytes, this has {len(raw)}")
        try:
            transaction = CancunVM.get_transaction_builder().decode(raw)
            transaction.validate()
            transaction.check_signature_validity()
            chain_id, canonical = transaction.chain_id, transaction.encode()
        except Exception as error:
            # Whatever py-evm and rlp raise for garbage: they have no common root.
            raise NetworkRefused(f"not a signed transaction: {error!r:.200}") from error
        if canonical != raw:
            raise NetworkRefused("not the canonical encoding of a transaction")
        # py-evm itself would execute a transaction that was signed for any chain.
        if chain_id != CHAIN_ID:
            raise WrongChainId(f"signed for chain {chain_id}, this is chain {CHAIN_ID}")
        return transaction

    def _judge(self, transaction: Any, head: Any) -> None:
        if self._known(transaction.hash):
            raise AlreadyKnown("a block holds this transaction", place=f"0x{transaction.hash.hex()}")
        state = self._state()
        due = state.get_nonce(transaction.sender)
        if transaction.nonce < due:
            raise NonceTooLow(f"nonce {transaction.nonce} is used, the next is {due}")
        if transaction.nonce > due:
            raise NonceGap(f"nonce {transaction.nonce} leaves a gap, the next is {due}")
        base_fee = calculate_expected_base_fee_per_gas(head)
        if transaction.max_fee_per_gas < base_fee:
            raise Underpriced(f"offers {transaction.max_fee_per_gas} wei a gas, the block asks {base_fee}")
        worst = transaction.max_fee_per_gas * transaction.gas + transaction.value
        if (has := state.get_balance(transaction.sender)) < worst:
            raise InsufficientFunds(f"has {has} wei, may need {worst}")

    def _seal(self, transaction: Any, head: Any, moment: int) -> None:
        # A header of our own: py-evm's pending one carries the time of the block before.
        self._chain.header = self._chain.create_header_from_parent(head, timestamp=moment)
        try:
            self._chain.apply_transaction(transaction)
        except (SudonglianError, sqlite3.Error):
            raise
        except Exception as error:
            raise NetworkRefused(f"the transaction cannot be executed: {error!r:.200}") from error
        self._chain.mine_block()

    def _head(self) -> Any:
        return self._chain.get_canonical_head()

    def _state(self) -> Any:
        return self._chain.get_vm(self._head()).state

    def _known(self, tx_hash: bytes) -> bool:
        return SCHEMA.make_transaction_hash_to_block_lookup_key(tx_hash) in self._file.table

    def _walk(self, root: bytes, name: bytes) -> tuple[bytes, tuple[bytes, ...]]:
        trie: Any = HexaryTrie(self._file.table, root)
        key = keccak256(name)
        nodes = [rlp.encode(node) for node in trie.get_proof(key)]
        path = tuple(n for i, n in enumerate(nodes) if i == 0 or len(n) >= INLINE_NODE_BYTES)
        return bytes(trie[key]), path or (EMPTY_TRIE_PROOF,)


def _log(log: Any) -> Log:
    return Log(bytes(log.address), tuple(topic.to_bytes(32, "big") for topic in log.topics), bytes(log.data))
