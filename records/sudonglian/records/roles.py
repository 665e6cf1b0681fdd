"""Roles: what somebody does at a handoff, as a word from a list; whatever else was written stays with the person.

records.md (participants); the list with its Chinese stands in roles.json.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Final

OTHER: Final = "other"
"""A role that is not in the list: free text may name the person, and what is in the clear outlives an erasure."""

_GAPS = re.compile(r"[\s_-]+")


@cache
def known() -> dict[str, dict[str, str]]:
    """Return the words of every role in both languages."""
    table: dict[str, dict[str, str]] = json.loads(
        files("sudonglian.records").joinpath("roles.json").read_text(encoding="utf-8")
    )
    return table


@cache
def _spellings() -> dict[str, str]:
    return {word.casefold(): role for role, words in known().items() for word in (role, *words.values())}


def role_of(written: str) -> str:
    """Return the role that somebody wrote, in either language, or `other`.

    >>> role_of("Forklift-Driver"), role_of("司机"), role_of("Mr Wang of stall 12")
    ('forklift driver', 'driver', 'other')
    """
    return _spellings().get(_GAPS.sub(" ", written).strip().casefold(), OTHER)
