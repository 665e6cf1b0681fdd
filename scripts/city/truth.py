"""What contamination really does in a city: chance at each contact, decay, washed hands, surfaces, and people who fall ill.

docs/simulation.md lists every number. It reads the acts alone and shares no line with the engine of traces: it must be
able to disagree with it. Exposed is whoever or whatever something was really passed to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from scripts.city.life import CASUAL, DAY_S, HOUR_S, Act

TOUCH: Final = {"outer-packaging": 0.45, "opened": 0.8, "same-room": 0.0}
"""The chance that a touch of a fully loaded package passes something to bare hands, by how close it is."""
GLOVES: Final = 0.35
"""The share of touches by somebody with clean gloves, which pass nothing."""
TO_HANDS: Final = 0.5
FROM_HANDS: Final = 0.35
"""How much of a package's load hands take; the chance that loaded hands pass something to a package."""
WASHED: Final = 0.5
"""The chance that hands are washed after an act."""
INFECTIOUS_AFTER: Final = 2 * DAY_S
INFECTIOUS_UNTIL: Final = 7 * DAY_S
AT_WORK: Final = 0.12
"""The chance that an infectious person exposes another in the same handoff."""
IN_ROOM: Final = 0.04
"""The same for a shift in one room."""
TO_ROOM: Final = 0.2
FROM_ROOM: Final = 0.04
"""The chance that a loaded package soils a room or vehicle, and that a soiled one passes it to a package or person."""
BESIDE: Final = 0.15
"""The chance that packages in one container or pallet pass it to each other on the way."""
BOX_OF_PALLET: Final = 0.6
"""The chance that a box of the planted pallet is soiled itself: the pallet's outside is its boxes'."""

HALF_LIFE: Final = {"unit": 20 * DAY_S, "hand": 2 * HOUR_S, "room": 2 * DAY_S}
"""Frozen surfaces keep a virus for weeks, hands for hours."""
FAINT: Final = 0.02
"""A load below this passes nothing."""


class Exposure(NamedTuple):
    """When something was first passed to somebody or something, and by what."""

    time: int
    by: str


@dataclass
class Truth:
    """Who and what was really exposed: people by number, goods and places by name."""

    people: dict[int, Exposure]
    units: dict[str, Exposure]
    places: dict[str, Exposure]
    ill: set[int]


class Nature:
    """Watches acts in their order; only what is soiled is remembered, so memory does not grow with the city."""

    def __init__(self, seed: int, *, casual_p: float, ill_p: float) -> None:
        self._dice, self._casual_p, self._ill_p = Random(f"truth {seed}"), casual_p, ill_p
        self._loads: dict[tuple[str, str | int], tuple[float, int]] = {}
        self._ill: dict[int, int] = {}
        self.truth = Truth({}, {}, {}, set())

    def plant(self, pallet: str, boxes: Iterable[str], time: int) -> None:
        """Soil a pallet when it is packed, and some of its boxes."""
        self._pass(("unit", pallet), 1.0, time, "planted")
        for box in boxes:
            if self._chance(BOX_OF_PALLET):
                self._pass(("unit", box), 1.0, time, "planted")

    def watch(self, act: Act) -> None:
        """Let one act happen."""
        if act.kind == "pack" and not self._loads:
            return
        self._between_people(act)
        if not self._loads:
            return
        touched = act.units if act.kind == "open" else act.opened or act.units
        if act.kind == "open":
            self._side_by_side((act.parent, *act.units), act.time)
        for person, _, contact in act.people:
            close = "opened" if act.opened else contact
            for unit in touched:
                self._handle(person, unit, close, act.time)
            if self._chance(WASHED):
                self._loads.pop(("hand", person), None)
        if act.kind != "pack":
            for place in filter(None, (act.place, act.to if act.to != act.place else "")):
                self._room(place, act)

    def _handle(self, person: int, unit: str, contact: str, time: int) -> None:
        """Let somebody touch a package: it passes to the hands, or the hands to it."""
        hand: tuple[str, str | int] = ("hand", person)
        on_unit, on_hands = self._load(("unit", unit), time), self._load(hand, time)
        if on_unit > FAINT and not self._chance(GLOVES) and self._chance(TOUCH[contact] * on_unit):
            self._expose(person, on_unit * TO_HANDS, time, unit)
        elif on_hands > FAINT and self._chance(FROM_HANDS * on_hands):
            self._pass(("unit", unit), on_hands * TO_HANDS, time, f"person {person}")

    def _expose(self, person: int, load: float, time: int, by: str) -> None:
        self.truth.people.setdefault(person, Exposure(time, by))
        hand = ("hand", person)
        self._loads[hand] = (max(load, self._load(hand, time)), time)
        if person not in self._ill and self._chance(self._ill_p * load):
            self._fall_ill(person, time)

    def _fall_ill(self, person: int, time: int) -> None:
        self._ill[person] = time
        self.truth.ill.add(person)

    def _room(self, place: str, act: Act) -> None:
        """Let packages soil a room or vehicle, and it soil what comes in and who is there."""
        room, time = ("room", place), act.time
        for unit in act.units:
            on_unit = self._load(("unit", unit), time)
            if on_unit > FAINT and self._chance(TO_ROOM * on_unit):
                self._pass(room, on_unit * TO_HANDS, time, unit)
        soiled = self._load(room, time)
        if soiled <= FAINT:
            return
        for unit in act.units:
            if self._chance(FROM_ROOM * soiled):
                self._pass(("unit", unit), soiled * TO_HANDS, time, place)
        for person, _, _ in act.people:
            if not self._chance(GLOVES) and self._chance(FROM_ROOM * soiled):
                self._expose(person, soiled * TO_HANDS, time, place)

    def _side_by_side(self, units: tuple[str, ...], time: int) -> None:
        """Let what stood pressed together pass it on before it is taken apart."""
        worst = max((self._load(("unit", unit), time), unit) for unit in units)
        if worst[0] <= FAINT:
            return
        for unit in units:
            if unit != worst[1] and self._chance(BESIDE * worst[0]):
                self._pass(("unit", unit), worst[0] * TO_HANDS, time, worst[1])

    def _between_people(self, act: Act) -> None:
        """Let infectious people expose those beside them."""
        if not self._ill or len(act.people) < 2:
            return
        p = self._casual_p if act.kind in CASUAL else IN_ROOM if act.kind == "shift" else AT_WORK
        present = [person for person, _, _ in act.people]
        for source in present:
            since = self._ill.get(source)
            if since is None or not since + INFECTIOUS_AFTER <= act.time < since + INFECTIOUS_UNTIL:
                continue
            for other in present:
                if other != source and other not in self._ill and self._chance(p):
                    self.truth.people.setdefault(other, Exposure(act.time, f"person {source}"))
                    if self._chance(0.5):
                        self._fall_ill(other, act.time)

    def _pass(self, key: tuple[str, str | int], load: float, time: int, by: str) -> None:
        kind, name = key
        found = self.truth.units if kind == "unit" else self.truth.places
        found.setdefault(str(name), Exposure(time, by))
        self._loads[key] = (max(load, self._load(key, time)), time)

    def _load(self, key: tuple[str, str | int], time: int) -> float:
        told = self._loads.get(key)
        if told is None:
            return 0.0
        load, since = told
        return float(load * 0.5 ** (max(0, time - since) / HALF_LIFE[key[0]]))

    def _chance(self, p: float) -> bool:
        return self._dice.random() < p
