"""From events to facts: the table applied, event by event, in the order of what happened.

docs/spec/facts.md §3-7; pure, and the same for any order and any repetition of its input.
"""

from collections.abc import Iterable
from typing import Final

from sudonglian.trace.engine.events import EventView, Participant, check
from sudonglian.trace.engine.facts import INSTANT, Facts, Micros, Party, Place, SampleFact, canonical
from sudonglian.trace.engine.ledger import Ledger, interior_of, place_of
from sudonglian.trace.engine.portions import Portions, Share, settled_place
from sudonglian.trace.engine.rules import FactTable, Rule, fact_table, is_vehicle

SINGLE: Final = ("epc", "parent", "child", "input", "output")
CLASSES: Final = ("quantity", "child_quantity", "input_quantity", "output_quantity")


def derive_facts(events: Iterable[EventView], table: FactTable | None = None) -> Facts:
    """Return what the events say.

    Superseded events and declarations of error give no facts; the former are named. Events at one time are read in
    the order of the table's rank (arrive, unpack, transform, show, pack, leave, end), then in the log's.
    """
    table = table or fact_table()
    unique = {event.record_hash: event for event in events}
    ordered: list[tuple[Micros, int, int, str, EventView, Rule]] = []
    for event in unique.values():
        check(event)
        rule = table.rule(event.type, event.action, event.biz_step)
        ordered.append((event.event_time, rule.rank, event.log_index, event.record_hash, event, rule))
    ordered.sort(key=lambda row: row[:4])
    reader = _Reader()
    for *_, event, rule in ordered:
        if not (event.superseded or event.declares_error):
            reader.read(event, rule)
    ledger = reader.ledger
    ledger.finish()
    return canonical(
        Facts(
            stays=tuple(ledger.stays),
            flows=tuple(ledger.flows),
            portions=reader.portions.names,
            notes=tuple(ledger.notes),
            samples=tuple(reader.samples),
            superseded=tuple(event.record_hash for event in unique.values() if event.superseded),
            table_version=table.version,
        )
    )


class _Reader:
    """Reads one event after another into a ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.portions = Portions(self.ledger)
        self.samples: list[SampleFact] = []

    def read(self, event: EventView, rule: Rule) -> None:
        """Write down what one event says."""
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
            for item in sorted(self._named(event), key=lambda one: not self.ledger.contents(one)):
                if rule.nest != "none" and ("child", item.id) in {(ref.role, ref.uri) for ref in event.items}:
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
        self._handle(event, rule, place, before, shares, wrapped)
        self._sample(event)

    def _named(self, event: EventView) -> tuple[Party, ...]:
        return tuple(Party("item", uri) for uri in event.named(*SINGLE))

    def _show(self, event: EventView, rule: Rule, item: Party, place: Place | None) -> bool:
        """Apply a stay to one thing; False if it stays wrapped in what holds it."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        if ledger.parent(item) is not None:
            around = ledger.whereabouts(item)
            shown = {place_of(uri) for uri in (event.read_point, event.biz_location) if uri}
            if rule.stay != "end" and (not shown or around in shown):
                return False
            if rule.stay != "end":
                ledger.note("seen-apart", record, item.id)
            ledger.take_out(item, time, record)
        at = place or ledger.whereabouts(item)
        if at is not None:
            ledger.flash(item, at, time, record)
        self._stay(event, rule.stay, item)
        return True

    def _stay(self, event: EventView, effect: str, item: Party) -> None:
        """Begin, keep or end the stay of something that nothing holds."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        after = event.biz_location
        if effect == "end":
            ledger.leave(item, time, record)
        elif effect == "leave":
            ride = next((uri for uri in (after, event.read_point) if uri and is_vehicle(uri)), "")
            if ride:
                ledger.settle(item, place_of(ride), time, record)
            else:
                ledger.leave(item, time, record)
        elif after:
            ledger.settle(item, place_of(after), time, record)
        elif event.read_point:
            shown = place_of(event.read_point)
            begun = ledger.begun(item)
            # A read point says where the item was, not where it stays: only an arrival makes it a certain stay.
            if effect == "arrive" or begun is None or begun.place != shown:
                ledger.settle(item, shown, time, record, certain=effect == "arrive")

    def _lot(self, event: EventView, rule: Rule, uri: str) -> list[Share]:
        """Show, ship or receive a class-level lot; return the portions that were there."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        here = event.read_point or event.biz_location
        if rule.stay != "leave":
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
            # How much is left behind is not known: from now on the rest is only possibly there.
            if begun is not None:
                ledger.settle(share.party, begun.place, time, record, certain=False)
        self._stay(event, "leave", consignment)
        if here:
            ledger.flash(consignment, place_of(here), time, record)
        return [*origins, Share(consignment, True)]

    def _show_share(self, event: EventView, effect: str, share: Share, here: str) -> None:
        if here:
            self.ledger.flash(share.party, place_of(here), event.event_time, event.record_hash, certain=share.certain)
        if effect == "end":
            if share.certain:
                self.ledger.leave(share.party, event.event_time, event.record_hash)
        elif share.certain and (uri := settled_place(event)):
            self.ledger.settle(share.party, place_of(uri), event.event_time, event.record_hash)

    def _parent(self, event: EventView) -> Party | None:
        return next((Party("item", uri) for uri in event.named("parent")), None)

    def _pack(
        self, event: EventView, rule: Rule, place: Place | None, wrapped: list[tuple[Party, Party]]
    ) -> list[Share]:
        """Put children into the parent; packing (not observing) closes it."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        parent = self._parent(event)
        shares: list[Share] = []
        for uri in event.named("child"):
            child = Party("item", uri)
            if parent is not None and (rule.nest == "observe" or ledger.parent(child) == parent):
                ledger.nest(child, parent, time, record)
                wrapped.append((child, ledger.root(child)))
                continue
            shares.append(Share(child, True))
            at = place or ledger.whereabouts(child)
            if at is not None:
                ledger.flash(child, at, time, record)
            if parent is None:
                self._stay(event, rule.stay, child)
            else:
                ledger.nest(child, parent, time, record)
        for uri in event.named("child_quantity"):
            if parent is None:
                shares += self._lot(event, rule, uri)
                continue
            portion = self.portions.packed(uri, parent, event, from_outside=rule.nest == "add")
            ledger.nest(portion, parent, time, record)
            if rule.nest == "observe":
                wrapped.append((portion, ledger.root(portion)))
                continue
            if place is not None:
                ledger.flash(portion, place, time, record)
            shares.append(Share(portion, True))
        if parent is not None and rule.nest == "add":
            ledger.close(parent, time, record)
        return shares

    def _unpack(self, event: EventView, place: Place | None) -> list[Share]:
        """Take children out of the parent, all of them if none is named; that opens it."""
        ledger, time, record = self.ledger, event.event_time, event.record_hash
        parent = self._parent(event)
        around = place or (ledger.whereabouts(parent) if parent else None)
        shares: list[Share] = []
        children = [Party("item", uri) for uri in event.named("child")]
        lots = event.named("child_quantity")
        if parent is not None:
            if not children and not lots:
                children = list(ledger.contents(parent))
            else:
                children += [inside for uri in lots if (inside := self.portions.inside(uri, parent))]
            ledger.open(parent, time, record)
            if around is not None:
                ledger.flash(parent, around, time, record)
            shares.append(Share(parent, True))
            if ledger.parent(parent) is None:
                self._stay(event, "arrive", parent)
        for child in children:
            at = around or ledger.whereabouts(child)
            if at is not None:
                ledger.flash(child, at, time, record)
            if child in self.portions.names:
                out = self._pour(event, child, settled_place(event) or (at.id if at else ""), all_of_it=not lots)
            else:
                ledger.take_out(child, time, record)
                out = child
            self._settle_out(event, out, at)
            shares.append(Share(out, True))
        found = {self.portions.names[one][0] for one in children if one in self.portions.names}
        for uri in lots:
            if uri not in found:
                shares += [Share(one.party, one.certain) for one in self.portions.present(uri, event, receive=True)]
        return shares

    def _pour(self, event: EventView, portion: Party, place_uri: str, *, all_of_it: bool) -> Party:
        """Move a portion from its unit to the place; a part of it may stay inside."""
        if all_of_it:
            self.ledger.take_out(portion, event.event_time, event.record_hash)
        return self.portions.unpacked(portion, place_uri, event)

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
            ledger.take_out(item, time, record)
            if at is not None:
                ledger.flash(item, at, time, record)
            ledger.leave(item, time, record)
            ledger.flow("input", item, process, time, record, hops=1)
            shares.append(Share(item, True))
        for uri in event.named("input_quantity"):
            for share in self._lot(event, rule, uri):
                ledger.flow("input", share.party, process, time, record, hops=1, certain=share.certain)
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

    def _handle(
        self,
        event: EventView,
        rule: Rule,
        place: Place | None,
        before: dict[Party, Place | None],
        shares: list[Share],
        wrapped: list[tuple[Party, Party]],
    ) -> None:
        """Let the participants meet the event's items, and stay at its place."""
        ledger, record = self.ledger, event.record_hash
        rooms = [place] if place is not None else sorted({at for at in before.values() if at is not None})
        handoff = Place("handoff", record)
        spans: list[tuple[Micros, Micros]] = []
        for person in event.participants:
            who = Party("person", person.person_no)
            start, end = self._span(event, person)
            for room in rooms:
                ledger.emit("at", who, room, start, end, record, contact=person.contact)
            if event.read_point and event.biz_location not in ("", event.read_point) and rule.stay != "leave":
                ledger.emit(
                    "at", who, place_of(event.biz_location), start, end, record, certain=False, contact=person.contact
                )
            if person.contact == "same-room" and rooms:
                continue
            spans.append((start, end))
            ledger.emit("handle", who, handoff, start, end, record, contact=person.contact)
            self._reach_in(event, rule, person, who, (start, end), shares, wrapped)
        if not spans:
            return
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        bare = any(person.contact == "opened" for person in event.participants)
        held = {(share.party, share.certain) for share in shares}
        for item, root in wrapped:
            # Whoever moves a closed unit touches its outside; the record may still mean the thing within.
            held |= {(root, True), (item, bare)}
        for item, certain in held:
            ledger.emit("handled", item, handoff, first, last, record, certain=certain)

    def _reach_in(
        self,
        event: EventView,
        rule: Rule,
        person: Participant,
        who: Party,
        span: tuple[Micros, Micros],
        shares: list[Share],
        wrapped: list[tuple[Party, Party]],
    ) -> None:
        """Let a person who opens or unpacks a unit meet its inside, and open it."""
        ledger, (start, end) = self.ledger, span
        opened: set[Party] = set()
        if rule.nest == "delete" and (parent := self._parent(event)) is not None:
            opened.add(parent)
        if person.contact == "opened" and rule.nest != "add":
            opened |= {share.party for share in shares if ledger.contents(share.party)}
            for item, _ in wrapped:
                step = ledger.parent(item)
                while step is not None:
                    opened.add(step)
                    step = ledger.parent(step)
        for unit in opened:
            ledger.open(unit, min(start, event.event_time), event.record_hash)
            ledger.emit("handle", who, interior_of(unit), start, end, event.record_hash, contact="opened")

    def _span(self, event: EventView, person: Participant) -> tuple[Micros, Micros]:
        """Return a participant's half-open interval; what is not said is the event's instant."""
        time = event.event_time
        start = person.start if person.start is not None else min(time, person.end if person.end is not None else time)
        end = person.end if person.end is not None else max(time, start)
        if end < start:
            self.ledger.note("participant-interval", event.record_hash, person.person_no)
            start = end = time
        # A moment that was not written down (or one moment for both ends) lasts an instant.
        return start, end + INSTANT if person.end is None or end == start else end

    def _sample(self, event: EventView) -> None:
        """Write down a laboratory's result."""
        sample = event.sample
        if sample is None:
            return
        subjects = (sample.subject,) if sample.subject else tuple(dict.fromkeys(ref.uri for ref in event.items))
        time = sample.time if sample.time is not None else event.event_time
        for subject in subjects:
            self.samples.append(SampleFact(subject, sample.result, time, event.record_hash))
