"""Where in a document stands what the canonical form refuses, by rule, with a pointer and a Chinese sentence."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.records.epcis import culprit
from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.refusals import DocumentRefused

HAN = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        (b'{"type":"ObjectEvent","a":[{"b":1,"b":2}]}', "duplicate-key", "/a/0/b"),
        (b'{"type":"ObjectEvent","a/b":{"$dec":"1"}}', "reserved-key", "/a~1b/$dec"),
        (b'{"type":"ObjectEvent","ilmd":{"_sd":[]}}', "reserved-key", "/ilmd/_sd"),
        (b'{"type":"ObjectEvent","a":[0,"\\ud800"]}', "surrogate", "/a/1"),
        (b'{"type":"ObjectEvent","a":{"\\udc00":1}}', "surrogate", "/a"),
        (b'{"type":"ObjectEvent","a":{"n":' + b"1" * 35 + b"}}", "number", "/a/n"),
        (b'{"type":"ObjectEvent","a":[1,1e99]}', "number", "/a/1"),
        (b'{"a":"1' + b"1" * 40 + b'","n":' + b"1" * 400 + b".5}", "number", "/n"),
        (b"[" * 71 + b"]" * 71, "too-deep", ""),
        (b'{"a":NaN}', "not-json", ""),
        (b'{"a":1}{"a":2}', "not-json", ""),
        (b"", "not-json", ""),
        (b" \n", "not-json", ""),
        ("货".encode("gb18030"), "not-utf8", ""),
        (b"<a/>", "not-epcis", ""),
        (b"1", "not-epcis", ""),
        (b'{"type":"EPCISDocument","epcisBody":{}}', "no-events", "/epcisBody/eventList"),
        (b'[{"type":"ObjectEvent"},1]', "not-epcis", "/1"),
    ],
)
def test_the_rule_and_the_place(raw: bytes, code: str, place: str) -> None:
    with pytest.raises(DocumentRefused) as caught:
        read_document(raw)
    assert (caught.value.slug, caught.value.place) == (code, place)
    assert HAN.search(caught.value.zh)
    assert not HAN.search(caught.value.reason)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=4), inner),
)


@given(json_values, st.sampled_from(["duplicate-key", "reserved-key", "surrogate", "number"]))
def test_a_place_is_a_pointer_of_the_text(value: Any, rule: str) -> None:
    text = json.dumps({"outer": [value]}).encode()
    place = culprit.find(text, rule)
    assert place == "" or place.startswith("/outer/0")


@given(st.binary(max_size=64))
def test_garbage_has_no_place(raw: bytes) -> None:
    assert isinstance(culprit.find(raw, "duplicate-key"), str)
