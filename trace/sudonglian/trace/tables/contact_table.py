"""A file of contacts, a row each: who, whom, when.

interfaces.md (contacts). CSV with a header: comma, semicolon or tab; UTF-8 or GB18030; plain or gzip.
"""

import codecs
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from sudonglian.trace.engine.contacts.rows import Contacts
from sudonglian.trace.errors import TraceError
from sudonglian.trace.tables import clock as clocks
from sudonglian.trace.tables.clock import Clock

DELIMITERS: Final = ",;\t"

HEAD_BYTES: Final = 65_536
"""Of a file, from which the delimiter is read."""

MAX_BYTES: Final = 8 * 1024**3
"""A hundred million rows; what a compressed file unfolds to counts too."""


class TableFileRefused(TraceError):
    """A file that is not a table with the columns that are asked for; `place` is the column and the row from 1."""

    slug = "table"


@dataclass(frozen=True, slots=True)
class ContactTable:
    """The contacts of a file, the names of its parties by number, and how it writes times."""

    contacts: Contacts
    names: tuple[str, ...]
    clock: Clock

    def party(self, name: str) -> int:
        """Return the number of a party.

        Raises
        ------
        TableFileRefused
            The table does not name it.
        """
        try:
            return self.names.index(name.strip())
        except ValueError:
            raise TableFileRefused(f"the table names no {name[:80]!r}", place="seed") from None


def read(path: Path, *, source: str, target: str, time: str, end: str = "") -> ContactTable:
    """Return the contacts of a file.

    Raises
    ------
    TableFileRefused, TimeRefused
        No such column, an empty cell, a row with more or fewer cells than the header, a time that is none.
    """
    wanted = [source, target, time, *([end] if end else [])]
    columns = columns_of(path, wanted)
    trimmed = {name: filled(pc.utf8_trim_whitespace(columns[name]), name) for name in dict.fromkeys(wanted)}
    rows = len(trimmed[source])
    if not rows:
        raise TableFileRefused("the table has no rows", place=path.name)
    both = pa.concat_arrays([trimmed[source], trimmed[target]]).dictionary_encode()
    codes, names = by_name(both.indices.to_numpy(), both.dictionary)
    times = [trimmed[name] for name in wanted[2:]]
    clock, ticks = clocked(times, wanted[2:])
    if end and bool((early := ticks[1] < ticks[0]).any()):
        raise TableFileRefused("the contact ends before it begins", place=f"{end}, row {int(np.argmax(early)) + 1}")
    contacts = Contacts(codes[:rows], codes[rows:], ticks[0], ticks[1] if end else None, len(names))
    return ContactTable(contacts, names, clock)


def clocked(times: Sequence[pa.Array], names: Sequence[str]) -> tuple[Clock, list[clocks.Ticks]]:
    """Return the clock of columns of times that must be written alike, and the ticks of each."""
    rows = len(times[0])
    if len(times) == 1:
        found, ticks = clocks.read(times[0], names[0])
        return found, [ticks]
    for column, name in zip(times, names, strict=True):
        clocks.read(column, name)  # so that what is wrong in one column is told of that column
    found, ticks = clocks.read(pa.concat_arrays(list(times)), " and ".join(names))
    return found, [ticks[:rows], ticks[rows:]]


def columns_of(path: Path, wanted: Sequence[str]) -> dict[str, pa.Array]:
    """Return columns of a file as text."""
    head = _head(path)
    encoding = _encoding(head)
    header = head.decode(encoding, "replace").splitlines()[0] if head.strip() else ""
    delimiter = max(DELIMITERS, key=header.count)
    faults: list[tuple[int | None, int, int]] = []

    def fault(row: csv.InvalidRow) -> str:
        faults.append((row.number, row.expected_columns, row.actual_columns))
        return "skip"

    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(encoding=encoding, use_threads=False),
            parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=fault),
            convert_options=csv.ConvertOptions(
                include_columns=list(dict.fromkeys(wanted)),
                column_types=dict.fromkeys(wanted, pa.large_string()),
                strings_can_be_null=False,
            ),
        )
    except KeyError:
        missing = _missing(header, wanted, delimiter)
        raise TableFileRefused(
            f"there is no column {missing!r}; the header is {header[:200]!r}", place=missing
        ) from None
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
        raise TableFileRefused(f"not a table: {str(error).splitlines()[0][:200]}", place=path.name) from None
    if faults:
        number, expected, actual = faults[0]
        place = f"row {number - 1}" if number else ""
        raise TableFileRefused(f"{actual} cells where the header has {expected}", place=place)
    return {name: table[name].combine_chunks() for name in table.column_names}


def _missing(header: str, wanted: Sequence[str], delimiter: str) -> str:
    have = {name.strip().strip('"') for name in header.split(delimiter)}
    return next((name for name in wanted if name not in have), wanted[0])


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as unfolded:
                head = unfolded.read(HEAD_BYTES)
    except (OSError, EOFError) as error:
        raise TableFileRefused(
            f"cannot be read: {getattr(error, 'strerror', None) or error}", place=str(path)
        ) from None
    return head


def _encoding(head: bytes) -> str:
    """Return the encoding of a file that begins so; what is cut off at the end does not count."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf8"


def filled(column: pa.Array, name: str) -> pa.Array:
    """Return a column that has no empty cell, or refuse it."""
    empty = pc.equal(column, "")
    if pc.any(empty).as_py():
        row = int(np.argmax(empty.to_numpy(zero_copy_only=False)))
        raise TableFileRefused("the cell is empty", place=f"{name}, row {row + 1}")
    return column


def by_name(codes: np.ndarray[tuple[int], np.dtype[np.int32]], names: pa.Array) -> tuple[clocks.Codes, tuple[str, ...]]:
    """Return parties numbered by their names, whole numbers by value, so that no order of rows shows in the answer."""
    keys = names
    if clocks.kinds(names) == "number" and not pc.any(pc.match_substring(names, ".")).as_py():
        keys = names.cast(pa.int64())
    order = pc.sort_indices(pa.table({"key": keys, "name": names}), [("key", "ascending"), ("name", "ascending")])
    places = np.empty(len(names), np.int32)
    places[order.to_numpy()] = np.arange(len(names), dtype=np.int32)
    return places[codes], tuple(names.take(order).to_pylist())
