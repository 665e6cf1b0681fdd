"""Tasks on the command line: dispatched by who works the case, done by their worker, who sees no more than a task needs."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.people import enrol

from sudonglian.api.commands import sample
from sudonglian.records import api_keys
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

STORY = sample.stories()["frozen-fish"]
TOLD = ("--purpose", "a positive pallet", "--basis", "law", "--responsible", "Ana")


def key(tmp_path: Path, name: str, role: str, *scopes: str) -> str:
    """Make a person with one role and a key, and return the file that the key is in."""
    data = tmp_path / "data"
    store = Store(f"sqlite:///{data / 'sudonglian.db'}")
    number = enrol(store, Keys.open(data / "keys"), name, role)
    with store.write() as connection:
        _, token = api_keys.create(connection, name, scopes, datetime.now(UTC), account=number)
    store.close()
    file = tmp_path / f"{name}.key"
    file.write_text(token + "\n")
    return str(file)


@pytest.fixture
def loaded(run: Callable[..., Any]) -> Callable[..., Any]:
    assert run("sample", "load").code == 0
    assert run("case", "open", "C-1", *TOLD).code == 0
    assert run("case", "seed", "C-1", STORY["seed"], "--at", STORY["at"], "--result", "positive").code == 0
    assert run("case", "run", "C-1").code == 0
    return run


def test_from_the_line_list_to_the_last_call(loaded: Callable[..., Any], tmp_path: Path) -> None:
    run = loaded
    wen = ("--key-file", key(tmp_path, "wen", "follow-up", "follow-up"))
    xin = ("--key-file", key(tmp_path, "xin", "follow-up", "follow-up"))
    approver = ("--key-file", key(tmp_path, "li", "approver", "reveal-approve"))
    rows = run("case", "members", "C-1", "--csv", str(tmp_path / "l.csv"), "--json").json["members"]
    made = run("case", "tasks", "make", "C-1", "--tier", "close", "--area", "A", "--advice", "stay", "--json").json
    close = [one["person"] for one in rows if one["tier"] == "close"]
    assert [int(one["subject"]) for one in made["tasks"]] == close
    assert [one["order"] for one in made["tasks"]] == list(range(1, len(close) + 1))
    assert run("case", "tasks", "make", "C-1", "--tier", "close", "--json").json["tasks"] == []
    with (tmp_path / "l.csv").open(encoding="utf-8-sig") as file:
        assert [int(one["person"]) for one in csv.DictReader(file)][: len(close)] == close
    assert run("case", "tasks", "mine", *wen, "--json").json["tasks"] == []
    assert run("case", "tasks", "assign", "C-1", "--to", "wen", "--area", "A").code == 0
    mine = run("case", "tasks", "mine", *wen, "--json").json["tasks"]
    assert [one["task"] for one in mine] == [one["task"] for one in made["tasks"]]
    assert {"case", "assignee"} & set(mine[0]) == set()
    assert run("case", "tasks", "mine", *xin, "--json").json["tasks"] == []

    refused = run("case", "tasks", "show", "1", "--reach", *wen, "--json")
    assert refused.json["error"]["code"] == "task-not-revealed"
    asked = run("case", "reveal", "ask", "C-1", "--for-tasks", "--reason", "calls", "--json").json
    assert asked["for_tasks"] is True
    assert run("case", "tasks", "show", "1", *wen, "--json").json["missing"].startswith("a reveal for tasks waits")
    assert run("case", "reveal", "approve", "1", *approver).code == 0
    seen = run("case", "tasks", "show", "1", "--reach", *wen, "--json").json
    assert (len(seen["reach"]), seen["reach"][0]["contact"][:4], set(seen["reach"][0])) == (
        1,
        "1990",
        {"name", "contact"},
    )
    for command in (
        ["show", "1"],
        ["show", "1", "--reach"],
        ["close", "1", "reached"],
        ["hand-back", "1", "--reason", "x"],
    ):
        refused = run("case", "tasks", *command, *xin, "--json")
        assert refused.json["error"]["code"] == "task-unknown", command
    told = run("case", "tasks", "close", "1", "reached", *wen, "--json").json["tasks"][0]
    assert (told["state"], told["outcome"], told["closed_by"][:8]) == ("closed", "reached", "account:")
    assert run("case", "members", "C-1", "--json").json["members"][0]["status"] == "contacted"
    assert run("case", "tasks", "hand-back", "2", "--reason", "on leave", *wen).code == 0
    progress = run("case", "tasks", "progress", "C-1", "--json").json
    assert progress["all"] == {
        "tasks": len(close),
        "open": 1,
        "assigned": len(close) - 2,
        "overdue": 0,
        "escalated": 0,
        "closed": 1,
        "outcomes": {"reached": 1},
    }
    assert set(progress["by_tier"]) == {"close"}
    assert progress["by_area"]["A"] == progress["by_kind"]["contact"] == progress["all"]
    looks = run("people", "access", str(close[0]), "--json")
    assert run("fsck").code == 0
    assert seen["reach"][0]["contact"] not in run("case", "timeline", "C-1").out + looks.out


def test_what_is_late_or_escalated_stands_first(loaded: Callable[..., Any]) -> None:
    run = loaded
    rows = run("case", "members", "C-1", "--json").json["members"]
    last, middle = (str(rows[at]["person"]) for at in (-1, 5))
    assert run("case", "tasks", "make", "C-1").code == 0
    late = ("--kind", "test", "--person", last, "--due", "2024-11-10T00:00:00+08:00")
    assert run("case", "tasks", "make", "C-1", *late).code == 0
    (number,) = (
        one["task"] for one in run("case", "tasks", "list", "C-1", "--json").json["tasks"] if one["subject"] == middle
    )
    assert run("case", "tasks", "escalate", str(number), "--reason", "no answer").code == 0
    listed = run("case", "tasks", "list", "C-1", "--json").json["tasks"]
    assert [(one["subject"], one["overdue"], one["escalated"] is None) for one in listed[:3]] == [
        (last, True, True),
        (middle, False, False),
        (str(rows[0]["person"]), False, True),
    ]
    progress = run("case", "tasks", "progress", "C-1", "--json").json
    assert (progress["all"]["overdue"], progress["all"]["escalated"]) == (1, 1)
    assert run("case", "tasks", "close", str(listed[0]["task"]), "positive", "--ct", "20").code == 0
    assert [one["state"] for one in run("case", "tasks", "list", "C-1", "--json").json["tasks"]][-1] == "closed"
    assert len(run("case", "tasks", "list", "C-1", "--open", "--json").json["tasks"]) == len(rows)
    assert run("case", "close", "C-1", "--reason", "over").code == 0
    assert {one["state"] for one in run("case", "tasks", "list", "C-1", "--open", "--json").json["tasks"]} == {"over"}
    assert run("case", "tasks", "progress", "C-1", "--json").json["all"]["closed"] == 1


@pytest.mark.parametrize(
    "command",
    [
        ("make", "C-9"),
        ("make", "C-1", "--kind", "seal"),
        ("make", "C-1", "--tier", "worst"),
        ("make", "C-1", "--person", "5"),
        ("make", "C-1", "--due", "tomorrow"),
        ("assign", "C-1", "--to", "nobody", "--area", "A"),
        ("assign", "C-1", "--to", "ana", "--area", "A"),
        ("assign", "C-1", "--to", "wen"),
        ("assign", "C-1", "--to", "wen", "--task", "9"),
        ("close", "9", "reached"),
        ("escalate", "9", "--reason", "x"),
        ("hand-back", "9", "--reason", "x"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    loaded: Callable[..., Any], tmp_path: Path, command: tuple[str, ...]
) -> None:
    key(tmp_path, "wen", "follow-up", "follow-up")
    key(tmp_path, "ana", "epidemiologist", "case")
    done = loaded("case", "tasks", *command, "--json")
    assert done.code in (1, 64)
    assert done.json["error"]["code"]


def test_keys_do_what_their_scopes_say(loaded: Callable[..., Any], tmp_path: Path) -> None:
    ana = ("--key-file", key(tmp_path, "ana", "epidemiologist", "case"))
    wen = ("--key-file", key(tmp_path, "wen", "follow-up", "follow-up"))
    assert loaded("case", "tasks", "make", "C-1", *ana).code == 0
    for command in (
        ["make", "C-1", *wen],
        ["assign", "C-1", "--to", "wen", "--area", "A", *wen],
        ["mine", *ana],
        ["show", "1", *ana],
    ):
        refused = loaded("case", "tasks", *command, "--json")
        assert (refused.code, refused.json["error"]["code"]) == (1, "forbidden"), command
    assert loaded("case", "tasks", "close", "1", "unreachable", *ana).code == 0
    (tmp_path / "empty.key").write_text("")
    assert loaded("case", "tasks", "mine", "--key-file", str(tmp_path / "empty.key")).code == 1
