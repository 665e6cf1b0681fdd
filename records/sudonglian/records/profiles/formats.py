"""Formats of what profiles ask for: dates of the calendar, countries, amounts.

ISO 8601-1:2019 (dates), ISO 3166-1:2020 (countries.json); docs/profiles.md.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.times import instant

SHAPE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@cache
def countries() -> frozenset[str]:
    """Return the two letters of every country."""
    text = files("sudonglian.records.profiles").joinpath("countries.json").read_text("utf-8")
    return frozenset(json.loads(text)["alpha2"].split())


def day_of(value: Json) -> date | None:
    """Return the day that a date or a time names, or None; a time counts by the day that was written.

    >>> day_of("2026-01-05"), day_of("2026-02-30")
    (datetime.date(2026, 1, 5), None)
    """
    if not isinstance(value, str):
        return None
    head, mark, _ = value.partition("T")
    if SHAPE.fullmatch(head) is None or (mark and (instant(value) or instant(f"{value}Z")) is None):
        return None
    try:
        return date.fromisoformat(head)
    except ValueError:
        return None


def _is_country(value: Json) -> bool:
    return isinstance(value, str) and value in countries()


def _is_positive(value: Json) -> bool:
    if isinstance(value, dict):
        text = value.get("$dec")
        return isinstance(text, str) and not text.startswith("-") and text.strip("0.") != ""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


FORMATS: Final[Mapping[str, Callable[[Json], bool]]] = {
    "date": lambda value: day_of(value) is not None,
    "country": _is_country,
    "positive": _is_positive,
}
