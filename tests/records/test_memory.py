"""What traces keep beside the records: never trusted unchecked, never in the way of an erasure, as good as reading all."""

import random
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from sudonglian.records import event_rows, intake, kept_pieces, log, sequencer, vault
from sudonglian.records.deployment import open_deployment
from sudonglian.records.fsck import fsck
from sudonglian.records.identities import identity
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store, StoreError
from sudonglian.records.tables import KEPT_PIECES
from sudonglian.trace.casework import kept, memory
from sudonglian.trace.casework.memory import Memory
from sudonglian.trace.casework.views import SHOWN, views
from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.facts import Facts
from sudonglian.trace.engine.progress import Stage

Make = Callable[..., dict[str, Any]]
HASH_ID = "ni:///sha-256;" + "ab" * 32 + "?ver=CBV2.0"
PHONE = "19900000077"
THEN = datetime(2026, 1, 7, tzinfo=UTC)


EVERYTHING = select(KEPT_PIECES).order_by(KEPT_PIECES.c.kind, KEPT_PIECES.c.start)


def all_read(store: Store, size: int) -> Facts:
    """Return the facts of a size of the log by reading and deriving everything."""
    with store.read() as connection:
        return derive_facts(views(event_rows.event_views(connection, size, SHOWN)))


def started(memory: Memory, store: Store, keys: Keys, size: int) -> tuple[Facts, list[int], int]:
    """Return the facts, how far the log was read at each report, and from how many events facts were derived."""
    told: list[Stage] = []
    facts = memory.facts(store, keys, size, report=told.append)
    assert told[-1].name == "facts"
    return facts, [stage.done for stage in told if stage.name == "records"], told[-1].done


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pieces of eight entries, and write each new one down."""
    monkeypatch.setattr(memory, "SPAN", 8)
    monkeypatch.setattr(memory, "WORTH", 1)


@pytest.fixture
def sizes(capture: Any, seal: Any, event: Make, handler: Any) -> list[int]:
    """A log of forty events of four pallets, some late, some taken back; the sizes at which it was sealed."""
    dice, sealed, written = random.Random(7), [], []
    for number in range(40):
        one = event(
            eventID=f"urn:x:{number}",
            epcList=[f"urn:epc:id:sscc:6901234.000000000{dice.randrange(4)}"],
            eventTime=f"2026-01-05T{dice.randrange(10, 20)}:30:00+08:00",
            bizStep=dice.choice(("shipping", "receiving", "storing")),
            bizLocation={"id": f"urn:epc:id:sgln:6901234.0000{dice.randrange(3)}.0"},
            **({"sdl:participants": [handler(f"1990000000{number % 5}")]} if number % 3 else {}),
            **({"sdl:labTest": {"result": "positive"}} if number % 7 == 0 else {}),
        )
        written.append(one)
        capture(one)
        if number % 9 == 8:
            declared = {"declarationTime": "2026-01-05T08:30:00+08:00", "reason": "incorrect_data"}
            capture(dice.choice(written) | {"errorDeclaration": declared})
        if number % 5 == 4:
            sealed.append(seal().size)
    return sealed


@pytest.mark.usefixtures("small")
def test_what_is_kept_gives_the_facts_of_every_size(store: Store, keys: Keys, sizes: list[int]) -> None:
    expected = {size: all_read(store, size) for size in range(sizes[-1] + 1)}
    assert any(facts.superseded for facts in expected.values())
    assert any(sample.event_id for sample in expected[sizes[-1]].samples)
    one = Memory()
    assert started(one, store, keys, sizes[0])[2] > 0
    for size in (*sizes, *reversed(sizes), 0, sizes[3] - 1, sizes[-1]):
        assert repr(one.facts(store, keys, size)) == repr(expected[size])
    with store.read() as connection:
        query = select(KEPT_PIECES.c.start, KEPT_PIECES.c.end).where(KEPT_PIECES.c.kind == "views")
        rows = connection.execute(query.order_by(KEPT_PIECES.c.start)).all()
    assert [row.start for row in rows] == list(range(0, sizes[-1], 8))
    assert [row.end for row in rows] == [*range(8, sizes[-1], 8), sizes[-1]]
    for size, wanted in expected.items():
        facts, reported, derived = started(Memory(), store, keys, size)
        assert repr(facts) == repr(wanted)
        assert derived == 0 or size != sizes[-1]
        # It was taken piece by piece, and no record was read.
        assert reported == [0, *(min(row.end, size) for row in rows if row.start < size), size]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["views", "facts"])
@pytest.mark.parametrize("column", ["body", "mac", "root", "version", "end"])
def test_what_is_not_as_it_was_written_is_thrown_away_and_made_anew(
    store: Store, keys: Keys, sizes: list[int], kind: Any, column: str
) -> None:
    size = sizes[-1]
    expected = Memory().facts(store, keys, size)
    with store.write() as connection:
        whole = connection.execute(EVERYTHING).all()
        start = 16 if kind == "views" else 0
        old = next(getattr(row, column) for row in whole if (row.kind, row.start) == (kind, start))
        changed: Any
        if isinstance(old, bytes):
            changed = old[:-1] + bytes([old[-1] ^ 1])
        else:
            changed = old - 1 if isinstance(old, int) else "another"
        connection.execute(
            update(KEPT_PIECES)
            .where(KEPT_PIECES.c.kind == kind, KEPT_PIECES.c.start == start)
            .values({column: changed})
        )
    if column != "version":
        assert [fault["place"] for fault in fsck(store, keys)["faults"]] == [f"kept_pieces/{kind}/{start}"]
    facts, reported, derived = started(Memory(), store, keys, size)
    assert facts == expected
    # Either the records from there on are read, or their facts derived.
    assert reported[:4] == ([0, 8, 16, 16] if kind == "views" else [0, 8, 16, 24])
    assert (derived > 0) == (kind == "facts")
    with store.read() as connection:
        assert connection.execute(EVERYTHING).all() == whole
    assert fsck(store, keys)["ok"]
    with store.read() as connection:
        assert [one.end for one in kept_pieces.pieces(connection, keys, kept.version(), "views", 0, size)][-1] == size


@pytest.mark.usefixtures("small")
def test_pieces_of_another_log_or_key_are_none(store: Store, keys: Keys, sizes: list[int]) -> None:
    Memory().facts(store, keys, sizes[-1])
    others = Keys(keys.log, bytes(32), keys.lookup, keys.keks)
    with store.read() as connection:
        assert not list(kept_pieces.pieces(connection, others, kept.version(), "views", 0, 8))
        assert not list(kept_pieces.pieces(connection, keys, "another", "views", 0, 8))
        honest = next(kept_pieces.pieces(connection, keys, kept.version(), "views", 0, 8))
    forked = kept_pieces.Piece("views", 0, 8, b"\x01" * 32, honest.body)
    with store.write() as connection:
        kept_pieces.keep(connection, keys, kept.version(), [forked])
        assert not list(kept_pieces.pieces(connection, keys, kept.version(), "views", 0, 8))


def test_a_memory_of_another_log_is_forgotten(
    store: Store, keys: Keys, tmp_path: Path, capture: Any, seal: Any, event: Make, document: Any
) -> None:
    capture(event(), event(eventID="urn:x:2", bizStep="receiving", bizLocation={"id": "urn:x:here"}))
    size, one = seal().size, Memory()
    assert one.facts(store, keys, size).stays == all_read(store, size).stays != ()
    other = Store(f"sqlite:///{tmp_path / 'other.db'}")
    open_deployment(other, keys)
    assert one.facts(other, keys, 0) == all_read(other, 0)
    one.facts(store, keys, size)
    with other.write() as connection:
        raw = document(event(eventID="urn:x:3"), event(eventID="urn:x:4"), event(eventID="urn:x:5"))
        intake.capture(connection, keys, raw, submitter="urn:x:firm", now=THEN)
        assert sequencer.seal(connection, keys, THEN) is not None
    assert one.facts(other, keys, size) == all_read(other, size) != all_read(store, size)
    other.close()


@pytest.mark.usefixtures("small")
def test_a_write_that_fails_leaves_what_was_and_the_answer_is_given(
    store: Store, keys: Keys, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    Memory().facts(store, keys, sizes[2])
    with store.read() as connection:
        before = connection.execute(EVERYTHING).all()
    keep = kept_pieces.keep

    def cut(*arguments: Any) -> None:
        keep(*arguments)
        raise StoreError("the disk is full")

    monkeypatch.setattr(kept_pieces, "keep", cut)
    assert Memory().facts(store, keys, sizes[-1]) == all_read(store, sizes[-1])
    with store.read() as connection:
        assert connection.execute(EVERYTHING).all() == before


KILLED = """
import os, signal, sys
from pathlib import Path
from sudonglian.records import kept_pieces
from sudonglian.records.fsck import fsck
from sudonglian.records.keys import Keys
from sudonglian.records.identities import identity
from sudonglian.records.store import Store
from sudonglian.trace.casework import memory

url, folder, size = sys.argv[1:]
memory.SPAN, memory.WORTH = 8, 1
keep = kept_pieces.keep

def cut(*arguments):
    keep(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

kept_pieces.keep = cut
memory.Memory().facts(Store(url), Keys.open(Path(folder)), int(size))
"""


@pytest.mark.usefixtures("small")
def test_a_kill_before_the_commit_leaves_what_was(store: Store, keys: Keys, sizes: list[int]) -> None:
    Memory().facts(store, keys, sizes[2])
    with store.read() as connection:
        before = connection.execute(EVERYTHING).all()
    url = store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", KILLED, url, str(keys.folder), str(sizes[-1])]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    with store.read() as connection:
        assert connection.execute(EVERYTHING).all() == before
    assert Memory().facts(store, keys, sizes[-1]) == all_read(store, sizes[-1])
    with store.read() as connection:
        assert len(connection.execute(EVERYTHING).all()) > len(before)


@pytest.mark.usefixtures("small")
def test_several_at_once_keep_one_whole(store: Store, keys: Keys, sizes: list[int]) -> None:
    wanted = [*sizes, *sizes]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda size: Memory().facts(store, keys, size), wanted))
    assert found == [all_read(store, size) for size in wanted]
    Memory().facts(store, keys, sizes[-1])
    with store.read() as connection:
        assert [one.end for one in kept_pieces.pieces(connection, keys, kept.version(), "views", 0, sizes[-1])][
            -1
        ] == sizes[-1]


@pytest.mark.usefixtures("small")
def test_nothing_that_an_erasure_must_reach_is_kept(
    store: Store, keys: Keys, capture: Any, seal: Any, event: Make, handler: Any
) -> None:
    tested = {"sdl:labTest": {"result": "positive"}, "sdl:participants": [handler(PHONE)]}
    capture(event(eventID=HASH_ID, **tested), event(eventID="urn:x:named", bizStep="storing", **tested))
    capture(event(eventID="urn:x:unneeded", bizStep="receiving", **{"sdl:participants": [handler(PHONE)]}))
    size = seal().size
    one = Memory()
    facts = one.facts(store, keys, size)
    assert {sample.event_id for sample in facts.samples} == {HASH_ID, "urn:x:named"}
    with store.read() as connection:
        number = vault.find(connection, keys, identity("phone", PHONE, ""))
        assert number is not None
        bodies = [row.body for row in connection.execute(select(KEPT_PIECES.c.body))]
    assert len(bodies) == 2
    for body in map(zlib.decompress, bodies):
        assert f'"{number}"'.encode() in body
        assert b"urn:x:named" in body
        for secret in (HASH_ID, "ab" * 32, "urn:x:unneeded", PHONE, "测试员甲"):
            assert secret.encode() not in body
    assert Memory().facts(store, keys, size) == facts
    with store.write() as connection:
        vault.erase(connection, keys, number, "asked", THEN)
    nameless = all_read(store, size)
    assert {sample.event_id for sample in nameless.samples} == {"", "urn:x:named"}
    # Whoever remembers the log from before, and whoever reads what was kept, have forgotten it.
    assert one.facts(store, keys, size) == nameless == Memory().facts(store, keys, size)
    assert str(number) in {stay.who.id for stay in nameless.stays}


def test_a_store_that_cannot_be_written_to_is_traced(
    sqlite_store: Store, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "WORTH", 0)
    monkeypatch.setattr(Store, "is_read_only", True)
    assert Memory().facts(sqlite_store, keys, 0) == all_read(sqlite_store, 0)
    with sqlite_store.read() as connection:
        assert log.size(connection) == 0
        assert connection.execute(select(KEPT_PIECES)).all() == []


def test_one_memory_for_a_store(sqlite_store: Store) -> None:
    assert memory.of(sqlite_store) is memory.of(sqlite_store)
