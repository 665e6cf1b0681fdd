"""The command that writes labels: QR codes with GS1 Digital Links, in sheets to print.

docs/answers.md (Labels). `labels --json` gives {labels: [{uri, text, name}], pages, format, files}.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sudonglian.api.console import DONE, Console, check_writable, read_file, write_file
from sudonglian.api.errors import FileUnreadable, UsageRefused
from sudonglian.api.parsing import identifier_of, record_hash_of
from sudonglian.api.wiring import open_house

DEFAULT_FORMAT = "a4-24"


def labels(
    context: typer.Context,
    output: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="Where to: .pdf or .html to print, or .svg.")
    ],
    epcs: Annotated[
        list[str] | None, typer.Argument(metavar="EPC", help="Items, lots, units, places: any GS1 key in any form.")
    ] = None,
    lot: Annotated[str, typer.Option(metavar="LOT", help="The lot of a GTIN that names none.")] = "",
    serial: Annotated[
        str, typer.Option(metavar="DIGITS", help="The first serial number; --count labels count on from it.")
    ] = "",
    count: Annotated[int, typer.Option(min=1, metavar="N", help="How many of each.")] = 1,
    record: Annotated[
        list[str] | None, typer.Option(metavar="HASH", help="Label what this record made; several may stand.")
    ] = None,
    receipt: Annotated[
        str, typer.Option(metavar="FILE", help="Label what a capture or import made: what it gave with --json.")
    ] = "",
    sheet: Annotated[
        str, typer.Option("--format", metavar="NAME", help="a4-8, a4-21, a4-24, a4-40, roll-60x40, roll-100x150.")
    ] = DEFAULT_FORMAT,
) -> int:
    """Write labels to print: a QR code with a GS1 Digital Link, and under it what it says."""
    from sudonglian.trace.answers import labelling, labels_pdf
    from sudonglian.trace.answers import labels as drawing

    console: Console = context.obj
    form = output.suffix.lower()
    if form not in (".pdf", ".html", ".svg"):
        raise UsageRefused(
            "the name must end with .pdf, .html or .svg", place="--out", zh="文件名应以 .pdf、.html 或 .svg 结尾"
        )
    names = [identifier_of(one, "EPC") for one in epcs or ()]
    hashes = [record_hash_of(one) for one in record or ()]
    if receipt:
        hashes += [record_hash_of(one) for one in _hashes_of(receipt)]
    check_writable(output)
    with open_house(console) as house, house.store.read() as connection:
        if hashes:
            names += labelling.of_records(connection, hashes)
        if not names:
            raise UsageRefused("name something to label, a --record or a --receipt", place="EPC")
        made = labelling.of_names(
            connection, names, console.settings.resolver, lot=lot, serial=serial, count=count
        )  # fmt: skip
    sheets = drawing.pages(made, sheet)
    files = [output]
    if form == ".html":
        write_file(output, drawing.html(sheets, sheet, console.lang))
    elif form == ".pdf":
        write_file(output, labels_pdf.pdf(made, sheet))
    else:
        if len(sheets) > 1:
            files = [output.with_stem(f"{output.stem}-{number}") for number in range(1, len(sheets) + 1)]
        for path, one in zip(files, sheets, strict=True):
            write_file(path, one.encode())
    document = {
        "labels": [one.as_json() for one in made],
        "pages": len(sheets),
        "format": sheet,
        "files": [str(one) for one in files],
    }
    told = console.text("{labels} labels on {pages} pages: {files}", labels=len(made), pages=len(sheets), files=", ".join(map(str, files)))  # fmt: skip
    console.emit(document, [told])
    return DONE


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(labels)


def _hashes_of(name: str) -> list[str]:
    """Return the hashes that a receipt of capture or import names."""
    try:
        document: Any = json.loads(read_file(name))
        return [str(one["record_hash"]) for one in document["records"] if one.get("record_hash")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileUnreadable("not what capture --json or import --json gives", place=name) from error
