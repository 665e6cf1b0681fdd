"""How long a member was exposed, and when for the last time: its time together with what needed fewer hops.

tracing.md §3.3; docs/spec/trace-document.md §5. Of each place it is known at any time how few hops whoever exposes it
needed, and how long that was fewer than a member's own: linear in the stays, but for a logarithm.
"""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import numpy as np

from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.reached import Reached
from sudonglian.trace.engine.spans import Codes, Levels, Ordered, Rungs, Spans, Times, added, lowest, overlaps

NEVER_MET: Final[Micros] = -(1 << 62)

HANDLING: Final = frozenset({"handoff", "interior"})
"""Where something is touched or reached into; elsewhere one is merely present."""


class Exposure(NamedTuple):
    """How long: touching and reaching in, and in one place; the last tick of the run's clock, `is_open` if it went on."""

    handling: Micros = 0
    presence: Micros = 0
    last: Micros = NEVER_MET
    is_open: bool = False

    def __add__(self, other: object) -> "Exposure":
        """Return both together: of two lives, or in two places."""
        assert isinstance(other, Exposure)
        latest = max(self, other, key=lambda one: (one.last, one.is_open))
        return Exposure(self.handling + other.handling, self.presence + other.presence, latest.last, latest.is_open)


def exposures(reached: Reached, end: Micros, asked: Collection[int] | None = None) -> Mapping[int, Exposure]:
    """Return the exposure of each party's number that was exposed (or of those asked for), on the run's clock.

    Nothing after `end` counts.
    """
    run, given = reached.run, reached.given
    spread, land, size = run.spread, run.ground, len(reached.hops)
    wanted = set(spread.first if asked is None else asked)
    here = np.flatnonzero(given.start < given.whole)
    row = given.row[here]
    told = Levels(
        np.asarray(land.columns.place)[row].astype(np.int64),
        given.start[here],
        given.whole[here],
        reached.hops[np.asarray(land.columns.party)[row]],
    )
    place, party, start, until = reached.stays
    stop = np.minimum(until, end + 1)
    chosen = np.zeros(size, np.bool_)
    chosen[list(wanted)] = True
    some = np.flatnonzero(chosen[party] & (start < stop))
    place, party, start, stop, until = place[some], party[some], start[some], stop[some], until[some]
    length, latest = _met(lowest(told), Spans(place, start, stop), reached.hops[party])
    some = np.flatnonzero(length > 0)
    place, party, length = place[some], party[some], length[some]
    is_open = (until[some] > end + 1) & (latest[some] > end + 1)
    last = np.full(size, 2 * NEVER_MET, np.int64)
    np.maximum.at(last, party, 2 * (np.minimum(latest[some], stop[some]) - 1) + is_open)
    # The place itself tells how long; who meets its twin, only that they met what was sampled.
    length[[land.places.is_twin(one) for one in place.tolist()] if land.places.has_twins else []] = 0
    touches = np.array([one.kind in HANDLING for one in run.places], np.bool_)[place]
    handling, presence = (added(party[way], length[way], size) for way in (touches, ~touches))
    lasts = last.tolist()
    found = {one: Exposure(handling[one], presence[one], lasts[one] >> 1, bool(lasts[one] & 1)) for one in wanted}
    for source in spread.first:
        for number in land.columns.arcs_from.get(source, ()):
            _, target, time, _ = land.arcs[number]
            if target in wanted and reached.hops[source] <= reached.hops[target] and time <= end:
                if spread.alive is None:
                    passes = spread.labels[spread.best[source]].clock <= 2 * time + 1
                else:
                    passes = any(low <= 2 * time + 1 and 2 * time < high for low, high in spread.alive[source])
                if passes:
                    found[target] += Exposure(last=time)
    return found


def _met(exposed: Levels, stays: Spans, hops: Codes) -> tuple[Times, Times]:
    """Return of each stay how long fewer hops exposed its place, and until when the last of that, the stay's end aside."""
    length = np.zeros(len(hops), np.int64)
    begin = np.full(len(hops), NEVER_MET, np.int64)
    latest = np.full(len(hops), NEVER_MET, np.int64)
    rungs = Rungs(exposed.group, exposed.level)
    for digit, here, into in rungs.below(stays.group, hops):
        block = rungs.block(digit)
        asked = Spans(into, stays.start[here], stays.end[here])
        length[here] += overlaps(Spans(block, exposed.start, exposed.end), asked)
        known = Ordered(block, exposed.start)
        at = known.before(into, asked.end)
        some = np.flatnonzero(at > known.first(into))
        piece = known.order[at[some] - 1]
        later = exposed.start[piece] > begin[here[some]]
        begin[here[some[later]]] = exposed.start[piece[later]]
        latest[here[some[later]]] = exposed.end[piece[later]]
    return length, latest
