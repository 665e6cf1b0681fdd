"""Names: what a page calls an item, a place, a person, so that a reader knows it again.

GS1 Digital Link 1.2 (the keys of a path); service.md (people by number). The identifier itself stays beside the name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, Final

from sudonglian.api.commands import sample
from sudonglian.api.pages.language import word
from sudonglian.api.settings import Lang
from sudonglian.chain.identifiers import normal

RESOLVER: Final = "https://id.gs1.org/"
"""Before every identifier in its normal form (docs/spec/identifiers.md)."""

PLACES: Final = ("readPoint", "bizLocation")
NAME: Final = "sdl:name"
"""What a firm calls its place, in the clear."""

SHORT: Final = 8
"""Digits of a hash that tell two records of one answer apart."""


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called in one language."""

    lang: Lang
    places: Mapping[str, str] = field(default_factory=dict)
    """As the records and firms' master data call them, and goods with them."""
    persons: Mapping[str, int] = field(default_factory=dict)
    """The order of a person's number in one answer."""

    def of(self, kind: str, identifier: str) -> str:
        """Return the name of a member, or of where it was."""
        match kind:
            case "person":
                return self.person(identifier)
            case "handoff":
                return word(self.lang, "name.handoff", record=identifier[:SHORT])
            case "process":
                return word(self.lang, "name.process", record=identifier.rpartition(":")[2][:SHORT])
            case _:
                return self.thing(identifier)

    def person(self, number: str) -> str:
        """Return what a person is called: by the order in this answer if there is one, else by number."""
        order = self.persons.get(number)
        if order is None:
            return word(self.lang, "name.person", number=number)
        return word(self.lang, "name.nth", n=order)

    def thing(self, identifier: str) -> str:
        """Return the name of an item, a place or a portion of a lot."""
        lot, mark, portion = identifier.partition("#")
        if not mark:
            return self._whole(identifier)
        if portion.startswith(RESOLVER) or ":" in portion:
            return word(self.lang, "name.portion", lot=self._whole(lot), where=self._whole(portion))
        return word(self.lang, "name.consignment", lot=self._whole(lot), record=portion[:SHORT])

    def _whole(self, identifier: str) -> str:
        if (told := _stories().get(identifier)) is not None:
            return told[self.lang]
        if (place := self.places.get(identifier)) is not None:
            return place
        return short(identifier, self.lang)


def short(identifier: str, lang: Lang) -> str:
    """Return what an identifier itself says, without what every identifier has.

    >>> short("https://id.gs1.org/01/09520001002014/10/BJ241018", "en")
    'lot BJ241018 of 09520001002014'
    >>> short("urn:example:box:7", "en")
    'urn:example:box:7'
    """
    if not identifier.startswith(RESOLVER):
        return identifier
    parts = identifier.removeprefix(RESOLVER).split("/")
    keys = dict(pairwise(parts)) if len(parts) % 2 == 0 else {}
    match parts[0]:
        case "00" if "00" in keys:
            return word(lang, "name.sscc", code=keys["00"])
        case "01" if "21" in keys:
            return word(lang, "name.serial", code=keys["21"], gtin=keys["01"])
        case "01" if "10" in keys:
            return word(lang, "name.lot", code=keys["10"], gtin=keys["01"])
        case "414" if "254" in keys:
            return word(lang, "name.room", code=keys["254"], gln=keys["414"])
        case "414" if "414" in keys:
            return word(lang, "name.site", gln=keys["414"])
        case "417" if "417" in keys:
            return word(lang, "name.party", gln=keys["417"])
        case "8004" if "8004" in keys:
            return word(lang, "name.asset", code=keys["8004"])
        case _:
            return "/".join(parts)


def places_of(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the places that an event names with what the firm calls them."""
    for member in PLACES:
        place = event.get(member)
        if isinstance(place, dict) and isinstance(place.get("id"), str):
            name = place.get(NAME)
            yield normal(place["id"]), name if isinstance(name, str) else ""


@cache
def _stories() -> dict[str, dict[Lang, str]]:
    """Return the names of the samples' things; their identifiers are GS1's for examples, and nobody else's."""
    return {identifier: told for story in sample.stories().values() for identifier, told in story["names"].items()}
