"""Handoffs: which records are one, and between whom.

docs/glossary.md (handoff: one record, named by both); EPCIS 2.0 §7.3.6 (sources and destinations), CBV 2.0 §7.4.
"""

from dataclasses import dataclass
from typing import Any, Final

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal

POSSESSOR: Final = "possessing_party"

NOT_GIVING: Final = frozenset({"receiving", "accepting", "arriving", "void_shipping"})
"""Steps that a receiver records of its own, and the taking back of a giver's: the signatures stand under the giver's."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """Who gives and who takes, as normal URIs."""

    consignor: str
    consignee: str

    def of(self, role: str) -> str:
        """Return the party of a role."""
        return self.consignor if role == "consignor" else self.consignee

    def row(self, record_id: int, *, taken_back: bool) -> dict[str, Any]:
        """Return the row of the record."""
        named = {"record_id": record_id, "consignor": self.consignor, "consignee": self.consignee}
        return {**named, "taken_back": taken_back}


def possessors(event: dict[str, Json]) -> Handoff | None:
    """Return the one possessor that an event names before and the one after it, None unless it names both.

    >>> possessors({"sourceList": [{"type": "possessing_party", "source": "urn:epc:id:pgln:0614141.12345"}]})
    """
    givers = _parties(event.get("sourceList"), "source")
    takers = _parties(event.get("destinationList"), "destination")
    if len(givers) != 1 or len(takers) != 1 or givers == takers:
        return None
    return Handoff(givers.pop(), takers.pop())


def handoff_of(event: dict[str, Json], *, is_error_declaration: bool = False) -> Handoff | None:
    """Return between whom goods pass by this record; None if it is no handoff, or only a receiver's view of one.

    >>> event = {"bizStep": "shipping",
    ...     "sourceList": [{"type": "possessing_party", "source": "https://id.gs1.org/417/4012345500004"}],
    ...     "destinationList": [{"type": "possessing_party", "destination": "urn:epc:id:pgln:0614141.12345"}]}
    >>> handoff_of(event)
    Handoff(consignor='https://id.gs1.org/417/4012345500004', consignee='https://id.gs1.org/417/0614141123452')
    >>> handoff_of(event | {"bizStep": "receiving"})
    """
    if is_error_declaration or event.get("bizStep") in NOT_GIVING:
        return None
    return possessors(event)


def _parties(value: Json, name: str) -> set[str]:
    found = set()
    for one in value if isinstance(value, list) else []:
        if isinstance(one, dict):
            uri = one.get(name)
            # PostgreSQL's texts cannot hold U+0000, and no party's name has one.
            if one.get("type") == POSSESSOR and isinstance(uri, str) and "\x00" not in uri:
                found.add(normal(uri))
    return found
