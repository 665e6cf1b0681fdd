"""Documents of a cold chain's day, made by dice from a seed: what `scripts/bench capture` sends.

EPCIS 2.0: all five types of event, with identifiers, amounts, parties, papers, sensors and people. Everything is invented.
"""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from sudonglian.chain.identifiers.gs1 import check_digit

Event = dict[str, Any]

CONTEXT: Final = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"sdl": "urn:sudonglian:ns:1:"},
]
ZONE: Final = "+08:00"
OFFSET: Final = timedelta(hours=8)

MIX: Final = {"object": 70, "aggregation": 14, "transaction": 6, "transformation": 6, "association": 4}
"""Of a hundred events: goods mostly move and are looked at."""

PEOPLE_IN: Final = 30
"""Of a hundred events so many name people, one to three of them."""

SENSORS_IN: Final = 35
"""Of a hundred looks at goods so many bring the readings of a logger."""

SITES, FIRMS, WORKERS, PRODUCTS, LOTS, PALLETS, LOGGERS = 40, 60, 600, 80, 400, 2_000, 120
"""How much there is to name: a firm's customers, its goods of a fortnight, its people."""

STEPS: Final = (
    ("shipping", "in_transit"),
    ("receiving", "in_progress"),
    ("storing", "in_progress"),
    ("inspecting", "in_progress"),
    ("loading", "in_progress"),
    ("unloading", "in_progress"),
    ("departing", "in_transit"),
    ("arriving", "in_progress"),
)

PAPERS: Final = ("desadv", "bol", "inv", "po", "cert", "testres")
CONTACTS: Final = ("outer-packaging", "opened", "same-room")
ROLES: Final = ("driver", "porter", "sampler", "disinfector")


class Day:
    """A firm's events, one after another; equal seeds give equal days."""

    def __init__(self, seed: int, end: datetime) -> None:
        self._dice = random.Random(seed)
        self._end = end.astimezone(UTC).replace(microsecond=0)
        self._number = 0
        self._prefix = "9520001"
        self.firm = self._gln("417", 0)

    def event(self) -> Event:
        """Return the next event."""
        dice = self._dice
        self._number += 1
        at = self._end - timedelta(seconds=dice.randrange(60, 20 * 3600), milliseconds=dice.randrange(1000))
        event: Event = {
            "eventID": f"urn:uuid:{uuid.UUID(int=dice.getrandbits(128), version=4)}",
            "eventTime": self._text(at),
            "eventTimeZoneOffset": ZONE,
        }
        kind = dice.choices([*MIX], [*MIX.values()])[0]
        event |= getattr(self, f"_{kind}")(at)
        if dice.randrange(100) < PEOPLE_IN:
            event["sdl:participants"] = [self._participant(at) for _ in range(dice.choice((1, 1, 2, 3)))]
        return event

    def document(self, events: int) -> Event:
        """Return a document of so many events."""
        return {
            "@context": CONTEXT,
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": self._text(self._end),
            "sender": self.firm,
            "epcisBody": {"eventList": [self.event() for _ in range(events)]},
        }

    def body(self, events: int) -> bytes:
        """Return a document as it is sent."""
        return orjson.dumps(self.document(events))

    def _object(self, at: datetime) -> Event:
        dice = self._dice
        step, disposition = dice.choice(STEPS)
        site = self._site()
        event: Event = {
            "type": "ObjectEvent",
            "action": "OBSERVE",
            "bizStep": step,
            "disposition": disposition,
            "epcList": [self._pallet() for _ in range(dice.choice((1, 1, 2, 3)))],
            "readPoint": {"id": site},
            "bizLocation": {"id": site},
        }
        if dice.randrange(2):
            event["quantityList"] = [self._amount() for _ in range(dice.choice((1, 1, 2)))]
        if step in ("shipping", "receiving", "departing", "arriving"):
            event["bizTransactionList"] = [self._paper() for _ in range(dice.choice((1, 2)))]
            other = self._gln("417", dice.randrange(1, FIRMS))
            giver, taker = (self.firm, other) if step in ("shipping", "departing") else (other, self.firm)
            event["sourceList"] = [{"type": "possessing_party", "source": giver}]
            event["destinationList"] = [{"type": "possessing_party", "destination": taker}]
            event["sdl:containerNo"] = "CSQU3054383"
        if dice.randrange(100) < SENSORS_IN:
            event["sensorElementList"] = [self._readings(at)]
        return event

    def _aggregation(self, _: datetime) -> Event:
        site = self._site()
        return {
            "type": "AggregationEvent",
            "action": "ADD",
            "bizStep": "packing",
            "disposition": "in_progress",
            "parentID": self._pallet(),
            "childEPCs": [self._item() for _ in range(self._dice.choice((4, 6, 8)))],
            "readPoint": {"id": site},
            "bizLocation": {"id": site},
        }

    def _transaction(self, _: datetime) -> Event:
        return {
            "type": "TransactionEvent",
            "action": "ADD",
            "bizStep": "accepting",
            "disposition": "in_progress",
            "bizTransactionList": [self._paper(), self._paper()],
            "epcList": [self._pallet(), self._pallet()],
            "readPoint": {"id": self._site()},
        }

    def _transformation(self, at: datetime) -> Event:
        site = self._site()
        return {
            "type": "TransformationEvent",
            "bizStep": "creating_class_instance",
            "disposition": "active",
            "inputQuantityList": [{"epcClass": self._lot(), "quantity": 500, "uom": "KGM"}],
            "outputQuantityList": [
                {"epcClass": self._lot(), "quantity": 240.5, "uom": "KGM"},
                {"epcClass": self._lot(), "quantity": 180.25, "uom": "KGM"},
            ],
            "ilmd": {
                "cbvmda:itemExpirationDate": (at + timedelta(days=540)).date().isoformat(),
                "sdl:productionDate": at.date().isoformat(),
            },
            "readPoint": {"id": site},
            "bizLocation": {"id": site},
        }

    def _association(self, _: datetime) -> Event:
        return {
            "type": "AssociationEvent",
            "action": self._dice.choice(("ADD", "DELETE")),
            "bizStep": "assembling",
            "disposition": "in_progress",
            "parentID": self._pallet(),
            "childEPCs": [self._logger()],
            "readPoint": {"id": self._site()},
        }

    def _readings(self, at: datetime) -> Event:
        dice = self._dice
        start = at - timedelta(minutes=50)
        reports: list[Event] = [
            {
                "type": "Temperature",
                "time": self._text(start + timedelta(minutes=10 * place)),
                "value": -18 - dice.randrange(40) / 10,
                "uom": "CEL",
            }
            for place in range(dice.choice((3, 4, 5)))
        ]
        reports.append({"type": "Temperature", "minValue": -22.4, "meanValue": -19.7, "maxValue": -17.9, "uom": "CEL"})
        metadata = {"startTime": self._text(start), "endTime": self._text(at), "deviceID": self._logger()}
        return {"sensorMetadata": metadata, "sensorReport": reports}

    def _participant(self, at: datetime) -> Event:
        dice = self._dice
        worker = dice.randrange(WORKERS)
        person = {"kind": "phone", "value": f"1990000{worker:04}", "name": f"示例·工人{worker}"}
        if worker % 4 == 0:
            person = {"kind": "badge", "value": f"W{worker:05}", "name": f"示例·工人{worker}"}
        return {
            "personRef": person,
            "role": dice.choice(ROLES),
            "contact": dice.choice(CONTACTS),
            "ppe": ["mask", "gloves"],
            "start": self._text(at - timedelta(minutes=20)),
            "end": self._text(at + timedelta(minutes=15)),
        }

    def _gln(self, ai: str, number: int) -> str:
        body = f"{self._prefix}{number:05}"
        return f"https://id.gs1.org/{ai}/{body}{check_digit(body)}"

    def _site(self) -> str:
        return f"{self._gln('414', self._dice.randrange(SITES))}/254/room-{self._dice.randrange(6)}"

    def _pallet(self) -> str:
        body = f"3{self._prefix}{self._dice.randrange(PALLETS) + self._number // 400:09}"
        return f"https://id.gs1.org/00/{body}{check_digit(body)}"

    def _gtin(self) -> str:
        body = f"0{self._prefix}{self._dice.randrange(PRODUCTS):05}"
        return body + check_digit(body)

    def _lot(self) -> str:
        return f"https://id.gs1.org/01/{self._gtin()}/10/L{self._dice.randrange(LOTS) + self._number // 2000:06}"

    def _item(self) -> str:
        return f"https://id.gs1.org/01/{self._gtin()}/21/{self._dice.getrandbits(40)}"

    def _logger(self) -> str:
        return f"https://id.gs1.org/8004/{self._prefix}LOG{self._dice.randrange(LOGGERS):04}"

    def _amount(self) -> Event:
        return {"epcClass": self._lot(), "quantity": self._dice.randrange(1, 9_000) / 10, "uom": "KGM"}

    def _paper(self) -> Event:
        kind = self._dice.choice(PAPERS)
        number = self._dice.randrange(10**6)
        return {"type": kind, "bizTransaction": f"urn:epcglobal:cbv:bt:{self.firm[-13:]}:{kind.upper()}-{number:06}"}

    @staticmethod
    def _text(at: datetime) -> str:
        return (at + OFFSET).replace(tzinfo=None).isoformat(timespec="milliseconds") + ZONE
