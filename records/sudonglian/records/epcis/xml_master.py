"""Master data in XML: what the identifiers of events stand for, as JSON says it.

EPCIS 2.0 §7.1 and §10 (VocabularyList in a header, a master data document or a query's answer); CBV 2.0 §9.
"""

from collections.abc import Iterator
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.markup import Element
from sudonglian.records.epcis.namespaces import EPCIS
from sudonglian.records.epcis.refusals import XmlStructure
from sudonglian.records.epcis.xml_event import WRAPPERS, Translator

PARTS: Final = {
    "VocabularyList": frozenset({"Vocabulary"}),
    "Vocabulary": frozenset({"VocabularyElementList"}),
    "VocabularyElementList": frozenset({"VocabularyElement"}),
    "VocabularyElement": frozenset({"attribute", "children"}),
    "children": frozenset({"id"}),
}
"""What each element may hold of the standard's own."""


def vocabularies(listed: Element) -> Iterator[dict[str, Json]]:
    """Yield the vocabularies of a list, each with its elements.

    Raises
    ------
    XmlStructure
        An element stands where the standard has no place for it.
    """
    for vocabulary in _parts(listed):
        elements = [one for inner in _parts(vocabulary) for one in _parts(inner)]
        yield {
            **{name: value for _, name, _, value in vocabulary.attributes if name == "type"},
            "vocabularyElementList": [_element(one) for one in elements],
        }


def _element(element: Element) -> Json:
    found: dict[str, Json] = {name: value for _, name, _, value in element.attributes if name == "id"}
    attributes: list[Json] = []
    children: list[Json] = []
    for part in _parts(element):
        if part.name == "children":
            children += (child.text for child in _parts(part))
        else:
            named = {name: value for _, name, _, value in part.attributes if name in ("id", "value")}
            # Before 1.2 the value was an attribute of the attribute.
            value = named.pop("value", None)
            attributes.append({**named, "attribute": Translator().content(part) if value is None else value})
    if attributes:
        found["attributes"] = attributes
    if children:
        found["children"] = children
    return found


def _parts(element: Element) -> Iterator[Element]:
    pending = list(reversed(element.children))
    while pending:
        child = pending.pop()
        if child.namespace not in EPCIS:
            continue  # an extension of the list itself says nothing of its elements
        if child.name in WRAPPERS:
            pending += reversed(child.children)
        elif child.name in PARTS[element.name]:
            yield child
        else:
            reason = f"line {child.line}: {child.tag} has no place in {element.tag}"
            raise XmlStructure(reason, zh=f"第 {child.line} 行:{element.tag} 中不应有 {child.tag}")
