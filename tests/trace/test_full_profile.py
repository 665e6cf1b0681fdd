"""The engine against the tick oracle on many small worlds, and how often each rule had something to say in them.

tracing.md §3; a rule that fires in fewer than one world of a hundred is not tested by them, and fails the run. The quick
profile looks at some hundred worlds, the full one at ten thousand, and prints the table.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.trace import ticks
from tests.trace.questions import MICRO, Question, answered, expected, question, reached, shown
from tests.trace.warmth import warmed
from tests.trace.worlds import told_events, world

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import EventView
from sudonglian.trace.engine.facts import EPOCH, Facts, Party, Place
from sudonglian.trace.engine.fading import Gradual
from sudonglian.trace.engine.forward import ROOT
from sudonglian.trace.engine.query import TIERS
from sudonglian.trace.engine.result import TraceResult
from sudonglian.trace.engine.rules import fact_table
from sudonglian.trace.engine.tiers import tier_tables

QUICK = 600
FULL = 10_200
LEAST = 100
"""One world of so many must have seen a rule fire."""

RULES = (
    *(f"facts {rule.id}" for rule in fact_table().rules),
    *(f"tiers {rule.id}" for rule in tier_tables()[TIERS].rules),
    "a meeting lasts as long as it must",
    "a meeting is too short",
    "a place exposes after its source left",
    "a carrier ceases to expose",
    "warmth is known and ends exposure",
    "strict keeps meetings of one instant apart",
    "meetings of one instant chain",
    "a disinfection ends exposure",
    "certain",
    "possible",
    "a possible disinfection leaves no certain exposure",
    "met inside a unit",
    "a unit that is open",
    "packed into an exposed unit",
    "a flow without a hop",
    "a flow with a hop",
    "through an object",
    "through a person",
    "a place is listed",
    "possible before the sample",
    "the end of the question",
    "the last generation",
    "the second generation",
)


def keys(answer: TraceResult) -> set[str]:
    return {one.key for one in answer.members}


def said_by(facts: Facts, asked: Question, answer: TraceResult, events: list[EventView]) -> Iterator[str]:
    """Yield the rules that fired in a world."""
    table, query, members = fact_table(), asked.query, answer.members
    yield from {f"facts {table.rule(one.type, one.action, one.biz_step).id}" for one in events}
    yield from {f"tiers {one.rule}" for one in members if one.rule}

    def otherwise(**changes: object) -> set[str]:
        return keys(answered(facts, asked._replace(query=replace(query, **changes))))  # type: ignore[arg-type]

    for run in (answer.wide, answer.narrow):
        land = run.ground
        for label in run.spread.labels:
            if label.previous == ROOT:
                continue
            if label.arc != -1:
                yield "a flow with a hop" if run.flows[label.arc].hops else "a flow without a hop"
                if run.flows[label.arc].fact == "enclose":
                    yield "packed into an exposed unit"
                continue
            _, place, _, end = land.rows[label.source_row]
            step = land.dwell.get(place, 0)
            if step > 1:
                yield "a meeting lasts as long as it must"
            if label.time - step >= end:
                yield "a place exposes after its source left"
            if run.places[place].kind == "interior":
                yield "met inside a unit"
            if any(land.stays[one].fact == "open" for row in label[4:6] for one in land.stays_of(row)):
                yield "a unit that is open"
        lasting = [*land.wear.items(), *land.fades.items()]
        if (
            any(isinstance(fading, Gradual) and fading.last(query_time(query)) < 1 << 40 for _, fading in lasting)
            and facts.readings
        ):
            yield "warmth is known and ends exposure"
    for one in members:
        yield one.evidence
        yield from ("a place is listed",) if one.kind == "place" else ()
        yield from ("through an object",) if one.objects else ()
        yield from ("through a person",) if one.persons else ()
        yield from ("possible before the sample",) if one.possible_time < query_time(query) else ()
        yield from ("the second generation",) if one.hops == 2 else ()
    if asked.dwell and otherwise(min_dwell={kind: MICRO * 0 for kind in asked.dwell}) - keys(answer):
        yield "a meeting is too short"
    if asked.fade and otherwise(
        persistence={kind: one for kind, one in query.persistence.items() if kind not in asked.fade},
        until=EPOCH + answer.terms.end() * MICRO,
    ) - keys(answer):
        yield "a carrier ceases to expose"
    if shown(answered(facts, asked._replace(query=replace(query, strict=not query.strict)))) != shown(answer):
        yield "strict keeps meetings of one instant apart" if query.strict else "meetings of one instant chain"
    if facts.cleans:
        uncleaned = answered(replace(facts, cleans=()), asked)
        if shown(uncleaned) != shown(answer):
            yield "a disinfection ends exposure"
    narrow = answer.narrow
    exposed: dict[Party | Place, int] = {}
    for party, best in narrow.spread.best.items():
        exposed.setdefault(narrow.parties[party], narrow.spread.labels[best].time)
    for room, reached_at in narrow.spread.best_place.items():
        exposed.setdefault(narrow.places[room], reached_at.time)
    for clean in facts.cleans:
        # It ends what is certain, and leaves it possible.
        if clean.complete and not clean.certain and exposed.get(clean.subject, clean.time + 1) <= clean.time:
            yield "a possible disinfection leaves no certain exposure"
    if query.until is not None and otherwise(until=None) != keys(answer):
        yield "the end of the question"
    if query.max_generation is not None and otherwise(max_generation=None) - keys(answer):
        yield "the last generation"


def query_time(query: object) -> int:
    return int((query.at - EPOCH) // MICRO)  # type: ignore[attr-defined]


def agree(facts: Facts, asked: Question, number: int) -> TraceResult:
    """Compare an answer with the oracle's: who, from when, in how many hops, how surely; and when places expose."""
    answer = answered(facts, asked)
    wide, narrow = (expected(facts, asked, certain=certain) for certain in (False, True))
    sure, maybe = reached(narrow, asked.query.seed), reached(wide, asked.query.seed)
    assert shown(answer, "certain") == sure, number
    assert shown(answer, "possible") == {key: value for key, value in maybe.items() if key not in sure}, number
    assert {(one.kind, one.id): one.possible_time for one in answer.members} == {
        key: time for key, (time, _) in maybe.items()
    }, number
    exposed = {place.id: mask for place, mask in narrow.exposed.items()}
    for one in answer.members:
        if one.kind == "place" and one.evidence == "certain":
            told = 0
            for start, end in one.intervals:
                told |= ticks.span(start, end)
            assert told == exposed[one.id], (number, one.id)
    return answer


def test_equals_the_tick_oracle_and_every_rule_fires(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    full = request.config.getoption("--full")
    fired: Counter[str] = Counter()
    asked_of = 0
    for number in range(FULL if full else QUICK):
        events = told_events(number) if number % 2 else []
        facts = warmed(derive_facts(events) if events else world(number), number)
        asked = question(facts, number)
        if asked is None:
            continue
        asked_of += 1
        fired.update(set(said_by(facts, asked, agree(facts, asked, number), events)))
    if full:
        with capsys.disabled():
            print(f"\n{asked_of} worlds; of them each rule fired in:")
            for rule in RULES:
                print(f"{fired[rule]:>7} {rule}")
    assert set(fired) <= set(RULES)
    assert [(rule, fired[rule]) for rule in RULES if fired[rule] * LEAST < asked_of] == []
