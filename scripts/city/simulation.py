"""One city from a seed: its life, what is written of it, and the truth beside it, in one pass that keeps nothing.

docs/simulation.md.
"""

from collections.abc import Iterator
from typing import Any

from scripts.city.life import Life, Sampled
from scripts.city.records import Scribe, moment
from scripts.city.truth import Exposure, Nature, Truth
from scripts.city.world import City, World, phone
from scripts.handoffs import Event


class Simulation:
    """A world run with a seed; `truth` and `sampled` are whole once `events` is exhausted."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.city = City(world, seed)
        self._life = Life(self.city, seed)
        self._nature = Nature(seed, casual_p=world.casual_p, ill_p=world.ill_p)
        self._scribe = Scribe(world, seed)

    def events(self) -> Iterator[Event]:
        """Yield what is written down, day by day."""
        sown = False
        for acts in self._life.days():
            planted = self._life.planted
            for act in acts:
                self._nature.watch(act)
                if not sown and planted is not None and act.kind == "pack" and act.parent == planted.pallet:
                    self._nature.plant(planted.pallet, planted.boxes, act.time)
                    sown = True
            yield from self._scribe.write(acts)

    @property
    def truth(self) -> Truth:
        """Return who and what was really exposed so far."""
        return self._nature.truth

    @property
    def sampled(self) -> Sampled | None:
        """Return the positive sample, once it was taken."""
        return self._life.sampled

    def truth_document(self) -> dict[str, Any]:
        """Return the truth as it is written beside the documents."""
        truth, sampled = self.truth, self.sampled
        return {
            "world": self.world.name,
            "seed": self.seed,
            "sample": None
            if sampled is None
            else {
                "pallet": sampled.pallet,
                "boxes": list(sampled.boxes),
                "lot": sampled.lot,
                "packed": moment(sampled.packed).isoformat(),
                "at": moment(sampled.at).isoformat(),
                "place": sampled.place,
            },
            "people": [{"phone": phone(who), **_told(one)} for who, one in sorted(truth.people.items())],
            "ill": sorted(map(phone, truth.ill)),
            "units": [{"id": uri, **_told(one)} for uri, one in sorted(truth.units.items())],
            "places": [{"id": uri, **_told(one)} for uri, one in sorted(truth.places.items())],
        }


def _told(exposure: Exposure) -> dict[str, str]:
    kind, _, number = exposure.by.partition(" ")
    by = phone(int(number)) if kind == "person" else exposure.by
    return {"time": moment(exposure.time).isoformat(), "by": by}
