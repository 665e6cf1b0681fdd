"""The judgement on one event: schema, the standard's own rules, our extensions, check digits, meaning.

docs/spec/plain-event.md; EPCIS 2.0; docs/profiles.md (a finding of meaning is a warning, unless a profile raises it).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sudonglian.chain import identifiers
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import RecordRefused
from sudonglian.records.epcis.document import Document
from sudonglian.records.epcis.extensions import check_extensions
from sudonglian.records.epcis.findings import Finding, error, pointer, warning
from sudonglian.records.epcis.plain import (
    CORE,
    SdlContextRefused,
    effective_context,
    entries,
    names_epcis,
    plain_under,
)
from sudonglian.records.epcis.schema import check_schema
from sudonglian.records.epcis.sensors import check_sensors
from sudonglian.records.epcis.times import instant
from sudonglian.records.meaning.event import check_meaning

CLOCK_SKEW: Final = timedelta(minutes=10)
"""Clocks of scanners drift by minutes; later than that an event claims to know the future."""

FUTURE_LIMIT: Final = timedelta(days=1)
"""Beyond the largest mistake of a time zone (26 h) lies no honest clock; a day already is a wrong date."""

IDENTIFIER_LISTS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
QUANTITY_LISTS: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
HOLDERS: Final = (
    *((name, "epcClass") for name in QUANTITY_LISTS),
    ("sourceList", "source"),
    ("destinationList", "destination"),
)
PLACES: Final = ("readPoint", "bizLocation")


def check_event(event: dict[str, Json], now: datetime, contexts: Sequence[Json] = ()) -> list[Finding]:
    """Return the findings of one event, or of its plain event, with pointers from the event.

    `contexts` are those of the document around it; `now` is aware. Nothing is raised: an event of which no plain event
    can be made has that as a finding.
    """
    return examine(event, now, contexts)[0]


def examine(
    event: dict[str, Json], now: datetime, contexts: Sequence[Json] = ()
) -> tuple[list[Finding], dict[str, Json] | None]:
    """Return the findings of `check_event` and the plain event, None if none can be made (there is an error then)."""
    found: list[Finding] = []
    plain: dict[str, Json] | None = None
    terms: frozenset[str] = CORE
    try:
        urls, bindings = effective_context([*contexts, *entries(event.get("@context", []), "/@context")])
        terms = frozenset((*urls, *bindings, *CORE))
        plain = plain_under(event, urls, bindings)
    except SdlContextRefused as refusal:
        found.append(
            error(
                refusal.slug,
                refusal.place,
                "docs/spec/plain-event.md rule 8",
                "前缀 sdl 只能且必须绑定 urn:sudonglian:ns:1:",
                refusal.reason,
            )
        )
    except RecordRefused as refusal:
        found.append(
            error(refusal.slug, refusal.place, "docs/spec/plain-event.md", "无法得到事件的规范内容", refusal.reason)
        )
    found += check_schema(event, terms)
    found += _times(event, now)
    found += check_extensions(event)
    found += check_sensors(event)
    found += _digits(event)
    found += check_meaning(event)
    return found, plain


def check_contexts(document: Document) -> list[tuple[int, Finding]]:
    """Return that GS1's context is not named around or in an event, once and by the first; an array has no context.

    It is meant all the same (plain-event.md rule 5), but nobody else who reads the document can know that.
    """
    if document.is_xml or document.kind == "array":
        return []
    for one in document.events:
        contexts = (*document.context, *entries(one.value.get("@context", []), "/@context"))
        if not names_epcis(contexts):
            zh = "应写明 EPCIS 的上下文 https://ref.gs1.org/standards/epcis/epcis-context.jsonld,否则其他系统读不懂"
            en = (
                "names no https://ref.gs1.org/standards/epcis/epcis-context.jsonld, without which others cannot read it"
            )
            return [(one.index, warning("context-epcis", "/@context", "EPCIS 2.0, JSON binding", zh, en))]
    return []


def _times(event: dict[str, Json], now: datetime) -> list[Finding]:
    at = instant(event.get("eventTime"))
    if at is None or at <= now + CLOCK_SKEW:
        return []
    make = error if at > now + FUTURE_LIMIT else warning
    return [
        make(
            "event-time-future",
            "/eventTime",
            "EPCIS 2.0 §7.4.1",
            "eventTime 在将来,事件应已经发生",
            "eventTime lies in the future; an event is something that has happened",
        )
    ]


def _digits(event: dict[str, Json]) -> list[Finding]:
    return [
        warning(fault.code, pointer(*path), "GS1 General Specifications §7.9; EPC TDS 2.0 §6.3", fault.zh, fault.en)
        for uri, *path in _named(event)
        if isinstance(uri, str) and (fault := identifiers.check(uri))
    ]


def _named(event: dict[str, Json]) -> Iterator[tuple[Any, ...]]:
    """Yield everything that should be an identifier, and its path."""
    yield event.get("parentID"), "parentID"
    for member in IDENTIFIER_LISTS:
        listed = event.get(member)
        if isinstance(listed, list):
            yield from ((uri, member, index) for index, uri in enumerate(listed))
    for member, inner in HOLDERS:
        listed = event.get(member)
        if isinstance(listed, list):
            for index, element in enumerate(listed):
                if isinstance(element, dict):
                    yield element.get(inner), member, index, inner
    for member in PLACES:
        place = event.get(member)
        if isinstance(place, dict):
            yield place.get("id"), member, "id"
