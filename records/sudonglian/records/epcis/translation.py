"""Translation of an answer's identifiers: EPC URNs to GS1 Digital Links, and back where the company prefix is known.

EPCIS 2.0 §12.4 (GS1-EPC-Format); CBV 2.0 §8 (the identifiers); docs/decisions/0206. What is recorded stays as written.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, Literal, TypeAlias, get_args

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import IdentifierRefused, digital_link, epc
from sudonglian.chain.identifiers.digital_link import finest_of
from sudonglian.records.epcis.findings import pointer

Format: TypeAlias = Literal["No_Preference", "Always_GS1_Digital_Link", "Always_EPC_URN", "Never_Translates"]

FORMATS: Final[tuple[Format, ...]] = get_args(Format)

SINGLE: Final = frozenset({"parentID", "transformationID"})
LISTS: Final = frozenset({"epcList", "childEPCs", "inputEPCList", "outputEPCList"})
WITHIN: Final = {
    **dict.fromkeys(("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"), "epcClass"),
    "readPoint": "id",
    "bizLocation": "id",
    "bizTransactionList": "bizTransaction",
    "sourceList": "source",
    "destinationList": "destination",
    "sensorMetadata": "deviceID",
    "sensorReport": "deviceID",
}
"""The member that is an identifier, in the objects of a list or in the one object."""


WRAPPERS: Final = ("epcisBody", "queryResults", "resultsBody")
"""What stands around the list of events in a document."""


class PrefixUnknown(IdentifierRefused):
    """A GS1 key whose company prefix nobody has named: its URN cannot be told from the digits."""

    slug = "company-prefix-unknown"


def to_link(uri: str) -> str:
    """Return the Digital Link of an EPC URN; anything else as it is.

    >>> to_link("urn:epc:id:sgtin:0614141.107346.2018")
    'https://id.gs1.org/01/10614141073464/21/2018'
    """
    link = epc.parse(uri)
    return uri if link is None else str(link)


def to_urn(uri: str, prefixes: Collection[str]) -> str:
    """Return the EPC URN of a Digital Link; anything else as it is.

    Of a class's qualifiers the finest counts, as in the Event Hash ID: an item's lot is not part of its EPC.

    >>> to_urn("https://shop.example/01/10614141073464/10/L1/21/2018", {"0614141"})
    'urn:epc:id:sgtin:0614141.107346.2018'

    Raises
    ------
    PrefixUnknown
        None of the prefixes begins the key.
    IdentifierRefused
        The key has no EPC URN.
    """
    link = digital_link.parse(uri)
    if link is None:
        return uri
    finest = finest_of(link)
    start = epc.prefix_start(finest)
    length = max((len(one) for one in prefixes if start.startswith(one) and len(one) in epc.PREFIX_LENGTHS), default=0)
    if not length:
        raise PrefixUnknown(f"{uri}: the company prefix is not known")
    found = epc.urn_of(finest, length)
    if found is None:
        raise IdentifierRefused(f"{uri} has no EPC URN")
    return found


def translated(event: dict[str, Json], wanted: Format, prefixes: Collection[str] = ()) -> dict[str, Json]:
    """Return an event with its identifiers in the format that is asked for.

    Raises
    ------
    PrefixUnknown, IdentifierRefused
        An identifier that cannot be had in it; `place` is its pointer in the event.
    """
    if wanted == "Always_GS1_Digital_Link":
        return _object(event, to_link, ())
    if wanted == "Always_EPC_URN":
        return _object(event, lambda uri: to_urn(uri, prefixes), ())
    return event


def events_of(document: dict[str, Json]) -> list[dict[str, Json]]:
    """Return the events of an EPCISDocument, an EPCISQueryDocument or a bare event."""
    if isinstance(found := document.get("eventList"), list):
        return [one for one in found if isinstance(one, dict)]
    inner = next((document[name] for name in WRAPPERS if isinstance(document.get(name), dict)), None)
    return events_of(inner) if isinstance(inner, dict) else [document]


def translated_document(document: dict[str, Json], wanted: Format, prefixes: Collection[str] = ()) -> dict[str, Json]:
    """Return a document with its events in the format that is asked for (see `translated`)."""
    if isinstance(found := document.get("eventList"), list):
        events: list[Json] = [translated(one, wanted, prefixes) if isinstance(one, dict) else one for one in found]
        return {**document, "eventList": events}
    for name in WRAPPERS:
        if isinstance(inner := document.get(name), dict):
            return {**document, name: translated_document(inner, wanted, prefixes)}
    return translated(document, wanted, prefixes)


def prefixes_in(events: Iterable[dict[str, Json]]) -> frozenset[str]:
    """Return the company prefixes that the events' own URNs tell."""
    return frozenset(
        prefix for event in events for uri in _identifiers(event) if (prefix := epc.company_prefix(uri)) is not None
    )


def _identifiers(event: dict[str, Json]) -> Iterator[str]:
    found: list[str] = []

    def note(uri: str) -> str:
        found.append(uri)
        return uri

    _object(event, note, ())
    yield from found


def _object(value: dict[str, Json], translate: Callable[[str], str], path: tuple[str | int, ...]) -> dict[str, Json]:
    return {name: _member(name, inner, translate, (*path, name)) for name, inner in value.items()}


def _member(name: str, value: Json, translate: Callable[[str], str], path: tuple[str | int, ...]) -> Json:
    if name in SINGLE:
        return _one(value, translate, path)
    if name in LISTS and isinstance(value, list):
        return [_one(one, translate, (*path, index)) for index, one in enumerate(value)]
    if (inner := WITHIN.get(name)) is not None:
        if isinstance(value, list):
            return [_within(one, inner, translate, (*path, index)) for index, one in enumerate(value)]
        return _within(value, inner, translate, path)
    if name == "sensorElementList" and isinstance(value, list):
        return [
            _object(one, translate, (*path, index)) if isinstance(one, dict) else one for index, one in enumerate(value)
        ]
    return value


def _within(value: Json, name: str, translate: Callable[[str], str], path: tuple[str | int, ...]) -> Json:
    if not isinstance(value, dict) or name not in value:
        return value
    return {**value, name: _one(value[name], translate, (*path, name))}


def _one(value: Json, translate: Callable[[str], str], path: tuple[str | int, ...]) -> Json:
    if not isinstance(value, str):
        return value
    try:
        return translate(value)
    except IdentifierRefused as refusal:
        refusal.place = pointer(*path)
        raise
