"""EPCIS handoffs as plain values: identifiers with their check digits, events, documents.

docs/spec/plain-event.md and docs/spec/identifiers.md; what `sudonglian validate` finds nothing wrong with.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

RESOLVER: Final = "https://id.gs1.org"
CONTEXT: Final = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}]

EXAMPLE_PREFIX: Final = 952
"""GS1 keeps this prefix for examples: no firm has it."""

EVENT_IDS: Final = uuid.UUID("6f1f0a58-6c52-5c8e-9d5e-0e6f5f9a1b11")
"""Names the events of these documents: the same name is the same event."""

Event = dict[str, Any]


def check_digit(digits: str) -> str:
    """Return the last digit of a GS1 key.

    >>> check_digit("952000100101")
    '7'
    """
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


class Firm:
    """A firm with an invented company prefix, and what it numbers: places, parties, units, products, vehicles."""

    def __init__(self, number: int) -> None:
        self.prefix = f"{EXAMPLE_PREFIX}{number:06d}"

    def gln(self, number: int) -> str:
        """Return a global location number of the firm."""
        body = f"{self.prefix}{number:03d}"
        return body + check_digit(body)

    def party(self) -> str:
        """Return the firm itself."""
        return f"{RESOLVER}/417/{self.gln(0)}"

    def place(self, site: int, name: str) -> str:
        """Return a place of one of the firm's sites."""
        return f"{RESOLVER}/414/{self.gln(site)}/254/{name}"

    def unit(self, number: int) -> str:
        """Return a logistic unit: a pallet, a box, a container."""
        body = f"3{self.prefix}{number:07d}"
        return f"{RESOLVER}/00/{body}{check_digit(body)}"

    def lot(self, product: int, lot: str) -> str:
        """Return a lot of a product."""
        return f"{RESOLVER}/01/{self._gtin(product)}/10/{lot}"

    def piece(self, product: int, serial: int) -> str:
        """Return one piece of a product."""
        return f"{RESOLVER}/01/{self._gtin(product)}/21/{serial}"

    def vehicle(self, name: str) -> str:
        """Return a vehicle."""
        return f"{RESOLVER}/8004/{self.prefix}{name}"

    def _gtin(self, product: int) -> str:
        body = f"0{self.prefix}{product:03d}"
        return body + check_digit(body)


def person(
    phone: str, name: str, role: str, contact: str, start: datetime | None = None, end: datetime | None = None
) -> Event:
    """Return a participant of a handoff, as `sdl:participants` holds it."""
    found: Event = {"personRef": {"kind": "phone", "value": phone, "name": name}, "role": role}
    if contact:
        found["contact"] = contact
    if start is not None:
        found["start"] = start.isoformat()
    if end is not None:
        found["end"] = end.isoformat()
    return found


def event(
    name: str,
    time: datetime,
    step: str,
    *,
    items: Sequence[str] = (),
    amounts: Mapping[str, int] | None = None,
    at: str = "",
    to: str = "",
    people: Sequence[Event] = (),
    action: str = "OBSERVE",
    between: tuple[str, str] | None = None,
    disposition: str = "",
    **more: Any,
) -> Event:
    """Return an ObjectEvent; `at` is its read point, `to` its business location, `between` who gives and who takes.

    `name` names it among all events: the same name gives the same eventID.
    """
    return _with_rest(
        {
            "type": "ObjectEvent",
            **_head(name, time),
            "action": action,
            "bizStep": step,
            **({"disposition": disposition} if disposition else {}),
            **({"epcList": list(items)} if items or not amounts else {}),
            **({"quantityList": _amounts(amounts)} if amounts else {}),
        },
        at,
        to,
        people,
        between,
        more,
    )


def nesting(
    name: str,
    time: datetime,
    step: str,
    parent: str,
    *,
    action: str,
    items: Sequence[str] = (),
    amounts: Mapping[str, int] | None = None,
    at: str = "",
    to: str = "",
    people: Sequence[Event] = (),
    **more: Any,
) -> Event:
    """Return an AggregationEvent: ADD packs into the parent, DELETE takes out of it what is named, or all."""
    return _with_rest(
        {
            "type": "AggregationEvent",
            **_head(name, time),
            "action": action,
            "bizStep": step,
            "parentID": parent,
            **({"childEPCs": list(items)} if items else {}),
            **({"childQuantityList": _amounts(amounts)} if amounts else {}),
        },
        at,
        to,
        people,
        None,
        more,
    )


def document(sender: str, created: datetime, events: Iterable[Event], names: Mapping[str, str] | None = None) -> Event:
    """Return an EPCIS document with what the sender calls its places."""
    told: Event = {}
    if names:
        places = [
            {"id": place, "attributes": [{"id": "cbvmda:name", "attribute": name}]}
            for place, name in sorted(names.items())
        ]
        words = {"type": "urn:epcglobal:epcis:vtype:Location", "vocabularyElementList": places}
        told["epcisHeader"] = {"epcisMasterData": {"vocabularyList": [words]}}
    return {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": created.isoformat(),
        "sender": sender,
        **told,
        "epcisBody": {"eventList": list(events)},
    }


def encoded(value: Any) -> bytes:
    """Return a document as the file holds it: readable, and the same each time."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def compact(value: Any) -> bytes:
    """Return a document in one line, for files that nobody reads."""
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _head(name: str, time: datetime) -> Event:
    return {
        "eventID": f"urn:uuid:{uuid.uuid5(EVENT_IDS, name)}",
        "eventTime": time.isoformat(),
        "eventTimeZoneOffset": time.isoformat()[-6:],
    }


def _amounts(amounts: Mapping[str, int]) -> list[Event]:
    return [{"epcClass": lot, "quantity": count} for lot, count in amounts.items()]


def _with_rest(
    found: Event,
    at: str,
    to: str,
    people: Sequence[Event],
    between: tuple[str, str] | None,
    more: Mapping[str, Any],
) -> Event:
    if at:
        found["readPoint"] = {"id": at}
    if to:
        found["bizLocation"] = {"id": to}
    if between is not None:
        found["sourceList"] = [{"type": "possessing_party", "source": between[0]}]
        found["destinationList"] = [{"type": "possessing_party", "destination": between[1]}]
    found |= {f"sdl:{key}": value for key, value in more.items()}
    if people:
        found["sdl:participants"] = list(people)
    return found
