"""What an identifier is of: single things stand in lists of EPCs, kinds and lots in lists of quantities, no thing in itself.

EPCIS 2.0 §7.3.3 (instance and class identification); CBV 2.0 §8.2, §8.3 (which identifiers are which).
"""

import re
from collections.abc import Iterator
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records.epcis.findings import Finding, pointer, warning

EPC_LISTS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
QUANTITY_LISTS: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")

_CLASS = re.compile(r"urn:epc:(?:class|idpat):|https?://[^?#]*/01/\d{8,14}(?:/22/[^/?#]+)?(?:/10/[^/?#]+)?/?$")
_INSTANCE = re.compile(r"urn:epc:id:(?:sgtin|sscc|itip|upui):|https?://[^?#]*/(?:00/\d{18}|01/\d{8,14}(?:/\d+/[^/?#]+)*/21/[^/?#]+)/?$")  # fmt: skip


def is_class(uri: str) -> bool:
    """Return whether an identifier is certainly one of a kind or lot.

    >>> is_class("https://id.gs1.org/01/09520001002014/10/A"), is_class("https://id.gs1.org/01/09520001002014/21/7")
    (True, False)
    """
    return _CLASS.match(uri) is not None


def is_instance(uri: str) -> bool:
    """Return whether an identifier is certainly one of a single thing.

    >>> is_instance("urn:epc:id:sscc:9520001.0000000002"), is_instance("urn:epc:class:lgtin:9520001.000201.A")
    (True, False)
    """
    return _INSTANCE.match(uri) is not None


def check_kinds(event: dict[str, Json]) -> Iterator[Finding]:
    """Yield identifiers that stand in a list of the other kind, and EPCs that stand twice in one list.

    >>> [one.code for one in check_kinds({"epcList": ["urn:epc:class:lgtin:9520001.000201.A"]})]
    ['class-as-instance']
    """
    rule = "EPCIS 2.0 §7.3.3"
    for member in EPC_LISTS:
        listed = event.get(member)
        seen: set[str] = set()
        for index, uri in enumerate(listed if isinstance(listed, list) else ()):
            if not isinstance(uri, str):
                continue
            if is_class(uri):
                zh, en = "这是一种或一批货物的标识,不是单件;应写在数量列表中", "names a kind or lot and no single thing; it belongs into the list of quantities"  # fmt: skip
                yield warning("class-as-instance", pointer(member, index), rule, zh, en)
            elif uri in seen:
                yield warning("epc-twice", pointer(member, index), rule, "同一标识在列表中重复", "stands in this list twice")  # fmt: skip
            seen.add(uri)
    for member in QUANTITY_LISTS:
        listed = event.get(member)
        for index, element in enumerate(listed if isinstance(listed, list) else ()):
            uri = element.get("epcClass") if isinstance(element, dict) else None
            if isinstance(uri, str) and is_instance(uri):
                zh, en = "这是单件的标识,不是一种或一批货物;应写在标识列表中", "names a single thing and no kind or lot; it belongs into the list of EPCs"  # fmt: skip
                yield warning("instance-as-class", pointer(member, index, "epcClass"), rule, zh, en)


def check_nesting(event: dict[str, Json]) -> Iterator[Finding]:
    """Yield the children that are their own parent, however either is written.

    >>> [one.pointer for one in check_nesting({"parentID": "urn:x:1", "childEPCs": ["urn:x:2", "urn:x:1"]})]
    ['/childEPCs/1']
    """
    parent, children = event.get("parentID"), event.get("childEPCs")
    if not isinstance(parent, str) or not isinstance(children, list) or event.get("type") == "TransactionEvent":
        return
    whole = normal(parent)
    for index, child in enumerate(children):
        if isinstance(child, str) and normal(child) == whole:
            yield within_itself(pointer("childEPCs", index))


def within_itself(place: str) -> Finding:
    """Return the finding that a thing would lie inside itself."""
    zh, en = "一件物品不能装在自己里面", "a thing cannot be inside itself"
    return warning("packed-in-itself", place, "EPCIS 2.0 §7.4.3", zh, en)
