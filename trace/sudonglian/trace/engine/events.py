"""The engine's view of one EPCIS event: plain values, no store types.

docs/spec/facts.md §2; whoever reads the store fills it, identifiers in their normal form.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from sudonglian.trace.engine.facts import Contact, Micros
from sudonglian.trace.errors import EventRefused

ROLES: Final = frozenset(
    {
        "epc",
        "quantity",
        "parent",
        "child",
        "child_quantity",
        "input",
        "input_quantity",
        "output",
        "output_quantity",
    }
)
"""The lists of an EPCIS event that name items; those that end in `quantity` name classes, not single things."""

CONTACTS: Final = frozenset({"", "outer-packaging", "opened", "same-room"})


class ItemRef(NamedTuple):
    """An identifier and the list of the event that names it."""

    uri: str
    role: str


class PartyRef(NamedTuple):
    """An entry of the event's source or destination list."""

    type: str
    uri: str


class Participant(NamedTuple):
    """A person at a handoff, known by the vault's random number alone."""

    person_no: str
    role: str = ""
    contact: Contact = ""
    start: Micros | None = None
    end: Micros | None = None


class Sample(NamedTuple):
    """The event's laboratory result (`sdl:labTest`); the subject defaults to each item of the event."""

    result: str
    time: Micros | None = None
    subject: str = ""


class Disinfection(NamedTuple):
    """The event's extension `sdl:disinfection`; the subject defaults to each item, or to the place if there is none.

    `complete` is None where the record does not say; `log10` is decimal text; `time` is when it was finished.
    """

    complete: bool | None = None
    log10: str = ""
    subject: str = ""
    time: Micros | None = None


class Temperature(NamedTuple):
    """What a sensor report of the event tells, in thousandths of a degree Celsius, from start to end (both included)."""

    start: Micros
    end: Micros
    low: int
    high: int


class Interview(NamedTuple):
    """What somebody said of where people were, with whom, and with which goods (`sdl:interview`).

    When it began, and when it ended, each lies between two moments, both included; `told` is when it was said.
    """

    told: Micros
    by: str
    certainty: str
    begin_from: Micros
    begin_to: Micros
    end_from: Micros
    end_to: Micros
    place: str = ""
    contact: Contact = ""
    items: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventView:
    """What the derivation of facts needs to know of one recorded event."""

    record_hash: str
    log_index: int
    event_time: Micros
    type: str
    action: str = ""
    biz_step: str = ""
    disposition: str = ""
    items: tuple[ItemRef, ...] = ()
    read_point: str = ""
    biz_location: str = ""
    sources: tuple[PartyRef, ...] = ()
    destinations: tuple[PartyRef, ...] = ()
    transformation_id: str = ""
    participants: tuple[Participant, ...] = ()
    superseded: bool = False
    declares_error: bool = False
    sample: Sample | None = None
    event_id: str = ""
    disinfection: Disinfection | None = None
    temperatures: tuple[Temperature, ...] = ()
    interview: Interview | None = None

    def named(self, *roles: str) -> tuple[str, ...]:
        """Return the identifiers with one of the roles, each once, in the event's order."""
        return tuple(dict.fromkeys(item.uri for item in self.items if item.role in roles))


def check(event: EventView) -> None:
    """Refuse what the derivation would otherwise have to guess.

    Raises
    ------
    EventRefused
        An unknown role or contact, or no record hash.
    """
    if not event.record_hash:
        raise EventRefused("an event without a record hash proves nothing", place=str(event.log_index))
    for item in event.items:
        if item.role not in ROLES:
            raise EventRefused(f"item role {item.role!r} is unknown", place=event.record_hash)
    for person in event.participants:
        if person.contact not in CONTACTS:
            raise EventRefused(f"contact {person.contact!r} is unknown", place=event.record_hash)
