"""The canonical form: the specification's vectors, equality with RFC 8785's reference, garbage."""

import contextlib
import json
import string
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import canonical
from sudonglian.chain.errors import CanonicalRefused

VECTORS = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "canonical.json").read_text())
TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from('带鱼冷链"\\/\b\f\n\r\t\x00\x1f\x7f\u2028\ue000\uffff🐟😀𠮷'),
    ),
    max_size=8,
)
KEY = TEXT.filter(lambda key: key[:1] != "$" and key not in canonical.RESERVED)
SCALAR = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), TEXT)
VALUE = st.recursive(
    SCALAR, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEY, inner, max_size=5)), max_leaves=15
)


@pytest.fixture(params=["orjson", "json"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With orjson, as a server has it, and without, as a bare verifier does."""
    if request.param == "json":
        monkeypatch.setattr(canonical, "orjson", None)
    return str(request.param)


@pytest.mark.usefixtures("encoder")
def test_the_vectors_of_the_specification() -> None:
    for case in VECTORS["good"]:
        out = canonical.canonical_bytes(case["input"].encode())
        assert out == case["canonical"].encode()
        assert canonical.encode(canonical.parse_stored(out)) == out
    for case in VECTORS["bad"]:
        assert rule(canonical.parse, case["input"].encode()) == case["rule"], case
    for case in VECTORS["not_utf8"]:
        assert rule(canonical.parse, bytes.fromhex(case["input_hex"])) == case["rule"], case
    for case in VECTORS["stored_bad"]:
        assert rule(canonical.parse_stored, case["input"].encode()) == case["rule"], case


def rule(read: Any, raw: bytes) -> str:
    try:
        read(raw)
    except CanonicalRefused as refusal:
        return refusal.place
    return "read"


@given(VALUE)
def test_it_equals_the_reference_with_orjson_and_without(value: Any) -> None:
    due = rfc8785.dumps(value)
    assert canonical.encode(value) == due
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "orjson", None)
        assert canonical.encode(value) == due
    assert canonical.parse_stored(due) == value
    canonical.check(value)


@given(VALUE, st.sampled_from([None, 1, 7]), st.booleans())
def test_however_it_is_written_it_is_one_text(value: Any, indent: int | None, escaped: bool) -> None:
    raw = json.dumps(value, ensure_ascii=escaped, indent=indent).encode()
    assert canonical.canonical_bytes(raw) == rfc8785.dumps(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None), st.integers(0, 5))
def test_a_number_keeps_its_value_or_is_refused(number: Decimal, zeros: int) -> None:
    for text in {str(number), format(number, "e"), format(number, "f") if abs(number.adjusted()) < 300 else "0"}:
        padded = text + "0" * zeros if "." in text and "e" not in text.lower() else text
        if (refused := rule(canonical.parse, padded.encode())) != "read":
            assert refused == "number"
            continue
        value = canonical.parse(padded.encode())
        assert canonical.decimal_of(value) == Decimal(padded)
        out = canonical.encode(value)
        assert canonical.parse_stored(out) == value
        assert b"e" not in out.replace(b'"$dec"', b"").lower()


@given(st.text(string.digits + "-+.eE", min_size=1, max_size=12))
def test_equal_numbers_have_one_form(text: str) -> None:
    with contextlib.suppress(CanonicalRefused):
        value = canonical.parse(text.encode())
        exact = Decimal(text)
        integer = exact == exact.to_integral_value() and abs(exact) <= canonical.MAX_INTEGER
        assert isinstance(value, int) == integer


@given(st.one_of(st.binary(max_size=60), st.text('{}[]",:\\ue+-.0123456789truefalsn$_d', max_size=40).map(str.encode)))
def test_garbage_is_refused_in_our_own_words(raw: bytes) -> None:
    with contextlib.suppress(CanonicalRefused):
        out = canonical.canonical_bytes(raw)
        assert canonical.encode(canonical.parse_stored(out)) == out
    with contextlib.suppress(CanonicalRefused):
        assert canonical.encode(canonical.parse_stored(raw)) == raw


STORED = [
    b'{"a":[1,{"$dec":"1.5"},"x"],"b":{"c":null,"d":"\xe5\xb8\xa6"}}',
    b'{"$dec":"-0.5"}',
    b'{"a":"{\\"$dec\\":\\"1.50\\"}","b":"$dec"}',
    b'{"\xf0\x9f\x98\x80":1,"\xef\xbf\xbd":2}',
    b'{"a":{"$dec":"12345678901234567890"}}',
    b"[" * 64 + b"]" * 64,
]


@given(
    st.sampled_from(STORED),
    st.lists(
        st.tuples(
            st.integers(0, 60),
            st.integers(0, 2),
            st.one_of(
                st.text('{}[]",:\\$dec0123456789.eE-+ \x00a', max_size=3).map(str.encode), st.sampled_from(STORED)
            ),
        ),
        max_size=2,
    ),
    st.sampled_from([64, 3, 1]),
)
def test_stored_bytes_are_taken_at_once_where_the_rules_take_them_one_by_one(
    raw: bytes, changes: list[tuple[int, int, bytes]], depth: int
) -> None:
    for place, gone, put in changes:
        raw = raw[:place] + put + raw[place + gone :]
    told = []
    for at_once in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not at_once:
                patch.setattr(canonical, "_read_back", lambda *_: canonical._UNREAD)
            try:
                told.append(repr(canonical.parse_stored(raw, max_depth=depth)))
            except CanonicalRefused as error:
                told.append(error.place)
    assert told[0] == told[1]


def test_ordinary_records_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "_load", None)
    assert canonical.parse_stored(STORED[0]) == {"a": [1, {"$dec": "1.5"}, "x"], "b": {"c": None, "d": "带"}}


def test_limits_are_where_the_specification_says() -> None:
    assert canonical.parse(b" " * (canonical.MAX_BYTES - 1) + b"1") == 1
    assert rule(canonical.parse, b" " * canonical.MAX_BYTES + b"1") == "too-large"
    assert rule(canonical.parse, b"0." + b"1" * 338) == "number"
    assert canonical.parse(b"0." + b"0" * 336 + b"e9") == 0
    assert rule(canonical.parse, b"0." + b"0" * 337 + b"e9") == "number"
    for text in ("[" * 100_000, '{"a":' * 100_000, "[" * 65 + '"' + '\\"' * 1_000_000, '"' * 99 + "[" * 65 + "\\"):
        assert rule(canonical.parse, text.encode()) in ("too-deep", "syntax")
    assert canonical.parse(b'"' + b"[" * 70 + b'"') == "[" * 70
    assert rule(canonical.parse, b'["\\"' + b"[" * 70 + b'"]') == "read"


@pytest.mark.parametrize(
    "value",
    [1.5, [0.0], {"a": float("nan")}, 2**53, -(2**53), {1: 2}, ("a",), b"x", {"a": {None: 1}}, Decimal(1), {1, 2}],
)
def test_what_is_not_of_the_model_is_refused(value: Any) -> None:
    assert rule(canonical.check, value) == "value"


@pytest.mark.usefixtures("encoder")
@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, [b"x"], {"a": {1, 2}}, object()])
def test_what_has_no_text_is_refused(value: Any) -> None:
    assert rule(canonical.encode, value) == "value"


def test_a_decimal_is_read_back() -> None:
    assert canonical.decimal_of({"$dec": "-18.5"}) == Decimal("-18.5")
    for wrong in (True, "1", {"$dec": 1}, {"$dec": "1", "a": 1}, None):
        assert rule(canonical.decimal_of, wrong) == "number"  # type: ignore[arg-type]


@given(
    st.recursive(
        st.just([]),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text('[{]}\\"', max_size=3), inner)),
        max_leaves=30,
    ),
    st.integers(1, 8),
)
def test_depth_is_counted_exactly(value: Any, limit: int) -> None:
    def depth(one: Any) -> int:
        inner = one.values() if isinstance(one, dict) else one
        return 1 + max(map(depth, inner), default=0)

    raw = json.dumps(value).encode()
    if depth(value) <= limit:
        assert canonical.parse(raw, max_depth=limit) == value
    else:
        assert rule(lambda text: canonical.parse(text, max_depth=limit), raw) == "too-deep"


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":', '{"a":[', '[[{"a":'])
def test_the_deepest_that_is_read(opening: str) -> None:
    level = opening.count("[") + opening.count("{")
    closing = "".join({"[": "]", "{": "}"}[one] for one in reversed(opening) if one in "[{")
    times = 64 // level
    text = opening * times + "1" + closing * times
    assert canonical.parse(text.encode(), max_depth=times * level)
    assert rule(lambda raw: canonical.parse(raw, max_depth=times * level - 1), text.encode()) == "too-deep"


@given(
    st.dictionaries(
        st.text(st.sampled_from('a鱼\ue000\ufffd🐟𠮷:"\\'), max_size=4),
        st.sampled_from(["🐟", '🐟":', {"🐟": 1, "\uffff": 2}]),
    )
)
def test_keys_beyond_the_bmp_are_in_the_order_of_rfc8785(value: Any) -> None:
    assert canonical.encode([value]) == rfc8785.dumps([value])


def depth_of(text: str) -> int:
    """How deep a text nests, character by character."""
    depth = most = 0
    inside = skip = False
    for one in text:
        if skip:
            skip = False
        elif inside:
            inside, skip = one != '"', one == "\\"
        elif one == '"':
            inside = True
        elif one in "[{":
            depth += 1
            most = max(most, depth)
        elif one in "]}":
            depth -= 1
    return most


NESTED = st.recursive(
    st.one_of(st.integers(0, 9), st.text(alphabet='[]{}"\\a\n', max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text('[{"\\', max_size=3), inner, max_size=2)
    ),
    max_leaves=20,
)


@given(NESTED, st.integers(1, 6))
def test_depth_is_counted_outside_of_strings(value: Any, limit: int) -> None:
    text = json.dumps(value)
    try:
        canonical.parse(text.encode(), max_depth=limit)
        refused = False
    except CanonicalRefused as refusal:
        refused = refusal.place == "too-deep"
    assert refused == (depth_of(text) > limit)
