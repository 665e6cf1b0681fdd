"""The dates of deliveries in FoodChain-Lab's files: whole or in part, as the days that they can mean.

FoodChain-Lab JSON v1 (`Date Delivery`, `Date Delivery Arrival`); docs/decisions/0331.
"""

import re
from calendar import monthrange
from datetime import date
from typing import Final

_ISO: Final = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ].*)?)?)?", re.ASCII)
_DOTTED: Final = re.compile(r"(?:(?:(\d{1,2})\.)?(\d{1,2})\.)?(\d{4})", re.ASCII)


def days(text: str) -> tuple[int, int] | None:
    """Return the first and the last day that a date can mean, or None if it is none.

    A time of day is not looked at: the other tools keep none.

    >>> days("2011-05-02") == days("02.05.2011") == days("2011-05-02T10:00")
    True
    >>> first, last = days("2011-02")
    >>> last - first
    27
    >>> days("2011-02-30"), days("in May")
    (None, None)
    """
    text = text.strip()
    if match := _ISO.fullmatch(text):
        year, month, day = match.groups()
    elif match := _DOTTED.fullmatch(text):
        day, month, year = match.groups()
    else:
        return None
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        last_month = int(month or 12)
        last = date(int(year), last_month, int(day or monthrange(int(year), last_month)[1]))
    except ValueError:
        return None
    return first.toordinal(), last.toordinal()
