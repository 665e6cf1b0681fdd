"""The verifier: what is good is VALID, and nothing that was touched is."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain import canonical, checkpoint, lotmap, record, trust, verify
from sudonglian.chain.bundle import Bundle, BundleRefused
from sudonglian.chain.bundle import parse as parse_bundle
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.verify_steps import Examination

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def _world() -> Any:
    spec = spec_from_file_location("sudonglian_vectors_world", VECTORS / "world.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


w = _world()
WORLD = w.small_world()
TRUST = WORLD.trust()
GOOD: dict[str, Bundle] = w.good_bundles(WORLD)
QBFT = w.small_world("q", validators=4)
OTHER = w.small_world("b")


def outcome(bundle: Bundle | bytes, held: trust.Trust = TRUST) -> verify.Verdict:
    return verify.verify(bundle if isinstance(bundle, bytes) else canonical.encode(bundle.to_json()), held)


def failed(verdict: verify.Verdict) -> dict[str, str]:
    return {step.name: step.detail for step in verdict.steps if step.result == "FAIL"}


def unknown(verdict: verify.Verdict) -> set[str]:
    return {step.name for step in verdict.steps if step.result == "UNKNOWN"}


@pytest.mark.parametrize("name", GOOD)
def test_good_bundles_are_valid(name: str) -> None:
    for world, bundle in ((WORLD, GOOD[name]), (QBFT, w.good_bundles(QBFT)[name])):
        verdict = outcome(bundle.encode(), world.trust())
        assert verdict.verdict == "VALID"
        assert verdict.confirmation == ("both" if name == "signed" else "unsigned")
        assert verdict.completeness == ("complete" if name in ("lot", "absence") else "not claimed")
        assert [step.name for step in verdict.steps] == [
            "parse", "record", "inclusion", "signatures", "checkpoint", "consistency", "storage", "finality", "chain", "lots",
        ]  # fmt: skip
        assert len(verdict.trusted) == 2


def test_a_superseded_record_says_so() -> None:
    details = {step.name: step.detail for step in outcome(GOOD["corrected"]).steps}
    assert "superseded" in details["inclusion"]


# Touching anything


def flips(raw: bytes, bits: Callable[[int], list[int]]) -> list[bytes]:
    changed = []
    for place in range(len(raw)):
        for mask in bits(place):
            copy = bytearray(raw)
            copy[place] ^= mask
            changed.append(bytes(copy))
    return changed


def test_every_flipped_byte_of_a_bundle_is_noticed() -> None:
    raw = GOOD["unsigned"].encode()
    generator = random.Random(1)
    for changed in flips(raw, lambda _: [1, generator.randrange(2, 256)]):
        assert outcome(changed).verdict != "VALID", changed


@pytest.mark.full
@pytest.mark.parametrize("name", GOOD)
def test_every_bit_of_every_bundle_is_noticed(name: str) -> None:
    for changed in flips(GOOD[name].encode(), lambda _: [1 << bit for bit in range(8)]):
        assert outcome(changed).verdict != "VALID", changed


def small_and_whole(name: str = "s", validators: int = 0) -> tuple[Bundle, trust.Trust]:
    """Return a bundle with everything in it: one record of a lot, signed by both, corrected, disclosed, anchored."""
    world = w.World(name, validators=validators)
    world.register(w.CONSIGNOR, w.SENDER, roles=1)
    world.register(w.CONSIGNEE, w.RECEIVER, roles=2)
    first = world.add(w.LOT)
    world.sign(first, "consignor", w.CONSIGNOR, w.RECEIVER)
    world.sign(first, "consignee", w.CONSIGNEE, w.SENDER)
    world.correct(first, world.add("urn:other:1"))
    world.seal()
    world.anchor()
    return world.bundle([first], names=["eventID"], lots=[w.LOT]), world.trust()


def first_noticed(raw: bytes, held: trust.Trust) -> str:
    """Return the first step that does not pass, as `verify` takes them; nothing for a valid bundle."""
    try:
        parsed = parse_bundle(raw)
    except BundleRefused:
        return "parse"
    return next((step.name for step in Examination(parsed, held).run() if step.result != "PASS"), "")


@pytest.mark.parametrize("validators", [0, pytest.param(4, marks=pytest.mark.full)])
def test_every_byte_of_a_bundle_with_two_signatures_and_a_lot(validators: int) -> None:
    # A digit becomes another digit and a letter another letter, so that the text stays well formed and deep steps run.
    bundle, held = small_and_whole(validators=validators)
    raw = bundle.encode()
    verdict = outcome(raw, held)
    assert (verdict.verdict, verdict.confirmation, verdict.completeness) == ("VALID", "both", "complete")
    assert all(part in raw for part in (b'"signatures":[{', b'"lots":[{', b'"corrections":[{', b'"disclosures":["'))
    generator = random.Random(6)
    reached: set[str] = set()
    for place, byte in enumerate(raw):
        near = [
            kind
            for kind in (b"0123456789abcdef", b"ghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            if byte in kind
        ]
        new = generator.choice([one for one in near[0] if one != byte]) if near else byte ^ generator.randrange(1, 256)
        noticed = first_noticed(raw[:place] + bytes([new]) + raw[place + 1 :], held)
        assert noticed, (place, raw[max(place - 40, 0) : place + 20])
        reached.add(noticed)
    assert reached >= {"parse", "record", "inclusion", "signatures", "checkpoint", "storage", "finality", "lots"}


def test_no_field_swapped_at_random_between_two_valid_bundles_passes() -> None:
    generator = random.Random(7)
    whole, held = small_and_whole()
    other, _ = small_and_whole("t")
    mine = [json.loads(one.encode()) for one in (whole, GOOD["signed"], GOOD["lot"])]
    theirs = [*mine, json.loads(other.encode()), *(json.loads(one.encode()) for one in w.good_bundles(OTHER).values())]
    spots = [members(one) for one in theirs]
    tried = 0
    for _ in range(3_000):
        target = generator.randrange(len(mine))
        at = generator.choice(spots[target])
        donor = generator.randrange(len(theirs))
        found = [one for one in spots[donor] if one[-1] == at[-1]]
        value = get(theirs[donor], generator.choice(found)) if found else None
        if not found or value == get(mine[target], at):
            continue
        tried += 1
        changed = canonical.encode(put(mine[target], at, value))
        verdict = outcome(changed, held if target == 0 else TRUST).verdict
        # Less may be said of a record, and a whole anchor be shown that another place of the same bundle shows.
        less = value == [] and at[-1] in ("signatures", "corrections", "disclosures")
        assert verdict != "VALID" or less, (at, value)
    assert tried > 1_000


@pytest.mark.parametrize("name", ["signed", "lot", "absence"])
def test_digits_changed_into_other_digits_are_noticed(name: str) -> None:
    # A flip that keeps the text well formed reaches the deeper steps: every 7th hexadecimal digit.
    for world, bundle in ((WORLD, GOOD[name]), (QBFT, w.good_bundles(QBFT)[name])):
        raw, held = bundle.encode(), world.trust()
        for place in range(0, len(raw), 37):
            if raw[place] in b"0123456789abcdef":
                changed = raw[:place] + (b"0" if raw[place] != ord("0") else b"1") + raw[place + 1 :]
                assert outcome(changed, held).verdict != "VALID", (place, raw[place - 40 : place + 1])


def test_no_character_of_what_is_said_to_be_absent_can_change() -> None:
    raw = GOOD["absence"].encode()
    start = raw.index(b'"lots":')
    for place in range(start, raw.index(b'"records":')):
        for bit in range(8):
            changed = raw[:place] + bytes([raw[place] ^ 1 << bit]) + raw[place + 1 :]
            assert outcome(changed).verdict != "VALID", changed[place - 20 : place + 20]


def test_truncations_and_additions_are_noticed() -> None:
    raw = GOOD["unsigned"].encode()
    generator = random.Random(2)
    for length in [*range(40), *(generator.randrange(len(raw)) for _ in range(150)), len(raw) - 1]:
        assert outcome(raw[:length]).verdict == "INVALID"
    for changed in (raw + b"\n", b" " + raw, raw + raw, b"\xef\xbb\xbf" + raw, raw.replace(b",", b", ", 1)):
        assert outcome(changed).verdict == "INVALID"


def members(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    if isinstance(value, dict):
        found += [one for key in value for one in members(value[key], (*at, key))]
    elif isinstance(value, list):
        found += [one for place in range(len(value)) for one in members(value[place], (*at, place))]
    return found


def get(value: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        value = value[key]
    return value


def put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    get(copy, at[:-1])[at[-1]] = new
    return copy


@pytest.mark.parametrize("name", ["unsigned", "signed", "absence"])
def test_no_member_can_be_swapped_between_two_valid_bundles(name: str) -> None:
    # Another log entry, another checkpoint, another operator: each member of one in the place of the other's.
    mine = json.loads(GOOD[name].encode())
    others = [
        json.loads(WORLD.bundle([10]).encode()),
        json.loads(WORLD.bundle([11], names=[]).encode()),
        json.loads(w.good_bundles(OTHER)[name].encode()),
        json.loads(GOOD["older-checkpoint"].encode()),
        json.loads(GOOD["signed"].encode()),
    ]
    places = members(mine)
    generator = random.Random(3)
    tried = 0
    for other in others:
        theirs = set(members(other))
        for at in places if len(places) < 150 else generator.sample(places, 150):
            if at in theirs and get(other, at) != get(mine, at):
                changed = put(mine, at, get(other, at))
                verdict = outcome(canonical.encode(changed)).verdict
                if verdict == "VALID":  # another honest bundle of the same log: a whole record, or less said of it
                    whole = at in {("records",), ("records", 0), ("anchors",), ("anchors", 0)}
                    less = get(other, at) == [] and at[-1] in ("signatures", "corrections", "disclosures")
                    assert whole or less, at
                tried += 1
    assert tried > 40


NEW: tuple[Any, ...] = (None, [], {}, "", 0, -1, True, [[]], "00")


@pytest.mark.parametrize("name", ["signed", "lot"])
def test_no_member_can_be_left_out_added_or_of_another_type(name: str) -> None:
    good = json.loads(GOOD[name].encode())
    generator = random.Random(4)
    places = members(good)
    for at in generator.sample(places, min(len(places), 250)):
        for new in NEW:
            if get(good, at) != new and type(get(good, at)) is not type(new):
                verdict = outcome(canonical.encode(put(good, at, new)))
                assert verdict.verdict != "VALID", (at, new)
        holder = get(good, at)
        if isinstance(holder, dict):
            assert outcome(canonical.encode(put(good, at, {**holder, "x": 1}))).verdict != "VALID", at
            for key in holder:
                less = {one: holder[one] for one in holder if one != key}
                assert outcome(canonical.encode(put(good, at, less))).verdict != "VALID", (at, key)


def test_ten_thousand_mutations_never_raise_and_never_pass() -> None:
    generator = random.Random(5)
    goods = [bundle.encode() for bundle in GOOD.values() if len(bundle.encode()) < 6_000]
    for _ in range(10_000):
        raw = bytearray(generator.choice(goods))
        before = bytes(raw)
        for _ in range(generator.randrange(1, 4)):
            start = generator.randrange(len(raw))
            end = min(len(raw), start + generator.randrange(1, 30))
            match generator.randrange(4):
                case 0:
                    raw[start:end] = generator.randbytes(end - start)
                case 1:
                    del raw[start:end]
                case 2:
                    raw[start:start] = raw[end : end + 20]
                case 3:
                    raw[start] = generator.choice(b'0123456789abcdef"[]{},:')
        if bytes(raw) != before:
            assert outcome(bytes(raw)).verdict != "VALID", bytes(raw)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from(["00" * 32, "f8", "[]"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)
PLACES = [(name, at) for name, bundle in GOOD.items() for at in members(json.loads(bundle.encode()))]


@settings(max_examples=400)
@given(st.sampled_from(PLACES), JSON)
def test_any_value_in_any_place_is_answered(place: tuple[str, tuple[Any, ...]], value: Any) -> None:
    name, at = place
    changed = put(json.loads(GOOD[name].encode()), at, value)
    raw = json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")
    assert outcome(raw).verdict in ("INVALID", "INDETERMINATE") or raw == GOOD[name].encode() or value == []


@given(st.binary(max_size=200))
def test_garbage_is_invalid(raw: bytes) -> None:
    assert outcome(raw).verdict == "INVALID"


@pytest.mark.parametrize("name", ["signed", "lot", "unsigned"])
def test_what_is_remembered_changes_no_verdict(name: str) -> None:
    raw, held = w.good_bundles(QBFT)[name].encode(), QBFT.trust()
    verify.forget()
    first = outcome(raw, held)
    bad = raw.replace(raw[-3_000:-2_990], b"0" * 10) if name == "lot" else raw[:300] + b"0" + raw[301:]
    for _ in range(2):
        assert outcome(bad, held).verdict == "INVALID"
        assert outcome(raw, held) == first
        assert outcome(raw, OTHER.trust()).verdict == "INVALID"  # the same log's name and chain, another key
        stranger = replace(held.chains[0], finality=trust.Qbft(frozenset([bytes(20)])))
        assert "finality" in failed(outcome(raw, replace(held, chains=(stranger,))))
        verify.forget()
        assert outcome(bad, held).verdict == "INVALID"
        assert outcome(raw, held) == first


# Unknown: nothing fails, a trusted input is lacking


def test_what_trust_lacks_is_unknown() -> None:
    good = GOOD["unsigned"]
    for held, steps in (
        (trust.Trust(), {"checkpoint", "finality", "chain"}),
        (replace(TRUST, logs=()), {"checkpoint"}),
        (replace(TRUST, chains=()), {"finality", "chain"}),
        (WORLD.trust(headers=[]), {"finality"}),
        (WORLD.trust(headers=[min(WORLD.blocks)]), {"finality"}),
    ):
        verdict = outcome(good, held)
        assert verdict.verdict == "INDETERMINATE"
        assert unknown(verdict) == steps
    signed = outcome(GOOD["signed"], WORLD.trust(headers=[max(WORLD.blocks)]))
    assert (signed.verdict, unknown(signed), signed.confirmation) == ("INDETERMINATE", {"signatures"}, "consignee")
    unanchored = outcome(replace(good, anchors=()))
    assert (unanchored.verdict, "finality" in unknown(unanchored)) == ("INDETERMINATE", True)
    newer = canonical.encode({**good.to_json(), "v": "sudonglian/bundle/2", "more": 1})
    assert outcome(newer).verdict == "INDETERMINATE"


def test_trust_that_contradicts_is_a_failure() -> None:
    chain = TRUST.chains[0]
    for changed, step in (
        (replace(chain, chain_id=1), "chain"),
        (replace(chain, code_hash=bytes(32)), "storage"),
        (replace(QBFT.trust().chains[0], genesis=chain.genesis, contract=chain.contract, chain_id=31337), "finality"),
    ):
        verdict = outcome(GOOD["unsigned"], replace(TRUST, chains=(changed,)))
        assert verdict.verdict == "INVALID"
        assert step in failed(verdict)
    other_code = replace(TRUST, chains=(replace(chain, code_hash=bytes(32)),))
    assert failed(outcome(replace(GOOD["signed"], anchors=()), other_code)).keys() == {"signatures"}
    impostor = checkpoint.LogKey.from_seed(w.ORIGIN, bytes(32))
    assert failed(outcome(GOOD["unsigned"], TRUST.with_log(impostor.vkey))).keys() == {"checkpoint"}


def test_a_witness_line_in_a_bundle_is_refused() -> None:
    line = checkpoint.LogKey.from_seed("witness.example", bytes(32)).sign(1, bytes(32)).split("\n\n")[1]
    good = GOOD["unsigned"]
    assert "checkpoint" in failed(outcome(replace(good, checkpoint=good.checkpoint + line)))


# An operator that cheats


def test_a_foreign_root_on_the_chain_is_noticed() -> None:
    world = w.small_world()
    world.anchor(len(world.leaves), root=bytes([7]) * 32)
    assert failed(outcome(world.bundle([9]), world.trust())).keys() == {"storage"}
    forged = replace(world.bundle([9]), anchors=(replace(world.bundle([9]).anchors[0], root=bytes([7]) * 32),))
    assert failed(outcome(forged, world.trust())).keys() == {"consistency"}


def test_an_anchor_of_another_log_does_not_cover_the_checkpoint() -> None:
    mixed = replace(GOOD["unsigned"], anchors=GOOD["older-checkpoint"].anchors)
    assert outcome(replace(mixed, anchors=OTHER.bundle([9]).anchors)).verdict != "VALID"


# Lots


def test_a_record_left_out_of_a_lot_is_named() -> None:
    lot = GOOD["lot"]
    for left_out in range(4):
        shown = tuple(one for place, one in enumerate(lot.records) if place != left_out)
        verdict = outcome(replace(lot, records=shown))
        assert verdict.verdict == "INVALID"
        assert verdict.completeness == "incomplete"
        assert f"1 of 4 records are missing: number {left_out + 1}" in failed(verdict)["lots"]


def test_a_shorter_chain_is_not_the_committed_one() -> None:
    lot = GOOD["lot"]
    claim = lot.lots[0]
    for chain in (claim.chain[:-1], claim.chain[1:], claim.chain[::-1], (), (*claim.chain, claim.chain[0])):
        shown = tuple(one for one, h in zip(lot.records, claim.chain, strict=True) if h in chain)
        changed = replace(lot, records=shown or lot.records, lots=(replace(claim, chain=chain),))
        assert outcome(changed).completeness == "incomplete"
    named_but_not_counted = replace(lot, lots=(replace(claim, chain=claim.chain[:-1]),))
    assert "lots" in failed(outcome(named_but_not_counted))


def test_a_record_that_does_not_name_the_lot_cannot_fill_it() -> None:
    lot = GOOD["lot"]
    stranger = WORLD.record_proof(9, max(WORLD.seals))
    h = WORLD.sealed[9].record_hash
    records = tuple(sorted((*lot.records, stranger), key=lambda one: one.index))
    assert outcome(replace(lot, records=records)).verdict == "VALID"
    claim = replace(lot.lots[0], chain=(*lot.lots[0].chain, h))
    assert "lots" in failed(outcome(replace(lot, records=records, lots=(claim,))))


def test_absence_cannot_be_claimed_of_a_lot_that_exists() -> None:
    absent = GOOD["absence"].lots[0]
    present = WORLD.lot_proof(w.LOT)
    for claim in (replace(absent, id=w.LOT), replace(present, chain=())):
        assert outcome(replace(GOOD["absence"], lots=(claim,))).completeness == "incomplete"
    count, c = len(present.chain), lotmap.chain_over(present.chain)
    itself = replace(present, chain=(), other=lotmap.Leaf(lotmap.key(w.LOT), count, c))
    assert outcome(replace(GOOD["absence"], lots=(itself,))).completeness == "incomplete"


def test_a_seal_of_an_earlier_checkpoint_does_not_serve() -> None:
    world = w.small_world()
    old = world.bundle([], lots=["urn:other:2"])
    world.add("urn:other:77")
    world.seal()
    world.anchor()
    new = world.bundle([], lots=["urn:other:77x"])
    assert outcome(new, world.trust()).verdict == "VALID"
    assert outcome(replace(new, seal=old.seal, lots=old.lots), world.trust()).verdict == "INVALID"


# Signatures


def signed_world(role: str = "consignor", key: bytes = w.CONSIGNOR, **window: Any) -> Any:
    world = w.World()
    world.add(w.LOT)
    world.sign(0, role, key, w.RECEIVER)
    if window.pop("registered", True):
        world.register(key, w.SENDER, **window)
    world.seal()
    world.anchor()
    return world


def test_a_signature_counts_within_its_keys_window_and_role() -> None:
    moment = 1_767_580_101
    world = signed_world()
    assert outcome(world.bundle([0]), world.trust()).confirmation == "consignor"
    assert (
        outcome((w2 := signed_world(valid_from=moment, valid_to=moment + 1)).bundle([0]), w2.trust()).verdict == "VALID"
    )
    windows: tuple[dict[str, Any], ...] = (
        {"valid_from": moment + 1},
        {"valid_to": moment},
        {"revoked_at": moment},
        {"revoked_at": 1},
        {"roles": 2},
        {"roles": 1 << 9},
    )
    for window in windows:
        world = signed_world(**window)
        verdict = outcome(world.bundle([0]), world.trust())
        assert failed(verdict).keys() == {"signatures"}, window
        assert verdict.confirmation == "unsigned"


def test_a_key_that_is_not_registered_has_no_proof() -> None:
    world = signed_world(registered=False)
    assert failed(outcome(world.bundle([0]), world.trust())).keys() == {"signatures"}


def test_a_signature_of_another_record_role_or_log_is_refused() -> None:
    good = GOOD["signed"]
    proof = good.records[0].signatures[0]
    assert isinstance(proof.signature, dict)
    for change in ({"role": "consignee"}, {"record": "00" * 32}, {"counterparty": "00" * 32}, {"signed_at": 1}):
        swapped = replace(proof, signature={**proof.signature, **change})
        records = (replace(good.records[0], signatures=(swapped, *good.records[0].signatures[1:])),)
        assert "signatures" in failed(outcome(replace(good, records=records)))


def test_a_second_signer_and_strangers_to_each_other_do_not_count() -> None:
    for second, counterparty in (("consignor", w.RECEIVER), ("consignee", w.RECEIVER)):
        world = w.World()
        world.add(w.LOT)
        world.register(w.CONSIGNOR, w.SENDER)
        world.register(w.CONSIGNEE, w.RECEIVER)
        world.sign(0, "consignor", w.CONSIGNOR, w.RECEIVER)
        world.sign(0, second, w.CONSIGNEE, counterparty)
        world.seal()
        world.anchor()
        assert failed(outcome(world.bundle([0]), world.trust())).keys() == {"signatures"}


def test_an_anchor_before_the_signature_does_not_show_its_key() -> None:
    good = GOOD["signed"]
    first, second = good.records[0].signatures
    early = replace(second, anchor=first.anchor, party_proof=first.party_proof, window_proof=first.window_proof)
    records = (replace(good.records[0], signatures=(first, early)),)
    assert failed(outcome(replace(good, records=records))).keys() == {"signatures"}


def test_confirmation_is_what_all_records_have() -> None:
    lot = outcome(GOOD["lot"])
    assert lot.confirmation == "unsigned"
    assert "consignor" in {step.name: step.detail for step in lot.steps}["signatures"]


# The record


def test_every_disclosure_must_belong() -> None:
    good = GOOD["unsigned"]
    foreign = next(one.text for one in WORLD.sealed[10].disclosures if one.name == "eventID")
    own = good.records[0].disclosures
    for texts in ((foreign,), tuple(sorted({foreign, *own})), ("",), ("!",)):
        changed = replace(good, records=(replace(good.records[0], disclosures=texts),))
        assert failed(outcome(changed)).keys() == {"record"}
    assert outcome(replace(good, records=(replace(good.records[0], disclosures=()),))).verdict == "VALID"


def test_one_record_cannot_stand_at_two_places() -> None:
    world = w.World()
    world.add(w.LOT)
    world.leaves.append(world.leaves[0])
    world.sealed[1] = world.sealed[0]
    world.seal()
    world.anchor()
    assert failed(outcome(world.bundle([0, 1]), world.trust())).keys() == {"record"}
    assert record.record_hash(world.sealed[0].record_bytes) == world.sealed[0].record_hash


# The command


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {"trust": tmp_path / "trust.json", "folder": tmp_path / "bundles"}
    found["trust"].write_bytes(TRUST.encode())
    found["folder"].mkdir()
    raw = GOOD["unsigned"].encode()
    for name, content in (
        ("good", raw),
        ("bad", raw[:-1]),
        ("unknown", replace(GOOD["unsigned"], anchors=()).encode()),
    ):
        found[name] = tmp_path / f"{name}.json"
        found[name].write_bytes(content)
        (found["folder"] / f"{name}.json").write_bytes(content)
    return found


def test_the_command_answers_in_json(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    for name, code, verdict in (("good", 0, "VALID"), ("bad", 1, "INVALID"), ("unknown", 2, "INDETERMINATE")):
        assert verify.main([str(files[name]), "--trust", str(files["trust"]), "--json"]) == code
        said = json.loads(capsys.readouterr().out)
        assert said["verdict"] == verdict
        assert said.keys() == {"verdict", "confirmation", "completeness", "steps", "trusted"}
        assert all(step.keys() == {"name", "result", "detail"} for step in said["steps"])


def test_a_folder_gives_one_array_and_the_worst_code(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify.main([str(files["folder"]), "--trust", str(files["trust"]), "--json"]) == 1
    captured = capsys.readouterr()
    said = json.loads(captured.out)
    assert [Path(one["file"]).stem for one in said] == ["bad", "good", "unknown"]
    assert "2/3" in captured.err
    two = [str(files["good"]), str(files["unknown"])]
    assert verify.main([*two, "--trust", str(files["trust"]), "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)) == 2


@pytest.mark.parametrize(("lang", "words"), [("en", "It does not show"), ("zh", "本结果不能说明")])
def test_the_report_says_on_what_it_rests(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str], lang: str, words: str
) -> None:
    for name in ("good", "bad", "unknown"):
        verify.main([str(files[name]), "--trust", str(files["trust"]), "--lang", lang])
        said = capsys.readouterr().out
        assert words in said
        if name == "good":
            assert WORLD.contract.hex() in said
            assert WORLD.log_key.vkey in said


def test_wrong_usage_is_64(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    bad_trust = files["trust"].with_name("t.json")
    bad_trust.write_text(TRUST.encode().decode().replace('"logs"', '"log"'))
    empty = files["trust"].with_name("empty")
    empty.mkdir()
    good, held = str(files["good"]), str(files["trust"])
    for argv in (
        [],
        [good],
        ["--trust", held],
        [good, "--trust", held, "--nonsense"],
        [good, "--trust", held, "--lang", "fr"],
        [good, "--trust", good],
        [good, "--trust", str(bad_trust)],
        [good, "--trust", "no such file"],
        ["no such file", "--trust", held],
        ["\0", "--trust", held],
        [str(empty), "--trust", held],
        [good, "--trust", str(empty)],
    ):
        assert verify.main(argv) == 64, argv
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err
    assert verify.main(["--help"]) == 0


def test_the_command_needs_no_server_package_and_no_terminal_that_knows_chinese(files: dict[str, Path]) -> None:
    script = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"web3", "eth", "sqlalchemy", "fastapi", "orjson", "networkx", "trie", "rlp", "typer"}:
            raise ImportError(name)
sys.meta_path.insert(0, Absent())
from sudonglian.chain.verify import main
code = main(sys.argv[1:])
assert "socket" not in sys.modules and "sqlite3" not in sys.modules, "opened a door"
sys.exit(code)
"""
    argv = [str(files["good"]), "--trust", str(files["trust"]), "--lang", "zh"]
    done = subprocess.run(
        [sys.executable, "-c", script, *argv], capture_output=True, check=False, env={"PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"VALID" in done.stdout


def command(*argv: str | bytes | Path, **settings: Any) -> subprocess.Popen[bytes]:
    script = "import sys; from sudonglian.chain.verify import main; sys.exit(main())"
    return subprocess.Popen([sys.executable, "-c", script, *argv], stderr=subprocess.PIPE, **settings)


def test_a_reader_that_goes_away_hears_no_traceback_and_gets_no_verdict(files: dict[str, Path]) -> None:
    for name in ("good", "folder"):
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as gone, command(files[name], "--trust", files["trust"], stdout=gone) as process:
            assert process.stderr is not None
            assert b"Error" not in process.stderr.read()
        assert process.returncode == 64
    with Path("/dev/full").open("wb") as full:  # a disk without room must not look like a valid bundle
        process = command(files["good"], "--trust", files["trust"], stdout=full)
        assert process.communicate()[1].startswith(b"sudonglian-verify: standard output")
        assert process.returncode == 64


def test_devices_links_and_names_of_any_bytes(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    held = ["--trust", str(files["trust"])]
    assert verify.main(["/dev/zero", *held]) == 1
    assert "at most" in capsys.readouterr().out
    assert verify.main([str(files["good"]), "--trust", "/dev/zero"]) == 64
    link, dangling = files["good"].with_name("link"), files["good"].with_name("dangling")
    link.symlink_to(files["good"])
    dangling.symlink_to("nothing")
    assert verify.main([str(link), *held]) == 0
    assert verify.main([str(dangling), *held]) == 64
    odd = os.fsencode(files["good"].parent) + b"/\xff\xe9\n\xf0\x9f\x90\x9f.json"
    Path(os.fsdecode(odd)).write_bytes(files["good"].read_bytes())
    capsys.readouterr()
    for encoding in ("utf-8", "ascii"):
        process = command(odd, link, *held, "--json", stdout=subprocess.PIPE, env={"PYTHONIOENCODING": encoding})
        out, _ = process.communicate()
        assert process.returncode == 0
        assert [one["file"] for one in json.loads(out)] == [os.fsdecode(odd), str(link)]


def test_words_of_a_bundle_forge_no_line_of_the_report(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    name = "urn:x\n\x1b[2J\u202eforged: VALID"
    absent = replace(GOOD["absence"], lots=(replace(GOOD["absence"].lots[0], id=name),))
    files["bad"].write_bytes(absent.encode())
    assert verify.main([str(files["bad"]), "--trust", str(files["trust"])]) == 1
    said = capsys.readouterr().out
    assert all(one.isprintable() for line in said.split("\n") for one in line)
    assert not any(line.lstrip().startswith("forged") for line in said.split("\n"))
    assert "forged: VALID" in said


def test_the_vectors_of_the_specification() -> None:
    folder = VECTORS / "bundle"
    cases = json.loads((folder / "cases.json").read_text())
    assert {case["verdict"] for case in cases} == {"VALID", "INVALID", "INDETERMINATE"}
    for case in cases:
        held = trust.parse((folder / case["trust"]).read_bytes())
        verdict = outcome((folder / case["bundle"]).read_bytes(), held)
        assert (verdict.verdict, verdict.confirmation, verdict.completeness) == (
            case["verdict"],
            case["confirmation"],
            case["completeness"],
        ), case
        assert sorted(failed(verdict)) == case["failed"], case


def test_a_header_hash_is_keccak_of_the_header() -> None:
    [anchor] = GOOD["unsigned"].anchors
    assert TRUST.chains[0].finality == trust.TrustedHeaders(
        frozenset({keccak256(anchor.header), keccak256(WORLD.blocks[min(WORLD.blocks)].header)})
    )


NAMING = st.sampled_from(
    ["epcList", "quantityList", "parentID", "childEPCs", "childQuantityList", "inputEPCList", "inputQuantityList",
     "outputEPCList", "outputQuantityList", "sdl:traceCode"]
)  # fmt: skip
ENTRY = st.one_of(
    JSON,
    st.fixed_dictionaries({}, optional={"epcClass": JSON, "quantity": JSON, "uom": JSON, "issuer": JSON, "code": JSON}),
    st.sampled_from(
        ["urn:epc:id:sgtin:", "https://id.gs1.org/01/", "//[", "http://[::", "urn:epc:id:sscc:0.1", "\x00:", "%"]
    ),
    st.text(max_size=12).map("urn:epc:".__add__),
    st.text(max_size=12).map("https://".__add__),
)


@settings(max_examples=400)
@given(st.dictionaries(NAMING, st.one_of(ENTRY, st.lists(ENTRY, max_size=3)), max_size=4))
def test_whatever_a_record_names_is_answered(event: dict[str, Any]) -> None:
    good = json.loads(GOOD["lot"].encode())
    good["records"][0]["record"]["event"] = event
    raw = json.dumps(good, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")
    assert outcome(raw).verdict == "INVALID"
