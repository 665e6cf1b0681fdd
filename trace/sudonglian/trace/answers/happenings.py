"""What one event says about goods and amounts: what came, went, was made, used up, sold or destroyed, and where.

docs/answers.md (what an event does to stock); the table of docs/spec/facts.md §3 says what kind of event it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeAlias

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.chain.identifiers import normal
from sudonglian.chain.identifiers.event import LISTS, QUANTITIES
from sudonglian.trace.casework.views import view
from sudonglian.trace.engine.events import EventView, PartyRef
from sudonglian.trace.engine.rules import fact_table

Does: TypeAlias = Literal["make", "arrive", "leave", "return", "sell", "destroy", "count", "show"]

SOLD: Final = frozenset({"retail_selling", "dispensing"})
"""Whoever gets it here eats it: it leaves the chain."""

MADE: Final = frozenset({"commissioning", "creating_class_instance"})
COUNTED: Final = frozenset({"cycle_counting", "stock_taking"})
"""Steps that say how much there is, not how much was touched."""

BACK: Final = frozenset({"void_shipping"})

LOCATION: Final = "location"
PREFERRED: Final = (LOCATION, "possessing_party", "owning_party")
"""Of several sources or destinations the first kind says best where goods are."""


class Entry(NamedTuple):
    """One line of an event: a thing, in which list, and how much of it; an item named singly is one."""

    uri: str
    role: str
    amount: Decimal | None
    uom: str
    is_lot: bool


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, as the balance of goods reads it."""

    order: tuple[int, int, int]
    """Time in microseconds, rank of the table among equal times, number of the record."""
    record_hash: str
    type: str
    action: str
    step: str
    does: Does
    nest: str
    entries: tuple[Entry, ...]
    place: str
    """Where the goods are afterwards."""
    place_before: str
    """Where they were up to then."""
    source: str
    destination: str
    transformation_id: str

    @property
    def time_us(self) -> int:
        """When it happened."""
        return self.order[0]

    def of(self, *roles: str) -> Iterator[Entry]:
        """Yield the lines with these roles."""
        return (one for one in self.entries if one.role in roles)


def happening(record_hash: bytes, number: int, event: dict[str, Json]) -> Happening:
    """Return what an event in the clear says."""
    seen = view(record_hash.hex(), number, event)
    rule = fact_table().rule(seen.type, seen.action, seen.biz_step)
    step = fact_table().step(seen.biz_step)
    return Happening(
        order=(seen.event_time, rule.rank, number),
        record_hash=seen.record_hash,
        type=seen.type,
        action=seen.action,
        step=step,
        does=_does(seen, step, rule.stay, receives=rule.receive),
        nest=rule.nest,
        entries=tuple(_entries(event)),
        place=seen.biz_location or seen.read_point,
        place_before=seen.read_point or seen.biz_location,
        source=_best(seen.sources),
        destination=_best(seen.destinations),
        transformation_id=seen.transformation_id,
    )


def _does(seen: EventView, step: str, stay: str, *, receives: bool) -> Does:
    is_object = seen.type in ("ObjectEvent", "TransactionEvent")
    if is_object and step in SOLD:
        return "sell"
    if stay == "end":
        return "destroy"
    if stay == "leave":
        return "leave"
    if receives:
        return "arrive"
    if step in BACK:
        return "return"
    if step in COUNTED:
        return "count"
    return "make" if is_object and (step in MADE or (seen.type == "ObjectEvent" and seen.action == "ADD")) else "show"


def _best(parties: tuple[PartyRef, ...]) -> str:
    for kind in PREFERRED:
        for one in parties:
            # CBV words may still be written as URIs.
            if one.type.replace("-", ":").replace("/", ":").rpartition(":")[2] == kind:
                return one.uri
    return parties[0].uri if parties else ""


def _entries(event: dict[str, Json]) -> Iterator[Entry]:
    """Yield every line; two lines that say the same are two amounts."""
    for member, value in event.items():
        listed = value if isinstance(value, list) else [value]
        if role := LISTS.get(member):
            for uri in dict.fromkeys(normal(one) for one in listed if isinstance(one, str) and one):
                yield Entry(uri, role, Decimal(1), "", False)
        elif role := QUANTITIES.get(member):
            for one in listed:
                if isinstance(one, dict) and isinstance(named := one.get("epcClass"), str) and named:
                    uom = one.get("uom")
                    yield Entry(normal(named), role, _amount(one), uom if isinstance(uom, str) else "", True)


def _amount(one: dict[str, Json]) -> Decimal | None:
    try:
        return canonical.decimal_of(one.get("quantity"))
    except CanonicalRefused:
        return None
