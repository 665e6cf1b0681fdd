"""What really happens in a city, day by day: goods come, are opened, moved on and bought; people work, rest, ride home.

docs/simulation.md; a generator whose memory is one day and the goods in stock. What of this is written down, and what
passes contamination on, are two other modules' business.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from scripts.city.world import City, Site

DAY_S: Final = 86_400
HOUR_S: Final = 3_600
PLANTED_FROM_DAY: Final = 1
MOVES_ON: Final = 0.5
"""The chance a day of a pallet or box in stock to be sent on, opened or sold: half stay, and stand beside others."""
ORDER: Final = ("shop", "market", "store", "port")
"""Each works with what came on the days before."""

CASUAL: Final = ("break", "home", "ride")
"""What no record can tell of."""

_Kept = TypeVar("_Kept")

Presence = tuple[int, str, str]
"""A person, the role, and how close: outer-packaging, opened or same-room."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens; seconds count from the city's first midnight."""

    kind: str
    time: int
    end: int
    place: str
    people: tuple[Presence, ...] = ()
    units: tuple[str, ...] = ()
    parent: str = ""
    to: str = ""
    giver: str = ""
    taker: str = ""
    lot: str = ""
    opened: tuple[str, ...] = ()
    """Units that are really reached into, whatever the record says."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A pallet with its boxes."""

    pallet: str
    boxes: tuple[str, ...]
    lot: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """The planted contamination: which pallet, since when, and the positive sample of it."""

    pallet: str
    boxes: tuple[str, ...]
    lot: str
    packed: int
    at: int = 0
    place: str = ""


class Life:
    """The life of a city; `planted` and `sampled` are known once it has got so far."""

    def __init__(self, city: City, seed: int) -> None:
        self.city, self._dice = city, Random(f"life {seed}")
        self.planted: Sampled | None = None
        self.sampled: Sampled | None = None
        self._landed: dict[str, deque[tuple[str, tuple[Unit, ...]]]] = {}
        self._stock: dict[str, list[Unit]] = {site.firm.prefix: [] for site in city.sites}
        self._boxes: dict[str, list[tuple[str, str]]] = {site.firm.prefix: [] for site in city.sites}
        self._containers = 0
        self._today: list[Act] = []

    def days(self) -> Iterator[list[Act]]:
        """Yield the acts of each day in their order."""
        world = self.city.world
        for day in range(world.days):
            self._today = []
            start = day * DAY_S
            duty = {
                site.firm.prefix: self._dice.sample(site.workers, len(site.workers) // 2) for site in self.city.sites
            }
            for kind in ORDER:
                for site in self.city.of(kind):
                    crew = duty[site.firm.prefix]
                    getattr(self, f"_{kind}")(site, crew, start)
                    self._together(site, crew, start)
            self._rides(start)
            if day == world.days - 1 and self.sampled is None:
                self._sample(self.city.of("store")[0], start + 23 * HOUR_S)
            yield sorted(self._today, key=lambda act: (act.time, act.kind, act.place, act.units))

    def _do(self, act: Act) -> None:
        self._today.append(act)

    def _somebody(self, crew: list[int], role: str, contact: str, count: int = 1) -> tuple[Presence, ...]:
        return tuple((person, role, contact) for person in self._dice.sample(crew, min(count, len(crew))))

    def _minute(self) -> int:
        return self._dice.randrange(60) * 60

    def _port(self, site: Site, crew: list[int], start: int) -> None:
        """Land containers for the stores, and hand out those of the day before."""
        for store in self.city.of("store"):
            waiting = self._landed.setdefault(store.firm.prefix, deque())
            while waiting:
                self._to_store(site, store, *waiting.popleft(), start, crew)
            if self._dice.random() < self.city.world.containers_a_day:
                waiting.append(self._land(site, crew, start))

    def _land(self, site: Site, crew: list[int], start: int) -> tuple[str, tuple[Unit, ...]]:
        world, abroad = self.city.world, self.city.abroad
        number = self._containers
        self._containers += 1
        first = number * (1 + world.pallets * (1 + world.boxes))
        container = abroad.unit(first)
        lot = abroad.lot(1, f"L{number // world.lot_containers:05d}")
        units = []
        packed = start + HOUR_S + self._minute()
        for pallet in range(world.pallets):
            at = first + 1 + pallet * (1 + world.boxes)
            boxes = tuple(abroad.unit(at + 1 + box) for box in range(world.boxes))
            units.append(Unit(abroad.unit(at), boxes, lot))
            self._do(Act("pack", packed, packed, "", units=boxes, parent=units[-1].pallet, lot=lot))
        pallets = tuple(one.pallet for one in units)
        self._do(Act("load", packed + 1800, packed + 1800, "", units=pallets, parent=container, lot=lot))
        if self.planted is None and start >= PLANTED_FROM_DAY * DAY_S:
            self.planted = Sampled(units[0].pallet, units[0].boxes, lot, packed)
        landed = start + 6 * HOUR_S + self._minute()
        self._do(
            Act(
                "land", landed, landed + 900, site.room, self._somebody(crew, "crane driver", "outer-packaging"),
                (container,), to=site.room, lot=lot,
            )
        )  # fmt: skip
        checked = landed + 2 * HOUR_S
        opened = pallets if self._dice.random() < world.opened_unrecorded else ()
        self._do(
            Act(
                "check", checked, checked + 1200, site.room, self._somebody(crew, "inspector", "outer-packaging", 3),
                (container,), to=site.room, lot=lot, opened=opened,
            )
        )  # fmt: skip
        return container, tuple(units)

    def _to_store(
        self, port: Site, store: Site, container: str, units: tuple[Unit, ...], start: int, crew: list[int]
    ) -> None:
        driver, vehicle = self._driven(port)
        people = (driver, *self._somebody(crew, "crane driver", "outer-packaging"))
        between = (port.firm.party(), store.firm.party())
        left = start + 4 * HOUR_S + self._minute()
        lot, pallets = units[0].lot, tuple(one.pallet for one in units)
        self._do(Act("send", left, left + 900, port.room, people, (container,), "", vehicle, *between, lot))
        came = left + 2 * HOUR_S
        hands = list(store.workers)
        people = (driver, *self._somebody(hands, "keeper", "outer-packaging"))
        self._do(Act("take", came, came + 600, store.room, people, (container,), "", store.room, *between, lot))
        people = self._somebody(hands, "unloader", "opened", 3)
        self._do(Act("open", came + 900, came + 4500, store.room, people, pallets, container, store.room, lot=lot))
        people = self._somebody(hands, "forklift driver", "outer-packaging")
        self._do(Act("store", came + 4800, came + 6000, store.room, people, pallets, to=store.room, lot=lot))
        self._stock[store.firm.prefix] += units

    def _store(self, site: Site, crew: list[int], start: int) -> None:
        """Send pallets of the days before to markets."""
        for unit in self._moving(self._stock[site.firm.prefix]):
            market = self._dice.choice(self.city.of("market"))
            driver, vehicle = self._driven(site)
            between = (site.firm.party(), market.firm.party())
            left = start + 2 * HOUR_S + self._minute()
            people = (driver, *self._somebody(crew, "picker", "outer-packaging"))
            self._do(Act("send", left, left + 900, site.room, people, (unit.pallet,), "", vehicle, *between, unit.lot))
            came = left + HOUR_S + self._minute()
            people = (driver, *self._somebody(list(market.workers), "receiver", "outer-packaging"))
            self._do(
                Act("take", came, came + 900, market.room, people, (unit.pallet,), "", market.room, *between, unit.lot)
            )
            self._stock[market.firm.prefix].append(unit)
            if self.planted is not None and unit.pallet == self.planted.pallet and self.sampled is None:
                self._sample(market, came + HOUR_S)

    def _sample(self, site: Site, time: int) -> None:
        planted = self.planted
        if planted is not None:
            self.sampled = Sampled(planted.pallet, planted.boxes, planted.lot, planted.packed, time, site.room)
            self._do(Act("sample", time, time, site.room, units=(planted.pallet,), to=site.room, lot=planted.lot))

    def _market(self, site: Site, crew: list[int], start: int) -> None:
        """Open pallets and send their boxes to shops."""
        loose = self._boxes[site.firm.prefix]
        for unit in self._moving(self._stock[site.firm.prefix]):
            at = start + 8 * HOUR_S + self._minute()
            people = self._somebody(crew, "stall keeper", "opened", 2)
            self._do(Act("open", at, at + 1200, site.room, people, unit.boxes, unit.pallet, site.room, lot=unit.lot))
            loose += [(box, unit.lot) for box in unit.boxes]
        moving = self._moving(loose)
        for first in range(0, len(moving), 3):
            load = moving[first : first + 3]
            shop = self._dice.choice(self.city.of("shop"))
            driver, vehicle = self._driven(site)
            between = (site.firm.party(), shop.firm.party())
            left = start + 11 * HOUR_S + self._minute()
            people = (driver, *self._somebody(crew, "stall keeper", "outer-packaging"))
            boxes = tuple(box for box, _ in load)
            self._do(Act("send", left, left + 600, site.room, people, boxes, "", vehicle, *between, load[0][1]))
            came = left + HOUR_S + self._minute()
            people = (driver, *self._somebody(list(shop.workers), "clerk", "outer-packaging"))
            self._do(Act("take", came, came + 600, shop.room, people, boxes, "", shop.room, *between, load[0][1]))
            self._boxes[shop.firm.prefix] += load

    def _shop(self, site: Site, crew: list[int], start: int) -> None:
        """Sell boxes that came on the days before, one to a buyer."""
        for box, lot in self._moving(self._boxes[site.firm.prefix]):
            at = start + 9 * HOUR_S + self._dice.randrange(9 * 60) * 60
            buyer = self._dice.choice(self.city.buyers)
            people = ((buyer, "buyer", "outer-packaging"), *self._somebody(crew, "clerk", "outer-packaging"))
            self._do(Act("sell", at, at + 300, site.room, people, (box,), lot=lot))

    def _together(self, site: Site, crew: list[int], start: int) -> None:
        """Let those on duty be in the room for their shift, and some of the site take a break together."""
        begin = start + 8 * HOUR_S
        duty = tuple((person, "on duty", "same-room") for person in sorted(crew))
        self._do(Act("shift", begin, begin + 8 * HOUR_S, site.room, duty, to=site.room))
        rate = self.city.world.casual
        for _ in range(int(rate) + (self._dice.random() < rate % 1)):
            group = self._dice.sample(site.workers, min(len(site.workers), self._dice.choice((3, 4))))
            at = start + 10 * HOUR_S + self._dice.randrange(7 * 60) * 60
            self._do(Act("break", at, at + 900, "", tuple((one, "", "") for one in sorted(group))))

    def _rides(self, start: int) -> None:
        staff = [person for site in self.city.sites for person in site.workers]
        for worker, family in self.city.families.items():
            at = start + 19 * HOUR_S
            self._do(Act("home", at, at + 3 * HOUR_S, "", tuple((one, "", "") for one in (worker, *family))))
        for _ in range(self.city.world.rides):
            group = self._dice.sample(staff, 3)
            at = start + 17 * HOUR_S + self._minute()
            self._do(Act("ride", at, at + 1800, "", tuple((one, "", "") for one in sorted(group))))

    def _driven(self, site: Site) -> tuple[Presence, str]:
        number = self._dice.randrange(len(site.vehicles))
        return (site.drivers[number], "driver", "outer-packaging"), site.vehicles[number]

    def _moving(self, stock: list[_Kept]) -> list[_Kept]:
        """Take out of the stock what moves on today."""
        moving: list[_Kept] = []
        staying: list[_Kept] = []
        for one in stock:
            (moving if self._dice.random() < MOVES_ON else staying).append(one)
        stock[:] = staying
        return moving
