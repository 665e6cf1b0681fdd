"""FoodChain-Lab's definitions read word for word, in sets, with no thought for speed; shares no code with the product.

What each delivery goes into is written out pair by pair; what is reached is what a walk over the pairs meets.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from math import exp, log
from typing import Any

Row = dict[str, Any]


def network(
    stations: Iterable[str],
    deliveries: Iterable[Row],
    relations: Iterable[tuple[str, str]] = (),
    nodes: Iterable[Row] = (),
    traced: Iterable[Row] = (),
    groups: Iterable[Row] = (),
) -> Row:
    """Return a document of the format; a delivery is {"ID", "from", "to", and dates}."""

    def table(rows: list[Row]) -> Row:
        columns = dict.fromkeys(key for row in rows for key in row)
        return {
            "columnProperties": [{"id": key, "type": "string"} for key in columns],
            "data": [[{"id": key, "value": value} for key, value in row.items()] for row in rows],
        }

    return {
        "version": "1.1.1",
        "data": {
            "version": "1.0.0",
            "stations": table([{"ID": one, "Name": one.upper()} for one in stations]),
            "deliveries": table(list(deliveries)),
            "deliveryRelations": table([{"from": one, "to": other} for one, other in relations]),
        },
        "tracing": {"version": "1.1.1", "nodes": list(nodes), "deliveries": list(traced)},
        "settings": {"version": "1.1.1", "metaNodes": list(groups)},
    }


def answer(document: Row, everywhere: bool = False) -> Row:
    """Return what the definitions say of a document that `network` made."""
    data = {name: [cells(row) for row in document["data"][name]["data"]] for name in TABLES}
    stations = [row["ID"] for row in data["stations"]]
    deliveries = {row["ID"]: row for row in data["deliveries"]}
    nodes = {row["id"]: row for row in document["tracing"]["nodes"]}
    traced = {row["id"]: row for row in document["tracing"]["deliveries"]}
    groups = {row["id"]: row["members"] for row in document["settings"]["metaNodes"]}

    def flagged(flag: str) -> set[str]:
        named = {key for key, row in nodes.items() if row.get(flag)}
        return {one for one in stations if one in named or any(one in groups.get(key, ()) for key in named)}

    mixes = set(stations) if everywhere else flagged("crossContamination")
    kills = flagged("killContamination")
    goes = {(row["from"], row["to"]) for row in data["deliveryRelations"]}
    goes |= {
        (one, other)
        for one, other in product(deliveries, deliveries)
        if deliveries[one]["to"] == deliveries[other]["from"] in mixes and in_order(deliveries[one], deliveries[other])
    }
    mixing = {key for key, row in traced.items() if row.get("crossContamination")}
    goes |= {
        (one, out)
        for one, other, (inner, out) in product(mixing, mixing, goes)
        if inner == other
        and deliveries[one]["to"] == deliveries[other]["to"]
        and in_order(deliveries[one], deliveries[out])
    }
    killed = {key for key, row in traced.items() if row.get("killContamination")}
    goes = {(one, out) for one, out in goes if one not in killed and deliveries[one]["to"] not in kills}

    onward = {one: {one} for one in deliveries}
    for _ in deliveries:
        for one, reached in onward.items():
            onward[one] = reached | {out for inner, out in goes if inner in reached}
    from_station = {
        one: set().union(*(onward[key] for key, row in deliveries.items() if row["from"] == one)) for one in stations
    }

    def arrives(reached: set[str]) -> set[str]:
        return {deliveries[key]["to"] for key in reached}

    def share(met: set[str], reached: set[str]) -> Fraction:
        total = Fraction()
        for key, row in nodes.items():
            if key in met or any(member in met for member in groups.get(key, ())):
                total += exact(row)
        return total + sum((exact(row) for key, row in traced.items() if key in reached), Fraction())

    every = [exact(row) for row in (*nodes.values(), *traced.values())]
    none = Fraction()
    whole = max(sum((one for one in every if one > 0), none), -sum((one for one in every if one < 0), none))
    near = {one: arrives(from_station[one]) for one in stations}

    def logarithm(met: set[str], reached: set[str]) -> float:
        """Return how likely all that was found is, if it came from what reaches these stations and deliveries."""
        told = 0.0
        findings = [
            *((exact(row), {key, *groups.get(key, ())} & met, len(met), len(stations)) for key, row in nodes.items()),
            *((exact(row), {key} & reached, len(reached), len(deliveries)) for key, row in traced.items()),
        ]
        for weight, hit, size, count in findings:
            if weight > 0:
                told += float(weight) * log((0.95 / size if hit else 0) + 0.05 / count)
            elif weight < 0 and hit:
                told -= float(weight) * log(0.5)
        return told

    chances = {
        "stations": [logarithm({one} | near[one], from_station[one]) for one in stations],
        "deliveries": [logarithm(arrives(onward[one]), onward[one]) for one in deliveries],
    }
    told = {
        "stations": [
            scored(one, share({one} | near[one], from_station[one]), whole, near, stations) for one in stations
        ],
        "deliveries": [
            scored(one, share(arrives(onward[one]), onward[one]), whole, onward, list(deliveries)) for one in deliveries
        ],
    }
    for kind, logs in chances.items():
        whole_chance = sum(exp(one) for one in logs)
        for row, one in zip(told[kind], logs, strict=True):
            row["likelihood"] = exp(one) / whole_chance
            row["likelihood_rank"] = 1 + sum(other > one + 1e-7 for other in logs)
    sums = {
        "station_score": sum(row.pop("exact") for row in told["stations"]),
        "delivery_score": sum(row.pop("exact") for row in told["deliveries"]),
    }
    return {**told, "sums": {key: float(value) for key, value in sums.items()}}


TABLES = ("stations", "deliveries", "deliveryRelations")


def cells(row: list[Row]) -> Row:
    return {cell["id"]: cell["value"] for cell in row}


def exact(row: Row) -> Fraction:
    return Fraction(str(row.get("weight") or 0))


def scored(one: str, share: Fraction, whole: Fraction, reached: dict[str, set[str]], names: list[str]) -> Row:
    score = share / whole if whole else Fraction()
    return {
        "id": one,
        "score": float(score),
        "common_link": score == 1,
        "forward": [other for other in names if other in reached[one] and other != one],
        "backward": [other for other in names if one in reached[other] and other != one],
        "exact": score,
    }


def in_order(one: Row, other: Row) -> bool:
    """Say whether a delivery can have arrived on some day on which, or before which, the other can have left."""
    first, last = one.get("Date Delivery Arrival"), other.get("Date Delivery")
    if not first or not last:
        return True
    return any(early <= late for early, late in product(meant(first), meant(last)))


def meant(text: str) -> list[date]:
    """Return the first and the last day of a date, of a month or of a year."""
    parts = [int(part) for part in text.split("-")]
    first = date(*[*parts, 1, 1][:3]) if len(parts) < 3 else date(*parts)
    day = first
    while (day + timedelta(1)).isoformat().startswith(text):
        day += timedelta(1)
    return [first, day]
