"""The kernel against the literal oracle, on thousands of small worlds, and on the worlds that break others."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.trace import oracle, oracle_backward
from tests.trace.worlds import KINDS, check_walk, told_world, world

from sudonglian.trace.engine import stab
from sudonglian.trace.engine.facts import EPOCH, Facts, Party, Place, Stay, canonical
from sudonglian.trace.engine.forward import spread
from sudonglian.trace.engine.presence import index
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import TraceResult, trace

WORLDS = 2_500
BATCH = 500
BACKWARD = 2_000


def us(time: int) -> timedelta:
    return timedelta(microseconds=time)


def ask(facts: Facts, number: int) -> tuple[TraceQuery, dict[str, int]] | None:
    """Return a random query over a world, and the persistence it uses, in microseconds."""
    dice = random.Random(f"query {number}")
    named = sorted({stay.who for stay in facts.stays if stay.who.kind != "process"})
    if not named:
        return None
    seed = dice.choice(named)
    linger = {kind: dice.choice((0, 0, 0, 1, 3, 1_000_000)) for kind in KINDS}
    at = dice.randrange(12)
    query = TraceQuery(
        seed.id,
        at=EPOCH + us(at),
        lookback=us(dice.choice((0, 3, 50))),
        until=EPOCH + us(at + dice.randrange(10)) if dice.random() < 0.4 else None,
        max_generation=dice.choice((None, None, 0, 1, 2)),
        strict=dice.random() < 0.5,
        persistence={kind: us(span) for kind, span in linger.items()},
    )
    return query, linger


def expected(facts: Facts, query: TraceQuery, linger: dict[str, int], *, certain: bool) -> oracle.Answer:
    at = (query.at - EPOCH) // us(1)
    firsts: dict[Party, list[int]] = {}
    for stay in facts.stays:
        firsts.setdefault(stay.who, []).append(stay.start)
    for flow in facts.flows:
        firsts.setdefault(flow.source, []).append(flow.time)
        firsts.setdefault(flow.target, []).append(flow.time)
    seeds = {}
    for party, times in firsts.items():
        if party.id == query.seed:
            since = at if certain else min(at, max(min(times), at - query.lookback // us(1)))
            # Possibly it was exposed at any time since then, whenever it was cleaned in between.
            ends = oracle.wipes(facts, certain=certain).get(party, [])
            seeds[party] = [since, *(end for end in ends if since < end <= at)]
    until = None if query.until is None else (query.until - EPOCH) // us(1)
    return oracle.spread(
        facts,
        seeds,
        strict=bool(query.strict),
        certain=certain,
        until=until,
        max_hops=query.max_generation,
        linger=linger,
    )


def shown(answer: TraceResult, evidence: str | None = None) -> dict[tuple[str, str], tuple[int, int]]:
    return {(one.kind, one.id): (one.time, one.hops) for one in answer.members if evidence in (None, one.evidence)}


def listed(found: oracle.Answer, seed: str) -> dict[tuple[str, str], tuple[int, int]]:
    parties, places = found
    answer: dict[tuple[str, str], tuple[int, int]] = {
        (party.kind, party.id): (min(times.values()), min(times))
        for party, times in parties.items()
        if party.id != seed and party.kind != "process"
    }
    for place, times in places.items():
        if place.kind in ("location", "vehicle"):
            answer["place", place.id] = (min(times.values()), min(times))
    return answer


@pytest.mark.parametrize("made", [world, told_world])
@pytest.mark.parametrize("batch", range(0, WORLDS, BATCH))
def test_equals_the_oracle(batch: int, made: Callable[[int], Facts]) -> None:
    for number in range(batch, batch + BATCH):
        facts = made(number)
        asked = ask(facts, number)
        if asked is None:
            continue
        query, linger = asked
        answer = trace(facts, query)
        sure = listed(expected(facts, query, linger, certain=True), query.seed)
        maybe = listed(expected(facts, query, linger, certain=False), query.seed)
        assert shown(answer, "certain") == sure, number
        assert shown(answer, "possible") == {key: value for key, value in maybe.items() if key not in sure}, number
        assert {(one.kind, one.id): one.possible_time for one in answer.members} == {
            key: time for key, (time, _) in maybe.items()
        }, number


@pytest.mark.parametrize("batch", range(0, WORLDS, BATCH))
def test_every_walk_is_time_respecting_and_counts_its_hops(batch: int) -> None:
    for number in range(batch, batch + BATCH):
        facts = world(number)
        asked = ask(facts, number)
        if asked is None:
            continue
        query, linger = asked
        for member in trace(facts, query).members:
            at = (query.at - EPOCH) // us(1)
            start = at if member.evidence == "certain" else at - query.lookback // us(1)
            used = (
                facts
                if member.evidence == "possible"
                else Facts(
                    stays=tuple(one for one in facts.stays if one.certain),
                    flows=tuple(one for one in facts.flows if one.certain),
                    cleans=facts.cleans,
                )
            )
            sure = member.evidence == "certain"
            hops = check_walk(used, member.walk(), strict=bool(query.strict), start=start, linger=linger, certain=sure)
            assert hops == member.hops, number
            last = member.earliest_walk()
            check_walk(used, last, strict=bool(query.strict), start=start, linger=linger, certain=sure)
            # Walks through a split or merge alone end in a flow, whose time may precede a seed's own.
            assert last[-1].time <= member.time


@pytest.mark.parametrize("number", [number for number in range(60) if world(number).stays])
def test_order_and_repeats_change_nothing(number: int) -> None:
    facts = world(number)
    asked = ask(facts, number)
    assert asked is not None
    query, _ = asked
    dice = random.Random(number)
    stays, flows = [*facts.stays, *facts.stays[::2]], [*facts.flows, *facts.flows]
    dice.shuffle(stays)
    dice.shuffle(flows)
    mixed = canonical(replace(facts, stays=tuple(stays), flows=tuple(flows), cleans=facts.cleans[::-1] * 2))
    assert trace(mixed, query).document() == trace(facts, query).document()


def test_the_kernel_itself_does_not_depend_on_row_order() -> None:
    for number in range(300):
        facts = world(number)
        parties = sorted({one.who for one in facts.stays} | {p for f in facts.flows for p in (f.source, f.target)})
        places = sorted({one.where for one in facts.stays})
        names: dict[object, int] = {one: at for at, one in enumerate(parties)}
        rooms: dict[object, int] = {one: at for at, one in enumerate(places)}
        answers = []
        for shuffle in range(3):
            stays, flows = [*facts.stays, *facts.stays[:shuffle]], list(facts.flows)
            random.Random(shuffle).shuffle(stays)
            random.Random(shuffle).shuffle(flows)
            rows = [(names[one.who], rooms[one.where], one.start, one.end) for one in stays]
            arcs = [(names[one.source], names[one.target], one.time, one.hops) for one in flows]
            found = spread(index(rows, arcs), [(0, 1)], strict=bool(number % 2))
            answers.append(
                (
                    {party: found.labels[label].clock for party, label in found.best.items()},
                    {party: found.labels[label].hops for party, label in found.first.items()},
                    {place: one.time for place, one in found.best_place.items()},
                    found.covered,
                )
            )
        assert answers[0] == answers[1] == answers[2]


def backward_question(facts: Facts, number: int) -> tuple[TraceQuery, dict[str, int]] | None:
    """Return a random backward query: from a party, or in every fourth world from a place."""
    asked = ask(facts, number)
    if asked is None:
        return None
    query, linger = asked
    rooms = sorted({stay.where.id for stay in facts.stays if stay.where.kind in ("location", "vehicle")})
    seed = rooms[0] if rooms and number % 4 == 0 else query.seed
    return replace(query, seed=seed, backward=True, until=None), linger


@pytest.mark.parametrize("made", [world, told_world])
@pytest.mark.parametrize("batch", range(0, BACKWARD, 100))
def test_backward_equals_its_definition(batch: int, made: Callable[[int], Facts]) -> None:
    """Disinfection, persistence, hops, lookback, strict: all that forward covers, by asking forward at every moment."""
    for number in range(batch, batch + 100):
        facts = made(number)
        asked = backward_question(facts, number)
        if asked is None:
            continue
        query, linger = asked
        answer = trace(facts, query)
        at = (query.at - EPOCH) // us(1)
        for certain in (True, False):
            (seed,) = answer.seeds
            parties, places = oracle_backward.backward(
                facts,
                seed.subject,
                at,
                at - query.lookback // us(1),
                strict=bool(query.strict),
                certain=certain,
                max_hops=query.max_generation,
                linger=linger,
            )
            reached: dict[tuple[str, str], dict[int, int]] = {
                **{(who.kind, who.id): times for who, times in parties.items() if who.kind != "process"},
                **{("place", one.id): times for one, times in places.items() if one.kind in ("location", "vehicle")},
            }
            expect = {key: (max(times.values()), min(times)) for key, times in reached.items() if key[1] != query.seed}
            if certain:
                assert shown(answer, "certain") == expect, number
                sure = set(expect)
            else:
                found = shown(answer, "possible")
                assert found == {key: value for key, value in expect.items() if key not in sure}, number
                assert {(one.kind, one.id): one.possible_time for one in answer.members} == {
                    key: time for key, (time, _) in expect.items()
                }, number


def test_forward_and_backward_are_dual_life_by_life() -> None:
    """forward(u, t) reaches x ⇔ t ≤ D(u), the latest moment of the life that holds t from which u still reaches x."""
    end = 12
    compared = cleaned = 0
    for number in range(400):
        facts = world(number)
        named = sorted({stay.who for stay in facts.stays if stay.who.kind != "process"})
        for target in named[:2]:
            strict = bool((number // 2) % 2)
            back = trace(
                facts, TraceQuery(target.id, at=EPOCH + us(end), lookback=us(1000), backward=True, strict=strict)
            )
            run = back.wide
            latest = {life: -run.spread.labels[label].time for life, label in run.spread.best.items()}
            ends = oracle.wipes(facts, certain=False)
            for source in named:
                if source == target:
                    continue
                for time in range(-1, end + 1):
                    layers, _ = oracle.reach(facts, {source: [time]}, strict=strict)
                    reached = any(
                        when <= end and not any(when < moment <= end for moment in ends.get(target, ()))
                        for layer in layers
                        for when, _ in layer.get(target, ())
                    )
                    # A party of which no fact tells reaches nobody, and has no life.
                    life = run.ground.parties.at(source, time)
                    assert reached == (time <= latest.get(life, -2)), (number, source, time)
                    compared += 1
                    cleaned += bool(ends.get(source)) or bool(ends.get(target))
    assert compared > 10_000
    assert cleaned > 1_000


def test_same_instants_chain_only_if_they_may() -> None:
    def at(who: Party, where: str, time: int, record: str) -> Stay:
        return Stay("at", who, Place("location", where), time, time + 1, True, record, "")

    box, first, second = Party("item", "box"), Party("person", "1"), Party("person", "2")
    facts = canonical(
        Facts(stays=(at(box, "a", 5, "r1"), at(first, "a", 5, "r2"), at(first, "b", 5, "r3"), at(second, "b", 5, "r4")))
    )
    when = EPOCH + us(5)
    strict = {one.id for one in trace(facts, TraceQuery("box", at=when, strict=True)).members}
    chained = {one.id for one in trace(facts, TraceQuery("box", at=when, strict=False)).members}
    assert strict == {"1", "a"}
    assert chained == {"1", "2", "a", "b"}


def test_a_chain_of_a_hundred_thousand_steps() -> None:
    length = 100_000
    rows = [(who, step, 2 * step, 2 * step + 1) for step in range(length) for who in (step, step + 1)]
    found = spread(index(rows, []), [(0, 0)], strict=True)
    last = found.labels[found.first[length]]
    assert (last.hops, last.time) == (length, 2 * (length - 1))
    assert len(found.labels) == length + 1


def test_a_long_walk_is_written_out_and_the_document_stays_linear() -> None:
    length = 5_000
    stays = []
    for step in range(length):
        place = Place("location", f"l{step:06d}")
        for who, record in ((step, "x"), (step + 1, "y")):
            party = Party("item", f"p{who:06d}")
            stays.append(Stay("at", party, place, 2 * step, 2 * step + 1, True, f"{record}{step}", ""))
    answer = trace(canonical(Facts(stays=tuple(stays))), TraceQuery("p000000", at=EPOCH, lookback=us(0)))
    last = next(one for one in answer.members if one.id == f"p{length:06d}")
    assert (last.hops, last.time) == (length, 2 * (length - 1))
    assert len(last.walk()) == 2 * length
    assert len(answer.members) == 2 * length
    assert len(answer.document()["links"]) == 2 * length + 1


def test_a_hub_place_never_becomes_pairs() -> None:
    hall = Place("location", "hall")
    stays = [
        Stay("at", Party("item", f"p{n:05d}"), hall, n % 977, n % 977 + 1 + n % 53, True, f"r{n}", "")
        for n in range(20_000)
    ]
    answer = trace(canonical(Facts(stays=tuple(stays))), TraceQuery("p00000", at=EPOCH, lookback=us(0)))
    assert len(answer.members) == 20_000
    assert len(answer.wide.spread.labels) < 2 * 20_000


def test_a_crowded_place_says_what_a_small_one_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every place is searched by its tree, and the oracle agrees."""
    monkeypatch.setattr(stab, "SMALL", 0)
    for number in range(5_000, 6_000):
        facts = world(number)
        asked = ask(facts, number)
        if asked is not None:
            query, linger = asked
            maybe = listed(expected(facts, query, linger, certain=False), query.seed)
            found = {(one.kind, one.id): one.possible_time for one in trace(facts, query).members}
            assert found == {key: time for key, (time, _) in maybe.items()}, number


def test_an_interval_counts_up_to_the_end_of_the_question() -> None:
    hall, room = Place("location", "hall"), Place("location", "room")
    box, first, second = Party("item", "box"), Party("person", "1"), Party("person", "2")
    facts = Facts(
        stays=(
            Stay("at", box, hall, 5, 6, True, "r1", ""),
            Stay("at", first, hall, 5, 6, True, "r2", ""),
            Stay("at", first, room, 0, 10, True, "r3", ""),
            Stay("at", second, room, 0, 10, True, "r4", ""),
        )
    )
    for until, reached in ((5, {"1", "hall"}), (6, {"1", "2", "hall", "room"})):
        query = TraceQuery("box", at=EPOCH, lookback=us(0), until=EPOCH + us(until), strict=True)
        assert {one.id for one in trace(facts, query).members} == reached
