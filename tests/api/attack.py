"""Scenarios as a firm tells them: EPCIS events, captured and traced by the commands; people by name."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sudonglian.records import vault
from sudonglian.records.identities import identity
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

ZONE = timezone(timedelta(hours=8))
DAY = datetime(2026, 1, 5, tzinfo=ZONE)
ID = "https://id.gs1.org/"
PORT, STORE, MARKET = (f"{ID}414/{gln}" for gln in ("9520009001002", "9520009002009", "9520009003006"))
CITY_A, CITY_B = (f"{ID}414/{gln}" for gln in ("9520009011117", "9520009022229"))
TRUCK = f"{ID}8004/9520009TRUCK1"
CONTAINER, PALLET, OTHER_PALLET, BOX, OTHER_BOX = (
    f"{ID}00/3952000900000000{digits}" for digits in ("13", "20", "37", "44", "51")
)
LOT, OTHER_LOT = f"{ID}01/09520009000012/10/L1", f"{ID}01/09520009000029/10/L2"
FIRM = "urn:sudonglian:submitter:local"


def clock(hour: float) -> str:
    """Return a time, in hours from the first day's midnight."""
    return (DAY + timedelta(hours=hour)).isoformat()


def event(hour: float, step: str, **more: Any) -> dict[str, Any]:
    """Return an event; `at` is its bizLocation, `read` its readPoint, `to` where it was sent, `people` who took part.

    People are name → contact, or name → (contact, start hour, end hour).
    """
    made: dict[str, Any] = {"type": "ObjectEvent", "action": "OBSERVE", "eventTime": clock(hour)}
    made |= {"eventTimeZoneOffset": "+08:00", "bizStep": step, "eventID": f"urn:x:{hour}-{step}-{more.get('id', '')}"}
    more.pop("id", None)
    for name, member in (("at", "bizLocation"), ("read", "readPoint")):
        if name in more:
            made[member] = {"id": more.pop(name)}
    if "to" in more:
        made["destinationList"] = [{"type": "location", "destination": more.pop("to")}]
    if "people" in more:
        made["sdl:participants"] = [_person(*one) for one in more.pop("people").items()]
    if "item" in more:
        made["epcList"] = [more.pop("item")]
    if "lot" in more:
        made["quantityList"] = [{"epcClass": more.pop("lot"), "quantity": 10}]
    return made | more


def packed(hour: float, unit: str, *children: str, **more: Any) -> dict[str, Any]:
    """Return a packing of a unit."""
    return _nested(event(hour, "packing", **more), "ADD", unit, children)


def unpacked(hour: float, unit: str, *children: str, **more: Any) -> dict[str, Any]:
    """Return an unpacking of a unit: of what is named, or of everything."""
    return _nested(event(hour, "unpacking", **more), "DELETE", unit, children)


def repacked(hour: float, taken: str, made: str, **more: Any) -> dict[str, Any]:
    """Return a transformation of one lot into another."""
    whole = {name: value for name, value in event(hour, "repackaging", **more).items() if name != "action"}
    whole["inputQuantityList"] = [{"epcClass": taken, "quantity": 5}]
    return whole | {"type": "TransformationEvent", "outputQuantityList": [{"epcClass": made, "quantity": 50}]}


def _nested(made: dict[str, Any], action: str, unit: str, children: tuple[str, ...]) -> dict[str, Any]:
    made |= {"type": "AggregationEvent", "action": action, "parentID": unit}
    return {**made, "childEPCs": list(children)} if children else made


def _person(name: str, how: str | tuple[str, float, float]) -> dict[str, Any]:
    contact, *span = (how,) if isinstance(how, str) else how
    made = {"personRef": {"kind": "badge", "value": name}, "role": "worker"}
    if contact:
        made["contact"] = contact
    return made | dict(zip(("start", "end"), map(clock, span), strict=False))


class Scenario:
    """A data folder of its own, spoken to by commands."""

    def __init__(self, run: Callable[..., Any], folder: Path) -> None:
        self.run = run
        self.folder = folder
        self._told = 0

    def tell(self, *events: Mapping[str, Any]) -> None:
        """Capture a document of events."""
        self._told += 1
        document = {
            "@context": [
                "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
                {"sdl": "urn:sudonglian:ns:1:"},
            ],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": clock(0),
            "epcisBody": {"eventList": list(events)},
        }
        path = self.folder / f"told-{self._told}.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        done = self.run("capture", str(path), "--json")
        assert (done.code, done.json["refused"]) == (0, []), done.out

    def people(self, *names: str) -> dict[int, str]:
        """Return the numbers of people."""
        data = self.folder / "data"
        store, keys = Store(f"sqlite:///{data / 'sudonglian.db'}"), Keys.open(data / "keys")
        with store.read() as connection:
            found = {vault.find(connection, keys, identity("badge", name, FIRM)): name for name in names}
        store.close()
        assert None not in found
        return {number: name for number, name in found.items() if number is not None}

    def trace(self, seed: str, hour: float, *options: str) -> Any:
        """Return a trace's answer."""
        done = self.run("trace", seed, "--at", clock(hour), "--purpose", "attack", "--json", *options)
        assert done.code == 0, done.err
        return done.json

    def listed(self, answer: Any, *names: str) -> dict[str, str]:
        """Return who of the people is listed, and how surely."""
        called = self.people(*names)
        return {
            called[int(one["id"])]: one["evidence"]
            for one in answer["members"]
            if one["kind"] == "person" and int(one["id"]) in called
        }
