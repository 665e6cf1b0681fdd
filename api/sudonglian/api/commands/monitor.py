"""The command that watches somebody else's log.

sudonglian.api.monitoring says what is checked; docs/http.md shows a run.
"""

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Annotated, Any, ClassVar, Final

import typer

from sudonglian.api.console import DONE, INDETERMINATE, REFUSED, Console, check_writable, read_file, write_file
from sudonglian.api.errors import DoorError, UsageRefused
from sudonglian.api.monitoring import MAX_STATE, LogLies, Served, StateRefused, Watched
from sudonglian.api.working import working
from sudonglian.chain import canonical
from sudonglian.chain.checkpoint import VerifierKey
from sudonglian.chain.errors import ProofRefused
from sudonglian.records.errors import NotInLog

TIMEOUT_S: Final = 30

MAX_ANSWER: Final = 1024 * 1024 * 1024
"""A thousand records of the largest size would be four times this; real ones have a kilobyte."""

PAGE: Final = 1_000

NOTHING_YET: Final = f"urn:sudonglian:problem:{NotInLog.slug}"

PATIENCE: Final = 5
"""How often a server that says 429 is asked again."""


class ServerUnreadable(DoorError):
    """A server that does not answer, or answers what cannot be read: that shows nothing either way."""

    slug: ClassVar[str] = "monitor-unreadable"


class Server:
    """What a log serves over HTTP."""

    def __init__(self, url: str, token: str = "") -> None:
        if not url.startswith(("http://", "https://")):
            raise UsageRefused(f"{url[:80]!r} is not a URL like http://127.0.0.1:8000", place="URL")
        self.url = url.rstrip("/")
        self.token = token
        """An auditor's key; without one the log gives its hashes alone."""
        self.progress: Callable[[int], None] = lambda _read: None
        """Told up to which entry the log has been read."""

    def newest(self) -> tuple[str, str]:
        """Return the newest note and the key that the server says signs it; both empty before the first seal."""
        status, answer = self._ask("/log/checkpoint")
        if status == 404:
            # A log without a seal says so by name; anything else that is not found is no log at all.
            if answer.get("type") != NOTHING_YET:
                raise ServerUnreadable("no log is served there; is the URL right?", place=self.url)
            return "", ""
        return _text(answer, "note"), _text(answer, "verifier_key")

    def notes(self, size: int) -> Iterator[tuple[int, str]]:
        """Yield the checkpoints of at least a size, in order."""
        while True:
            _, answer = self._ask(f"/log/checkpoints?from={size}")
            listed = _listed(answer, "checkpoints")
            for one in listed:
                size = _number(one, "size") + 1
                yield size - 1, _text(one, "note")
            if not listed:
                return

    def entries(self, start: int, end: int) -> list[Served]:
        """Return the entries in [start, end), or as many of them as the server gives."""
        found: list[Served] = []
        while start + len(found) < end:
            first = start + len(found)
            limit = min(PAGE, end - first)
            _, answer = self._ask(f"/log/entries?from={first}&limit={limit}{'&records=true' if self.token else ''}")
            page = _listed(answer, "entries")
            if not page:
                break
            for one in page[:limit]:
                record = one.get("record")
                data = _text(one, "data").encode("utf-8", "replace")
                kept = record.encode("utf-8", "replace") if isinstance(record, str) else None
                found.append(Served(_number(one, "index"), data, kept))
            self.progress(start + len(found))
        return found

    def _ask(self, path: str) -> tuple[int, Mapping[str, Any]]:
        for _ in range(PATIENCE):
            status, raw, wait = self._get(path)
            if status != 429:
                break
            Event().wait(wait)
        if status not in (200, 404):
            raise ServerUnreadable(f"it answers {status}", place=f"{self.url}{path}")
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise ServerUnreadable("it answers no JSON", place=f"{self.url}{path}") from error
        if not isinstance(answer, dict):
            raise ServerUnreadable("it answers no object", place=f"{self.url}{path}")
        return status, answer

    def _get(self, path: str) -> tuple[int, bytes, int]:
        try:
            headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            asked = urllib.request.Request(f"{self.url}{path}", headers=headers)
            with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as response:
                return response.status, response.read(MAX_ANSWER), 0
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After", "1")
            with error:
                return error.code, error.read(MAX_ANSWER), int(wait) if wait.isdigit() and len(wait) < 4 else 1
        except (OSError, ValueError) as error:
            why = error.reason if isinstance(error, urllib.error.URLError) else error
            said = (why.strerror if isinstance(why, OSError) else None) or str(why) or type(why).__name__
            raise ServerUnreadable(f"it does not answer: {said}", place=self.url) from error


def watch(server: Server, state: Watched | None, key: str) -> Watched | None:
    """Bring what is known of a log up to its newest checkpoint; None while it has none.

    Raises
    ------
    LogLies
        What it serves contradicts itself or what was served before.
    ServerUnreadable
        It does not answer.
    """
    note, named = server.newest()
    if not note:
        if state is not None and state.size:
            raise LogLies("shrunk", f"it signed size {state.size}, and now shows none", evidence={"kept": state.note})
        return state
    state = state or Watched(key or named, has_records=bool(server.token))
    target = state.look(note)
    if target == state.size:
        return state
    for size, one in server.notes(state.size + 1):
        if size > target:
            break
        state.extend(server.entries(state.size, size), one)
    if state.size != target:
        raise LogLies(
            "withheld", f"the way to its checkpoint of size {target} is not served", evidence={"served": note}
        )
    state.look(note)
    return state


def monitor(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The server of the log.")],
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to keep what was seen; without it a run starts anew.")
    ] = None,
    key: Annotated[str, typer.Option(metavar="KEY", help="The log's verifier key; the one first seen if absent.")] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An auditor's API key: with it the records are replayed too, and the lot map."
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
    every: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="How often to look.")] = 30,
) -> int:
    """Watch a log: replay its entries, seals, checkpoints and with a key its lot map; exit 1 with evidence if it lies."""
    console: Console = context.obj
    server = Server(url, _token(token_file))
    if state is not None:
        check_writable(state)
    known = _kept(state, key)
    if known is not None and known.has_records != bool(server.token):
        raise UsageRefused("its state was made with a key and this is without one, or the other way", place="--state")
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    while True:
        code = DONE
        try:
            before, is_new = known.size if known else 0, known is None and not key
            with working(console, "replaying the log") as work:
                server.progress = work.at
                known = watch(server, known, key)
            if is_new and known is not None:
                console.say("no key given: the one that the server names is taken, and kept")
            size = known.size if known else 0
            if state is not None and known is not None:
                write_file(state, canonical.encode(known.as_json()))
            console.say("checked: entries {before} to {size}", before=before, size=size)
        except LogLies as lie:
            return _report(console, state, known, lie)
        except ServerUnreadable as error:
            code = INDETERMINATE
            if once:
                return console.refuse(error, code)
            console.say("{error}", error=error.diagnostics())
        if once or stopping.wait(every):
            break
    lines = [console.text("the log has kept its word")]
    if not server.token:
        lines.append(console.text("the lot map was not replayed: that needs an auditor's key (--token-file)"))
    console.emit(_told(known, []), lines)
    return code


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(monitor)


def _token(file: Path | None) -> str:
    if file is None:
        return ""
    token = read_file(str(file)).decode("utf-8", "replace").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageRefused("holds no API key", place=str(file))
    return token


def _kept(file: Path | None, key: str) -> Watched | None:
    if key:
        try:
            VerifierKey.parse(key)
        except ProofRefused as error:
            raise UsageRefused(error.reason, place="--key") from error
    if file is None or not file.exists():
        return None
    raw = read_file(str(file))
    if len(raw) > MAX_STATE:
        raise UsageRefused("too large for a state", place=str(file))
    try:
        known = Watched.parse(raw)
    except StateRefused as error:
        raise StateRefused(error.reason, place=str(file)) from error
    if key and known.verifier_key != key:
        raise UsageRefused("the state is of a log with another key", place="--key")
    return known


def _report(console: Console, file: Path | None, known: Watched | None, lie: LogLies) -> int:
    document = _told(known, [lie.as_json()])
    if file is not None:
        evidence = file.with_name(f"{file.name}.evidence.json")
        write_file(evidence, json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
        console.say("the evidence is in {file}", file=evidence)
    console.emit(document, [f"{lie.code} {lie.place} — {lie.reason}", *map(str, lie.evidence.values())])
    return REFUSED


def _told(known: Watched | None, faults: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ok": not faults,
        "size": known.size if known else 0,
        "root": known.root.hex() if known and known.size else None,
        "verifier_key": known.verifier_key if known else None,
        "lot_map": known.has_records if known else False,
        "faults": faults,
    }


def _text(answer: Mapping[str, Any], name: str) -> str:
    if not isinstance(value := answer.get(name), str):
        raise ServerUnreadable(f"its answer has no {name}")
    return value


def _number(answer: Mapping[str, Any], name: str) -> int:
    if type(value := answer.get(name)) is not int or value < 0:
        raise ServerUnreadable(f"its answer has no {name}")
    return value


def _listed(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = answer.get(name)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ServerUnreadable(f"its answer has no {name}")
    return value
