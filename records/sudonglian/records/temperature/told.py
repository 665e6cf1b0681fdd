"""Where a report's events come from: the memory, or a file without one.

docs/spec/temperature.md §6; docs/decisions/0241 (who may see what).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from sudonglian.chain.identifiers import normal
from sudonglian.records import derive, reader
from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.plain import plain_event
from sudonglian.records.reader import StoredRecord
from sudonglian.records.temperature import report
from sudonglian.records.temperature.classes import ProductClass
from sudonglian.records.temperature.errors import TemperatureRefused
from sudonglian.records.temperature.journey import Happening, Load, happening
from sudonglian.records.temperature.report import Report
from sudonglian.records.temperature.samples import MAX_READINGS, SENSORS

SHOWN: Final = (SENSORS, report.CLASS, report.GOODS)
"""The withheld members that a report is made of."""

MAX_LOTS: Final = 100
"""Lots that a file without a question is told of."""


def of_lot(
    connection: Connection,
    uri: str,
    *,
    submitter: str | None = None,
    kind: ProductClass | None = None,
    table: Mapping[str, ProductClass] | None = None,
    most: int = MAX_READINGS,
) -> Report:
    """Return the report of a lot by what is recorded, sealed or not; with `submitter`, by that firm's records alone."""

    def told(found: Sequence[StoredRecord]) -> list[Happening]:
        standing = [one for one in found if submitter is None or one.submitter == submitter]
        taken_back = reader.taken_back(connection, [one.record_hash for one in standing])
        sound = [one for one in standing if not one.is_error_declaration and one.record_hash not in taken_back]
        shown = reader.withheld(connection, [one.id for one in sound], SHOWN)
        return [
            happening({**one.event(), **shown.get(one.id, {})}, one.record_hash.hex(), one.id)
            for one in sorted(sound, key=lambda one: (one.event_time_us, one.id))
        ]

    load = _once(lambda name: told(reader.naming(connection, name)))
    transforming = _once(lambda name: told(reader.transforming(connection, name)))
    return report.of_lot(load, transforming, uri, kind=kind, table=table, most=most)


def of_record(
    connection: Connection,
    record_hash: bytes,
    *,
    kind: ProductClass | None = None,
    table: Mapping[str, ProductClass] | None = None,
) -> Report:
    """Return the report of one record.

    Raises
    ------
    UnknownRecord
        There is no such record.
    """
    found = reader.record(connection, record_hash)
    shown = reader.withheld(connection, [found.id], SHOWN)
    event = {**found.event(), **shown.get(found.id, {})}
    return report.of_event(event, record_hash.hex(), kind=kind, table=table)


def of_records(
    connection: Connection, records: Sequence[StoredRecord], *, table: Mapping[str, ProductClass] | None = None
) -> Iterator[tuple[StoredRecord, Report]]:
    """Yield of each record that has readings its report; the caller says whose records they are."""
    shown = reader.withheld(connection, [one.id for one in records], SHOWN)
    for one in records:
        members = shown.get(one.id, {})
        if SENSORS in members:
            yield one, report.of_event({**one.event(), **members}, one.record_hash.hex(), table=table)


def events_of(files: Sequence[tuple[str, bytes]]) -> list[Happening]:
    """Return the sound events of EPCIS files, each called by its file and its place in it.

    Raises
    ------
    SudonglianError
        A file is no EPCIS document, or an event does not say when it happened.
    """
    found: list[tuple[Happening, str | None, bool]] = []
    for name, raw in files:
        document = read_document(raw)
        for one in document.events:
            plain = plain_event(one.value, document.context)
            source = f"{name}#{one.index}"
            found.append(
                (happening(plain, source, len(found)), derive.event_id(plain), derive.is_error_declaration(plain))
            )
    taken_back = {event_id for _, event_id, is_declaration in found if is_declaration and event_id}
    sound = [one for one, event_id, is_declaration in found if not is_declaration and event_id not in taken_back]
    return sorted(sound, key=lambda one: one.order)


def of_files(
    events: Sequence[Happening],
    lot: str | None = None,
    *,
    kind: ProductClass | None = None,
    table: Mapping[str, ProductClass] | None = None,
) -> list[Report]:
    """Return the reports of a lot by a file's events, or with no lot of everything that its readings are about.

    Raises
    ------
    TemperatureRefused
        They are about more than `MAX_LOTS` things.
    """
    load, transforming = _indexed(events)
    lots = measured(events) if lot is None else [normal(lot)]
    if len(lots) > MAX_LOTS:
        raise TemperatureRefused(f"the readings are about {len(lots)} things; name one of them", place="--lot")
    return [report.of_lot(load, transforming, one, kind=kind, table=table) for one in lots]


def measured(events: Sequence[Happening]) -> list[str]:
    """Return the things that events with temperatures name, loggers left out, in their order."""
    found: dict[str, None] = {}
    loggers = {one for event in events if event.type == "AssociationEvent" for one in event.of("child")}
    for event in events:
        taken = event.taken
        if not taken.readings:
            continue
        loggers |= {one.logger for one in taken.readings}
        named = event.of("parent") or event.of(
            "epc", "quantity", "child", "child_quantity", "output", "output_quantity"
        )
        found |= dict.fromkeys(named)
    return [one for one in found if one not in loggers]


def _indexed(events: Sequence[Happening]) -> tuple[Load, Load]:
    by_name: dict[str, list[Happening]] = {}
    by_number: dict[str, list[Happening]] = {}
    for event in events:
        for uri in dict.fromkeys(uri for _, uri in event.named):
            by_name.setdefault(uri, []).append(event)
        if event.transformation_id:
            by_number.setdefault(event.transformation_id, []).append(event)
    return lambda name: by_name.get(name, ()), lambda name: by_number.get(name, ())


def _once(load: Callable[[str], Sequence[Happening]]) -> Load:
    kept: dict[str, Sequence[Happening]] = {}

    def cached(name: str) -> Sequence[Happening]:
        if name not in kept:
            kept[name] = load(name)
        return kept[name]

    return cached
