"""Commands that sign a handoff offline, and that take signatures in.

docs/signing.md, docs/spec/signature.md.
"""

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from sudonglian.api.console import DONE, REFUSED, USAGE, Console, read_file, write_file
from sudonglian.api.errors import FileUnreadable, UsageRefused
from sudonglian.api.parsing import moment, party_of, record_hash_of
from sudonglian.api.passphrases import passphrase
from sudonglian.api.signing import add_signature, line_of, told
from sudonglian.api.wiring import open_house
from sudonglian.chain import anchor_contract, bundle, canonical, checkpoint, keystore, record, signature
from sudonglian.chain import trust as trusts
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.wallet import checksum_address
from sudonglian.records import confirmation, reader
from sudonglian.records.signatures import MAX_BYTES

app = typer.Typer(help="Signatures of consignor and consignee.", rich_markup_mode=None)

SHOWN: Final = ("type", "bizStep", "eventTime", "sourceList", "destinationList")
"""Of a record that is signed from a file, so that a person sees what it is."""


class Role(StrEnum):
    """Which side of a handoff signs."""

    consignor = "consignor"
    consignee = "consignee"


def sign(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(metavar="HASH|FILE", help="The record's hash; or a bundle, or the record as /records gives it."),
    ],
    role: Annotated[Role, typer.Option(help="Which side signs.")],
    counterparty: Annotated[
        str, typer.Option(metavar="PARTY", help="The other side: a GLN, or the URI that records use.")
    ],
    keyfile: Annotated[str, typer.Option(metavar="FILE", help="The party's keyfile.")],
    origin: Annotated[str, typer.Option(metavar="ORIGIN", help="The name of the log that holds the record.")] = "",
    trust: Annotated[str, typer.Option(metavar="FILE", help="Takes the origin from a trust file of one log.")] = "",
    note: Annotated[
        str, typer.Option("--checkpoint", metavar="FILE", help="Takes the origin from a checkpoint of the log.")
    ] = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="When it is signed, with its offset; now if absent.")] = "",
    passphrase_file: Annotated[
        str,
        typer.Option(metavar="FILE", help="Its first line is the passphrase; else SUDONGLIAN_PASSPHRASE, else asked."),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file to write; standard output if absent."),
    ] = None,
) -> int:
    """Sign a handoff for one side, offline: no deployment and no node are needed."""
    console: Console = context.obj
    name = _origin(origin, trust, note)
    other = party_of(counterparty, "--counterparty")
    digest, shown = _what(what)
    moment_s = int((moment(at, "--at") if at else datetime.now(UTC)).timestamp())
    key = keystore.decrypt(read_file(keyfile, keystore.MAX_FILE_BYTES), passphrase(console, passphrase_file))
    made = signature.sign(key, name, digest, role.value, anchor_contract.party_id(other), moment_s)
    data = canonical.encode(made.to_json()) + b"\n"
    if output is not None:
        write_file(output, data)
    told = {
        "record_hash": digest.hex(),
        "role": role.value,
        "signer": checksum_address(made.signer),
        "counterparty": other,
        "origin": name,
        "signed_at": moment_s,
        "file": None if output is None else str(output),
        "signature": made.to_json(),
    }
    for member in SHOWN:
        if member in shown:
            value = shown[member]
            console.say("{member}: {value}", member=member, value=value if isinstance(value, str) else _compact(value))
    lines = [data.decode().rstrip("\n")]
    if output is not None:
        lines = [
            console.text("signed as {role} by {signer}: {file}", role=role.value, signer=told["signer"], file=output)
        ]
    console.emit(told, lines)
    return DONE


@app.command()
def add(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="A signature object; - is standard input.")],
) -> int:
    """Take signatures into the log's queue, durably: form, key, role and counterparty are checked now."""
    console: Console = context.obj
    taken: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    unreadable = False
    with open_house(console, create=False) as house:
        for name in files:
            try:
                raw = read_file(name, MAX_BYTES)
                done = add_signature(house.store, house.keys, lambda: house.network, raw, lambda: datetime.now(UTC))
            except SudonglianError as error:
                # What was committed is acknowledged, whatever becomes of a later file.
                console.warn(error)
                refused.append({"file": name, "code": error.slug, "place": error.place, "message": error.reason})
                unreadable = unreadable or isinstance(error, FileUnreadable)
            else:
                taken.append({"file": name, "unchanged": done.unchanged, **done.document})
    unchanged = sum(one["unchanged"] for one in taken)
    document = {"taken": len(taken) - unchanged, "unchanged": unchanged, "refused": refused, "signatures": taken}
    counts = {"taken": len(taken) - unchanged, "unchanged": unchanged, "refused": len(refused)}
    lines = [console.text("taken {taken}, unchanged {unchanged}, refused {refused}", **counts)]
    console.emit(document, [*lines, *map(line_of, taken)])
    if unreadable:
        return USAGE
    return REFUSED if refused else DONE


@app.command("list")
def list_(
    context: typer.Context,
    record_hash: Annotated[str, typer.Argument(metavar="HASH", help="The record's hash, 64 hexadecimal digits.")],
) -> int:
    """List a record's signatures, and whether each is shown to count."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        found = reader.record(connection, record_hash_of(record_hash))
        document = {"record_hash": found.record_hash.hex(), **confirmation.described(connection, found)}
    console.emit(document, told(console, document))
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.command()(sign)
    root.add_typer(app, name="signature")


def _origin(origin: str, trust: str, note: str) -> str:
    if sum(map(bool, (origin, trust, note))) != 1:
        raise UsageRefused("one of --origin, --trust and --checkpoint is needed", place="--origin")
    if trust:
        logs = trusts.parse(read_file(trust)).logs
        if len(logs) != 1:
            raise UsageRefused(f"the trust file has {len(logs)} logs: name one with --origin", place="--trust")
        return logs[0].origin
    if note:
        return checkpoint.parse_note(read_file(note, checkpoint.MAX_BYTES)).origin
    if not checkpoint.ORIGIN.fullmatch(origin):
        raise UsageRefused("an origin is 1-200 characters of A-Z a-z 0-9 . _ / -", place="--origin")
    return origin


def _what(what: str) -> tuple[bytes, dict[str, Any]]:
    """Return the hash to sign, and the event if a file shows it."""
    try:
        return record_hash_of(what), {}
    except UsageRefused:
        raw = read_file(what)
    try:
        value = orjson.loads(raw)
    except ValueError as error:
        raise UsageRefused("neither a hash nor a file of JSON", place=what) from error
    if isinstance(value, dict) and "records" in value:
        records = bundle.parse(raw).records
        if len(records) != 1:
            raise UsageRefused(f"the bundle has {len(records)} records: name one by its hash", place=what)
        found = records[0].record
    else:
        found = value.get("record", value) if isinstance(value, dict) else value
    # What is signed is the hash of the one canonical form, however the file is laid out.
    stored = canonical.encode(found)
    event = record.parse_record(stored)["event"]
    return record.record_hash(stored), event if isinstance(event, dict) else {}


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
