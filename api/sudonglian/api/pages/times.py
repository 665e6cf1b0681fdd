"""Times as a reader in China reads them; inside they are UTC.

house.md (aware UTC inside, local at the edge); RFC 3339.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sudonglian.api.pages.language import word
from sudonglian.api.settings import Lang
from sudonglian.trace.engine.pictures.times import ZONE, local

INSTANT: Final = timedelta(microseconds=1)
"""How long an instant lasts (docs/spec/facts.md §1)."""


def told(text: str) -> str:
    """Return a time to the minute.

    >>> told("2024-11-10T06:00:00.000001Z")
    '2024-11-10 14:00'
    """
    moment = local(text)
    return text if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def span(start: str, end: str, lang: Lang) -> str:
    """Return a half-open span: an instant as one time, an open one as such, one day's date once.

    >>> span("2024-11-10T06:00:00Z", "2024-11-10T06:30:00Z", "en")
    '2024-11-10 14:00 – 14:30'
    """
    first, last = local(start), local(end)
    if first is None or last is None:
        return word(lang, "time.since", time=told(start))
    if last - first <= INSTANT:
        return told(start)
    until = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return f"{told(start)} – {until}"


def of_micros(micros: int) -> str:
    """Return a stored time (microseconds since 1970) to the minute."""
    return f"{(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)).astimezone(ZONE):%Y-%m-%d %H:%M}"
