"""Master data of a document's header: what its identifiers stand for, checked and taken apart.

EPCIS 2.0 §7.1 and §9.6 (epcisMasterData); CBV 2.0 §9 (attributes). It is no part of any event or record.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records.epcis.findings import Finding, error, pointer

PLACE: Final = ("epcisHeader", "epcisMasterData", "vocabularyList")

RULE: Final = "EPCIS 2.0 §7.1; CBV 2.0 §9"

MAX_IDENTIFIER_BYTES: Final = 2_000
"""Of a normal form, as of a record's (judging.py): PostgreSQL's indexes hold 2,704 bytes."""

NAMES: Final = (
    "name",
    "organizationName",
    "siteName",
    "locationName",
    "vesselName",
    "descriptionShort",
    "functionalName",
    "tradeItemDescription",
)
"""The attributes, by the end of their identifier, that say what a thing is called; the first that is there counts."""


@dataclass(frozen=True, slots=True)
class Element:
    """One identifier of one vocabulary, with what is said about it."""

    vocabulary: str
    uri: str
    attributes: tuple[tuple[str, Json], ...]
    children: tuple[str, ...]

    @property
    def normal(self) -> str:
        """Return the form under which it is found."""
        return normal(self.uri)

    @property
    def name(self) -> str | None:
        """Return what the thing is called, if that is said."""
        return name_of(self.attributes)


def name_of(attributes: tuple[tuple[str, Json], ...]) -> str | None:
    """Return what a thing is called by its attributes.

    >>> name_of((("urn:epcglobal:cbv:mda#city", "San Diego"), ("urn:epcglobal:cbv:mda#name", "Pier 3")))
    'Pier 3'
    """
    told = {_tail(name): value for name, value in reversed(attributes) if isinstance(value, str) and value.strip()}
    found = next((told[name] for name in NAMES if name in told), None)
    return None if found is None else str(found).strip()


def check(envelope: Mapping[str, Json]) -> list[Finding]:
    """Return what is wrong with the master data of a document; none at all is right.

    >>> [one.pointer for one in check({"epcisHeader": {"epcisMasterData": {"vocabularyList": [{}]}}})]
    ['/epcisHeader/epcisMasterData/vocabularyList/0/type']
    """
    holder: Json = dict(envelope)
    for depth, name in enumerate(PLACE):
        if not isinstance(holder, dict):
            return [_wrong(pointer(*PLACE[:depth]), "应为对象", "must be an object")]
        if name not in holder:
            return []
        holder = holder[name]
    if not isinstance(holder, list):
        return [_wrong(pointer(*PLACE), "应为数组", "must be an array")]
    return [one.under(pointer(*PLACE, index)) for index, each in enumerate(holder) for one in _vocabulary(each)]


def elements(envelope: Mapping[str, Json]) -> tuple[Element, ...]:
    """Return the elements of master data that passed `check`; of two for one identifier the later one."""
    holder: Json = dict(envelope)
    for name in PLACE:
        holder = holder.get(name, {}) if isinstance(holder, dict) else {}
    found: dict[tuple[str, str], Element] = {}
    for vocabulary in holder if isinstance(holder, list) else ():
        assert isinstance(vocabulary, dict)
        listed = vocabulary.get("vocabularyElementList", [])
        assert isinstance(listed, list)
        for one in listed:
            assert isinstance(one, dict)
            made = _element(str(vocabulary["type"]), one)
            found[made.vocabulary, made.normal] = made
    return tuple(found.values())


def _element(vocabulary: str, one: dict[str, Json]) -> Element:
    attributes, children = one.get("attributes", []), one.get("children", [])
    assert isinstance(attributes, list)
    assert isinstance(children, list)
    pairs = [(str(each["id"]), each["attribute"]) for each in attributes if isinstance(each, dict)]
    return Element(vocabulary, str(one["id"]), tuple(pairs), tuple(str(child) for child in children))


def _vocabulary(value: Json) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield _wrong("", "应为对象", "must be an object")
        return
    if not _is_text(value.get("type")):
        yield _wrong("/type", "应为词表的 URI", "must be the URI of a vocabulary")
    listed = value.get("vocabularyElementList", [])
    if not isinstance(listed, list):
        yield _wrong("/vocabularyElementList", "应为数组", "must be an array")
        return
    for index, one in enumerate(listed):
        yield from (found.under(pointer("vocabularyElementList", index)) for found in _checked_element(one))


def _checked_element(value: Json) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield _wrong("", "应为对象", "must be an object")
        return
    uri = value.get("id")
    if not isinstance(uri, str) or not uri.strip():
        yield _wrong("/id", "应为标识", "must be an identifier")
    elif len(normal(uri).encode()) > MAX_IDENTIFIER_BYTES:
        yield _wrong(
            "/id", f"标识超过 {MAX_IDENTIFIER_BYTES} 字节", f"an identifier of more than {MAX_IDENTIFIER_BYTES} bytes"
        )
    attributes, children = value.get("attributes", []), value.get("children", [])
    if not isinstance(attributes, list):
        yield _wrong("/attributes", "应为数组", "must be an array")
        attributes = []
    for index, one in enumerate(attributes):
        if not isinstance(one, dict) or not _is_text(one.get("id")) or "attribute" not in one:
            place = pointer("attributes", index)
            yield _wrong(place, "应为含 id 与 attribute 的对象", "must be an object with id and attribute")
    if not isinstance(children, list) or not all(_is_text(child) for child in children):
        yield _wrong("/children", "应为标识的数组", "must be an array of identifiers")


def _wrong(place: str, zh: str, en: str) -> Finding:
    return error("master-data", place, RULE, zh, en)


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _tail(name: str) -> str:
    return name.replace("#", ":").replace("/", ":").rpartition(":")[2]
