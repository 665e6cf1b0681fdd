"""The clock of a case: two hours to the first line list, a day until everybody of the high tiers is reached.

service.md (wall screen: 2 h, 24 h); docs/cases.md. Pure.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sudonglian.records import derive
from sudonglian.records.case_state import Case

FIRST_LIST: Final = timedelta(hours=2)
ALL_REACHED: Final = timedelta(hours=24)

HIGH: Final = frozenset({"close", "high"})
"""Tiers whose people are to be called within the day."""


class Term(NamedTuple):
    """One time to keep."""

    limit: timedelta
    due_us: int
    done_us: int | None
    is_overdue: bool
    left: int
    """How many persons are still to be reached; of the first list, whether there is none."""

    def as_json(self) -> dict[str, Any]:
        """Return it as the doors show it."""
        return {
            "limit_h": int(self.limit.total_seconds()) // 3600,
            "due": iso(self.due_us),
            "done": None if self.done_us is None else iso(self.done_us),
            "overdue": self.is_overdue,
            "left": self.left,
        }


def clock(case: Case, now: datetime) -> dict[str, Term]:
    """Return the two times of a case as they stand; a case that is over is judged by when it was closed."""
    now_us = derive.micros(now) if case.closed_us is None else min(case.closed_us, derive.micros(now))
    high = [one for one in case.members.values() if one.tier in HIGH]
    reached = [one.reached_us for one in high if one.reached_us is not None]
    left = len(high) - len(reached)
    done = case.first_list_us
    # A list on which nobody is of a high tier leaves nobody to be reached.
    all_done = None if done is None or left else max([done, *reached])
    return {
        "first_list": _term(case, FIRST_LIST, done, now_us, 0 if done is not None else 1),
        "all_reached": _term(case, ALL_REACHED, all_done, now_us, left),
    }


def _term(case: Case, limit: timedelta, done_us: int | None, now_us: int, left: int) -> Term:
    due = case.opened_us + limit // timedelta(microseconds=1)
    return Term(limit, due, done_us, (now_us if done_us is None else done_us) > due, left)


def iso(at_us: int) -> str:
    """Return a time as the doors show it."""
    return derive.moment(at_us).isoformat(timespec="microseconds")
