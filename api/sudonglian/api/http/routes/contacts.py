"""Plain tables of contacts over HTTP: a table in, the answer out; nothing of it is kept.

interfaces.md (contacts reach, contacts summary) and stays, as the command line answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from fastapi.responses import Response

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Tracer
from sudonglian.api.http.parameters import DRAINED, body_of, door_router

router = door_router("/contacts", "Contacts")

KINDS: Final = ("text/csv", "application/gzip")

TABLE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A table with a header: CSV in UTF-8 or GB18030, also compressed.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS},
    }
}

Body = Annotated[bytes, Depends(body_of(DRAINED, KINDS))]
Column = Annotated[str, Query(max_length=200, description="The name of a column.")]
Typed = Annotated[str, Query(max_length=64, description="As on the command line; empty is not said.")]
Strict = Annotated[bool | None, Query(description="Contacts of one instant do not chain.")]


@router.post("/reach", openapi_extra=TABLE)
def contacts_reach(
    caller: Tracer,
    table: Body,
    source: Column,
    target: Column,
    time: Column,
    seed: Annotated[str, Query(max_length=200, description="Whom to start from.")],
    end: Column = "",
    at: Typed = "",
    until: Typed = "",
    step: Typed = "",
    max_wait: Typed = "",
    backward: bool = False,
    undirected: bool = False,
    strict: Strict = None,
) -> Response:
    """Find whom one party reaches through contacts that follow each other in time, and when first."""
    from sudonglian.trace.tables import contact_answers as answers

    ask = answers.ReachAsk(seed, at, until, step, max_wait, backward, undirected, strict)
    with _file(table) as path:
        return json_answer(answers.reach(path, answers.Columns(source, target, time, end), ask))


@router.post("/stays", openapi_extra=TABLE)
def contacts_stays(
    caller: Tracer,
    table: Body,
    party: Column,
    place: Column,
    start: Column,
    end: Column,
    seed: Annotated[str, Query(max_length=200, description="Who was exposed first.")] = "",
    seed_place: Annotated[str, Query(max_length=200, description="Or the place that was exposed at `at`.")] = "",
    at: Typed = "",
    until: Typed = "",
    persistence: Typed = "",
    max_generation: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="How many hops at most.")] = None,
    backward: bool = False,
    strict: Strict = None,
    walks: bool = False,
) -> Response:
    """Find whom one party, or a place, exposes through stays in the same places: check-ins, shifts, visits."""
    from sudonglian.trace.tables.stay_table import StayAsk, StayColumns, exposed

    ask = StayAsk(seed, seed_place, at, until, persistence, max_generation, backward, strict, walks)
    with _file(table) as path:
        return json_answer(exposed(path, StayColumns(party, place, start, end), ask))


@router.post("/summary", openapi_extra=TABLE)
def contacts_summary(
    caller: Tracer,
    table: Body,
    source: Column,
    target: Column,
    time: Column,
    since: Annotated[Typed, Query(alias="from")],
    to: Typed,
    max_wait: Typed = "",
    strict: Strict = None,
) -> Response:
    """Count partners and contact chains, in and out, of all parties over a window."""
    from sudonglian.trace.tables import contact_answers as answers

    with _file(table) as path:
        ask = answers.SummaryAsk(since, to, max_wait, strict)
        return json_answer(answers.summary(path, answers.Columns(source, target, time), ask)[0])


@contextmanager
def _file(table: bytes) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / ("table.csv.gz" if table[:2] == b"\x1f\x8b" else "table.csv")
        path.write_bytes(table)
        yield path
