"""EPCIS documents: the events in the bytes that somebody sent, each with its place.

EPCIS 2.0 §9 (JSON/JSON-LD binding); the bytes are read by docs/spec/canonical.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.records.epcis import markup
from sudonglian.records.epcis.findings import pointer
from sudonglian.records.epcis.markup import Element
from sudonglian.records.epcis.plain import entries
from sudonglian.records.epcis.refusals import NoEvents, NotEpcis, NotJson, NotUtf8, TooLarge, named

Form: TypeAlias = Literal["json", "xml"]
"""How a document is written; who does not say leaves it to the first character."""

Kind: TypeAlias = Literal["EPCISDocument", "EPCISQueryDocument", "event", "array"]

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""Some 20,000 ordinary events; four times the largest single event (docs/spec/canonical.md rule 2)."""

MAX_EVENTS: Final = 100_000
"""More than ordinary events fit; ten bytes each would cost a finding each."""

MAX_DOCUMENT_DEPTH: Final = canonical.MAX_DEPTH + 6
"""An event may be as deep as the canonical form allows; a query document wraps it in at most six levels."""


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event as it was sent."""

    index: int
    pointer: str
    value: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Document:
    """The events of one submission, and what stood around them."""

    kind: Kind
    events: tuple[RawEvent, ...]
    context: tuple[Json, ...]
    """The outer `@context`, one element an entry; each event may add its own."""
    envelope: dict[str, Json]
    """The members beside the events (`schemaVersion`, `creationDate`, `sender` …); empty for bare events."""
    is_xml: bool = False
    """Whether it was XML; pointers are into the JSON that it became."""

    @property
    def header(self) -> dict[str, Json]:
        """Return `epcisHeader`, which carries master data, or an empty object."""
        found = self.envelope.get("epcisHeader")
        return found if isinstance(found, dict) else {}


def read_document(raw: bytes, form: Form | None = None) -> Document:
    """Return the events of an EPCISDocument, an EPCISQueryDocument, one bare event, or an array of events.

    XML becomes the JSON that says the same. A leading byte-order mark is dropped; nothing else is repaired. A document
    may have no events if it carries master data.

    >>> [e.pointer for e in read_document(b'[{"type": "ObjectEvent"}]').events]
    ['/0']

    Raises
    ------
    DocumentRefused
        Each reason has its own class and slug; those of canonical.md have its rules' names.
    """
    _check_size(raw)
    if form == "xml" or (form is None and markup.is_xml(raw)):
        return document_of(markup.parse(raw))
    return _document(_read(raw))


def document_of(root: Element) -> Document:
    """Return the events of an XML document that has been parsed (see `read_document`)."""
    from sudonglian.records.epcis import xml_document  # with all vocabularies, of which JSON needs none

    return replace(_document(xml_document.translate_root(root)), is_xml=True)


def line_of(raw: bytes, places: Iterable[str]) -> dict[str, int]:
    """Return for each place of an XML document the line it came from, or the line of what it would stand in.

    Read a second time, and only when something was found.
    """
    from sudonglian.records.epcis import xml_document

    lines: dict[str, int] = {}
    xml_document.translate(raw, lines)
    found = {}
    for place in places:
        holder = place
        while holder and holder not in lines:
            holder = holder.rpartition("/")[0]
        if holder in lines:
            found[place] = lines[holder]
    return found


def _document(value: Json) -> Document:
    if isinstance(value, list):
        return Document("array", _events(value, ""), (), {})
    if not isinstance(value, dict):
        raise NotEpcis("neither an object nor an array", zh="既不是对象也不是数组")
    given = value.get("type")
    if isinstance(given, str) and given.endswith("Event"):
        return Document("event", (RawEvent(0, "", value),), (), {})
    kind: Kind
    envelope = {name: member for name, member in value.items() if name not in ("@context", "epcisBody")}
    if given == "EPCISDocument":
        may_be_empty = bool(_master_data(envelope))
        kind, events = "EPCISDocument", _listed(value, ("epcisBody",), may_be_empty=may_be_empty)
    elif given == "EPCISQueryDocument":
        path = ("epcisBody", "queryResults", "resultsBody")
        kind, events = "EPCISQueryDocument", _listed(value, path, may_be_empty=bool(_master_data(envelope)))
    else:
        zh = "type 既不是 EPCIS 文件也不是事件"
        raise NotEpcis("type is neither an EPCIS document nor an event", zh=zh, place="/type")
    return Document(kind, events, entries(value.get("@context", []), "/@context"), envelope)


def _master_data(envelope: dict[str, Json]) -> Json:
    header = envelope.get("epcisHeader")
    inner = header.get("epcisMasterData") if isinstance(header, dict) else None
    return inner.get("vocabularyList") if isinstance(inner, dict) else None


def _check_size(raw: bytes) -> None:
    if len(raw) > MAX_DOCUMENT_BYTES:
        zh = f"最多读取 {MAX_DOCUMENT_BYTES} 字节"
        raise TooLarge(f"at most {MAX_DOCUMENT_BYTES} bytes are read", zh=zh)


def _read(raw: bytes) -> Json:
    body = raw.removeprefix(canonical.BOM)
    if not body.strip():
        raise NotJson("there is nothing in it", zh="内容为空")
    if markup.is_xml(raw):
        raise NotJson("this is XML, and was sent as JSON", zh="这是 XML,却按 JSON 提交")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as refusal:
        at = len(raw) - len(body) + refusal.start
        raise NotUtf8(f"byte {at} is not UTF-8", zh=f"第 {at} 字节不是 UTF-8,请另存为 UTF-8") from refusal
    try:
        return canonical.parse(body, max_bytes=MAX_DOCUMENT_BYTES, max_depth=MAX_DOCUMENT_DEPTH)
    except CanonicalRefused as refusal:
        raise named(refusal, body) from refusal


def _listed(document: dict[str, Json], path: tuple[str, ...], *, may_be_empty: bool) -> tuple[RawEvent, ...]:
    holder: dict[str, Json] = document
    for depth, name in enumerate(path):
        inner = holder.get(name)
        if not isinstance(inner, dict):
            raise NotEpcis(f"{name} is not an object", zh=f"{name} 应为对象", place=pointer(*path[: depth + 1]))
        holder = inner
    place = pointer(*path, "eventList")
    if may_be_empty and holder.get("eventList", []) == []:
        return ()
    if "eventList" not in holder and "event" in holder:  # the standard's other form, for one
        return (replace(_events([holder["event"]], "")[0], pointer=pointer(*path, "event")),)
    if "eventList" not in holder:
        raise NoEvents("there is no eventList", zh="没有 eventList", place=place)
    listed = holder["eventList"]
    if not isinstance(listed, list):
        raise NotEpcis("eventList is not an array", zh="eventList 应为数组", place=place)
    return _events(listed, place)


def _events(listed: list[Json], place: str) -> tuple[RawEvent, ...]:
    if not listed:
        raise NoEvents("the list of events is empty", zh="事件列表为空", place=place)
    if len(listed) > MAX_EVENTS:
        raise TooLarge(f"more than {MAX_EVENTS} events", zh=f"事件超过 {MAX_EVENTS} 个,请分为几个文件", place=place)
    found = []
    for index, value in enumerate(listed):
        if not isinstance(value, dict):
            raise NotEpcis("an event is an object", zh="事件应为对象", place=f"{place}/{index}")
        found.append(RawEvent(index, f"{place}/{index}", value))
    return tuple(found)
