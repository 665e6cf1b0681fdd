"""Taking a sheet: read, judge, compare with what is known, write; and tell every finding by its row.

docs/sheets.md; docs/decisions/0231 (what is sent again); records.md (whole or not at all, unless told otherwise).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from sudonglian.records import intake
from sudonglian.records.epcis.document import Document, RawEvent
from sudonglian.records.epcis.findings import Finding
from sudonglian.records.intake import Behaviour, CaptureResult, Receipt
from sudonglian.records.judging import Judged, Refusal, judge_document
from sudonglian.records.keys import Keys
from sudonglian.records.profiles.table import Profile
from sudonglian.records.sheets import cells, columns
from sudonglian.records.sheets.asked import column_of
from sudonglian.records.sheets.faults import Fault
from sudonglian.records.sheets.handoffs import Handoff
from sudonglian.records.sheets.reading import Reading, events_of, read_handoffs
from sudonglian.records.sheets.rows import Row
from sudonglian.records.sheets.table import Book, Table, open_book

MAX_FAULTS: Final = 10_000
"""Told of one sheet: whoever has more has one mistake many times."""

CONFLICT: Final = {
    "zh": "该交接编号和步骤已提交过,内容不同;已记录的不能改写:更正请用新编号",
    "en": "this handoff number and step were sent before with other content; what is recorded is not rewritten: "
    "a correction needs a number of its own",
}


@dataclass(slots=True)
class Prepared:
    """A sheet that has been read and judged; no database was needed for it."""

    book: Book
    reading: Reading
    handoffs: list[Handoff]
    """Those that became events, in the order of their events."""
    judged: Judged
    kept: dict[str, list[tuple[int, Row]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a sheet, or would."""

    prepared: Prepared
    taken: CaptureResult
    faults: tuple[Fault, ...]
    """In the order of the rows; the errors refuse their handoffs, or the whole sheet."""
    written: bool

    @property
    def refused(self) -> int:
        """How many handoffs are wrong, or were not taken for another's sake."""
        return max(0, len(self.prepared.reading.handoffs) - len(self.taken.records))

    @property
    def has_errors(self) -> bool:
        """Whether anything refuses."""
        return any(one.level == "error" for one in self.faults)

    def as_json(self) -> dict[str, Any]:
        """Return the document that `sudonglian import --json` prints."""
        reading, source = self.prepared.reading, self.prepared.book.source
        return {
            "written": self.written,
            "form": source.form,
            "encoding": source.encoding,
            "time_zone": cells.DEFAULT_ZONE,
            "sheet": reading.sheet,
            "passed_over": list(self.prepared.book.passed_over),
            "rows": reading.rows,
            "examples": reading.examples,
            "handoffs": len(reading.handoffs),
            "items": sum(len(one.lines) for one in reading.handoffs),
            "accepted": self.taken.accepted,
            "unchanged": self.taken.unchanged,
            "refused": self.refused,
            "faults": [one.as_json() for one in self.faults[:MAX_FAULTS]],
            "more_faults": max(0, len(self.faults) - MAX_FAULTS),
            "records": [
                {**one.as_json(), "handoff": self.prepared.handoffs[one.index].number, "step": self.prepared.handoffs[one.index].step}
                for one in self.taken.records
            ],
        }  # fmt: skip


def prepare(
    keys: Keys, raw: bytes, *, submitter: str, now: datetime, keep: bool = False, profile: Profile | None = None
) -> Prepared:
    """Read a sheet and judge the events that its rows are, by a profile too; with `keep`, its rows stay for a copy.

    Raises
    ------
    SheetRefused
        Bytes that are no sheet with the columns that are needed.
    """
    book = open_book(raw)
    kept: dict[str, list[tuple[int, Row]]] = {}

    def note(sheet: str, number: int, row: Row) -> None:
        kept.setdefault(sheet, []).append((number, row))

    reading = read_handoffs(book, note if keep else None)
    handoffs: list[Handoff] = []
    events: list[RawEvent] = []
    for handoff, event in events_of(reading, submitter):
        events.append(RawEvent(len(handoffs), f"/{len(handoffs)}", event))
        handoffs.append(handoff)
    document = Document("array", tuple(events), (), {})
    judged = judge_document(keys, document, submitter=submitter, now=now, profile=profile)
    return Prepared(book, reading, handoffs, judged, kept)


def preview(connection: Connection, prepared: Prepared) -> Told:
    """Return what taking it would do, handoff by handoff; nothing is written."""
    return _told(prepared, intake.foresee(connection, prepared.judged), written=False)


def take(connection: Connection, keys: Keys, prepared: Prepared, behaviour: Behaviour) -> Told:
    """Write what is new; with `rollback`, one error refuses the whole sheet. The caller commits."""
    wrong = any(one.level == "error" for one in prepared.reading.faults)
    if behaviour == "rollback" and (wrong or prepared.judged.refused):
        # What would have been taken is still told, so that one turn shows every mistake.
        foreseen = intake.foresee(connection, prepared.judged)
        return _told(prepared, CaptureResult(foreseen.refused, (), foreseen.warnings), written=False)
    taken = intake.take(connection, keys, prepared.judged, behaviour=behaviour)
    return _told(prepared, taken, written=not (taken.refused and behaviour == "rollback"))


def recall(prepared: Prepared, kept: Mapping[str, Any]) -> Told:
    """Return what was told of a sheet that was taken, from what its job keeps; judged as of then, it says the same."""
    judged = {(one.index, one.code, one.pointer): one for one in prepared.judged.refused}
    refused = tuple(
        # A job does not repeat what was sent about a person; the sheet that came again does.
        judged.get((one["index"], one["code"], one["pointer"]))
        or Refusal(one["index"], one["code"], one["pointer"], one["message"], one["rule"])
        for one in kept["refused"]
    )
    names = {one.raw.index: one.event_id for one in prepared.judged.events}
    records = tuple(
        Receipt(one["index"], bytes.fromhex(one["record_hash"]), names[one["index"]], one["unchanged"])
        for one in kept["records"]
    )
    return _told(prepared, CaptureResult(refused, records, prepared.judged.warnings), written=True)


def _told(prepared: Prepared, taken: CaptureResult, *, written: bool) -> Told:
    faults = [*prepared.reading.faults, *_faults(prepared, taken.refused, taken.warnings)]
    first = prepared.reading.sheet
    # Errors first: a list is shown from its beginning, and every line of an old sheet may have a warning.
    faults.sort(key=lambda one: (one.level != "error", one.sheet != first, one.row))
    return Told(prepared, taken, tuple(_each_once(faults)), written)


def _each_once(faults: Iterable[Fault]) -> Iterable[Fault]:
    seen: set[tuple[str, int, str, str]] = set()
    for one in faults:
        key = (one.sheet, one.row, one.column, one.code)
        if key not in seen:
            seen.add(key)
            yield one


def _faults(prepared: Prepared, refused: Iterable[Refusal], warnings: Iterable[tuple[int, Finding]]) -> Iterable[Fault]:
    for refusal in refused:
        message = refusal.message
        if refusal.code == "event-id-conflict":
            message = {lang: f"{CONFLICT[lang]} ({text})" for lang, text in message.items()}
        yield _fault(prepared, refusal.index or 0, "error", refusal.code, refusal.pointer, message)
    for index, finding in warnings:
        yield _fault(prepared, index, finding.level, finding.code, finding.pointer, finding.message)


def _fault(prepared: Prepared, index: int, level: Any, code: str, pointer: str, message: Any) -> Fault:
    if index >= len(prepared.handoffs):
        return Fault(level, prepared.reading.sheet, 0, "", code, "", message)
    handoff = prepared.handoffs[index]
    inner = pointer.removeprefix(f"/{index}")
    sheet, row, key, text = handoff.origin(inner, prepared.reading.sheet, column_of(code))
    people = prepared.book.people
    table = people if people is not None and sheet == people.sheet else prepared.book.handoffs
    return Fault(level, sheet, row, table.heading(key) or _would_be(table, key), code, text, message)


def _would_be(table: Table, key: str) -> str:
    """Return the heading of a column that a sheet does not have, in the sheet's language."""
    lang = "en" if table.columns["handoff"][1].isascii() else "zh"
    return next((one.heading(lang) for one in columns.HANDOFFS if one.key == key), "")
