"""Tiers: which rule of an edition's table (data) a member's meetings fire.

tracing.md §3.9, docs/spec/facts.md §9 and docs/decisions/0344; a table's order is its priority.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sudonglian.trace.engine.facts import OPEN_END, Micros
from sudonglian.trace.engine.passing import Passing
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.rules import data
from sudonglian.trace.engine.run import Run
from sudonglian.trace.errors import QueryRefused, TableRefused

NEVER: Final[Micros] = -8 * OPEN_END
"""Before any time."""

_Span = tuple[Micros, Micros, int, int]
"""start, end, party, row: an exposed stay."""

NONE: Final = -1

CASE: Final = "case"
"""A person from whom the trace began; anybody else who is exposed is a "person"."""

PERSON: Final = "person"

_Group = tuple[str, str]
"""What a source is, and which tier it has itself where a rule asks for one."""


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
    of: frozenset[str] = frozenset()
    """Which tiers the source may have itself; whatever it is, if none is named."""


class Tiers(NamedTuple):
    """One edition: its rows in their order, the version that a trace names, and whose rules they are."""

    version: str
    rules: tuple[TierRule, ...]
    zh: str = ""
    en: str = ""
    date: str = ""
    source: str = ""

    def rank(self, member: str, via: str, source: str, contact: str, tier: str = "") -> int:
        """Return the number of the first row that a meeting fires; one beyond the last if none.

        Rows that ask for the source's tier are fired by one of such a tier alone.
        """
        for number, rule in enumerate(self.rules):
            asked = ((rule.via, via), (rule.source, source), (rule.contact, contact))
            if rule.member == member and all("*" in allowed or value in allowed for allowed, value in asked):
                if rule.of and tier not in rule.of:
                    continue
                return number
        return len(self.rules)

    @property
    def asked(self) -> frozenset[str]:
        """Return the tiers of sources that rows ask for."""
        return frozenset[str]().union(*(rule.of for rule in self.rules))


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


def parse(value: Any) -> Mapping[str, Tiers]:
    """Return the editions that a parsed JSON document holds, by version.

    Raises
    ------
    TableRefused
        A row lacks a column, an edition its source, or a row asks for a tier that is known only after it.
    """
    try:
        found = [_edition(one) for one in value["editions"]]
    except (KeyError, TypeError) as error:
        raise TableRefused(f"the tiers table lacks {error}", place="tiers.json") from error
    if len({one.version for one in found}) < len(found):
        raise TableRefused("two editions have one version", place="tiers.json")
    return {one.version: one for one in found}


def _edition(value: Any) -> Tiers:
    rules = tuple(
        TierRule(
            str(row["id"]),
            str(row["member"]),
            frozenset(row["via"]),
            frozenset(row["source"]),
            frozenset(row["contact"]),
            str(row["tier"]),
            str(row["zh"]),
            frozenset(row.get("of", ())),
        )
        for row in value["rules"]
    )
    told = Tiers(str(value["version"]), rules, *(str(value[name]) for name in ("zh", "en", "date", "source")))
    if not told.source.strip():
        raise TableRefused(f"{told.version} names no source", place="tiers.json")
    for rule in rules:
        if rule.of and (rule.tier in told.asked or not rule.source <= {PERSON, CASE}):
            raise TableRefused(f"{rule.id} asks for a tier that is not known before it", place="tiers.json")
    return told


@cache
def tier_tables() -> Mapping[str, Tiers]:
    """Return the editions that there are, by version."""
    return parse(data("tiers.json"))


def tiers_of(query: TraceQuery) -> Tiers:
    """Return the edition that a question asks for.

    Raises
    ------
    QueryRefused
        There is no such edition.
    """
    known = tier_tables()
    if query.tiers not in known:
        raise QueryRefused(f"{query.tiers!r} is none of: {', '.join(known)}", place="tiers")
    return known[query.tiers]


_Stay = tuple[int, int, Micros, Micros, str, int]
"""party, place, start, end, contact, row: a stay of somebody exposed."""


def assign(run: Run, tiers: Tiers) -> Mapping[int, Fired]:
    """Return, for each exposed party's number, the strongest rule that its meetings fire, and what fired it.

    Only sources that needed no more hops than the member itself count: nobody is raised by what they exposed. Rules
    that ask for the source's own tier are tried once the others are known.
    """
    spread, parties = run.spread, run.parties
    hops = {party: spread.labels[label].hops for party, label in spread.first.items()}
    stays, given = _told(run, hops)
    best: dict[int, Fired] = {}
    asked = tiers.asked

    def kind(party: int) -> _Group:
        if parties[party].kind != PERSON:
            return "item", ""
        return (PERSON if hops[party] else CASE), ""

    def of_tier(party: int) -> _Group | None:
        fired = best.get(party)
        tier = "" if fired is None or fired.rank == len(tiers.rules) else tiers.rules[fired.rank].tier
        return (PERSON, tier) if parties[party].kind == PERSON and tier in asked else None

    _raise(best, stays, _grouped(given, hops, kind), run, tiers, hops)
    land = run.ground
    for number, (flow, arc) in enumerate(zip(land.flows, land.arcs, strict=True)):
        source, target = arc[0], arc[1]
        if source not in hops or target not in hops or hops[source] > hops[target]:
            continue
        if spread.labels[spread.first[source]].clock <= 2 * flow.time + 1:
            rank = tiers.rank(flow.target.kind, "flow", flow.source.kind, "")
            if target not in best or rank < best[target].rank:
                best[target] = Fired(rank, flow=number)
    if asked:
        _raise(best, stays, _grouped(given, hops, of_tier), run, tiers, hops)
    return best


def _told(run: Run, hops: Mapping[int, int]) -> tuple[list[_Stay], list[tuple[int, _Span]]]:
    """Return the stays of the exposed, and over which spans they expose which place."""
    spread, land = run.spread, run.ground
    onset = {party: (spread.labels[label].clock + 1) // 2 for party, label in spread.first.items()}
    stays: list[_Stay] = []
    found: list[tuple[int, _Span]] = []
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
        found += [(place, (since, left, party, number)) for since, left in given if since < left]
    return stays, found


def _grouped(
    given: Iterable[tuple[int, _Span]], hops: Mapping[int, int], group: Callable[[int], _Group | None]
) -> Mapping[int, Mapping[_Group, _Sources]]:
    """Return what exposes each place by what it is; what is nothing that a rule asks for is left out."""
    sources: dict[int, dict[_Group, _Sources]] = {}
    for place, span in given:
        what = group(span[2])
        if what is not None:
            sources.setdefault(place, {}).setdefault(what, _Sources()).add(hops[span[2]], span)
    for kinds in sources.values():
        for one in kinds.values():
            one.seal()
    return sources


def _raise(
    best: dict[int, Fired],
    stays: Iterable[_Stay],
    sources: Mapping[int, Mapping[_Group, _Sources]],
    run: Run,
    tiers: Tiers,
    hops: Mapping[int, int],
) -> None:
    """Name for each party a stronger rule, if a meeting with one of the sources fires it."""
    parties, places = run.parties, run.places
    known: dict[tuple[str, str, str, str, str], int] = {}
    for party, place, start, end, contact, row in stays:
        for (kind, tier), there_are in sources.get(place, {}).items():
            asked = (parties[party].kind, places[place].kind, kind, contact, tier)
            rank = known.get(asked)
            if rank is None:
                rank = known[asked] = tiers.rank(*asked)
            if party in best and rank >= best[party].rank:
                continue
            by = there_are.met(hops[party], start, end, party)
            if by != NONE:
                best[party] = Fired(rank, by, row)


def _contacts(run: Run, row: int) -> Sequence[str]:
    """Return how the stays of a row were told to touch, each once."""
    numbers = run.ground.stays_of(row)
    if len(numbers) == 1:
        return (run.ground.stays[numbers[0]].contact,)
    return sorted({run.ground.stays[one].contact for one in numbers})
