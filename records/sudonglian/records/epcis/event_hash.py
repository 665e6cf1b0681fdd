"""GS1's Event Hash ID, for interoperability with systems that know an event by it.

CBV 2.0 §8.9, as its reference implementation reads it; docs/decisions/0203 says where the two differ.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.hash_values import STANDARD, written
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

KEY_PREFIXES: Final = STANDARD | {"cbvmda": "urn:epcglobal:cbv:mda", "epcis": "https://ref.gs1.org/epcis/"}

ITEMS: Final = {"epcList": "epc", "inputEPCList": "epc", "outputEPCList": "epc", "childEPCs": "epc"} | {
    "quantityList": "quantityElement",
    "childQuantityList": "quantityElement",
    "inputQuantityList": "quantityElement",
    "outputQuantityList": "quantityElement",
    "sensorElementList": "sensorElement",
}
"""What XML calls the elements of a list that JSON leaves nameless."""


def event_hash_id(event: dict[str, Json], contexts: Sequence[Json] = ()) -> str:
    """Return the Event Hash ID of an event, or of its plain event.

    It is a name, not a commitment: text that looks like a number counts by its binary floating point value, so that
    two lots `0012` and `12` are one, and an error declaration does not count at all.

    >>> event_hash_id({"type": "ObjectEvent"})[:31]
    'ni:///sha-256;7aa6d15415d4b429d'
    """
    return hash_id(pre_hash(event, contexts))


def hash_id(text: str) -> str:
    """Return the Event Hash ID of the text that is hashed (see `pre_hash`)."""
    return f"ni:///sha-256;{hashlib.sha256(text.encode('utf-8')).hexdigest()}?ver=CBV2.0"


def pre_hash(event: dict[str, Json], contexts: Sequence[Json] = ()) -> str:
    """Return the text that is hashed.

    >>> pre_hash({"type": "ObjectEvent", "action": "ADD", "bizStep": "packing"})
    'eventType=ObjectEventaction=ADDbizStep=https://ref.gs1.org/cbv/BizStep-packing'
    """
    _, bindings = effective_context([*contexts, *entries(event.get("@context", []), "/@context")])
    return Writer(bindings).event(event)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The members that have a place in an object, with those in them."""

    members: "tuple[tuple[str, Ordered | None], ...]"
    known: "dict[str, Ordered | None]"


def _ordered(order: Order) -> Ordered:
    members = tuple((name, None if inner is None else _ordered(inner)) for name, inner in order)
    return Ordered(members, dict(members))


EVENT: Final = _ordered(ORDER)
TYPED_ORDER: Final = _ordered(_plain("type", *TYPED))
NOTHING: Final = _ordered(())


class Writer:
    """Writes one event; it notes whether there was something to which no rule gives a place.

    All values go through `_written` and all that has an order through `_sorted`: a plan of an event's markup is made by
    a writer that notes these instead (hash_outline.py).
    """

    _written = staticmethod(written)

    def __init__(self, bindings: dict[str, Json]) -> None:
        self._prefixes = KEY_PREFIXES | {term: value for term, value in bindings.items() if isinstance(value, str)}
        self.strayed = False

    def event(self, event: dict[str, Json]) -> str:
        """Return the text that is hashed."""
        done = [self.member(name, event[name], inner, "") for name, inner in EVENT.members if name in event]
        rest = [
            self.free(name, value, "")
            for name, value in event.items()
            if name not in EVENT.known and name not in LEFT_OUT and name not in SKIPPED
        ]
        if self.strayed:
            rest += (self._strays(name, event[name], inner) for name, inner in EVENT.members if inner and name in event)
        return f"eventType={event.get('type')}" + "".join(done) + self._sorted(rest)

    @staticmethod
    def _sorted(found: list[str]) -> str:
        return "".join(sorted(found))

    def _object(self, value: dict[str, Json], order: Ordered, parent: str) -> str:
        done = [self.member(name, value[name], inner, parent) for name, inner in order.members if name in value]
        if len(done) < len(value):
            rest = []
            for name, inner in value.items():
                if name in order.known or name in SKIPPED:
                    continue
                if not order.known or ":" in name:
                    rest.append(self.free(name, inner, parent))
                else:  # what the standard's own objects may not hold stands behind the whole event, as published
                    self.strayed = True
            done.append(self._sorted(rest))
        return "".join(done)

    def member(self, name: str, value: Json, order: Ordered | None, parent: str) -> str:
        """Return a member of the standard's own, without its name if it is empty."""
        if isinstance(value, str):
            text = self._written(name, value, parent)
            return f"{name}={text}" if text else ""
        if item := ITEMS.get(name):
            listed = value if isinstance(value, list) else [value]
            inner = order.members[0][1] if order else None
            if inner is None and all(type(element) is str for element in listed):
                texts = [text for element in listed if (text := self._written(item, element, name))]
                return name + self._sorted([f"{item}={text}" for text in texts]) if texts else ""
            body = self._sorted([self.member(item, element, inner, name) for element in listed])
            return name + body if body else ""
        if isinstance(value, list):
            return self._sorted([self.member(name, element, order, parent) for element in value])
        if isinstance(value, dict) and "$dec" not in value:
            body = self._object(value, order or NOTHING, name)
            return name + body if body else ""
        text = self._written(name, value, parent)
        return f"{name}={text}" if text else ""

    def free(self, name: str, value: Json, parent: str) -> str:
        """Return a member that has no place of its own: of extensions also the name of an empty one."""
        if value is None:
            return ""
        if isinstance(value, list):
            if name in TYPED_LISTS:
                body = self._sorted([self._typed(element, name) for element in value])
                return name + body if body else ""
            if name in ITEMS:
                return self.member(name, value, None, parent)
            return self._sorted([self.free(name, element, parent) for element in value])
        key = self.key(name)
        if isinstance(value, dict) and "$dec" not in value:
            text = self._written(name, value.get(TEXT, ""), parent)
            return key + (f"={text}" if text else "") + self._object(value, NOTHING, name)
        text = self._written(name, value, parent)
        return f"{key}={text}" if text else key

    def _strays(self, name: str, value: Json, order: Ordered) -> str:
        """Return the members without a prefix that an object of the standard's own does not have, under its name."""
        if isinstance(value, list):
            item = ITEMS.get(name)
            inner = order.members[0][1] if item else order
            found = [self._strays(item or name, one, inner or NOTHING) for one in value]
            body = self._sorted(found)
            return name + body if body and item else body
        if not isinstance(value, dict) or "$dec" in value:
            return ""
        found = []
        for key, one in value.items():
            if inner := order.known.get(key):
                found.append(self._strays(key, one, inner))
            elif key not in order.known and ":" not in key and key not in SKIPPED:
                found.append(self.free(key, one, name))
        return name + self._sorted(found) if any(found) else ""

    def _typed(self, element: Json, name: str) -> str:
        return (
            self._object(element, TYPED_ORDER, name) if isinstance(element, dict) else self._written(name, element, "")
        )

    def key(self, name: str) -> str:
        """Return a name as it is written: a prefix that is bound becomes what it stands for."""
        prefix, colon, local = name.partition(":")
        return f"{{{self._prefixes[prefix]}}}{local}" if colon and prefix in self._prefixes else name
