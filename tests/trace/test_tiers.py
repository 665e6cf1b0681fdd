"""Editions of the tiers: what each says of the same meetings, literally and in the cases that gave rise to them."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.trace.questions import answered, question
from tests.trace.test_facts import BOX, HOUR, PORT, STORE, event, tiers
from tests.trace.test_invariants import certain_world

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import EventView, Participant
from sudonglian.trace.engine.facts import EPOCH
from sudonglian.trace.engine.query import TIERS, TraceQuery
from sudonglian.trace.engine.result import TraceResult, trace
from sudonglian.trace.engine.rules import data
from sudonglian.trace.engine.run import Run
from sudonglian.trace.engine.tiers import Tiers, parse, tier_tables
from sudonglian.trace.errors import QueryRefused, TableRefused

EDITIONS = tuple(tier_tables())


def ask(events: list[EventView], seed: str, edition: str = TIERS) -> TraceResult:
    query = TraceQuery(seed, at=EPOCH + timedelta(hours=1), lookback=timedelta(0), tiers=edition)
    return trace(derive_facts(events), query)


def together() -> list[EventView]:
    """Two who come into the room at once, where a box stands that was found positive; a third who lifts it later."""
    both = tuple(Participant(name, "", "same-room", 2 * HOUR, 2 * HOUR + HOUR // 2) for name in ("one", "two"))
    return [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(2, "inspecting", biz_location=PORT, participants=both, record="a"),
        event(3, "inspecting", (BOX, "epc"), biz_location=PORT, people=[("lifts", "outer-packaging")], record="b"),
        event(4, "inspecting", biz_location=STORE, people=[("lifts", "same-room"), ("mate", "same-room")], record="c"),
        event(5, "inspecting", biz_location=STORE, people=[("mate", "same-room"), ("far", "same-room")], record="d"),
    ]


@pytest.mark.parametrize(
    ("edition", "expected"),
    [
        ("tiers/1", ["close", "secondary", "secondary", "secondary", "secondary"]),
        ("cn-nhc-8/1", ["close", "secondary", "general", "general", "general"]),
        ("cn-nhc-9/1", ["close", "secondary", "on-site", "on-site", "on-site"]),
        ("cn-nhc-9-20/1", ["close", "on-site", "on-site", "on-site", "on-site"]),
    ],
)
def test_who_only_was_there_with_others_is_no_contact_of_a_close_contact(edition: str, expected: list[str]) -> None:
    found = tiers(ask(together(), BOX, edition))
    assert [found[name] for name in ("lifts", "mate", "far", "one", "two")] == expected


@pytest.mark.parametrize("edition", EDITIONS)
def test_who_met_a_person_from_whom_the_trace_began_is_a_close_contact(edition: str) -> None:
    found = tiers(ask(together(), "lifts", edition))
    assert found["mate"] == ("secondary" if edition == "tiers/1" else "close")
    of_mate = {"tiers/1": "secondary", "cn-nhc-8/1": "secondary", "cn-nhc-9/1": "secondary"}
    assert found["far"] == of_mate.get(edition, "on-site")


def test_a_moment_over_the_goods_is_no_long_contact() -> None:
    """In a handoff with a close contact, and nowhere else with them: secondary by the 8th edition, not by the 9th."""
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(3, "inspecting", (BOX, "epc"), biz_location=PORT, people=[("lifts", "outer-packaging")], record="a"),
        event(4, "inspecting", people=[("lifts", "outer-packaging"), ("takes", "outer-packaging")], record="b"),
    ]
    assert tiers(ask(events, BOX, "cn-nhc-8/1"))["takes"] == "secondary"
    assert tiers(ask(events, BOX, "cn-nhc-9/1"))["takes"] == "on-site"


def test_meeting_a_close_contact_for_less_than_the_dwell_makes_no_contact_of_theirs() -> None:
    """An hour in the room with the box, and ten minutes in another with who had lifted it and was there for long."""

    def there(name: str, start: int, minutes: int) -> Participant:
        return Participant(name, "", "same-room", start, start + minutes * HOUR // 60)

    late = 4 * HOUR + HOUR // 2
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(2, "holding", biz_location=PORT, participants=(there("mate", 2 * HOUR, 60),), record="a"),
        event(3, "inspecting", (BOX, "epc"), biz_location=PORT, people=[("lifts", "outer-packaging")], record="b"),
        event(4, "holding", biz_location=STORE, participants=(there("lifts", 4 * HOUR, 120),), record="c"),
        event(4, "holding", biz_location=STORE, participants=(there("mate", late, 10),), record="d"),
    ]
    query = TraceQuery(BOX, at=EPOCH + timedelta(hours=1), lookback=timedelta(0))
    assert tiers(trace(derive_facts(events), query)) == {"lifts": "close", "mate": "secondary"}
    dwelt = replace(query, min_dwell={"location": timedelta(minutes=30)})
    assert tiers(trace(derive_facts(events), dwelt)) == {"lifts": "close", "mate": "general"}


def literal(run: Run, table: Tiers) -> dict[int, str]:
    """Return the tier of each exposed party, meeting by meeting: pairs of stays that share a tick, and flows."""
    labels = {party: run.spread.labels[label] for party, label in run.spread.first.items()}
    columns, land = run.ground.columns, run.ground
    stays = [
        (party, place, start, shut, end, left, land.stays[number].contact)
        for party, place, start, shut, end, left, origin in zip(
            columns.party,
            columns.place,
            columns.start,
            columns.shut,
            columns.end,
            columns.left,
            columns.origin,
            strict=True,
        )
        if party in labels
        for number in land.stays_of(origin)
    ]
    best: dict[int, int] = {}

    def kind(party: int) -> str:
        if run.parties[party].kind != "person":
            return "item"
        return "person" if labels[party].hops else "case"

    for stage in (False, True):
        before = dict(best)
        for party, place, start, shut, _, _, contact in stays:
            for other, where, since, _, end, left, _ in stays:
                onset = max(since, (labels[other].clock + 1) // 2)
                if party == other or place != where or labels[other].hops > labels[party].hops:
                    continue
                if not (start < shut and onset < end and max(start, onset) < min(shut, left)):
                    continue
                fired = before.get(other, len(table.rules))
                tier = table.rules[fired].tier if stage and fired < len(table.rules) else ""
                source = ("person",) if stage else (kind(other),)
                if stage and run.parties[other].kind != "person":
                    continue
                for number, rule in enumerate(table.rules):
                    if (
                        bool(rule.of) == stage
                        and (not rule.of or tier in rule.of)
                        and rule.member == run.parties[party].kind
                        and {run.places[place].kind, "*"} & rule.via
                        and {*source, "*"} & rule.source
                        and {contact, "*"} & rule.contact
                    ):
                        best[party] = min(best.get(party, number), number)
        for flow, (source_party, target, *_) in zip(land.flows, land.arcs, strict=True):
            if stage or source_party not in labels or target not in labels:
                continue
            one = labels[source_party]
            if one.hops <= labels[target].hops and one.clock <= 2 * flow.time + 1:
                number = table.rank(flow.target.kind, "flow", flow.source.kind, "")
                best[target] = min(best.get(target, number), number)
    return {party: table.rules[number].tier for party, number in best.items() if number < len(table.rules)}


def test_tiers_are_those_of_all_pairs_of_meetings() -> None:
    fired: set[tuple[str, str]] = set()
    for number in range(500):
        facts = certain_world(number)
        asked = question(facts, number)
        if asked is None or asked.is_warm or asked.fade or asked.query.backward:
            continue
        for edition in EDITIONS:
            answer = answered(facts, asked._replace(query=replace(asked.query, tiers=edition)))
            due = literal(answer.wide, tier_tables()[edition])
            numbers: dict[str, set[str]] = {}
            for party, tier in due.items():
                numbers.setdefault(f"{answer.wide.parties[party].kind}:{answer.wide.parties[party].id}", set()).add(
                    tier
                )
            for one in answer.members:
                if one.kind != "place":
                    assert one.tier in numbers.get(one.key, {""}), (number, edition, one)
                    fired.add((edition, one.tier))
    assert fired >= {(edition, "close") for edition in EDITIONS} | {
        (edition, "secondary") for edition in EDITIONS if edition != "cn-nhc-9-20/1"
    }


def changed(path: tuple[Any, ...], value: Any) -> Any:
    told = deepcopy(data("tiers.json"))
    holder = told
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    return told


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("editions", 1, "source"), " "),
        (("editions", 1, "version"), "tiers/1"),
        (("editions", 1, "rules", 2, "of"), ["secondary"]),
        (("editions", 1, "rules", 2, "source"), ["item"]),
        (("editions", 1, "rules", 2, "tier"), "close"),
        (("editions", 0, "rules", 0), {}),
        (("editions", 0), None),
    ],
)
def test_a_table_that_cannot_be_followed_is_refused(path: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(TableRefused):
        parse(changed(path, value))


def test_an_edition_that_nobody_knows_is_refused() -> None:
    with pytest.raises(QueryRefused, match="cn-nhc-8/1") as refused:
        ask(together(), BOX, "cn-nhc-1/1")
    assert refused.value.place == "tiers"
