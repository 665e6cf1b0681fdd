"""Handoffs: what the rows of one number and step say, the EPCIS ObjectEvent that they are, and the row of each part.

docs/sheets.md (what becomes of each column); docs/decisions/0230 (a row is a line of a handoff), 0231 (its eventID).
"""

import json
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid5

from sudonglian.chain.canonical import Json
from sudonglian.records.sheets import goods

NAMESPACE: Final = UUID("5bd0a6c8-3f0e-5d0c-9a53-6f7d5f0f2b10")
"""Of the eventIDs of sheets; frozen, for a sheet that is sent again must give the same."""

CONTEXT: Final[dict[str, Json]] = {"sdl": "urn:sudonglian:ns:1:"}

LEAVES: Final = frozenset({"shipping", "departing", "loading", "transporting"})
"""Steps after which the goods are no longer where they were seen."""

EMPTY_HANDED: Final = frozenset({"urn:sudonglian:bizstep:disinfecting", "sampling", "inspecting"})
"""Steps that may be about a place alone."""

DOCUMENTS: Final = {
    "customs": ("urn:sudonglian:bt:customs-declaration", "urn:sudonglian:doc:customs-declaration:"),
    "quarantine": ("cert", "urn:sudonglian:doc:quarantine:"),
    "test": ("testres", "urn:sudonglian:doc:nucleic-acid-test:"),
    "disinfection": ("urn:sudonglian:bt:disinfection-certificate", "urn:sudonglian:doc:disinfection:"),
    "bol": ("bol", "urn:sudonglian:doc:bill-of-lading:"),
}
"""Of each column: the type of the business transaction, and with what its number becomes a URI."""


@dataclass(slots=True)
class Line:
    """One row of goods."""

    row: int
    goods: goods.Goods
    text: str
    quantity: Json = None
    unit: str = ""
    said: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Handoff:
    """The rows of one number and step, and the event that they are."""

    number: str
    step: str
    row: int
    values: dict[str, Json] = field(default_factory=dict)
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Of each column of the handoff: the first row that fills it, and what stands there."""
    lines: list[Line] = field(default_factory=list)
    people: list[tuple[dict[str, Json], str, int]] = field(default_factory=list)
    """Participants, with the sheet and row of each."""
    rows: int = 0
    is_wrong: bool = False
    uris: dict[str, int] = field(default_factory=dict)

    def event_id(self, submitter: str) -> str:
        """Return the eventID: whoever sends the same number and step again speaks of the same event."""
        name = json.dumps([submitter, self.number, self.step], ensure_ascii=False, separators=(",", ":"))
        return f"urn:uuid:{uuid5(NAMESPACE, name)}"

    def event(self, submitter: str) -> dict[str, Json]:
        """Return the EPCIS event, in its JSON form."""
        event: dict[str, Json] = {
            "type": "ObjectEvent",
            "eventID": self.event_id(submitter),
            "eventTime": self.values["time"],
            "eventTimeZoneOffset": self.values["zone"],
            "action": "OBSERVE",
            "bizStep": self.step,
        }
        instances: list[Json] = [one.goods.uri for one in self.lines if not one.goods.is_class]
        classes: list[Json] = [_quantity(one) for one in self.lines if one.goods.is_class]
        if instances or not classes:
            event["epcList"] = instances
        if classes:
            event["quantityList"] = classes
        event["readPoint"] = {"id": self.values["place"]}
        if self.step not in LEAVES:
            event["bizLocation"] = {"id": self.values["place"]}
        for key, member, inner in (("from", "sourceList", "source"), ("to", "destinationList", "destination")):
            if key in self.values:
                event[member] = [{"type": "possessing_party", inner: self.values[key]}]
        documents: list[Json] = [
            {"type": DOCUMENTS[key][0], "bizTransaction": self.values[key]} for key in self.documents
        ]
        if documents:
            event["bizTransactionList"] = documents
        report = {
            name: self.values[key]
            for key, name in (("temperature", "value"), ("coldest", "minValue"), ("warmest", "maxValue"))
            if key in self.values
        }
        if report:
            event["sensorElementList"] = [{"sensorReport": [{"type": "Temperature", **report, "uom": "CEL"}]}]
        for key, member in (("container", "sdl:containerNo"), ("seal", "sdl:sealNo"), ("vehicle", "sdl:vehiclePlate")):
            if key in self.values:
                event[member] = self.values[key]
        said: list[Json] = [{"item": one.goods.uri, **one.said} for one in self.lines if one.said]
        if said:
            event["sdl:goods"] = said
        if self.people:
            event["sdl:participants"] = [person for person, _, _ in self.people]
        if any(name.startswith("sdl:") for name in event):
            event = {"@context": CONTEXT, **event}
        return event

    @property
    def documents(self) -> list[str]:
        """Return the columns of papers that are filled, in their order in the event."""
        return [key for key in DOCUMENTS if key in self.values]

    def origin(self, pointer: str, sheet: str) -> tuple[str, int, str, str]:
        """Return where a part of the event comes from: sheet, row, the column's key, what stands there."""
        parts = pointer.strip("/").split("/")
        place = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
        if parts[0] == "sdl:participants" and place < len(self.people):
            _, there, row = self.people[place]
            leaf = "/".join(parts[2:])
            return there, row, {"personRef/kind": "kind", "personRef/name": "name"}.get(leaf, leaf if leaf in ("role", "contact", "ppe", "start", "end") else "id"), ""  # fmt: skip
        if parts[0] in ("epcList", "quantityList"):
            lines = [one for one in self.lines if one.goods.is_class == (parts[0] == "quantityList")]
            if place < len(lines):
                leaf = {"quantity": "quantity", "uom": "unit"}.get(parts[-1], "item")
                return sheet, lines[place].row, leaf, lines[place].text if leaf == "item" else ""
        said = [one for one in self.lines if one.said]
        if parts[0] == "sdl:goods" and place < len(said):
            key = _GOODS_OF.get(parts[-1], "item")
            return sheet, said[place].row, key, str(said[place].said.get(parts[-1], ""))
        if parts[0] == "bizTransactionList" and place < len(self.documents):
            keys: tuple[str, ...] = (self.documents[place],)
        else:
            keys = _COLUMNS_OF.get(parts[0], ())
        for key in keys:
            if key in self.seen:
                row, text = self.seen[key]
                return sheet, row, key, text
        return sheet, self.row, "handoff", self.number


_GOODS_OF: Final = {
    "name": "product",
    "countryOfOrigin": "origin",
    "productionDate": "produced",
    "expirationDate": "expires",
    "temperatureClass": "class",
}
_COLUMNS_OF: Final = {
    "eventTime": ("time",),
    "eventTimeZoneOffset": ("zone", "time"),
    "bizStep": ("step",),
    "readPoint": ("place",),
    "bizLocation": ("place",),
    "sourceList": ("from",),
    "destinationList": ("to",),
    "sensorElementList": ("temperature", "coldest", "warmest"),
    "sdl:containerNo": ("container",),
    "sdl:sealNo": ("seal",),
    "sdl:vehiclePlate": ("vehicle",),
}


def _quantity(line: Line) -> Json:
    told: dict[str, Json] = {"epcClass": line.goods.uri}
    if line.quantity is not None:
        told |= {"quantity": line.quantity, "uom": line.unit}
    return told
