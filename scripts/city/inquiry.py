"""Three ways to make a list from the same records: the engine, one hop by hand, and a recall of the lot.

docs/simulation.md says what each is given; none of them sees the truth.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from scripts.city.life import Sampled
from scripts.city.records import moment
from scripts.handoffs import Event
from scripts.reading import views_of

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.document import ranks_of
from sudonglian.trace.engine.facts import Facts
from sudonglian.trace.engine.member import Member
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import trace
from sudonglian.trace.errors import SeedUnknown

ENGINE: Final = "engine"
TWO_HOPS: Final = "engine, 2 hops"
NEAREST: Final = "engine, one hop from pallet and boxes"
SAME_LENGTH: Final = "engine, as many as by hand"
BY_RISK: Final = "engine, as many as by hand, by risk"
ONE_HOP: Final = "one hop by hand"
SAME_LOT: Final = "same-lot recall"
METHODS: Final = (ENGINE, TWO_HOPS, SAME_LENGTH, BY_RISK, NEAREST, ONE_HOP, SAME_LOT)

LOOKBACK: Final = timedelta(days=14)
CERTAIN: Final = "certain"
NEAR: Final = ("close", "high")
NO_RANK: Final = 10**9
"""Behind all who have a rank: no dose is known within three generations."""

UNIT: Final = "/00/"
"""In the name of every logistic unit."""


class Listed(NamedTuple):
    """Whom (by phone) and which units a method lists, without the seed."""

    people: frozenset[str]
    units: frozenset[str]


def lists(events: Sequence[Event], sampled: Sampled) -> dict[str, Listed]:
    """Return what each method lists."""
    by_hand = _one_hop(events, sampled)
    return {**_engine(events, sampled, by_hand), ONE_HOP: by_hand, SAME_LOT: _same_lot(events, sampled)}


def _engine(events: Sequence[Event], sampled: Sampled, by_hand: Listed) -> dict[str, Listed]:
    """Return what the engine lists, parts of it by its own hops and order, and its answer to the question of the hand."""
    facts = derive_facts(views_of(events))
    members = _traced(facts, sampled.pallet, sampled)
    ranks = ranks_of(members)
    near = [one for seed in (sampled.pallet, *sampled.boxes) for one in _traced(_around(facts, seed), seed, sampled, 1)]
    # Whoever asks so counts the boxes of the positive pallet as positive.
    boxes = Listed(frozenset(), frozenset(sampled.boxes))
    return {
        ENGINE: _listed(members),
        TWO_HOPS: _listed([one for one in members if one.hops <= 2]),
        SAME_LENGTH: _first(members, by_hand, _order),
        BY_RISK: _first(members, by_hand, lambda one: (ranks[one.key] or NO_RANK, _order(one))),
        NEAREST: Listed(*(told | more for told, more in zip(_listed(near), boxes, strict=True))),
    }


def _first(members: Sequence[Member], as_many: Listed, order: Callable[[Member], Any]) -> Listed:
    """Return as many members as another list has, from the top of an order."""
    kinds = [one for one in members if one.kind == "person"], [one for one in members if _unit(one)]
    first = (sorted(some, key=order)[: len(other)] for some, other in zip(kinds, as_many, strict=True))
    return Listed(*(frozenset(one.id for one in some) for some in first))


def _traced(facts: Facts, seed: str, sampled: Sampled, hops: int | None = None) -> Sequence[Member]:
    """Return the engine's answer; nobody if no record names the seed."""
    query = TraceQuery(seed, at=moment(sampled.at), lookback=LOOKBACK, max_generation=hops)
    try:
        return [one for one in trace(facts, query).members if one.id != sampled.pallet]
    except SeedUnknown:
        return []


def _around(facts: Facts, seed: str) -> Facts:
    """Return the facts within one hop of a thing: those of the places where it was, and its own flows.

    A question of one hop has the same answer over them as over all, in a tenth of the time.
    """
    places = {stay.where for stay in facts.stays if stay.who.id == seed}
    return replace(
        facts,
        stays=tuple(stay for stay in facts.stays if stay.where in places),
        flows=tuple(flow for flow in facts.flows if seed in (flow.source.id, flow.target.id)),
    )


def _listed(members: Iterable[Member]) -> Listed:
    some = list(members)
    people = frozenset(one.id for one in some if one.kind == "person")
    return Listed(people, frozenset(one.id for one in some if _unit(one)))


def _unit(member: Member) -> bool:
    return member.kind == "item" and UNIT in member.id


def _order(member: Member) -> tuple[bool, int, bool, int, str]:
    """Return what an investigator would sort by who takes the nearest first."""
    return member.tier not in NEAR, member.hops, member.evidence != CERTAIN, member.possible_time, member.id


def _one_hop(events: Sequence[Event], sampled: Sampled) -> Listed:
    """Return who is named beside the pallet, its boxes or its opened container, and who was on shift where they stood.

    So an investigator with papers does: the unit itself, what it held, what held it; no further.
    """
    holders = {one["parentID"] for one in events if one["type"] == "AggregationEvent" and sampled.pallet in _held(one)}
    followed = {sampled.pallet, *sampled.boxes}
    beside = {uri for one in events if one.get("parentID") in holders for uri in _held(one)}
    people = _beside(events, followed, holders, sampled) | _on_shift(events, followed)
    return Listed(frozenset(people), frozenset((followed | beside) - {sampled.pallet}))


def _same_lot(events: Sequence[Event], sampled: Sampled) -> Listed:
    """Return every unit of the lot by the exporter's packing lists, and who is named beside any."""
    packed = {one["parentID"]: _held(one) for one in events if one.get("bizStep") == "packing"}
    loaded = {one["parentID"]: _held(one) for one in events if one.get("bizStep") == "loading"}
    containers = {one["parentID"] for one in events if one.get("sdl:lot") == sampled.lot}
    pallets = {pallet for container in containers for pallet in loaded.get(container, ())}
    followed = pallets | {box for pallet in pallets for box in packed.get(pallet, ())} | {sampled.pallet}
    people = _beside(events, followed, containers, sampled)
    return Listed(frozenset(people), frozenset(followed - {sampled.pallet}))


def _beside(events: Iterable[Event], followed: set[str], holders: set[str], sampled: Sampled) -> set[str]:
    """Return who stands in a record that names what is followed, or that opens what held it, within the window."""
    since = moment(sampled.at) - LOOKBACK
    found: set[str] = set()
    for one in events:
        named = {*one.get("epcList", ()), *_held(one)}
        opened = one.get("parentID") in holders and one["action"] == "DELETE"
        if (followed & {*named, one.get("parentID", "")} or opened) and datetime.fromisoformat(
            one["eventTime"]
        ) >= since:
            found |= {who["personRef"]["value"] for who in one.get("sdl:participants", ())}
    return found


def _on_shift(events: Sequence[Event], followed: set[str]) -> set[str]:
    """Return who was on a shift list of a room on the days on which what is followed is shown there."""
    days: set[tuple[str, str]] = set()
    for one in events:
        if followed & {*one.get("epcList", ()), *_held(one), one.get("parentID", "")} and "readPoint" in one:
            days.add((one["readPoint"]["id"], one["eventTime"][:10]))
    return {
        who["personRef"]["value"]
        for one in events
        if one["bizStep"] == "holding" and (one["readPoint"]["id"], one["eventTime"][:10]) in days
        for who in one.get("sdl:participants", ())
    }


def _held(event: Any) -> Sequence[str]:
    return event.get("childEPCs", ())  # type: ignore[no-any-return]
