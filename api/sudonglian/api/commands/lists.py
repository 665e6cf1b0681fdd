"""Commands that answer a regulator: where a lot is and how much of it, where it came from and went.

docs/answers.md. `list --json` gives {epc, name, direction, as_of, log_size, with_waiting, totals, holdings, movements,
unexplained, file}.
"""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sudonglian.api.console import DONE, Console, check_writable, write_file
from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import doubt, identifier_of, moment
from sudonglian.api.wiring import open_house
from sudonglian.api.working import working
from sudonglian.records import derive


class Way(StrEnum):
    """Which way to look from an item."""

    forward = "forward"
    back = "back"


def form_of(path: Path, place: str) -> str:
    """Return which of the two forms of sheets the name of a file asks for."""
    form = path.suffix.lower().lstrip(".")
    if form not in ("xlsx", "csv"):
        raise UsageRefused("the name must end with .xlsx or .csv", place=place)
    return form


def list_(
    context: typer.Context,
    epc: Annotated[str, typer.Argument(metavar="EPC", help="An item or lot: EPC URN or GS1 Digital Link.")],
    direction: Annotated[Way, typer.Option(help="What became of it, or what it was made of.")] = Way.forward,
    as_of: Annotated[
        str, typer.Option(metavar="TIME", help="By what had happened then; by all that has happened if not given.")
    ] = "",
    size: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="By the first N entries of the log; by all records if not given."),
    ] = None,
    cn: Annotated[
        bool, typer.Option("--cn", help="Write sources, destinations, quantities and places, a row each.")
    ] = False,
    at: Annotated[
        str, typer.Option(metavar="ID", help="With --cn: of one place or firm alone, one step up and one down.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Also write a sheet: .xlsx or .csv.")
    ] = None,
) -> int:
    """List where a lot or item is and how much of it, what came and went at each place, and what does not add up."""
    # The library that writes workbooks takes a while, and other commands need none.
    from sudonglian.trace.answers import list_sheets
    from sudonglian.trace.answers.lists import listed

    console: Console = context.obj
    name = identifier_of(epc, "EPC")
    around = identifier_of(at, "--at") if at else ""
    if at and not cn:
        raise UsageRefused("needs --cn", place="--at")
    until_us = derive.micros(moment(as_of, "--as-of")) if as_of else None
    form = "" if output is None else form_of(output, "-o")
    if output is not None:
        check_writable(output)
    with open_house(console) as house, house.store.read() as connection, working(console, "reading the log"):
        answer = listed(connection, name, direction.value, as_of_us=until_us, size=size)
    if output is not None:
        made = (
            list_sheets.cn_file(answer, form, console.lang, around)
            if cn
            else list_sheets.list_file(answer, form, console.lang)
        )
        write_file(output, made)
    if not answer.holdings and (said := doubt(name, console.lang)):
        console.say("{error}", error=said)
    document = answer.as_json() | {"file": None if output is None else str(output)}
    lines: Iterator[str]
    if cn:
        lines = ("\t".join(_cell(one) for one in row) for row in list_sheets.cn_rows(answer, console.lang, at=around))
    else:
        lines = _lines(console, document)
    console.emit(document, lines if answer.holdings else [console.text("no record names {epc}", epc=name)])
    return DONE


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(name="list")(list_)


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _lines(console: Console, document: dict[str, Any]) -> Iterator[str]:
    from sudonglian.trace.answers.list_sheets import unit_word, word
    from sudonglian.trace.answers.lists import TOTALS

    lang = console.lang
    for one in document["totals"]:
        told = [
            f"{word(lang, kind.replace('_', '-'))} {one[kind]}" for kind in (*TOTALS, "unaccounted") if one[kind] != "0"
        ]
        unit = unit_word(one["unit"] or "", lang)
        yield f"{one['name'] or ''} {one['item']} [{unit}]  {'  '.join(told) or '0'}".strip()
    for one in document["holdings"]:
        place = f"{one['place_name'] or ''} {one['place'] or ''}".strip() or "—"
        if one["status"] == "on-the-way":
            place = f"{one['from'][0] or '—'} → {one['to'][0] or '—'}"
        unit = unit_word(one["unit"] or "", lang)
        yield f"{one['stock']:>10} {unit}  {word(lang, one['status'])}  {one['item']}  {place}  {one['since'] or one['last_time'] or ''}  {(one['last_record'] or '')[:16]}".rstrip()
    for one in document["unexplained"]:
        amount = one["quantity"] or ""
        yield f"! {word(lang, one['code'])} {amount} {one['item']} {one['place'] or '—'}  {one['record'][:16]}"
