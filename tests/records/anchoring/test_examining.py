"""What the log says about an id, judged out of a real store and chain; what was altered is named, and by which step."""

from typing import Any

import pytest
from sqlalchemy import delete, text, update

from sudonglian.chain.verify_steps import Verdict
from sudonglian.records import anchor_book, examining
from sudonglian.records.errors import NotInLog, UnknownRecord
from sudonglian.records.tables import CHECKPOINTS, LOT_CHAIN


def nobody(_record: Any) -> bool:
    return False


def everybody(_record: Any) -> bool:
    return True


def steps(verdict: Verdict) -> dict[str, str]:
    return {one.name: one.result for one in verdict.steps}


def grown(world: Any) -> list[bytes]:
    taken: list[bytes] = world.capture(*(world.event(number) for number in range(3)))
    world.seal()
    world.advance()
    return taken


def test_what_waits_is_undetermined_and_what_is_anchored_is_valid(world: Any) -> None:
    grown(world)
    (new,) = world.capture(world.event(9))
    for may_read in (nobody, everybody):
        with world.store.read() as connection:
            waits = examining.record(connection, world.keys, new, may_read)
        assert (waits.verdict.verdict, waits.facts["index"]) == ("INDETERMINATE", None)
    world.seal()
    for may_read in (nobody, everybody):
        with world.store.read() as connection:
            sealed = examining.record(connection, world.keys, new, may_read)
        assert sealed.verdict.verdict == "INDETERMINATE"
        assert steps(sealed.verdict)["finality"] == "UNKNOWN"
    world.advance()
    for may_read in (nobody, everybody):
        with world.store.read() as connection:
            final = examining.record(connection, world.keys, new, may_read)
        assert final.verdict.verdict == "VALID"
        assert len(final.verdict.trusted) == 2


def test_what_is_not_there(world: Any) -> None:
    grown(world)
    with world.store.read() as connection:
        with pytest.raises(UnknownRecord):
            examining.record(connection, world.keys, bytes(32), everybody)
        assert examining.by_hash(connection, world.keys, bytes(32), everybody) == []
        with pytest.raises(NotInLog):
            examining.contract(connection, world.keys, bytes(20))
        with pytest.raises(NotInLog):
            examining.consistency(connection, world.keys, 3, 99)
        with pytest.raises(NotInLog):
            examining.consistency(connection, world.keys, 3, 2)


def test_a_record_taken_out_of_a_lot_is_seen_by_the_public(world: Any) -> None:
    grown(world)
    with world.store.write() as connection:
        key = connection.execute(text("SELECT lot_key FROM lot_chain LIMIT 1")).scalar_one()
        last = connection.execute(text("SELECT max(n) FROM lot_chain WHERE lot_key = :key"), {"key": key}).scalar_one()
        connection.execute(delete(LOT_CHAIN).where(LOT_CHAIN.c.lot_key == key, LOT_CHAIN.c.n == last))
    with world.store.read() as connection:
        found = [examining.lot(connection, world.keys, name, nobody) for name in _names(connection)]
    assert [one.verdict.verdict for one in found].count("INVALID") == 1
    (wrong,) = (one for one in found if one.verdict.verdict == "INVALID")
    assert [name for name, result in steps(wrong.verdict).items() if result == "FAIL"] == ["lots"]


def test_another_root_under_a_signed_size_is_seen(world: Any) -> None:
    grown(world)
    size = world.finals()[0].size
    with world.store.write() as connection:
        connection.execute(update(CHECKPOINTS).where(CHECKPOINTS.c.size == size).values(root=bytes(32)))
    with world.store.read() as connection:
        found = examining.consistency(connection, world.keys, size, size)
    assert found.verdict.verdict == "INVALID"


def test_an_anchor_that_the_book_never_saw_final_rests_on_nothing(world: Any) -> None:
    grown(world)
    (final,) = world.finals()
    with world.store.write() as connection:
        connection.execute(text("UPDATE anchors SET block_hash = :other"), {"other": bytes(32)})
    with world.store.read() as connection:
        assert anchor_book.proven(connection)
        found = examining.anchor(connection, world.keys, final.id)
    assert steps(found.verdict)["finality"] == "UNKNOWN"
    assert found.verdict.verdict == "INDETERMINATE"


def _names(connection: Any) -> list[str]:
    return list(connection.execute(text("SELECT DISTINCT normal FROM identifiers")).scalars())
