"""The command for whoever has only FoodChain-Lab's file of deliveries: where could it have come from.

interfaces.md (sources); docs/decisions/0331 and 0346.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from sudonglian.api.console import DONE, Console, read_file

TOLD: Final = 20
"""Stations that a person is told of, the likeliest first; all of them are in the JSON."""


def sources(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE.json", help="FoodChain-Lab JSON, version 1; - is standard input.")
    ],
    cross_contamination: Annotated[
        bool,
        typer.Option("--cross-contamination", help="Every station mixes what arrives with what leaves it no earlier."),
    ] = False,
) -> int:
    """Score each station and delivery as the source of what was found, say how likely each is, and name common links."""
    # Compiled code and its library take half a second to load, and no other command needs them.
    from sudonglian.trace.tables import fcl
    from sudonglian.trace.tables.source_answers import sources as answer_of

    console: Console = context.obj
    answer = answer_of(read_file(file, fcl.MAX_BYTES), cross_contamination=cross_contamination)
    console.emit(answer, _told(console, answer))
    return DONE


def register(root: typer.Typer) -> None:
    """Add this command to the command line."""
    root.command()(sources)


def _told(console: Console, answer: dict[str, Any]) -> Iterator[str]:
    ranked = sorted((one for one in answer["stations"] if one["score"] > 0), key=_likeliest)
    for one in ranked[:TOLD]:
        score = f"{one['score']:.4f}"
        likelihood = "-" if one["likelihood"] is None else f"{one['likelihood']:.4f}"
        if one["common_link"]:
            yield console.text(
                "{score}  {likelihood}  {id}  common link", score=score, likelihood=likelihood, id=one["id"]
            )
        else:
            yield console.text("{score}  {likelihood}  {id}", score=score, likelihood=likelihood, id=one["id"])
    yield console.text(
        "{count} of {stations} stations reach what was found; {deliveries} deliveries",
        count=len(ranked),
        stations=len(answer["stations"]),
        deliveries=len(answer["deliveries"]),
    )
    for note in answer.get("notes", ()):
        if note["note"] == "unreadable-date":
            yield console.text("{place}: {value} is no date and counts as unknown", **note)
        elif note["note"] == "likelihood-too-long":
            yield console.text("too many {place} to say how likely each is", **note)


def _likeliest(one: dict[str, Any]) -> tuple[int, float]:
    """Return where a station stands: by its likelihood, and where there is none or two are alike by its score."""
    return one["likelihood_rank"] or 0, -one["score"]
