"""Tiers: which rule of the table (data, editions differ) a member's meetings fire.

tracing.md §3.9 and docs/spec/facts.md §9; the table's order is its priority.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.rules import data
from sudonglian.trace.engine.run import Run
from sudonglian.trace.errors import TableRefused


class TierRule(NamedTuple):
    """One row of the table."""

    id: str
    member: str
    via: frozenset[str]
    source: frozenset[str]
    contact: frozenset[str]
    tier: str
    zh: str


class Tiers(NamedTuple):
    """The rows in their order, and the version that a trace names."""

    version: str
    rules: tuple[TierRule, ...]

    def rank(self, member: str, via: str, source: str, contact: str) -> int:
        """Return the number of the first row that a meeting fires; one beyond the last if none."""
        for number, rule in enumerate(self.rules):
            asked = ((rule.via, via), (rule.source, source), (rule.contact, contact))
            if rule.member == member and all("*" in allowed or value in allowed for allowed, value in asked):
                return number
        return len(self.rules)


class _Sources:
    """The exposed stays of one place by (kind of party, fewest hops): sorted, with the running maximum of ends."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, int], list[tuple[Micros, Micros, int]]] = {}
        self._reach: dict[tuple[str, int], list[Micros]] = {}

    def add(self, kind: str, hops: int, start: Micros, end: Micros, party: int) -> None:
        self._spans.setdefault((kind, hops), []).append((start, end, party))

    def seal(self) -> None:
        for key, spans in self._spans.items():
            spans.sort()
            reach: list[Micros] = []
            for _, end, _ in spans:
                reach.append(max(end, reach[-1]) if reach else end)
            self._reach[key] = reach

    def kinds(self, hops: int, start: Micros, end: Micros, party: int) -> Iterator[str]:
        """Yield the kinds of which another party, exposed in no more hops, was there over [start, end)."""
        for (kind, passed), spans in self._spans.items():
            if passed > hops:
                continue
            at = bisect_left(spans, (end,)) - 1
            reach = self._reach[kind, passed]
            while at >= 0 and reach[at] > start:
                if spans[at][1] > start and spans[at][2] != party:
                    yield kind
                    break
                at -= 1


def parse(value: Any) -> Tiers:
    """Return the table that a parsed JSON document holds.

    Raises
    ------
    TableRefused
        A row lacks a column.
    """
    try:
        return Tiers(
            str(value["version"]),
            tuple(
                TierRule(
                    str(row["id"]),
                    str(row["member"]),
                    frozenset(row["via"]),
                    frozenset(row["source"]),
                    frozenset(row["contact"]),
                    str(row["tier"]),
                    str(row["zh"]),
                )
                for row in value["rules"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise TableRefused(f"the tiers table lacks {error}", place="tiers.json") from error


@cache
def tier_table() -> Tiers:
    """Return the table in force."""
    return parse(data("tiers.json"))


def assign(run: Run, tiers: Tiers) -> Mapping[int, int]:
    """Return, for each exposed party's number, the number of the strongest rule that its meetings fire.

    Only sources that needed no more hops than the member itself count: nobody is raised by what they exposed.
    """
    spread, parties, places = run.spread, run.parties, run.places
    hops = {party: spread.labels[label].hops for party, label in spread.first.items()}
    onset = {party: (spread.labels[label].clock + 1) // 2 for party, label in spread.first.items()}
    sources: dict[int, _Sources] = {}
    stays: list[tuple[int, int, Micros, Micros, str]] = []
    numbers = {party: number for number, party in enumerate(parties)}
    for (party, place, start, end), stay in zip(run.rows, run.stays, strict=True):
        if party in hops and start < end:
            stays.append((party, place, start, end, stay.contact))
            if end > onset[party]:
                began = max(start, onset[party])
                left = end + run.linger[place]
                sources.setdefault(place, _Sources()).add(parties[party].kind, hops[party], began, left, party)
    for one in sources.values():
        one.seal()
    best: dict[int, int] = {}
    for party, place, start, end, contact in stays:
        if place in sources:
            for kind in sources[place].kinds(hops[party], start, end, party):
                kind = "item" if kind == "process" else kind
                rank = tiers.rank(parties[party].kind, places[place].kind, kind, contact)
                best[party] = min(rank, best.get(party, rank))
    for flow in run.flows:
        source, target = numbers[flow.source], numbers[flow.target]
        if source not in hops or target not in hops or hops[source] > hops[target]:
            continue
        if spread.labels[spread.first[source]].clock <= 2 * flow.time + 1:
            rank = tiers.rank(flow.target.kind, "flow", flow.source.kind, "")
            best[target] = min(rank, best.get(target, rank))
    return best
