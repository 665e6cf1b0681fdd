"""Identifiers as the Event Hash ID writes them, with what all items of one class, or pallets of one firm, begin with.

GS1 EPC Tag Data Standard 2.0 §6.3 and §7; CBV 2.0 §8.9; docs/decisions/0209 (a head is spelt once, and no rule anew).
"""

import re
import string
from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat
from typing import Final

from sudonglian.chain.identifiers import digital_link, epc
from sudonglian.chain.identifiers.digital_link import DigitalLink, finest_of

ALPHANUMERIC: Final = string.ascii_letters + string.digits

LONGEST: Final = ("1aZ" * 6, "1aZ" * 5 + "1")
"""Serial numbers of 18 characters, as most classes take them, and of 16."""

MAX_HEAD: Final = 100
"""Characters of a head that is remembered: honest ones have some forty."""

MAX_HEADS: Final = 4_096
"""Heads that are remembered, each of one class of goods or one firm's pallets."""

SEVERAL: Final = 4
"""Identifiers with one head, from which on they are worth taking apart together."""

PALLET: Final = "urn:epc:id:sscc:"
PALLET_DIGITS: Final = 4
"""Digits of a pallet's number that are not of its head: a firm's pallets differ in them first."""

GRAI: Final = re.compile(r"https?://[^?#]*/(?:8003|grai)/(\d{14}[\"'\-.0-9;?A-Z_a-z]{0,16})/?(?:[?#].*)?", re.ASCII)
"""An asset whose first digit is no zero, as identifiers.md rightly wants it: the hash takes it all the same."""

_HEAD = re.compile(
    r"urn:epc:(?:id:(?:sgtin|grai|gdti|upui):[0-9]+\.[0-9]+\.|class:lgtin:[0-9]+\.[0-9]+\.|id:giai:[0-9]+\.)"
    r"|https?://[A-Za-z0-9.\-]+/01/[0-9]+/(?:10/[A-Za-z0-9]+/21|21|10)/"
)


def link(text: str) -> str:
    """Return the Digital Link of an identifier, anything else as it is.

    >>> link("urn:epc:id:sgtin:0614141.107346.2018"), link("urn:epc:id:sscc:0614141.1234567890")
    ('https://id.gs1.org/01/10614141073464/21/2018', 'https://id.gs1.org/00/106141412345678908')
    """
    if text.startswith(PALLET):
        return _pallet(text) or _link(text)
    head = text.rstrip(ALPHANUMERIC)
    if head != text and len(head) <= MAX_HEAD:
        begins, longest = head_of(head)
        if len(text) - len(head) <= longest:
            return begins + text[len(head) :]
    return _link(text)


@lru_cache(MAX_HEADS)
def head_of(head: str) -> tuple[str, int]:
    """Return what all identifiers with this head begin with, and up to how many letters and digits may follow.

    >>> head_of("urn:epc:id:sgtin:0614141.107346."), head_of("urn:epc:id:sgln:0614141.12345.")
    (('https://id.gs1.org/01/10614141073464/21/', 18), ('', 0))
    """
    if _HEAD.fullmatch(head):
        spelt = _link(head + "1")
        begins = spelt.removesuffix("1")
        for serial in LONGEST:
            if spelt != head + "1" and _link(head + serial) == begins + serial:
                return begins, len(serial)
    return "", 0


class Heads:
    """The heads at one place, with what stands before each."""

    def __init__(self, before: str) -> None:
        self._before = before
        self._begins: dict[str, tuple[str, int]] = {}

    def written(self, text: str) -> str:
        """Return what is written of an identifier, nothing of what has no head."""
        head = text.rstrip(ALPHANUMERIC)
        begins, longest = self._begins.get(head) or self._noted(head)
        return begins + text[len(head) :] if len(head) < len(text) <= longest else ""

    def column(self, texts: Sequence[str]) -> list[str]:
        """Return what is written of identifiers of few classes, nothing if some are something else."""
        if len(texts) < SEVERAL or not self.written(texts[0]):
            return []
        heads = list(map(str.rstrip, texts, repeat(ALPHANUMERIC)))
        distinct = set(heads)
        if len(distinct) * SEVERAL > len(texts):
            return []
        known = {head: self._begins.get(head) or self._noted(head) for head in distinct}
        serials = list(map(str.removeprefix, texts, heads))
        lengths = set(map(len, serials))
        if min(lengths) == 0 or max(lengths) > min(longest - len(head) for head, (_, longest) in known.items()):
            return []
        begins = {head: begun for head, (begun, _) in known.items()}
        return list(map(str.__add__, map(begins.__getitem__, heads), serials))

    def _noted(self, head: str) -> tuple[str, int]:
        """Return what is written of a head, and how long an identifier with it may be."""
        if len(head) > MAX_HEAD:
            return "", 0
        begins, longest = head_of(head)
        if len(self._begins) >= MAX_HEADS:
            self._begins.clear()
        # Nothing may follow where there is no head, and where nothing follows there is no serial number.
        found = self._begins[head] = self._before + begins, len(head) + longest
        return found

    def clear(self) -> None:
        """Forget them."""
        self._begins.clear()


def _link(text: str) -> str:
    found = epc.parse(text) or digital_link.parse(text)
    if found is None:
        asset = GRAI.fullmatch(text)
        return str(DigitalLink("8003", asset[1])) if asset else text
    return str(finest_of(found))


def _pallet(text: str) -> str:
    head, tail = text[:-PALLET_DIGITS], text[-PALLET_DIGITS:]
    if len(head) > MAX_HEAD or not (tail.isascii() and tail.isdigit()):
        return ""
    begins, check = _pallets(head)
    if not begins:
        return ""
    # GS1 General Specifications §7.9.1: from the last, every other digit counts three times. ASCII's 48s are 384, or 4.
    first, second, third, fourth = tail.encode()
    return f"{begins}{tail}{(check + 4 - 3 * (second + fourth) - first - third) % 10}"


@lru_cache(MAX_HEADS)
def _pallets(head: str) -> tuple[str, int]:
    """Return what pallets whose last digits alone differ begin with, and the check digit where these are zeros."""
    zeros = "0" * PALLET_DIGITS
    spelt = _link(head + zeros)
    # The reference begins with the extension, which stands elsewhere in the key: it must be in the head.
    if spelt == head + zeros or head.endswith("."):
        return "", 0
    return spelt[: -PALLET_DIGITS - 1], int(spelt[-1])
