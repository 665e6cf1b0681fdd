"""What an export says of itself: of which case and state, from which documents, by whom, and under which approval.

docs/cases.md (Take it with you); docs/decisions/0840. By its stamp an export can be made again, and compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Literal

from sudonglian.records.case_state import Reveal
from sudonglian.trace.casework.clock import iso
from sudonglian.trace.casework.counts import K
from sudonglian.trace.casework.exports.contents import FORMAT, Contents
from sudonglian.trace.casework.exports.proving import Proven
from sudonglian.trace.errors import TraceError

Lang = Literal["zh", "en"]

PARTS: Final = ("versions", "query", "log")


class ExportRefused(TraceError):
    """An export that cannot be made so, or a file that is none; `place` names what is wrong."""

    slug: ClassVar[str] = "case-export"


@dataclass(frozen=True, slots=True)
class Made:
    """By whom and when an export was made, in which language, and the reveal that it rests on if it has identities."""

    by: str
    now: datetime
    lang: Lang
    reveal: Reveal | None = None
    k: int = K
    """Counts of persons below it are hidden in a report."""
    url: str = ""
    """The server's address, for a report's codes."""
    proofs: tuple[Proven, ...] = ()
    """Of the traces, for a report."""


def stamp(contents: Contents, made: Made, form: str) -> Iterator[tuple[str, str]]:
    """Yield what is said, by a name that never changes."""
    case = contents.case
    yield "format", FORMAT
    yield "form", form
    yield "language", made.lang
    yield "case", str(case.number)
    yield "events", str(len(case.events))
    yield "last_entry", str(case.events[-1].at)
    yield "name", case.name
    yield "purpose", case.purpose
    yield "basis", case.basis
    yield "responsible", case.responsible
    yield "opened", iso(case.opened_us)
    yield "state", case.standing
    yield "persons", str(len(contents.persons))
    for run in contents.runs:
        at = f"trace {run.trace} "
        yield f"{at}document_hash", run.document_hash
        for part in PARTS:
            for name, value in sorted(run.document.get(part, {}).items()):
                yield f"{at}{part} {name}", _text(value)
        yield f"{at}asked", f"{iso(run.at_us)} {run.by}".strip()
    yield "made", made.now.isoformat(timespec="seconds")
    yield "made_by", made.by
    if (reveal := made.reveal) is not None:
        yield "reveal", str(reveal.number)
        yield "list", reveal.digest
        yield "why", reveal.why
        yield "asked_by", reveal.asked_by
        yield "approved_by", reveal.decided_by or ""
        yield "released", "" if reveal.released_us is None else iso(reveal.released_us)


def watermark(contents: Contents, reveal: Reveal, lang: Lang) -> str:
    """Return whose copy this is, in one line: who looked, who approved, when, what for, and which entries say so."""
    released = "" if reveal.released_us is None else iso(reveal.released_us)[:19].replace("T", " ")
    start = reveal.entries_from or 0
    told = {
        "case": contents.case.name,
        "reveal": reveal.number,
        "by": reveal.asked_by,
        "approved": reveal.decided_by or "",
        "at": f"{released} UTC",
        "why": reveal.why,
        "first": start,
        "last": start + len(reveal.persons) - 1,
    }
    if lang == "zh":
        return "个人信息,仅供 {by} 使用 · 案件 {case} 揭示 {reveal} · 批准人 {approved} · {at} · 用途:{why} · 查阅记录 {first}–{last}".format(
            **told
        )
    return (
        "Personal data, for {by} alone · case {case}, reveal {reveal} · approved by {approved} · {at} · for: {why} · "
        "entries {first}–{last} of the access log"
    ).format(**told)


def _text(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={_text(one)}" for name, one in sorted(value.items()))
    return str(value)
