"""A key that signs transactions: its file, its address, its EIP-1559 signature.

SEC 1 (secp256k1), EIP-2 (low s), EIP-1559 (transaction type 2), EIP-55 (address with a checksum).
"""

import contextlib
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coincurve import PrivateKey

from sudonglian.chain.errors import ChainError
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import ADDRESS_BYTES
from sudonglian.chain.rlp import Encodable
from sudonglian.chain.rlp import encode as rlp_encode

KEY_BYTES: Final = 32
FILE_MODE: Final = 0o600
EIP1559: Final = b"\x02"
MAX_KEY_FILE_BYTES: Final = 256
"""A key is 64 digits; whatever is longer is another file, and is not read into an error's text."""


class WalletRefused(ChainError):
    """A key file that is missing, readable by others, or no key."""

    slug = "wallet"


@dataclass(frozen=True, slots=True)
class Transaction:
    """An EIP-1559 transaction before it is signed; `to` None creates a contract."""

    chain_id: int
    nonce: int
    max_fee: int
    priority_fee: int
    gas: int
    to: bytes | None
    data: bytes
    value: int = 0


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """What is saved before it is sent, and the hash under which it is found again."""

    raw: bytes
    tx_hash: bytes


class Wallet:
    """One secp256k1 key. Its `repr` shows the address, never the key."""

    def __init__(self, secret: bytes) -> None:
        try:
            self._key = PrivateKey(secret)
        except (ValueError, TypeError):
            raise WalletRefused("not a secp256k1 key: must be 32 bytes, between zero and the group's order") from None
        if len(secret) != KEY_BYTES:
            raise WalletRefused(f"a key has {KEY_BYTES} bytes, not {len(secret)}")
        self.address: Final = address_of(self._key.public_key.format(compressed=False))

    def __repr__(self) -> str:
        return f"Wallet({checksum_address(self.address)})"

    @property
    def secret(self) -> bytes:
        """The private key, for whoever seals it under a passphrase."""
        return self._key.secret

    @classmethod
    def generate(cls) -> "Wallet":
        """Return a new random key."""
        while True:
            with contextlib.suppress(WalletRefused):
                return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def create(cls, path: Path) -> "Wallet":
        """Make a new key file, complete or not at all; never over another one."""
        wallet = cls.generate()
        wallet.save(path)
        return wallet

    @classmethod
    def load(cls, path: Path) -> "Wallet":
        """Read a key file; refuse one that others may read."""
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                text = file.read(MAX_KEY_FILE_BYTES)
        except OSError as error:
            raise WalletRefused(f"cannot be read: {error.strerror}", place=str(path)) from None
        if mode & 0o077:
            raise WalletRefused(
                f"mode is {mode:04o}: others may read the key; must be {FILE_MODE:04o}", place=str(path)
            )
        try:
            secret = bytes.fromhex(text.decode("ascii").strip().removeprefix("0x"))
        except ValueError:
            raise WalletRefused("does not hold a key in hexadecimal", place=str(path)) from None
        try:
            return cls(secret)
        except WalletRefused as error:
            raise WalletRefused(error.reason, place=str(path)) from None

    @classmethod
    def load_or_create(cls, path: Path) -> "Wallet":
        """Read the key file, or make it; two processes that race end with the same key."""
        if not path.exists():
            try:
                return cls.create(path)
            except WalletRefused:
                if not path.exists():
                    raise
        return cls.load(path)

    def save(self, path: Path) -> None:
        """Write the key file, complete or not at all; never over another one."""
        try:
            write_private(path, self._key.secret.hex().encode() + b"\n")
        except FileExistsError:
            if Wallet.load(path).address != self.address:
                raise WalletRefused("there is a key already", place=str(path)) from None
        except OSError as error:
            raise WalletRefused(f"cannot be written: {error.strerror}", place=str(path)) from None

    def sign(self, transaction: Transaction) -> SignedTransaction:
        """Return the signed transaction; the same input gives the same bytes (RFC 6979)."""
        fields: list[Encodable] = [
            transaction.chain_id,
            transaction.nonce,
            transaction.priority_fee,
            transaction.max_fee,
            transaction.gas,
            transaction.to or b"",
            transaction.value,
            transaction.data,
            [],
        ]
        signature = self.sign_digest(keccak256(EIP1559 + rlp_encode(fields)))
        r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
        raw = EIP1559 + rlp_encode([*fields, signature[64], r, s])
        return SignedTransaction(raw=raw, tx_hash=keccak256(raw))

    def sign_digest(self, digest: bytes) -> bytes:
        """Return r ‖ s ‖ recovery id (0 or 1) over a 32-byte digest, s in the lower half."""
        if len(digest) != KEY_BYTES:
            raise WalletRefused(f"a digest has {KEY_BYTES} bytes, not {len(digest)}")
        return self._key.sign_recoverable(digest, hasher=None)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that its owner alone reads, complete or not at all; FileExistsError if there is one."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, refuses to replace a key that is already there.
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def address_of(public_key: bytes) -> bytes:
    """Return the address of an uncompressed public key (65 bytes)."""
    return keccak256(public_key[1:])[-ADDRESS_BYTES:]


def checksum_address(address: bytes) -> str:
    """Return an address as people write it.

    >>> checksum_address(bytes.fromhex("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"))
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
    """
    digits = address.hex()
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(d, 16) >= 8 else c for c, d in zip(digits, digest, strict=False))


def create_address(sender: bytes, nonce: int) -> bytes:
    """Return the address of the contract that a transaction of this sender and nonce creates."""
    return keccak256(rlp_encode([sender, nonce]))[-ADDRESS_BYTES:]
