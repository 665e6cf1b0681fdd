"""The words of the drop-downs, and what of EPCIS they stand for: steps, units, kinds of numbers, ways of contact.

CBV 2.0 §7.1 (steps); UN/ECE Recommendations 20 and 21 (units; packages, X and two more); plain-event.md rules 11, 12. words.json.
"""

import json
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sudonglian.records import roles
from sudonglian.records.epcis.schema import words_of
from sudonglian.records.identifiers.unit import is_unit
from sudonglian.records.sheets.faults import CellRefused
from sudonglian.records.temperature.classes import known as product_classes

SHOWN: Final = 8
"""Words that a refusal offers; the drop-down has them all."""


@cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    text = files("sudonglian.records.sheets").joinpath("words.json").read_text("utf-8")
    table: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    classes = {one.name: {"zh": one.zh, "en": one.en, "also": []} for one in product_classes().values()}
    return {**table, "class": classes}


def choices(name: str, lang: str) -> list[str]:
    """Return the words of a drop-down."""
    if name == "role":
        return [words[lang] for words in roles.known().values()]
    return [words[lang] for words in _table()[name].values()]


@cache
def _spellings(name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for code, words in _table()[name].items():
        for word in (code, words["zh"], words["en"], *words["also"]):
            found.setdefault(_plain(word), code)
    return found


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", word)).casefold()


def code_of(name: str, written: str) -> str:
    """Return what a word of a drop-down stands for; codes themselves are taken too.

    >>> code_of("step", "发货"), code_of("unit", "公斤"), code_of("unit", "KGM")
    ('shipping', 'KGM', 'KGM')

    Raises
    ------
    CellRefused
        The list has no such word.
    """
    word = written.strip()
    if found := _spellings(name).get(_plain(word)):
        return found
    if name == "step" and (word in words_of("bizStep") or re.match(r"(urn|https?):\S+$", word)):
        return word
    if name == "unit" and is_unit(word):
        return word
    zh, en = ("、".join(choices(name, "zh")[:SHOWN]), ", ".join(choices(name, "en")[:SHOWN]))
    raise CellRefused(f"unknown-{name}", f"列表中没有这个词;可填 {zh} …", f"not a word of the list: {en} …")


def codes(name: str) -> list[str]:
    """Return what the words of a drop-down stand for, in the same order."""
    return list(_table()[name])
