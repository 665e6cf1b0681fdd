"""The ground of a run: facts as the numbered rows and arcs that a kernel takes, and what each row takes and gives.

tracing.md §3.1, §3.2, §3.4 and §4; docs/spec/facts.md §8 and §13. Dwell and persistence are settled here, row by row, for
either direction of time: the kernels know of columns alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Facts, Flow, Micros, Party, Place, Stay
from sudonglian.trace.engine.fading import Fading
from sudonglian.trace.engine.lives import Numbered, Subject, ends_of
from sudonglian.trace.engine.presence import Arc, Index, Row, Shape, clipped, columns_of, cut, index, indexed, turned
from sudonglian.trace.engine.query import SAMPLE, Seed, TraceQuery, sampled
from sudonglian.trace.engine.spans import Codes, Times
from sudonglian.trace.engine.terms import Terms
from sudonglian.trace.engine.told import Told


class Touched(NamedTuple):
    """How each stay was told to touch: the number of a word."""

    contact: Codes
    words: Sequence[str]


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
    touched: Touched
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


def ground(
    facts: Facts, stays: Told, query: TraceQuery, terms: Terms, meant: Sequence[Seed], *, certain: bool
) -> Ground:
    """Return the certain facts, or all, as the kernel takes them; `stays` are those of the facts."""
    virtual = [stay for seed in meant if (stay := sampled(seed, query, certain=certain)) is not None]
    known = stays.only_certain() if certain else stays
    flows = [flow for flow in facts.flows if flow.certain or not certain]
    there = {known.parties[one] for one in np.unique(known.who).tolist()} | {stay.who for stay in virtual}
    there |= {party for flow in flows for party in (flow.source, flow.target)}
    there |= {seed.subject for seed in meant if isinstance(seed.subject, Party)}
    rooms = {known.places[one] for one in np.unique(known.where).tolist()} | {stay.where for stay in virtual}
    ends = ends_of(facts, certain=certain)
    parties, places = Numbered(there, ends), Numbered(rooms, ends)
    dwell = {number: step for number, place in enumerate(places.lives) if (step := terms.dwell(place.kind))}
    horizon, backward = terms.horizon(), query.backward
    every = [*known.stays, *virtual] if virtual else known.stays
    pieces = _pieces(known, virtual, parties, places, horizon, backward=backward)
    long = np.isin(pieces.place, list(dwell)) & (pieces.stay < len(known.stays))
    parts = Pieces(*(column[~long] for column in pieces)) if dwell else pieces
    stay_of = parts.stay.tolist()
    rows: list[Row] = list(zip(*(column.tolist() for column in parts[:4]), strict=True))
    joined: dict[int, Sequence[int]] = {}
    if dwell:
        told = zip(*(column[long].tolist() for column in pieces), strict=True)
        for party, place, start, end, touching in _joined([_Piece(*one) for one in told]):
            if len(touching) > 1:
                joined[len(rows)] = touching
            rows.append((party, place, start, end))
            stay_of.append(touching[0])
    if backward and dwell:
        _meet_goals(rows, stay_of, joined, every, places, dwell)
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
    # What stands for a positive place is told to touch in no way of its own.
    unsaid = np.full(len(virtual), len(known.contacts), np.int64)
    touched = Touched(np.append(known.contact, unsaid), [*known.contacts, ""])
    land = Ground(every, flows, parties, places, rows, stay_of, joined, arcs, wear, dwell, fades, touched, _NOTHING)
    return land._replace(columns=_index(land, horizon, backward=backward, plain=terms.plain))


class Pieces(NamedTuple):
    """Columns of pieces, in the order of the stays."""

    party: Codes
    place: Codes
    start: Times
    end: Times
    stay: Codes


def _pieces(
    known: Told,
    virtual: Sequence[Stay],
    parties: Numbered[Party],
    places: Numbered[Place],
    horizon: Micros,
    *,
    backward: bool,
) -> Pieces:
    """Return what of the stays counts up to the horizon, cut where a life of who or of where ends."""
    start = np.append(known.start, np.array([stay.start for stay in virtual], np.int64))
    end = np.append(known.end, np.array([stay.end for stay in virtual], np.int64))
    counts = start < end
    start, end = turned(*clipped(*turned(start, end), horizon)) if backward else clipped(start, end, horizon)
    counts &= start < end
    first_who, cut_who = _lives(known.parties, known.who, parties)
    first_where, cut_where = _lives(known.places, known.where, places)
    apart = np.append(cut_who[known.who] | cut_where[known.where], np.ones(len(virtual), np.bool_))
    whole = np.flatnonzero(counts & ~apart)
    found = Pieces(first_who[known.who[whole]], first_where[known.where[whole]], start[whole], end[whole], whole)
    parts: list[_Piece] = []
    for number in np.flatnonzero(counts & apart).tolist():
        stay = known.stays[number] if number < len(known.stays) else virtual[number - len(known.stays)]
        moments = (*parties.ends(stay.who), *places.ends(stay.where))
        for begin, finish in cut(int(start[number]), int(end[number]), moments):
            parts.append(_Piece(parties.at(stay.who, begin), places.at(stay.where, begin), begin, finish, number))
    if not parts:
        return found
    both = [np.append(one, other) for one, other in zip(found, np.array(parts, np.int64).T, strict=True)]
    order = np.argsort(both[-1], kind="stable")
    return Pieces(*(column[order] for column in both))


def _lives(subjects: Sequence[Subject], named: Codes, lives: Numbered[Subject]) -> tuple[Codes, NDArray[np.bool_]]:
    """Return of each subject that is named the number of its first life, and whether it has others."""
    first, is_cut = np.zeros(len(subjects), np.int64), np.zeros(len(subjects), np.bool_)
    for one in np.unique(named).tolist():
        first[one], is_cut[one] = lives.at(subjects[one], -OPEN_END), bool(lives.ends(subjects[one]))
    return first, is_cut


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
        who, where, starts, ends = columns_of(rows)
        return indexed((who, where, *(turned(starts, ends) if backward else (starts, ends))), land.arcs, linger)
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
