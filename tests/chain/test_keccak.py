"""Keccak-256: published digests, and the base install's package says what the faster one says."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import keccak


@pytest.mark.parametrize("hashed", [keccak.keccak256, keccak.slow_keccak256])
def test_published_digests(hashed: object) -> None:
    assert callable(hashed)
    for text, digest in (
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"\x80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"),
        (b"transfer(address,uint256)", "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b"),
    ):
        assert hashed(text).hex() == digest


@given(st.binary(max_size=700))
def test_both_packages_agree(data: bytes) -> None:
    assert keccak.keccak256(data) == keccak.slow_keccak256(data)


def test_the_faster_one_is_in_use_here() -> None:
    assert "sha3" in sys.modules
