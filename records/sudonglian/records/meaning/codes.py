"""The codes of findings of meaning, with what each says in both languages.

docs/profiles.md is written from them; profiles raise them by these names.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def codes() -> Mapping[str, Mapping[str, str]]:
    """Return every code and its words."""
    found: Mapping[str, Mapping[str, str]] = json.loads(
        files("sudonglian.records.meaning").joinpath("codes.json").read_text("utf-8")
    )
    return found
