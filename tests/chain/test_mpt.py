"""Trie proofs against tries of a third party, RLP and headers against its encoder."""

import contextlib
import random
from typing import Any

import pytest
import rlp as third_party
from hypothesis import given
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from sudonglian.chain import header, mpt, rlp, slots
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.mpt import TrieRefused

ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=4), max_leaves=12)


def depth(item: Any) -> int:
    return 1 + max((depth(one) for one in item), default=0) if isinstance(item, list) else 0


@given(ITEMS.filter(lambda item: depth(item) <= rlp.MAX_DEPTH))
def test_rlp_equals_the_third_partys(item: Any) -> None:
    raw = third_party.encode(item)
    assert rlp.encode(item) == raw
    assert rlp.decode(raw) == item


@given(st.binary(max_size=80))
def test_rlp_reads_only_what_it_would_write(raw: bytes) -> None:
    with contextlib.suppress(rlp.RlpRefused):
        assert rlp.encode(rlp.decode(raw)) == raw


@pytest.mark.parametrize(
    "text",
    ["", "8100", "817f", "b800", "b837" + "00" * 55, "b90038" + "00" * 56, "83ffff", "c3ffff", "c281", "0000", "8000",
     "f800", "f837" + "80" * 55, "bf" + "ff" * 8, "ff" + "ff" * 8, "c180" + "00", "b8", "c9" * 9 + "c0"],
)  # fmt: skip
def test_rlp_refuses_what_is_not_the_one_encoding(text: str) -> None:
    with pytest.raises(rlp.RlpRefused):
        rlp.decode(bytes.fromhex(text))


def test_an_integer_has_no_leading_zero() -> None:
    assert [rlp.integer(b""), rlp.integer(b"\x01\x00")] == [0, 256]
    refused: list[rlp.Item] = [b"\0", b"\0\1", b"\1" * 33, []]
    for item in refused:
        with pytest.raises(rlp.RlpRefused):
            rlp.integer(item)
    for value, length in (([], None), (b"ab", 3)):
        with pytest.raises(rlp.RlpRefused):
            rlp.string(value, length)
    with pytest.raises(rlp.RlpRefused):
        rlp.decode_list(b"\x80")


def storage_of(count: int) -> tuple[HexaryTrie, dict[bytes, int]]:
    generator = random.Random(count)
    values = {generator.randbytes(32): generator.choice([1, 127, 128, 2**64, 2**256 - 1]) for _ in range(count)}
    trie = HexaryTrie({})
    for slot, value in values.items():
        trie[keccak256(slot)] = third_party.encode(value)
    return trie, values


def proof_of(trie: HexaryTrie, key: bytes) -> list[bytes]:
    return [third_party.encode(node) for node in trie.get_proof(keccak256(key))]  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("count", [1, 2, 3, 17, 400])
def test_every_slot_of_a_real_trie_is_proven(count: int) -> None:
    trie, values = storage_of(count)
    for slot, value in list(values.items())[:60]:
        assert mpt.verify_storage(trie.root_hash, slot, proof_of(trie, slot)) == value


def test_an_account_of_a_real_trie_is_proven() -> None:
    trie = HexaryTrie({})
    for n in range(300):
        trie[keccak256(bytes([n % 256]) * 20 + bytes([n // 256]))] = b"other" * 20
    address = bytes(range(20))
    trie[keccak256(address)] = third_party.encode([3, 10**20, b"s" * 32, b"c" * 32])
    proof = proof_of(trie, address)
    assert mpt.verify_account(trie.root_hash, address, proof) == mpt.Account(3, 10**20, b"s" * 32, b"c" * 32)
    for fields in (
        [3, 1, b"s" * 32],
        [3, 1, b"s" * 31, b"c" * 32],
        [3, 1, b"s" * 32, b"c" * 32, 1],
        [2**64, 1, b"s" * 32, b"c" * 32],
    ):
        trie[keccak256(address)] = third_party.encode(fields)
        with pytest.raises(ProofRefused):
            mpt.verify_account(trie.root_hash, address, proof_of(trie, address))


def test_absence_is_refused_in_its_own_words() -> None:
    trie, values = storage_of(400)
    absent = 0
    for n in range(200):
        slot = keccak256(bytes([n]))
        with pytest.raises(TrieRefused, match="absent"):
            mpt.verify_storage(trie.root_hash, slot, proof_of(trie, slot))
        absent += slot not in values
    assert absent == 200


def test_superfluous_missing_and_reordered_nodes_are_refused() -> None:
    trie, values = storage_of(400)
    slot = next(iter(values))
    proof = proof_of(trie, slot)
    assert len(proof) > 2
    other = proof_of(trie, list(values)[1])
    wrong: list[list[bytes]] = [
        [],
        proof[:-1],
        proof[1:],
        proof[::-1],
        [*proof, proof[-1]],
        [*proof, other[-1]],
        [proof[0], *proof],
    ]
    wrong += [[*proof[:-1], b""], [*proof[:-1], other[-1]], proof * 40]
    for nodes in wrong:
        with pytest.raises(ProofRefused):
            mpt.verify_storage(trie.root_hash, slot, nodes)
    for key, root in ((list(values)[1], trie.root_hash), (slot, bytes(32))):
        with pytest.raises(ProofRefused):
            mpt.verify_storage(root, key, proof)


def test_every_flipped_bit_is_refused() -> None:
    trie, values = storage_of(20)
    slot = next(iter(values))
    proof = proof_of(trie, slot)
    for which, node in enumerate(proof):
        for place in range(len(node)):
            changed = bytearray(node)
            changed[place] ^= 1 << (place % 8)
            with pytest.raises(ProofRefused):
                mpt.verify_storage(trie.root_hash, slot, [*proof[:which], bytes(changed), *proof[which + 1 :]])


def forged(*nodes: Any) -> tuple[bytes, list[bytes]]:
    """A trie of one's own making: what no honest node writes, hashed as it stands."""
    raw = [rlp.encode(node) for node in nodes]
    return keccak256(raw[0]), raw


SLOT = bytes(32)
NIBBLES = keccak256(SLOT).hex()
VALUE = rlp.encode(2**255)


def hp(path: str, leaf: bool) -> bytes:
    return bytes.fromhex(("3" if leaf else "1") + path if len(path) % 2 else ("20" if leaf else "00") + path)


def branch(nibble: str, child: Any, value: bytes = b"") -> list[Any]:
    node: list[Any] = [b""] * 16 + [value]
    node[int(nibble, 16)] = child
    return node


LEAF = [hp(NIBBLES[1:], True), VALUE]


def test_a_trie_of_the_same_form_is_read() -> None:
    root, nodes = forged(branch(NIBBLES[0], keccak256(rlp.encode(LEAF))), LEAF)
    assert mpt.verify_storage(root, SLOT, nodes) == 2**255
    deep = [hp(NIBBLES[3:], True), VALUE]
    extension = [hp(NIBBLES[:3], False), keccak256(rlp.encode(deep))]
    root, nodes = forged(extension, deep)
    assert mpt.verify_storage(root, SLOT, nodes) == 2**255


@pytest.mark.parametrize(
    "nodes",
    [
        [branch(NIBBLES[0], LEAF)],  # embedded in its parent
        [branch(NIBBLES[0], LEAF), LEAF],
        [branch(NIBBLES[0], b"short"), LEAF],
        [branch(NIBBLES[0], keccak256(rlp.encode(LEAF)), b"value"), LEAF],
        [[hp("", False), keccak256(rlp.encode([hp(NIBBLES, True), VALUE]))], [hp(NIBBLES, True), VALUE]],
        [[hp(NIBBLES, False), VALUE]],
        [[hp(NIBBLES, False), keccak256(rlp.encode([hp("", True), VALUE]))], [hp("", True), b""]],
        [[hp(NIBBLES[:-1], True), VALUE]],
        [[hp(NIBBLES + "0", True), VALUE]],
        [[b"\x21" + hp(NIBBLES, True)[1:], VALUE]],
        [[b"\x40" + bytes.fromhex(NIBBLES), VALUE]],
        [[b"", VALUE]],
        [[[hp(NIBBLES, True)], VALUE]],
        [[hp(NIBBLES, True), [VALUE]]],
        [[hp(NIBBLES, True), b""]],
        [[hp(NIBBLES, True), b"\x80"]],
        [[hp(NIBBLES, True), b"\x00"]],
        [[hp(NIBBLES, True), rlp.encode(b"\0" + b"\1" * 31)]],
        [[hp(NIBBLES, True), rlp.encode(b"\1" * 33)]],
        [[hp(NIBBLES, True), VALUE, b""]],
        [[b""] * 16],
        [[]],
        [b""],
        [[hp(NIBBLES, True), VALUE + b"\0" * 2_000]],
    ],
)
def test_a_trie_that_no_node_writes_is_refused(nodes: list[Any]) -> None:
    root, raw = forged(*nodes)
    with pytest.raises(ProofRefused):
        mpt.verify_storage(root, SLOT, raw)


@given(st.lists(st.binary(max_size=60), max_size=3), st.booleans())
def test_garbage_is_refused_in_our_own_words(nodes: list[bytes], rooted: bool) -> None:
    root = keccak256(nodes[0]) if nodes and rooted else bytes(32)
    with pytest.raises(ProofRefused):
        mpt.verify_storage(root, SLOT, nodes)
    with contextlib.suppress(ProofRefused):
        header.parse(b"".join(nodes))


FIELDS: list[Any] = [b"p" * 32, b"u" * 32, b"c" * 20, b"s" * 32, b"t" * 32, b"r" * 32, bytes(256), b"", b"\x05"]
FIELDS += [b"\x01", b"", b"\x64", b"extra", bytes(32), bytes(8)]


def test_a_header_is_read() -> None:
    for more in ([], [b"\x07"], [b"\x07", b"w" * 32, b"", b"", b"b" * 32, b"q" * 32]):
        raw = third_party.encode([*FIELDS, *more])
        said = header.parse(raw)
        assert (said.parent, said.state_root, said.number, said.timestamp) == (b"p" * 32, b"s" * 32, 5, 100)
        assert (said.extra_data, said.hash) == (b"extra", keccak256(raw))


def test_mainnets_genesis_header_has_its_published_hash() -> None:
    empty = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    genesis = [
        bytes(32), bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"), bytes(20),
        bytes.fromhex("d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"), bytes.fromhex(empty),
        bytes.fromhex(empty), bytes(256), (2**34).to_bytes(5, "big"), b"", (5000).to_bytes(2, "big"), b"", b"",
        bytes.fromhex("11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa"), bytes(32), bytes.fromhex("0000000000000042"),
    ]  # fmt: skip
    said = header.parse(rlp.encode(genesis))
    assert said.hash.hex() == "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
    assert said.number == 0


@pytest.mark.parametrize(
    "fields",
    [
        FIELDS[:-1],
        FIELDS + [b""] * 20,
        [*FIELDS[:3], b"short", *FIELDS[4:]],
        [*FIELDS[:8], b"\0\5", *FIELDS[9:]],
        [*FIELDS[:11], [], *FIELDS[12:]],
        [*FIELDS[:12], [], *FIELDS[13:]],
        [*FIELDS[:12], bytes(70_000), *FIELDS[13:]],
        b"no list",
    ],
)
def test_what_is_no_header_is_refused(fields: Any) -> None:
    with pytest.raises(ProofRefused):
        header.parse(rlp.encode(fields))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 255))
def test_a_window_is_read_as_the_contract_packs_it(start: int, end: int, revoked: int, roles: int) -> None:
    packed = start | end << 64 | revoked << 128 | roles << 192
    assert slots.window_of(packed) == slots.Window(start, end, revoked, roles)


def test_the_namespace_follows_from_its_name() -> None:
    seed = (int.from_bytes(keccak256(b"sudonglian.log.v1"), "big") - 1).to_bytes(32, "big")
    assert int.from_bytes(keccak256(seed), "big") & ~0xFF == slots.NAMESPACE
    for refused in (
        lambda: slots.root_slot(-1),
        lambda: slots.root_slot(2**64),
        lambda: slots.party_slots(b""),
        lambda: slots.window_of(1 << 200),
    ):
        with pytest.raises(slots.SlotRefused):
            refused()
