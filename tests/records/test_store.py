import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from sudonglian.records import store as stores
from sudonglian.records.deployment import open_deployment
from sudonglian.records.intake import CaptureResult
from sudonglian.records.keks import Ring, parse
from sudonglian.records.keys import KEK_FILE, Keys
from sudonglian.records.store import Store, StoreError, in_batches, insert_new
from sudonglian.records.tables import META, PENDING

NOBODY = 65_534
"""Root may write everywhere; this user, in a process of its own, may not."""

Capture = Callable[..., CaptureResult]
Make = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("url", ["", "no url", "nothing://x", "sqlite", "postgresql+nothing://x/y"])
def test_what_is_no_url_of_ours(url: str) -> None:
    with pytest.raises(StoreError):
        Store(url)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'absent' / 'a.db'}")
    with pytest.raises(StoreError, match="unable to open"), store.read():
        pass
    store.close()


def as_stranger(look: Callable[[], str]) -> str:
    """Return what `look` says in a process that may write nowhere here, whoever runs the tests."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.seteuid(NOBODY)
            os.write(writing, look().encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as said:
        return said.read()


@pytest.fixture
def evidence(keys: Keys) -> Iterator[Path]:
    """A database at rest, of the deployment of `keys`, in a folder that nobody may write."""
    folder = Path(tempfile.mkdtemp())
    try:
        store = Store(f"sqlite:///{folder / 'log.db'}")
        open_deployment(store, keys)
        store.close()
        (folder / "log.db").chmod(0o444)
        folder.chmod(0o555)
        yield folder / "log.db"
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_database_in_a_read_only_folder_is_read(evidence: Path, keys: Keys) -> None:
    # The file of the key-encryption keys is looked at anew at each use, and the stranger may not: from the environment.
    file = Path(keys.place(KEK_FILE))
    keys = replace(keys, keks=Ring(parse(file.read_text(), str(file)), "SUDONGLIAN_KEK"))

    def look() -> str:
        store = Store(f"sqlite:///{evidence}")
        known = open_deployment(store, keys)
        try:
            with store.write():
                return "written"
        except StoreError as error:
            return f"{known.origin} {error.diagnostics()}"

    assert as_stranger(look) == f"{keys.origin} store: {evidence}: the database or its folder is read-only"
    assert sorted(path.name for path in evidence.parent.iterdir()) == ["log.db", "log.db.turn"]


def test_what_waits_in_a_read_only_log_is_never_left_out(evidence: Path, keys: Keys) -> None:
    evidence.parent.chmod(0o755)
    evidence.chmod(0o644)
    store = Store(f"sqlite:///{evidence}")
    with store.write() as connection:
        connection.execute(insert(META), {"key": "new", "value": "kept"})
    log, evidence_log = Path(f"{evidence}-wal").read_bytes(), Path(f"{evidence}-wal")

    def look() -> str:
        try:
            there = Store(f"sqlite:///{evidence}")
            with there.read() as connection:
                return str(connection.execute(select(META.c.value).where(META.c.key == "new")).scalar_one())
        except StoreError as error:
            return error.diagnostics()

    # Killed: the log and its index are still there; then a copy that left the index out.
    for name in ("", "-wal", "-shm"):
        Path(f"{evidence}{name}").chmod(0o444)
    evidence.parent.chmod(0o555)
    assert as_stranger(look) == "kept"
    evidence.parent.chmod(0o755)
    main = evidence.read_bytes()
    store.close()
    evidence.chmod(0o644)
    evidence.write_bytes(main)
    evidence_log.write_bytes(log)
    Path(f"{evidence}-shm").unlink(missing_ok=True)
    evidence.parent.chmod(0o555)
    said = as_stranger(look)
    assert str(evidence) in said
    assert "write-ahead log" in said


def test_nothing_listens() -> None:
    store = Store("postgresql+psycopg://x@127.0.0.1:1/x")
    with pytest.raises(StoreError), store.read():
        pass
    store.close()


def test_leaving_with_an_error_undoes(store: Store) -> None:
    with contextlib.suppress(KeyError), store.write() as connection:
        connection.execute(insert(META), {"key": "a", "value": "b"})
        raise KeyError
    with store.read() as connection:
        assert connection.execute(select(META).where(META.c.key == "a")).all() == []


def test_a_reader_sees_one_state_while_a_writer_commits(store: Store) -> None:
    count = text("SELECT count(*) FROM meta")
    with store.read() as reader:
        before = reader.execute(count).scalar_one()
        with store.write() as writer:
            writer.execute(insert(META), {"key": "a", "value": "b"})
        assert reader.execute(count).scalar_one() == before
    with store.read() as reader:
        assert reader.execute(count).scalar_one() == before + 1


def test_a_reader_cannot_write(store: Store) -> None:
    with store.read() as connection, pytest.raises(DBAPIError) as told:
        connection.execute(insert(META), {"key": "a", "value": "b"})
    assert re.search("read-?only", str(told.value))
    with store.write() as connection:
        connection.execute(insert(META), {"key": "a", "value": "b"})


def test_a_named_lock_lets_one_through_at_a_time(store: Store) -> None:
    entered, order = Event(), []

    def second() -> None:
        entered.wait()
        with store.write() as connection:
            stores.lock(connection, "x")
            order.append("second")

    thread = Thread(target=second)
    thread.start()
    with store.write() as connection:
        stores.lock(connection, "x")
        entered.set()
        thread.join(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_try_lock_says_who_has_it(store: Store) -> None:
    with store.write() as first:
        assert stores.try_lock(first, "x")
        if not store.is_sqlite:  # SQLite's second writer waits at its begin
            with store.write() as second:
                assert not stores.try_lock(second, "x")
                assert stores.try_lock(second, "y")


def test_rows_whose_key_is_taken_are_left_out(store: Store) -> None:
    with store.write() as connection:
        connection.execute(insert_new(connection, META), [{"key": "a", "value": "1"}])
        connection.execute(insert_new(connection, META), [{"key": "a", "value": "2"}, {"key": "b", "value": "3"}])
        rows = connection.execute(select(META.c.key, META.c.value).where(META.c.key.in_(["a", "b"]))).all()
    assert sorted(tuple(row) for row in rows) == [("a", "1"), ("b", "3")]


def test_batches_hold_everything_once() -> None:
    values = list(range(1203))
    assert [one for batch in in_batches(values) for one in batch] == values
    assert list(in_batches([])) == []


def test_the_embedded_store_is_durable_and_forgets(sqlite_store: Store) -> None:
    for opened in (sqlite_store.read, sqlite_store.write):
        with opened() as connection:
            told = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            }
        assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with sqlite_store.read() as connection, stores.write_beside(connection) as beside:
        assert beside.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    assert sqlite_store.careless() == ()


@pytest.mark.postgres
def test_a_commit_waits_until_it_is_written_however_lazy_the_server_is(postgres: Any) -> None:
    with postgres.database() as url:
        store = Store(url)
        name = store.url.database
        for lazy, due in (("off", "on"), ("local", "local"), ("remote_apply", "remote_apply"), (None, "on")):
            how = f"SET synchronous_commit = {lazy}" if lazy else "RESET synchronous_commit"
            postgres._administer(f"ALTER DATABASE {name} {how}")
            store.engine.dispose()
            for opened in (store.read, store.write):
                with opened() as connection:
                    assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == due
        assert store.careless() == ("fsync",)
        store.close()


def test_forgetting_waits_for_readers(sqlite_store: Store) -> None:
    assert sqlite_store.forget_deleted()
    with sqlite_store.read() as reader:
        reader.execute(select(META)).all()
        with sqlite_store.write() as connection:
            connection.execute(insert(META), {"key": "a", "value": "b"})
        other = Store(str(sqlite_store.url))
        with other.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.execute("PRAGMA busy_timeout=10")
        assert not other.forget_deleted()
        other.close()
    assert sqlite_store.forget_deleted()


def test_forgetting_leaves_what_is_there(store: Store, capture: Capture, event: Make) -> None:
    assert capture(event()).accepted == 1
    assert store.forget_deleted()
    with store.read() as connection:
        assert len(connection.execute(select(PENDING)).all()) == 1


def test_a_write_inside_a_write_is_refused_and_not_waited_for(sqlite_store: Store) -> None:
    with sqlite_store.write() as connection:
        connection.execute(insert(META), {"key": "a", "value": "b"})
        with pytest.raises(StoreError, match="inside another"), sqlite_store.write():
            pass
    with sqlite_store.write() as connection:
        assert connection.execute(select(META).where(META.c.key == "a")).all()


def test_no_writer_starves(sqlite_store: Store) -> None:
    done, counts = Event(), [0, 0]

    def greedy(who: int) -> None:
        own = Store(str(sqlite_store.url))
        while not done.is_set():
            with own.write() as connection:
                connection.execute(select(META)).all()
                time.sleep(0.002)
            counts[who] += 1
        own.close()

    threads = [Thread(target=greedy, args=(who,)) for who in range(2)]
    for thread in threads:
        thread.start()
    waited = []
    for _ in range(20):
        before = sum(counts)
        with sqlite_store.write() as connection:
            connection.execute(select(META)).all()
        waited.append(sum(counts) - before)
    done.set()
    for thread in threads:
        thread.join()
    assert max(waited) <= 100  # turns of the others, not seconds: without a queue it is hundreds


def test_a_connection_that_read_can_be_copied_from(sqlite_store: Store, tmp_path: Path) -> None:
    with sqlite_store.read() as connection:
        before = len(connection.execute(select(META)).all())
    raw = sqlite_store.engine.raw_connection()
    raw.cursor().execute("VACUUM INTO ?", [str(tmp_path / "copy.db")])
    raw.close()
    copy = Store(f"sqlite:///{tmp_path / 'copy.db'}")
    with copy.read() as connection:
        assert len(connection.execute(select(META)).all()) == before
    copy.close()
