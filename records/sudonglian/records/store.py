"""The database behind the memory: SQLite (WAL, durable) by default, PostgreSQL by URL.

Functions of this room take a `Connection` and never commit; whoever stands at the edge opens `read()` or `write()`,
and leaving `write()` without an error is the commit that may be acknowledged.
"""

import fcntl
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from sudonglian.chain.errors import SudonglianError

BUSY_TIMEOUT_MS: Final = 30_000
"""A writer waits this long for another one; a capture of the largest document takes a tenth of it."""

LOCKED_POLL_S: Final = 0.02
"""Where SQLite does not wait by itself."""

ASK_TIMEOUT_S: Final = 5
"""How long a database server is waited for that is only asked whether it is there."""

TURN_SUFFIX: Final = ".turn"
"""Of the empty file beside an SQLite database, by which writers queue."""

CACHE_KIB: Final = 32 * 1024
"""Pages of SQLite that a connection keeps: with its own 2 MB, indexes are read again from the file at each document."""

BATCH: Final = 500
"""Values named in one statement: databases and drivers refuse many thousands, and plan few fast."""

T = TypeVar("T")

_WRITING: Final[ContextVar[frozenset[str]]] = ContextVar("_WRITING", default=frozenset())
"""The databases that this task or thread is writing to: a second turn would wait for itself."""

_WRITES: Final = "sudonglian_writes"

_CARELESS: Final = """
SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name
"""


class StoreError(SudonglianError):
    """The database cannot be used."""

    slug: ClassVar[str] = "store"


class Store:
    """One database."""

    def __init__(self, url: str) -> None:
        """Open `url` (an SQLAlchemy URL); nothing is read or written yet."""
        try:
            self.url = make_url(url)
            options: dict[str, Any] = {} if self.is_sqlite else {"pool_pre_ping": True}
            self._read_only = self.is_sqlite and _is_read_only(self.url.database)
            opened = _read_only_url(self.url) if self._read_only else self.url
            self.engine: Engine = create_engine(opened, **options)
        except (ArgumentError, ImportError) as error:
            raise StoreError(f"not a database URL that this program can open: {error}") from error
        if self.is_sqlite:
            event.listen(self.engine, "connect", _on_sqlite_read_only if self._read_only else _on_sqlite_connect)
            event.listen(self.engine, "begin", _on_sqlite_begin)
            event.listen(self.engine, "checkin", _on_sqlite_checkin)
        elif self.url.get_backend_name() == "postgresql":
            event.listen(self.engine, "connect", _on_postgres_connect)

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be written here: evidence on a read-only disk, another owner's folder."""
        return self._read_only

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one unchanging state of the database."""
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._named(), self.engine.connect().execution_options(**level) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose work is committed on leaving, or undone if an error leaves it."""
        options = {_WRITES: True}
        with (
            self._turn(),
            self._named(),
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            with _named_errors():
                yield
        except StoreError as error:
            if error.place or not self.is_sqlite:
                raise
            reason = error.reason
            if self._read_only and _has_log(self.url.database):
                reason += "; the folder is read-only and holds a write-ahead log: read from a copy of the whole folder"
            raise StoreError(reason, place=self.url.database or "") from error.__cause__

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # SQLite's own waiting is a loop of naps: a writer that comes back at once can starve all others, the
        # sequencer among them. The kernel's queue is fair, and is left by a process that dies.
        path = self.url.database if self.is_sqlite else None
        if self._read_only:
            raise StoreError("the database or its folder is read-only", place=path or "")
        if not path or path == ":memory:":
            yield
            return
        if path in _WRITING.get():
            raise StoreError("a transaction that writes was begun inside another one")
        try:
            descriptor = os.open(f"{path}{TURN_SUFFIX}", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"unable to open database file: {error.strerror}", place=path) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _WRITING.set(_WRITING.get() | {path})
            yield
        finally:
            _WRITING.set(_WRITING.get() - {path})
            os.close(descriptor)

    def forget_deleted(self) -> bool:
        """Remove the bytes of what was deleted; say whether it is done (a reader may hold them for a while).

        SQLite overwrites deleted rows, but its write-ahead log keeps older pages; PostgreSQL keeps dead rows.
        """
        with self._named(), self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            if self.is_sqlite:
                busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                return not busy
            raw.autocommit = True
            try:
                raw.execute("VACUUM")
            finally:
                raw.autocommit = False
            return True

    def careless(self) -> tuple[str, ...]:
        """Return the settings by which a database server may lose, or tear, what it has committed when it dies.

        None of them is a connection's to change.
        """
        if self.is_sqlite:
            return ()
        with self.read() as connection:
            return tuple(connection.execute(text(_CARELESS)).scalars())

    def is_starting(self) -> bool:
        """Return whether the database server is there, and says that it takes no connections yet (SQLSTATE 57P03).

        Not so for one that is not there at all, or refuses for another reason.
        """
        if self.engine.dialect.driver != "psycopg":
            return False
        from psycopg import pq
        from psycopg.conninfo import make_conninfo

        # The driver tells no SQLSTATE of a connection that never was, and the server's sentence is in its own language.
        _, named = self.engine.dialect.create_connect_args(self.url)
        known = {one.keyword.decode() for one in pq.Conninfo.get_defaults()}  # the driver has options of its own
        asked = make_conninfo(**{"connect_timeout": ASK_TIMEOUT_S, **{k: v for k, v in named.items() if k in known}})
        return pq.PGconn.ping(asked.encode()) == pq.Ping.REJECT

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def read_beside(connection: Connection) -> Iterator[Connection]:
    """Give a second connection to the same database, which reads its newest state."""
    with _named_errors(), connection.engine.connect() as other, other.begin():
        yield other


@contextmanager
def write_beside(connection: Connection) -> Iterator[Connection]:
    """Give a second connection to the same database, which writes and is committed on leaving.

    For what a reader finds that must outlive it. It takes no turn: SQLite's own waiting does for what is rare.
    """
    with (
        _named_errors(),
        connection.engine.connect().execution_options(**{_WRITES: True}) as other,
        other.begin(),
    ):
        yield other


def lock(connection: Connection, name: str) -> None:
    """Let one transaction at a time pass here, until it ends.

    SQLite has a single writer by itself; PostgreSQL takes an advisory lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": zlib.crc32(name.encode())})


def try_lock(connection: Connection, name: str) -> bool:
    """Take the lock of `lock` if it is free; say whether it was."""
    if connection.dialect.name == "postgresql":
        key = {"key": zlib.crc32(name.encode())}
        return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), key).scalar_one())
    return True


def insert_new(connection: Connection, table: Table) -> Insert:
    """Return an INSERT that leaves out the rows whose key is taken."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def in_batches(values: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Yield the values in runs that one statement can name.

    >>> list(in_batches([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    for start in range(0, len(values), size):
        yield values[start : start + size]


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreError(str(error.orig).strip()) from error


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver's guess
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    _write_ahead(connection)
    for pragma in (
        "synchronous=FULL",  # an acknowledged capture survives a power cut
        "foreign_keys=ON",
        f"cache_size=-{CACHE_KIB}",
        "secure_delete=ON",  # erased personal data leave no bytes behind
    ):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    # Whoever opens a new database first changes its journal; to whoever comes meanwhile SQLite says at once that it is
    # locked, without the waiting that it does everywhere else.
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1_000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(LOCKED_POLL_S)


def _on_postgres_connect(connection: Any, _record: Any) -> None:
    # What is committed may be acknowledged. A server or role that is set to answer before it has written loses the last
    # commits when it dies; a connection may ask for more. Who waits for standbys too goes on doing so.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()


def _on_sqlite_read_only(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _is_read_only(path: str | None) -> bool:
    if not path or path == ":memory:" or not os.path.exists(path):
        return False
    folder = os.path.dirname(path) or os.curdir
    return not (os.access(path, os.W_OK, effective_ids=True) and os.access(folder, os.W_OK, effective_ids=True))


def _has_log(path: str | None) -> bool:
    try:
        return os.path.getsize(f"{path}-wal") > 0
    except OSError:
        return False


def _read_only_url(url: URL) -> URL:
    # Without a log to take into account, SQLite need not make the index of one beside the file. It must not be told
    # so if there is a log, or another process that has the file open: what was committed last would be left out.
    is_at_rest = not _has_log(url.database) and not os.path.exists(f"{url.database}-shm")
    how = {"mode": "ro", "uri": "true"} | ({"immutable": "1"} if is_at_rest else {})
    return url.set(database=f"file:{quote(os.path.abspath(url.database or ''))}", query=how)


def _on_sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql(f"PRAGMA query_only={0 if writes else 1}")  # as PostgreSQL's read-only transactions
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _on_sqlite_checkin(connection: Any, _record: Any) -> None:
    if connection is not None:  # whoever takes it next outside a transaction (a backup) may write
        connection.execute("PRAGMA query_only=0")
