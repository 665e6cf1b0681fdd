"""GS1 Digital Links as paths of this server: read from the bytes that came, refused where they are malformed.

GS1 Digital Link URI 1.4 §4; GS1-Conformant Resolver 1.1. A slash within a lot comes as %2F, which a decoded path has lost.
"""

import re
from typing import ClassVar, Final

from fastapi import Request
from starlette.convertors import Convertor, register_url_convertor

from sudonglian.api.errors import DoorError, UsageRefused
from sudonglian.api.http.edge import TooManyRequests
from sudonglian.api.http.parameters import MAX_URI, UriTooLong
from sudonglian.chain.identifiers import check, digital_link
from sudonglian.chain.identifiers.digital_link import DOMAIN, DigitalLink
from sudonglian.chain.identifiers.gs1 import KEYS

MAX_PATH: Final = 600
"""A key with all its qualifiers, every character escaped, is shorter."""


BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class LinkMalformed(UsageRefused):
    """A path that begins like a Digital Link and is none."""

    slug: ClassVar[str] = "digital-link"


class LinkUnknown(DoorError):
    """A Digital Link of which no record and no firm speaks, or of which there is no link of the wanted type."""

    slug: ClassVar[str] = "link-unknown"


class LinkConvertor(Convertor[str]):
    """Matches a path that begins with the number of a GS1 key."""

    regex = f"(?:{'|'.join(sorted(KEYS))})/.*"

    def convert(self, value: str) -> str:
        """Return the path as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Return the path as it is."""
        return value


register_url_convertor("gs1", LinkConvertor())


def within_limits(request: Request) -> None:
    """Refuse a caller beyond its rate and an address beyond what is read; a Digital Link may carry any query."""
    if rate := request.scope.get("sudonglian.too_many"):
        raise TooManyRequests(f"more than {rate} requests a second")
    if len(request.scope.get("raw_path", b"")) + len(request.scope["query_string"]) > MAX_URI:
        raise UriTooLong(f"an address has at most {MAX_URI} bytes")


def link_of(request: Request, before: str = "/") -> DigitalLink:
    """Return the link that a request's path is, behind what stands before it.

    Raises
    ------
    LinkMalformed
        Wrong digits, characters or order of qualifiers, or a wrong check digit.
    """
    raw = request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
    path = raw.removeprefix(before).removesuffix("/") if raw.startswith(before) else ""
    return read(path)


def read(path: str) -> DigitalLink:
    """Return the link that a path is, still percent-encoded.

    >>> str(read("01/09520001002014/10/A%2FB"))
    'https://id.gs1.org/01/09520001002014/10/A%2FB'
    """
    segments = path.split("/")
    is_whole = len(path) <= MAX_PATH and not BAD_ESCAPE.search(path)
    link = digital_link.parse(f"{DOMAIN}/{path}") if is_whole else None
    if link is None or link.ai != segments[0] or len(segments) != 2 * (1 + len(link.qualifiers)):
        zh = "不是 GS1 标识及其限定符(按次序、百分号转义)"
        raise LinkMalformed("not a GS1 key and its qualifiers in their order, percent-encoded", place="path", zh=zh)
    if (fault := check(str(link))) is not None:
        raise LinkMalformed(fault.en, place="path", zh=fault.zh)
    return link


def path_of(link: DigitalLink) -> str:
    """Return the path of a link, percent-encoded."""
    return str(link).removeprefix(DOMAIN)
