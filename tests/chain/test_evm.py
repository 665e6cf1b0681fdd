"""JSON-RPC: what only real nodes do (reorganise, come back empty), and answers that no node should give."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain.errors import ChainError
from sudonglian.chain.evm import JsonRpcNetwork
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import (
    AlreadyKnown,
    CallReverted,
    HeaderMismatch,
    InsufficientFunds,
    NetworkRefused,
    NetworkUnreachable,
    NonceTooLow,
    Underpriced,
    bloom_may_hold,
    header_rlp,
)
from sudonglian.chain.wallet import Transaction, Wallet

DEV_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
StartNode = Callable[..., contextlib.AbstractContextManager[str]]


class Answers:
    """A server that says to every request what a test told it to say."""

    def __init__(self) -> None:
        self.status, self.body = 200, b""

    def result(self, value: object) -> None:
        self.status, self.body = 200, json.dumps({"jsonrpc": "2.0", "id": 0, "result": value}).encode()

    def error(self, value: object, status: int = 200) -> None:
        self.status, self.body = status, json.dumps({"jsonrpc": "2.0", "id": 0, "error": value}).encode()


@pytest.fixture(scope="module")
def answers() -> Iterator[tuple[Answers, JsonRpcNetwork]]:
    said = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(said.status)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    network = JsonRpcNetwork(f"http://127.0.0.1:{server.server_port}", timeout_s=5)
    yield said, network
    network.close()
    server.shutdown()
    server.server_close()
    thread.join()


def everything(network: JsonRpcNetwork) -> list[Callable[[], object]]:
    return [
        network.identity,
        network.head,
        lambda: network.block(1),
        lambda: network.balance(bytes(20)),
        lambda: network.nonce(bytes(20)),
        network.fees,
        lambda: network.send_raw(b"\x02"),
        lambda: network.receipt(bytes(32)),
        lambda: network.call(bytes(20), b""),
        lambda: network.code(bytes(20)),
        lambda: network.transaction_known(bytes(32)),
        lambda: network.proof(bytes(20), [bytes(32)], 1),
        lambda: network.anchored_blocks(bytes(20), 0),
    ]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "0x", "0x0", "0xzz", "0x-1", "latest", "0x" + "00" * 32]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["hash", "number", "status", "logs", "data", "error", "message", "code", "storageProof"]),
            inner,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(value=json_values)
def test_no_answer_gets_out_but_by_name(answers: tuple[Answers, JsonRpcNetwork], value: object) -> None:
    said, network = answers
    for say in (said.result, said.error):
        say(value)
        for ask in everything(network):
            with contextlib.suppress(ChainError):
                ask()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"1", b"{}", b"\xff\xfe", b"[" * 5000])
@pytest.mark.parametrize("status", [200, 404, 429, 503])
def test_no_json_gets_out_but_by_name(answers: tuple[Answers, JsonRpcNetwork], body: bytes, status: int) -> None:
    said, network = answers
    said.status, said.body = status, body
    due = NetworkUnreachable if status in (429, 503) else NetworkRefused
    for ask in everything(network):
        with pytest.raises(due):
            ask()


@pytest.mark.parametrize(
    ("message", "due"),
    [
        ("already known", AlreadyKnown),
        ("Known transaction", AlreadyKnown),
        ("transaction already imported", AlreadyKnown),
        ("replacement transaction underpriced", Underpriced),
        ("Gas price below configured minimum gas price", Underpriced),
        ("max fee per gas less than block base fee: address 0x0, maxFeePerGas: 1", Underpriced),
        ("insufficient funds for gas * price + value: have 0 want 1", InsufficientFunds),
        ("Upfront cost exceeds account balance", InsufficientFunds),
        ("Sender doesn't have enough funds to send tx", InsufficientFunds),
        ("nonce too low: next nonce 5, tx nonce 4", NonceTooLow),
        ("something new", NetworkRefused),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_refusals_of_geth_besu_and_hardhat_have_names(
    answers: tuple[Answers, JsonRpcNetwork], message: str, due: type[ChainError], status: int
) -> None:
    said, network = answers
    said.error({"code": -32000, "message": message}, status)
    with pytest.raises(due) as refused:
        network.balance(bytes(20))
    assert type(refused.value) is due


@pytest.mark.parametrize(
    "error",
    [
        {"code": 3, "message": "execution reverted", "data": "0x12345678"},
        {"code": -32000, "message": "Execution reverted", "data": "0x12345678"},
        {"code": -32603, "message": "VM Exception: reverted", "data": {"message": "", "data": "0x12345678"}},
        {"code": -32603, "message": "reverted", "data": {"data": {"data": "0x12345678"}}},
    ],
)
def test_the_data_of_a_revert_is_found(answers: tuple[Answers, JsonRpcNetwork], error: object) -> None:
    said, network = answers
    said.error(error)
    with pytest.raises(CallReverted) as refused:
        network.call(bytes(20), b"")
    assert refused.value.data == refused.value.selector == b"\x12\x34\x56\x78"


MAINNET_GENESIS = {
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x400000000",
    "number": "0x0",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000042",
    "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
}


def test_the_main_networks_first_header_is_rebuilt(answers: tuple[Answers, JsonRpcNetwork]) -> None:
    assert "0x" + keccak256(header_rlp(MAINNET_GENESIS)).hex() == MAINNET_GENESIS["hash"]
    said, network = answers
    said.result(MAINNET_GENESIS)
    block = network.block(0)
    assert block is not None
    assert keccak256(block.header_rlp) == block.hash
    for name in ("stateRoot", "extraData", "timestamp", "gasLimit", "logsBloom"):
        text = MAINNET_GENESIS[name]
        said.result({**MAINNET_GENESIS, name: text[:-1] + ("1" if text[-1] != "1" else "2")})
        with pytest.raises(HeaderMismatch):
            network.block(0)
    said.result(MAINNET_GENESIS)
    with pytest.raises(NetworkRefused):
        network.block(1)


def test_a_bloom_filter_holds_what_was_put_in() -> None:
    def bloom(*items: bytes) -> bytes:
        bits = 0
        for item in items:
            digest = keccak256(item)
            for at in (0, 2, 4):
                bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
        return bits.to_bytes(256, "big")

    assert bloom_may_hold(bloom(b"a", b"b"), b"a", b"b")
    assert not bloom_may_hold(bloom(b"a"), b"a", b"b")
    assert not bloom_may_hold(bytes(256), b"a")


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with contextlib.closing(JsonRpcNetwork(f"http://127.0.0.1:{port}")) as network, pytest.raises(NetworkUnreachable):
        network.head()


def test_a_silent_server_is_unreachable_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with contextlib.closing(JsonRpcNetwork(url, timeout_s=0.2)) as network, pytest.raises(NetworkUnreachable):
            network.head()


@pytest.mark.anvil
def test_a_reorganisation_is_seen(start_node: StartNode) -> None:
    with start_node("anvil") as url, contextlib.closing(JsonRpcNetwork(url)) as network:
        wallet = Wallet(DEV_KEY)
        deployment = ad.deploy(network, wallet)
        receipt = ad.execute(network, wallet, deployment.contract, ac.anchor_data(3, b"r" * 32, []))
        before = network.block(receipt.block_number)
        assert before is not None
        network._ask("anvil_reorg", 1, [])
        after = network.block(receipt.block_number)
        assert after is not None
        assert after.hash != before.hash
        assert network.anchored_blocks(deployment.contract, 0) == []
        assert ad.recognise(network, deployment) is ad.Recognition.SAME
        network._ask("anvil_reorg", 2, [])
        assert ad.recognise(network, deployment) is ad.Recognition.EMPTY


@pytest.mark.anvil
def test_a_waiting_transaction_is_known_and_can_be_replaced(start_node: StartNode) -> None:
    with start_node("anvil") as url, contextlib.closing(JsonRpcNetwork(url)) as network:
        wallet = Wallet(DEV_KEY)
        network._ask("evm_setAutomine", False)
        fees = network.fees()
        made = Transaction(network.identity().chain_id, 0, fees.max_fee, fees.priority_fee, 21_000, bytes(20), b"", 1)
        first = wallet.sign(made)
        network.send_raw(first.raw)
        assert network.transaction_known(first.tx_hash)
        assert network.receipt(first.tx_hash) is None
        assert (network.nonce(wallet.address), network.nonce(wallet.address, pending=True)) == (0, 1)
        with pytest.raises(AlreadyKnown):
            network.send_raw(first.raw)
        with pytest.raises(Underpriced):
            network.send_raw(
                wallet.sign(
                    Transaction(made.chain_id, 0, made.max_fee, made.priority_fee, 21_000, bytes(20), b"", 2)
                ).raw
            )
        dearer = wallet.sign(
            Transaction(made.chain_id, 0, made.max_fee * 2, made.priority_fee * 2, 21_000, bytes(20), b"", 2)
        )
        network.send_raw(dearer.raw)
        network._ask("evm_mine")
        assert network.receipt(first.tx_hash) is None
        receipt = network.receipt(dearer.tx_hash)
        assert receipt is not None
        assert receipt.status == 1


@pytest.mark.parametrize(
    "kind", [pytest.param("anvil", marks=pytest.mark.anvil), pytest.param("node", marks=pytest.mark.hardhat)]
)
def test_a_node_that_came_back_empty_is_recognised(start_node: StartNode, kind: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    wallet = Wallet(DEV_KEY)
    with start_node(kind, port) as url, contextlib.closing(JsonRpcNetwork(url)) as network:
        deployment = ad.deploy(network, wallet)
        assert ad.recognise(network, deployment) is ad.Recognition.SAME
    with start_node(kind, port) as url, contextlib.closing(JsonRpcNetwork(url)) as network:
        assert ad.recognise(network, deployment) is ad.Recognition.EMPTY
        again = ad.deploy(network, wallet)
        assert again.contract == deployment.contract
        assert ad.recognise(network, again) is ad.Recognition.SAME
