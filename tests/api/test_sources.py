"""The command that scores sources: interfaces.md, to the letter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.trace.sources.literal import network

from sudonglian.api.commands import sample

RELATIONS = [("milk", "one"), ("milk", "two")]
DELIVERIES = [
    {"ID": "milk", "from": "farm", "to": "plant"},
    {"ID": "one", "from": "plant", "to": "shop1"},
    {"ID": "two", "from": "plant", "to": "shop2"},
]
CASES = [{"id": "shop1", "weight": 1}, {"id": "shop2", "weight": 1}]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "deliveries.json"
    path.write_text(json.dumps(network(["farm", "plant", "shop1", "shop2"], DELIVERIES, RELATIONS, CASES)))
    return str(path)


def test_sources(run: Callable[..., Any], file: str) -> None:
    done = run("sources", file, "--json")
    assert (done.code, done.err) == (0, "")
    told = done.json
    likely = [row.pop("likelihood") for row in told["stations"]]
    assert sum(likely) == pytest.approx(1)
    assert [row.pop("likelihood_rank") for row in told["stations"]] == [2, 1, 3, 3]
    assert [row.pop("likelihood_rank") for row in told["deliveries"]] == [1, 2, 2]
    assert sum(row.pop("likelihood") for row in told["deliveries"]) == pytest.approx(1)
    assert told["stations"][0] == {
        "id": "farm",
        "score": 1.0,
        "common_link": True,
        "forward": ["plant", "shop1", "shop2"],
        "backward": [],
    }
    assert told["deliveries"][1] == {
        "id": "one",
        "score": 0.5,
        "common_link": False,
        "forward": [],
        "backward": ["milk"],
    }
    assert told["sums"] == {"station_score": 3.0, "delivery_score": 2.0}
    assert told.keys() == {"stations", "deliveries", "sums"}


def test_cross_contamination(run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "unrelated.json"
    path.write_text(json.dumps(network(["farm", "plant", "shop1", "shop2"], DELIVERIES, [], CASES)))
    assert run("sources", str(path), "--json").json["stations"][0]["score"] == 0.0
    assert run("sources", str(path), "--cross-contamination", "--json").json["stations"][0]["score"] == 1.0


def test_told_to_a_person(run: Callable[..., Any], file: str) -> None:
    lines = run("sources", file).out.splitlines()
    assert [line.split("  ")[::2] for line in lines[:3]] == [
        ["1.0000", "plant"],
        ["1.0000", "farm"],
        ["0.5000", "shop1"],
    ]
    assert lines[0] == "1.0000  0.5559  plant  common link"
    assert "共同来源" in run("sources", file, "--lang", "zh").out


def test_what_is_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "no.json"
    path.write_text('{"version": "2.0.0"}')
    done = run("sources", str(path), "--json")
    assert (done.code, done.json["error"]["code"], done.json["error"]["place"]) == (1, "fcl", "/version")
    assert run("sources", str(tmp_path / "none.json")).code == 64
    assert run("sources").code == 64


def test_the_goods_of_a_trace_are_written_and_scored(run: Callable[..., Any], tmp_path: Path) -> None:
    story = sample.stories()["frozen-fish"]
    assert run("sample", "load").code == 0
    path = tmp_path / "goods.json"
    asked = ("--at", story["at"], "--purpose", "test", "--backward", "--fcl", str(path))
    assert run("trace", story["seed"], *asked).code == 0
    told = run("sources", str(path), "--json").json
    # The pallet was packed and stood in the yard before it came to where it was swabbed.
    links = [row["id"].rpartition("/")[2] for row in told["stations"] if row["common_link"]]
    assert links == ["pack", "yard"]
    rows = json.loads(path.read_bytes())["data"]["deliveries"]["data"]
    goods = {row[0]["value"]: row[3]["value"] for row in rows}
    assert {goods[row["id"]] for row in told["deliveries"] if row["common_link"]} == {story["seed"]}
    assert run("trace", story["seed"], *asked[:-1], str(tmp_path)).code == 64
