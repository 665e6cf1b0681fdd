"""Books of plans: those for the members of events where the same prefixes are bound.

CBV 2.0 §8.9; docs/decisions/0208 (why members may be looked at one by one, and what a book holds at most).
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from operator import getitem
from typing import Final, TypeAlias

from sudonglian.chain.errors import SudonglianError
from sudonglian.records.epcis.event_hash import ORDER, TYPED_LISTS
from sudonglian.records.epcis.hash_lists import ListedElements, ListedTexts
from sudonglian.records.epcis.hash_memo import Memos, Place, Unplanned, memo_of
from sudonglian.records.epcis.hash_plan import CLOSE, MARK, NEXT, OPEN, Memory, Plan, outline, plan_of
from sudonglian.records.epcis.hash_trie import Trie
from sudonglian.records.epcis.hash_values import CACHED, MAX_CACHED_TEXT
from sudonglian.records.epcis.markup import SPACE
from sudonglian.records.epcis.namespaces import EPCIS, STANDARD
from sudonglian.records.epcis.xml_event import WRAPPERS
from sudonglian.records.epcis.xml_shape import COMMENT, NAME, SAMPLES, Shape, mark

BOOKS: Final = 8
"""Scopes whose plans are kept: a server hears of few systems, each with a scope of its own."""

MAX_NAMES: Final = 128
"""Members, and types of events, of one book."""

ENOUGH: Final = 32_768
"""Characters of events, of one document or of several, for which plans are worth making: few are sooner read in full."""

BINDS: Final = "xmlns"
"""What binds a prefix, or is the text of something else."""

MANY: Final = 2
"""Times that a member's markup comes again, from which on it is worth looking for."""

REPEATED: Final = "certificationInfo"
"""The one member of the standard's own that may stand there twice; extensions all may."""

_Part: TypeAlias = tuple[int, str]
"""Where a member stands in what is hashed, and how it is written there."""

_RANKS: Final = {name: rank for rank, (name, _) in enumerate(ORDER)}

LAST: Final = len(_RANKS)
"""Where members stand that have no place of their own, sorted."""

_EVENT: Final = "eventType=ObjectEvent"

MEMBERS: Final = re.compile(
    # The last choice takes all that is left, so that an end that is missing is looked for once.
    rf"(?:{COMMENT}[ \t\n]*)*<(?:({NAME})(?=[ \t\n/>])([^<>]*/>|[^<>]*>[^<]*+(?:<(?!/\1>)[^<]*+)*+</\1>)|.*)",
    re.DOTALL,
)


_TAG: Final = re.compile(rf"<({NAME})((?:[ \t\n]+xmlns(?::{NAME})?=(?:\"[^\"<>]*\"|'[^'<>]*'))*)>")
"""The first tag of an event, which may bind prefixes and say nothing else."""


class Member(dict[str, _Part]):
    """What is written of one member, by its markup behind its name; the short ones are remembered."""

    def __init__(self, name: str, identity: str, book: "Book") -> None:
        super().__init__()
        self.may_repeat = identity == REPEATED or " " in identity
        self.rank = _RANKS.get(identity, LAST)
        self._trie = Trie(f"<{name}", book.member)

    def __missing__(self, markup: str) -> _Part:
        found = self.rank, self._trie.written(markup)
        if len(markup) <= MAX_CACHED_TEXT:
            self[markup] = found
        return found

    def column(self, markups: Sequence[str]) -> list[str]:
        """Return what is written of each, `UNKNOWN` where there is no plan."""
        distinct = dict.fromkeys(markups)
        if len(distinct) * MANY > len(markups):
            return self._trie.column(markups)
        texts = dict(zip(distinct, self._trie.column(list(distinct)), strict=True))
        return list(map(texts.__getitem__, markups))


class Members(dict[str, Member]):
    """The members of a book, by the name with which they are written."""

    def __init__(self, book: "Book") -> None:
        super().__init__()
        self._book = book
        self._names: dict[str, str] = {}

    def __missing__(self, name: str) -> Member:
        if name in WRAPPERS:
            raise Unplanned
        identity = self._book.identity(name)
        # One that is written with two names may stand there twice unseen.
        if len(self) >= MAX_NAMES or self._names.setdefault(identity, name) != name:
            raise Unplanned
        found = self[name] = Member(name, identity, self._book)
        return found


class Book:
    """The plans for one scope."""

    def __init__(self, scope: Mapping[str, str]) -> None:
        self._scope = dict(scope)
        self.is_plain = scope.get("", "") in EPCIS
        self._memos: Memos = {}
        self._lists: dict[str, Memory] = {}
        self.names = Members(self)
        self._types: dict[str, tuple[Book, str]] = {}
        self._expected = 0

    def is_worth(self, characters: int) -> bool:
        """Note that so many characters of events are to be read; return whether plans are worth making."""
        self._expected += characters
        return self._expected >= ENOUGH

    def written(self, event: str, *, binds: bool = True) -> str:
        """Return the text that is hashed of an event, from its first tag to its last; `binds` is false if no tag binds.

        Raises
        ------
        Unplanned
            There is no plan for it, or not for its values.
        SudonglianError
            A value is refused.
        """
        begins, ends = event.find(">") + 1, event.rfind("</")
        tag, members = event[:begins], event[begins:ends]
        if binds and BINDS in members:  # a prefix that is bound in an event has a say in names all over it
            raise Unplanned
        book, began = self.began(tag)
        return began + book.members(members)

    def members(self, markup: str) -> str:
        """Return what is written of all members of an event."""
        names, parts = self._parts(markup)
        if len(names) != len(set(names)):
            parts = self._gathered(names, parts)
        parts.sort()
        return "".join([text for _, text in parts])

    def member(self, shape: Shape) -> Plan:
        """Return the plan of a member."""
        found = outline(shape, self._scope, "<ObjectEvent>{}</ObjectEvent>")
        text = _between(found.text, _EVENT, "")
        if text.startswith(OPEN):  # among the members that have no place of their own
            text = _one(_between(text, OPEN, CLOSE))
        memories: list[Memory] = []
        for number, slot in enumerate(shape.slots):
            if slot.listed:
                text = _whole(text, number)
                memories.append(self._list(slot.listed))
            else:
                memories.append(memo_of(self._memos, found.places.get(number)))
        return plan_of(text, memories)

    def element(self, listed: str, shape: Shape) -> Plan:
        """Return the plan of an element of a list."""
        found = outline(shape, self._scope, f"<ObjectEvent><{listed}>{{}}</{listed}></ObjectEvent>")
        begins = f"{_EVENT}{OPEN if listed in TYPED_LISTS else ''}{listed}{OPEN}"
        text = _one(_between(found.text, begins, CLOSE * begins.count(OPEN)))
        return plan_of(text, [memo_of(self._memos, found.places.get(number)) for number in range(len(shape.slots))])

    def identity(self, name: str) -> str:
        """Return what tells a member from all others, however it is written: extensions also tell their namespace."""
        prefix, _, local = name.rpartition(":")
        namespace = self._scope.get(prefix, None if prefix else "")
        if namespace is None:
            raise Unplanned
        return local if namespace in EPCIS else f"{STANDARD.get(namespace, namespace)} {local}"

    def tidy(self) -> None:
        """Forget values, if they are many; plans are kept."""
        held: list[dict[str, str] | dict[str, _Part]] = [*self._memos.values(), *self.names.values()]
        if sum(map(len, held)) > CACHED:
            for each in held:
                each.clear()

    def _parts(self, markup: str) -> tuple[list[str], list[_Part]]:
        pieces = MEMBERS.split(markup)
        if "".join(pieces[::3]).strip(SPACE):
            raise Unplanned
        names, texts = pieces[1::3], pieces[2::3]
        if None in names:
            raise Unplanned
        try:
            return names, list(map(getitem, map(self.names.__getitem__, names), texts))
        except Unplanned:
            if WRAPPERS.isdisjoint(names):
                raise
        return self._unwrapped(names, texts)

    def _unwrapped(self, names: list[str], texts: list[str]) -> tuple[list[str], list[_Part]]:
        found: list[str] = []
        parts: list[_Part] = []
        for name, text in zip(names, texts, strict=True):
            if name not in WRAPPERS:
                found.append(name)
                parts.append(self.names[name][text])
            elif text.startswith(">"):
                inner = self._parts(text[1 : -len(f"</{name}>")])
                found += inner[0]
                parts += inner[1]
            else:
                raise Unplanned
        return found, parts

    def _gathered(self, names: list[str], parts: list[_Part]) -> list[_Part]:
        """Return the parts with those of one name made one, as arrays are written."""
        found: dict[str, list[_Part]] = {}
        for name, part in zip(names, parts, strict=True):
            found.setdefault(name, []).append(part)
        if any(len(several) > 1 and not self.names[name].may_repeat for name, several in found.items()):
            raise Unplanned
        return [(several[0][0], "".join(sorted([text for _, text in several]))) for several in found.values()]

    def began(self, tag: str) -> tuple["Book", str]:
        """Return the book for the members of an event that begins with this tag, and what is written before them."""
        if (known := self._types.get(tag)) is not None:
            return known
        match = _TAG.fullmatch(tag)
        if len(self._types) >= MAX_NAMES or match is None:
            raise Unplanned
        whole = f"{tag}</{match[1]}>"
        try:
            found = outline(Shape((whole,), (), whole), self._scope)
        except SudonglianError as refusal:
            raise Unplanned from refusal
        book = book_of(tuple(found.scope.items())) if match[2] else self
        if not book.is_plain:
            raise Unplanned
        self._types[tag] = book, found.text
        return self._types[tag]

    def _list(self, name: str) -> Memory:
        if name not in self._lists:
            item = SAMPLES[name][0]
            self._lists[name] = (
                ListedTexts(item, memo_of(self._memos, Place(item, name, before=f"{item}=")))
                if item == "epc"
                else ListedElements(item, partial(self.element, name))
            )
        return self._lists[name]


@lru_cache(BOOKS)
def book_of(scope: tuple[tuple[str, str], ...]) -> Book:
    """Return the book for events where these prefixes are bound."""
    return Book(dict(scope))


def _between(text: str, begins: str, ends: str) -> str:
    inner = text[len(begins) : len(text) - len(ends)]
    if begins + inner + ends != text:
        raise Unplanned
    return inner


def _one(text: str) -> str:
    """Return a part of an outline, if it is one element of what is sorted, and not the end of one and another's begin."""
    depth = 0
    for each in text:
        depth += (each == OPEN) - (each == CLOSE)
        if depth < 0 or (each == NEXT and not depth):
            raise Unplanned
    return text


def _whole(text: str, number: int) -> str:
    """Return an outline in which a mark is all of the list that it stands for, and not of the one element shown."""
    text, count = re.subn(f"{OPEN}[^{OPEN}{NEXT}{CLOSE}{MARK}]*{mark(number)}{CLOSE}", mark(number), text)
    if count != 1:
        raise Unplanned
    return text
