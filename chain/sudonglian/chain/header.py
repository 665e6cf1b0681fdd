"""Block headers: what a proof needs of one.

Ethereum Yellow Paper §4.4 (field order); later forks append fields.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sudonglian.chain import rlp
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.rlp import Item

MIN_FIELDS: Final = 15
MAX_FIELDS: Final = 32
"""Prague has 21; forks to come may append, and nothing that they append is read."""

MAX_BYTES: Final = 64 * 1024
"""A QBFT header with 500 seals has 45 KB; others have 600 bytes."""

EXTRA_DATA: Final = 12

KEPT: Final = 64
"""Headers that are remembered: bundles of one anchor, and the signatures of one, rest on the same."""


class HeaderRefused(ProofRefused):
    """Bytes that are no block header."""

    slug = "header"


@dataclass(frozen=True, slots=True)
class Header:
    """The fields that proofs read, and all of them as they stand."""

    parent: bytes
    state_root: bytes
    number: int
    timestamp: int
    extra_data: bytes
    hash: bytes
    """keccak-256 of the encoding: the block's hash, but not on a QBFT chain (see qbft)."""
    fields: tuple[Item, ...]


@lru_cache(maxsize=KEPT)
def parse(raw: bytes) -> Header:
    """Read a header's RLP, or refuse it (HeaderRefused, RlpRefused); what was read is remembered, and not to change."""
    if len(raw) > MAX_BYTES:
        raise HeaderRefused(f"longer than {MAX_BYTES} bytes")
    fields = rlp.decode_list(raw)
    if not MIN_FIELDS <= len(fields) <= MAX_FIELDS:
        raise HeaderRefused(f"{len(fields)} fields")
    return Header(
        parent=rlp.string(fields[0], 32),
        state_root=rlp.string(fields[3], 32),
        number=rlp.integer(fields[8], 8),
        timestamp=rlp.integer(fields[11], 8),
        extra_data=rlp.string(fields[EXTRA_DATA]),
        hash=keccak256(raw),
        fields=tuple(fields),
    )
