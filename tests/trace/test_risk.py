"""The rank by dose: every tick of every meeting added up literally, and what must raise or lower it; facts.md §15."""

from datetime import timedelta

from tests.trace.questions import POLICIES, answered, question
from tests.trace.test_facts import BOX, HOUR, OTHER, PORT, STORE, event
from tests.trace.test_invariants import certain_world
from tests.trace.ticks import END, START

from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import EventView, Participant, Temperature
from sudonglian.trace.engine.facts import EPOCH
from sudonglian.trace.engine.fading import Gradual
from sudonglian.trace.engine.policies import UNIT
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.reached import Reached
from sudonglian.trace.engine.result import TraceResult, trace
from sudonglian.trace.engine.risk import GENERATIONS, WHOLE, _Strength, doses


def literal(answer: TraceResult) -> dict[int, int]:
    """Return each party's dose, meeting by meeting and tick by tick; nothing decays under policy/1."""
    run, rule = answer.wide, POLICIES["policy/1"].risk
    labels = {party: run.spread.labels[label] for party, label in run.spread.first.items()}
    last = answer.terms.end()
    there: dict[tuple[int, int], set[int]] = {}
    for party, place, start, end in run.ground.rows:
        there.setdefault((party, place), set()).update(range(max(start, START), min(end, END)))
    found = dict.fromkeys(labels, 0)
    for target, label in labels.items():
        if label.hops > GENERATIONS:
            continue
        for source, other in labels.items():
            if other.hops >= label.hops:
                continue
            load = WHOLE
            for _ in range(other.hops):
                load = load * rule.transfer.numerator // rule.transfer.denominator
            for (party, place), ticks in there.items():
                if party != target or (source, place) not in there:
                    continue
                modes = rule.goods if run.parties[source].kind == "item" else rule.modes
                mode = modes[run.places[place].kind]
                met = {tick for tick in there[source, place] if (other.clock + 1) // 2 <= tick <= last}
                for tick in ticks:
                    alone = tick - 1 not in ticks and tick + 1 not in ticks
                    if tick in met:
                        found[target] += load * mode * (rule.instant if alone else 1)
        for source, party, time, cost in run.ground.arcs:
            if party != target or source not in labels or time > last:
                continue
            other = labels[source]
            fewer = other.hops < label.hops or (cost == 0 and other.hops == label.hops)
            if fewer and other.clock <= 2 * time + 1:
                load = WHOLE
                for _ in range(other.hops):
                    load = load * rule.transfer.numerator // rule.transfer.denominator
                found[target] += load * rule.flow * rule.modes["handoff"]
    return found


def test_doses_are_the_sums_over_all_meetings() -> None:
    compared = 0
    for number in range(1_500):
        facts = certain_world(number)
        asked = question(facts, number)
        if asked is None or asked.is_warm or asked.fade:
            continue
        answer = answered(facts, asked)
        assert dict(doses(Reached(answer.wide), answer.terms, answer.terms.end(), certain=False)) == literal(answer), (
            number
        )
        compared += len(answer.members)
    assert compared > 100


def ranks(events: list[EventView], policy: str = "policy/1", rank: str = "rank/1") -> dict[str, int]:
    facts = derive_facts(events)
    answer = trace(
        facts, TraceQuery(BOX, at=EPOCH + timedelta(hours=1), lookback=timedelta(0), policy=policy, rank=rank)
    )
    return {one["id"]: one["risk_rank"] for one in answer.document()["members"]}


def worker(name: str, minutes: int, contact: str = "outer-packaging") -> Participant:
    return Participant(name, "", contact, 3 * HOUR, 3 * HOUR + minutes * 60_000_000)  # type: ignore[arg-type]


def test_longer_and_closer_is_higher_and_equal_is_equal() -> None:
    people = (worker("a", 60), worker("b", 30), worker("c", 30), worker("d", 60, "same-room"), worker("e", 1))
    found = ranks(
        [
            event(1, "storing", (BOX, "epc"), biz_location=PORT),
            event(3, "inspecting", (BOX, "epc"), biz_location=PORT, participants=people),
        ]
    )
    assert {name: found[name] for name in "abcde"} == {"a": 1, "b": 2, "c": 2, "e": 4, "d": 5}
    assert found[PORT] == 0


def test_what_was_warm_is_lower() -> None:
    """Two boxes of one source, one warm for a day, one frozen: who opens the frozen one stands higher."""

    def told(celsius: int) -> tuple[Temperature, ...]:
        return (Temperature(4 * HOUR, 40 * HOUR, celsius * 1000, celsius * 1000),)

    found = ranks(
        [
            event(1, "storing", (BOX, "epc"), (OTHER, "epc"), biz_location=PORT),
            event(4, "receiving", (BOX, "epc"), biz_location=PORT, temperatures=told(-18)),
            event(5, "receiving", (OTHER, "epc"), biz_location=STORE, temperatures=told(22)),
            event(30, "inspecting", (BOX, "epc"), biz_location=PORT, people=[("frozen", "opened")]),
            event(30, "inspecting", (OTHER, "epc"), biz_location=STORE, people=[("warm", "opened")], record="w"),
        ],
        "sars-cov-2-central/1",
    )
    assert found["frozen"] == 1
    assert found["warm"] > 1


def test_strength_halves_and_doubles_in_steps() -> None:
    halving = Gradual([(0, UNIT // 4)], UNIT)
    down = _Strength(halving, None, 0)
    assert list(down.pieces(0, 2, 12, 64)) == [(2, 5, 64), (5, 10, 32), (10, 12, 16)]
    assert down.left(0, 11, 64) == 16
    up = _Strength(None, halving, 1)
    assert list(up.pieces(0, 0, 20, 64)) == [(0, 5, 64), (5, 20, 128)]
    assert list(_Strength(None, None, 0).pieces(0, 3, 9, 7)) == [(3, 9, 7)]
