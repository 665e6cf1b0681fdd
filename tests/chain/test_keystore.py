"""Keyfiles against eth_account, an independent implementation of version 3."""

import json
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain import keystore, secp256k1
from sudonglian.chain.keystore import KeystoreRefused, WrongPassphrase, decrypt, encrypt

KEY = bytes(range(1, 33))
LIGHT = 1 << 10
MADE = json.loads(encrypt(KEY, "密码 8", n=LIGHT))


@settings(max_examples=10, deadline=None)
@given(st.integers(1, secp256k1.ORDER - 1).map(lambda n: n.to_bytes(32, "big")), st.text(max_size=30))
def test_wallets_open_what_is_made_here_and_the_other_way_round(key: bytes, passphrase: str) -> None:
    try:
        passphrase.encode()
    except UnicodeEncodeError:
        return
    raw = encrypt(key, passphrase, n=LIGHT)
    assert bytes(Account.decrypt(json.loads(raw), passphrase)) == key
    for kdf, iterations in (("scrypt", LIGHT), ("pbkdf2", 1_000)):
        theirs: Any = Account.encrypt(key, passphrase, kdf=kdf, iterations=iterations)  # type: ignore[arg-type]
        assert decrypt(json.dumps(theirs).encode(), passphrase) == key


def test_the_published_vectors() -> None:
    # Web3 Secret Storage Definition, test vectors: the same key under both functions.
    pbkdf2 = {
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
            "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            "kdf": "pbkdf2",
            "kdfparams": {
                "c": 262144,
                "dklen": 32,
                "prf": "hmac-sha256",
                "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
            },
            "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3,
    }
    assert decrypt(json.dumps(pbkdf2).encode(), "testpassword").hex() == (
        "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
    )


def test_the_default_is_as_hard_as_it_says() -> None:
    made = json.loads(encrypt(KEY, "x"))
    assert made["crypto"]["kdfparams"]["n"] == keystore.SCRYPT_N == 1 << 17
    assert made["address"] == secp256k1.address_of_key(KEY).hex()
    assert KEY.hex() not in json.dumps(made)


def test_another_passphrase() -> None:
    with pytest.raises(WrongPassphrase):
        decrypt(json.dumps(MADE).encode(), "密码 9")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 4},
        {"crypto": None},
        {"address": "00" * 20},
        {"crypto": MADE["crypto"] | {"cipher": "aes-128-cbc"}},
        {"crypto": MADE["crypto"] | {"kdf": "argon2"}},
        {"crypto": MADE["crypto"] | {"mac": "zz"}},
        {"crypto": MADE["crypto"] | {"cipherparams": {"iv": "00"}}},
        {"crypto": MADE["crypto"] | {"kdfparams": MADE["crypto"]["kdfparams"] | {"n": 1 << 24}}},
        {"crypto": MADE["crypto"] | {"kdfparams": MADE["crypto"]["kdfparams"] | {"n": 1000}}},
        {"crypto": MADE["crypto"] | {"kdfparams": MADE["crypto"]["kdfparams"] | {"n": "many"}}},
        {"crypto": MADE["crypto"] | {"kdfparams": MADE["crypto"]["kdfparams"] | {"dklen": 8}}},
    ],
)
def test_what_is_no_keyfile(change: dict[str, Any]) -> None:
    with pytest.raises(KeystoreRefused):
        decrypt(json.dumps(MADE | change).encode(), "密码 8")


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ).map(lambda value: json.dumps(value).encode())
)
def test_garbage(raw: bytes) -> None:
    with pytest.raises(KeystoreRefused):
        decrypt(raw, "x")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 7))
def test_a_flipped_bit_never_gives_another_key(place: int, bit: int) -> None:
    raw = bytearray(json.dumps(MADE).encode())
    raw[place % len(raw)] ^= 1 << bit
    try:
        assert decrypt(bytes(raw), "密码 8") == KEY
    except KeystoreRefused:
        pass
