"""What a request may carry: declared query parameters only, bodies within limits, opaque page tokens.

service.md (HTTP: 413 with limits, opaque keyset cursors); EPCIS 2.0 §12 (an unknown query parameter is refused).
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, TypeVar

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from sudonglian.api.errors import DoorError, UsageRefused
from sudonglian.api.http.edge import TooManyRequests

MAX_JSON: Final = 64 * 1024
"""A question is a page of text; documents and bundles have limits of their own."""

DRAINED: Final = 64 * 1024 * 1024
"""Of a body that is too large so much is read and dropped, so that its sender gets to hear the refusal."""

MAX_URI: Final = 32_000
"""Bytes of an address: half of what the server program closes the connection at, and no person's question is as long."""

MAX_INTEGER: Final = 2**53 - 1
"""What JSON and both databases hold."""

JSON_TYPES: Final = ("application/json", "application/ld+json")

XML_TYPES: Final = ("application/xml", "text/xml")

PER_PAGE: Final = 30
"""EPCIS 2.0 §12.5: what a page has when nobody says."""

MAX_PER_PAGE: Final = 1_000

Model = TypeVar("Model", bound=BaseModel)


class BodyTooLarge(DoorError):
    """A body beyond its limit; `headers` tell the limit as the route does otherwise."""

    slug: ClassVar[str] = "body-too-large"

    def __init__(self, reason: str, *, place: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason, place=place)
        self.headers = dict(headers or {})


class MediaTypeRefused(DoorError):
    """A body of a kind that is not taken here."""

    slug: ClassVar[str] = "media-type"


class NotAcceptable(DoorError):
    """An answer is asked for in a form that is not given."""

    slug: ClassVar[str] = "not-acceptable"


class UriTooLong(DoorError):
    """An address beyond what is read."""

    slug: ClassVar[str] = "uri-too-long"


class NoSuchResource(DoorError):
    """Something that there cannot be, or that is not the caller's."""

    slug: ClassVar[str] = "no-such-resource"


class BodyRefused(UsageRefused):
    """A body whose members are not what they must be; `place` points to the first."""

    slug = "body"


class SheetRowsRefused(BodyRefused):
    """A sheet with rows that are not what they must be; each is told."""

    slug = "sheet-rows"


PerPage = Annotated[int, Query(alias="perPage", ge=1, le=MAX_PER_PAGE)]
PageToken = Annotated[str | None, Query(alias="nextPageToken", max_length=4_000)]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255, pattern=r"^[\x21-\x7e]+$")]


def kind_of(request: Request) -> str:
    """Return the media type of a body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def body_of(
    limit: int, kinds: tuple[str, ...] = JSON_TYPES, headers: Mapping[str, str] | None = None
) -> Callable[[Request], Any]:
    """Return the dependency that reads a body of one of these media types and of at most `limit` bytes.

    `headers` go with the refusal of a larger one.
    """

    async def read(request: Request) -> bytes:
        if kind_of(request) not in kinds:
            raise MediaTypeRefused(f"the Content-Type must be one of {', '.join(kinds)}", place="Content-Type")
        if request.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
            raise MediaTypeRefused(
                "the body must come uncompressed, without Content-Encoding", place="Content-Encoding"
            )
        length = request.headers.get("content-length", "0")
        size = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else limit + 1
        if size > DRAINED:
            raise BodyTooLarge(f"at most {limit} bytes are taken here", headers=headers)
        parts: list[bytes] = []
        total = 0
        async for part in request.stream():
            total += len(part)
            if total > DRAINED:
                break
            if total <= limit:
                parts.append(part)
        if total > limit:
            raise BodyTooLarge(f"at most {limit} bytes are taken here", headers=headers)
        return b"".join(parts)

    return read


JsonBody = Annotated[bytes, Depends(body_of(MAX_JSON))]


def parsed(model: type[Model], raw: bytes) -> Model:
    """Return a body as what it must be.

    Raises
    ------
    BodyRefused
        Not JSON, or a member is missing, unknown or of the wrong kind; what was sent is not repeated.
    """
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        reason = first["msg"]
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            known = (field.alias or name for name, field in model.model_fields.items())
            reason = f"no such member; there are: {', '.join(known)}"
        raise BodyRefused(reason, place=pointer) from error


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Return what the API's description says of a body that `parsed` reads."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def declared_only(request: Request) -> None:
    """Refuse a caller beyond its rate, and query parameters that the route does not know or that are given twice."""
    if rate := request.scope.get("sudonglian.too_many"):
        raise TooManyRequests(f"more than {rate} requests a second")
    if len(request.scope.get("raw_path", b"")) + len(request.scope["query_string"]) > MAX_URI:
        raise UriTooLong(f"an address has at most {MAX_URI} bytes")
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = set(_query_names(route.dependant))
    has_language = takes_query(route.dependant)
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in known and not has_language:  # the language refuses what it does not know
            raise UsageRefused("this query parameter is not known here", place=name[:64])
        if name in seen:
            raise UsageRefused("this query parameter is given twice", place=name[:64])
        seen.add(name)
        _check_text(value, name[:64])
    for name, value in request.path_params.items():
        _check_text(str(value), name)


def door_router(prefix: str, tag: str, *gates: Callable[[Request], None]) -> APIRouter:
    """Return a router whose routes refuse what they do not declare."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=[Depends(gate) for gate in (declared_only, *gates)],
        generate_unique_id_function=lambda route: route.name,
    )


def token_for(text: str) -> str:
    """Return the token of the page that begins behind a text."""
    return base64.urlsafe_b64encode(f"1:{text}".encode()).decode().rstrip("=")


def text_of(token: str | None) -> str | None:
    """Return the text behind which a page begins.

    >>> text_of(token_for("https://id.gs1.org/00/395200010000007775"))
    'https://id.gs1.org/00/395200010000007775'
    """
    if token is None:
        return None
    try:
        version, _, text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(":")
    except (binascii.Error, ValueError):
        version = text = ""
    if version != "1" or "\x00" in text or token_for(text) != token:
        raise UsageRefused("not a token that this server gave", place="nextPageToken")
    return text


def row_of(token: str | None, default: int) -> int:
    """Return the row behind which a page begins.

    >>> row_of(token_for("1234"), 0)
    1234
    """
    text = text_of(token)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise UsageRefused("not a token that this server gave for this list", place="nextPageToken")
    return int(text)


def linked(request: Request, per_page: int, token: str) -> dict[str, str]:
    """Return the header that leads to the next page (EPCIS 2.0 §12.5, RFC 8288)."""
    url = request.url.include_query_params(perPage=per_page, nextPageToken=token)
    # As it came: decoded, a path that holds a Digital Link would be another one.
    path = request.scope.get("raw_path", url.path.encode()).partition(b"?")[0].decode("latin-1")
    return {"Link": f'<{path}?{url.query}>; rel="next"'}


def takes_query(dependant: Dependant) -> bool:
    """Return whether a route takes the query language, whose names no list of parameters holds."""
    return isinstance(dependant.call, TakesQuery) or any(takes_query(inner) for inner in dependant.dependencies)


class TakesQuery:
    """What marks the dependency that reads a query of the language."""


def quality_of(weight: str) -> int:
    """Return how much something is liked, in thousandths; what is no weight is not liked at all (RFC 9110 §12.4.2).

    >>> quality_of(""), quality_of("q=0.8"), quality_of("q=much")
    (1000, 800, 0)
    """
    if not weight.startswith("q="):
        return 1_000
    whole, _, part = weight[2:].partition(".")
    digits = f"{whole}{part:0<3.3}"
    return min(int(digits), 1_000) if digits.isascii() and digits.isdigit() and len(digits) == 4 else 0


def _check_text(value: str, name: str) -> None:
    if "\x00" in value:
        raise UsageRefused("holds a null character", place=name)


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (one.alias for one in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query_names(inner)
