"""What a parameter is given, read; and what an event's member is compared by.

EPCIS 2.0 §8.2.7.1 (types of parameter values); §12.8 (several values of one parameter are separated by `|`).
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.chain.identifiers import normal
from sudonglian.records.epcis.times import instant
from sudonglian.records.querying.errors import QueryRefused

Op: TypeAlias = Literal["EQ", "GT", "GE", "LT", "LE"]

COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "EQ": operator.eq,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}

MAX_VALUES: Final = 200
"""Of one parameter: an address holds no more, and each is one more thing to look for in every event."""

VOID: Final = ("", "1", "true")
"""What an EXISTS_ parameter may be given: it asks by its name alone, and `false` would not ask the opposite."""

NUMBER: Final = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?", re.ASCII)
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

VOCABULARY: Final = re.compile(
    r"urn:epcglobal:cbv:(?:bizstep|disp|btt|sdt|er|comp):"
    r"|(?:https?://(?:ref|ns)\.gs1\.org/cbv/|cbv:)(?:BizStep|Disp|BTT|SDT|ER|Comp)-"
    r"|(?:https?://(?:ref\.|www\.)?gs1\.org/voc/|gs1:)(?:MT-)?"
)
"""One value of the CBV and of GS1's vocabulary has several spellings (CBV 2.0 §7); they are compared without."""

Value: TypeAlias = "tuple[Literal['number'], Fraction] | tuple[Literal['time'], datetime] | tuple[Literal['day'], str]"


def bare(value: str) -> str:
    """Return a vocabulary value without the prefix that one of its spellings has.

    >>> bare("https://ref.gs1.org/cbv/BizStep-shipping"), bare("shipping"), bare("gs1:Temperature")
    ('shipping', 'shipping', 'Temperature')
    """
    return value[match.end() :] if (match := VOCABULARY.match(value)) else value


def texts(value: str, name: str) -> tuple[str, ...]:
    """Return the values of a parameter, which `|` separates."""
    found = tuple(dict.fromkeys(one for one in value.split("|") if one))
    if not found:
        raise QueryRefused("has no value", place=name)
    if len(found) > MAX_VALUES:
        raise QueryRefused(f"has more than {MAX_VALUES} values", place=name)
    return found


def names(value: str, name: str) -> tuple[str, ...]:
    """Return the values of a parameter of identifiers or vocabulary: a comma may separate them too.

    A URI may hold a comma, so the whole is looked for beside its parts; no name of the one is a part of another.

    >>> names("shipping,receiving", "EQ_bizStep")
    ('shipping,receiving', 'shipping', 'receiving')
    """
    whole = texts(value, name)
    parts = (part for one in whole for part in one.split(",") if "," in one)
    return texts("|".join([*whole, *parts]), name)


def time(value: str, name: str) -> datetime:
    """Return the time of a parameter."""
    found = instant(value)
    if found is None:
        raise QueryRefused("not a time with an offset, like 2026-01-05T08:30:00+08:00", place=name)
    return found


def number(value: str, name: str) -> Fraction:
    """Return the number of a parameter, exactly.

    >>> number("-18.5", "GE_value_CEL")
    Fraction(-37, 2)
    """
    if not NUMBER.fullmatch(value):
        raise QueryRefused("not a number", place=name)
    return Fraction(value)


def count(value: str, name: str) -> int:
    """Return the positive integer of a parameter."""
    if not re.fullmatch(r"[1-9]\d{0,8}", value, re.ASCII):
        raise QueryRefused("not a number of events from 1 on", place=name)
    return int(value)


def void(value: str, name: str) -> None:
    """Refuse a value that a parameter without value must not have."""
    if value not in VOID:
        raise QueryRefused("asks by its name alone; its value is empty or true", place=name)


def ordered(value: str, name: str) -> Value:
    """Return what a free field is compared with by order: a number, a time or a day."""
    if NUMBER.fullmatch(value):
        return "number", Fraction(value)
    if (at := instant(value)) is not None:
        return "time", at
    if DAY.fullmatch(value):
        return "day", value
    raise QueryRefused("neither a number nor a time with an offset nor a day", place=name)


def number_of(value: Json) -> Fraction | None:
    """Return the number that a member is, or None."""
    try:
        return Fraction(canonical.decimal_of(value))
    except CanonicalRefused:
        return None


def scalars(value: Json) -> Iterator[Json]:
    """Yield what a member says: itself, each of an array, the text of a typed value of JSON-LD."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict) and number_of(one) is None:
            for name in ("@value", "#text", "@id", "id"):
                if name in one:
                    yield one[name]
                    break
        else:
            yield one


class Equals:
    """A free field is one of these: as text, as a number, as a time, as an identifier."""

    def __init__(self, wanted: Iterable[str]) -> None:
        listed = frozenset(wanted)
        self.texts = listed | frozenset(_normal(one) for one in listed)
        self.numbers = frozenset(Fraction(one) for one in listed if NUMBER.fullmatch(one))
        self.times = frozenset(found for one in listed if (found := instant(one)) is not None)

    def __call__(self, value: Json) -> bool:
        """Return whether the member's value is one of them."""
        return any(self._is(one) for one in scalars(value))

    def _is(self, one: Json) -> bool:
        if isinstance(one, bool):
            return ("true" if one else "false") in self.texts
        if isinstance(one, str):
            return one in self.texts or _normal(one) in self.texts or instant(one) in self.times
        return number_of(one) in self.numbers


@dataclass(frozen=True, slots=True)
class Compares:
    """A free field stands so to a number, a time or a day; what is none of these does not fit."""

    op: Op
    value: Value

    def __call__(self, value: Json) -> bool:
        """Return whether the member's value does."""
        return any(self._fits(one) for one in scalars(value))

    def _fits(self, one: Json) -> bool:
        kind, wanted = self.value
        found: object = None
        if kind == "number":
            found = number_of(one)
            if found is None and isinstance(one, str) and NUMBER.fullmatch(one):
                found = Fraction(one)
        elif isinstance(one, str):
            found = instant(one) if kind == "time" else one if DAY.fullmatch(one) else None
        return found is not None and COMPARE[self.op](found, wanted)


def _normal(text: str) -> str:
    return normal(text) if ":" in text else text
