"""What a firm asks of a server, drawn by lot from a seed; and of each request, what must come of it.

Every event has an item of its own, so that the memory tells which events of a request are in it.
"""

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.api.http.conftest import FIRM, OTHER, document, event

ITEM: Final = "https://id.gs1.org/01/09520001002014/21/"
PLACE: Final = "https://example.com/places/"
CAPTURE: Final = "/epcis/v2/capture"
SENDERS: Final = (FIRM, OTHER)
SIZES: Final = (1, 1, 2, 3, 5, 8, 13, 40, 100)
HEADINGS: Final = (
    *("handoff no", "step", "time", "place", "item", "serial", "quantity", "unit"),
    *("handler", "handler number", "number kind", "role", "contact"),
)


@dataclass(frozen=True)
class Asked:
    """One request, and what must come of it."""

    number: int
    name: str
    path: str
    body: bytes
    status: int
    """Of its answer, which is given once and for ever."""
    key: str
    """Its Idempotency-Key."""
    headers: dict[str, str]
    taken: tuple[str, ...] = ()
    """The items of the events that are records when it is answered: all at once, and not one before."""
    known: tuple[str, ...] = ()
    """The items of events that an earlier request brought."""
    refused: tuple[str, ...] = ()
    """The items of events that never become records."""
    people: int = 0
    """How many people come with what is taken, each of them new."""
    described: tuple[str, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    """Those that are taken, as they were sent."""
    leaves_a_job: bool = False
    spoilt: bytes | None = None
    """What is sent under the same key before, and is no document."""


class Firm:
    """A client's plan: `next` draws a request; the same seed draws the same requests."""

    def __init__(self, number: int, seed: int) -> None:
        self.number = number
        self.sender = SENDERS[number % len(SENDERS)]
        self.chance = random.Random(f"{seed}/{number}")
        self.asked: list[Asked] = []
        self._people = 0
        self._draw: list[tuple[Callable[[int], Asked], int]] = [
            (self._event, 4),
            (self._document, 8),
            (self._refused, 3),
            (self._proceeding, 3),
            (self._again, 2),
            (self._conflicting, 2),
            (self._sheet, 2),
            (self._refused_sheet, 1),
            (self._proceeding_sheet, 1),
        ]

    def next(self) -> Asked:
        draws, weights = zip(*self._draw, strict=True)
        draw = self._document if not self.asked else self.chance.choices(draws, weights)[0]
        self.asked.append(draw(len(self.asked)))
        return self.asked[-1]

    def _made(self, number: int, name: str, path: str, body: bytes, status: int, **more: Any) -> Asked:
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        return Asked(number, name, path, body, status, f"firm-{self.number}-{number}", headers, **more)

    def _item(self, number: int, index: int) -> str:
        return f"{ITEM}{self.number}-{number}-{index}"

    def _person(self) -> str:
        self._people += 1
        return f"199{self.number}{self._people:07}"

    def _events(self, number: int, count: int) -> tuple[list[dict[str, Any]], int]:
        """Return events, and how many people are in them."""
        made, people = [], 0
        for index in range(count):
            more: dict[str, Any] = {}
            if self.chance.random() < 0.3:
                reference = {"kind": "phone", "value": self._person(), "name": "测试员"}
                more["sdl:participants"] = [{"personRef": reference, "role": "loader", "contact": "opened"}]
                people += 1
            if self.chance.random() < 0.3:
                more["sourceList"] = [{"type": "possessing_party", "source": FIRM}]
                more["destinationList"] = [{"type": "possessing_party", "destination": OTHER}]
            which = self.number * 10**9 + number * 1_000 + index
            made.append(event(which, epcList=[self._item(number, index)], **more))
        return made, people

    def _event(self, number: int) -> Asked:
        [one], people = self._events(number, 1)
        whole = {
            "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}]
        }
        body = json.dumps(whole | one).encode()
        return self._made(
            *(number, "event", "/epcis/v2/events", body, 201),
            taken=tuple(one["epcList"]), people=people, events=(one,), leaves_a_job=True,
        )  # fmt: skip

    def _document(self, number: int) -> Asked:
        events, people = self._events(number, self.chance.choice(SIZES))
        body = document(*events)
        described: tuple[str, ...] = ()
        if self.chance.random() < 0.3:
            described = (f"{PLACE}{self.number}-{number}",)
            body = with_master_data(body, *described)
        spoilt = body[:-5] if self.chance.random() < 0.2 else None
        return self._made(
            *(number, "document", CAPTURE, body, 202),
            taken=items(events), people=people, described=described, events=tuple(events), leaves_a_job=True,
            spoilt=spoilt,
        )  # fmt: skip

    def _refused(self, number: int) -> Asked:
        events, _ = self._events(number, self.chance.choice(SIZES))
        self.chance.choice(events)["action"] = "MAYBE"
        body = with_master_data(document(*events), f"{PLACE}{self.number}-{number}")
        return self._made(number, "refused", CAPTURE, body, 202, refused=items(events), leaves_a_job=True)

    def _proceeding(self, number: int) -> Asked:
        good, people = self._events(number, self.chance.choice(SIZES))
        bad = [event(0, epcList=[self._item(number, 900 + index)], action="MAYBE") for index in range(3)]
        mixed = [*good, *bad]
        self.chance.shuffle(mixed)
        return self._made(
            *(number, "proceeding", CAPTURE, document(*mixed), 202),
            taken=items(good), refused=items(bad), people=people, events=tuple(good), leaves_a_job=True,
            headers={"GS1-Capture-Error-Behaviour": "proceed"},
        )  # fmt: skip

    def _again(self, number: int) -> Asked:
        before = self.chance.choice([one for one in self.asked if one.name == "document"])
        known = before.taken or before.known
        return self._made(
            number, "again", CAPTURE, before.body, 202, known=known, described=before.described, leaves_a_job=True
        )

    def _conflicting(self, number: int) -> Asked:
        events, _ = self._events(number, self.chance.choice(SIZES))
        earlier = self.chance.choice([one for one in self.asked if one.name == "document"])
        events.append(earlier.events[0] | {"bizStep": "receiving", "epcList": [self._item(number, 999)]})
        return self._made(
            number, "conflicting", CAPTURE, document(*events), 202, refused=items(events), leaves_a_job=True
        )

    def _rows(self, number: int, count: int) -> list[dict[str, str]]:
        return [
            {
                **dict(zip(HEADINGS[:4], (f"H{self.number}-{number}-{index}", "shipping", "2026-01-05 08:30", "9520001001017"), strict=True)),
                "item": "09520001002014", "serial": f"{self.number}-{number}-{index}",
                "handler": "测试员", "handler number": self._person(), "number kind": "phone", "role": "driver",
                "contact": "outer-packaging",
            }
            for index in range(count)
        ]  # fmt: skip

    def _sheet(self, number: int) -> Asked:
        rows = self._rows(number, self.chance.choice(SIZES[:7]))
        return self._made(
            *(number, "sheet", "/import", as_csv(rows), 202),
            taken=serials(rows), people=len(rows), leaves_a_job=True, headers={"Content-Type": "text/csv"},
        )  # fmt: skip

    def _refused_sheet(self, number: int) -> Asked:
        rows = self._rows(number, self.chance.choice(SIZES[:7]))
        rows[-1]["item"] = "09520001002015"
        kind = {"Content-Type": "text/csv"}
        return self._made(number, "refused-sheet", "/import", as_csv(rows), 422, refused=serials(rows), headers=kind)

    def _proceeding_sheet(self, number: int) -> Asked:
        good, bad = self._rows(number, 4), self._rows(number, 6)[4:]
        for row in bad:
            row["item"] = "09520001002015"
        return self._made(
            *(number, "proceeding-sheet", "/import?behaviour=proceed", as_csv([*bad, *good]), 202),
            taken=serials(good), refused=serials(bad), people=len(good), leaves_a_job=True,
            headers={"Content-Type": "text/csv"},
        )  # fmt: skip


def items(events: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(one["epcList"][0] for one in events)


def serials(rows: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(f"{ITEM}{row['serial']}" for row in rows)


def as_csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADINGS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def with_master_data(body: bytes, *uris: str) -> bytes:
    """Return a document that also says what identifiers stand for."""
    elements = [{"id": uri, "attributes": [{"id": "urn:epcglobal:cbv:mda#name", "attribute": "冷库"}]} for uri in uris]
    listed = [{"type": "urn:epcglobal:epcis:vtyp:BusinessLocation", "vocabularyElementList": elements}]
    header = {"epcisMasterData": {"vocabularyList": listed}}
    return json.dumps(json.loads(body) | {"epcisHeader": header}, ensure_ascii=False).encode()
