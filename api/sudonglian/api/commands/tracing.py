"""The command of the epidemiologist: a trace, for a named purpose.

interfaces.md (trace); tracing.md; service.md (a trace from any door names a case or a purpose).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sudonglian.api.console import DONE, Console, check_writable, write_file
from sudonglian.api.errors import UsageRefused
from sudonglian.api.explaining import why
from sudonglian.api.parsing import PERSON, doubt, identifier_of, moment, seed_of, span, spans
from sudonglian.api.principals import login
from sudonglian.api.signing import confirmations_of
from sudonglian.api.wiring import open_house
from sudonglian.api.working import working
from sudonglian.trace.casework import geojson, graphml, line_list
from sudonglian.trace.casework.run import run_trace
from sudonglian.trace.engine import table
from sudonglian.trace.engine.pictures.alone import route_svg, timeline_svg
from sudonglian.trace.engine.pictures.times import local
from sudonglian.trace.engine.policies import policy_table
from sudonglian.trace.engine.progress import Stage
from sudonglian.trace.engine.query import POLICY, TIERS, TraceQuery
from sudonglian.trace.engine.tiers import tier_tables
from sudonglian.trace.errors import SeedUnknown

POLICIES: Final = tuple(policy_table())
EDITIONS: Final = tuple(tier_tables())


def trace(
    context: typer.Context,
    seed: Annotated[
        str, typer.Argument(metavar="SEED", help="An item, lot or place (EPC URN or Digital Link), or person:NUMBER.")
    ],
    at: Annotated[str, typer.Option(metavar="TIME", help="When it was sampled, with its offset.")],
    lookback: Annotated[
        str, typer.Option(metavar="SPAN", help="How long before that it may have been contaminated: 14d, 36h.")
    ] = "14d",
    until: Annotated[str, typer.Option(metavar="TIME", help="Where the trace ends; the log's end if absent.")] = "",
    backward: Annotated[bool, typer.Option("--backward", help="Ask what may have exposed the seed.")] = False,
    max_generation: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="How many hops a walk may have; any number if absent.")
    ] = None,
    policy: Annotated[
        str, typer.Option(metavar="P", help=f"What is assumed of the pathogen: {', '.join(POLICIES)}.")
    ] = POLICY,
    tiers: Annotated[
        str, typer.Option(metavar="T", help=f"By whose rules contacts are named: {', '.join(EDITIONS)}.")
    ] = TIERS,
    place: Annotated[
        str, typer.Option(metavar="PLACE", help="Where a lot was sampled; without it every portion is meant.")
    ] = "",
    lasting: Annotated[
        list[str] | None,
        typer.Option(
            "--persistence",
            metavar="KIND=SPAN",
            help="How long a location, vehicle, interior or handoff (place: all four) exposes after its source left,"
            " and an item (surface) or person after its own exposure; not at all, and without end, if absent.",
        ),
    ] = None,
    dwelt: Annotated[
        list[str] | None,
        typer.Option(
            "--min-dwell",
            "--step",
            metavar="KIND=SPAN",
            help="How long they must be together in a location, vehicle, interior or handoff; an instant if absent.",
        ),
    ] = None,
    strict: Annotated[
        bool | None,
        typer.Option(
            "--strict/--no-strict",
            help="Meetings of one instant do not chain; if absent they do only where nothing but days is known.",
            show_default=False,
        ),
    ] = None,
    log_size: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Answer from the first N entries, as it was answered then.")
    ] = None,
    without_interviews: Annotated[
        bool, typer.Option("--without-interviews", help="Ask firms' records alone, and not what people said.")
    ] = False,
    case: Annotated[
        str, typer.Option(metavar="C", help="The open case that keeps this trace, by number or name.")
    ] = "",
    purpose: Annotated[str, typer.Option(metavar="TEXT", help="What the trace is for, if there is no case.")] = "",
    member: Annotated[
        str,
        typer.Option(
            "--why", metavar="ID", help="Tell of this one alone, step by step with the records, why it is listed."
        ),
    ] = "",
    graph: Annotated[
        Path | None, typer.Option("--graphml", metavar="FILE", help="Also write the exposed as a graph.")
    ] = None,
    listed: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write the exposed as a table.")
    ] = None,
    workbook: Annotated[
        Path | None,
        typer.Option("--xlsx", metavar="FILE", help="Also write the exposed and their walks as a workbook."),
    ] = None,
    places: Annotated[
        Path | None,
        typer.Option("--geojson", metavar="FILE", help="Also write the places for a map, where firms say they are."),
    ] = None,
    fcl: Annotated[
        Path | None,
        typer.Option("--fcl", metavar="FILE", help="Also write the deliveries of the goods as FoodChain-Lab JSON."),
    ] = None,
    route: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw the route from place to place, as SVG.")
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw who was exposed when and where, as SVG.")
    ] = None,
) -> int:
    """Find who and what was exposed, with the records that show it."""
    console: Console = context.obj
    case, purpose = case.strip(), purpose.strip()
    if bool(case) == bool(purpose):
        raise UsageRefused("exactly one of --case and --purpose is needed", place="--purpose")
    if policy not in POLICIES:
        raise UsageRefused(f"{policy!r} is none of: {', '.join(POLICIES)}", place="--policy")
    if tiers not in EDITIONS:
        raise UsageRefused(f"{tiers!r} is none of: {', '.join(EDITIONS)}", place="--tiers")
    query = TraceQuery(
        seed=seed_of(seed, "SEED"),
        at=moment(at, "--at"),
        lookback=span(lookback, "--lookback"),
        until=moment(until, "--until") if until else None,
        backward=backward,
        max_generation=max_generation,
        seed_place=identifier_of(place, "--place") if place else "",
        policy=policy,
        tiers=tiers,
        log_size=log_size or 0,
        persistence=spans((_pair(text) for text in lasting or ()), "--persistence"),
        min_dwell=spans((_pair(text) for text in dwelt or ()), "--min-dwell"),
        strict=strict,
        interviews=not without_interviews,
    )
    if member:
        seed_of(member, "--why")
    for file in (graph, listed, workbook, places, fcl, route, timeline):
        if file is not None:
            check_writable(file)
    if query.at > datetime.now(UTC):
        console.say("--at is in the future: the answer holds what may come, not what was")
    with open_house(console) as house:
        with working(console, "tracing") as work:

            def report(stage: Stage) -> None:
                work.far = partial(_stage, console, stage)

            try:
                done = run_trace(house.store, house.keys, query, case=case, purpose=purpose, by=login(), report=report)
            except SeedUnknown:
                _advise(console, query.seed)
                raise
        document = done.result.as_json()
        explained = list(why(console, house.store, document, member, backward=backward)) if member else None
        with house.store.read() as connection:
            document["confirmations"] = confirmations_of(connection, document)
            told = geojson.told_of(connection, done.result) if places is not None else None
    if done.sealed:
        console.say("sealed {count} waiting entries first, so that the trace covers them", count=done.sealed)
    if graph is not None:
        write_file(graph, graphml.encode(done.result.to_networkx()))
    if listed is not None:
        write_file(listed, table.encode(done.result))
    if workbook is not None:
        write_file(workbook, line_list.encode(done.result))
    if places is not None and told is not None:
        write_file(places, geojson.encode(done.result, told))
    if fcl is not None:
        # With its arrays, which no other answer needs.
        from sudonglian.trace.tables.fcl_write import encode_answer

        write_file(fcl, encode_answer(done.result))
    if route is not None:
        write_file(route, route_svg(done.result, lang=console.lang).encode())
    if timeline is not None:
        write_file(timeline, timeline_svg(done.result, lang=console.lang).encode())
    document["trace"] = done.number
    console.emit(document, _told(console, document, explained))
    return DONE


def _pair(text: str) -> tuple[str, str]:
    kind, _, lasts = text.partition("=")
    return kind.strip(), lasts


def _stage(console: Console, stage: Stage) -> str:
    """Return how far a trace is, in words."""
    done, total, size = stage.done, stage.total, stage.size
    match stage.name:
        case "sealing":
            return console.text("sealing what waits")
        case "records":
            return console.text("reading records: {done} of {total}", done=done, total=total)
        case "facts":
            return console.text("deriving facts from events: {done} of {total}", done=done, total=total)
        case "index":
            return console.text("indexing {total} stays", total=total)
        case "possible":
            return console.text(
                "following what is possible: generation {done}, {size} newly exposed", done=done, size=size
            )
        case "certain":
            return console.text(
                "following what is certain: generation {done}, {size} newly exposed", done=done, size=size
            )
        case "members":
            return console.text("explaining why {total} are listed", total=total)
        case "document":
            return console.text("writing an answer of {total}", total=total)
        case "graph":
            return console.text("drawing a graph of {total}", total=total)


def _advise(console: Console, seed: str) -> None:
    """Tell what may be wrong with a seed that no record names."""
    if seed.startswith(PERSON):
        console.say("a person is asked for by the number that a trace gave, never by a phone or an identity card")
    elif said := doubt(seed, console.lang):
        console.say("{error}", error=said)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(trace)


def _when(text: str) -> str:
    """Return a time of an answer as people here write it, to the second.

    >>> _when("2024-11-10T06:00:00.000001Z"), _when("")
    ('2024-11-10T14:00:00+08:00', '')
    """
    moment = local(text)
    return text if moment is None else moment.isoformat(timespec="seconds")


def _told(console: Console, document: dict[str, Any], explained: list[str] | None) -> Iterator[str]:
    counts = {kind: sum(one["kind"] == kind for one in document["members"]) for kind in ("item", "place", "person")}
    yield console.text("exposed: {item} items, {place} places, {person} persons", **counts)
    yield from explained or ()
    for one in document["members"] if explained is None else ():
        generation = f"{one['generation']['objects']}+{one['generation']['persons']}"
        when = _when(one["time"])
        tier = one["tier_zh"] if console.lang == "zh" else one["tier"]
        yield f"{one['kind']:<6} {one['evidence']:<8} {generation:<5} {tier:<12} {when}  {one['id']}"
    log = document["log"]
    yield console.text("log size {size}, root {root}", size=log["size"], root=log["root"])
    yield console.text("document {digest}", digest=document["document_hash"])
    yield console.text("Exposed is not infected: this shows who and what could have met, by what firms recorded.")
