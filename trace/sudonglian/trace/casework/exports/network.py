"""The case as a network: the traces of all its seeds in one graph, persons by pseudonym, attributes with their types.

GraphML 1.0 (graphml.graphdrawing.org); tracing.md §2; docs/decisions/0843. networkx and Gephi read it.
"""

from collections.abc import Mapping
from typing import Any, Final

import networkx as nx

from sudonglian.trace.casework import graphml
from sudonglian.trace.casework.exports.book import Identities, Told
from sudonglian.trace.casework.exports.contents import COLUMNS, Contents, Row, RunDocument
from sudonglian.trace.casework.exports.stamp import Made, stamp

FORM: Final = "graphml"

ROOMS: Final = ("location", "vehicle")

TOLD: Final = tuple(name for name in COLUMNS if name not in ("member", "kind", "records", "rule_records"))
NUMBERS: Final = frozenset(
    {"risk_rank", "generation", "through_objects", "through_persons", "handling_s", "presence_s", "run"}
)


def encode(contents: Contents, made: Made, tell: Told, identities: Identities | None = None) -> bytes:
    """Return the network as GraphML."""
    graph = build(contents)
    graph.graph.update({name.replace(" ", "_"): value for name, value in stamp(contents, made, FORM)})
    return graphml.encode(graph)


def build(contents: Contents) -> "nx.MultiDiGraph[str]":
    """Return the graph of a case: nodes are seeds, members and what lies between them; edges the facts of their walks."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for run in contents.runs:
        for seed in run.document.get("seeds", ()):
            _node(graph, seed["kind"], seed["id"], contents.names, "seed")
    for row in contents.rows:
        _node(graph, row.cells["kind"], row.cells["member"], contents.names, "member", _attributes(row))
    drawn: set[tuple[str, ...]] = set()
    for run in contents.runs:
        for link in run.document.get("links", ()):
            _draw(graph, run, link, contents.names, drawn)
    return graph


def key_of(kind: str, identifier: str) -> str:
    """Return a node's name: a vehicle may be an item and a place.

    >>> key_of("location", "x"), key_of("place", "x"), key_of("person", "p-a")
    ('place:x', 'place:x', 'person:p-a')
    """
    return f"{'place' if kind in ROOMS else kind}:{identifier}"


def _node(
    graph: "nx.MultiDiGraph[str]",
    kind: str,
    identifier: str,
    names: Mapping[str, str],
    role: str,
    more: Mapping[str, Any] | None = None,
) -> str:
    node = key_of(kind, identifier)
    if node not in graph:
        called = names.get(identifier, "") or identifier
        graph.add_node(node, label=called, kind="place" if kind in ROOMS else kind, id=identifier, role=role)
    if more is not None:
        # What is a seed of one trace and a member of another is told as a member, and that it is a seed.
        graph.nodes[node].update({**more, "is_seed": graph.nodes[node]["role"] == "seed", "role": role})
    return node


def _attributes(row: Row) -> dict[str, Any]:
    # One type for a name: a number that is not known is left out, not told as text.
    return {
        name: row.cells[name] if name in NUMBERS else str(row.cells[name]) for name in TOLD if row.cells[name] != ""
    }


def _draw(
    graph: "nx.MultiDiGraph[str]",
    run: RunDocument,
    link: Mapping[str, Any],
    names: Mapping[str, str],
    drawn: set[tuple[str, ...]],
) -> None:
    """Draw the facts of a link: into the place for whoever exposes it, out of it for whoever is exposed there."""
    facts = link["facts"]
    for number, fact in enumerate(facts):
        who = _node(graph, fact["who"]["kind"], fact["who"]["id"], names, "between")
        where = _node(graph, fact["where"]["kind"], fact["where"]["id"], names, "between")
        is_own = number > 0 and fact["who"]["kind"] == link["kind"] and fact["who"]["id"] == link["id"]
        # Backward a link's own party is the earlier one: exposure still runs with time.
        tail, head = (where, who) if is_own != run.backward else (who, where)
        if fact["fact"] in ("input", "output", "split", "merge"):
            tail, head = who, where
        same = (tail, head, fact["fact"], fact["from"], fact["time"], *fact["record_hashes"])
        if same in drawn:
            continue
        drawn.add(same)
        graph.add_edge(
            tail,
            head,
            # An identifier of its own in the whole file, which Gephi asks for.
            key=f"e{len(drawn)}",
            kind=fact["fact"],
            start=fact["from"],
            end=fact["to"],
            time=fact["time"],
            contact=fact["contact"],
            record_hashes=" ".join(fact["record_hashes"]),
            trace=run.trace,
        )
