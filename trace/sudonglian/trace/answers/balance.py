"""The balance of goods: where each item is and how much of each lot is where, while the events are read in order.

docs/answers.md (what an event does to stock). Pure; it guesses as little as it can and says what does not fit.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from sudonglian.trace.answers.account import ZERO, Account, Kind, Movement, Note, Spot
from sudonglian.trace.answers.happenings import Happening
from sudonglian.trace.engine.rules import site


class Balance:
    """Stocks so far; amounts of lots by spot, single items by where they stand."""

    def __init__(self, places: Iterable[str] = ()) -> None:
        self.sites = {site(one) for one in places}
        """Sites at which something is recorded: a consignment to one of them can only have arrived there."""
        self.accounts: dict[tuple[str, str, str], Account] = {}
        self.lots: dict[tuple[str, str], dict[Spot, Decimal]] = {}
        self.ways: dict[tuple[str, str, Spot], tuple[int, str]] = {}
        """Since when, and by which record, some of a lot is on its way."""
        self.items: dict[str, Spot] = {}
        self.seen: dict[str, tuple[int, str, str]] = {}
        """Of each item: since when it is where it is, the last record, the place as named last."""
        self.contents: dict[str, dict[str, None]] = {}
        self.movements: list[Movement] = []
        self.notes: list[Note] = []

    # What is where.

    def root(self, item: str) -> Spot | None:
        """Return the spot of the outermost unit that holds the item; None if it was never seen."""
        known: set[str] = set()
        spot = self.items.get(item)
        while spot is not None and spot.kind == "unit" and spot.id not in known:
            known.add(spot.id)
            spot = self.items.get(spot.id)
        return spot

    def inside(self, unit: str) -> list[str]:
        """Return the unit and every item that is in it, at whatever depth."""
        found, waiting = {unit: None}, [unit]
        while waiting:
            for one in self.contents.get(waiting.pop(), ()):
                if one not in found:
                    found[one] = None
                    waiting.append(one)
        return list(found)

    def held(self, unit: str) -> Iterator[tuple[str, str, Decimal]]:
        """Yield the lots in a unit and in what is in it: name, unit of measure, amount."""
        spots = [Spot("unit", one) for one in self.inside(unit)]
        for (lot, uom), by_spot in self.lots.items():
            for spot in spots:
                if amount := by_spot.get(spot):
                    yield lot, uom, amount

    def stock_at(self, lot: str, uom: str, where: str) -> Decimal:
        """Return how much of a lot is at a site, in units or not."""
        total = ZERO
        for spot, amount in self.lots.get((lot, uom), {}).items():
            at = self.root(spot.id) if spot.kind == "unit" else spot
            if at is not None and at.kind == "place" and at.id == where:
                total += amount
        return total

    def known(self, lot: str, uom: str, but: str) -> bool:
        """Return whether some of a lot has ever been recorded anywhere but at one site."""
        elsewhere = (key for key in self.accounts if key[:2] == (lot, uom) and key[2] != but)
        return next(elsewhere, None) is not None

    def place_of(self, event: Happening, lot: str = "") -> str:
        """Return the place of an event; if it names none, where the first thing is that it names."""
        if event.place:
            return event.place
        for one in event.entries:
            at = self.root(one.uri)
            if at is not None and at.kind == "place":
                return self.seen[one.uri][2] if one.uri in self.seen and self.seen[one.uri][2] else at.id
        places = {
            key[2]: account.place
            for key, account in self.accounts.items()
            if key[0] == lot and self.stock_at(lot, key[1], key[2]) > ZERO
        }
        return next(iter(places.values())) if len(places) == 1 else ""

    # What changes.

    def book(
        self,
        kind: Kind,
        thing: str,
        amount: Decimal | None,
        uom: str,
        place: str,
        event: Happening,
        *,
        source: str = "",
        destination: str = "",
        about: tuple[str, ...] = (),
    ) -> None:
        """Write a movement into the account of its place."""
        one = Movement(
            kind, thing, amount, uom, place, source, destination, event.time_us, event.record_hash, about
        )  # fmt: skip
        self.movements.append(one)
        self.account(thing, uom, place).book(one)
        if kind in ("found", "missing"):
            self.notes.append(Note("found" if kind == "found" else "missing", thing, place, one.record, amount, uom))
        if amount is None:
            self.notes.append(Note("uncounted", thing, place, one.record, None, uom))

    def account(self, thing: str, uom: str, place: str) -> Account:
        """Return the account of a thing at a place, opened if need be."""
        return self.accounts.setdefault((thing, uom, site(place)), Account(thing, uom, place))

    def put(self, lot: str, uom: str, spot: Spot, amount: Decimal) -> None:
        """Add to (or with a negative amount take from) what is of a lot at a spot."""
        by_spot = self.lots.setdefault((lot, uom), {})
        by_spot[spot] = by_spot.get(spot, ZERO) + amount
        if by_spot[spot] == ZERO:
            del by_spot[spot]

    def carry(self, item: str, to: Spot, place: str, event: Happening, *, kind: Kind | None = None) -> None:
        """Bring an item, and all that is in it, to a spot; each of them is booked where it came from and where it is.

        `kind` says how it ends for what leaves the chain, and how it begins for what was never seen.
        """
        old = self.root(item)
        old_place = self.seen[item][2] if item in self.seen else ""
        moved = [(one, "", Decimal(1)) for one in self.inside(item)]
        lots = [] if old is None else list(self.held(item))
        self._unnest(item)
        self.items[item] = to
        new = self.root(item)
        changed = old is None or new != old
        for one, _, _ in moved:
            since = event.time_us if changed or one not in self.seen else self.seen[one][0]
            self.seen[one] = since, event.record_hash, place or (self.seen[one][2] if one in self.seen else "")
        if to.kind == "unit":
            self.contents.setdefault(to.id, {})[item] = None
        for thing, uom, amount in (*moved, *lots):
            self._passed(thing, uom, amount, (old, old_place), (new, place), event, kind)
            if new is not None and new.kind == "way":
                self.ways[thing, uom, new] = event.time_us, event.record_hash
        if to.kind == "out":
            for lot, uom, _amount in lots:
                for one, _, _ in moved:
                    spot = Spot("unit", one)
                    if spot in self.lots[lot, uom]:
                        self.put(lot, uom, spot, -self.lots[lot, uom][spot])
            for one, _, _ in moved:
                self.items[one] = to
                self.contents.pop(one, None)

    def _unnest(self, item: str) -> None:
        spot = self.items.get(item)
        if spot is not None and spot.kind == "unit":
            self.contents.get(spot.id, {}).pop(item, None)

    def _passed(
        self,
        thing: str,
        uom: str,
        amount: Decimal,
        was: tuple[Spot | None, str],
        now: tuple[Spot | None, str],
        event: Happening,
        kind: Kind | None,
    ) -> None:
        (old, old_place), (new, place) = was, now
        if new is None or old == new:
            if new is not None and new.kind == "place":
                self.account(thing, uom, place).touch(place, event.time_us, event.record_hash)
            return
        if old is None or old.kind == "out":
            # Never seen, or seen again after it was gone.
            if old is not None:
                self.notes.append(Note("seen-again", thing, place, event.record_hash, amount, uom))
            first: Kind = kind if kind == "made" else "found" if old is not None else "entered"
            start = place or event.place_before
            self.book(first, thing, amount, uom, start, event, source=event.source)
            old, old_place = Spot("place", site(start)), start
            if old == new:
                return
        if old.kind == "way":
            # Where it is used, sold or shipped from, there it has arrived.
            at = place if new.kind == "place" else (place or event.place_before or old.id)
            self.book("returned" if kind == "returned" else "arrived", thing, amount, uom, at, event, source=old.origin)
            old_place = at
        elif new.kind == "place":
            self.notes.append(Note("no-departure", thing, old_place, event.record_hash, amount, uom))
            self.book("left", thing, amount, uom, old_place, event, destination=place)
            self.book("arrived", thing, amount, uom, place, event, source=old_place)
        if new.kind == "way":
            self.book("left", thing, amount, uom, old_place, event, destination=new.id)
        elif new.kind == "out":
            how: Kind = kind or "destroyed"
            about = tuple(dict.fromkeys(one.uri for one in event.of("output", "output_quantity")))
            self.book(how, thing, amount, uom, old_place, event, destination=event.destination, about=about)
