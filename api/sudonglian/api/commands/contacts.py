"""Commands for whoever has only a table of contacts: no store, no chain, no purpose to name.

interfaces.md (contacts reach, contacts summary); tracing.md §3.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sudonglian.api.console import DONE, Console, write_file
from sudonglian.api.errors import FileUnreadable

app = typer.Typer(help="Trace a plain table of contacts: who met whom, and when.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header (UTF-8 or GB18030, also gzip).")]
Source = Annotated[str, typer.Option(metavar="COLUMN", help="Who passes on.")]
Target = Annotated[str, typer.Option(metavar="COLUMN", help="Who is met.")]
Time = Annotated[str, typer.Option(metavar="COLUMN", help="When: dates, timestamps or plain numbers.")]
Wait = Annotated[str, typer.Option(metavar="SPAN", help="The longest wait between contacts: 14d, 36h, or a number.")]
Strict = Annotated[
    bool | None,
    typer.Option("--strict/--no-strict", help="Contacts of one instant do not chain; with dates alone they do."),
]


@app.command()
def reach(
    context: typer.Context,
    file: File,
    source: Source,
    target: Target,
    time: Time,
    seed: Annotated[str, typer.Option(metavar="NAME", help="Whom to start from.")],
    end: Annotated[
        str, typer.Option(metavar="COLUMN", help="When the contact ended; without it, it is an instant.")
    ] = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="From when on the seed passes on; always if absent.")] = "",
    until: Annotated[
        str, typer.Option(metavar="TIME", help="The last time that counts; of intervals, the first not.")
    ] = "",
    backward: Annotated[
        bool, typer.Option("--backward", help="Ask who reaches the seed; time runs down from --at.")
    ] = False,
    undirected: Annotated[bool, typer.Option("--undirected", help="Each contact goes both ways.")] = False,
    step: Annotated[
        str, typer.Option(metavar="SPAN", help="How long a contact must last to pass on; needs --end.")
    ] = "",
    max_wait: Wait = "",
    strict: Strict = None,
) -> int:
    """Find whom one party reaches through contacts that follow each other in time, and when first."""
    # Compiled code and its library take half a second to load, and no other command needs them.
    from sudonglian.trace.tables.contact_answers import Columns, ReachAsk
    from sudonglian.trace.tables.contact_answers import reach as answer_of

    console: Console = context.obj
    _there(file)
    ask = ReachAsk(seed, at, until, step, max_wait, backward, undirected, strict)
    answer = answer_of(file, Columns(source, target, time, end), ask)
    console.emit(answer, _told(console, answer))
    return DONE


@app.command()
def stays(
    context: typer.Context,
    file: File,
    party: Annotated[str, typer.Option(metavar="COLUMN", help="Who was there.")],
    place: Annotated[str, typer.Option(metavar="COLUMN", help="Where.")],
    start: Annotated[str, typer.Option(metavar="COLUMN", help="Since when: dates, timestamps or plain numbers.")],
    end: Annotated[str, typer.Option(metavar="COLUMN", help="Until when; an empty cell is a stay that goes on.")],
    seed: Annotated[str, typer.Option(metavar="NAME", help="Who was exposed first.")] = "",
    seed_place: Annotated[str, typer.Option(metavar="NAME", help="Or: the place that was exposed at --at.")] = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="From when on the seed exposes others.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="The first time that does not count; a day counts.")] = "",
    persistence: Annotated[
        str, typer.Option(metavar="SPAN", help="How long places go on exposing: 6h, 14d, or a number.")
    ] = "",
    max_generation: Annotated[
        int | None, typer.Option(metavar="N", help="How many hops from the seed at most.")
    ] = None,
    backward: Annotated[bool, typer.Option("--backward", help="Ask who could have exposed the seed.")] = False,
    strict: Annotated[
        bool | None,
        typer.Option("--strict/--no-strict", help="Meetings of one instant do not chain; with dates alone they do."),
    ] = None,
    walks: Annotated[
        bool, typer.Option("--walks", help="Also give for each party a way with the fewest hops.")
    ] = False,
) -> int:
    """Find whom one party exposes through stays in the same places, from check-ins, shifts or visits."""
    from sudonglian.trace.tables.stay_table import StayAsk, StayColumns, exposed

    console: Console = context.obj
    _there(file)
    ask = StayAsk(seed, seed_place, at, until, persistence, max_generation, backward, strict, walks)
    answer = exposed(file, StayColumns(party, place, start, end), ask)

    def lines() -> Iterator[str]:
        for one in answer["reached"]:
            when = one.get("arrival", one.get("departure"))
            yield console.text("{when}  {node}  in {place}, generation {generation}, by {previous}", when=when, **one)
        yield console.text("{count} parties", count=len(answer["reached"]))

    console.emit(answer, lines())
    return DONE


@app.command()
def summary(
    context: typer.Context,
    file: File,
    source: Source,
    target: Target,
    time: Time,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="The first time that counts.")],
    to: Annotated[str, typer.Option(metavar="TIME", help="The last time that counts.")],
    max_wait: Wait = "",
    strict: Strict = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Also write the measures of every party.")
    ] = None,
) -> int:
    """Count partners and contact chains, in and out, of every party over a window."""
    from sudonglian.trace.tables.contact_answers import Columns, SummaryAsk, summary_csv
    from sudonglian.trace.tables.contact_answers import summary as answer_of

    console: Console = context.obj
    _there(file)
    answer, table, found = answer_of(file, Columns(source, target, time), SummaryAsk(since, to, max_wait, strict))
    if out is not None:
        write_file(out, "".join(summary_csv(table, found)).encode())

    def lines() -> Iterator[str]:
        yield console.text("{contacts} contacts of {rows} in the window, {nodes} parties", **answer)
        yield console.text("distinct partners, summed: {in_degree} in, {out_degree} out", **answer["sums"])
        yield console.text(
            "contact chains, summed: {ingoing_contact_chain} ingoing, {outgoing_contact_chain} outgoing",
            **answer["sums"],
        )

    console.emit(answer, lines())
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.add_typer(app, name="contacts")


def _there(file: Path) -> None:
    if not file.is_file():
        raise FileUnreadable("a folder, not a file" if file.is_dir() else "there is no such file", place=str(file))


def _told(console: Console, answer: dict[str, Any]) -> Iterator[str]:
    for one in answer["reached"]:
        when = one.get("arrival", one.get("departure"))
        yield console.text("{when}  {node}  in {hops} hops, by {previous}", when=when, **one)
    yield console.text("{count} parties", count=len(answer["reached"]))
