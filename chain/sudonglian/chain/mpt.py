"""Merkle-Patricia proofs: an account under a state root, a slot under a storage root.

Ethereum Yellow Paper §4.1 and appendix D; EIP-1186 (what eth_getProof returns). Inclusion only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sudonglian.chain import rlp
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.rlp import Item

MAX_NODES: Final = 65
"""64 nibbles of a hashed key, one branch each at most, and the leaf."""

KEPT_NODES: Final = 1024
"""Read nodes that are kept, 3 KB each: proofs of one block, as of two signatures and an anchor, share most of theirs."""

MAX_NODE_BYTES: Final = 1024
"""A full branch has 532 bytes, an account's leaf 150: more is not decoded."""


class TrieRefused(ProofRefused):
    """A trie proof that does not lead to a value."""

    slug = "trie"


@dataclass(frozen=True, slots=True)
class Account:
    """An account's state."""

    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes


def verify_account(state_root: bytes, address: bytes, proof: Sequence[bytes]) -> Account:
    """Return the account that the state holds at the address.

    Raises
    ------
    TrieRefused, RlpRefused
        The proof is malformed, has a node too many or too few, or shows that there is no such account.
    """
    fields = rlp.decode_list(verify_value(state_root, address, proof))
    if len(fields) != 4:
        raise TrieRefused("an account has four fields")
    nonce, balance, storage_root, code_hash = fields
    return Account(rlp.integer(nonce, 8), rlp.integer(balance), rlp.string(storage_root, 32), rlp.string(code_hash, 32))


def verify_storage(storage_root: bytes, slot: bytes, proof: Sequence[bytes]) -> int:
    """Return the value, never zero, that the storage holds in the slot (32 bytes)."""
    value = rlp.integer(rlp.decode(verify_value(storage_root, slot, proof)))
    if value == 0:
        raise TrieRefused("a slot of zero is not in a trie")
    return value


def verify_value(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes:
    """Return what a secure trie (keys hashed) holds under the key.

    A node that its parent embeds, being shorter than a hash, is refused. None stands on the way to what we read:
    roots, party ids, windows and accounts are long, so that their leaves would be that short only where two keys,
    which are hashes, agree in more than two hundred bits.
    """
    if len(proof) > MAX_NODES:
        raise TrieRefused(f"more than {MAX_NODES} nodes")
    nibbles = keccak256(key).hex()
    expected = root
    for place, raw in enumerate(proof):
        if len(raw) > MAX_NODE_BYTES:
            raise TrieRefused(f"node {place} is longer than {MAX_NODE_BYTES} bytes")
        digest, node = read_node(raw)
        if digest != expected:
            raise TrieRefused(f"node {place} is not the one that is referred to")
        if len(node) == 17:
            if node[16] != b"":
                raise TrieRefused(f"node {place}: a branch with a value, though all keys have one length")
            child, nibbles = node[int(nibbles[:1], 16)] if nibbles else b"", nibbles[1:]
        elif len(node) == 2:
            leaf, path = _path(node[0])
            if not nibbles.startswith(path) or (leaf and path != nibbles):
                raise TrieRefused("the proof shows that the key is absent")
            child, nibbles = node[1], nibbles[len(path) :]
            if leaf:
                if place != len(proof) - 1:
                    raise TrieRefused("nodes after the leaf")
                return rlp.string(child)
            if not path:
                raise TrieRefused(f"node {place}: an extension by nothing")
        else:
            raise TrieRefused(f"node {place} has {len(node)} items")
        if child == b"":
            raise TrieRefused("the proof shows that the key is absent")
        expected = _reference(child, place)
    raise TrieRefused("the proof ends before the leaf")


@lru_cache(maxsize=KEPT_NODES)
def read_node(raw: bytes) -> tuple[bytes, tuple[Item, ...]]:
    """Return a node's hash and its items, and remember them."""
    return keccak256(raw), tuple(rlp.decode_list(raw))


def _path(item: Item) -> tuple[bool, str]:
    text = rlp.string(item).hex()
    # Yellow Paper (194): flag 0/1 extension, 2/3 leaf; odd lengths put their first nibble beside the flag.
    if text[:1] in ("1", "3"):
        return text[0] == "3", text[1:]
    if text[:2] in ("00", "20"):
        return text[0] == "2", text[2:]
    raise TrieRefused("a path with no such flag")


def _reference(child: Item, place: int) -> bytes:
    if not isinstance(child, bytes) or len(child) != 32:
        raise TrieRefused(f"node {place} refers to its child by something else than a hash")
    return child
