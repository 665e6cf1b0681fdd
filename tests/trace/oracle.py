"""The definitions taken literally: every pair of stays, repeated until nothing changes. Slow, short, independent.

docs/spec/facts.md §8 and tracing.md §3; shares the fact types with the engine and nothing else.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from sudonglian.trace.engine.facts import Facts, Flow, Micros, Party, Place, Stay

Answer = tuple[dict[Party, dict[int, Micros]], dict[Place, dict[int, Micros]]]
"""For each party and place: hops → the earliest exposure with that many hops at most."""

States = dict[Party, set[tuple[Micros, bool]]]
"""When each party is exposed, and whether by a meeting at that very time."""


def instants_count(start: Micros, end: Micros, until: Micros | None) -> tuple[Micros, Micros] | None:
    """Return what of a stay counts: an instant at `until` does, an interval that begins there does not."""
    if start >= end:
        return None
    if until is None:
        return start, end
    if end == start + 1:
        return (start, end) if start <= until else None
    return (start, min(end, until + 1)) if start < until else None


def wipes(facts: Facts, *, certain: bool) -> dict[Party | Place, list[Micros]]:
    """Return from when on each disinfected subject is clean: for certain exposure, whatever may have cleaned it."""
    found: dict[Party | Place, list[Micros]] = defaultdict(list)
    for clean in facts.cleans:
        if clean.complete and (clean.certain or certain):
            found[clean.subject].append(clean.time + 1)
    return found


def pieces(start: Micros, end: Micros, moments: Iterable[Micros]) -> list[tuple[Micros, Micros]]:
    """Return an interval between the moments."""
    edges = [start, *sorted(moment for moment in set(moments) if start < moment < end), end]
    return [(low, high) for low, high in pairwise(edges) if low < high]


def spread(
    facts: Facts,
    seeds: Mapping[Party, Iterable[Micros]],
    *,
    strict: bool,
    certain: bool = False,
    until: Micros | None = None,
    max_hops: int | None = None,
    linger: Mapping[str, Micros] | None = None,
) -> Answer:
    """Return the earliest exposures of parties and places."""
    layers, places = reach(facts, seeds, strict=strict, certain=certain, until=until, max_hops=max_hops, linger=linger)
    parties: dict[Party, dict[int, Micros]] = defaultdict(dict)
    for count, layer in enumerate(layers):
        for party, states in layer.items():
            parties[party][count] = min(time for time, _ in states)
    return {party: running(times) for party, times in parties.items()}, {
        place: running(times) for place, times in places.items()
    }


def reach(
    facts: Facts,
    seeds: Mapping[Party, Iterable[Micros]],
    *,
    strict: bool,
    certain: bool = False,
    until: Micros | None = None,
    max_hops: int | None = None,
    linger: Mapping[str, Micros] | None = None,
) -> tuple[list[States], dict[Place, dict[int, Micros]]]:
    """Return the exposures hop count by hop count, by relaxing every meeting and flow; and when places first are.

    A state is (time, met): `met` says that the walk's last meeting was at that very time, so that in strict mode
    the next meeting must be later. It ends at the party's next disinfection. Of two states between the same
    disinfections, the later, with as many hops or more, can do nothing that the earlier cannot, and is dropped: in
    strict mode two parties that stay together would else go on for ever.
    """
    linger = linger or {}
    cleaned = wipes(facts, certain=certain)

    def life(subject: Party | Place, time: Micros) -> int:
        return sum(moment <= time for moment in cleaned.get(subject, ()))

    def clean_again(subject: Party | Place, time: Micros) -> Micros:
        return min((moment for moment in cleaned.get(subject, ()) if moment > time), default=1 << 62)

    stays: list[tuple[Stay, Micros, Micros]] = []
    for stay in facts.stays:
        counted = instants_count(stay.start, stay.end, until)
        if counted and (stay.certain or not certain):
            stays.append((stay, *counted))
    flows = [flow for flow in facts.flows if (flow.certain or not certain) and (until is None or flow.time <= until)]
    free = [flow for flow in flows if flow.hops == 0]
    layers: list[States] = [defaultdict(set)]
    for party, times in seeds.items():
        layers[0][party] |= {(time, False) for time in times if until is None or time <= until}
    close(layers[0], free, life)
    places: dict[Place, dict[int, Micros]] = defaultdict(dict)
    known: dict[tuple[Party, int], tuple[Micros, bool]] = {}
    hops, layers[0] = 0, fresh(layers[0], known, life)
    while layers[hops] and (max_hops is None or hops < max_hops):
        following: States = defaultdict(set)
        for party, states in layers[hops].items():
            for time, met in states:
                onset = time + 1 if strict and met else time
                for stay, start, end in stays:
                    if stay.who != party:
                        continue
                    # The party exposes until it is cleaned; the place until it is, and again while the party stays.
                    for began, left in pieces(
                        max(start, onset), min(end, clean_again(party, time)), cleaned.get(stay.where, ())
                    ):
                        lasts = min(left + linger.get(stay.where.kind, 0), clean_again(stay.where, began))
                        reached = places[stay.where].get(hops + 1)
                        places[stay.where][hops + 1] = began if reached is None else min(reached, began)
                        for other, other_start, other_end in stays:
                            if other.where != stay.where:
                                continue
                            # Each time that the other is clean again, it can be exposed again.
                            for low, high in pieces(other_start, other_end, cleaned.get(other.who, ())):
                                meeting = max(began, low)
                                apart = other.who != party or life(party, meeting) != life(party, time)
                                if apart and meeting < min(lasts, high):
                                    following[other.who].add((meeting, True))
                for flow in flows:
                    same_life = life(party, time) == life(party, flow.time)
                    if flow.source == party and flow.hops == 1 and time <= flow.time and same_life:
                        following[flow.target].add((flow.time, met and time == flow.time))
        close(following, free, life)
        hops += 1
        layers.append(fresh(following, known, life))
    return layers, places


Life = Callable[[Party, Micros], int]


def fresh(layer: States, known: dict[tuple[Party, int], tuple[Micros, bool]], life: Life) -> States:
    """Return the earliest state of each party in each of its lives, if it is earlier than with fewer hops."""
    kept: States = defaultdict(set)
    for party, states in layer.items():
        for number in {life(party, time) for time, _ in states}:
            first = min(state for state in states if life(party, state[0]) == number)
            if first < known.get((party, number), (1 << 62, False)):
                known[party, number] = first
                kept[party].add(first)
    return kept


def close(layer: States, flows: Iterable[Flow], life: Life) -> None:
    """Add what a layer becomes without a hop."""
    flows, changed = list(flows), True
    while changed:
        changed = False
        for flow in flows:
            for time, met in list(layer.get(flow.source, ())):
                state = (flow.time, met and time == flow.time)
                same_life = life(flow.source, time) == life(flow.source, flow.time)
                if time <= flow.time and same_life and state not in layer[flow.target]:
                    layer[flow.target].add(state)
                    changed = True


def running(times: Mapping[int, Micros]) -> dict[int, Micros]:
    """Return hops → earliest with at most that many, only where it improves."""
    best: dict[int, Micros] = {}
    for count in sorted(times):
        if not best or times[count] < min(best.values()):
            best[count] = times[count]
    return best
