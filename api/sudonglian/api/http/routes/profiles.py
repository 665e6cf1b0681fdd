"""Validation before capture, and the profiles that it can be done by.

interfaces.md (validate); docs/profiles.md.
"""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone, Capturer, submitter_of
from sudonglian.api.http.parameters import JSON_TYPES, XML_TYPES, body_of, door_router, kind_of
from sudonglian.api.http.routes.capture import TAKES
from sudonglian.api.validating import judge, profile_named
from sudonglian.records.epcis.document import MAX_DOCUMENT_BYTES, Form
from sudonglian.records.profiles import table

router = door_router("", "Validate")

Document = Annotated[bytes, Depends(body_of(MAX_DOCUMENT_BYTES, (*JSON_TYPES, *XML_TYPES)))]
ProfileName = Annotated[str | None, Query(max_length=80, description="One of `GET /profiles`.")]


@router.get("/profiles")
def profiles(caller: Anyone) -> Response:
    """List the profiles: what each is about, what it wants, and the laws and standards that it follows."""
    return json_answer({"profiles": [one.as_json() for one in table.profiles().values()]})


@router.post("/validate", openapi_extra=TAKES)
def validate(request: Request, caller: Capturer, document: Document, profile: ProfileName = None) -> Response:
    """Judge a document as capture would, by a profile too if one is named. Nothing is taken; the answer is 200 either way."""
    wanted = None if profile is None else profile_named(profile, "profile")
    form: Form = "xml" if kind_of(request) in XML_TYPES else "json"
    verdict = judge(document, submitter_of(caller), wanted, form)
    return json_answer({"profile": None if wanted is None else wanted.name, **verdict.as_json()})
