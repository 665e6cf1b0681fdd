"""What a database holds, read in one state of it, and held against what clients meant and were told.

Nothing here goes through the server: it may be dead.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from tests.api.kill.clients import Client
from tests.api.kill.firms import CAPTURE, ITEM, Asked

from sudonglian.chain.record import record_hash
from sudonglian.records.store import Store
from sudonglian.records.tables import (
    CHECKPOINTS,
    ENTRIES,
    IDENTIFIERS,
    JOBS,
    MASTER_DATA,
    PARTICIPANTS,
    PENDING,
    PERSONS,
    RECORDS,
)


@dataclass(frozen=True)
class Memory:
    """One state of a database."""

    items: Counter[str]
    """The items of this test that records name, and how often."""
    named: dict[str, str]
    """By record hash, the item that the record names."""
    log: list[str]
    """By index, the hash of the record that each entry takes in, or nothing."""
    indexes: dict[str, int | None]
    """By record hash, where the record says it is in the log."""
    waiting: Counter[str]
    """Hashes of records that wait for a seal."""
    jobs: dict[str, str]
    """By Idempotency-Key."""
    people: int
    participants: int
    described: Counter[str]
    checkpoints: list[int]


def memory(store: Store) -> Memory:
    with store.read() as connection:
        return _memory(connection)


def _memory(connection: Connection) -> Memory:
    hashes, indexes = {}, {}
    for row in connection.execute(select(RECORDS.c.id, RECORDS.c.record_hash, RECORDS.c.body, RECORDS.c.log_index)):
        assert record_hash(row.body) == row.record_hash
        hashes[row.id] = row.record_hash.hex()
        indexes[row.record_hash.hex()] = row.log_index
    found = [
        (hashes[row.record_id], row.uri)
        for row in connection.execute(select(IDENTIFIERS.c.record_id, IDENTIFIERS.c.uri))
        if row.uri.startswith(ITEM)
    ]
    log = []
    for place, row in enumerate(connection.execute(select(ENTRIES).order_by(ENTRIES.c.idx))):
        assert row.idx == place, "the log has a gap"
        is_record = json.loads(row.data)["k"] == "record"
        log.append(row.about.hex() if is_record else "")
    waiting = select(PENDING.c.record_id).where(PENDING.c.record_id.is_not(None))
    keyed = select(JOBS.c.idempotency_key, JOBS.c.name).where(JOBS.c.idempotency_key.is_not(None))
    return Memory(
        items=Counter(uri for _, uri in found),
        named=dict(found),
        log=log,
        indexes=indexes,
        waiting=Counter(hashes[row.record_id] for row in connection.execute(waiting)),
        jobs={row.idempotency_key: row.name for row in connection.execute(keyed)},
        people=connection.execute(select(func.count()).select_from(PERSONS)).scalar_one(),
        participants=connection.execute(select(func.count()).select_from(PARTICIPANTS)).scalar_one(),
        described=Counter(row.uri for row in connection.execute(select(MASTER_DATA.c.uri))),
        checkpoints=[row.size for row in connection.execute(select(CHECKPOINTS.c.size).order_by(CHECKPOINTS.c.size))],
    )


def is_in(asked: Asked, held: Memory) -> bool:
    """Return whether a request is in the memory; it must not be half in it."""
    there = {item: held.items[item] for item in asked.taken}
    assert set(there.values()) in ({0}, {1}, set()), f"{asked.name} {asked.key} is half there: {there}"
    assert not any(held.items[item] for item in asked.refused), f"{asked.key}: what is refused is there"
    has_job = asked.key in held.jobs
    assert has_job <= asked.leaves_a_job, f"{asked.key}: {asked.name} left a job"
    if asked.taken:
        is_there = all(there.values())
        assert has_job == is_there, f"{asked.key}: the job and its events are not one"
        assert all(held.described[one] for one in asked.described) == is_there or not asked.described
        return is_there
    return has_job


def nothing_is_half(held: Memory, begun: Iterable[Asked]) -> list[Asked]:
    """Check one state of the memory against all requests that were ever begun; return those that are in it."""
    asked = list(begun)
    there = [one for one in asked if is_in(one, held)]
    assert held.items == Counter(item for one in there for item in one.taken)
    assert len(held.indexes) == len(held.named) == held.items.total()
    assert set(held.jobs) == {one.key for one in there if one.leaves_a_job}
    assert held.people == held.participants == sum(one.people for one in there)
    assert held.described == Counter(set().union(*(one.described for one in there)))
    sealed = {h: index for index, h in enumerate(held.log) if h}
    assert len(sealed) == sum(map(bool, held.log)), "a record is twice in the log"
    assert sealed == {h: index for h, index in held.indexes.items() if index is not None}
    assert held.waiting == Counter(h for h, index in held.indexes.items() if index is None)
    assert (held.checkpoints or [0])[-1] == len(held.log)
    return there


def nothing_is_lost(held: Memory, clients: Sequence[Client]) -> int:
    """Check every answer that a client has kept; return how many events were acknowledged."""
    events = 0
    for client in clients:
        first: dict[int, bytes] = {}
        for number, answer in client.journal.acknowledged():
            asked = client.firm.asked[number]
            assert answer.status == asked.status, f"{asked.name} {asked.key}: {answer.status} {answer.body[:500]!r}"
            if number in first:
                assert answer.status == 422 or answer.body == first[number], f"{asked.key}: another answer"
                continue
            first[number] = answer.body
            if answer.status == 422:
                continue
            assert is_in(asked, held), f"{asked.name} {asked.key} was acknowledged and is not there"
            if answer.status == 201:
                assert set(asked.events[0]["epcList"]) <= set(answer.json["epcList"])
                events += 1
                continue
            told = answer.json
            assert told["captureID"] == held.jobs[asked.key], f"{asked.key}: another job"
            assert answer.headers["location"] == f"{CAPTURE}/{told['captureID']}"
            receipts = {held.named[one["record_hash"]] for one in told["records"]}
            assert receipts == {*asked.taken, *asked.known}, f"{asked.name} {asked.key}: {receipts}"
            assert (told["accepted"], told["unchanged"]) == (len(asked.taken), len(asked.known)), asked.key
            events += len(asked.taken)
    return events
