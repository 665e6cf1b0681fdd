"""QBFT headers: sealed here by validators of our own, as Besu's codec writes them, and by nobody else."""

import contextlib
from typing import Any

import pytest
import rlp as third_party
from eth_keys.main import KeyAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain import qbft
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256

KEYS = [KeyAPI.PrivateKey(keccak256(bytes([n]))) for n in range(8)]
ADDRESSES = [key.public_key.to_canonical_address() for key in KEYS]
FIELDS: list[Any] = [b"p" * 32, b"u" * 32, b"c" * 20, b"s" * 32, b"t" * 32, b"r" * 32, bytes(256), b"\x01", b"\x05"]
FIELDS += [b"\x01", b"", b"\x64", b"", bytes(32), bytes(8), b"\x07"]
ADD_VOTE, DROP_VOTE = [b"v" * 20, b"\xff"], [b"v" * 20, b"\x00"]


def with_extra(extra: Any) -> bytes:
    return bytes(third_party.encode([*FIELDS[:12], third_party.encode(extra), *FIELDS[13:]]))


def sealed(sealers: list[int], count: int = 4, round_number: int = 0, vote: Any = None, listed: Any = None) -> bytes:
    listed = ADDRESSES[:count] if listed is None else listed
    head = [bytes(32), listed, vote or [], round_number]
    digest = keccak256(with_extra([*head, []]))
    seals = [KEYS[n].sign_msg_hash(digest).to_bytes() for n in sealers]
    return with_extra([*head, seals])


@pytest.mark.parametrize("count", range(1, 8))
def test_the_quorum_is_two_thirds_rounded_up(count: int) -> None:
    due = -(-2 * count // 3)
    qbft.verify_header(sealed(list(range(due)), count), ADDRESSES[:count])
    qbft.verify_header(sealed(list(range(count)), count), ADDRESSES[:count])
    with pytest.raises(ProofRefused):
        qbft.verify_header(sealed(list(range(due - 1)), count), ADDRESSES[:count])


@pytest.mark.parametrize("round_number", [0, 1, 300])
@pytest.mark.parametrize("vote", [None, ADD_VOTE, DROP_VOTE])
def test_the_hash_on_the_chain_is_of_round_zero_without_seals(round_number: int, vote: Any) -> None:
    raw = sealed([0, 1, 2], round_number=round_number, vote=vote)
    due = keccak256(with_extra([bytes(32), ADDRESSES[:4], vote or [], 0, []]))
    assert qbft.verify_header(raw, ADDRESSES[:4]) == due != keccak256(raw)
    assert qbft.verify_header(raw, [f"0x{one.hex()}" for one in ADDRESSES[:4]]) == due


def test_the_list_in_the_header_is_not_believed() -> None:
    qbft.verify_header(sealed([0, 1, 2], listed=[]), ADDRESSES[:4])  # validators chosen by a contract
    with pytest.raises(ProofRefused, match="not a trusted validator"):
        qbft.verify_header(sealed([4, 5, 6], listed=ADDRESSES[4:7]), ADDRESSES[:4])


def test_seals_are_distinct_and_all_by_trusted_validators() -> None:
    for sealers in ([], [0, 0, 0], [0, 1, 1], [0, 1, 2, 2], [0, 1, 2, 7], [0, 1, 2, 3, 4]):
        with pytest.raises(ProofRefused):
            qbft.verify_header(sealed(sealers), ADDRESSES[:4])


@settings(max_examples=400)
@given(st.data())
def test_every_changed_byte_is_refused(data: st.DataObject) -> None:
    raw = sealed([0, 1, 2], round_number=1)
    place = data.draw(st.integers(0, len(raw) - 1))
    changed = bytearray(raw)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ProofRefused):
        qbft.verify_header(bytes(changed), ADDRESSES[:4])


@pytest.mark.parametrize(
    "extra",
    [
        [],
        b"",
        [bytes(32), ADDRESSES[:4], [], 0],
        [bytes(32), ADDRESSES[:4], [], 0, [], b""],
        [bytes(31), ADDRESSES[:4], [], 0, []],
        [bytes(32), b"", [], 0, []],
        [bytes(32), [b"short"], [], 0, []],
        [bytes(32), ADDRESSES[:4], [], b"\0\1", []],
        [bytes(32), ADDRESSES[:4], [], 2**40, []],
        [bytes(32), ADDRESSES[:4], [], 0, b""],
        [bytes(32), ADDRESSES[:4], [], 0, [bytes(64)]],
        [bytes(32), ADDRESSES[:4], [], 0, [bytes(65)] * 3],
        [bytes(32), ADDRESSES[:4], [], 0, [b"\xff" * 65] * 3],
        [bytes(32), ADDRESSES[:4], [], 0, [bytes(64) + b"\x1b"] * 3],
    ],
)
def test_another_extra_data_is_refused(extra: Any) -> None:
    with pytest.raises(ProofRefused):
        qbft.verify_header(with_extra(extra), ADDRESSES[:4])


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_our_own_words(raw: bytes) -> None:
    with pytest.raises(ProofRefused):
        qbft.verify_header(raw, ADDRESSES[:4])
    with contextlib.suppress(ProofRefused):
        qbft.verify_header(with_extra(raw), ADDRESSES[:4])


def test_a_header_is_bytes() -> None:
    for header in (sealed([0, 1, 2]).hex(), bytearray(sealed([0, 1, 2])), None, 7):
        with pytest.raises(ProofRefused):
            qbft.verify_header(header, ADDRESSES[:4])  # type: ignore[arg-type]


def test_a_validator_set_is_given_and_well_formed() -> None:
    for validators in ([], ["0x12"], ["zz" * 20], [b"short"], [7], [*ADDRESSES[:1], b""]):
        with pytest.raises(ProofRefused):
            qbft.verify_header(sealed([0, 1, 2]), validators)  # type: ignore[arg-type]
