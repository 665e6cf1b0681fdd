"""The score of each station and delivery as a source: what share of all weight lies within its reach.

tracing.md §3, definition 10: S = Σ w·reach / max(Σw⁺, Σ|w⁻|), and a common link where S = 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Final

import numpy as np

from sudonglian.trace.engine.sources.likelihood import Found, Likely, likelihoods
from sudonglian.trace.engine.sources.network import Codes, Days, Network, graph
from sudonglian.trace.engine.sources.reach import lists, totals

MOST_LISTED: Final = 30_000_000
"""Numbers in lists of one kind: with their names some gigabytes. A chain of seven thousand stations has as many."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What is found, by number: cases and positive samples above nothing, negative ones below.

    A group counts once for whoever reaches any of its members.
    """

    stations: Mapping[int, Fraction]
    deliveries: Mapping[int, Fraction]
    groups: Sequence[tuple[Fraction, Sequence[int]]] = ()


@dataclass(frozen=True, slots=True)
class Lists:
    """Numbers of each of many, ascending, one behind the other."""

    first: Days
    numbers: Codes

    def of(self, number: int) -> Codes:
        """Return the numbers of one."""
        return self.numbers[self.first[number] : self.first[number + 1]]


@dataclass(frozen=True, slots=True)
class Scored:
    """What all stations, or all deliveries, score: whole numbers, to be divided by `whole`, which is a common link's.

    Lists are None where they would be too long.
    """

    totals: Sequence[int]
    whole: int
    forward: Lists | None
    backward: Lists | None
    likely: Likely | None
    """How likely each is the one source; None where counting what each reaches would take too long."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What every station and every delivery scores."""

    stations: Scored
    deliveries: Scored


def sources(network: Network, weights: Weights, most: int = MOST_LISTED) -> Sources:
    """Return the scores of a network, exactly, and whom each station and each delivery reaches and is reached by.

    Parameters
    ----------
    network, weights
        Who delivered what to whom, and what was found where.
    most
        The most numbers in the lists of stations, and in those of deliveries; beyond it there are none.
    """
    found = graph(network)
    deliveries, stations = found.deliveries, found.stations
    elements: list[tuple[Fraction, list[int]]] = [
        *((weight, _both(deliveries, stations, [number])) for number, weight in weights.stations.items()),
        *((weight, [number]) for number, weight in weights.deliveries.items()),
        *((weight, _both(deliveries, stations, members)) for weight, members in weights.groups),
    ]
    scale = lcm(*(weight.denominator for weight, _ in elements))
    whole = [int(weight * scale) for weight, _ in elements]
    nodes = np.array([node for _, marked in elements for node in marked], np.int32)
    numbers = np.repeat(np.arange(len(elements), dtype=np.int32), [len(marked) for _, marked in elements])
    most_found = max(sum(one for one in whole if one > 0), -sum(one for one in whole if one < 0), 1)
    within = totals(found, nodes, numbers, whole)
    told = [
        *(Found(_both(deliveries, stations, [one]), True, float(weight)) for one, weight in weights.stations.items()),
        *(Found([one], False, float(weight)) for one, weight in weights.deliveries.items()),
        *(Found(_both(deliveries, stations, some), True, float(weight)) for weight, some in weights.groups),
    ]
    kinds = (range(found.sending, found.sending + stations), range(deliveries))
    likely = likelihoods(found, told, kinds) or (None, None)
    by_station = lists(found, found.sending, found.receiving, stations, most)
    by_delivery = lists(found, 0, 0, deliveries, most)
    return Sources(
        _scored(within[found.sending : found.sending + stations], most_found, by_station, likely[0]),
        _scored(within[:deliveries], most_found, by_delivery, likely[1]),
    )


def _both(deliveries: int, stations: int, members: Sequence[int]) -> list[int]:
    """Return the nodes of stations as they receive and as they send: a station reaches itself."""
    return [deliveries + side + member for member in members for side in (0, stations)]


def _scored(
    within: list[int], whole: int, listed: tuple[tuple[Days, Codes], tuple[Days, Codes]] | None, likely: Likely | None
) -> Scored:
    if listed is None:
        return Scored(within, whole, None, None, likely)
    return Scored(within, whole, Lists(*listed[0]), Lists(*listed[1]), likely)
