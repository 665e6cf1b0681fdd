"""Backward by definition: whatever is exposed at a moment and then, forward, found in the target.

docs/spec/facts.md §8.7; asks the forward oracle once for every moment of every party and place.
"""

from collections import defaultdict
from collections.abc import Mapping

from tests.trace import oracle

from sudonglian.trace.engine.facts import Facts, Micros, Party, Place, Stay

PROBE = Party("process", "probe")
"""Who stands for a place that is exposed at a moment."""


def backward(
    facts: Facts,
    target: Party | Place,
    at: Micros,
    since: Micros,
    *,
    strict: bool,
    certain: bool = False,
    max_hops: int | None = None,
    linger: Mapping[str, Micros] | None = None,
) -> oracle.Answer:
    """Return the latest moment from which each party and place reaches the target as it was at a moment.

    By definition: whatever is exposed at some t, forward, and found in the target at `at` or before, and not cleaned
    off it in between. What counts ends at `since` as a forward question ends at `until`, on reversed time.
    """
    stays: list[Stay] = []
    for stay in facts.stays:
        turned = oracle.instants_count(1 - stay.end, 1 - stay.start, -since)
        if turned:
            stays.append(stay._replace(start=1 - turned[1], end=min(1 - turned[0], at + 1)))
    flows = tuple(flow for flow in facts.flows if since <= flow.time <= at)
    goal = PROBE._replace(id="goal") if isinstance(target, Place) else target
    if isinstance(target, Place):
        stays.append(Stay("at", goal, target, at, at + 1, True, "", ""))
    moments = oracle.wipes(facts, certain=certain).get(goal, [])
    parties = {stay.who for stay in stays} | {party for flow in flows for party in (flow.source, flow.target)} | {goal}
    found: tuple[dict[Party, dict[int, Micros]], dict[Place, dict[int, Micros]]] = (
        defaultdict(dict),
        defaultdict(dict),
    )
    begin = max(since, min([at, *(stay.start for stay in stays), *(flow.time for flow in flows)]))

    def tell(seed: Party, world: Facts, time: Micros, times: dict[int, Micros]) -> None:
        layers, _ = oracle.reach(
            world, {seed: [time]}, strict=strict, certain=certain, max_hops=max_hops, linger=linger
        )
        for hops, layer in enumerate(layers):
            if any(when <= at and not any(when < end <= at for end in moments) for when, _ in layer.get(goal, ())):
                # Later moments overwrite earlier ones: with so many hops, this is the latest yet.
                times[hops] = time

    for time in range(begin, at + 1):
        for party in parties:
            tell(party, Facts(stays=tuple(stays), flows=flows, cleans=facts.cleans), time, found[0][party])
        for place in {stay.where for stay in stays}:
            probe = Stay("at", PROBE, place, time, time + 1, True, "", "")
            tell(PROBE, Facts(stays=(*stays, probe), flows=flows, cleans=facts.cleans), time, found[1][place])
    return {one: times for one, times in found[0].items() if times}, {
        one: times for one, times in found[1].items() if times
    }
