"""Where places are, by the master data of today or by a document that was kept: shown, never proven.

docs/decisions/0207 and 0832; RFC 7946 for the order of coordinates in `geojson`.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final

from sudonglian.chain import canonical
from sudonglian.records.master_data import described
from sudonglian.records.store import Store
from sudonglian.trace.casework.geojson import Told
from sudonglian.trace.engine.travel import Point, Positions

SAID: Final = 10
"""Firms whose word about one place is looked at; the latest with coordinates counts."""


def positions_of(store: Store) -> Positions:
    """Return what tells where places are by the latest word of firms."""

    def positions(places: Collection[str]) -> Mapping[str, Point]:
        with store.read() as connection:
            told = Told(described(connection, places, limit=len(places) * SAID + 100))
        return {place: (latitude, longitude) for place, (longitude, latitude) in told.points.items()}

    return positions


def positions_in(document: bytes) -> Positions:
    """Return what tells where places are by the positions that an answer rested on."""
    value: Any = canonical.parse_stored(document)
    kept = {place: (Decimal(point[0]), Decimal(point[1])) for place, point in value.get("positions", {}).items()}
    return lambda _places: kept
