"""The electronic sortable spreadsheet of the US Food Traceability Rule: a row a lot of a critical tracking event.

21 CFR 1.1325-1.1350, 1.1310 and 1.1455(c) (87 FR 70910, 2022); fsma204.json says what each kind of event needs. What a
row lacks is named in it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import digital_link, normal
from sudonglian.records import history, reader
from sudonglian.records.described import Descriptions
from sudonglian.records.epcis.times import instant
from sudonglian.records.identifiers import label
from sudonglian.records.naming import Naming, between
from sudonglian.records.reader import StoredRecord
from sudonglian.records.sheets import written
from sudonglian.records.sheets.cells import Cell
from sudonglian.records.sight import Sight
from sudonglian.records.store import BATCH
from sudonglian.trace.answers.happenings import Entry, Happening, happening
from sudonglian.trace.answers.list_sheets import number_cell
from sudonglian.trace.answers.lists import class_of, trade_item
from sudonglian.trace.answers.packing import add, contents
from sudonglian.trace.engine.rules import site, step_name
from sudonglian.trace.errors import QueryRefused

PLACES: Final = {
    "place": "location",
    "source": "immediate previous source",
    "recipient": "immediate subsequent recipient",
    "tlc_source": "TLC source",
    "harvest_location": "harvest location",
    "cooling_location": "cooling location",
}
ADDRESS: Final = {
    "name": "business name",
    "phone": "phone",
    "street": "street",
    "city": "city",
    "state": "state",
    "zip": "ZIP",
    "country": "country",
}
DOMESTIC: Final = frozenset({"US", "USA", "840"})
"""Where a location description needs state and ZIP code (21 CFR 1.1310)."""

GOODS: Final = ("product", "brand", "commodity", "variety", "packaging_size", "packaging_style", "species")

HEADINGS: Final = (
    "critical tracking event", "rule", "traceability lot code", "GTIN", "product", "brand", "commodity", "variety",
    "packaging size", "packaging style", "species or market name", "quantity", "unit of measure", "date",
    *(f"{place}: {word}" for place in PLACES.values() for word in ("identifier", *ADDRESS.values())),
    "TLC source reference", "growing area or container", "harvester", "harvest date", "cooling date", "received date",
    "received quantity", "reference document type", "reference document number", "missing", "record",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: a lot, a span of time, a place, a firm; nothing said is everything."""

    lot: str = ""
    since_us: int | None = None
    before_us: int | None = None
    place: str = ""
    firm: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One lot of one critical tracking event."""

    cells: tuple[Cell, ...]
    missing: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the row by its headings; what is empty is left out."""
        shown = {
            name: _json(value) for name, value in zip(HEADINGS, self.cells, strict=True) if value not in (None, "")
        }
        return {**shown, "missing": [*self.missing]}


def rows(connection: Connection, wanted: Wanted) -> Iterator[Row]:
    """Yield the rows of what is asked for, in order of time; events that were corrected are left out.

    Raises
    ------
    QueryRefused
        The span of time ends before it begins.
    """
    if wanted.since_us is not None and wanted.before_us is not None and wanted.before_us <= wanted.since_us:
        raise QueryRefused("the span of time ends before it begins", place="to")
    sight = None if wanted.firm is None else Sight(connection, wanted.firm)
    naming = Naming(connection, may_read=None if sight is None else sight.may_read)
    told = Descriptions(connection, wanted.firm)
    for page in _pages(_records(connection, naming, wanted)):
        against = reader.corrections_of(connection, [one.record_hash for one in page], None)
        sound = [one for one in page if not one.is_error_declaration and one.record_hash not in against]
        read = [
            _Event(naming, told, one, event, wanted)
            for one, event in zip(sound, reader.plains(connection, sound), strict=True)
        ]
        told.prefetch({name for one in read for name in one.names()})
        for one in read:
            yield from one.rows()


def spreadsheet(found: Iterable[Row], form: str) -> bytes:
    """Return rows as `xlsx` or `csv`, with FDA's English headings."""
    table: Iterator[Sequence[Cell]] = iter([HEADINGS])
    whole = (one for part in (table, (row.cells for row in found)) for one in part)
    return written.csv_bytes(whole) if form == "csv" else written.workbook_bytes([("FSMA 204", whole)])


@cache
def table() -> dict[str, Any]:
    """Return the steps of each kind of event and what each needs."""
    found: dict[str, Any] = json.loads(
        files("sudonglian.trace.answers").joinpath("fsma204.json").read_text(encoding="utf-8")
    )
    return found


def _records(connection: Connection, naming: Naming, wanted: Wanted) -> Iterator[StoredRecord]:
    if not wanted.lot:
        yield from between(connection, wanted.firm, wanted.since_us, wanted.before_us)
        return
    for step in history.walk(naming.of, wanted.lot, "both", naming.transformation):
        stored, _ = naming.records[step.event.record_hash]
        at_us = stored.event_time_us
        if (
            (wanted.firm is None or stored.submitter == wanted.firm)
            and (wanted.since_us is None or at_us >= wanted.since_us)
            and (wanted.before_us is None or at_us < wanted.before_us)
        ):
            yield stored


def _pages(records: Iterator[StoredRecord]) -> Iterator[list[StoredRecord]]:
    while page := list(islice(records, BATCH)):
        yield page


class _Event:
    """One event, on its way into rows."""

    def __init__(
        self, naming: Naming, told: Descriptions, stored: StoredRecord, event: dict[str, Json], wanted: Wanted
    ) -> None:
        self.naming, self.told, self.event, self.wanted = naming, told, event, wanted
        self.stored = stored
        self.read: Happening = happening(stored.record_hash, stored.id, event)
        ilmd = event.get("ilmd")
        self.members = [*([ilmd] if isinstance(ilmd, dict) else []), event]

    def rows(self) -> Iterator[Row]:
        for kind, entry in self._lines():
            if self.wanted.lot and class_of(entry.uri) != self.wanted.lot and entry.uri != self.wanted.lot:
                continue
            row = self._row(kind, entry)
            if not self.wanted.place or site(self.wanted.place) in self._sites():
                yield row

    def names(self) -> Iterator[str]:
        """Yield what a row of this event may have to describe."""
        for one in self.read.entries:
            yield from (one.uri, trade_item(one.uri))
        yield from (self.read.place, self.read.place_before, self.read.source, self.read.destination)

    def _sites(self) -> set[str]:
        return {site(one) for one in (self.read.place, self.read.place_before) if one}

    def _lines(self) -> Iterator[tuple[str, Entry]]:
        if self.read.type == "TransformationEvent":
            kind = self._kind()
            if kind:
                yield from ((kind, one) for one in self._counted(self.read.of("output", "output_quantity")))
                return
            yield from (("transformation input", one) for one in self._counted(self.read.of("input", "input_quantity")))
            yield from (
                ("transformation output", one) for one in self._counted(self.read.of("output", "output_quantity"))
            )
            return
        if (kind := self._kind()) and self.read.type != "AssociationEvent":
            roles = ("epc", "quantity", "parent", "child", "child_quantity")
            yield from ((kind, one) for one in self._counted(self.read.of(*roles)))

    def _kind(self) -> str:
        said = self._said("sdl:cte")
        steps: dict[str, list[str]] = table()["steps"]
        if said in steps:
            return said
        step = self.read.step.rpartition(":")[2]
        return next((kind for kind, known in steps.items() if step in known), "")

    def _counted(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the lots of an event: those named, those in the units that it names; single items counted by lot."""
        found: dict[tuple[str, str], Decimal | None] = {}
        direct = list(entries)
        for one in direct:
            if one.is_lot:
                add(found, one.uri, one.uom, one.amount)
        for one in direct:
            if one.is_lot:
                continue
            inside = contents(self.naming, one.uri, self.read.order[0])
            if inside is None:
                add(found, class_of(one.uri), "EA", one.amount)
                continue
            for (lot, uom), amount in inside.items():
                if (lot, uom) not in {(each.uri, each.uom) for each in direct}:
                    add(found, lot, uom, amount)
        return [Entry(lot, "quantity", amount, uom, True) for (lot, uom), amount in found.items()]

    def _row(self, kind: str, entry: Entry) -> Row:
        rule = table()["rules"][kind]
        values = self._values(kind, entry)
        missing = tuple(self._missing(rule["needs"], values))
        places = []
        for place in PLACES:
            uri = str(values.get(place) or "")
            places += [
                label.text_of(uri) or None,
                *(self.told.of(uri, word) or None if uri else None for word in ADDRESS),
            ]
        cells: tuple[Cell, ...] = (
            kind, rule["rule"], values["tlc"], _gtin(entry.uri), *(values[one] or None for one in GOODS),
            number_cell(entry.amount), values["uom"] or None, values["date"], *places, values["tlc_source_reference"] or None,
            values["area"] or None, values["harvester"] or None, values["harvest_date"] or None,
            values["cooling_date"] or None, values["received_date"] or None, values["received_quantity"] or None,
            values["document_type"] or None, values["document"] or None, "; ".join(missing) or None,
            self.read.record_hash,
        )  # fmt: skip
        return Row(cells, missing)

    def _values(self, kind: str, entry: Entry) -> dict[str, Any]:
        read = self.read
        goods = {word: self._goods(entry.uri, word) for word in GOODS}
        document, document_type = self._document()
        place = read.place_before if read.does == "leave" else read.place
        source_of_code = self._said("sdl:tlcSource")
        if not source_of_code and kind in ("transformation output", "initial packing", "first land-based receiving"):
            source_of_code = place
        return {
            **goods,
            "tlc": self._code(entry.uri),
            "quantity": entry.amount,
            "uom": entry.uom,
            "date": self._date(),
            "place": place,
            "source": read.source,
            "recipient": read.destination,
            "tlc_source": normal(source_of_code) if source_of_code else "",
            "tlc_source_reference": self._said("sdl:tlcSourceReference"),
            "harvest_location": self._place_said("sdl:harvestLocation") or (place if kind == "harvesting" else ""),
            "cooling_location": self._place_said("sdl:coolingLocation") or (place if kind == "cooling" else ""),
            "area": self._said("sdl:growingArea", "cbvmda:growingArea", "sdl:container", "cbvmda:catchArea"),
            "harvester": self._said("sdl:harvester"),
            "harvest_date": self._said("cbvmda:harvestStartDate", "sdl:harvestDate", "cbvmda:harvestEndDate"),
            "cooling_date": self._said("sdl:coolingDate"),
            "received_date": self._said("sdl:receivedDate"),
            "received_quantity": self._said("sdl:receivedQuantity"),
            "document": document,
            "document_type": document_type,
        }

    def _missing(self, needs: Sequence[str], values: dict[str, Any]) -> Iterator[str]:
        named = {
            **PLACES,
            "uom": "unit of measure",
            "tlc": "traceability lot code",
            "area": "growing area or container",
        }
        for need in needs:
            match need:
                case "place" | "source" | "recipient" | "harvest_location":
                    yield from self._missing_of(need, str(values[need] or ""))
                case "tlc_source":
                    if not values["tlc_source_reference"]:
                        yield from self._missing_of(need, str(values[need] or ""))
                case "document":
                    if not values["document"]:
                        yield "reference document number"
                    if not values["document_type"]:
                        yield "reference document type"
                case "harvest_dates":
                    if not values["harvest_date"]:
                        yield "harvest date"
                case "harvest_area":
                    if not (values["area"] or values["harvest_location"]):
                        yield "harvest locations"
                case "species":
                    if not (values["species"] or values["product"]):
                        yield "species or market name"
                case "commodity":
                    if not (values["commodity"] or values["product"]):
                        yield "commodity"
                case _:
                    if values[need] is None or values[need] == "":
                        yield named.get(need, need.replace("_", " "))

    def _missing_of(self, place: str, uri: str) -> Iterator[str]:
        if not uri:
            yield PLACES[place]
            return
        domestic = self.told.of(uri, "country").upper() in DOMESTIC
        mapped = bool(self.told.of(uri, "latitude") and self.told.of(uri, "longitude"))
        for word, shown in ADDRESS.items():
            if (word in ("state", "zip") and not domestic) or (word == "street" and mapped):
                continue
            if not self.told.of(uri, word):
                yield f"{PLACES[place]}: {shown}"

    def _goods(self, lot: str, word: str) -> str:
        member = {"product": "descriptionShort", "species": "speciesName", "brand": "brandName"}.get(word, word)
        own = {"product": "sdl:productName"}.get(word, f"sdl:{word}")
        said = self._said(f"cbvmda:{member}", own) or self._goods_member(lot, word)
        return said or self.told.of(lot, word) or self.told.of(trade_item(lot), word)

    def _goods_member(self, lot: str, word: str) -> str:
        """Return what `sdl:goods`, as sheets write it, says of one lot."""
        listed = self.event.get("sdl:goods")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and isinstance(uri := one.get("item"), str) and normal(uri) == lot:
                value = one.get({"product": "name"}.get(word, word))
                return value if isinstance(value, str) else ""
        return ""

    def _code(self, lot: str) -> str:
        if said := self._said("sdl:traceabilityLotCode", "cbvmda:lotNumber"):
            return said
        link = digital_link.parse(lot)
        if link is None:
            return lot if ":class:" in lot and ":product:class:" not in lot else ""
        return dict(link.qualifiers).get("10", "")

    def _document(self) -> tuple[str, str]:
        listed = self.event.get("bizTransactionList")
        found = [one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict)]
        numbers = [str(one.get("bizTransaction") or "") for one in found]
        kinds = [step_name(str(one.get("type") or "")).rpartition(":")[2].removeprefix("BTT-") for one in found]
        return "; ".join(filter(None, numbers)), "; ".join(filter(None, kinds))

    def _date(self) -> date | None:
        at, offset = instant(self.event.get("eventTime")), self.event.get("eventTimeZoneOffset")
        if at is None:
            return None
        try:
            zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
        except ValueError:
            zone = None
        return at.astimezone(zone).date() if zone is not None else at.date()

    def _place_said(self, member: str) -> str:
        said = self._said(member)
        return normal(said) if said else ""

    def _said(self, *members: str) -> str:
        for holder in self.members:
            for member in members:
                value = holder.get(member)
                if isinstance(value, dict):
                    value = value.get("id")
                if isinstance(value, str) and value.strip():
                    return value.strip()
        return ""


def _gtin(lot: str) -> str | None:
    link = digital_link.parse(lot)
    return link.value if link is not None and link.ai == "01" else None


def _json(value: Cell) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
