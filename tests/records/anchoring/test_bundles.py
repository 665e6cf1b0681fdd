"""Bundles out of a real store and chain, judged by the auditor's verifier."""

import json
from typing import Any

import pytest

from sudonglian.chain import bundle as bundles_of
from sudonglian.chain import canonical, trust
from sudonglian.chain.identifiers import normal
from sudonglian.chain.trust_from_node import merge, trust_from
from sudonglian.chain.verify import verify
from sudonglian.records.bundles import BundleImpossible, make_bundle
from sudonglian.records.errors import NotSealed, UnknownRecord, VaultRefused

LOT = "https://id.gs1.org/01/06901234000016/10/L7"
PALLET = "https://id.gs1.org/00/069012340000000183"
CONTAINER = "https://id.gs1.org/00/069012340000000190"
WHO = {"personRef": {"kind": "phone", "value": "19900000001"}, "role": "loader"}


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}],
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:00000000-0000-4000-8000-{number:012x}",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "quantityList": [{"epcClass": LOT, "quantity": 10, "uom": "KGM"}],
        "eventTime": "2026-01-04T08:30:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "sdl:participants": [WHO],
        "sdl:containerNo": "CSQU3054383",
        **more,
    }


def packing(number: int, parent: str, **children: Any) -> dict[str, Any]:
    made = event(number, type="AggregationEvent", action="ADD", bizStep="packing", parentID=parent, **children)
    del made["quantityList"]
    return made


def make(world: Any, record_hash: bytes | None, **more: Any) -> tuple[bytes, str]:
    with world.store.read() as connection:
        made: tuple[bytes, str] = make_bundle(connection, world.keys, record_hash, **more)
    return made


def trusted(world: Any) -> trust.Trust:
    chain = world.chain()
    found = trust_from(world.network, chain.contract, world.keys.log.verifier_key, chain.deploy_block)
    return trust.parse(json.dumps(found).encode())


def judged(world: Any, data: bytes) -> tuple[str, str]:
    verdict = verify(data, trusted(world))
    assert verdict.verdict != "INVALID", verdict.steps
    return verdict.verdict, verdict.completeness


def test_a_record(world: Any) -> None:
    first, second = world.capture(event(1), event(2))
    world.seal()
    world.advance()
    data, state = make(world, first)
    assert state == "final"
    assert judged(world, data) == ("VALID", "not claimed")
    assert len(data) < 6_000
    assert make(world, second)[0] != data


def test_what_is_not_there_yet(world: Any) -> None:
    (taken,) = world.capture(event(1))
    with pytest.raises(NotSealed):
        make(world, taken)
    with pytest.raises(NotSealed):
        make(world, None, lot=LOT)
    with pytest.raises(UnknownRecord):
        make(world, b"\x01" * 32)
    with pytest.raises(BundleImpossible):
        make(world, None)


def test_pending_until_final(world: Any) -> None:
    (old,) = world.capture(event(1))
    world.seal()
    world.advance()
    (new,) = world.capture(event(2))
    world.seal()
    data, state = make(world, new)
    assert state == "pending"
    assert judged(world, data) == ("INDETERMINATE", "not claimed")
    assert make(world, old)[1] == "final"
    world.advance()
    data, state = make(world, new)
    assert (state, judged(world, data)[0]) == ("final", "VALID")


def test_earliest_anchor_that_hides_no_correction(world: Any) -> None:
    (wrong,) = world.capture(event(1))
    first = world.seal()
    world.advance()
    world.capture(event(2))
    world.seal()
    world.advance()
    assert f"\\n{first.size}\\n" in make(world, wrong)[0].decode()
    taken_back = event(1)
    taken_back["errorDeclaration"] = {
        "declarationTime": "2026-01-05T08:30:00+08:00",
        "reason": "incorrect_data",
    }
    (declared,) = world.capture(taken_back)
    third = world.seal()
    world.advance()
    data, _ = make(world, wrong)
    assert f"\\n{third.size}\\n" in data.decode()
    assert [one.h for one in bundles_of.parse(data).records[0].corrections] == [declared]
    verdict = verify(data, trusted(world))
    assert verdict.verdict == "VALID"
    assert any("superseded" in step.detail for step in verdict.steps)


def test_disclosures(world: Any) -> None:
    (taken,) = world.capture(event(1))
    world.seal()
    world.advance()
    hidden, _ = make(world, taken)
    shown, _ = make(world, taken, disclose=["sdl:containerNo", "eventID"])
    assert len(bundles_of.parse(shown).records[0].disclosures) == 2
    assert bundles_of.parse(hidden).records[0].disclosures == ()
    assert judged(world, shown)[0] == "VALID"
    with pytest.raises(VaultRefused):
        make(world, taken, disclose=["sdl:participants"])
    with pytest.raises(BundleImpossible):
        make(world, taken, disclose=["sdl:containerNumber"])


def test_a_lot_is_complete(world: Any) -> None:
    hashes = world.capture(event(1), event(2), event(3, quantityList=[{"epcClass": LOT + "X", "quantity": 1}]))
    world.seal()
    world.capture(event(4))
    world.seal()
    world.advance()
    data, state = make(world, None, lot=LOT)
    assert state == "final"
    assert judged(world, data) == ("VALID", "complete")
    assert len(bundles_of.parse(data).records) == 3
    with_other, _ = make(world, hashes[2], lot=LOT, disclose=["eventID"])
    assert judged(world, with_other) == ("VALID", "complete")
    assert [len(one.disclosures) for one in bundles_of.parse(with_other).records] == [0, 0, 1, 0]


def test_a_record_dropped_from_a_lot_is_numbered_and_a_shorter_list_does_not_help(world: Any) -> None:
    world.capture(*(event(number) for number in range(1, 6)))
    world.seal()
    world.advance()
    data, held = make(world, None, lot=LOT)[0], trusted(world)
    for gone in ({0}, {2}, {4}, {1, 3}):
        value = json.loads(data)
        value["records"] = [one for place, one in enumerate(value["records"]) if place not in gone]
        verdict = verify(canonical.encode(value), held)
        assert (verdict.verdict, verdict.completeness) == ("INVALID", "incomplete")
        (lots,) = (step for step in verdict.steps if step.result == "FAIL")
        numbers = ", ".join(str(one + 1) for one in sorted(gone))
        assert f"{len(gone)} of 5 records are missing: number {numbers}" in lots.detail
        value["lots"][0]["chain"] = [h for place, h in enumerate(value["lots"][0]["chain"]) if place not in gone]
        verdict = verify(canonical.encode(value), held)
        assert (verdict.verdict, verdict.completeness) == ("INVALID", "incomplete")
        assert [step.name for step in verdict.steps if step.result == "FAIL"] == ["lots"]


def test_a_lot_that_nobody_named(world: Any) -> None:
    world.capture(event(1))
    world.seal()
    world.advance()
    data, _ = make(world, None, lot=LOT + "X")
    assert bundles_of.parse(data).records == ()
    assert judged(world, data) == ("VALID", "complete")


def test_through_the_units_it_travelled_in(world: Any) -> None:
    box = "https://id.gs1.org/01/06901234000016/21/1"
    world.capture(
        event(1, epcList=[box]),
        packing(2, PALLET, childEPCs=[box]),
        packing(3, CONTAINER, childEPCs=[PALLET]),
        event(4, epcList=[CONTAINER], quantityList=[]),
        event(5, epcList=["https://id.gs1.org/00/069012340000000206"], quantityList=[]),
    )
    world.seal()
    world.advance()
    data, _ = make(world, None, lot=normal(box), through=True)
    parsed = bundles_of.parse(data)
    assert [one.id for one in parsed.lots] == sorted(normal(one) for one in (box, PALLET, CONTAINER))
    assert len(parsed.records) == 4
    assert judged(world, data) == ("VALID", "complete")
    assert len(bundles_of.parse(make(world, None, lot=normal(box))[0]).lots) == 1


def test_a_lost_chain_leaves_bundles_pending(world: Any, tmp_path: Any) -> None:
    (taken,) = world.capture(event(1))
    world.seal()
    world.advance()
    before, _ = make(world, taken)
    held = trusted(world)
    world.network.close()
    for name in ("chain.db", "chain.db-wal", "chain.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    world.network = world.open_network()
    assert world.step().did == "chain-lost"
    assert make(world, taken)[1] == "pending"
    world.advance()
    after, state = make(world, taken)
    assert state == "final"
    assert verify(before, held).verdict == "VALID"
    assert verify(after, held).verdict == "INDETERMINATE"
    both = merge(held.encode(), trusted(world).to_json())
    assert verify(after, trust.parse(json.dumps(both).encode())).verdict == "VALID"
