"""QBFT headers that Hyperledger Besu itself wrote: both hashes and the sealers.

Facts of two networks of four Besu validators each, as numbers; nothing else of their sources is here:
- blocks 27 and 28 of a network of besu 25.4.1 (cosmos/solidity-ibc-eureka, test/besu-bft/fixtures/qbft.json, 2026);
- block 7528, sealed in round 1 (datachainlab/besu-qbft-elc, elc/src/header.rs, 2024), with the hash that was sealed;
- the extra data that Besu's own QbftExtraDataCodecTest names.
"""

from collections.abc import Callable

import pytest
import rlp as third_party

from sudonglian.chain import header as headers
from sudonglian.chain import qbft, rlp, secp256k1
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import header_rlp

NO_UNCLES = keccak256(b"\xc0")
NO_TRANSACTIONS = keccak256(b"\x80")
QBFT_MIX = b"ctical byzantine fault tolerance"


def many(text: str) -> list[bytes]:
    return [bytes.fromhex(one) for one in text.split()]


VALIDATORS = many(
    "065f139d8a49e9926232cc4435159024cb5064fc 0eb968de631abc65322ecdca5dfdf9c6296e52f4"
    " 20c5edbcf6263cd9e30df395a2b914f6e939b9ba 543d3796700ee35803a1c43562a69fec08e1e423"
)
PARENT, STATE, TRANSACTIONS, RECEIPTS, NEXT_PARENT = many(
    "35c5bc445cd81c61bc0aad8007aa516544feb0e1df4a14cf4814e633a3565529"
    " b7639c4d45625b8b101b9db57a7c3dd480a6b4d87f05b20c0b36dbec0bd6bf39"
    " 4abda09b87c8b2c5f4d9026f4740c329505384b8abb1ad521a6e55bbb82a7fa8"
    " f5a30bc56f74a84f77824b92e5ac9a1e83fd2e3685f236542154b3eecbfa65a3"
    " ed92bb528c7dd294ab7549dd6dac0fd5ee7154cabc6bd0c90f5fc7dc28c091eb"
)
SEALS = many(
    "a71881769fdd4ab6fc94b38a5e0575d160f60976be3ffabea13753358b1fa638"
    "59651be466e28107e85819a7c493db04c782344f7965b89f98e846018391d5ed01"
    " eda6db7423837da36d7e1330411093c62e809c95acd154e11eada002329e2a50"
    "1329f936c901c111b85ed105a8fe4af5e01d455536aa28c5fa346197cfe84bca00"
    " df5eeb081556ae5fbe0b35240203c4451c8f2090b3ebe3ba556203cdcbec5678"
    "435c4fd9d3a87db14c4ea1b1c4e42949879171474d79dfd87ccbf1e08402ca4801"
)
BLOOM = bytearray(256)
for place, byte in ((7, 8), (28, 8), (40, 0x80), (61, 0x20), (118, 0x20), (119, 2), (154, 1), (160, 2), (194, 1),
                    (218, 8), (225, 0x10), (234, 0x10)):  # fmt: skip
    BLOOM[place] = byte


def besu_27(seals: list[bytes] | None = None) -> bytes:
    """Block 27, whose hash is the parent hash in block 28."""
    extra = third_party.encode([b"besu 25.4.1".rjust(32, b"\0"), VALIDATORS, [], 0, SEALS if seals is None else seals])
    fields = [PARENT, NO_UNCLES, VALIDATORS[3], STATE, TRANSACTIONS, RECEIPTS, bytes(BLOOM), 1, 27, 0x2FAF080, 0xB349]
    return bytes(third_party.encode([*fields, 0x69E90E17, extra, QBFT_MIX, bytes(8), 0]))


OLDER = many(
    "647bfdd19655e51e69d35454ff3a92f8828e6302 a5c8416b9d13417b45b45ada76408f39d1e504ef"
    " b92e91f4dcc9d28503be521afa2a8fbf3c1acf60 ee3353e587cfa91625a1adaef308a726de3803d3"
)
OLDER_PARENT, OLDER_STATE, OLDER_SEALED = many(
    "0af93e70b1c6d3974a88a42eb70bb61adbd523bfac0c83027ba4637c52746a0f"
    " 166ed98eea93ab2b6f6b1a425526994adc2d675bf9a0d77d600ed1e02d8f77df"
    " 75ea184f58cd3f0ef89032a069df01f07ec524ef3a85cf6d3e424d62130c0a32"
)
OLDER_SEALS = many(
    "bc7633fd65570f610a595086e9a34e5bf6aacfb67b8f8cd01852e6b285147f04"
    "6a50577b49378b86723ac9b456ef59ef7ab57cda7139d807f10f58e8cb10c67600"
    " ad1defc2b0b4a48158cff24778bb5ba4d9f373c171022ab0a42e37bdb0d40257"
    "18434d303a8d94df56ef9ad5219be9f27b2f67179a7fb82d3323dde29546f9f701"
    " e233d3670dd97c715f72b440eeb1ccb1e22c8c23f6ab470c46c99c2d0ee6509f"
    "0341a42e0e4569782557e93c3815e8ca4294043595f69a90f73f135de8ecf41e00"
)


def besu_7528(seals: list[bytes] | None = None) -> bytes:
    """Block 7528 of a network before London, whose validators needed a second round."""
    extra = third_party.encode([bytes(32), OLDER, [], 1, OLDER_SEALS if seals is None else seals])
    fields = [OLDER_PARENT, NO_UNCLES, OLDER[3], OLDER_STATE, NO_TRANSACTIONS, NO_TRANSACTIONS, bytes(256), 1, 7528]
    return bytes(third_party.encode([*fields, 0x47B760, 0, 0x6640618B, extra, QBFT_MIX, bytes(8)]))


def test_a_block_has_the_hash_that_its_child_names() -> None:
    assert qbft.verify_header(besu_27(), VALIDATORS) == NEXT_PARENT
    header = headers.parse(besu_27())
    assert header.hash != NEXT_PARENT
    assert qbft.block_hash(header) == NEXT_PARENT
    assert qbft.is_named(header, NEXT_PARENT)
    assert qbft.validators_in(header) == tuple(VALIDATORS)


def test_the_hash_that_was_sealed_keeps_the_round() -> None:
    assert keccak256(besu_7528([])) == OLDER_SEALED
    sealers = {secp256k1.recover(OLDER_SEALED, seal) for seal in OLDER_SEALS}
    assert len(sealers) == 3
    assert sealers < set(OLDER)
    named = qbft.verify_header(besu_7528(), OLDER)
    assert named not in (OLDER_SEALED, keccak256(besu_7528()))
    assert named == qbft.block_hash(headers.parse(besu_7528([])))


@pytest.mark.parametrize(
    ("build", "validators", "seals"), [(besu_27, VALIDATORS, SEALS), (besu_7528, OLDER, OLDER_SEALS)]
)
def test_fewer_others_or_doubled_seals_do_not_make_a_block_final(
    build: Callable[..., bytes], validators: list[bytes], seals: list[bytes]
) -> None:
    for few in (seals[:2], [], [seals[0], seals[0], seals[1]], [*seals, seals[0]], [*seals[:2], SEALS[0][:64] + b"\0"]):
        with pytest.raises(ProofRefused):
            qbft.verify_header(build(few), validators)
    with pytest.raises(ProofRefused):
        qbft.verify_header(build(), validators[:3])
    with pytest.raises(ProofRefused):
        qbft.verify_header(build(), OLDER if validators is VALIDATORS else VALIDATORS)


def test_what_a_besu_node_answers_is_put_together_again() -> None:
    """eth_getBlockByNumber of block 27, its fields under the names that Besu gives them."""
    answer = {
        "number": "0x1b",
        "hash": "0x" + NEXT_PARENT.hex(),
        "mixHash": "0x" + QBFT_MIX.hex(),
        "parentHash": "0x" + PARENT.hex(),
        "nonce": "0x0000000000000000",
        "sha3Uncles": "0x" + NO_UNCLES.hex(),
        "logsBloom": "0x" + BLOOM.hex(),
        "transactionsRoot": "0x" + TRANSACTIONS.hex(),
        "stateRoot": "0x" + STATE.hex(),
        "receiptsRoot": "0x" + RECEIPTS.hex(),
        "miner": "0x" + VALIDATORS[3].hex(),
        "difficulty": "0x1",
        "totalDifficulty": "0x1c",
        "extraData": "0x" + headers.parse(besu_27()).extra_data.hex(),
        "baseFeePerGas": "0x0",
        "gasLimit": "0x2faf080",
        "gasUsed": "0xb349",
        "timestamp": "0x69e90e17",
    }
    assert header_rlp(answer) == besu_27()


def test_the_codecs_own_example() -> None:
    one, ten = (1).to_bytes(32, "big"), (10).to_bytes(32, "big")
    addresses = [bytes(19) + b"\1", bytes(19) + b"\2"]
    written = bytes.fromhex(
        "f8f0a00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20ea94000000000000000000000000000000000000000194"
        "0000000000000000000000000000000000000002d794000000000000000000000000000000000000000181ff83fedcbaf886b841"
        + one.hex() + ten.hex() + "00b841" + ten.hex() + one.hex() + "00"
    )  # fmt: skip
    vanity = bytes(range(1, 33))
    said = [vanity, addresses, [addresses[0], b"\xff"], 0xFEDCBA, [one + ten + b"\0", ten + one + b"\0"]]
    assert rlp.encode(said) == written  # type: ignore[arg-type]
    assert rlp.decode(written)[3] == b"\xfe\xdc\xba"
