"""The times of a table: dates, timestamps or plain numbers, as whole ticks and back.

tracing.md §3 (definition 2: what may chain within one instant depends on how exactly times are known).
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sudonglian.trace.engine.contacts.rows import Codes, Ticks
from sudonglian.trace.errors import TraceError

__all__ = ["Clock", "Codes", "Kind", "Ticks", "TimeRefused", "kinds", "read"]

Kind: TypeAlias = Literal["number", "date", "timestamp"]

EPOCH_DAY: Final = date(1970, 1, 1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

MAX_FRACTION: Final = 6
"""Digits behind the point of a number: with more, ticks would not fit 64 bits beside the years of a calendar."""

SPANS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

_NUMBER = r"[+-]?\d{1,18}(\.\d{1,6})?"
_DATE = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
_TIME = r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?"
_STAMP = rf"{_DATE}[T ]{_TIME}( ?(Z|[+-]\d{{2}}:?\d{{2}}))?"
_SPAN = re.compile(r"(\d{1,12})([smhd]?)", re.ASCII)


class TimeRefused(TraceError):
    """A time or a span that cannot be read, or not together with the others of its column."""

    slug = "table-time"


@dataclass(frozen=True, slots=True)
class Clock:
    """How one table writes its times. A tick is a day, a microsecond, or the last decimal place of any number."""

    kind: Kind
    places: int = 0
    zoned: bool = False

    @property
    def chains_within_an_instant(self) -> bool:
        """Whether contacts of one tick chain by default: a day is long, a second is not."""
        return self.kind == "date"

    def tick(self, text: str, place: str = "") -> int:
        """Return a time that a person typed.

        >>> Clock("date").tick("1970-01-08"), Clock("number", 1).tick("2.5")
        (7, 25)
        """
        found = kinds(pa.array([text.strip()]))
        if found != self.kind and not (found == "date" and self.kind == "timestamp"):
            raise TimeRefused(f"{text[:40]!r} is not a {self.kind}, as the column has", place=place)
        return int(self._parsed(text.strip(), place))

    def span(self, text: str, place: str) -> int:
        """Return a span that a person typed: of numbers a number, else 14d, 36h, 90m, 20s, or days.

        >>> Clock("timestamp").span("36h", "--max-wait") == 36 * 3600 * 1_000_000
        True
        """
        text = text.strip()
        if self.kind == "number":
            if not re.fullmatch(_NUMBER, text) or text.startswith("-"):
                raise TimeRefused(f"{text[:40]!r} is not a number", place=place)
            return int(self._parsed(text, place))
        match = _SPAN.fullmatch(text)
        if not match:
            raise TimeRefused(f"{text[:40]!r} is not a span like 14d, 36h, 90m or 20s", place=place)
        seconds = int(match[1]) * SPANS[match[2] or "d"]
        if self.kind == "timestamp":
            return seconds * 1_000_000
        if seconds % SPANS["d"]:
            raise TimeRefused("the table has dates: whole days are needed", place=place)
        return seconds // SPANS["d"]

    def told(self, tick: int) -> int | float | str:
        """Return a tick as the column writes its times.

        >>> Clock("date").told(7), Clock("number", 1).told(25), Clock("number").told(3)
        ('1970-01-08', 2.5, 3)
        """
        if self.kind == "date":
            return (EPOCH_DAY + timedelta(days=tick)).isoformat()
        if self.kind == "timestamp":
            when = EPOCH + tick * MICROSECOND
            return (when if self.zoned else when.replace(tzinfo=None)).isoformat()
        number = Decimal(tick).scaleb(-self.places)
        if number == number.to_integral_value():
            return int(number)
        told = float(number)
        return told if Decimal(repr(told)) == number else str(number)

    def _parsed(self, text: str, place: str) -> int:
        try:
            if self.kind == "number":
                ticks = Decimal(text).scaleb(self.places)
                if ticks != ticks.to_integral_value():
                    raise TimeRefused(f"{text[:40]!r} has more decimal places than the column", place=place)
                return int(ticks)
            day, clock, zone = _split(text)
            if self.kind == "date":
                return (date(*day) - EPOCH_DAY).days
            if bool(zone) != self.zoned and clock:
                raise TimeRefused(f"{text[:40]!r}: some times name an offset and some do not", place=place)
            hour, minute, second, microsecond = clock or (0, 0, 0, 0)
            when = datetime(*day, hour, minute, second, microsecond, UTC) - _offset(zone)
            return (when - EPOCH) // MICROSECOND
        except (ValueError, OverflowError):
            raise TimeRefused(f"{text[:40]!r} is not in the calendar", place=place) from None


def kinds(texts: pa.Array) -> Kind | None:
    """Return what all these texts are, or None."""
    shapes: tuple[tuple[Kind, str], ...] = (("number", _NUMBER), ("date", _DATE), ("timestamp", _STAMP))
    return next((kind for kind, shape in shapes if _all(texts, shape)), None)


def read(texts: pa.Array, column: str) -> tuple[Clock, Ticks]:
    """Return a column's clock and its ticks.

    Raises
    ------
    TimeRefused
        Neither numbers, nor dates, nor timestamps throughout; `place` is the column and the row, counted from 1.
    """
    encoded = texts.dictionary_encode()
    words = encoded.dictionary
    kind = kinds(words)
    if kind is None:
        raise _stranger(texts, column)
    places = _places(words) if kind == "number" else 0
    clock = Clock(kind, places, zoned=kind == "timestamp" and bool(_split(words[0].as_py())[2]))
    ticks = _fast(clock, words)
    if ticks is None:
        ticks = np.fromiter((clock._parsed(word, column) for word in words.to_pylist()), np.int64, len(words))
    return clock, ticks[encoded.indices.to_numpy(zero_copy_only=False)]


def _fast(clock: Clock, words: pa.Array) -> Ticks | None:
    """Return the ticks of texts in the plainest form, which the library reads at once."""
    try:
        if clock.kind == "number" and not clock.places:
            return np.asarray(words.cast(pa.int64()))
        if clock.kind == "date":
            return np.asarray(words.cast(pa.date32()).cast(pa.int32())).astype(np.int64)
        if clock.kind == "timestamp" and not clock.zoned:
            return np.asarray(words.cast(pa.timestamp("us")).cast(pa.int64()))
    except pa.ArrowInvalid:
        pass
    return None


def _all(texts: pa.Array, shape: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, f"^{shape}$")).as_py())


def _stranger(texts: pa.Array, column: str) -> TimeRefused:
    """Return the refusal that names the first text that is not as those before it."""
    first = kinds(texts[:1])
    shape = {"number": _NUMBER, "date": _DATE, "timestamp": _STAMP, None: ""}[first]
    fits = pc.match_substring_regex(texts, f"^{shape}$").to_numpy(zero_copy_only=False)
    row = int(np.argmin(fits)) if first else 0
    text = texts[row].as_py()
    what = f"not a {first}, as the rows before it" if first else "neither a number, nor a date, nor a timestamp"
    return TimeRefused(f"{text[:40]!r} is {what}", place=f"{column}, row {row + 1}")


def _places(words: pa.Array) -> int:
    lengths = pc.utf8_length(pc.replace_substring_regex(words, r"^[^.]*\.?", ""))
    return int(pc.max(lengths).as_py())


def _split(text: str) -> tuple[tuple[int, int, int], tuple[int, ...], str]:
    """Return day, clock and offset of a date or a timestamp."""
    match = re.fullmatch(rf"(?P<day>{_DATE})([T ](?P<clock>{_TIME}))?( ?(?P<zone>Z|[+-]\d\d:?\d\d))?", text)
    if match is None:
        raise ValueError(text)
    year, month, day = (int(part) for part in re.split("[-/.]", match["day"]))
    if not match["clock"]:
        return (year, month, day), (), ""
    whole, _, fraction = match["clock"].partition(".")
    clock = [*(int(part) for part in whole.split(":")), 0][:3]
    return (year, month, day), (*clock, int(fraction.ljust(6, "0")) if fraction else 0), match["zone"] or ""


def _offset(zone: str) -> timedelta:
    if zone in ("", "Z"):
        return timedelta()
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return timedelta(minutes=-minutes if zone[0] == "-" else minutes)
