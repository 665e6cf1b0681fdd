"""The case as a network: read by networkx, every attribute of one type, every edge with an identifier of its own."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
from tests.api.test_cases import PHONE, STORY
from tests.api.test_exports import PSEUDONYM, case

__all__ = ["case"]

Run = Callable[..., Any]
SPACE = "{http://graphml.graphdrawing.org/xmlns}"
OTHER = "https://id.gs1.org/00/395200010000000035"


def network(run: Run, file: Path) -> "nx.MultiDiGraph[str]":
    assert run("case", "export", "1", "--format", "graphml", "-o", str(file)).code == 0
    graph: nx.MultiDiGraph[str] = nx.read_graphml(file, force_multigraph=True)
    return graph


def test_everybody_listed_is_in_the_network_and_can_be_reached_from_the_seed(case: Run, tmp_path: Path) -> None:
    people = case("case", "members", "1", "--json").json["members"]
    graph = network(case, tmp_path / "n.graphml")
    kinds = nx.get_node_attributes(graph, "kind")
    members = [node for node, role in graph.nodes(data="role") if role == "member"]
    assert len(members) == 58
    assert len([node for node in members if kinds[node] == "person"]) == len(people) == 26
    (seed,) = [node for node, role in graph.nodes(data="role") if role == "seed"]
    assert graph.nodes[seed]["id"] == STORY["seed"]
    # Each exposure runs with its facts: whoever is listed is at the end of some way from what was positive.
    assert set(members) <= nx.descendants(graph, seed)
    for node in members:
        told = graph.nodes[node]
        assert isinstance(told["generation"], int)
        assert isinstance(told["tier"], str)
        assert told["generation"] == told["through_objects"] + told["through_persons"]
    person = next(graph.nodes[node] for node in members if kinds[node] == "person")
    assert PSEUDONYM.fullmatch(person["id"])
    assert (person["risk_rank"], person["is_seed"]) == (1, False)
    assert all(len(record) == 64 for _, _, records in graph.edges(data="record_hashes") for record in records.split())
    assert graph.graph["trace_1_document_hash"] == case("case", "export", "1", "--format", "graphml", "-o",
        str(tmp_path / "again.graphml"), "--json").json["documents"][0]  # fmt: skip
    text = (tmp_path / "n.graphml").read_text("utf-8")
    assert PHONE not in text
    assert not [one for one in people if str(one["person"]) in text]


def test_the_traces_of_all_seeds_are_one_network(case: Run, tmp_path: Path) -> None:
    before = network(case, tmp_path / "n.graphml")
    person = str(case("case", "members", "1", "--json").json["members"][0]["person"])
    assert case("case", "seed", "1", f"person:{person}", "--at", STORY["at"], "--result", "positive").code == 0
    assert case("case", "seed", "1", "https://id.gs1.org/414/9520001001031/254/dock", "--at", STORY["at"]).code == 0
    assert case("case", "run", "1", "--seed", "1").code == 0
    assert case("case", "run", "1", "--seed", "2", "--backward").code == 0
    graph = network(case, tmp_path / "m.graphml")
    assert set(before.nodes) <= set(graph.nodes)
    assert {trace for _, _, trace in graph.edges(data="trace")} == {1, 2, 3}
    seeds = {told["id"] for _, told in graph.nodes(data=True) if told["role"] == "seed" or told.get("is_seed")}
    assert STORY["seed"] in seeds
    assert [one for one in seeds if PSEUDONYM.fullmatch(one)]
    assert person not in (tmp_path / "m.graphml").read_text("utf-8")


def test_names_types_and_identifiers_are_what_gephi_asks_for(case: Run, tmp_path: Path) -> None:
    network(case, tmp_path / "n.graphml")
    root = ET.parse(tmp_path / "n.graphml").getroot()
    keys = [(one.get("for"), one.get("attr.name"), one.get("attr.type")) for one in root.iter(f"{SPACE}key")]
    assert len({key[:2] for key in keys}) == len(keys)  # a name has one type
    types = {key[:2]: key[2] for key in keys}
    assert types["node", "generation"] in ("int", "long")
    assert types["node", "is_seed"] == "boolean"
    assert types["node", "label"] == "string"
    edges = [one.get("id") for one in root.iter(f"{SPACE}edge")]
    assert len(set(edges)) == len(edges) > 50
    assert case("case", "export", "1", "--format", "graphml", "-o", str(tmp_path / "x"), "--identities", "--reveal",
        "1", "--json").json["error"]["code"] == "case-export"  # fmt: skip
