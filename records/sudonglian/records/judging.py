"""Judging: what a document's events say, whether they may become records, and what they will be compared by.

docs/spec/plain-event.md, docs/spec/record.md; docs/decisions/0500. No database is needed for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused, RecordRefused
from sudonglian.records import derive, identities
from sudonglian.records.epcis import master_data
from sudonglian.records.epcis.check import check_contexts, examine
from sudonglian.records.epcis.document import Document, Form, RawEvent, line_of, read_document
from sudonglian.records.epcis.findings import Finding, pointer, warning
from sudonglian.records.epcis.master_data import Element
from sudonglian.records.epcis.refusals import DocumentRefused, named
from sudonglian.records.epcis.schema import check_envelope
from sudonglian.records.keys import Keys
from sudonglian.records.profiles.judging import by_document
from sudonglian.records.profiles.table import Profile

LATE_AFTER: Final = timedelta(hours=24)
"""A trace must be answered within a day (FSMA 204); an event that comes later than that was not there for one."""

MAX_IDENTIFIER_BYTES: Final = 2_000
"""Of a normal form: PostgreSQL's indexes hold 2,704 bytes a value, and GS1's longest identifier has under 200."""

MAX_PARTICIPANTS: Final = 10_000
"""Of one event: each costs a key and a seal, and a whole cold store has fewer workers."""

RULE: Final = "docs/spec/record.md"


class EventTooLarge(RecordRefused):
    """An event that names something too long, or too many people."""

    slug = "event-too-large"


ZH: Final[Mapping[str, str]] = {
    EventTooLarge.slug: f"标识超过 {MAX_IDENTIFIER_BYTES} 字节,或参与人员超过 {MAX_PARTICIPANTS} 名",
    derive.EventTimeRefused.slug: "不是日历上存在的、带时区的时间",
}
"""What is refused by rules that have no place in a schema, in Chinese."""

DOCUMENT_RULE: Final = "EPCIS 2.0 §9; docs/spec/canonical.md"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event, or with `index` None the document, was not taken."""

    index: int | None
    code: str
    pointer: str
    message: Mapping[str, str]
    rule: str

    def as_json(self) -> dict[str, Any]:
        """Return the members that commands and problem documents print."""
        return {
            "index": self.index,
            "code": self.code,
            "pointer": self.pointer,
            "rule": self.rule,
            "message": dict(self.message),
        }


@dataclass(frozen=True, slots=True)
class JudgedEvent:
    """An event that passed its judgement, with what it is compared by."""

    raw: RawEvent
    plain: dict[str, Json]
    event_id: str | None
    declares_error: bool
    content_mac: bytes
    event_mac: bytes
    other_mac: bytes
    """The event_mac of its error declaration, or of what it declares to be in error."""
    clear_mac: bytes
    identifiers: tuple[derive.IdentifierRow, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A document whose events have been judged, each for itself: what a database is not needed for."""

    submitter: str
    came: datetime
    total: int
    """How many events there are, the refused ones included."""
    events: tuple[JudgedEvent, ...]
    refused: tuple[Refusal, ...]
    warnings: tuple[tuple[int, Finding], ...]
    described: tuple[Element, ...] = ()
    """What the document's header says its identifiers stand for."""


def judge(
    keys: Keys,
    raw: bytes,
    *,
    submitter: str,
    now: datetime,
    form: Form | None = None,
    profile: Profile | None = None,
) -> Judged:
    """Read a document and judge its events; nothing is looked up or written, so no writer waits meanwhile.

    With a profile, what it lacks refuses, and so do the findings of meaning that the profile raises.

    Raises
    ------
    DocumentRefused
        The bytes are no document with events.
    """
    document = read_document(raw, form)
    judged = judge_document(keys, document, submitter=submitter, now=now, profile=profile)
    if document.is_xml and (judged.refused or judged.warnings):
        refused, warnings = _with_lines(raw, judged.refused, judged.warnings)
        return replace(judged, refused=refused, warnings=warnings)
    return judged


def judge_document(
    keys: Keys, document: Document, *, submitter: str, now: datetime, profile: Profile | None = None
) -> Judged:
    """Judge the events of a document that has been read; its values are those of the canonical model."""
    refused = _envelope_refusals(document)
    warnings: list[tuple[int, Finding]] = []
    events: list[JudgedEvent] = []
    if not refused:
        for one in document.events:
            judged = _judge(keys, one, document, submitter, now, warnings)
            if isinstance(judged, JudgedEvent):
                events.append(judged)
            else:
                refused += judged
        warnings += check_contexts(document)
    told = () if any(one.index is None for one in refused) else master_data.elements(document.envelope)
    if len(events) == len(document.events):
        found = by_document([(one.raw.index, one.raw.pointer, one.plain) for one in events], told, profile)
        warnings += ((index, one) for index, one in found if index is not None and one.level == "warning")
        refused += (
            Refusal(index, one.code, one.pointer, one.message, one.rule) for index, one in found if one.level == "error"
        )
    if profile is not None:
        refused, warnings = _raised(profile, refused, warnings)
    events = _unrefused(events, refused)
    return Judged(submitter, now, len(document.events), tuple(events), tuple(refused), tuple(warnings), told)


def _raised(
    profile: Profile, refused: list[Refusal], warnings: list[tuple[int, Finding]]
) -> tuple[list[Refusal], list[tuple[int, Finding]]]:
    """Return the same with the warnings that a profile raises among the refusals."""
    errors = [
        Refusal(index, one.code, one.pointer, one.message, one.rule)
        for index, one in warnings
        if one.code in profile.raises
    ]
    return [*refused, *errors], [(index, one) for index, one in warnings if one.code not in profile.raises]


def _unrefused(events: list[JudgedEvent], refused: list[Refusal]) -> list[JudgedEvent]:
    """Return the events that may become records: none if the document as a whole is refused."""
    indexes = {one.index for one in refused}
    return [] if None in indexes else [one for one in events if one.raw.index not in indexes]


def _with_lines(
    raw: bytes, refused: Sequence[Refusal], warnings: Sequence[tuple[int, Finding]]
) -> tuple[tuple[Refusal, ...], tuple[tuple[int, Finding], ...]]:
    """Return the same with the lines of the XML, which is what its sender can look at."""
    lines = line_of(raw, {*(one.pointer for one in refused), *(one.pointer for _, one in warnings)})

    def said(message: Mapping[str, str], place: str) -> dict[str, str]:
        line = lines.get(place)
        told = {"zh": f"(XML 第 {line} 行)", "en": f" (line {line} of the XML)"} if line else {}
        return {lang: text + told.get(lang, "") for lang, text in message.items()}

    return (
        tuple(replace(one, message=said(one.message, one.pointer)) for one in refused),
        tuple((index, replace(one, message=said(one.message, one.pointer))) for index, one in warnings),
    )


def _envelope_refusals(document: Document) -> list[Refusal]:
    if not document.envelope:
        return []
    context: dict[str, Json] = {"@context": list(document.context)} if document.context else {}
    found = check_envelope({**document.envelope, **context}) + master_data.check(document.envelope)
    return [Refusal(None, one.code, one.pointer, one.message, one.rule) for one in found if one.level == "error"]


def _judge(
    keys: Keys,
    raw: RawEvent,
    document: Document,
    submitter: str,
    now: datetime,
    warnings: list[tuple[int, Finding]],
) -> JudgedEvent | list[Refusal]:
    try:
        found, plain = examine(raw.value, now, document.context)
        findings = [one.under(raw.pointer) for one in found]
        errors = [one for one in findings if one.level == "error"]
        if errors:
            warnings += ((raw.index, one) for one in findings if one.level == "warning")
            return [Refusal(raw.index, one.code, one.pointer, one.message, one.rule) for one in errors]
        assert plain is not None
        late = now - derive.moment(derive.event_time_us(plain)) > LATE_AFTER
        plain_bytes = canonical.encode(plain)
        identifiers = derive.identifier_rows(plain)
        _check_size(plain, identifiers)
    except RecordRefused as refusal:
        return [refusal_of(raw, refusal)]
    findings += _own_warnings(raw, plain, late=late)
    warnings += ((raw.index, one) for one in findings)
    declares = derive.is_error_declaration(plain)
    key = keys.content
    return JudgedEvent(
        raw=raw,
        plain=plain,
        event_id=derive.event_id(plain),
        declares_error=declares,
        content_mac=derive.content_mac(key, plain_bytes),
        event_mac=derive.event_mac(key, submitter, plain, declares_error=declares),
        other_mac=derive.event_mac(key, submitter, plain, declares_error=not declares),
        clear_mac=derive.clear_mac(key, submitter, plain, declares_error=declares),
        identifiers=identifiers,
    )


def _check_size(plain: Mapping[str, Json], identifiers: Sequence[derive.IdentifierRow]) -> None:
    transformation = derive.transformation_id(plain) or ""
    for text, written in ((transformation, transformation), *((one.normal, one.uri) for one in identifiers)):
        if len(text.encode()) > MAX_IDENTIFIER_BYTES:
            reason = f"the identifier {text[:60]}… has more than {MAX_IDENTIFIER_BYTES} bytes"
            raise EventTooLarge(reason, place=_place_of(plain, written))
    if len(participants_of(plain)) > MAX_PARTICIPANTS:
        raise EventTooLarge(f"more than {MAX_PARTICIPANTS} participants", place=f"/{derive.PARTICIPANTS}")


def _own_warnings(raw: RawEvent, plain: Mapping[str, Json], *, late: bool) -> Iterator[Finding]:
    if late:
        yield warning(
            "event-late",
            raw.pointer + pointer("eventTime"),
            RULE,
            f"事件发生 {LATE_AFTER // timedelta(hours=1)} 小时后才提交",
            f"submitted more than {LATE_AFTER // timedelta(hours=1)} hours after it happened",
        )
    if derive.is_error_declaration(plain) and derive.event_id(plain) is None:
        yield warning(
            "error-declaration-of-nothing",
            raw.pointer + pointer(derive.ERROR_DECLARATION),
            "EPCIS 2.0 §7.4.1.4",
            "更正声明没有 eventID,无法指明被更正的事件",
            "an error declaration without eventID does not say which event is in error",
        )
    for place, participant in enumerate(participants_of(plain)):
        reference = participant["personRef"]
        assert isinstance(reference, dict)
        if reference["kind"] == "cn-id" and identities.cn_id_fault(str(reference["value"])):
            yield warning(
                "person-cn-id",
                raw.pointer + pointer(derive.PARTICIPANTS, place, "personRef", "value"),
                "GB 11643-1999 §6.1",
                "居民身份证号码的位数或校验码不对",
                "not a resident identity number: wrong length or check character",
            )
        if reference["kind"] == "phone" and identities.phone_fault(str(reference["value"])):
            yield warning(
                "person-phone",
                raw.pointer + pointer(derive.PARTICIPANTS, place, "personRef", "value"),
                "ITU-T E.164 §6",
                "不是电话号码:应有 7 至 15 位数字,否则将来找不到此人",
                "not a telephone number (7 to 15 digits): nobody will be found by it",
            )


def participants_of(plain: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Return the participants of a plain event that passed its judgement."""
    listed = plain.get(derive.PARTICIPANTS)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def refusal_of(raw: RawEvent, refusal: RecordRefused) -> Refusal:
    """Return an error of the record's formats as the refusal of an event."""
    if isinstance(refusal, CanonicalRefused):
        refusal = named(refusal)
    zh = refusal.zh if isinstance(refusal, DocumentRefused) else ZH.get(refusal.slug, refusal.reason)
    place = refusal.place if refusal.place.startswith("/") else ""
    message = {"zh": f"不能成为记录:{zh}", "en": f"cannot become a record: {refusal.reason}"}
    return Refusal(raw.index, refusal.slug, raw.pointer + place, message, RULE)


def refusal_of_document(refusal: RecordRefused) -> Refusal:
    """Return the error by which a document could not be read as its refusal."""
    zh = refusal.zh if isinstance(refusal, DocumentRefused) else refusal.reason
    place = refusal.place if refusal.place.startswith("/") else ""
    return Refusal(None, refusal.slug, place, {"zh": zh, "en": refusal.reason}, DOCUMENT_RULE)


def _place_of(plain: Mapping[str, Json], text: str) -> str:
    """Return the pointer of a text in an event."""
    pending: list[tuple[Json, tuple[str | int, ...]]] = [(dict(plain), ())]
    while pending:
        value, path = pending.pop()
        if value == text:
            return pointer(*path)
        if isinstance(value, dict):
            pending += ((inner, (*path, name)) for name, inner in reversed(value.items()))
        elif isinstance(value, list):
            pending += ((inner, (*path, index)) for index, inner in reversed([*enumerate(value)]))
    return ""
