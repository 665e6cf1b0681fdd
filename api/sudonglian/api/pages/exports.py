"""Lists as files: what a page shows, as CSV or as a workbook, all of it.

service.md (every page is JSON, and where it is a list, .csv and .xlsx).
"""

from collections.abc import Iterable, Sequence

from fastapi.responses import Response

from sudonglian.api.http.routes.sheets import file_answer
from sudonglian.api.pages.rendering import HEADERS
from sudonglian.records.sheets import written
from sudonglian.records.sheets.cells import Cell


def list_answer(rows: Iterable[Sequence[Cell]], form: str, name: str, title: str) -> Response:
    """Return rows, their headings first, as a file of that name; `title` is what a workbook's sheet is called."""
    data = written.csv_bytes(rows) if form == "csv" else written.workbook_bytes([(title, rows)])
    answer = file_answer(data, form, name)
    answer.headers.update(HEADERS)
    return answer
