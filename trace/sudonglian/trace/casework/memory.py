"""What a process remembers of a log: its events as a trace sees them and their facts, read on as the log grows.

docs/decisions/0351 and 0352; whatever is remembered or kept, the facts are those that all records give.
"""

import gc
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from operator import attrgetter, itemgetter
from threading import Lock
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from sudonglian.records import event_rows, kept_pieces, log
from sudonglian.records.errors import NotInLog
from sudonglian.records.kept_pieces import Piece
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store, StoreError
from sudonglian.trace.casework import kept
from sudonglian.trace.casework.kept import Stretch, bare
from sudonglian.trace.casework.views import LAB_TEST, SHOWN, views
from sudonglian.trace.engine.facts import Facts
from sudonglian.trace.engine.progress import EVERY, Report, Stage, silent
from sudonglian.trace.engine.strands import Strands

T = TypeVar("T")

SPAN: Final = 4_096
"""Log entries in a piece: half a megabyte of text; the last piece is written anew as it fills."""

WORTH: Final = 512
"""New entries that are worth writing down: reading so many takes some 30 ms."""

GROWN: Final = 8
"""Facts are written anew, all of them, once the log has grown by an eighth: so each is written a few times in all."""

LARGEST: Final = 1 << 28
"""Bytes of facts that are still kept: databases take a gigabyte in one value, and some need several times that."""

MOST: Final = 500_000
"""Events that a process remembers between two traces, at some 4 KB each with their facts."""


class Memory:
    """One log's events and facts; one trace at a time reads on, the others wait and then find it done."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._forget()

    def facts(self, store: Store, keys: Keys, size: int, *, report: Report = silent) -> Facts:
        """Return the facts of the log as it was at `size`; what was read anew is kept beside the records."""
        with self._lock, uncollected():
            try:
                with store.read() as connection:
                    self._read(connection, keys, size, report)
                facts = self._strands.facts(size, report=report)
                if not store.is_read_only:
                    self._keep(store, keys, facts)
            except BaseException:
                self._forget()
                raise
            if len(self._strands) > MOST:
                self._forget()
            return facts

    def _forget(self) -> None:
        self._strands = Strands()
        self._stretch = Stretch()
        self._size, self._root = 0, b""
        self._kept, self._kept_facts = 0, 0
        self._names: dict[str, str] = {}

    def _read(self, connection: Connection, keys: Keys, size: int, report: Report) -> None:
        if self._size and not self._is_of(connection):
            self._forget()
        report(Stage("records", min(self._size, size), size))
        if self._size < size:
            self._read_kept(connection, keys, size, report)
        if self._size < size:
            self._read_records(connection, size, report)
        self._name(connection)
        if self._strands.size == 0:
            self._restore(connection, keys)
        report(Stage("records", size, size))

    def _is_of(self, connection: Connection) -> bool:
        """Tell whether the log still is the one that is remembered."""
        try:
            return log.size(connection) >= self._size and log.root(connection, self._size) == self._root
        except NotInLog:
            return False

    def _read_kept(self, connection: Connection, keys: Keys, size: int, report: Report) -> None:
        for piece in kept_pieces.pieces(connection, keys, kept.version(), "views", self._size, size):
            self._take(kept.decode(piece.body), piece.end, piece.root)
            self._kept = piece.end
            report(Stage("records", min(self._size, size), size))

    def _read_records(self, connection: Connection, size: int, report: Report) -> None:
        rows = list(self._reported(event_rows.sealed_events(connection, self._size, size, SHOWN), size, report))
        tested = [row.record_hash for row in rows if LAB_TEST in row.event]
        names = {record.hex(): name for record, name in event_rows.event_ids(connection, tested).items()}
        new = Stretch()
        for event in views(rows):
            known, nameless = bare(event, names.get(event.record_hash, event.event_id))
            new.events.append(known)
            if nameless:
                new.nameless.add(event.record_hash)
        between = event_rows.corrections_between(connection, self._size, size)
        new.corrections = [(index, record.hex()) for index, record in between]
        self._take(new, size, log.root(connection, size))

    def _reported(
        self, rows: Iterator[event_rows.EventRow], size: int, report: Report
    ) -> Iterator[event_rows.EventRow]:
        for number, row in enumerate(rows):
            if number % EVERY == 0:
                report(Stage("records", row.log_index, size))
            yield row

    def _take(self, new: Stretch, end: int, root: bytes) -> None:
        """Remember what is new of a stretch that reaches to `end`."""
        events = [event for event in new.events if event.log_index >= self._size]
        corrections = [(index, record) for index, record in new.corrections if index >= self._size]
        self._strands.add(events, corrections)
        self._stretch.events += events
        self._stretch.corrections += corrections
        self._stretch.nameless |= new.nameless
        self._size, self._root = end, root

    def _name(self, connection: Connection) -> None:
        """Give the samples whose eventID is never kept the one that the store still has."""
        asked = [bytes.fromhex(record) for record in sorted(self._stretch.nameless)]
        names = {record.hex(): name for record, name in event_rows.event_ids(connection, asked).items()}
        if names == self._names:
            return
        self._names = names
        self._strands = Strands()
        named = (
            replace(event, event_id=names[event.record_hash]) if event.record_hash in names else event
            for event in self._stretch.events
        )
        self._strands.add(named, self._stretch.corrections)

    def _restore(self, connection: Connection, keys: Keys) -> None:
        """Take up the facts that were kept, if they are of no later log than is known."""
        for piece in kept_pieces.pieces(connection, keys, kept.version(), "facts", 0, 1):
            self._kept_facts = piece.end
            if piece.end <= self._size:
                self._strands.restore(piece.end, kept.decode_facts(piece.body, self._stretch.nameless, self._names))

    def _keep(self, store: Store, keys: Keys, facts: Facts) -> None:
        """Write down what is new enough to be worth it; it can be made again, so no answer waits for a full disk."""
        new = list(self._views()) if self._size - self._kept >= WORTH else []
        grown = max(WORTH, self._kept_facts // GROWN)
        if self._strands.size == self._size and self._size - self._kept_facts >= grown:
            body = kept.encode_facts(facts, self._stretch.nameless)
            if len(body) <= LARGEST:
                new.append(Piece("facts", 0, self._size, self._root, body))
        if not new:
            return
        with suppress(StoreError), store.write() as connection:
            new = [replace(piece, root=log.root(connection, piece.end)) for piece in new]
            kept_pieces.keep(connection, keys, kept.version(), new)
            self._kept = self._size
            self._kept_facts = next((piece.end for piece in new if piece.kind == "facts"), self._kept_facts)

    def _views(self) -> Iterator[Piece]:
        """Yield what is not kept yet, in pieces that end at multiples of `SPAN` or at what is known; without roots."""
        for start in range(self._kept // SPAN * SPAN, self._size, SPAN):
            end = min(start + SPAN, self._size)
            events = _between(self._stretch.events, start, end, attrgetter("log_index"))
            stretch = Stretch(
                events,
                _between(self._stretch.corrections, start, end, itemgetter(0)),
                self._stretch.nameless & {event.record_hash for event in events},
            )
            yield Piece("views", start, end, b"", kept.encode(stretch))


def _between(things: list[T], start: int, end: int, index: Callable[[T], int]) -> list[T]:
    """Return those of the things, which stand in the log's order, that are of its entries [start, end)."""
    first, after = (bisect_left(things, limit, key=index) for limit in (start, end))
    return things[first:after]


@contextmanager
def uncollected() -> Iterator[None]:
    """Let no cycles be looked for meanwhile: millions of facts are made, none of them is in one."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_MEMORIES: Final[WeakKeyDictionary[Store, Memory]] = WeakKeyDictionary()
_MAKING: Final = Lock()


def of(store: Store) -> Memory:
    """Return what this process remembers of a store, as long as it has it open."""
    with _MAKING:
        return _MEMORIES.setdefault(store, Memory())
