"""Keccak-256 as Ethereum uses it.

Ethereum yellow paper §3 (the original Keccak padding, not FIPS 202's).
"""

from Crypto.Hash import keccak as _keccak


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte digest.

    >>> keccak256(b"").hex()[:16]
    'c5d2460186f7233c'
    """
    return _keccak.new(digest_bits=256, data=data).digest()
