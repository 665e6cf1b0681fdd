"""Facts: who was where, and what became of what, each with the records it comes from.

docs/spec/facts.md rules the words; tracing.md §1 and §4 the single relation that carries them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from sudonglian.trace.errors import QueryRefused

Micros = int
"""Microseconds since the Unix epoch, exact: a float loses them from the year 2255 on and equality at once."""

OPEN_END: Final[Micros] = 1 << 60
"""The end of a stay that no record ends: 36,000 years away, and twice it still fits a signed 64-bit integer."""

INSTANT: Final[Micros] = 1
"""How long an instant lasts. Intervals are half-open, so an instant t is [t, t+1) and meets what is there at t."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

PartyKind = Literal["item", "person", "process"]
PlaceKind = Literal["location", "vehicle", "interior", "handoff"]
Contact = Literal["", "outer-packaging", "opened", "same-room"]


class Party(NamedTuple):
    """Whatever can become exposed and carry it on: an item (or a lot's portion), a person, a transformation."""

    kind: PartyKind
    id: str


class Place(NamedTuple):
    """Wherever parties meet: a location, a vehicle, the interior of a logistic unit, one handoff."""

    kind: PlaceKind
    id: str


class Stay(NamedTuple):
    """A party in a place over [start, end), as `start_record` shows and `end_record` (if any) ends."""

    fact: str
    who: Party
    where: Place
    start: Micros
    end: Micros
    certain: bool
    start_record: str
    end_record: str
    contact: Contact = ""


class Flow(NamedTuple):
    """One party becoming (part of) another at an instant: a transformation's side, a lot's split or merge."""

    fact: str
    source: Party
    target: Party
    time: Micros
    hops: int
    certain: bool
    record: str


class Clean(NamedTuple):
    """A disinfection: what was exposed at `time` or before is clean after it, if it was complete."""

    subject: Party | Place
    time: Micros
    complete: bool
    certain: bool
    log10: str
    record: str


class Note(NamedTuple):
    """What the derivation found contradictory or missing: said aloud, never repaired in silence."""

    code: str
    record: str
    about: str
    against: str = ""
    """The other record, where two do not fit together."""


class SampleFact(NamedTuple):
    """A laboratory's result on an item, a portion of a lot, or a place; `positive` is None if it says neither."""

    subject: str
    result: str
    positive: bool | None
    time: Micros
    record: str
    event_id: str = ""


class Reading(NamedTuple):
    """What a logger tells: from start to end, both included, it was between two thousandths of a degree Celsius."""

    subject: str
    start: Micros
    end: Micros
    low: int
    high: int
    record: str


class Beside:
    """What is made of a set of facts once, whoever asks: it is no part of them."""

    __slots__ = ("told",)

    def __init__(self, told: Any = None) -> None:
        self.told = told


class Statement(NamedTuple):
    """What a record of an interview says: people, where, with which goods, when; see `events.Interview`."""

    record: str
    persons: tuple[str, ...]
    told: Micros
    begin_from: Micros
    begin_to: Micros
    end_from: Micros
    end_to: Micros
    place: str
    items: tuple[str, ...]
    by: str
    certainty: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a set of events says, in a canonical order that no order of the input changes."""

    stays: tuple[Stay, ...] = ()
    flows: tuple[Flow, ...] = ()
    cleans: tuple[Clean, ...] = ()
    portions: Mapping[Party, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    samples: tuple[SampleFact, ...] = ()
    readings: tuple[Reading, ...] = ()
    statements: tuple[Statement, ...] = ()
    superseded: tuple[str, ...] = ()
    table_version: str = ""
    days_only: bool = False
    """Whether every event is at one time of day: then only the days are known, and one day may chain."""
    beside: Beside = field(default_factory=Beside, repr=False, compare=False)


KEYS: Final[Mapping[str, Callable[[Any], Any]]] = {"samples": repr}
"""By what a list of facts is ordered, where not by the facts themselves (what a sample says may be None)."""


def canonical(facts: Facts) -> Facts:
    """Return the same facts sorted and without repeats; empty stays are dropped."""
    return Facts(
        stays=tuple(sorted({stay for stay in facts.stays if stay.start < stay.end})),
        flows=tuple(sorted(set(facts.flows))),
        cleans=tuple(sorted(set(facts.cleans))),
        portions=dict(sorted(facts.portions.items())),
        notes=tuple(sorted(set(facts.notes))),
        samples=tuple(sorted(set(facts.samples), key=KEYS["samples"])),
        readings=tuple(sorted(set(facts.readings))),
        statements=tuple(sorted(set(facts.statements))),
        superseded=tuple(sorted(set(facts.superseded))),
        table_version=facts.table_version,
        days_only=facts.days_only,
    )


def micros(moment: datetime) -> Micros:
    """Return an aware moment as microseconds.

    >>> micros(datetime(2020, 11, 8, 0, 0, 0, 1, tzinfo=UTC))
    1604793600000001

    Raises
    ------
    QueryRefused
        The moment names no time zone, so it is no moment.
    """
    if moment.utcoffset() is None:
        raise QueryRefused(f"the time {moment.isoformat()} names no time zone")
    return (moment - EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=1 << 16)
def iso(time: Micros) -> str:
    """Return microseconds as RFC 3339 in UTC; the open end is the empty string.

    >>> iso(1604793600000001), iso(1604793600000000), iso(OPEN_END)
    ('2020-11-08T00:00:00.000001Z', '2020-11-08T00:00:00Z', '')
    """
    try:
        moment = EPOCH + timedelta(microseconds=time)
    except OverflowError:
        return ""
    return moment.replace(tzinfo=None).isoformat() + "Z"
