"""A city's cold chain before anything happens: its firms, places, people and habits, all from one seed.

docs/simulation.md lists every number with its reason; nothing here knows the engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from scripts.handoffs import Firm

WORKERS: Final = 6
"""People of a site; half of them are on duty on a day."""

BUYERS_A_SHOP: Final = 25

FIRST_FIRM: Final = 3000
"""Company prefixes of simulated cities begin here: those before belong to the worked incidents."""


@dataclass(frozen=True, slots=True)
class World:
    """The kind of city: how large it is, how goods flow, what is written down, and what really passes on."""

    name: str = "well-recorded"
    firms: int = 24
    days: int = 12

    containers_a_day: float = 0.25
    """Of each cold store."""
    pallets: int = 3
    boxes: int = 4
    lot_containers: int = 3
    """Consecutive containers, of any store, that hold one lot."""
    shared_room: bool = False
    """Whether all markets keep their goods in one room."""

    missing_handoff: float = 0.02
    missing_person: float = 0.02
    missing_visit: float = 0.05
    """Shares of handoffs, of people in a handoff, and of shift lists that nobody writes down."""
    wrong_time: float = 0.02
    """The share of handoffs whose time is off by up to three hours."""

    casual: float = 0.2
    """Breaks a site and day, of three or four people from anywhere in it; no record ever tells of them."""
    casual_p: float = 0.1
    """The chance that an infectious person exposes another in a break or a shared ride."""
    rides: int = 0
    """Shared rides home a day, of three people of any firms; no record tells of them."""
    family: int = 0
    """People at home with each worker, every evening; no record knows them at all."""
    ill_p: float = 0.15
    """The chance that fully loaded hands end in an infection, which passes on without any goods."""
    opened_unrecorded: float = 0.0
    """The share of containers that are opened at the port while the record says that they were closed."""


SHARES: Final = (
    "missing_handoff",
    "missing_person",
    "missing_visit",
    "wrong_time",
    "casual_p",
    "ill_p",
    "opened_unrecorded",
)
MOST: Final = 900_000
"""Company prefixes of six digits end there."""

WORLDS: Final = {
    one.name: one
    for one in (
        World(),
        World("missing-handoffs", missing_handoff=0.35, missing_person=0.25, missing_visit=0.5, wrong_time=0.2),
        World("casual-contacts", casual=1.5, casual_p=0.35, rides=6, family=2, ill_p=0.6),
        World("opened-containers", opened_unrecorded=0.9),
        World("hub", shared_room=True, firms=16, containers_a_day=0.6),
    )
}


def world_of(name: str, changes: Mapping[str, str] | None = None) -> World:
    """Return a kind of world with some of its numbers changed, each given as text.

    >>> world_of("hub", {"days": "3", "missing_handoff": "0.5"}).missing_handoff
    0.5

    Raises
    ------
    ValueError
        There is no such number, or it cannot be that.
    """
    world = WORLDS[name]
    changed: dict[str, Any] = {}
    for key, text in (changes or {}).items():
        old = getattr(world, key, None)
        if old is None or key == "name":
            raise ValueError(f"a world has no {key!r}; it has: {', '.join(sorted(World.__slots__[1:]))}")
        new = text == "True" if isinstance(old, bool) else type(old)(text)
        if not isinstance(old, bool) and not 0 <= new <= (1 if key in SHARES else MOST):
            raise ValueError(f"{key} cannot be {text}")
        changed[key] = new
    return replace(world, **changed)


@dataclass(frozen=True, slots=True)
class Site:
    """A firm's one site: a room where goods stand, those who work there, and vehicles."""

    firm: Firm
    kind: str
    room: str
    workers: tuple[int, ...]
    vehicles: tuple[str, ...]
    drivers: tuple[int, ...]


class City:
    """The sites of a world by kind; people are numbers, which end in no name but that of a phone."""

    def __init__(self, world: World, seed: int) -> None:
        dice = Random(f"city {seed}")
        self.world = world
        count = max(4, world.firms)
        stores = max(1, count // 6)
        markets = max(1, count // 6)
        kinds = ["port"] + ["store"] * stores + ["market"] * markets
        kinds += ["shop"] * (count - len(kinds))
        self.people = 0
        self.sites: list[Site] = []
        shared = ""
        for number, kind in enumerate(kinds):
            firm = Firm(FIRST_FIRM + number)
            room = firm.place(1, "room")
            if kind == "market" and world.shared_room:
                room = shared = shared or room
            fleet = 2 if kind in ("port", "store", "market") else 0
            vehicles = tuple(firm.vehicle(f"T{one}") for one in range(fleet))
            self.sites.append(Site(firm, kind, room, self._hired(WORKERS), vehicles, self._hired(fleet)))
        self._kinds = {kind: [site for site in self.sites if site.kind == kind] for kind in dict.fromkeys(kinds)}
        self.buyers = self._hired(BUYERS_A_SHOP * max(1, len(self.of("shop"))))
        staff = [person for site in self.sites for person in site.workers] if world.family else []
        self.families = {person: self._hired(world.family) for person in staff}
        self.abroad = Firm(FIRST_FIRM - 1)
        self.dice = dice

    def of(self, kind: str) -> list[Site]:
        """Return the sites of a kind."""
        return self._kinds[kind]

    def _hired(self, count: int) -> tuple[int, ...]:
        self.people += count
        return tuple(range(self.people - count, self.people))


def phone(person: int) -> str:
    """Return the invented phone of a person."""
    return f"1990{person:07d}"
