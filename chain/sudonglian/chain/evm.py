"""Any EVM network behind a JSON-RPC address: Besu, geth, a public chain, Hardhat, anvil.

Ethereum execution APIs (eth_*); EIP-1186 (eth_getProof); the face is network.Network.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from requests import HTTPError, RequestException, Response, Session
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from sudonglian.chain import header as headers
from sudonglian.chain import qbft
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import (
    ADDRESS_BYTES,
    ANCHORED_TOPIC,
    NOBODY,
    WORD_BYTES,
    AccountProof,
    AlreadyKnown,
    Block,
    CallReverted,
    ChainIdentity,
    Fees,
    FoundLog,
    HeaderMismatch,
    InsufficientFunds,
    Log,
    NetworkRefused,
    NetworkUnreachable,
    NonceTooLow,
    Receipt,
    Underpriced,
    header_rlp,
    unhex,
    unquantity,
)

TIMEOUT_S: Final = 20
"""A local node answers in milliseconds; a public one may take seconds over a storage proof."""

LOGS_RANGE: Final = 10_000
"""Public nodes refuse wider searches; one that refuses this too is asked for half as much, and so on."""

REVERT_CODE: Final = 3
"""JSON-RPC error code of a reverted execution (geth); others say it in words."""

TOO_MANY_REQUESTS: Final = 429
"""The one HTTP status below 500 that passes by itself."""

MAX_ERROR_DEPTH: Final = 4
"""Nodes hide the returned data of a revert in errors within errors."""

PROPOSED_PRIORITY_FEE: Final = 1_000_000_000
"""One gwei, for nodes that propose none."""

_REFUSALS: Final[tuple[tuple[str, type[NetworkRefused]], ...]] = (
    ("already known", AlreadyKnown),
    ("already imported", AlreadyKnown),
    ("known transaction", AlreadyKnown),
    ("nonce too low", NonceTooLow),
    ("nonce is too low", NonceTooLow),
    ("nonce below", NonceTooLow),
    ("insufficient funds", InsufficientFunds),
    ("enough funds", InsufficientFunds),
    ("exceeds account balance", InsufficientFunds),
    ("underpriced", Underpriced),
    ("less than block base fee", Underpriced),
    ("gas price below", Underpriced),
    ("gas price too low", Underpriced),
    ("base fee exceeds gas limit", Underpriced),
    ("too low for the next block", Underpriced),
)
"""How geth, Besu, Hardhat and anvil say it; there is no code for it in JSON-RPC."""


class JsonRpcNetwork:
    """The network at `url`. Nothing is retried here: the anchoring steps know what may be repeated."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        # Given explicitly, so that we can close it: the provider keeps one for each thread and closes none.
        self._session = Session()
        self._provider = HTTPProvider(
            url, request_kwargs={"timeout": timeout_s}, session=self._session, exception_retry_configuration=None
        )

    def identity(self) -> ChainIdentity:
        """Return chain id and genesis hash; asked every time, as a development chain may have come back empty."""
        chain_id = unquantity(self._ask("eth_chainId"))
        genesis = self._fields("0x0")
        if genesis is None:
            raise NetworkRefused("the node has no genesis block")
        return ChainIdentity(chain_id, unhex(genesis.get("hash"), WORD_BYTES))

    def head(self) -> int:
        """Return the number of the latest block."""
        return unquantity(self._ask("eth_blockNumber"))

    def block(self, number: int) -> Block | None:
        """Return a block whose header was rebuilt and hashes to its hash, on a QBFT chain by QBFT's rule."""
        fields = self._fields(hex(number))
        if fields is None:
            return None
        encoded = header_rlp(fields)
        said = unhex(fields.get("hash"), WORD_BYTES)
        if not _is_named(encoded, said):
            raise HeaderMismatch(f"the fields of block {number} do not hash to 0x{said.hex()}")
        if unquantity(fields.get("number")) != number:
            raise NetworkRefused(f"asked for block {number}, got {fields.get('number')!r:.80}")
        parent = unhex(fields.get("parentHash"), WORD_BYTES)
        return Block(number, said, parent, unquantity(fields.get("timestamp")), encoded)

    def validators(self, number: int) -> tuple[bytes, ...]:
        """Return who may seal a block, as a Besu node with QBFT in --rpc-http-api says; others refuse."""
        answer = self._ask("qbft_getValidatorsByBlockNumber", hex(number))
        return tuple(unhex(one, ADDRESS_BYTES) for one in _array(answer))

    def balance(self, address: bytes) -> int:
        """Return an account's wei at the head."""
        return unquantity(self._ask("eth_getBalance", _hex(address), "latest"))

    def nonce(self, address: bytes, *, pending: bool = False) -> int:
        """Return the account's next nonce, counting transactions that wait if `pending`."""
        return unquantity(self._ask("eth_getTransactionCount", _hex(address), "pending" if pending else "latest"))

    def fees(self) -> Fees:
        """Return twice the base fee and the node's tip: enough for six full blocks in a row."""
        latest = self._fields("latest")
        if latest is None:
            raise NetworkRefused("the node has no latest block")
        if latest.get("baseFeePerGas") is None:
            price = unquantity(self._ask("eth_gasPrice"))
            return Fees(max_fee=price, priority_fee=price)
        try:
            tip = unquantity(self._ask("eth_maxPriorityFeePerGas"))
        except NetworkRefused:
            tip = PROPOSED_PRIORITY_FEE
        return Fees(max_fee=2 * unquantity(latest["baseFeePerGas"]) + tip, priority_fee=tip)

    def send_raw(self, raw: bytes) -> bytes:
        """Send a signed transaction; a node that has it, mined or waiting, says so by AlreadyKnown."""
        tx_hash = keccak256(raw)
        try:
            said = unhex(self._ask("eth_sendRawTransaction", _hex(raw)), WORD_BYTES)
        except CallReverted:
            # Hardhat mines the transaction and reports its revert as if it had refused it.
            if self.transaction_known(tx_hash):
                return tx_hash
            raise
        except NonceTooLow:
            # A node that forgot the transaction's pool entry once it was mined judges the nonce alone.
            if self.transaction_known(tx_hash):
                raise AlreadyKnown("the node has this transaction", place=_hex(tx_hash)) from None
            raise
        if said != tx_hash:
            raise NetworkRefused(f"the node names the transaction {_hex(said)}, not {_hex(tx_hash)}")
        return tx_hash

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        """Return what became of a transaction, None while it is not in a block."""
        found = self._ask("eth_getTransactionReceipt", _hex(tx_hash))
        if found is None:
            return None
        fields = _object(found)
        made = fields.get("contractAddress")
        return Receipt(
            status=unquantity(fields.get("status")),
            block_number=unquantity(fields.get("blockNumber")),
            block_hash=unhex(fields.get("blockHash"), WORD_BYTES),
            tx_hash=unhex(fields.get("transactionHash"), WORD_BYTES),
            gas_used=unquantity(fields.get("gasUsed")),
            logs=tuple(_log(entry) for entry in _array(fields.get("logs"))),
            contract_address=None if made is None else unhex(made, ADDRESS_BYTES),
        )

    def call(self, to: bytes, data: bytes, *, sender: bytes = NOBODY) -> bytes:
        """Call a contract at the head, as `sender` without a signature; CallReverted if it refuses."""
        # Named even if nobody: Hardhat would call from its first account.
        message = {"from": _hex(sender), "to": _hex(to), "data": _hex(data)}
        return unhex(self._ask("eth_call", message, "latest"))

    def code(self, address: bytes) -> bytes:
        """Return the code of a contract at the head."""
        return unhex(self._ask("eth_getCode", _hex(address), "latest"))

    def transaction_known(self, tx_hash: bytes) -> bool:
        """Return whether the node has the transaction, in a block or waiting."""
        return self._ask("eth_getTransactionByHash", _hex(tx_hash)) is not None

    def proof(self, address: bytes, slots: Sequence[bytes], block_number: int) -> AccountProof:
        """Return the proofs under the state root of a block; nodes keep the states of few."""
        answer = _object(self._ask("eth_getProof", _hex(address), [_hex(slot) for slot in slots], hex(block_number)))
        entries = [_object(entry) for entry in _array(answer.get("storageProof"))]
        if len(entries) != len(slots):
            raise NetworkRefused(f"asked for {len(slots)} storage proofs, got {len(entries)}")
        return AccountProof(
            account_proof=tuple(unhex(node) for node in _array(answer.get("accountProof"))),
            storage=tuple(
                (slot, unquantity(entry.get("value")), tuple(unhex(node) for node in _array(entry.get("proof"))))
                for slot, entry in zip(slots, entries, strict=True)
            ),
        )

    def anchored_blocks(self, contract: bytes, from_block: int) -> list[tuple[int, bytes]]:
        """Return the blocks with Anchored events."""
        return sorted({(one.block_number, one.block_hash) for one in self.anchored_logs(contract, from_block)})

    def anchored_logs(self, contract: bytes, from_block: int) -> list[FoundLog]:
        """Return the Anchored events, searched in ranges that the node does not refuse."""
        found: list[FoundLog] = []
        start, head, width = max(from_block, 0), self.head(), LOGS_RANGE
        while start <= head:
            end = min(start + width - 1, head)
            try:
                logs = self._ask(
                    "eth_getLogs",
                    {
                        "address": _hex(contract),
                        "topics": [_hex(ANCHORED_TOPIC)],
                        "fromBlock": hex(start),
                        "toBlock": hex(end),
                    },
                )
            except NetworkRefused:
                if width == 1:
                    raise
                width = max(width // 2, 1)
                continue
            for entry in _array(logs):
                fields = _object(entry)
                number = unquantity(fields.get("blockNumber"))
                block, tx = (unhex(fields.get(name), WORD_BYTES) for name in ("blockHash", "transactionHash"))
                found.append(FoundLog(number, block, tx, _log(entry)))
            start = end + 1
        return sorted(found, key=lambda one: one.block_number)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def _fields(self, number: str) -> Mapping[str, Any] | None:
        found = self._ask("eth_getBlockByNumber", number, False)
        return None if found is None else _object(found)

    def _ask(self, method: str, *params: object) -> Any:
        try:
            answer: object = self._provider.make_request(RPCEndpoint(method), list(params))
        except HTTPError as failure:
            answer = _answer_in(failure.response, method, self.url)
        except RequestException as failure:
            raise NetworkUnreachable(f"{method}: {type(failure).__name__}", place=self.url) from None
        except (ValueError, RecursionError):
            raise NetworkRefused(f"{method}: the answer is not JSON", place=self.url) from None
        if not isinstance(answer, Mapping):
            raise NetworkRefused(f"{method}: the answer is no JSON-RPC object", place=self.url)
        if (error := answer.get("error")) is not None:
            raise self._refusal(method, error)
        if "result" not in answer:
            raise NetworkRefused(f"{method}: the answer has no result", place=self.url)
        return answer["result"]

    def _refusal(self, method: str, error: object) -> NetworkRefused | CallReverted:
        fields: Mapping[str, Any] = error if isinstance(error, Mapping) else {"message": str(error)}
        message = str(fields.get("message", ""))
        words = message.lower()
        if fields.get("code") == REVERT_CODE or "revert" in words:
            return CallReverted(_revert_data(fields), place=method)
        for sign, kind in _REFUSALS:
            if sign in words:
                return kind(f"{method}: {message:.300}", place=self.url)
        return NetworkRefused(f"{method}: {message:.300}", place=self.url)


def _is_named(encoded: bytes, said: bytes) -> bool:
    try:
        return keccak256(encoded) == said or qbft.is_named(headers.parse(encoded), said)
    except ProofRefused:
        return False


def _answer_in(response: Response | None, method: str, url: str) -> object:
    """Return the JSON-RPC answer that some nodes send with an HTTP error, or raise what the status means."""
    if response is None:
        raise NetworkUnreachable(f"{method}: HTTP error without a response", place=url)
    status = response.status_code
    try:
        answer: object = response.json()
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, Mapping) and "error" in answer:
        return answer
    kind = NetworkUnreachable if status >= 500 or status == TOO_MANY_REQUESTS else NetworkRefused
    raise kind(f"{method}: HTTP {status}", place=url) from None


def _revert_data(fields: Mapping[str, Any]) -> bytes:
    data: Any = fields.get("data")
    for _ in range(MAX_ERROR_DEPTH):
        if not isinstance(data, Mapping):
            break
        data = data.get("data", data.get("result"))
    if not isinstance(data, str) or not data.startswith("0x"):
        return b""
    try:
        return bytes.fromhex(data[2:])
    except ValueError:
        return b""


def _log(entry: object) -> Log:
    fields = _object(entry)
    return Log(
        address=unhex(fields.get("address"), ADDRESS_BYTES),
        topics=tuple(unhex(topic, WORD_BYTES) for topic in _array(fields.get("topics"))),
        data=unhex(fields.get("data")),
    )


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise NetworkRefused(f"expected an object, got {value!r:.80}")
    return value


def _array(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise NetworkRefused(f"expected an array, got {value!r:.80}")
    return value


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
