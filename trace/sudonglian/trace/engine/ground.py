"""The ground of a run: facts as the numbered rows and arcs that a kernel takes, and what each row takes and gives.

tracing.md §3.1, §3.2, §3.4 and §4; docs/spec/facts.md §8 and §13. Dwell and persistence are settled here, for either
direction of time: the kernels know of columns alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Facts, Flow, Micros, Party, Place, Stay
from sudonglian.trace.engine.fading import Fading, first, last
from sudonglian.trace.engine.lives import Numbered, Subject, ends_of
from sudonglian.trace.engine.presence import Arc, Columns, Index, Row, Shape, clipped, cut, index, indexed, turned
from sudonglian.trace.engine.query import Seed, TraceQuery, sampled
from sudonglian.trace.engine.spans import Codes, Times, running
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
    rows: "Rows"
    stay_of: Codes
    joined: Mapping[int, Sequence[int]]
    arcs: Sequence[Arc]
    wear: Mapping[int, Fading]
    dwell: Mapping[int, Micros]
    fades: Mapping[int, Fading]
    touched: Touched
    columns: Index

    def stays_of(self, row: int) -> Sequence[int]:
        """Return the numbers of the stays that a row is made of."""
        return self.joined.get(row) or (self.stay_of.item(row),)

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


class Rows(Sequence[Row]):
    """Rows that are kept in columns."""

    def __init__(self, party: Codes, place: Codes, start: Times, end: Times) -> None:
        self.columns: Columns = (party, place, start, end)

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, row: Any) -> Any:
        party, place, start, end = self.columns
        return int(party[row]), int(place[row]), int(start[row]), int(end[row])

    def __iter__(self) -> Iterator[Row]:
        return iter(list(zip(*(column.tolist() for column in self.columns), strict=True)))


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
    there, rooms = _named(known.parties, known.who)[1], _named(known.places, known.where)[1]
    others = [stay.who for stay in virtual] + [party for flow in flows for party in (flow.source, flow.target)]
    others += [seed.subject for seed in meant if isinstance(seed.subject, Party)]
    ends = ends_of(facts, certain=certain)
    parties, places = Numbered(there, others, ends), Numbered(rooms, [stay.where for stay in virtual], ends)
    dwell = {number: terms.dwells[one.kind] for number, one in enumerate(places.lives) if one.kind in terms.dwells}
    horizon, backward = terms.horizon(), query.backward
    every = [*known.stays, *virtual] if virtual else known.stays
    pieces = _pieces(known, virtual, parties, places, horizon, backward=backward)
    long = np.isin(pieces.place, list(dwell)) & (pieces.stay < len(known.stays))
    parts = Pieces(*(column[~long] for column in pieces)) if dwell else pieces
    joined: dict[int, Sequence[int]] = {}
    if dwell:
        parts = _dwelling(parts, Pieces(*(column[long] for column in pieces)), joined)
    if backward and dwell:
        parts = _meet_goals(parts, joined, len(known.stays), places, dwell)
    rows = Rows(*parts[:4])
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
    land = Ground(every, flows, parties, places, rows, parts.stay, joined, arcs, wear, dwell, fades, touched, _NOTHING)
    return land._replace(columns=_index(land, horizon, len(known.stays), backward=backward, plain=terms.plain))


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
    used, those = _named(subjects, named)
    first[used] = lives.firsts(those)
    if lives.has_ends:
        is_cut[used] = [bool(lives.ends(one)) for one in those]
    return first, is_cut


def _named(subjects: Sequence[Subject], codes: Codes) -> tuple[Codes, Sequence[Subject]]:
    """Return the codes that there are, each once, in their order, and whose they are."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(subjects)))
    return used, subjects if len(used) == len(subjects) else [subjects[one] for one in used.tolist()]


_NOTHING = index([], [])


def _dwelling(parts: Pieces, long: Pieces, joined: dict[int, Sequence[int]]) -> Pieces:
    """Return parts, and behind them those in places that ask for a dwell, of which those that touch or overlap are one.

    Who is in a place without a break has dwelt there all that time.
    """
    if not len(long.stay):
        return parts
    long = Pieces(*(column[np.lexsort(long[::-1])] for column in long))
    group = np.cumsum(_begins(long.party) | _begins(long.place)) - 1
    reach = running(group, long.end)
    fresh = _begins(group)
    fresh[1:] |= long.start[1:] > reach[:-1]
    first = np.flatnonzero(fresh)
    beyond = np.append(first[1:], len(fresh))
    for number, (low, high) in enumerate(zip(first.tolist(), beyond.tolist(), strict=True), len(parts.stay)):
        if high - low > 1:
            joined[number] = long.stay[low:high].tolist()
    joint = long.party[first], long.place[first], long.start[first], reach[beyond - 1], long.stay[first]
    both = zip(parts, joint, strict=True)
    return Pieces(*(np.append(one, other) for one, other in both))


def _begins(codes: Codes) -> NDArray[np.bool_]:
    """Return where another code begins."""
    return np.append(np.ones(min(len(codes), 1), np.bool_), codes[1:] != codes[:-1])


def _meet_goals(
    parts: Pieces, joined: dict[int, Sequence[int]], told: int, places: Numbered[Place], dwell: Mapping[int, Micros]
) -> Pieces:
    """Let a sampled place meet who was in it without a dwell, which its own sample cannot hold: in a twin of it.

    Samples are the stays after those that are `told`.
    """
    for goal in np.flatnonzero((parts.stay >= told) & np.isin(parts.place, list(dwell))).tolist():
        place = int(parts.place[goal])
        twin = places.twin(place)
        parts.place[goal] = twin
        here = np.flatnonzero(parts.place == place)
        for number, other in enumerate(here.tolist(), len(parts.stay)):
            if other in joined:
                joined[number] = joined[other]
        party, _, start, end, stay = (np.append(column, column[here]) for column in parts)
        parts = Pieces(party, np.append(parts.place, np.full(len(here), twin)), start, end, stay)
    return parts


def _index(land: Ground, horizon: Micros, told: int, *, backward: bool, plain: bool) -> Index:
    """Return the columns on the clock of the direction; samples are the stays after those that are `told`.

    Forward, from u over [a, b) to v over [c, d): deposited at a tick y that u is there, taken at x ≥ y, exposed at
    x + step; x is within the place's persistence of y, and x + step at the latest d and that of b. Backward, the same in
    mirrored order: what is asked is up to when u could be exposed.
    """
    party, place, start, end = land.rows.columns
    if plain and not land.dwell and not (backward and land.fades):
        # The span is the same for a place at any time: so the row needs no columns of its own, in both directions.
        linger = {number: fading.last(0) for number, fading in land.wear.items()}
        return indexed((party, place, *(turned(start, end) if backward else (start, end))), land.arcs, linger)
    steps = np.zeros(len(land.places), np.int64)
    steps[list(land.dwell)] = list(land.dwell.values())
    told_rows = land.stay_of < told
    if not backward:
        whole = last(land.wear, place, end - 1) + 1
        # The place of a sample exposes from it on; nobody has to dwell with the sample.
        must = np.flatnonzero((steps[place] > 0) & told_rows)
        shut, left = end.copy(), whole.copy()
        short = steps[place[must]] - 1
        shut[must] = np.minimum(end[must], horizon) - short
        left[must] -= short
        return indexed(land.rows.columns, land.arcs, shape=Shape(None, shut, left, whole), delay=land.dwell)
    # On reversed time a row of one place may give later than it takes.
    begin, finish = turned(start, end)
    taken, whole, left = -last(land.wear, place, end - 1), INSTANT - first(land.wear, place, start), finish.copy()
    twins = np.array([land.places.is_twin(one) for one in range(len(land.places))], np.bool_)
    met = np.flatnonzero(twins[place] & told_rows)
    left[met] = whole[met] = begin[met]
    shape = Shape(taken + np.maximum(steps[place], 1) - 1, finish, left, whole)
    return indexed((party, place, begin, finish), land.arcs, shape=shape, lag=land.dwell)
