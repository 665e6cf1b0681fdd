"""Trust files: what is misspelt or double is refused, what is written is read back."""

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import trust
from sudonglian.chain.checkpoint import LogKey
from sudonglian.chain.errors import TrustRefused
from sudonglian.chain.trust import Qbft, Trust, TrustedChain, TrustedHeaders

KEY = LogKey.from_seed("log.example/a", bytes(32))
HEADERS = TrustedHeaders(frozenset({b"h" * 32, b"i" * 32}))
CHAIN = TrustedChain(31337, b"g" * 32, b"c" * 20, b"k" * 32, HEADERS)
CONSORTIUM = TrustedChain(7, b"g" * 32, b"d" * 20, b"k" * 32, Qbft(frozenset({b"1" * 20, b"2" * 20})))
TRUST = Trust().with_log(KEY.vkey).with_chain(CHAIN).with_chain(CONSORTIUM)
OBJECT = json.loads(TRUST.encode())


def test_what_is_written_is_read_back() -> None:
    assert trust.parse(TRUST.encode()) == TRUST
    assert trust.parse(Trust().encode()) == Trust()
    assert trust.parse(json.dumps(OBJECT, indent=7, sort_keys=True).encode()) == TRUST
    assert (TRUST.log("log.example/a"), TRUST.log("x")) == (TRUST.logs[0], None)
    assert (TRUST.chain(b"g" * 32, b"d" * 20), TRUST.chain(b"g" * 32, b"x" * 20)) == (CONSORTIUM, None)


def test_adding_again_replaces_a_key_and_gathers_headers() -> None:
    new = LogKey.from_seed("log.example/a", bytes([1]) * 32)
    assert TRUST.with_log(new.vkey).logs == (trust.TrustedLog("log.example/a", new.verifier_key),)
    more = TRUST.with_chain(replace(CHAIN, finality=TrustedHeaders(frozenset({b"j" * 32}))))
    assert len(more.chains) == 2
    assert more.chain(b"g" * 32, b"c" * 20) == replace(CHAIN, finality=TrustedHeaders(HEADERS.headers | {b"j" * 32}))
    assert TRUST.with_chain(replace(CHAIN, finality=CONSORTIUM.finality)).chains[1].finality == CONSORTIUM.finality
    with pytest.raises(TrustRefused):
        TRUST.with_log("no key")


def edited(change: Any) -> bytes:
    copy = json.loads(TRUST.encode())
    change(copy)
    return json.dumps(copy).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.update(v="sudonglian/trust/2"),
        lambda t: t.pop("logs"),
        lambda t: t.update(more=1),
        lambda t: t.update(logs={}),
        lambda t: t["logs"].append(t["logs"][0]),
        lambda t: t["logs"][0].update(origin="log.example/b"),
        lambda t: t["logs"][0].update(key="x"),
        lambda t: t["logs"][0].update(key=1),
        lambda t: t["logs"][0].update(note="x"),
        lambda t: t["chains"].append(t["chains"][0]),
        lambda t: t["chains"][0].update(chain_id="31337"),
        lambda t: t["chains"][0].update(chain_id=0),
        lambda t: t["chains"][0].update(chain_id=True),
        lambda t: t["chains"][0].update(genesis="0x" + "00" * 32),
        lambda t: t["chains"][0].update(contract="AB" * 20),
        lambda t: t["chains"][0].update(code_hash="00" * 31),
        lambda t: t["chains"][0].update(finality=None),
        lambda t: t["chains"][0].update(finality={"rule": "clique"}),
        lambda t: t["chains"][0].update(finality={"rule": ["qbft"]}),
        lambda t: t["chains"][0]["finality"].update(validators=[]),
        lambda t: t["chains"][0]["finality"].update(headers=["00"]),
        lambda t: t["chains"][1]["finality"].update(validators=[]),
        lambda t: t["chains"][1]["finality"]["validators"].append("31" * 20),
        lambda t: t["chains"][1]["finality"]["validators"].append("31" * 19),
        lambda t: t["chains"][1].pop("finality"),
    ],
)
def test_anything_else_is_refused(change: Any) -> None:
    with pytest.raises(TrustRefused):
        trust.parse(edited(change))


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"v":1,"v":1}', TRUST.encode() + b"x", b"\xef\xbb\xbf" + TRUST.encode()])
def test_what_is_no_such_json_is_refused(raw: bytes) -> None:
    with pytest.raises(TrustRefused):
        trust.parse(raw)


@given(st.binary(max_size=100))
def test_garbage_is_refused_in_our_own_words(raw: bytes) -> None:
    with pytest.raises(TrustRefused):
        trust.parse(raw)


@given(st.integers(0, len(TRUST.encode()) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_is_other_trust(place: int, mask: int) -> None:
    changed = bytearray(TRUST.encode())
    changed[place] ^= mask
    with contextlib.suppress(TrustRefused):
        assert trust.parse(bytes(changed)) != TRUST or TRUST.encode()[place : place + 1].isspace()
