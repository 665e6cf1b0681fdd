"""Checkpoints: C2SP signed notes, strictly."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import checkpoint
from sudonglian.chain.checkpoint import CheckpointRefused, LogKey, VerifierKey

ORIGIN = "sudonglian.example/log/7c9e6679"
KEY = LogKey.from_seed(ORIGIN, bytes(range(32)))
ROOT = bytes(range(32, 64))
NOTE = KEY.sign(42, ROOT)


def test_a_note_says_what_was_signed() -> None:
    assert NOTE.splitlines()[:4] == [ORIGIN, "42", base64.b64encode(ROOT).decode(), ""]
    assert checkpoint.verify_note(NOTE, KEY.vkey) == (ORIGIN, 42, ROOT)
    assert checkpoint.verify_note(NOTE.encode(), KEY.verifier_key, alone=True) == (ORIGIN, 42, ROOT)


def test_the_c2sp_example_of_a_key() -> None:
    # From the C2SP signed-note specification: its published verifier key.
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(VerifierKey.parse(vkey)) == vkey


def test_every_flipped_bit_is_refused() -> None:
    raw = NOTE.encode()
    for place in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            with pytest.raises(CheckpointRefused):
                checkpoint.verify_note(bytes(changed), KEY.vkey)


def test_another_key_or_another_name_is_refused() -> None:
    other = LogKey.generate(ORIGIN)
    renamed = LogKey.from_seed(ORIGIN + "x", KEY.seed)
    for vkey in (other.vkey, renamed.vkey):
        with pytest.raises(CheckpointRefused):
            checkpoint.verify_note(NOTE, vkey)
    assert "seed" not in repr(other)


def test_witnesses_may_sign_but_not_in_a_bundle() -> None:
    witness = "— witness.example/w " + base64.b64encode(bytes(76)).decode() + "\n"
    assert checkpoint.verify_note(NOTE + witness, KEY.vkey) == (ORIGIN, 42, ROOT)
    for refused in (NOTE + witness + witness, NOTE + "".join(f"— w{n} AAAAAAA=\n" for n in range(16))):
        with pytest.raises(CheckpointRefused):
            checkpoint.verify_note(refused, KEY.vkey)
    with pytest.raises(CheckpointRefused):
        checkpoint.verify_note(NOTE + witness, KEY.vkey, alone=True)


@pytest.mark.parametrize(
    "note",
    [
        "",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n42\n", "\n042\n"),
        NOTE.replace("\n42\n", "\n-42\n"),
        NOTE.replace("\n42\n", "\n٤٢\n"),
        NOTE.replace("\n42\n", f"\n{2**53}\n"),
        NOTE.replace("\n42\n", "\n" + "9" * 5000 + "\n"),
        NOTE.replace("=\n\n", "=\nextension\n\n"),
        NOTE.replace("\n\n", "\n\n\n"),
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        NOTE.replace(ORIGIN, "a b"),
        NOTE.replace(ORIGIN, "-" + ORIGIN),
        NOTE.replace("=\n\n", "\n\n"),
        NOTE.split("\n\n")[0] + "\n\n",
        "\ud800" + NOTE,
        NOTE + "x" * 20_000,
    ],
)
def test_another_form_is_refused(note: str) -> None:
    with pytest.raises(CheckpointRefused):
        checkpoint.parse_note(note)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_garbage_is_refused_in_our_own_words(garbage: str | bytes) -> None:
    with pytest.raises(CheckpointRefused):
        checkpoint.parse_note(garbage)
    with pytest.raises(CheckpointRefused):
        VerifierKey.parse(str(garbage))


def test_a_verifier_key_is_one_text() -> None:
    name, key_id, material = KEY.vkey.split("+", 2)
    for wrong in (
        f"{name}+{key_id}",
        f"{name}+{key_id.upper()}A+{material}",
        f"{name}+00000000+{material}",
        f"{name}x+{key_id}+{material}",
        f"{name}+{key_id}+{material[:-4]}",
        name + "+" + key_id + "+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        f"{name}+{key_id}+{material} ",
    ):
        with pytest.raises(CheckpointRefused):
            VerifierKey.parse(wrong)


def test_a_key_refuses_what_it_must_not_sign() -> None:
    for size, root in ((-1, ROOT), (2**53, ROOT), (True, ROOT), (1, b"")):
        with pytest.raises(CheckpointRefused):
            KEY.sign(size, root)
    for origin, seed in (("", bytes(32)), ("a+b", bytes(32)), ("a" * 201, bytes(32)), ("a", bytes(31))):
        with pytest.raises(CheckpointRefused):
            LogKey(origin, seed)


def test_the_vectors_of_the_specification() -> None:
    vectors = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "checkpoint.json").read_text())
    for case in vectors["good"]:
        said = (case["origin"], case["size"], bytes.fromhex(case["root"]))
        assert checkpoint.verify_note(case["note"], case["key"]) == said
    for case in vectors["bad"]:
        with pytest.raises(CheckpointRefused):
            checkpoint.verify_note(case["note"], case["key"])
