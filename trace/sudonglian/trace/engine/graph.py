"""The answer as a graph: nodes are the seeds and members, edges the facts on the walks that explain them.

tracing.md §2 (networkx is the interface of the answer, never the store of the data) and §4.
"""

from collections.abc import Sequence

import networkx as nx

from sudonglian.trace.engine.facts import Flow, Micros, Party, Place, iso
from sudonglian.trace.engine.forward import ROOT, PlaceLabel
from sudonglian.trace.engine.member import Member
from sudonglian.trace.engine.query import SAMPLE, Seed
from sudonglian.trace.engine.run import Run


def node_of(subject: Party | Place) -> str:
    """Return a subject's name in the graph; a place's is `place:…` for locations and vehicles, like its member's."""
    if isinstance(subject, Place) and subject.kind in ("location", "vehicle"):
        return f"place:{subject.id}"
    return f"{subject.kind}:{subject.id}"


def build(members: Sequence[Member], seeds: Sequence[Seed], limit: int | None = None) -> "nx.MultiDiGraph[str]":
    """Return the graph of the first `limit` members by generation, earliest first.

    Each exposure is drawn through the place where it happened (source → place → exposed), so that the graph stays as
    small as the answer; insides of units and handoffs appear as nodes though they are no members.
    """
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for seed in seeds:
        graph.add_node(node_of(seed.subject), kind=seed.subject.kind, id=seed.subject.id, role="seed")
    chosen = sorted(members, key=lambda one: (one.hops, one.time, one.kind, one.id))[:limit]
    drawn: set[tuple[int, int]] = set()
    for member in chosen:
        node = member.key
        graph.add_node(
            node,
            kind=member.kind,
            id=member.id,
            role="member",
            evidence=member.evidence,
            time=iso(member.time),
            generation=member.hops,
            tier=member.tier,
        )
    for member in chosen:
        if isinstance(member.first, PlaceLabel):
            _draw(graph, member.run, member.first.previous, drawn)
            (stay,) = member.run.place_stays(member.first)
            _stay(graph, member.run, stay, member.first.time, source=True)
        else:
            _draw(graph, member.run, member.first, drawn)
    return graph


def _draw(graph: "nx.MultiDiGraph[str]", run: Run, label: int, drawn: set[tuple[int, int]]) -> None:
    """Draw the walk that ends in a label, as far as it is not drawn yet."""
    while label != ROOT and (id(run), label) not in drawn:
        drawn.add((id(run), label))
        one = run.spread.labels[label]
        if one.arc != -1:
            _flow(graph, run.flows[one.arc])
        elif one.previous != ROOT:
            given, taken = run.meeting(one)
            for stay in given:
                _stay(graph, run, stay, one.time, source=True)
            for stay in taken:
                _stay(graph, run, stay, one.time, source=False)
        label = one.previous


def _ensure(graph: "nx.MultiDiGraph[str]", subject: Party | Place) -> str:
    node = node_of(subject)
    if node not in graph:
        graph.add_node(node, kind=subject.kind, id=subject.id, role="between")
    return node


def _stay(graph: "nx.MultiDiGraph[str]", run: Run, number: int, time: Micros, *, source: bool) -> None:
    """Draw a stay: into the place for whoever exposes it, out of it for whoever is exposed there."""
    stay = run.ground.stays[number]
    if stay.fact == SAMPLE:
        return
    who, where = _ensure(graph, stay.who), _ensure(graph, stay.where)
    # Backward, the label's source is the later party: exposure still runs with time.
    tail, head = (who, where) if source != run.backward else (where, who)
    graph.add_edge(
        tail,
        head,
        key=f"{stay.fact}:{stay.start_record}:{stay.start}:{run.moment(time)}",
        kind=stay.fact,
        start=iso(stay.start),
        end=iso(stay.end),
        time=iso(run.moment(time)),
        contact=stay.contact,
        record_hashes=" ".join(dict.fromkeys(one for one in (stay.start_record, stay.end_record) if one)),
    )


def _flow(graph: "nx.MultiDiGraph[str]", flow: Flow) -> None:
    graph.add_edge(
        _ensure(graph, flow.source),
        _ensure(graph, flow.target),
        key=f"{flow.fact}:{flow.record}",
        kind=flow.fact,
        start=iso(flow.time),
        end=iso(flow.time),
        time=iso(flow.time),
        contact="",
        record_hashes=flow.record,
    )
