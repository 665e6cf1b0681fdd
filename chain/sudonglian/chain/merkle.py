"""The log's Merkle tree: roots, proofs of inclusion, of consistency, and of a whole range of entries.

docs/spec/entry.md rules 2, 4 and 7; RFC 9162 §2.1 (SHA-256).
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

from sudonglian.chain.errors import ProofRefused

HASH_BYTES: Final = 32

MAX_SIZE: Final = 2**53 - 1
"""Sizes and indexes are written as JSON integers (canonical.md rule 9)."""

EMPTY_ROOT: Final = sha256().digest()

Nodes: TypeAlias = Callable[[int, int], bytes]
"""(level, index) to the hash of the complete subtree over leaves [index << level, (index + 1) << level)."""


class MerkleRefused(ProofRefused):
    """A Merkle proof that is malformed or does not lead to the root."""

    slug = "merkle"


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf's data."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes.

    >>> root([]) == EMPTY_ROOT, root([leaf_hash(b"a")]) == leaf_hash(b"a")
    (True, True)
    """
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        odd = [level[-1]] if len(level) & 1 else []
        level = _pair_up(level) + odd
    return level[0]


def inclusion_path(leaf_hashes: Sequence[bytes], index: int, size: int | None = None) -> list[bytes]:
    """Return the proof that the leaf at `index` is in the tree of the first `size` leaves (default: all)."""
    size = _within(leaf_hashes, size)
    return inclusion_path_from(_in_memory(leaf_hashes[:size]), index, size)


def consistency_path(leaf_hashes: Sequence[bytes], size1: int, size2: int | None = None) -> list[bytes]:
    """Return the proof that the tree of the first `size1` leaves is a prefix of that of `size2` (default: all)."""
    size2 = _within(leaf_hashes, size2)
    return consistency_path_from(_in_memory(leaf_hashes[:size2]), size1, size2)


def range_path(leaf_hashes: Sequence[bytes], start: int, end: int, size: int | None = None) -> list[bytes]:
    """Return the proof that the leaves [start, end) are in the tree of the first `size` leaves (default: all)."""
    size = _within(leaf_hashes, size)
    return range_path_from(_in_memory(leaf_hashes[:size]), start, end, size)


def root_from(nodes: Nodes, size: int) -> bytes:
    """Return the root of the first `size` leaves from stored nodes, in O(log size)."""
    _check_size(size)
    return _range_root(nodes, 0, size) if size else EMPTY_ROOT


def inclusion_path_from(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """Return an inclusion proof from stored nodes, in O(log size)."""
    _check_size(size)
    if not _is_count(index) or index >= size:
        raise MerkleRefused(f"the index is not a whole number below the size {size}")
    last = size - 1
    meet = (index ^ last).bit_length()
    # Below the level where the leaf and the last one meet, siblings are complete; above it they stand on the left.
    path = [nodes(level, index >> level ^ 1) for level in range(meet - 1)]
    if meet:
        path.append(_range_root(nodes, last >> meet - 1 << meet - 1, size))
    return path + [nodes(level, index >> level ^ 1) for level in range(meet, last.bit_length()) if index >> level & 1]


def consistency_path_from(nodes: Nodes, size1: int, size2: int) -> list[bytes]:
    """Return a consistency proof from stored nodes, in O(log² size)."""
    _check_size(size2)
    if not _is_count(size1) or not 0 < size1 <= size2:
        raise MerkleRefused(f"no consistency from that size to size {size2}")
    path: list[bytes] = []
    start, end, whole = 0, size2, True
    while size1 < end:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if size1 <= split:
            path.append(_range_root(nodes, split, end))
            end = split
        else:
            path.append(_range_root(nodes, start, split))
            start, whole = split, False
    if not whole:
        path.append(_range_root(nodes, start, end))
    return path[::-1]


def range_path_from(nodes: Nodes, start: int, end: int, size: int) -> list[bytes]:
    """Return a range proof from stored nodes, in O(log² size), however many leaves the range has."""
    return [
        _range_root(nodes, place << level, min(place + 1 << level, size)) for level, place in _beside(start, end, size)
    ]


def append(nodes: Nodes, size: int, leaf_hashes: Sequence[bytes]) -> list[tuple[int, int, bytes]]:
    """Return every node (level, index, hash) that becomes complete when leaves are added to a tree of `size`.

    Of the old tree only the O(log size) nodes at its right edge are asked for.
    """
    _check_size(size + len(leaf_hashes))
    done: list[tuple[int, int, bytes]] = []
    level, first, hashes = 0, size, list(leaf_hashes)
    while hashes:
        done.extend((level, first + place, digest) for place, digest in enumerate(hashes))
        if first & 1:
            first -= 1
            hashes.insert(0, nodes(level, first))
        hashes = _pair_up(hashes)
        first, level = first >> 1, level + 1
    return done


def verify_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Return if `path` proves the leaf at `index` of the tree (size, root); else raise MerkleRefused."""
    _check_hashes(leaf_hash, root)
    _check_size(size)
    if not _is_count(index) or index >= size:
        raise MerkleRefused(f"the index is not a whole number below the size {size}")
    inner = (index ^ (size - 1)).bit_length()
    _check_path(path, inner + (index >> inner).bit_count())
    digest = leaf_hash
    for place in range(inner):
        digest = node_hash(path[place], digest) if index >> place & 1 else node_hash(digest, path[place])
    for left in path[inner:]:
        digest = node_hash(left, digest)
    if digest != root:
        raise MerkleRefused(f"leaf {index} leads to root {digest.hex()}, not to {root.hex()}")


def verify_consistency(size1: int, root1: bytes, size2: int, root2: bytes, path: Sequence[bytes]) -> None:
    """Return if `path` proves tree (size1, root1) to be a prefix of (size2, root2); else raise MerkleRefused."""
    _check_hashes(root1, root2)
    _check_size(size1)
    _check_size(size2)
    if not 0 < size1 <= size2:
        raise MerkleRefused(f"no consistency from size {size1} to size {size2}")
    if size1 == size2:
        _check_path(path, 0)
        if root1 != root2:
            raise MerkleRefused(f"two roots of size {size1}: {root1.hex()} and {root2.hex()}")
        return
    # The walk starts at the largest complete subtree that ends at size1.
    shift = (size1 & -size1).bit_length() - 1
    inner = ((size1 - 1) ^ (size2 - 1)).bit_length()
    border = (size1 - 1 >> inner).bit_count()
    seeded = size1 == 1 << shift
    _check_path(path, inner - shift + border + (not seeded))
    old = new = root1 if seeded else path[0]
    rest = path if seeded else path[1:]
    for place in range(inner - shift):
        if size1 - 1 >> shift + place & 1:
            old, new = node_hash(rest[place], old), node_hash(rest[place], new)
        else:
            new = node_hash(new, rest[place])
    for left in rest[inner - shift :]:
        old, new = node_hash(left, old), node_hash(left, new)
    if old != root1:
        raise MerkleRefused(f"the proof leads to root {old.hex()} of size {size1}, not to {root1.hex()}")
    if new != root2:
        raise MerkleRefused(f"the proof leads to root {new.hex()} of size {size2}, not to {root2.hex()}")


def verify_range(leaf_hashes: Sequence[bytes], start: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Return if `path` proves the leaves from `start` on of the tree (size, root); else raise MerkleRefused.

    Of one leaf the proof is its inclusion proof, and of all leaves it is empty.
    """
    if not isinstance(leaf_hashes, (list, tuple)):
        raise MerkleRefused("a range is a list of leaf hashes")
    _check_hashes(root, *leaf_hashes)
    _check_size(size)
    if not _is_count(start):
        raise MerkleRefused("a range begins at a whole number")
    beside = _beside(start, start + len(leaf_hashes), size)
    _check_path(path, len(beside))
    given = dict(zip(beside, path, strict=True))
    level, first, count = list(leaf_hashes), start, size
    for height in range((size - 1).bit_length()):
        if first & 1:
            first -= 1
            level.insert(0, given[height, first])
        after = first + len(level)
        if after & 1 and after < count:
            level.append(given[height, after])
        odd = [level[-1]] if len(level) & 1 else []
        level = _pair_up(level) + odd
        first, count = first >> 1, count + 1 >> 1
    if level != [root]:
        raise MerkleRefused(f"the range leads to root {level[0].hex()}, not to {root.hex()}")


def _beside(start: int, end: int, size: int) -> list[tuple[int, int]]:
    """Return (level, place) of the nodes of a range proof: from the leaves up, on each level the left one first."""
    _check_size(size)
    if not _is_count(start) or not _is_count(end) or not start < end <= size:
        raise MerkleRefused(f"no range of leaves of a tree of {size}")
    found: list[tuple[int, int]] = []
    first, last, top = start, end - 1, size - 1
    for level in range(top.bit_length()):
        if first & 1:
            found.append((level, first - 1))
        if not last & 1 and last < top:
            found.append((level, last + 1))
        first, last, top = first >> 1, last >> 1, top >> 1
    return found


def _pair_up(level: list[bytes]) -> list[bytes]:
    # The hot loop of a million-leaf root: one comprehension, no call but the hash's.
    pairs = iter(level)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]


def _in_memory(leaf_hashes: Sequence[bytes]) -> Nodes:
    levels = [list(leaf_hashes)]
    while len(levels[-1]) > 1:
        levels.append(_pair_up(levels[-1]))
    return lambda level, index: levels[level][index]


def _range_root(nodes: Nodes, start: int, end: int) -> bytes:
    # [start, end) begins at a multiple of a power of two at least as large as itself.
    length, digest = end - start, b""
    while length:
        level = (length & -length).bit_length() - 1
        length -= 1 << level
        left = nodes(level, start + length >> level)
        digest = node_hash(left, digest) if digest else left
    return digest


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_SIZE


def _check_size(size: object) -> None:
    if not _is_count(size):
        raise MerkleRefused(f"a size is a whole number from 0 to {MAX_SIZE}")


def _check_hashes(*hashes: object) -> None:
    for value in hashes:
        if type(value) is not bytes or len(value) != HASH_BYTES:
            raise MerkleRefused(f"a hash is {HASH_BYTES} bytes")


def _check_path(path: object, due: int) -> None:
    if not isinstance(path, (list, tuple)):
        raise MerkleRefused("a proof is a list of hashes")
    if len(path) != due:
        raise MerkleRefused(f"the proof has {len(path)} hashes, must have {due}")
    _check_hashes(*path)


def _within(leaf_hashes: Sequence[bytes], size: int | None) -> int:
    if size is None:
        return len(leaf_hashes)
    if not _is_count(size) or size > len(leaf_hashes):
        raise MerkleRefused(f"the size is not a whole number up to the {len(leaf_hashes)} leaves")
    return size
