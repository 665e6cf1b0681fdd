"""Forms: what a browser sends, read within a limit and never written to a disk.

HTML forms (application/x-www-form-urlencoded and multipart/form-data, RFC 7578); docs/decisions/0721 (their token).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import FormParser, MultiPartException

from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.parameters import DRAINED, BodyTooLarge, MediaTypeRefused
from sudonglian.api.http.routes.verify import MAX_VERIFY
from sudonglian.api.http.uploads import AROUND, MULTIPART, once, parts
from sudonglian.api.pages.session import check_form
from sudonglian.records.sheets.workbook import MAX_FILE_BYTES

TOKEN: Final = "form"
"""The field that shows that a form is ours."""

MAX_SMALL: Final = 64 * 1024
"""A form of typed text."""

MAX_FILES: Final = 2
MAX_FIELDS: Final = 20


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was sent, to the byte: a proof that was repaired on its way would be another proof."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in."""

    fields: Mapping[str, str]
    files: Mapping[str, File]

    def field(self, name: str) -> str:
        """Return a text, without the blanks around it; empty if it was left out."""
        return self.fields.get(name, "").strip()


def form_of(limit: int) -> Callable[[Request], Any]:
    """Return the dependency that reads a form of at most `limit` bytes, made on our pages."""

    async def read(request: Request) -> Form:
        body = await _body(request, limit)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == MULTIPART:
            given = await parts(request.headers, body, max_files=MAX_FILES, max_fields=MAX_FIELDS, limit=limit)
        elif kind == "application/x-www-form-urlencoded":
            try:
                given = (await FormParser(request.headers, once(body)).parse()).multi_items()
            except (MultiPartException, KeyError, ValueError) as error:
                raise UsageRefused("the form cannot be read", zh="表单无法读取") from error
        else:
            raise MediaTypeRefused("this page takes its own forms only", place="Content-Type")
        fields = {name: value for name, value in given if isinstance(value, str)}
        files = {
            name: File(value.filename or "", await value.read())
            for name, value in given
            if isinstance(value, UploadFile)
        }
        check_form(request, fields.pop(TOKEN, ""))
        return Form(fields, files)

    return read


SmallForm = Annotated[Form, Depends(form_of(MAX_SMALL))]
FilesForm = Annotated[Form, Depends(form_of(MAX_VERIFY))]
SheetForm = Annotated[Form, Depends(form_of(MAX_FILE_BYTES + AROUND))]


async def _body(request: Request, limit: int) -> bytes:
    length = request.headers.get("content-length", "0")
    size = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else DRAINED + 1
    parts: list[bytes] = []
    total = 0
    if size <= DRAINED:
        # A body that is too large is still read, so that its sender gets to hear the refusal.
        async for part in request.stream():
            total += len(part)
            if total > DRAINED:
                break
            if total <= limit:
                parts.append(part)
    if size > DRAINED or total > limit:
        raise BodyTooLarge(f"at most {limit} bytes are taken here")
    return b"".join(parts)
