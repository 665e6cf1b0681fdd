"""GS1 Digital Links: read from any domain, written on id.gs1.org.

GS1 Digital Link URI Syntax 1.4 §4 (uncompressed form); CBV 2.0 §8.9.3 (the canonical form).
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from sudonglian.chain.identifiers.gs1 import KEYS, NAMES, QUALIFIERS

NO_URI = re.compile(r"[\x00-\x20]")
"""What no URI holds, and `urlsplit` would silently drop: two texts would become one name."""

DOMAIN: Final = "https://id.gs1.org"
HOME: Final = f"{DOMAIN}/"

MAX_SEGMENTS: Final = 2 * (1 + max(len(key.qualifiers) for key in KEYS.values()))
"""A key and each of its qualifiers once: with more behind it, a segment begins no Digital Link (rule 2)."""

UNESCAPED: Final = "'"
"""The one reserved character that the published canonical forms leave as it is."""


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """A primary key, its value, and its qualifiers in the standard's order, all unescaped."""

    ai: str
    value: str
    qualifiers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        written = f"{DOMAIN}/{self.ai}/{_escaped(self.value)}"
        for ai, value in self.qualifiers:
            written += f"/{ai}/{_escaped(value)}"
        return written


FINEST: Final = ("21", "235", "10")
"""Qualifiers of a product, the finest first."""


def finest_of(link: DigitalLink) -> DigitalLink:
    """Return a link with the qualifier alone that identifies most finely: an item's lot is not part of its name."""
    if link.ai not in ("01", "8006") or not link.qualifiers:
        return link
    if len(link.qualifiers) == 1 and link.qualifiers[0][0] in FINEST:
        return link
    found = dict(link.qualifiers)
    finest = next(((ai, found[ai]) for ai in FINEST if ai in found), None)
    return DigitalLink(link.ai, link.value, (finest,) if finest else ())


def parse(uri: str) -> DigitalLink | None:
    """Return the key that a URI carries, or None if it is no Digital Link.

    Query attributes that do not identify (expiry date, link type) are dropped; GTIN-8/12/13 become GTIN-14.

    >>> str(parse("https://shop.example/p/gtin/614141123452/21/7?17=271231&10=A"))
    'https://id.gs1.org/01/00614141123452/10/A/21/7'
    """
    if NO_URI.search(uri):
        return None
    if uri.startswith(HOME) and "?" not in uri and "#" not in uri:  # as most are written: taken apart at once
        whole, query = uri[len(DOMAIN) :], ""
    else:
        try:
            parts = urlsplit(uri)
        except ValueError:  # an unclosed bracket in the host
            return None
        if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
            return None
        whole, query = parts.path, parts.query
    path = whole.strip("/").split("/")
    for start in range(max(0, len(path) - MAX_SEGMENTS), len(path) - 1):
        if link := _read(path[start:], query):
            return link
    return None


def _read(segments: list[str], query: str) -> DigitalLink | None:
    if len(segments) % 2:
        return None
    ai, value = _ai(segments[0]), _text(segments[1])
    key = KEYS.get(ai)
    if key is None or value is None or not key.shape.fullmatch(value):
        return None
    found: dict[str, str] = {}
    for place in range(2, len(segments), 2):
        name, text = _ai(segments[place]), _text(segments[place + 1])
        if name not in key.qualifiers or text is None or not QUALIFIERS[name].fullmatch(text) or name in found:
            return None
        found[name] = text
    for attribute in query.replace(";", "&").split("&") if query else ():
        name, _, escaped = attribute.partition("=")
        name, text = _ai(name), _text(escaped)
        if name in key.qualifiers and name not in found and text is not None and QUALIFIERS[name].fullmatch(text):
            found[name] = text
    ordered = tuple((name, found[name]) for name in key.qualifiers if name in found)
    return DigitalLink(ai, value.zfill(14) if ai == "01" else value, ordered)


def _escaped(value: str) -> str:
    # Most values are digits and letters, which need none of it.
    return value if value.isascii() and value.isalnum() else quote(value, safe=UNESCAPED)


def _ai(name: str) -> str:
    return name if name in KEYS or name in QUALIFIERS else NAMES.get(name.lower(), name)


def _text(escaped: str) -> str | None:
    if "%" not in escaped:
        return escaped
    try:
        return unquote(escaped, errors="strict")
    except UnicodeDecodeError:
        return None
