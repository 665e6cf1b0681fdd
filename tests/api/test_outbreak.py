"""The sample outbreak: who must be on the list, who must not, and why."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from sudonglian.api.commands import sample
from sudonglian.chain.canonical import parse
from sudonglian.records.epcis.document import read_document
from sudonglian.trace.casework.run import Traced, run_trace
from sudonglian.trace.engine.query import TraceQuery

STORY = sample.stories()["frozen-fish"]

EXPOSED = {
    "19900000302": "opened the container",
    "19900000303": "opened the container",
    "19900000304": "took the sample",
    "19900000305": "moved the pallet into the cold room",
    "19900000306": "drove the opened, empty container away",
    "19900000307": "took shrimps out of the same cold room later",
    "19900000308": "drove pallet 3 away from the cold room before it was disinfected",
    "19900000309": "drove pallet 1 away from the cold room",
    "19900000401": "drove the pallet to the market",
    "19900000503": "unpacked it at the stall",
    "19900000504": "cut it",
    "19900000505": "bought a carton",
    "19900000506": "counted other goods in the shared cold room",
    "19900000507": "drove beef away from the shared cold room",
    "19900000601": "received cartons at the restaurant",
    "19900000603": "opened a carton in the kitchen",
    "19900000701": "received fillets at the supermarket",
    "19900000702": "bought a fillet",
    "19900000801": "received that beef at the school canteen",
    "19900001001": "received pallet 3 at the supervised warehouse before it was disinfected",
    "19900001002": "swabbed it before it was disinfected",
    "19900001003": "disinfected it",
    "19900001104": "received pallet 1, which nobody had disinfected, at the grocer's",
    "19900001105": "inspected pallet 1",
    "19900001106": "disinfected pallet 1",
    "19900001107": "took pallet 1 away from beside what it had exposed in the grocer's store",
}

SPARED = {
    "19900000101": "packed the pallets three weeks before, outside the window",
    "19900000102": "loaded the containers, outside the window",
    "19900000201": "craned the closed container",
    "19900000202": "checked the seal of the closed container",
    "19900000203": "drove the closed container",
    "19900000301": "brought the shrimps in before the container came",
    "19900000501": "brought the beef in before the fish came",
    "19900000502": "left the stall before the pallet came",
    "19900000602": "is named by a record that was declared to be in error",
    "19900000901": "received the same lot in another city",
    "19900000902": "opened that city's own container and pallet",
    "19900000903": "sold the same lot in another city",
    "19900000904": "bought the same lot in another city",
    "19900001004": "moved pallet 3 after it was disinfected",
    "19900001005": "swabbed it after it was disinfected",
    "19900001006": "drove it away after it was disinfected",
    "19900001101": "received the disinfected pallet 3 at the grocer's",
    "19900001102": "opened the disinfected pallet 3",
    "19900001103": "bought a carton of it before pallet 1 came",
}


def ask(outbreak: Any, **more: Any) -> Traced:
    query = {"seed": STORY["seed"], "at": datetime.fromisoformat(STORY["at"])} | more
    return run_trace(outbreak.store, outbreak.keys, TraceQuery(**query), purpose="test")


def phones(outbreak: Any, traced: Traced) -> dict[str, str]:
    """Return phone → evidence of the exposed, for every phone of the story."""
    found = {member.id: member.evidence for member in traced.result.members if member.kind == "person"}
    numbers = {phone: str(outbreak.person(phone)) for phone in (*EXPOSED, *SPARED)}
    assert set(found) <= set(numbers.values())
    return {phone: found[number] for phone, number in numbers.items() if number in found}


def test_the_story_names_everybody_whom_the_documents_name() -> None:
    named = set()
    for raw in sample.documents("frozen-fish").values():
        for event in read_document(raw).events:
            value: Any = event.value
            named |= {one["personRef"]["value"] for one in value.get("sdl:participants", [])}
    assert named == {*EXPOSED, *SPARED}
    assert all(phone.startswith("1990000") for phone in named)


def test_the_story_tells_in_both_languages_why_each_of_the_spared_is_spared() -> None:
    told = STORY["spared"]
    assert sorted(one for group in told for one in group["people"]) == sorted(SPARED)
    assert all(group["why"][lang].strip() for group in told for lang in ("zh", "en"))


@pytest.mark.parametrize("lookback", [timedelta(0), timedelta(hours=12), timedelta(days=14)])
def test_exactly_the_exposed_are_listed_whatever_the_lookback(outbreak: Any, lookback: timedelta) -> None:
    assert phones(outbreak, ask(outbreak, lookback=lookback)) == dict.fromkeys(EXPOSED, "certain")


def test_without_the_disinfection_those_who_came_after_it_are_listed(outbreak_without: Any) -> None:
    place = outbreak_without("urn:sudonglian:bizstep:disinfecting")
    found = phones(place, ask(place))
    assert {"19900001004", "19900001005", "19900001006", "19900001101", "19900001102"} <= set(found)


def test_without_the_step_to_the_shared_cold_room_nobody_beyond_it_is_listed(outbreak_without: Any) -> None:
    place = outbreak_without("storing", place="https://id.gs1.org/414/9520001001055/254/cold-3")
    found = phones(place, ask(place))
    assert not {"19900000506", "19900000507", "19900000801"} & set(found)
    assert "19900000504" in found


def test_a_longer_lookback_reaches_those_who_packed_as_possible(outbreak: Any) -> None:
    found = phones(outbreak, ask(outbreak, lookback=timedelta(days=30)))
    assert {phone for phone, evidence in found.items() if evidence == "possible"} >= {"19900000101"}
    assert "19900000904" not in {phone for phone, evidence in found.items() if evidence == "certain"}


def test_the_lot_at_one_place_never_jumps_to_the_other_city(outbreak: Any) -> None:
    stall = "https://id.gs1.org/414/9520001001055/254/stall-12"
    at = datetime.fromisoformat("2024-11-11T08:00:00+08:00")
    found = phones(outbreak, ask(outbreak, seed=STORY["lot"], seed_place=stall, at=at, lookback=timedelta(0)))
    assert "19900000505" in found
    assert not {"19900000901", "19900000902", "19900000903", "19900000904"} & set(found)


def test_a_trace_that_ends_before_the_market_lists_nobody_there(outbreak: Any) -> None:
    until = datetime.fromisoformat("2024-11-11T05:30:00+08:00")
    found = phones(outbreak, ask(outbreak, until=until))
    assert set(found) == {"19900000302", "19900000303", "19900000304", "19900000305", "19900000306", "19900000401"}


def test_backward_from_the_cook_reaches_the_pallet(outbreak: Any) -> None:
    cook = outbreak.person("19900000801")
    at = datetime.fromisoformat("2024-11-12T09:00:00+08:00")
    traced = ask(outbreak, seed=f"person:{cook}", at=at, backward=True, lookback=timedelta(days=14))
    assert STORY["seed"] in {member.id for member in traced.result.members if member.kind == "item"}


def test_every_document_is_canonical_json_and_has_a_sender() -> None:
    for raw in sample.documents("frozen-fish").values():
        document = parse(raw)
        assert isinstance(document, dict)
        assert str(document["sender"]).startswith("https://id.gs1.org/417/952000")
