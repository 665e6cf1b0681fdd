import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from sudonglian.chain import checkpoint, entry, lotmap, merkle
from sudonglian.chain.identifiers import named_by
from sudonglian.chain.record import record_hash
from sudonglian.records import log, lots, private, sequencer
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.intake import CaptureResult
from sudonglian.records.keys import Keys
from sudonglian.records.log import Checkpoint
from sudonglian.records.sequencer import Draft
from sudonglian.records.store import Store
from sudonglian.records.tables import (
    CHECKPOINTS,
    ENTRIES,
    IDENTIFIERS,
    LOT_CHAIN,
    NODES,
    PENDING,
    RECORDS,
)

Capture = Callable[..., CaptureResult]
Seal = Callable[[], Checkpoint | None]
Make = Callable[..., dict[str, Any]]
NOW = datetime(2026, 1, 6, 0, 0, 0, 123456, tzinfo=UTC)


def check_whole_log(store: Store, keys: Keys) -> set[bytes]:
    """Recompute everything that the log says from entries and bodies alone; return the records that it holds."""
    with store.read() as connection:
        entries = [(row.idx, row.data) for row in connection.execute(select(ENTRIES).order_by(ENTRIES.c.idx))]
        assert [index for index, _ in entries] == list(range(len(entries)))
        leaves = [merkle.leaf_hash(data) for _, data in entries]
        said = [entry.parse_entry(data) for _, data in entries]
        bodies = {row.record_hash: row for row in connection.execute(select(RECORDS))}
        checkpoints = connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size)).all()
        seals = [index for index, one in enumerate(said) if isinstance(one, entry.SealEntry)]
        assert [row.size for row in checkpoints] == [index + 1 for index in seals]
        chains: dict[bytes, list[bytes]] = {}
        values: dict[bytes, lotmap.Value] = {}
        for index, one in enumerate(said):
            if isinstance(one, entry.RecordEntry):
                row = bodies[one.h]
                assert record_hash(row.body) == one.h
                assert row.log_index == index
                for name in named_by(json.loads(row.body)["event"]):
                    chain = chains.setdefault(lotmap.key(name), [])
                    chain.append(one.h)
                    values[lotmap.key(name)] = (len(chain), lotmap.chain_over(chain))
            elif isinstance(one, entry.SealEntry):
                assert one.lots == lotmap.update(lambda *_: None, lotmap.EMPTY, values)[0]
                row = next(row for row in checkpoints if row.size == index + 1)
                assert row.root == merkle.root(leaves[: index + 1])
                assert checkpoint.verify_note(row.note, keys.log.vkey) == (keys.origin, index + 1, row.root)
                assert one.private == private.root(connection, row.private_size)
                assert lots.root_at(connection, index + 1) == one.lots
        stored = {(row.lot_key, row.n): row.record_hash for row in connection.execute(select(LOT_CHAIN))}
        assert stored == {(key, n): one for key, chain in chains.items() for n, one in enumerate(chain, 1)}
        waiting = [entry.parse_entry(row.data) for row in connection.execute(select(PENDING))]
        in_log = {one.h for one in said if isinstance(one, entry.RecordEntry)}
        pending = [one.h for one in waiting if isinstance(one, entry.RecordEntry)]
        assert len(pending) == len(set(pending))
        assert in_log.isdisjoint(pending)
        assert in_log | set(pending) == set(bodies)
        assert sum(isinstance(one, entry.RecordEntry) for one in said) == len(in_log)
        complete = {(level, index) for level in range(20) for index in range(len(leaves) >> level)}
        assert {(row.level, row.idx) for row in connection.execute(select(NODES))} == complete
        return in_log


def test_nothing_new_gives_no_seal(store: Store, keys: Keys, seal: Seal, capture: Capture, event: Make) -> None:
    assert seal() is None
    capture(event())
    assert seal() is not None
    assert seal() is None
    check_whole_log(store, keys)


def test_a_seal_closes_what_was_pending(store: Store, keys: Keys, seal: Seal, capture: Capture, event: Make) -> None:
    (one,) = capture(event()).records
    sealed = seal()
    assert sealed is not None
    assert (sealed.size, sealed.private_size) == (2, 0)
    with store.read() as connection:
        first, last = (entry.parse_entry(data) for _, data in log.entries(connection))
        assert log.latest(connection) == sealed
    assert first == entry.RecordEntry(one.record_hash)
    assert isinstance(last, entry.SealEntry)
    assert last.at == NOW.replace(microsecond=0)
    assert last.private == merkle.EMPTY_ROOT
    assert check_whole_log(store, keys) == {one.record_hash}


def test_private_entries_alone_are_worth_a_seal(store: Store, keys: Keys, seal: Seal) -> None:
    with store.write() as connection:
        private.append(connection, {"k": "trace"})
    sealed = seal()
    assert sealed is not None
    assert (sealed.size, sealed.private_size) == (1, 1)
    assert seal() is None
    check_whole_log(store, keys)


def test_many_seals_of_many_sizes(store: Store, keys: Keys, seal: Seal, capture: Capture, event: Make) -> None:
    numbers = random.Random(5)
    taken = set()
    for document in range(9):
        events = [
            event(
                eventID=f"urn:x:{document}.{number}",
                epcList=[f"urn:epc:id:sscc:6901234.000000{numbers.randrange(40):04}" for _ in range(3)],
            )
            for number in range(numbers.randrange(1, 14))
        ]
        taken |= {one.record_hash for one in capture(*events).records}
        if numbers.random() < 0.3:
            with store.write() as connection:
                private.append(connection, {"n": document})
        seal()
    assert check_whole_log(store, keys) == taken


def test_a_large_seal(store: Store, keys: Keys, seal: Seal, capture: Capture, event: Make) -> None:
    for start in (0, 1200):
        capture(
            *(
                event(eventID=f"urn:x:{number}", epcList=[f"urn:x:{number % 900}", f"urn:y:{number}"])
                for number in range(start, start + 1200)
            )
        )
        seal()
    assert len(check_whole_log(store, keys)) == 2400


def test_the_map_is_made_from_what_was_hashed_and_not_from_the_index(
    store: Store, keys: Keys, seal: Seal, capture: Capture, event: Make
) -> None:
    capture(event())
    with store.write() as connection:
        connection.execute(update(IDENTIFIERS).values(normal="urn:x:another"))
    seal()
    check_whole_log(store, keys)


def test_an_altered_record_is_never_sealed(store: Store, seal: Seal, capture: Capture, event: Make) -> None:
    capture(event())
    with store.write() as connection:
        body = connection.execute(select(RECORDS.c.body)).scalar_one()
        connection.execute(update(RECORDS).values(body=body.replace(b"shipping", b"shippinG")))
    with pytest.raises(StoreCorrupt) as told:
        seal()
    assert told.value.place.startswith("records/")
    with store.read() as connection:
        assert log.size(connection) == 0
        assert len(connection.execute(select(PENDING)).all()) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", entry.seal_entry(bytes(32), bytes(32), NOW.replace(microsecond=0)), entry.record_entry(bytes(32))],
)
def test_what_is_no_entry_is_never_sealed(store: Store, seal: Seal, data: bytes) -> None:
    with store.write() as connection:
        sequencer.enqueue(connection, [data], NOW)
    with pytest.raises(StoreCorrupt) as told:
        seal()
    assert told.value.place.startswith("pending/")


def test_a_signature_that_is_not_kept_is_never_sealed(store: Store, seal: Seal, capture: Capture, event: Make) -> None:
    (one,) = capture(event()).records
    with store.write() as connection:
        sequencer.enqueue(connection, [entry.signature_entry(one.record_hash, b"\x01" * 32)], NOW)
    with pytest.raises(StoreCorrupt, match="signature"):
        seal()
    with store.read() as connection:
        assert log.size(connection) == 0


def test_a_record_is_never_sealed_twice(store: Store, seal: Seal, capture: Capture, event: Make) -> None:
    capture(event())
    with store.write() as connection:
        connection.execute(
            insert(PENDING).from_select(
                ["data", "record_id", "queued_us"], select(PENDING.c.data, PENDING.c.record_id, PENDING.c.queued_us)
            )
        )
    with pytest.raises(StoreCorrupt):
        seal()


def test_when_a_seal_is_due(store: Store, keys: Keys, seal: Seal, capture: Capture, event: Make) -> None:
    def due(later: timedelta, entries: int = 3) -> bool:
        with store.read() as connection:
            return sequencer.due(connection, NOW + later, entries, timedelta(seconds=10))

    long, short = timedelta(seconds=10), timedelta(seconds=10) - timedelta(microseconds=1)
    assert not due(timedelta(days=1), 1)
    capture(event(), event(eventID="urn:x:2"))
    assert not due(short)
    assert due(long)
    assert due(timedelta(0), 2)
    seal()
    assert not due(timedelta(days=1), 1)
    with store.write() as connection:
        private.append(connection, {"k": "trace"})
    assert not due(short)
    assert due(long)


CAPTURER = """
import json, os, pathlib, sys
from datetime import UTC, datetime
from sudonglian.records import intake
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
url, keys, journal, name = sys.argv[1:5]
store, keys = Store(url), Keys.open(pathlib.Path(keys))
out = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
number = 0
while True:
    events = [{"type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-01-05T08:30:00+08:00",
               "eventTimeZoneOffset": "+08:00", "eventID": f"urn:x:{name}.{os.getpid()}.{number}.{place}",
               "epcList": [f"urn:x:lot:{(number + place) % 7}"], "@context": {"sdl": "urn:sudonglian:ns:1:"},
               "sdl:participants": [{"personRef": {"kind": "phone", "value": f"1990000000{number % 10}"},
                                     "role": "loader"}]} for place in range(4)]
    with store.write() as connection:
        taken = intake.capture(connection, keys, json.dumps(events).encode(), submitter=f"urn:x:{name}",
                               now=datetime.now(UTC))
    os.write(out, "".join(one.record_hash.hex() + "\\n" for one in taken.records).encode())
    number += 1
    if len(sys.argv) > 5 and number == int(sys.argv[5]):
        break
"""

SEALER = """
import pathlib, sys, time
from datetime import UTC, datetime
from sudonglian.records import sequencer
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
store, keys = Store(sys.argv[1]), Keys.open(pathlib.Path(sys.argv[2]))
print("ready", flush=True)
while True:
    with store.read() as connection:
        drafted = sequencer.draft(connection)
    with store.write() as connection:
        sequencer.seal(connection, keys, datetime.now(UTC), drafted)
    time.sleep(0.005)
"""


def start(program: str, store: Store, tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, store.url.render_as_string(hide_password=False), str(tmp_path / "keys")]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)


def acknowledged(journal: Path) -> list[bytes]:
    lines = journal.read_text().splitlines() if journal.exists() else []
    return [bytes.fromhex(line) for line in lines if len(line) == 64]


def kills(store: Store, pytestconfig: pytest.Config) -> int:
    if pytestconfig.getoption("--full"):
        return 60
    return 12 if store.is_sqlite else 4  # the client's death is everyday for a server, and is all for SQLite


def test_killed_at_any_moment_nothing_acknowledged_is_lost(
    store: Store, keys: Keys, seal: Seal, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    journal, numbers = tmp_path / "journal", random.Random(7)
    hit = 0
    for _ in range(kills(store, pytestconfig)):
        before = journal.stat().st_size if journal.exists() else 0
        capturer = start(CAPTURER, store, tmp_path, str(journal), "a")
        sealer = start(SEALER, store, tmp_path)
        until = time.monotonic() + 20
        while (not journal.exists() or journal.stat().st_size == before) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(numbers.random() / 20)
        for child in (capturer, sealer):
            assert child.poll() is None
            os.kill(child.pid, signal.SIGKILL)
            child.communicate()
        hit += journal.stat().st_size > before
        held = check_whole_log(store, keys)
        with store.read() as connection:
            known = set(connection.execute(select(RECORDS.c.record_hash)).scalars())
        assert set(acknowledged(journal)) <= known
        assert held <= known
    assert hit == kills(store, pytestconfig)
    seal()
    assert set(acknowledged(journal)) <= check_whole_log(store, keys)


def drafted(store: Store) -> Draft:
    with store.read() as connection:
        return sequencer.draft(connection)


def test_a_seal_takes_what_was_drafted_and_what_came_since_waits(
    store: Store, keys: Keys, seal: Seal, capture: Capture, event: Make
) -> None:
    capture(event(eventID="urn:x:0", epcList=["urn:x:a"]))
    seal()
    first = capture(event(eventID="urn:x:1", epcList=["urn:x:a", "urn:x:b"])).records
    with store.read() as connection:
        draft = sequencer.draft(connection)
        later = capture(event(eventID="urn:x:2", epcList=["urn:x:b"])).records  # a capture does not wait for a draft
    with store.write() as connection:
        private.append(connection, {"k": "trace"})
    with store.write() as connection:
        sealed = sequencer.seal(connection, keys, NOW, draft)
    assert sealed is not None
    assert (sealed.size, sealed.private_size) == (4, 1)
    held = check_whole_log(store, keys)
    assert {one.record_hash for one in first} <= held
    assert held.isdisjoint(one.record_hash for one in later)
    seal()
    assert {one.record_hash for one in later} <= check_whole_log(store, keys)


def test_a_draft_that_the_log_has_outgrown_is_made_again(
    store: Store, keys: Keys, seal: Seal, capture: Capture, event: Make
) -> None:
    capture(event(eventID="urn:x:1", epcList=["urn:x:a"]))
    draft = drafted(store)
    seal()
    capture(event(eventID="urn:x:2", epcList=["urn:x:a"]))
    with store.write() as connection:
        sealed = sequencer.seal(connection, keys, NOW, draft)
    assert sealed is not None
    assert sealed.size == 4
    assert len(check_whole_log(store, keys)) == 2
    with store.write() as connection:
        assert sequencer.seal(connection, keys, NOW, draft) is None
    check_whole_log(store, keys)


@pytest.mark.parametrize("change", [delete(PENDING), update(PENDING).values(data=entry.record_entry(bytes(32)))])
def test_what_is_no_longer_as_it_was_drafted_is_not_sealed(
    store: Store, keys: Keys, seal: Seal, capture: Capture, event: Make, change: Any
) -> None:
    capture(event(eventID="urn:x:0"))
    seal()
    capture(event(eventID="urn:x:1"))
    draft = drafted(store)
    with store.write() as connection:
        connection.execute(change)
    with pytest.raises(StoreCorrupt, match="not what was drafted"), store.write() as connection:
        sequencer.seal(connection, keys, NOW, draft)
    with store.read() as connection:
        assert log.size(connection) == len(connection.execute(select(ENTRIES)).all()) == 2


def test_two_capture_while_two_seal(store: Store, keys: Keys, seal: Seal, tmp_path: Path) -> None:
    sealers = [start(SEALER, store, tmp_path) for _ in range(2)]
    for sealer in sealers:
        assert sealer.stdout is not None
        assert sealer.stdout.readline() == "ready\n"
    journals = [tmp_path / name for name in ("journal-a", "journal-b")]
    capturers = [
        start(CAPTURER, store, tmp_path, str(journal), name, "15")
        for journal, name in zip(journals, ["a", "b"], strict=True)
    ]
    assert [child.wait(60) for child in capturers] == [0, 0]
    time.sleep(0.1)
    for sealer in sealers:
        assert sealer.poll() is None
        sealer.kill()
    for child in (*capturers, *sealers):
        child.communicate()
    seal()
    taken = [one for journal in journals for one in acknowledged(journal)]
    assert len(taken) == len(set(taken)) == 2 * 15 * 4
    assert check_whole_log(store, keys) == set(taken)
    with store.read() as connection:
        assert len(connection.execute(select(CHECKPOINTS)).all()) > 1
