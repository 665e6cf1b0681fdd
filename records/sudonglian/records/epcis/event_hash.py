"""GS1's Event Hash ID, for interoperability with systems that know an event by it.

CBV 2.0 §8.9, as its reference implementation reads it; docs/decisions/0203 says where the two differ.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import digital_link, epc
from sudonglian.chain.identifiers.digital_link import DigitalLink
from sudonglian.records.epcis.plain import effective_context, entries

Order: TypeAlias = "tuple[tuple[str, Order | None], ...]"


def _plain(*names: str) -> Order:
    return tuple((name, None) for name in names)


_QUANTITY: Final[Order] = (("quantityElement", _plain("epcClass", "quantity", "uom")),)

_SENSOR: Final[Order] = (
    (
        "sensorElement",
        (
            (
                "sensorMetadata",
                _plain(
                    "time",
                    "startTime",
                    "endTime",
                    "deviceID",
                    "deviceMetadata",
                    "rawData",
                    "dataProcessingMethod",
                    "bizRules",
                ),
            ),
            (
                "sensorReport",
                _plain(
                    "type",
                    "exception",
                    "deviceID",
                    "deviceMetadata",
                    "rawData",
                    "dataProcessingMethod",
                    "time",
                    "microorganism",
                    "chemicalSubstance",
                    "value",
                    "component",
                    "stringValue",
                    "booleanValue",
                    "hexBinaryValue",
                    "uriValue",
                    "minValue",
                    "maxValue",
                    "meanValue",
                    "sDev",
                    "percRank",
                    "percValue",
                    "uom",
                    "coordinateReferenceSystem",
                ),
            ),
        ),
    ),
)

ORDER: Final[Order] = (
    *_plain("eventTime", "eventTimeZoneOffset", "certificationInfo"),
    ("epcList", _plain("epc")),
    *_plain("parentID"),
    ("inputEPCList", _plain("epc")),
    ("childEPCs", _plain("epc")),
    ("quantityList", _QUANTITY),
    ("childQuantityList", _QUANTITY),
    ("inputQuantityList", _QUANTITY),
    ("outputEPCList", _plain("epc")),
    ("outputQuantityList", _QUANTITY),
    *_plain("action", "transformationID", "bizStep", "disposition"),
    ("persistentDisposition", _plain("set", "unset")),
    ("readPoint", _plain("id")),
    ("bizLocation", _plain("id")),
    ("sensorElementList", _SENSOR),
)
"""The members that have a place; all others follow, sorted, with transactions, sources and destinations among them."""

TYPED: Final = ("bizTransaction", "source", "destination")
"""Elements whose type is written before what it types."""

TYPED_LISTS: Final = frozenset({"bizTransactionList", "sourceList", "destinationList"})

TEXT: Final = "#text"
"""The text of an extension that also has members, as XML may."""

LEFT_OUT: Final = frozenset({"type", "@context", "eventID", "recordTime", "errorDeclaration"})
"""What says who recorded the event, when, or that it was wrong: not what happened."""

SKIPPED: Final = frozenset({"rdfs:comment", "comment", "@context", TEXT})
"""Comments, bindings, and the text of an element, which stands before its members."""

TIMES: Final = frozenset({"eventTime", "time", "startTime", "endTime"})

STANDARD: Final = {"gs1": "https://gs1.org/voc/", "cbv": "https://ref.gs1.org/cbv/"}
"""Prefixes that are written out in values; a firm's own are left as they are."""

KEY_PREFIXES: Final = STANDARD | {"cbvmda": "urn:epcglobal:cbv:mda", "epcis": "https://ref.gs1.org/epcis/"}

URN_WORDS: Final = {
    "urn:epcglobal:cbv:bizstep:": "https://ref.gs1.org/cbv/BizStep-",
    "urn:epcglobal:cbv:disp:": "https://ref.gs1.org/cbv/Disp-",
    "urn:epcglobal:cbv:btt:": "https://ref.gs1.org/cbv/BTT-",
    "urn:epcglobal:cbv:sdt:": "https://ref.gs1.org/cbv/SDT-",
    "urn:epcglobal:cbv:er:": "https://ref.gs1.org/cbv/ER-",
}

BARE_WORDS: Final = {
    ("bizStep",): "https://ref.gs1.org/cbv/BizStep-",
    ("disposition",): "https://ref.gs1.org/cbv/Disp-",
    ("persistentDisposition", "set"): "https://ref.gs1.org/cbv/Disp-",
    ("persistentDisposition", "unset"): "https://ref.gs1.org/cbv/Disp-",
    ("bizTransactionList", "type"): "https://ref.gs1.org/cbv/BTT-",
    ("sourceList", "type"): "https://ref.gs1.org/cbv/SDT-",
    ("destinationList", "type"): "https://ref.gs1.org/cbv/SDT-",
    ("sensorReport", "type"): "https://gs1.org/voc/",
    ("sensorReport", "exception"): "https://gs1.org/voc/",
    ("sensorReport", "component"): "https://ref.gs1.org/cbv/Comp-",
}

ITEMS: Final = {"epcList": "epc", "inputEPCList": "epc", "outputEPCList": "epc", "childEPCs": "epc"} | {
    "quantityList": "quantityElement",
    "childQuantityList": "quantityElement",
    "inputQuantityList": "quantityElement",
    "outputQuantityList": "quantityElement",
    "sensorElementList": "sensorElement",
}
"""What XML calls the elements of a list that JSON leaves nameless."""

TIME: Final = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})", re.ASCII)


def event_hash_id(event: dict[str, Json], contexts: Sequence[Json] = ()) -> str:
    """Return the Event Hash ID of an event, or of its plain event.

    It is a name, not a commitment: text that looks like a number counts by its binary floating point value, so that
    two lots `0012` and `12` are one, and an error declaration does not count at all.

    >>> event_hash_id({"type": "ObjectEvent"})[:31]
    'ni:///sha-256;7aa6d15415d4b429d'
    """
    digest = hashlib.sha256(pre_hash(event, contexts).encode("utf-8")).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def pre_hash(event: dict[str, Json], contexts: Sequence[Json] = ()) -> str:
    """Return the text that is hashed.

    >>> pre_hash({"type": "ObjectEvent", "action": "ADD", "bizStep": "packing"})
    'eventType=ObjectEventaction=ADDbizStep=https://ref.gs1.org/cbv/BizStep-packing'
    """
    _, bindings = effective_context([*contexts, *entries(event.get("@context", []), "/@context")])
    prefixes = KEY_PREFIXES | {term: value for term, value in bindings.items() if isinstance(value, str)}
    members = {name: value for name, value in event.items() if name not in LEFT_OUT}
    return f"eventType={event.get('type')}" + _object(members, ORDER, "", prefixes, top=True)


def _object(value: dict[str, Json], order: Order, parent: str, prefixes: dict[str, str], *, top: bool = False) -> str:
    done = "".join(_member(name, value[name], inner, parent, prefixes) for name, inner in order if name in value)
    named = {name for name, _ in order}
    # What the standard's own objects may not hold stands behind the whole event, as published.
    rest = [
        _free(name, inner, parent, prefixes)
        for name, inner in value.items()
        if name not in named and name not in SKIPPED and (top or not order or ":" in name)
    ]
    if top:
        rest += (stray for name, inner in order if inner and (stray := _strays(name, value.get(name), inner, prefixes)))
    return done + "".join(sorted(rest))


def _member(name: str, value: Json, order: "Order | None", parent: str, prefixes: dict[str, str]) -> str:
    """Return a member of the standard's own, without its name if it is empty."""
    if item := ITEMS.get(name):
        listed = value if isinstance(value, list) else [value]
        inner = order[0][1] if order else None
        body = "".join(sorted(_member(item, element, inner, name, prefixes) for element in listed))
        return name + body if body else ""
    if isinstance(value, list):
        return "".join(sorted(_member(name, element, order, parent, prefixes) for element in value))
    if isinstance(value, dict) and "$dec" not in value:
        body = _object(value, order or (), name, prefixes)
        return name + body if body else ""
    text = _text(name, value, parent)
    return f"{name}={text}" if text else ""


def _free(name: str, value: Json, parent: str, prefixes: dict[str, str]) -> str:
    """Return a member that has no place of its own: of extensions also the name of an empty one."""
    if value is None:
        return ""
    if isinstance(value, list):
        if name in TYPED_LISTS:
            body = "".join(sorted(_typed(element, name, prefixes) for element in value))
            return name + body if body else ""
        if name in ITEMS:
            return _member(name, value, None, parent, prefixes)
        return "".join(sorted(_free(name, element, parent, prefixes) for element in value))
    key = _key(name, prefixes)
    if isinstance(value, dict) and "$dec" not in value:
        text = _text(name, value.get(TEXT, ""), parent)
        return key + (f"={text}" if text else "") + _object(value, (), name, prefixes)
    text = _text(name, value, parent)
    return f"{key}={text}" if text else key


def _strays(name: str, value: Json, order: Order, prefixes: dict[str, str]) -> str:
    """Return the members without a prefix that an object of the standard's own does not have, under its name."""
    if isinstance(value, list):
        item = ITEMS.get(name)
        inner = order[0][1] if item and order else order
        found = sorted(filter(None, (_strays(item or name, one, inner or (), prefixes) for one in value)))
        return name + "".join(found) if found and item else "".join(found)
    if not isinstance(value, dict) or "$dec" in value:
        return ""
    known = dict(order)
    found = []
    for key, one in value.items():
        if inner := known.get(key):
            found.append(_strays(key, one, inner, prefixes))
        elif key not in known and ":" not in key and key not in SKIPPED:
            found.append(_free(key, one, name, prefixes))
    return name + "".join(sorted(found)) if any(found) else ""


def _typed(element: Json, name: str, prefixes: dict[str, str]) -> str:
    if not isinstance(element, dict):
        return _text(name, element, "")
    return _object(element, _plain("type", *TYPED), name, prefixes)


def _key(name: str, prefixes: dict[str, str]) -> str:
    prefix, colon, local = name.partition(":")
    return f"{{{prefixes[prefix]}}}{local}" if colon and prefix in prefixes else name


def _text(name: str, value: Json, parent: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        value = value.get("$dec")
    text = str(value).strip()
    if name in TIMES:
        return _time(text)
    if text and ":" not in text:
        text = (BARE_WORDS.get((parent, name)) or BARE_WORDS.get((name,)) or "") + text
    prefix, colon, local = text.partition(":")
    if colon and prefix in STANDARD:
        text = STANDARD[prefix] + local
    for urn, uri in URN_WORDS.items():
        text = text.replace(urn, uri)
    return _link(_number(text))


def _number(text: str) -> str:
    # As published: 18-digit text loses its last digits here. That is why no commitment rests on this hash.
    try:
        number = float(text)
        return str(int(number)) if number == int(number) else str(number)
    except (ValueError, OverflowError):
        return text


def _link(text: str) -> str:
    link = epc.parse(text) or digital_link.parse(text)
    if link is None:
        return text
    if link.ai in ("01", "8006"):  # only what identifies most finely stays
        found = dict(link.qualifiers)
        for finest in ("21", "235", "10"):
            if finest in found:
                return str(DigitalLink(link.ai, link.value, ((finest, found[finest]),)))
        return str(DigitalLink(link.ai, link.value))
    return str(link)


def _time(text: str) -> str:
    match = TIME.fullmatch(text)
    if not match:
        return text
    fraction = (match[2] or "").ljust(4, "0")
    return _utc(match[1], match[3], int(fraction[:3]) + (fraction[3] >= "5")) or text


def _utc(local: str, offset: str, milliseconds: int) -> str | None:
    try:
        whole = datetime.fromisoformat(local + offset.replace("Z", "+00:00")).astimezone(UTC)
        exact = whole + timedelta(milliseconds=milliseconds)
    except (ValueError, OverflowError):
        return None
    return exact.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
