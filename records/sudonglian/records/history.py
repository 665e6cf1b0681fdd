"""The history of an item: its own events, those of what it was inside, and of what it was made from or into.

EPCIS 2.0 §7.4 (aggregation, association, transformation); docs/spec/identifiers.md (items by normal form). Pure: the
reader gives the events. It follows what the events name and judges no exposure; that is the tracing room's.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Direction: TypeAlias = Literal["back", "forward", "both"]
Relation: TypeAlias = Literal["self", "container", "content", "input", "output"]

ALWAYS: Final = 1 << 62
"""Beyond every time in microseconds that the calendar knows."""

CHILDREN: Final = ("child", "child_quantity")
INPUTS: Final = ("input", "input_quantity")
OUTPUTS: Final = ("output", "output_quantity")


@dataclass(frozen=True, slots=True)
class Event:
    """What the walk needs of one recorded event."""

    record_hash: bytes
    order: tuple[int, int]
    """Its time in microseconds, and the place in which it was taken."""
    action: str
    named: tuple[tuple[str, str], ...]
    """(role, normal form) of everything it names."""
    transformation_id: str = ""
    in_error: bool = False
    """Taken back, or takes another one back: listed, never followed."""
    _index: dict[str, dict[str, None]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def time_us(self) -> int:
        """When it happened."""
        return self.order[0]

    def of(self, *roles: str) -> Iterator[str]:
        """Yield what it names in these roles."""
        for role in roles:
            yield from self._by_role().get(role, ())

    def has(self, uri: str, *roles: str) -> bool:
        """Return whether it names a thing in one of these roles; an event may name thousands."""
        return any(uri in self._by_role().get(role, ()) for role in roles)

    def _by_role(self) -> dict[str, dict[str, None]]:
        if not self._index:
            self._index[""] = {}
            for role, name in self.named:
                self._index.setdefault(role, {})[name] = None
        return self._index


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a history: why it belongs there, and through which identifier."""

    event: Event
    relation: Relation
    through: str


@dataclass(frozen=True, slots=True)
class _Stretch:
    uri: str
    relation: Relation
    start_us: int
    end_us: int
    whole: bool = False
    """Every event that names it is listed; those of the stretch alone are followed."""

    def covers(self, other: "_Stretch") -> bool:
        return self.start_us <= other.start_us and other.end_us <= self.end_us and (self.whole or not other.whole)


Load: TypeAlias = Callable[[str], Sequence[Event]]


def walk(load: Load, uri: str, direction: Direction, transformation: Load | None = None) -> list[Step]:
    """Return the history of an item in order of time.

    All events that name it; those of its containers while it was inside; of its contents (before they left it,
    looking back; since they came in, looking forward), and theirs in turn; of what it was made from or into. What
    else was in a container of the item does not belong to its history.

    Looking back, two borders are drawn as published trace-backs draw them (docs/decisions/0250): a lot that was packed
    as a class is listed with all that names it, for its parts have one name; and the emptying of a container that does
    not name the item, with nothing of the item after it, belongs to what comes next.

    `load` gives the events that name an identifier, `transformation` those with a transformationID.
    """
    found: dict[bytes, Step] = {}
    for way in ("back", "forward") if direction == "both" else (direction,):
        for step in _one_way(_once(load), uri, way == "back", _once(transformation or (lambda _: ()))):
            found.setdefault(step.event.record_hash, step)
    return sorted(found.values(), key=lambda step: step.event.order)


def related(load: Load, uri: str, direction: Literal["back", "forward"], transformation: Load) -> dict[str, Relation]:
    """Return every name through which events belong to the history of an item, and why it does."""
    found: dict[str, Relation] = {}
    for step in _one_way(_once(load), uri, direction == "back", _once(transformation)):
        found.setdefault(step.through, step.relation)
    return found


def carried(load: Load, uri: str) -> list[Event]:
    """Return the events of an item and of what it was inside, while it was: all that says where it has been."""
    found: dict[bytes, Event] = {}
    cached = _once(load)
    waiting = deque([_Stretch(uri, "self", -ALWAYS, ALWAYS)])
    seen: dict[str, list[_Stretch]] = {}
    while waiting:
        stretch = waiting.popleft()
        covered = seen.setdefault(stretch.uri, [])
        if any(one.covers(stretch) for one in covered):
            continue
        covered.append(stretch)
        events = sorted(cached(stretch.uri), key=lambda event: event.order)
        for event in events:
            if stretch.start_us <= event.time_us <= stretch.end_us:
                found[event.record_hash] = event
        waiting.extend(_containers(cached, stretch, [event for event in events if not event.in_error], back=False))
    return sorted(found.values(), key=lambda event: event.order)


def _one_way(load: Load, uri: str, back: bool, transformation: Load) -> Iterator[Step]:
    waiting = deque([_Stretch(uri, "self", -ALWAYS, ALWAYS)])
    seen: dict[tuple[str, bool], list[_Stretch]] = {}
    while waiting:
        stretch = waiting.popleft()
        covered = seen.setdefault((stretch.uri, stretch.relation == "container"), [])
        if any(one.covers(stretch) for one in covered):
            continue
        covered.append(stretch)
        events = sorted(load(stretch.uri), key=lambda event: event.order)
        for event in events:
            if stretch.whole or stretch.start_us <= event.time_us <= stretch.end_us:
                yield Step(event, stretch.relation, stretch.uri)
        sound = [event for event in events if not event.in_error]
        waiting.extend(_containers(load, stretch, sound, back))
        if stretch.relation != "container":  # a container's other contents are no part of the item's history
            waiting.extend(_contents(load, stretch, sound, back))
            waiting.extend(_made(stretch, sound, back, transformation))


def _containers(load: Load, stretch: _Stretch, events: Sequence[Event], back: bool) -> Iterator[_Stretch]:
    for event in events:
        if event.action != "ADD" or not event.has(stretch.uri, *CHILDREN):
            continue
        for parent in event.of("parent"):
            out = _taken_out(load, parent, stretch.uri, event)
            end_us = ALWAYS if out is None else out.time_us
            if back and out is not None and events[-1].order < out.order:
                end_us -= 1  # an emptying that does not name it: the first of what comes after
            yield from _clipped(parent, "container", stretch, event.time_us, end_us)


def _contents(load: Load, stretch: _Stretch, events: Iterable[Event], back: bool) -> Iterator[_Stretch]:
    for event in events:
        if event.action != "ADD" or not event.has(stretch.uri, "parent"):
            continue
        lots = set(event.of("child_quantity"))
        for child in event.of(*CHILDREN):
            out = _taken_out(load, stretch.uri, child, event)
            left_us = ALWAYS if out is None else out.time_us
            if left_us < stretch.start_us or event.time_us > stretch.end_us:
                continue
            if back:
                yield _Stretch(child, "content", -ALWAYS, min(left_us, stretch.end_us), child in lots)
            else:
                yield _Stretch(child, "content", max(event.time_us, stretch.start_us), ALWAYS)


def _made(stretch: _Stretch, events: Iterable[Event], back: bool, transformation: Load) -> Iterator[_Stretch]:
    own, others = (OUTPUTS, INPUTS) if back else (INPUTS, OUTPUTS)
    for event in events:
        if not event.has(stretch.uri, *own) or not stretch.start_us <= event.time_us <= stretch.end_us:
            continue
        linked = transformation(event.transformation_id) if event.transformation_id else ()
        for one in (event, *(other for other in linked if not other.in_error)):
            for uri in one.of(*others):
                if back:
                    yield _Stretch(uri, "input", -ALWAYS, max(event.time_us, one.time_us))
                else:
                    yield _Stretch(uri, "output", min(event.time_us, one.time_us), ALWAYS)


def _clipped(uri: str, relation: Relation, within: _Stretch, start_us: int, end_us: int) -> Iterator[_Stretch]:
    start_us, end_us = max(start_us, within.start_us), min(end_us, within.end_us)
    if start_us <= end_us:
        yield _Stretch(uri, relation, start_us, end_us)


def _taken_out(load: Load, parent: str, child: str, added: Event) -> Event | None:
    """Return by what the child was next taken out of the parent; a DELETE that names no child empties it."""
    for event in sorted(load(parent), key=lambda event: event.order):
        if event.order <= added.order or event.in_error or event.action != "DELETE":
            continue
        if event.has(parent, "parent") and (event.has(child, *CHILDREN) or next(event.of(*CHILDREN), None) is None):
            return event
    return None


def _once(load: Load) -> Load:
    kept: dict[str, Sequence[Event]] = {}

    def cached(uri: str) -> Sequence[Event]:
        if uri not in kept:
            kept[uri] = load(uri)
        return kept[uri]

    return cached
