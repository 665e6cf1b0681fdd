"""Forward and backward lists of an item or lot: what came, what went, what is where, as of a time and a log's size.

docs/answers.md (Lists). The walk of an item's history says what belongs to it, the balance how much of it is where.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Connection

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import digital_link, normal
from sudonglian.chain.identifiers.digital_link import DigitalLink
from sudonglian.records import derive, history, log, master_data
from sudonglian.records.naming import SERIAL, Naming
from sudonglian.trace.answers.account import INTO, KINDS, ZERO, Account, Movement, Note, Spot
from sudonglian.trace.answers.balance import Balance
from sudonglian.trace.answers.happenings import happening
from sudonglian.trace.answers.reckoning import EXACT, reckon
from sudonglian.trace.engine.rules import site
from sudonglian.trace.errors import QueryRefused

Direction: TypeAlias = Literal["back", "forward"]

MAX_THINGS: Final = 100_000
"""Of one answer: a pallet has thousands of boxes, a week's catch hundreds of lots; more is a question asked too widely."""

Status: TypeAlias = Literal["in-stock", "on-the-way", "sold", "destroyed", "used", "gone", "short", "uncounted"]

NAME: Final = "sdl:name"


@dataclass(frozen=True, slots=True)
class Holding:
    """What is, or was, of a thing at a place, or on its way."""

    thing: str
    uom: str
    status: Status
    place: str
    unit: str
    """The outermost unit that a single item is in."""
    account: Account | None
    stock: Decimal
    source: str
    destination: str
    since_us: int
    last_us: int
    record: str

    def as_json(self, names: dict[str, str]) -> dict[str, Any]:
        """Return the members of a row."""
        booked = self.account
        return {
            "item": self.thing,
            "name": names.get(self.thing),
            "unit": self.uom or None,
            "status": self.status,
            "place": self.place or None,
            "place_name": names.get(self.place),
            "inside": self.unit or None,
            "stock": text(self.stock),
            **{kind: text(booked.of(kind)) if booked else "0" for kind in KINDS},
            "uncounted": booked.is_uncounted if booked else False,
            "from": [*booked.sources] if booked else [self.source],
            "to": [*booked.destinations] if booked else [self.destination],
            "since": derive.moment(self.since_us).isoformat() if self.since_us else None,
            "last_time": derive.moment(self.last_us).isoformat() if self.last_us else None,
            "last_record": self.record or None,
        }


@dataclass(frozen=True, slots=True)
class Listed:
    """The answer: everything that it holds is in order, and the same for the same log."""

    epc: str
    direction: Direction
    as_of_us: int | None
    log_size: int
    is_whole: bool
    """Whether records that wait for a seal were read too."""
    holdings: tuple[Holding, ...]
    movements: tuple[Movement, ...]
    notes: tuple[Note, ...]
    names: dict[str, str] = field(default_factory=dict)

    def totals(self) -> list[dict[str, Any]]:
        """Return the sums of each kind of thing in each unit, with what does not come out."""
        sums: dict[tuple[str, str], dict[str, Decimal]] = {}
        with localcontext(EXACT):
            for one in self.movements:
                if one.kind in ("arrived", "left", "returned") or one.amount is None:
                    continue
                into = sums.setdefault((class_of(one.thing), one.uom), {})
                into[one.kind] = into.get(one.kind, ZERO) + one.amount
            for held in self.holdings:
                into = sums.setdefault((class_of(held.thing), held.uom), {})
                kind = {"in-stock": "in_stock", "on-the-way": "on_the_way", "short": "short"}.get(held.status)
                if kind:
                    into[kind] = into.get(kind, ZERO) + held.stock
            return [
                {
                    "item": thing,
                    "name": self.names.get(thing),
                    "unit": uom or None,
                    **{kind: text(found.get(kind, ZERO)) for kind in TOTALS},
                    "unaccounted": text(found.get("found", ZERO) - found.get("short", ZERO) + found.get("missing", ZERO)),
                }
                for (thing, uom), found in sums.items()
            ]  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return the document that the doors give."""
        return {
            "epc": self.epc,
            "name": self.names.get(self.epc),
            "direction": self.direction,
            "as_of": None if self.as_of_us is None else derive.moment(self.as_of_us).isoformat(),
            "log_size": self.log_size,
            "with_waiting": self.is_whole,
            "totals": self.totals(),
            "holdings": [one.as_json(self.names) for one in self.holdings],
            "movements": [_movement(one, self.names) for one in self.movements],
            "unexplained": [_note(one) for one in self.notes],
        }


TOTALS: Final = (
    "made",
    "entered",
    "found",
    "in_stock",
    "on_the_way",
    "sold",
    "destroyed",
    "used",
    "missing",
    "short",
)


def listed(
    connection: Connection, epc: str, direction: Direction, *, as_of_us: int | None = None, size: int | None = None
) -> Listed:
    """Return the list of an item or lot in its normal form.

    Raises
    ------
    QueryRefused
        The log is not that large, or too many things belong to the answer.
    """
    whole = log.size(connection)
    if size is not None and not 0 <= size <= whole:
        raise QueryRefused(f"the log has {whole} entries", place="size")
    naming = Naming(connection, size, as_of_us)
    things = _things(naming, epc, direction)
    if len(things) > MAX_THINGS:
        raise QueryRefused(f"more than {MAX_THINGS} items and lots; ask for one of them", place="EPC")
    naming.prefetch([*things])
    events: dict[bytes, history.Event] = {}
    for thing in things:
        for event in history.carried(naming.of, thing):
            events[event.record_hash] = event
    balance = _balance(naming, events.values(), frozenset(things))
    holdings = tuple(_holdings(balance, things))
    movements = tuple(one for one in balance.movements if one.thing in things)
    notes = tuple(one for one in balance.notes if one.thing in things)
    shown = {epc, *things, *(class_of(one) for one in things)}
    for held in holdings:
        shown |= {held.place, held.unit, held.source, held.destination}
    for one in movements:
        shown |= {one.place, one.source, one.destination}
    names = {one: name for one, name in _names(connection, naming, shown).items() if one}
    read = whole if size is None else size
    return Listed(epc, direction, as_of_us, read, size is None, holdings, movements, notes, names)


def _things(naming: Naming, epc: str, direction: Direction) -> dict[str, None]:
    """Return what the list is about: the item, what is in it, what it became or was made of; a lot's single items too."""
    wanted = ("self", "content", "output" if direction == "forward" else "input")
    found: dict[str, None] = {epc: None}
    waiting = [epc]
    while waiting:
        start = waiting.pop()
        for name, relation in history.related(naming.of, start, direction, naming.transformation).items():
            if relation in wanted:
                found.setdefault(name)
        for serial in naming.serials(start) if SERIAL not in start else ():
            if serial not in found:
                found[serial] = None
                waiting.append(serial)
    return found


def _balance(naming: Naming, events: Iterable[history.Event], things: frozenset[str]) -> Balance:
    read = []
    for event in events:
        if not event.in_error:
            stored, said = naming.records[event.record_hash]
            read.append(happening(event.record_hash, stored.id, said))
    return reckon(read, things)


def _holdings(balance: Balance, things: Iterable[str]) -> Iterator[Holding]:
    known = [*things]
    by_thing: dict[str, list[Account]] = {}
    for account in balance.accounts.values():
        by_thing.setdefault(account.thing, []).append(account)
    for thing in known:
        if thing in balance.items:
            yield _single(balance, thing, by_thing.get(thing, []))
            continue
        for account in by_thing.get(thing, []):
            stock = balance.stock_at(thing, account.uom, site(account.place))
            yield Holding(
                thing, account.uom, _status(account, stock), account.place, "", account, stock, "", "",
                account.since_us if stock else 0, account.last_us, account.last_record,
            )  # fmt: skip
        for (lot, uom), spots in balance.lots.items():
            if lot == thing:
                yield from _moving(balance, lot, uom, spots)


def _moving(balance: Balance, lot: str, uom: str, spots: dict[Spot, Decimal]) -> Iterator[Holding]:
    found: dict[Spot, Decimal] = {}
    for spot, amount in spots.items():
        at = balance.root(spot.id) if spot.kind == "unit" else spot
        if at is not None and at.kind == "way":
            found[at] = found.get(at, ZERO) + amount
    for way, amount in found.items():
        since_us, record = balance.ways.get((lot, uom, way), (0, ""))
        yield Holding(
            lot, uom, "on-the-way", "", "", None, amount, way.origin, way.id, since_us, since_us, record
        )  # fmt: skip


def _single(balance: Balance, item: str, accounts: list[Account]) -> Holding:
    root = balance.root(item)
    since_us, record, place = balance.seen[item]
    spot = balance.items[item]
    unit = spot.id if spot.kind == "unit" else ""
    while unit and (outer := balance.items.get(unit)) is not None and outer.kind == "unit":
        unit = outer.id
    last_us = max((one.last_us for one in accounts), default=since_us)
    latest = max(accounts, key=lambda one: one.last_us, default=None)
    if root is not None and root.kind == "way":
        return Holding(item, "", "on-the-way", "", unit, None, Decimal(1), root.origin, root.id, since_us, last_us, record)  # fmt: skip
    if root is not None and root.kind == "out":
        status: Status = "sold" if root.id == "sold" else "used" if root.id == "used" else "destroyed"
        return Holding(item, "", status, place, "", latest, ZERO, "", "", since_us, last_us, record)
    return Holding(item, "", "in-stock", place, unit, latest, Decimal(1), "", "", since_us, last_us, record)


def _status(account: Account, stock: Decimal) -> Status:
    if stock > ZERO:
        return "in-stock"
    if stock < ZERO:
        return "short"
    return "uncounted" if account.is_uncounted else "gone"


def _names(connection: Connection, naming: Naming, wanted: Iterable[str]) -> dict[str, str]:
    """Return what things and places are called; what a record itself says goes before master data (0207)."""
    asked = {one for one in wanted if one}
    # A lot is called what its class of goods is called.
    classes = {one: trade_item(one) for one in asked}
    told = master_data.names_of(connection, asked | set(classes.values()))
    found = {one: name for one in asked if (name := told.get(one) or told.get(classes[one]))}
    for _, event in naming.records.values():
        for member in ("readPoint", "bizLocation"):
            place = event.get(member)
            if isinstance(place, dict) and isinstance(named := place.get("id"), str):
                said = place.get(NAME)
                if isinstance(said, str) and (known := normal(named)) in asked:
                    found[known] = said
    return found


@lru_cache(maxsize=4_096)
def class_of(thing: str) -> str:
    """Return the kind that an item is one of: its lot if its name tells, else its trade item; other things are their own.

    >>> class_of("https://id.gs1.org/01/09520001002014/10/A/21/7")
    'https://id.gs1.org/01/09520001002014/10/A'
    """
    link = digital_link.parse(thing)
    if link is None:
        return thing
    if link.ai == "00":
        return f"{digital_link.DOMAIN}/00"
    return str(DigitalLink(link.ai, link.value, tuple(one for one in link.qualifiers if one[0] != "21")))


@lru_cache(maxsize=4_096)
def trade_item(thing: str) -> str:
    """Return the GTIN of an item or lot, without lot and serial.

    >>> trade_item("https://id.gs1.org/01/09520001002014/10/A/21/7")
    'https://id.gs1.org/01/09520001002014'
    """
    link = digital_link.parse(thing)
    return str(DigitalLink(link.ai, link.value)) if link is not None and link.ai == "01" else thing


def text(amount: Decimal) -> str:
    """Return an amount in plain digits, as many as it has.

    >>> text(Decimal("1.50")), text(Decimal("1E+3")), text(Decimal("-0"))
    ('1.5', '1000', '0')
    """
    if amount == ZERO:
        return "0"
    plain = format(amount, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _movement(one: Movement, names: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "into": one.kind in INTO,
        "item": one.thing,
        "quantity": None if one.amount is None else text(one.amount),
        "unit": one.uom or None,
        "place": one.place or None,
        "place_name": names.get(one.place),
        "from": one.source or None,
        "to": one.destination or None,
        "time": derive.moment(one.time_us).isoformat(),
        "record": one.record,
        "about": [*one.about],
    }


def _note(one: Note) -> dict[str, Any]:
    amount: Json = None if one.amount is None else text(one.amount)
    return {
        "code": one.code,
        "item": one.thing,
        "place": one.place or None,
        "quantity": amount,
        "unit": one.uom or None,
        "record": one.record,
    }
