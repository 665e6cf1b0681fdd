"""Reckoning: the events in order, each booked into the balance by what it does.

docs/answers.md (what an event does to stock) states these rules for people.
"""

from collections.abc import Iterator, Sequence
from decimal import Context, Decimal, localcontext
from typing import Final

from sudonglian.trace.answers.account import ZERO, Kind, Note, Spot
from sudonglian.trace.answers.balance import Balance
from sudonglian.trace.answers.happenings import Entry, Happening
from sudonglian.trace.engine.rules import site

EXACT: Final = Context(prec=200)
"""Amounts have at most 34 digits on either side of the point; sums of many stay far below."""


def reckon(happenings: Sequence[Happening], lots: frozenset[str]) -> Balance:
    """Return the balance after all events; of lots, those named alone are kept."""
    with localcontext(EXACT):
        balance = Balance(one.place for one in happenings if one.place)
        for event in sorted(happenings, key=lambda one: one.order):
            _Reading(balance, event, lots).apply()
        _shortages(balance)
        return balance


def _shortages(balance: Balance) -> None:
    for (lot, uom, where), account in balance.accounts.items():
        left = balance.stock_at(lot, uom, where)
        if left < ZERO:
            balance.notes.append(Note("short", lot, account.place, account.last_record, left, uom))


class _Reading:
    """One event on its way into the balance."""

    def __init__(self, balance: Balance, event: Happening, lots: frozenset[str]) -> None:
        self.balance, self.event = balance, event
        self.entries = [one for one in event.entries if not one.is_lot or one.uri in lots]

    def apply(self) -> None:
        match self.event.type:
            case "AggregationEvent":
                self._aggregate()
            case "TransformationEvent":
                self._transform()
            case "AssociationEvent":
                pass  # a logger rides along: it is no goods
            case _:
                self._observe()

    # Events about things as they are.

    def _observe(self) -> None:
        named = {one.uri for one in self.entries}
        for one in self._in("epc", "parent", "child"):
            if not self._rides(one.uri, named):
                self._item(one.uri)
        units = [one.uri for one in self._in("epc", "parent", "child")]
        for one in self._in("quantity", "child_quantity"):
            self._lot(one, units)

    def _rides(self, item: str, named: set[str]) -> bool:
        """Return whether the item is in a unit and goes on being there, for the unit is named or is at this place."""
        spot = self.balance.items.get(item)
        if spot is None or spot.kind != "unit":
            return False
        if self.event.does in ("sell", "destroy", "make"):
            return False
        unit: Spot | None = spot
        while unit is not None and unit.kind == "unit":
            if unit.id in named:
                return True
            unit = self.balance.items.get(unit.id)
        if self.event.does == "leave":
            return False
        root = self.balance.root(item)
        return not self.event.place or root == Spot("place", site(self.event.place))

    def _item(self, item: str) -> None:
        event = self.event
        place = self.balance.place_of(event, item)
        match event.does:
            case "leave":
                start = event.place_before or self._where(item)
                self.balance.carry(item, Spot("way", event.destination, start), start, event)
            case "sell" | "destroy":
                how: Kind = "sold" if event.does == "sell" else "destroyed"
                self.balance.carry(item, Spot("out", how, place), place, event, kind=how)
            case "make":
                self.balance.carry(item, Spot("place", site(place)), place, event, kind="made")
            case "return":
                self.balance.carry(item, Spot("place", site(place)), place, event, kind="returned")
            case _:
                self.balance.carry(item, Spot("place", site(place)), place, event)

    def _where(self, item: str) -> str:
        root = self.balance.root(item)
        seen = self.balance.seen.get(item)
        return seen[2] if seen is not None and root is not None and root.kind == "place" else ""

    def _lot(self, one: Entry, units: Sequence[str]) -> None:
        event, balance = self.event, self.balance
        place = balance.place_of(event, one.uri)
        if event.does == "leave":
            place = event.place_before or place
        if one.amount is None:
            self._uncounted(one, place)
            return
        inside = sum((amount for unit in units for lot, uom, amount in balance.held(unit) if (lot, uom) == (one.uri, one.uom)), ZERO)  # fmt: skip
        amount = max(one.amount - inside, ZERO) if event.does != "count" else one.amount
        if not amount and inside:
            return
        lot, uom = one.uri, one.uom
        match event.does:
            case "make":
                balance.put(lot, uom, Spot("place", site(place)), amount)
                balance.book("made", lot, amount, uom, place, event)
            case "arrive":
                self._arrive(lot, uom, amount, place)
            case "leave":
                self._see(lot, uom, amount, place)
                self._take(lot, uom, amount, place)
                way = Spot("way", event.destination, place)
                balance.put(lot, uom, way, amount)
                balance.ways[lot, uom, way] = event.time_us, event.record_hash
                balance.book("left", lot, amount, uom, place, event, destination=event.destination)
            case "return":
                self._return(lot, uom, amount, place)
            case "sell" | "destroy":
                self._see(lot, uom, amount, place)
                self._take(lot, uom, amount, place)
                how: Kind = "sold" if event.does == "sell" else "destroyed"
                balance.book(how, lot, amount, uom, place, event, destination=event.destination)
            case "count":
                self._count(lot, uom, amount, place)
            case "show":
                self._see(lot, uom, amount, place, shown=True)
                balance.account(lot, uom, place).touch(place, event.time_us, event.record_hash)

    def _uncounted(self, one: Entry, place: str) -> None:
        does: dict[str, Kind] = {
            "make": "made",
            "arrive": "arrived",
            "leave": "left",
            "return": "returned",
            "sell": "sold",
            "destroy": "destroyed",
        }
        if kind := does.get(self.event.does):
            self.balance.book(
                kind, one.uri, None, one.uom, place, self.event, source=self.event.source, destination=self.event.destination
            )  # fmt: skip

    # Amounts of lots.

    def _arrive(self, lot: str, uom: str, amount: Decimal, place: str) -> None:
        """Let some of a lot arrive: from the consignments that fit best, then from where the record says it came."""
        balance, event = self.balance, self.event
        for way in self._consignments(lot, uom, amount, place):
            part = min(amount, balance.lots[lot, uom][way])
            if part > ZERO:
                self._land(lot, uom, part, way, place)
                amount -= part
        if amount and event.source and site(event.source) != site(place):
            there = Spot("place", site(event.source))
            part = min(amount, balance.lots.get((lot, uom), {}).get(there, ZERO))
            if part > ZERO:
                # One record for both sides of the handoff.
                start = balance.account(lot, uom, event.source).place
                balance.put(lot, uom, there, -part)
                balance.book("left", lot, part, uom, start, event, destination=place)
                balance.put(lot, uom, Spot("place", site(place)), part)
                balance.book("arrived", lot, part, uom, place, event, source=start)
                amount -= part
        if amount:
            self._appear(lot, uom, amount, place)

    def _consignments(self, lot: str, uom: str, amount: Decimal, place: str) -> list[Spot]:
        balance, source = self.balance, site(self.event.source) if self.event.source else ""
        ways = [spot for spot in balance.lots.get((lot, uom), {}) if spot.kind == "way"]

        def rank(way: Spot) -> tuple[bool, bool, bool, int]:
            here = bool(way.id) and site(way.id) == site(place)
            from_there = bool(source) and site(way.origin) == source
            return not here, not from_there, balance.lots[lot, uom][way] != amount, balance.ways[lot, uom, way][0]

        def fits(way: Spot) -> bool:
            # Known to be for another place: it did not arrive here. A firm's own number says no place.
            return not way.id or site(way.id) == site(place) or site(way.id) not in balance.sites

        return sorted(filter(fits, ways), key=rank)

    def _land(self, lot: str, uom: str, amount: Decimal, way: Spot, place: str) -> None:
        self.balance.put(lot, uom, way, -amount)
        self.balance.put(lot, uom, Spot("place", site(place)), amount)
        self.balance.book("arrived", lot, amount, uom, place, self.event, source=way.origin)

    def _appear(self, lot: str, uom: str, amount: Decimal, place: str) -> None:
        """Let some of a lot be here that no record explains; what comes from outside the records needs none."""
        balance, event = self.balance, self.event
        outside = bool(event.source) and site(event.source) not in {
            key[2] for key in balance.accounts if key[:2] == (lot, uom)
        }
        kind: Kind = "entered" if outside or not balance.known(lot, uom, but=site(place)) else "found"
        if event.does not in ("arrive", "show") and balance.accounts.get((lot, uom, site(place))):
            return  # more leaves than is there: the stock says so
        balance.put(lot, uom, Spot("place", site(place)), amount)
        balance.book(kind, lot, amount, uom, place, event, source=event.source)

    def _see(self, lot: str, uom: str, amount: Decimal, place: str, *, shown: bool = False) -> None:
        """Let consignments arrive, without a record of that, as far as an event here needs them."""
        balance = self.balance
        lacking = amount - balance.stock_at(lot, uom, site(place))
        for way in self._consignments(lot, uom, lacking, place):
            if lacking > ZERO and (part := min(lacking, balance.lots[lot, uom][way])) > ZERO:
                self._land(lot, uom, part, way, place)
                lacking -= part
        if lacking > ZERO and (shown or not balance.accounts.get((lot, uom, site(place)))):
            self._appear(lot, uom, lacking, place)

    def _take(self, lot: str, uom: str, amount: Decimal, place: str) -> None:
        """Take some of a lot from a place: what lies open first, then out of its units; the rest below nothing."""
        balance, here = self.balance, Spot("place", site(place))
        spots = [here, *(spot for spot in balance.lots.get((lot, uom), {}) if spot.kind == "unit" and balance.root(spot.id) == here)]  # fmt: skip
        for spot in spots:
            part = min(amount, balance.lots.get((lot, uom), {}).get(spot, ZERO))
            if part > ZERO:
                balance.put(lot, uom, spot, -part)
                amount -= part
        if amount:
            balance.put(lot, uom, here, -amount)

    def _return(self, lot: str, uom: str, amount: Decimal, place: str) -> None:
        balance = self.balance
        for way in [spot for spot in balance.lots.get((lot, uom), {}) if spot.kind == "way"]:
            part = min(amount, balance.lots[lot, uom][way])
            if site(way.origin) == site(place) and part > ZERO:
                balance.put(lot, uom, way, -part)
                balance.put(lot, uom, Spot("place", site(place)), part)
                balance.book("returned", lot, part, uom, place, self.event, source=way.id)
                amount -= part
        if amount:
            self._appear(lot, uom, amount, place)

    def _count(self, lot: str, uom: str, amount: Decimal, place: str) -> None:
        balance = self.balance
        if amount > balance.stock_at(lot, uom, site(place)):
            self._see(lot, uom, amount, place, shown=False)
        difference = amount - balance.stock_at(lot, uom, site(place))
        if difference:
            here = Spot("place", site(place))
            balance.put(lot, uom, here, difference)
            kind: Kind = "found" if difference > ZERO else "missing"
            balance.book(kind, lot, abs(difference), uom, place, self.event)
        balance.account(lot, uom, place).touch(place, self.event.time_us, self.event.record_hash)

    # Packing, and making one thing of another.

    def _aggregate(self) -> None:
        event, balance = self.event, self.balance
        unit = next((one.uri for one in self._in("parent")), "")
        if not unit:
            self._observe()
            return
        if event.nest == "delete":
            self._unpack(unit)
            return
        if event.does == "leave":
            self._stand(unit, event.place_before or self._where(unit))
        else:
            self._stand(unit, balance.place_of(event))
        for one in self._in("child"):
            if one.uri != unit and unit not in balance.inside(one.uri):
                balance.carry(one.uri, Spot("unit", unit), self._where(unit), event)
        for one in self._in("child_quantity"):
            self._pack(one, unit)
        if event.does == "leave":
            self._item(unit)

    def _stand(self, unit: str, place: str) -> None:
        """Let the unit be at the event's place, unless it rides in another one that is there."""
        root = self.balance.root(unit)
        if root is None or (place and root != Spot("place", site(place))):
            self.balance.carry(unit, Spot("place", site(place)), place, self.event)

    def _pack(self, one: Entry, unit: str) -> None:
        balance, place = self.balance, self._where(unit)
        lot, uom = one.uri, one.uom
        if one.amount is None:
            balance.book("arrived", lot, None, uom, place, self.event)
            return
        amount = one.amount
        if self.event.nest == "observe":
            amount = max(amount - balance.lots.get((lot, uom), {}).get(Spot("unit", unit), ZERO), ZERO)
        if amount:
            self._see_open(lot, uom, amount, place)
            balance.put(lot, uom, Spot("place", site(place)), -amount)
            balance.put(lot, uom, Spot("unit", unit), amount)
        balance.account(lot, uom, place).touch(place, self.event.time_us, self.event.record_hash)

    def _see_open(self, lot: str, uom: str, amount: Decimal, place: str) -> None:
        """Let what is packed have been there; what other units here hold may have been repacked without a record."""
        balance, here = self.balance, Spot("place", site(place))
        self._see(lot, uom, amount, place, shown=True)
        lacking = amount - balance.lots.get((lot, uom), {}).get(here, ZERO)
        for spot in list(balance.lots.get((lot, uom), {})):
            if lacking > ZERO and spot.kind == "unit" and balance.root(spot.id) == here:
                part = min(lacking, balance.lots[lot, uom][spot])
                balance.put(lot, uom, spot, -part)
                balance.put(lot, uom, here, part)
                lacking -= part

    def _unpack(self, unit: str) -> None:
        event, balance = self.event, self.balance
        place = balance.place_of(event)
        self._stand(unit, place)
        place = place or self._where(unit)
        here = Spot("place", site(place))
        items, lots = list(self._in("child")), list(self._in("child_quantity"))
        if not items and not [one for one in event.entries if one.role == "child_quantity"]:
            for child in list(balance.contents.get(unit, ())):
                balance.carry(child, here, place, event)
            for (lot, uom), spots in list(balance.lots.items()):
                if amount := spots.get(Spot("unit", unit)):
                    lots.append(Entry(lot, "child_quantity", amount, uom, True))
        for one in items:
            balance.carry(one.uri, here, place, event)
        for one in lots:
            if one.amount is None:
                continue
            inside = max(balance.lots.get((one.uri, one.uom), {}).get(Spot("unit", unit), ZERO), ZERO)
            part = min(one.amount, inside)
            balance.put(one.uri, one.uom, Spot("unit", unit), -part)
            balance.put(one.uri, one.uom, here, part)
            balance.account(one.uri, one.uom, place).touch(place, event.time_us, event.record_hash)
            if one.amount > part:
                self._see(one.uri, one.uom, one.amount, place, shown=True)

    def _transform(self) -> None:
        event, balance = self.event, self.balance
        place = balance.place_of(event)
        made = tuple(dict.fromkeys(one.uri for one in event.of("output", "output_quantity")))
        used = tuple(dict.fromkeys(one.uri for one in event.of("input", "input_quantity")))
        for one in self._in("input"):
            balance.carry(one.uri, Spot("out", "used", place), place, event, kind="used")
        for one in self._in("input_quantity"):
            at = place or balance.place_of(event, one.uri)
            if one.amount is not None:
                self._see(one.uri, one.uom, one.amount, at)
                self._take(one.uri, one.uom, one.amount, at)
            balance.book("used", one.uri, one.amount, one.uom, at, event, about=made)
        for one in self._in("output"):
            balance.carry(one.uri, Spot("place", site(place)), place, event, kind="made")
        for one in self._in("output_quantity"):
            if one.amount is not None:
                balance.put(one.uri, one.uom, Spot("place", site(place)), one.amount)
            balance.book("made", one.uri, one.amount, one.uom, place, event, about=used)

    def _in(self, *roles: str) -> Iterator[Entry]:
        return (one for one in self.entries if one.role in roles)
