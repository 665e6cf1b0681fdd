"""The route: from which place the exposure went to which, carried by what; a tree, for each place is reached first once.

docs/decisions/0720 and 0315. Read from the walks of an answer.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sudonglian.trace.engine.pictures.drawn import ROOMS, Drawn, Name
from sudonglian.trace.engine.pictures.times import order

DRAWN: Final = 20
"""Places in a picture and its table; a longer one is no picture any more, and the list of places has all."""

ROOT: Final = -1
"""The stop before the first: the seed itself."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One place of the route."""

    key: str
    name: str
    kind: str
    time: str
    carrier: str
    evidence: str
    previous: int
    """The number of the stop before, or `ROOT`."""
    people: int
    goods: int
    lane: int
    before_lane: int
    """The lane of the stop before."""


def stops(members: Sequence[Drawn], name: Name, *, backward: bool) -> list[Stop]:
    """Return the places of an answer in the order in which they were reached (backward: the last one first)."""
    places = [row for row in members if row.kind == "place"]
    rows = sorted(places, key=lambda row: (order(row.time), row.id), reverse=backward)
    number = {row.id: at for at, row in enumerate(rows)}
    reached = Counter((row.place, row.kind) for row in members)
    carriers: dict[str, int] = {}
    found: list[Stop] = []
    lanes = _Lanes()
    for at, row in enumerate(rows):
        own = row.walk[-1] if row.walk else None
        carrier = "" if own is None else f"{own['who']['kind']}:{own['who']['id']}"
        before = carriers.get(carrier, ROOT)
        if before == ROOT:
            before = next((number[one] for one in _places(row) if number.get(one, at) < at), ROOT)
        carriers[carrier] = at
        found.append(
            Stop(
                key=row.key,
                name=row.name,
                kind="location" if own is None else own["where"]["kind"],
                time=row.time,
                carrier="" if own is None else name(own["who"]["kind"], own["who"]["id"]),
                evidence=row.evidence,
                previous=before,
                people=reached[row.id, "person"],
                goods=reached[row.id, "item"],
                lane=lanes.take(before, at),
                before_lane=lanes.of(before),
            )
        )
    return found


def _places(row: Drawn) -> Sequence[str]:
    """Return the places on a walk before its last one, the nearest first."""
    found: list[str] = []
    for step in reversed(row.walk[:-1]):
        for subject in (step["where"], step["who"]):
            found += _named(subject)
    return [one for one in found if one != row.id]


def _named(subject: dict[str, Any]) -> list[str]:
    if subject["kind"] in ROOMS:
        return [subject["id"]]
    # A portion of a lot is named after the place that holds it.
    _, _, holder = subject["id"].partition("#")
    return [holder] if holder else []


class _Lanes:
    """Where lines run beside each other: a stop goes on in the lane of the one before if that is still free."""

    def __init__(self) -> None:
        self._until: list[int] = []
        """For each lane, the stop at which its last line ends: lines come in the order of their ends."""
        self._of: dict[int, int] = {ROOT: 0}

    def take(self, before: int, at: int) -> int:
        """Return the lane of the stop `at`, whose line comes from the stop `before`."""
        lane = self._of[before]
        while not self._free(lane, before):
            lane += 1
        while len(self._until) <= lane:
            self._until.append(ROOT)
        self._until[lane] = at
        self._of[at] = lane
        return lane

    def of(self, stop: int) -> int:
        """Return the lane of a stop that has one."""
        return self._of[stop]

    def _free(self, lane: int, before: int) -> bool:
        """Whether no line and no other stop is in a lane below the stop `before`."""
        return lane >= len(self._until) or self._until[lane] <= before
