"""Commands of interviews: what people said of stays, meetings and goods, as signed records of a case.

docs/cases.md (interviews); docs/spec/facts.md §17 and §18. Identities are asked for or read from a file.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from sudonglian.api.commands.reveals import KeyFile, Reason, token_in
from sudonglian.api.console import DONE, REFUSED, Console, read_file, write_file
from sudonglian.api.interviewing import goods_of, sign_all, statement_of
from sudonglian.api.parsing import party_of, record_hash_of
from sudonglian.api.passphrases import passphrase
from sudonglian.api.principals import here
from sudonglian.api.scopes import Scope
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.wiring import House, open_house
from sudonglian.api.working import working
from sudonglian.chain import keystore
from sudonglian.records import cases, log
from sudonglian.records.cases import Act
from sudonglian.records.interviews import Statement
from sudonglian.trace.casework import interviews

Named = Annotated[str, typer.Argument(metavar="CASE", help="The case, by its number or name.")]
Submitter = Annotated[
    str, typer.Option(metavar="URI", help="Whose records they are: the authority's; SUDONGLIAN_SUBMITTER if absent.")
]
Keyfile = Annotated[
    str,
    typer.Option(metavar="FILE", help="The interviewer's keyfile: signs each record as it is taken (docs/signing.md)."),
]
PassphraseFile = Annotated[
    str, typer.Option(metavar="FILE", help="Its first line is the passphrase; else SUDONGLIAN_PASSPHRASE, else asked.")
]
Counterparty = Annotated[
    str, typer.Option(metavar="PARTY", help="Who keeps the case and countersigns; the submitter if absent.")
]

app = typer.Typer(help="What people said, as signed records of a case.", rich_markup_mode=None)


@app.command()
def add(
    context: typer.Context,
    case: Named,
    person: Annotated[
        str,
        typer.Option(
            metavar="WHO",
            help="Whom it is about: person:NUMBER, or phone:-, cn-id:-, passport:-, which are asked for, so that no"
            " shell keeps them.",
        ),
    ],
    told: Annotated[str, typer.Option(metavar="TIME", help="When it was said, with its offset.")],
    begin: Annotated[
        str, typer.Option(metavar="TIME[/TIME]", help="When it began; if uncertain the earliest and the latest time.")
    ],
    end: Annotated[str, typer.Option(metavar="TIME[/TIME]", help="When it ended; the time it began if absent.")] = "",
    place: Annotated[str, typer.Option(metavar="PLACE", help="Where.")] = "",
    company: Annotated[
        list[str] | None, typer.Option("--with", metavar="WHO", help="Who was there too, all together; several.")
    ] = None,
    goods: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="An item or lot that was handled; several.")
    ] = None,
    contact: Annotated[str, typer.Option(metavar="C", help="With goods: outer-packaging or opened.")] = "",
    by: Annotated[str, typer.Option(metavar="W", help="Who said it: self, household, colleague, other.")] = "self",
    certainty: Annotated[str, typer.Option(metavar="W", help="remembered or documented.")] = "remembered",
    corrects: Annotated[str, typer.Option(metavar="HASH", help="The record whose place it takes.")] = "",
    submitter: Submitter = "",
    keyfile: Keyfile = "",
    passphrase_file: PassphraseFile = "",
    counterparty: Counterparty = "",
    key_file: KeyFile = "",
) -> int:
    """Make a record of what somebody said: a stay, whom they met, goods that they handled."""
    console: Console = context.obj
    one = statement_of(
        persons=[_asked(console, who) for who in (person, *(company or ()))],
        told=told,
        begin=begin.split("/"),
        end=end.split("/") if end else (),
        place=place,
        goods=goods or (),
        contact=contact,
        by=by,
        certainty=certainty,
        at=lambda name: f"--{name}",
    )
    instead = record_hash_of(corrects).hex() if corrects else ""
    return _record(console, case, [one], submitter, (keyfile, passphrase_file, counterparty), key_file, instead)


@app.command("import")
def import_(
    context: typer.Context,
    case: Named,
    file: Annotated[str, typer.Argument(metavar="FILE", help="XLSX or CSV, a row a statement; - is standard input.")],
    submitter: Submitter = "",
    keyfile: Keyfile = "",
    passphrase_file: PassphraseFile = "",
    counterparty: Counterparty = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is wrong with it, and take nothing.")] = False,
    key_file: KeyFile = "",
) -> int:
    """Make records of a sheet of statements, all rows or none; a row that the case holds already changes nothing."""
    # The library that reads workbooks takes a while, and other commands need none.
    from sudonglian.records.sheets import workbook
    from sudonglian.records.sheets.interviews import read_statements

    console: Console = context.obj
    with working(console, "reading the sheet"):
        reading = read_statements(read_file(file, workbook.MAX_FILE_BYTES), datetime.now(UTC), goods_of)
    if reading.faults or dry_run:
        faults = [one.as_json() for one in reading.faults]
        lines = [
            f"{console.text('row {row}', row=one['row'])} {one['column']}: {one['code']} — {one['message'][console.lang]}"
            for one in faults
        ]
        count = len(reading.statements)
        lines.append(console.text("{count} rows could be taken; nothing is written", count=count))
        console.emit({"case": case, "taken": [], "rows": count, "faults": faults}, lines)
        return REFUSED if faults else DONE
    statements = [one for _, one in reading.statements]
    return _record(console, case, statements, submitter, (keyfile, passphrase_file, counterparty), key_file, "")


@app.command()
def template(
    context: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to: .csv.")],
) -> int:
    """Write an empty sheet of statements, with the headings in the language of --lang."""
    from sudonglian.records.sheets import interviews as sheet

    console: Console = context.obj
    write_file(output, sheet.template(console.lang))
    console.emit({"file": str(output), "form": "csv"}, [console.text("written: {file}", file=output)])
    return DONE


@app.command("list")
def list_(context: typer.Context, case: Named) -> int:
    """List what people said in a case, with who signed it, and what of it cannot be true."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        with house.store.read() as connection:
            found = cases.find(connection, case)
            told = interviews.listed(connection, found)
            size = log.size(connection)
        flags = interviews.flags(house.store, house.keys, found, size)
    console.emit({"case": found.number, "interviews": told, "impossible": flags}, _lines(console, told, flags))
    return DONE


@app.command()
def withdraw(
    context: typer.Context,
    case: Named,
    record: Annotated[str, typer.Argument(metavar="HASH", help="The record of the statement.")],
    reason: Reason,
    submitter: Submitter = "",
    key_file: KeyFile = "",
) -> int:
    """Take back what somebody said: a record declares the first one to be in error, and both stay."""
    console: Console = context.obj
    digest = record_hash_of(record).hex()
    whose = _submitter(console, submitter)
    with open_house(console, create=False) as house:
        act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            done = interviews.withdraw(connection, house.keys, found, act, digest, reason, submitter=whose)
    document = {"case": found.number, "record_hash": digest, "declared_by": done}
    console.emit(document, [console.text("withdrawn: {record} by {declaration}", record=digest, declaration=done)])
    return DONE


def _record(
    console: Console,
    case: str,
    statements: list[Statement],
    submitter: str,
    signing: tuple[str, str, str],
    key_file: str,
    corrects: str,
) -> int:
    whose = _submitter(console, submitter)
    key, other = _key(console, *signing, whose)
    with open_house(console, create=False) as house:
        act: Act = here(house, token_in(key_file), Scope.case)
        with house.store.write() as connection:
            found = cases.to_change(connection, case)
            taken = interviews.record(
                connection, house.keys, found, act, statements, submitter=whose, corrects=corrects
            )
        signed = _signed(house, key, other, [one.record for one in taken])
    document = {"case": found.number, "taken": [one.as_json() for one in taken], "signatures": signed}
    lines = [f"{one.record}  {' '.join(map(str, one.persons))}" for one in taken]
    new = sum(not one.unchanged for one in taken)
    lines.append(console.text("{new} new records, {unchanged} unchanged", new=new, unchanged=len(taken) - new))
    if key is None:
        lines.append(console.text("not signed: use --keyfile, or `sudonglian sign` later"))
    lines += [f"{one['record_hash']}  {one['code']} — {one['message']}" for one in signed if not one["signed"]]
    console.emit(document, lines)
    return DONE if all(one["signed"] for one in signed) else REFUSED


def _signed(house: House, key: bytes | None, other: str, records: Iterable[str]) -> list[dict[str, Any]]:
    return [] if key is None else sign_all(house, key, records, other)


def _key(
    console: Console, keyfile: str, passphrase_file: str, counterparty: str, whose: str
) -> tuple[bytes | None, str]:
    """Return the interviewer's key, and who countersigns; read before anything is written."""
    if not keyfile:
        return None, ""
    other = party_of(counterparty or whose, "--counterparty")
    raw = read_file(keyfile, keystore.MAX_FILE_BYTES)
    return keystore.decrypt(raw, passphrase(console, passphrase_file)), other


def _submitter(console: Console, submitter: str) -> str:
    return submitter_of(submitter, "--submitter") if submitter else console.settings.submitter


def _asked(console: Console, who: str) -> str:
    """Return whom a reference names; one that ends with `-` is asked for."""
    kind, _, value = who.partition(":")
    if value != "-":
        return who
    typed: str = typer.prompt("", prompt_suffix="", hide_input=True, err=True)
    return f"{kind}:{typed}"


def _lines(console: Console, told: list[dict[str, Any]], flags: list[dict[str, Any]]) -> Iterator[str]:
    for one in told:
        people = " + ".join(map(str, one["persons"]))
        when = " … ".join(dict.fromkeys((*one["begin"], *one["end"])))
        gone = console.text("WITHDRAWN") if one["withdrawn"] else one["confirmation"]
        yield f"{one['record_hash'][:16]}…  {people}  {one['place']}  {when}  {' '.join(one['goods'])}  {gone}"
    for one in flags:
        yield console.text("cannot be: {reason}", reason=one["reason"][console.lang])
        yield f"  {one['about']}  {one['record_hash']}  {one['against']}"
