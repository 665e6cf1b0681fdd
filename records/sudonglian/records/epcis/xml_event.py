"""Events in XML: each becomes the JSON of the same event, word for word.

EPCIS 2.0 §10 (XML binding) and §9 (JSON binding); EPCIS 1.2 §9, whose `<extension>` wrappers are taken off.
docs/decisions/0204 says what a translation may change: nothing but what the binding itself writes otherwise.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.records.epcis import vocabulary
from sudonglian.records.epcis.findings import pointer
from sudonglian.records.epcis.markup import SPACE, Element
from sudonglian.records.epcis.namespaces import EPCIS, Names
from sudonglian.records.epcis.refusals import DuplicateKey, XmlStructure, named

Path: TypeAlias = tuple[str | int, ...]
Lines: TypeAlias = dict[str, int]
"""JSON pointer to the line of the XML that it came from."""

WRAPPERS: Final = frozenset({"extension", "baseExtension"})
"""Of the 1.x schemas, which could grow only inside them."""

LEAVES: Final = frozenset(
    {"eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "parentID", "action", "transformationID"}
)

NUMBERS: Final = frozenset({"value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"})

ARRAYS: Final = frozenset({"participants", "traceCode"})
"""Our extensions that are arrays (plain-event.md rules 10 and 14)."""

TEXT: Final = "#text"
"""The member that holds the text of an extension element which also has attributes or children."""

SHORT: Final = 15
"""Digits of a whole number that every reader keeps."""

_NUMBER = re.compile(r"([+-]?)(?=[.]?[0-9])0*([0-9]*)(?:[.]([0-9]*))?([eE][+-]?[0-9]+)?", re.ASCII)


class Translator:
    """Translates the events of one document."""

    def __init__(self, lines: Lines | None = None) -> None:
        self._lines = lines
        self._names = Names({})
        self._fields: dict[str, Callable[[Element, Path], Json]] = {
            **dict.fromkeys(LEAVES, self._leaf),
            "bizStep": self._word(vocabulary.BIZ_STEP),
            "disposition": self._word(vocabulary.DISPOSITION),
            "persistentDisposition": self._persistent_disposition,
            "readPoint": self._object({"id": self._leaf}),
            "bizLocation": self._object({"id": self._leaf}),
            "errorDeclaration": self._object(
                {
                    "declarationTime": self._leaf,
                    "reason": self._word(vocabulary.ERROR_REASON),
                    "correctiveEventIDs": self._list("correctiveEventID", self._leaf),
                }
            ),
            "ilmd": self._object({}),
            **dict.fromkeys(("epcList", "childEPCs", "inputEPCList", "outputEPCList"), self._list("epc", self._leaf)),
            **dict.fromkeys(
                ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
                self._list(
                    "quantityElement",
                    self._object({"epcClass": self._leaf, "quantity": self._number, "uom": self._leaf}),
                ),
            ),
            "bizTransactionList": self._list("bizTransaction", self._typed(vocabulary.BIZ_TRANSACTION)),
            "sourceList": self._list("source", self._typed(vocabulary.SOURCE)),
            "destinationList": self._list("destination", self._typed(vocabulary.DESTINATION)),
            "sensorElementList": self._list("sensorElement", self._sensor_element),
        }

    def event(self, element: Element, path: Path) -> dict[str, Json]:
        """Return one event, with all bindings that its XML had."""
        self._names = Names(element.scope)
        self._note(path, element)
        event: dict[str, Json] = {"type": self._names.key(element)}
        self._attributes(element, event)
        certificates: list[Json] = []
        for child in self._children(element, path):
            # The name of an extension before its parts, for it may choose a prefix.
            if self._lines is not None or child.namespace not in EPCIS:
                self._note((*path, self._names.key(child)), child)
            if child.name == "certificationInfo" and child.namespace in EPCIS:
                certificates.append(self._leaf(child, (*path, child.name)))
            elif child.namespace in EPCIS and (translate := self._fields.get(child.name)):
                self._put(event, child, translate(child, (*path, child.name)), path)
            else:
                self._extend(event, child)
        if certificates:
            event["certificationInfo"] = certificates[0] if len(certificates) == 1 else certificates
        return {**self._finish(event), "@context": self._names.context()}

    def content(self, element: Element) -> Json:
        """Return what an element holds, without its attributes: its text, or its children by name."""
        self._names = Names(element.scope)
        bare = replace(element, attributes=())
        return self._extension(bare, own=False)

    def _as_number(self, text: str, path: Path) -> Json:
        return number(text, path)

    def _as_word(self, text: str, words: vocabulary.Vocabulary, scope: Mapping[str, str]) -> Json:
        return vocabulary.bare(text, words, scope)

    def _as_boolean(self, text: str) -> Json:
        return boolean(text)

    def _children(self, element: Element, path: Path) -> Iterable[Element]:
        self._no_text(element, path)
        for child in element.children:
            if child.name in WRAPPERS:
                return self._unwrapped(element, path)
        return element.children

    def _unwrapped(self, element: Element, path: Path) -> Iterator[Element]:
        # A stack, for a wrapper may stand in a wrapper.
        pending = [iter(element.children)]
        while pending:
            child = next(pending[-1], None)
            if child is None:
                pending.pop()
            elif child.name in WRAPPERS and child.namespace in EPCIS:
                self._no_text(child, path)
                pending.append(iter(child.children))
            else:
                yield child

    def _leaf(self, element: Element, path: Path) -> Json:
        if not element.children and not element.attributes:
            return element.behind.strip(SPACE)
        if element.children:
            raise self._misplaced(element.children[0], path)
        for namespace, name, _, _ in element.attributes:
            if not self._names.is_machinery(namespace):
                reason = f"line {element.line}: {element.tag} has no attribute {name}"
                raise XmlStructure(
                    reason, zh=f"第 {element.line} 行:{element.tag} 没有属性 {name}", place=pointer(*path)
                )
        return element.text

    def _number(self, element: Element, path: Path) -> Json:
        return self._as_number(str(self._leaf(element, path)), path)

    def _word(self, words: vocabulary.Vocabulary) -> Callable[[Element, Path], Json]:
        def translate(element: Element, path: Path) -> Json:
            return self._as_word(str(self._leaf(element, path)), words, element.scope)

        return translate

    def _list(self, item: str, translate: Callable[[Element, Path], Json]) -> Callable[[Element, Path], Json]:
        def listed(element: Element, path: Path) -> Json:
            found: list[Json] = []
            is_noted = self._lines is not None
            for child in self._children(element, path):
                if child.name != item or child.namespace not in EPCIS:
                    raise self._misplaced(child, path)
                if is_noted:
                    self._note((*path, len(found)), child)
                found.append(translate(child, (*path, len(found))))
            return found

        return listed

    def _object(self, fields: dict[str, Callable[[Element, Path], Json]]) -> Callable[[Element, Path], Json]:
        def translate(element: Element, path: Path) -> Json:
            found: dict[str, Json] = {}
            self._attributes(element, found)
            for child in self._children(element, path):
                if child.namespace in EPCIS and child.name in fields:
                    self._put(found, child, fields[child.name](child, (*path, child.name)), path)
                else:
                    self._extend(found, child)
            return self._finish(found)

        return translate

    def _typed(self, words: vocabulary.Vocabulary) -> Callable[[Element, Path], Json]:
        def translate(element: Element, path: Path) -> Json:
            if element.children:
                raise self._misplaced(element.children[0], path)
            found: dict[str, Json] = {}
            self._attributes(element, found)
            if isinstance(kind := found.get("type"), str):
                found["type"] = self._as_word(kind.strip(SPACE), words, element.scope)
            found[element.name] = element.text
            return found

        return translate

    def _persistent_disposition(self, element: Element, path: Path) -> Json:
        found: dict[str, Json] = {}
        self._attributes(element, found)
        word = self._word(vocabulary.DISPOSITION)
        for child in self._children(element, path):
            if child.name in ("set", "unset") and child.namespace in EPCIS:
                listed = found.setdefault(child.name, [])
                assert isinstance(listed, list)
                listed.append(word(child, (*path, child.name, len(listed))))
            else:
                self._extend(found, child)
        return self._finish(found)

    def _sensor_element(self, element: Element, path: Path) -> Json:
        found: dict[str, Json] = {}
        self._attributes(element, found)
        reports: list[Json] = []
        for child in self._children(element, path):
            if child.name == "sensorReport" and child.namespace in EPCIS:
                self._note((*path, "sensorReport", len(reports)), child)
                reports.append(self._sensor_report(child, (*path, "sensorReport", len(reports))))
            elif child.name == "sensorMetadata" and child.namespace in EPCIS:
                self._put(found, child, self._object({})(child, (*path, child.name)), path)
            else:
                self._extend(found, child)
        if reports:
            found["sensorReport"] = reports
        return self._finish(found)

    def _sensor_report(self, element: Element, path: Path) -> Json:
        found = self._object({})(element, path)
        assert isinstance(found, dict)
        for name, words in (
            ("type", vocabulary.SENSOR_TYPE),
            ("exception", vocabulary.SENSOR_EXCEPTION),
            ("component", vocabulary.SENSOR_COMPONENT),
        ):
            if isinstance(text := found.get(name), str):
                found[name] = self._as_word(text.strip(SPACE), words, element.scope)
        for name in NUMBERS & found.keys():
            if isinstance(text := found[name], str):
                found[name] = self._as_number(text.strip(SPACE), (*path, name))
        if isinstance(text := found.get("booleanValue"), str):
            found["booleanValue"] = self._as_boolean(text)
        return found

    def _extend(self, holder: dict[str, Json], element: Element) -> None:
        """Add an element that the standard does not know; the same one again makes an array."""
        own = self._names.is_own(element)
        value = self._extension(element, own=own)
        key = self._names.key(element)
        # Ours are arrays even of one, which XML cannot say.
        _gather(holder, key, [value] if own and element.name in ARRAYS and key not in holder else value)

    def _extension(self, element: Element, *, own: bool) -> Json:
        found: dict[str, Json] = {}
        self._attributes(element, found, own=own)
        for child in element.children:
            inner = child.name if own and self._names.is_own(child) else self._names.key(child)
            _gather(found, inner, self._extension(child, own=own))
        texts = element.texts
        if not found:
            return texts[0] if texts else ""
        if texts:
            found[TEXT] = texts[0] if len(texts) == 1 else [*texts]
        return self._finish(found)

    def _attributes(self, element: Element, holder: dict[str, Json], *, own: bool = False) -> None:
        for namespace, name, prefix, value in element.attributes:
            if not self._names.is_machinery(namespace):
                key = (
                    name
                    if own and self._names.is_own_namespace(namespace)
                    else self._names.name(namespace, name, prefix)
                )
                _gather(holder, key, value)

    def _put(self, holder: dict[str, Json], element: Element, value: Json, path: Path) -> None:
        if element.name in holder:
            reason = f"line {element.line}: {element.name} stands here twice"
            place = pointer(*path, element.name)
            raise DuplicateKey(reason, zh=f"第 {element.line} 行:{element.name} 重复", place=place)
        holder[element.name] = value

    def _finish(self, holder: dict[str, Json]) -> dict[str, Json]:
        for key in holder.keys() & canonical.RESERVED:
            raise named(CanonicalRefused(f"the key {key!r} is reserved", place="reserved-key"))
        return holder

    def _no_text(self, element: Element, path: Path) -> None:
        if any(element.before) or element.behind:
            self._blank(element, path)

    def _blank(self, element: Element, path: Path) -> None:
        if element.text:
            reason = f"line {element.line}: {element.tag} holds elements and no text"
            raise XmlStructure(reason, zh=f"第 {element.line} 行:{element.tag} 中不应有文字", place=pointer(*path))

    def _misplaced(self, element: Element, path: Path) -> XmlStructure:
        reason = f"line {element.line}: {element.tag} has no place here"
        return XmlStructure(reason, zh=f"第 {element.line} 行:此处不应有 {element.tag}", place=pointer(*path))

    def _note(self, path: Path, element: Element) -> None:
        if self._lines is not None:
            self._lines[pointer(*path)] = element.line


def number(text: str, path: Path = ()) -> Json:
    """Return the exact number that XML wrote in one of its ways; anything else as it is, for the schema to judge.

    >>> number("+020.50"), number("200.0"), number("twenty")
    ({'$dec': '20.5'}, 200, 'twenty')
    """
    if text.isdigit() and text.isascii() and len(text) <= SHORT:
        return int(text)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    sign, whole, fraction, exponent = match.groups()
    written = f"{sign.replace('+', '')}{whole or '0'}{'.' + fraction if fraction else ''}{exponent or ''}"
    try:
        return canonical.parse(written.encode())
    except CanonicalRefused as refusal:
        found = named(refusal)
        found.place = pointer(*path)
        raise found from refusal


def boolean(text: str) -> Json:
    """Return what XML writes in one of two ways each; anything else as it is.

    >>> boolean("1"), boolean("false"), boolean("yes")
    (True, False, 'yes')
    """
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip(SPACE), text)


def _gather(holder: dict[str, Json], key: str, value: Json) -> None:
    if key not in holder:
        holder[key] = value
    elif isinstance(several := holder[key], list):
        several.append(value)
    else:
        holder[key] = [several, value]
