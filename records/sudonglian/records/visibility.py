"""Which members of a plain event stand in the clear, and which are withheld.

docs/spec/record.md rule 4; table "1" is visibility-1.json and never changes.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

from sudonglian.chain.canonical import Json

TABLE_VERSION: Final = "1"
"""The table that new records are made with; records name theirs."""


class Visibility(StrEnum):
    """Who may see a member of an event."""

    CLEAR = "clear"
    """Whoever is entitled to the record."""
    PARTNER = "partner"
    """The submitter and its direct partners."""
    RESTRICTED = "restricted"
    """The submitter, and a case."""
    VAULT = "vault"
    """Nobody without a case; erasable element by element."""


def visibility_of(member: str) -> Visibility:
    """Return the class of a top-level member of an event by table "1".

    What the table does not name may hold a person's data, and is withheld. (Inside a member nothing is withheld on
    its own: a person's name in `ilmd` stands in the clear, and only its writer can prevent that.)

    >>> visibility_of("epcList"), visibility_of("example:driver")
    (<Visibility.CLEAR: 'clear'>, <Visibility.PARTNER: 'partner'>)
    """
    classes, otherwise = _table()
    return classes.get(member, otherwise)


def clear_part(event: Mapping[str, Json]) -> dict[str, Json]:
    """Return the members of an event that stand in the clear by table "1".

    >>> clear_part({"epcList": [], "example:driver": "x"})
    {'epcList': []}
    """
    classes, otherwise = _table()
    return {name: value for name, value in event.items() if classes.get(name, otherwise) is Visibility.CLEAR}


@cache
def _table() -> tuple[dict[str, Visibility], Visibility]:
    text = resources.files("sudonglian.records").joinpath("visibility-1.json").read_text("utf-8")
    table = json.loads(text)
    classes = {member: Visibility(name) for name, members in table["classes"].items() for member in members}
    return classes, Visibility(table["otherwise"])
