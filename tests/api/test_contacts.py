"""The commands for plain tables of contacts: interfaces.md, to the letter."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "contacts"

TABLE = """from,to,day
a,b,2024-11-01
b,c,2024-11-01
c,a,2024-11-03
b,d,2024-11-20
"""
COLUMNS = ("--source", "from", "--target", "to", "--time", "day")


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "contacts.csv"
    path.write_text(TABLE)
    return str(path)


def test_reach(run: Callable[..., Any], table: str) -> None:
    done = run("contacts", "reach", table, *COLUMNS, "--seed", "a", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "seed": "a",
        "reached": [
            {"node": "b", "arrival": "2024-11-01", "hops": 1, "previous": "a"},
            {"node": "c", "arrival": "2024-11-01", "hops": 2, "previous": "b"},
            {"node": "d", "arrival": "2024-11-20", "hops": 2, "previous": "b"},
        ],
    }
    limited = run("contacts", "reach", table, *COLUMNS, "--seed", "a", "--max-wait", "14d", "--json").json
    assert [one["node"] for one in limited["reached"]] == ["b", "c"]
    strict = run("contacts", "reach", table, *COLUMNS, "--seed", "a", "--strict", "--json").json
    assert [one["node"] for one in strict["reached"]] == ["b", "d"]


def test_reach_backward_and_undirected(run: Callable[..., Any], table: str) -> None:
    back = run("contacts", "reach", table, *COLUMNS, "--seed", "a", "--backward", "--at", "2024-11-10", "--json").json
    assert back["reached"] == [
        {"node": "c", "departure": "2024-11-03", "hops": 1, "previous": "a"},
        {"node": "b", "departure": "2024-11-01", "hops": 2, "previous": "c"},
    ]
    both = run("contacts", "reach", table, *COLUMNS, "--seed", "d", "--undirected", "--json").json
    assert [one["node"] for one in both["reached"]] == ["b"]


def test_reach_told_to_a_person(run: Callable[..., Any], table: str) -> None:
    assert "2024-11-20  d" in run("contacts", "reach", table, *COLUMNS, "--seed", "a").out
    assert "3 方" in run("contacts", "reach", table, *COLUMNS, "--seed", "a", "--lang", "zh").out


def test_summary(run: Callable[..., Any], table: str, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    window = ("--from", "2024-11-01", "--to", "2024-11-15")
    told = run("contacts", "summary", table, *COLUMNS, *window, "--out", str(out), "--json").json
    seconds = told.pop("seconds")
    assert {"read", "index", "compute"} <= seconds.keys()
    sums = {"in_degree": 3, "out_degree": 3, "ingoing_contact_chain": 5, "outgoing_contact_chain": 5}
    assert told == {"nodes": 4, "rows": 4, "contacts": 3, "sums": sums}
    rows = {row["node"]: row for row in csv.DictReader(out.open(newline=""))}
    assert rows["b"]["outgoing_contact_chain"] == "2"
    assert rows["d"] == {"node": "d", **dict.fromkeys(sums, "0")}


@pytest.mark.shared
def test_summary_of_cattle_movements(run: Callable[..., Any]) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared/data/contacts is absent; put it beside the checkout to run this test")
    columns = ("--source", "source", "--target", "destination", "--time", "t")
    file = str(SHARED / "transfers.csv")
    told = run("contacts", "summary", file, *columns, "--from", "2005-01-01", "--to", "2005-12-31", "--json").json
    assert (told["nodes"], told["rows"], told["contacts"]) == (11_904, 70_190, 70_190)
    # Chains out of all are chains into all.
    assert told["sums"]["ingoing_contact_chain"] == told["sums"]["outgoing_contact_chain"] > told["sums"]["in_degree"]
    window = ("--from", "2005-10-01", "--to", "2005-10-14", "--max-wait", "3d", "--json")
    less = run("contacts", "summary", file, *columns, *window).json
    assert less["sums"]["outgoing_contact_chain"] < told["sums"]["outgoing_contact_chain"]


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--seed", "nobody"), 1, "seed"),
        (("--seed", "a", "--at", "yesterday"), 1, "--at"),
        (("--seed", "a", "--max-wait", "soon"), 1, "--max-wait"),
        (("--seed", "a", "--step", "1d"), 1, "step"),
        (("--seed", "a", "--end", "no"), 1, "no"),
        ((), 64, "--seed"),
    ],
)
def test_what_is_refused(run: Callable[..., Any], table: str, more: tuple[str, ...], code: int, said: str) -> None:
    done = run("contacts", "reach", table, *COLUMNS, *more, "--json")
    assert (done.code, said in done.err) == (code, True)
    assert done.json["error"]["message"]


def test_no_such_file(run: Callable[..., Any], tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        assert run("contacts", "reach", str(path), *COLUMNS, "--seed", "a").code == 64


def test_stays(run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "stays.csv"
    path.write_text("who,room,from,to\nloader,cold room,1,5\npacker,cold room,4,9\n")
    asked = ("contacts", "stays", str(path), "--party", "who", "--place", "room", "--start", "from", "--end", "to")
    done = run(*asked, "--seed", "loader", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["reached"] == [
        {"node": "packer", "arrival": 4, "generation": 1, "place": "cold room", "previous": "loader"}
    ]
    assert "于 cold room,第 1 代" in run(*asked, "--seed", "loader", "--lang", "zh").out
    assert run(*asked).code == 1
