"""One parameter of the query language: its name or the form of its names, what it is given, what it asks.

EPCIS 2.0 §8.2.7.1; the tables are in `standing` (fixed names) and `families` (names that hold a field, a type or a unit).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from sudonglian.records.querying.query import EventQuery

Given: TypeAlias = Literal["names", "texts", "time", "number", "numbers", "free", "boolean", "nothing", "count", "word"]

GIVEN: Final[Mapping[Given, str]] = {
    "names": "Identifiers or names of a vocabulary in any spelling, several separated by | (or ,).",
    "texts": "Texts, several separated by |.",
    "time": "A time with its offset.",
    "number": "A number.",
    "numbers": "Numbers, several separated by |.",
    "free": "A number, a time with its offset, or a day.",
    "boolean": "true or false.",
    "nothing": "Nothing: it asks by its name; empty, 1 or true.",
    "count": "A number of events.",
    "word": "One of the words.",
}
"""What a parameter may be given, for people."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A parameter as it was given."""

    name: str
    value: str
    found: re.Match[str] | None
    """What the form of the name found in it."""
    prefixes: Mapping[str, str]
    """Prefixes of names that the asker bound."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, or a family of them."""

    name: str
    """Or the form of the names, like `EQ_source_{type}`."""
    given: Given
    about: str
    example: str
    """A value, or a name and a value, that finds something."""
    ask: Callable[[EventQuery, Asked], EventQuery]
    form: str = ""
    """An expression for the names of a family."""
    words: tuple[str, ...] = ()
