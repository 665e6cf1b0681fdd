"""The readings of a report as a table, for spreadsheets and for whoever cannot see the curve.

RFC 4180; docs/spec/temperature.md §2. Temperatures are Celsius, rounded to a thousandth; times are UTC.
"""

import csv
import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from sudonglian.records.temperature.classes import decimal
from sudonglian.records.temperature.figures import moment
from sudonglian.records.temperature.report import Report

COLUMNS: Final = (
    "logger",
    "measured",
    "start",
    "end",
    "min_c",
    "mean_c",
    "max_c",
    "calibration",
    "record",
)

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would compute instead of showing: such a text begins with an apostrophe."""


def rows(report: Report) -> Iterator[tuple[str, ...]]:
    """Yield a row for each reading, in order of time, without a header."""
    for one in sorted(report.readings, key=lambda one: (one.start_us, one.end_us, one.logger, one.source)):
        yield (
            _safe(one.logger),
            one.medium,
            moment(one.start_us),
            moment(one.end_us),
            _degrees(one.low),
            _degrees(one.mean),
            _degrees(one.high),
            one.calibration,
            _safe(one.source),
        )


def encode(report: Report) -> bytes:
    """Return the table as CSV in UTF-8 with its mark, by which spreadsheets know Chinese letters."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows(report))
    return out.getvalue().encode("utf-8-sig")


def _degrees(value: Fraction | None) -> str:
    return "" if value is None else decimal(value)


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
