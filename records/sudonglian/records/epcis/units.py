"""Units of measure: a value in one unit compared with a value in another, exactly.

UN/ECE Recommendation 20; EPCIS 2.0 §8.2.7.1 (a query in kelvin finds an event in degrees Celsius). Fractions, never
floats: 299.15 KEL is 26 CEL and not almost. A code that units.json does not hold is comparable with itself alone.
"""

import json
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Unit:
    """How a unit becomes the first one of its kind: value * factor + offset."""

    kind: str
    factor: Fraction
    offset: Fraction


@cache
def known() -> dict[str, Unit]:
    """Return every unit that can be converted, by its code."""
    text = resources.files("sudonglian.records.epcis").joinpath("units.json").read_text("utf-8")
    found: dict[str, Unit] = {}
    for kind, units in json.loads(text)["kinds"].items():
        for code, rule in units.items():
            factor, offset = rule if isinstance(rule, list) else (rule, "0")
            found[code] = Unit(kind, Fraction(factor), Fraction(offset))
    return found


def comparable(value: Fraction, code: str, *, is_difference: bool = False) -> tuple[str, Fraction]:
    """Return what a value is compared by: values of one kind compare, and no others.

    `is_difference` is for a deviation: one of 2 degrees Celsius is one of 2 kelvin, not of 275.15.

    >>> comparable(Fraction(26), "CEL") == comparable(Fraction("299.15"), "KEL")
    True
    """
    unit = known().get(code)
    if unit is None:
        return code, value
    return unit.kind, value * unit.factor + (0 if is_difference else unit.offset)
