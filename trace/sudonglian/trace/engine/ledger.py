"""The ledger: where each item is now and what it is in, while the events are read in order.

docs/spec/facts.md §4-5; it opens and closes stays and keeps containment a forest at each instant.
"""

from typing import NamedTuple

from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Contact, Flow, Micros, Note, Party, Place, Stay
from sudonglian.trace.engine.rules import is_vehicle, site


class Begun(NamedTuple):
    """A stay that has begun and not ended; `shown` is when a record last showed the item there."""

    place: Place
    start: Micros
    certain: bool
    record: str
    shown: Micros
    shown_record: str


class Nested(NamedTuple):
    """What holds an item, since when, and by which record."""

    parent: Party
    start: Micros
    record: str
    certain: bool


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
        self._elsewhere: dict[Party, list[Begun]] = {}
        self._gone: dict[Party, tuple[Micros, str]] = {}
        self._inside: dict[Party, Nested] = {}
        self._contents: dict[Party, dict[Party, None]] = {}
        self._opened: dict[Party, tuple[Micros, str]] = {}
        self.ended: dict[Party, tuple[Micros, str]] = {}
        """What records say was used up, destroyed or taken out of trade, since when and by which."""

    def copied(self) -> "Ledger":
        """Return a ledger in which everything is where it is here, and that has nothing written down."""
        other = Ledger()
        other._at, other._gone = self._at.copy(), self._gone.copy()
        other._elsewhere = {item: list(begun) for item, begun in self._elsewhere.items()}
        other._inside, other._opened = self._inside.copy(), self._opened.copy()
        other.ended = self.ended.copy()
        other._contents = {parent: held.copy() for parent, held in self._contents.items() if held}
        return other

    def join(self, other: "Ledger") -> None:
        """Add what another ledger holds, of other items than this one."""
        self._at.update(other._at)
        self._gone.update(other._gone)
        self._elsewhere.update(other._elsewhere)
        self._inside.update(other._inside)
        self._opened.update(other._opened)
        self.ended.update(other.ended)
        self._contents.update(other._contents)

    def weight(self) -> int:
        """Return how much the ledger has to remember."""
        return len(self._at) + len(self._gone) + len(self._inside) + len(self._opened)

    def parent(self, child: Party) -> Party | None:
        """Return what the item is directly in."""
        nested = self._inside.get(child)
        return nested.parent if nested else None

    def surely_inside(self, child: Party) -> bool:
        """Tell whether the item is in its unit for certain."""
        return child in self._inside and self._inside[child].certain

    def units(self, item: Party) -> list[Party]:
        """Return what holds the item, from the nearest to the outermost."""
        found: list[Party] = []
        parent = self.parent(item)
        while parent is not None:
            found.append(parent)
            parent = self.parent(parent)
        return found

    def root(self, item: Party) -> Party:
        """Return the outermost unit that holds the item: the item itself if nothing does."""
        return (self.units(item) or [item])[-1]

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
        begun = self._at.get(who)
        if begun is not None and begun.place == place and certain:
            self._at[who] = begun._replace(shown=max(time, begun.shown), shown_record=record)

    def flow(
        self, fact: str, source: Party, target: Party, time: Micros, record: str, *, hops: int = 0, certain: bool = True
    ) -> None:
        """Write down that one party became (part of) another."""
        if source != target:
            self.flows.append(Flow(fact, source, target, time, hops, certain, record))

    def note(self, code: str, record: str, about: str, against: str = "") -> None:
        """Write down a contradiction or a gap."""
        self.notes.append(Note(code, record, about, against))

    def leave(self, item: Party, time: Micros, record: str) -> None:
        """End the item's own stay, if it has one."""
        begun = self._at.pop(item, None)
        for one in (*self._elsewhere.pop(item, ()), *([begun] if begun else ())):
            self.emit("at", item, one.place, one.start, time, one.record, certain=one.certain, end_record=record)

    def depart(self, item: Party, time: Micros, record: str) -> None:
        """Let the item be on its way, nobody says where."""
        self.leave(item, time, record)
        self._gone[item] = (time, record)

    def arrived(self, item: Party) -> None:
        """Say that the item is no longer on its way."""
        self._gone.pop(item, None)

    def settle(self, item: Party, place: Place, time: Micros, record: str, *, certain: bool = True) -> None:
        """Let the item stay in the place from now on; a stay that merely goes on keeps its beginning."""
        self._gone.pop(item, None)
        self.ended.pop(item, None)
        begun = self._at.get(item)
        if begun is not None and begun.place == place and begun.certain == certain:
            self._at[item] = begun._replace(shown=max(time, begun.shown), shown_record=record)
            return
        self.leave(item, time, record)
        self._at[item] = Begun(place, time, certain, record, time, record)

    def disagree(self, item: Party, place: Place, time: Micros, record: str) -> None:
        """Let the item possibly stay here and possibly where another record of the same instant shows it."""
        begun = self._at.pop(item, None)
        if begun is not None and begun.start == time and begun.place != place:
            self._elsewhere.setdefault(item, []).append(begun._replace(certain=False))
            self._at[item] = Begun(place, time, False, record, time, record)
            return
        if begun is not None:
            self._at[item] = begun
        self.settle(item, place, time, record, certain=False)

    def appear(self, item: Party, place: Place, time: Micros, record: str, *, arrives: bool) -> None:
        """Say what is not known of the time before, if the item is shown where nothing says that it came.

        It was for certain where it was until it was last shown there, and possibly until now; if the record is no
        arrival, it is possibly here since then.
        """
        begun, gone = self._at.get(item), self._gone.get(item)
        if begun is not None:
            if site(begun.place.id) == site(place.id) or (begun.place.kind == "vehicle" and arrives):
                return
            since = min(begun.shown, time) + INSTANT
            del self._at[item]
            for one in (begun, *self._elsewhere.pop(item, ())):
                self.emit("at", item, one.place, one.start, since, one.record, certain=one.certain, end_record=record)
                self.emit("at", item, one.place, since, time, one.record, certain=False, end_record=record)
            riding = begun.place.kind == "vehicle"
            self.note("no-arrival" if riding else "no-departure", record, item.id, begun.shown_record)
        elif gone is not None and not arrives:
            since = gone[0] + INSTANT
            self.note("no-arrival", record, item.id, gone[1])
        else:
            return
        if not arrives:
            self.emit("at", item, place, since, time, record, certain=False)

    def nest(self, child: Party, parent: Party, time: Micros, record: str, *, certain: bool = True) -> bool:
        """Put the child into the parent; refuse, with a note, what would make a circle."""
        if self.parent(child) == parent and self._inside[child].certain == certain:
            return True
        if child == parent or child in self.units(parent):
            self.note("nesting-cycle", record, child.id)
            return False
        if self.parent(child) not in (None, parent):
            self.break_out(child, time, record)
        else:
            self.take_out(child, time, record)
        self.leave(child, time, record)
        self._gone.pop(child, None)
        self._inside[child] = Nested(parent, time, record, certain)
        self._contents.setdefault(parent, {})[child] = None
        return True

    def take_out(self, child: Party, time: Micros, record: str) -> None:
        """Take the child out of whatever it is in; at the instant itself it is still there."""
        nested = self._unnest(child)
        if nested is not None:
            self.emit(
                "inside",
                child,
                interior_of(nested.parent),
                nested.start,
                time + INSTANT,
                nested.record,
                certain=nested.certain,
                end_record=record,
            )

    def break_out(self, child: Party, time: Micros, record: str) -> None:
        """Take out what no record has taken out: possibly at any time since its unit was last shown.

        Since then the units that held it were possibly open, and it was possibly gone.
        """
        around = self.units(child)
        since = min(self._last_shown(child), time)
        nested = self._unnest(child)
        if nested is None:
            return
        inside = interior_of(nested.parent)
        start, sure = nested.start, since + INSTANT
        self.emit("inside", child, inside, start, sure, nested.record, certain=nested.certain, end_record=record)
        self.emit("inside", child, inside, sure, time + INSTANT, nested.record, certain=False, end_record=record)
        for unit in around:
            if unit not in self._opened:
                self.emit("open", unit, interior_of(unit), sure, time + INSTANT, record, certain=False)
        self._gone[child] = (since, nested.record)
        self.note("seen-apart", record, child.id, nested.record)

    def open(self, parent: Party, time: Micros, record: str) -> None:
        """Open the unit: its outside and its inside meet from now until it is closed."""
        self._opened.setdefault(parent, (time, record))

    def close(self, parent: Party, time: Micros, record: str) -> None:
        """Close the unit if it was open: what is put in at this instant does not meet its outside."""
        opened = self._opened.pop(parent, None)
        if opened is not None:
            start, start_record = opened
            self.emit("open", parent, interior_of(parent), start, time, start_record, end_record=record)

    def finish(self) -> None:
        """Leave open-ended whatever no record has ended, and say what never arrived."""
        for item, begun in self._at.items():
            for one in (begun, *self._elsewhere.get(item, ())):
                self.emit("at", item, one.place, one.start, OPEN_END, one.record, certain=one.certain)
        for child, (parent, start, record, certain) in self._inside.items():
            self.emit("inside", child, interior_of(parent), start, OPEN_END, record, certain=certain)
        for parent, (start, record) in self._opened.items():
            self.emit("open", parent, interior_of(parent), start, OPEN_END, record)
        for item, (_, record) in self._gone.items():
            self.note("no-arrival", record, item.id)
        self._at, self._elsewhere, self._gone, self._inside, self._opened, self._contents = {}, {}, {}, {}, {}, {}

    def _unnest(self, child: Party) -> Nested | None:
        nested = self._inside.pop(child, None)
        if nested is not None:
            del self._contents[nested.parent][child]
        return nested

    def _last_shown(self, child: Party) -> Micros:
        """Return when a record last spoke of a unit that holds the item, or put something into another."""
        around = self.units(child)
        times = [self._inside[one].start for one in (child, *around) if one in self._inside]
        begun = self._at.get(around[-1]) if around else None
        return max([*times, *([begun.shown] if begun else [])])
