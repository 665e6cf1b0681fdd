"""The embedded chain recomputed from its first block to its last.

Ethereum Yellow Paper §4 (headers, tries, receipts); the rows beside the hashes are py-evm's index.
"""

from dataclasses import dataclass
from typing import Any, Final

import rlp
from eth.db.schema import SchemaV1
from eth.rlp.accounts import Account
from eth.rlp.sedes import chain_gaps
from eth.vm.forks.cancun import CancunVM

from sudonglian.chain.embedded_file import ChainFile, ChainFileDamaged, Table, sound
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import EMPTY_TRIE_PROOF

SCHEMA: Final[Any] = SchemaV1
"""py-evm's names of its rows; its types name every integer anew."""


@dataclass(frozen=True, slots=True)
class Integrity:
    """How much was recomputed when nothing was found wrong."""

    blocks: int
    transactions: int
    rows: int


def recompute(chain: Any, file: ChainFile) -> Integrity:
    """Recompute the whole chain, genesis first; ChainFileDamaged names the first bad block."""
    head_hash = file.table[SCHEMA.make_canonical_head_hash_lookup_key()]
    due: dict[bytes, bytes] = {SCHEMA.make_canonical_head_hash_lookup_key(): head_hash}
    seen: set[bytes] = set()
    parent, score, number, transactions = bytes(32), 0, 0, 0
    while parent != head_hash:
        with file.named(block=number):
            block_hash = chain.chaindb.get_canonical_block_hash(number)
            header = chain.get_block_header_by_hash(block_hash)
            score += number
            if (header.block_number, header.parent_hash) != (number, parent):
                raise ChainFileDamaged("does not follow its parent", block=number)
            if number:
                transactions += _recompute_body(chain, header, due)
            _visit(file.table, header.state_root, seen, accounts=True)
            due[SCHEMA.make_block_number_to_hash_lookup_key(number)] = rlp.encode(block_hash)
            due[SCHEMA.make_block_hash_to_score_lookup_key(block_hash)] = rlp.encode(score)
        parent, number = block_hash, number + 1
    for key in (SCHEMA.make_header_chain_gaps_lookup_key(), SCHEMA.make_chain_gaps_lookup_key()):
        if key in file.table:
            due[key] = rlp.encode(((), number), sedes=chain_gaps)
    rows = 0
    for key, value in file.rows():
        rows += 1
        if not isinstance(key, bytes) or (len(key) != 32 and due.pop(key, None) != value):
            raise ChainFileDamaged(f"index row {key!r:.60} is wrong", place=str(file.path))
        sound(key, value)
    if due:
        raise ChainFileDamaged(f"index row {min(due)!r:.60} is missing", place=str(file.path))
    return Integrity(number, transactions, rows)


def _recompute_body(chain: Any, header: Any, due: dict[bytes, bytes]) -> int:
    bodies = chain.chaindb.get_block_transactions(header, CancunVM.get_transaction_builder())
    receipts = chain.chaindb.get_receipts(header, CancunVM.get_receipt_builder())
    bloom, used = 0, 0
    for receipt in receipts:
        bloom |= receipt.bloom
        used = receipt.gas_used
    if (len(bodies), bloom, used) != (len(receipts), header.bloom, header.gas_used):
        raise ChainFileDamaged("transactions and receipts do not agree", block=header.block_number)
    for index, body in enumerate(bodies):
        key = SCHEMA.make_transaction_hash_to_block_lookup_key(body.hash)
        due[key] = rlp.encode([header.block_number, index])
    return len(bodies)


def _visit(table: Table, root: bytes, seen: set[bytes], *, accounts: bool) -> None:
    """Read every node that hangs on `root` and was not read before, and what hangs on accounts."""
    empty = keccak256(EMPTY_TRIE_PROOF)
    todo = [(root, accounts)]
    while todo:
        name, of_accounts = todo.pop()
        if name in seen or name == empty:
            continue
        seen.add(name)
        nodes = [rlp.decode(table[name])]
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
                        table[account.code_hash]
            for child in children:
                if isinstance(child, list):
                    nodes.append(child)
                elif child:
                    todo.append((child, of_accounts))
