"""Parties' signatures against eth_account, an independent implementation of EIP-712."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import canonical, secp256k1, signature
from sudonglian.chain.secp256k1 import SignatureRefused

ORIGIN = "sudonglian.example/log/7c9e6679"
KEY = bytes(range(1, 33))
RECORD, PARTY = bytes(range(32)), bytes(range(32, 64))
SIGNED = signature.sign(KEY, ORIGIN, RECORD, "consignor", PARTY, 1_767_573_067)
TYPES = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "salt", "type": "bytes32"},
    ],
    "Handoff": [
        {"name": "recordHash", "type": "bytes32"},
        {"name": "role", "type": "uint8"},
        {"name": "signer", "type": "address"},
        {"name": "counterparty", "type": "bytes32"},
        {"name": "signedAt", "type": "uint64"},
    ],
}


@given(
    st.integers(1, secp256k1.ORDER - 1).map(lambda n: n.to_bytes(32, "big")),
    st.binary(min_size=32, max_size=32),
    st.sampled_from(["consignor", "consignee"]),
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**53 - 1),
    st.sampled_from([ORIGIN, "a", "b.example/x"]),
)
def test_a_wallet_signs_the_same(key: bytes, h: bytes, role: Any, party: bytes, moment: int, origin: str) -> None:
    made = signature.sign(key, origin, h, role, party, moment)
    wallet = Account.from_key(key)
    message = {
        "types": TYPES,
        "primaryType": "Handoff",
        "domain": {
            "name": "Sudonglian",
            "version": "1",
            "salt": sha256(b"sudonglian/origin/v1\0" + origin.encode()).digest(),
        },
        "message": {
            "recordHash": h,
            "role": {"consignor": 1, "consignee": 2}[role],
            "signer": wallet.address,
            "counterparty": party,
            "signedAt": moment,
        },
    }
    signed = wallet.sign_message(encode_typed_data(full_message=message))
    assert bytes(signed.signature) == made.sig
    assert wallet.address.lower() == "0x" + made.signer.hex()
    made.verify(origin)
    assert signature.parse(canonical.parse_stored(canonical.encode(made.to_json()))) == made


def test_the_digest_of_the_entry() -> None:
    due = sha256(b"sudonglian/signature/v1\0" + canonical.encode(SIGNED.to_json())).digest()
    assert SIGNED.digest() == due


@pytest.mark.parametrize(
    "change",
    [
        {"record": "00" * 32},
        {"role": "consignee"},
        {"counterparty": "00" * 32},
        {"signed_at": 0},
        {"signer": "00" * 20},
    ],
)
def test_what_was_signed_is_all_of_it(change: dict[str, Any]) -> None:
    changed = signature.parse({**SIGNED.to_json(), **change})
    with pytest.raises(SignatureRefused):
        changed.verify(ORIGIN)
    with pytest.raises(SignatureRefused):
        SIGNED.verify(ORIGIN + "x")


def high_s(sig: bytes) -> str:
    s = secp256k1.ORDER - int.from_bytes(sig[32:64], "big")
    return (sig[:32] + s.to_bytes(32, "big") + bytes([55 - sig[64]])).hex()


@pytest.mark.parametrize(
    "change",
    [
        {"sig": high_s(SIGNED.sig)},
        {"sig": SIGNED.sig[:64].hex() + "00"},
        {"sig": SIGNED.sig[:64].hex()},
        {"sig": SIGNED.sig.hex().upper()},
        {"sig": "0x" + SIGNED.sig.hex()[2:]},
        {"sig": None},
        {"record": "00" * 31},
        {"signer": SIGNED.signer.hex() + "0"},
        {"signer": 1},
        {"counterparty": "é" * 64},
        {"role": 1},
        {"role": "carrier"},
        {"role": []},
        {"signed_at": -1},
        {"signed_at": 2**53},
        {"signed_at": True},
        {"signed_at": "1"},
        {"v": "sudonglian/signature/2"},
        {"x": 1},
    ],
)
def test_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SignatureRefused):
        signature.parse({**SIGNED.to_json(), **change})


@pytest.mark.parametrize("value", [None, [], {}, "x", 7])
def test_another_value_is_no_signature(value: Any) -> None:
    with pytest.raises(SignatureRefused):
        signature.parse(value)


@given(st.binary(min_size=65, max_size=65), st.binary(min_size=32, max_size=32))
def test_recovering_from_garbage_gives_another_address_or_none(garbage: bytes, digest: bytes) -> None:
    for sig in (garbage, garbage[:64] + bytes([garbage[64] & 1])):
        try:
            assert secp256k1.recover(digest, sig) != SIGNED.signer
        except SignatureRefused:
            continue


def test_a_key_is_a_number_below_the_order() -> None:
    for key in (bytes(32), b"\xff" * 32, b"", bytes(31) + b"\1\1"):
        with pytest.raises(SignatureRefused):
            signature.sign(key, ORIGIN, RECORD, "consignor", PARTY, 1)
    for arguments in ((b"", "consignor", PARTY, 1), (RECORD, "carrier", PARTY, 1), (RECORD, "consignor", PARTY, -1)):
        with pytest.raises(SignatureRefused):
            signature.sign(KEY, ORIGIN, *arguments)


def test_the_vectors_of_the_specification() -> None:
    vectors = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "signature.json").read_text())
    for case in vectors["good"]:
        made = signature.parse(case["signature"])
        digest = signature.signing_digest(
            case["origin"], made.record, made.role, made.signer, made.counterparty, made.signed_at
        )
        assert digest.hex() == case["signing_digest"]
        assert made.digest().hex() == case["entry_digest"]
        made.verify(case["origin"])
