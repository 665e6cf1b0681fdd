"""How often the planted consignment is found from some findings: by the score alone, and by the likelihood.

docs/simulation.md. The findings are drawn from the truth, as laboratories would report them; the network is what the
records say of the goods, every place mixing what arrives with what leaves it no earlier.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from random import Random
from statistics import fmean
from typing import Any, Final, NamedTuple

import numpy as np
from scripts.city.simulation import Simulation
from scripts.city.world import WORLDS, world_of
from scripts.reading import views_of

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.sources.goods import Goods, goods
from sudonglian.trace.engine.sources.network import Codes, Days, Network
from sudonglian.trace.engine.sources.score import Weights, sources

FINDINGS: Final = (1, 2, 5)
"""Positive units, and as many clean ones beside them."""
TOPS: Final = (1, 3, 5)
METHODS: Final = ("score", "likelihood")
CHUNK: Final = 4


class Line(NamedTuple):
    """One city, so many findings, one method: how likely the planted is among the first 1, 3, 5, ties broken by lot."""

    world: str
    seed: int
    findings: int
    method: str
    candidates: int
    within: tuple[float, ...]


def lines_of(name: str, seed: int, changes: Mapping[str, str] | None = None) -> list[Line]:
    """Return what a city gives; nothing where too little was exposed, or the records do not know the consignment."""
    simulation = Simulation(world_of(name, changes), seed)
    events = list(simulation.events())
    sampled = simulation.sampled
    if sampled is None:
        return []
    facts = derive_facts(views_of(events))
    units = {stay.who for stay in facts.stays if stay.who.kind == "item" and "/00/" in stay.who.id}
    found = goods(facts, units)
    last = {one.goods: number for number, one in enumerate(found.deliveries)}
    of_pallet = _consignments(events)
    exposed = simulation.truth.units.keys()
    dice = Random(f"origin {name} {seed}")
    dirty, clean = (
        sorted(one for one in last if (one in exposed) is wanted and one != sampled.pallet) for wanted in (True, False)
    )
    dice.shuffle(dirty)
    dice.shuffle(clean)
    told = []
    network = _network(found)
    for count in FINDINGS:
        if len(dirty) < count or len(clean) < count or sampled.pallet not in last:
            continue
        weights = {last[one]: Fraction(1) for one in dirty[:count]} | {last[one]: Fraction(-1) for one in clean[:count]}
        scored = sources(network, Weights({}, weights), most=0).deliveries
        assert scored.likely is not None
        values: Mapping[str, Sequence[float]] = {"score": scored.totals, "likelihood": scored.likely.shares}
        for method in METHODS:
            best: dict[str, float] = {}
            for number, one in enumerate(found.deliveries):
                consignment = of_pallet.get(one.goods, one.goods)
                best[consignment] = max(best.get(consignment, float("-inf")), float(values[method][number]))
            within = tuple(_within(best, sampled.pallet, top) for top in TOPS)
            told.append(Line(name, seed, count, method, len(best), within))
    return told


def _within(best: Mapping[str, float], planted: str, top: int) -> float:
    """Return how likely the planted is among the first so many, if equals are put in any order."""
    own = best[planted]
    above = sum(value > own * (1 + 1e-9) for value in best.values())
    equal = sum(abs(value - own) <= abs(own) * 1e-9 for value in best.values())
    return min(max(top - above, 0) / equal, 1.0)


def _consignments(events: Sequence[Any]) -> dict[str, str]:
    """Return of each box the pallet that it was packed into: whoever names the box has named the consignment."""
    return {box: one["parentID"] for one in events if one["bizStep"] == "packing" for box in one.get("childEPCs", ())}


def _network(found: Goods) -> Network:
    place = {name: number for number, name in enumerate(found.places)}
    count, stations = len(found.deliveries), len(found.places)

    def codes(values: Iterator[int]) -> Codes:
        return np.array(list(values), np.int32)

    def days(values: Iterator[int]) -> Days:
        return np.array(list(values), np.int64)

    return Network(
        stations,
        codes(place[one.source] for one in found.deliveries),
        codes(place[one.target] for one in found.deliveries),
        days(one.departed for one in found.deliveries),
        days(one.arrived for one in found.deliveries),
        codes(before for before, _ in found.relations),
        codes(after for _, after in found.relations),
        np.ones(stations, np.bool_),
        np.zeros(stations, np.bool_),
        np.zeros(count, np.bool_),
        np.zeros(count, np.bool_),
    )


def run(
    worlds: Sequence[str],
    seeds: int,
    jobs: int,
    progress: Callable[[int, int], None],
    changes: Mapping[str, str] | None = None,
) -> list[Line]:
    """Run every seed of every world; the lines come in the same order whatever the number of jobs."""
    tasks = [(name, seed, changes or {}) for name in worlds for seed in range(1, seeds + 1)]
    told: list[Line] = []
    with ProcessPoolExecutor(jobs) as pool:
        for done, lines in enumerate(pool.map(_lines_of, tasks, chunksize=CHUNK), 1):
            told += lines
            progress(done, len(tasks))
    return told


def _lines_of(task: tuple[str, int, Mapping[str, str]]) -> list[Line]:
    return lines_of(*task)


def table(lines: Sequence[Line]) -> list[str]:
    """Return the table of docs/simulation.md: how often the planted consignment is among the first."""
    rows = [
        "| world | findings, and clean | by | cities | of consignments | first | first 3 | first 5 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in WORLDS:
        for count in FINDINGS:
            for method in METHODS:
                some = [one for one in lines if (one.world, one.findings, one.method) == (name, count, method)]
                if not some:
                    continue
                shares = " | ".join(f"{fmean(one.within[at] for one in some):.2f}" for at in range(len(TOPS)))
                among = f"{fmean(one.candidates for one in some):.0f}"
                rows.append(f"| {name} | {count} + {count} | {method} | {len(some)} | {among} | {shares} |")
    return rows
