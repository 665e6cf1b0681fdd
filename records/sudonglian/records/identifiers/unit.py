"""Codes of units of measure.

UN/ECE Recommendation 20 §4: two or three upper-case letters and digits.
"""

import re
from typing import Final

SHAPE: Final = re.compile(r"[A-Z0-9]{2,3}")


def is_unit(text: str) -> bool:
    """Return whether the text has the shape of a code.

    >>> is_unit("KGM"), is_unit("kg")
    (True, False)
    """
    return SHAPE.fullmatch(text) is not None
