"""Sheets: the events of a document in XML, whose members of one name are read together, by the plans of a book.

CBV 2.0 §8.9; docs/decisions/0209. What does not fit is left to `Book.written`, event by event.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sudonglian.records.epcis.hash_book import BINDS, LAST, MEMBERS, Book
from sudonglian.records.epcis.hash_memo import UNKNOWN, Unplanned
from sudonglian.records.epcis.markup import SPACE

MAX_LAYOUTS: Final = 4_096
"""Orders of members that one document has: the events of others are read one by one."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """The members of some events, in the order in which they are written."""

    appends: tuple[Callable[[str], None], ...]
    placed: tuple[str, ...]
    free: tuple[str, ...]


def sheet(book: Book, events: Sequence[str], *, binds: bool) -> list[str]:
    """Return the text that is hashed of each event, nothing of those that do not fit.

    `binds` is false if no tag in an event binds a prefix.
    """
    return _Sheet(book, binds=binds).texts(events)


class _Sheet:
    def __init__(self, book: Book, *, binds: bool) -> None:
        self._book, self._binds = book, binds
        self._columns: dict[str, list[str]] = {}
        self._layouts: dict[tuple[str, ...], _Layout | None] = {}
        self._begun: dict[str, str | None] = {}

    def texts(self, events: Sequence[str]) -> list[str]:
        rows = list(map(self._row, events))
        written = {name: iter(self._book.names[name].column(column)) for name, column in self._columns.items()}
        picks = {
            id(layout): ([written[name] for name in layout.placed], [written[name] for name in layout.free])
            for layout in self._layouts.values()
            if layout is not None
        }
        return [_joined(row[0], *picks[id(row[1])]) if row else "" for row in rows]

    def _row(self, event: str) -> tuple[str, _Layout] | None:
        """Return how an event begins and its layout, its members noted; nothing if it does not fit."""
        begins, ends = event.find(">") + 1, event.rfind("</")
        tag, members = event[:begins], event[begins:ends]
        began = self._begun.get(tag)
        if began is None:
            if tag in self._begun:
                return None
            began = self._begun[tag] = self._began(tag)
        if not began or (self._binds and BINDS in members):
            return None
        pieces = MEMBERS.split(members)
        if "".join(pieces[::3]).strip(SPACE):
            return None
        names = tuple(pieces[1::3])
        layout = self._layouts.get(names)
        if layout is None:
            if names in self._layouts or len(self._layouts) >= MAX_LAYOUTS:
                return None
            layout = self._layouts[names] = self._layout(names)
            if layout is None:
                return None
        for append, text in zip(layout.appends, pieces[2::3], strict=True):
            append(text)
        return began, layout

    def _began(self, tag: str) -> str | None:
        try:
            book, began = self._book.began(tag)
        except Unplanned:
            return None
        return began if book is self._book else None

    def _layout(self, names: tuple[str, ...]) -> _Layout | None:
        if None in names or len(set(names)) < len(names):
            return None
        try:
            ranks = {name: self._book.names[name].rank for name in names}
        except Unplanned:
            return None
        placed = sorted((name for name in names if ranks[name] < LAST), key=ranks.__getitem__)
        free = [name for name in names if ranks[name] == LAST]
        appends = tuple(self._columns.setdefault(name, []).append for name in names)
        return _Layout(appends, tuple(placed), tuple(free))


def _joined(began: str, placed: Sequence[Iterator[str]], free: Sequence[Iterator[str]]) -> str:
    text = began + "".join(map(next, placed))
    if free:
        text += "".join(sorted(map(next, free)))
    return "" if UNKNOWN in text else text
