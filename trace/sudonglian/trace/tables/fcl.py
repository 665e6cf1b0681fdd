"""FoodChain-Lab JSON v1: stations, deliveries and what went into what, read from the other tools' files.

docs/decisions/0331 (what the format is, and which of its freedoms are taken). Each refusal points to where it stands.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np
import orjson

from sudonglian.trace.engine.sources.network import EVER, Network
from sudonglian.trace.engine.sources.score import Weights
from sudonglian.trace.errors import TraceError
from sudonglian.trace.tables.fcl_dates import days

BOM: Final = b"\xef\xbb\xbf"

MAX_BYTES: Final = 2 * 1024**3
"""Some four million deliveries."""

VERSION: Final = re.compile(r"1\.\d{1,6}\.\d{1,6}", re.ASCII)

STATION: Final = {"id": "id", "name": "name"}
DELIVERY: Final = {
    "id": "id",
    "from": "from",
    "to": "to",
    "datedelivery": "departed",
    "datedeliveryarrival": "arrived",
    "datedelivery(arrival)": "arrived",
}
RELATION: Final = {"from": "from", "to": "to", "id": "id", "next": "next"}

KEYS: Final = frozenset({"id", "from", "to", "next"})


class FclRefused(TraceError):
    """A file that is not FoodChain-Lab JSON of version 1, or contradicts itself; `place` is a JSON pointer."""

    slug = "fcl"


@dataclass(frozen=True, slots=True)
class FclFile:
    """What a file says: the network by number, the identifiers, what was found, and dates that cannot be read."""

    stations: tuple[str, ...]
    names: tuple[str, ...]
    """Of the stations, as people call them; the identifier where there is no name."""
    deliveries: tuple[str, ...]
    network: Network
    weights: Weights
    unread: tuple[tuple[str, str], ...]
    """Texts in columns of dates that are no dates, with their places: such a day is taken as unknown."""


def read(raw: bytes, *, all_mix: bool = False) -> FclFile:
    """Return what a file says; with `all_mix` every station mixes what arrives with what leaves it.

    Raises
    ------
    FclRefused
        Not JSON, not version 1, an identifier that is missing, unknown or used twice, a relation between deliveries
        that do not meet, a weight that is no number.
    """
    document = _document(raw)
    data = _member(document, "data", dict, "")
    station_rows = list(_rows(data, "stations", STATION))
    stations = _numbered(station_rows, "station")
    delivery_rows = list(_rows(data, "deliveries", DELIVERY))
    deliveries = _numbered(delivery_rows, "delivery")
    source = [_known(row, "from", stations, "station", place) for place, row in delivery_rows]
    target = [_known(row, "to", stations, "station", place) for place, row in delivery_rows]
    unread: list[tuple[str, str]] = []
    departed = [_day(row, "departed", place, unread)[1] for place, row in delivery_rows]
    arrived = [_day(row, "arrived", place, unread)[0] for place, row in delivery_rows]
    before, after = _relations(data, deliveries, source, target)
    found = _Found(stations, deliveries, _groups(document, stations))
    found.read(document)
    network = Network(
        len(stations),
        np.array(source, np.int32),
        np.array(target, np.int32),
        np.array(departed, np.int64),
        np.array(arrived, np.int64),
        np.array(before, np.int32),
        np.array(after, np.int32),
        np.ones(len(stations), np.bool_) if all_mix else _flags(found.mixes, len(stations)),
        _flags(found.kills, len(stations)),
        _flags(found.delivery_mixes, len(deliveries)),
        _flags(found.delivery_kills, len(deliveries)),
    )
    names = tuple(
        name if isinstance(name := row.get("name"), str) and name.strip() else key
        for key, (_, row) in zip(stations, station_rows, strict=True)
    )
    return FclFile(tuple(stations), names, tuple(deliveries), network, found.weights(), tuple(unread))


class _Found:
    """What the part `tracing` says of stations, groups and deliveries."""

    def __init__(
        self, stations: Mapping[str, int], deliveries: Mapping[str, int], groups: Mapping[str, Sequence[int]]
    ) -> None:
        self.known, self.known_deliveries, self.groups = stations, deliveries, groups
        self.mixes: list[int] = []
        self.kills: list[int] = []
        self.delivery_mixes: list[int] = []
        self.delivery_kills: list[int] = []
        self.station_weights: dict[int, Fraction] = {}
        self.delivery_weights: dict[int, Fraction] = {}
        self.group_weights: list[tuple[Fraction, Sequence[int]]] = []

    def read(self, document: dict[str, Any]) -> None:
        """Take in the rows of stations and groups, then of deliveries."""
        tracing = _optional(document, "tracing", dict, "")
        if tracing is None:
            return
        for place, key, row in self._rows(tracing, "nodes"):
            weight = _weight(row, place)
            if key in self.known:
                members: Sequence[int] = [self.known[key]]
                if weight:
                    self.station_weights[self.known[key]] = weight
            elif key in self.groups:
                members = self.groups[key]
                if weight:
                    self.group_weights.append((weight, members))
            else:
                raise FclRefused(f"there is no station and no group {key[:80]!r}", place=f"{place}/id")
            if _flag(row, "crossContamination", place):
                self.mixes += members
            if _flag(row, "killContamination", place):
                self.kills += members
        for place, key, row in self._rows(tracing, "deliveries"):
            if key not in self.known_deliveries:
                raise FclRefused(f"there is no delivery {key[:80]!r}", place=f"{place}/id")
            number = self.known_deliveries[key]
            if weight := _weight(row, place):
                self.delivery_weights[number] = weight
            if _flag(row, "crossContamination", place):
                self.delivery_mixes.append(number)
            if _flag(row, "killContamination", place):
                self.delivery_kills.append(number)

    def weights(self) -> Weights:
        """Return what was found where."""
        return Weights(self.station_weights, self.delivery_weights, tuple(self.group_weights))

    @staticmethod
    def _rows(tracing: dict[str, Any], name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        seen: set[str] = set()
        for index, row in enumerate(_optional(tracing, name, list, "/tracing") or ()):
            place = f"/tracing/{name}/{index}"
            if not isinstance(row, dict):
                raise FclRefused("not an object", place=place)
            key = _key(row.get("id"), f"{place}/id")
            if key in seen:
                raise FclRefused(f"{key[:80]!r} stands here twice", place=f"{place}/id")
            seen.add(key)
            yield place, key, row


def _document(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_BYTES:
        raise FclRefused(f"{len(raw)} bytes, at most {MAX_BYTES} are read")
    try:
        document = orjson.loads(raw.removeprefix(BOM))
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise FclRefused(f"not JSON: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise FclRefused("not an object")
    version = document.get("version")
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        told = "there is no version" if version is None else f"the version is {str(version)[:40]!r}"
        raise FclRefused(f"{told}; 1.0.0 and others that begin with 1 are read", place="/version")
    return document


def _member(holder: dict[str, Any], name: str, kind: type, place: str) -> Any:
    value = _optional(holder, name, kind, place)
    if value is None:
        raise FclRefused("is missing", place=f"{place}/{name}")
    return value


def _optional(holder: dict[str, Any], name: str, kind: type, place: str) -> Any:
    value = holder.get(name)
    if value is not None and not isinstance(value, kind):
        raise FclRefused("not an object" if kind is dict else "not a list", place=f"{place}/{name}")
    return value


def _rows(data: dict[str, Any], name: str, columns: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each row of a table with its place, its cells by what they mean here.

    Letters' case and spaces in names of columns do not count, as in the other tools.
    """
    table = _member(data, name, dict, "/data")
    meanings: dict[str, str | None] = {}
    for index, row in enumerate(_member(table, "data", list, f"/data/{name}")):
        place = f"/data/{name}/data/{index}"
        if not isinstance(row, list):
            raise FclRefused("not a list of cells", place=place)
        cells: dict[str, Any] = {}
        for number, cell in enumerate(row):
            if not isinstance(cell, dict) or not isinstance(column := cell.get("id"), str):
                raise FclRefused("not a cell with the id of its column", place=f"{place}/{number}")
            if column not in meanings:
                meanings[column] = columns.get("".join(column.lower().split()))
            if meaning := meanings[column]:
                if meaning in cells and meaning in KEYS:
                    raise FclRefused(f"the column {column[:80]!r} stands here twice", place=f"{place}/{number}")
                cells.setdefault(meaning, cell.get("value"))
        yield place, cells


def _numbered(rows: Sequence[tuple[str, dict[str, Any]]], what: str) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for place, row in rows:
        key = _key(row.get("id"), place)
        if key in numbers:
            raise FclRefused(f"the {what} {key[:80]!r} stands here twice", place=place)
        numbers[key] = len(numbers)
    return numbers


def _key(value: object, place: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise FclRefused("there is no ID" if value in (None, "") else "the ID is not text", place=place)
    return value


def _known(row: dict[str, Any], name: str, numbers: Mapping[str, int], what: str, place: str) -> int:
    value = row.get(name)
    if value in (None, ""):
        raise FclRefused(f"there is no {name!r}", place=place)
    number = numbers.get(key := _key(value, place))
    if number is None:
        raise FclRefused(f"{name}: there is no {what} {key[:80]!r}", place=place)
    return number


def _day(row: dict[str, Any], name: str, place: str, unread: list[tuple[str, str]]) -> tuple[int, int]:
    value = row.get(name)
    if value is None or value == "":
        return -EVER, EVER
    text = str(value)
    known = days(text)
    if known is None:
        unread.append((place, text[:80]))
        return -EVER, EVER
    return known


def _relations(
    data: dict[str, Any], deliveries: Mapping[str, int], source: Sequence[int], target: Sequence[int]
) -> tuple[list[int], list[int]]:
    before: list[int] = []
    after: list[int] = []
    for place, row in _rows(data, "deliveryRelations", RELATION):
        names = ("id", "next") if "next" in row and "from" not in row else ("from", "to")
        one, other = (_known(row, name, deliveries, "delivery", place) for name in names)
        if target[one] != source[other]:
            raise FclRefused("the second does not leave where the first arrives", place=place)
        before.append(one)
        after.append(other)
    return before, after


def _groups(document: dict[str, Any], stations: Mapping[str, int]) -> dict[str, list[int]]:
    settings = _optional(document, "settings", dict, "") or {}
    groups: dict[str, list[int]] = {}
    for index, group in enumerate(_optional(settings, "metaNodes", list, "/settings") or ()):
        place = f"/settings/metaNodes/{index}"
        if not isinstance(group, dict):
            raise FclRefused("not an object", place=place)
        key = _key(group.get("id"), f"{place}/id")
        if key in groups or key in stations:
            raise FclRefused(f"{key[:80]!r} is used twice", place=f"{place}/id")
        groups[key] = []
        for number, member in enumerate(_member(group, "members", list, place)):
            name = _key(member, f"{place}/members/{number}")
            if name not in stations:
                raise FclRefused(f"there is no station {name[:80]!r}", place=f"{place}/members/{number}")
            groups[key].append(stations[name])
    return groups


def _weight(row: dict[str, Any], place: str) -> Fraction:
    value = row.get("weight")
    if value is None:
        return Fraction()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FclRefused("not a number", place=f"{place}/weight")
    # What was written, 0.1, rather than the binary fraction beside it.
    return Fraction(Decimal(repr(value)))


def _flag(row: dict[str, Any], name: str, place: str) -> bool:
    value = row.get(name)
    if value is not None and not isinstance(value, bool):
        raise FclRefused("neither true nor false", place=f"{place}/{name}")
    return bool(value)


def _flags(numbers: Sequence[int], count: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    flags = np.zeros(count, np.bool_)
    flags[np.array(numbers, np.int64)] = True
    return flags
