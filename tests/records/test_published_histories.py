"""Histories against published trace-backs, and the same history under every form of a name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain.identifiers import normal
from sudonglian.records import reader
from sudonglian.records.identifiers import label
from sudonglian.records.store import Store

PUBLISHED = [
    ("gdst_data_withmasterdata", "urn:gdst:example.org:product:lot:class:processor.2u.v1-0122-2022", 16),
    ("all_wholechain_events", "urn:epc:id:sscc:08600031303.0003", 18),
    ("all_wholechain_events", "urn:epc:id:sscc:0614141.1234567890", 13),
    ("cap_tool_events", "urn:epc:id:sscc:08600031303.0003", 18),
]
"""Document, item, number of events: the trace-back tests of ift-gftc/opentraceability (QueryTests.cs, MIT) state them."""


@pytest.mark.shared
@pytest.mark.parametrize(("name", "item", "due"), PUBLISHED)
def test_a_published_trace_back(
    store: Store, capture: Callable[..., Any], shared_data: Path, name: str, item: str, due: int
) -> None:
    raw = (shared_data / "epcis" / "chains" / f"{name}.jsonld").read_bytes()
    taken = capture(raw, duplicate_ids="keep")
    assert taken.refused == ()
    with store.read() as connection:
        back = reader.history(connection, normal(item), "back")
        both = reader.history(connection, normal(item), "both")
        forward = reader.history(connection, normal(item), "forward")
    assert len(back) == due
    hashes = [{one.record_hash for one in found} for found in (back, forward, both)]
    assert hashes[0] | hashes[1] == hashes[2]
    assert len(hashes[0]) == len(back)


@pytest.mark.parametrize(
    "name",
    [
        "urn:epc:id:sscc:6901234.0000000018",
        "https://id.gs1.org/00/069012340000000184",
        "https://shop.example/a/b/00/069012340000000184?linkType=gs1:epcis",
        "(00)069012340000000184",
    ],
)
def test_every_form_of_a_name(store: Store, capture: Callable[..., Any], event: Callable[..., Any], name: str) -> None:
    capture(event())
    with store.read() as connection:
        assert len(reader.history(connection, str(label.link_of(name) or normal(name)))) == 1


LOT = "urn:epc:class:lgtin:6901234.000001.L1"


@pytest.fixture
def boxes(capture: Callable[..., Any], event: Callable[..., Any]) -> dict[str, str]:
    """A box in a pallet in a container, shipped and unpacked from the outside in; a lot by class beside it."""
    add, delete = {"type": "AggregationEvent", "action": "ADD"}, {"type": "AggregationEvent", "action": "DELETE"}
    lot = [{"epcClass": LOT, "quantity": 5, "uom": "KGM"}]
    steps: list[tuple[str, dict[str, Any]]] = [
        ("made", {"action": "ADD", "epcList": ["urn:x:box"]}),
        ("lot made", {"action": "ADD", "quantityList": lot}),
        ("in pallet", {**add, "parentID": "urn:x:pallet", "childEPCs": ["urn:x:box"], "childQuantityList": lot}),
        ("in container", {**add, "parentID": "urn:x:container", "childEPCs": ["urn:x:pallet"]}),
        ("voyage", {"epcList": ["urn:x:container"]}),
        ("container emptied", {**delete, "parentID": "urn:x:container", "childEPCs": []}),
        ("container again", {"epcList": ["urn:x:container"]}),
        ("pallet moved", {"epcList": ["urn:x:pallet"]}),
        ("pallet emptied", {**delete, "parentID": "urn:x:pallet", "childEPCs": []}),
        ("lot sold", {"quantityList": lot}),
    ]
    names = {}
    for place, (name, members) in enumerate(steps):
        made = event(**{"epcList": None, "eventID": None, "eventTime": f"2026-01-05T{place:02}:00:00Z", **members})
        names[capture(made).records[0].record_hash.hex()] = name
    return names


@pytest.mark.parametrize(
    ("item", "direction", "due"),
    [
        ("urn:x:box", "back", "made, in pallet, in container, voyage, container emptied, pallet moved"),
        (
            "urn:x:box",
            "forward",
            "made, in pallet, in container, voyage, container emptied, pallet moved, pallet emptied",
        ),
        (
            LOT,
            "back",
            "lot made, in pallet, in container, voyage, container emptied, pallet moved, pallet emptied, lot sold",
        ),
        (
            "urn:x:container",
            "back",
            "made, lot made, in pallet, in container, voyage, container emptied, container again, lot sold",
        ),
        ("urn:x:container", "forward", "in container, voyage, container emptied, container again, pallet moved, pallet emptied, lot sold"),
    ],
)  # fmt: skip
def test_containers_in_containers(
    store: Store, boxes: dict[str, str], item: str, direction: Any, due: str
) -> None:  # fmt: skip
    with store.read() as connection:
        found = reader.history(connection, normal(item), direction)
    assert ", ".join(boxes[one.record_hash.hex()] for one in found) == due
