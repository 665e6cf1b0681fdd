"""Recursive-length prefix: read strictly, so that one value has one encoding.

Ethereum Yellow Paper appendix B.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from sudonglian.chain.errors import ProofRefused

Item: TypeAlias = "bytes | list[Item]"

Encodable: TypeAlias = "bytes | int | Sequence[Encodable]"

MAX_DEPTH: Final = 8
"""A header's vote is four lists deep, a trie node two; nothing that we read is deeper."""


EMPTY_LIST: Final = b"\xc0"

_SHORT: Final = [bytes([0x80 + length]) for length in range(56)]


class RlpRefused(ProofRefused):
    """Bytes that are not the one encoding of anything."""

    slug = "rlp"


def decode(data: bytes) -> Item:
    """Return the one item that the bytes encode.

    >>> decode(bytes.fromhex("c26180"))
    [b'a', b'']

    Raises
    ------
    RlpRefused
        Truncated, trailing bytes, a length that is not the shortest, or nested deeper than `MAX_DEPTH`.
    """
    item, end = _item(data, 0, len(data), 0)
    if end != len(data):
        raise RlpRefused(f"{len(data) - end} bytes after the item")
    return item


def decode_list(data: bytes) -> list[Item]:
    """Return the list that the bytes encode; refuse a string."""
    item = decode(data)
    if not isinstance(item, list):
        raise RlpRefused("a string where a list is due")
    return item


def encode(item: Encodable) -> bytes:
    """Return the encoding; an integer is its shortest big-endian bytes.

    >>> encode([1, 0]).hex()
    'c20180'
    """
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return (_SHORT[len(item)] if len(item) < 56 else _prefix(0x80, len(item))) + item
    return encode_list(b"".join([encode(one) for one in item]))


def encode_list(payload: bytes) -> bytes:
    """Return the encoding of a list from those of its items, one after the other."""
    return _prefix(0xC0, len(payload)) + payload


def integer(item: Item, max_bytes: int = 32) -> int:
    """Return the integer that an item stands for, or refuse leading zeros and lists."""
    if not isinstance(item, bytes) or len(item) > max_bytes or item[:1] == b"\0":
        raise RlpRefused(f"not an integer of at most {max_bytes} bytes without leading zeros")
    return int.from_bytes(item, "big")


def string(item: Item, length: int | None = None) -> bytes:
    """Return an item's bytes, or refuse a list or another length."""
    if not isinstance(item, bytes) or (length is not None and len(item) != length):
        raise RlpRefused("not a string" if length is None else f"not a string of {length} bytes")
    return item


def _prefix(offset: int, length: int) -> bytes:
    if length < 56:
        return bytes([offset + length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(size)]) + size


def _item(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    if at >= end:
        raise RlpRefused("truncated")
    first = data[at]
    if first < 0x80:
        return data[at : at + 1], at + 1
    if first < 0xC0:
        start, stop = _extent(data, at, end, first - 0x80)
        if stop - start == 1 and data[start] < 0x80:
            raise RlpRefused("a small byte is its own encoding")
        return data[start:stop], stop
    if depth == MAX_DEPTH:
        raise RlpRefused(f"nested deeper than {MAX_DEPTH}")
    at, stop = _extent(data, at, end, first - 0xC0)
    items: list[Item] = []
    while at < stop:
        # Hashes, short numbers and nothing, nearly all of a trie: a call for each would double the time of a proof.
        size = data[at] - 0x80
        start, end = at + 1, at + 1 + size
        if (size == 0 or 1 < size < 56) and end <= stop:
            items.append(data[start:end])
            at = end
        else:
            item, at = _item(data, at, stop, depth + 1)
            items.append(item)
    return items, stop


def _extent(data: bytes, at: int, end: int, code: int) -> tuple[int, int]:
    start, length = at + 1, code
    if code > 55:
        start = at + 1 + code - 55
        digits = data[at + 1 : min(start, end)]
        length = int.from_bytes(digits, "big")
        if len(digits) != code - 55 or digits[0] == 0 or length < 56:
            raise RlpRefused("a length that is not the shortest")
    if start + length > end:
        raise RlpRefused("truncated")
    return start, start + length
