"""The ledger: where each item is now and what it is in, while the events are read in order.

docs/spec/facts.md §4-5; it opens and closes stays and keeps containment a forest at each instant.
"""

from typing import NamedTuple

from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Contact, Flow, Micros, Note, Party, Place, Stay
from sudonglian.trace.engine.rules import is_vehicle


class Begun(NamedTuple):
    """A stay that has begun and not ended."""

    place: Place
    start: Micros
    certain: bool
    record: str


def place_of(uri: str) -> Place:
    """Return the place that an identifier names."""
    return Place("vehicle" if is_vehicle(uri) else "location", uri)


def interior_of(parent: Party) -> Place:
    """Return the inside of a logistic unit; that of a vehicle is the vehicle."""
    return Place("vehicle" if is_vehicle(parent.id) else "interior", parent.id)


class Ledger:
    """Stays and nesting so far, and what they have left behind as facts."""

    def __init__(self) -> None:
        self.stays: list[Stay] = []
        self.flows: list[Flow] = []
        self.notes: list[Note] = []
        self._at: dict[Party, Begun] = {}
        self._inside: dict[Party, tuple[Party, Micros, str]] = {}
        self._contents: dict[Party, dict[Party, None]] = {}
        self._opened: dict[Party, tuple[Micros, str]] = {}

    def parent(self, child: Party) -> Party | None:
        """Return what the item is directly in."""
        nested = self._inside.get(child)
        return nested[0] if nested else None

    def root(self, item: Party) -> Party:
        """Return the outermost unit that holds the item: the item itself if nothing does."""
        while (parent := self.parent(item)) is not None:
            item = parent
        return item

    def contents(self, parent: Party) -> tuple[Party, ...]:
        """Return what is directly in the unit."""
        return tuple(self._contents.get(parent, ()))

    def whereabouts(self, item: Party) -> Place | None:
        """Return where the item is: wherever its outermost unit is."""
        begun = self._at.get(self.root(item))
        return begun.place if begun else None

    def begun(self, item: Party) -> Begun | None:
        """Return the item's own unfinished stay."""
        return self._at.get(item)

    def emit(
        self,
        fact: str,
        who: Party,
        place: Place,
        start: Micros,
        end: Micros,
        record: str,
        *,
        certain: bool = True,
        end_record: str = "",
        contact: Contact = "",
    ) -> None:
        """Write down one finished stay."""
        self.stays.append(Stay(fact, who, place, start, end, certain, record, end_record, contact))

    def flash(self, who: Party, place: Place, time: Micros, record: str, *, certain: bool = True) -> None:
        """Write down that the party was in the place at the instant."""
        self.emit("at", who, place, time, time + INSTANT, record, certain=certain)

    def flow(
        self, fact: str, source: Party, target: Party, time: Micros, record: str, *, hops: int = 0, certain: bool = True
    ) -> None:
        """Write down that one party became (part of) another."""
        if source != target:
            self.flows.append(Flow(fact, source, target, time, hops, certain, record))

    def note(self, code: str, record: str, about: str) -> None:
        """Write down a contradiction or a gap."""
        self.notes.append(Note(code, record, about))

    def leave(self, item: Party, time: Micros, record: str) -> None:
        """End the item's own stay, if it has one."""
        begun = self._at.pop(item, None)
        if begun is not None:
            self.emit(
                "at", item, begun.place, begun.start, time, begun.record, certain=begun.certain, end_record=record
            )

    def settle(self, item: Party, place: Place, time: Micros, record: str, *, certain: bool = True) -> None:
        """Let the item stay in the place from now on; a stay that merely goes on keeps its beginning."""
        begun = self._at.get(item)
        if begun is not None and begun.place == place and begun.certain == certain:
            return
        self.leave(item, time, record)
        self._at[item] = Begun(place, time, certain, record)

    def nest(self, child: Party, parent: Party, time: Micros, record: str) -> bool:
        """Put the child into the parent; refuse, with a note, what would make a circle."""
        if self.parent(child) == parent:
            return True
        if child == parent or self._holds(child, parent):
            self.note("nesting-cycle", record, child.id)
            return False
        self.take_out(child, time, record)
        self.leave(child, time, record)
        self._inside[child] = (parent, time, record)
        self._contents.setdefault(parent, {})[child] = None
        return True

    def take_out(self, child: Party, time: Micros, record: str) -> None:
        """Take the child out of whatever it is in; at the instant itself it is still there."""
        nested = self._inside.pop(child, None)
        if nested is None:
            return
        parent, start, start_record = nested
        del self._contents[parent][child]
        self.emit("inside", child, interior_of(parent), start, time + INSTANT, start_record, end_record=record)

    def open(self, parent: Party, time: Micros, record: str) -> None:
        """Open the unit: its outside and its inside meet from now until it is closed."""
        self._opened.setdefault(parent, (time, record))

    def close(self, parent: Party, time: Micros, record: str) -> None:
        """Close the unit if it was open; at the instant itself it still is."""
        opened = self._opened.pop(parent, None)
        if opened is not None:
            start, start_record = opened
            self.emit("open", parent, interior_of(parent), start, time + INSTANT, start_record, end_record=record)

    def finish(self) -> None:
        """Leave open-ended whatever no record has ended."""
        for item, begun in self._at.items():
            self.emit("at", item, begun.place, begun.start, OPEN_END, begun.record, certain=begun.certain)
        for child, (parent, start, record) in self._inside.items():
            self.emit("inside", child, interior_of(parent), start, OPEN_END, record)
        for parent, (start, record) in self._opened.items():
            self.emit("open", parent, interior_of(parent), start, OPEN_END, record)
        self._at, self._inside, self._opened, self._contents = {}, {}, {}, {}

    def _holds(self, outer: Party, inner: Party) -> bool:
        """Tell whether `inner` is anywhere in `outer`."""
        above = self.parent(inner)
        while above is not None:
            if above == outer:
                return True
            above = self.parent(above)
        return False
