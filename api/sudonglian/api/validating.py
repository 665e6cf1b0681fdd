"""Validation: a document judged as capture would, by a profile too if one is named; nothing is taken.

interfaces.md (validate); docs/profiles.md.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sudonglian.api.errors import UsageRefused
from sudonglian.chain.errors import RecordRefused
from sudonglian.records.epcis.document import Form
from sudonglian.records.epcis.findings import Finding, refuses
from sudonglian.records.intake import CaptureResult, rehearse
from sudonglian.records.judging import refusal_of_document
from sudonglian.records.profiles.table import Profile, ProfileUnknown, profile_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in a document, in the order of its events; findings about the document come first."""

    events: int
    findings: tuple[tuple[int | None, Finding], ...]

    @property
    def valid(self) -> bool:
        """Return whether capture would take it."""
        return not refuses(finding for _, finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the members that the command and the HTTP door tell."""
        found = [{"index": index, **finding.as_json()} for index, finding in self.findings]
        return {"valid": self.valid, "events": self.events, "findings": found}


def profile_named(name: str, place: str) -> Profile:
    """Return a profile; an unknown one is wrong usage of `place`, and the refusal names the known ones."""
    try:
        return profile_of(name)
    except ProfileUnknown as unknown:
        raise UsageRefused(unknown.reason, place=place) from None


def judge(raw: bytes, submitter: str, profile: Profile | None = None, form: Form | None = None) -> Verdict:
    """Return what capture, and a profile, would find in a document."""
    try:
        events, told = rehearse(raw, submitter=submitter, now=datetime.now(UTC), form=form, profile=profile)
    except RecordRefused as refusal:
        events, told = 0, CaptureResult((refusal_of_document(refusal),), (), ())
    found: list[tuple[int | None, Finding]] = [
        (one.index, Finding("error", one.code, one.pointer, one.rule, dict(one.message))) for one in told.refused
    ]
    found += told.warnings
    return Verdict(events, tuple(sorted(found, key=lambda one: -1 if one[0] is None else one[0])))
