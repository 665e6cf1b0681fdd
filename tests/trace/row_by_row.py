"""Exposures, doses and tiers row by row, as the engine's columns must have them; slow, and plain to read.

docs/decisions/0353: what `exposure`, `risk` and `firing` answer from columns is compared with this, number for number.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from sudonglian.trace.engine.exposure import HANDLING, NEVER_MET, Exposure
from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Micros
from sudonglian.trace.engine.firing import NONE, Fired
from sudonglian.trace.engine.forward import ROOT, Label
from sudonglian.trace.engine.passing import Passing
from sudonglian.trace.engine.policies import Touch
from sudonglian.trace.engine.risk import GENERATIONS, WHOLE, _Strengths
from sudonglian.trace.engine.run import Run
from sudonglian.trace.engine.terms import Terms
from sudonglian.trace.engine.tiers import CASE, PERSON, Tiers

NEVER = -8 * OPEN_END

_Span = tuple[Micros, Micros, int, int]
_Spans = Sequence[tuple[Micros, Micros]]
_Group = tuple[str, str]


class _Segment(NamedTuple):
    """Over [start, end) whoever exposes the place needed so many hops at least."""

    start: Micros
    end: Micros
    hops: int


def exposures(run: Run, end: Micros) -> Mapping[int, Exposure]:
    """Return the exposure of each party's number that was exposed; nothing after `end` counts, on the run's clock."""
    spread, land = run.spread, run.ground
    hops = {party: spread.labels[label].hops for party, label in spread.first.items()}
    given: dict[int, list[_Segment]] = {}
    there: dict[int, dict[int, list[tuple[Micros, Micros]]]] = {}
    for party, row, start, until in _rows(run, hops):
        place = land.columns.place[row]
        for begin, finish in _gives(run, party, row):
            given.setdefault(place, []).append(_Segment(begin, finish, hops[party]))
        there.setdefault(place, {}).setdefault(party, []).append((start, until))
    found = dict.fromkeys(hops, Exposure())
    for place, spans in given.items():
        touches = run.places[place].kind in HANDLING
        for party, length, last, is_open in _meetings(_fewest(spans), there[place], hops, end):
            if land.places.is_twin(place):
                # The place itself tells how long; this one, only that they met what was sampled.
                length = 0
            handling, presence = (length, 0) if touches else (0, length)
            found[party] += Exposure(handling, presence, last, is_open)
    for source, target, time, _ in land.arcs:
        if source in hops and target in hops and hops[source] <= hops[target] and time <= end:
            if spread.alive is None:
                passes = spread.labels[spread.best[source]].clock <= 2 * time + 1
            else:
                passes = any(low <= 2 * time + 1 and 2 * time < high for low, high in spread.alive[source])
            if passes:
                found[target] += Exposure(last=time)
    return found


def _rows(run: Run, exposed: Mapping[int, int]) -> Iterator[tuple[int, int, Micros, Micros]]:
    """Yield the rows of the exposed, by party."""
    columns = run.ground.columns
    for party in exposed:
        if party + 1 < len(columns.by_party.first):
            for row in columns.by_party.row[columns.by_party.first[party] : columns.by_party.first[party + 1]]:
                yield party, row, columns.start[row], columns.end[row]


def _gives(run: Run, party: int, row: int) -> Iterator[tuple[Micros, Micros]]:
    """Yield when a row exposes its place."""
    columns, spread = run.ground.columns, run.spread
    if spread.alive is None:
        onset = (spread.labels[spread.best[party]].clock + 1) // 2
        begin, whole = max(columns.start[row], onset), columns.whole[row]
        if begin < columns.end[row] and begin < whole:
            yield begin, whole
        return
    passing = Passing(run.ground, backward=run.backward)
    for low, high in spread.alive[party]:
        begin, _, whole = passing.give(row, low, high)
        if begin < whole:
            yield begin, whole


def _fewest(spans: list[_Segment]) -> list[_Segment]:
    """Return the time in which a place is exposed in segments, each with the fewest hops of whoever exposes it."""
    spans.sort()
    found: list[_Segment] = []
    waiting: list[tuple[int, Micros]] = []
    at, now = 0, spans[0].start
    while at < len(spans) or waiting:
        if not waiting:
            now = max(now, spans[at].start)
        while at < len(spans) and spans[at].start <= now:
            heappush(waiting, (spans[at].hops, spans[at].end))
            at += 1
        while waiting and waiting[0][1] <= now:
            heappop(waiting)
        if not waiting:
            continue
        fewest, until = waiting[0]
        # Only whoever needed fewer hops changes anything before the end of this one.
        while at < len(spans) and spans[at].start < until and spans[at].hops >= fewest:
            heappush(waiting, (spans[at].hops, spans[at].end))
            at += 1
        stop = min(until, spans[at].start) if at < len(spans) else until
        if found and found[-1].end == now and found[-1].hops == fewest:
            found[-1] = found[-1]._replace(end=stop)
        else:
            found.append(_Segment(now, stop, fewest))
        now = stop
    return found


class _Sums:
    """Lengths of the segments that count so far, in a tree of sums (Fenwick); and how many there are."""

    def __init__(self, size: int) -> None:
        self._lengths, self._counts, self._size = [0] * (size + 1), [0] * (size + 1), size

    def add(self, position: int, length: Micros) -> None:
        at = position + 1
        while at <= self._size:
            self._lengths[at] += length
            self._counts[at] += 1
            at += at & -at

    def before(self, position: int) -> tuple[Micros, int]:
        """Return the length and the number of those before a position."""
        length = count = 0
        while position:
            length += self._lengths[position]
            count += self._counts[position]
            position &= position - 1
        return length, count

    def position(self, count: int) -> int:
        """Return where the count-th stands."""
        at, step = 0, 1 << self._size.bit_length()
        while step:
            if at + step <= self._size and self._counts[at + step] < count:
                at += step
                count -= self._counts[at]
            step >>= 1
        return at


def _meetings(
    segments: Sequence[_Segment],
    there: Mapping[int, list[tuple[Micros, Micros]]],
    hops: Mapping[int, int],
    end: Micros,
) -> Iterator[tuple[int, Micros, Micros, bool]]:
    """Yield for each party that was there while fewer hops exposed the place: how long, and the last tick."""
    starts = [one.start for one in segments]
    waiting = sorted(range(len(segments)), key=lambda number: segments[number].hops, reverse=True)
    sums = _Sums(len(segments))
    for party in sorted(there, key=hops.__getitem__):
        while waiting and segments[waiting[-1]].hops < hops[party]:
            number = waiting.pop()
            sums.add(number, segments[number].end - segments[number].start)
        total, last, is_open = 0, NEVER_MET, False
        for start, until in united(there[party]):
            stop = min(until, end + 1)
            first, beyond = max(bisect_right(starts, start) - 1, 0), bisect_right(starts, stop - 1)
            (before, passed), (within, met) = sums.before(first), sums.before(beyond)
            if start >= stop or met == passed:
                continue
            length = within - before
            inner, outer = segments[first], segments[beyond - 1]
            if inner.hops < hops[party]:
                length -= min(max(start - inner.start, 0), inner.end - inner.start)
            if outer.hops < hops[party]:
                length -= max(outer.end - max(stop, outer.start), 0)
            if length <= 0:
                continue
            total += length
            latest = segments[sums.position(met)]
            last = max(last, min(latest.end, stop) - 1)
            is_open = is_open or (until > end + 1 and latest.end > end + 1)
        if total:
            yield party, total, last, is_open


def united(spans: list[tuple[Micros, Micros]]) -> Iterator[tuple[Micros, Micros]]:
    """Yield spans with those that touch or overlap joined."""
    if len(spans) == 1:
        yield spans[0]
        return
    spans.sort()
    start, end = spans[0]
    for begin, finish in spans[1:]:
        if begin <= end:
            end = max(end, finish)
            continue
        yield start, end
        start, end = begin, finish
    yield start, end


class _Level:
    """How much exposes a place over time, by what needed so many hops; sums of it from the beginning."""

    def __init__(self, pieces: list[tuple[Micros, Micros, int]]) -> None:
        changes: dict[Micros, int] = {}
        for start, end, load in pieces:
            changes[start] = changes.get(start, 0) + load
            changes[end] = changes.get(end, 0) - load
        self._times = sorted(changes)
        self._loads: list[int] = []
        self._sums: list[int] = []
        load = total = 0
        for number, time in enumerate(self._times):
            if number:
                total += load * (time - self._times[number - 1])
            load += changes[time]
            self._loads.append(load)
            self._sums.append(total)

    def at(self, tick: Micros) -> int:
        """Return the load at a tick."""
        number = bisect_right(self._times, tick) - 1
        return self._loads[number] if number >= 0 else 0

    def before(self, tick: Micros) -> int:
        """Return the sum of all loads before a tick."""
        number = bisect_right(self._times, tick) - 1
        return self._sums[number] + self._loads[number] * (tick - self._times[number]) if number >= 0 else 0


def doses(run: Run, terms: Terms, end: Micros, *, certain: bool) -> Mapping[int, int]:
    """Return the dose of each party's number of the first generations; 0 beyond them. Forward alone has doses."""
    spread, land, rule = run.spread, run.ground, terms.policy.risk
    labels, columns = spread.labels, land.columns
    hops = {party: labels[label].hops for party, label in spread.first.items()}
    strengths = _Strengths(run, terms, certain=certain)
    loads: dict[int, int] = {}
    for number in sorted(spread.first.values(), key=lambda one: labels[one].hops):
        chain, at = [], number
        while at != ROOT and at not in loads:
            chain.append(at)
            at = labels[at].previous
        for one in reversed(chain):
            label = labels[one]
            before = WHOLE if label.previous == ROOT else loads[label.previous]
            if label.previous != ROOT:
                previous = labels[label.previous]
                before = strengths.of(previous.party).left(previous.time, max(label.time, previous.time), before)
                for _ in range(label.hops - previous.hops):
                    before = before * rule.transfer.numerator // rule.transfer.denominator
            loads[one] = before
    pieces: dict[int, dict[int, list[tuple[Micros, Micros, int]]]] = {}
    there: dict[int, list[tuple[int, list[tuple[Micros, Micros]]]]] = {}
    for party, generation in hops.items():
        if generation > GENERATIONS or party + 1 >= len(columns.by_party.first):
            continue
        stays: dict[int, list[tuple[Micros, Micros]]] = {}
        for row in columns.by_party.row[columns.by_party.first[party] : columns.by_party.first[party + 1]]:
            stays.setdefault(columns.place[row], []).append((columns.start[row], columns.end[row]))
        first = labels[spread.first[party]]
        modes = rule.goods if run.parties[party].kind == "item" else rule.modes
        for place, spans in stays.items():
            mode = modes.get(run.places[place].kind, 0)
            joined = list(united(spans))
            there.setdefault(place, []).append((party, joined))
            for start, until in joined if generation < GENERATIONS else ():
                begin, finish = max(start, (first.clock + 1) // 2), min(until, end + 1)
                if begin < finish:
                    load = loads[spread.first[party]] * mode
                    told = strengths.of(party).pieces(first.time, begin, finish, load)
                    pieces.setdefault(place, {}).setdefault(generation, []).extend(told)
    found = dict.fromkeys(hops, 0)
    for place, levels in pieces.items():
        sums = {generation: _Level(told) for generation, told in levels.items()}
        for party, spans in there[place]:
            for generation, level in sums.items():
                if generation < hops[party]:
                    found[party] += sum(_met(level, span, rule.instant, end) for span in spans)
    for source, target, time, cost in land.arcs:
        if source not in hops or target not in hops or time > end or hops[target] > GENERATIONS:
            continue
        # What was split off needed as many hops: it is the same goods.
        if hops[source] < hops[target] + (cost == 0):
            first = labels[spread.first[source]]
            if first.clock <= 2 * time + 1:
                load = strengths.of(source).left(first.time, max(time, first.time), loads[spread.first[source]])
                found[target] += load * rule.flow * rule.modes["handoff"]
    return found


def _met(level: _Level, span: tuple[Micros, Micros], instant: Micros, end: Micros) -> int:
    """Return load times duration; a meeting whose length nobody wrote down counts as some minutes."""
    start, until = span
    if until - start == INSTANT:
        return level.at(start) * instant
    until = min(until, end + 1)
    return level.before(until) - level.before(start) if start < until else 0


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


class _Party(NamedTuple):
    """An exposed party of the first generations: since when, and where it was when."""

    number: int
    label: Label
    stays: Mapping[int, _Spans]


class _Dosing:
    """The levels at which places are exposed, by generation, and the loads by which they are."""

    def __init__(self, run: Run, terms: Terms, end: Micros, *, certain: bool) -> None:
        self._run, self._end, self._rule = run, end, terms.policy.risk
        self._touch: Touch = terms.policy.risk.touch
        self._strengths = _Strengths(run, terms, certain=certain)
        labels = run.spread.labels
        self.labels = {party: labels[label] for party, label in run.spread.first.items()}
        self.generations: list[list[_Party]] = [[] for _ in range(GENERATIONS + 1)]
        for number in sorted(self.labels, key=self._order):
            label = self.labels[number]
            if label.hops <= GENERATIONS:
                self.generations[label.hops].append(_Party(number, label, self._stays(number)))
        self._arcs: dict[int, list[tuple[int, Micros, int]]] = {}
        for source, target, time, cost in run.ground.arcs:
            one = self.labels.get(source)
            if one is not None and target in self.labels and time <= end and one.clock <= 2 * time + 1:
                self._arcs.setdefault(target, []).append((source, time, cost))
        self._levels: dict[int, list[_Level]] = {}
        self._loads: dict[int, int] = {}

    def found(self) -> dict[int, int]:
        """Return the dose of each party: first from what needed fewer hops, then also from what needed as many.

        Somebody may have been in a room with something exposed, and have carried a box that needed no more hops: the
        first says the generation, the second is what counts.
        """
        for generation, some in enumerate(self.generations):
            for one in some:
                dose = self._met(one, generation) + self._became(one, generation)
                self._loads[one.number] = self._load(dose) if generation else WHOLE
            self._expose(generation, some)
        found = dict.fromkeys(self.labels, 0)
        for generation, some in enumerate(self.generations[1:], start=1):
            for one in some:
                own = {place: _Level(pieces) for place, pieces in self._pieces(one).items()}
                dose = self._met(one, generation + 1) - sum(
                    self._sum(level, one.stays[place]) for place, level in own.items()
                )
                found[one.number] = dose + self._became(one, generation)
        return found

    def _order(self, number: int) -> tuple[int, int, str, str, int]:
        """Return where a party stands: what is split off comes after what it was split from."""
        label, who = self.labels[number], self._run.parties[number]
        return label.hops, label.clock, who.kind, who.id, number

    def _stays(self, number: int) -> Mapping[int, _Spans]:
        columns = self._run.ground.columns
        if number + 1 >= len(columns.by_party.first):
            return {}
        found: dict[int, list[tuple[Micros, Micros]]] = {}
        for row in columns.by_party.row[columns.by_party.first[number] : columns.by_party.first[number + 1]]:
            found.setdefault(columns.place[row], []).append((columns.start[row], columns.end[row]))
        return {place: list(united(spans)) for place, spans in found.items()}

    def _expose(self, generation: int, some: Sequence[_Party]) -> None:
        """Let a generation expose the places where it was."""
        told: dict[int, list[tuple[Micros, Micros, int]]] = {}
        for one in some:
            for place, pieces in self._pieces(one).items():
                told.setdefault(place, []).extend(pieces)
        for place, pieces in told.items():
            levels = self._levels.setdefault(place, [])
            levels += [_Level([])] * (generation - len(levels))
            levels.append(_Level(pieces))

    def _pieces(self, one: _Party) -> Mapping[int, list[tuple[Micros, Micros, int]]]:
        """Return how much a party exposes each place, and when."""
        modes = self._touch.persons if self._run.parties[one.number].kind == PERSON else self._touch.goods
        since = (one.label.clock + 1) // 2
        found = {}
        for place, spans in one.stays.items():
            load = self._loads[one.number] * modes.get(self._run.places[place].kind, 0)
            told = [(max(start, since), min(until, self._end + 1)) for start, until in spans]
            pieces = [
                piece
                for begin, finish in told
                if begin < finish and load
                for piece in self._strengths.of(one.number).pieces(one.label.time, begin, finish, load)
            ]
            if pieces:
                found[place] = pieces
        return found

    def _met(self, one: _Party, generations: int) -> int:
        """Return what somebody met where something of the first generations exposed."""
        return sum(
            self._sum(level, spans)
            for place, spans in one.stays.items()
            for level in self._levels.get(place, ())[:generations]
        )

    def _sum(self, level: _Level, spans: _Spans) -> int:
        return sum(_met(level, span, self._rule.instant, self._end) for span in spans)

    def _became(self, one: _Party, generation: int) -> int:
        """Return what came with what it was made of, split from or packed into; the same goods need no hop."""
        total = 0
        for source, time, cost in self._arcs.get(one.number, ()):
            label = self.labels[source]
            if label.hops < generation + (cost == 0):
                load = self._strengths.of(source).left(label.time, max(time, label.time), self._loads.get(source, 0))
                total += load * self._rule.flow * self._touch.goods["handoff"]
        return total

    def _load(self, dose: int) -> int:
        """Return what a dose makes of somebody: half of all at k, never all."""
        dose //= WHOLE
        return WHOLE * dose // (dose + self._touch.half)


def precedence_doses(run: Run, terms: Terms, end: Micros, *, certain: bool) -> Mapping[int, int]:
    """Return the dose of each party's number of the first generations; 0 beyond them. Forward alone has doses."""
    return _Dosing(run, terms, end, certain=certain).found()
