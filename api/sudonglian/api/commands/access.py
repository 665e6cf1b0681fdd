"""Commands of the access log: who looked at whose data, with proofs; and the outside look that nothing was taken out.

docs/spec/access-log.md; docs/cases.md.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import typer

from sudonglian.api.commands.monitor import ServerUnreadable
from sudonglian.api.commands.people import Kind
from sudonglian.api.commands.reveals import token_in
from sudonglian.api.console import DONE, INDETERMINATE, Console, check_writable, read_file, write_file
from sudonglian.api.errors import DoorError, UsageRefused
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.wiring import House, open_house
from sudonglian.chain import canonical
from sudonglian.chain import trust as trusts
from sudonglian.chain.access_proof import CONSISTENCY, MAX_BYTES
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.chain.verify import verify
from sudonglian.records import access, cases, vault
from sudonglian.records.errors import NotSealed, UnknownPerson
from sudonglian.records.identities import identity

TIMEOUT_S: Final = 30

Proofs = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Also write a proof of each look that is sealed, for sudonglian-verify."),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the proof.")]

app = typer.Typer(help="Who looked at whose data, when and what for, with proofs.", rich_markup_mode=None)


class LogOfLooksChanged(DoorError):
    """A private tree that is not the one that was seen before; the evidence is beside the state."""

    slug: ClassVar[str] = "access-log-changed"


@app.command()
def person(
    context: typer.Context,
    who: Annotated[
        str, typer.Argument(metavar="PERSON", help="The person's number; with --kind an identity, and - asks for it.")
    ],
    kind: Annotated[Kind | None, typer.Option(metavar="KIND", help="cn-id, phone, passport or badge.")] = None,
    submitter: Annotated[str, typer.Option(metavar="URI", help="Whose badge it is; only for badges.")] = "",
    proofs: Proofs = None,
) -> int:
    """Report every look at a person's data, and the cases on whose line list the person is."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        if kind is None:
            number: int | None = cases.person_of(who)
        else:
            value = typer.prompt("", prompt_suffix="", hide_input=True, err=True) if who == "-" else who
            whose = submitter_of(submitter, "--submitter") if submitter else console.settings.submitter
            number = vault.find(connection, house.keys, identity(kind.value, value, whose))
        if number is None:
            raise UnknownPerson("nobody here has this identity")
        looks = access.looks_at_person(connection, number)
        listed = access.cases_of_person(connection, number)
    written = _prove(house, looks, proofs)
    document = {"person": number, "looks": looks, "cases": listed, "proofs": written}
    lines = [console.text("{count} looks at person {person}", count=len(looks), person=number), *_lines(looks)]
    lines += [f"  {one['case']}  {one['name']}  {one['state']}  {one['purpose']}" for one in listed]
    console.emit(document, lines)
    return DONE


@app.command("case")
def case_(
    context: typer.Context,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case, by its number or name.")],
    proofs: Proofs = None,
) -> int:
    """Report every look for a case: its traces, and each person whose identity was shown."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        found = cases.find(connection, case)
        looks = access.looks_of_case(connection, found)
    written = _prove(house, looks, proofs)
    lines = [console.text("{count} looks for case {case}", count=len(looks), case=found.number), *_lines(looks)]
    console.emit({"case": found.number, "looks": looks, "proofs": written}, lines)
    return DONE


@app.command()
def proof(
    context: typer.Context,
    index: Annotated[int, typer.Argument(metavar="ENTRY", min=0, help="The entry of the private tree.")],
    out: Out,
) -> int:
    """Write the proof that an entry is in the private tree; `sudonglian-verify` checks it offline."""
    console: Console = context.obj
    check_writable(out)
    with open_house(console, create=False) as house, house.store.read() as connection:
        raw = access.prove(connection, house.keys, index)
    return _written(console, out, raw)


@app.command()
def consistency(
    context: typer.Context,
    start: Annotated[int, typer.Option("--from", min=1, metavar="SIZE", help="The size of the older checkpoint.")],
    out: Out,
    end: Annotated[
        int | None,
        typer.Option("--to", min=1, metavar="SIZE", help="The size of the newer checkpoint; the newest if absent."),
    ] = None,
) -> int:
    """Write the proof that nothing was taken out of the private tree between two checkpoints."""
    console: Console = context.obj
    check_writable(out)
    with open_house(console, create=False) as house, house.store.read() as connection:
        raw = access.prove_consistency(connection, house.keys, start, end)
    return _written(console, out, raw)


@app.command()
def watch(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The server of the log.")],
    trust: Annotated[Path, typer.Option(metavar="FILE", help="Your own trust file.")],
    state: Annotated[Path, typer.Option(metavar="FILE", help="Where to keep what was seen, for the next time.")],
    key_file: Annotated[
        str, typer.Option(metavar="FILE", help="A file with an API key that has the scope access-log.")
    ],
) -> int:
    """See from outside that nothing left the access log since the last time; exit 1 with evidence if it did."""
    console: Console = context.obj
    check_writable(state)
    trusted = trusts.parse(read_file(str(trust)))
    seen = _seen(state)
    start = "" if seen is None else f"?from={_size(seen)}"
    raw = _ask(f"{url.rstrip('/')}/access/consistency{start}", token_in(key_file))
    verdict = verify(raw, trusted)
    told = _object(raw)
    same = seen is None or told.get("from") == seen
    if verdict.verdict == "INVALID" or told.get("v") != CONSISTENCY or not same:
        evidence = state.with_name(f"{state.name}.evidence.json")
        kept = {"seen": seen, "served": raw.decode(errors="replace")}
        write_file(evidence, json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace"))
        console.say("the evidence is in {file}", file=evidence)
        failed = [one.detail for one in verdict.steps if one.result == "FAIL"]
        raise LogOfLooksChanged("; ".join(failed) or "what was sealed before is shown otherwise now", place=url)
    # Anchors newer than the trust file are no fault; whose log it is must be known.
    if lacking := [one.detail for one in verdict.steps if one.result == "UNKNOWN" and one.name == "checkpoint"]:
        console.emit({"ok": None, "entries": None, "checkpoint": None}, lacking)
        return INDETERMINATE
    write_file(state, canonical.encode(told["to"]))
    entries = int(str(told["to"]["tree"]).split("\n")[1])
    document = {"ok": True, "entries": entries, "checkpoint": _size(told["to"])}
    console.emit(document, [console.text("{entries} entries, none taken out or changed", entries=entries)])
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.add_typer(app, name="access")


def _prove(house: House, looks: Iterable[Mapping[str, Any]], folder: Path | None) -> list[str]:
    """Write the proofs of looks that are sealed, and name the files."""
    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with house.store.read() as connection:
        for one in looks:
            try:
                raw = access.prove(connection, house.keys, one["entry"])
            except NotSealed:
                continue
            file = folder / f"entry-{one['entry']}.json"
            write_file(file, raw)
            written.append(str(file))
    return written


def _written(console: Console, out: Path, raw: bytes) -> int:
    write_file(out, raw)
    console.emit({"file": str(out), "bytes": len(raw)}, [str(out)])
    return DONE


def _lines(looks: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for one in looks:
        by = f"{one['by'] or '—'} ({one['approved_by']})" if one["approved_by"] else one["by"] or "—"
        case = "" if one["case"] is None else f"#{one['case']} "
        yield f"  {one['at']}  {one['what']}  {by}  {case}{one['purpose']}  {one['why']}  [{one['entry']}]"


def _ask(url: str, token: str) -> bytes:
    # With the certificates that only this command needs.
    import urllib.error
    import urllib.request

    if not url.startswith(("http://", "https://")):
        raise UsageRefused(f"{url[:80]!r} is not a URL like http://127.0.0.1:8000", place="URL")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            raw: bytes = answer.read(MAX_BYTES)
            return raw
    except urllib.error.HTTPError as error:
        with error:
            raise ServerUnreadable(f"it answers {error.code}", place=url) from error
    except (OSError, ValueError) as error:
        raise ServerUnreadable(f"it does not answer: {error}", place=url) from error


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = canonical.parse_stored(raw, max_bytes=MAX_BYTES)
    except CanonicalRefused:
        return {}
    return dict(value) if isinstance(value, dict) else {}


def _seen(file: Path) -> dict[str, Any] | None:
    return _object(read_file(str(file))) or None if file.exists() else None


def _size(sealed: Mapping[str, Any]) -> int:
    """Return the size of a kept checkpoint."""
    lines = str(sealed.get("checkpoint", "")).split("\n")
    if len(lines) < 2 or not lines[1].isdigit():
        raise UsageRefused("not a state of this command", place="--state")
    return int(lines[1])
