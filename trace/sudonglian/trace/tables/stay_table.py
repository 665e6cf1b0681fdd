"""A file of stays, a row each: who was where, from when to when; and whom one of them exposed there.

tracing.md §3 (definitions 1-4): check-ins, shifts, visits, without any store.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sudonglian.trace.engine.contacts.rows import Codes, Ticks
from sudonglian.trace.engine.stays.index import Exposed, StayIndex
from sudonglian.trace.errors import QueryRefused
from sudonglian.trace.tables.clock import Clock
from sudonglian.trace.tables.contact_table import TableFileRefused, by_name, clocked, columns_of, filled

OPEN_END: Final = 2**60
"""The end of a stay whose end is not said: beyond every calendar, and within what an index can add."""


@dataclass(frozen=True, slots=True)
class StayColumns:
    """Which columns of a table say who, where, from when and until when."""

    party: str
    place: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class StayAsk:
    """The question whom a seed exposes, as typed; empty is not said. Either a party or a place is the seed."""

    seed: str = ""
    seed_place: str = ""
    at: str = ""
    until: str = ""
    persistence: str = ""
    max_generation: int | None = None
    backward: bool = False
    strict: bool | None = None
    walks: bool = False


@dataclass(frozen=True, slots=True)
class StayTable:
    """The stays of a file, the names of parties and places by number, and how the file writes times.

    Ends do not belong to a stay; a day as an end does, and a stay that ends as it starts lasts one tick.
    """

    party: Codes
    place: Codes
    start: Ticks
    end: Ticks
    parties: tuple[str, ...]
    places: tuple[str, ...]
    clock: Clock


def read(path: Path, columns: StayColumns) -> StayTable:
    """Return the stays of a file; an empty end is open.

    Raises
    ------
    TableFileRefused, TimeRefused
        No such column, an empty cell elsewhere, a row with more or fewer cells than the header, a time that is none,
        an end before its start.
    """
    wanted = [columns.party, columns.place, columns.start, columns.end]
    found = columns_of(path, wanted)
    trimmed = {name: pc.utf8_trim_whitespace(found[name]) for name in dict.fromkeys(wanted)}
    if not len(trimmed[columns.party]):
        raise TableFileRefused("the table has no rows", place=path.name)
    for name in wanted[:3]:
        filled(trimmed[name], name)
    is_open = pc.equal(trimmed[columns.end], "")
    ends = pc.if_else(is_open, trimmed[columns.start], trimmed[columns.end])
    clock, (start, end) = clocked([trimmed[columns.start], ends], wanted[2:])
    if bool((early := end < start).any()):
        raise TableFileRefused("the stay ends before it begins", place=f"{columns.end}, row {int(early.argmax()) + 1}")
    if clock.kind == "date":
        end = end + 1
    end = np.maximum(end, start + 1)
    end[is_open.to_numpy(zero_copy_only=False)] = OPEN_END
    (party, parties), (place, places) = (_named(trimmed[name]) for name in wanted[:2])
    return StayTable(party, place, start, end, parties, places, clock)


def _named(column: pa.Array) -> tuple[Codes, tuple[str, ...]]:
    encoded = column.dictionary_encode()
    return by_name(encoded.indices.to_numpy(), encoded.dictionary)


def exposed(path: Path, columns: StayColumns, ask: StayAsk) -> dict[str, Any]:
    """Return whom the seed of a table of stays exposes, earliest first; backward, who exposes it, the latest first.

    A place that is the seed is exposed at the instant `at` and as long as places stay exposed.

    Raises
    ------
    TraceError
        The table or the question cannot be read.
    """
    if bool(ask.seed) == bool(ask.seed_place):
        raise QueryRefused("either a party or a place is the seed", place="seed")
    if ask.max_generation is not None and ask.max_generation < 0:
        raise QueryRefused("a number of generations is not negative", place="max_generation")
    table = read(path, columns)
    clock, sign = table.clock, -1 if ask.backward else 1
    last = int(table.start.max())
    if ask.seed_place and not ask.at:
        raise QueryRefused("when was the place exposed?", place="at")
    at = clock.tick(ask.at, "at") if ask.at else last if ask.backward else int(table.start.min())
    until = sign * clock.tick(ask.until, "until") if ask.until else None
    if until is not None and (clock.kind == "date" or ask.backward):
        until += 1
    wait = clock.span(ask.persistence, "persistence") if ask.persistence else 0
    seed = _number(table.parties, ask.seed, "seed") if ask.seed else len(table.parties)
    index = StayIndex(table.party, table.place, table.start, table.end, linger=wait)
    if ask.seed_place:
        room = _number(table.places, ask.seed_place, "seed_place")
        index.append(np.array([seed]), np.array([room]), np.array([at]), np.array([at + 1]))
    if ask.backward:
        index = index.turned()
    strict = (not clock.chains_within_an_instant) if ask.strict is None else ask.strict
    found = index.spread([(seed, sign * at)], strict=strict, max_hops=ask.max_generation, until=until)
    names = (*table.parties, ask.seed_place)
    told = _Telling(table, names, found, sign)
    return {
        "seed": names[seed],
        "at": clock.told(at),
        "reached": [told.member(at_, walks=ask.walks) for at_ in _order(found) if int(found.party[at_]) != seed],
    }


def _order(found: Exposed) -> list[int]:
    order: list[int] = np.lexsort((found.party, found.generation, found.arrival)).tolist()
    return order


def _number(names: tuple[str, ...], name: str, place: str) -> int:
    try:
        return names.index(name.strip())
    except ValueError:
        raise TableFileRefused(f"the table names no {name[:80]!r}", place=place) from None


@dataclass(frozen=True, slots=True)
class _Telling:
    """An answer in the words of its table."""

    table: StayTable
    names: tuple[str, ...]
    found: Exposed
    sign: int

    def member(self, at: int, *, walks: bool) -> dict[str, Any]:
        """Return one party that is exposed; `walk` is the one with the fewest hops."""
        found = self.found
        label = int(found.best[at])
        told: dict[str, Any] = {
            "node": self.names[int(found.party[at])],
            "arrival" if self.sign > 0 else "departure": self._time(int(found.arrival[at])),
            "generation": int(found.generation[at]),
            "place": self._place(int(found.labels.target[label])),
            "previous": self.names[int(found.labels.party[int(found.labels.previous[label])])],
        }
        if walks:
            told["walk"] = [
                {"node": self.names[party], "time": self._time(time), "place": self._place(own) if own >= 0 else None}
                for party, time, _, own in found.walk(int(found.first[at]))
            ]
        return told

    def _time(self, tick: int) -> int | float | str:
        return self.table.clock.told(self.sign * tick)

    def _place(self, stay: int) -> str:
        return self.table.places[int(self.table.place[stay])] if stay < len(self.table.place) else self.names[-1]
