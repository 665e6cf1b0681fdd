"""Words for people, in Chinese and English; the English sentence is the key.

house.md rule 7; the Chinese stands in words.zh.json, and a test finds every sentence that lacks one.
"""

import json
from functools import cache
from importlib.resources import files

from sudonglian.api.settings import Lang


@cache
def chinese() -> dict[str, str]:
    """Return the Chinese of every English sentence."""
    table: dict[str, str] = json.loads(files("sudonglian.api").joinpath("words.zh.json").read_text(encoding="utf-8"))
    return table


def translate(lang: Lang, english: str, **values: object) -> str:
    """Return a sentence in a language, with its values filled in.

    >>> translate("en", "{count} records", count=3)
    '3 records'
    """
    sentence = chinese().get(english, english) if lang == "zh" else english
    return sentence.format(**values) if values else sentence
