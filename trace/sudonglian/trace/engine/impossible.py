"""Impossible links: what an interview says that cannot be true beside the rest; said aloud, and left in the trace.

docs/spec/facts.md §18; pure and the same for any order of the facts. What counts as impossible is a table of data.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

from sudonglian.trace.engine.facts import INSTANT, Facts, Micros, Party, Statement, Stay, iso
from sudonglian.trace.engine.rules import is_vehicle, site
from sudonglian.trace.engine.stated import GONE, is_stated
from sudonglian.trace.engine.travel import Point, Positions, Table, distance_m, geo, table


class Finding(NamedTuple):
    """Something that cannot be, by which record, and against which; lengths and times where they are what matters."""

    code: str
    about: str
    record: str
    against: str = ""
    place: str = ""
    other: str = ""
    distance_m: int = 0
    within_us: int = 0
    km_per_h: int = 0


class Found(NamedTuple):
    """Findings, and the positions of places that they rest on, which no record proves."""

    findings: tuple[Finding, ...]
    positions: Mapping[str, Point]


class _Whereabouts(NamedTuple):
    """Somebody somewhere: no later than `first` it had begun, not before `last` was it over, by what is said."""

    first: Micros
    last: Micros
    place: str
    record: str
    is_stated: bool

    @property
    def is_instant(self) -> bool:
        return self.first == self.last


NOTHING: Final = Found((), {})


def nowhere(_places: Collection[str]) -> Mapping[str, Point]:
    """Know no position."""
    return {}


def impossible(facts: Facts, about: Collection[str], positions: Positions = nowhere) -> Found:
    """Return what the statements about some persons and goods say that cannot be true.

    Parameters
    ----------
    facts
        Of a log.
    about
        Numbers of persons and identifiers of items (and portions).
    positions
        Where places are; asked once, for those where the persons were.
    """
    spoken = frozenset(about)
    told = [one for one in facts.statements if not spoken.isdisjoint((*one.persons, *one.items))]
    if not told:
        return NOTHING
    known = table()
    found = {*_by_itself(told, spoken), *_goods(facts, told)}
    people = _people(facts, told, spoken)
    asked = sorted({one.place for stays in people.values() for one in stays})
    points = {**positions(asked), **{place: point for place in asked if (point := geo(place)) is not None}}
    for person, stays in people.items():
        for one, other in _pairs(stays, known):
            if (finding := _together(person, one, other, points, known)) is not None:
                found.add(finding)
    named = {place for one in found if one.code == "too-fast" for place in (one.place, one.other)}
    return Found(tuple(sorted(found)), {place: points[place] for place in sorted(named)})


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding in the words of the trace document."""
    return {
        "code": finding.code,
        "about": finding.about,
        "record_hash": finding.record,
        "against": finding.against,
        "place": finding.place,
        "other_place": finding.other,
        "distance_m": finding.distance_m,
        "within_us": finding.within_us,
        "km_per_h": finding.km_per_h,
        "reason": dict(table().reasons[finding.code]),
    }


def told_json(one: Statement) -> dict[str, Any]:
    """Return a statement as doors show it, people by number."""
    return {
        "record_hash": one.record,
        "persons": list(one.persons),
        "told": iso(one.told),
        "begin": [iso(one.begin_from), iso(one.begin_to)],
        "end": [iso(one.end_from), iso(one.end_to)],
        "place": one.place,
        "goods": list(one.items),
        "by": one.by,
        "certainty": one.certainty,
    }


def _by_itself(told: Iterable[Statement], spoken: Collection[str]) -> Iterator[Finding]:
    for one in told:
        for about in sorted({*one.persons, *one.items} & set(spoken)):
            if max(one.end_to, one.end_from) < one.begin_from:
                yield Finding("end-before-begin", about, one.record, place=one.place)
            if max(one.begin_from, one.end_from) > one.told:
                yield Finding("after-interview", about, one.record, place=one.place)


def _people(facts: Facts, told: Iterable[Statement], spoken: Collection[str]) -> dict[str, list[_Whereabouts]]:
    """Return where persons with a statement were, by statements and by firms' records, in the order of time."""
    found: dict[str, set[_Whereabouts]] = {}
    for one in told:
        if not one.place or is_vehicle(one.place):
            continue
        first, last = min(one.begin_to, one.end_to), max(one.end_from, one.begin_from)
        for person in one.persons:
            if person in spoken:
                found.setdefault(person, set()).add(_Whereabouts(first, last, one.place, one.record, True))
    for stay in facts.stays:
        if stay.who.kind == "person" and stay.certain and stay.where.kind == "location" and stay.who.id in found:
            last = stay.start if stay.end - stay.start == INSTANT else stay.end
            found[stay.who.id].add(_Whereabouts(stay.start, last, stay.where.id, stay.start_record, False))
    return {person: sorted(stays) for person, stays in sorted(found.items())}


def _pairs(stays: Sequence[_Whereabouts], known: Table) -> Iterator[tuple[_Whereabouts, _Whereabouts]]:
    """Yield the pairs with a statement at two sites that are near enough in time to be looked at."""
    longest = known.least_us(known.fastest[-1].up_to_m) + known.slack_us
    said = [one for one in stays if one.is_stated]
    for one, other in combinations(said, 2):
        if site(one.place) != site(other.place):
            yield one, other
    for one in said:
        for other in stays:
            if other.is_stated or site(one.place) == site(other.place):
                continue
            if other.first <= one.last + longest and other.last >= one.first - longest:
                yield one, other


def _together(
    person: str, one: _Whereabouts, other: _Whereabouts, points: Mapping[str, Point], known: Table
) -> Finding | None:
    """Return why two cannot both be true: neither could have been over before the other had to have begun."""
    gap = max(other.first - one.last, one.first - other.last)
    if one.is_instant and other.is_instant and one.first == other.first:
        gap = -known.slack_us - 1
    within = gap + known.slack_us
    there, here = points.get(one.place), points.get(other.place)
    distance = None if there is None or here is None else distance_m(there, here)
    if distance is not None and distance <= known.near_m:
        return None
    told = (person, one.record, other.record, one.place, other.place)
    if within < 0:
        return Finding("two-places" if other.is_stated else "against-record", *told)
    if distance is not None and within < known.least_us(distance):
        return Finding("too-fast", *told, distance, within, known.speed(distance))
    return None


def _goods(facts: Facts, told: Iterable[Statement]) -> Iterator[Finding]:
    handled = [one for one in told if one.items]
    if not handled:
        return
    stays = _stays_of(facts, {item for one in handled for item in one.items})
    gone = {(note.record, note.about): note.against for note in facts.notes if note.code == GONE}
    opened = {one.start_record for one in facts.stays if is_stated(one.fact) and one.contact == "opened"}
    for one in handled:
        start, end = one.begin_from, max(one.end_to, one.begin_to) + INSTANT
        for item in one.items:
            told_of = (item, one.record)
            if (against := gone.get((one.record, item))) is not None:
                yield Finding("goods-gone", *told_of, against, one.place)
                continue
            if item not in stays:
                yield Finding("goods-unknown", *told_of, place=one.place)
                continue
            if one.record not in opened and (unit := _closed(stays, item, start, end)) is not None:
                yield Finding("goods-closed", *told_of, unit.start_record, one.place, unit.where.id)
            if one.place and (there := _elsewhere(stays, item, one.place, start, end)) is not None:
                yield Finding("goods-elsewhere", *told_of, there.start_record, one.place, there.where.id)


def _stays_of(facts: Facts, items: Collection[str]) -> dict[str, list[Stay]]:
    """Return what firms' records say of where items and the units around them were."""
    found: dict[str, list[Stay]] = {}
    wanted = set(items)
    while wanted:
        for stay in facts.stays:
            if stay.who.kind == "item" and stay.who.id in wanted and not is_stated(stay.fact):
                found.setdefault(stay.who.id, []).append(stay)
        around = {stay.where.id for one in wanted for stay in found.get(one, ()) if stay.where.kind == "interior"}
        wanted = around - found.keys() - wanted
    return found


def _closed(stays: Mapping[str, Sequence[Stay]], item: str, start: Micros, end: Micros) -> Stay | None:
    """Return the stay in a unit that covers a time, if nothing opened the unit meanwhile."""
    for stay in stays[item]:
        inside = stay.where.kind == "interior" and stay.fact == "inside" and stay.certain
        if not inside or stay.start > start or stay.end < end:
            continue
        units = stays.get(stay.where.id, ())
        if not any(one.fact == "open" and one.start < end and one.end > start for one in units):
            return stay
    return None


def _elsewhere(stays: Mapping[str, Sequence[Stay]], item: str, place: str, start: Micros, end: Micros) -> Stay | None:
    """Return a stay at another site, if such stays cover the whole of a time and none is at the place."""
    there = [
        (max(low, start), min(high, end), stay)
        for low, high, stay in _located(stays, Party("item", item), start, end, frozenset())
        if low < end and high > start
    ]
    if any(site(stay.where.id) == site(place) for *_, stay in there):
        return None
    reached, first = start, None
    for low, high, stay in sorted((one for one in there if one[2].certain), key=lambda one: one[:2]):
        if low > reached:
            return None
        if high > reached:
            reached, first = high, first or stay
    return first if reached >= end else None


def _located(
    stays: Mapping[str, Sequence[Stay]], item: Party, start: Micros, end: Micros, seen: frozenset[str]
) -> Iterator[tuple[Micros, Micros, Stay]]:
    """Yield the item's stays in locations, and those of what it was in, as far as it was in it."""
    for stay in stays.get(item.id, ()):
        if stay.end <= start or stay.start >= end:
            continue
        if stay.where.kind == "location" and stay.fact == "at":
            yield stay.start, stay.end, stay
        elif stay.where.kind == "interior" and stay.fact == "inside" and stay.where.id not in seen:
            low, high = max(start, stay.start), min(end, stay.end)
            around = _located(stays, Party("item", stay.where.id), low, high, seen | {item.id})
            for first, last, outer in around:
                yield max(low, first), min(high, last), outer if stay.certain else outer._replace(certain=False)
