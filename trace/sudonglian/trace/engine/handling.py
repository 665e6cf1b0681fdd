"""What people did with an event's items: handled, opened, disinfected, sampled.

docs/spec/facts.md §4.5, §5, §11 and §12.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sudonglian.trace.engine.events import Disinfection, EventView, Participant
from sudonglian.trace.engine.facts import INSTANT, Clean, Micros, Party, Place, Reading, SampleFact
from sudonglian.trace.engine.ledger import Ledger, interior_of, place_of
from sudonglian.trace.engine.portions import SEPARATOR, Share
from sudonglian.trace.engine.rules import FactTable, Rule, is_location, is_vehicle

OUTSIDE: Final = "/outside"
"""Ends the name of the handoff of a unit that is being packed: its outside does not meet what goes into it."""


class Shown(NamedTuple):
    """What an event shows: items and portions in the open, things named while wrapped (with the outermost unit)."""

    shares: Sequence[Share]
    wrapped: Sequence[tuple[Party, Party]]
    place: Place | None
    presumed: Sequence[Place]
    """Where the items were by the records before, for an event that names no place."""
    opening: bool
    """Whether the step itself says that the units named were opened."""


def parent_of(event: EventView) -> Party | None:
    """Return the unit that an aggregation speaks of."""
    return next((Party("item", uri) for uri in event.named("parent")), None)


def span(event: EventView, person: Participant) -> tuple[Micros, Micros] | None:
    """Return a participant's half-open interval; what is not said is the event's instant. None if it runs backward.

    A moment that was not written down (or one moment for both ends) lasts an instant.
    """
    time = event.event_time
    start = person.start if person.start is not None else min(time, person.end if person.end is not None else time)
    end = person.end if person.end is not None else max(time, start)
    if end < start:
        return None
    return start, end + INSTANT if person.end is None or end == start else end


class People:
    """Lets participants meet what an event shows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def handle(self, event: EventView, rule: Rule, seen: Shown) -> None:
        """Let the participants meet the event's items, and stay at its place."""
        ledger, record = self._ledger, event.record_hash
        rooms = [seen.place] if seen.place is not None else list(seen.presumed)
        if seen.place is None and event.participants:
            ledger.note("no-place", record, next(iter(event.items)).uri if event.items else "")
        handoff = Place("handoff", record)
        packed = parent_of(event) if rule.nest == "add" else None
        spans: list[tuple[Micros, Micros]] = []
        for unit in self._opened_by_step(seen):
            ledger.open(unit, event.event_time, record)
        for person in event.participants:
            who = Party("person", person.person_no)
            told = span(event, person)
            if told is None:
                ledger.note("participant-interval", record, person.person_no)
            start, end = told or (event.event_time, event.event_time + INSTANT)
            for room in rooms:
                # Without a place in the record, they were where the items were by then: possibly.
                sure = seen.place is not None
                ledger.emit("at", who, room, start, end, record, certain=sure, contact=person.contact)
            if event.read_point and event.biz_location not in ("", event.read_point) and rule.stay != "leave":
                ledger.emit(
                    "at", who, place_of(event.biz_location), start, end, record, certain=False, contact=person.contact
                )
            if person.contact == "same-room" and rooms:
                continue
            spans.append((start, end))
            ledger.emit("handle", who, handoff, start, end, record, contact=person.contact)
            if packed is not None:
                outside = Place("handoff", record + OUTSIDE)
                ledger.emit("handle", who, outside, start, end, record, contact="outer-packaging")
            self._reach_in(event, rule, person, (start, end), seen)
        if not spans:
            return
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        bare = seen.opening or any(person.contact == "opened" for person in event.participants)
        held = {(share.party, share.certain) for share in seen.shares}
        for item, root in seen.wrapped:
            # Whoever moves a closed unit touches its outside; the record may still mean the thing within.
            held |= {(root, True), (item, bare)}
        for item, certain in sorted(held):
            where = Place("handoff", record + OUTSIDE) if item == packed else handoff
            ledger.emit("handled", item, where, first, last, record, certain=certain)

    def _opened_by_step(self, seen: Shown) -> set[Party]:
        """Return the units that the event's step opens."""
        if not seen.opening:
            return set()
        return {share.party for share in seen.shares if self._ledger.contents(share.party)} | {
            unit for item, _ in seen.wrapped for unit in self._ledger.units(item)
        }

    def _reach_in(
        self, event: EventView, rule: Rule, person: Participant, within: tuple[Micros, Micros], seen: Shown
    ) -> None:
        """Let a person who opens or unpacks a unit meet its inside, and open it."""
        ledger, (start, end) = self._ledger, within
        opened = self._opened_by_step(seen)
        if rule.nest == "delete":
            opened |= {parent for parent in (parent_of(event),) if parent is not None}
        # Unpacking opens the unit and not what it held; whoever packs opens nothing.
        elif person.contact == "opened" and rule.nest != "add":
            opened |= {share.party for share in seen.shares if ledger.contents(share.party)}
            opened |= {unit for item, _ in seen.wrapped for unit in ledger.units(item)}
        who = Party("person", person.person_no)
        for unit in sorted(opened):
            ledger.open(unit, min(start, event.event_time), event.record_hash)
            ledger.emit("handle", who, interior_of(unit), start, end, event.record_hash, contact="opened")


def cleans_of(event: EventView, table: FactTable, seen: Shown) -> list[Clean]:
    """Return what the event disinfects: its items' outsides, or its place if it names no item.

    It is finished when the last of those who took part has ended; who is there until then meets what was there.
    """
    told = event.disinfection
    if told is None:
        if table.step(event.biz_step) not in table.cleaning:
            return []
        told = Disinfection()
    complete, sure = table.judge(told.complete, told.log10)
    spans = [within for person in event.participants if (within := span(event, person)) is not None]
    finished = told.time if told.time is not None else max([event.event_time, *(end - INSTANT for _, end in spans)])
    subjects: list[tuple[Party | Place, bool]] = []
    if told.subject:
        subjects = [(one, True) for one in _named(told.subject)]
    elif event.items:
        subjects = [(place_of(item.uri), True) for item in event.items if is_location(item.uri)]
        for party, certain in seen.shares:
            subjects += [(one, certain) for one in ([party] if SEPARATOR in party.id else _named(party.id))]
        # A record that cleans what is still wrapped may mean the unit around it.
        subjects += [(item, False) for item, _ in seen.wrapped]
        subjects += [(root, False) for _, root in seen.wrapped]
    else:
        places = [uri for uri in (event.read_point, event.biz_location) if uri]
        subjects = [(place_of(uri), uri == places[0]) for uri in places]
    return [
        Clean(subject, finished, complete, sure and certain, told.log10, event.record_hash)
        for subject, certain in subjects
    ]


def _named(uri: str) -> list[Party | Place]:
    """Return what an identifier in a disinfection means: a location is a place, a vehicle is both."""
    if is_vehicle(uri):
        return [Party("item", uri), place_of(uri)]
    return [place_of(uri)] if is_location(uri) else [Party("item", uri)]


def samples_of(
    event: EventView, table: FactTable, seen: Shown, portions: Mapping[Party, tuple[str, str]]
) -> list[SampleFact]:
    """Return a laboratory's result for each item, for the portions of a lot at the place, or for the place."""
    sample = event.sample
    if sample is None:
        return []
    if sample.subject:
        held = [share.party.id for share in seen.shares if portions.get(share.party, ("", ""))[0] == sample.subject]
        subjects = held or [sample.subject]
    elif event.items:
        subjects = [item.uri for item in event.items if is_location(item.uri)]
        subjects += [share.party.id for share in seen.shares] + [item.id for item, _ in seen.wrapped]
    else:
        subjects = [uri for uri in (event.read_point or event.biz_location,) if uri]
    time = sample.time if sample.time is not None else event.event_time
    verdict = table.verdict(sample.result)
    return [
        SampleFact(subject, sample.result, verdict, time, event.record_hash, event.event_id)
        for subject in dict.fromkeys(subjects)
    ]


def readings_of(event: EventView, seen: Shown) -> list[Reading]:
    """Return what the event's sensors tell: of its items and portions, or without items of its place."""
    if not event.temperatures:
        return []
    if event.items:
        subjects = [item.uri for item in event.items if is_location(item.uri) or is_vehicle(item.uri)]
        subjects += [share.party.id for share in seen.shares] + [item.id for item, _ in seen.wrapped]
    else:
        subjects = [uri for uri in (event.read_point or event.biz_location,) if uri]
    return [
        Reading(subject, *told, event.record_hash) for subject in dict.fromkeys(subjects) for told in event.temperatures
    ]
