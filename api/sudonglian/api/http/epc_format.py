"""The format of identifiers in answers: as they were written, or all as Digital Links, or all as EPC URNs.

EPCIS 2.0 §12.4 (GS1-EPC-Format); docs/decisions/0206. Records stay as written; an answer in another format says so.
"""

from typing import Any, Final

from fastapi import Request

from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import NotAcceptable
from sudonglian.chain.identifiers import IdentifierRefused
from sudonglian.records.epcis import translation
from sudonglian.records.epcis.translation import FORMATS, Format

HEADER: Final = "GS1-EPC-Format"


def asked(request: Request) -> Format:
    """Return the format that a caller asks for, or refuse what is none."""
    given = request.headers.get(HEADER, "No_Preference")
    for one in FORMATS:
        if one.lower() == given.strip().lower():
            return one
    raise NotAcceptable(f"one of {', '.join(FORMATS)}", place=HEADER)


def formatted(request: Request, document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of events with their identifiers in the format that is asked for.

    Raises
    ------
    NotAcceptable
        An identifier cannot be written so: no URN tells the length of its company prefix, and no setting does.
    """
    wanted = asked(request)
    if wanted in ("No_Preference", "Never_Translates"):
        return document
    prefixes = door_of(request).company_prefixes | translation.prefixes_in(translation.events_of(document))
    try:
        return translation.translated_document(document, wanted, prefixes)
    except IdentifierRefused as refusal:
        raise NotAcceptable(refusal.reason, place=HEADER) from refusal
