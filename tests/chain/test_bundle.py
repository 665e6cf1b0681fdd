"""The bundle's form: every rule of bundle.md rules 1-9, kept and broken once."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import bundle, canonical
from sudonglian.chain.bundle import BundleRefused, BundleVersionUnknown

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "bundle"
LOT = (FOLDER / "dev-lot.json").read_bytes()
SIGNED = (FOLDER / "dev-signed.json").read_bytes()
ABSENCE = (FOLDER / "dev-absence.json").read_bytes()
CORRECTED = (FOLDER / "dev-corrected.json").read_bytes()


@pytest.mark.parametrize("name", ["signed", "unsigned", "corrected", "lot", "absence", "older-checkpoint"])
def test_what_is_read_is_written_again(name: str) -> None:
    raw = (FOLDER / f"dev-{name}.json").read_bytes()
    assert bundle.parse(raw).encode() == raw


def edited(raw: bytes, change: Any) -> bytes:
    value = json.loads(raw)
    change(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("raw", "change"),
    [
        # rule 1: names, hexadecimal
        (LOT, lambda b: b.update(more=1)),
        (LOT, lambda b: b.pop("seal")),
        (LOT, lambda b: b["records"][0].update(more=1)),
        (LOT, lambda b: b["records"][0]["path"].__setitem__(0, b["records"][0]["path"][0].upper())),
        (LOT, lambda b: b["records"][0]["path"].__setitem__(0, b["records"][0]["path"][0][:-2])),
        (LOT, lambda b: b["anchors"][0].update(root="0x" + b["anchors"][0]["root"][2:])),
        (LOT, lambda b: b["anchors"][0].update(header=b["anchors"][0]["header"][:-1])),
        (LOT, lambda b: b["anchors"][0].update(genesis="é" * 64)),
        # rule 2
        (LOT, lambda b: b.update(v=1)),
        (LOT, lambda b: b.pop("v")),
        # rule 3
        (LOT, lambda b: b.update(records={})),
        (LOT, lambda b: b["records"].reverse()),
        (LOT, lambda b: b["records"].append(b["records"][-1])),
        (LOT, lambda b: b["records"][0].update(index=-1)),
        (LOT, lambda b: b["records"][0].update(index="0")),
        (LOT, lambda b: b["records"][0].update(index=True)),
        (LOT, lambda b: b["records"][0].update(index=2**53)),
        (LOT, lambda b: b["records"][0].update(path="00")),
        (SIGNED, lambda b: b.update(records=[])),
        (SIGNED, lambda b: b["records"][0]["disclosures"].reverse()),
        (SIGNED, lambda b: b["records"][0]["disclosures"].append(b["records"][0]["disclosures"][-1])),
        (SIGNED, lambda b: b["records"][0].update(disclosures=[1])),
        # rule 4
        (CORRECTED, lambda b: b["records"][0]["corrections"].append(b["records"][0]["corrections"][0])),
        (CORRECTED, lambda b: b["records"][0]["corrections"][0].pop("h")),
        (CORRECTED, lambda b: b["records"][0].update(corrections=None)),
        # rule 5
        (SIGNED, lambda b: b["records"][0]["signatures"].reverse()),
        (SIGNED, lambda b: b["records"][0]["signatures"][0].update(anchor=None)),
        (SIGNED, lambda b: b["records"][0]["signatures"][0]["anchor"].pop("window_proof")),
        (SIGNED, lambda b: b["records"][0]["signatures"][0]["anchor"].update(party_proof="00")),
        (SIGNED, lambda b: b["records"][0]["signatures"][0]["anchor"].update(more="00")),
        (SIGNED, lambda b: b["records"][0]["signatures"][0].pop("signature")),
        # rule 6
        (LOT, lambda b: b.update(checkpoint=[])),
        # rule 7
        (LOT, lambda b: b["anchors"].append(b["anchors"][0])),
        (LOT, lambda b: b["anchors"].append({**b["anchors"][0], "genesis": "00" * 32})),
        (LOT, lambda b: b.update(anchors=[{**b["anchors"][0], "genesis": f"{n:064x}"} for n in range(9)])),
        (LOT, lambda b: b["anchors"][0].update(party_proof=[])),
        (LOT, lambda b: b["anchors"][0].update(contract="00" * 32)),
        (LOT, lambda b: b["anchors"][0].update(chain_id="1")),
        (LOT, lambda b: b["anchors"][0].update(account_proof=[1])),
        # rule 8
        (LOT, lambda b: b.update(seal=None)),
        (LOT, lambda b: b.update(lots=[])),
        (LOT, lambda b: b["seal"].update(at=1)),
        (LOT, lambda b: b["seal"].pop("private")),
        # rule 9
        (LOT, lambda b: b["lots"].append(b["lots"][0])),
        (LOT, lambda b: b["lots"].append({**b["lots"][0], "id": "a"})),
        (LOT, lambda b: b["lots"][0].update(other=[])),
        (LOT, lambda b: b["lots"][0].update(other={"key": "00" * 32, "count": 1})),
        (LOT, lambda b: b["lots"][0].update(other={"key": "00" * 32, "count": -1, "c": "00" * 32})),
        (LOT, lambda b: b["lots"][0].update(id=None)),
        (ABSENCE, lambda b: b["lots"][0].update(chain={})),
    ],
)
def test_every_rule_broken_once_is_refused(raw: bytes, change: Any) -> None:
    changed = edited(raw, change)
    assert changed != raw
    with pytest.raises(BundleRefused) as refusal:
        bundle.parse(changed)
    assert refusal.value.slug == "bundle"


def test_the_canonical_form_is_the_only_one() -> None:
    for raw in (LOT + b"\n", b" " + LOT, json.dumps(json.loads(LOT)).encode(), LOT.replace(b"urn", b"\\u0075rn", 1)):
        assert raw != LOT
        with pytest.raises(BundleRefused):
            bundle.parse(raw)
    deep = edited(LOT, lambda b: b["records"][0].update(record=json.loads("[" * 62 + "]" * 62)))
    with pytest.raises(BundleRefused, match="deeper"):
        bundle.parse(deep)
    with pytest.raises(BundleRefused, match="bytes"):
        bundle.parse(b" " * (bundle.MAX_BYTES + 1))


def test_another_version_is_unknown_and_not_wrong() -> None:
    for change in (lambda b: b.update(v="sudonglian/bundle/2"), lambda b: b.update(v="x", more=1)):
        with pytest.raises(BundleVersionUnknown):
            bundle.parse(edited(LOT, change))


def test_a_builder_writes_only_what_can_be_read() -> None:
    good = bundle.parse(LOT)
    for wrong in (
        bundle.Bundle(good.checkpoint, good.records[::-1]),
        bundle.Bundle(good.checkpoint, ()),
        bundle.Bundle(good.checkpoint, good.records, lots=good.lots),
    ):
        with pytest.raises(BundleRefused):
            wrong.encode()


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=50).map(lambda b: LOT[:200] + b)))
def test_garbage_is_refused_in_our_own_words(raw: bytes) -> None:
    with pytest.raises(BundleRefused):
        bundle.parse(raw)


def test_a_deep_event_still_fits_into_a_bundle() -> None:
    value: Any = 1
    for _ in range(55):
        value = [value]
    raw = edited(LOT, lambda b: b["records"][0]["record"]["event"].update(ilmd=value))
    assert canonical.encode(bundle.parse(raw).to_json()) == raw
