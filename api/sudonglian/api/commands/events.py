"""The command that asks for events: the same parameters as over HTTP, as NAME=VALUE.

EPCIS 2.0 §8.2.7.1; docs/query-parameters.md lists the parameters.
"""

import sys
from datetime import UTC, datetime
from typing import Annotated, Final

import orjson
import typer

from sudonglian.api.console import DONE, Console, tell
from sudonglian.api.parsing import prefixes
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.wiring import open_house
from sudonglian.chain.canonical import Json
from sudonglian.records import queries
from sudonglian.records.epcis.query_document import query_document
from sudonglian.records.querying import language
from sudonglian.records.querying.values import bare

AT_ONCE: Final = 1_000
"""Events of one page, as over HTTP."""


def events(
    context: typer.Context,
    asked: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE", help="A query parameter, such as EQ_bizStep=shipping or GE_value_CEL=-15."
        ),
    ] = None,
    submitter: Annotated[
        str, typer.Option(metavar="URI", help="Whose events; SUDONGLIAN_SUBMITTER if not given.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="So many events at most.")] = AT_ONCE,
    extensions: Annotated[
        str, typer.Option(metavar="PREFIX=IRI,…", help="What prefixes of field names mean, if not what is written.")
    ] = "",
) -> int:
    """Find a submitter's own events by EPCIS query parameters; with --json, an EPCISQueryDocument."""
    console: Console = context.obj
    who = submitter_of(submitter, "--submitter") if submitter else console.settings.submitter
    pairs = [(name, value) for name, _, value in (one.partition("=") for one in asked or [])]
    query = language.read(pairs, prefixes(extensions, "--extensions"))
    found: list[dict[str, Json]] = []
    with open_house(console) as house, house.store.read() as connection:
        place: queries.Place | None = None
        while len(found) < limit:
            at_once = min(AT_ONCE, limit - len(found))
            page = queries.search(connection, house.keys, who, query, at_once, place)
            found += page.events
            place = page.next
            if place is None:
                break
    if place is not None:
        console.say("more events fit than these {count}; --limit shows more", count=len(found))
    if console.json:
        # Not as other answers are written: numbers of the events are kept digit for digit.
        tell(sys.stdout, orjson.dumps(query_document(found, datetime.now(UTC))).decode())
    else:
        console.emit({}, [_line(one) for one in found] or [console.text("no event fits")])
    return DONE


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(events)


def _line(event: dict[str, Json]) -> str:
    kind, step = str(event.get("type", "")), bare(str(event.get("bizStep", "—")))
    return f"{event.get('eventTime', '')}  {kind:<19}  {step:<12}  {event.get('eventID', '—')}"
