"""An EVM chain in one file: py-evm above SQLite, one block a transaction, safe to kill at any moment.

docs/decisions/0101-embedded-chain.md says why and what it proves; the face is network.Network.
"""

import fcntl
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final

import rlp
from eth.chains.base import MiningChain
from eth.consensus.pos import PosConsensus
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.db.schema import SchemaV1 as _SchemaV1
from eth.exceptions import Revert, TransactionNotFound
from eth.rlp.accounts import Account
from eth.rlp.sedes import chain_gaps
from eth.vm.forks.cancun import CancunVM
from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas
from eth.vm.spoof import SpoofTransaction
from eth_keys.backends import get_backend
from eth_keys.backends.coincurve import CoinCurveECCBackend
from trie.hexary import HexaryTrie

from sudonglian.chain.errors import ChainError, SudonglianError
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import (
    ANCHORED_TOPIC,
    EMPTY_TRIE_PROOF,
    AccountProof,
    AlreadyKnown,
    Block,
    CallReverted,
    ChainIdentity,
    Fees,
    InsufficientFunds,
    Log,
    NetworkRefused,
    NetworkUnreachable,
    NonceTooLow,
    Receipt,
    Underpriced,
    bloom_may_hold,
)
from sudonglian.chain.wallet import create_address

CHAIN_ID: Final = int.from_bytes(b"sudong", "big")
"""126948033392231: ours alone, and neither Hardhat's 31337 nor eth-tester's, whose keys everybody knows."""

APPLICATION_ID: Final = int.from_bytes(b"SDLC", "big")
"""In SQLite's header, so that another application's file is refused by name."""

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

LOCK_WAIT_S: Final = 30
"""A block takes ten milliseconds; whoever holds the file for longer is stuck."""
LOCK_POLL_S: Final = 0.005

WORST_RAW_BYTES: Final = 131_072
"""What public networks accept as one transaction."""

INLINE_NODE_BYTES: Final = 32
"""A trie node shorter than its hash lives inside its parent, and is no element of a proof."""

_NOT_THE_FILES_FAULT: Final = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
)


class ChainFileDamaged(ChainError):
    """The chain file is not what was written; `block` is the first bad block, where one can be named."""

    slug = "chain-file-damaged"

    def __init__(self, reason: str, *, place: str = "", block: int | None = None) -> None:
        super().__init__(reason if block is None else f"block {block}: {reason}", place=place)
        self.block = block


class ClockBehind(NetworkRefused):
    """The machine's clock is far behind the chain's latest block."""

    slug = "chain-clock-behind"


class WrongChainId(NetworkRefused):
    """The transaction was signed for another chain."""

    slug = "chain-wrong-id"


class NonceGap(NetworkRefused):
    """A transaction before this one is missing; there is no pool here in which it could wait."""

    slug = "chain-nonce-gap"


@dataclass(frozen=True, slots=True)
class Integrity:
    """How much was recomputed when nothing was found wrong."""

    blocks: int
    transactions: int
    rows: int


class _Table(BaseDB):
    """SQLite as py-evm's key-value store. Keys of 32 bytes are hashes of their values, checked at every read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __getitem__(self, key: bytes) -> bytes:
        row = self.connection.execute("SELECT v FROM kv WHERE k = ?", (bytes(key),)).fetchone()
        if row is None:
            raise KeyError(key)
        return _sound(bytes(key), row[0])

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.connection.execute("INSERT OR REPLACE INTO kv VALUES (?, ?)", (bytes(key), bytes(value)))

    def __delitem__(self, key: bytes) -> None:
        if self.connection.execute("DELETE FROM kv WHERE k = ?", (bytes(key),)).rowcount == 0:
            raise KeyError(key)

    def _exists(self, key: bytes) -> bool:
        return self.connection.execute("SELECT 1 FROM kv WHERE k = ?", (bytes(key),)).fetchone() is not None


_Schema: Final[Any] = _SchemaV1
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
        self._mutex = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=LOCK_WAIT_S)
        except sqlite3.Error as error:
            raise NetworkUnreachable(f"cannot be opened: {error}", place=str(path)) from None
        try:
            with self._named():
                self._open(genesis_accounts)
        except BaseException:
            self._connection.close()
            raise

    def _open(self, genesis_accounts: Mapping[bytes, int] | None) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        # An acknowledged block survives the machine, not only the process.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._table = _Table(self._connection)
        db = AtomicDB(self._table)
        if self._pragma("schema_version") == 0:
            with self._writing():
                # Another process may have been first.
                if self._pragma("schema_version") == 0:
                    self._found(db, genesis_accounts)
        if self._pragma("application_id") != APPLICATION_ID:
            raise ChainFileDamaged("not a chain file of sudonglian")
        # py-evm's own types name every integer and every bytes anew.
        self._chain: Any = _Chain(db)
        genesis = self._chain.get_canonical_block_header_by_number(0)
        if not genesis.extra_data.startswith(EXTRA_PREFIX):
            raise ChainFileDamaged("the genesis block is not ours", block=0)
        self._identity = ChainIdentity(CHAIN_ID, genesis.hash)

    def _found(self, db: AtomicDB, genesis_accounts: Mapping[bytes, int] | None) -> None:
        self._connection.execute("CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID")
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
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
        with self._named():
            return int(self._head().block_number)

    def block(self, number: int) -> Block | None:
        """Return a block, or None above the head."""
        with self._named(block=number):
            if not 0 <= number <= self._head().block_number:
                return None
            header = self._chain.get_canonical_block_header_by_number(number)
            return Block(number, header.hash, header.parent_hash, header.timestamp, rlp.encode(header))

    def balance(self, address: bytes) -> int:
        """Return an account's wei."""
        with self._named():
            return int(self._state().get_balance(address))

    def nonce(self, address: bytes, *, pending: bool = False) -> int:
        """Return the account's next nonce; nothing is ever pending here."""
        del pending
        with self._named():
            return int(self._state().get_nonce(address))

    def fees(self) -> Fees:
        """Return twice the next block's base fee; there is no miner to tip."""
        with self._named():
            return Fees(max_fee=2 * max(calculate_expected_base_fee_per_gas(self._head()), 1), priority_fee=0)

    def send_raw(self, raw: bytes) -> bytes:
        """Execute a signed transaction and seal it in a block of its own; durable when this returns."""
        transaction = self._decoded(raw)
        while True:
            with self._named(), self._writing():
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
        with self._named():
            try:
                number, index = self._chain.chaindb.get_transaction_index(tx_hash)
            except TransactionNotFound:
                return None
            header = self._chain.get_canonical_block_header_by_number(number)
            transaction = self._chain.get_canonical_transaction_by_index(number, index)
            found = self._chain.chaindb.get_receipt_by_index(number, index, CancunVM.get_receipt_builder())
            status = int.from_bytes(found.state_root, "big")
            made = create_address(transaction.sender, transaction.nonce) if status and not transaction.to else None
            logs = tuple(
                Log(bytes(log.address), tuple(t.to_bytes(32, "big") for t in log.topics), bytes(log.data))
                for log in found.logs
            )
            # One transaction a block: what the block has used, it has used.
            return Receipt(status, number, header.hash, tx_hash, int(found.gas_used), logs, made)

    def call(self, to: bytes, data: bytes) -> bytes:
        """Call a contract at the head."""
        with self._named():
            head = self._head()
            vm: Any = self._chain.get_vm(head)
            plain = vm.create_unsigned_transaction(nonce=0, gas_price=0, gas=head.gas_limit, to=to, value=0, data=data)
            with vm.in_costless_state() as state:
                computation = state.costless_execute_transaction(SpoofTransaction(plain, from_=bytes(20)))
            if computation.is_error:
                if isinstance(computation.error, Revert):
                    raise CallReverted(bytes(computation.output), place=f"0x{to.hex()}")
                raise NetworkRefused(f"the call failed: {computation.error!r}", place=f"0x{to.hex()}")
            return bytes(computation.output)

    def code(self, address: bytes) -> bytes:
        """Return a contract's code."""
        with self._named():
            return bytes(self._state().get_code(address))

    def transaction_known(self, tx_hash: bytes) -> bool:
        """Return whether a block holds the transaction."""
        with self._named():
            return self._known(tx_hash)

    def proof(self, address: bytes, slots: Sequence[bytes], block_number: int) -> AccountProof:
        """Return the proofs under the state root of a block; all states are kept."""
        with self._named(block=block_number):
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
        """Return the blocks with Anchored events, by their bloom filters first and their receipts then."""
        found = []
        for number in range(max(from_block, 0), self.head() + 1):
            with self._named(block=number):
                header = self._chain.get_canonical_block_header_by_number(number)
                if not bloom_may_hold(header.bloom.to_bytes(256, "big"), contract, ANCHORED_TOPIC):
                    continue
                topic = int.from_bytes(ANCHORED_TOPIC, "big")
                receipts = self._chain.chaindb.get_receipts(header, CancunVM.get_receipt_builder())
                if any(
                    log.address == contract and log.topics[:1] == (topic,)
                    for receipt in receipts
                    for log in receipt.logs
                ):
                    found.append((number, header.hash))
        return found

    def close(self) -> None:
        """Close the file. A chain that is killed instead loses nothing."""
        with self._mutex:
            self._connection.close()

    # What only a file can do

    def copy_to(self, path: Path) -> None:
        """Copy the chain, consistent and durable, while others read and write; never over another file."""
        with self._named():
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            os.close(handle)
            temporary = Path(name)
            try:
                with closing(sqlite3.connect(temporary)) as copy:
                    self._connection.backup(copy)
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                os.link(temporary, path)
            except OSError as error:
                raise ChainError(f"the copy cannot be written: {error.strerror}", place=str(path)) from None
            finally:
                temporary.unlink(missing_ok=True)

    def integrity(self) -> Integrity:
        """Recompute the whole chain; ChainFileDamaged names the first block that is not as it was written.

        Shown: every header hashes to its name and follows its parent, its transactions, receipts and state are
        there and hash to its roots, and the index rows agree. Not shown: that a block at the end was not cut off.
        """
        with self._named():
            self._connection.execute("BEGIN")
            try:
                report = self._recomputed()
            finally:
                self._connection.execute("ROLLBACK")
        with self._named():
            said = self._connection.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            raise ChainFileDamaged(f"SQLite says: {said:.200}", place=str(self.path))
        return report

    def _recomputed(self) -> Integrity:
        head_hash = self._table[_Schema.make_canonical_head_hash_lookup_key()]
        due: dict[bytes, bytes] = {_Schema.make_canonical_head_hash_lookup_key(): head_hash}
        seen: set[bytes] = set()
        parent, score, number, transactions = bytes(32), 0, 0, 0
        while parent != head_hash:
            with self._named(block=number):
                block_hash = self._chain.chaindb.get_canonical_block_hash(number)
                header = self._chain.get_block_header_by_hash(block_hash)
                score += number
                if (header.block_number, header.parent_hash) != (number, parent):
                    raise ChainFileDamaged("does not follow its parent", block=number)
                if number:
                    transactions += self._recompute_body(header, due)
                self._visit(header.state_root, seen, accounts=True)
                due[_Schema.make_block_number_to_hash_lookup_key(number)] = rlp.encode(block_hash)
                due[_Schema.make_block_hash_to_score_lookup_key(block_hash)] = rlp.encode(score)
            parent, number = block_hash, number + 1
        for key in (_Schema.make_header_chain_gaps_lookup_key(), _Schema.make_chain_gaps_lookup_key()):
            if key in self._table:
                due[key] = rlp.encode(((), number), sedes=chain_gaps)
        rows = 0
        for key, value in self._connection.execute("SELECT k, v FROM kv"):
            rows += 1
            if not isinstance(key, bytes) or (len(key) != 32 and due.pop(key, None) != value):
                raise ChainFileDamaged(f"index row {key!r:.60} is wrong", place=str(self.path))
            _sound(key, value)
        if due:
            raise ChainFileDamaged(f"index row {min(due)!r:.60} is missing", place=str(self.path))
        return Integrity(number, transactions, rows)

    def _recompute_body(self, header: Any, due: dict[bytes, bytes]) -> int:
        bodies = self._chain.chaindb.get_block_transactions(header, CancunVM.get_transaction_builder())
        receipts = self._chain.chaindb.get_receipts(header, CancunVM.get_receipt_builder())
        bloom, used = 0, 0
        for receipt in receipts:
            bloom |= receipt.bloom
            used = receipt.gas_used
        if (len(bodies), bloom, used) != (len(receipts), header.bloom, header.gas_used):
            raise ChainFileDamaged("transactions and receipts do not agree", block=header.block_number)
        for index, body in enumerate(bodies):
            key = _Schema.make_transaction_hash_to_block_lookup_key(body.hash)
            due[key] = rlp.encode([header.block_number, index])
        return len(bodies)

    def _visit(self, root: bytes, seen: set[bytes], *, accounts: bool) -> None:
        """Read every node that hangs on `root` and was not read before, and what hangs on accounts."""
        empty = keccak256(EMPTY_TRIE_PROOF)
        todo = [(root, accounts)]
        while todo:
            name, of_accounts = todo.pop()
            if name in seen or name == empty:
                continue
            seen.add(name)
            nodes = [rlp.decode(self._table[name])]
            while nodes:
                node = nodes.pop()
                if len(node) == 17:
                    children = node[:16]
                elif node[0][0] >> 4 < 2:
                    children = [node[1]]
                else:
                    children = []
                    if of_accounts:
                        account = rlp.decode(node[1], Account)
                        todo.append((account.storage_root, False))
                        if account.code_hash != keccak256(b"") and account.code_hash not in seen:
                            seen.add(account.code_hash)
                            self._table[account.code_hash]
                for child in children:
                    if isinstance(child, list):
                        nodes.append(child)
                    elif child:
                        todo.append((child, of_accounts))

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
        except SudonglianError:
            raise
        except sqlite3.Error:
            raise
        except Exception as error:
            raise NetworkRefused(f"the transaction cannot be executed: {error!r:.200}") from error
        self._chain.mine_block()

    def _head(self) -> Any:
        return self._chain.get_canonical_head()

    def _state(self) -> Any:
        return self._chain.get_vm(self._head()).state

    def _known(self, tx_hash: bytes) -> bool:
        return _Schema.make_transaction_hash_to_block_lookup_key(tx_hash) in self._table

    def _walk(self, root: bytes, name: bytes) -> tuple[bytes, tuple[bytes, ...]]:
        trie: Any = HexaryTrie(self._table, root)
        key = keccak256(name)
        nodes = [rlp.encode(node) for node in trie.get_proof(key)]
        path = tuple(n for i, n in enumerate(nodes) if i == 0 or len(n) >= INLINE_NODE_BYTES)
        return bytes(trie[key]), path or (EMPTY_TRIE_PROOF,)

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the file against all other writers, in one transaction: a block is there wholly or not at all."""
        try:
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NetworkUnreachable(f"the lock cannot be opened: {error.strerror}", place=str(self.path)) from None
        try:
            _wait_for(lock, self.path)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        finally:
            # Also gives the lock back, as does the death of the process.
            os.close(lock)

    @contextmanager
    def _named(self, *, block: int | None = None) -> Iterator[None]:
        """Hold the mutex, and let nothing out but errors of our tree."""
        with self._mutex:
            try:
                yield
            except SudonglianError:
                raise
            except sqlite3.Error as error:
                code = getattr(error, "sqlite_errorname", None) or ""
                if code.startswith(_NOT_THE_FILES_FAULT):
                    raise NetworkUnreachable(f"SQLite: {error}", place=str(self.path)) from error
                if isinstance(error, sqlite3.ProgrammingError):
                    raise NetworkUnreachable("the chain is closed", place=str(self.path)) from error
                raise ChainFileDamaged(f"SQLite: {error}", place=str(self.path), block=block) from error
            except Exception as error:
                # py-evm, trie and rlp have no common root of errors, and every one of them means here that
                # something which this chain once wrote is missing or altered.
                raise ChainFileDamaged(f"{error!r:.300}", place=str(self.path), block=block) from error


def _sound(key: bytes, value: object) -> bytes:
    """Return a stored value, or refuse one that its own key contradicts."""
    if not isinstance(value, bytes):
        raise ChainFileDamaged(f"row 0x{key.hex()} holds no bytes")
    if len(key) == 32 and keccak256(value) != key:
        raise ChainFileDamaged(f"row 0x{key.hex()} does not hash to its key")
    return value


def _wait_for(lock: int, path: Path, now: Callable[[], float] = time.monotonic) -> None:
    until = now() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if now() > until:
                raise NetworkUnreachable("another process holds the chain file", place=str(path)) from None
            time.sleep(LOCK_POLL_S)
        else:
            return
