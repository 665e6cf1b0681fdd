"""Tasks about goods and places: what was done to them is a record of the authority, and a fact for the next trace."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sudonglian.api.commands import sample

STORY = sample.stories()["frozen-fish"]
TOLD = ("--purpose", "a positive pallet", "--basis", "law", "--responsible", "Ana")
AUTHORITY = "urn:sudonglian:submitter:cdc"
LOT = "https://id.gs1.org/01/09520001002014/10/BJ241018"
DOCK = "https://id.gs1.org/414/9520001001031/254/dock"


@pytest.fixture
def loaded(run: Callable[..., Any]) -> Callable[..., Any]:
    assert run("sample", "load").code == 0
    assert run("case", "open", "C-1", *TOLD).code == 0
    assert run("case", "seed", "C-1", STORY["seed"], "--at", STORY["at"], "--result", "positive").code == 0
    assert run("case", "run", "C-1").code == 0
    return run


def make(run: Callable[..., Any], kind: str, *more: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = run("case", "tasks", "goods", "C-1", "--kind", kind, *more, "--json").json["tasks"]
    return told


def close(run: Callable[..., Any], number: int, *more: str) -> Any:
    return run("case", "tasks", "close", str(number), *more, "--submitter", AUTHORITY, "--json")


def ended(run: Callable[..., Any]) -> dict[str, Any]:
    event = run("case", "timeline", "C-1", "--json").json["timeline"][-1]
    assert event["do"] == "task-closed"
    told: dict[str, Any] = event["said"]
    return told


def test_goods_and_places_are_tasks_in_the_order_of_risk(loaded: Callable[..., Any]) -> None:
    made = make(loaded, "seal", "--area", "A")
    assert (made[0]["subject"], made[0]["order"]) == (STORY["seed"], 1)
    assert {one["subject_kind"] for one in made} == {"item", "lot", "place"}
    assert [one["order"] for one in made] == sorted(one["order"] for one in made)
    assert len({(one["subject"], one["place"]) for one in made}) == len(made)
    assert make(loaded, "seal") == []
    assert loaded("case", "tasks", "close", "1", "sealed").code == 0
    assert ended(loaded)["record"] == ""
    assert loaded("case", "tasks", "close", "2", "reached").code == 1
    (one,) = make(loaded, "release", "--subject", STORY["seed"])
    assert one["kind"] == "release"
    for refused in (["--kind", "contact"], ["--kind", "seal", "--subject", "https://id.gs1.org/00/395200010000099999"]):
        assert loaded("case", "tasks", "goods", "C-1", *refused).code == 1
    assert loaded("fsck").code == 0


def test_a_disinfection_is_a_record_and_a_fact_of_the_next_trace(loaded: Callable[..., Any]) -> None:
    run = loaded
    (one,) = make(run, "disinfect", "--subject", STORY["seed"])
    assert close(run, one["task"], "disinfected", "--at", "2024-11-10T14:01:00+08:00").code == 0
    record = ended(run)["record"]
    shown = run("show", record, "--json")
    assert shown.code == 0
    assert AUTHORITY in shown.out
    assert "disinfecting" in shown.out
    assert run("anchor").code == 0
    asked = ("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "after the disinfection", "--json")
    (told,) = (one for one in run(*asked).json["disinfections"] if one["record_hash"] == record)
    assert (told["id"], told["complete"], told["time"]) == (STORY["seed"], "yes", "2024-11-10T06:01:00Z")
    assert run("fsck").code == 0


def test_a_sample_is_a_record_that_the_next_trace_names(loaded: Callable[..., Any]) -> None:
    run = loaded
    (one,) = make(run, "test", "--subject", DOCK)
    told = close(run, one["task"], "negative", "--ct", "40", "--at", "2024-11-11T08:00:00+08:00")
    assert told.json["tasks"][0]["outcome"] == "negative"
    record = ended(run)["record"]
    assert run("anchor").code == 0
    asked = ("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "after the test", "--json")
    (found,) = (one for one in run(*asked).json["samples"] if one["record_hash"] == record)
    assert (found["subject"], found["verdict"], found["time"]) == (DOCK, "negative", "2024-11-11T00:00:00Z")
    again = close(run, one["task"], "positive")
    assert again.json["error"]["code"] == "task-over"


def test_what_was_done_to_a_lot_says_where(loaded: Callable[..., Any]) -> None:
    run = loaded
    made = make(run, "disinfect", "--subject", LOT)
    (nowhere,) = (one["task"] for one in made if not one["place"])
    refused = close(run, nowhere, "disinfected")
    assert (refused.code, refused.json["error"]["code"]) == (1, "task")
    assert close(run, nowhere, "disinfected", "--place", DOCK).code == 0
    somewhere = next(one for one in made if one["place"])
    assert close(run, somewhere["task"], "gone").code == 0
    assert ended(run)["record"] == ""


def test_a_firm_is_told_of_its_stock_and_of_nobody(loaded: Callable[..., Any], tmp_path: Path) -> None:
    run = loaded
    told = run("case", "tasks", "firms", "C-1", "--csv", str(tmp_path / "firms.csv"), "--json").json["firms"]
    assert len(told) > 3
    rows = [row for rows in told.values() for row in rows]
    assert {tuple(row) for row in rows} == {("kind", "subject", "place", "tier")}
    assert {row["kind"] for row in rows} == {"item", "lot"}
    assert LOT in {row["subject"] for row in rows if row["place"]}
    with (tmp_path / "firms.csv").open(encoding="utf-8-sig") as file:
        written = list(csv.DictReader(file))
    assert [one["subject"] for one in written] == [row["subject"] for row in rows]
    people = {str(one["person"]) for one in run("case", "members", "C-1", "--json").json["members"]}
    text = (tmp_path / "firms.csv").read_text("utf-8-sig")
    assert not any(person in text for person in people)
    firm = next(iter(told))
    assert list(run("case", "tasks", "firms", "C-1", "--firm", firm, "--json").json["firms"]) == [firm]
    (one,) = make(run, "disinfect", "--subject", STORY["seed"])
    assert close(run, one["task"], "disinfected").code == 0
    assert run("case", "tasks", "firms", "C-1", "--json").json["firms"] == told
