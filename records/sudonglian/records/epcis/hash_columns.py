"""Event Hash IDs of many events at once: each member as a column, so that what all events share is decided once.

CBV 2.0 §8.9; docs/decisions/0209. `Writer` says what is written: a column says the same of many values, or asks it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Final, TypeAlias, cast

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.event_hash import (
    EVENT,
    ITEMS,
    LEFT_OUT,
    NOTHING,
    SKIPPED,
    TEXT,
    TYPED_LISTS,
    TYPED_ORDER,
    Ordered,
    Writer,
    hash_id,
    pre_hash,
)
from sudonglian.records.epcis.hash_heads import Heads
from sudonglian.records.epcis.hash_values import SPECIAL, written
from sudonglian.records.epcis.plain import effective_context, entries

STRAY: Final = "\ue000"
"""In the text of an event that holds what has no place: it is written alone. An event that has it anyway is, too."""

MAX_HELD: Final = 65_536
"""Texts that the memory of one column holds: those of a firm's places and words, not all of a document's items."""

FEW: Final = 24
"""Events that are sooner written one by one than made columns."""

Texts: TypeAlias = "Iterable[str]"

_Object: TypeAlias = "dict[str, Json]"

_Layout: TypeAlias = "tuple[str, ...]"
"""The names of an object's members."""


def hash_ids(events: Sequence[_Object], contexts: Sequence[Json] = ()) -> list[str]:
    """Return what `event_hash_id` gives for each of the events.

    >>> hash_ids([{"type": "ObjectEvent"}])[0][:31]
    'ni:///sha-256;7aa6d15415d4b429d'

    Raises
    ------
    SudonglianError
        As `event_hash_id`, for the first event that it refuses.
    """
    return list(map(hash_id, pre_hashes(events, contexts)))


def pre_hashes(events: Sequence[_Object], contexts: Sequence[Json] = ()) -> list[str]:
    """Return what `pre_hash` gives for each of the events."""
    if len(events) < FEW:
        return [pre_hash(event, contexts) for event in events]
    found = [""] * len(events)
    for bindings, indexes in _by_context(events, contexts):
        some = [events[index] for index in indexes]
        if len(some) < FEW:
            for index, event in zip(indexes, some, strict=True):
                found[index] = pre_hash(event, contexts)
            continue
        for index, event, text in zip(indexes, some, _Columns(Writer(bindings)).events(some), strict=True):
            found[index] = pre_hash(event, contexts) if STRAY in text else text
    return found


def _by_context(events: Sequence[_Object], contexts: Sequence[Json]) -> Iterable[tuple[dict[str, Json], Sequence[int]]]:
    if not any("@context" in event for event in events):
        return [(effective_context(contexts)[1], range(len(events)))]
    groups: dict[str, tuple[dict[str, Json], list[int]]] = {}
    for index, event in enumerate(events):
        own = event.get("@context", [])
        group = groups.get(key := repr(own))
        if group is None:
            group = groups[key] = effective_context([*contexts, *entries(own, "/@context")])[1], []
        group[1].append(index)
    return groups.values()


class _Leaves(dict[str, str]):
    """Texts as they are written at one place, with the name before them."""

    def __init__(self, name: str, parent: str, before: str, empty: str) -> None:
        super().__init__()
        self._name, self._parent, self._before, self._empty = name, parent, before, empty
        self._heads = None if name in SPECIAL else Heads(before)

    def __missing__(self, raw: str) -> str:
        if self._heads is not None and (found := self._heads.written(raw)):
            return found
        text = written(self._name, raw, self._parent)
        if len(self) >= MAX_HELD:
            self.clear()
        found = self[raw] = self._before + text if text else self._empty
        return found

    def column(self, raws: Sequence[str]) -> Texts:
        """Return what is written of each."""
        return (self._heads.column(raws) if self._heads is not None else []) or map(self.__getitem__, raws)


class _Columns:
    """Writes what the events of one context hold."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._leaves: dict[tuple[str, str, bool], _Leaves] = {}

    def events(self, events: Sequence[_Object]) -> Iterator[str]:
        """Return the text of each event, or one with `STRAY`."""
        bodies = self._bodies(events, EVENT, "")
        return (f"eventType={event.get('type')}{body}" for event, body in zip(events, bodies, strict=True))

    def _bodies(self, objects: Sequence[_Object], order: Ordered, parent: str) -> Texts:
        """Return what is written of the members of each object, as `Writer.event` and `Writer._object` do."""
        if not objects:
            return ()
        layouts = list(map(tuple, objects))
        columns: dict[str, Sequence[Json]]
        kinds = dict.fromkeys(layouts)
        if len(kinds) == 1:
            columns = dict(zip(layouts[0], zip(*map(dict.values, objects), strict=True), strict=True))
        else:
            columns = _distributed(kinds, layouts, objects)
        texts = {
            name: iter(self._texts(name, columns[name], inner, parent))
            for name, inner in order.members
            if name in columns
        }
        skipped = SKIPPED | LEFT_OUT if order is EVENT else SKIPPED
        rest: dict[str, Iterator[str]] = {}
        for name, column in columns.items():
            if name not in texts and name not in skipped:
                if order is EVENT or not order.known or ":" in name:
                    rest[name] = iter(self._free(name, column, parent))
                else:
                    texts[name] = repeat(STRAY, len(column))
        picks = {
            layout: (
                [each for name, each in texts.items() if name in layout],
                [rest[name] for name in layout if name in rest],
            )
            for layout in kinds
        }
        return _joined(layouts, picks)

    def _texts(self, name: str, column: Sequence[Json], order: Ordered | None, parent: str) -> Texts:
        """Return what `Writer._member` gives for each value."""

        def alone(kind: type, values: Sequence[Json]) -> Texts:
            if kind is str:
                return self._leaf(name, parent).column(cast("Sequence[str]", values))
            if kind is list:
                return self._lists(name, cast("Sequence[list[Json]]", values), order, parent)
            if kind is dict and name not in ITEMS:
                objects = cast("Sequence[_Object]", values)
                if any("$dec" in each for each in objects):
                    return self._numbers(objects, alone, self._leaf(name, parent))
                return [name + body if body else "" for body in self._bodies(objects, order or NOTHING, name)]
            return [self._singly(self._writer.member(name, value, order, parent)) for value in values]

        return _by_type(column, alone)

    def _free(self, name: str, column: Sequence[Json], parent: str) -> Texts:
        """Return what `Writer._free` gives for each value."""

        def alone(kind: type, values: Sequence[Json]) -> Texts:
            if kind is str:
                return self._leaf(name, parent, free=True).column(cast("Sequence[str]", values))
            if kind is list:
                lists = cast("Sequence[list[Json]]", values)
                if name in TYPED_LISTS:
                    return _named(name, lists, self._typed(name, list(chain.from_iterable(lists))))
                if name in ITEMS:
                    return self._lists(name, lists, None, parent)
                return _named("", lists, self._free(name, list(chain.from_iterable(lists)), parent))
            if kind is dict:
                objects = cast("Sequence[_Object]", values)
                if any("$dec" in each for each in objects):
                    return self._numbers(objects, alone, self._leaf(name, parent, free=True))
                if not any(TEXT in each for each in objects):
                    key = self._writer.key(name)
                    return [key + body for body in self._bodies(objects, NOTHING, name)]
            return [self._singly(self._writer.free(name, value, parent)) for value in values]

        return _by_type(column, alone)

    def _lists(self, name: str, column: Sequence[list[Json]], order: Ordered | None, parent: str) -> Texts:
        item = ITEMS.get(name)
        if item is None:
            return _named("", column, self._texts(name, list(chain.from_iterable(column)), order, parent))
        inner = order.members[0][1] if order else None
        return _named(name, column, self._texts(item, list(chain.from_iterable(column)), inner, name))

    def _typed(self, name: str, column: Sequence[Json]) -> Texts:
        def alone(kind: type, values: Sequence[Json]) -> Texts:
            if kind is dict:
                return self._bodies(cast("Sequence[_Object]", values), TYPED_ORDER, name)
            return [written(name, value, "") for value in values]

        return _by_type(column, alone)

    def _numbers(
        self, objects: Sequence[_Object], others: Callable[[type, Sequence[Json]], Texts], leaf: _Leaves
    ) -> Texts:
        """Return what is written of decimal numbers, and of the objects among them."""
        objects_in = [each for each in objects if "$dec" not in each]
        written_in = iter(others(dict, objects_in) if objects_in else ())
        return [leaf[str(each["$dec"])] if "$dec" in each else next(written_in) for each in objects]

    def _singly(self, text: str) -> str:
        if not self._writer.strayed:
            return text
        self._writer.strayed = False
        return STRAY

    def _leaf(self, name: str, parent: str, *, free: bool = False) -> _Leaves:
        found = self._leaves.get((name, parent, free))
        if found is None:
            key = self._writer.key(name) if free else name
            found = self._leaves[name, parent, free] = _Leaves(name, parent, f"{key}=", key if free else "")
        return found


def _by_type(column: Sequence[Json], alone: Callable[[type, Sequence[Json]], Texts]) -> Texts:
    kinds: list[type] = list(map(type, column))
    distinct = set(kinds)
    if len(distinct) <= 1:
        return alone(kinds[0], column) if kinds else ()
    several = {
        kind: iter(alone(kind, [value for value, each in zip(column, kinds, strict=True) if each is kind]))
        for kind in distinct
    }
    return [next(several[kind]) for kind in kinds]


def _distributed(
    kinds: Iterable[_Layout], layouts: Sequence[_Layout], objects: Sequence[_Object]
) -> dict[str, Sequence[Json]]:
    columns: dict[str, list[Json]] = {}
    appends = {layout: [columns.setdefault(name, []).append for name in layout] for layout in kinds}
    for layout, value in zip(layouts, objects, strict=True):
        for append, inner in zip(appends[layout], value.values(), strict=True):
            append(inner)
    return cast("dict[str, Sequence[Json]]", columns)


def _joined(layouts: Sequence[_Layout], picks: dict[_Layout, tuple[list[Iterator[str]], list[Iterator[str]]]]) -> Texts:
    """Return each object's texts: those with a place in its order, and the others sorted behind them."""
    if len(picks) > 1:
        return [
            "".join(map(next, done)) + ("".join(sorted(map(next, rest))) if rest else "")
            for done, rest in map(picks.__getitem__, layouts)
        ]
    done, rest = picks[layouts[0]]
    first = map("".join, zip(*done, strict=True)) if done else repeat("", len(layouts))
    if not rest:
        return first
    return map(str.__add__, first, map("".join, map(sorted, zip(*rest, strict=True))))


def _named(name: str, lists: Sequence[list[Json]], texts: Texts) -> list[str]:
    """Return what is written of each list, given what is of all elements in turn: sorted, behind its name."""
    each = iter(texts)
    bodies = ["".join(sorted(islice(each, len(one)))) for one in lists]
    return [name + body if body else "" for body in bodies] if name else bodies
