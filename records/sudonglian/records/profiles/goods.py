"""Goods of a document: which events tell of the same goods, through packing.

A fact about a container holds for what is in it, one about a lot for the pallets that hold it; docs/profiles.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import names_of
from sudonglian.records.epcis.times import instant


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a document: what it says, where it stands, which goods it names."""

    index: int
    pointer: str
    event: Mapping[str, Json]
    goods: tuple[str, ...]
    """Normal forms, in the order of the event, without its parent unless there is nothing else."""
    parent: str | None
    at: datetime

    @property
    def names(self) -> frozenset[str]:
        """Return everything that the event names."""
        return frozenset(self.goods) | ({self.parent} if self.parent else set())

    @property
    def step(self) -> str | None:
        """Return the business step."""
        step = self.event.get("bizStep")
        return step if isinstance(step, str) else None


def told_of(index: int, place: str, event: Mapping[str, Json]) -> Told | None:
    """Return an event that passed its schema; None if it declares another to be in error, or has no readable time."""
    at = instant(event.get("eventTime"))
    if at is None or "errorDeclaration" in event:
        return None
    named = [*names_of(dict(event))]
    parent = next((name for role, name in named if role == "parent"), None)
    goods = tuple(dict.fromkeys(name for role, name in named if role not in ("parent", "trace_code")))
    return Told(index, place, event, goods or ((parent,) if parent else ()), parent, at)


MAX_NESTING: Final = 20
"""Levels of packing that are followed: real goods have under ten, and nobody's file may make the search long."""


class Families:
    """What contains what, over a whole document."""

    def __init__(self, events: Sequence[Told] = ()) -> None:
        self._up: dict[str, set[str]] = {}
        self._down: dict[str, set[str]] = {}
        for one in events:
            self.add(one)

    def add(self, one: Told) -> None:
        """Learn what an event tells of packing."""
        for child in one.goods if one.parent else ():
            if child != one.parent:
                self._up.setdefault(child, set()).add(str(one.parent))
                self._down.setdefault(str(one.parent), set()).add(child)

    def around(self, goods: str) -> frozenset[str]:
        """Return the goods and all that they were ever in."""
        return frozenset(_closure(goods, self._up))

    def of(self, goods: str) -> frozenset[str]:
        """Return the goods, all that they were ever in, and all that was ever in them."""
        return frozenset(_closure(goods, self._up) | _closure(goods, self._down))


def _closure(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    if start not in edges:
        return {start}
    found, level = {start}, {start}
    for _ in range(MAX_NESTING):
        level = {other for one in level for other in edges.get(one, ())} - found
        if not level:
            break
        found |= level
    return found
