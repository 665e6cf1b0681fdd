"""What stands on a label: a GS1 element string with its brackets.

GS1 General Specifications §7.8 (human-readable interpretation); docs/decisions/0730.
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from sudonglian.chain.identifiers.digital_link import DOMAIN, DigitalLink, parse
from sudonglian.chain.identifiers.gs1 import KEYS

_ELEMENTS: Final = re.compile(r"(?:\(\d{2,4}\)[^()\s]+)+", re.ASCII)
_ELEMENT: Final = re.compile(r"\((\d{2,4})\)([^()\s]+)", re.ASCII)


def link_of(text: str) -> DigitalLink | None:
    """Return the key that an element string names, or None; what does not identify (an expiry date) is dropped.

    >>> str(link_of("(01)09520001002014(17)251018(10)BJ241018"))
    'https://id.gs1.org/01/09520001002014/10/BJ241018'
    """
    if not _ELEMENTS.fullmatch(text):
        return None
    pairs = _ELEMENT.findall(text)
    keys = [pair for pair in pairs if pair[0] in KEYS]
    rest = "&".join(f"{ai}={quote(value, safe='')}" for ai, value in pairs)
    return parse(f"{DOMAIN}/{keys[0][0]}/{quote(keys[0][1], safe='')}?{rest}") if keys else None


@lru_cache(maxsize=4_096)
def text_of(uri: str) -> str:
    """Return what stands on a label under the code of an identifier; what is no GS1 key stays as it is.

    >>> text_of("https://id.gs1.org/01/09520001002014/10/BJ241018")
    '(01)09520001002014(10)BJ241018'
    """
    link = parse(uri)
    if link is None:
        return uri
    return "".join(f"({ai}){value}" for ai, value in ((link.ai, link.value), *link.qualifiers))
