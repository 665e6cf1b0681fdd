"""The answer as a workbook: the line list of whoever calls and quarantines, and the walks behind it, step by step.

docs/spec/trace-document.md §3 (what the columns mean); text stays text, whatever it begins with.
"""

import io
from typing import Final

import openpyxl

from sudonglian.records.sheets.written import cell
from sudonglian.trace.engine import table
from sudonglian.trace.engine.member import step_json
from sudonglian.trace.engine.result import TraceResult

HEADINGS: Final = {
    "kind": "类别 kind",
    "id": "标识 id",
    "lot": "批次 lot",
    "portion": "批次所在 portion",
    "evidence": "确定性 evidence",
    "time": "时间 time",
    "possible": "可能最早 possible",
    "earliest": "首次受波及 earliest",
    "latest": "末次受波及 latest",
    "handling_s": "接触秒数 handling_s",
    "presence_s": "同处秒数 presence_s",
    "generation": "代次 generation",
    "through_objects": "经物 through_objects",
    "through_persons": "经人 through_persons",
    "tier": "判定 tier",
    "tier_zh": "判定(中文) tier_zh",
    "rule": "规则 rule",
    "possible_tier": "可能判定 possible_tier",
    "risk_rank": "风险次序(非概率) risk_rank",
    "contact": "接触方式 contact",
    "from": "来自 from",
    "record_hashes": "记录 record_hashes",
}

STEPS: Final = ("member", "step", "time", "fact", "who", "where", "from", "to", "contact", "record_hashes")

MAX_ROWS: Final = 1_000_000
"""A sheet of a workbook holds some more; what is beyond is left out, and said."""

MAX_CELL: Final = 32_000
"""Characters that a cell may hold: a longer list of hashes is cut, the document has them all."""


def encode(answer: TraceResult) -> bytes:
    """Return the workbook: members, their walks of earliest arrival, and what was asked."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("受波及者 members")
    sheet.freeze_panes = "C2"
    sheet.append([cell(sheet, HEADINGS[name], bold=True) for name in table.COLUMNS])
    for number, row in enumerate(table.rows(answer)):
        if number == MAX_ROWS:
            break
        sheet.append([cell(sheet, value[:MAX_CELL]) for value in row])
    walks = book.create_sheet("路径 walks")
    walks.append([cell(walks, name, bold=True) for name in STEPS])
    written = 0
    for member, _ in table.called(answer):
        for number, step in enumerate(member.earliest_walk(), start=1):
            if written == MAX_ROWS:
                break
            written += 1
            told = step_json(step)
            values = (
                *(member.key, str(number), told["time"], told["fact"], told["who"]["id"], told["where"]["id"]),
                *(told["from"], told["to"], told["contact"], " ".join(told["record_hashes"])),
            )
            walks.append([cell(walks, value[:MAX_CELL]) for value in values])
    about = book.create_sheet("说明 about")
    document = answer.document()
    whole = len(answer.members) <= MAX_ROWS and written < MAX_ROWS
    for name, value in (
        ("document_hash", answer.document_hash()),
        *((f"log {name}", str(value)) for name, value in document["log"].items()),
        *((f"query {name}", str(value)) for name, value in document["query"].items()),
        *((f"version {name}", value) for name, value in document["versions"].items()),
        ("whole", "yes" if whole else f"no: only the first {MAX_ROWS} rows"),
        ("说明", "受波及不等于感染;风险次序只用于排序,不是概率。"),
        ("note", "Exposed is not infected; the rank by risk is an order in which to look, no probability."),
    ):
        about.append([cell(about, name, bold=True), cell(about, value)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
