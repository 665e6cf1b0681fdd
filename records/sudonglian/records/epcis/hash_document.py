"""The Event Hash IDs of a whole document, each shape of event in XML read closely once.

CBV 2.0 §8.9; docs/spec/xml.md; docs/decisions/0208 (why what is left out of the reading is known all the same).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sudonglian.chain.errors import SudonglianError
from sudonglian.records.epcis import markup
from sudonglian.records.epcis.document import MAX_DOCUMENT_BYTES, MAX_EVENTS, document_of, read_document
from sudonglian.records.epcis.event_hash import event_hash_id, hash_id
from sudonglian.records.epcis.hash_book import BINDS, book_of
from sudonglian.records.epcis.hash_columns import hash_ids
from sudonglian.records.epcis.hash_memo import Unplanned
from sudonglian.records.epcis.hash_sheet import sheet
from sudonglian.records.epcis.markup import SPACE, Element
from sudonglian.records.epcis.xml_event import WRAPPERS
from sudonglian.records.epcis.xml_shape import COMMENT, MAX_DEPTH

LIST: Final = "EventList"

DEEPEST: Final = MAX_DEPTH + 4
"""Levels that a member, or an element of a list, may take in an event with the wrappers around both."""

STAND_IN: Final = f"<ObjectEvent>{'<x>' * DEEPEST}{'</x>' * DEEPEST}</ObjectEvent>"
"""Stands for all events that have plans, none of which is deeper."""

LEAST: Final = 4
"""Characters of the shortest element; no attribute has fewer."""

_OPENS: Final = re.compile(rf"<(?:[^ \t\n<>/=\"'!?&:]+:)?{LIST}(?:[ \t\n][^<>]*)?(?<!/)>")
_SAID: Final = "[^-\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
_COMMENT: Final = re.compile(f"<!--(?:{_SAID}|-{_SAID})*-->")
_NAME: Final = re.compile(r"<([^ \t\n<>/=\"'!?&]+)")


@dataclass(frozen=True, slots=True)
class _Frame:
    """A document around its events, which has been read, and where they begin and end."""

    text: str
    begins: int
    ends: int
    binds: bool
    """Whether a prefix is bound in an event."""
    scope: dict[str, str] = field(default_factory=dict)

    def around(self, events: str) -> str:
        """Return the document with other events."""
        return f"{self.text[: self.begins]}{events}{self.text[self.ends :]}"


def event_hash_ids(raw: bytes) -> list[str]:
    """Return the Event Hash ID of each event of a document, in JSON or XML.

    They are, and what is refused is, what `read_document` and `event_hash_id` give; of XML sooner.

    >>> event_hash_ids(b'<ObjectEvent/>')[0][:31]
    'ni:///sha-256;7aa6d15415d4b429d'

    Raises
    ------
    SudonglianError
        As `read_document` and `event_hash_id`.
    """
    if markup.is_xml(raw) and len(raw) <= MAX_DOCUMENT_BYTES:
        try:
            return _planned(_frame(raw))
        except (Unplanned, SudonglianError):  # read in full, which also says where
            pass
    read = read_document(raw)
    return hash_ids([one.value for one in read.events], read.context)


def _frame(raw: bytes) -> _Frame:
    text = markup.decoded(raw)
    if "\r" in text:  # XML 1.0 §2.11
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "!" in text:  # one character is found many times as fast as two
        # Not taken away, for they could stand where none may: the parser is to see that.
        text = _COMMENT.sub(COMMENT, text)
        if text.count("<!") != text.count(COMMENT):
            raise Unplanned
    # With no sections and instructions, each `<` is a tag or a comment; with one such name, the list is that one.
    if ("?" in text and text.find("<?", 1) >= 0) or text.count(LIST) != 2:
        raise Unplanned
    if len(text) > LEAST * markup.MAX_ELEMENTS:
        elements = text.count("<") - text.count("</") + text.count("=")
        if elements > markup.MAX_ELEMENTS:
            raise Unplanned
    opens = _OPENS.search(text)
    ends = text.rfind("</", 0, text.rindex(LIST))
    if opens is None or ends < opens.end():
        raise Unplanned
    within = text.count(BINDS, opens.end(), ends)
    if within + text.count(BINDS, 0, opens.end()) + text.count(BINDS, ends) > markup.MAX_NAMESPACES:
        raise Unplanned
    frame = _Frame(text, opens.end(), ends, binds=within > 0)
    root = markup.parse_text(frame.around(STAND_IN))
    if len(document_of(root).events) != 1:
        raise Unplanned
    frame.scope.update(_list_in(root).scope)
    return frame


def _list_in(root: Element) -> Element:
    pending = [root]
    while pending:
        element = pending.pop()
        if element.name == LIST:
            return element
        pending += element.children
    raise Unplanned


def _planned(frame: _Frame) -> list[str]:
    book = book_of(tuple(frame.scope.items()))
    if not book.is_worth(frame.ends - frame.begins):
        raise Unplanned
    found: list[str] = []
    others: list[tuple[int, str]] = []
    events = list(_events(frame))
    for event, text in zip(events, sheet(book, events, binds=frame.binds), strict=True):
        try:
            found.append(hash_id(text or book.written(event, binds=frame.binds)))
        except (Unplanned, SudonglianError):
            others.append((len(found), event))
            found.append("")
    if not found or len(found) > MAX_EVENTS:
        raise Unplanned
    if others:
        read = document_of(markup.parse_text(frame.around("".join(event for _, event in others))))
        if len(read.events) != len(others):
            raise Unplanned
        for (index, _), one in zip(others, read.events, strict=True):
            found[index] = event_hash_id(one.value, read.context)
    book.tidy()
    return found


def _events(frame: _Frame) -> Iterator[str]:
    """Yield the events, each cut at the first tag that could be its end.

    That cut is right, or the whole is not read here: a wrong one leaves elements open, whose ends stand where an event
    or the end of the list should begin; and the parser sees every piece that is not like one which it has seen.
    """
    text, at, stop = frame.text, frame.begins, frame.ends
    closings: dict[str, str] = {}
    wrapper = ""
    while (begins := text.find("<", at, stop)) >= 0:
        if begins != at and text[at:begins].strip(SPACE):
            raise Unplanned
        at = text.find(">", begins, stop) + 1
        tag = text[begins:at]
        closing = closings.get(tag)
        if closing is None:
            if tag == COMMENT:
                continue
            if tag == wrapper:
                wrapper = ""
                continue
            if tag[1:-1] in WRAPPERS and not wrapper:
                wrapper = f"</{tag[1:]}"
                continue
            closing = closings[tag] = _closing(tag)
        if closing:
            at = text.find(closing, at, stop) + len(closing)
            if at < begins + len(tag):
                raise Unplanned
        yield text[begins:at]
    if wrapper or text[at:stop].strip(SPACE):
        raise Unplanned


def _closing(tag: str) -> str:
    """Return the tag that ends an element, nothing for one that is empty."""
    name = _NAME.match(tag)
    if name is None or name[1].rpartition(":")[2] in WRAPPERS:
        raise Unplanned
    return "" if tag.endswith("/>") else f"</{name[1]}>"
