"""Accounts: how much of a thing came to a place, went from it and is there, and each movement with its record.

docs/answers.md (the columns); amounts of different units never meet. Pure values.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeAlias

ZERO: Final = Decimal(0)

Kind: TypeAlias = Literal[
    "made", "entered", "arrived", "left", "returned", "sold", "destroyed", "used", "found", "missing"
]
"""`entered`: came from outside the records. `found`, `missing`: more or less was seen than the records explain."""

KINDS: Final[tuple[Kind, ...]] = (
    "made",
    "entered",
    "arrived",
    "returned",
    "found",
    "left",
    "sold",
    "destroyed",
    "used",
    "missing",
)

INTO: Final = frozenset({"made", "entered", "arrived", "returned", "found"})
"""The kinds that add to what is at a place; all others take away."""


class Spot(NamedTuple):
    """Where some of a thing is: at a site, in a unit, on its way to a destination, or out of the chain."""

    kind: Literal["place", "unit", "way", "out"]
    id: str
    origin: str = ""
    """The place that it left."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Some of a thing came, went, was made, used up or lost."""

    kind: Kind
    thing: str
    amount: Decimal | None
    uom: str
    place: str
    """Where that was recorded."""
    source: str
    destination: str
    time_us: int
    record: str
    about: tuple[str, ...] = ()
    """Of what is used up, what it became; of what is made, what from."""


@dataclass(slots=True)
class Account:
    """One thing in one unit of measure at one site."""

    thing: str
    uom: str
    place: str
    """As it was last named."""
    sums: dict[Kind, Decimal] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)
    destinations: dict[str, None] = field(default_factory=dict)
    since_us: int = 0
    last_us: int = 0
    last_record: str = ""
    is_uncounted: bool = False
    """A record names some of it and no amount."""

    def of(self, kind: Kind) -> Decimal:
        """Return the sum of one kind."""
        return self.sums.get(kind, ZERO)

    @property
    def stock(self) -> Decimal:
        """Return what must be there; below nothing, more left than ever came."""
        return sum((self.of(kind) if kind in INTO else -self.of(kind) for kind in KINDS), ZERO)

    def book(self, one: Movement) -> None:
        """Add a movement."""
        before = self.stock
        if one.amount is None:
            self.is_uncounted = True
        else:
            self.sums[one.kind] = self.of(one.kind) + one.amount
        if one.kind in INTO and before <= ZERO:
            self.since_us = one.time_us
        for known, name in ((self.sources, one.source), (self.destinations, one.destination)):
            if name:
                known[name] = None
        self.touch(one.place, one.time_us, one.record)

    def touch(self, place: str, time_us: int, record: str) -> None:
        """Say that a record has spoken of it here."""
        self.place = place or self.place
        self.last_us, self.last_record = time_us, record


class Note(NamedTuple):
    """Something that does not fit together."""

    code: Literal["short", "found", "missing", "no-departure", "seen-again", "uncounted"]
    thing: str
    place: str
    record: str
    amount: Decimal | None = None
    uom: str = ""
