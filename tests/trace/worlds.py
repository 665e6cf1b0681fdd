"""Small random worlds of facts, and the check of a walk against the facts."""

import random
from collections.abc import Sequence

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import Disinfection, EventView, ItemRef, Participant, PartyRef
from sudonglian.trace.engine.facts import Clean, Contact, Facts, Flow, Party, Place, Stay, canonical
from sudonglian.trace.engine.run import Step

KINDS = ("location", "vehicle", "interior", "handoff")


def world(seed: int, *, disinfected: bool = True) -> Facts:
    """Return a world of few parties and places on a short clock, so that ties, gaps and cycles are common.

    Half of the worlds know disinfections, unless none is wanted.
    """
    dice = random.Random(seed)
    clock, surely = dice.choice((4, 8, 20)), dice.choice((0.6, 0.9))
    parties = [Party("item" if dice.random() < 0.5 else "person", f"p{n}") for n in range(dice.randint(2, 6))]
    places = [Place(dice.choice(KINDS), f"l{n}") for n in range(dice.randint(1, 4))]  # type: ignore[arg-type]
    stays = []
    for number in range(dice.randint(1, 14)):
        start = dice.randrange(clock)
        length = dice.choice((1, 1, 2, 3, 1 << 60)) if dice.random() < 0.9 else 0
        end = 1 << 60 if length == 1 << 60 else start + length
        stays.append(
            Stay("at", dice.choice(parties), dice.choice(places), start, end, dice.random() < surely, f"r{number}", "")
        )
    flows = []
    process = Party("process", "t")
    for number in range(dice.choice((0, 0, 1, 3, 5))):
        source, target = dice.choice((*parties, process)), dice.choice((*parties, process))
        if source != target:
            hops = dice.choice((0, 1)) if source.kind != "process" else 0
            flows.append(
                Flow("split", source, target, dice.randrange(clock), hops, dice.random() < surely, f"f{number}")
            )
    cleans = []
    cleanable: list[Party | Place] = [*(one for one in parties if one.kind == "item"), *places]
    for number in range(dice.choice((0, 0, 1, 2, 4)) if disinfected else 0):
        done, sure = dice.random() < 0.9, dice.random() < 0.4
        cleans.append(Clean(dice.choice(cleanable), dice.randrange(clock), done, sure, "", f"c{number}"))
    return canonical(Facts(stays=tuple(stays), flows=tuple(flows), cleans=tuple(cleans), table_version="test"))


CONTACT: tuple[Contact, ...] = ("", "outer-packaging", "opened", "same-room")
SITES = tuple(f"https://id.gs1.org/414/69012345000{n}9" for n in range(3))
TRUCK = "https://id.gs1.org/8004/6901234TRUCK"
UNITS = ("https://id.gs1.org/00/1", "https://id.gs1.org/00/2")
BOXES = tuple(f"https://id.gs1.org/01/0/21/box{n}" for n in range(2))
LOT = "https://id.gs1.org/01/06901234567892/10/L1"
STEPS = ("storing", "shipping", "receiving", "inspecting", "inspecting", "disinfecting", "retail_selling")

NESTINGS = (
    *(("ADD", "packing"), ("ADD", "packing"), ("ADD", "packing"), ("ADD", "shipping")),
    *(("DELETE", "unpacking"), ("DELETE", "unpacking")),
    *(("OBSERVE", "shipping"), ("OBSERVE", "receiving"), ("OBSERVE", "inspecting")),
)


def told_world(seed: int) -> Facts:
    """Return what random events say: units that are packed and opened, portions of a lot, a truck, disinfections."""
    return derive_facts(told_events(seed))


def told_events(seed: int) -> list[EventView]:
    """Return random events, of all that the table of facts knows."""
    dice = random.Random(f"events {seed}")

    def people(time: int) -> tuple[Participant, ...]:
        return tuple(
            Participant(name, "", dice.choice(CONTACT), *dice.choice(((None, None), (time - 1, time + 2))))
            for name in ("p1", "p2", "p3")
            if dice.random() < 0.35
        )

    events = []
    for number in range(dice.randint(3, 9)):
        time, site = dice.randrange(14), dice.choice(SITES)
        read_point, biz_location = ("", site) if dice.random() < 0.7 else (site, "")
        single = dice.choice((*BOXES, *UNITS))
        items: tuple[ItemRef, ...] = (ItemRef(LOT, "quantity") if dice.random() < 0.4 else ItemRef(single, "epc"),)
        kind, action, step = "ObjectEvent", dice.choice(("ADD", "OBSERVE", "OBSERVE")), dice.choice(STEPS)
        if (nesting := dice.random()) < 0.3:
            kind, (action, step) = "AggregationEvent", dice.choice(NESTINGS)
            child = ItemRef(LOT, "child_quantity") if dice.random() < 0.3 else ItemRef(dice.choice(BOXES), "child")
            items = (ItemRef(dice.choice(UNITS), "parent"), child)
        elif nesting < 0.36:
            kind, step = "TransformationEvent", "transforming"
            items = (ItemRef(LOT, "input_quantity"), ItemRef(dice.choice(BOXES), "output"))
        elif nesting < 0.4:
            action, step = dice.choice((("OBSERVE", "destroying"), ("DELETE", "inspecting")))
        elif step == "shipping" and dice.random() < 0.4:
            read_point, biz_location = site, TRUCK
        elif step == "disinfecting" and dice.random() < 0.4:
            items = ()
        sent = (PartyRef("location", dice.choice(SITES)),) if step == "shipping" and dice.random() < 0.5 else ()
        events.append(
            EventView(
                record_hash=f"r{number}",
                log_index=number,
                event_time=time,
                type=kind,
                action=action,
                biz_step=step,
                items=items,
                read_point=read_point,
                biz_location=biz_location,
                participants=people(time),
                destinations=sent,
                disinfection=Disinfection(log10="2") if step == "disinfecting" and dice.random() < 0.5 else None,
            )
        )
    return events


def check_walk(
    facts: Facts, steps: Sequence[Step], *, strict: bool, start: int, linger: dict[str, int], certain: bool = False
) -> int:
    """Assert that the steps are facts, that they join, and that time and cleaning allow them; return the hops."""
    stays = {(one.fact, one.who, one.where, one.start, one.end) for one in facts.stays}
    flows = {(one.fact, one.source, one.target, one.time, one.record): one for one in facts.flows}
    ends: dict[Party | Place, list[int]] = {}
    for clean in facts.cleans:
        if clean.complete and (clean.certain or certain):
            ends.setdefault(clean.subject, []).append(clean.time + 1)

    def since(subject: Party | Place, time: int) -> int:
        return max((end for end in ends.get(subject, ()) if end <= time), default=-(1 << 60))

    time, met, hops, at = start, False, 0, 0
    carrier: Party | Place | None = None
    while at < len(steps):
        step = steps[at]
        assert step.records
        assert all(step.records)
        if at == 0:
            # A seed that was disinfected after it was possibly exposed is possibly exposed after that too.
            time = max(start, since(step.who, min(step.time, step.end - 1)))
        named = (step.fact, step.who, step.where, step.start, step.records[0])
        if named in flows:
            flow = flows[named]
            assert carrier in (None, flow.source)
            assert time <= flow.time
            assert since(flow.source, flow.time) <= time
            time, met, hops, carrier, at = flow.time, met and time == flow.time, hops + flow.hops, flow.target, at + 1
            continue
        assert (step.fact, step.who, step.where, step.start, step.end) in stays
        assert carrier in (None, step.who)
        last = at + 1 == len(steps)
        began = max(step.start, time + 1 if strict and met else time)
        if step.where in ends:
            # Whoever stays exposes the place again after each disinfection.
            began = max(began, since(step.where, step.time))
        assert began < step.end
        assert since(step.who, began) <= time
        if last:
            # A place's walk ends with the stay that exposes it.
            assert step.time >= began
            assert step.where in ends or step.time == began
            return hops + 1
        taker = steps[at + 1]
        assert (taker.fact, taker.who, taker.where, taker.start, taker.end) in stays
        assert isinstance(step.where, Place)
        assert taker.where == step.where
        assert taker.who != step.who or step.who in ends
        meeting = max(began, taker.start, since(taker.who, taker.time))
        assert meeting == taker.time
        left = min([step.end, *(end for end in ends.get(step.who, ()) if end > began)])
        assert meeting < min(left + linger.get(step.where.kind, 0), taker.end)
        time, met, hops, carrier, at = meeting, True, hops + 1, taker.who, at + 2
    return hops


def crowd(seed: int) -> Facts:
    """Return a world of many stays in few places: long chains, ties of ends and starts, lots that split, disinfections."""
    dice = random.Random(f"crowd {seed}")
    clock, surely = dice.choice((30, 200, 3_000)), dice.choice((0.6, 0.95, 1))
    parties = [Party("item" if dice.random() < 0.6 else "person", f"p{n}") for n in range(dice.choice((10, 30, 80)))]
    places = [Place(dice.choice(KINDS), f"l{n}") for n in range(dice.choice((2, 6, 20)))]  # type: ignore[arg-type]
    stays = []
    for number in range(dice.choice((40, 150, 500))):
        start = dice.randrange(clock)
        end = min(start + dice.choice((1, 1, 3, 10, 30, 1 << 60)), 1 << 60)
        who, where, fact = dice.choice(parties), dice.choice(places), dice.choice(("at", "handle", "open"))
        told = f"r{number}", dice.choice(("", f"e{number}"))
        stays.append(Stay(fact, who, where, start, end, dice.random() < surely, *told, dice.choice(CONTACT)))
    processes = [Party("process", f"t{number}") for number in range(3)]
    flows = []
    for number in range(dice.choice((0, 5, 40))):
        source, target = dice.choice((*parties, *processes)), dice.choice((*parties, *processes))
        if source != target:
            hops = dice.choice((0, 1)) if source.kind != "process" else 0
            flows.append(
                Flow("split", source, target, dice.randrange(clock), hops, dice.random() < surely, f"f{number}")
            )
    cleans = []
    cleanable: list[Party | Place] = [*(one for one in parties if one.kind == "item"), *places]
    for number in range(dice.choice((0, 0, 3, 10))):
        done, sure = dice.random() < 0.9, dice.random() < 0.4
        cleans.append(Clean(dice.choice(cleanable), dice.randrange(clock), done, sure, "", f"c{number}"))
    return canonical(Facts(stays=tuple(stays), flows=tuple(flows), cleans=tuple(cleans), table_version="test"))
