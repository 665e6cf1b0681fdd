"""Freight container numbers: owner, category, serial number, check digit.

ISO 6346:2022 §4 and annex A.
"""

import re
from typing import Final

from sudonglian.chain.identifiers.normal import IdentifierRefused

NUMBER: Final = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}")
"""Three letters of the owner, one of the category, six digits and the check digit."""

VALUES: Final = {str(digit): digit for digit in range(10)} | dict(
    zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (value for value in range(10, 39) if value % 11), strict=True)
)
"""Annex A skips the multiples of eleven, which the check could not see."""


class ContainerNumberRefused(IdentifierRefused):
    """A container number that cannot exist."""

    slug = "container-number"


def check_digit(first_ten: str) -> int:
    """Return the check digit of the first ten characters.

    A remainder of 10 is written 0 (annex A), so that digit is weaker than the others.

    >>> check_digit("CSQU305438")
    3
    """
    return sum(VALUES[character] << place for place, character in enumerate(first_ten)) % 11 % 10


def parse(text: str) -> str:
    """Return the number as eleven characters; spaces and hyphens are dropped, nothing else is repaired.

    >>> parse("CSQU 305438-3")
    'CSQU3054383'

    Raises
    ------
    ContainerNumberRefused
        Wrong shape, or a check digit that does not follow from the rest.
    """
    number = text.replace(" ", "").replace("-", "")
    if not NUMBER.fullmatch(number):
        raise ContainerNumberRefused(f"{text!r} is not four letters (the fourth U, J or Z) and seven digits")
    if (due := check_digit(number[:10])) != int(number[10]):
        raise ContainerNumberRefused(f"{text!r}: the check digit must be {due}")
    return number
