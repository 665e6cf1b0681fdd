"""The definitions taken literally: every pair of stays, repeated until nothing changes. Slow, short, independent.

docs/spec/facts.md §8 and tracing.md §3; shares the fact types with the engine and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sudonglian.trace.engine.facts import Facts, Flow, Micros, Party, Place, Stay

Answer = tuple[dict[Party, dict[int, Micros]], dict[Place, dict[int, Micros]]]
"""For each party and place: hops → the earliest exposure with that many hops at most."""


def instants_count(start: Micros, end: Micros, until: Micros | None) -> tuple[Micros, Micros] | None:
    """Return what of a stay counts: an instant at `until` does, an interval that begins there does not."""
    if start >= end:
        return None
    if until is None:
        return start, end
    if end == start + 1:
        return (start, end) if start <= until else None
    return (start, min(end, until + 1)) if start < until else None


def spread(
    facts: Facts,
    seeds: Mapping[Party, Micros],
    *,
    strict: bool,
    certain: bool = False,
    until: Micros | None = None,
    max_hops: int | None = None,
    linger: Mapping[str, Micros] | None = None,
) -> Answer:
    """Return the earliest exposures, by relaxing every meeting and flow, hop count by hop count.

    A state is (time, met): `met` says that the walk's last meeting was at that very time, so that in strict mode
    the next meeting must be later. A later state of a party, with as many hops or more, can do nothing that an
    earlier one cannot, and is dropped: in strict mode two parties that stay together would else go on for ever.
    """
    linger = linger or {}
    stays: list[tuple[Stay, Micros, Micros]] = []
    for stay in facts.stays:
        counted = instants_count(stay.start, stay.end, until)
        if counted and (stay.certain or not certain):
            stays.append((stay, *counted))
    flows = [flow for flow in facts.flows if (flow.certain or not certain) and (until is None or flow.time <= until)]
    layers: dict[int, dict[Party, set[tuple[Micros, bool]]]] = {0: defaultdict(set)}
    for party, time in seeds.items():
        if until is None or time <= until:
            layers[0][party].add((time, False))
    close(layers[0], [flow for flow in flows if flow.hops == 0])
    places: dict[Place, dict[int, Micros]] = defaultdict(dict)
    hops, known_best = 0, {party: min(states) for party, states in layers[0].items() if states}
    while layers[hops] and (max_hops is None or hops < max_hops):
        following: dict[Party, set[tuple[Micros, bool]]] = defaultdict(set)
        for party, states in layers[hops].items():
            for time, met in states:
                onset = time + 1 if strict and met else time
                for stay, start, end in stays:
                    if stay.who != party or max(start, onset) >= end:
                        continue
                    began, lasts = max(start, onset), end + linger.get(stay.where.kind, 0)
                    known = places[stay.where].get(hops + 1)
                    places[stay.where][hops + 1] = began if known is None else min(known, began)
                    for other, other_start, other_end in stays:
                        meeting = max(began, other_start)
                        if other.where == stay.where and other.who != party and meeting < min(lasts, other_end):
                            following[other.who].add((meeting, True))
                for flow in flows:
                    if flow.source == party and flow.hops == 1 and time <= flow.time:
                        following[flow.target].add((flow.time, met and time == flow.time))
        close(following, [flow for flow in flows if flow.hops == 0])
        fresh = {party: min(states) for party, states in following.items() if states}
        fresh = {party: state for party, state in fresh.items() if party not in known_best or state < known_best[party]}
        known_best |= fresh
        hops += 1
        layers[hops] = defaultdict(set)
        for party, state in fresh.items():
            layers[hops][party].add(state)
    parties: dict[Party, dict[int, Micros]] = defaultdict(dict)
    for count, layer in layers.items():
        for party, states in layer.items():
            parties[party][count] = min(time for time, _ in states)
    return {party: running(times) for party, times in parties.items()}, {
        place: running(times) for place, times in places.items()
    }


def close(layer: dict[Party, set[tuple[Micros, bool]]], flows: Iterable[Flow]) -> None:
    """Add what a layer becomes without a hop."""
    flows, changed = list(flows), True
    while changed:
        changed = False
        for flow in flows:
            for time, met in list(layer.get(flow.source, ())):
                state = (flow.time, met and time == flow.time)
                if time <= flow.time and state not in layer[flow.target]:
                    layer[flow.target].add(state)
                    changed = True


def running(times: Mapping[int, Micros]) -> dict[int, Micros]:
    """Return hops → earliest with at most that many, only where it improves."""
    best: dict[int, Micros] = {}
    for count in sorted(times):
        if not best or times[count] < min(best.values()):
            best[count] = times[count]
    return best


def certain_seeds(times: Mapping[Party, Micros | None]) -> dict[Party, Micros]:
    """Return the seeds that are known for certain."""
    return {party: time for party, time in times.items() if time is not None}
