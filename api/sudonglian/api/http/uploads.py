"""Uploads: a document as the body itself, or as the file of a form, which is what browsers and many tools send.

RFC 7578 (multipart/form-data); everything stays in memory, within the limit of the route.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.parameters import BodyTooLarge, body_of, kind_of

MULTIPART: Final = "multipart/form-data"

FILE: Final = "file"
"""The field that holds the file."""

AROUND: Final = 64 * 1024
"""Bytes of a form beside its file: boundaries, names, a token."""

SUFFIXES: Final[Mapping[str, str]] = {
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".xml": "application/xml",
}
"""What a file is by its name, where a form does not say."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What was sent, to the byte."""

    data: bytes
    kind: str
    """Its media type; empty if nobody said."""
    name: str = ""


async def parts(headers: Headers, body: bytes, *, max_files: int, max_fields: int, limit: int) -> list[tuple[str, Any]]:
    """Return the fields of a form and its files, none of which is written to a disk.

    Raises
    ------
    UsageRefused
        It cannot be read as a form.
    """
    parser = MultiPartParser(headers, once(body), max_files=max_files, max_fields=max_fields, max_part_size=limit)
    parser.spool_max_size = limit + 1
    try:
        return list((await parser.parse()).multi_items())
    except (MultiPartException, KeyError, ValueError) as error:
        raise UsageRefused("the form cannot be read") from error


def upload_of(limit: int, kinds: tuple[str, ...], headers: Mapping[str, str] | None = None) -> Callable[[Request], Any]:
    """Return the dependency that reads a document of one of these media types, alone or as the file of a form."""
    alone = body_of(limit, (*kinds, MULTIPART), headers)
    formed = body_of(limit + AROUND, (MULTIPART,), headers)

    async def read(request: Request) -> Upload:
        if kind_of(request) != MULTIPART:
            return Upload(await alone(request), kind_of(request))
        found = await parts(request.headers, await formed(request), max_files=1, max_fields=1, limit=limit + AROUND)
        if len(found) != 1 or found[0][0] != FILE or not isinstance(found[0][1], UploadFile):
            raise UsageRefused(f"the form holds one file, in the field {FILE}", place=FILE)
        file = found[0][1]
        data = await file.read()
        if len(data) > limit:
            raise BodyTooLarge(f"at most {limit} bytes are taken here", headers=headers)
        name = file.filename or ""
        kind = (file.content_type or "").partition(";")[0].strip().lower()
        if kind not in kinds:
            kind = next((one for suffix, one in SUFFIXES.items() if name.lower().endswith(suffix)), "")
        return Upload(data, kind, name)

    return read


def form_schema() -> dict[str, Any]:
    """Return what the API's description says of such a form."""
    file = {"type": "string", "format": "binary"}
    return {MULTIPART: {"schema": {"type": "object", "required": [FILE], "properties": {FILE: file}}}}


async def once(body: bytes) -> AsyncGenerator[bytes, None]:
    """Yield a body as a stream."""
    yield body
    # Starlette's parsers take the empty chunk for the end.
    yield b""
