"""A strand: events that share no item with any other event, read in order, with marks from which to read on.

docs/decisions/0351: the facts of a log are those of its strands together.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter
from typing import Final

from sudonglian.trace.engine.derive import Reader
from sudonglian.trace.engine.events import EventView
from sudonglian.trace.engine.facts import Facts, Micros
from sudonglian.trace.engine.order import in_order
from sudonglian.trace.engine.rules import FactTable
from sudonglian.trace.engine.whole import LISTS

SPACING: Final = 256
"""Events from one mark to the next, at least: reading them again takes some 20 ms."""

SHARE: Final = 8
"""A mark for each eighth of what it has to copy: copying stays a small part of reading."""

TIME: Final = attrgetter("event_time")


@dataclass(slots=True)
class Mark:
    """Where the reading stood before the first event at `time`, and what was told from here to the next mark."""

    time: Micros
    reader: Reader | None
    """None at the beginning, before any event."""
    told: Facts = field(default_factory=Facts)


class Strand:
    """Some events, and what they say."""

    def __init__(self, table: FactTable) -> None:
        self._table = table
        self.events: list[EventView] = []
        """In the order of time; also those that do not count at the size of the log that is asked for."""
        self._marks = [Mark(0, None)]
        self._old: list[Facts] = []
        self.is_restored = False
        """Whether what was told of it is known to whoever restored it, not here."""

    def add(self, event: EventView) -> None:
        """Take an event in."""
        if self.events and event.event_time < self.events[-1].event_time:
            insort(self.events, event, key=TIME)
        else:
            self.events.append(event)

    def join(self, other: "Strand", counts: Callable[[EventView], bool]) -> None:
        """Take in another strand, of other items: what was told of either stays as it was told.

        The other's events are read once more, so that every mark of this one knows them.
        """
        if len(self._marks) > 1 and other.events:
            self._learn(other, counts)
        else:
            self._old += [*other._old, *(mark.told for mark in (*self._marks, *other._marks))]
            self._marks = [Mark(0, None)]
            self.is_restored |= other.is_restored
        self.events = sorted((*self.events, *other.events), key=TIME)

    def _learn(self, other: "Strand", counts: Callable[[EventView], bool]) -> None:
        """Let each mark hold what the other's events before it leave behind, and what those after it tell."""
        ordered, clashes = in_order((event for event in other.events if counts(event)), self._table)
        reader, at, known = Reader(self._table), 0, 0
        for mark, until in zip(self._marks, [*(mark.time for mark in self._marks[1:]), None], strict=True):
            if mark.reader is not None:
                mark.reader.ledger.join(reader.ledger)
                mark.reader.portions.join(reader.portions)
                reader, known = reader.copied(), len(reader.portions.names)
            reader.clashes = clashes
            while at < len(ordered) and (until is None or ordered[at][0] < until):
                reader.read(*ordered[at][-2:])
                at += 1
            if until is None:
                reader.ledger.finish()
            mark.told = both(mark.told, _told(reader, known))

    def forget(self, since: Micros) -> list[Facts]:
        """Drop what was read at `since` and later; return all that was told of it."""
        gone, self._old = self._old, []
        while len(self._marks) > 1 and self._marks[-1].time > since:
            gone.append(self._marks.pop().told)
        gone.append(self._marks[-1].told)
        self._marks[-1].told = Facts()
        return gone

    def unread(self, counts: Callable[[EventView], bool]) -> list[EventView]:
        """Return the events after the last mark that count."""
        mark = self._marks[-1]
        start = bisect_left(self.events, mark.time, key=TIME) if mark.reader else 0
        return [event for event in self.events[start:] if counts(event)]

    def read(self, events: Iterable[EventView], each: Callable[[], None]) -> list[Facts]:
        """Read on from the last mark; return what is told from there on."""
        mark = self._marks[-1]
        reader = mark.reader.copied() if mark.reader else Reader(self._table)
        known = len(reader.portions.names)
        ordered, reader.clashes = in_order(events, self._table)
        told: list[Facts] = []
        since, spacing, last = 0, SPACING, None
        for at, (time, *_, event, rule) in enumerate(ordered):
            if at - since >= spacing and time != last:
                self._marks[-1].told = _told(reader, known)
                told.append(self._marks[-1].told)
                clashes, known = reader.clashes, len(reader.portions.names)
                self._marks.append(Mark(time, reader))
                reader = reader.copied()
                reader.clashes = clashes
                since, spacing = at, max(SPACING, reader.ledger.weight() // SHARE)
            reader.read(event, rule)
            last = time
            each()
        reader.ledger.finish()
        self._marks[-1].told = _told(reader, known)
        return [*told, self._marks[-1].told]


def both(one: Facts, other: Facts) -> Facts:
    """Return the facts of two strands."""
    lists = {name: getattr(one, name) + getattr(other, name) for name in LISTS}
    return replace(one, portions={**one.portions, **other.portions}, **lists)


def _told(reader: Reader, known: int) -> Facts:
    """Return what a reader has written down, and the portions that it did not know."""
    names = reader.portions.names
    return replace(reader.told(), portions=dict(islice(names.items(), known, None)))
