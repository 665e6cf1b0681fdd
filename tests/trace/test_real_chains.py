"""Published seafood chains: facts derived from each, counts made by hand, and the upstream chain of a product."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.refusals import NotJson
from sudonglian.trace.casework.views import view
from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import EventView
from sudonglian.trace.engine.facts import EPOCH, Facts
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import trace

pytestmark = pytest.mark.shared

COUNTED = {
    "EPCISQUERYDOCUMENT_advanced_1.jsonld": (3, 2, 1),
    "EPCISQUERYDOCUMENT_advanced_9.jsonld": (9, 4, 2),
    "all_wholechain_events.jsonld": (31, 10, 7),
    "cap_tool_events.jsonld": (18, 5, 3),
    "epcisdocument-example01.jsonld": (11, 2, 2),
    "gdst_data_withmasterdata.jsonld": (17, 5, 3),
    "wholechainbug01.jsonld": (18, 8, 6),
}
"""Events, and lots (each once an event) going into and coming out of transformations, counted in the files."""

BROKEN = "EPCISQUERYDOCUMENT_advanced_5.jsonld"


def chains(shared_data: Path) -> Path:
    return shared_data / "epcis" / "chains"


def events_of(path: Path) -> list[EventView]:
    return [view(f"{at:03d}", at, raw.value) for at, raw in enumerate(read_document(path.read_bytes()).events)]


def upstream(events: list[EventView], product: str) -> set[str]:
    """Return what went into a product, by the names in the transformations alone."""
    found, todo = set(), [product]
    while todo:
        name = todo.pop()
        for event in events:
            if name in event.named("output", "output_quantity"):
                for source in event.named("input", "input_quantity"):
                    if source not in found and source != product:
                        found.add(source)
                        todo.append(source)
    return found


def names(facts: Facts, members: Any) -> set[str]:
    return {one.lot or one.id for one in members if one.kind == "item"}


def test_every_chain_gives_facts_and_each_fact_a_record(shared_data: Path) -> None:
    for path in sorted(chains(shared_data).iterdir()):
        if path.name == BROKEN:
            with pytest.raises(NotJson):
                events_of(path)
            continue
        events = events_of(path)
        facts = derive_facts(events)
        records = {event.record_hash for event in events}
        assert {stay.start_record for stay in facts.stays} <= records
        assert {flow.record for flow in facts.flows} <= records
        assert {note.record for note in facts.notes} <= records
        assert derive_facts(events[::-1]) == facts


@pytest.mark.parametrize("name", COUNTED)
def test_the_links_through_transformations_are_those_of_the_file(shared_data: Path, name: str) -> None:
    events = events_of(chains(shared_data) / name)
    facts = derive_facts(events)
    made = [event for event in events if event.type == "TransformationEvent"]
    inputs = sum(len(event.named("input", "input_quantity")) for event in made)
    outputs = sum(len(event.named("output", "output_quantity")) for event in made)
    assert (len(events), inputs, outputs) == COUNTED[name]
    links = [flow.fact for flow in facts.flows]
    # Lots without a place of their own may stand for several portions; none here does.
    assert (links.count("input"), links.count("output")) == (inputs, outputs)


@pytest.mark.parametrize("name", COUNTED)
def test_backward_reaches_the_whole_upstream_chain(shared_data: Path, name: str) -> None:
    events = events_of(chains(shared_data) / name)
    facts = derive_facts(events)
    at = EPOCH + timedelta(microseconds=max(event.event_time for event in events))
    asked = 0
    for product in sorted({uri for event in events for uri in event.named("output", "output_quantity")}):
        sources = upstream(events, product)
        answer = trace(facts, TraceQuery(product, at=at, lookback=timedelta(days=3650), backward=True))
        assert sources <= names(facts, answer.members), product
        asked += len(sources)
    assert asked


def test_one_walk_read_by_hand(shared_data: Path) -> None:
    """Tuna caught, landed, shipped (002: the consignment is a seed too), received (006) and mixed (005)."""
    events = events_of(chains(shared_data) / "EPCISQUERYDOCUMENT_advanced_9.jsonld")
    facts = derive_facts(events)
    tuna = next(event for event in events if event.record_hash == "002").items[0].uri
    mixed = next(event for event in events if event.record_hash == "005").named("output_quantity")[0]
    shipped = EPOCH + timedelta(microseconds=next(event for event in events if event.record_hash == "002").event_time)
    landing = next(event for event in events if event.record_hash == "003").biz_location
    query = TraceQuery(tuna, at=shipped - timedelta(seconds=1), lookback=timedelta(0), seed_place=landing)
    member = next(one for one in trace(facts, query).members if one.lot == mixed)
    assert [(step.fact, step.records[0]) for step in member.walk()] == [
        ("merge", "006"),
        ("input", "005"),
        ("output", "005"),
    ]
    assert (member.evidence, member.objects, member.persons, member.tier) == ("certain", 1, 0, "high")
