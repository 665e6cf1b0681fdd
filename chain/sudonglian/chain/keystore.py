"""A party's signing key in a file, under a passphrase.

Ethereum's Web3 Secret Storage, version 3 (scrypt or PBKDF2, AES-128-CTR, keccak-256): any wallet opens it too.
"""

import hashlib
import hmac
import json
from secrets import token_bytes
from typing import Any, Final
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from sudonglian.chain import secp256k1
from sudonglian.chain.errors import ChainError
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.secp256k1 import SignatureRefused

VERSION: Final = 3

SCRYPT_N: Final = 2**17
"""128 MiB and half a second a guess (OWASP's first choice for scrypt); the wallets' usual 2^18 is opened as well."""
SCRYPT_R: Final = 8
SCRYPT_P: Final = 1

MAX_MEMORY: Final = 1 << 30
"""What a file may ask scrypt to use: more is no keyfile that a person's machine has made."""
MAX_ROUNDS: Final = 10_000_000

KEY_BYTES: Final = 32
MAX_FILE_BYTES: Final = 16 * 1024
"""A keyfile has half a kilobyte."""


class KeystoreRefused(ChainError):
    """A file that is no keyfile, or one with parameters that nobody uses."""

    slug = "keystore"


class WrongPassphrase(KeystoreRefused):
    """The passphrase does not open the keyfile."""

    slug = "keystore-passphrase"


def encrypt(key: bytes, passphrase: str, *, n: int = SCRYPT_N) -> bytes:
    """Return the file of a private key (32 bytes)."""
    address = secp256k1.address_of_key(key)
    salt, start = token_bytes(KEY_BYTES), token_bytes(16)
    derived = _scrypt(passphrase, salt, n, SCRYPT_R, SCRYPT_P, KEY_BYTES)
    sealed = _aes(derived[:16], start, key)
    value = {
        "version": VERSION,
        "id": str(uuid4()),
        "address": address.hex(),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": start.hex()},
            "ciphertext": sealed.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": KEY_BYTES, "n": n, "r": SCRYPT_R, "p": SCRYPT_P, "salt": salt.hex()},
            "mac": keccak256(derived[16:32] + sealed).hex(),
        },
    }
    return json.dumps(value, indent=1).encode() + b"\n"


def decrypt(raw: bytes, passphrase: str) -> bytes:
    """Return the private key of a file.

    Raises
    ------
    WrongPassphrase
        It does not open the file.
    KeystoreRefused
        Not a keyfile of version 3, or the key in it is none or has another address than the file says.
    """
    value = _read(raw)
    try:
        crypto = value["crypto"]
        sealed, mac = bytes.fromhex(crypto["ciphertext"]), bytes.fromhex(crypto["mac"])
        start = bytes.fromhex(crypto["cipherparams"]["iv"])
        known = crypto["cipher"] == "aes-128-ctr" and len(start) == 16 and len(sealed) == KEY_BYTES
        if value["version"] != VERSION or not known:
            raise KeystoreRefused(f"not a keyfile of version {VERSION} with aes-128-ctr and a key of 32 bytes")
        derived = _derived(crypto["kdf"], crypto["kdfparams"], passphrase)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, MemoryError) as error:
        raise KeystoreRefused(f"not a keyfile: {type(error).__name__}") from None
    if not hmac.compare_digest(mac, keccak256(derived[16:32] + sealed)):
        raise WrongPassphrase("the passphrase does not open this keyfile")
    key = _aes(derived[:16], start, sealed)
    try:
        address = secp256k1.address_of_key(key)
    except SignatureRefused as error:
        raise KeystoreRefused(error.reason) from None
    if value.get("address") is not None and value["address"] != address.hex():
        raise KeystoreRefused(f"the key is that of {address.hex()}, the file says {value['address']!r:.50}")
    return key


def _read(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_FILE_BYTES:
        raise KeystoreRefused("too large for a keyfile")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise KeystoreRefused("not JSON") from None
    if not isinstance(value, dict):
        raise KeystoreRefused("not the JSON of a keyfile")
    # Some wallets write these two names with a capital.
    crypto = value.get("crypto", value.get("Crypto"))
    address = value.get("address")
    if isinstance(address, str):
        address = address.lower().removeprefix("0x")
    return {**value, "crypto": crypto, "address": address}


def _derived(kdf: str, parameters: dict[str, Any], passphrase: str) -> bytes:
    salt, length = bytes.fromhex(parameters["salt"]), int(parameters["dklen"])
    if not KEY_BYTES <= length <= 64:
        raise KeystoreRefused(f"a derived key of {length} bytes")
    if kdf == "scrypt":
        return _scrypt(passphrase, salt, int(parameters["n"]), int(parameters["r"]), int(parameters["p"]), length)
    if kdf == "pbkdf2" and parameters["prf"] == "hmac-sha256" and 0 < int(parameters["c"]) <= MAX_ROUNDS:
        return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, int(parameters["c"]), length)
    raise KeystoreRefused("derived by a function that is not known here")


def _scrypt(passphrase: str, salt: bytes, n: int, r: int, p: int, length: int) -> bytes:
    needed = 128 * r * (n + p + 2)
    if not (n > 1 and r > 0 and 0 < p <= 16) or n & (n - 1) or needed > MAX_MEMORY:
        raise KeystoreRefused(f"scrypt with n {n}, r {r}, p {p}")
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=2 * needed, dklen=length)


def _aes(key: bytes, start: bytes, data: bytes) -> bytes:
    cipher = Cipher(AES(key), CTR(start)).encryptor()
    return cipher.update(data) + cipher.finalize()
