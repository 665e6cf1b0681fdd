"""The answer: members with their walks, as values, as a document that can be recomputed, as JSON for a door.

docs/spec/trace-document.md; tracing.md §3.3, §3.6 and §6.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import networkx as nx

from sudonglian.chain import canonical
from sudonglian.trace.engine import graph
from sudonglian.trace.engine.document import build
from sudonglian.trace.engine.facts import Facts
from sudonglian.trace.engine.impossible import NOTHING, Found, impossible, nowhere
from sudonglian.trace.engine.member import Member, members, step_json
from sudonglian.trace.engine.policies import Policy
from sudonglian.trace.engine.progress import Report, Stage, silent
from sudonglian.trace.engine.query import Seed, TraceQuery, resolved, seeds
from sudonglian.trace.engine.run import Run, runs
from sudonglian.trace.engine.stated import without_interviews
from sudonglian.trace.engine.terms import Terms
from sudonglian.trace.engine.tiers import Tiers, tiers_of
from sudonglian.trace.engine.travel import Positions

DOMAIN: Final = b"sudonglian/trace/v1\x00"


def hash_of(encoded: bytes) -> str:
    """Return the hash of a document's canonical form, of any edition, in hex."""
    return hashlib.sha256(DOMAIN + encoded).hexdigest()


"""Keeps a trace's digest from being any other object's."""


MAX_STEPS: Final = 1_000_000
"""Links that walks written out may have together: some 500 MB of JSON, and no reader follows more."""


@dataclass(frozen=True)
class TraceResult:
    """What a query's seed exposed (backward: what may have exposed it), and how that is known.

    Its document is made and encoded once, however many ask for it: that takes as long as the trace.
    """

    query: TraceQuery
    facts: Facts = field(repr=False)
    seeds: tuple[Seed, ...]
    members: tuple[Member, ...] = field(repr=False)
    wide: Run = field(repr=False)
    narrow: Run = field(repr=False)
    tiers: Tiers
    terms: Terms = field(repr=False)
    found: Found = field(repr=False, default=NOTHING)
    """What people said of those listed that cannot be true."""

    def to_networkx(self, limit: int | None = None) -> "nx.MultiDiGraph[str]":
        """Return the graph of the exposed: typed nodes, edges with interval, kind and record hashes."""
        return graph.build(self.members, self.seeds, limit)

    def document(self) -> dict[str, Any]:
        """Return the trace as evidence: strings and integers only, the same for the same log and query."""
        return self._document

    def encoded(self) -> bytes:
        """Return the document's canonical form."""
        return self._encoded

    def document_hash(self) -> str:
        """Return SHA-256 over the domain and the document's canonical form, in hex."""
        return hash_of(self._encoded)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return build(self.query, self.terms, self.facts, self.seeds, self.members, self.tiers.version, self.found)

    @cached_property
    def _encoded(self) -> bytes:
        return canonical.encode(self._document)

    def as_json(self) -> dict[str, Any]:
        """Return what the command line prints: every member with its walk written out.

        Of walks that together are longer than MAX_STEPS, `walks` says "links", and they are to be read from the
        document's links, which the members then name: what is printed stays linear in what there is to say.
        """
        document = self.document()
        length = _lengths(document["links"])
        whole = sum(length[one["walk"]] + length[one["earliest_walk"]] for one in document["members"]) <= MAX_STEPS
        listed = []
        for member, written in zip(self.members, document["members"], strict=True):
            summary = {name: value for name, value in written.items() if name not in ("walk", "earliest_walk")}
            if whole:
                walk = [step_json(step) for step in member.walk()]
                same = member.first == member.best
                earliest = walk if same else [step_json(step) for step in member.earliest_walk()]
                listed.append({**summary, "walk": walk, "earliest_walk": earliest})
            else:
                listed.append({**summary, "walk": [], "earliest_walk": [], "link": written["walk"]})
        return {
            "log": document["log"],
            "seed": self.query.seed,
            "members": listed,
            "walks": "whole" if whole else "links",
            **({} if whole else {"links": document["links"]}),
            "seeds": document["seeds"],
            "notes": document["notes"],
            "samples": document["samples"],
            "disinfections": document["disinfections"],
            "superseded": document["superseded"],
            "impossible": document["impossible"],
            "positions": document["positions"],
            "document_hash": self.document_hash(),
        }


def _lengths(links: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return how many links each link's walk has; a link stands after the one before it."""
    found: list[int] = []
    for link in links:
        found.append(1 + (found[link["previous"]] if link["previous"] >= 0 else 0))
    return found


def trace(
    facts: Facts,
    query: TraceQuery,
    tiers: Tiers | None = None,
    *,
    policies: Mapping[str, Policy] | None = None,
    positions: Positions = nowhere,
    report: Report = silent,
) -> TraceResult:
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
    tiers = tiers or tiers_of(query)
    facts = facts if query.interviews else without_interviews(facts)
    query = resolved(facts, query)
    meant = seeds(facts, query)
    terms = Terms(query, facts, policies)
    wide, narrow = runs(facts, query, terms, meant, report)
    report(Stage("members", total=len(wide.spread.first) + len(wide.spread.first_place)))
    listed = members(wide, narrow, meant, tiers, facts.portions, terms)
    about = {*(one.subject.id for one in meant), *(one.id for one in listed)}
    found = impossible(facts, about, positions)
    return TraceResult(query, facts, meant, listed, wide, narrow, tiers, terms, found)


__all__ = ["TraceResult", "trace"]
