"""What firms write down of a city's life: EPCIS events, with what is forgotten and what is noted at a wrong time.

docs/simulation.md; every document passes `sudonglian validate`. What nobody could have written (breaks, rides, who was
really exposed) is never in them.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, Final

from scripts.city.life import CASUAL, Act
from scripts.city.world import World, phone
from scripts.handoffs import Event, document, event, nesting, person

BEIJING: Final = timezone(timedelta(hours=8))
FIRST_MIDNIGHT: Final = datetime(2024, 3, 1, tzinfo=BEIJING)

STEPS: Final = {
    "pack": "packing",
    "load": "loading",
    "land": "arriving",
    "check": "inspecting",
    "send": "shipping",
    "take": "receiving",
    "open": "unpacking",
    "store": "storing",
    "sell": "retail_selling",
    "shift": "holding",
    "sample": "sampling",
}
ALWAYS: Final = ("pack", "load", "sample")
"""The exporter's packing lists come with the goods; the sample is what the inquiry begins with."""


def moment(second: int) -> datetime:
    """Return a second of the city as a time in Beijing."""
    return FIRST_MIDNIGHT + timedelta(seconds=second)


class Scribe:
    """Writes acts down, with the imperfections of its world."""

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._seed, self._dice = world, seed, Random(f"records {seed}")
        self._written = 0

    def write(self, acts: Iterable[Act]) -> Iterator[Event]:
        """Yield the events that are written of acts."""
        for act in acts:
            if act.kind in CASUAL or self._forgotten(act):
                continue
            self._written += 1
            yield self._event(act, f"city/{self._world.name}/{self._seed}/{self._written}")

    def _forgotten(self, act: Act) -> bool:
        if act.kind in ALWAYS:
            return False
        p = self._world.missing_visit if act.kind == "shift" else self._world.missing_handoff
        return self._dice.random() < p

    def _event(self, act: Act, name: str) -> Event:
        shift = 0
        if act.kind not in ALWAYS and self._dice.random() < self._world.wrong_time:
            shift = self._dice.randrange(-180, 181) * 60
        time, end = moment(act.time + shift), moment(act.end + shift)
        people: list[Any] = []
        for who, role, contact in act.people:
            if act.kind == "shift" or self._dice.random() >= self._world.missing_person:
                people.append(person(phone(who), f"P{who}", role, contact, time, end))
        step = STEPS[act.kind]
        if act.parent:
            action = "DELETE" if act.kind == "open" else "ADD"
            told = nesting(
                name, time, step, act.parent, action=action, items=act.units, at=act.place, to=act.to, people=people
            )
            return told | {"sdl:lot": act.lot} if act.kind == "load" else told
        more: dict[str, Any] = {}
        if act.kind == "sample":
            more["labTest"] = {"result": "positive", "material": "outer packaging", "time": time.isoformat()}
        between = (act.giver, act.taker) if act.giver else None
        # A shift names no goods: its room stands for them.
        items = act.units or (act.place,)
        return event(name, time, step, items=items, at=act.place, to=act.to, people=people, between=between, **more)


def documents(events: Iterable[Event], sender: str, size: int) -> Iterator[Event]:
    """Yield documents of at most `size` events; each carries the time of its last event."""
    batch: list[Event] = []
    for one in events:
        batch.append(one)
        if len(batch) == size:
            yield _document(batch, sender)
            batch = []
    if batch:
        yield _document(batch, sender)


def _document(batch: list[Event], sender: str) -> Event:
    return document(sender, max(datetime.fromisoformat(one["eventTime"]) for one in batch), batch)
