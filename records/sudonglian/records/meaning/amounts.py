"""Amounts: numbers as the canonical form holds them, and units that count pieces.

docs/spec/canonical.md (numbers); UN/ECE Recommendation 20 (counts) and 21 (kinds of package, written X and two more).
"""

import re
from fractions import Fraction
from typing import Final

from sudonglian.chain.canonical import Json

COUNTS: Final = frozenset({"C62", "EA", "H87", "PR", "DZN", "GRO", "NMP", "NPR", "SET", "XUN"})
"""One, each, piece, pair, dozen, gross, pack, pairs, set, unit: nobody has half of one."""

PACKAGE: Final = re.compile(r"X[A-Z0-9]{2}")


def amount(value: Json) -> Fraction | None:
    """Return a number exactly, or None if the member is none.

    >>> amount({"$dec": "-18.5"}), amount("7")
    (Fraction(-37, 2), None)
    """
    if isinstance(value, dict):
        value = value.get("$dec")
        if not isinstance(value, str):
            return None
    elif isinstance(value, bool) or not isinstance(value, int):
        return None
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        return None
