"""The SudonglianLog contract from outside: calldata, answers, events, errors.

docs/spec/contract.md; Solidity ABI specification (encoding). Where it stores what is in slots.py, how it comes on a chain
in anchor_deployment.py.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import (
    ADDRESS_BYTES,
    ANCHORED_TOPIC,
    WORD_BYTES,
    FoundLog,
    Log,
    Network,
    NetworkRefused,
    unhex,
)
from sudonglian.chain.slots import Window

ZERO_WORD: Final = bytes(WORD_BYTES)

CONSIGNOR: Final = 1
CONSIGNEE: Final = 2
"""Bits of Party.roles; equal to the role numbers of docs/spec/signature.md."""

ROLE_ANCHORER: Final = keccak256(b"sudonglian.ANCHORER")
ROLE_PAUSER: Final = keccak256(b"sudonglian.PAUSER")
ROLE_REGISTRAR: Final = keccak256(b"sudonglian.REGISTRAR")

ANCHOR_GAS: Final = 250_000
"""Measured 88 k at a million records, and no path is longer than 64 nodes: 150 k."""

MAX_ADMIN_DELAY: Final = 2**48 - 1
MAX_SIZE: Final = 2**64 - 1


class ContractAnswerRefused(NetworkRefused):
    """Arguments that have no encoding, or an answer that is none of this contract's."""

    slug = "contract-answer"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What scripts/compile-contracts made."""

    bytecode: bytes
    runtime: bytes
    code_hash: bytes
    source_hash: str
    abi: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Anchored:
    """One Anchored event."""

    size: int
    root: bytes
    previous_size: int
    meta: bytes


@dataclass(frozen=True, slots=True)
class Party:
    """One key's entry in the registry: whose it is, and when and in which roles it signs."""

    party_id: bytes
    window: Window


@dataclass(frozen=True, slots=True)
class ContractError:
    """A decoded revert: the error's name and its arguments (int for integers, bytes for addresses and words)."""

    name: str
    arguments: Mapping[str, int | bytes | str]

    def __str__(self) -> str:
        said = (f"{k}={'0x' + v.hex() if isinstance(v, bytes) else v}" for k, v in self.arguments.items())
        return f"{self.name}({', '.join(said)})"


@cache
def artifact() -> Artifact:
    """Return the compiled contract that this version of the room carries."""
    raw = json.loads(files("sudonglian.chain").joinpath("artifacts", "SudonglianLog.json").read_bytes())
    runtime = unhex(raw["deployedBytecode"])
    return Artifact(
        bytecode=unhex(raw["bytecode"]),
        runtime=runtime,
        # A constant: the contract has no immutable variables, and the compiler script refuses one that has.
        code_hash=keccak256(runtime),
        source_hash=raw["sourceHash"],
        abi=tuple(raw["abi"]),
    )


# Calldata


def selector(signature: str) -> bytes:
    """Return the first four bytes of a function's or an error's hash.

    >>> selector("latest()").hex()
    '52bfe789'
    """
    return keccak256(signature.encode())[:4]


def word(value: int | bytes) -> bytes:
    """Return a static value as one word: integers and addresses right-aligned, words as they are."""
    if isinstance(value, bytes):
        if len(value) not in (ADDRESS_BYTES, WORD_BYTES):
            raise ContractAnswerRefused(f"an address has 20 bytes and a word 32, this has {len(value)}")
        return value.rjust(WORD_BYTES, b"\0")
    if not 0 <= value < 2**256:
        raise ContractAnswerRefused(f"{value} does not fit a word")
    return value.to_bytes(WORD_BYTES, "big")


def calldata(signature: str, *arguments: int | bytes | Sequence[bytes]) -> bytes:
    """Return a call's data; a sequence is `bytes32[]`, and nothing else of the contract is dynamic."""
    heads, tail = [], b""
    for argument in arguments:
        if isinstance(argument, int | bytes):
            heads.append(word(argument))
        else:
            heads.append(word(WORD_BYTES * len(arguments) + len(tail)))
            tail += word(len(argument)) + b"".join(_full_word(entry) for entry in argument)
    return selector(signature) + b"".join(heads) + tail


def deploy_data(
    admin: bytes,
    *,
    anchorer: bytes,
    pauser: bytes,
    registrar: bytes,
    admin_delay_s: int = 0,
    start_size: int = 0,
    start_root: bytes = ZERO_WORD,
) -> bytes:
    """Return the data of the transaction that makes the contract."""
    if not 0 <= admin_delay_s <= MAX_ADMIN_DELAY:
        raise ContractAnswerRefused(f"an administration's delay of {admin_delay_s} s does not fit 48 bits")
    arguments = (admin, admin_delay_s, anchorer, pauser, registrar, _size(start_size), _full_word(start_root))
    return artifact().bytecode + b"".join(word(argument) for argument in arguments)


def anchor_data(size: int, root: bytes, proof: Sequence[bytes], meta: bytes = ZERO_WORD) -> bytes:
    """Return the data of `anchor`."""
    return calldata(
        "anchor(uint64,bytes32,bytes32[],bytes32)", _size(size), _full_word(root), list(proof), _full_word(meta)
    )


def proof_in(data: bytes) -> list[bytes]:
    """Return the consistency proof in the data of a call of `anchor`.

    >>> proof_in(anchor_data(2, b"r" * 32, [b"p" * 32])) == [b"p" * 32]
    True
    """
    path = data[len(anchor_data(0, ZERO_WORD, [])) :]
    return [path[at : at + WORD_BYTES] for at in range(0, len(path), WORD_BYTES)]


def register_data(key: bytes, party_id: bytes, valid_from: int, valid_to: int, roles: int) -> bytes:
    """Return the data of `register`."""
    return calldata(
        "register(address,bytes32,uint64,uint64,uint8)", key, _full_word(party_id), valid_from, valid_to, roles
    )


def rotate_data(old_key: bytes, new_key: bytes, valid_to: int) -> bytes:
    """Return the data of `rotate`."""
    return calldata("rotate(address,address,uint64)", old_key, new_key, valid_to)


def revoke_data(key: bytes) -> bytes:
    """Return the data of `revoke`."""
    return calldata("revoke(address)", key)


def freeze_data(successor: bytes) -> bytes:
    """Return the data of `freeze`."""
    return calldata("freeze(address)", successor)


def pause_data(*, paused: bool) -> bytes:
    """Return the data of `pause` or `unpause`."""
    return calldata("pause()" if paused else "unpause()")


def party_id(uri: str) -> bytes:
    """Return a party's id in the registry: keccak-256 of its normal URI in UTF-8.

    >>> party_id("https://id.gs1.org/417/4012345500004").hex()[:16]
    '17acfb0479705c96'
    """
    return keccak256(uri.encode())


# Answers


def latest(network: Network, contract: bytes) -> tuple[int, bytes]:
    """Return the latest anchored size and root; (0, zeros) for an empty log."""
    size, root = _words(network.call(contract, calldata("latest()")), 2)
    return int.from_bytes(size, "big"), root


def root_at(network: Network, contract: bytes, size: int) -> bytes | None:
    """Return the root anchored for exactly this size, None if there is none."""
    (root,) = _words(network.call(contract, calldata("rootAt(uint64)", _size(size))), 1)
    return None if root == ZERO_WORD else root


def party(network: Network, contract: bytes, key: bytes) -> Party | None:
    """Return a key's entry in the registry, None if there is none."""
    words = _words(network.call(contract, calldata("party(address)", key)), 5)
    if words[0] == ZERO_WORD:
        return None
    return Party(words[0], Window(*(int.from_bytes(w, "big") for w in words[1:])))


def paused(network: Network, contract: bytes) -> bool:
    """Return whether anchoring is paused."""
    return _words(network.call(contract, calldata("paused()")), 1)[0] != ZERO_WORD


def successor(network: Network, contract: bytes) -> bytes | None:
    """Return where anchoring went on after a freeze, None while it goes on here."""
    (found,) = _words(network.call(contract, calldata("successor()")), 1)
    return None if found == ZERO_WORD else found[-ADDRESS_BYTES:]


def consistent(network: Network, contract: bytes, states: tuple[int, bytes, int, bytes], path: Sequence[bytes]) -> bool:
    """Return the contract's own judgement on a consistency proof between (size1, root1, size2, root2)."""
    data = calldata("consistent(uint64,bytes32,uint64,bytes32,bytes32[])", *states, list(path))
    return _words(network.call(contract, data), 1)[0] != ZERO_WORD


def included(network: Network, contract: bytes, leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bool:
    """Return the contract's own judgement on an inclusion proof under the root anchored at `size`."""
    data = calldata("included(bytes32,uint64,uint64,bytes32[])", _full_word(leaf), index, _size(size), list(path))
    return _words(network.call(contract, data), 1)[0] != ZERO_WORD


def anchored_events(logs: Sequence[Log], contract: bytes) -> list[Anchored]:
    """Return the Anchored events of this contract among the logs of a receipt."""
    found = []
    for log in logs:
        if log.address == contract and len(log.topics) == 2 and log.topics[0] == ANCHORED_TOPIC:
            root, previous, meta = _words(log.data, 3)
            found.append(Anchored(int.from_bytes(log.topics[1], "big"), root, int.from_bytes(previous, "big"), meta))
    return found


def anchorings(network: Network, contract: bytes, from_block: int) -> list[tuple[FoundLog, Anchored]]:
    """Return every anchor that the contract took from block `from_block` on, oldest first, and where it is."""
    found = network.anchored_logs(contract, from_block)
    return [(one, said) for one in found for said in anchored_events([one.log], contract)]


def admin(network: Network, contract: bytes) -> bytes:
    """Return who administers the contract."""
    return _words(network.call(contract, calldata("defaultAdmin()")), 1)[0][-ADDRESS_BYTES:]


def has_role(network: Network, contract: bytes, role: bytes, account: bytes) -> bool:
    """Return whether an account has a role."""
    return any(network.call(contract, calldata("hasRole(bytes32,address)", role, account)))


@cache
def _errors() -> dict[bytes, tuple[str, tuple[tuple[str, str], ...]]]:
    known = {}
    for entry in artifact().abi:
        if entry["type"] == "error":
            inputs = tuple((str(i["name"]), str(i["type"])) for i in entry["inputs"])
            known[selector(f"{entry['name']}({','.join(t for _, t in inputs)})")] = (str(entry["name"]), inputs)
    return known


def decode_error(data: bytes) -> ContractError:
    """Return what a revert of this contract says; an unknown one is named `unknown` with its bytes."""
    found = _errors().get(data[:4])
    if found is None or len(data) != 4 + WORD_BYTES * len(found[1]):
        return ContractError("unknown", {"data": data})
    name, inputs = found
    arguments: dict[str, int | bytes | str] = {}
    for place, (argument, kind) in enumerate(inputs):
        raw = data[4 + WORD_BYTES * place :][:WORD_BYTES]
        if kind == "address":
            arguments[argument] = raw[-ADDRESS_BYTES:]
        elif kind.startswith("uint"):
            arguments[argument] = int.from_bytes(raw, "big")
        else:
            arguments[argument] = raw
    return ContractError(name, arguments)


def _words(data: bytes, count: int) -> list[bytes]:
    if len(data) != WORD_BYTES * count:
        raise ContractAnswerRefused(f"expected {count} words, got {len(data)} bytes")
    return [data[at : at + WORD_BYTES] for at in range(0, len(data), WORD_BYTES)]


def _full_word(value: bytes) -> bytes:
    if len(value) != WORD_BYTES:
        raise ContractAnswerRefused(f"a hash has 32 bytes, this has {len(value)}")
    return value


def _size(size: int) -> int:
    if not 0 <= size <= MAX_SIZE:
        raise ContractAnswerRefused(f"size {size} does not fit 64 bits")
    return size
