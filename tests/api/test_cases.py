"""A case on the command line, from opening to closing; who may do what; nothing of an identity stays anywhere."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.people import enrol

from sudonglian.api.commands import sample
from sudonglian.records import accounts, api_keys
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

STORY = sample.stories()["frozen-fish"]
TOLD = ("--purpose", "a positive pallet", "--basis", "law", "--responsible", "Ana")
PHONE = "19900000503"


@pytest.fixture
def loaded(run: Callable[..., Any]) -> Callable[..., Any]:
    assert run("sample", "load").code == 0
    assert run("case", "open", "C-1", *TOLD).code == 0
    seed = ("case", "seed", "C-1", STORY["seed"], "--at", STORY["at"], "--result", "positive", "--ct", "31.5")
    assert run(*seed, "--sample", "outer packaging").code == 0
    assert run("case", "run", "C-1").code == 0
    return run


def key(tmp_path: Path, *scopes: str, name: str = "bo") -> str:
    """Make a key of a person, and return the file that it is in."""
    data = tmp_path / "data"
    store, now = Store(f"sqlite:///{data / 'sudonglian.db'}"), datetime.now(UTC)
    with store.read() as connection:
        known = {one.name: one.id for one in accounts.listed(connection)}
    if name not in known:
        known[name] = enrol(store, Keys.open(data / "keys"), name, "epidemiologist", "approver", "auditor")
    with store.write() as connection:
        _, token = api_keys.create(connection, "k", scopes, now, account=known[name])
    store.close()
    (tmp_path / "key").write_text(token + "\n")
    return str(tmp_path / "key")


def test_a_whole_case(loaded: Callable[..., Any], tmp_path: Path) -> None:
    run = loaded
    shown = run("case", "show", "C-1", "--json").json
    assert (shown["state"], shown["members"], shown["seeds"][0]["ct"]) == ("open", 26, "31.5")
    assert shown["clock"]["first_list"]["overdue"] is False
    assert (shown["runs"][0]["listed"], shown["runs"][0]["by"][:4]) == (26, "cli:")
    rows = run("case", "members", "1", "--csv", str(tmp_path / "l.csv"), "--json").json["members"]
    assert len((tmp_path / "l.csv").read_text("utf-8-sig").splitlines()) == 27
    assert rows[0]["tier"] == "close"
    assert rows[0]["evidence"] == "certain"
    assert rows[0]["reason"].startswith("T")
    assert set(rows[0]["generation"]) == {"objects", "persons"}
    person = str(rows[0]["person"])
    assert run("case", "status", "1", person, "contacted").code == 0
    tested = run(
        "case", "result", "1", f"person:{person}", "negative", "--at", STORY["at"], "--ct", "40", "--json"
    ).json
    assert tested["members"] == 26
    assert tested["clock"]["all_reached"]["left"] == 24
    counts = run("case", "members", "1", "--counts", "--json").json
    assert counts["k"] == 5
    assert counts["counts"]["tier"] == {"total": 26, "withheld": False, "cells": {"close": None, "general": None}}
    assert run("case", "open", "C-2", *TOLD).code == 0
    assert run("case", "split", "1", "2", "--person", person, "--reason", "elsewhere").code == 0
    assert run("case", "show", "2", "--json").json["members"] == 1
    assert run("case", "merge", "1", "C-2", "--reason", "one outbreak").code == 0
    assert run("case", "merge", "1", "C-2", "--reason", "again").code == 1
    assert run("case", "part", "1", "C-2", "--reason", "two strains").code == 0
    assert run("case", "close", "1", "--reason", "over", "--json").json["state"] == "closed"
    assert run("case", "run", "1").code == 1
    assert run("case", "reopen", "1", "--reason", "once more").code == 0
    told = run("case", "timeline", "1", "--json").json["timeline"]
    assert [one["do"] for one in told] == [
        *("open", "seed", "run", "status", "result", "given", "taken", "given", "close", "reopen"),
    ]
    assert [one["case"] for one in run("case", "list", "--json").json["cases"]] == [2, 1]
    assert run("fsck").code == 0


def test_identities_take_two_and_stay_nowhere(loaded: Callable[..., Any], tmp_path: Path) -> None:
    run = loaded
    asked = run("case", "reveal", "ask", "C-1", "--reason", "call", "--json").json
    assert (asked["state"], len(asked["persons"])) == ("asked", 26)
    assert run("case", "reveal", "show", "1", "--identities").code == 1
    for scopes in (["case"], ["access-log"], ["trace"]):
        refused = run("case", "reveal", "approve", "1", "--key-file", key(tmp_path, *scopes), "--json")
        assert (refused.code, refused.json["error"]["code"]) == (1, "forbidden")
    (tmp_path / "key").write_text("")
    assert run("case", "reveal", "approve", "1", "--key-file", str(tmp_path / "key")).code == 1
    assert run("case", "reveal", "approve", "1").code == 64
    approver = key(tmp_path, "reveal-approve")
    assert run("case", "reveal", "approve", "1", "--key-file", approver, "--json").json["state"] == "approved"
    assert PHONE not in run("case", "reveal", "show", "1", "--json").out
    shown = run("case", "reveal", "show", "1", "--identities", "--json")
    phones = {it["value"] for one in shown.json["identities"] for it in one["identities"]}
    assert (len(shown.json["identities"]), PHONE in phones) == (26, True)
    assert run("case", "reveal", "show", "1", "--identities").code == 1
    assert PHONE not in run("case", "timeline", "1").out + run("case", "show", "1").out
    for file in (tmp_path / "data").rglob("*"):
        if file.is_file():
            assert PHONE.encode() not in file.read_bytes(), file


def test_what_one_asks_one_cannot_approve_with_another_key_of_ones_own(
    loaded: Callable[..., Any], tmp_path: Path
) -> None:
    both = key(tmp_path, "case")
    assert loaded("case", "reveal", "ask", "1", "--reason", "call", "--key-file", both).code == 0
    both = key(tmp_path, "case", "reveal-approve")
    refused = loaded("case", "reveal", "approve", "1", "--key-file", both, "--json")
    assert refused.json["error"]["code"] == "reveal-own"
    assert (
        loaded("case", "reveal", "refuse", "1", "--reason", "no", "--key-file", both, "--json").json["state"]
        == "refused"
    )


@pytest.mark.parametrize(
    "command",
    [
        ("case", "show", "C-9"),
        ("case", "open", "C-1", *TOLD),
        ("case", "open", "77", *TOLD),
        ("case", "run", "C-1", "--seed", "7"),
        ("case", "seed", "C-1", "nothing", "--at", STORY["at"]),
        ("case", "seed", "C-1", STORY["seed"], "--at", STORY["at"], "--kind", "ship"),
        ("case", "seed", "C-1", STORY["seed"], "--at", STORY["at"], "--kind", "person"),
        ("case", "seed", "C-1", "person:1234567890123456", "--at", STORY["at"], "--kind", "item"),
        ("case", "result", "C-1", "person:5", "negative", "--at", STORY["at"]),
        ("case", "status", "C-1", "5", "contacted"),
        ("case", "split", "C-1", "C-1", "--reason", "x"),
        ("case", "merge", "C-1", "C-1", "--reason", "x"),
        ("case", "reveal", "show", "9"),
        ("trace", STORY["seed"], "--at", STORY["at"], "--case", "C-9"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(loaded: Callable[..., Any], command: tuple[str, ...]) -> None:
    done = loaded(*command, "--json")
    assert done.code in (1, 64)
    assert done.json["error"]["code"]


def test_who_cannot_read_the_file_of_a_key_does_nothing(loaded: Callable[..., Any], tmp_path: Path) -> None:
    assert loaded("case", "close", "1", "--reason", "x", "--key-file", str(tmp_path / "none")).code == 64
