"""Portions: a class-level lot is as many parties as there are places and consignments that hold some of it.

docs/spec/facts.md §6; exposure passes from shipping to receiving and never sideways because a lot has one name.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sudonglian.trace.engine.events import EventView
from sudonglian.trace.engine.facts import Party
from sudonglian.trace.engine.ledger import Ledger
from sudonglian.trace.engine.rules import is_vehicle, site

SEPARATOR: Final = "#"
"""Stands between a lot and what holds the portion: a fragment, which no identifier in normal form has."""


class Share(NamedTuple):
    """A portion that an event speaks of; uncertain when several could be meant."""

    party: Party
    certain: bool


@dataclass(slots=True)
class Consignment:
    """Some of a lot on its way."""

    party: Party
    origin: str
    destinations: frozenset[str]
    sources: frozenset[str]


@dataclass(slots=True)
class Lot:
    """What is known of one lot: its portions by holder, what is on its way, and where it was made."""

    held: dict[str, Party] = field(default_factory=dict)
    moving: list[Consignment] = field(default_factory=list)
    made: dict[str, Party] = field(default_factory=dict)


class Portions:
    """All lots so far."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lots: dict[str, Lot] = {}
        self.names: dict[Party, tuple[str, str]] = {}

    def copied(self, ledger: Ledger) -> "Portions":
        """Return the same lots over a copy of the ledger."""
        other = Portions(ledger)
        other._lots = {uri: Lot(lot.held.copy(), list(lot.moving), lot.made.copy()) for uri, lot in self._lots.items()}
        other.names = self.names.copy()
        return other

    def join(self, other: "Portions") -> None:
        """Add other lots, whose ledger is being joined to this one's."""
        self._lots.update(other._lots)
        self.names.update(other.names)

    def packed(
        self, uri: str, parent: Party, event: EventView, *, from_outside: bool
    ) -> tuple[Party, tuple[Share, ...]]:
        """Return the portion inside a unit, and the portions at the event's place that filled it.

        It is filled by packing, and by being shown there for the first time.
        """
        lot = self._lots.setdefault(uri, Lot())
        new = parent.id not in lot.held
        inside = self._held(uri, lot, parent.id)
        if not (from_outside or new):
            return inside, ()
        origins = tuple(share for share in self.present(uri, event, receive=False) if share.party != inside)
        for share in origins:
            self._ledger.flow("split", share.party, inside, event.event_time, event.record_hash, certain=share.certain)
        return inside, origins

    def inside(self, uri: str, parent: Party) -> Party | None:
        """Return the lot's portion in the unit, if there is one."""
        lot = self._lots.get(uri)
        return lot.held.get(parent.id) if lot else None

    def unpacked(self, portion: Party, place_uri: str, event: EventView) -> Party:
        """Return the portion at the place, to which what came out of a unit is added."""
        uri = self.names[portion][0]
        target = self._held(uri, self._lots.setdefault(uri, Lot()), place_uri)
        self._ledger.flow("merge", portion, target, event.event_time, event.record_hash)
        return target

    def ship(self, uri: str, event: EventView) -> tuple[tuple[Share, ...], Party]:
        """Return the portions that the consignment may come from, and the consignment itself."""
        origins = self.present(uri, event, receive=False)
        lot = self._lots[uri]
        consignment = self._held(uri, lot, event.record_hash)
        del lot.held[event.record_hash]
        lot.moving.append(
            Consignment(
                consignment,
                settled_place(event),
                frozenset(site(entry.uri) for entry in event.destinations),
                frozenset(site(entry.uri) for entry in event.sources),
            )
        )
        for share in origins:
            self._ledger.flow(
                "split", share.party, consignment, event.event_time, event.record_hash, certain=share.certain
            )
        return origins, consignment

    def present(self, uri: str, event: EventView, *, receive: bool) -> tuple[Share, ...]:
        """Return the portions that the event shows at its place, linked to where they came from."""
        lot = self._lots.setdefault(uri, Lot())
        place_uri = settled_place(event)
        if not place_uri:
            holders = sorted(lot.held.values())
            if not holders:
                return (Share(self._held(uri, lot, ""), True),)
            return tuple(Share(holder, len(holders) == 1) for holder in holders)
        self._link(uri, lot, place_uri, event, receive=receive)
        if uri in event.named("output_quantity") or (
            event.action == "ADD" and uri in event.named("quantity") and not receive
        ):
            lot.made[place_uri] = lot.held[place_uri]
        return (Share(self._held(uri, lot, place_uri), True),)

    def _link(self, uri: str, lot: Lot, place_uri: str, event: EventView, *, receive: bool) -> None:
        """Add to the place's portion what can have come there, or say that nothing can."""
        first = not lot.held and not lot.moving
        known = place_uri in lot.held
        target = self._held(uri, lot, place_uri)
        arrived = self._arrivals(lot, place_uri, event) if receive or not known else []
        for consignment in arrived:
            alone = len(arrived) == 1
            self._ledger.flow("merge", consignment.party, target, event.event_time, event.record_hash, certain=alone)
            self._ledger.arrived(consignment.party)
            if alone:
                self._ledger.leave(consignment.party, event.event_time, event.record_hash)
                lot.moving.remove(consignment)
        if arrived:
            return
        near = [
            (holder, key)
            for key, holder in sorted(lot.held.items())
            if holder != target and (key == event.read_point or (not known and site(key) == site(place_uri)))
        ]
        for holder, key in near:
            self._ledger.flow(
                "split",
                holder,
                target,
                event.event_time,
                event.record_hash,
                certain=key == event.read_point or len(near) == 1,
            )
        if not near and not first and not known:
            self._ledger.note("unlinked-portion", event.record_hash, target.id)
            # Nothing says how it came here; but it came from where it was made, and from nowhere beside that.
            for _, maker in sorted(lot.made.items()):
                self._ledger.flow("split", maker, target, event.event_time, event.record_hash, certain=False)

    def _arrivals(self, lot: Lot, place_uri: str, event: EventView) -> list[Consignment]:
        """Return the consignments that may have come to the place: those sent there before all others."""
        here = {site(place_uri), *(site(entry.uri) for entry in event.destinations)}
        sent_by = {site(entry.uri) for entry in event.sources}
        possible = [
            way
            for way in lot.moving
            if not (sent_by and (way.sources or way.origin)) or sent_by & (way.sources | {site(way.origin)})
        ]
        return [way for way in possible if way.destinations & here] or [
            way for way in possible if not way.destinations and site(way.origin) != site(place_uri)
        ]

    def _held(self, uri: str, lot: Lot, key: str) -> Party:
        if key not in lot.held:
            lot.held[key] = Party("item", f"{uri}{SEPARATOR}{key}")
            self.names[lot.held[key]] = (uri, key)
        return lot.held[key]


def settled_place(event: EventView) -> str:
    """Return where a lot is after the event, unless it left in a vehicle: then where it was."""
    if event.biz_location and not (event.read_point and is_vehicle(event.biz_location)):
        return event.biz_location
    return event.read_point
