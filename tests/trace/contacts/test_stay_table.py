"""Tables of stays: what is read, and whom a seed exposes, against a literal walk over all pairs."""

import random
from pathlib import Path
from typing import Any

import pytest

from sudonglian.trace.errors import TraceError
from sudonglian.trace.tables.stay_table import StayAsk, StayColumns, exposed

COLUMNS = StayColumns("who", "room", "from", "to")

SHIFTS = """who,room,from,to
loader,cold room,2024-11-01T08:00,2024-11-01T12:00
packer,cold room,2024-11-01T11:00,2024-11-01T17:00
driver,dock,2024-11-01T16:00,
packer,dock,2024-11-01T18:00,2024-11-01T18:00
night guard,cold room,2024-11-01T19:00,2024-11-02T06:00
"""


def write(folder: Path, text: str) -> Path:
    """Return a file with the text."""
    path = folder / "stays.csv"
    path.write_text(text, encoding="utf-8")
    return path


def told(answer: dict[str, Any], name: str = "arrival") -> dict[str, tuple[Any, int]]:
    """Return when each is exposed, and its generation."""
    return {one["node"]: (one[name], one["generation"]) for one in answer["reached"]}


def test_shifts(tmp_path: Path) -> None:
    """An open end, an instant, a place that goes on exposing, a walk."""
    path = write(tmp_path, SHIFTS)
    found = exposed(path, COLUMNS, StayAsk(seed="loader", at="2024-11-01T09:00", walks=True))
    assert told(found) == {"packer": ("2024-11-01T11:00:00", 1), "driver": ("2024-11-01T18:00:00", 2)}
    assert found["reached"][1]["walk"] == [
        {"node": "loader", "time": "2024-11-01T09:00:00", "place": None},
        {"node": "packer", "time": "2024-11-01T11:00:00", "place": "cold room"},
        {"node": "driver", "time": "2024-11-01T18:00:00", "place": "dock"},
    ]
    longer = exposed(path, COLUMNS, StayAsk(seed="loader", at="2024-11-01T09:00", persistence="3h"))
    assert told(longer)["night guard"] == ("2024-11-01T19:00:00", 2)
    one = exposed(path, COLUMNS, StayAsk(seed="loader", at="2024-11-01T09:00", max_generation=1, persistence="3h"))
    assert list(told(one)) == ["packer"]
    assert not exposed(path, COLUMNS, StayAsk(seed="loader", at="2024-11-01T12:00"))["reached"]


def test_a_place_as_seed_and_backward(tmp_path: Path) -> None:
    """Who was in the place, and who could have exposed whom; until when it was still possible."""
    path = write(tmp_path, SHIFTS)
    room = exposed(path, COLUMNS, StayAsk(seed_place="cold room", at="2024-11-01T11:30"))
    assert told(room)["loader"] == ("2024-11-01T11:30:00", 1)
    assert "night guard" not in told(room)
    back = exposed(path, COLUMNS, StayAsk(seed="driver", at="2024-11-02T00:00", backward=True))
    assert told(back, "departure") == {
        "packer": ("2024-11-01T18:00:00", 1),
        "loader": ("2024-11-01T11:59:59.999999", 2),
    }


def test_days_are_whole(tmp_path: Path) -> None:
    """The last day belongs to a stay, and stays of one day chain."""
    path = write(tmp_path, "who,room,from,to\na,x,2024-11-01,2024-11-02\nb,x,2024-11-02,2024-11-05\nc,x,2024-11-06,\n")
    assert told(exposed(path, COLUMNS, StayAsk(seed="a"))) == {"b": ("2024-11-02", 1)}
    assert told(exposed(path, COLUMNS, StayAsk(seed="a", persistence="1d")))["c"] == ("2024-11-06", 2)
    assert not exposed(path, COLUMNS, StayAsk(seed="a", until="2024-11-01"))["reached"]
    assert told(exposed(path, COLUMNS, StayAsk(seed="a", until="2024-11-02"))) == {"b": ("2024-11-02", 1)}


def literal(rows: list[tuple[int, int, int, int]], seed: int, at: int, wait: int) -> dict[int, int]:
    """Return the earliest exposure of each party, by asking every pair of rows until nothing changes."""
    known = {seed: at}
    while True:
        before = dict(known)
        for who, where, start, end in rows:
            if who not in known:
                continue
            since = max(start, known[who])
            if since >= end:
                continue
            for other, there, begin, finish in rows:
                when = max(since, begin)
                if there == where and when < min(finish, end + wait) and when < known.get(other, 10**9):
                    known[other] = when
        if known == before:
            del known[seed]
            return known


def test_equals_a_literal_walk(tmp_path: Path) -> None:
    """Random tables of plain numbers, instants that chain."""
    seen = 0
    for number in range(150):
        dice = random.Random(number)
        rows = []
        for _ in range(dice.randrange(1, 20)):
            start = dice.randrange(12)
            rows.append((dice.randrange(6), dice.randrange(4), start, start + dice.randrange(1, 6)))
        lines = "".join(f"p{who},r{where},{start},{end}\n" for who, where, start, end in rows)
        path = write(tmp_path, "who,room,from,to\n" + lines)
        seed, at, wait = rows[0][0], dice.randrange(12), dice.choice([0, 0, 2])
        ask = StayAsk(seed=f"p{seed}", at=str(at), persistence=str(wait), strict=False)
        found = exposed(path, COLUMNS, ask)
        expected = literal(rows, seed, at, wait)
        assert {one["node"]: one["arrival"] for one in found["reached"]} == {
            f"p{party}": time for party, time in expected.items()
        }
        seen += len(expected)
    assert seen > 150


@pytest.mark.parametrize(
    ("text", "ask", "reason"),
    [
        (SHIFTS, StayAsk(), "either a party or a place"),
        (SHIFTS, StayAsk(seed="loader", seed_place="dock"), "either a party or a place"),
        (SHIFTS, StayAsk(seed="nobody"), "names no 'nobody'"),
        (SHIFTS, StayAsk(seed_place="dock"), "when was the place exposed"),
        (SHIFTS, StayAsk(seed="loader", max_generation=-1), "not negative"),
        (SHIFTS, StayAsk(seed="loader", at="soon"), "not a timestamp"),
        (SHIFTS.replace("11:00,2024-11-01T17:00", "11:00,2024-11-01T07:00"), StayAsk(seed="loader"), "ends before"),
        (SHIFTS.replace("driver,", ","), StayAsk(seed="loader"), "empty"),
        ("who,room\na,b\n", StayAsk(seed="a"), "no column"),
        ("who,room,from,to\n", StayAsk(seed="a"), "no rows"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str, ask: StayAsk, reason: str) -> None:
    """Each with its reason."""
    with pytest.raises(TraceError, match=reason):
        exposed(write(tmp_path, text), COLUMNS, ask)
