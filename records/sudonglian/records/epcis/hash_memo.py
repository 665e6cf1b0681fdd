"""Memories of values: what the text at a place of an XML event becomes in the text that its Event Hash ID hashes.

docs/spec/xml.md rules 4, 7 and 8; CBV 2.0 §8.9; docs/decisions/0208 (which texts are read here, and which are not).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import SudonglianError
from sudonglian.records.epcis import vocabulary
from sudonglian.records.epcis.hash_heads import Heads
from sudonglian.records.epcis.hash_values import MAX_CACHED_TEXT, SPECIAL, written
from sudonglian.records.epcis.markup import SPACE
from sudonglian.records.epcis.vocabulary import Vocabulary
from sudonglian.records.epcis.xml_event import boolean, number

MARKS: Final = "\ue000\ue001\ue002\ue003"
"""Characters for private use, by which outlines tell their parts; a document that has one is read the long way."""

UNREAD: Final = re.compile("[<>\x00-\x1f\ud800-\udfff\ue000-\ue003\ufffe\uffff]")
"""What no text may hold, or what makes an XML parser do more than hand it on."""

_REFERENCE = re.compile("&(?:(amp|lt|gt|quot|apos);)?")
_REFERENCES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


UNKNOWN: Final = MARKS[0]
"""In place of what is written of a text that no plan covers."""


class Unplanned(Exception):
    """Markup or a value that no plan covers: it never leaves the reading of plans, which then takes the long way."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the translation into JSON makes of a text."""

    kind: Literal["number", "boolean", "word"]
    words: Vocabulary | None = None
    scope: tuple[tuple[str, str], ...] = ()

    def __call__(self, text: str) -> Json:
        """Return the JSON value of a text."""
        if self.kind == "number":
            return number(text)
        if self.kind == "boolean":
            return boolean(text)
        assert self.words is not None
        return vocabulary.bare(text, self.words, dict(self.scope))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text is written: its member, what that stands in, and what is put before it in a list."""

    name: str
    parent: str
    reading: Reading | None = None
    before: str = ""


class Memo(dict[str, str]):
    """Texts as they stand in a document, and as the hash writes them."""

    def __init__(self, place: Place | None) -> None:
        super().__init__()
        self._place = place
        has_heads = place is not None and place.name not in SPECIAL and place.reading is None
        self._heads = Heads(place.before) if place is not None and has_heads else None

    def __missing__(self, raw: str) -> str:
        # Of items, which all differ, what they begin with is remembered.
        if self._heads is not None and (found := self._heads.written(raw)):
            return found
        found = self._written(raw)
        if len(raw) <= MAX_CACHED_TEXT:
            self[raw] = found
        return found

    def column(self, raws: Sequence[str]) -> list[str]:
        """Return what is written of each text, `UNKNOWN` where it is none that is read here."""
        found = self._heads.column(raws) if self._heads is not None else []
        return found or each_of(self.__getitem__, raws)

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        if self._heads is not None:
            self._heads.clear()

    def _written(self, raw: str) -> str:
        """Return what is written of the text that a parser would give."""
        text = raw.strip(SPACE)
        if not text or UNREAD.search(text):
            raise Unplanned
        if "&" in text:
            text = _REFERENCE.sub(_referred, text)
        place = self._place
        if place is None:  # the hash leaves it out
            return ""
        value = place.reading(text) if place.reading else text
        found = written(place.name, value, place.parent)
        if not found:
            raise Unplanned
        return place.before + found


Memos: TypeAlias = dict[Place | None, Memo]


def memo_of(memos: Memos, place: Place | None) -> Memo:
    """Return the memory of a place, shared by all places whose texts are written alike."""
    if place is not None and place.name not in SPECIAL:
        place = Place("", "", place.reading, place.before)
    found = memos.get(place)
    if found is None:
        found = memos[place] = Memo(place)
    return found


def each_of(written: Callable[[str], str], raws: Iterable[str]) -> list[str]:
    """Return what is written of each, `UNKNOWN` where there is no plan or a value is refused."""
    found: list[str] = []
    waiting = iter(raws)
    while True:
        try:
            found.extend(map(written, waiting))
            return found
        except (Unplanned, SudonglianError):
            found.append(UNKNOWN)


def _referred(match: re.Match[str]) -> str:
    if match[1] is None:
        raise Unplanned
    return _REFERENCES[match[1]]


def reading_of(words: Vocabulary, scope: Mapping[str, str]) -> Reading:
    """Return the reading of a word of a vocabulary, where these prefixes are bound."""
    return Reading("word", words, tuple(scope.items()))
