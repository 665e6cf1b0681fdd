"""统一社会信用代码: the number of every firm and institution in China.

GB 32100-2015 §4 (structure) and annex A (check character, ISO/IEC 7064 MOD 31-3).
"""

import re
from typing import Final

from sudonglian.chain.identifiers.normal import IdentifierRefused

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Without I, O, S, V and Z, which people misread."""

CODE: Final = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}")
"""Registering department, kind of body, place (six digits), subject (nine), check character."""

MODULUS: Final = 31
BASE: Final = 3


class CreditCodeRefused(IdentifierRefused):
    """A credit code that cannot exist."""

    slug = "credit-code"


def check_character(first_seventeen: str) -> str:
    """Return the check character of the first seventeen.

    >>> check_character("91350100M000100Y4")
    '3'
    """
    total = sum(ALPHABET.index(c) * pow(BASE, place, MODULUS) for place, c in enumerate(first_seventeen))
    return ALPHABET[-total % MODULUS]


def parse(text: str) -> str:
    """Return the code, or refuse it; nothing is repaired.

    >>> parse("91350100M000100Y43")
    '91350100M000100Y43'

    Raises
    ------
    CreditCodeRefused
        Wrong shape, or a check character that does not follow from the rest.
    """
    if not CODE.fullmatch(text):
        raise CreditCodeRefused(f"{text!r} is not 18 characters of GB 32100")
    if (due := check_character(text[:17])) != text[17]:
        raise CreditCodeRefused(f"{text!r}: the check character must be {due}")
    return text
