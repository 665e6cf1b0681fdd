"""EPCIS documents: the events in the bytes that somebody sent, each with its place.

EPCIS 2.0 §9 (JSON/JSON-LD binding); the bytes are read by docs/spec/canonical.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused, RecordRefused
from sudonglian.records.epcis import culprit
from sudonglian.records.epcis.findings import pointer

Kind: TypeAlias = Literal["EPCISDocument", "EPCISQueryDocument", "event", "array"]

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""Some 20,000 ordinary events; four times the largest single event (docs/spec/canonical.md rule 2)."""

MAX_DOCUMENT_DEPTH: Final = canonical.MAX_DEPTH + 6
"""An event may be as deep as the canonical form allows; a query document wraps it in at most six levels."""


class DocumentRefused(RecordRefused):
    """Bytes that are not an EPCIS document with events; `place` is a JSON pointer where there is one."""

    slug = "document"

    def __init__(self, reason: str, *, zh: str, place: str = "") -> None:
        super().__init__(reason, place=place)
        self.zh = zh


class NotUtf8(DocumentRefused):
    """Bytes in another encoding."""

    slug = "not-utf8"


class NotJson(DocumentRefused):
    """Text that is not JSON."""

    slug = "not-json"


class XmlGiven(DocumentRefused):
    """XML, which is translated by another door."""

    slug = "xml-given"


class TooLarge(DocumentRefused):
    """More bytes than one document may have."""

    slug = "too-large"


class TooDeep(DocumentRefused):
    """Deeper nesting than any event needs."""

    slug = "too-deep"


class DuplicateKey(DocumentRefused):
    """An object that says two things under one name (docs/spec/canonical.md rule 3)."""

    slug = "duplicate-key"


class ReservedKey(DocumentRefused):
    """A key that belongs to the record's own form (rule 4)."""

    slug = "reserved-key"


class Surrogate(DocumentRefused):
    """Half a character (rule 5)."""

    slug = "surrogate"


class NumberRefused(DocumentRefused):
    """A number that cannot be kept exactly (rule 7)."""

    slug = "number"


class NotEpcis(DocumentRefused):
    """JSON, but not of EPCIS."""

    slug = "not-epcis"


class NoEvents(DocumentRefused):
    """An EPCIS document in which nothing happened."""

    slug = "no-events"


RULES: Final[Mapping[str, tuple[type[DocumentRefused], str]]] = {
    "syntax": (NotJson, "不是合法的 JSON"),
    "too-large": (TooLarge, "超过可读取的字节数"),
    "too-deep": (TooDeep, "嵌套层数过多"),
    "duplicate-key": (DuplicateKey, "同一对象中有重复的键"),
    "reserved-key": (ReservedKey, "使用了保留的键:以 $ 开头的键,以及 _sd、_sd_alg、..."),
    "surrogate": (Surrogate, "字符串中有不成对的代理字符"),
    "number": (NumberRefused, f"数字无法精确保存:超过 {canonical.MAX_DIGITS} 位或写法过长"),
}
"""The rules of canonical.md, by which its reader names what it refuses, and how to say them in Chinese."""

_LINE = re.compile(r"line (\d+) column (\d+)")


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

    @property
    def header(self) -> dict[str, Json]:
        """Return `epcisHeader`, which carries master data, or an empty object."""
        found = self.envelope.get("epcisHeader")
        return found if isinstance(found, dict) else {}


def read_document(raw: bytes) -> Document:
    """Return the events of an EPCISDocument, an EPCISQueryDocument, one bare event, or an array of events.

    A leading UTF-8 byte-order mark is dropped; nothing else is repaired.

    >>> [e.pointer for e in read_document(b'[{"type": "ObjectEvent"}]').events]
    ['/0']

    Raises
    ------
    DocumentRefused
        Each reason has its own class and slug; those of canonical.md have its rules' names.
    """
    value = _read(raw)
    if isinstance(value, list):
        return Document("array", _events(value, ""), (), {})
    if not isinstance(value, dict):
        raise NotEpcis("neither an object nor an array", zh="既不是对象也不是数组")
    given = value.get("type")
    if isinstance(given, str) and given.endswith("Event"):
        return Document("event", (RawEvent(0, "", value),), (), {})
    kind: Kind
    if given == "EPCISDocument":
        kind, events = "EPCISDocument", _listed(value, ("epcisBody",))
    elif given == "EPCISQueryDocument":
        kind, events = "EPCISQueryDocument", _listed(value, ("epcisBody", "queryResults", "resultsBody"))
    else:
        zh = "type 既不是 EPCIS 文件也不是事件"
        raise NotEpcis("type is neither an EPCIS document nor an event", zh=zh, place="/type")
    envelope = {name: member for name, member in value.items() if name not in ("@context", "epcisBody")}
    return Document(kind, events, entries(value.get("@context", []), "/@context"), envelope)


def entries(context: Json, place: str) -> tuple[Json, ...]:
    """Return the entries of a JSON-LD context, which may be written alone or as an array."""
    found = tuple(context) if isinstance(context, list) else (context,)
    for index, entry in enumerate(found):
        if entry is not None and not isinstance(entry, str | dict):
            zh = "@context 应为网址、对象或其数组"
            raise NotEpcis("a context is a URL, an object or an array of these", zh=zh, place=f"{place}/{index}")
    return found


def named(refusal: CanonicalRefused, text: bytes = b"") -> RecordRefused:
    """Return a refusal of the canonical form under its rule's name, with where it is in `text`, if that is known."""
    if refusal.place not in RULES:
        return refusal
    kind, zh = RULES[refusal.place]
    if line := _LINE.match(refusal.reason):
        zh = f"第 {line[1]} 行第 {line[2]} 列不合 JSON 语法"
    return kind(refusal.reason, zh=zh, place=culprit.find(text, refusal.place) if text else "")


def _read(raw: bytes) -> Json:
    if len(raw) > MAX_DOCUMENT_BYTES:
        zh = f"最多读取 {MAX_DOCUMENT_BYTES} 字节"
        raise TooLarge(f"at most {MAX_DOCUMENT_BYTES} bytes are read", zh=zh)
    body = raw.removeprefix(canonical.BOM)
    start = body.lstrip()[:1]
    if not start:
        raise NotJson("there is nothing in it", zh="内容为空")
    if start == b"<":
        reason = "this is XML; this command takes the JSON form of EPCIS 2.0 and does not accept XML yet"
        raise XmlGiven(reason, zh="这是 XML;暂只接受 EPCIS 2.0 的 JSON 形式")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as refusal:
        at = len(raw) - len(body) + refusal.start
        raise NotUtf8(f"byte {at} is not UTF-8", zh=f"第 {at} 字节不是 UTF-8,请另存为 UTF-8") from refusal
    try:
        return canonical.parse(body, max_bytes=MAX_DOCUMENT_BYTES, max_depth=MAX_DOCUMENT_DEPTH)
    except CanonicalRefused as refusal:
        raise named(refusal, body) from refusal


def _listed(document: dict[str, Json], path: tuple[str, ...]) -> tuple[RawEvent, ...]:
    holder: dict[str, Json] = document
    for depth, name in enumerate(path):
        inner = holder.get(name)
        if not isinstance(inner, dict):
            raise NotEpcis(f"{name} is not an object", zh=f"{name} 应为对象", place=pointer(*path[: depth + 1]))
        holder = inner
    place = pointer(*path, "eventList")
    if "eventList" not in holder:
        raise NoEvents("there is no eventList", zh="没有 eventList", place=place)
    listed = holder["eventList"]
    if not isinstance(listed, list):
        raise NotEpcis("eventList is not an array", zh="eventList 应为数组", place=place)
    return _events(listed, place)


def _events(listed: list[Json], place: str) -> tuple[RawEvent, ...]:
    if not listed:
        raise NoEvents("the list of events is empty", zh="事件列表为空", place=place)
    found = []
    for index, value in enumerate(listed):
        if not isinstance(value, dict):
            raise NotEpcis("an event is an object", zh="事件应为对象", place=f"{place}/{index}")
        found.append(RawEvent(index, f"{place}/{index}", value))
    return tuple(found)
