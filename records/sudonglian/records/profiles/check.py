"""The judgement by a profile: what its events must tell, in formats and in order; whatever is missing refuses.

docs/profiles.md. It looks at documents whose events all passed the schema.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records.epcis.findings import Finding, error
from sudonglian.records.profiles.formats import FORMATS
from sudonglian.records.profiles.goods import Families, Told
from sudonglian.records.profiles.paths import ANY, outset, walk
from sudonglian.records.profiles.table import Mark, Order, Profile, Rule, Way

Found: TypeAlias = tuple[int | None, Finding]
"""A finding with the index of its event; None for the document."""


def check_profile(profile: Profile, events: Sequence[Told], described: frozenset[str] = frozenset()) -> list[Found]:
    """Return what a document lacks; `described` are the identifiers that its master data name in words."""
    concerned = [one for one in events if _applies(profile, one)]
    if not concerned:
        zh, en = profile.applies["zh"], profile.applies["en"]
        return [
            (
                None,
                error(
                    "profile-no-event",
                    "",
                    f"docs/profiles.md: {profile.name}",
                    f"没有适用 {profile.name} 的事件:应有{zh}",
                    f"no event is of the kind that {profile.name} is about: {en}",
                ),
            )
        ]
    document = _Document(events, described)
    found: list[Found] = []
    for one in concerned:
        for rule in profile.rules:
            found += document.asks(rule, one)
    for order in profile.orders:
        found += document.follows(order)
    return list(dict.fromkeys(found))


def _applies(profile: Profile, one: Told) -> bool:
    return one.event.get("type") in profile.types and (not profile.steps or one.step in profile.steps)


class _Document:
    """A document's events, by the goods that they name."""

    def __init__(self, events: Sequence[Told], described: frozenset[str]) -> None:
        self._events = events
        self._described = described
        self._families = Families(events)
        self._by_goods: dict[str, list[Told]] = {}
        self._facts: dict[tuple[str, str], bool] = {}
        self._firsts: dict[tuple[str, str], datetime | None] = {}
        for one in events:
            for name in one.names:
                self._by_goods.setdefault(name, []).append(one)

    def asks(self, rule: Rule, one: Told) -> Iterator[tuple[int, Finding]]:
        """Yield what one event does not tell."""
        if rule.given and not any(True for _ in _values(rule.given, one)):
            return
        if rule.each:
            yield from _each(rule, one)
            return
        # An identifier of one lot says nothing of the others; what else stands in the event is about all its goods.
        about_all = rule.scope == "event"
        own = list(_values([way for way in rule.ways if about_all or not (way.select or way.item)], one))
        if own or about_all:
            yield from self._judge(rule, one, own)
            return
        for goods in one.goods or ("",):
            if rule.described and self._is_described(goods):
                continue
            is_told, wrong = self._told(rule, goods)
            if not is_told:
                place = one.pointer + _lacks(rule, one, goods)
                yield one.index, error(rule.code, place, rule.rule, *_said(rule))
                return
            yield from wrong

    def _told(self, rule: Rule, goods: str) -> tuple[bool, list[tuple[int, Finding]]]:
        """Return whether any event tells a fact of goods, and what is malformed, which is said once."""
        known = self._facts.get((rule.code, goods))
        if known is not None:
            return known, []
        family = self._families.of(goods)
        told = [
            (other, (place, value))
            for other in self._about(goods)
            for way in rule.ways
            for place, value in (_of_items(way, other, family) if way.item else _values([way], other))
            if way.select is None or normal(str(value)) in family
        ]
        self._facts[rule.code, goods] = bool(told)
        return bool(told), [wrong for other, value in told for wrong in self._judge(rule, other, [value])]

    @staticmethod
    def _judge(rule: Rule, one: Told, told: Sequence[tuple[str, Json]]) -> Iterator[tuple[int, Finding]]:
        if not told:
            yield one.index, error(rule.code, one.pointer + outset(rule.ways[0].path), rule.rule, *_said(rule))
        for place, value in told:
            if not _is_well_formed(rule, value):
                yield one.index, error(f"{rule.code}-format", place, rule.rule, *_said(rule))

    def _about(self, goods: str) -> Iterator[Told]:
        """Yield the events that tell of some goods, each once."""
        seen: set[int] = set()
        for name in sorted(self._families.of(goods)):
            for one in self._by_goods.get(name, ()):
                if one.index not in seen:
                    seen.add(one.index)
                    yield one

    def _is_described(self, goods: str) -> bool:
        names = self._families.of(goods)
        return any(name in self._described or _product(name) in self._described for name in names)

    def follows(self, order: Order) -> Iterator[tuple[int, Finding]]:
        """Yield the events that come before what must have happened first."""
        for one in self._events:
            if not _is_marked(order.then, one):
                continue
            for goods in one.goods:
                first = self._first(order, goods)
                if first is not None and first > one.at:
                    place = f"{one.pointer}/eventTime"
                    yield one.index, error(order.code, place, order.rule, order.message["zh"], order.message["en"])
                    break

    def _first(self, order: Order, goods: str) -> datetime | None:
        """Return when what must come first happened to goods."""
        key = (order.code, goods)
        if key not in self._firsts:
            times = (other.at for other in self._about(goods) if _is_marked(order.first, other))
            self._firsts[key] = min(times, default=None)
        return self._firsts[key]


def _values(ways: Sequence[Way], one: Told) -> Iterator[tuple[str, Json]]:
    for way in ways:
        for place, value in walk(dict(one.event), way.path, way.where):
            if way.select is None or (isinstance(value, str) and way.select.fullmatch(value)):
                yield one.pointer + place, value


def _of_items(way: Way, one: Told, family: frozenset[str]) -> Iterator[tuple[str, Json]]:
    """Yield what a list of goods says of these goods."""
    start = way.path.index(ANY) + 1
    for place, element in walk(dict(one.event), way.path[:start], {}):
        item = element.get(way.item) if isinstance(element, dict) else None
        if isinstance(item, str) and normal(item) in family:
            for inner, value in walk(element, way.path[start:], {}):
                yield one.pointer + place + inner, value


def _lacks(rule: Rule, one: Told, goods: str) -> str:
    """Return where an event would tell what it does not: the goods themselves, if it has no ilmd."""
    way = rule.ways[0]
    if way.path[0] == "ilmd" and (one.event.get("action") == "ADD" or "ilmd" in one.event):
        return outset(way.path)
    if way.path[0] in ("ilmd", *_GOODS):
        for member in _GOODS:
            for place, value in walk(dict(one.event), (member, ANY), {}):
                uri = value.get("epcClass") if isinstance(value, dict) else value
                if isinstance(uri, str) and normal(uri) == goods:
                    return place
    return outset(way.path)


_GOODS: Final = (
    *("epcList", "quantityList", "childEPCs", "childQuantityList"),
    *("inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList"),
)
"""Members of events that name goods, in the order of the event types."""


def _each(rule: Rule, one: Told) -> Iterator[tuple[int, Finding]]:
    for way in rule.ways:
        *path, last = way.path
        for place, element in walk(dict(one.event), tuple(path), way.where):
            value = element.get(last) if isinstance(element, dict) else None
            if value is None or not _is_well_formed(rule, value):
                yield one.index, error(rule.code, f"{one.pointer}{place}/{last}", rule.rule, *_said(rule))


def _is_well_formed(rule: Rule, value: Json) -> bool:
    if rule.format is not None and not FORMATS[rule.format](value):
        return False
    return rule.match is None or (isinstance(value, str) and rule.match.fullmatch(value) is not None)


def _is_marked(mark: Mark, one: Told) -> bool:
    return one.step in mark.steps or any(True for _ in _values(mark.ways, one))


def _said(rule: Rule) -> tuple[str, str]:
    return rule.message["zh"], rule.message["en"]


def _product(name: str) -> str:
    """Return the product of a lot or an item.

    >>> _product("https://id.gs1.org/01/09520001002014/10/BJ241018")
    'https://id.gs1.org/01/09520001002014'
    """
    return name.partition("/10/")[0].partition("/21/")[0]
