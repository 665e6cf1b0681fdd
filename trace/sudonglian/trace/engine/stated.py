"""What people said: stays, meetings and handled goods of an interview's record, all of them possible and none certain.

docs/spec/facts.md §17; docs/decisions/0830. It moves no goods: what firms recorded of them stays as they recorded it.
"""

from dataclasses import replace
from typing import Final

from sudonglian.trace.engine.events import EventView, Interview
from sudonglian.trace.engine.facts import INSTANT, Beside, Facts, Party, Place, Statement
from sudonglian.trace.engine.ledger import Ledger, interior_of, place_of
from sudonglian.trace.engine.portions import SEPARATOR

STATED: Final = "stated"
"""Begins the names of facts that rest on what somebody said."""

AT: Final = f"{STATED}-at"
MET: Final = f"{STATED}-met"
HANDLED: Final = f"{STATED}-handled"

GONE: Final = "stated-gone"
"""The note about goods that were destroyed or used up before somebody says to have had them."""


def is_stated(fact: str) -> bool:
    """Tell whether a fact rests on what somebody said.

    >>> is_stated(AT), is_stated("at")
    (True, False)
    """
    return fact.startswith(STATED)


def stated(ledger: Ledger, event: EventView, said: Interview) -> Statement:
    """Write down what a record of an interview says, over the widest time that it may mean."""
    start, end = said.begin_from, max(said.end_to, said.begin_to) + INSTANT
    persons = tuple(sorted({one.person_no for one in event.participants}))
    goods = [Party("item", uri) for uri in said.items]
    # The portion of a lot that is there; a lot without a place is everywhere, and nothing is made of it.
    goods += [Party("item", f"{uri}{SEPARATOR}{said.place}") for uri in said.lots if said.place]
    handoff = Place("handoff", event.record_hash)
    if start < end:
        for number in persons:
            who = Party("person", number)
            if said.place:
                ledger.emit(AT, who, place_of(said.place), start, end, event.record_hash, certain=False)
            if goods or len(persons) > 1:
                ledger.emit(MET, who, handoff, start, end, event.record_hash, certain=False, contact=said.contact)
        for item in goods:
            ledger.emit(HANDLED, item, handoff, start, end, event.record_hash, certain=False)
            if said.contact == "opened":
                _reach_in(ledger, event, item, persons, start, end)
    for item in goods:
        if (known := ledger.ended.get(item)) is not None:
            ledger.note(GONE, event.record_hash, item.id, known[1])
    named = tuple(item.id for item in goods)
    return Statement(event.record_hash, persons, said.told, *said[3:7], said.place, named, said.by, said.certainty)


def _reach_in(ledger: Ledger, event: EventView, item: Party, persons: tuple[str, ...], start: int, end: int) -> None:
    """Let whoever says to have opened a unit meet what is in it, and the unit itself."""
    inside = interior_of(item)
    for who in (item, *(Party("person", number) for number in persons)):
        fact = HANDLED if who == item else MET
        ledger.emit(fact, who, inside, start, end, event.record_hash, certain=False, contact="opened")


def without_interviews(facts: Facts) -> Facts:
    """Return what firms' records alone say: no statement has a part in any other fact."""
    if not facts.statements:
        return facts
    return replace(
        facts,
        stays=tuple([stay for stay in facts.stays if not is_stated(stay.fact)]),
        notes=tuple([note for note in facts.notes if note.code != GONE]),
        statements=(),
        beside=Beside(),
    )
