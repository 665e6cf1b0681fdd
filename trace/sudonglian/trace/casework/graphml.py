"""The exposed as GraphML, which network tools read.

GraphML 1.0 (graphml.graphdrawing.org); tracing.md §2 (networkx is the interface of the answer).
"""

import io
from typing import Any

import networkx as nx

from sudonglian.trace.engine.pictures.svg import xml_text


def encode(graph: "nx.MultiDiGraph[str]") -> bytes:
    """Return the graph as GraphML; characters that XML cannot hold are replaced, for identifiers may hold any."""
    clean: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    clean.graph.update({name: _plain(value) for name, value in graph.graph.items()})
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
    return xml_text(value) if isinstance(value, str) else value
