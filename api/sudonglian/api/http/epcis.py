"""The EPCIS REST binding's own headers, and the forms in which its answers are given.

EPCIS 2.0 §12.3 (versions), §12.4 (formats of identifiers), §12.2 (content negotiation).
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import Request
from fastapi.responses import Response

from sudonglian.api.caller import Caller
from sudonglian.api.http import epc_format
from sudonglian.api.http.parameters import JSON_TYPES, NotAcceptable, quality_of
from sudonglian.records.epcis.document import MAX_DOCUMENT_BYTES
from sudonglian.records.epcis.query_document import CONTEXT, VERSION
from sudonglian.records.epcis.translation import FORMATS
from sudonglian.records.profiles.table import profiles

HEADERS: Final = {"GS1-EPCIS-Version": VERSION, "GS1-CBV-Version": VERSION}

DISCOVERY: Final = {
    **HEADERS,
    "GS1-EPCIS-Min": VERSION,
    "GS1-EPCIS-Max": VERSION,
    "GS1-CBV-Min": VERSION,
    "GS1-CBV-Max": VERSION,
    epc_format.HEADER: ", ".join(FORMATS),
    "GS1-Extensions": "sdl=urn:sudonglian:ns:1:",
}

DUPLICATE_IDS: Final = "Sudonglian-Duplicate-Ids"
"""EPCIS has no header for an eventID that a firm has used twice, and real firms' documents have such."""

PROFILE: Final = "Sudonglian-Profile"
"""What a document is judged by as well: of a request, of a key (OPTIONS), of what was taken."""

PROFILES: Final = "Sudonglian-Profiles"
"""All that there are."""

EVENTS: Final = ("Event", "EPCISQueryDocument")
"""How the type of a document ends that holds events."""

LIMITS: Final = {
    "GS1-EPCIS-Capture-Limit": "*",
    "GS1-EPCIS-Capture-File-Size-Limit": str(MAX_DOCUMENT_BYTES),
}
"""Of a capture: any number of events, so many bytes."""

CAPTURE_HEADERS: Final = {**DISCOVERY, **LIMITS, "GS1-Capture-Error-Behaviour": "rollback", DUPLICATE_IDS: "refuse"}

NEGOTIATED: Final = {
    **{
        f"GS1-{what}-{bound}": f"{about} of {what} that the caller speaks; only {VERSION} is spoken here, 406 otherwise."
        for what in ("EPCIS", "CBV")
        for bound, about in (("Version", "The version"), ("Min", "The lowest version"), ("Max", "The highest version"))
    },
    epc_format.HEADER: f"In which form identifiers of events are wanted: {', '.join(FORMATS)}; 406 otherwise, or if one "
    "cannot be written so. As they were written if nothing is said.",
}
"""What a caller may say about its answer, and what becomes of it."""


def references() -> list[dict[str, str]]:
    """Return what every operation of the binding adds to its parameters."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in NEGOTIATED]


def components() -> dict[str, Any]:
    """Return the description of the headers that are negotiated."""
    return {
        name: {"name": name, "in": "header", "required": False, "description": about, "schema": {"type": "string"}}
        for name, about in NEGOTIATED.items()
    }


def negotiated(request: Request) -> None:
    """Refuse a caller that asks for another version, or for another form of identifiers or of the answer."""
    headers = request.headers
    for family in ("GS1-EPCIS", "GS1-CBV"):
        least, most = headers.get(f"{family}-Min", VERSION), headers.get(f"{family}-Max", VERSION)
        exact = headers.get(f"{family}-Version", VERSION)
        if not (_is_ours(exact) and _number(least) <= (2, 0) and _number(most) >= (2, 0)):
            raise NotAcceptable(f"only version {VERSION} is spoken here", place=family)
    epc_format.asked(request)
    media_type(request)


def answer(request: Request, document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in the form that is asked for, with the binding's headers; of events, in the format asked for."""
    if isinstance(document, dict) and str(document.get("type", "")).endswith(EVENTS):
        document = epc_format.formatted(request, document)
    told = {**HEADERS, "Vary": "Accept", **(headers or {})}
    return Response(orjson.dumps(document), status, told, media_type(request))


def discovery(*methods: str, headers: Mapping[str, str] = DISCOVERY) -> Response:
    """Return the answer of OPTIONS."""
    return Response(None, 204, {"Allow": ", ".join(sorted({"OPTIONS", *methods})), **headers})


def capture_discovery(caller: Caller | None) -> Response:
    """Return the answer of OPTIONS where events are captured: by which profiles, and which one is the caller's."""
    headers = {**CAPTURE_HEADERS, PROFILES: ", ".join(profiles())}
    if caller is not None and caller.profile is not None:
        headers[PROFILE] = caller.profile
    return discovery("GET", "POST", headers=headers)


def collection(members: list[str]) -> dict[str, Any]:
    """Return the document of a list of names."""
    return {"@context": CONTEXT, "type": "Collection", "member": members}


def media_type(request: Request) -> str:
    """Return the form of the answer that the caller likes best (RFC 9110 §12.5.1).

    Raises
    ------
    NotAcceptable
        None that is given here.
    """
    wanted = request.headers.get("accept", "*/*")
    if len(wanted) > 1_000:
        raise NotAcceptable("longer than any list of forms", place="Accept")
    ranges = dict(_range(one) for one in wanted.split(",") if one.strip()) or {"*/*": 1_000}
    liked = {kind: _liking(kind, ranges) for kind in JSON_TYPES}
    best = max(JSON_TYPES, key=lambda kind: liked[kind])
    if not liked[best]:
        raise NotAcceptable(f"answers are given as {' or '.join(JSON_TYPES)}", place="Accept")
    return best


def _range(text: str) -> tuple[str, int]:
    kind, *weights = (part.strip().lower() for part in text.split(";"))
    return kind, quality_of(next((one for one in weights if one.startswith("q=")), ""))


def _liking(kind: str, ranges: Mapping[str, int]) -> int:
    return next((ranges[one] for one in (kind, f"{kind.partition('/')[0]}/*", "*/*") if one in ranges), 0)


def _is_ours(text: str) -> bool:
    return _number(text)[:2] == (2, 0)


def _number(text: str) -> tuple[int, ...]:
    parts = text.strip().split(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise NotAcceptable("not a version", place="GS1-EPCIS-Version")
    return tuple(int(part) for part in [*parts, "0"][:2])
