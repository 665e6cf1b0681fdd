"""Shapes: the markup of one member of an event apart from its values; of a list, apart from what is listed.

XML 1.0 (5th edition) §3.1; docs/decisions/0208. A shape says nothing of well-formedness: whoever makes a plan of one
has a parser read it.
"""

import re
from dataclasses import dataclass
from typing import Final

from sudonglian.records.epcis.hash_memo import MARKS, Unplanned
from sudonglian.records.epcis.markup import SPACE

COMMENT: Final = "<!---->"
"""All that is left of a comment where shapes are looked for."""

MAX_DEPTH: Final = 24
"""Elements in elements of a shape: deeper ones are read one by one, under the limits of markup.py."""

MAX_SHAPE: Final = 16_384
"""Characters of a shape: longer ones are rare, and would fill the memory that plans may take."""

MARK: Final = MARKS[0]

SAMPLES: Final = {
    **dict.fromkeys(("epcList", "childEPCs", "inputEPCList", "outputEPCList"), ("epc", "<epc>{}</epc>")),
    **dict.fromkeys(
        ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
        ("quantityElement", "<quantityElement><epcClass>{}</epcClass></quantityElement>"),
    ),
    "bizTransactionList": ("bizTransaction", "<bizTransaction>{}</bizTransaction>"),
    "sourceList": ("source", "<source>{}</source>"),
    "destinationList": ("destination", "<destination>{}</destination>"),
    "sensorElementList": ("sensorElement", '<sensorElement><sensorMetadata deviceID="{}"/></sensorElement>'),
}
"""Lists whose elements are planned by themselves: the name of an element, and one that stands for all."""

_SPACED = r"[ \t\n]"
NAME: Final = r"[^ \t\r\n<>/=\"'!?&]+"
_VALUE = r"(?:\"[^\"<>]*\"|'[^'<>]*')"
_TAG = re.compile(rf"<(/?)({NAME})((?:{_SPACED}+{NAME}{_SPACED}*={_SPACED}*{_VALUE})*){_SPACED}*(/?)>")
_ATTRIBUTE = re.compile(rf"({NAME}){_SPACED}*={_SPACED}*([\"'])(.*?)\2", re.DOTALL)


def mark(number: int) -> str:
    """Return what stands for a value of that number."""
    return f"{MARK}{number}{MARK}"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value stands: what ends it, and the list that it is, if it is one."""

    closing: str
    listed: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """One literal more than slots, which stand between them; and the same element with marks for its values."""

    literals: tuple[str, ...]
    slots: tuple[Slot, ...]
    marked: str


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._begun = 0
        self._literals: list[str] = []
        self._slots: list[Slot] = []
        self._marked: list[str] = []
        self._open: list[str] = []

    def read(self) -> Shape:
        at = 0
        while at < len(self._text):
            at = self._blank(at, self._tag(at))
        if self._open:
            raise Unplanned
        last = self._text[self._begun :]
        return Shape((*self._literals, last), tuple(self._slots), "".join((*self._marked, last)))

    def _tag(self, at: int) -> int:
        """Read one tag, with the text or the list that it opens; return where it ends."""
        if self._text.startswith(COMMENT, at):
            return at + len(COMMENT)
        tag = _TAG.match(self._text, at)
        if tag is None:
            raise Unplanned
        is_end, name, attributes, is_empty = tag.groups()
        if is_end:
            if not self._open:
                raise Unplanned
            self._open.pop()
            return tag.end()
        for attribute in _ATTRIBUTE.finditer(attributes):
            declares = attribute[1] == "xmlns" or attribute[1].startswith("xmlns:")
            if not declares and attribute[3].strip(SPACE):
                begins, ends = (tag.start(3) + each for each in attribute.span(3))
                self._slot(begins, ends, Slot(attribute[2]))
        if is_empty:
            return tag.end()
        is_list = not attributes and name in SAMPLES and not self._open
        self._open.append(name)
        if len(self._open) > MAX_DEPTH:
            raise Unplanned
        return self._list(tag.end(), name) if is_list else self._leaf(tag.end())

    def _leaf(self, at: int) -> int:
        ends = self._text.find("</", at)
        if ends >= 0 and self._text.find("<", at) == ends and self._text[at:ends].strip(SPACE):
            self._slot(at, ends, Slot("<"))
            return ends
        return at

    def _list(self, at: int, name: str) -> int:
        closing = f"</{name}>"
        ends = self._text.find(closing, at)
        if ends < 0 or not self._text[at:ends].strip(SPACE):
            return at
        self._slot(at, ends, Slot(closing, name))
        return ends

    def _blank(self, at: int, ends: int) -> int:
        """Return where the next tag begins; text between tags that are no leaf's is not planned."""
        begins = self._text.find("<", ends)
        begins = len(self._text) if begins < 0 else begins
        if self._text[ends:begins].strip(SPACE):
            raise Unplanned
        return begins

    def _slot(self, begins: int, ends: int, slot: Slot) -> None:
        literal = self._text[self._begun : begins]
        stand_in = mark(len(self._slots))
        self._literals.append(literal)
        self._marked += literal, SAMPLES[slot.listed][1].format(stand_in) if slot.listed else stand_in
        self._slots.append(slot)
        self._begun = ends


def shape_of(text: str) -> Shape:
    """Return the shape of one element.

    >>> shape_of('<a b="1"><c>2</c></a>').literals
    ('<a b="', '"><c>', '</c></a>')

    Raises
    ------
    Unplanned
        Of mixed texts, and what is no element.
    """
    if any(each in text for each in MARKS):
        raise Unplanned
    shape = _Reader(text).read()
    if sum(map(len, shape.literals)) > MAX_SHAPE:
        raise Unplanned
    return shape
