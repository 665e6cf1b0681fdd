"""The file beneath the embedded chain: SQLite as a table of hashes, with one writer at a time and errors by name.

SQLite file format 3 with a write-ahead log; docs/decisions/0101-embedded-chain.md.
"""

import fcntl
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from eth.db.backends.base import BaseDB

from sudonglian.chain.errors import ChainError, SudonglianError
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import NetworkUnreachable

APPLICATION_ID: Final = int.from_bytes(b"SDLC", "big")
"""In SQLite's header, so that another application's file is refused by name."""

LOCK_WAIT_S: Final = 30
"""A block takes ten milliseconds; whoever holds the file for longer is stuck."""
LOCK_POLL_S: Final = 0.005

_THE_DISKS_FAULT: Final = ("SQLITE_FULL", "SQLITE_IOERR")

FULL_BELOW_BYTES: Final = 1 << 20
"""A block with its index of the write-ahead log takes tens of kilobytes; with less than this free it was the disk."""

_NOT_THE_FILES_FAULT: Final = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
)


class ChainDisk(NetworkUnreachable):
    """The disk beneath the chain file is full, or fails; nothing of the chain is lost."""

    slug = "chain-disk"


class ChainFileDamaged(ChainError):
    """The chain file is not what was written; `block` is the first bad block, where one can be named."""

    slug = "chain-file-damaged"

    def __init__(self, reason: str, *, place: str = "", block: int | None = None) -> None:
        super().__init__(reason if block is None else f"block {block}: {reason}", place=place)
        self.block = block


class Table(BaseDB):
    """SQLite as py-evm's key-value store. Keys of 32 bytes are hashes of their values, checked at every read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __getitem__(self, key: bytes) -> bytes:
        row = self.connection.execute("SELECT v FROM kv WHERE k = ?", (bytes(key),)).fetchone()
        if row is None:
            raise KeyError(key)
        return sound(bytes(key), row[0])

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.connection.execute("INSERT OR REPLACE INTO kv VALUES (?, ?)", (bytes(key), bytes(value)))

    def __delitem__(self, key: bytes) -> None:
        if self.connection.execute("DELETE FROM kv WHERE k = ?", (bytes(key),)).rowcount == 0:
            raise KeyError(key)

    def _exists(self, key: bytes) -> bool:
        return self.connection.execute("SELECT 1 FROM kv WHERE k = ?", (bytes(key),)).fetchone() is not None


class ChainFile:
    """The chain file at `path`. Any number of processes and threads may have it open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mutex = threading.RLock()
        try:
            self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=LOCK_WAIT_S)
        except sqlite3.Error as error:
            raise NetworkUnreachable(f"cannot be opened: {error}", place=str(path)) from None
        self.table = Table(self.connection)
        try:
            self._configure()
        except BaseException:
            self.connection.close()
            raise

    def _configure(self) -> None:
        with self.named():
            if self.connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                # SQLite does not wait for others here, so we do.
                with self._locked():
                    self.connection.execute("PRAGMA journal_mode = WAL")
            # An acknowledged block survives the machine, not only the process.
            self.connection.execute("PRAGMA synchronous = FULL")

    def new(self) -> bool:
        """Return whether nothing was ever written here."""
        return self._pragma("schema_version") == 0

    def create(self) -> None:
        """Make the table; inside `writing`."""
        self.connection.execute("CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID")
        self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def require_ours(self) -> None:
        """Refuse a file that another application made."""
        if self._pragma("application_id") != APPLICATION_ID:
            raise ChainFileDamaged("not a chain file of sudonglian", place=str(self.path))

    def rows(self) -> Iterator[tuple[object, object]]:
        """Return every key with its value, as stored."""
        yield from self.connection.execute("SELECT k, v FROM kv")

    def require_sound(self) -> None:
        """Refuse a file that SQLite itself finds damaged."""
        said = self.connection.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            raise ChainFileDamaged(f"SQLite says: {said:.200}", place=str(self.path))

    def close(self) -> None:
        """Close the file."""
        with self._mutex:
            self.connection.close()

    def copy_to(self, path: Path) -> None:
        """Copy the file, consistent and durable, while others read and write; never over another file."""
        with self.named():
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            os.close(handle)
            temporary = Path(name)
            try:
                with closing(sqlite3.connect(temporary)) as copy:
                    self.connection.backup(copy)
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                os.link(temporary, path)
            except OSError as error:
                raise ChainError(f"the copy cannot be written: {error.strerror}", place=str(path)) from None
            finally:
                temporary.unlink(missing_ok=True)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read one state of the file, whatever others write meanwhile."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the file against all other writers, in one transaction: a block is there wholly or not at all."""
        with self._locked():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back already.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
            self._empty_log()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NetworkUnreachable(f"the lock cannot be opened: {error.strerror}", place=str(self.path)) from None
        try:
            _wait_for(lock, self.path)
            yield
        finally:
            # Also gives the lock back, as does the death of the process.
            os.close(lock)

    def _empty_log(self) -> None:
        """Move the block from SQLite's log into the file itself, unless a reader is in the way; the next one will.

        A damaged byte in the file is found. One in the log is not: SQLite drops the log's tail without a word.
        """
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_S * 1000}")

    @contextmanager
    def named(self, *, block: int | None = None) -> Iterator[None]:
        """Hold the mutex, and let nothing out but errors of our tree."""
        with self._mutex:
            try:
                yield
            except ChainFileDamaged as error:
                if error.block is not None or block is None:
                    raise
                raise ChainFileDamaged(error.reason, place=error.place or str(self.path), block=block) from error
            except SudonglianError:
                raise
            except sqlite3.Error as error:
                code = getattr(error, "sqlite_errorname", None) or ""
                if code.startswith(_THE_DISKS_FAULT):
                    raise self._disk(error) from error
                if code.startswith(_NOT_THE_FILES_FAULT):
                    raise NetworkUnreachable(f"SQLite: {error}", place=str(self.path)) from error
                if isinstance(error, sqlite3.ProgrammingError):
                    raise NetworkUnreachable("the chain is closed", place=str(self.path)) from error
                raise ChainFileDamaged(f"SQLite: {error}", place=str(self.path), block=block) from error
            except Exception as error:
                # py-evm, trie and rlp have no common root of errors, and every one of them means here that
                # something which this chain once wrote is missing or altered.
                raise ChainFileDamaged(f"{error!r:.300}", place=str(self.path), block=block) from error

    def _disk(self, error: sqlite3.Error) -> ChainDisk:
        try:
            free = shutil.disk_usage(self.path.parent).free
        except OSError:
            free = None
        is_full = error.sqlite_errorname == "SQLITE_FULL" or (free is not None and free < FULL_BELOW_BYTES)
        said = "the disk is full" if is_full else "the disk fails, or the file may not grow"
        left = "" if free is None else f", {free} bytes are free"
        return ChainDisk(f"{said} (SQLite: {error}{left})", place=str(self.path))

    def _pragma(self, name: str) -> int:
        return int(self.connection.execute(f"PRAGMA {name}").fetchone()[0])


def sound(key: bytes, value: object) -> bytes:
    """Return a stored value, or refuse one that its own key contradicts."""
    if not isinstance(value, bytes):
        raise ChainFileDamaged(f"row 0x{key.hex()} holds no bytes")
    if len(key) == 32 and keccak256(value) != key:
        raise ChainFileDamaged(f"row 0x{key.hex()} does not hash to its key")
    return value


def _wait_for(lock: int, path: Path) -> None:
    until = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise NetworkUnreachable("another process holds the chain file", place=str(path)) from None
            time.sleep(LOCK_POLL_S)
        else:
            return
