"""What pictures are drawn from: the members of an answer, as a page or the engine itself holds them.

docs/spec/trace-document.md §3; docs/decisions/0315 (one drawer).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sudonglian.trace.engine.pictures.words import Lang
from sudonglian.trace.engine.result import TraceResult

ROOMS: Final = ("location", "vehicle")
RESOLVER: Final = "https://id.gs1.org/"

Name = Callable[[str, str], str]
"""What a subject (kind, identifier) is called."""


class Drawn(Protocol):
    """One member."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def evidence(self) -> str: ...  # noqa: D102
    @property
    def tier(self) -> str: ...  # noqa: D102
    @property
    def tier_name(self) -> str: ...  # noqa: D102
    @property
    def time(self) -> str:
        """When it was reached, as the answer writes times."""

    @property
    def intervals(self) -> tuple[tuple[str, str], ...]:
        """While a place exposes; an empty end is open."""

    @property
    def place(self) -> str:
        """Where it was reached, as an identifier; empty if no record says."""

    @property
    def walk(self) -> Sequence[dict[str, Any]]:
        """The walk that reaches it at that time, from the seed to the member whichever way the trace ran."""


@dataclass(frozen=True, slots=True)
class Told:
    """A member as the engine's own answer tells it."""

    key: str
    kind: str
    id: str
    name: str
    evidence: str
    tier: str
    tier_name: str
    time: str
    intervals: tuple[tuple[str, str], ...]
    place: str
    walk: Sequence[dict[str, Any]]


def told(answer: TraceResult, lang: Lang, name: Name) -> list[Told]:
    """Return the members of an answer; its facts say where handoffs were."""
    rooms = {stay.start_record: stay.where.id for stay in answer.facts.stays if stay.where.kind in ROOMS}
    backward = answer.query.backward
    found = []
    for one in answer.as_json()["members"]:
        walk = tuple(reversed(one["earliest_walk"])) if backward else one["earliest_walk"]
        found.append(
            Told(
                key=f"{one['kind']}:{one['id']}",
                kind=one["kind"],
                id=one["id"],
                name=name(one["kind"], one["id"]),
                evidence=one["evidence"],
                tier=one["tier"],
                tier_name=one["tier_zh"] if lang == "zh" else one["tier"],
                time=one["latest" if backward else "earliest"],
                intervals=tuple((span["from"], span["to"]) for span in one["intervals"]),
                place=one["id"] if one["kind"] == "place" else _place(walk, rooms),
                walk=walk,
            )
        )
    return found


def _place(walk: Sequence[dict[str, Any]], rooms: Mapping[str, str]) -> str:
    """Return where the last meeting of a walk was: the room that a fact names, or that of its record."""
    for step in reversed(walk[-2:]):
        if step["where"]["kind"] in ROOMS:
            return str(step["where"]["id"])
        if (room := rooms.get(step["record_hash"])) is not None:
            return room
    return ""


def plain_name(_kind: str, identifier: str) -> str:
    """Return what an identifier itself says; of a lot's portion, the lot and what holds it.

    >>> plain_name("item", "https://id.gs1.org/01/09520001002014/10/L1#https://id.gs1.org/414/9520001001031")
    '01/09520001002014/10/L1 @ 414/9520001001031'
    """
    lot, mark, holder = identifier.partition("#")
    return lot.removeprefix(RESOLVER) + (f" @ {holder.removeprefix(RESOLVER)}" if mark else "")
