"""Which rule of the tiers' table a member's meetings fire, and by what: the strongest that any of them does.

tracing.md §3.9; docs/spec/facts.md §9. Meetings are looked for in columns, the strongest rules first, so that whoever has
one is asked for no weaker; docs/decisions/0353.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from sudonglian.trace.engine.query import PLACES
from sudonglian.trace.engine.reached import PARTIES, Reached
from sudonglian.trace.engine.spans import Codes, Ordered, Rungs, Times, numbered, running
from sudonglian.trace.engine.tiers import CASE, PERSON, Tiers

NONE: Final = -1

TURNS: Final = 8
"""So many times more of a party's meetings are asked after in each turn."""

ITEM_CODE, PERSON_CODE, CASE_CODE = range(3)

KINDS: Final = ("item", PERSON, CASE)
"""What a source may be; a process is goods."""


class Fired(NamedTuple):
    """A rule by its number, and what fired it: the rows of the source and of the member, or a flow; else -1."""

    rank: int
    source: int = NONE
    target: int = NONE
    flow: int = NONE


class _Stays(NamedTuple):
    """How the exposed were where, once for each way in which records say that they touched; in the index's order."""

    party: Codes
    place: Codes
    start: Times
    end: Times
    contact: Codes
    row: Codes


class _Given(NamedTuple):
    """Over [start, end) a party exposes a place, from the exposure of fewest hops on; in the index's order.

    `last` is where the end stands among all ends; `turn` where the span comes by start, end, party and row.
    """

    party: Codes
    place: Codes
    start: Times
    end: Times
    row: Codes
    last: Codes
    turn: Codes


def assign(reached: Reached, tiers: Tiers) -> Mapping[int, Fired]:
    """Return, for each exposed party's number, the strongest rule that its meetings fire, and what fired it.

    Only sources that needed no more hops than the member itself count: nobody is raised by what they exposed. Rules
    that ask for the source's own tier are tried once the others are known.
    """
    run, hops = reached.run, reached.hops
    land, spread = run.ground, run.spread
    best: dict[int, Fired] = {}
    people = reached.parties == PARTIES.index(PERSON)
    kinds = np.select([~people, hops == 0, people], [ITEM_CODE, CASE_CODE, PERSON_CODE])
    stays, contacts = _stays(reached)
    given = _given(reached)

    def rank(party: str, place: str, kind: int, contact: int) -> int:
        return tiers.rank(party, place, KINDS[kind], contacts[contact])

    _raise(best, stays, _Meetings(reached, given, kinds, len(KINDS)), rank)
    for source in spread.first:
        for number in land.columns.arcs_from.get(source, ()):
            flow, target = land.flows[number], land.arcs[number][1]
            if hops[target] < 0 or hops[source] > hops[target]:
                continue
            if spread.labels[spread.first[source]].clock <= 2 * flow.time + 1:
                by_flow = tiers.rank(flow.target.kind, "flow", flow.source.kind, "")
                known = best.get(target)
                if known is None or (by_flow, number) < (known.rank, known.flow):
                    best[target] = Fired(by_flow, flow=number)
    if asked := sorted(tiers.asked):
        has = np.full(len(hops), NONE, np.int64)
        for party, fired in best.items():
            tier = tiers.rules[fired.rank].tier if fired.rank < len(tiers.rules) else ""
            if people[party] and tier in asked:
                has[party] = asked.index(tier)

        def rank_of(party: str, place: str, tier: int, contact: int) -> int:
            return tiers.rank(party, place, PERSON, contacts[contact], asked[tier])

        _raise(best, stays, _Meetings(reached, given, has, len(asked)), rank_of)
    return best


def _raise(
    best: dict[int, Fired], stays: _Stays, meetings: "_Meetings", rank: Callable[[str, str, int, int], int]
) -> None:
    """Name for each party a stronger rule, if a meeting with one of the sources fires it."""
    size = len(meetings.reached.hops)
    stay, kind = meetings.with_kinds(stays.place)
    parties, places = meetings.reached.parties, meetings.reached.places
    shape = len(PARTIES), len(PLACES), meetings.many, int(stays.contact.max(initial=0)) + 1
    asked = np.ravel_multi_index(
        (parties[stays.party[stay]], places[stays.place[stay]], kind, stays.contact[stay]), shape
    )
    known, which = numbered(asked, math.prod(shape))
    told = np.array(np.unravel_index(known, shape)).T.tolist()
    ranks = np.array([rank(PARTIES[one], PLACES[two], three, four) for one, two, three, four in told], np.int64)[which]
    now = np.full(size, int(ranks.max(initial=0)) + 1, np.int64)
    for who, fired in best.items():
        now[who] = fired.rank
    party = stays.party[stay]
    for one in np.unique(ranks).tolist():
        some = np.flatnonzero((ranks == one) & (now[party] > one))
        turn, most = _turns(party[some]), 1
        while len(some):
            # Few of a party's meetings first: the first that fires is the one that is named.
            numbers = stay[some[turn < most]]
            by = meetings.met(_Stays(*(column[numbers] for column in stays)), kind[some[turn < most]])
            hit = np.flatnonzero(by != NONE)
            raised, first = np.unique(stays.party[numbers[hit]], return_index=True)
            now[raised] = one
            rows = by[hit[first]].tolist(), stays.row[numbers[hit[first]]].tolist()
            for who, source, target in zip(raised.tolist(), *rows, strict=True):
                best[who] = Fired(one, source, target)
            left = (turn >= most) & (now[party[some]] > one)
            some, turn, most = some[left], turn[left], most * TURNS


def _turns(party: Codes) -> Codes:
    """Return of each item how many of its party come before it.

    >>> _turns(np.int64([4, 9, 4, 4])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(party, kind="stable")
    begins = np.searchsorted(party[order], party[order])
    found = np.empty(len(party), np.int64)
    found[order] = np.arange(len(party)) - begins
    return found


class _Latest(NamedTuple):
    """Spans by block and start; of each prefix of a block the latest end with its row, and that of any other party.

    Keys hold an end and a row, and are below 0 where there is none.
    """

    starts: Ordered
    key: Codes
    leader: Codes
    other: Codes


class _Meetings:
    """The spans in which sources expose places, by kind of source; asked for whoever was there with at least as many hops."""

    def __init__(self, reached: Reached, given: _Given, kinds: Codes, many: int) -> None:
        """Take of each party which of so many kinds of sources it is, or -1 if of none."""
        self.reached, self.many = reached, many
        kind = kinds[given.party]
        some = np.flatnonzero(kind >= 0)
        self._given = _Given(*(column[some] for column in given))
        self._group = self._given.place * self.many + kind[some]
        self._ends = np.zeros(int(given.last.max(initial=-1)) + 1, np.int64)
        self._ends[given.last] = given.end
        self._rows = int(given.row.max(initial=0)) + 1
        self._key = self._given.last * self._rows + self._given.row
        self._rungs = Rungs(self._group, reached.hops[self._given.party])
        self._known: dict[int, _Latest] = {}

    def with_kinds(self, place: Codes) -> tuple[Codes, Codes]:
        """Return the numbers of the given places, each with each kind of its sources, in the order of their first spans."""
        groups, first = np.unique(self._group, return_index=True)
        order = np.lexsort((first, groups // self.many))
        groups = groups[order]
        low, high = (np.searchsorted(groups // self.many, place, side) for side in ("left", "right"))
        many = high - low
        each = np.repeat(np.arange(len(place)), many)
        return each, groups[np.arange(len(each)) + np.repeat(low - np.cumsum(many) + many, many)] % self.many

    def met(self, stays: _Stays, kind: Codes) -> Codes:
        """Return the row of another party of a kind, exposed in no more hops, that was there during each stay, or -1."""
        found = np.full(len(kind), NONE, np.int64)
        hops = self.reached.hops
        group = stays.place * self.many + kind
        for digit, here, into in self._rungs.below(group, hops[stays.party] + 1):
            open_ = np.flatnonzero(found[here] == NONE)
            here, into = here[open_], into[open_]
            if not len(here):
                continue
            latest = self._latest(digit)
            at = latest.starts.before(into, stays.end[here]) - 1
            some = np.flatnonzero(at >= latest.starts.first(into))
            here, at = here[some], at[some]
            key = np.where(latest.leader[at] == stays.party[here], latest.other[at], latest.key[at])
            met = np.flatnonzero((key >= 0) & (self._ends[key // self._rows] > stays.start[here]))
            found[here[met]] = key[met] % self._rows
        return found

    @cached_property
    def _order(self) -> Codes:
        """Return the spans in the order in which those of a block are read."""
        at = np.full(int(self._given.turn.max(initial=-1)) + 1, NONE, np.int64)
        at[self._given.turn] = np.arange(len(self._given.turn))
        found: Codes = at[at != NONE]
        return found

    def _latest(self, digit: int) -> _Latest:
        """Return the blocks of 2 ** digit levels.

        Of parties whose spans end at one time the first leads; of one party's spans that end so, the greatest row tells.
        """
        if digit in self._known:
            return self._known[digit]
        block = self._rungs.block(digit)[self._order]
        by_block = np.argsort(block, kind="stable")
        order, block = self._order[by_block], block[by_block]
        end, key, party = self._given.last[order], self._key[order], self._given.party[order]
        begins = np.ones(len(order), np.bool_)
        begins[1:] = block[1:] != block[:-1]
        latest = running(block, end)
        raises = begins.copy()
        raises[1:] |= end[1:] > latest[:-1]
        since = np.maximum.accumulate(np.where(raises, np.arange(len(order)), 0))
        leader = party[since]
        own = running(since, np.where((party == leader) & (end == latest), key, NONE))
        changes = begins.copy()
        changes[1:] |= raises[1:] & (leader[1:] != leader[:-1])
        others = np.where(party != leader, key, NONE)
        others[1:] = np.where(changes[1:] & ~begins[1:], own[:-1], others[1:])
        other = running(np.cumsum(changes), others)
        found = _Latest(Ordered(block, self._given.start[order]), own, leader, other)
        self._known[digit] = found
        return found


def _stays(reached: Reached) -> tuple[_Stays, Sequence[str]]:
    """Return the stays of the exposed that take exposure at all, and the words for how they touched."""
    land, touched = reached.run.ground, reached.run.ground.touched
    takes = np.flatnonzero(reached.start < np.asarray(land.columns.shut)[reached.row])
    rows = np.asarray(land.columns.origin)[reached.row[takes]]
    told, each = touched.contact[land.stay_of[rows]], takes
    if land.joined:
        ways = [sorted({int(touched.contact[one]) for one in land.stays_of(row)}) for row in rows.tolist()]
        told = np.array([one for way in ways for one in way], np.int64)
        each = np.repeat(takes, np.array([len(way) for way in ways], np.int64))
    row = reached.row[each]
    shut, origin = (np.asarray(one)[row].astype(np.int64) for one in (land.columns.shut, land.columns.origin))
    columns = reached.party[each], reached.place[each], reached.start[each], shut
    return _Stays(*columns, told, origin), touched.words


def _given(reached: Reached) -> _Given:
    """Return when the exposed expose the places in which they are."""
    columns, given = reached.columns, reached.given_first
    here = np.flatnonzero(given.start < given.left)
    row = given.row[here]
    party, place, origin = (
        np.asarray(one)[row].astype(np.int64) for one in (columns.party, columns.place, columns.origin)
    )
    start, end = given.start[here], given.left[here]
    _, last = np.unique(end, return_inverse=True)
    turn = np.empty(len(row), np.int64)
    turn[np.lexsort((origin, party, last, start))] = np.arange(len(row))
    return _Given(party, place, start, end, origin, last, turn)
