"""Journeys: where a lot was and in what, whose readings are about it then, and its legs from handoff to handoff.

docs/spec/temperature.md §6; EPCIS 2.0 §7.4. Pure: `Load` gives the events that name an identifier. A reading is about
what its event names, about what is inside that at the time, and, of a logger, about what it is attached to.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records import derive
from sudonglian.records.querying.values import bare
from sudonglian.records.temperature.samples import Taken, readings_of

ALWAYS: Final = 1 << 62
"""Beyond every time in microseconds that the calendar knows."""

CHILDREN: Final = ("child", "child_quantity")
INPUTS: Final = ("input", "input_quantity")
OUTPUTS: Final = ("output", "output_quantity")

LEAVES: Final = frozenset({"loading", "shipping", "departing", "transporting"})
ARRIVES: Final = frozenset({"arriving", "unloading", "receiving", "accepting"})

MAX_SUBJECTS: Final = 60
"""Things whose past is told with a lot's: what it was made from, what is in it, and theirs in turn."""

Relation: TypeAlias = Literal["self", "content", "input"]
LegKind: TypeAlias = Literal["transit", "stay"]


@dataclass(frozen=True)
class Happening:
    """What the walk needs of one event."""

    source: str
    """Its record hash, or its place in a file."""
    order: tuple[int, int]
    """Its time in microseconds, and the place in which it was taken."""
    type: str
    action: str
    step: str
    place: str
    named: tuple[tuple[str, str], ...]
    transformation_id: str
    event: Mapping[str, Json]

    @property
    def time_us(self) -> int:
        """When it happened."""
        return self.order[0]

    @cached_property
    def taken(self) -> Taken:
        """Return its readings, which are asked for once for each thing that it is about."""
        return readings_of(self.event, self.source)

    def of(self, *roles: str) -> list[str]:
        """Return what it names in these roles."""
        return [uri for role, uri in self.named if role in roles]


Load: TypeAlias = Callable[[str], Sequence[Happening]]
"""The sound events that name an identifier, in order of time: none that is taken back, none that takes back."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Something, and from when to when it is meant."""

    uri: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Subject:
    """The thing that was asked about, or something that became a part of it, until it did."""

    uri: str
    relation: Relation
    until_us: int


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of a journey: on its way, or at a place."""

    kind: LegKind
    start_us: int
    end_us: int
    start: Happening | None
    """What begins it; None where the first record, or the first reading, does."""
    end: Happening | None


@dataclass(frozen=True, slots=True)
class Journey:
    """Where a subject was: itself and what it was in, what else bears readings about it, and its events."""

    subject: Subject
    bearers: tuple[Stretch, ...]
    happenings: tuple[Happening, ...]


def happening(event: Mapping[str, Json], source: str, number: int) -> Happening:
    """Return an event as the walk reads it.

    Raises
    ------
    EventTimeRefused
        It does not say when it happened.
    """
    return Happening(
        source,
        (derive.event_time_us(event), number),
        str(event.get("type", "")),
        str(event.get("action", "")),
        bare(str(event.get("bizStep", ""))),
        _place(event),
        tuple((row.role, row.normal) for row in derive.identifier_rows(event)),
        derive.transformation_id(event) or "",
        event,
    )


def subjects(load: Load, transforming: Load, uri: str) -> tuple[list[Subject], bool]:
    """Return a thing and what became a part of it, and whether that were too many.

    A lot that is a class counts whole: what happened to another part of it before is told too.
    """
    found: dict[str, Subject] = {}
    waiting = deque([Subject(uri, "self", ALWAYS)])
    while waiting:
        one = waiting.popleft()
        if (seen := found.get(one.uri)) is not None and seen.until_us >= one.until_us:
            continue
        if seen is None and len(found) == MAX_SUBJECTS:
            return list(found.values()), True
        found[one.uri] = one if seen is None else Subject(one.uri, seen.relation, one.until_us)
        for event in load(one.uri):
            if event.time_us > one.until_us:
                continue
            if event.type == "AggregationEvent" and event.action == "ADD" and one.uri in event.of("parent"):
                waiting.extend(Subject(child, "content", event.time_us) for child in event.of(*CHILDREN))
            if one.uri in event.of(*OUTPUTS):
                linked = transforming(event.transformation_id) if event.transformation_id else ()
                for other in (event, *linked):
                    until = max(event.time_us, other.time_us)
                    waiting.extend(Subject(made, "input", until) for made in other.of(*INPUTS))
    return list(found.values()), False


def journey(load: Load, subject: Subject) -> Journey:
    """Return where a subject was, until it became a part of something else."""
    own = Stretch(subject.uri, -ALWAYS, subject.until_us)
    within = [own, *_nested(load, own, into=True)]
    happenings = {
        one.source: one
        for stretch in within
        for one in load(stretch.uri)
        if (stretch.start_us <= one.time_us <= stretch.end_us and one.type != "TransformationEvent") or _makes(one, own)
    }
    ordered = tuple(sorted(happenings.values(), key=lambda one: one.order))
    if not ordered:
        return Journey(subject, (own,), ())
    last_us = ordered[-1].time_us
    around = list(_places(ordered, last_us))
    inside = _nested(load, own, into=False)
    bearers = [*within, *inside, *around]
    bearers += [logger for stretch in (*within, *around) for logger in _attached(load, stretch)]
    first_us = ordered[0].time_us
    # What was read of the thing itself may be older than its first event, such as of a trip that nobody recorded.
    clipped = [one if one.uri == subject.uri else _clip(one, first_us, last_us) for one in bearers]
    return Journey(subject, tuple(dict.fromkeys(one for one in clipped if one is not None)), ordered)


def legs(happenings: Iterable[Happening], start_us: int, end_us: int) -> list[Leg]:
    """Return the legs of a window of time: on the way from what leaves to the next that arrives, at a place between.

    A first event that arrives ends a way whose beginning nobody recorded; an arrival without a departure begins a new
    stay. Legs that last no time are left out, unless there is no other.
    """
    found: list[Leg] = []
    kind: LegKind = "stay"
    began: Happening | None = None
    at_us = start_us
    is_first = True
    for one in happenings:
        leaves, arrives = one.step in LEAVES, one.step in ARRIVES
        if not leaves and not arrives:
            is_first = False
            continue
        if leaves and kind == "transit":
            continue
        if arrives and is_first:
            kind = "transit"
        is_first = False
        when_us = min(max(one.time_us, start_us), end_us)
        found.append(Leg(kind, at_us, when_us, began, one))
        kind, began, at_us = ("transit" if leaves else "stay"), one, when_us
    found.append(Leg(kind, at_us, end_us, began, None))
    lasting = [one for one in found if one.end_us > one.start_us]
    return lasting or found[-1:]


def _place(event: Mapping[str, Json]) -> str:
    for name in ("bizLocation", "readPoint"):
        value = event.get(name)
        if isinstance(value, dict) and isinstance(uri := value.get("id"), str) and uri:
            return normal(uri)
    return ""


def _makes(event: Happening, own: Stretch) -> bool:
    """Whether it is a transformation that the thing itself takes part in."""
    return (
        event.type == "TransformationEvent"
        and own.start_us <= event.time_us <= own.end_us
        and own.uri in event.of(*INPUTS, *OUTPUTS)
    )


def _nested(load: Load, own: Stretch, *, into: bool) -> list[Stretch]:
    """Return what a thing was in, and what that was in, each as long as it was; or, the other way, what was in it."""
    found: list[Stretch] = []
    waiting = deque([own])
    seen: dict[str, list[Stretch]] = {}
    while waiting:
        stretch = waiting.popleft()
        covered = seen.setdefault(stretch.uri, [])
        if any(one.start_us <= stretch.start_us and stretch.end_us <= one.end_us for one in covered):
            continue
        covered.append(stretch)
        if stretch is not own:
            found.append(stretch)
        for event in load(stretch.uri):
            if event.action != "ADD" or (not into and event.type != "AggregationEvent"):
                continue
            if into and stretch.uri in event.of(*CHILDREN):
                pairs = [(parent, parent, stretch.uri) for parent in event.of("parent")]
            elif not into and stretch.uri in event.of("parent"):
                pairs = [(child, stretch.uri, child) for child in event.of(*CHILDREN)]
            else:
                continue
            for other, parent, child in pairs:
                left_us = _left_us(load, parent, child, event)
                clipped = _clip(Stretch(other, event.time_us, left_us), stretch.start_us, stretch.end_us)
                if clipped is not None and other != own.uri:
                    waiting.append(clipped)
    return found


def _attached(load: Load, bearer: Stretch) -> Iterator[Stretch]:
    """Yield the loggers that were attached to something, as long as they were."""
    for event in load(bearer.uri):
        if event.type == "AssociationEvent" and event.action == "ADD" and bearer.uri in event.of("parent"):
            for logger in event.of("child"):
                left_us = _left_us(load, bearer.uri, logger, event)
                clipped = _clip(Stretch(logger, event.time_us, left_us), bearer.start_us, bearer.end_us)
                if clipped is not None:
                    yield clipped


def _places(ordered: Sequence[Happening], last_us: int) -> Iterator[Stretch]:
    """Yield the places and vehicles in which it was, each until it was somewhere else."""
    placed = [one for one in ordered if one.place]
    for at, one in enumerate(placed):
        until_us = placed[at + 1].time_us if at + 1 < len(placed) else last_us
        if one.step not in LEAVES or "/8004/" in one.place:  # a vehicle; who leaves a store is in it no longer
            yield Stretch(one.place, one.time_us, until_us)


def _left_us(load: Load, parent: str, child: str, added: Happening) -> int:
    """Return when the child was next taken out of the parent, or off it; a DELETE that names no child empties it."""
    for event in load(parent):
        if event.order <= added.order or event.action != "DELETE" or parent not in event.of("parent"):
            continue
        # Emptying a container leaves the loggers on it, and taking a logger off leaves what is inside.
        if event.type == added.type and (not (children := event.of(*CHILDREN)) or child in children):
            return event.time_us
    return ALWAYS


def _clip(stretch: Stretch, start_us: int, end_us: int) -> Stretch | None:
    start, end = max(stretch.start_us, start_us), min(stretch.end_us, end_us)
    return Stretch(stretch.uri, start, end) if start <= end else None
