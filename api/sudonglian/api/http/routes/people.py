"""Erasure over HTTP, for the operator who answers people's requests, and its receipts.

docs/privacy.md; docs/spec/receipt.md. An identity comes in a body alone: addresses are kept in too many logs.
"""

from datetime import UTC, datetime
from typing import Literal

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Operator
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import JsonBody, described, door_router, parsed
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.records import erasing, receipts
from sudonglian.records.identities import identity

router = door_router("/people", "People")


class ErasureAsk(BaseModel):
    """Whom to erase, and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["cn-id", "phone", "passport", "badge"]
    value: str = Field(min_length=1, max_length=1_000, description="The identity, however it is written.")
    reason: str = Field(min_length=1, max_length=1_000, description="Kept in the receipt; it names nobody.")
    submitter: str = Field("", max_length=2_000, description="The firm whose badge it is; only for badges.")


@router.post("/erasures", status_code=201, openapi_extra=described(ErasureAsk))
def erase(request: Request, caller: Operator, raw: JsonBody) -> Response:
    """Erase a person: key, sealed data and lookup are gone, proofs still hold. The receipt is in the private tree."""
    door, asked = door_of(request), parsed(ErasureAsk, raw)
    whose = submitter_of(asked.submitter, "/submitter") if asked.kind == "badge" else ""
    who = identity(asked.kind, asked.value, whose)
    done = erasing.erase(door.store, door.keys, who, asked.reason, datetime.now(UTC))
    location = f"{router.prefix}/erasures/{done.erasure.private_index}"
    return json_answer(done.as_json(), 201, {"Location": location})


@router.get("/erasures/{number}")
def receipt(request: Request, caller: Operator, number: int) -> Response:
    """Give an erasure's receipt with its proofs, to be verified offline; 409 until it is sealed."""
    with door_of(request).store.read() as connection:
        raw, _ = receipts.receipt(connection, number)
    return Response(raw, 200, {"Content-Type": "application/json"})
