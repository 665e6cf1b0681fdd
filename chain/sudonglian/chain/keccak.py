"""Keccak-256 as Ethereum uses it.

Ethereum yellow paper §3 (the original Keccak padding, not FIPS 202's).
"""

from Crypto.Hash import keccak as _keccak

try:  # the server has it, several times as fast; a bare verifier does without
    from sha3 import keccak_256 as _fast
except ImportError:
    _fast = None


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte digest.

    >>> keccak256(b"").hex()[:16]
    'c5d2460186f7233c'
    """
    if _fast is not None:
        digest: bytes = _fast(data).digest()
        return digest
    return slow_keccak256(data)


def slow_keccak256(data: bytes) -> bytes:
    """Return the same from the base install's package."""
    return _keccak.new(digest_bits=256, data=data).digest()
