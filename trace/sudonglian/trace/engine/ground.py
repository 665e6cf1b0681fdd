"""The ground of a run: facts as the numbered rows and arcs that a kernel takes, and what each row takes and gives.

tracing.md §3.1, §3.2, §3.4 and §4; docs/spec/facts.md §8 and §13. Dwell and persistence are settled here, row by row, for
either direction of time: the kernels know of columns alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Facts, Flow, Micros, Party, Place, Stay
from sudonglian.trace.engine.fading import Fading
from sudonglian.trace.engine.lives import Numbered, ends_of
from sudonglian.trace.engine.presence import Arc, Index, Row, Shape, clipped, cut, index, turned
from sudonglian.trace.engine.query import SAMPLE, Seed, TraceQuery, sampled
from sudonglian.trace.engine.terms import Terms


class Ground(NamedTuple):
    """What a kernel runs over: facts as numbered rows and arcs, and what the numbers stand for.

    `parties` and `places` are the lives; several numbers stand for one party if it was disinfected in between. A row is
    a stay, or a piece of one, or several that touch (`joined`). `wear` says how long places of a number expose after
    their source, `dwell` how long a meeting in them lasts at least, `fades` how long a party exposes after its exposure.
    """

    stays: Sequence[Stay]
    flows: Sequence[Flow]
    parties: Numbered[Party]
    places: Numbered[Place]
    rows: Sequence[Row]
    stay_of: Sequence[int]
    joined: Mapping[int, Sequence[int]]
    arcs: Sequence[Arc]
    wear: Mapping[int, Fading]
    dwell: Mapping[int, Micros]
    fades: Mapping[int, Fading]
    columns: Index

    def stays_of(self, row: int) -> Sequence[int]:
        """Return the numbers of the stays that a row is made of."""
        return self.joined.get(row) or (self.stay_of[row],)

    def lasts(self, place: int, end: Micros) -> Micros:
        """Return until when a place exposes that its source leaves at `end`."""
        fading = self.wear.get(place)
        return end if fading is None else fading.last(end - 1) + 1

    def covering(self, row: int, start: Micros, end: Micros) -> list[int]:
        """Return stays of a row that together cover what it has of [start, end): the fewest, at least one."""
        whole = self.stays_of(row)
        if len(whole) == 1:
            return list(whole)
        _, _, first, last = self.rows[row]
        now, end = min(max(start, first), last - 1), min(end, last)
        found: list[int] = []
        while not found or now < end:
            best = max(
                (one for one in whole if self.stays[one].start <= now < self.stays[one].end),
                key=lambda one: (self.stays[one].end, -one),
            )
            found.append(best)
            now = self.stays[best].end
        return found


class _Piece(NamedTuple):
    """A stay's part in one life of its party and of its place."""

    party: int
    place: int
    start: Micros
    end: Micros
    stay: int


def ground(facts: Facts, query: TraceQuery, terms: Terms, meant: Sequence[Seed], *, certain: bool) -> Ground:
    """Return the certain facts, or all, as the kernel takes them."""
    virtual = [stay for seed in meant if (stay := sampled(seed, query, certain=certain)) is not None]
    stays = [*(stay for stay in facts.stays if stay.certain or not certain), *virtual]
    flows = [flow for flow in facts.flows if flow.certain or not certain]
    named = {stay.who for stay in stays} | {party for flow in flows for party in (flow.source, flow.target)}
    named |= {seed.subject for seed in meant if isinstance(seed.subject, Party)}
    ends = ends_of(facts, certain=certain)
    parties, places = Numbered(named, ends), Numbered({stay.where for stay in stays}, ends)
    dwell = {number: step for number, place in enumerate(places.lives) if (step := terms.dwell(place.kind))}
    horizon, backward = terms.horizon(), query.backward
    rows: list[Row] = []
    stay_of: list[int] = []
    long: list[_Piece] = []
    for number, stay in enumerate(stays):
        who, where, start, end = stay.who, stay.where, stay.start, stay.end
        if start >= end:
            continue
        if backward:
            start, end = turned(*clipped(*turned(start, end), horizon))
        else:
            start, end = clipped(start, end, horizon)
        if start >= end:
            continue
        moments = (*ends.get(who, ()), *ends.get(where, ())) if ends else ()
        for begin, finish in cut(start, end, moments) if moments else ((start, end),):
            party, place = parties.at(who, begin), places.at(where, begin)
            if dwell and place in dwell and stay.fact != SAMPLE:
                long.append(_Piece(party, place, begin, finish, number))
                continue
            rows.append((party, place, begin, finish))
            stay_of.append(number)
    joined: dict[int, Sequence[int]] = {}
    for party, place, start, end, touching in _joined(long):
        if len(touching) > 1:
            joined[len(rows)] = touching
        rows.append((party, place, start, end))
        stay_of.append(touching[0])
    if backward and dwell:
        _meet_goals(rows, stay_of, joined, stays, places, dwell)
    arcs: list[Arc] = []
    for flow in flows:
        source, target, time = parties.at(flow.source, flow.time), parties.at(flow.target, flow.time), flow.time
        if backward:
            source, target, time = target, source, -time
        # What is later than the end of the question is sent beyond all time.
        arcs.append((source, target, time if time <= horizon else -OPEN_END, flow.hops))
    wear = terms.wear(places.lives, certain=certain)
    fades = terms.fades(parties.lives, certain=certain)
    for stay in virtual:
        # A positive place lasts as the place does.
        fades.pop(parties.at(stay.who, stay.start), None)
    land = Ground(stays, flows, parties, places, rows, stay_of, joined, arcs, wear, dwell, fades, _NOTHING)
    return land._replace(columns=_index(land, horizon, backward=backward, plain=terms.plain))


_NOTHING = index([], [])


def _joined(pieces: list[_Piece]) -> Iterator[tuple[int, int, Micros, Micros, list[int]]]:
    """Yield pieces that touch or overlap as one: who is in a place without a break has dwelt there all that time."""
    party = place = -1
    start = end = 0
    touching: list[int] = []
    for piece in sorted(pieces):
        if (piece.party, piece.place) == (party, place) and piece.start <= end:
            end = max(end, piece.end)
            touching.append(piece.stay)
            continue
        if touching:
            yield party, place, start, end, touching
        party, place, start, end, touching = piece.party, piece.place, piece.start, piece.end, [piece.stay]
    if touching:
        yield party, place, start, end, touching


def _meet_goals(
    rows: list[Row],
    stay_of: list[int],
    joined: dict[int, Sequence[int]],
    stays: Sequence[Stay],
    places: Numbered[Place],
    dwell: Mapping[int, Micros],
) -> None:
    """Let a sampled place meet who was in it without a dwell, which its own sample cannot hold: in a twin of it."""
    for goal in [
        number for number, row in enumerate(rows) if row[1] in dwell and stays[stay_of[number]].fact == SAMPLE
    ]:
        party, place, start, end = rows[goal]
        twin = places.twin(place)
        rows[goal] = (party, twin, start, end)
        for number in range(len(rows)):
            other, where, begin, finish = rows[number]
            if where == place:
                if number in joined:
                    joined[len(rows)] = joined[number]
                rows.append((other, twin, begin, finish))
                stay_of.append(stay_of[number])


def _index(land: Ground, horizon: Micros, *, backward: bool, plain: bool) -> Index:
    """Return the columns on the clock of the direction.

    Forward, from u over [a, b) to v over [c, d): deposited at a tick y that u is there, taken at x ≥ y, exposed at
    x + step; x is within the place's persistence of y, and x + step at the latest d and that of b. Backward, the same in
    mirrored order: what is asked is up to when u could be exposed.
    """
    rows, wear, dwell = land.rows, land.wear, land.dwell
    if plain and not dwell and not (backward and land.fades):
        # The span is the same for a place at any time: so the row needs no columns of its own, in both directions.
        linger = {number: fading.last(0) for number, fading in wear.items()}
        shown = [(one, place, *turned(start, end)) for one, place, start, end in rows] if backward else rows
        return index(shown, land.arcs, linger)
    if not backward:
        whole = [land.lasts(place, end) for _, place, _, end in rows]
        shut, left = [row[3] for row in rows], list(whole)
        for number, (_, place, _, end) in enumerate(rows):
            # The place of a sample exposes from it on; nobody has to dwell with the sample.
            if place in dwell and land.stays[land.stay_of[number]].fact != SAMPLE:
                short = dwell[place] - 1
                shut[number], left[number] = min(end, horizon) - short, whole[number] - short
        return index(rows, land.arcs, shape=Shape(None, shut, left, whole), delay=dwell)
    return _mirrored(land)


def _mirrored(land: Ground) -> Index:
    """Return the columns on reversed time, where a row of one place may give later than it takes."""
    rows: list[Row] = []
    opened: list[Micros] = []
    shape = Shape(opened, [], [], [])
    for number, (party, place, start, end) in enumerate(land.rows):
        begin, finish = turned(start, end)
        fading = land.wear.get(place)
        taken = begin if fading is None else -fading.last(end - 1)
        left, whole = finish, finish if fading is None else INSTANT - fading.first(start)
        if land.places.is_twin(place) and land.stays[land.stay_of[number]].fact != SAMPLE:
            left = whole = begin
        rows.append((party, place, begin, finish))
        opened.append(taken + land.dwell.get(place, 1) - 1)
        shape.shut.append(finish)
        shape.left.append(left)
        shape.whole.append(whole)
    return index(rows, land.arcs, shape=shape, lag=land.dwell)
