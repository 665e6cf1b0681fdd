"""The command that says what this program is made of.

docs/security.md (what it is made of); docs/decisions/0810.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

import sudonglian.api
from sudonglian.api.console import DONE, Console, check_writable, read_file, write_file
from sudonglian.api.errors import FileUnreadable

_CHECKOUT = Path(next(iter(sudonglian.api.__path__))).parents[2]
_LOCKS = ("requirements.lock", "requirements-dev.lock")
_NPM = ("hardhat-local/package-lock.json", "api/browser/package-lock.json")


def sbom(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the bill (CycloneDX 1.6 JSON) there.")
    ] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Requirements with hashes; those of the checkout if absent. Repeatable."),
    ] = None,
    npm: Annotated[
        str, typer.Option(metavar="FILE", help="A package-lock.json; those of the checkout if absent.")
    ] = "",
    timestamp: Annotated[
        bool, typer.Option("--timestamp", help="Say when; without it equal things give equal bytes.")
    ] = False,
) -> int:
    """Tell what this program is made of: packages, versions, licences, hashes, who needs whom (SBOM)."""
    # Nobody else reads the metadata of a hundred packages.
    from sudonglian.api.bill import bill, licence_counts
    from sudonglian.api.installed import hashes_of_lock, installed
    from sudonglian.api.npm_lock import packages

    console: Console = context.obj
    if output:
        check_writable(output)
    hashes: dict[tuple[str, str], frozenset[str]] = {}
    for name in lock or [str(one) for part in _LOCKS if (one := _CHECKOUT / part).is_file()]:
        for pin, digests in hashes_of_lock(_text_of(name)).items():
            hashes[pin] = hashes.get(pin, frozenset()) | digests
    subject, components = installed(hashes)
    for beside in [npm] if npm else [str(one) for part in _NPM if (one := _CHECKOUT / part).is_file()]:
        components += packages(read_file(beside), beside)
    document = bill(subject, components, made=datetime.now(UTC).isoformat(timespec="seconds") if timestamp else "")
    if output:
        write_file(output, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())
    running = [one for one in components if one.serves]
    told = [
        console.text(
            "{subject} {version}: {all} packages, {running} of them to run it",
            subject=subject.name,
            version=subject.version,
            all=len(components),
            running=len(running),
        ),
        console.text("licences (packages to run it / all):"),
    ]
    needed = dict(licence_counts(running))
    told += [f"{needed.get(licence, 0):>5} /{count:>4}  {licence}" for licence, count in licence_counts(components)]
    console.emit(document, told)
    return DONE


def _text_of(name: str) -> str:
    try:
        return read_file(name).decode()
    except UnicodeDecodeError as error:
        raise FileUnreadable("not UTF-8", place=name, zh="不是 UTF-8") from error


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(sbom)
