"""A list as a table to download, beside its page.

service.md (every page is also .json, lists .csv).
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi.responses import Response

from sudonglian.api.pages.rendering import HEADERS
from sudonglian.trace.casework.case_list import safe


def table(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Response:
    """Return CSV with a byte order mark, which spreadsheets need to know UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([safe(_text(row[column])) for column in columns] for row in rows)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(b"\xef\xbb\xbf" + out.getvalue().encode(), 200, headers, "text/csv; charset=utf-8")


def _text(value: Any) -> str:
    return "" if value is None else " ".join(map(str, value)) if isinstance(value, list) else str(value)
