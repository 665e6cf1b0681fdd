"""One byte string for one JSON value: what is hashed, and nothing else.

docs/spec/canonical.md (a strict profile of RFC 8785); rule numbers below are that document's.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from sudonglian.chain.errors import CanonicalRefused

try:  # the server has it; a bare verifier does without
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]
else:
    # Dates, dataclasses and subclasses have no canonical form: orjson would write them.
    _ORJSON: Final = (
        orjson.OPT_STRICT_INTEGER
        | orjson.OPT_PASSTHROUGH_DATACLASS
        | orjson.OPT_PASSTHROUGH_DATETIME
        | orjson.OPT_PASSTHROUGH_SUBCLASS
    )
    _ORJSON_SORTED: Final = _ORJSON | orjson.OPT_SORT_KEYS

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"

MAX_BYTES: Final = 4 * 1024 * 1024
"""An event with 20,000 identifiers is 1 MB; four times that is still hashed in milliseconds (rule 2)."""

MAX_DEPTH: Final = 64
"""Published EPCIS documents nest at most 12 deep; parsers of other languages stop at 100 or so (rule 2)."""

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 7493 §2.2)."""

MAX_DIGITS: Final = 34
"""The digits of an IEEE 754 decimal128, which other languages can hold (rule 7)."""

MAX_LITERAL: Final = 340
"""No honest number is written with more characters, and a decimal's work grows with them (rule 7)."""

RESERVED: Final = frozenset({"_sd", "_sd_alg", "..."})
"""Keys of RFC 9901, which only record.md writes (rule 4)."""

_MAY_BE_RESERVED: Final = (b'"$', b'"_sd', b'"..."', b"\\")
"""Without any of these in the bytes there is no reserved key; with an escape there may be one all the same."""

BOM: Final = b"\xef\xbb\xbf"

_KEY_OR_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+":?')
_NO_STRUCTURE: Final = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_DECIMAL_MEMBER: Final = b'"$dec"'
_PLAIN_DECIMAL = re.compile(rb'\{"\$dec":"-?(?:0|[1-9][0-9]{0,15})\.[0-9]{0,15}[1-9]"\}')
"""The decimals of sensors and scales: at most 32 digits, and no integer."""
_SHORTEST_FRACTION = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9]")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse(raw: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Json:
    """Read one JSON text into the canonical model, or refuse it (rules 1-8).

    >>> parse(b'{"t": -18.50, "n": 26.0}')
    {'t': {'$dec': '-18.5'}, 'n': 26}

    Raises
    ------
    CanonicalRefused
        With the rule's name in `.place`.
    """
    pairs = _object if any(mark in raw for mark in _MAY_BE_RESERVED) else _stored_pairs
    return _load(raw, max_bytes, max_depth, pairs, _integer, _fraction)


def parse_stored(raw: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Json:
    """Read canonical bytes back; refuse any that are not what `encode` would write (rules 11, 12).

    >>> parse_stored(b'{"_sd":[]}')
    {'_sd': []}
    """
    if (read := _read_back(raw, max_bytes, max_depth)) is not _UNREAD:
        found: Json = read
        return found
    value = _load(raw, max_bytes, max_depth, _stored_object, _stored_integer, _stored_fraction)
    if encode(value) != raw:
        raise CanonicalRefused("the bytes are not the canonical form of what they say", place="not-canonical")
    return value


_UNREAD: Final = object()


def _read_back(raw: bytes, max_bytes: int, max_depth: int) -> Any:
    """Return what ordinary canonical bytes say, or `_UNREAD`: then the rules decide one by one, which takes longer.

    What is written again as it was read has no key twice and no other escapes, so that no object need be looked at by
    itself; how deep it is and which decimals it has is asked of the bytes.
    """
    if len(raw) > max_bytes or _is_deep_or_unbalanced(raw, max_depth):
        return _UNREAD
    decimals = raw.count(_DECIMAL_MEMBER)
    # Within a string the quotes would be escaped, so that each match is a number.
    if decimals and len(_PLAIN_DECIMAL.findall(raw)) != decimals:
        return _UNREAD
    try:
        value = _READER.raw_decode(raw.decode("utf-8"))[0]
        return value if encode(value) == raw else _UNREAD
    except (ValueError, RecursionError, CanonicalRefused):
        return _UNREAD


def encode(value: Json) -> bytes:
    """Return the canonical bytes of a value of the canonical model (rules 9, 10).

    `parse` gives such values; one that code put together goes through `check` first.

    >>> encode({"b": 1, "a": "带鱼"}).decode()
    '{"a":"带鱼","b":1}'
    """
    try:
        out = _dumps(value, sort=True)
        # Both sort by code point, which differs from UTF-16 order only where a key reaches beyond the BMP.
        if not out.isascii() and _holds_astral(out) and _has_astral_key(out):
            return _dumps(_in_utf16_order(value), sort=False)
        return out
    except (TypeError, ValueError, RecursionError) as error:
        raise CanonicalRefused(f"not a value of the canonical model: {error}", place="value") from error


def check(value: object) -> None:
    """Refuse a value that is not of the canonical model (rule 9): a float, a large integer, a key that is no text.

    Not part of `encode`: it costs ten times as much, and what was parsed has passed already.
    """
    rest: list[object] = [value]
    for one in rest:  # which grows meanwhile
        if isinstance(one, str):
            continue
        if isinstance(one, dict):
            for key in one:
                if not isinstance(key, str):
                    raise CanonicalRefused("a key is not text", place="value")
            rest += one.values()
        elif isinstance(one, list):
            rest += one
        elif isinstance(one, int):
            if abs(one) > MAX_INTEGER:
                raise CanonicalRefused("an integer beyond 2^53", place="value")
        elif one is not None:
            raise CanonicalRefused(f"a {type(one).__name__} is not a value of the canonical model", place="value")


def canonical_bytes(raw: bytes) -> bytes:
    """Return the canonical form of one JSON text.

    >>> canonical_bytes(b' {"b": 1e2, "a": 0.10} ')
    b'{"a":{"$dec":"0.1"},"b":100}'
    """
    return encode(parse(raw))


def decimal_text(number: Decimal) -> str:
    """Return the one text of a decimal (rule 6); refuse more than `MAX_DIGITS` digits (rule 7)."""
    if number.is_zero():
        return "0"
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        raise CanonicalRefused(f"more than {MAX_DIGITS} digits", place="number")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if len(text.replace("-", "").replace(".", "")) > MAX_DIGITS:
        raise CanonicalRefused(f"{text[:50]}: more than {MAX_DIGITS} digits", place="number")
    return text


def decimal_of(value: Json) -> Decimal:
    """Return the number that a value of the canonical model stands for: an integer or `{"$dec": text}`.

    >>> decimal_of({"$dec": "-18.5"})
    Decimal('-18.5')
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, dict) and len(value) == 1 and isinstance(text := value.get("$dec"), str):
        return Decimal(text)
    raise CanonicalRefused("not a number", place="number")


def _dumps(value: Json, *, sort: bool) -> bytes:
    if orjson is not None:
        return orjson.dumps(value, None, _ORJSON_SORTED if sort else _ORJSON)
    return json.dumps(value, ensure_ascii=False, sort_keys=sort, separators=(",", ":")).encode()


def _holds_astral(written: bytes) -> bool:
    # The first bytes of characters beyond the BMP. Written out: a loop takes longer than the encoding itself.
    return b"\xf0" in written or b"\xf3" in written or b"\xf1" in written or b"\xf2" in written or b"\xf4" in written


def _has_astral_key(written: bytes) -> bool:
    return any(text[-1:] == b":" and _holds_astral(text) for text in _KEY_OR_STRING.findall(written))


def _in_utf16_order(value: Json) -> Json:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _in_utf16_order(value[key]) for key in keys}
    return [_in_utf16_order(one) for one in value] if isinstance(value, list) else value


def _load(raw: bytes, max_bytes: int, max_depth: int, pairs: Any, integer: Any, fraction: Any) -> Json:
    if len(raw) > max_bytes:
        raise CanonicalRefused(f"{len(raw)} bytes, at most {max_bytes} are read", place="too-large")
    if raw.startswith(BOM):
        raise CanonicalRefused("begins with a byte-order mark", place="syntax")
    deep = _is_deep_or_unbalanced(raw, max_depth)
    try:
        text = raw.decode("utf-8")
        value: Json = json.loads(
            text, object_pairs_hook=pairs, parse_int=integer, parse_float=fraction, parse_constant=_constant
        )
        if b"\\" in raw and _ESCAPED_SURROGATE.search(raw):
            encode(value)  # refuses what UTF-8 cannot hold
        if deep:
            raise RecursionError
    except UnicodeDecodeError as error:
        raise CanonicalRefused(f"byte {error.start} is not UTF-8", place="syntax") from error
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno} column {error.colno}: {error.msg}"
        raise CanonicalRefused(reason, place="syntax") from error
    except RecursionError as error:
        raise CanonicalRefused(f"nested deeper than {max_depth}", place="too-deep") from error
    except CanonicalRefused as error:
        if error.place == "value":
            raise CanonicalRefused("a string holds an unpaired surrogate", place="surrogate") from error
        raise
    return value


def _is_deep_or_unbalanced(raw: bytes, max_depth: int) -> bool:
    # What json reads is balanced, so what it reads although this says yes is deep.
    if raw.count(b"[") + raw.count(b"{") <= max_depth:
        return False
    # Without escaped quotes, each quote begins or ends a string: an even number of them stands before what is outside
    # of strings. Of most strings two quotes are left here, side by side: those tell nothing.
    quoted = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    outside = quoted.translate(_ONE_KIND, _NO_STRUCTURE).replace(b'""', b"")
    brackets = b"".join(outside.split(b'"')[::2]) if b'"' in outside else outside
    for _ in range(max_depth):  # each turn takes the innermost level away
        before, brackets = len(brackets), brackets.replace(b"[]", b"")
        if not brackets or len(brackets) == before:
            break
    return bool(brackets)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = _stored_pairs(pairs)
    for key in result:
        if key[:1] == "$" or key in RESERVED:
            raise CanonicalRefused(f"the key {key!r} is reserved", place="reserved-key")
    return result


def _stored_pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise CanonicalRefused(f"the key {twice!r} stands twice in one object", place="duplicate-key")
    return result


def _stored_object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = _stored_pairs(pairs)
    if "$dec" in result:
        text = result["$dec"]
        if len(result) != 1 or not isinstance(text, str) or not _DECIMAL.fullmatch(text):
            raise CanonicalRefused(f"{str(text)[:50]!r} is not a decimal text", place="number")
        if len(text.replace("-", "").replace(".", "")) > MAX_DIGITS:
            raise CanonicalRefused(f"more than {MAX_DIGITS} digits", place="number")
        if "." not in text and abs(int(text)) <= MAX_INTEGER:
            raise CanonicalRefused(f"{text} is an integer", place="number")
    return result


def _integer(text: str) -> Json:
    if len(text) < 16:
        return int(text)
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise CanonicalRefused(f"{text[:50]}…: more than {MAX_DIGITS} digits", place="number")
    return number if abs(number := int(text)) <= MAX_INTEGER else {"$dec": str(number)}


def _fraction(text: str) -> Json:
    if len(text) > MAX_LITERAL:
        raise CanonicalRefused(f"{text[:50]}…: written with more than {MAX_LITERAL} characters", place="number")
    if len(text) <= MAX_DIGITS and _SHORTEST_FRACTION.fullmatch(text):
        return {"$dec": text}
    if not re.search("[1-9]", text.lower().partition("e")[0]):
        return 0  # whatever its exponent
    try:
        exact = decimal_text(Decimal(text))
    except InvalidOperation as error:
        raise CanonicalRefused(f"{text[:50]}: the exponent is out of range", place="number") from error
    if "." not in exact and abs(number := int(exact)) <= MAX_INTEGER:
        return number
    return {"$dec": exact}


def _stored_integer(text: str) -> Json:
    if len(text) > 17 or abs(number := int(text)) > MAX_INTEGER:
        raise CanonicalRefused(f"{text[:50]} is not an integer within 2^53", place="number")
    return number


def _stored_fraction(text: str) -> Json:
    raise CanonicalRefused(f"{text[:50]} is not written as an integer", place="number")


def _constant(text: str) -> Json:
    raise CanonicalRefused(f"{text} is not JSON", place="syntax")


_READER: Final = json.JSONDecoder(parse_int=_stored_integer, parse_float=_stored_fraction, parse_constant=_constant)
