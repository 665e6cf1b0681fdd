"""Product classes: between which temperatures goods are kept, and how closely that must have been measured.

docs/spec/temperature.md §1; the table is classes.json, each class with its source. A firm's own file may set stricter.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any, Final

from sudonglian.records.temperature.errors import ClassRefused

MAX_INTERVAL_S: Final = 3600
"""Readings further apart leave a gap: reefer containers log hourly. Also where no class is known."""

ACTIVATION_KJ_MOL: Final = Fraction("83.144")
"""ΔH of the mean kinetic temperature, where nothing better is known of the goods."""

DEGREES: Final = ("upper_c", "lower_c", "tolerance_c", "mkt_upper_c", "activation_kj_mol")
SECONDS: Final = ("max_interval_s", "grace_s", "cumulative_s")

MAX_SECONDS: Final = 366 * 86_400
"""A longer interval between readings, or a longer grace, measures nothing."""

MAX_DIGITS: Final = 12
"""Characters of a number of degrees; a logger has six."""

MAX_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class ProductClass:
    """One class. What is None bounds nothing."""

    name: str
    zh: str
    en: str
    upper_c: Fraction | None = None
    lower_c: Fraction | None = None
    max_interval_s: int = MAX_INTERVAL_S
    grace_s: int = 0
    """An excursion of at most so long is brief, and does not count while it stays within `tolerance_c`."""
    tolerance_c: Fraction | None = None
    cumulative_s: int | None = None
    """Brief excursions that are longer together count all."""
    mkt_upper_c: Fraction | None = None
    activation_kj_mol: Fraction = ACTIVATION_KJ_MOL
    needs_calibration: bool = False
    """Whether a logger whose calibration nobody states has measured nothing."""
    sources: tuple[Mapping[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the class as the doors show it; degrees are decimal texts."""
        told = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "sources"}
        return {
            **{name: decimal(value) if isinstance(value, Fraction) else value for name, value in told.items()},
            "sources": [dict(one) for one in self.sources],
        }


@cache
def known() -> Mapping[str, ProductClass]:
    """Return the table's classes by name."""
    text = resources.files("sudonglian.records.temperature").joinpath("classes.json").read_text("utf-8")
    return {name: _read(name, told, None) for name, told in json.loads(text)["classes"].items()}


def with_file(raw: bytes) -> dict[str, ProductClass]:
    """Return the table with a firm's own classes in it.

    One that bears a name of the table has what it does not say from there, and may ask for no less.

    >>> with_file(b'{"classes": {"frozen": {"upper_c": "-20"}}}')["frozen"].upper_c
    Fraction(-20, 1)

    Raises
    ------
    ClassRefused
        The file is no such table, or a class of it is looser than the one whose name it bears.
    """
    try:
        document = json.loads(raw, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise ClassRefused("is not JSON", place="") from error
    told = document.get("classes") if isinstance(document, dict) else None
    if not isinstance(told, dict):
        raise ClassRefused('needs a member "classes" with an object for each class', place="/classes")
    return {**known(), **{name: _read(name, one, known().get(name)) for name, one in told.items()}}


def named(name: str, table: Mapping[str, ProductClass] | None = None) -> ProductClass:
    """Return a class by its name.

    Raises
    ------
    ClassRefused
        There is none.
    """
    found = (known() if table is None else table).get(name)
    if found is None:
        listed = ", ".join(sorted(known() if table is None else table))
        raise ClassRefused(f"{name[:MAX_NAME]!r} is no product class; there are {listed}", place="class")
    return found


def decimal(value: Fraction, digits: int = 3) -> str:
    """Return a number as a decimal text, rounded to so many digits.

    >>> decimal(Fraction(-18)), decimal(Fraction(-160, 9)), decimal(Fraction("83.144"))
    ('-18', '-17.778', '83.144')
    """
    scaled = round(value * 10**digits)
    whole, rest = divmod(abs(scaled), 10**digits)
    text = f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text


def _read(name: str, told: Any, base: ProductClass | None) -> ProductClass:
    place = f"/classes/{name[:MAX_NAME]}"
    if not isinstance(told, dict):
        raise ClassRefused("a class is an object", place=place)
    if not 0 < len(name) <= MAX_NAME:
        raise ClassRefused(f"the name of a class has 1 to {MAX_NAME} characters", place=place)
    given = {member: _value(member, value, f"{place}/{member}") for member, value in told.items()}
    start = base or ProductClass(name, name, name)
    try:
        made = replace(start, **given)
    except TypeError as error:
        raise ClassRefused("a class has no such member", place=place) from error
    if made.lower_c is not None and made.upper_c is not None and made.lower_c > made.upper_c:
        raise ClassRefused("lower_c is above upper_c", place=place)
    if made.upper_c is None and made.lower_c is None:
        raise ClassRefused("needs upper_c or lower_c", place=place)
    if base is not None and (looser := _looser(made, base)):
        raise ClassRefused(f"is looser than the class of this name: give it a name of its own ({looser})", place=place)
    return made


def _value(member: str, value: Any, place: str) -> Any:
    if member in ("zh", "en"):
        if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
            raise ClassRefused(f"is a name of 1 to {MAX_NAME} characters", place=place)
        return value
    if member == "needs_calibration":
        if not isinstance(value, bool):
            raise ClassRefused("is true or false", place=place)
        return value
    if member == "sources":
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise ClassRefused("is a list of objects", place=place)
        return tuple(value)
    if member in DEGREES:
        return None if value is None and member != "activation_kj_mol" else _degrees(member, value, place)
    if member in SECONDS:
        if value is None and member == "cumulative_s":
            return None
        # A number of the file comes as its text; those of our own table as numbers.
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS or int(text) > MAX_SECONDS:
            raise ClassRefused("is a whole number of seconds, at most a year", place=place)
        return int(text)
    raise ClassRefused("a class has no such member", place=place)


def _degrees(member: str, value: Any, place: str) -> Fraction:
    text = value if isinstance(value, str) else ""
    try:
        if not 0 < len(text) <= MAX_DIGITS or not set(text) <= set("+-.0123456789"):
            raise ValueError
        found = Fraction(text)
    except ValueError as error:
        raise ClassRefused("is a decimal number, like -18.5", place=place) from error
    if member in ("activation_kj_mol", "tolerance_c") and found <= 0:
        raise ClassRefused("must be more than 0", place=place)
    return found


def _looser(made: ProductClass, base: ProductClass) -> str:
    """Return the name of what a class allows and its base does not."""
    for name, least in (
        ("upper_c", False),
        ("lower_c", True),
        ("max_interval_s", False),
        ("grace_s", False),
        ("cumulative_s", False),
        ("mkt_upper_c", False),
    ):
        own, its = getattr(made, name), getattr(base, name)
        if its is not None and (own is None or (own < its if least else own > its)):
            return name
    # Without a grace there is nothing that a tolerance could forgive.
    if made.grace_s and base.tolerance_c is not None and (made.tolerance_c or base.tolerance_c + 1) > base.tolerance_c:
        return "tolerance_c"
    return "needs_calibration" if base.needs_calibration and not made.needs_calibration else ""
