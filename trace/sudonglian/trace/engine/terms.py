"""The terms of a trace: dwell and persistence by kind, from the policy and what the question says otherwise.

tracing.md §3.1, §3.2 and §3.7; docs/spec/facts.md §13.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from sudonglian.trace.engine.facts import OPEN_END, Facts, Micros, Party, Place, micros
from sudonglian.trace.engine.fading import Fading, For
from sudonglian.trace.engine.query import CARRIERS, PLACES, TraceQuery

NO_TIME = timedelta(0)


class Terms(NamedTuple):
    """What a kind of place asks and keeps, and how long a kind of party passes on."""

    dwells: Mapping[str, Micros]
    places: Mapping[str, Micros]
    carriers: Mapping[str, Micros]

    @property
    def plain(self) -> bool:
        """Tell whether a place's persistence is the same at any time."""
        return True

    def dwell(self, kind: str) -> Micros:
        """Return how long a meeting in a kind of place must last to expose; 0 if an instant is enough."""
        return self.dwells.get(kind, 0)

    def wear(self, places: Sequence[Place], *, certain: bool) -> dict[int, Fading]:
        """Return how long places go on exposing after their source left, by number; not those that do not."""
        return {number: For(span) for number, place in enumerate(places) if (span := self.places.get(place.kind, 0))}

    def fades(self, parties: Sequence[Party], *, certain: bool) -> dict[int, Fading]:
        """Return how long parties go on exposing after their last exposure, by number; not those that never cease."""
        if not self.carriers:
            return {}
        kinds = {"process": "item"}
        found: dict[int, Fading] = {}
        for number, party in enumerate(parties):
            span = self.carriers.get(kinds.get(party.kind, party.kind))
            if span is not None:
                found[number] = For(span)
        return found

    def horizon(self, facts: Facts, query: TraceQuery) -> Micros:
        """Return the last tick that counts, on the clock of the direction.

        Where parties cease to expose, two that stay together keep each other exposed, and so on without an end: then
        the trace runs to the end of what the records tell.
        """
        if query.backward or query.until is not None or not self.carriers:
            return query.horizon()
        times = [time for stay in facts.stays for time in (stay.start, stay.end) if time < OPEN_END]
        times += [flow.time for flow in facts.flows] + [clean.time for clean in facts.cleans]
        return max([micros(query.at), *times])


def terms_of(query: TraceQuery) -> Terms:
    """Return the terms that a question is answered by."""
    micro = timedelta(microseconds=1)
    return Terms(
        {kind: span // micro for kind, span in query.min_dwell.items() if span > NO_TIME},
        {kind: span // micro for kind in PLACES if (span := query.persistence.get(kind, NO_TIME)) > NO_TIME},
        {kind: query.persistence[kind] // micro for kind in CARRIERS if kind in query.persistence},
    )
