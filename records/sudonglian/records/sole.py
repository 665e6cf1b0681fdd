"""Sole: the right to do a piece of work alone, among all processes that have the same store open.

docs/decisions/0601: a lock that dies with its holder, so that nobody waits for one who was killed.
"""

import fcntl
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sudonglian.records.store import Store, StoreError

POLL_S: Final = 0.05


@contextmanager
def sole(store: Store, work: str, *, wait_s: float = 0) -> Iterator[bool]:
    """Hold the right to a piece of work, and give whether it was free (within `wait_s`); it ends with the process."""
    until = time.monotonic() + wait_s
    taken = _file_lock if store.is_sqlite else _session_lock
    while True:
        with taken(store, work) as free:
            if free or time.monotonic() >= until:
                yield free
                return
        time.sleep(POLL_S)


@contextmanager
def _file_lock(store: Store, work: str) -> Iterator[bool]:
    try:
        descriptor = os.open(f"{store.url.database}.{work}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"the lock of {work} cannot be opened: {error.strerror}", place=str(error.filename)) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        yield free
    finally:
        os.close(descriptor)


@contextmanager
def _session_lock(store: Store, work: str) -> Iterator[bool]:
    key = {"key": zlib.crc32(f"sudonglian-{work}".encode())}
    try:
        # Without a transaction: an open one would hold back vacuuming for as long as somebody takes to answer.
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            free = bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one())
            try:
                yield free
            finally:
                if free:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
    except DBAPIError as error:
        raise StoreError(str(error.orig).strip()) from error
