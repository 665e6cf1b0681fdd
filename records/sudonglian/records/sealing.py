"""Sealing: bytes under a key, bound to their place, in the one way in which the vault does it.

NIST SP 800-38D (AES-GCM); docs/spec/entry.md rule 6.
"""

from secrets import token_bytes
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sudonglian.records.errors import StoreCorrupt

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""AES-GCM's; random, so a key may seal 2^32 texts (NIST SP 800-38D §8.3)."""


def sealed(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """Return bytes under a key, which open only together with what they are bound to."""
    nonce = token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def opened(key: bytes, whole: bytes, bound_to: bytes, place: str) -> bytes:
    """Return what `sealed` was given.

    Raises
    ------
    StoreCorrupt
        Another key sealed it, it was altered, or it is bound to something else.
    """
    try:
        return AESGCM(key).decrypt(whole[:NONCE_BYTES], whole[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise StoreCorrupt("does not open with its key", place=place) from error
