"""The answer: members with their walks, as values, as a document that can be recomputed, as JSON for a door.

docs/spec/trace-document.md; tracing.md §3.3, §3.6 and §6.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import networkx as nx

from sudonglian.chain import canonical
from sudonglian.trace.engine import graph
from sudonglian.trace.engine.document import build
from sudonglian.trace.engine.facts import Facts
from sudonglian.trace.engine.member import Member, members, step_json
from sudonglian.trace.engine.query import Seed, TraceQuery, resolved, seeds
from sudonglian.trace.engine.run import Run, runs
from sudonglian.trace.engine.tiers import Tiers, tier_table

DOMAIN: Final = b"sudonglian/trace/v1\x00"
"""Keeps a trace's digest from being any other object's."""


@dataclass(frozen=True, slots=True)
class TraceResult:
    """What a query's seed exposed (backward: what may have exposed it), and how that is known."""

    query: TraceQuery
    facts: Facts = field(repr=False)
    seeds: tuple[Seed, ...]
    members: tuple[Member, ...] = field(repr=False)
    wide: Run = field(repr=False)
    narrow: Run = field(repr=False)
    tiers: Tiers

    def to_networkx(self, limit: int | None = None) -> "nx.MultiDiGraph[str]":
        """Return the graph of the exposed: typed nodes, edges with interval, kind and record hashes."""
        return graph.build(self.members, self.seeds, limit)

    def document(self) -> dict[str, Any]:
        """Return the trace as evidence: strings and integers only, the same for the same log and query."""
        return build(self.query, self.facts, self.seeds, self.members, self.tiers.version)

    def document_hash(self, encode: Callable[[Any], bytes] = canonical.encode) -> str:
        """Return SHA-256 over the domain and the document's canonical form, in hex."""
        return hashlib.sha256(DOMAIN + encode(self.document())).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return what the command line prints: every member with its walk written out."""
        document = self.document()
        return {
            "log": document["log"],
            "seed": self.query.seed,
            "members": [
                {
                    **member.summary(),
                    "walk": [step_json(step) for step in member.walk()],
                    "earliest_walk": [step_json(step) for step in member.earliest_walk()],
                }
                for member in self.members
            ],
            "seeds": document["seeds"],
            "notes": document["notes"],
            "superseded": document["superseded"],
            "document_hash": self.document_hash(),
        }


def trace(facts: Facts, query: TraceQuery, tiers: Tiers | None = None) -> TraceResult:
    """Return who and what the seed exposed, from when, how surely and by which records.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> from sudonglian.trace.engine.facts import Party, Place, Stay
    >>> room = Place("location", "cold-room")
    >>> box = Stay("at", Party("item", "box"), room, 0, 10, True, "r1", "r2")
    >>> worker = Stay("at", Party("person", "7"), room, 5, 6, True, "r3", "r3")
    >>> answer = trace(Facts(stays=(box, worker)), TraceQuery("box", at=datetime(1970, 1, 1, tzinfo=UTC)))
    >>> [(member.kind, member.id, member.evidence) for member in answer.members]
    [('person', '7', 'certain'), ('place', 'cold-room', 'certain')]

    Raises
    ------
    QueryRefused
        The query contradicts itself.
    SeedUnknown
        No fact names the seed.
    """
    query.check()
    tiers = tiers or tier_table()
    query = resolved(facts, query)
    meant = seeds(facts, query)
    wide, narrow = runs(facts, query, meant)
    return TraceResult(query, facts, meant, members(wide, narrow, meant, tiers, facts.portions), wide, narrow, tiers)


__all__ = ["TraceResult", "trace"]
