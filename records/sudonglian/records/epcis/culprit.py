"""The culprit: where in a text stands what the reader of canonical.md refuses, for that says only which rule it breaks.

docs/spec/canonical.md rules 3-5 and 7; RFC 6901 (pointers). Read a second time, and only when something was refused.
"""

import json
from typing import Any

from sudonglian.chain import canonical
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.records.epcis.findings import pointer


class _Object(list[tuple[str, Any]]):
    """An object with all its members, also those of one name."""


class _Number(str):
    """A number as it is written."""


def find(text: bytes, rule: str) -> str:
    """Return the pointer of the first value or member that breaks a rule, or an empty one.

    >>> find(b'{"a": [{"b": 1, "b": 2}]}', "duplicate-key")
    '/a/0/b'
    """
    try:
        value = json.loads(text, object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        return ""
    pending: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while pending:
        current, path = pending.pop()
        if isinstance(current, _Object):
            if (key := _key(current, rule)) is not None:
                # A key that is half a character cannot be written, so that its object is shown.
                return _written(path) if rule == "surrogate" else _written((*path, key))
            pending.extend((inner, (*path, key)) for key, inner in reversed(current))
        elif isinstance(current, list):
            pending.extend((inner, (*path, index)) for index, inner in reversed([*enumerate(current)]))
        elif isinstance(current, str) and _breaks(current, rule):
            return _written(path)
    return ""


def _key(members: _Object, rule: str) -> str | None:
    seen: set[str] = set()
    for key, _ in members:
        if (
            (rule == "duplicate-key" and key in seen)
            or (rule == "reserved-key" and (key[:1] == "$" or key in canonical.RESERVED))
            or (rule == "surrogate" and _is_broken(key))
        ):
            return key
        seen.add(key)
    return None


def _breaks(text: str, rule: str) -> bool:
    if rule == "surrogate":
        return _is_broken(text)
    if rule != "number" or not isinstance(text, _Number):
        return False
    try:
        canonical.parse(text.encode())
    except CanonicalRefused:
        return True
    return False


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _written(path: tuple[str | int, ...]) -> str:
    found = pointer(*path)
    return "" if _is_broken(found) else found
