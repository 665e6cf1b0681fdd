"""Who delivered what to whom and what went into what, as columns, and the graph along which contamination passes.

tracing.md §3, definition 10; docs/decisions/0331. Pure: no file, no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.int32]
Days: TypeAlias = NDArray[np.int64]
"""Days, places in a column, and whatever else is whole."""
Flags: TypeAlias = NDArray[np.bool_]

EVER: Final = 2**62
"""A day later than any: the latest departure of a delivery without a date, and, negative, the earliest arrival."""


@dataclass(frozen=True, slots=True)
class Network:
    """Deliveries between stations, by number; a day may be known within bounds alone.

    Delivery `before[i]` went into delivery `after[i]`, which left where the other arrived. At a station that `mixes`,
    each delivery goes into each that leaves no earlier; incoming deliveries that mix share what they went into.
    """

    stations: int
    source: Codes
    target: Codes
    departed: Days
    """The latest day on which it can have left."""
    arrived: Days
    """The earliest day on which it can have arrived."""
    before: Codes
    after: Codes
    mixes: Flags
    kills: Flags
    delivery_mixes: Flags
    delivery_kills: Flags


@dataclass(frozen=True, slots=True)
class Graph:
    """Deliveries, stations as they receive and as they send, and what mixes: the successors of each in one column."""

    first: Days
    successor: Codes
    deliveries: int
    stations: int

    @property
    def receiving(self) -> int:
        """The first node of those that stand for a station as it receives: nothing goes on from there."""
        return self.deliveries

    @property
    def sending(self) -> int:
        """The first node of those that stand for a station as it sends: nothing leads there."""
        return self.deliveries + self.stations


def graph(network: Network) -> Graph:
    """Return the graph in which whatever a node reaches can have been contaminated by it.

    Mixing n deliveries with m takes n + 2m edges, not n · m: those that leave stand in a row by their days, each leads
    to itself and to the next, and one that arrives leads to the first of the row that it can have gone into.
    """
    deliveries, stations = len(network.source), network.stations
    numbers = np.arange(deliveries, dtype=np.int32)
    passes = ~network.delivery_kills & ~network.kills[network.target]
    edges: list[tuple[Codes, Codes]] = [
        (numbers, deliveries + network.target),
        (deliveries + stations + network.source, numbers),
    ]
    goes_on = passes[network.before]
    edges.append((network.before[goes_on], network.after[goes_on]))
    mixing = network.mixes & ~network.kills
    nodes = deliveries + 2 * stations
    arriving = numbers[mixing[network.target] & passes]
    leaving = numbers[mixing[network.source]]
    nodes = _mix(edges, nodes, network, arriving, leaving, network.source[leaving])
    # Of deliveries that mix, also of those that kill: what they carried had met the others before.
    shared = network.delivery_mixes[network.before]
    at, out = network.target[network.before[shared]], network.after[shared]
    pairs = np.unique(at.astype(np.int64) * max(deliveries, 1) + out)
    at, out = ((part.astype(np.int32)) for part in np.divmod(pairs, max(deliveries, 1)))
    nodes = _mix(edges, nodes, network, numbers[network.delivery_mixes & passes], out, at)
    return _columns(edges, nodes, deliveries, stations)


def _mix(
    edges: list[tuple[Codes, Codes]], nodes: int, network: Network, arriving: Codes, leaving: Codes, place: Codes
) -> int:
    """Add the edges by which what arrives goes into what leaves the same place no earlier; return the nodes then."""
    if not len(leaving):
        return nodes
    day = np.concatenate((network.arrived[arriving], network.departed[leaving]))
    where = np.concatenate((network.target[arriving], place))
    leaves = np.arange(len(day)) >= len(arriving)
    order = np.lexsort((leaves, day, where))  # on one day, what arrives stands before what leaves
    is_out = leaves[order]
    row = leaving[order[is_out] - len(arriving)]
    row_place = where[order[is_out]]
    links = nodes + np.arange(len(row), dtype=np.int32)
    edges.append((links, row))
    follows = row_place[1:] == row_place[:-1]
    edges.append((links[:-1][follows], links[1:][follows]))
    comes = arriving[order[~is_out]]
    position = np.cumsum(is_out)[~is_out]
    finds = position < len(row)
    finds[finds] = row_place[position[finds]] == network.target[comes[finds]]
    edges.append((comes[finds], links[position[finds]]))
    return nodes + len(row)


def _columns(edges: Sequence[tuple[Codes, Codes]], nodes: int, deliveries: int, stations: int) -> Graph:
    begin = np.concatenate([one for one, _ in edges])
    end = np.concatenate([one for _, one in edges]).astype(np.int32)
    first = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(begin, minlength=nodes), out=first[1:])
    return Graph(first, end[np.argsort(begin, kind="stable")], deliveries, stations)
