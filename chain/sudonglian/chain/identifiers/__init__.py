"""Identifiers: the normal form under which lots are found and proven (docs/spec/identifiers.md).

It stands on the ground floor because a verifier must recompute which records name a lot (docs/decisions/0002).
"""

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers.event import EventIdentifier, identifiers_of, names_of
from sudonglian.chain.identifiers.normal import IdentifierRefused, check, normal, to_urn

__all__ = [
    "EventIdentifier",
    "IdentifierRefused",
    "check",
    "identifiers_of",
    "named_by",
    "names_of",
    "normal",
    "to_urn",
]


def named_by(event: dict[str, Json]) -> tuple[str, ...]:
    """Return the normal forms that an event names, each once, in the order of the document (seal.md rule 4).

    >>> named_by({"epcList": ["urn:epc:id:sscc:0614141.1234567890"], "parentID": "urn:x:1"})
    ('https://id.gs1.org/00/106141412345678908', 'urn:x:1')
    """
    return tuple(dict.fromkeys(name for _, name in names_of(event)))
