"""Times as EPCIS writes them.

RFC 3339 with an offset (xsd:dateTimeStamp); aware UTC inside.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

SHAPE: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})",
    re.ASCII,
)

MAX_LENGTH: Final = 64
"""Of a time that is remembered: an honest one has at most 35 characters."""

REMEMBERED: Final = 8_192
"""Times: one event is asked for its own by a dozen rules, and those of a document lie close together."""


def instant(text: object) -> datetime | None:
    """Return the aware instant in UTC, or None if the text is not a time with an offset.

    Digits below a microsecond are cut off: they order nothing that a cold chain does.

    >>> instant("2026-01-05T08:30:00.1234567+08:00").isoformat()
    '2026-01-05T00:30:00.123456+00:00'
    """
    if not isinstance(text, str):
        return None
    return _read(text) if len(text) <= MAX_LENGTH else _read.__wrapped__(text)


@lru_cache(REMEMBERED)
def _read(text: str) -> datetime | None:
    if not SHAPE.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
