"""One form for the many ways to write an identifier: for indexes only, never for what is hashed.

CBV 2.0 §8.9.3 (EPC URNs and Digital Links become one Digital Link); RFC 3986 §6.2.2.1 (scheme and host).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sudonglian.chain.errors import RecordRefused
from sudonglian.chain.identifiers import digital_link, epc
from sudonglian.chain.identifiers.gs1 import KEYS, wrong_check_digit

SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)

LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
"""A to Z alone: languages differ in what they make of `İ`, and the same name must come out in all of them."""

MAX_LENGTH: Final = 200
"""Of an identifier that is remembered: GS1's longest have fewer characters, and a sender chooses how long others are."""

REMEMBERED: Final = 16_384
"""Identifiers: each is asked for several times while its event is judged, and goods come up again from hand to hand."""


class IdentifierRefused(RecordRefused):
    """An identifier that cannot be written in the form that was asked for."""

    slug = "identifier"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an identifier cannot be right."""

    code: str
    zh: str
    en: str


def normal(uri: str) -> str:
    """Return the form under which an index finds the identifier.

    A GS1 key becomes its Digital Link on id.gs1.org; of any other URI only scheme and host are lower-cased.

    >>> normal("urn:epc:id:sscc:0614141.1234567890")
    'https://id.gs1.org/00/106141412345678908'
    >>> normal("HTTPS://Example.COM/Lot/A1")
    'https://example.com/Lot/A1'
    """
    return _normal(uri) if len(uri) <= MAX_LENGTH else _normal.__wrapped__(uri)


@lru_cache(REMEMBERED)
def _link(uri: str) -> digital_link.DigitalLink | None:
    return epc.parse(uri) or digital_link.parse(uri)


@lru_cache(REMEMBERED)
def _normal(uri: str) -> str:
    link = _link(uri) if len(uri) <= MAX_LENGTH else _link.__wrapped__(uri)
    if link is not None:
        return str(link)
    match = SCHEME.fullmatch(uri)
    if not match:
        return uri
    scheme, rest = match[1].translate(LOWER), match[2]
    if rest.startswith("//"):
        end = min((at for mark in "/?#" if (at := rest.find(mark, 2)) >= 0), default=len(rest))
        userinfo, at, host = rest[2:end].rpartition("@")
        rest = f"//{userinfo}{at}{host.translate(LOWER)}{rest[end:]}"
    elif scheme == "urn":  # RFC 8141 §3.1: the namespace identifier is case-insensitive too
        namespace, colon, specific = rest.partition(":")
        rest = namespace.translate(LOWER) + colon + specific
    return f"{scheme}:{rest}"


def check(uri: str) -> Fault | None:
    """Return what is wrong with the digits of a GS1 key, or None.

    >>> check("https://example.com/01/10614141073461").code
    'check-digit'
    """
    return _check(uri) if len(uri) <= MAX_LENGTH else _check.__wrapped__(uri)


@lru_cache(REMEMBERED)
def _check(uri: str) -> Fault | None:
    link = _link(uri) if len(uri) <= MAX_LENGTH else _link.__wrapped__(uri)
    if epc.is_epc(uri):
        if link is None:
            return Fault(
                "epc-urn", "EPC URN 的位数或字符不合规定", "the EPC URN has a field of wrong length or character"
            )
        return None
    if link is None:
        return None
    due = wrong_check_digit(KEYS[link.ai], link.value)
    if due is None:
        return None
    return Fault("check-digit", f"校验位应为 {due}", f"the check digit must be {due}")


def to_urn(uri: str, company_prefix_length: int) -> str:
    """Return the EPC URN of a Digital Link, whose company prefix has the given length (6-12).

    >>> to_urn("https://id.gs1.org/01/10614141073464/21/2018", 7)
    'urn:epc:id:sgtin:0614141.107346.2018'

    Raises
    ------
    IdentifierRefused
        Not a GS1 key, or none that has an EPC URN.
    """
    link = epc.parse(uri) or digital_link.parse(uri)
    if link is None:
        raise IdentifierRefused(f"{uri!r} is not a GS1 Digital Link")
    urn = epc.urn_of(link, company_prefix_length)
    if urn is None:
        raise IdentifierRefused(f"{uri!r} has no EPC URN with a company prefix of {company_prefix_length} digits")
    return urn
