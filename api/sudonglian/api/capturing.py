"""Capturing through a door: one document a transaction, its refusals told in both languages.

interfaces.md (capture); records.md (a document is taken whole or not at all by default).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sudonglian.api.console import Console
from sudonglian.api.errors import FileUnreadable
from sudonglian.api.wiring import House
from sudonglian.api.words import translate
from sudonglian.chain.errors import RecordRefused, SudonglianError
from sudonglian.records import intake
from sudonglian.records.intake import Behaviour, CaptureResult, DuplicateIds
from sudonglian.records.judging import judge, refusal_of_document
from sudonglian.records.profiles.table import Profile


@dataclass(slots=True)
class Capturing:
    """What became of all documents of one command."""

    accepted: int = 0
    unchanged: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    described: int = 0
    unreadable: bool = False

    def add(self, file: str, taken: CaptureResult) -> None:
        """Count one document's result in."""
        self.accepted += taken.accepted
        self.unchanged += taken.unchanged
        self.described += taken.described
        told = taken.as_json()
        self.refused += [{"file": file, **one} for one in told["refused"]]
        self.records += [{"file": file, **one} for one in told["records"]]
        self.warnings += [{"file": file, **one} for one in told["warnings"]]

    def refuse(self, file: str, error: SudonglianError) -> None:
        """Note a file that could not be read, or not be taken, beside what became of the others."""
        told = translate("zh", f"error:{error.slug}")
        message = {"zh": f"{told}:{error.reason}", "en": error.reason}
        self.refused.append({"file": file, "index": None, "code": error.slug, "pointer": "", "message": message})
        self.unreadable = self.unreadable or isinstance(error, FileUnreadable)

    def document(self) -> dict[str, Any]:
        """Return what --json prints."""
        return {
            "accepted": self.accepted,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "records": self.records,
            "warnings": self.warnings,
            "described": self.described,
        }

    def lines(self, console: Console) -> Iterator[str]:
        """Yield what a person reads."""
        counts = {"accepted": self.accepted, "unchanged": self.unchanged, "refused": len(self.refused)}
        yield console.text("accepted {accepted}, unchanged {unchanged}, refused {refused}", **counts)
        if self.described:
            yield console.text("master data: {count} identifiers described", count=self.described)
        for one in self.refused:
            event = "" if one["index"] is None else f" [{one['index']}]"
            yield f"{one['file']}{event}: {one['code']} {one['pointer']} — {one['message'][console.lang]}"
        for one in self.records:
            yield f"{one['record_hash']}  {one['event_id'] or ''}".rstrip()


def capture_all(
    house: House,
    raw: bytes,
    submitter: str,
    duplicate_ids: DuplicateIds = "refuse",
    behaviour: Behaviour = "rollback",
    profile: Profile | None = None,
) -> CaptureResult:
    """Take one document, committed before this returns; bytes that are no document are its only refusal."""
    try:
        # Judged before the transaction begins: the one writer of SQLite is held for the writing alone.
        judged = judge(house.keys, raw, submitter=submitter, now=datetime.now(UTC), profile=profile)
        with house.store.write() as connection:
            return intake.take(connection, house.keys, judged, duplicate_ids=duplicate_ids, behaviour=behaviour)
    except RecordRefused as refusal:
        return CaptureResult((refusal_of_document(refusal),), (), ())
