"""The order in which to look: every tick of every pair added up literally, and what moves somebody up or down; §16."""

from datetime import timedelta

import pytest
from tests.trace.questions import POLICIES, answered, question
from tests.trace.test_facts import BOX, HOUR, OTHER, PALLET, PORT, event
from tests.trace.test_invariants import certain_world
from tests.trace.test_risk import ranks, worker
from tests.trace.ticks import END, START

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import Participant, Temperature
from sudonglian.trace.engine.facts import EPOCH
from sudonglian.trace.engine.precedence import RANKS, doses
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.reached import Reached
from sudonglian.trace.engine.result import TraceResult, trace
from sudonglian.trace.engine.risk import GENERATIONS, WHOLE


def literal(answer: TraceResult) -> dict[int, int]:
    """Return each party's dose, pair by pair and tick by tick; nothing decays under policy/1."""
    run, rule = answer.wide, POLICIES["policy/1"].risk
    labels = {party: run.spread.labels[label] for party, label in run.spread.first.items()}
    last = answer.terms.end()
    there: dict[tuple[int, int], set[int]] = {}
    for party, place, start, end in run.ground.rows:
        if party in labels:
            there.setdefault((party, place), set()).update(range(max(start, START), min(end, END)))
    counted = [party for party, label in labels.items() if label.hops <= GENERATIONS]

    def weight(source: int, target: int) -> int:
        """Return how long they met, times the mode."""
        is_person = run.parties[source].kind == "person"
        modes = rule.touch.persons if is_person else rule.touch.goods
        total = 0
        for (party, place), ticks in there.items():
            given = there.get((source, place)) if party == target else None
            for tick in ticks if given else ():
                alone = tick - 1 not in ticks and tick + 1 not in ticks
                if given and tick in given and (labels[source].clock + 1) // 2 <= tick <= last:
                    total += modes[run.places[place].kind] * (rule.instant if alone else 1)
        return total

    def became(target: int, generation: int, loads: dict[int, int]) -> int:
        return sum(
            loads.get(source, 0) * rule.flow * rule.touch.goods["handoff"]
            for source, party, time, cost in run.ground.arcs
            if party == target
            and source in labels
            and time <= last
            and labels[source].clock <= 2 * time + 1
            and labels[source].hops < generation + (cost == 0)
        )

    def key(party: int) -> tuple[int, int, str, str, int]:
        who = run.parties[party]
        return labels[party].hops, labels[party].clock, who.kind, who.id, party

    met = {(one, other): weight(one, other) for one in counted for other in counted if one != other}
    loads: dict[int, int] = {}
    for target in sorted(counted, key=key):
        hops = labels[target].hops
        dose = sum(loads[one] * met[one, target] for one in counted if labels[one].hops < hops)
        dose = (dose + became(target, hops, loads)) // WHOLE
        loads[target] = WHOLE * dose // (dose + rule.touch.half) if hops else WHOLE
    found = dict.fromkeys(labels, 0)
    for target in counted:
        hops = labels[target].hops
        if hops:
            sources = [one for one in counted if one != target and labels[one].hops <= hops]
            found[target] = sum(loads[one] * met[one, target] for one in sources) + became(target, hops, loads)
    return found


def test_doses_are_the_sums_over_all_pairs() -> None:
    compared = twice = 0
    for number in range(4_000):
        facts = certain_world(number)
        asked = question(facts, number)
        if asked is None or asked.is_warm or asked.fade or asked.query.backward:
            continue
        answer = answered(facts, asked)
        end = answer.terms.end()
        due = literal(answer)
        assert dict(doses(Reached(answer.wide), answer.terms, end, certain=False)) == due, number
        compared += len(answer.members)
        twice += sum(dose > 0 for dose in due.values())
    assert compared > 100
    assert twice > 100


def test_longer_and_closer_is_higher_and_equal_is_equal() -> None:
    people = (worker("a", 60), worker("b", 30), worker("c", 30), worker("d", 60, "same-room"), worker("e", 1))
    found = ranks(
        [
            event(1, "storing", (BOX, "epc"), biz_location=PORT),
            event(3, "inspecting", (BOX, "epc"), biz_location=PORT, participants=people),
        ],
        rank="rank/2",
    )
    assert {name: found[name] for name in "abcde"} == {"a": 1, "b": 2, "c": 2, "e": 4, "d": 5}
    assert found[PORT] == 0


def shelf(number: int) -> str:
    return f"https://id.gs1.org/00/3952000100000{number:05d}"


def test_a_hundred_boxes_in_the_room_are_less_than_the_one_that_was_carried() -> None:
    """Beside the positive box stand a hundred others; one worker moves one of those for hours, one carries the positive."""
    others = [(shelf(number), "epc") for number in range(100)]
    shift = tuple(worker(name, 600, "same-room") for name in ("shift", "mover", "carrier"))
    events = [
        event(1, "storing", (BOX, "epc"), *others, biz_location=PORT),
        event(3, "holding", biz_location=PORT, participants=shift),
        event(4, "inspecting", others[0], biz_location=PORT, people=[("mover", "outer-packaging")], record="m"),
        event(5, "inspecting", (BOX, "epc"), biz_location=PORT, people=[("carrier", "outer-packaging")], record="c"),
    ]
    found = ranks(events, rank="rank/2")
    assert [found[name] for name in ("carrier", "mover", "shift")] == [1, 2, 3]


def test_who_touched_what_came_in_as_few_hops_is_above_who_only_stood_there() -> None:
    """Both are of the first generation by the room; one then opens a box that was packed into the positive pallet."""
    shift = tuple(worker(name, 60, "same-room") for name in ("opens", "stands"))
    events = [
        event(
            1, "packing", (BOX, "child"), (PALLET, "parent"), kind="AggregationEvent", action="ADD", biz_location=PORT
        ),
        event(3, "holding", (PALLET, "epc"), biz_location=PORT, participants=shift),
        event(5, "unpacking", (BOX, "child"), (PALLET, "parent"), kind="AggregationEvent", action="DELETE", record="u"),
        event(6, "inspecting", (BOX, "epc"), biz_location=PORT, people=[("opens", "opened")], record="o"),
    ]
    query = TraceQuery(PALLET, at=EPOCH + timedelta(hours=1), lookback=timedelta(0))
    found = {one["id"]: one["risk_rank"] for one in trace(derive_facts(events), query).document()["members"]}
    assert (found["opens"], found["stands"]) == (1, 2)


def test_what_may_have_been_before_the_sample_counts_for_who_is_certain_by_less() -> None:
    """Both are certain by what came after the sample; one carried the box for an hour the day before."""
    room = (Participant("before", "", "same-room", 31 * HOUR, 31 * HOUR + HOUR // 2),)
    events = [
        event(1, "storing", (BOX, "epc"), biz_location=PORT),
        event(3, "inspecting", (BOX, "epc"), biz_location=PORT, participants=(worker("before", 60),)),
        event(31, "holding", biz_location=PORT, participants=room, record="r"),
        event(32, "inspecting", (BOX, "epc"), biz_location=PORT, people=[("after", "outer-packaging")], record="a"),
    ]
    query = TraceQuery(BOX, at=EPOCH + timedelta(hours=30))
    found = {one["id"]: one for one in trace(derive_facts(events), query).document()["members"]}
    assert (found["before"]["evidence"], found["after"]["evidence"]) == ("certain", "certain")
    assert (found["before"]["risk_rank"], found["after"]["risk_rank"]) == (1, 2)


def test_what_was_warm_is_lower() -> None:
    """Two boxes of one source, one warm for a day, one frozen: who opens the frozen one stands higher."""

    def told(celsius: int) -> tuple[Temperature, ...]:
        return (Temperature(4 * HOUR, 40 * HOUR, celsius * 1000, celsius * 1000),)

    store = "https://id.gs1.org/414/9520001001338"
    found = ranks(
        [
            event(1, "storing", (BOX, "epc"), (OTHER, "epc"), biz_location=PORT),
            event(4, "receiving", (BOX, "epc"), biz_location=PORT, temperatures=told(-18)),
            event(5, "receiving", (OTHER, "epc"), biz_location=store, temperatures=told(22)),
            event(30, "inspecting", (BOX, "epc"), biz_location=PORT, people=[("frozen", "opened")]),
            event(30, "inspecting", (OTHER, "epc"), biz_location=store, people=[("warm", "opened")], record="w"),
        ],
        "sars-cov-2-central/1",
        "rank/2",
    )
    assert found["frozen"] == 1
    assert found["warm"] > 1


@pytest.mark.parametrize("rank", list(RANKS))
@pytest.mark.parametrize(("hops", "given"), [(1, True), (3, True), (4, False)])
def test_later_generations_have_no_rank(rank: str, hops: int, given: bool) -> None:
    events = [event(0, "storing", (BOX, "epc"), biz_location="https://id.gs1.org/414/6901234500009")]
    for number in range(hops):
        seen = [(f"p{number}", "same-room"), (f"p{number - 1}", "same-room")] if number else [("p0", "opened")]
        place = PORT if number == 0 else f"urn:example:room:{number}"
        items = ((BOX, "epc"),) if number == 0 else ()
        events.append(event(2 + number, "inspecting", *items, biz_location=place, people=seen, record=f"e{number}"))
    found = ranks(events, rank=rank)
    assert bool(found[f"p{hops - 1}"]) is given
