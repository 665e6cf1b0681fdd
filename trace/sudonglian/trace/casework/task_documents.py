"""What the doors show of tasks: to who works the case, to who does the task, and how far all of them are.

docs/cases.md; docs/http.md. People by number; how to reach one is in `disclosing` alone.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sudonglian.records import derive, tasks
from sudonglian.records.case_state import Case
from sudonglian.records.task_state import Task
from sudonglian.trace.casework.clock import iso


def task_json(case: Case, one: Task, now: datetime) -> dict[str, Any]:
    """Return a task as who works the case sees it."""
    return {
        "case": case.number,
        **worker_json(case, one, now),
        "assignee": one.assignee,
        "backs": one.backs,
        "made": iso(one.made_us),
        "closed_by": one.closed_by,
    }


def worker_json(case: Case, one: Task, now: datetime) -> dict[str, Any]:
    """Return a task as its worker sees it: nothing else of the case; `missing` says why nobody can be shown yet."""
    reveal, missing = tasks.leave(case, one, now)
    return {
        "task": one.number,
        "kind": one.kind,
        "subject_kind": one.subject_kind,
        "subject": one.subject,
        "place": one.place,
        "tier": one.tier,
        "area": one.area,
        "advice": one.advice,
        "order": one.order,
        "state": one.state if case.standing == "open" or not one.is_open else "over",
        "due": iso(one.due_us),
        "overdue": case.standing == "open" and one.is_overdue(derive.micros(now)),
        "escalated": None if one.escalated_us is None else iso(one.escalated_us),
        "outcome": one.outcome,
        "closed": None if one.closed_us is None else iso(one.closed_us),
        "revealed": reveal is not None,
        "missing": missing,
    }


def listed(case: Case, now: datetime) -> list[dict[str, Any]]:
    """Return a case's tasks: what is overdue or escalated first, then what is due first, in call-first order."""
    now_us = derive.micros(now)
    found = sorted(
        case.tasks.by_number.values(),
        key=lambda one: (
            not one.is_open,
            not (one.is_overdue(now_us) or one.escalated_us is not None),
            one.due_us,
            one.order,
            one.number,
        ),
    )
    return [task_json(case, one, now) for one in found]


def progress(case: Case, now: datetime) -> dict[str, Any]:
    """Return how far a case's tasks are: all, and by kind, area and tier."""
    found = list(case.tasks.by_number.values())
    now_us = derive.micros(now)
    by = {
        "kind": {one.kind for one in found},
        "area": {one.area for one in found},
        "tier": {one.tier for one in found},
    }
    return {
        "case": case.number,
        "all": _counted(found, now_us),
        **{
            f"by_{name}": {
                value: _counted([one for one in found if getattr(one, name) == value], now_us)
                for value in sorted(values)
            }
            for name, values in by.items()
        },
    }


def _counted(found: Iterable[Task], now_us: int) -> dict[str, Any]:
    told = list(found)
    return {
        "tasks": len(told),
        "open": sum(one.state == "open" for one in told),
        "assigned": sum(one.state == "assigned" for one in told),
        "overdue": sum(one.is_overdue(now_us) for one in told),
        "escalated": sum(one.is_open and one.escalated_us is not None for one in told),
        "closed": sum(not one.is_open for one in told),
        "outcomes": dict(sorted(Counter(one.outcome for one in told if one.outcome is not None).items())),
    }
