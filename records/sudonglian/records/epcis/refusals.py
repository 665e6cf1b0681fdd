"""Why bytes are no EPCIS document: a class and a slug for each reason.

docs/spec/canonical.md (its rules' names); docs/decisions/0204 (XML).
"""

import re
from collections.abc import Mapping
from typing import Final

from sudonglian.chain import canonical
from sudonglian.chain.errors import CanonicalRefused, RecordRefused
from sudonglian.records.epcis import culprit


class DocumentRefused(RecordRefused):
    """Bytes that are not an EPCIS document with events; `place` is a JSON pointer where there is one."""

    slug = "document"

    def __init__(self, reason: str, *, zh: str, place: str = "") -> None:
        super().__init__(reason, place=place)
        self.zh = zh


class NotUtf8(DocumentRefused):
    """Bytes in another encoding."""

    slug = "not-utf8"


class NotJson(DocumentRefused):
    """Text that is not JSON."""

    slug = "not-json"


class NotXml(DocumentRefused):
    """Text that begins like XML and is not well-formed."""

    slug = "not-xml"


class XmlEncoding(DocumentRefused):
    """XML in an encoding that is not read here, or not in the one that it declares."""

    slug = "xml-encoding"


class XmlDoctype(DocumentRefused):
    """A document type declaration: no EPCIS document has one, and entities come by it."""

    slug = "xml-doctype"


class XmlStructure(DocumentRefused):
    """Well-formed XML with something where the EPCIS binding has no place for it."""

    slug = "xml-structure"


class TooLarge(DocumentRefused):
    """More bytes than one document may have."""

    slug = "too-large"


class TooDeep(DocumentRefused):
    """Deeper nesting than any event needs."""

    slug = "too-deep"


class DuplicateKey(DocumentRefused):
    """An object that says two things under one name (docs/spec/canonical.md rule 3)."""

    slug = "duplicate-key"


class ReservedKey(DocumentRefused):
    """A key that belongs to the record's own form (rule 4)."""

    slug = "reserved-key"


class Surrogate(DocumentRefused):
    """Half a character (rule 5)."""

    slug = "surrogate"


class NumberRefused(DocumentRefused):
    """A number that cannot be kept exactly (rule 7)."""

    slug = "number"


class NotEpcis(DocumentRefused):
    """JSON, but not of EPCIS."""

    slug = "not-epcis"


class NoEvents(DocumentRefused):
    """An EPCIS document in which nothing happened."""

    slug = "no-events"


RULES: Final[Mapping[str, tuple[type[DocumentRefused], str]]] = {
    "syntax": (NotJson, "不是合法的 JSON"),
    "too-large": (TooLarge, "超过可读取的字节数"),
    "too-deep": (TooDeep, "嵌套层数过多"),
    "duplicate-key": (DuplicateKey, "同一对象中有重复的键"),
    "reserved-key": (ReservedKey, "使用了保留的键:以 $ 开头的键,以及 _sd、_sd_alg、..."),
    "surrogate": (Surrogate, "字符串中有不成对的代理字符"),
    "number": (NumberRefused, f"数字无法精确保存:超过 {canonical.MAX_DIGITS} 位或写法过长"),
}
"""The rules of canonical.md, by which its reader names what it refuses, and how to say them in Chinese."""

_LINE = re.compile(r"line (\d+) column (\d+)")


def named(refusal: CanonicalRefused, text: bytes = b"") -> RecordRefused:
    """Return a refusal of the canonical form under its rule's name, with where it is in `text`, if that is known."""
    if refusal.place not in RULES:
        return refusal
    kind, zh = RULES[refusal.place]
    if line := _LINE.match(refusal.reason):
        zh = f"第 {line[1]} 行第 {line[2]} 列不合 JSON 语法"
    return kind(refusal.reason, zh=zh, place=culprit.find(text, refusal.place) if text else "")
