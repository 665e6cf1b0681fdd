"""The command for temperatures: of a lot, of a record, or of files without a store; with a table and a curve.

docs/spec/temperature.md; interfaces.md (exit 0 within, 1 an excursion, 2 where nothing can be told for certain).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sudonglian.api.console import DONE, INDETERMINATE, REFUSED, Console, check_writable, read_file, write_file
from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import doubt, identifier_of, record_hash_of
from sudonglian.api.wiring import open_house
from sudonglian.api.working import working
from sudonglian.records.epcis.document import MAX_DOCUMENT_BYTES
from sudonglian.records.temperature import table as tables
from sudonglian.records.temperature import told, words
from sudonglian.records.temperature.classes import ProductClass, named, with_file
from sudonglian.records.temperature.errors import ClassRefused
from sudonglian.records.temperature.figures import VERDICTS
from sudonglian.records.temperature.report import Report
from sudonglian.trace.engine.pictures.times import local

CODES: Final = {"within": DONE, "excursion": REFUSED}

SHOWN: Final = 20
"""Excursions, gaps and notes of one report on a terminal; the JSON has them all."""


def temperature(
    context: typer.Context,
    what: Annotated[
        list[str],
        typer.Argument(metavar="WHAT", help="An item or lot, a record's hash, or files of EPCIS 2.0, JSON or XML."),
    ],
    lot: Annotated[str, typer.Option(metavar="EPC", help="With files: the item or lot to tell of.")] = "",
    kind: Annotated[
        str, typer.Option("--class", metavar="NAME", help="Judge by this product class, whatever the records declare.")
    ] = "",
    thresholds: Annotated[
        str, typer.Option(metavar="FILE", help="JSON with a firm's own product classes, stricter than the table's.")
    ] = "",
    readings: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write the readings as a table.")
    ] = None,
    curve: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Also draw the curve, as SVG.")] = None,
) -> int:
    """Tell a lot's temperatures: excursions, gaps, calibration, mean kinetic temperature per leg, and a verdict."""
    console: Console = context.obj
    classes = _classes(thresholds) if thresholds else console.settings.classes
    wanted = _class_named(kind, classes) if kind else None
    for file in (readings, curve):
        if file is not None:
            check_writable(file)
    found = _reports(console, what, lot, wanted, classes)
    if (readings or curve) and len(found) != 1:
        raise UsageRefused(f"a table or a curve is of one thing, and here are {len(found)}: say --lot", place="WHAT")
    if readings is not None:
        write_file(readings, tables.encode(found[0]))
    if curve is not None:
        _draw(console, found[0], curve)
    verdict, reports = _worst(found), [one.as_json() for one in found]
    console.emit({"verdict": verdict, "reports": reports}, (line for one in reports for line in _lines(console, one)))
    return CODES.get(verdict, INDETERMINATE)


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(temperature)


def _classes(file: str) -> Mapping[str, ProductClass]:
    try:
        return with_file(read_file(file))
    except ClassRefused as refusal:
        raise ClassRefused(refusal.reason, place=f"{file}{refusal.place}") from refusal


def _class_named(name: str, classes: Mapping[str, ProductClass]) -> ProductClass:
    try:
        return named(name, classes)
    except ClassRefused as refusal:
        raise UsageRefused(refusal.reason, place="--class") from refusal


def _reports(
    console: Console, what: Sequence[str], lot: str, kind: ProductClass | None, classes: Mapping[str, ProductClass]
) -> list[Report]:
    files = [one for one in what if one == "-" or _is_file(one)]
    if files and len(files) < len(what):
        other = next(one for one in what if one not in files)
        raise UsageRefused(f"{other[:80]!r} is no file, and files are told of alone", place="WHAT")
    if files:
        events = told.events_of([(Path(one).name, read_file(one, MAX_DOCUMENT_BYTES)) for one in files])
        name = identifier_of(lot, "--lot") if lot else None
        return told.of_files(events, name, kind=kind, table=classes)
    if lot:
        raise UsageRefused("goes with files alone", place="--lot")
    found = []
    with open_house(console) as house, house.store.read() as connection, working(console, "reading the log"):
        for one in what:
            digest = None
            with suppress(UsageRefused):
                digest = record_hash_of(one)
            if digest is not None:
                found.append(told.of_record(connection, digest, kind=kind, table=classes))
                continue
            name = identifier_of(one, "WHAT")
            found.append(told.of_lot(connection, name, kind=kind, table=classes))
            if not found[-1].wholes and (said := doubt(name, console.lang)):
                console.say("{error}", error=said)
    return found


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


def _draw(console: Console, report: Report, file: Path) -> None:
    # With the pictures, which no other command of records needs.
    from sudonglian.api import temperature_curve

    drawn = temperature_curve.alone(report, console.lang)
    if drawn is None:
        raise UsageRefused("there is no temperature to draw", place="--svg")
    write_file(file, drawn.encode())


def _worst(found: Sequence[Report]) -> str:
    return next((one for one in VERDICTS if any(one == each.verdict for each in found)), "not-measured")


def _lines(console: Console, told_: dict[str, Any]) -> Iterator[str]:
    kind = told_["class"]
    yield f"{told_['about']}"
    yield f"  {told_['verdict']}  {told_['sentence'][console.lang]}"
    if kind is None:
        yield "  " + console.text("no product class is declared; --class NAME judges by one")
    if told_["readings"]:
        yield "  " + console.text(
            "{readings} readings, {low} to {high} °C, measured {measured} of {duration}; mean kinetic temperature {mkt}",
            readings=told_["readings"],
            low=told_["min_c"],
            high=told_["max_c"],
            measured=_span(console, told_["measured_s"]),
            duration=_span(console, told_["duration_s"]),
            mkt=_mkt(told_),
        )
    for leg in told_["legs"]:
        way = words.both(f"kind.{leg['kind']}")[console.lang]
        yield f"  {leg['number']}. {way}  {_when(leg['start'])} – {_when(leg['end'])}  {leg['verdict']}  MKT {_mkt(leg)}"
    for one in told_["excursions"][:SHOWN]:
        side = words.both(f"word.{one['side']}")[console.lang]
        least, most = _span(console, one["at_least_s"]), _span(console, one["at_most_s"])
        lasts = least if least == most else f"{least} … {most}"
        mark = "!" if one["counts"] and one["certain"] else "?" if one["counts"] else "·"
        yield f"  {mark} {side} {one['peak_c']} °C  {_when(one['start'])} – {_when(one['end'])}  {lasts}"
    for one in told_["gaps"][:SHOWN]:
        reasons = ", ".join(words.both(f"reason.{name}")[console.lang] for name in one["reasons"])
        yield f"  … {_when(one['start'])} – {_when(one['end'])}  {_span(console, one['seconds'])}  {reasons}"
    for one in told_["notes"][:SHOWN]:
        yield f"  ({words.both('note.' + one['code'])[console.lang]}: {one['record']}{one['pointer']})"


def _span(console: Console, seconds: float | None) -> str:
    return "?" if seconds is None else words.lasting(round(seconds * 1_000_000))[console.lang]


def _mkt(told_: dict[str, Any]) -> str:
    value = told_["mkt_c"]
    if value is None:
        return "—"
    least, most = told_["mkt_at_least_c"], told_["mkt_at_most_c"]
    return f"{value:.2f} °C" if least == most else f"{value:.2f} °C ({least:.2f} … {most:.2f})"


def _when(text: str) -> str:
    moment = local(text)
    return text if moment is None else f"{moment:%Y-%m-%d %H:%M}"
