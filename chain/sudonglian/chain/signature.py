"""A party's signature over a record: consignor or consignee, off-chain.

docs/spec/signature.md; EIP-712.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal, TypeAlias, cast

from sudonglian.chain import canonical, secp256k1
from sudonglian.chain.canonical import Json
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.secp256k1 import SignatureRefused

Role: TypeAlias = Literal["consignor", "consignee"]

VERSION: Final = "sudonglian/signature/1"
ROLES: Final[dict[str, int]] = {"consignor": 1, "consignee": 2}

DOMAIN_TYPE: Final = keccak256(b"EIP712Domain(string name,string version,bytes32 salt)")
NAME: Final = keccak256(b"Sudonglian")
DOMAIN_VERSION: Final = keccak256(b"1")
HANDOFF_TYPE: Final = keccak256(
    b"Handoff(bytes32 recordHash,uint8 role,address signer,bytes32 counterparty,uint64 signedAt)"
)

MAX_SECONDS: Final = 2**53 - 1

_MEMBERS: Final = frozenset({"v", "record", "role", "signer", "counterparty", "signed_at", "sig"})
_HEX = re.compile(r"[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Signature:
    """One party's signature, its form checked; who made it is `signer` once `verify` returns."""

    record: bytes
    role: Role
    signer: bytes
    counterparty: bytes
    signed_at: int
    sig: bytes

    def to_json(self) -> dict[str, Json]:
        """Return the signature object."""
        return {
            "v": VERSION,
            "record": self.record.hex(),
            "role": self.role,
            "signer": self.signer.hex(),
            "counterparty": self.counterparty.hex(),
            "signed_at": self.signed_at,
            "sig": self.sig.hex(),
        }

    def digest(self) -> bytes:
        """Return `d`, which its log entry holds (rule 3)."""
        return sha256(b"sudonglian/signature/v1\x00" + canonical.encode(self.to_json())).digest()

    def verify(self, origin: str) -> None:
        """Return if `signer` signed this for the log of `origin`; else refuse (rule 4, first part)."""
        digest = signing_digest(origin, self.record, self.role, self.signer, self.counterparty, self.signed_at)
        found = secp256k1.recover(digest, self.sig[:64] + bytes([self.sig[64] - 27]))
        if found != self.signer:
            raise SignatureRefused(f"signed by {found.hex()}, not by {self.signer.hex()}")


def sign(key: bytes, origin: str, record: bytes, role: Role, counterparty: bytes, signed_at: int) -> Signature:
    """Return the signature of a private key (32 bytes) over a record hash."""
    signer = secp256k1.address_of_key(key)
    sig = secp256k1.sign(signing_digest(origin, record, role, signer, counterparty, signed_at), key)
    return Signature(record, role, signer, counterparty, signed_at, sig[:64] + bytes([sig[64] + 27]))


def signing_digest(origin: str, record: bytes, role: str, signer: bytes, counterparty: bytes, signed_at: int) -> bytes:
    """Return the EIP-712 digest that a wallet signs (rule 2)."""
    if (len(record), len(signer), len(counterparty)) != (32, 20, 32) or role not in ROLES:
        raise SignatureRefused("a handoff is a record hash, a role, an address and a party id")
    if type(signed_at) is not int or not 0 <= signed_at <= MAX_SECONDS:
        raise SignatureRefused("signed_at is seconds since 1970")
    handoff = keccak256(
        HANDOFF_TYPE
        + record
        + ROLES[role].to_bytes(32, "big")
        + signer.rjust(32, b"\0")
        + counterparty
        + signed_at.to_bytes(32, "big")
    )
    return keccak256(b"\x19\x01" + _domain(origin) + handoff)


def parse(value: Json) -> Signature:
    """Read a signature object, or refuse it (rule 1)."""
    if not isinstance(value, dict) or value.keys() != _MEMBERS:
        raise SignatureRefused(f"a signature has exactly the members {', '.join(sorted(_MEMBERS))}")
    if value["v"] != VERSION:
        raise SignatureRefused(f"not of the version {VERSION}", place="v")
    role, signed_at = value["role"], value["signed_at"]
    if not isinstance(role, str) or role not in ROLES:
        raise SignatureRefused("a role is consignor or consignee", place="role")
    if type(signed_at) is not int or not 0 <= signed_at <= MAX_SECONDS:
        raise SignatureRefused("seconds since 1970", place="signed_at")
    sig = _bytes(value, "sig", 65)
    # The upper half would be a second signature of the same statement, made by anybody.
    if int.from_bytes(sig[32:64], "big") > secp256k1.ORDER // 2 or sig[64] not in (27, 28):
        raise SignatureRefused("s in the lower half of the order and v 27 or 28", place="sig")
    return Signature(
        record=_bytes(value, "record", 32),
        role=cast(Role, role),
        signer=_bytes(value, "signer", 20),
        counterparty=_bytes(value, "counterparty", 32),
        signed_at=signed_at,
        sig=sig,
    )


@lru_cache(maxsize=8)
def _domain(origin: str) -> bytes:
    salt = sha256(b"sudonglian/origin/v1\x00" + origin.encode()).digest()
    return keccak256(DOMAIN_TYPE + NAME + DOMAIN_VERSION + salt)


def _bytes(value: dict[str, Json], name: str, length: int) -> bytes:
    text = value[name]
    if not isinstance(text, str) or len(text) != 2 * length or not _HEX.fullmatch(text):
        raise SignatureRefused(f"{2 * length} lower-case hexadecimal digits", place=name)
    return bytes.fromhex(text)
