"""EPC URNs: to a Digital Link, and back if the length of the company prefix is known.

GS1 EPC Tag Data Standard 2.0 §6.3 (pure identity URIs), §8 (pattern URIs), §7 (correspondence with GS1 keys).
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, unquote

from sudonglian.chain.identifiers.digital_link import DigitalLink
from sudonglian.chain.identifiers.gs1 import KEYS, QUALIFIERS, check_digit

START: Final = "urn:epc:"

PREFIX_LENGTHS: Final = range(6, 13)
"""A GS1 company prefix has six to twelve digits."""

UNESCAPED: Final = "!'()*+,-.:;=_"
"""What a URN may hold as it is (TDS table 6.3-1)."""

Form: TypeAlias = Literal["front", "item", "plain", "free"]


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one EPC scheme becomes a key.

    `front`: the first digit of the reference goes before the prefix. `item`: the same, as a GTIN. `plain`: prefix
    and reference as they are. `free`: no check digit, the reference is text. `digits` counts prefix and reference.
    """

    ai: str
    form: Form
    digits: int
    serial: str = ""
    """The qualifier that the serial becomes; empty if it is part of the key."""
    parts: int = 3
    """Dot-separated fields of the URN; more dots belong to the last."""


SCHEMES: Final = {
    ("id", "sgtin"): Scheme("01", "item", 13, "21"),
    ("id", "sscc"): Scheme("00", "front", 17, parts=2),
    ("id", "sgln"): Scheme("414", "plain", 12, "254"),
    ("id", "grai"): Scheme("8003", "plain", 12),
    ("id", "giai"): Scheme("8004", "free", 0, parts=2),
    ("id", "gsrn"): Scheme("8018", "plain", 17, parts=2),
    ("id", "gsrnp"): Scheme("8017", "plain", 17, parts=2),
    ("id", "gdti"): Scheme("253", "plain", 12),
    ("id", "sgcn"): Scheme("255", "plain", 12),
    ("id", "cpi"): Scheme("8010", "free", 0, "8011"),
    ("id", "ginc"): Scheme("401", "free", 0, parts=2),
    ("id", "gsin"): Scheme("402", "plain", 16, parts=2),
    ("id", "itip"): Scheme("8006", "item", 13, "21", parts=5),
    ("id", "upui"): Scheme("01", "item", 13, "235"),
    ("id", "pgln"): Scheme("417", "plain", 12, parts=2),
    ("class", "lgtin"): Scheme("01", "item", 13, "10"),
    ("idpat", "sgtin"): Scheme("01", "item", 13, "21"),
    ("idpat", "upui"): Scheme("01", "item", 13, "235"),
    ("idpat", "sgln"): Scheme("414", "plain", 12, "254"),
    ("idpat", "grai"): Scheme("8003", "plain", 12),
    ("idpat", "gdti"): Scheme("253", "plain", 12),
    ("idpat", "sgcn"): Scheme("255", "plain", 12),
    ("idpat", "cpi"): Scheme("8010", "free", 0, "8011"),
    ("idpat", "itip"): Scheme("8006", "item", 13, "21", parts=5),
}


FRONT_DIGIT: Final = frozenset(
    {scheme.ai for scheme in SCHEMES.values() if scheme.form in ("front", "item")} | {"8003"}
)
"""Keys with a digit before the company prefix."""


def is_epc(uri: str) -> bool:
    """Return whether the URN names one of the GS1 keys that this module knows."""
    kind, name, body = _parts(uri)
    return body != "" and (kind, name) in SCHEMES


def parse(uri: str) -> DigitalLink | None:
    """Return the key that an EPC URN names, or None if it names none or is malformed.

    >>> str(parse("urn:epc:id:sgtin:0614141.107346.2018"))
    'https://id.gs1.org/01/10614141073464/21/2018'
    """
    kind, name, body = _parts(uri)
    if not (scheme := SCHEMES.get((kind, name))):
        return None
    pattern = kind == "idpat"
    fields = body.split(".", scheme.parts - 1)
    prefix, reference = fields[0], fields[1] if len(fields) > 1 else ""
    if len(fields) != scheme.parts or not (_is_digits(prefix) and len(prefix) in PREFIX_LENGTHS):
        return None
    value = _value(scheme, prefix, reference)
    if value is None:
        return None
    if scheme.parts == 5:
        if not all(re.fullmatch(r"[0-9]{2}", field) for field in fields[2:4]):
            return None
        value += fields[2] + fields[3]
    serial = fields[-1] if scheme.parts > 2 else ""
    if pattern:
        if serial != "*":
            return None
        serial = ""
    elif scheme.parts > 2 and not serial:
        return None
    return _link(scheme, value, unquote(serial))


def company_prefix(uri: str) -> str | None:
    """Return the company prefix that a URN of a GS1 key tells.

    >>> company_prefix("urn:epc:id:sscc:0614141.1234567890")
    '0614141'
    """
    return None if parse(uri) is None else _parts(uri)[2].partition(".")[0]


def prefix_start(link: DigitalLink) -> str:
    """Return the digits of a key from where its company prefix begins.

    >>> prefix_start(DigitalLink("01", "10614141073464"))
    '0614141073464'
    """
    return link.value[1:] if link.ai in FRONT_DIGIT else link.value


def urn_of(link: DigitalLink, prefix_length: int) -> str | None:
    """Return the URN of a Digital Link whose company prefix has that length, or None if there is none.

    A key without its serial becomes a pattern (`urn:epc:idpat:…*`); a place without extension has extension 0.
    """
    if prefix_length not in PREFIX_LENGTHS:
        return None
    qualifiers = dict(link.qualifiers)
    for (kind, name), scheme in SCHEMES.items():
        if scheme.ai != link.ai or kind == "idpat":
            continue
        found = _fields(scheme, link, qualifiers, prefix_length)
        if found is None:
            continue
        body, serial = found
        if serial is None and scheme.parts > 2:
            if link.ai == "414":
                serial = "0"
            elif scheme.serial == "10" or qualifiers or ("idpat", name) not in SCHEMES:
                continue
            else:
                return f"urn:epc:idpat:{name}:{body}.*"
        tail = f".{quote(serial, safe=UNESCAPED)}" if serial is not None else ""
        urn = f"urn:epc:{kind}:{name}:{body}{tail}"
        if parse(urn) == link:
            return urn
    return None


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _parts(uri: str) -> tuple[str, str, str]:
    # RFC 8141: the beginning has no case.
    if uri[: len(START)].lower() != START:
        return "", "", ""
    kind, _, rest = uri[len(START) :].partition(":")
    name, _, body = rest.partition(":")
    return kind.lower(), name.lower(), body


def _value(scheme: Scheme, prefix: str, reference: str) -> str | None:
    if scheme.form == "free":
        return prefix + unquote(reference)
    if (reference and not _is_digits(reference)) or len(prefix) + len(reference) != scheme.digits:
        return None
    if scheme.form == "plain":
        body = prefix + reference
    elif reference:
        body = reference[0] + prefix + reference[1:]
    else:
        return None
    return ("0" if scheme.ai == "8003" else "") + body + check_digit(body)


def _link(scheme: Scheme, value: str, serial: str) -> DigitalLink | None:
    qualifiers: tuple[tuple[str, str], ...] = ()
    if scheme.serial and serial and not (scheme.serial == "254" and serial == "0"):
        if not QUALIFIERS[scheme.serial].fullmatch(serial):
            return None
        qualifiers = ((scheme.serial, serial),)
    elif not scheme.serial:
        value += serial
    return DigitalLink(scheme.ai, value, qualifiers) if KEYS[scheme.ai].shape.fullmatch(value) else None


def _fields(
    scheme: Scheme, link: DigitalLink, qualifiers: dict[str, str], length: int
) -> tuple[str, str | None] | None:
    value = link.value
    serial = qualifiers.get(scheme.serial) if scheme.serial else None
    if scheme.form == "free":
        return f"{value[:length]}.{quote(value[length:], safe=UNESCAPED)}", serial
    if scheme.ai == "8003":
        value = value[1:]
    body = value[: scheme.digits]
    if not scheme.serial and scheme.parts == 3:
        serial = value[scheme.digits + 1 :] or None
    if scheme.form == "plain":
        fields = f"{body[:length]}.{body[length:]}"
    else:
        fields = f"{body[1 : 1 + length]}.{body[0]}{body[1 + length :]}"
    if scheme.parts == 5:
        fields += f".{value[14:16]}.{value[16:18]}"
    return fields, serial
