"""Values as the Event Hash ID writes them: one spelling for each time, number, word and identifier.

CBV 2.0 §8.9, as its reference implementation reads it; docs/decisions/0203 and 0205 say where the two differ.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.hash_heads import link

CACHED: Final = 16_384
"""Texts whose spelling is remembered: a firm's places, devices and units come again in every event."""

MAX_CACHED_TEXT: Final = 200
"""Longer ones are no identifiers, and would make the memory's size the sender's choice."""

TIMES: Final = frozenset({"eventTime", "time", "startTime", "endTime"})

STANDARD: Final = {"gs1": "https://gs1.org/voc/", "cbv": "https://ref.gs1.org/cbv/"}
"""Prefixes that are written out in values; a firm's own are left as they are."""

URN_WORDS: Final = {
    "urn:epcglobal:cbv:bizstep:": "https://ref.gs1.org/cbv/BizStep-",
    "urn:epcglobal:cbv:disp:": "https://ref.gs1.org/cbv/Disp-",
    "urn:epcglobal:cbv:btt:": "https://ref.gs1.org/cbv/BTT-",
    "urn:epcglobal:cbv:sdt:": "https://ref.gs1.org/cbv/SDT-",
    "urn:epcglobal:cbv:er:": "https://ref.gs1.org/cbv/ER-",
}

BARE_WORDS: Final = {
    ("bizStep",): "https://ref.gs1.org/cbv/BizStep-",
    ("disposition",): "https://ref.gs1.org/cbv/Disp-",
    ("persistentDisposition", "set"): "https://ref.gs1.org/cbv/Disp-",
    ("persistentDisposition", "unset"): "https://ref.gs1.org/cbv/Disp-",
    ("bizTransactionList", "type"): "https://ref.gs1.org/cbv/BTT-",
    ("sourceList", "type"): "https://ref.gs1.org/cbv/SDT-",
    ("destinationList", "type"): "https://ref.gs1.org/cbv/SDT-",
    ("sensorReport", "type"): "https://gs1.org/voc/",
    ("sensorReport", "exception"): "https://gs1.org/voc/",
    ("sensorReport", "component"): "https://ref.gs1.org/cbv/Comp-",
}

MINUTE: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII)
BEHIND_MINUTE: Final = re.compile(r":([0-5]\d)(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})", re.ASCII)

WORDED: Final = frozenset(path[-1] for path in BARE_WORDS)

SPECIAL: Final = TIMES | WORDED

_SIGNS: Final = "+-."


def written(name: str, value: Json, parent: str) -> str:
    """Return the text of a value; `parent` is the member whose object or list it stands in.

    >>> written("bizStep", "packing", ""), written("quantity", {"$dec": "0.50"}, "quantityElement")
    ('https://ref.gs1.org/cbv/BizStep-packing', '0.5')
    """
    if isinstance(value, str):
        text = value.strip()
        if name not in SPECIAL and len(text) <= MAX_CACHED_TEXT:
            return _spelt(text)
    elif value is None:
        return ""
    elif isinstance(value, bool):
        return "true" if value else "false"
    else:
        text = str(value.get("$dec") if isinstance(value, dict) else value)
    if name in TIMES:
        return _time(text)
    if text and ":" not in text and name in WORDED:
        text = (BARE_WORDS.get((parent, name)) or BARE_WORDS.get((name,)) or "") + text
    return _spelt(text) if len(text) <= MAX_CACHED_TEXT else _spell(text)


def _spell(text: str) -> str:
    if ":" not in text:
        return _number(text) if text[:1].isdigit() or text[:1] in _SIGNS else text
    prefix, _, local = text.partition(":")
    if prefix in STANDARD:
        text = STANDARD[prefix] + local
    if "urn:epcglobal:cbv:" in text:
        for urn, uri in URN_WORDS.items():
            text = text.replace(urn, uri)
    return link(text)


_spelt = lru_cache(CACHED)(_spell)


def _number(text: str) -> str:
    # As published: 18-digit text loses its last digits here. That is why no commitment rests on this hash.
    try:
        number = float(text)
        return str(int(number)) if number == int(number) else str(number)
    except (ValueError, OverflowError):
        return text


def _time(text: str) -> str:
    # A minute and what stands behind it come again sooner than a time.
    parts = _BEHIND if len(text) <= MAX_CACHED_TEXT else _behind
    found = parts(text[16:])
    if found is None:
        return text
    second, milliseconds, offset = found
    minute = _minute(text[:16], offset)
    if not minute:
        return text
    if milliseconds < 1000:
        return f"{minute}:{second}.{milliseconds:03}Z"
    try:
        return f"{(datetime.fromisoformat(f'{minute}:{second}') + timedelta(seconds=1)).isoformat()}.000Z"
    except OverflowError:
        return text


def _behind(text: str) -> tuple[str, int, str] | None:
    """Return second, milliseconds and offset, of what stands behind the minute."""
    match = BEHIND_MINUTE.fullmatch(text)
    if match is None:
        return None
    second, digits, offset = match.groups()
    fraction = (digits or "").ljust(4, "0")
    return second, int(fraction[:3]) + (fraction[3] >= "5"), offset


_BEHIND = lru_cache(CACHED)(_behind)


@lru_cache(CACHED)
def _minute(minute: str, offset: str) -> str:
    """Return the minute in UTC, nothing if there is none such: an offset has no seconds."""
    if not MINUTE.fullmatch(minute):
        return ""
    try:
        return datetime.fromisoformat(minute + offset).astimezone(UTC).isoformat()[:16]
    except (ValueError, OverflowError):
        return ""
