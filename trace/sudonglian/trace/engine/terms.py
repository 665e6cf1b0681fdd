"""The terms of a trace: dwell and persistence by kind, from the policy and what the question says otherwise.

tracing.md §3.1, §3.2 and §3.7; docs/spec/facts.md §13 and §14.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Final

from sudonglian.trace.engine.climate import Climate
from sudonglian.trace.engine.facts import OPEN_END, Facts, Micros, Party, Place, micros
from sudonglian.trace.engine.fading import EVER, Fading, For
from sudonglian.trace.engine.policies import Curve, Lasting, Policy, policy_table
from sudonglian.trace.engine.query import CARRIERS, PLACES, TraceQuery
from sudonglian.trace.engine.told import told_of
from sudonglian.trace.errors import QueryRefused

MICRO: Final = timedelta(microseconds=1)

GOODS: Final[Mapping[str, str]] = {"process": "item"}
"""What a process holds is goods: it lasts as they do."""


class Terms:
    """What a kind of place asks and keeps, and how long a kind of party passes on."""

    def __init__(self, query: TraceQuery, facts: Facts, policies: Mapping[str, Policy] | None = None) -> None:
        """Take what the question says, and of what it does not say the policy's.

        Raises
        ------
        QueryRefused
            There is no such policy.
        """
        known = policy_table() if policies is None else policies
        if query.policy not in known:
            raise QueryRefused(f"{query.policy!r} is none of: {', '.join(known)}", place="policy")
        self.policy = known[query.policy]
        self._facts, self._query = facts, query
        asked = {kind: Lasting(span // MICRO) for kind, span in query.persistence.items()}
        self.lasting = {**self.policy.persistence, **asked}
        steps = {**self.policy.dwell, **{kind: span // MICRO for kind, span in query.min_dwell.items()}}
        self.dwells = {kind: step for kind, step in steps.items() if step}
        self.ceases = any(kind in self.lasting and not self.lasting[kind].is_ever for kind in CARRIERS)

    @cached_property
    def climate(self) -> Climate:
        """Return what loggers tell; nobody asks where nothing depends on it."""
        return Climate(self._facts)

    @property
    def plain(self) -> bool:
        """Tell whether a place's persistence is the same at any time."""
        return not any(self.lasting[kind].curve for kind in PLACES if kind in self.lasting)

    @property
    def rank(self) -> str:
        """Return by which edition members are ranked."""
        return self._query.rank

    @property
    def exact(self) -> bool:
        """Tell whether how long something lasts is known, and not between two bounds."""
        return not any(lasting.curve for lasting in self.lasting.values())

    def dwell(self, kind: str) -> Micros:
        """Return how long a meeting in a kind of place must last to expose; 0 if an instant is enough."""
        return self.dwells.get(kind, 0)

    def curve(self, kind: str) -> Curve | None:
        """Return the curve that a kind follows, if it follows one."""
        lasting = self.lasting.get(GOODS.get(kind, kind))
        return self.policy.curves[lasting.curve] if lasting is not None and lasting.curve else None

    def wear(self, places: Sequence[Place], *, certain: bool) -> dict[int, Fading]:
        """Return how long places go on exposing after their source left, by number; not those that do not."""
        found: dict[int, Fading] = {}
        lasts = {kind: one for kind, one in self.lasting.items() if one != Lasting()}
        for number, place in enumerate(places if lasts else ()):
            lasting = lasts.get(place.kind)
            if lasting is None:
                continue
            curve = self.curve(place.kind)
            if curve is not None:
                found[number] = self.climate.fading(self.climate.of_place(place, curve.gap), curve, certain=certain)
            else:
                found[number] = EVER if lasting.is_ever else For(lasting.span)
        return found

    def fades(self, parties: Sequence[Party], *, certain: bool) -> dict[int, Fading]:
        """Return how long parties go on exposing after their last exposure, by number; not those that never cease."""
        if not self.ceases:
            return {}
        found: dict[int, Fading] = {}
        for number, party in enumerate(parties):
            lasting = self.lasting.get(GOODS.get(party.kind, party.kind))
            if lasting is None or lasting.is_ever:
                continue
            curve = self.curve(party.kind)
            if curve is not None:
                found[number] = self.climate.fading(self.climate.of_party(party, curve.gap), curve, certain=certain)
            else:
                found[number] = For(lasting.span)
        return found

    def horizon(self) -> Micros:
        """Return the last tick that counts, on the clock of the direction.

        Where parties cease to expose, two that stay together keep each other exposed, and so on without an end: then
        the trace runs to the end of what the records tell.
        """
        query = self._query
        return query.horizon() if query.backward or query.until is not None or not self.ceases else self.end()

    def end(self) -> Micros:
        """Return the last tick of which the answer tells, on the clock of the direction: the records', if not asked."""
        query, facts = self._query, self._facts
        if query.backward or query.until is not None:
            return query.horizon()
        told = told_of(facts)
        times = [int(edge[edge < OPEN_END].max(initial=-OPEN_END)) for edge in (told.start, told.end)]
        times += [flow.time for flow in facts.flows] + [clean.time for clean in facts.cleans]
        return max([micros(query.at), *times])
