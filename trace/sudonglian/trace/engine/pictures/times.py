"""Times of an answer as pictures and pages show them: China's, to the minute.

docs/spec/trace-document.md §1 (RFC 3339 in UTC); house.md (aware UTC inside, local at the edge).
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

ZONE: Final = timezone(timedelta(hours=8))
"""China has one time without summer time; every page and picture says so."""

LAST: Final = datetime.max.replace(tzinfo=UTC)


def local(text: str) -> datetime | None:
    """Return a time as local time; None for what is no time with an offset, such as the empty text, which is open.

    >>> str(local("2024-11-10T06:00:00.000001Z")), local(""), local("2024-11-10T06:00:00"), local("9999-12-31T23:00:00Z")
    ('2024-11-10 14:00:00.000001+08:00', None, None, None)
    """
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(ZONE)
    except (ValueError, OverflowError):
        return None


def order(text: str) -> datetime:
    """Return what times of an answer are sorted by: their texts are not, for some have fractions; no time comes last."""
    return local(text) or LAST


def brief(moment: datetime) -> str:
    """Return a time without its year."""
    return f"{moment.astimezone(ZONE):%m-%d %H:%M}"
