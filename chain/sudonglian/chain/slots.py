"""Where the contract keeps what proofs show: anchored roots and the registry of keys.

docs/spec/contract.md; Solidity's storage layout of mappings and structs, ERC-7201 (namespaces).
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256

NAMESPACE: Final = 0x8600E4FA7F467C1CBF18067374BAD284B4C3B67002FF81A825E39F19789A6500
"""keccak256(abi.encode(uint256(keccak256("sudonglian.log.v1")) - 1)) & ~bytes32(uint256(0xff))."""

KeyState: TypeAlias = Literal["in force", "not yet", "expired", "revoked"]

ROOT_AT: Final = NAMESPACE
SWITCHES: Final = NAMESPACE + 1
PARTIES: Final = NAMESPACE + 2

MAX_SIZE: Final = 2**64 - 1


class SlotRefused(ProofRefused):
    """A size or address that has no slot, or a registry entry that cannot be."""

    slug = "slot"


@dataclass(frozen=True, slots=True)
class Window:
    """When and in which roles a registered key signs: [valid_from, valid_to), until its revocation."""

    valid_from: int
    valid_to: int
    revoked_at: int
    roles: int

    def open_at(self, moment: int, role: int) -> bool:
        """Return whether the key signs in this role at this second of Unix time."""
        return self.state_at(moment) == "in force" and self.roles & role == role

    def state_at(self, moment: int) -> KeyState:
        """Return how the key stands at this second: a revocation goes before everything else."""
        if self.revoked_at != 0 and self.revoked_at <= moment:
            return "revoked"
        if moment < self.valid_from:
            return "not yet"
        return "in force" if moment < self.valid_to else "expired"


def root_slot(size: int) -> bytes:
    """Return the slot of rootAt[size]."""
    if not 0 <= size <= MAX_SIZE:
        raise SlotRefused("a size is 64 bits")
    return keccak256(size.to_bytes(32, "big") + ROOT_AT.to_bytes(32, "big"))


def switches_slot() -> bytes:
    """Return the slot of the latest size, the pause and the successor."""
    return SWITCHES.to_bytes(32, "big")


def successor_of(value: int) -> bytes | None:
    """Return the successor that the slot of the switches names.

    >>> successor_of(7 | 1 << 64), successor_of(7 | 0xA5 << 72)[-1]
    (None, 165)
    """
    return (value >> 72).to_bytes(20, "big") if value >> 72 else None


def party_slots(address: bytes) -> tuple[bytes, bytes]:
    """Return the two slots of a key's entry: the party's id, and its window."""
    if len(address) != 20:
        raise SlotRefused("an address is 20 bytes")
    first = keccak256(address.rjust(32, b"\0") + PARTIES.to_bytes(32, "big"))
    return first, (int.from_bytes(first, "big") + 1).to_bytes(33, "big")[-32:]


def window_of(value: int) -> Window:
    """Return what the second slot of an entry says: three times of 64 bits and the roles, from the lowest bits up."""
    if value >> 200:
        raise SlotRefused("a registry entry with bits that no contract of ours writes")
    word = 2**64 - 1
    return Window(value & word, value >> 64 & word, value >> 128 & word, value >> 192)
