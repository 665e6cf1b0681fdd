"""What an auditor has decided to trust: log keys, chains, contracts, finality.

docs/spec/trust.md.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from sudonglian.chain import canonical
from sudonglian.chain.canonical import MAX_INTEGER, Json
from sudonglian.chain.checkpoint import VerifierKey
from sudonglian.chain.errors import CanonicalRefused, ProofRefused, TrustRefused
from sudonglian.chain.qbft import MAX_VALIDATORS

VERSION: Final = "sudonglian/trust/1"

MAX_BYTES: Final = 16 * 1024 * 1024
"""A list of 200,000 header hashes."""


@dataclass(frozen=True, slots=True)
class TrustedHeaders:
    """A header is final when its keccak-256 is one of these."""

    headers: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Qbft:
    """A header is final when enough of these validators have sealed it."""

    validators: frozenset[bytes]


Finality: TypeAlias = TrustedHeaders | Qbft


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """A log by its key."""

    origin: str
    key: VerifierKey


@dataclass(frozen=True, slots=True)
class TrustedChain:
    """A contract on a chain."""

    chain_id: int
    genesis: bytes
    contract: bytes
    code_hash: bytes
    finality: Finality


@dataclass(frozen=True, slots=True)
class Trust:
    """A trust file's content."""

    logs: tuple[TrustedLog, ...] = ()
    chains: tuple[TrustedChain, ...] = ()

    def log(self, origin: str) -> TrustedLog | None:
        """Return the log of an origin, if it is trusted."""
        return next((one for one in self.logs if one.origin == origin), None)

    def chain(self, genesis: bytes, contract: bytes) -> TrustedChain | None:
        """Return the chain and contract, if they are trusted."""
        return next((one for one in self.chains if (one.genesis, one.contract) == (genesis, contract)), None)

    def with_log(self, vkey: str) -> "Trust":
        """Return this with a log's key; it takes the place of that origin's former key."""
        key = _vkey(vkey)
        kept = tuple(one for one in self.logs if one.origin != key.name)
        return replace(self, logs=(*kept, TrustedLog(key.name, key)))

    def with_chain(self, chain: TrustedChain) -> "Trust":
        """Return this with a chain; header hashes are added to those that the same chain had."""
        old = self.chain(chain.genesis, chain.contract)
        new = chain.finality
        if old and isinstance(old.finality, TrustedHeaders) and isinstance(new, TrustedHeaders):
            chain = replace(chain, finality=TrustedHeaders(old.finality.headers | new.headers))
        return replace(self, chains=(*(one for one in self.chains if one is not old), chain))

    def to_json(self) -> dict[str, Json]:
        """Return the file's object."""
        return {
            "v": VERSION,
            "logs": [{"origin": one.origin, "key": str(one.key)} for one in self.logs],
            "chains": [
                {
                    "chain_id": one.chain_id,
                    "genesis": one.genesis.hex(),
                    "contract": one.contract.hex(),
                    "code_hash": one.code_hash.hex(),
                    "finality": _finality_json(one.finality),
                }
                for one in self.chains
            ],
        }

    def encode(self) -> bytes:
        """Return the file, laid out for a person to read and compare."""
        return (json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n").encode()


def parse(raw: bytes) -> Trust:
    """Read a trust file, or refuse it.

    Raises
    ------
    TrustRefused
        With the place in the file.
    """
    try:
        value = canonical.parse(raw, max_bytes=MAX_BYTES)
    except CanonicalRefused as error:
        raise TrustRefused(error.reason, place=error.place) from error
    top = _members(value, "", "v", "logs", "chains")
    if top["v"] != VERSION:
        raise TrustRefused(f"not of the version {VERSION}", place="/v")
    trust = Trust(
        logs=tuple(_log(one, f"/logs/{n}") for n, one in enumerate(_array(top["logs"], "/logs"))),
        chains=tuple(_chain(one, f"/chains/{n}") for n, one in enumerate(_array(top["chains"], "/chains"))),
    )
    if len({one.origin for one in trust.logs}) != len(trust.logs):
        raise TrustRefused("an origin stands twice", place="/logs")
    if len({(one.genesis, one.contract) for one in trust.chains}) != len(trust.chains):
        raise TrustRefused("a contract stands twice", place="/chains")
    return trust


def _log(value: Json, place: str) -> TrustedLog:
    members = _members(value, place, "origin", "key")
    key = _vkey(members["key"], f"{place}/key")
    if members["origin"] != key.name:
        raise TrustRefused("the key is not named after the origin", place=f"{place}/origin")
    return TrustedLog(key.name, key)


def _chain(value: Json, place: str) -> TrustedChain:
    members = _members(value, place, "chain_id", "genesis", "contract", "code_hash", "finality")
    chain_id = members["chain_id"]
    if type(chain_id) is not int or not 0 < chain_id <= MAX_INTEGER:
        raise TrustRefused("a chain id is a positive integer", place=f"{place}/chain_id")
    return TrustedChain(
        chain_id,
        _hex(members["genesis"], 32, f"{place}/genesis"),
        _hex(members["contract"], 20, f"{place}/contract"),
        _hex(members["code_hash"], 32, f"{place}/code_hash"),
        _finality(members["finality"], f"{place}/finality"),
    )


def _finality(value: Json, place: str) -> Finality:
    rule = value.get("rule") if isinstance(value, dict) else None
    if rule == "trusted-headers":
        listed = _array(_members(value, place, "rule", "headers")["headers"], f"{place}/headers")
        return TrustedHeaders(frozenset(_hex(one, 32, f"{place}/headers/{n}") for n, one in enumerate(listed)))
    if rule == "qbft":
        listed = _array(_members(value, place, "rule", "validators")["validators"], f"{place}/validators")
        validators = frozenset(_hex(one, 20, f"{place}/validators/{n}") for n, one in enumerate(listed))
        # A name listed twice would silently lower the quorum that the auditor had in mind.
        if not 0 < len(validators) <= MAX_VALIDATORS or len(validators) != len(listed):
            raise TrustRefused(f"1 to {MAX_VALIDATORS} validators, none twice", place=f"{place}/validators")
        return Qbft(validators)
    raise TrustRefused("the rule is trusted-headers or qbft", place=f"{place}/rule")


def _finality_json(finality: Finality) -> dict[str, Json]:
    if isinstance(finality, Qbft):
        return {"rule": "qbft", "validators": [one.hex() for one in sorted(finality.validators)]}
    return {"rule": "trusted-headers", "headers": [one.hex() for one in sorted(finality.headers)]}


def _members(value: Json, place: str, *names: str) -> dict[str, Json]:
    if not isinstance(value, dict) or value.keys() != set(names):
        raise TrustRefused(f"an object with exactly the members {', '.join(names)}", place=place)
    return value


def _array(value: Json, place: str) -> list[Json]:
    if not isinstance(value, list):
        raise TrustRefused("an array", place=place)
    return value


def _hex(value: Any, length: int, place: str) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * length}}}", value):
        raise TrustRefused(f"{2 * length} lower-case hexadecimal digits without 0x", place=place)
    return bytes.fromhex(value)


def _vkey(value: Json, place: str = "") -> VerifierKey:
    try:
        return VerifierKey.parse(value if isinstance(value, str) else "")
    except ProofRefused as error:
        raise TrustRefused(error.reason, place=place) from error
