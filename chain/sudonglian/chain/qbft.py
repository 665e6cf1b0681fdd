"""QBFT headers: whether the validators that the auditor trusts have made a block final.

docs/spec/trust.md rule 4. QBFT as Hyperledger Besu writes it:
- extraData = RLP [vanity of 32 bytes, validators, vote ([] or [address, 0xff/0x00]), round, seals]
  (consensus.qbft.QbftExtraDataCodec.encodeInternal; the round is a scalar, so without leading zeros);
- a seal is r ‖ s ‖ v (0 or 1) over keccak-256 of the header whose seals are an empty list and whose round is kept
  (consensus.common.bft.BftBlockHashing.calculateDataHashForCommittedSeal with the codec's encodeWithoutCommitSeals);
- the block's hash is keccak-256 of the header whose seals are an empty list and whose round is 0
  (BftBlockHashing.calculateHashOfBftBlockOnchain, encodeWithoutCommitSealsAndRoundNumber; BftBlockHeaderFunctions.forOnchainBlock);
- ⌈2n/3⌉ distinct validators must seal (BftHelpers.calculateRequiredValidatorQuorum, BftCommitSealsValidationRule);
- n are the validators in the header itself, or a contract's, and then the header has none (QbftValidatorsValidationRule).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sudonglian.chain import header as headers
from sudonglian.chain import rlp, secp256k1
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.header import Header
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.rlp import Item

VANITY_BYTES: Final = 32
SEAL_BYTES: Final = 65
MAX_VALIDATORS: Final = 500
"""QBFT exchanges messages between all pairs: networks have four to thirty."""


KEPT_HEADERS: Final = 64
"""Headers whose seals were found good, of a kilobyte each for four validators; a refusal is not kept."""


class QbftRefused(ProofRefused):
    """A header that the auditor's validators have not made final."""

    slug = "qbft"


def quorum(validators: int) -> int:
    """Return how many seals make a block final: ⌈2n/3⌉.

    >>> [quorum(n) for n in (1, 2, 3, 4, 5, 6, 7)]
    [1, 2, 2, 3, 4, 4, 5]
    """
    return -(-2 * validators // 3)


def verify_header(rlp: bytes, validators: Iterable[bytes | str]) -> bytes:
    """Return the on-chain hash of a block that enough of the validators (addresses) have sealed.

    The validators are the caller's; the list inside the header is not believed.

    Raises
    ------
    QbftRefused, HeaderRefused, RlpRefused
        Malformed, a seal by somebody else, two by one validator, or too few.
    """
    if not isinstance(rlp, bytes):
        raise QbftRefused("a header is bytes")
    return verify(headers.parse(rlp), frozenset(_address(one) for one in validators))


@lru_cache(maxsize=KEPT_HEADERS)
def verify_sealed(raw: bytes, trusted: frozenset[bytes]) -> bytes:
    """Return what `verify_header` does, and remember it: bundles that rest on one block repeat it, seals and all."""
    return verify(headers.parse(raw), trusted)


def verify(header: Header, trusted: frozenset[bytes]) -> bytes:
    """Return the on-chain hash of a block that enough of the trusted addresses have sealed (see `verify_header`)."""
    if not 0 < len(trusted) <= MAX_VALIDATORS:
        raise QbftRefused(f"a validator set has 1 to {MAX_VALIDATORS} members")
    block = _read(header)
    if len(block.seals) > len(trusted):
        raise QbftRefused(f"{len(block.seals)} seals, and {len(trusted)} validators")
    digest = block.hash_for(block.round)
    sealers = [secp256k1.recover(digest, seal) for seal in block.seals]
    if strangers := [one.hex() for one in sealers if one not in trusted]:
        raise QbftRefused(f"sealed by {strangers[0]}, who is not a trusted validator")
    if len(set(sealers)) != len(sealers):
        raise QbftRefused("two seals by one validator")
    if len(sealers) < quorum(len(trusted)):
        raise QbftRefused(f"{len(sealers)} seals, {quorum(len(trusted))} of {len(trusted)} validators are needed")
    return block.hash_for(0)


def block_hash(header: Header) -> bytes:
    """Return the hash by which a QBFT chain names a block; whether anybody sealed it is not looked at."""
    return _read(header).hash_for(0)


def validators_in(header: Header) -> tuple[bytes, ...]:
    """Return the validators that a header lists; none where a contract chooses them. To be compared, not believed."""
    return _read(header).validators


def is_named(header: Header, said: bytes) -> bool:
    """Return whether a header has this hash, by the rule of ordinary chains or by that of QBFT."""
    if header.hash == said:
        return True
    try:
        return block_hash(header) == said
    except ProofRefused:
        return False


@dataclass(frozen=True, slots=True)
class _Block:
    """A header taken apart around its extra data: what is hashed differs from it in round and seals alone."""

    before: bytes
    head: bytes
    after: bytes
    validators: tuple[bytes, ...]
    round: int
    seals: list[bytes]

    def hash_for(self, round_number: int) -> bytes:
        """Return keccak-256 of the header with this round and without seals."""
        extra = rlp.encode_list(self.head + rlp.encode(round_number) + rlp.EMPTY_LIST)
        return keccak256(rlp.encode_list(self.before + rlp.encode(extra) + self.after))


def _read(header: Header) -> _Block:
    extra = rlp.decode_list(header.extra_data)
    if len(extra) != 5:
        raise QbftRefused(f"extraData has {len(extra)} items, must have 5")
    rlp.string(extra[0], VANITY_BYTES)
    return _Block(
        before=b"".join(rlp.encode(one) for one in header.fields[: headers.EXTRA_DATA]),
        head=b"".join(rlp.encode(one) for one in extra[:3]),
        after=b"".join(rlp.encode(one) for one in header.fields[headers.EXTRA_DATA + 1 :]),
        validators=tuple(_strings(extra[1], 20, "validators")),
        round=rlp.integer(extra[3], 4),
        seals=_strings(extra[4], SEAL_BYTES, "seals"),
    )


def _strings(item: Item, length: int, name: str) -> list[bytes]:
    if not isinstance(item, list):
        raise QbftRefused(f"{name} are a list")
    return [rlp.string(one, length) for one in item]


def _address(value: bytes | str) -> bytes:
    try:
        address = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else value
    except ValueError as error:
        raise QbftRefused("a validator is an address of 20 bytes") from error
    if not isinstance(address, bytes) or len(address) != 20:
        raise QbftRefused("a validator is an address of 20 bytes")
    return address
