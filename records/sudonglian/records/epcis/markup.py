"""Markup: XML as a tree of elements, read without anything that a hostile document could make the reader do.

XML 1.0 (5th edition), Namespaces in XML 1.0; docs/decisions/0204 (no DTD, no entities, limits, encodings).
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from sudonglian.chain import canonical
from sudonglian.records.epcis.refusals import NotXml, TooDeep, TooLarge, XmlDoctype, XmlEncoding

MAX_ELEMENTS: Final = 400_000
"""Elements and attributes of one document: an ordinary event has forty, so that its bytes run out before these."""

MAX_NAMESPACES: Final = 256
"""Prefixes bound at one place; published documents bind ten, and every event is read with all that are in force."""

MAX_ATTRIBUTES: Final = 256
"""Of one element: the standard's have at most a dozen, and each is looked up and shown by itself."""

MAX_SCOPES: Final = 65_536
"""Prefixes bound in all scopes together, equal ones counted once: systems that declare theirs on every event share one."""

HEAD: Final = 1_000
"""Characters within which a text tells what it is."""

MAX_DEPTH: Final = canonical.MAX_DEPTH
"""An event's JSON is never deeper than its XML, which its document wraps in three elements."""

SPACE: Final = " \t\r\n"
"""What XML calls white space; other kinds are text."""

ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "utf-16": "utf-16",
    "iso-8859-1": "iso-8859-1",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
}
"""Those of XML itself, and those that Chinese systems still write; GB 18030 contains the two older ones."""

_DECLARED = re.compile(r"""<\?xml[ \t\r\n][^>]{0,200}?encoding[ \t\r\n]*=[ \t\r\n]*(?:"([^"]*)"|'([^']*)')""")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEPARATOR: Final = "\n"
"""Between the parts of a name; no URI holds one that XML has not made a space of."""


@dataclass(slots=True)
class Element:
    """One element: its name, what it holds, and which prefixes are bound where it stands."""

    namespace: str
    name: str
    prefix: str
    attributes: Sequence[tuple[str, str, str, str]]
    """Namespace, local name, prefix and value of each; no namespace is an empty one."""
    scope: dict[str, str]
    """Prefix to namespace; shared by the elements that declare nothing."""
    line: int
    children: "Sequence[Element]" = ()
    before: Sequence[str] = ()
    """The text before each child."""
    behind: str = ""
    """The text behind the last child; all of it if there is none."""

    @property
    def texts(self) -> list[str]:
        """Return the text before each child and behind the last, without the white space around it, if any is left."""
        return [text for part in (*self.before, self.behind) if (text := part.strip(SPACE))]

    @property
    def text(self) -> str:
        """Return the text without the white space around it, if there is no child between its parts."""
        if not self.before:
            return self.behind.strip(SPACE)
        return "".join((*self.before, self.behind)).strip(SPACE)

    @property
    def tag(self) -> str:
        """Return the name as it is written."""
        return f"{self.prefix}:{self.name}" if self.prefix else self.name


def is_xml(raw: bytes) -> bool:
    """Return whether the bytes begin as XML does and JSON never can.

    >>> is_xml(b"  <a/>"), is_xml(b'{"type": "<"}')
    (True, False)
    """
    if raw.startswith(_UTF16):
        return raw[2:4] in (b"<\x00", b"\x00<")
    return raw.removeprefix(canonical.BOM).lstrip()[:1] == b"<"


def parse(raw: bytes) -> Element:
    """Return the root of a document.

    >>> parse(b'<a xmlns="urn:x"><b c="1"> d </b></a>').children[0].text
    'd'

    Raises
    ------
    NotXml, XmlEncoding, XmlDoctype, TooDeep, TooLarge
        With line and column where there is one.
    """
    return parse_text(decoded(raw))


def parse_text(text: str) -> Element:
    """Return the root of a document that has been decoded (see `parse`)."""
    return _Reader().read(text)


def decoded(raw: bytes) -> str:
    """Return a document's text, by the encoding that it declares.

    Raises
    ------
    XmlEncoding
        An encoding that is not read, or another than the bytes have.
    """
    bom = raw.startswith(_UTF16)
    head = (
        raw[:400].decode("utf-16" if bom else "latin-1", "replace").removeprefix("\ufeff").removeprefix("\xef\xbb\xbf")
    )
    declared = match[1] or match[2] or "" if (match := _DECLARED.match(head)) else ""
    encoding = ENCODINGS.get(declared.lower() or ("utf-16" if bom else "utf-8"))
    if encoding is None:
        known = "UTF-8, UTF-16, ISO-8859-1, GB 18030"
        raise XmlEncoding(f"the encoding {declared[:40]!r} is not read; use UTF-8", zh=f"只读取 {known} 编码的 XML")
    if (encoding == "utf-16") != bom or (raw.startswith(canonical.BOM) and encoding != "utf-8"):
        raise XmlEncoding("the byte-order mark and the declared encoding differ", zh="字节顺序标记与声明的编码不一致")
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as refusal:
        reason = f"byte {refusal.start} is not {encoding.upper()}"
        raise XmlEncoding(reason, zh=f"第 {refusal.start} 字节不是 {encoding.upper()}") from refusal


class _Reader:
    def __init__(self) -> None:
        self._open: list[Element] = []
        self._pieces: list[str] = []
        self._names: dict[str, tuple[str, str, str]] = {}
        self._root: Element | None = None
        self._count = 0
        self._declared: dict[str, str] = {}
        self._scopes: dict[tuple[int, tuple[tuple[str, str], ...]], dict[str, str]] = {}
        self._bound = 0
        self._parser = expat.ParserCreate("utf-8", _SEPARATOR)
        self._parser.namespace_prefixes = True
        self._parser.ordered_attributes = True
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._pieces.append
        self._parser.StartNamespaceDeclHandler = self._namespace
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, text: str) -> Element:
        start = text[:HEAD].lstrip("\ufeff \t\r\n")
        if not start and len(text) <= HEAD:
            raise NotXml("there is nothing in it", zh="内容为空")
        if start[:1] in ("{", "["):
            raise NotXml("this is JSON, and was sent as XML", zh="这是 JSON,却按 XML 提交")
        try:
            self._parser.Parse(text.encode("utf-8", "surrogatepass"), True)
        except expat.ExpatError as refusal:
            line, column = refusal.lineno, refusal.offset + 1
            reason = f"line {line} column {column}: {expat.ErrorString(refusal.code)}"
            raise NotXml(reason, zh=f"第 {line} 行第 {column} 列不是合法的 XML") from refusal
        assert self._root is not None  # expat refuses a document without one
        return self._root

    def _start(self, name: str, attributes: list[str]) -> None:
        opened = self._open
        if len(opened) >= MAX_DEPTH:
            raise TooDeep(f"{self._at()}: nested deeper than {MAX_DEPTH}", zh=f"嵌套超过 {MAX_DEPTH} 层")
        if len(attributes) > 2 * MAX_ATTRIBUTES:
            reason = f"{self._at()}: more than {MAX_ATTRIBUTES} attributes"
            raise TooLarge(reason, zh=f"一个元素的属性超过 {MAX_ATTRIBUTES} 个")
        self._count += 1 + len(attributes) // 2
        if self._count > MAX_ELEMENTS:
            raise TooLarge(f"more than {MAX_ELEMENTS} elements", zh=f"元素超过 {MAX_ELEMENTS} 个,请分为几个文件")
        parent = opened[-1] if opened else None
        scope = parent.scope if parent is not None else {}
        if self._declared:
            scope = self._bind(scope)
        namespace, local, prefix = self._names.get(name) or self._split(name)
        named: Sequence[tuple[str, str, str, str]] = ()
        if attributes:
            pairs = zip(attributes[::2], attributes[1::2], strict=True)
            known = self._names
            named = [(*(known.get(attribute) or self._split(attribute)), value) for attribute, value in pairs]
        element = Element(namespace, local, prefix, named, scope, self._parser.CurrentLineNumber)
        if parent is None:
            self._root = element
        else:
            if not parent.children:  # lists are made for the few that need them
                parent.children, parent.before = [], []
            parent.children.append(element)  # type: ignore[attr-defined]
            parent.before.append(self._said())  # type: ignore[attr-defined]
        opened.append(element)

    def _end(self, name: str) -> None:
        self._open.pop().behind = self._said()

    def _said(self) -> str:
        pieces = self._pieces
        if not pieces:
            return ""
        # Pieces are joined once: comments may cut a text into millions.
        said = pieces[0] if len(pieces) == 1 else "".join(pieces)
        pieces.clear()
        return said

    def _split(self, name: str) -> tuple[str, str, str]:
        parts = name.split(_SEPARATOR)
        namespace, local = ("", *parts) if len(parts) == 1 else parts[:2]
        found = self._names[name] = namespace, local, parts[2] if len(parts) > 2 else ""
        return found

    def _bind(self, around: dict[str, str]) -> dict[str, str]:
        """Return what is bound in an element that declares something; scopes live as long as the reader."""
        declared, self._declared = self._declared, {}
        key = id(around), tuple(declared.items())
        known = self._scopes.get(key)
        if known is None:
            known = self._scopes[key] = around | declared
            self._bound += len(known)
            if len(known) > MAX_NAMESPACES or self._bound > MAX_SCOPES:
                raise _too_many(MAX_NAMESPACES if len(known) > MAX_NAMESPACES else MAX_SCOPES)
        return known

    def _namespace(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""
        if (
            len(self._declared) > MAX_NAMESPACES
        ):  # before the element is there: it may declare as many as its bytes hold
            raise _too_many(MAX_NAMESPACES)

    def _doctype(self, *_: object) -> None:
        reason = f"{self._at()}: a document type declaration (DOCTYPE, ENTITY) is not taken"
        raise XmlDoctype(reason, zh="不接受文档类型声明(DOCTYPE、ENTITY)")

    def _at(self) -> str:
        return f"line {self._parser.CurrentLineNumber} column {self._parser.CurrentColumnNumber + 1}"


def _too_many(most: int) -> TooLarge:
    return TooLarge(f"more than {most} namespaces", zh=f"命名空间声明超过 {most} 个")
