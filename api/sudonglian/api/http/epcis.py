"""The EPCIS REST binding's own headers and documents.

EPCIS 2.0 §12.3 (versions), §12.4 (formats of identifiers), §9.3 (query documents).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from fastapi import Request

from sudonglian.api.http.parameters import NotAcceptable
from sudonglian.records.epcis.document import MAX_DOCUMENT_BYTES

VERSION: Final = "2.0"

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"

HEADERS: Final = {"GS1-EPCIS-Version": VERSION, "GS1-CBV-Version": VERSION}

DISCOVERY: Final = {
    **HEADERS,
    "GS1-EPCIS-Min": VERSION,
    "GS1-EPCIS-Max": VERSION,
    "GS1-CBV-Min": VERSION,
    "GS1-CBV-Max": VERSION,
    "GS1-EPC-Format": "Never_Translates",
    "GS1-Extensions": "sdl=urn:sudonglian:ns:1:",
}

DUPLICATE_IDS: Final = "Sudonglian-Duplicate-Ids"
"""EPCIS has no header for an eventID that a firm has used twice, and real firms' documents have such."""

CAPTURE_HEADERS: Final = {
    **DISCOVERY,
    "GS1-EPCIS-Capture-File-Size-Limit": str(MAX_DOCUMENT_BYTES),
    "GS1-Capture-Error-Behaviour": "rollback",
    DUPLICATE_IDS: "refuse",
}

AS_WRITTEN: Final = frozenset({"no_preference", "never_translates"})
"""Identifiers are given back as they were written; what was hashed must not be translated."""


def negotiated(request: Request) -> None:
    """Refuse a caller that asks for another version or for translated identifiers."""
    headers = request.headers
    for family in ("GS1-EPCIS", "GS1-CBV"):
        least, most = headers.get(f"{family}-Min", VERSION), headers.get(f"{family}-Max", VERSION)
        exact = headers.get(f"{family}-Version", VERSION)
        if not (_is_ours(exact) and _number(least) <= (2, 0) and _number(most) >= (2, 0)):
            raise NotAcceptable(f"only version {VERSION} is spoken here", place=family)
    if headers.get("GS1-EPC-Format", "never_translates").lower() not in AS_WRITTEN:
        raise NotAcceptable("identifiers are given as they were written", place="GS1-EPC-Format")


def query_document(events: Iterable[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """Return events as the answer of a query."""
    return {
        "@context": [CONTEXT, {"sdl": "urn:sudonglian:ns:1:"}],
        "type": "EPCISQueryDocument",
        "schemaVersion": VERSION,
        "creationDate": now.isoformat(timespec="milliseconds"),
        "epcisBody": {
            "queryResults": {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": list(events)}},
        },
    }


def _is_ours(text: str) -> bool:
    return _number(text)[:2] == (2, 0)


def _number(text: str) -> tuple[int, ...]:
    parts = text.strip().split(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise NotAcceptable("not a version", place="GS1-EPCIS-Version")
    return tuple(int(part) for part in [*parts, "0"][:2])
