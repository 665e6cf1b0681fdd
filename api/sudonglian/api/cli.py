"""The command line: finds the command, speaks the person's language, turns every end into an exit code.

interfaces.md (commands and their JSON; exit codes 0, 1, 2, 64).
"""

import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from sudonglian.api import settings, usage_words
from sudonglian.api.commands import (
    access,
    accounts,
    api_keys,
    cases,
    contacts,
    contract,
    events,
    examine,
    fsma204,
    kek,
    labels,
    lists,
    log,
    monitor,
    operation,
    parties,
    people,
    proof,
    records,
    retracing,
    sample,
    sbom,
    serve,
    sheets,
    signing,
    sources,
    temperature,
    tracing,
    warm,
    webhooks,
)
from sudonglian.api.console import INTERRUPTED, REFUSED, USAGE, Console, prepare_streams, tell
from sudonglian.api.errors import UsageRefused
from sudonglian.api.settings import Lang
from sudonglian.api.words import chinese
from sudonglian.chain.errors import SudonglianError

BROKEN_PIPE = 141
"""What shells give a program whose reader went away."""

SETTLED = ("--data-dir", "--lang")


class Shared(NamedTuple):
    """The options that may stand anywhere on the line."""

    json: bool
    data_dir: str | None
    lang: str | None


def hoist(arguments: Sequence[str]) -> tuple[Shared, list[str]]:
    """Return the shared options, wherever they stand before `--`, and all other arguments.

    >>> hoist(["capture", "--json", "a.json", "--lang=zh"])
    (Shared(json=True, data_dir=None, lang='zh'), ['capture', 'a.json'])
    """
    found: dict[str, str] = {}
    json, rest = False, []
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        if argument == "--":
            rest += [argument, *waiting]
        elif argument == "--json":
            json = True
        elif name in SETTLED:
            taken = value if equals else next(waiting, None)
            if not taken:
                raise UsageRefused("needs a value", place=name)
            found[name] = taken
        else:
            rest.append(argument)
    return Shared(json, found.get("--data-dir"), found.get("--lang")), rest


app = typer.Typer(
    name="sudonglian",
    help="Cold-chain provenance and contact tracing with proofs.",
    epilog="Exit codes: 0 done or valid, 1 refused or invalid, 2 indeterminate, 64 wrong usage or unreadable file.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
)


@app.callback()
def start(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="Give one JSON document on standard output; may stand anywhere.")
    ] = False,
    data_dir: Annotated[
        str, typer.Option(metavar="DIR", help="The data folder (or SUDONGLIAN_DATA); may stand anywhere.")
    ] = "",
    lang: Annotated[str, typer.Option(metavar="zh|en", help="Language of the words; may stand anywhere.")] = "",
) -> int:
    """Show what there is to ask, if nothing was asked."""
    if context.invoked_subcommand is None:
        tell(sys.stdout, context.get_help())
        return USAGE
    return 0


for commands in (
    records,
    temperature,
    lists,
    fsma204,
    labels,
    sheets,
    events,
    signing,
    log,
    proof,
    examine,
    tracing,
    cases,
    access,
    retracing,
    contacts,
    sources,
    people,
    operation,
    contract,
    serve,
    api_keys,
    accounts,
    kek,
    parties,
    monitor,
    sample,
    sbom,
    webhooks,
    warm,
):
    commands.register(app)


def build(lang: Lang) -> Any:
    """Return the tree of commands with its help in a language."""
    root = typer.main.get_command(app)
    if lang == "zh":
        _translate(root, chinese())
    return root


def _translate(command: Any, table: dict[str, str]) -> None:
    for name in ("help", "short_help", "epilog"):
        if text := getattr(command, name, None):
            setattr(command, name, table.get(text.strip(), text))
    for parameter in command.params:
        if text := getattr(parameter, "help", None):
            parameter.help = table.get(text, text)
    for inner in getattr(command, "commands", {}).values():
        _translate(inner, table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; no error leaves as a stack trace."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    shared = Shared("--json" in given, None, None)
    console: Console | None = None
    prepare_streams()
    try:
        shared, rest = hoist(given)
        console = open_console(shared)
        code = build(console.lang).main(args=rest, prog_name="sudonglian", standalone_mode=False, obj=console)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # What is still buffered has nowhere to go; Python would complain about it on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except typer.TyperException as error:
        # "Value error" is what the parser's own library puts before a sentence.
        reason = error.format_message().replace("Value error, ", "")
        return _fallback(console, shared).refuse(UsageRefused(reason, zh=usage_words.chinese(reason)), USAGE)
    except UsageRefused as error:
        return _fallback(console, shared).refuse(error, USAGE)
    except SudonglianError as error:
        return _fallback(console, shared).refuse(error, REFUSED)
    except Exception as error:  # noqa: BLE001  the last door: whatever this is, a person gets one line and a file to send
        return _fallback(console, shared).refuse(_unexpected(error, shared), REFUSED)


def open_console(shared: Shared) -> Console:
    """Return the console of a run."""
    chosen = settings.read(data_dir=shared.data_dir)
    if shared.lang:
        chosen = replace(chosen, lang=settings.lang(shared.lang, "--lang"))
    return Console(chosen, chosen.lang, shared.json)


def _fallback(console: Console | None, shared: Shared) -> Console:
    if console is not None:
        return console
    # The settings themselves were refused: whatever language can still be told, in the form that was asked for.
    try:
        lang = settings.lang(shared.lang, "--lang") if shared.lang in ("zh", "en") else settings.language()
    except SudonglianError:
        lang = "en"
    return Console(settings.read({}), lang, shared.json)


class Unexpected(SudonglianError):
    """An error that nobody foresaw."""

    slug = "unexpected"


def _unexpected(error: Exception, shared: Shared) -> Unexpected:
    log_file = settings.error_log(data_dir=shared.data_dir)
    # Where it happened and of which kind, without the error's own text: that may hold a person's data.
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    report = f"{datetime.now(UTC).isoformat()} {type(error).__module__}.{type(error).__qualname__}\n{''.join(frames)}\n"
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with open(log_file, "a", encoding="utf-8") as out:
            out.write(report)
        kept: Path | str = log_file
    except OSError:
        kept = "(no file could be written)"
    return Unexpected(f"{type(error).__name__}; where it happened is written in {kept}")
