"""Small random worlds of facts, and the check of a walk against the facts."""

import random
from collections.abc import Sequence

from sudonglian.trace.engine.facts import Facts, Flow, Party, Place, Stay, canonical
from sudonglian.trace.engine.run import Step

KINDS = ("location", "vehicle", "interior", "handoff")


def world(seed: int) -> Facts:
    """Return a world of few parties and places on a short clock, so that ties, gaps and cycles are common."""
    dice = random.Random(seed)
    clock = dice.choice((4, 8, 20))
    parties = [Party("item" if dice.random() < 0.5 else "person", f"p{n}") for n in range(dice.randint(2, 6))]
    places = [Place(dice.choice(KINDS), f"l{n}") for n in range(dice.randint(1, 4))]  # type: ignore[arg-type]
    stays = []
    for number in range(dice.randint(1, 14)):
        start = dice.randrange(clock)
        length = dice.choice((1, 1, 2, 3, 1 << 60)) if dice.random() < 0.9 else 0
        end = 1 << 60 if length == 1 << 60 else start + length
        stays.append(
            Stay("at", dice.choice(parties), dice.choice(places), start, end, dice.random() < 0.7, f"r{number}", "")
        )
    flows = []
    process = Party("process", "t")
    for number in range(dice.choice((0, 0, 1, 3, 5))):
        source, target = dice.choice((*parties, process)), dice.choice((*parties, process))
        if source != target:
            hops = dice.choice((0, 1)) if source.kind != "process" else 0
            flows.append(Flow("split", source, target, dice.randrange(clock), hops, dice.random() < 0.7, f"f{number}"))
    return canonical(Facts(stays=tuple(stays), flows=tuple(flows), table_version="test"))


def check_walk(facts: Facts, steps: Sequence[Step], *, strict: bool, start: int, linger: dict[str, int]) -> int:
    """Assert that the steps are facts, that they join, and that time allows them; return the hops counted."""
    stays = {(one.fact, one.who, one.where, one.start, one.end) for one in facts.stays}
    flows = {(one.fact, one.source, one.target, one.time, one.record): one for one in facts.flows}
    time, met, hops, at = start, False, 0, 0
    carrier = None
    while at < len(steps):
        step = steps[at]
        assert step.records
        assert all(step.records)
        named = (step.fact, step.who, step.where, step.start, step.records[0])
        if named in flows:
            flow = flows[named]
            assert carrier in (None, flow.source)
            assert time <= flow.time
            time, met, hops, carrier, at = flow.time, met and time == flow.time, hops + flow.hops, flow.target, at + 1
            continue
        assert (step.fact, step.who, step.where, step.start, step.end) in stays
        assert carrier in (None, step.who)
        began = max(step.start, time + 1 if strict and met else time)
        assert began < step.end
        if at + 1 == len(steps):
            # A place's walk ends with the stay that exposes it.
            assert step.time == began
            return hops + 1
        taker = steps[at + 1]
        assert (taker.fact, taker.who, taker.where, taker.start, taker.end) in stays
        assert isinstance(step.where, Place)
        assert taker.where == step.where
        assert taker.who != step.who
        meeting = max(began, taker.start)
        assert meeting == taker.time
        assert meeting < min(step.end + linger.get(step.where.kind, 0), taker.end)
        time, met, hops, carrier, at = meeting, True, hops + 1, taker.who, at + 2
    return hops
