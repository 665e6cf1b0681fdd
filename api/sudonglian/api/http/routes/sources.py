"""FoodChain-Lab's files of deliveries over HTTP: a file in, the scores out; nothing of it is kept.

interfaces.md (sources), as the command line answers.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Query
from fastapi.responses import Response

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Tracer
from sudonglian.api.http.parameters import DRAINED, body_of, door_router

router = door_router("/sources", "Sources")

KINDS: Final = ("application/json",)

MOST_LISTED: Final = 2_000_000
"""Identifiers in lists of one kind: some fifty megabytes of answer."""

FILE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "FoodChain-Lab JSON, version 1.",
        "content": {kind: {"schema": {"type": "object"}} for kind in KINDS},
    }
}

Body = Annotated[bytes, Depends(body_of(DRAINED, KINDS))]


@router.post("", openapi_extra=FILE)
def sources(
    caller: Tracer,
    file: Body,
    cross_contamination: Annotated[
        bool, Query(description="Every station mixes what arrives with what leaves it no earlier.")
    ] = False,
) -> Response:
    """Score each station and delivery as the source of what was found; lists that are too long are null."""
    from sudonglian.trace.tables.source_answers import sources as answer_of

    return json_answer(answer_of(file, cross_contamination=cross_contamination, most=MOST_LISTED))
