"""Tables as people have them: what is read, and what is refused with the row that it is in."""

import gzip
from pathlib import Path

import pytest

from sudonglian.trace.errors import TraceError
from sudonglian.trace.tables import contact_table
from sudonglian.trace.tables.clock import Clock, TimeRefused
from sudonglian.trace.tables.contact_table import ContactTable


def read(folder: Path, text: str | bytes, end: str = "") -> ContactTable:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return contact_table.read(path, source="a", target="b", time="t", end=end)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b,t\n1,2,2020-01-09\n2,10,2020-01-10\n", ["2020-01-09", "2020-01-10"]),
        ("a,b,t\n1,2,2020/1/9\n2,10,2020-01-10\n", ["2020-01-09", "2020-01-10"]),
        ("a;b;t\n1;2;1.5\n2;10;3\n", [1.5, 3]),
        ("b\ta\tt\n2\t1\t-7\n10\t2\t12\n", [-7, 12]),
        (
            "a,b,t\n1,2,2020-01-09T10:00\n2,10,2020-01-09 10:00:01.5\n",
            ["2020-01-09T10:00:00", "2020-01-09T10:00:01.500000"],
        ),
        ("a,b,t\n1,2,2020-01-09T10:00+08:00\n2,10,2020-01-09T02:00Z\n", ["2020-01-09T02:00:00+00:00"] * 2),
        ('a,b,t\r\n"1" , 2,5\r\n2,10,6\r\n', [5, 6]),
        ("\ufeffa,b,t\n1,2,5\n2,10,6\n", [5, 6]),
    ],
)
def test_what_is_read(tmp_path: Path, text: str, told: list[object]) -> None:
    table = read(tmp_path, text)
    # Numbers in their order, not in that of letters.
    assert table.names == ("1", "2", "10")
    assert [table.clock.told(int(tick)) for tick in table.contacts.start] == told


def test_names_stay_as_they_are_written(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b,t\n007,7,1\n7,7.0,2\n张三,007,3\n".encode("gb18030"))
    assert set(table.names) == {"007", "7", "7.0", "张三"}
    numbers = read(tmp_path, "a,b,t\n007,7,1\n10,007,3\n")
    assert numbers.names == ("007", "7", "10")


def test_compressed(tmp_path: Path) -> None:
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a,b,t\nx,y,1\n"))
    assert contact_table.read(path, source="a", target="b", time="t").names == ("x", "y")


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a,b,t\nx,y,1\nx,z,no\n", "t, row 2", "not a number"),
        ("a,b,t\nx,y,2020-01-09\nx,z,2020-01-09T10:00\n", "t, row 2", "not a date"),
        ("a,b,t\nx,y,2020-02-30\n", "t", "calendar"),
        ("a,b,t\nx,y,2020-01-09T10:00+08:00\nx,z,2020-01-09T02:00\n", "t", "offset"),
        ("a,b,t\nx,y,soon\n", "t, row 1", "neither"),
        ("a,b,t\nx,y,1\n,z,2\n", "a, row 2", "empty"),
        ("a,b,t\nx,y,1\nx,z,\n", "t, row 2", "empty"),
        ("a,b,t\nx,y,1\nx,z\n", "row 2", "2 cells"),
        ("a,b,t\nx,y,1,9\n", "row 1", "4 cells"),
        ("a,c,t\nx,y,1\n", "b", "no column 'b'"),
        ("a,b,t\n", "table.csv", "no rows"),
        ("", "table.csv", "not a table"),
        (b"\x00\x01\x02", "", ""),
        (b"PK\x03\x04" + bytes(range(256)), "", ""),
        ("a,b,t\nx,y,123456789012345678901\n", "t, row 1", "neither"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str | bytes, place: str, said: str) -> None:
    with pytest.raises(TraceError) as refused:
        read(tmp_path, text)
    assert said in refused.value.reason
    if place:
        assert refused.value.place == place


def test_a_contact_that_ends_before_it_begins(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b,t,e\nx,y,1,5\nx,z,3,4.5\n", end="e").contacts.end is not None
    with pytest.raises(TraceError, match="before it begins") as refused:
        read(tmp_path, "a,b,t,e\nx,y,1,5\nx,z,3,2\n", end="e")
    assert refused.value.place == "e, row 2"


@pytest.mark.parametrize(
    ("clock", "text", "ticks"),
    [
        (Clock("date"), "14d", 14),
        (Clock("date"), "48h", 2),
        (Clock("date"), "3", 3),
        (Clock("number", 1), "2.5", 25),
        (Clock("timestamp"), "20s", 20_000_000),
        (Clock("timestamp"), "2", 2 * 86_400_000_000),
    ],
)
def test_spans(clock: Clock, text: str, ticks: int) -> None:
    assert clock.span(text, "--max-wait") == ticks


@pytest.mark.parametrize(
    ("clock", "text"),
    [
        (Clock("date"), "36h"),
        (Clock("number"), "3d"),
        (Clock("number"), "-1"),
        (Clock("number"), "0.5"),
        (Clock("date"), ""),
    ],
)
def test_spans_that_are_refused(clock: Clock, text: str) -> None:
    with pytest.raises(TimeRefused):
        clock.span(text, "--max-wait")
