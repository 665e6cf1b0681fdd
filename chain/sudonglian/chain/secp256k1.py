"""Signatures of Ethereum accounts: sign a digest, recover the address.

SEC 1 §4.1; Ethereum Yellow Paper appendix F (addresses, the lower half of s).
"""

from typing import Final

from coincurve import PrivateKey, PublicKey

from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class SignatureRefused(ProofRefused):
    """A signature or key that is malformed or from another key."""

    slug = "signature"


def address_of(public: PublicKey) -> bytes:
    """Return the address of a public key."""
    return keccak256(public.format(compressed=False)[1:])[12:]


def address_of_key(key: bytes) -> bytes:
    """Return the address of a private key."""
    return address_of(_private(key).public_key)


def sign(digest: bytes, key: bytes) -> bytes:
    """Return r ‖ s ‖ v (0 or 1), deterministic (RFC 6979), s in the lower half."""
    return bytes(_private(key).sign_recoverable(digest, hasher=None))


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the address that signed the digest; the signature is r ‖ s ‖ v with v 0 or 1."""
    if len(digest) != 32 or len(signature) != 65 or signature[64] > 1:
        raise SignatureRefused("a signature is r, s and v of 0 or 1 over a digest of 32 bytes")
    try:
        return address_of(PublicKey.from_signature_and_message(signature, digest, hasher=None))
    except Exception as error:  # coincurve raises a bare Exception for a point that is not on the curve
        raise SignatureRefused("no key made this signature") from error


def _private(key: bytes) -> PrivateKey:
    if len(key) != 32 or not 0 < int.from_bytes(key, "big") < ORDER:
        raise SignatureRefused("a private key is 32 bytes below the order of the curve")
    return PrivateKey(key)
