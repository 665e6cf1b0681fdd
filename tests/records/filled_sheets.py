"""For each profile a filled sheet that meets it, and what is taken out of which row so that it does not."""

import csv
import io
from typing import Any, Literal

import openpyxl

from sudonglian.records.sheets import columns

Form = Literal["xlsx", "csv"]
LANG = {"xlsx": "zh", "csv": "en"}
"""A language for each form, so that both are read."""

_WHEN = {"time": "2026-01-05 08:30", "place": "9520001001017", "from": "9520001001017", "to": "9520001001031"}
_FIRST = {"item": "09520001002014", "lot": "BJ241018", "quantity": "20", "unit": "KGM"}
_SECOND = {"item": "09520001002021", "lot": "DT241111", "quantity": "12.5", "unit": "KGM"}
_IMPORT = {
    "product": "cod", "origin": "NO", "produced": "2025-10-18", "expires": "2027-10-17", "plant": "NO-M123",
}  # fmt: skip
_PAPERS = {
    "customs": "530020260000000017", "quarantine": "CIQ-17", "test": "NAT-17", "disinfection": "XD-3",
}  # fmt: skip
_KDES = {"product": "cod", "tlc_source": "9520001001017"}
_WARM = {"temperature": "-18.5", "measured": "2026-01-05 08:25"}

MEETS: dict[str, list[dict[str, str]]] = {
    "cn-import": [
        {"step": "receiving", **_WHEN, **_FIRST, **_IMPORT, **_PAPERS},
        {"step": "receiving", **_SECOND, **_IMPORT},
    ],
    "gb31605-handover": [{"step": "shipping", **_WHEN, **_FIRST, **_WARM}, {"step": "shipping", **_SECOND}],
    "fsma204-shipping": [
        {"step": "shipping", **_WHEN, **_FIRST, **_KDES, "bol": "BOL-1"},
        {"step": "shipping", **_SECOND, **_KDES},
    ],
    "fsma204-receiving": [
        {"step": "receiving", **_WHEN, **_FIRST, **_KDES, "bol": "BOL-1"},
        {"step": "receiving", **_SECOND, **_KDES},
    ],
    "fsma204-transformation": [
        {"step": "processing", **_WHEN, **_FIRST, "product": "cod", "part": "input", "production": "P-1"},
        {"step": "processing", **_SECOND, "product": "fillets", "part": "output"},
    ],
}

LACKS: list[tuple[str, int, str, str]] = [
    # profile; row of goods; the column that is emptied there, and told; the code
    ("cn-import", 1, "origin", "cn-origin"),
    ("cn-import", 0, "plant", "cn-overseas-plant"),
    ("cn-import", 1, "produced", "cn-production-date"),
    ("cn-import", 1, "expires", "cn-expiry-date"),
    ("cn-import", 1, "product", "cn-product"),
    ("cn-import", 1, "lot", "cn-batch"),
    ("cn-import", 0, "from", "cn-source"),
    ("cn-import", 0, "customs", "cn-customs-declaration"),
    ("cn-import", 0, "quarantine", "cn-quarantine-certificate"),
    ("cn-import", 0, "test", "cn-test-report"),
    ("cn-import", 0, "disinfection", "cn-disinfection-certificate"),
    ("gb31605-handover", 0, "from", "gb-from"),
    ("gb31605-handover", 0, "to", "gb-to"),
    ("gb31605-handover", 1, "lot", "gb-batch"),
    ("gb31605-handover", 0, "temperature", "gb-temperature"),
    ("gb31605-handover", 0, "measured", "gb-temperature-time"),
    ("fsma204-shipping", 1, "lot", "fsma-shipping-tlc"),
    ("fsma204-shipping", 1, "product", "fsma-shipping-product"),
    ("fsma204-shipping", 1, "tlc_source", "fsma-shipping-tlc-source"),
    ("fsma204-shipping", 0, "to", "fsma-shipping-recipient"),
    ("fsma204-shipping", 0, "bol", "fsma-shipping-document"),
    ("fsma204-receiving", 1, "lot", "fsma-receiving-tlc"),
    ("fsma204-receiving", 0, "product", "fsma-receiving-product"),
    ("fsma204-receiving", 0, "tlc_source", "fsma-receiving-tlc-source"),
    ("fsma204-receiving", 0, "from", "fsma-receiving-source"),
    ("fsma204-receiving", 0, "bol", "fsma-receiving-document"),
    ("fsma204-transformation", 1, "product", "fsma-transformation-product"),
    ("fsma204-transformation", 0, "product", "fsma-transformation-product"),
    ("fsma204-transformation", 0, "production", "fsma-transformation-document"),
]


def rows(profile: str, number: str, lacks: tuple[int, str] | None = None) -> list[dict[str, str]]:
    """Return the rows of a handoff that meets a profile, but for one cell."""
    made = [{"handoff": number, **row} for row in MEETS[profile]]
    if lacks:
        del made[lacks[0]][lacks[1]]
    return made


def sheet(form: Form, filled: list[dict[str, str]]) -> bytes:
    """Return a sheet with every heading of the template and these rows, from the second on."""
    lines: list[list[Any]] = [[one.heading(LANG[form]) for one in columns.HANDOFFS]]
    lines += [[row.get(one.key, "") for one in columns.HANDOFFS] for row in filled]
    if form == "csv":
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        return text.getvalue().encode()
    book = openpyxl.Workbook()
    main: Any = book.active
    main.title = "交接"
    for line in lines:
        main.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def heading(form: Form, key: str) -> str:
    """Return what stands above a column there."""
    return next(one.heading(LANG[form]) for one in columns.HANDOFFS if one.key == key)
