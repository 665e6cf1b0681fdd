"""The goods of an answer as deliveries between places, and which delivery went into which.

docs/decisions/0332. Read from the facts, so that it holds what the records say and nothing else.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from sudonglian.trace.engine.facts import OPEN_END, Facts, Micros, Party, Stay

INTO: Final = frozenset({"input", "output", "split", "merge"})
"""Flows by which goods become other goods; a unit and what it holds travel together instead."""

MAX_NESTING: Final = 12
"""Units within units; real ones have three or four."""


class Visit(NamedTuple):
    """Goods at a place, without a break."""

    who: Party
    place: str
    start: Micros
    end: Micros


@dataclass(frozen=True, slots=True)
class Delivery:
    """Goods that were at one place and next at another; `end` of the one and `start` of the other are its days."""

    goods: str
    source: str
    target: str
    departed: Micros
    arrived: Micros


@dataclass(frozen=True, slots=True)
class Goods:
    """Places in the order of their names, deliveries by day, and pairs of deliveries by number."""

    places: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    relations: tuple[tuple[int, int], ...]


def goods(facts: Facts, only: Collection[Party]) -> Goods:
    """Return the deliveries of some goods: where they were one after the other, and what was made of them."""
    visits = _visits(facts, only)
    moves: list[tuple[Visit, Visit]] = []
    stays_on: dict[Visit, set[Visit]] = defaultdict(set)
    pairs = [pair for chain in visits.values() for pair in pairwise(chain)]
    for before, after in (*pairs, *_made(facts, visits)):
        if before.place == after.place:
            stays_on[before].add(after)
        else:
            moves.append((before, after))
    moves = sorted(set(moves), key=lambda move: (move[1].start, move[0].end, move[1].who, move[0]))
    leaving: dict[Visit, list[int]] = defaultdict(list)
    for number, (before, _) in enumerate(moves):
        leaving[before].append(number)
    relations = {
        (number, other)
        for number, (_, after) in enumerate(moves)
        for visit in _reached(after, stays_on)
        for other in leaving.get(visit, ())
    }
    places = {visit.place for chain in visits.values() for visit in chain}
    found = [
        Delivery(after.who.id, before.place, after.place, min(before.end, after.start), after.start)
        for before, after in moves
    ]
    return Goods(tuple(sorted(places)), tuple(found), tuple(sorted(relations)))


def _visits(facts: Facts, only: Collection[Party]) -> dict[Party, list[Visit]]:
    own: dict[Party, list[Visit]] = defaultdict(list)
    inside: list[tuple[Party, Party, Stay]] = []
    for stay in facts.stays:
        if stay.who.kind != "item":
            continue
        if stay.where.kind == "location":
            own[stay.who].append(Visit(stay.who, stay.where.id, stay.start, stay.end))
        elif stay.where.kind == "interior":
            inside.append((stay.who, Party("item", stay.where.id), stay))
    whole: Mapping[Party, list[Visit]] = own
    for _ in range(MAX_NESTING):  # what is in a unit is where the unit is, and so on outward
        wider = {who: list(found) for who, found in own.items()}
        for who, unit, stay in inside:
            for visit in whole.get(unit, ()):
                start, end = max(visit.start, stay.start), min(visit.end, stay.end)
                if start < end:
                    wider.setdefault(who, []).append(Visit(who, visit.place, start, end))
        wider = {who: _joined(found) for who, found in wider.items()}
        if wider == whole:
            break
        whole = wider
    return {who: _joined(found) for who, found in whole.items() if who in only}


def _joined(visits: list[Visit]) -> list[Visit]:
    joined: list[Visit] = []
    for visit in sorted(visits, key=lambda one: (one.start, one.end, one.place)):
        if joined and joined[-1].place == visit.place:
            last = joined[-1]
            joined[-1] = last._replace(end=max(last.end, visit.end))
        else:
            joined.append(visit)
    return joined


def _made(facts: Facts, visits: Mapping[Party, list[Visit]]) -> list[tuple[Visit, Visit]]:
    """Return from where to where goods became other goods; what a transformation takes goes into all that it gives."""
    takes: dict[Party, list[Visit]] = defaultdict(list)
    gives: dict[Party, list[Visit]] = defaultdict(list)
    made: list[tuple[Visit, Visit]] = []
    for flow in facts.flows:
        if flow.fact not in INTO:
            continue
        before = [visit for visit in visits.get(flow.source, ()) if visit.start <= flow.time][-1:]
        after = [visit for visit in visits.get(flow.target, ()) if visit.end > flow.time or visit.end == OPEN_END][:1]
        made += [(one, other) for one in before for other in after]
        if flow.target.kind == "process":
            takes[flow.target] += before
        if flow.source.kind == "process":
            gives[flow.source] += after
    return made + [(one, other) for process in takes for one in takes[process] for other in gives.get(process, ())]


def _reached(start: Visit, stays_on: Mapping[Visit, set[Visit]]) -> set[Visit]:
    reached, waiting = {start}, [start]
    while waiting:
        for other in stays_on.get(waiting.pop(), ()):
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached
