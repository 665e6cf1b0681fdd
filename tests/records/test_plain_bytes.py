"""Canonical bytes of many plain events: exactly those of each, and its refusals."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import canonical
from sudonglian.chain.canonical import MAX_DEPTH, Json
from sudonglian.chain.errors import SudonglianError
from sudonglian.records.epcis import plain_bytes as plain_bytes_module
from sudonglian.records.epcis.plain import NAMESPACE, plain_event
from sudonglian.records.epcis.plain_bytes import plain_bytes

TERMS = ["x", "ex", "sdl", "cbv", "urn", "@vocab", "@language", "带", "", "a-b", 'q"', "type"]
VALUES = [
    "urn:e:",
    "ex:deep",
    "x:deep",
    NAMESPACE,
    "urn:Sudonglian:ns",
    "http://e.example/",
    "plain",
    "带:鱼",
    'a"x:b',
    "x",
]
TEXTS = [*VALUES, "x:1", "x://1", "ex", "ex:1", "sdl:traceCode", "\\", "x:\\", "urn:sudonglian:ns:1:a"]
names = st.sampled_from(
    [
        "type",
        "eventTime",
        "x:a",
        "ex:b",
        "x://c",
        "sdl:vehiclePlate",
        "URN:Sudonglian:ns:1:a",
        "0",
        "带:a",
        "recordTime",
        "ex",
    ]
)
values: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(TEXTS) | st.integers(0, 3) | st.none() | st.just({"$dec": "0.5"}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
bindings = st.dictionaries(
    st.sampled_from(TERMS),
    st.sampled_from([*VALUES, None]) | st.fixed_dictionaries({"@id": st.sampled_from(VALUES)}),
    max_size=4,
)
entry = bindings | st.sampled_from([None, "https://other.example/", "https://ref.gs1.org/standards/epcis/x"])
contexts = st.one_of(entry, st.lists(entry, max_size=2), st.sampled_from([7, [7]]))
events = st.dictionaries(names, values, max_size=4) | st.builds(
    lambda event, context: {**event, "@context": context}, st.dictionaries(names, values, max_size=4), contexts
)
ordinary = st.builds(lambda more: {"type": "ObjectEvent", **more}, events)


def outcome(events: list[dict[str, Json]], outer: list[Json], *, at_once: bool) -> object:
    try:
        if at_once:
            return list(plain_bytes(events, outer))
        return [canonical.encode(plain_event(event, outer)) for event in events]
    except SudonglianError as refusal:
        return type(refusal), refusal.reason, refusal.place


@given(st.lists(events | ordinary, max_size=4), st.lists(entry, max_size=2))
def test_the_bytes_are_those_of_each_plain_event(events: list[dict[str, Json]], outer: list[Json]) -> None:
    assert outcome(events, outer, at_once=True) == outcome(events, outer, at_once=False)


@given(st.lists(ordinary, min_size=1, max_size=3), st.sampled_from([{"x": "urn:x:"}, {"x": "ex:", "ex": "urn:e:"}]))
def test_the_bytes_of_ordinary_events(events: list[dict[str, Json]], outer: Json) -> None:
    assert outcome(events * 2, [outer], at_once=True) == outcome(events * 2, [outer], at_once=False)


def test_no_plain_event_is_made_of_an_ordinary_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_bytes_module, "plain_event", None)
    said = list(
        plain_bytes([{"type": "ObjectEvent", "x:a": "1", "recordTime": "2026"}], [{"x": "urn:x:", "y": "urn:y:"}])
    )
    assert said == [b'{"@context":{"x":"urn:x:"},"type":"ObjectEvent","x:a":"1"}']


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_is_refused_as_ever(depth: int) -> None:
    deep: Json = "end"
    for _ in range(depth - 1):
        deep = [deep]
    events: list[dict[str, Json]] = [{"type": "ObjectEvent", "x:a": deep}]
    assert outcome(events, [], at_once=True) == outcome(events, [], at_once=False)


def test_contexts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_bytes_module, "MAX_CONTEXTS", 2)
    events: list[dict[str, Json]] = [
        {"type": "ObjectEvent", f"x{number % 5}:a": "1", "@context": [{f"x{number % 5}": f"urn:{number}:"}]}
        for number in range(12)
    ]
    assert outcome(events * 2, [], at_once=True) == outcome(events * 2, [], at_once=False)
