"""The facts of a log as it grows: only the strands that something new touches are read again.

docs/decisions/0351; for any size of the log, and any order of arrival, the facts are those of `derive_facts`.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from sudonglian.trace.engine.derive import DAY
from sudonglian.trace.engine.events import EventView, check
from sudonglian.trace.engine.facts import Facts, Micros
from sudonglian.trace.engine.portions import SEPARATOR
from sudonglian.trace.engine.progress import EVERY, Report, Stage, silent
from sudonglian.trace.engine.rules import FactTable, fact_table
from sudonglian.trace.engine.strand import Strand
from sudonglian.trace.engine.whole import Whole

NEVER: Final = 1 << 62
"""No log has so many entries."""


class Strands:
    """Events and corrections of a log, and the facts of a prefix of it."""

    def __init__(self, table: FactTable | None = None) -> None:
        self._table = table or fact_table()
        self._events: dict[str, EventView] = {}
        self._by_log: list[tuple[int, str]] = []
        self._corrected: dict[str, int] = {}
        self._corrections: list[tuple[int, str]] = []
        self._parents: dict[str, str] = {}
        self._strands: dict[str, Strand] = {}
        self._whole = Whole()
        self._times: Counter[Micros] = Counter()
        self._hours: Counter[Micros] = Counter()
        self.size = 0
        """Of the prefix that the facts are of."""

    def __len__(self) -> int:
        """Return how many events there are."""
        return len(self._events)

    def add(self, events: Iterable[EventView], corrections: Iterable[tuple[int, str]] = ()) -> None:
        """Take in events, and (log index, record that it stands against) of corrections; in any order.

        Whether an event is superseded is what the corrections say, not what it says itself. Nothing may be added that
        the log holds below `size`.

        Raises
        ------
        EventRefused
            One that `derive_facts` would refuse; nothing is added then.
        """
        new = {event.record_hash: event for event in events if event.record_hash not in self._events}
        for event in new.values():
            check(event)
        for event in new.values():
            self._events[event.record_hash] = event
            self._by_log.append((event.log_index, event.record_hash))
            self._strand(event).add(event)
        self._by_log.sort()
        for index, record in corrections:
            self._corrections.append((index, record))
            self._corrected[record] = min(index, self._corrected.get(record, NEVER))
        self._corrections.sort()

    def facts(self, size: int, *, report: Report = silent) -> Facts:
        """Return the facts of the log as it was at `size`."""
        touched: dict[str, Micros] = {}
        before = self._counting(self.size)
        after = self._counting(size)
        for record in self._between(self.size, size):
            event = self._events[record]
            was, is_now = before(event), after(event)
            if was == is_now:
                continue
            if event.interview is None:
                self._count(event.event_time, 1 if is_now else -1)
            root = self._root(record)
            touched[root] = min(event.event_time, touched.get(root, event.event_time))
        self.size = size
        gone: list[Facts] = []
        unread: list[tuple[Strand, list[EventView]]] = []
        gone += self._restored([root for root in touched if self._strands[root].is_restored])
        for root, since in touched.items():
            strand = self._strands[root]
            gone += strand.forget(since)
            unread.append((strand, strand.unread(after)))
        self._whole.replace(gone, self._read(unread, report))
        superseded = (record for index, record in self._corrections if index < size)
        return replace(
            self._whole.facts,
            superseded=tuple(sorted({one for one in superseded if self._known(one, size)})),
            table_version=self._table.version,
            days_only=len(self._times) > 1 and len(self._hours) == 1,
        )

    def restore(self, size: int, facts: Facts) -> None:
        """Take facts that `facts` gave of the same events at this size, instead of deriving them; before anything else."""
        counts = self._counting(size)
        for event in self._events.values():
            if counts(event) and event.interview is None:
                self._count(event.event_time, 1)
        self._whole.facts = replace(facts, superseded=(), table_version="", days_only=False)
        for strand in self._strands.values():
            strand.is_restored = True
        self.size = size

    def _restored(self, roots: list[str]) -> list[Facts]:
        """Return what was told of restored strands, which from now on are as if read here."""
        if not roots:
            return []
        records: set[str] = set()
        for root in roots:
            self._strands[root].is_restored = False
            records.update(event.record_hash for event in self._strands[root].events)
        asked = set(roots)
        return [self._whole.of(records, lambda lot: self._root(lot) in asked)]

    def _read(self, unread: list[tuple[Strand, list[EventView]]], report: Report) -> list[Facts]:
        total, done = sum(len(events) for _, events in unread), 0

        def each() -> None:
            nonlocal done
            if done % EVERY == 0:
                report(Stage("facts", done, total))
            done += 1

        told: list[Facts] = []
        for strand, events in unread:
            told += strand.read(events, each)
        report(Stage("facts", total, total))
        return told

    def _counting(self, size: int) -> Callable[[EventView], bool]:
        """Return what tells whether an event says anything at a size of the log."""

        def counts(event: EventView) -> bool:
            corrected = self._corrected.get(event.record_hash, NEVER) < size
            return event.log_index < size and not (event.declares_error or corrected)

        return counts

    def _known(self, record: str, size: int) -> bool:
        event = self._events.get(record)
        return event is not None and event.log_index < size

    def _between(self, one: int, other: int) -> set[str]:
        """Return the records that may count at one size and not at the other."""
        low, high = sorted((one, other))
        found: set[str] = set()
        for listed in (self._by_log, self._corrections):
            first, after = (bisect_left(listed, (index, "")) for index in (low, high))
            found.update(record for _, record in listed[first:after] if record in self._events)
        return found

    def _count(self, time: Micros, step: int) -> None:
        for counted, key in ((self._times, time), (self._hours, time % DAY)):
            counted[key] += step
            if not counted[key]:
                del counted[key]

    def _strand(self, event: EventView) -> Strand:
        """Return the strand of an event's items, joined if they were of several."""
        # A portion is written as its lot with a fragment, and is never apart from it.
        keys = {event.record_hash, *(item.uri.partition(SEPARATOR)[0] for item in event.items)}
        if event.interview is not None:
            keys |= {*event.interview.items, *event.interview.lots}
        roots = sorted({self._root(key) for key in keys if key in self._parents})
        found = [root for root in roots if root in self._strands]
        best = max(found, key=lambda root: len(self._strands[root].events), default=event.record_hash)
        strand = self._strands.setdefault(best, Strand(self._table))
        for root in found:
            if root != best:
                strand.join(self._strands.pop(root), self._counting(self.size))
        for key in (*roots, *keys):
            self._parents[key] = best
        return strand

    def _root(self, key: str) -> str:
        path = []
        while (parent := self._parents.get(key, key)) != key:
            path.append(key)
            key = parent
        for one in path:
            self._parents[one] = key
        return key
