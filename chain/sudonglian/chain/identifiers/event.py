"""The identifiers that one event names, each with its role.

EPCIS 2.0 §7.4 (the lists of the five event types); docs/spec/plain-event.md (sdl:traceCode).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.chain.identifiers.normal import normal

Role: TypeAlias = Literal[
    "epc",
    "quantity",
    "parent",
    "child",
    "child_quantity",
    "input",
    "input_quantity",
    "output",
    "output_quantity",
    "trace_code",
]

LISTS: Final[dict[str, Role]] = {
    "epcList": "epc",
    "parentID": "parent",
    "childEPCs": "child",
    "inputEPCList": "input",
    "outputEPCList": "output",
}

QUANTITIES: Final[dict[str, Role]] = {
    "quantityList": "quantity",
    "childQuantityList": "child_quantity",
    "inputQuantityList": "input_quantity",
    "outputQuantityList": "output_quantity",
}

CODES: Final = "urn:sudonglian:code:"
"""The URN under which a province's own code is found: one item has many names."""


class EventIdentifier(NamedTuple):
    """One thing that an event names."""

    uri: str
    """As written."""
    normal: str
    role: Role
    quantity: Decimal | None = None
    uom: str | None = None


def identifiers_of(event: dict[str, Json]) -> list[EventIdentifier]:
    """Return what an event names, in the order of the document; a repeated entry counts once a role.

    Two entries of one class with different amounts are two entries: what they say together is for facts to decide.
    Entries of a wrong type are left to the schema.

    >>> [(i.role, i.normal) for i in identifiers_of({"epcList": ["urn:epc:id:sscc:0614141.1234567890"]})]
    [('epc', 'https://id.gs1.org/00/106141412345678908')]
    """
    found: dict[tuple[str, Role, Decimal | None, str | None], EventIdentifier] = {}
    for uri, role, element in _named(event):
        amount, uom = (None, None) if element is None else (_amount(element), element.get("uom"))
        unit = uom if isinstance(uom, str) else None
        name = uri if role == "trace_code" else normal(uri)
        found.setdefault((name, role, amount, unit), EventIdentifier(uri, name, role, amount, unit))
    return [*found.values()]


def names_of(event: dict[str, Json]) -> Iterator[tuple[Role, str]]:
    """Yield the role and the normal form of each thing that an event names, as often as it names it.

    >>> [*names_of({"parentID": "urn:x:1", "childEPCs": ["urn:x:2", "urn:x:2"]})]
    [('parent', 'urn:x:1'), ('child', 'urn:x:2'), ('child', 'urn:x:2')]
    """
    return ((role, uri if role == "trace_code" else normal(uri)) for uri, role, _ in _named(event))


def trace_code(issuer: str, code: str) -> str:
    """Return the URN of a code that a province or a firm issued.

    >>> trace_code("浙冷链", "A/1")
    'urn:sudonglian:code:%E6%B5%99%E5%86%B7%E9%93%BE:A%2F1'
    """
    return f"{CODES}{quote(issuer, safe='')}:{quote(code, safe='')}"


def _named(event: dict[str, Json]) -> Iterator[tuple[str, Role, dict[str, Json] | None]]:
    """Yield (URI, role, the element with its amount); the URN of a trace code is in its normal form already."""
    for member, value in event.items():
        listed = value if isinstance(value, list) else [value]
        if role := LISTS.get(member):
            for uri in listed:
                if isinstance(uri, str) and uri:
                    yield uri, role, None
        elif role := QUANTITIES.get(member):
            for element in listed:
                if isinstance(element, dict) and isinstance(uri := element.get("epcClass"), str) and uri:
                    yield uri, role, element
        elif member == "sdl:traceCode":
            for element in listed:
                if not isinstance(element, dict):
                    continue
                issuer, code = element.get("issuer"), element.get("code")
                if isinstance(issuer, str) and isinstance(code, str):
                    yield trace_code(issuer, code), "trace_code", None


def _amount(element: dict[str, Json]) -> Decimal | None:
    try:
        return canonical.decimal_of(element.get("quantity"))
    except CanonicalRefused:
        return None
