"""Answers: JSON in UTF-8, whatever characters a firm writes.

RFC 8259.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi.responses import Response


def json_answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(orjson.dumps(document), status, headers, "application/json")
