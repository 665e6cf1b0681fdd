"""The answer of a query as a document, its numbers written as numbers.

EPCIS 2.0 §9.3 (query documents); docs/spec/canonical.md rule 6 (how a decimal is kept).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from sudonglian.chain.canonical import Json

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
NAMESPACES: Final = {"sdl": "urn:sudonglian:ns:1:"}

VERSION: Final = "2.0"


def query_document(events: Iterable[Mapping[str, Json]], now: datetime) -> dict[str, Any]:
    """Return events as the answer of a query, for orjson to write."""
    return {
        "@context": [CONTEXT, NAMESPACES],
        "type": "EPCISQueryDocument",
        "schemaVersion": VERSION,
        "creationDate": now.isoformat(timespec="milliseconds"),
        "epcisBody": {
            "queryResults": {
                "queryName": "SimpleEventQuery",
                "resultsBody": {"eventList": [as_numbers(one) for one in events]},
            },
        },
    }


def as_numbers(value: Any) -> Any:
    """Return a value of the canonical model with its decimals as JSON numbers, digit for digit, for orjson to write.

    >>> orjson.dumps(as_numbers({"value": {"$dec": "-18.5"}, "times": [1]}))
    b'{"value":-18.5,"times":[1]}'
    """
    if isinstance(value, list):
        return [as_numbers(one) for one in value]
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(text := value.get("$dec"), str):
            return orjson.Fragment(text)
        return {name: as_numbers(one) for name, one in value.items()}
    return value
