"""Commands of those who submit: judge a document, hash it, capture it, look up what was recorded.

interfaces.md (hash, validate, capture, history); records.md rules what is accepted.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from sudonglian.api import hashing
from sudonglian.api.capturing import Capturing, capture_all
from sudonglian.api.console import DONE, REFUSED, USAGE, Console, read_file
from sudonglian.api.errors import FileUnreadable
from sudonglian.api.parsing import doubt, identifier_of, record_hash_of
from sudonglian.api.settings import company_prefixes
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.signing import confirmation_line, told
from sudonglian.api.validating import Verdict, judge, profile_named
from sudonglian.api.wiring import open_house
from sudonglian.api.working import working
from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.identifiers import identifiers_of, normal
from sudonglian.records import confirmation, master_data, reader
from sudonglian.records.epcis import translation
from sudonglian.records.epcis.document import MAX_DOCUMENT_BYTES
from sudonglian.records.profiles.table import profiles
from sudonglian.records.temperature import told as temperatures
from sudonglian.records.temperature.samples import SENSORS


class DuplicateIds(StrEnum):
    """What to do with an eventID that stands for something else already."""

    refuse = "refuse"
    keep = "keep"


class Behaviour(StrEnum):
    """What one refused event means for the rest of its document."""

    rollback = "rollback"
    proceed = "proceed"


class Direction(StrEnum):
    """Which way to look from an item."""

    back = "back"
    forward = "forward"
    both = "both"


Files = Annotated[list[str], typer.Argument(metavar="FILE", help="EPCIS 2.0, JSON or XML; - is standard input.")]
File = Annotated[str, typer.Argument(metavar="FILE", help="EPCIS 2.0, JSON or XML; - is standard input.")]
ProfileName = Annotated[
    str, typer.Option(metavar="NAME", help="What a law or standard wants as well; `sudonglian profiles` lists them.")
]
RecordHash = Annotated[str, typer.Argument(metavar="HASH", help="The record's hash, 64 hexadecimal digits.")]


def capture(
    context: typer.Context,
    files: Files,
    submitter: Annotated[str, typer.Option(metavar="URI", help="Who submits; SUDONGLIAN_SUBMITTER if not given.")] = "",
    duplicate_ids: Annotated[
        DuplicateIds, typer.Option(help="An eventID that stands for something else already: refuse, or keep both.")
    ] = DuplicateIds.refuse,
    behaviour: Annotated[
        Behaviour, typer.Option(help="A refused event takes its whole document with it, or the others proceed.")
    ] = Behaviour.rollback,
    profile: ProfileName = "",
) -> int:
    """Take EPCIS documents into the log's queue, durably, each whole or not at all."""
    console: Console = context.obj
    who = submitter_of(submitter, "--submitter") if submitter else console.settings.submitter
    wanted = profile_named(profile, "--profile") if profile else None
    total = Capturing()
    with open_house(console) as house, working(console, "taking documents") as work:
        for number, name in enumerate(files, 1):
            try:
                raw = read_file(name, MAX_DOCUMENT_BYTES)
                total.add(name, capture_all(house, raw, who, duplicate_ids.value, behaviour.value, wanted))
            except SudonglianError as error:
                # What was committed is acknowledged, whatever becomes of a later file.
                if not isinstance(error, FileUnreadable) and number == 1:
                    raise
                console.warn(error)
                total.refuse(name, error)
            work.at(number, len(files))
    console.emit(total.document(), total.lines(console))
    if total.unreadable:
        return USAGE
    return REFUSED if total.refused else DONE


def validate(
    context: typer.Context,
    files: Files,
    profile: ProfileName = "",
) -> int:
    """Judge documents as capture would, without taking them."""
    console: Console = context.obj
    wanted = profile_named(profile, "--profile") if profile else None
    verdicts: list[tuple[str, Verdict]] = []
    with working(console, "judging the document") as work:
        for number, name in enumerate(files, 1):
            verdicts.append((name, judge(read_file(name, MAX_DOCUMENT_BYTES), console.settings.submitter, wanted)))
            work.at(number, len(files))
    valid = all(one.valid for _, one in verdicts)
    document = {
        "valid": valid,
        "events": sum(one.events for _, one in verdicts),
        "findings": [{"file": name, **finding} for name, one in verdicts for finding in one.as_json()["findings"]],
        "profile": wanted.name if wanted else None,
        "files": [{"file": name, "valid": one.valid, "events": one.events} for name, one in verdicts],
    }
    lines: list[str] = []
    for name, one in verdicts:
        said = console.text("valid: {events} events" if one.valid else "not valid: {events} events", events=one.events)
        lines.append(said if len(verdicts) == 1 else f"{name}: {said}")
        lines += (
            f"{each.level} {each.code} {each.pointer} — {each.message[console.lang]} ({each.rule})"
            for _, each in one.findings
        )
    console.emit(document, lines)
    return DONE if valid else REFUSED


def profiles_(context: typer.Context) -> int:
    """List the profiles: what each is about, and the laws and standards that it follows."""
    console: Console = context.obj
    lines: list[str] = []
    for one in profiles().values():
        lines.append(f"{one.name} ({one.version})  {one.title[console.lang]}")
        lines.append(f"  {one.applies[console.lang]}")
        lines += (f"  {source['title']}" for source in one.sources)
    console.emit({"profiles": [one.as_json() for one in profiles().values()]}, lines)
    return DONE


def hash_(context: typer.Context, file: File) -> int:
    """Give each event's GS1 Event Hash ID and the hash of its content; the document need not be valid."""
    console: Console = context.obj
    raw = read_file(file, MAX_DOCUMENT_BYTES)
    answered = hashing.answer(raw)
    console.emit(answered, hashing.lines(answered))
    return DONE


def show(
    context: typer.Context,
    record_hash: RecordHash,
    disclose: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Withheld members to show, separated by commas; people are never shown."),
    ] = "",
) -> int:
    """Show one record: what it says in the clear, where it stands in the log, what supersedes it."""
    console: Console = context.obj
    wanted = [name.strip() for name in disclose.split(",") if name.strip()]
    digest = record_hash_of(record_hash)
    with open_house(console) as house, house.store.read() as connection:
        found = reader.record(connection, digest)
        plain = reader.plain(connection, house.keys, found.record_hash, names=wanted)
        against = reader.corrections(connection, found.record_hash)
        names = master_data.names_of(connection, _things_of(plain))
        signed = confirmation.described(connection, found)
        judged = (
            temperatures.of_record(connection, digest, table=console.settings.classes).brief()
            if SENSORS in plain
            else None
        )
    document = {
        "record_hash": found.record_hash.hex(),
        "log_index": found.log_index,
        "submitter": found.submitter,
        "superseded_by": [one.record_hash.hex() for one in against],
        "names": names,
        **signed,
        **({"temperature": judged} if judged else {}),
        "event": plain,
    }
    shown = {name: value for name, value in document.items() if name not in signed}
    console.emit(document, [*_lines_of(shown), *told(console, signed)])
    return DONE


def history(
    context: typer.Context,
    epc: Annotated[str, typer.Argument(metavar="EPC", help="An item or lot: EPC URN or GS1 Digital Link.")],
    direction: Annotated[Direction, typer.Option(help="Where it came from, where it went, or both.")] = Direction.both,
) -> int:
    """List what happened to an item or lot, through nesting and transformation, in order of time."""
    console: Console = context.obj
    name = identifier_of(epc, "EPC")
    with open_house(console) as house, house.store.read() as connection, working(console, "reading the log"):
        events = confirmation.history(connection, name, direction.value)
        judged = temperatures.of_lot(connection, name, table=console.settings.classes).brief()
    lines = [
        f"{one['event_time']}  {one['relation']:<12}  {one['record_hash']}  {_short(console, one)}".rstrip()
        for one in events
    ]
    if events and judged["readings"]:
        lines.append(judged["sentence"][console.lang])
    if not events and (said := doubt(name, console.lang)):
        console.say("{error}", error=said)
    console.emit(
        {"epc": name, "events": events, "temperature": judged},
        lines or [console.text("no record names {epc}", epc=name)],
    )
    return DONE


def describe(
    context: typer.Context,
    identifiers: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="In any form; all that is described if none is given.")
    ] = None,
) -> int:
    """Tell what firms' master data say that identifiers stand for, the latest word first; nothing of it is proven."""
    console: Console = context.obj
    wanted = None if not identifiers else frozenset(identifier_of(one, "ID") for one in identifiers)
    with open_house(console) as house, house.store.read() as connection:
        found = [one.as_json() for one in master_data.described(connection, wanted)]
    lines: list[str] = []
    for one in found:
        lines.append(f"{one['id']}  {one['name'] or '—'}  ({one['submitter']}, {one['told_at']})")
        lines += (f"  {each['id']}: {_told(each['attribute'])}" for each in one["attributes"])
    console.emit({"described": found}, lines or [console.text("nobody has described it")])
    return DONE


class Form(StrEnum):
    """Which of the two forms of an identifier."""

    link = "link"
    urn = "urn"


def translate(
    context: typer.Context,
    identifiers: Annotated[list[str], typer.Argument(metavar="ID", help="EPC URNs and GS1 Digital Links.")],
    to: Annotated[Form, typer.Option(help="GS1 Digital Links, or EPC URNs.")],
    prefix: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIGITS", help="A GS1 company prefix, without which a link has no URN; several may stand."
        ),
    ] = None,
) -> int:
    """Translate identifiers between EPC URNs and GS1 Digital Links; what is neither stays as it is."""
    console: Console = context.obj
    known = company_prefixes(prefix or (), "--prefix") | console.settings.company_prefixes
    known |= translation.prefixes_in([{"epcList": [*identifiers]}])
    told = [
        {"given": one, "translated": translation.to_link(one) if to is Form.link else translation.to_urn(one, known)}
        for one in identifiers
    ]
    console.emit({"identifiers": told}, (one["translated"] for one in told))
    return DONE


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(capture)
    app.command()(validate)
    app.command(name="profiles")(profiles_)
    app.command(name="hash")(hash_)
    app.command()(translate)
    app.command()(describe)
    app.command()(show)
    app.command()(history)


def _things_of(event: dict[str, Json]) -> frozenset[str]:
    """Return the identifiers of goods, places and parties that an event names, in their normal form."""
    found = {one.normal for one in identifiers_of(event)}
    for member, inner in (
        ("readPoint", "id"),
        ("bizLocation", "id"),
        ("sourceList", "source"),
        ("destinationList", "destination"),
    ):
        value = event.get(member)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and isinstance(uri := one.get(inner), str):
                found.add(normal(uri))
    return frozenset(found)


def _told(value: Json) -> str:
    return value if isinstance(value, str) else canonical.encode(value).decode()


def _short(console: Console, one: dict[str, Any]) -> str:
    """Return what a person must know of a step: a handoff's confirmation, anything else's only if it is signed."""
    passes = one["is_handoff"] or one["confirmation"] != "unsigned"
    return confirmation_line(console, one["confirmation"]) if passes else ""


def _lines_of(document: dict[str, Any], depth: int = 0) -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield f"{'  ' * depth}{name}:"
            yield from _lines_of(value, depth + 1)
        elif isinstance(value, list):
            yield f"{'  ' * depth}{name}: {canonical.encode(value).decode() if value else '—'}"
        else:
            yield f"{'  ' * depth}{name}: {'—' if value is None else value}"
