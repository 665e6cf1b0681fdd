"""Event Hash IDs by columns: exactly what each event gives alone, whatever stands in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import SudonglianError
from sudonglian.records.epcis import hash_columns, hash_heads
from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.event_hash import pre_hash
from sudonglian.records.epcis.hash_columns import STRAY, hash_ids, pre_hashes
from sudonglian.records.epcis.hash_document import event_hash_ids
from sudonglian.records.epcis.hash_heads import Heads, head_of, link

TEXTS = [
    "urn:epc:id:sgtin:6901234.000001.17",
    "urn:epc:id:sgtin:6901234.000001.18",
    "urn:epc:id:sscc:6901234.0000000018",
    "urn:epc:class:lgtin:6901234.000001.L1",
    "https://shop.example/01/10614141073464/10/L/21/7?x=1&y=2",
    "urn:epcglobal:cbv:bizstep:shipping",
    "gs1:Temperature",
    "x:own",
    "shipping",
    "2026-01-05T08:30:59.9996+08:00",
    "007",
    "-18.50",
    "",
    " in words ",
    STRAY,
    "带鱼",
]
NAMES = [
    *("type", "eventTime", "epcList", "quantityList", "sensorElementList", "bizTransactionList", "readPoint", "ilmd"),
    *("bizStep", "disposition", "persistentDisposition", "eventID", "recordTime", "errorDeclaration", "childEPCs"),
    *("certificationInfo", "sensorReport", "sensorMetadata", "epcClass", "quantity", "value", "time", "id", "set"),
    *("x:note", "x:other", "gs1:odd", "rdfs:comment", "#text", "bizRules", "odd", "bizTransaction", "component"),
]
leaves = st.sampled_from(TEXTS) | st.booleans() | st.none() | st.integers(-3, 3) | st.just({"$dec": "0.5"})
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)

epcs = st.lists(st.sampled_from(TEXTS), max_size=4)
quantities = st.lists(
    st.fixed_dictionaries({"epcClass": leaves}, optional={"quantity": leaves, "uom": leaves, "x:a": leaves}), max_size=2
)
sensors = st.lists(
    st.fixed_dictionaries(
        {
            "sensorReport": st.lists(
                st.dictionaries(st.sampled_from(["type", "value", "odd", "x:v"]), leaves), max_size=3
            )
        },
        optional={"sensorMetadata": st.dictionaries(st.sampled_from(["time", "deviceID", "bizRules"]), leaves)},
    ),
    max_size=2,
)
typed = st.lists(st.fixed_dictionaries({"bizTransaction": leaves}, optional={"type": leaves}) | leaves, max_size=3)
contexts = st.sampled_from([{"x": "urn:x:"}, {"x": "urn:y:"}, [{"x": None}], "https://other.example/", []])
members: dict[Any, st.SearchStrategy[Any]] = {
    "epcList": epcs,
    "childEPCs": epcs | values,
    "quantityList": quantities,
    "sensorElementList": sensors | values,
    "bizTransactionList": typed,
    "eventTime": leaves,
    "bizStep": leaves,
    "readPoint": st.dictionaries(st.sampled_from(["id", "x:a", "odd"]), leaves, max_size=2),
    "persistentDisposition": st.fixed_dictionaries({"set": epcs}),
    "x:note": values,
    "x:other": st.lists(values, max_size=2),
    "@context": contexts,
    "eventID": leaves,
    "odd": values,
}
alike = st.fixed_dictionaries({"type": st.sampled_from(["ObjectEvent", None])}, optional=members)
anyhow = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)


@pytest.fixture(autouse=True, scope="module")
def _columns_of_few() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hash_columns, "FEW", 0)
        yield


@given(st.lists(alike | anyhow, max_size=6), st.sampled_from([(), ({"x": "urn:x:", "gs1": "https://gs1.org/voc/"},)]))
def test_columns_give_what_each_event_gives(events: list[dict[str, Json]], outer: tuple[Json, ...]) -> None:
    assert pre_hashes(events, outer) == [pre_hash(event, outer) for event in events]


@given(st.lists(alike | anyhow, min_size=2, max_size=4), st.integers(2, 4))
def test_columns_of_many_alike(events: list[dict[str, Json]], times: int) -> None:
    assert pre_hashes(events * times) == [pre_hash(event) for event in events] * times


def test_a_context_that_cannot_be_read_is_refused_as_it_is_alone() -> None:
    events: list[dict[str, Json]] = [{"type": "ObjectEvent"}, {"@context": 7}, {"@context": [8]}]
    with pytest.raises(SudonglianError) as alone:
        pre_hash(events[1])
    with pytest.raises(SudonglianError) as together:
        hash_ids(events)
    assert (together.value.reason, together.value.place) == (alone.value.reason, alone.value.place)


def test_what_a_column_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_columns, "MAX_HELD", 3)
    monkeypatch.setattr(hash_heads, "MAX_HEADS", 2)
    events: list[dict[str, Json]] = [
        {"action": f"a {number}", "x:a": f"urn:epc:id:sgtin:690123{number}.000001.{number}"} for number in range(9)
    ]
    assert pre_hashes(events * 2) == [pre_hash(event) for event in events] * 2


digits = st.text("0123456789", min_size=5, max_size=13)
identifiers = st.one_of(
    st.builds(
        "urn:epc:{}:{}.{}.{}".format,
        st.sampled_from(["id:sgtin", "id:grai", "id:gdti", "id:upui", "id:sgln", "id:cpi", "class:lgtin", "ID:sgtin"]),
        digits,
        digits,
        st.text("019aZ-%2F.", max_size=22),
    ),
    st.builds("urn:epc:id:sscc:{}.{}".format, digits, digits),
    st.integers(6, 12).flatmap(
        lambda prefix: st.integers(10**16, 10**17 - 1).map(
            lambda number: f"urn:epc:id:sscc:{str(number)[:prefix]}.{str(number)[prefix:]}"
        )
    ),
    st.builds("urn:epc:id:giai:{}.{}".format, digits, st.text("019aZ", max_size=30)),
    st.builds(
        "https://{}/01/{}/{}/{}".format,
        st.sampled_from(["id.gs1.org", "shop.example", "a.b:80"]),
        st.integers(10**13, 10**14 - 1) | digits,
        st.sampled_from(["10", "21", "10/L1/21", "10/a-b/21", "235"]),
        st.text("019aZ-?", max_size=22),
    ),
)


@given(identifiers)
def test_heads_give_what_reading_gives(text: str) -> None:
    expected = hash_heads._link(text)
    assert link(text) == expected
    assert Heads("=").written(text) in ("", f"={expected}")


@given(
    st.lists(identifiers, min_size=1, max_size=3), st.lists(st.text("019aZ", max_size=20), min_size=1), st.booleans()
)
def test_heads_of_columns_give_what_reading_gives(some: list[str], serials: list[str], is_mixed: bool) -> None:
    heads = [each.rstrip(hash_heads.ALPHANUMERIC) for each in some]
    column = [head + serial for serial in serials * 4 for head in heads] + (some if is_mixed else [])
    found = Heads("=").column(column)
    assert found in ([], [f"={hash_heads._link(each)}" for each in column])


def test_items_of_few_classes_are_a_column() -> None:
    column = [f"urn:epc:id:sgtin:6901234.00000{number % 3}.{number}" for number in range(30)]
    assert Heads("=").column(column) == [f"={hash_heads._link(each)}" for each in column]


@pytest.mark.parametrize(
    "text",
    [
        "urn:epc:id:sgtin:6901234.000001.",
        "urn:epc:class:lgtin:6901234.000001.",
        "urn:epc:id:grai:6901234.00001.",
        "https://shop.example/01/10614141073464/10/L1/21/",
    ],
)
def test_items_have_heads(text: str) -> None:
    begins, longest = head_of(text)
    assert longest >= 16
    assert begins + "7" == hash_heads._link(text + "7")


def test_documents_in_json_are_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b'{"type": "EPCISDocument", "epcisBody": {"eventList": [%s]}}' % b",".join(
        b'{"type": "ObjectEvent", "epcList": ["urn:epc:id:sgtin:6901234.000001.%d"]}' % number for number in range(30)
    )
    expected = [pre_hash(one.value) for one in read_document(raw).events]
    monkeypatch.setattr(hash_columns, "pre_hash", None)
    assert pre_hashes([one.value for one in read_document(raw).events]) == expected
    assert len(set(event_hash_ids(raw))) == 30


@pytest.mark.shared
def test_every_published_json_document_and_many_of_each(shared_data: Path) -> None:
    compared = 0
    files = [file for folder in ("epcis", "event-hash") for file in (shared_data / folder).rglob("*.json*")]
    for file in sorted(files):
        try:
            read = read_document(file.read_bytes())
        except SudonglianError:
            continue
        events = [one.value for one in read.events]
        assert pre_hashes(events * 3, read.context) == [pre_hash(one, read.context) for one in events] * 3, file.name
        compared += len(events)
    assert compared > 100
