"""Rows that somebody typed into a form: the sheet that they are, and the field that each fault is about.

docs/sheets.md; docs/decisions/0852 (a form is a sheet of few rows, and judged as one).
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sudonglian.records.sheets import columns
from sudonglian.records.sheets.faults import Fault

HEADINGS_ROWS: Final = 1
FIRST: Final = HEADINGS_ROWS + 1
"""The row of a sheet that the first typed one becomes."""

KEYS: Final = tuple(one.key for one in columns.HANDOFFS)
HEADINGS: Final[Mapping[str, str]] = {one.heading("en"): one.key for one in columns.HANDOFFS}

_BREAKS: Final = dict.fromkeys(map(ord, "\r\n\v\f\x85\u2028\u2029"), " ")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault is: which of the typed rows, and which field; empty if it is about all of them."""

    row: int
    key: str


def sheet_of(rows: Iterable[Mapping[str, str]]) -> bytes:
    r"""Return typed rows as the sheet that is judged; each is one line of it.

    >>> sheet_of([{"handoff": "F-1", "lot": "A\n1"}]).decode().splitlines()[1][:12]
    'F-1,,,,,,,,A'
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(list(HEADINGS))
    for row in rows:
        writer.writerow([row.get(key, "").translate(_BREAKS) for key in KEYS])
    return out.getvalue().encode("utf-8", "replace")


def place_of(fault: Fault, rows: Sequence[int]) -> Place:
    """Return the field of a fault; `rows` tells of each row of the sheet which of the typed ones it was."""
    at = fault.row - FIRST
    return Place(rows[at] if 0 <= at < len(rows) else 0, HEADINGS.get(fault.column, ""))
