"""Plans: how the text that an Event Hash ID hashes is put together from the values of all events of one shape.

CBV 2.0 §8.9; docs/decisions/0208. A plan is not a second set of rules: the translator and the writer of every other
event go once through an event of marks, and note what they would have done with its values.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import getitem
from typing import Final, Protocol, TypeAlias
from xml.sax.saxutils import quoteattr

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.event_hash import Writer
from sudonglian.records.epcis.hash_memo import MARKS, Place, Reading, Unplanned, reading_of
from sudonglian.records.epcis.hash_values import written
from sudonglian.records.epcis.markup import parse_text
from sudonglian.records.epcis.plain import effective_context
from sudonglian.records.epcis.vocabulary import Vocabulary
from sudonglian.records.epcis.xml_event import Path, Translator
from sudonglian.records.epcis.xml_shape import Shape, mark

MARK, OPEN, NEXT, CLOSE = MARKS
"""Around the number of a value; around what is sorted, and between it."""

_NUMBERED: Final = re.compile(f"{MARK}([0-9]+){MARK}")
_INNERMOST: Final = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")

_Template: TypeAlias = Callable[..., str]


class Memory(Protocol):
    """What a value becomes: of a text or of a whole list."""

    def __getitem__(self, raw: str, /) -> str:
        """Return what the hash writes for what stands in the document."""

    def column(self, raws: Sequence[str], /) -> list[str]:
        """Return it for each, `UNKNOWN` where there is no plan."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of the values of one shape, in the order in which they stand in it."""

    memories: Sequence[Memory]
    groups: Sequence[Sequence[_Template]]
    """What is sorted, the inner ones first; each result is one more value for those behind it."""
    whole: _Template
    around: tuple[str, str] | None = None
    """What stands around the value, where it is the only one."""

    def text(self, values: Sequence[str]) -> str:
        """Return the text that is hashed.

        Raises
        ------
        Unplanned
            A value is none that the plan covers.
        SudonglianError
            A value is refused.
        """
        if not self.groups:
            return self.whole(*map(getitem, self.memories, values))
        found = list(map(getitem, self.memories, values))
        for group in self.groups:
            found.append("".join(sorted([one(*found) for one in group])))
        return self.whole(*found)


@dataclass(frozen=True, slots=True)
class Outline:
    """A text that is hashed, with marks for its values, and where each of these is written."""

    text: str
    places: dict[int, Place]
    scope: dict[str, str]
    """The prefixes that are bound in the event."""


class _Tracer(Translator):
    """Translates marks as they are, and notes what it would have made of a value."""

    def __init__(self, marks: Mapping[str, int]) -> None:
        super().__init__()
        self._marks = marks
        self.readings: dict[int, Reading] = {}

    @property
    def used(self) -> frozenset[str]:
        """Return the namespaces of the names in the event, but for EPCIS's own."""
        return self._names.used

    def _as_number(self, text: str, path: Path) -> Json:
        return text if self._noted(text, Reading("number")) else super()._as_number(text, path)

    def _as_word(self, text: str, words: Vocabulary, scope: Mapping[str, str]) -> Json:
        return text if self._noted(text, reading_of(words, scope)) else super()._as_word(text, words, scope)

    def _as_boolean(self, text: str) -> Json:
        return text if self._noted(text, Reading("boolean")) else super()._as_boolean(text)

    def _noted(self, text: str, reading: Reading) -> bool:
        number = self._marks.get(text)
        if number is None:
            return False
        if self.readings.setdefault(number, reading) != reading:
            raise Unplanned
        return True


class _Outliner(Writer):
    """Writes marks as they are, and what is sorted with the marks of a group."""

    def __init__(self, bindings: dict[str, Json], marks: Mapping[str, int]) -> None:
        super().__init__(bindings)
        self._marks = marks
        self.places: dict[int, Place] = {}
        self._written = self._noted

    def _noted(self, name: str, value: Json, parent: str) -> str:
        number = self._marks.get(value) if isinstance(value, str) else None
        if number is None:
            return written(name, value, parent)
        if number in self.places:  # written twice
            raise Unplanned
        self.places[number] = Place(name, parent)
        return mark(number)

    @staticmethod
    def _sorted(found: list[str]) -> str:
        said = NEXT.join([each for each in found if each])
        return f"{OPEN}{said}{CLOSE}" if said else ""


def outline(shape: Shape, scope: Mapping[str, str], around: str = "{}") -> Outline:
    """Return the outline of the events of a shape, or of an event that is written `around` a part of that shape.

    `scope` binds the prefixes where the event stands.

    Raises
    ------
    Unplanned
        Its values have no place that a plan could name.
    SudonglianError
        An event like this is refused.
    """
    bound = "".join(f" xmlns{':' if prefix else ''}{prefix}={quoteattr(uri)}" for prefix, uri in scope.items())
    root = parse_text(f"<EventList{bound}>{around.format(shape.marked)}</EventList>")
    if len(root.children) != 1 or root.text or root.scope != scope:
        raise Unplanned
    marks = {mark(number): number for number in range(len(shape.slots))}
    tracer = _Tracer(marks)
    event = tracer.event(root.children[0], ())
    _, bindings = effective_context([event["@context"]])
    outliner = _Outliner(bindings, marks)
    text = outliner.event(event)
    # Of two prefixes for one namespace that counts which an event writes first, be it in another member.
    if outliner.strayed or any(list(scope.values()).count(uri) > 1 for uri in tracer.used):
        raise Unplanned
    if any(one.kind == "number" and number not in outliner.places for number, one in tracer.readings.items()):
        raise Unplanned  # it may be refused, though it is not written
    places = {number: replace(place, reading=tracer.readings.get(number)) for number, place in outliner.places.items()}
    return Outline(text, places, root.children[0].scope)


def plan_of(text: str, memories: Sequence[Memory]) -> Plan:
    """Return the plan of an outline's text; `memories` are those of its values."""
    groups: list[list[_Template]] = []

    def numbered(match: re.Match[str]) -> str:
        items = match[1].split(NEXT)
        if len(items) == 1:
            return items[0]
        groups.append([_template(one) for one in items])
        return mark(len(memories) + len(groups) - 1)

    count = 1
    while count:
        text, count = _INNERMOST.subn(numbered, text)
    parts = text.split(mark(0))
    around = (parts[0], parts[1]) if len(parts) == 2 and len(memories) == 1 and not groups else None
    return Plan(tuple(memories), groups, _template(text), around)


def _template(text: str) -> _Template:
    return _NUMBERED.sub(r"{\1}", text.replace("{", "{{").replace("}", "}}")).format
