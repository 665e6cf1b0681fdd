"""The exposed as GraphML, which network tools read.

GraphML 1.0 (graphml.graphdrawing.org); tracing.md §2 (networkx is the interface of the answer).
"""

import io
from typing import Any

import networkx as nx


def encode(graph: "nx.MultiDiGraph[str]") -> bytes:
    """Return the graph as GraphML; characters that XML cannot hold are replaced, for identifiers may hold any."""
    clean: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for node, attributes in graph.nodes(data=True):
        clean.add_node(_plain(node), **{name: _plain(value) for name, value in attributes.items()})
    for tail, head, key, attributes in graph.edges(keys=True, data=True):
        clean.add_edge(
            _plain(tail), _plain(head), key=_plain(key), **{name: _plain(value) for name, value in attributes.items()}
        )
    out = io.BytesIO()
    nx.write_graphml(clean, out)
    return out.getvalue()


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return "".join(one if one in "\t\n\r" or (one >= " " and one not in "\ufffe\uffff") else "\ufffd" for one in value)
