"""Parsing of what people type: hashes, times, spans of time, addresses, parties.

interfaces.md (arguments of the commands); anything else is wrong usage.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sudonglian.api.errors import UsageRefused
from sudonglian.api.settings import Lang
from sudonglian.chain.identifiers import check, normal
from sudonglian.chain.identifiers.digital_link import NO_URI
from sudonglian.chain.identifiers.normal import SCHEME
from sudonglian.records.epcis.times import instant
from sudonglian.records.identifiers import label
from sudonglian.records.identities import reads_as_identity
from sudonglian.trace.engine.query import PLACES

_HASH = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_GLN = re.compile(r"\d{13}", re.ASCII)
_SPAN = re.compile(r"(\d{1,6})([dhms]?)", re.ASCII)

PERSON: Final = "person:"

_BINDING = re.compile(r"\s*([A-Za-z][\w.+-]*)\s*=\s*(\S+)\s*", re.ASCII)

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {"place": PLACES, "surface": ("item",)}
"""Names for several kinds, or for what an item is to a pathogen."""

UNITS: Final = {"": "days", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def record_hash_of(text: str) -> bytes:
    """Return a hash as bytes.

    >>> record_hash_of("0x" + "AB" * 32).hex()[:4]
    'abab'
    """
    if not (match := _HASH.fullmatch(text.strip())):
        zh = f"{text[:80]!r} 不是 64 位十六进制的哈希"
        raise UsageRefused(f"{text[:80]!r} is not a hash of 64 hexadecimal digits", place="HASH", zh=zh)
    return bytes.fromhex(match[1])


def moment(text: str, place: str) -> datetime:
    """Return an aware time; one that names no offset is no moment.

    >>> moment("2024-11-10T14:00:00+08:00", "--at").isoformat()
    '2024-11-10T06:00:00+00:00'
    """
    found = instant(text)
    if found is None:
        wanted = "a time with its offset from UTC, like 2024-11-10T14:00:00+08:00"
        zh = f"{text[:80]!r} 不是带时区的时间,应如 2024-11-10T14:00:00+08:00"
        raise UsageRefused(f"{text[:80]!r} is not {wanted}", place=place, zh=zh)
    return found


def span(text: str, place: str) -> timedelta:
    """Return a span: a number of days, or of what its letter says.

    >>> span("14d", "--lookback"), span("36h", "--lookback"), span("2", "--lookback")
    (datetime.timedelta(days=14), datetime.timedelta(days=1, seconds=43200), datetime.timedelta(days=2))
    """
    if not (match := _SPAN.fullmatch(text.strip())):
        zh = f"{text[:80]!r} 不是时长,应如 14d、36h、90m 或 30s"
        raise UsageRefused(f"{text[:80]!r} is not a span like 14d, 36h, 90m or 30s", place=place, zh=zh)
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def spans(given: Iterable[tuple[str, str]], place: str) -> dict[str, timedelta]:
    """Return a span for each kind of place or carrier; the engine knows the kinds. The later of two goes before.

    >>> spans([("location", "48h"), ("surface", "30m")], "--persistence")
    {'location': datetime.timedelta(days=2), 'item': datetime.timedelta(seconds=1800)}
    >>> sorted(spans([("place", "2h"), ("vehicle", "1h")], "--min-dwell"))
    ['handoff', 'interior', 'location', 'vehicle']
    """
    return {kind: span(text, place) for name, text in given for kind in GROUPS.get(name, (name,))}


def identifier_of(text: str, place: str) -> str:
    """Return an identifier of an item, a lot or a place in its normal form; what no record can name is refused.

    A GS1 element string, as labels have it, is taken too; what in it does not identify (an expiry date) is dropped.

    >>> identifier_of("(01)09520001002014(17)251018(10)BJ241018", "LOT")
    'https://id.gs1.org/01/09520001002014/10/BJ241018'
    >>> identifier_of(" urn:epc:id:sscc:0614141.1234567890 ", "LOT")
    'https://id.gs1.org/00/106141412345678908'
    """
    text = text.strip()
    if link := label.link_of(text):
        return str(link)
    # Capture refuses what is no URI, so that no record names it; a proof of its absence would only mislead.
    if not SCHEME.fullmatch(text) or NO_URI.search(text):
        ways = (
            "a GS1 Digital Link (https://id.gs1.org/00/…), an EPC URN (urn:epc:id:sscc:…) or an element string ((00)…)"
        )
        zh = f"{text[:80]!r} 不是标识;请写 GS1 Digital Link(https://id.gs1.org/00/…)、EPC URN(urn:epc:id:sscc:…)或标签上的写法((00)…)"
        raise UsageRefused(f"{text[:80]!r} is no identifier; write {ways}", place=place, zh=zh)
    return normal(text)


def seed_of(text: str, place: str) -> str:
    """Return where a trace begins: a person's number, or an identifier in its normal form.

    >>> seed_of("person:42", "SEED"), seed_of("(00)106141412345678908", "SEED")
    ('person:42', 'https://id.gs1.org/00/106141412345678908')
    """
    number = text.strip().removeprefix(PERSON)
    if reads_as_identity(number):
        # A question is kept for ever, and the person may be erased.
        raise UsageRefused(
            "reads as a telephone or identity number; a person is asked for by the number of 16 digits that a trace "
            "has given",
            place=place,
        )
    if number.isascii() and number.isdigit():
        return PERSON + number
    if text.strip().startswith(PERSON):
        zh = "person: 之后应为追溯给人员的编号"
        raise UsageRefused("after person: comes the number that a trace has given to a person", place=place, zh=zh)
    return identifier_of(text, place)


def doubt(name: str, lang: Lang) -> str:
    """Return what cannot be right about the digits of an identifier, for one that nothing is known of; or nothing.

    >>> doubt("https://id.gs1.org/00/106141412345678907", "en")
    'https://id.gs1.org/00/106141412345678907: the check digit must be 8'
    """
    fault = check(name)
    return "" if fault is None else f"{name}: {fault.zh if lang == 'zh' else fault.en}"


def address_of(text: str) -> bytes:
    """Return an EVM address as bytes.

    >>> address_of("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").hex()[:4]
    '5aae'
    """
    digits = text.strip().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]{40}", digits):
        raise UsageRefused(f"{text[:80]!r} is not an address of 40 hexadecimal digits", place="ADDRESS")
    return bytes.fromhex(digits)


def prefixes(text: str, place: str) -> dict[str, str]:
    """Return the prefixes that a list binds.

    >>> prefixes("acme=https://acme.example/, sdl=urn:sudonglian:ns:1:", "--extensions")
    {'acme': 'https://acme.example/', 'sdl': 'urn:sudonglian:ns:1:'}
    """
    found: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        if not (match := _BINDING.fullmatch(part)):
            raise UsageRefused("is written prefix=IRI, several separated by commas", place=place)
        found[match[1]] = match[2]
    return found


def party_of(text: str, place: str) -> str:
    """Return a party's normal URI; a bare GLN is one too.

    >>> party_of("4012345500004", "--party")
    'https://id.gs1.org/417/4012345500004'
    """
    uri = f"https://id.gs1.org/417/{text}" if _GLN.fullmatch(text) else text
    if not SCHEME.fullmatch(uri) or " " in uri:
        zh = f"{text[:80]!r} 既不是 13 位 GLN 也不是 URI"
        raise UsageRefused(f"{text[:80]!r} is neither a GLN of 13 digits nor a URI", place=place, zh=zh)
    if fault := check(uri):
        raise UsageRefused(f"{text[:80]!r}: {fault.en}", place=place, zh=f"{text[:80]!r}:{fault.zh}")
    return normal(uri)
