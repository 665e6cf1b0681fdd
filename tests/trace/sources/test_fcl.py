"""FoodChain-Lab's files: what is read, and what is refused with where it stands."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.trace.errors import TraceError
from sudonglian.trace.tables import fcl
from sudonglian.trace.tables.source_answers import sources

from .literal import network

GOOD = network(
    ["a", "b", "c"],
    [{"ID": "1", "from": "a", "to": "b", "Date Delivery": "2020-01-01"}, {"ID": "2", "from": "b", "to": "c"}],
    [("1", "2")],
    [{"id": "c", "weight": 1, "crossContamination": None, "killContamination": None, "observed": True}],
    [{"id": "2"}],
    [{"id": "g", "type": None, "members": ["a", "b"]}],
)


def raw(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_the_other_names_of_columns() -> None:
    document = copy.deepcopy(GOOD)
    document["data"]["deliveryRelations"]["data"] = [[{"id": "ID", "value": "1"}, {"id": "Next", "value": 2}]]
    document["data"]["deliveries"]["data"][0] += [
        {"id": "date delivery arrival", "value": "02.01.2020"},
        {"id": "Lot ID", "value": 5},
    ]
    found = fcl.read(b"\xef\xbb\xbf" + raw(document))
    assert (found.stations, found.names, found.deliveries) == (("a", "b", "c"), ("A", "B", "C"), ("1", "2"))
    assert (found.network.before.tolist(), found.network.after.tolist()) == ([0], [1])
    assert found.network.arrived[0] == found.network.departed[0] + 1
    assert found.unread == ()


def test_parts_that_may_be_missing() -> None:
    document = copy.deepcopy(GOOD)
    del document["settings"]
    document["tracing"] = None
    assert sources(raw(document))["sums"] == {"station_score": 0.0, "delivery_score": 0.0}


def test_a_day_that_is_none_is_unknown_and_said() -> None:
    document = copy.deepcopy(GOOD)
    document["data"]["deliveries"]["data"][0][3]["value"] = "in May"
    notes = sources(raw(document))["notes"]
    assert notes == [{"place": "/data/deliveries/data/0", "note": "unreadable-date", "value": "in May"}]


REMOVED = object()

REFUSED: list[tuple[str, Any, str, str]] = [
    ("/version", "2.0.0", "/version", "'2.0.0'"),
    ("/version", "1", "/version", "'1'"),
    ("/version", 1, "/version", "'1'"),
    ("/version", REMOVED, "/version", "no version"),
    ("/data", REMOVED, "/data", "missing"),
    ("/data/stations", REMOVED, "/data/stations", "missing"),
    ("/data/deliveryRelations/data", {}, "/data/deliveryRelations/data", "list"),
    ("/data/stations/data/1", {}, "/data/stations/data/1", "cells"),
    ("/data/stations/data/1/0", {"value": "b"}, "/data/stations/data/1/0", "column"),
    ("/data/stations/data/1/0/value", "a", "/data/stations/data/1", "'a' stands here twice"),
    ("/data/stations/data/1/0/value", None, "/data/stations/data/1", "no ID"),
    ("/data/stations/data/1/0/value", True, "/data/stations/data/1", "not text"),
    ("/data/stations/data/1/0/value", ["b"], "/data/stations/data/1", "not text"),
    ("/data/stations/data/1/1/id", "ID", "/data/stations/data/1/1", "twice"),
    ("/data/deliveries/data/1/0/value", "1", "/data/deliveries/data/1", "delivery '1' stands here twice"),
    ("/data/deliveries/data/1/1/value", "x", "/data/deliveries/data/1", "from: there is no station 'x'"),
    ("/data/deliveries/data/1/2/value", "x", "/data/deliveries/data/1", "to: there is no station 'x'"),
    ("/data/deliveries/data/1/2/value", None, "/data/deliveries/data/1", "no 'to'"),
    ("/data/deliveryRelations/data/0/0/value", "9", "/data/deliveryRelations/data/0", "no delivery '9'"),
    ("/data/deliveryRelations/data/0/1/value", "1", "/data/deliveryRelations/data/0", "does not leave"),
    ("/data/deliveryRelations/data/0", [], "/data/deliveryRelations/data/0", "no 'from'"),
    ("/tracing", [], "/tracing", "not an object"),
    ("/tracing/nodes/0", 5, "/tracing/nodes/0", "not an object"),
    ("/tracing/nodes/0/id", "x", "/tracing/nodes/0/id", "no station and no group 'x'"),
    ("/tracing/nodes", [{"id": "a"}, {"id": "a"}], "/tracing/nodes/1/id", "twice"),
    ("/tracing/nodes/0/weight", "1", "/tracing/nodes/0/weight", "number"),
    ("/tracing/nodes/0/weight", True, "/tracing/nodes/0/weight", "number"),
    ("/tracing/nodes/0/killContamination", 1, "/tracing/nodes/0/killContamination", "true"),
    ("/tracing/deliveries/0/id", "x", "/tracing/deliveries/0/id", "no delivery 'x'"),
    ("/settings/metaNodes/0/id", "a", "/settings/metaNodes/0/id", "used twice"),
    ("/settings/metaNodes/0/members", ["x"], "/settings/metaNodes/0/members/0", "no station 'x'"),
    ("/settings/metaNodes/0/members", REMOVED, "/settings/metaNodes/0/members", "missing"),
]


@pytest.mark.parametrize(("where", "value", "place", "said"), REFUSED)
def test_what_is_refused(where: str, value: Any, place: str, said: str) -> None:
    document = copy.deepcopy(GOOD)
    holder: Any = document
    *path, last = [int(part) if part.isdigit() else part for part in where.split("/")[1:]]
    for part in path:
        holder = holder[part]
    if value is REMOVED:
        del holder[last]
    else:
        holder[last] = value
    with pytest.raises(fcl.FclRefused) as refused:
        fcl.read(raw(document))
    assert refused.value.place == place
    assert said in refused.value.reason


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"version": NaN}', b"\xff", b"[" * 100_000, b'"\\ud800"'])
def test_what_is_no_document(text: bytes) -> None:
    with pytest.raises(fcl.FclRefused):
        fcl.read(text)


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(["a", "1", "g"])
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


@given(st.sampled_from(places(GOOD)[1:]), ANYTHING)
def test_garbage_anywhere_is_answered_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    document = copy.deepcopy(GOOD)
    holder: Any = document
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    try:
        told = sources(raw(document), cross_contamination=True)
    except TraceError:
        return
    assert {"stations", "deliveries", "sums"} <= told.keys()
    json.dumps(told, allow_nan=False)


@given(st.binary(max_size=60))
def test_bytes_are_refused(text: bytes) -> None:
    with pytest.raises(TraceError):
        sources(text)
