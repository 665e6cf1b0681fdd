"""Log entries: five forms, and nothing else."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import canonical, entry, merkle
from sudonglian.chain.entry import EntryRefused

H, D = bytes(range(32)), bytes(range(32, 64))
AT = datetime(2026, 1, 5, 0, 31, 7, tzinfo=UTC)
WRITTEN = {
    entry.record_entry(H): entry.RecordEntry(H),
    entry.signature_entry(H, D): entry.SignatureEntry(H, D),
    entry.correction_entry(H, D): entry.CorrectionEntry(H, D),
    entry.tombstone_entry(H): entry.TombstoneEntry(H),
    entry.seal_entry(H, D, AT): entry.SealEntry(H, D, AT),
}


def test_what_is_written_is_canonical_and_read_back() -> None:
    for data, said in WRITTEN.items():
        assert canonical.encode(canonical.parse_stored(data)) == data
        assert entry.parse_entry(data) == said


def test_a_time_is_written_in_utc() -> None:
    beijing = AT.astimezone(timezone(timedelta(hours=8)))
    assert entry.seal_entry(H, D, beijing) == entry.seal_entry(H, D, AT)
    for wrong in (AT.replace(tzinfo=None), AT.replace(microsecond=1)):
        with pytest.raises(EntryRefused):
            entry.seal_entry(H, D, wrong)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: {**e, "x": 1},
        lambda e: {k: v for k, v in e.items() if k != "k"},
        lambda e: {**e, "k": "records"},
        lambda e: {**e, "k": None},
        lambda e: {**e, "k": ["record"]},
        lambda e: {k: v.upper() if k in ("h", "lots") else v for k, v in e.items()},
        lambda e: {k: v[:-1] if k in ("h", "lots") else v for k, v in e.items()},
        lambda e: {k: 7 if k in ("h", "lots") else v for k, v in e.items()},
        lambda e: [e],
    ],
)
def test_anything_else_is_refused(change: Any) -> None:
    for data in WRITTEN:
        changed = canonical.encode(change(canonical.parse_stored(data)))
        with pytest.raises(EntryRefused):
            entry.parse_entry(changed)


@pytest.mark.parametrize(
    "at",
    [
        "2026-02-30T00:00:00Z",
        "2026-01-05T00:31:07+00:00",
        "2026-01-05T00:31:07.0Z",
        "2026-01-05T24:00:00Z",
        "٢026-01-05T00:31:07Z",
        "",
    ],
)
def test_a_time_is_one_text(at: str) -> None:
    data = entry.seal_entry(H, D, AT).replace(b"2026-01-05T00:31:07Z", at.encode())
    with pytest.raises(EntryRefused):
        entry.parse_entry(data)


def test_every_flipped_byte_gives_another_entry_or_none() -> None:
    for data, said in WRITTEN.items():
        for place in range(len(data)):
            for bit in range(8):
                changed = bytearray(data)
                changed[place] ^= 1 << bit
                try:
                    assert entry.parse_entry(bytes(changed)) != said
                except EntryRefused:
                    continue


@given(st.binary(max_size=300))
def test_garbage_is_refused_in_our_own_words(data: bytes) -> None:
    with pytest.raises(EntryRefused):
        entry.parse_entry(data)


def test_a_hash_is_32_bytes() -> None:
    for wrong in (b"", bytes(31), bytearray(32), "0" * 64):
        with pytest.raises(EntryRefused):
            entry.record_entry(wrong)  # type: ignore[arg-type]
    with pytest.raises(EntryRefused):
        entry.tombstone_digest(b"short", {})
    assert entry.tombstone_digest(H, {}) != entry.tombstone_digest(D, {})


def test_the_vectors_of_the_specification() -> None:
    vectors = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "entry.json").read_text())
    for case in vectors["good"]:
        entry.parse_entry(case["data"].encode())
        assert merkle.leaf_hash(case["data"].encode()).hex() == case["leaf_hash"]
    for data in vectors["bad"]:
        with pytest.raises(EntryRefused):
            entry.parse_entry(data.encode())
