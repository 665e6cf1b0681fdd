"""How likely each station, and each delivery, is the one source of what was found: a likelihood, and its assumptions.

tracing.md §3, definition 10; docs/decisions/0346. The score asks how much lies within reach; this also asks how much
else does: who reaches everything explains nothing in particular.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import Final

import numpy as np

from sudonglian.trace.engine.sources.network import Codes, Graph
from sudonglian.trace.engine.sources.reach import MAX_WORK, WORD, totals

ELSEWHERE: Final = 0.05
"""Assumed: one finding in twenty has another origin, or the records do not show how it came there."""

MISSED: Final = 0.5
"""Assumed: half of what the source reaches would be found clean if it is looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """One element that weighs something: its nodes, whether a station (or group) or a delivery, and its weight."""

    nodes: Sequence[int]
    is_station: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Likely:
    """Of each candidate its share of all likelihood, the candidates being equally likely beforehand; and its rank."""

    shares: Sequence[float]
    ranks: Sequence[int]


def likelihoods(graph: Graph, found: Sequence[Found], candidates: Sequence[range]) -> list[Likely] | None:
    """Return of each kind of candidates (nodes that follow each other) how likely each is the source of what was found.

    One source is assumed. A finding of weight w counts as w findings, each drawn by itself: with ELSEWHERE from all of
    its kind (stations or deliveries), else evenly from those of its kind that the source reaches, itself included. A
    negative weight is as many that were looked at and are clean: each that the source reaches, by MISSED.

    None if it would take too long to count what each reaches.
    """
    deliveries, stations = graph.deliveries, graph.stations
    if (deliveries + stations) // WORD * max(len(graph.successor), 1) > MAX_WORK:
        return None
    log_l = np.zeros(len(graph.first) - 1)
    # A station is reached as it receives, and reaches itself.
    every = {
        True: [[number + side for side in (graph.receiving, graph.sending)] for number in range(stations)],
        False: [[number] for number in range(deliveries)],
    }
    for is_station, count in ((True, stations), (False, deliveries)):
        some = [one for one in found if one.is_station is is_station and one.weight > 0]
        if not some:
            continue
        size = np.maximum(_reached(graph, every[is_station], [1.0] * count), 1)
        within = _reached(graph, [one.nodes for one in some], [one.weight for one in some])
        whole = sum(one.weight for one in some)
        near = np.log((1 - ELSEWHERE) / size + ELSEWHERE / count)
        log_l += within * near + np.maximum(whole - within, 0) * log(ELSEWHERE / count)
    clean = [one for one in found if one.weight < 0]
    if clean:
        log_l += _reached(graph, [one.nodes for one in clean], [-one.weight for one in clean]) * log(MISSED)
    return [_shared([float(log_l[node]) for node in kind]) for kind in candidates]


def _reached(
    graph: Graph, elements: Sequence[Sequence[int]], weights: Sequence[float]
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return of each node the weight of all elements that it reaches, each once."""
    nodes: Codes = np.array([node for one in elements for node in one], np.int32)
    numbers: Codes = np.repeat(np.arange(len(elements), dtype=np.int32), [len(one) for one in elements])
    scaled = [round(weight * SCALE) for weight in weights]
    return np.array([one / SCALE for one in totals(graph, nodes, numbers, scaled)], np.float64)


SCALE: Final = 1_000_000
"""Weights are summed in millionths, so that a sum does not depend on its order."""


def _shared(told: Sequence[float]) -> Likely:
    """Return likelihoods as shares of one, and the rank of each: 1 for the highest, equals alike.

    >>> _shared([-1.0, -1.0, -inf]).ranks
    [1, 1, 3]
    """
    if not told:
        return Likely((), ())
    most = max(told)
    weights = [exp(one - most) if most > -inf else 1.0 for one in told]
    whole = sum(weights)
    rounded = [round(one, PLACES) for one in told]
    first: dict[float, int] = {}
    for number, one in enumerate(sorted(rounded, reverse=True), start=1):
        first.setdefault(one, number)
    return Likely([one / whole for one in weights], [first[one] for one in rounded])


PLACES: Final = 9
"""Of a logarithm: what differs by less is equal."""
