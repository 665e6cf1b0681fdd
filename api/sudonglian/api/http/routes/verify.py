"""Verification for who has no program at hand. A server that verifies its own proofs proves nothing: see the answer.

docs/spec/bundle.md rules 10-16; the program is `sudonglian-verify`.
"""

import json
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone
from sudonglian.api.http.parameters import body_of, described, door_router, parsed
from sudonglian.chain import trust as trusts
from sudonglian.chain.verify import verify as judge

router = door_router("", "Verify")

MAX_VERIFY: Final = 8 * 1024 * 1024
"""Bundles of a record have some KB, of a busy lot some MB; the program takes larger ones."""

NOTICE: Final = "This server judged its own proof. Whoever must not trust it runs sudonglian-verify offline."


class VerifyAsk(BaseModel):
    """A bundle and what its reader trusts."""

    model_config = ConfigDict(extra="forbid", strict=True)

    bundle: str = Field(description="The bundle file's text, unchanged.")
    trust: str | dict[str, Any] = Field(description="The trust file: its text, or the object in it.")


@router.post("/verify", openapi_extra=described(VerifyAsk))
def verify(request: Request, caller: Anyone, raw: Annotated[bytes, Depends(body_of(MAX_VERIFY))]) -> Response:
    """Judge a bundle by a trust file: VALID, INVALID or INDETERMINATE, step by step."""
    asked = parsed(VerifyAsk, raw)
    trust = asked.trust.encode() if isinstance(asked.trust, str) else json.dumps(asked.trust).encode()
    verdict = judge(asked.bundle.encode(), trusts.parse(trust))
    return json_answer({**asdict(verdict), "notice": NOTICE})
