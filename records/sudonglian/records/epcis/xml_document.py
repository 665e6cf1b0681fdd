"""Documents in XML: each becomes the JSON document that carries the same events and master data.

EPCIS 2.0 §10 (XML binding); EPCIS 1.2 §9 and §11 (documents, query documents and master data of firms' older systems).
"""

from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis import markup
from sudonglian.records.epcis.markup import Element
from sudonglian.records.epcis.namespaces import EPCIS, VERSIONS
from sudonglian.records.epcis.refusals import NotEpcis, XmlStructure
from sudonglian.records.epcis.schema import EVENT_TYPES
from sudonglian.records.epcis.xml_event import WRAPPERS, Lines, Translator
from sudonglian.records.epcis.xml_master import vocabularies

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
"""What every translated document says: the standard's members and words, as EPCIS 2.0 means them."""

BODY: Final = ("epcisBody",)
RESULTS: Final = ("epcisBody", "queryResults", "resultsBody")


def translate(raw: bytes, lines: Lines | None = None) -> dict[str, Json]:
    """Return the JSON of an EPCIS document, or of a bare event, in XML.

    >>> translate(b"<ObjectEvent><action>ADD</action></ObjectEvent>")["action"]
    'ADD'

    Parameters
    ----------
    raw
        The document's bytes.
    lines
        Is filled with the line of each standard member, by its JSON pointer.

    Raises
    ------
    DocumentRefused
        Not XML, or not of EPCIS, or with something where the binding has no place for it.
    """
    return translate_root(markup.parse(raw), lines)


def translate_root(root: Element, lines: Lines | None = None) -> dict[str, Json]:
    """Return the JSON of a document that has been parsed (see `translate`)."""
    if root.namespace in EPCIS and root.name in EVENT_TYPES:
        return Translator(lines).event(root, ())
    version = VERSIONS.get(root.namespace)
    if version is None or root.name not in ("EPCISDocument", "EPCISQueryDocument", "EPCISMasterDataDocument"):
        reason = f"the root element {root.tag[:80]} in the namespace {root.namespace[:80]!r} is no EPCIS document"
        raise NotEpcis(reason, zh=f"根元素 {root.tag[:80]} 及其命名空间不是 EPCIS 文件")
    document: dict[str, Json] = {"@context": [CONTEXT], "type": "EPCISDocument"}
    attributes = {name: value for namespace, name, _, value in root.attributes if not namespace}
    document |= {name: attributes[name] for name in ("creationDate", "schemaVersion") if name in attributes}
    if version == "1" and attributes.get("schemaVersion", "").partition(".")[0] == "1":
        document["schemaVersion"] = "2.0"  # of what is given back: the same event in the one form that is kept
    body = _only(root, "EPCISBody")
    if root.name == "EPCISQueryDocument":
        document |= _query(body, lines)
    elif root.name == "EPCISMasterDataDocument":
        document |= {**_header(body), "epcisBody": {"eventList": []}}
    else:
        document |= {**_header(_only(root, "EPCISHeader")), "epcisBody": _events(body, BODY, lines)}
    return document


def _query(body: Element | None, lines: Lines | None) -> dict[str, Json]:
    results = _only(body, "QueryResults")
    inner = _only(results, "resultsBody")
    found: dict[str, Json] = {"resultsBody": _events(inner, RESULTS, lines)}
    for name in ("subscriptionID", "queryName"):
        if (one := _only(results, name)) is not None:
            found[name] = one.text
    return {"type": "EPCISQueryDocument", **_header(inner), "epcisBody": {"queryResults": found}}


def _header(holder: Element | None) -> dict[str, Json]:
    """Return the master data of a header or body; what a business document header says is of the letter, not of events."""
    lists = [one for each in _unwrapped(holder) for one in ([each] if each.name == "VocabularyList" else [])]
    lists += [one for each in _unwrapped(holder) if each.name == "EPCISMasterData" for one in _unwrapped(each)]
    found = [one for each in lists if each.name == "VocabularyList" for one in vocabularies(each)]
    return {"epcisHeader": {"epcisMasterData": {"vocabularyList": [*found]}}} if found else {}


def _events(holder: Element | None, path: tuple[str, ...], lines: Lines | None) -> dict[str, Json]:
    event_list = _only(holder, "EventList")
    if event_list is None:
        return {}
    if event_list.text:
        reason = f"line {event_list.line}: {event_list.tag} holds elements and no text"
        raise XmlStructure(reason, zh=f"第 {event_list.line} 行:{event_list.tag} 中不应有文字")
    translator = Translator(lines)
    events: list[Json] = []
    for element in _unwrapped(event_list):
        events.append(translator.event(element, (*path, "eventList", len(events))))
    return {"eventList": events}


def _only(holder: Element | None, name: str) -> Element | None:
    """Return the one child of a name, which may stand in a wrapper; two of them are refused."""
    found = [child for child in _unwrapped(holder) if child.name == name and child.namespace in EPCIS]
    if len(found) > 1:
        reason = f"line {found[1].line}: {name} stands here twice"
        raise XmlStructure(reason, zh=f"第 {found[1].line} 行:{name} 重复")
    return found[0] if found else None


def _unwrapped(holder: Element | None) -> list[Element]:
    found: list[Element] = []
    pending = list(reversed(holder.children)) if holder is not None else []
    while pending:
        child = pending.pop()
        if child.name in WRAPPERS and child.namespace in EPCIS:
            pending += reversed(child.children)
        else:
            found.append(child)
    return found
