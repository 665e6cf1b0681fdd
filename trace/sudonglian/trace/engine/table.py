"""The answer as a table: one row a member, for spreadsheets and line lists.

RFC 4180; docs/spec/trace-document.md §3 (what the columns mean). The walks stand in the document: a row names the
records of the member's own meeting alone.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from sudonglian.trace.engine.facts import iso
from sudonglian.trace.engine.member import Member
from sudonglian.trace.engine.result import TraceResult

COLUMNS: Final = (
    "kind",
    "id",
    "lot",
    "portion",
    "evidence",
    "time",
    "possible",
    "earliest",
    "latest",
    "handling_s",
    "presence_s",
    "generation",
    "through_objects",
    "through_persons",
    "tier",
    "tier_zh",
    "rule",
    "possible_tier",
    "risk_rank",
    "contact",
    "from",
    "record_hashes",
)

SECOND: Final = 1_000_000

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would compute instead of showing: such a cell begins with an apostrophe."""


KINDS: Final = ("person", "item", "place")

UNRANKED: Final = 1 << 62
"""Behind all who have a rank."""


def called(answer: TraceResult) -> list[tuple[Member, dict[str, Any]]]:
    """Return the members and what the document says of them, in the order in which one would look: docs/decisions/0345."""

    def order(one: tuple[Member, dict[str, Any]]) -> tuple[int, int, int, bool, int, str]:
        member, told = one
        first = told["risk_rank"] or UNRANKED
        return KINDS.index(member.kind), first, member.hops, member.evidence != "certain", member.time, member.id

    return sorted(zip(answer.members, answer.document()["members"], strict=True), key=order)


def rows(answer: TraceResult) -> Iterator[tuple[str, ...]]:
    """Yield a row for each member, without a header: people first, and of each kind whom to look at first."""
    for member, told in called(answer):
        # The member's own meeting: its last steps, and backward its first, for walks run with time.
        walk = member.earliest_walk()
        ends = walk[:1] if answer.query.backward else walk[-1:]
        own = [step for step in walk if step.hop == ends[0].hop] if ends else []
        if len(own) < 2:
            own = walk[:2] if answer.query.backward else walk[-2:]
        by = [step.who.id for step in own if step.who.id != member.id]
        contacts = [step.contact for step in own if step.contact and step.who.id == member.id]
        records = dict.fromkeys(record for step in own for record in step.records)
        yield (
            member.kind,
            member.id,
            member.lot,
            member.portion,
            member.evidence,
            iso(member.time),
            iso(member.possible_time),
            *member.span,
            *(str(length // SECOND) for length in (member.exposure.handling, member.exposure.presence)),
            str(member.hops),
            str(member.objects),
            str(member.persons),
            member.tier,
            member.tier_zh,
            member.rule,
            member.possible_tier,
            str(told["risk_rank"] or ""),
            " ".join(contacts),
            " ".join(dict.fromkeys(by)),
            " ".join(records),
        )


def encode(answer: TraceResult) -> bytes:
    """Return the table as CSV in UTF-8 with its mark, by which spreadsheets know Chinese letters."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows(answer):
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row])
    return out.getvalue().encode("utf-8-sig")
