"""The lot map: which records name an identifier, as a sparse Merkle map of counted hash chains.

docs/spec/seal.md rules 5-8.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple, TypeAlias

from sudonglian.chain.errors import ProofRefused

START: Final = bytes(32)
"""The chain of no record."""

EMPTY: Final = bytes(32)
"""The hash of a subtree without keys, and so the root of the empty map."""

KEY_BITS: Final = 256

MAX_COUNT: Final = 2**53 - 1
"""Counts are written as JSON integers (canonical.md rule 9)."""

Value: TypeAlias = tuple[int, bytes]
"""(count, c_count): how many records name the identifier, and the chain over them."""


class LotMapRefused(ProofRefused):
    """A map proof that does not lead to the root, or a stored map that contradicts itself."""

    slug = "lot-map"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A subtree with one key."""

    key: bytes
    count: int
    c: bytes

    def hash(self) -> bytes:
        """Return the subtree's hash."""
        return leaf(self.key, self.count, self.c)


class Inner(NamedTuple):
    """A subtree with several keys; a side without keys is `EMPTY`."""

    left: bytes
    right: bytes

    def hash(self) -> bytes:
        """Return the subtree's hash."""
        return sha256(b"\x01" + self.left + self.right).digest()


Node: TypeAlias = Leaf | Inner

Get: TypeAlias = Callable[[int, bytes], Node | None]
"""(depth, prefix) to the stored node: `prefix` is the key's first `depth` bits in ⌈depth/8⌉ bytes, zeros after."""


@dataclass(frozen=True, slots=True)
class MapProof:
    """Siblings from the deepest to the root, and the terminal: a value, another leaf, or neither (empty)."""

    path: list[bytes]
    value: Value | None
    other: Leaf | None


def key(identifier: str) -> bytes:
    """Return the map's key of an identifier in its normal form."""
    try:
        return sha256(b"sudonglian/lot/v1\x00" + identifier.encode()).digest()
    except UnicodeEncodeError as error:
        raise LotMapRefused("the identifier holds an unpaired surrogate") from error


def chain_next(c: bytes, record_hash: bytes) -> bytes:
    """Return the chain after one more record."""
    return sha256(b"sudonglian/lotchain/v1\x00" + c + record_hash).digest()


def chain_over(record_hashes: Sequence[bytes], c: bytes = START) -> bytes:
    """Return the chain over records in log order."""
    for record_hash in record_hashes:
        c = chain_next(c, record_hash)
    return c


def leaf(key: bytes, count: int, c: bytes) -> bytes:
    """Return the hash of a subtree with one key."""
    return sha256(b"\x00" + key + count.to_bytes(8, "big") + c).digest()


def prefix_of(key: bytes, depth: int) -> bytes:
    """Return the address of the node at `depth` on the way to `key`.

    >>> prefix_of(bytes([255] * 32), 12).hex()
    'fff0'
    """
    whole, bits = depth >> 3, depth & 7
    return key[:whole] + _FIRST_BITS[bits][key[whole]] if bits else key[:whole]


_FIRST_BITS: Final = tuple(tuple(bytes([byte & 0xFF00 >> bits & 0xFF]) for byte in range(256)) for bits in range(8))
"""For a number of bits and a byte, the byte with the bits behind them zero: a seal asks this a hundred times a record."""


def update(get: Get, root: bytes, changes: Mapping[bytes, Value]) -> tuple[bytes, list[tuple[int, bytes, Node]]]:
    """Set keys to values; return the new root and every node written, as (depth, prefix, node).

    `get` answers for the map whose root is `root`; nodes are only ever replaced, never removed. The order of
    updates leaves no trace: the same keys and values give the same root.

    Raises
    ------
    LotMapRefused
        A key or value that cannot be, or a stored node that is not what its parent says.
    """
    for name, (count, c) in changes.items():
        _check_leaf(name, count, c)
    written: list[tuple[int, bytes, Node]] = []
    leaves = {name: Leaf(name, count, c) for name, (count, c) in changes.items()}
    return (_apply(get, 0, root, leaves, sorted(leaves), 0, len(leaves), written) if leaves else root), written


def prove(get: Get, root: bytes, key: bytes) -> MapProof:
    """Return the proof of what the map of `root` says about `key`."""
    path: list[bytes] = []
    expected = root
    for depth in range(KEY_BITS + 1):
        if expected == EMPTY:
            return MapProof(path[::-1], None, None)
        node = _stored(get, depth, prefix_of(key, depth), expected)
        if isinstance(node, Leaf):
            if node.key == key:
                return MapProof(path[::-1], (node.count, node.c), None)
            return MapProof(path[::-1], None, node)
        sides = (node.left, node.right)
        side = _bit(key, depth)
        path.append(sides[1 - side])
        expected = sides[side]
    raise LotMapRefused("a stored map is deeper than its keys")


def verify_map(key: bytes, value: Value | None, other: Leaf | None, path: Sequence[bytes], root: bytes) -> None:
    """Return if the map of `root` says `value` of `key` (None: that it has no such key); else refuse.

    Raises
    ------
    LotMapRefused
        The proof is malformed or leads to another root.
    """
    if not isinstance(path, (list, tuple)) or len(path) > KEY_BITS:
        raise LotMapRefused(f"a map proof is a list of at most {KEY_BITS} hashes")
    for digest in (key, root, *path):
        if type(digest) is not bytes or len(digest) != 32:
            raise LotMapRefused("keys and hashes are 32 bytes")
    if value is not None and other is not None:
        raise LotMapRefused("the proof ends in a value and in another leaf")
    depth = len(path)
    digest = EMPTY
    if value is not None:
        if not isinstance(value, tuple) or len(value) != 2:
            raise LotMapRefused("a value is a count and a chain")
        _check_leaf(key, *value)
        digest = leaf(key, *value)
    elif other is not None:
        if not isinstance(other, Leaf):
            raise LotMapRefused("the proof's other end is not a leaf")
        _check_leaf(other.key, other.count, other.c)
        if other.key == key or prefix_of(other.key, depth) != prefix_of(key, depth):
            raise LotMapRefused("the other leaf does not stand where the key would")
        digest = other.hash()
    for place, sibling in enumerate(path):
        node = Inner(sibling, digest) if _bit(key, depth - 1 - place) else Inner(digest, sibling)
        digest = node.hash()
    if digest != root:
        raise LotMapRefused(f"the map proof leads to root {digest.hex()}, not to {root.hex()}")


def first_right(keys: Sequence[bytes], depth: int, first: int, last: int) -> int:
    """Return where in [first, last) the keys go right at `depth`: they are sorted, and agree in the bits before it."""
    if _bit(keys[first], depth):
        return first
    if not _bit(keys[last - 1], depth):
        return last
    return bisect_left(keys, 1, first, last, key=lambda one: _bit(one, depth))


def _apply(
    get: Get,
    depth: int,
    expected: bytes,
    leaves: dict[bytes, Leaf],
    keys: Sequence[bytes],
    first: int,
    last: int,
    written: list[tuple[int, bytes, Node]],
) -> bytes:
    left = right = EMPTY
    prefix = prefix_of(keys[first], depth)
    if expected != EMPTY:
        node = _stored(get, depth, prefix, expected)
        if isinstance(node, Inner):
            left, right = node.left, node.right
        elif node.key not in leaves:
            leaves[node.key] = node
            keys = sorted([*keys[first:last], node.key])
            first, last = 0, len(keys)
    if last - first == 1 and left == right == EMPTY:
        result: Node = leaves[keys[first]]
    else:
        cut = first_right(keys, depth, first, last)
        if first < cut:
            left = _apply(get, depth + 1, left, leaves, keys, first, cut, written)
        if cut < last:
            right = _apply(get, depth + 1, right, leaves, keys, cut, last, written)
        result = Inner(left, right)
    written.append((depth, prefix, result))
    return result.hash()


def _stored(get: Get, depth: int, prefix: bytes, expected: bytes) -> Node:
    node = get(depth, prefix)
    if node is None or node.hash() != expected:
        raise LotMapRefused(f"the stored node at depth {depth}, prefix {prefix.hex()} is not what its parent says")
    return node


def _bit(key: bytes, depth: int) -> int:
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


def _check_leaf(key: object, count: object, c: object) -> None:
    if type(key) is not bytes or len(key) != 32 or type(c) is not bytes or len(c) != 32:
        raise LotMapRefused("a key and a chain are 32 bytes")
    if type(count) is not int or not 0 < count <= MAX_COUNT:
        raise LotMapRefused(f"a count is a whole number from 1 to {MAX_COUNT}")
