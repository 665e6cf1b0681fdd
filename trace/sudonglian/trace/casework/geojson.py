"""The places of an answer as GeoJSON, for maps; where master data give no coordinates, without a geometry.

RFC 7946; CBV 2.0 §12 (latitude and longitude of a location). What firms say of their places is shown, never proven.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import Connection

from sudonglian.records.master_data import Described, described
from sudonglian.trace.engine.facts import Place, iso
from sudonglian.trace.engine.result import TraceResult

LATITUDE: Final = ("urn:epcglobal:cbv:mda#latitude", "cbvmda:latitude", "latitude", "gs1:latitude")
LONGITUDE: Final = ("urn:epcglobal:cbv:mda#longitude", "cbvmda:longitude", "longitude", "gs1:longitude")

MOST: Final = (Decimal(180), Decimal(90))


class Told:
    """What master data say of places: where they are, and their names."""

    def __init__(self, said: Iterable[Described]) -> None:
        """Take the latest word of whoever says it, first."""
        self.points: dict[str, tuple[Decimal, Decimal]] = {}
        self.names: dict[str, str] = {}
        for one in said:
            element = one.element
            told = {name: value for name, value in element.attributes if isinstance(value, str | int | dict)}
            point = point_of(told)
            if point is not None:
                self.points.setdefault(element.normal, point)
            if element.name is not None:
                self.names.setdefault(element.normal, element.name)


def told_of(connection: Connection, answer: TraceResult) -> Told:
    """Return what firms say of an answer's places."""
    return Told(described(connection, [name for name, _ in _places(answer)], limit=len(answer.members) * 10 + 100))


def point_of(attributes: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    """Return longitude and latitude, in this order, or None if they are not both there and on the Earth.

    >>> point_of({"urn:epcglobal:cbv:mda#latitude": "38.92", "urn:epcglobal:cbv:mda#longitude": "+121.6"})
    (Decimal('121.6'), Decimal('38.92'))
    >>> point_of({"latitude": "91", "longitude": "0"}), point_of({"latitude": "1"})
    (None, None)
    """
    found: list[Decimal] = []
    for names, most in zip((LONGITUDE, LATITUDE), MOST, strict=True):
        value = next((attributes[name] for name in names if name in attributes), None)
        text = value.get("$dec") if isinstance(value, dict) else value
        try:
            number = Decimal(str(text).strip())
        except InvalidOperation:
            return None
        if not number.is_finite() or abs(number) > most:
            return None
        found.append(number)
    return found[0], found[1]


def encode(answer: TraceResult, told: Told) -> bytes:
    """Return a FeatureCollection of the places listed, and of those the trace began from."""
    return (
        json.dumps({"type": "FeatureCollection", "features": [*_features(answer, told)]}, ensure_ascii=False) + "\n"
    ).encode()


def _features(answer: TraceResult, told: Told) -> Iterable[dict[str, Any]]:
    for name, properties in _places(answer):
        point = told.points.get(name)
        shape = None if point is None else {"type": "Point", "coordinates": [float(value) for value in point]}
        yield {
            "type": "Feature",
            "geometry": shape,
            "properties": {"id": name, "name": told.names.get(name, ""), **properties},
        }


def _places(answer: TraceResult) -> Iterable[tuple[str, dict[str, Any]]]:
    for seed in answer.seeds:
        if isinstance(seed.subject, Place):
            yield seed.subject.id, {"role": "seed", "time": iso(seed.possible)}
    for member in answer.members:
        if member.kind == "place":
            earliest, latest = member.span
            yield (
                member.id,
                {
                    "role": "member",
                    "evidence": member.evidence,
                    "generation": member.hops,
                    "earliest": earliest,
                    "latest": latest,
                    "intervals": [[iso(start), iso(end)] for start, end in member.intervals],
                },
            )
