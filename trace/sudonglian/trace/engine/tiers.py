"""Tiers: which rule of the table (data, editions differ) a member's meetings fire.

tracing.md §3.9 and docs/spec/facts.md §9; the table's order is its priority.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sudonglian.trace.engine.facts import OPEN_END, Micros
from sudonglian.trace.engine.passing import Passing
from sudonglian.trace.engine.rules import data
from sudonglian.trace.engine.run import Run
from sudonglian.trace.errors import TableRefused

NEVER: Final[Micros] = -8 * OPEN_END
"""Before any time."""

_Span = tuple[Micros, Micros, int, int]
"""start, end, party, row: an exposed stay."""

NONE: Final = -1


class Fired(NamedTuple):
    """A rule by its number, and what fired it: the rows of the source and of the member, or a flow; else -1."""

    rank: int
    source: int = NONE
    target: int = NONE
    flow: int = NONE


class TierRule(NamedTuple):
    """One row of the table."""

    id: str
    member: str
    via: frozenset[str]
    source: frozenset[str]
    contact: frozenset[str]
    tier: str
    zh: str


class Tiers(NamedTuple):
    """The rows in their order, and the version that a trace names."""

    version: str
    rules: tuple[TierRule, ...]

    def rank(self, member: str, via: str, source: str, contact: str) -> int:
        """Return the number of the first row that a meeting fires; one beyond the last if none."""
        for number, rule in enumerate(self.rules):
            asked = ((rule.via, via), (rule.source, source), (rule.contact, contact))
            if rule.member == member and all("*" in allowed or value in allowed for allowed, value in asked):
                return number
        return len(self.rules)


class _Block:
    """Exposed stays sorted by start; of each prefix the latest end, and the latest end of any other party."""

    def __init__(self, spans: list[_Span]) -> None:
        self.spans = spans
        self._ends: list[tuple[tuple[Micros, int], int, tuple[Micros, int]]] = []
        end, party, other = (NEVER, NONE), NONE, (NEVER, NONE)
        for _, until, who, row in spans:
            if who == party:
                end = max(end, (until, row))
            elif until > end[0]:
                end, party, other = (until, row), who, end
            else:
                other = max(other, (until, row))
            self._ends.append((end, party, other))

    def meets(self, start: Micros, end: Micros, party: int) -> int:
        """Return the row of another party that was there at some time in [start, end), or -1."""
        at = bisect_left(self.spans, (end,)) - 1
        if at < 0:
            return NONE
        latest, who, other = self._ends[at]
        until, row = other if who == party else latest
        return row if until > start else NONE


class _Sources:
    """The exposed stays of one place and kind of party, by fewest hops: blocks of 1, 2, 4 … hop counts.

    A prefix of the hop counts is as many blocks as its length has binary digits, so a room with a chain of many hops
    is asked in the logarithm of its length.
    """

    def __init__(self) -> None:
        self._by_hops: dict[int, list[_Span]] = {}
        self._hops: list[int] = []
        self._blocks: dict[tuple[int, int], _Block] = {}

    def add(self, hops: int, span: _Span) -> None:
        """Take in one stay."""
        self._by_hops.setdefault(hops, []).append(span)

    def seal(self) -> None:
        """Sort what was taken in."""
        self._hops = sorted(self._by_hops)

    def met(self, hops: int, start: Micros, end: Micros, party: int) -> int:
        """Return the row of another party, exposed in no more hops, that was there in [start, end), or -1."""
        left = bisect_right(self._hops, hops)
        while left:
            width = left & -left
            row = self._block(left - width, width).meets(start, end, party)
            if row != NONE:
                return row
            left -= width
        return NONE

    def _block(self, first: int, width: int) -> _Block:
        known = self._blocks.get((first, width))
        if known is None:
            if width == 1:
                spans = sorted(self._by_hops[self._hops[first]])
            else:
                half = width // 2
                spans = sorted(self._block(first, half).spans + self._block(first + half, half).spans)
            known = self._blocks[first, width] = _Block(spans)
        return known


def parse(value: Any) -> Tiers:
    """Return the table that a parsed JSON document holds.

    Raises
    ------
    TableRefused
        A row lacks a column.
    """
    try:
        return Tiers(
            str(value["version"]),
            tuple(
                TierRule(
                    str(row["id"]),
                    str(row["member"]),
                    frozenset(row["via"]),
                    frozenset(row["source"]),
                    frozenset(row["contact"]),
                    str(row["tier"]),
                    str(row["zh"]),
                )
                for row in value["rules"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise TableRefused(f"the tiers table lacks {error}", place="tiers.json") from error


@cache
def tier_table() -> Tiers:
    """Return the table in force."""
    return parse(data("tiers.json"))


def assign(run: Run, tiers: Tiers) -> Mapping[int, Fired]:
    """Return, for each exposed party's number, the strongest rule that its meetings fire, and what fired it.

    Only sources that needed no more hops than the member itself count: nobody is raised by what they exposed.
    """
    spread, land = run.spread, run.ground
    parties, places = run.parties, run.places
    hops = {party: spread.labels[label].hops for party, label in spread.first.items()}
    onset = {party: (spread.labels[label].clock + 1) // 2 for party, label in spread.first.items()}
    sources: dict[int, dict[str, _Sources]] = {}
    stays: list[tuple[int, int, Micros, Micros, str, int]] = []
    columns = land.columns
    # What takes and what gives as the kernel has it: two meet if some tick is in both.
    passing = None if spread.alive is None else Passing(land, backward=False)
    told = zip(columns.party, columns.place, columns.start, columns.shut, columns.origin, strict=True)
    for position, (party, place, start, shut, number) in enumerate(told):
        if party not in hops:
            continue
        if start < shut:
            stays += [(party, place, start, shut, contact, number) for contact in _contacts(run, number)]
        if passing is None or spread.alive is None:
            since = max(start, onset[party])
            given = [(since, columns.left[position])] if since < columns.end[position] else []
        else:
            since = spread.labels[spread.first[party]].clock
            given = [
                passing.give(position, max(low, since), high)[:2] for low, high in spread.alive[party] if since < high
            ]
        for since, left in given:
            if since < left:
                kind = "person" if parties[party].kind == "person" else "item"
                there = sources.setdefault(place, {})
                if kind not in there:
                    there[kind] = _Sources()
                there[kind].add(hops[party], (since, left, party, number))
    for kinds in sources.values():
        for one in kinds.values():
            one.seal()
    known: dict[tuple[str, str, str, str], int] = {}
    best: dict[int, Fired] = {}
    for party, place, start, end, contact, row in stays:
        for kind, there_are in sources.get(place, {}).items():
            asked = (parties[party].kind, places[place].kind, kind, contact)
            rank = known.get(asked)
            if rank is None:
                rank = known[asked] = tiers.rank(*asked)
            if party in best and rank >= best[party].rank:
                continue
            by = there_are.met(hops[party], start, end, party)
            if by != NONE:
                best[party] = Fired(rank, by, row)
    for number, (flow, arc) in enumerate(zip(land.flows, land.arcs, strict=True)):
        source, target = arc[0], arc[1]
        if source not in hops or target not in hops or hops[source] > hops[target]:
            continue
        if spread.labels[spread.first[source]].clock <= 2 * flow.time + 1:
            rank = tiers.rank(flow.target.kind, "flow", flow.source.kind, "")
            if target not in best or rank < best[target].rank:
                best[target] = Fired(rank, flow=number)
    return best


def _contacts(run: Run, row: int) -> Sequence[str]:
    """Return how the stays of a row were told to touch, each once."""
    numbers = run.ground.stays_of(row)
    if len(numbers) == 1:
        return (run.ground.stays[numbers[0]].contact,)
    return sorted({run.ground.stays[one].contact for one in numbers})
