"""From events to facts: the table applied, event by event, in the order of what happened.

docs/spec/facts.md §3-7; pure, and the same for any order and any repetition of its input.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from sudonglian.trace.engine.events import EventView, check
from sudonglian.trace.engine.facts import (
    INSTANT,
    Clean,
    Facts,
    Micros,
    Party,
    Place,
    Reading,
    SampleFact,
    Statement,
    canonical,
)
from sudonglian.trace.engine.handling import People, Shown, cleans_of, parent_of, readings_of, samples_of
from sudonglian.trace.engine.ledger import Ledger, interior_of, place_of
from sudonglian.trace.engine.order import LEAVING, SINGLE, in_order
from sudonglian.trace.engine.portions import Portions, Share, settled_place
from sudonglian.trace.engine.progress import Report, counted, silent
from sudonglian.trace.engine.rules import FactTable, Rule, fact_table, is_location, is_vehicle, site
from sudonglian.trace.engine.stated import stated

DAY: Final[Micros] = 86_400_000_000


def derive_facts(events: Iterable[EventView], table: FactTable | None = None, *, report: Report = silent) -> Facts:
    """Return what the events say.

    Superseded events and declarations of error give no facts; the former are named. Events at one time are read in
    the order of the table's rank (arrive, unpack, transform, show, pack, leave, end), then in the log's; a departure
    comes before an arrival elsewhere.
    """
    table = table or fact_table()
    unique = {event.record_hash: event for event in events}
    telling: list[EventView] = []
    for event in unique.values():
        check(event)
        if not (event.superseded or event.declares_error):
            telling.append(event)
    ordered, clashes = in_order(telling, table)
    reader = Reader(table)
    reader.clashes = clashes
    for *_, event, rule in counted("facts", ordered, report):
        reader.read(event, rule)
    reader.ledger.finish()
    # What somebody remembers to the minute does not make firms' days to moments.
    times = {event.event_time for event in telling if event.interview is None}
    return canonical(
        replace(
            reader.told(),
            portions=reader.portions.names,
            superseded=tuple(event.record_hash for event in unique.values() if event.superseded),
            table_version=table.version,
            days_only=len(times) > 1 and len({time % DAY for time in times}) == 1,
        )
    )


class Reader:
    """Reads one event after another into a ledger; `clashes` are those of `in_order`."""

    def __init__(self, table: FactTable) -> None:
        self.table = table
        self.ledger = Ledger()
        self.portions = Portions(self.ledger)
        self.people = People(self.ledger)
        self.samples: list[SampleFact] = []
        self.cleans: list[Clean] = []
        self.readings: list[Reading] = []
        self.statements: list[Statement] = []
        self.clashes: Mapping[tuple[str, Micros], str] = {}

    def copied(self) -> "Reader":
        """Return a reader that stands where this one stands and has nothing to tell yet."""
        other = Reader(self.table)
        other.ledger = self.ledger.copied()
        other.portions = self.portions.copied(other.ledger)
        other.people = People(other.ledger)
        return other

    def told(self) -> Facts:
        """Return what has been written down so far, in the order of writing; no portions."""
        return Facts(
            stays=tuple(self.ledger.stays),
            flows=tuple(self.ledger.flows),
            cleans=tuple(self.cleans),
            notes=tuple(self.ledger.notes),
            samples=tuple(self.samples),
            readings=tuple(self.readings),
            statements=tuple(self.statements),
        )

    def read(self, event: EventView, rule: Rule) -> None:
        """Write down what one event says."""
        if event.interview is not None:
            self.statements.append(stated(self.ledger, event, event.interview))
            return
        here = event.read_point or event.biz_location
        place = place_of(here) if here else None
        before = {item: self.ledger.whereabouts(item) for item in self._named(event)}
        wrapped: list[tuple[Party, Party]] = []
        shares: list[Share] = []
        if rule.nest == "delete":
            shares += self._unpack(event, place)
        elif rule.nest == "transform":
            shares += self._transform(event, rule, place)
        else:
            # Parents first: a child that is named beside its pallet is where the pallet is now.
            children = set(event.named("child")) if rule.nest != "none" else set()
            for item in sorted(self._named(event), key=lambda one: not self.ledger.contents(one)):
                if item.id in children:
                    continue
                root = self.ledger.root(item)
                if self._show(event, rule, item, place):
                    shares.append(Share(item, True))
                else:
                    wrapped.append((item, root))
            for uri in event.named("quantity"):
                shares += self._lot(event, rule, uri)
            if rule.nest in ("add", "observe"):
                shares += self._pack(event, rule, place, wrapped)
        opening = rule.nest == "none" and self.table.step(event.biz_step) in self.table.opening
        seen = Shown(shares, wrapped, place, sorted({at for at in before.values() if at is not None}), opening)
        self.people.handle(event, rule, seen)
        self.cleans += cleans_of(event, self.table, seen)
        self.readings += readings_of(event, seen)
        for sample in samples_of(event, self.table, seen, self.portions.names):
            self.samples.append(sample)
            if sample.positive is None:
                self.ledger.note("sample-result-unknown", sample.record, sample.subject)

    def _named(self, event: EventView) -> tuple[Party, ...]:
        """Return the things that an event names; a location that it names so is a place."""
        return tuple(Party("item", uri) for uri in event.named(*SINGLE) if not is_location(uri))

    def _show(self, event: EventView, rule: Rule, item: Party, place: Place | None) -> bool:
        """Apply a stay to one thing; False if it stays wrapped in what holds it."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        if ledger.parent(item) is not None:
            around = ledger.whereabouts(item)
            shown = {place_of(uri) for uri in (event.read_point, event.biz_location) if uri}
            if rule.stay != "end" and (not shown or around in shown):
                return False
            ledger.break_out(item, time, record)
        other = self.clashes.get((item.id, time), "")
        if other and rule.stay not in LEAVING:
            ledger.note("contradicting-places", record, item.id, other if other != record else "")
        begun = ledger.begun(item)
        clash = bool(other) and begun is not None and begun.start == time
        # What a record packs is closed by it: it stands in the room with its contents only from the next instant on.
        if rule.nest == "add" and item.id in event.named("parent"):
            time += INSTANT
        if place is not None:
            boards = rule.stay in LEAVING and place.kind == "vehicle"
            if not clash and not boards and not self._just_elsewhere(item, place, event):
                ledger.appear(item, place, event.event_time, record, arrives=rule.stay == "arrive")
            ledger.flash(item, place, time, record, certain=not other)
        self._stay(event, rule.stay, item, place, time, sure=not other)
        return True

    def _just_elsewhere(self, item: Party, place: Place, event: EventView) -> bool:
        """Tell whether another record of this very instant has settled the item at another site."""
        begun = self.ledger.begun(item)
        return (
            begun is not None
            and begun.start == event.event_time
            and begun.record != event.record_hash
            and site(begun.place.id) != site(place.id)
        )

    def _stay(
        self, event: EventView, effect: str, item: Party, place: Place | None, time: Micros, *, sure: bool = True
    ) -> None:
        """Begin, keep or end the stay of something that nothing holds."""
        ledger, record = self.ledger, event.record_hash
        after = event.biz_location
        if effect == "end":
            ledger.leave(item, time, record)
            ledger.ended[item] = (time, record)
        elif effect in LEAVING:
            if place is not None and self._just_elsewhere(item, place, event):
                return
            ride = next((uri for uri in (after, event.read_point) if uri and is_vehicle(uri)), "")
            if ride:
                ledger.settle(item, place_of(ride), time, record)
            elif effect == "leave":
                ledger.depart(item, time, record)
            else:
                ledger.leave(item, time, record)
        elif after:
            if sure:
                ledger.settle(item, place_of(after), time, record)
            else:
                ledger.disagree(item, place_of(after), time, record)
        elif event.read_point:
            shown = place_of(event.read_point)
            begun = ledger.begun(item)
            if not sure:
                ledger.disagree(item, shown, time, record)
            # A read point says where the item was, not where it stays: only an arrival makes it a certain stay.
            elif effect == "arrive" or begun is None or begun.place != shown:
                ledger.settle(item, shown, time, record, certain=effect == "arrive")

    def _lot(self, event: EventView, rule: Rule, uri: str) -> list[Share]:
        """Show, ship or receive a class-level lot; return the portions that were there."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        here = event.read_point or event.biz_location
        if rule.stay not in LEAVING:
            shares = self.portions.present(uri, event, receive=rule.receive)
            for share in shares:
                self._show_share(event, rule.stay, share, here)
            return list(shares)
        origins, consignment = self.portions.ship(uri, event)
        for share in origins:
            begun = ledger.begun(share.party)
            at = place_of(here) if here else begun.place if begun else None
            if at is not None:
                ledger.flash(share.party, at, time, record, certain=share.certain)
            self._rest(share.party, event)
        self._stay(event, rule.stay, consignment, place_of(here) if here else None, time)
        if here:
            ledger.flash(consignment, place_of(here), time, record)
        return [*origins, Share(consignment, True)]

    def _rest(self, portion: Party, event: EventView) -> None:
        """Leave what is left of a portion where it was: how much is not known, so it is only possibly there."""
        begun = self.ledger.begun(portion)
        if begun is not None:
            self.ledger.settle(portion, begun.place, event.event_time, event.record_hash, certain=False)

    def _show_share(self, event: EventView, effect: str, share: Share, here: str) -> None:
        if here:
            self.ledger.flash(share.party, place_of(here), event.event_time, event.record_hash, certain=share.certain)
        if effect == "end":
            if share.certain:
                self.ledger.leave(share.party, event.event_time, event.record_hash)
        elif share.certain and (uri := settled_place(event)):
            self.ledger.settle(share.party, place_of(uri), event.event_time, event.record_hash)

    def _pack(
        self, event: EventView, rule: Rule, place: Place | None, wrapped: list[tuple[Party, Party]]
    ) -> list[Share]:
        """Put children into the parent; packing (not observing) closes it."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        parent = parent_of(event)
        packs = rule.nest == "add"
        shares: list[Share] = []
        if parent is not None and packs:
            ledger.close(parent, time, record)
        named = [Party("item", uri) for uri in event.named("child")]
        for child in named:
            units = ledger.units(child)
            # A list may name what is in a child beside the child: it stays where it is.
            deeper = bool(units) and (units[0] in named or parent in units[1:])
            if parent is not None and (not packs or deeper or ledger.parent(child) == parent):
                if not deeper and not units:
                    self._enclose(event, parent, child, certain=False)
                if not deeper:
                    ledger.nest(child, parent, time, record)
                wrapped.append((child, ledger.root(child)))
                continue
            shares.append(Share(child, True))
            if place is not None:
                if not units:
                    ledger.appear(child, place, time, record, arrives=False)
                ledger.flash(child, place, time, record)
            if parent is None:
                self._stay(event, rule.stay, child, place, time)
            elif ledger.nest(child, parent, time, record):
                self._enclose(event, parent, child)
        for uri in event.named("child_quantity"):
            if parent is None:
                shares += self._lot(event, rule, uri)
                continue
            portion, origins = self.portions.packed(uri, parent, event, from_outside=packs)
            for share in origins:
                self._rest(share.party, event)
            if ledger.nest(portion, parent, time, record) and (packs or origins):
                self._enclose(event, parent, portion, certain=packs)
            if not packs:
                wrapped.append((portion, ledger.root(portion)))
                continue
            if place is not None:
                ledger.flash(portion, place, time, record)
            shares.append(Share(portion, True))
        return shares

    def _enclose(self, event: EventView, parent: Party, child: Party, *, certain: bool = True) -> None:
        """Let a unit that was exposed before it was closed expose what it now holds; never the other way."""
        self.ledger.flow("enclose", parent, child, event.event_time, event.record_hash, hops=1, certain=certain)

    def _unpack(self, event: EventView, place: Place | None) -> list[Share]:
        """Take children out of the parent, all of them if none is named; that opens it."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        parent = parent_of(event)
        around = place or (ledger.whereabouts(parent) if parent else None)
        shares: list[Share] = []
        children = [Party("item", uri) for uri in event.named("child")]
        lots = event.named("child_quantity")
        if parent is not None:
            if not children and not lots:
                children = list(ledger.contents(parent))
            else:
                children += [inside for uri in lots if (inside := self.portions.inside(uri, parent))]
            for unit in ledger.units(parent):
                ledger.open(unit, time, record)
            ledger.open(parent, time, record)
            if around is not None and ledger.parent(parent) is None:
                ledger.appear(parent, around, time, record, arrives=False)
                ledger.flash(parent, around, time, record)
            shares.append(Share(parent, True))
            if ledger.parent(parent) is None:
                self._stay(event, "arrive", parent, place, time)
        for child in children:
            at = around or ledger.whereabouts(child)
            if at is not None:
                ledger.flash(child, at, time, record)
            if child in self.portions.names:
                ledger.take_out(child, time, record)
                out = self.portions.unpacked(child, settled_place(event) or (at.id if at else ""), event)
                if lots and parent is not None:
                    # Some of the lot may still be inside.
                    ledger.nest(child, parent, time, record, certain=False)
            else:
                ledger.take_out(child, time, record)
                out = child
            self._settle_out(event, out, at)
            shares.append(Share(out, True))
        found = {self.portions.names[one][0] for one in children if one in self.portions.names}
        for uri in lots:
            if uri not in found:
                shares += self.portions.present(uri, event, receive=True)
        return shares

    def _settle_out(self, event: EventView, item: Party, at: Place | None) -> None:
        """Let what came out of a unit stay where it came out."""
        stay = place_of(event.biz_location) if event.biz_location else at
        if at is not None:
            self.ledger.flash(item, at, event.event_time, event.record_hash)
        if stay is not None:
            self.ledger.settle(item, stay, event.event_time, event.record_hash)

    def _transform(self, event: EventView, rule: Rule, place: Place | None) -> list[Share]:
        """Consume the inputs and begin the outputs; a transformation's name links several events."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        process = Party("process", event.transformation_id or record)
        shares: list[Share] = []
        for uri in event.named("input"):
            item = Party("item", uri)
            at = place or ledger.whereabouts(item)
            units = ledger.units(item)
            if units:
                # It was used, so its unit was opened while it was in it, by now, whether or not a record says so.
                ledger.break_out(item, time, record)
                ledger.emit("inside", item, interior_of(units[0]), time, time + INSTANT, record)
                for unit in units:
                    ledger.open(unit, time, record)
            elif place is not None:
                ledger.appear(item, place, time, record, arrives=False)
            if at is not None:
                ledger.flash(item, at, time, record)
            ledger.leave(item, time, record)
            ledger.arrived(item)
            ledger.flow("input", item, process, time, record, hops=1)
            shares.append(Share(item, True))
        for uri in event.named("input_quantity"):
            for share in self._lot(event, rule, uri):
                ledger.flow("input", share.party, process, time, record, hops=1, certain=share.certain)
                self._rest(share.party, event)
                shares.append(share)
        for uri in event.named("output"):
            item = Party("item", uri)
            self._show(event, rule, item, place)
            shares.append(Share(item, True))
        for uri in event.named("output_quantity"):
            shares += self._lot(event, rule, uri)
        outputs = {*event.named("output"), *event.named("output_quantity")}
        for share in shares:
            name = self.portions.names.get(share.party, (share.party.id, ""))[0]
            if name in outputs:
                ledger.flow("output", process, share.party, time, record, certain=share.certain)
        return shares
