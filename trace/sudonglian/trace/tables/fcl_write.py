"""FoodChain-Lab JSON v1, written: the goods of an answer for the tools that outbreak teams have.

docs/decisions/0332; what is written here, `fcl.read` reads.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

import orjson

from sudonglian.trace.engine.facts import EPOCH, Micros, Party, Place, micros
from sudonglian.trace.engine.result import TraceResult
from sudonglian.trace.engine.sources.goods import Goods, goods

VERSION: Final = "1.0.0"


def encode_answer(answer: TraceResult) -> bytes:
    """Return the goods of an answer as a file.

    What the answer began from has a weight of 1: the place, or of goods the delivery that last brought them there by
    the time that was asked about; before their first delivery, the place that they left.
    """
    started = {seed.subject for seed in answer.seeds}
    parties = {Party("item", one.id) for one in (*answer.members, *started) if one.kind == "item"}
    found = goods(answer.facts, parties)
    places = {subject.id for subject in started if isinstance(subject, Place)}
    deliveries: set[int] = set()
    at = micros(answer.query.at)
    for subject in started:
        own = [number for number, one in enumerate(found.deliveries) if one.goods == subject.id]
        brought = [number for number in own if found.deliveries[number].arrived <= at]
        if brought:
            deliveries.add(brought[-1])
        elif own:
            places.add(found.deliveries[own[0]].source)
    return encode(found, places, deliveries, {party.id: lot for party, (lot, _) in answer.facts.portions.items()})


def encode(found: Goods, places: Collection[str], brought: Collection[int], lots: Mapping[str, str]) -> bytes:
    """Return a file in which these places and these deliveries weigh 1."""
    keys = [f"D{number}" for number in range(1, len(found.deliveries) + 1)]
    deliveries = [
        {
            "ID": key,
            "from": one.source,
            "to": one.target,
            "Name": one.goods,
            "Lot ID": lots.get(one.goods, ""),
            "Date Delivery": _day(one.departed),
            "Date Delivery Arrival": _day(one.arrived),
        }
        for key, one in zip(keys, found.deliveries, strict=True)
    ]
    document = {
        "version": VERSION,
        "data": {
            "version": VERSION,
            "stations": _table(("ID", "Name"), [{"ID": place, "Name": place} for place in found.places]),
            "deliveries": _table(
                ("ID", "from", "to", "Name", "Lot ID", "Date Delivery", "Date Delivery Arrival"), deliveries
            ),
            "deliveryRelations": _table(
                ("from", "to"), [{"from": keys[one], "to": keys[other]} for one, other in found.relations]
            ),
        },
        "tracing": {
            "version": VERSION,
            "nodes": [_traced(place, place in places) for place in found.places],
            "deliveries": [_traced(key, number in brought) for number, key in enumerate(keys)],
        },
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _table(columns: Iterable[str], rows: Iterable[dict[str, str]]) -> dict[str, Any]:
    return {
        "columnProperties": [{"id": column, "type": "string"} for column in columns],
        "data": [[{"id": column, "value": value} for column, value in row.items()] for row in rows],
    }


def _traced(key: str, weighs: bool) -> dict[str, Any]:
    flags = {"crossContamination": False, "killContamination": False, "observed": False}
    return {"id": key, "weight": int(weighs), **flags}


def _day(time: Micros) -> str:
    return (EPOCH + timedelta(microseconds=time)).date().isoformat()
