"""QBFT headers: whether the validators that the auditor trusts have made a block final.

QBFT as Hyperledger Besu writes it (QbftExtraDataCodec, BftBlockHashing, BftHelpers):
extraData = RLP [vanity of 32 bytes, validators, vote ([] or [address, 0xff/0x00]), round, seals]; a seal is
r ‖ s ‖ v (0 or 1) over keccak-256 of the header whose seals are an empty list and whose round is kept; the block's
hash is keccak-256 of the header whose seals are an empty list and whose round is 0.
"""

from collections.abc import Iterable
from typing import Final

from sudonglian.chain import header as headers
from sudonglian.chain import rlp, secp256k1
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.rlp import Item

VANITY_BYTES: Final = 32
SEAL_BYTES: Final = 65
MAX_VALIDATORS: Final = 500
"""QBFT exchanges messages between all pairs: networks have four to thirty."""


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
    trusted = frozenset(_address(one) for one in validators)
    if not 0 < len(trusted) <= MAX_VALIDATORS:
        raise QbftRefused(f"a validator set has 1 to {MAX_VALIDATORS} members")
    header = headers.parse(rlp)
    extra = _extra(header.extra_data)
    seals = _strings(extra[4], SEAL_BYTES, "seals")
    if len(seals) > len(trusted):
        raise QbftRefused(f"{len(seals)} seals, and {len(trusted)} validators")
    digest = keccak256(_with_extra(header, [*extra[:4], []]))
    sealers = [secp256k1.recover(digest, seal) for seal in seals]
    if strangers := [one.hex() for one in sealers if one not in trusted]:
        raise QbftRefused(f"sealed by {strangers[0]}, who is not a trusted validator")
    if len(set(sealers)) != len(sealers):
        raise QbftRefused("two seals by one validator")
    if len(sealers) < quorum(len(trusted)):
        raise QbftRefused(f"{len(sealers)} seals, {quorum(len(trusted))} of {len(trusted)} validators are needed")
    return keccak256(_with_extra(header, [*extra[:3], b"", []]))


def _extra(extra_data: bytes) -> list[Item]:
    extra = rlp.decode_list(extra_data)
    if len(extra) != 5:
        raise QbftRefused(f"extraData has {len(extra)} items, must have 5")
    rlp.string(extra[0], VANITY_BYTES)
    _strings(extra[1], 20, "validators")
    rlp.integer(extra[3], 4)
    return extra


def _with_extra(header: headers.Header, extra: list[Item]) -> bytes:
    fields = list(header.fields)
    fields[headers.EXTRA_DATA] = rlp.encode(extra)
    return rlp.encode(fields)


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
