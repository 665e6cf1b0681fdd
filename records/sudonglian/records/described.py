"""What master data say about places, parties and goods, by the words that sheets ask for.

CBV 2.0 §9 (attributes); docs/decisions/0207: shown, never proven. A firm's own words go before other firms'.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import digital_link
from sudonglian.chain.identifiers.digital_link import DigitalLink
from sudonglian.records import master_data

ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "name": ("organizationName", "name", "siteName", "locationName", "vesselName"),
    "phone": ("telephone", "telephoneNumber", "phone", "phoneNumber", "contactPhone", "contactTelephone"),
    "street": ("streetAddressOne", "streetAddress", "street"),
    "street_2": ("streetAddressTwo",),
    "city": ("city", "addressLocality"),
    "state": ("state", "stateCode", "addressRegion", "province"),
    "zip": ("postalCode", "zip", "zipCode"),
    "country": ("countryCode", "country", "addressCountry"),
    "latitude": ("latitude",),
    "longitude": ("longitude",),
    "product": ("descriptionShort", "tradeItemDescription", "functionalName", "productName", "name"),
    "brand": ("brandName", "brand"),
    "commodity": ("commodity", "functionalName", "gpcCategoryName"),
    "variety": ("variety", "growingVariety"),
    "packaging_size": ("netContent", "netContentDescription", "packagingSize", "drainedWeight", "grossWeight"),
    "packaging_style": ("packagingStyle", "packagingTypeCode", "packagingType", "tradeItemConditionCode"),
    "species": ("speciesForFisheryStatisticsPurposesName", "speciesName", "acceptableMarketName", "species"),
}
"""The ends of attributes' identifiers for each word; the first that is there counts."""

MOST: Final = 10_000
"""Words about the identifiers of one batch that are read."""


@dataclass
class Descriptions:
    """What identifiers stand for, read once each."""

    connection: Connection
    firm: str | None = None
    _known: dict[str, dict[str, str]] = field(default_factory=dict)

    def prefetch(self, names: Iterable[str]) -> None:
        """Read what is said of identifiers, in their normal form, and of those that they belong to."""
        wanted = {other for one in names if one for other in around(one)} - self._known.keys()
        told = master_data.described(self.connection, wanted, limit=MOST) if wanted else []
        # The latest word counts; a firm's own goes before all others.
        for each in sorted(told, key=lambda one: one.submitter != self.firm):
            into = self._known.setdefault(each.element.normal, {})
            for name, value in each.element.attributes:
                if text := _text(value):
                    into.setdefault(_tail(name), text)
        for one in wanted:
            self._known.setdefault(one, {})

    def of(self, name: str, word: str) -> str:
        """Return what is said of an identifier under one word; nothing if nobody says it."""
        if name not in self._known:
            self.prefetch([name])
        for one in around(name):
            for attribute in ATTRIBUTES[word]:
                if found := self._known.get(one, {}).get(attribute):
                    return found
        return ""


@lru_cache(maxsize=4_096)
def around(name: str) -> tuple[str, ...]:
    """Return an identifier, and what else may be described in its stead: its site, the firm of the site, its GTIN.

    >>> around("https://id.gs1.org/414/9520001001031/254/room-b")[1:]
    ('https://id.gs1.org/414/9520001001031', 'https://id.gs1.org/417/9520001001031')
    """
    found = [name]
    link = digital_link.parse(name)
    if link is not None:
        if link.qualifiers:
            found.append(str(DigitalLink(link.ai, link.value)))
        if other := {"414": "417", "417": "414"}.get(link.ai):
            found.append(str(DigitalLink(other, link.value)))
    elif ":product:lot:class:" in name:
        # GDST writes a lot's class of goods so.
        found.append(name.replace(":product:lot:class:", ":product:class:").rpartition(".")[0])
    return tuple(found)


@lru_cache(maxsize=4_096)
def _tail(name: str) -> str:
    return name.replace("#", ":").replace("/", ":").rpartition(":")[2]


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
