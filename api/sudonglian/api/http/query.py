"""The query language at the door: parameters of a request, page tokens, and what the API's description says of them.

EPCIS 2.0 §12.5 (paging), §12.8 (query parameters); the language itself is in sudonglian.records.querying.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.parameters import TakesQuery
from sudonglian.api.parsing import prefixes
from sudonglian.records.queries import Place
from sudonglian.records.querying import language
from sudonglian.records.querying.families import FAMILIES
from sudonglian.records.querying.parameter import GIVEN, Parameter
from sudonglian.records.querying.query import EventQuery
from sudonglian.records.querying.standing import STANDING

PAGING: Final = ("perPage", "nextPageToken")
"""Parameters of the answer's form, which are no part of the question."""

EXTENSIONS: Final = "GS1-Extensions"

FAMILY: Final = "families"
"""The name in the description of all parameters that have no fixed name; no request says it."""


class ReadsQuery(TakesQuery):
    """The dependency that reads a request's query."""

    def __call__(self, request: Request) -> EventQuery:
        """Return what is asked; an unknown parameter is refused."""
        asked = [pair for pair in request.query_params.multi_items() if pair[0] not in PAGING]
        return language.read(asked, prefixes(request.headers.get(EXTENSIONS, ""), EXTENSIONS))


Asked = Annotated[EventQuery, Depends(ReadsQuery())]


def token_of(place: Place) -> str:
    """Return the token of the page that begins behind a place."""
    return base64.urlsafe_b64encode(f"2:{place.key}:{place.row}:{place.given}".encode()).decode().rstrip("=")


def place_of(token: str | None) -> Place | None:
    """Return where a page begins.

    >>> place_of(token_of(Place(1767573000000000, 12, 30)))
    Place(key=1767573000000000, row=12, given=30)
    """
    if token is None:
        return None
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    if match := re.fullmatch(r"2:(-?\d{1,18}):(\d{1,16}):(\d{1,16})", text, re.ASCII):
        place = Place(*(int(one) for one in match.groups()))
        if token_of(place) == token:
            return place
    raise UsageRefused("not a token that this server gave for events", place="nextPageToken")


def references() -> dict[str, Any]:
    """Return what a route that takes a query adds to its description."""
    return {"parameters": [{"$ref": f"#/components/parameters/{name}"} for name in (*STANDING, FAMILY, EXTENSIONS)]}


def components() -> dict[str, Any]:
    """Return the description of every parameter, and of the families as the members of one object."""
    described = {one.name: _described(one) for one in STANDING.values()}
    forms = {
        f"^{one.form}$": {"type": "string", "title": one.name, "description": _about(one), "examples": [one.example]}
        for one in FAMILIES
    }
    described[FAMILY] = {
        "name": FAMILY,
        "in": "query",
        "required": False,
        "style": "form",
        "explode": True,
        "description": "Parameters whose names hold a type, a unit (UN/ECE Recommendation 20) or the name of a field: "
        "a prefixed name as it stands in the events, or an IRI. Each member of this object is a parameter of its own.",
        "schema": {"type": "object", "patternProperties": forms, "additionalProperties": False},
    }
    described[EXTENSIONS] = {
        "name": EXTENSIONS,
        "in": "header",
        "required": False,
        "description": "What prefixes of field names mean: prefix=IRI, several separated by commas.",
        "schema": {"type": "string"},
    }
    return described


def _described(one: Parameter) -> Mapping[str, Any]:
    schema: dict[str, Any] = {"type": "string", "maxLength": language.MAX_VALUE}
    if one.words:
        schema["enum"] = list(one.words)
    elif one.given == "count":
        schema = {"type": "integer", "minimum": 1}
    elif one.given == "boolean":
        schema = {"type": "boolean"}
    elif one.given == "number":
        schema = {"type": "number"}
    elif one.given == "nothing":
        schema = {"type": "string", "enum": ["", "1", "true"]}
    told = {"name": one.name, "in": "query", "required": False, "description": _about(one), "schema": schema}
    return (
        told | {"example": one.example} if isinstance(schema.get("type"), str) and schema["type"] == "string" else told
    )


def _about(one: Parameter) -> str:
    return f"{one.about} {GIVEN[one.given]}"
