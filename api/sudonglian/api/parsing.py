"""Parsing of what people type: hashes, times, spans of time.

interfaces.md (arguments of the commands); anything else is wrong usage.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sudonglian.api.errors import UsageRefused
from sudonglian.records.epcis.times import instant

_HASH = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_SPAN = re.compile(r"(\d{1,6})([dhms]?)", re.ASCII)

UNITS: Final = {"": "days", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def record_hash_of(text: str) -> bytes:
    """Return a hash as bytes.

    >>> record_hash_of("0x" + "AB" * 32).hex()[:4]
    'abab'
    """
    if not (match := _HASH.fullmatch(text.strip())):
        raise UsageRefused(f"{text[:80]!r} is not a hash of 64 hexadecimal digits", place="HASH")
    return bytes.fromhex(match[1])


def moment(text: str, place: str) -> datetime:
    """Return an aware time; one that names no offset is no moment.

    >>> moment("2024-11-10T14:00:00+08:00", "--at").isoformat()
    '2024-11-10T06:00:00+00:00'
    """
    found = instant(text)
    if found is None:
        raise UsageRefused(f"{text[:80]!r} is not a time like 2024-11-10T14:00:00+08:00", place=place)
    return found


def span(text: str, place: str) -> timedelta:
    """Return a span: a number of days, or of what its letter says.

    >>> span("14d", "--lookback"), span("36h", "--lookback"), span("2", "--lookback")
    (datetime.timedelta(days=14), datetime.timedelta(days=1, seconds=43200), datetime.timedelta(days=2))
    """
    if not (match := _SPAN.fullmatch(text.strip())):
        raise UsageRefused(f"{text[:80]!r} is not a span like 14d, 36h, 90m or 30s", place=place)
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def persistence(given: Iterable[tuple[str, str]], place: str) -> dict[str, int]:
    """Return how many seconds each kind of place goes on exposing; the engine knows the kinds.

    >>> persistence([("location", "48h"), ("vehicle", "30m")], "--persistence")
    {'location': 172800, 'vehicle': 1800}
    """
    return {kind: span(text, place) // timedelta(seconds=1) for kind, text in given}


def address_of(text: str) -> bytes:
    """Return an EVM address as bytes.

    >>> address_of("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").hex()[:4]
    '5aae'
    """
    digits = text.strip().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]{40}", digits):
        raise UsageRefused(f"{text[:80]!r} is not an address of 40 hexadecimal digits", place="ADDRESS")
    return bytes.fromhex(digits)
