"""A trace's answer as a page shows it: people first, then places and goods, each with the reason in one sentence.

docs/spec/trace-document.md; docs/decisions/0720 (pages are drawn from the kept answer, never from a new trace).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sudonglian.api.pages import steps
from sudonglian.api.pages.language import known
from sudonglian.api.pages.naming import Names, places_of
from sudonglian.api.pages.times import told
from sudonglian.api.settings import Lang
from sudonglian.trace.engine.pictures.drawn import ROOMS
from sudonglian.trace.engine.pictures.times import order

KINDS: Final = ("person", "place", "item")
"""In the order in which a reader must act."""

UNRANKED: Final = 1 << 62
"""Behind all who have a rank."""

URGENCY: Final = {"close": 0, "high": 0, "secondary": 1, "exposed-place": 1}
"""Whom to call first; what stands here not comes after."""

READ: Final = 400
"""Records read for the names and places of one page; an answer with more is told by identifiers from there on."""

Read = Callable[[str], Mapping[str, Any] | None]
"""Gives the event of a record, as far as it is in the clear, or None."""

Describe = Callable[[Iterable[str]], Mapping[str, str]]
"""Gives what firms' master data call identifiers in their normal form."""


@dataclass(frozen=True, slots=True)
class Row:
    """One member."""

    key: str
    kind: str
    id: str
    name: str
    evidence: str
    tier: str
    tier_name: str
    time: str
    generation: int
    objects: int
    persons: int
    intervals: tuple[tuple[str, str], ...]
    place: str
    """Where it happened, as an identifier; empty if no record says."""
    reason: str
    walk: tuple[dict[str, Any], ...]
    """The one that `time` speaks of (the generation counts another if that has fewer hops), from the seed to the member
    whichever way the trace ran."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in one language."""

    document: Mapping[str, Any]
    names: Names
    backward: bool
    rows: tuple[Row, ...]

    def of(self, kind: str) -> list[Row]:
        """Return the members of a kind, the most urgent first."""
        return [row for row in self.rows if row.kind == kind]

    def find(self, key: str) -> Row | None:
        """Return a member by its key."""
        return next((row for row in self.rows if row.key == key), None)

    def generations(self) -> list[dict[str, Any]]:
        """Return how many of each kind were reached in how many hops."""
        found: dict[int, dict[str, int]] = {}
        for row in self.rows:
            counts = found.setdefault(row.generation, dict.fromkeys(KINDS, 0))
            counts[row.kind] = counts.get(row.kind, 0) + 1
        return [{"hops": hops, **found[hops]} for hops in sorted(found)]

    def place_name(self, row: Row) -> str:
        """Return where it happened."""
        return self.names.thing(row.place) if row.place else "—"


def read_answer(
    document: Mapping[str, Any], lang: Lang, read: Read, *, backward: bool, describe: Describe = lambda _: {}
) -> Answer:
    """Return an answer for a page.

    `read` gives the records that say where handoffs were, and what places are called; `describe` what master data call
    things, which counts where no record says more.
    """
    members: Sequence[dict[str, Any]] = document["members"]
    listed = sorted(members, key=_urgency)
    persons = [one["id"] for one in listed if one["kind"] == "person"]
    nth = {number: at for at, number in enumerate(persons, 1)}
    wanted = dict.fromkeys(record for one in listed for record in _rests_on(one, backward=backward))
    events = {record: event for record in islice(wanted, READ) if (event := read(record)) is not None}
    called = {place: name for event in events.values() for place, name in places_of(event) if name}
    things = {one["id"] for one in listed if one["kind"] != "person"}
    things |= {place for event in events.values() for place, _ in places_of(event)}
    names = Names(lang, {**describe(things), **called}, nth)
    rows = tuple(_row(one, names, events, backward=backward) for one in listed)
    return Answer(document, names, backward, rows)


def _urgency(one: dict[str, Any]) -> tuple[int, int, int, int, datetime, str]:
    kind = KINDS.index(one["kind"]) if one["kind"] in KINDS else len(KINDS)
    sure = 0 if one["evidence"] == "certain" else 1
    first = one.get("risk_rank") or UNRANKED
    return kind, first, URGENCY.get(one["tier"], 2), sure, order(_time(one)), one["id"]


def _row(one: dict[str, Any], names: Names, events: Mapping[str, Mapping[str, Any]], *, backward: bool) -> Row:
    walk = one["earliest_walk"]
    tier = one["tier_zh"] if names.lang == "zh" else known("en", f"tier.{one['tier']}", one["tier"])
    objects, persons = one["generation"]["objects"], one["generation"]["persons"]
    return Row(
        key=f"{one['kind']}:{one['id']}",
        kind=one["kind"],
        id=one["id"],
        name=names.of(one["kind"], one["id"]),
        evidence=one["evidence"],
        tier=one["tier"],
        tier_name=tier,
        time=_time(one),
        generation=objects + persons,
        objects=objects,
        persons=persons,
        intervals=tuple((span["from"], span["to"]) for span in one["intervals"]),
        place=one["id"] if one["kind"] == "place" else _where(walk, events, backward=backward),
        reason=steps.reason(_own(walk, backward=backward), names),
        walk=tuple(reversed(walk)) if backward else tuple(walk),
    )


def _time(one: Mapping[str, Any]) -> str:
    found: str = one.get("time") or one.get("earliest") or one.get("latest") or ""
    return found


def _own(walk: Sequence[dict[str, Any]], *, backward: bool) -> Sequence[dict[str, Any]]:
    """Return the steps of the member's own meeting: a walk runs with time, so backward the member begins it."""
    ends = walk[:1] if backward else walk[-1:]
    own = [step for step in walk if step["hop"] == ends[0]["hop"]] if ends else []
    return own if len(own) > 1 else walk[:2] if backward else walk[-2:]


def _rests_on(one: Mapping[str, Any], *, backward: bool) -> list[str]:
    return [step["record_hash"] for step in _own(one["earliest_walk"], backward=backward) if step["record_hash"]]


def _where(walk: Sequence[dict[str, Any]], events: Mapping[str, Mapping[str, Any]], *, backward: bool) -> str:
    """Return where a member's own meeting was: the room that a fact names, or the place of its record."""
    own = _own(walk, backward=backward)
    for step in own if backward else reversed(own):
        if step["where"]["kind"] in ROOMS:
            return str(step["where"]["id"])
        event = events.get(step["record_hash"])
        if event is not None and (places := [place for place, _ in places_of(event)]):
            return places[-1]
    return ""


def headline(answer: Answer) -> dict[str, int]:
    """Return how many of each kind are listed, and how many of them only possibly."""
    counted = {kind: len(answer.of(kind)) for kind in KINDS}
    return {**counted, "possible": sum(row.evidence != "certain" for row in answer.rows)}


def first_time(answer: Answer) -> str:
    """Return when the first member was reached."""
    times = sorted((row.time for row in answer.rows if row.time), key=order)
    return told(times[0]) if times else "—"
