"""Calldata, errors and slots of the contract against the ABI that the compiler wrote."""

import hashlib
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from eth_abi import abi
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import slots
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import ANCHORED_TOPIC, Log

ABI = ac.artifact().abi
encode: Any = abi.encode
words = st.binary(min_size=32, max_size=32)
sizes = st.integers(0, 2**64 - 1)


def signature(entry: Any) -> str:
    def kind(part: Any) -> str:
        return str(part["type"])

    return f"{entry['name']}({','.join(kind(part) for part in entry['inputs'])})"


FUNCTIONS = {signature(entry) for entry in ABI if entry["type"] == "function"}
EVENTS = {signature(entry) for entry in ABI if entry["type"] == "event"}
ERRORS = [entry for entry in ABI if entry["type"] == "error"]


@pytest.mark.parametrize(
    "called",
    [
        "anchor(uint64,bytes32,bytes32[],bytes32)",
        "register(address,bytes32,uint64,uint64,uint8)",
        "rotate(address,address,uint64)",
        "revoke(address)",
        "freeze(address)",
        "pause()",
        "unpause()",
        "latest()",
        "rootAt(uint64)",
        "party(address)",
        "paused()",
        "successor()",
        "consistent(uint64,bytes32,uint64,bytes32,bytes32[])",
        "included(bytes32,uint64,uint64,bytes32[])",
    ],
)
def test_every_call_is_in_the_abi(called: str) -> None:
    assert called in FUNCTIONS


def test_the_event_is_in_the_abi() -> None:
    assert "Anchored(uint64,bytes32,uint64,bytes32)" in EVENTS
    assert keccak256(b"Anchored(uint64,bytes32,uint64,bytes32)") == ANCHORED_TOPIC


@settings(deadline=None)
@given(sizes, words, st.lists(words, max_size=70), words)
def test_anchor_is_encoded_as_eth_abi_does(size: int, root: bytes, proof: list[bytes], meta: bytes) -> None:
    due = encode(["uint64", "bytes32", "bytes32[]", "bytes32"], [size, root, proof, meta])
    assert ac.anchor_data(size, root, proof, meta)[4:] == due


@settings(deadline=None)
@given(st.binary(min_size=20, max_size=20), st.integers(0, 2**48 - 1), sizes, words)
def test_deployment_is_encoded_as_eth_abi_does(admin: bytes, delay: int, size: int, root: bytes) -> None:
    kinds = ["address", "uint48", "address", "address", "address", "uint64", "bytes32"]
    due = encode(kinds, [admin, delay, admin, bytes(20), admin, size, root])
    data = ac.deploy_data(
        admin, anchorer=admin, pauser=bytes(20), registrar=admin, admin_delay_s=delay, start_size=size, start_root=root
    )
    assert data == ac.artifact().bytecode + due


@pytest.mark.parametrize("entry", ERRORS, ids=lambda entry: entry["name"])
def test_every_error_decodes_to_its_name_and_arguments(entry: Any) -> None:
    samples = {"address": b"a" * 20, "bytes32": b"w" * 32}
    values = [samples.get(part["type"], 7) for part in entry["inputs"]]
    shown = [v if not isinstance(v, bytes) or len(v) == 32 else "0x" + v.hex() for v in values]
    data = ac.selector(signature(entry)) + encode([part["type"] for part in entry["inputs"]], shown)
    error = ac.decode_error(data)
    assert error.name == entry["name"]
    assert list(error.arguments.items()) == [(p["name"], v) for p, v in zip(entry["inputs"], values, strict=True)]
    assert entry["name"] in str(error)
    assert ac.decode_error(data + b"\0").name == "unknown"


def test_what_has_no_encoding_is_refused() -> None:
    makers: list[Callable[[], bytes]] = [
        lambda: ac.anchor_data(2**64, bytes(32), []),
        lambda: ac.anchor_data(-1, bytes(32), []),
        lambda: ac.anchor_data(1, bytes(31), []),
        lambda: ac.anchor_data(1, bytes(32), [bytes(33)]),
        lambda: ac.anchor_data(1, bytes(20), []),
        lambda: ac.deploy_data(bytes(20), anchorer=bytes(20), pauser=bytes(20), registrar=bytes(19)),
        lambda: ac.deploy_data(
            bytes(20), anchorer=bytes(20), pauser=bytes(20), registrar=bytes(20), admin_delay_s=2**48
        ),
    ]
    for make in makers:
        with pytest.raises(ac.ContractAnswerRefused):
            make()


def test_foreign_and_malformed_logs_are_not_ours() -> None:
    topic = (5).to_bytes(32, "big")
    good = Log(b"c" * 20, (ANCHORED_TOPIC, topic), bytes(96))
    assert ac.anchored_events([good], b"c" * 20) == [ac.Anchored(5, bytes(32), 0, bytes(32))]
    assert ac.anchored_events([good], b"d" * 20) == []
    assert ac.anchored_events([Log(b"c" * 20, (topic, topic), bytes(96))], b"c" * 20) == []
    assert ac.anchored_events([Log(b"c" * 20, (), b"")], b"c" * 20) == []
    with pytest.raises(ac.ContractAnswerRefused):
        ac.anchored_events([Log(b"c" * 20, (ANCHORED_TOPIC, topic), bytes(95))], b"c" * 20)


def test_worked_slots_of_the_specification() -> None:
    """docs/spec/contract.md shows these to verifiers in other languages."""
    assert slots.root_slot(1000).hex() == "149ac3b50c3dd415700cd25f7f81ff1fb4f2819a6aa4d02deb5be336b44775d7"
    first, second = slots.party_slots(bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266"))
    assert first.hex() == "1b45cf2466f994b06131159f5c5579a3732736a20992b2843928d72edb4a7407"
    assert second.hex() == "1b45cf2466f994b06131159f5c5579a3732736a20992b2843928d72edb4a7408"


@pytest.mark.parametrize(
    ("moment", "role", "due"),
    [(9, 1, False), (10, 1, True), (14, 1, True), (15, 1, False), (19, 1, False), (12, 2, False), (12, 3, False)],
)
def test_a_key_in_force(moment: int, role: int, due: bool) -> None:
    assert slots.Window(10, 20, 15, ac.CONSIGNOR).open_at(moment, role) is due


def test_the_artifact_says_what_it_was_made_from() -> None:
    raw = json.loads(files("sudonglian.chain").joinpath("artifacts/SudonglianLog.json").read_bytes())
    assert raw["compiler"].startswith("0.8.37+")
    assert raw["settings"] == {
        "evmVersion": "cancun",
        "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
        "optimizer": {"enabled": True, "runs": 200},
    }
    assert len(ac.artifact().code_hash) == len(hashlib.sha256().digest())
    # EIP-170: no network takes more.
    assert len(ac.artifact().runtime) <= 24_576
    assert ac.artifact().bytecode.endswith(ac.artifact().runtime)
