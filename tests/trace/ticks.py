"""The definitions tick by tick: every moment of a small world asked by itself. Slow, short, independent.

docs/spec/facts.md §8, §11 and §13; tracing.md §3. Unlike `oracle` it knows minimum dwell, and that exposure may cease; it
shares the fact types with the engine and nothing else. A set of ticks is a number whose bit t is the tick t - START.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sudonglian.trace.engine.facts import Facts, Micros, Party, Place

START, END = -80, 120
"""All ticks that a world may have; its own stand far from both ends."""

Until = Callable[[Micros], Micros]
"""From the tick of an exposure to the last tick at which it exposes."""


class Assumed(NamedTuple):
    """What a world is asked with."""

    strict: bool
    certain: bool = False
    until: Micros | None = None
    max_hops: int | None = None
    dwell: Mapping[str, Micros] = {}
    wear: Callable[[Place], Until] = lambda place: lambda tick: tick
    fade: Callable[[Party], Until] = lambda party: lambda tick: END


class Found(NamedTuple):
    """For each party and place: hops → the earliest tick; when parties expose, and when places are exposed."""

    parties: dict[Party, dict[int, Micros]]
    places: dict[Place, dict[int, Micros]]
    alive: dict[Party, int]
    exposed: dict[Place, int]
    layers: list[dict["Life", int]]
    """For each number of hops, when each life exposes that needed as many at most."""
    lives: dict["Life", tuple[int, int]]
    """The fewest hops of each life, and when it may expose in meetings."""
    world: "World"


Life = tuple[Party, int]
Room = tuple[Place, int]


class Run(NamedTuple):
    """Somebody's presence without a break, in one life of theirs and of the place."""

    who: Life
    room: Room
    start: Micros
    end: Micros


def span(start: Micros, end: Micros) -> int:
    """Return the ticks of [start, end)."""
    start, end = max(start, START), min(end, END)
    return ((1 << (end - start)) - 1) << (start - START) if start < end else 0


def ticks(mask: int) -> Iterable[Micros]:
    """Yield the ticks of a set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1 + START
        mask ^= low


class World:
    """Facts as they count for a question."""

    def __init__(self, facts: Facts, assumed: Assumed) -> None:
        self.assumed = assumed
        self.cleaned: dict[Party | Place, set[Micros]] = defaultdict(set)
        for clean in facts.cleans:
            if clean.complete and (clean.certain or assumed.certain):
                self.cleaned[clean.subject].add(clean.time + 1)
        until = assumed.until
        present: dict[tuple[Life, Room], int] = defaultdict(int)
        for stay in facts.stays:
            begin, end = stay.start, stay.end
            if assumed.certain and not stay.certain:
                continue
            if until is not None:
                # An instant at the end counts, an interval that begins there does not.
                if begin > until or (begin == until and end - begin > 1):
                    continue
                end = min(end, until + 1)
            for tick in range(max(begin, START), min(end, END)):
                who, room = (stay.who, self.life(stay.who, tick)), (stay.where, self.life(stay.where, tick))
                present[who, room] |= span(tick, tick + 1)
        self.runs: list[Run] = []
        for (who, room), mask in present.items():
            start: Micros | None = None
            for tick in range(START, END + 1):
                there = bool(mask & span(tick, tick + 1))
                if there and start is None:
                    start = tick
                if not there and start is not None:
                    self.runs.append(Run(who, room, start, tick))
                    start = None
        self.flows = [
            flow
            for flow in facts.flows
            if (flow.certain or not assumed.certain) and (until is None or flow.time <= until)
        ]

    def life(self, subject: Party | Place, tick: Micros) -> int:
        return sum(moment <= tick for moment in self.cleaned.get(subject, ()))

    def within(self, subject: Party | Place, life: int) -> int:
        """Return the ticks of a life."""
        moments = sorted(self.cleaned.get(subject, ()))
        edges = [START, *moments, END]
        return span(edges[life], edges[life + 1])


def spread(facts: Facts, seeds: Mapping[Party, Iterable[Micros]], assumed: Assumed) -> Found:
    """Return all exposures, by hop counts."""
    world = World(facts, assumed)
    strict = assumed.strict
    parties: dict[Party, dict[int, Micros]] = defaultdict(dict)
    places: dict[Place, dict[int, Micros]] = defaultdict(dict)
    flowing: dict[Life, int] = defaultdict(int)
    meeting: dict[Life, int] = defaultdict(int)
    exposed: dict[Place, int] = defaultdict(int)
    passed: dict[tuple[Run, Life], int] = defaultdict(int)
    arrivals: dict[Life, set[tuple[Micros, bool]]] = defaultdict(set)
    known: set[tuple[Life, Micros, bool]] = set()
    for party, times in seeds.items():
        for time in times:
            if assumed.until is None or time <= assumed.until:
                arrivals[party, world.life(party, time)].add((time, False))
    layers: list[dict[Life, int]] = []
    fewest: dict[Life, int] = {}
    hops = 0
    while True:
        new: dict[Life, int] = defaultdict(int)
        while arrivals:
            # What a layer becomes without a hop belongs to it.
            free: dict[Life, set[tuple[Micros, bool]]] = defaultdict(set)
            for life, states in arrivals.items():
                party, number = life
                for time, met in states:
                    if (life, time, met) in known:
                        continue
                    known.add((life, time, met))
                    fewest.setdefault(life, hops)
                    times = parties[party]
                    if not times or time < min(times.values()):
                        times[hops] = time
                    last, mine = assumed.fade(party)(time), world.within(party, number)
                    flowing[life] |= span(time, last + 1) & mine
                    fresh = span(time + 1 if strict and met else time, last + 1) & mine & ~meeting[life]
                    meeting[life] |= fresh
                    new[life] |= fresh
                for flow in world.flows:
                    at = span(flow.time, flow.time + 1)
                    if flow.source == party and flow.hops == 0 and flowing[life] & at:
                        free[flow.target, world.life(flow.target, flow.time)].add((flow.time, not meeting[life] & at))
            arrivals = {
                life: kept
                for life, states in free.items()
                if (kept := {state for state in states if (life, *state) not in known})
            }
        layers.append(dict(flowing))
        if assumed.max_hops is not None and hops >= assumed.max_hops:
            break
        hops += 1
        following: dict[Life, set[tuple[Micros, bool]]] = defaultdict(set)
        for source in world.runs:
            given = new[source.who] & span(source.start, source.end)
            if not given:
                continue
            place, _ = source.room
            wear, there = assumed.wear(place), world.within(*source.room)
            first = next(iter(ticks(given)))
            if not places[place] or first < min(places[place].values()):
                places[place][hops] = first
            lasting = 0
            for tick in ticks(given):
                lasting |= span(tick, wear(tick) + 1) & there
            exposed[place] |= lasting
            step = assumed.dwell.get(place.kind, 0)
            sampled = source.who[0].kind == "process"
            for target in world.runs:
                if target.room != source.room or target.who == source.who:
                    continue
                wait = 0 if target.who[0].kind == "process" else step
                taken = lasting & span(target.start, target.end - wait + 1 if wait else target.end)
                if wait and not sampled:
                    taken &= span(START, wear(source.end - 1) + 1 - wait + 1)
                if wait and assumed.until is not None:
                    taken &= span(START, assumed.until - wait + 1)
                taken &= ~passed[target, source.who]
                passed[target, source.who] |= taken
                following[target.who] |= {(tick + wait, not wait) for tick in ticks(taken)}
        for flow in world.flows:
            life, at = (flow.source, world.life(flow.source, flow.time)), span(flow.time, flow.time + 1)
            if flow.hops == 1 and flowing[life] & at:
                following[flow.target, world.life(flow.target, flow.time)].add((flow.time, not meeting[life] & at))
        arrivals = {
            life: kept
            for life, states in following.items()
            if (kept := {state for state in states if (life, *state) not in known})
        }
        if not arrivals:
            break
    alive: dict[Party, int] = defaultdict(int)
    for (party, _), mask in flowing.items():
        alive[party] |= mask
    return Found(
        dict(parties),
        dict(places),
        alive,
        exposed,
        layers,
        {life: (fewest[life], meeting[life]) for life in fewest},
        world,
    )


def exposure(found: Found, who: Party, last: Micros) -> tuple[int, int]:
    """Return for how many ticks up to the last one a party met, by touching and otherwise, who needed fewer hops."""
    world, counted = found.world, span(START, last + 1)
    lengths = [0, 0]
    for room in sorted({run.room for run in world.runs}):
        place, _ = room
        wear = world.assumed.wear(place)
        for life in sorted({run.who for run in world.runs if run.who[0] == who}):
            if life not in found.lives:
                continue
            exposed = 0
            for run in world.runs:
                if run.room == room and run.who in found.lives and found.lives[run.who][0] < found.lives[life][0]:
                    for tick in ticks(found.lives[run.who][1] & span(run.start, run.end)):
                        exposed |= span(tick, wear(tick) + 1)
            there = 0
            for run in world.runs:
                if run.room == room and run.who == life:
                    there |= span(run.start, run.end)
            lengths[place.kind not in ("handoff", "interior")] += (exposed & there & counted).bit_count()
    return lengths[0], lengths[1]
