"""Keys: their files, and signatures that others accept."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain.wallet import Transaction, Wallet, WalletRefused, checksum_address, create_address

SECRET = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")


def test_the_published_development_key_has_its_published_address() -> None:
    assert checksum_address(Wallet(SECRET).address) == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 2**52),
    st.integers(0, 2**40),
    st.integers(0, 2**60),
    st.integers(21_000, 2**32),
    st.none() | st.binary(min_size=20, max_size=20),
    st.binary(max_size=300),
    st.integers(0, 2**90),
)
def test_signs_as_eth_account_does(
    chain_id: int, nonce: int, fee: int, gas: int, to: bytes | None, data: bytes, value: int
) -> None:
    signed = Wallet(SECRET).sign(Transaction(chain_id, nonce, fee + 7, fee, gas, to, data, value))
    fields = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "maxFeePerGas": fee + 7,
        "maxPriorityFeePerGas": fee,
        "gas": gas,
        "data": data,
        "value": value,
    }
    if to is not None:
        fields["to"] = checksum_address(to)
    theirs = Account.sign_transaction(fields, SECRET)
    assert signed.raw == bytes(theirs.raw_transaction)
    assert signed.tx_hash == bytes(theirs.hash)


def test_contract_addresses_follow_from_sender_and_nonce() -> None:
    sender = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    published = ["cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d", "343c43a37d37dff08ae8c4a11544c718abb4fcf8"]
    assert [create_address(sender, nonce).hex() for nonce in range(2)] == published


def test_a_key_file_is_private_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    wallet = Wallet.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Wallet.load(path).address == wallet.address
    assert Wallet.load_or_create(path).address == wallet.address
    with pytest.raises(WalletRefused, match="already"):
        Wallet.create(path)
    with pytest.raises(WalletRefused, match="already"):
        Wallet.generate().save(path)
    wallet.save(path)
    assert Wallet.load(path).address == wallet.address
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("text", ["", "zz", "00" * 32, "ff" * 32, "11" * 31, "11" * 33, "11" * 3000, "\u00e9"])
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(WalletRefused) as refused:
        Wallet.load(path)
    if len(text) > 10:
        assert text[:10] not in refused.value.diagnostics()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    Wallet.create(path)
    path.chmod(mode)
    with pytest.raises(WalletRefused, match="mode"):
        Wallet.load(path)


def test_a_missing_key_or_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WalletRefused):
        Wallet.load(tmp_path / "none")
    with pytest.raises(WalletRefused):
        Wallet.create(tmp_path / "no" / "key")
    with pytest.raises(WalletRefused):
        Wallet.load(tmp_path)


def test_processes_that_race_for_a_key_get_the_same(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from sudonglian.chain.wallet import Wallet;"
        "print(Wallet.load_or_create(pathlib.Path(sys.argv[1])).address.hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "key")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in processes}) == 1
    assert [process.returncode for process in processes] == [0] * 4
    assert os.listdir(tmp_path) == ["key"]


def test_the_key_is_not_in_the_repr() -> None:
    assert SECRET.hex() not in repr(Wallet(SECRET))
    assert "0xf39Fd6" in repr(Wallet(SECRET))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_key_or_refused(secret: bytes) -> None:
    try:
        assert len(Wallet(secret).address) == 20
    except WalletRefused:
        assert (
            len(secret) != 32
            or secret in (bytes(32), b"\xff" * 32)
            or secret > bytes.fromhex("ff" * 15 + "fe" + "00" * 16)
        )
