"""EPCIS documents: the events in the bytes that somebody sent, each with its place.

EPCIS 2.0 §9 (JSON/JSON-LD binding); the bytes are read by docs/spec/canonical.md.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused, RecordRefused
from sudonglian.records.epcis.findings import pointer

Kind: TypeAlias = Literal["EPCISDocument", "EPCISQueryDocument", "event", "array"]

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""Some 20,000 ordinary events; four times the largest single event (docs/spec/canonical.md rule 2)."""

MAX_DOCUMENT_DEPTH: Final = canonical.MAX_DEPTH + 6
"""An event may be as deep as the canonical form allows; a query document wraps it in at most six levels."""


class DocumentRefused(RecordRefused):
    """Bytes that are not an EPCIS document with events; `place` is a JSON pointer where there is one."""

    slug = "document"


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


class NotEpcis(DocumentRefused):
    """JSON, but not of EPCIS."""

    slug = "not-epcis"


class NoEvents(DocumentRefused):
    """An EPCIS document in which nothing happened."""

    slug = "no-events"


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
        Each reason has its own class and slug.
    CanonicalRefused
        JSON that has no canonical form: a key twice, a reserved key, a number that cannot be kept.
    """
    value = _read(raw)
    if isinstance(value, list):
        return Document("array", _events(value, ""), (), {})
    if not isinstance(value, dict):
        raise NotEpcis("neither an object nor an array")
    given = value.get("type")
    if isinstance(given, str) and given.endswith("Event"):
        return Document("event", (RawEvent(0, "", value),), (), {})
    kind: Kind
    if given == "EPCISDocument":
        kind, events = "EPCISDocument", _listed(value, ("epcisBody",))
    elif given == "EPCISQueryDocument":
        kind, events = "EPCISQueryDocument", _listed(value, ("epcisBody", "queryResults", "resultsBody"))
    else:
        raise NotEpcis("type is neither an EPCIS document nor an event", place="/type")
    envelope = {name: member for name, member in value.items() if name not in ("@context", "epcisBody")}
    return Document(kind, events, entries(value.get("@context", []), "/@context"), envelope)


def entries(context: Json, place: str) -> tuple[Json, ...]:
    """Return the entries of a JSON-LD context, which may be written alone or as an array."""
    found = tuple(context) if isinstance(context, list) else (context,)
    for index, entry in enumerate(found):
        if entry is not None and not isinstance(entry, str | dict):
            raise NotEpcis("a context is a URL, an object or an array of these", place=f"{place}/{index}")
    return found


def _read(raw: bytes) -> Json:
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise TooLarge(f"{len(raw)} bytes, at most {MAX_DOCUMENT_BYTES} are read")
    body = raw.removeprefix(canonical.BOM)
    if body.lstrip()[:1] == b"<":
        raise XmlGiven("this is XML; this command takes the JSON form of EPCIS 2.0 and does not accept XML yet")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as refusal:
        raise NotUtf8(f"byte {len(raw) - len(body) + refusal.start} is not UTF-8") from refusal
    try:
        return canonical.parse(body, max_bytes=MAX_DOCUMENT_BYTES, max_depth=MAX_DOCUMENT_DEPTH)
    except CanonicalRefused as refusal:
        match refusal.place:
            case "syntax":
                raise NotJson(refusal.reason) from refusal
            case "too-deep":
                raise TooDeep(refusal.reason) from refusal
            case _:
                raise


def _listed(document: dict[str, Json], path: tuple[str, ...]) -> tuple[RawEvent, ...]:
    holder: dict[str, Json] = document
    for depth, name in enumerate(path):
        inner = holder.get(name)
        if not isinstance(inner, dict):
            raise NotEpcis(f"{name} is not an object", place=pointer(*path[: depth + 1]))
        holder = inner
    place = pointer(*path, "eventList")
    if "eventList" not in holder:
        raise NoEvents("there is no eventList", place=place)
    listed = holder["eventList"]
    if not isinstance(listed, list):
        raise NotEpcis("eventList is not an array", place=place)
    return _events(listed, place)


def _events(listed: list[Json], place: str) -> tuple[RawEvent, ...]:
    if not listed:
        raise NoEvents("the list of events is empty", place=place)
    found = []
    for index, value in enumerate(listed):
        if not isinstance(value, dict):
            raise NotEpcis("an event is an object", place=f"{place}/{index}")
        found.append(RawEvent(index, f"{place}/{index}", value))
    return tuple(found)
