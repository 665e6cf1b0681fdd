"""The spread of exposure over many rows, by the compiled kernel: label for label what `forward` gives.

tracing.md §4; docs/decisions/0350 and 0353. It takes what is the same at any time: no dwell, no persistence by temperature.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.forward import Label, PlaceLabel, Spread
from sudonglian.trace.engine.presence import Index
from sudonglian.trace.engine.spans import Spans, joined

LARGE: Final = 50_000
"""Rows from which on it is worth a compiler: the first use on a machine takes some twenty seconds."""


def takes(index: Index) -> bool:
    """Tell whether rows are many, and such as the compiled kernel knows."""
    return len(index.party) >= LARGE and index.linger is not None


def spread(
    index: Index,
    seeds: Iterable[tuple[int, Micros]],
    *,
    strict: bool,
    max_hops: int | None = None,
    layer: Callable[[int, int], None] | None = None,
) -> Spread:
    """Return what `forward.spread` does; of the layers it is told afterwards, for they take no time to speak of."""
    # The compiler takes as long to load as a small trace.
    from sudonglian.trace.engine.stays.board import Arcs
    from sudonglian.trace.engine.stays.index import StayIndex

    origin = np.asarray(index.origin)

    def column(told: Sequence[int], kind: Any) -> NDArray[Any]:
        """Return a column in the order in which rows are numbered; those that nobody meets stay empty."""
        found = np.zeros(int(origin.max(initial=-1)) + 1, kind)
        found[origin] = told
        return found

    linger = index.linger or {}
    waits = [linger.get(place, 0) for place in range(len(index.place_first) - 1)] if linger else 0
    source, target, time, hops = np.array(index.arcs, np.int64).reshape(-1, 4).T
    order = np.argsort(source, kind="stable")
    size = int(max(source.max(initial=-1), target.max(initial=-1))) + 1
    arcs = Arcs(
        np.searchsorted(source[order], np.arange(size + 1)).astype(np.int32),
        target[order].astype(np.int32),
        time[order],
        hops[order].astype(np.int32),
        order.astype(np.int32),
    )
    party, place = column(index.party, np.int32), column(index.place, np.int32)
    stays = StayIndex(party, place, column(index.start, np.int64), column(index.end, np.int64), linger=waits)
    found = stays.spread(seeds, strict=strict, max_hops=max_hops, arcs=arcs)
    # As their `_make` does, without a call of Python for each.
    labels: list[Label] = list(
        map(partial(tuple.__new__, Label), zip(*(one.tolist() for one in found.labels), strict=True))
    )
    if layer is not None:
        for generation, many in enumerate(np.bincount(found.labels.hops).tolist()):
            layer(generation, many)
    laid = found.deposits
    # The first deposit of a place in a layer is the one that reaches it: the first of all, and the earliest.
    hop = np.searchsorted(laid.layer, np.arange(len(laid.place)), "right")
    order = np.argsort(laid.place, kind="stable")
    begins = np.diff(laid.place[order], prepend=-1) != 0
    earliest = order[np.lexsort((laid.start[order], laid.place[order]))][begins]
    first_place = _reaching(laid, hop, order[begins])
    best_place = first_place | _reaching(laid, hop, earliest[earliest != order[begins]])
    whole = joined(Spans(laid.place.astype(np.int64), laid.start, laid.end))
    spans = list(zip(whole.start.tolist(), whole.end.tolist(), strict=True))
    rooms, low = np.unique(whole.group, return_index=True)
    high = np.append(low[1:], len(spans))[: len(low)]
    told = zip(rooms.tolist(), low.tolist(), high.tolist(), strict=True)
    covered = {room: spans[first:after] for room, first, after in told}
    parties = found.party.tolist()
    first, best = (dict(zip(parties, one.tolist(), strict=True)) for one in (found.first, found.best))
    return Spread(labels, first, best, first_place, best_place, covered)


def _reaching(laid: Any, hop: NDArray[np.int64], some: NDArray[np.int64]) -> dict[int, PlaceLabel]:
    """Return by which of some deposits places are exposed, one of each place."""
    told = zip(*(one[some].tolist() for one in (laid.start, hop, laid.label, laid.source)), strict=True)
    labels: Iterable[PlaceLabel] = map(partial(tuple.__new__, PlaceLabel), told)
    return dict(zip(laid.place[some].tolist(), labels, strict=True))
